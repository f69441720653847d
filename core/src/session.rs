//! Who is calling: the answer of `fieldcrm.load_session()` in the database.

use serde::Deserialize;
use uuid::Uuid;

use crate::{Capability, Code, Error, Result, Role};

/// The caller of an RPC. Everything is read from the profile row, nothing from a claim.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// The session bypasses RLS anyway: service role, jobs, DBAs.
    pub service: bool,
    /// `auth.users.id` of the signed-in user, whether or not there is a profile.
    pub user_id: Option<Uuid>,
    pub org_id: Option<Uuid>,
    pub profile_id: Option<Uuid>,
    pub role: Option<Role>,
    /// ISO 3166-1 alpha-2; how a phone number without a country code is read.
    pub default_country: Option<String>,
}

impl Session {
    #[must_use]
    pub fn has(&self, capability: Capability) -> bool {
        self.org_id.is_some()
            && (self.service || self.role.is_some_and(|role| role.has(capability)))
    }

    #[must_use]
    pub fn is_staff(&self) -> bool {
        self.role.is_some_and(Role::is_staff)
    }

    /// The org the caller acts in, or why there is none.
    pub fn org(&self) -> Result<Uuid> {
        self.org_id.ok_or_else(|| {
            if self.service {
                Error::new(
                    Code::OrgRequired,
                    "Say which organisation: set app.current_org_id = '<orgs.id>'.",
                )
            } else if self.user_id.is_none() {
                Error::new(Code::Unauthenticated, "Send the access token of a signed-in user.")
            } else {
                Error::new(
                    Code::NoMembership,
                    "Create an organisation or accept an invitation; if you had access, ask an owner.",
                )
            }
        })
    }

    /// The org, provided that the caller has one of the capabilities.
    pub fn require(&self, any_of: &[Capability]) -> Result<Uuid> {
        let org = self.org()?;
        if any_of.iter().any(|capability| self.has(*capability)) {
            return Ok(org);
        }
        let names: Vec<_> = any_of.iter().map(|capability| capability.as_str()).collect();
        Err(Error::new(
            Code::Forbidden,
            format!("This needs the capability {}.", names.join(" or ")),
        )
        .with("capability", names[0]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(role: Role) -> Session {
        Session {
            user_id: Some(Uuid::from_u128(1)),
            profile_id: Some(Uuid::from_u128(1)),
            org_id: Some(Uuid::from_u128(2)),
            role: Some(role),
            ..Session::default()
        }
    }

    fn refusal(session: &Session) -> Code {
        session.require(&[Capability::CustomersWrite]).unwrap_err().code
    }

    #[test]
    fn each_kind_of_caller_without_right_learns_why() {
        assert_eq!(refusal(&Session::default()), Code::Unauthenticated);
        assert_eq!(refusal(&Session { service: true, ..Session::default() }), Code::OrgRequired);
        let outsider = Session { user_id: Some(Uuid::from_u128(1)), ..Session::default() };
        assert_eq!(refusal(&outsider), Code::NoMembership);
        assert_eq!(refusal(&member(Role::Viewer)), Code::Forbidden);
        assert!(member(Role::Csr).require(&[Capability::CustomersWrite]).is_ok());
    }

    #[test]
    fn a_service_session_has_every_capability_in_its_org_and_none_without() {
        let service = Session { service: true, ..Session::default() };
        assert!(!service.has(Capability::CustomersRead));
        let scoped = Session { org_id: Some(Uuid::from_u128(2)), ..service };
        assert!(Capability::ALL.iter().all(|capability| scoped.has(*capability)));
    }
}
