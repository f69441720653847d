//! Portal accounts: whose they are and what they see. The customer's side of everything that the portal shows.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::customer::choices;
use crate::{Code, Error, Result};

choices! {
    /// What the owner of an account is to the customer.
    AccountRole {
        Customer = "customer", PropertyManager = "property_manager", BillingContact = "billing_contact", Admin = "admin",
    }
}
choices! {
    AccountStatus { Active = "active", Invited = "invited", Suspended = "suspended", Closed = "closed", }
}
choices! {
    /// Whether the caller's token counts.
    SessionState { Active = "active", Ended = "ended", SecondFactor = "second_factor", }
}

/// Another customer that an account sees, and which of its locations: all where none is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    pub customer_id: Uuid,
    pub location_id: Option<Uuid>,
}

/// The portal account of the caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub id: Uuid,
    pub org_id: Uuid,
    pub user_id: Uuid,
    /// Their own customer, all of whose locations they see.
    pub customer_id: Uuid,
    pub primary_location_id: Option<Uuid>,
    pub role: AccountRole,
    pub status: AccountStatus,
    #[serde(skip_serializing)]
    pub session: SessionState,
    pub access: Vec<Access>,
}

impl SessionState {
    /// Whether whoever sent the token may go on.
    pub fn check(self) -> Result<()> {
        match self {
            Self::Active => Ok(()),
            Self::Ended => {
                Err(Error::new(Code::Unauthenticated, "Your session has ended: sign in again."))
            }
            Self::SecondFactor => {
                Err(Error::new(Code::Forbidden, "Enter your second factor first.")
                    .with("reason", "second_factor"))
            }
        }
    }
}

impl AccountRole {
    /// Whether the role may ask for visits, move and cancel them. A billing contact reads and writes messages.
    #[must_use]
    pub const fn may_book(self) -> bool {
        !matches!(self, Self::BillingContact)
    }
}

impl Account {
    /// The account itself, if its owner may come in.
    pub fn open(self) -> Result<Self> {
        self.session.check()?;
        if self.status == AccountStatus::Active {
            return Ok(self);
        }
        let hint = "Ask the company whose portal this is.";
        Err(Error::new(Code::PortalAccountInactive, hint).with("status", self.status.as_str()))
    }

    pub fn require_booking(&self) -> Result<()> {
        if self.role.may_book() {
            return Ok(());
        }
        Err(Error::new(Code::Forbidden, "A billing contact does not book visits."))
    }

    /// Everything the account sees, its own customer first: what statements compare rows with.
    #[must_use]
    pub fn scope(&self) -> Vec<Access> {
        let own = Access { customer_id: self.customer_id, location_id: None };
        std::iter::once(own).chain(self.access.iter().copied()).collect()
    }

    /// Whether the account sees what belongs to this customer, at this location if it belongs to one.
    #[must_use]
    pub fn sees(&self, customer_id: Uuid, location_id: Option<Uuid>) -> bool {
        self.scope().iter().any(|access| {
            access.customer_id == customer_id
                && (access.location_id.is_none() || access.location_id == location_id)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(role: AccountRole, status: AccountStatus, access: Vec<Access>) -> Account {
        let id = Uuid::from_u128;
        Account {
            id: id(1),
            org_id: id(2),
            user_id: id(3),
            customer_id: id(4),
            primary_location_id: None,
            role,
            status,
            session: SessionState::Active,
            access,
        }
    }

    #[test]
    fn only_active_accounts_come_in() {
        for &status in AccountStatus::ALL {
            let opened = account(AccountRole::Customer, status, vec![]).open();
            assert_eq!(opened.is_ok(), status == AccountStatus::Active, "{status:?}");
        }
    }

    #[test]
    fn an_account_sees_its_customer_and_what_it_was_given() {
        let id = Uuid::from_u128;
        let given = vec![
            Access { customer_id: id(5), location_id: None },
            Access { customer_id: id(6), location_id: Some(id(60)) },
        ];
        let manager = account(AccountRole::PropertyManager, AccountStatus::Active, given);
        for (customer, location, seen) in [
            (4, None, true),
            (4, Some(40), true),
            (5, Some(50), true),
            (6, Some(60), true),
            (6, Some(61), false),
            (6, None, false),
            (7, None, false),
        ] {
            assert_eq!(
                manager.sees(id(customer), location.map(id)),
                seen,
                "{customer} {location:?}"
            );
        }
    }
}
