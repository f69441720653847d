//! Roles, capabilities, and the one matrix that joins them.
//!
//! Policies and RPCs name capabilities, never roles. `xtask gen` writes the SQL twin of this matrix.

use serde::{Deserialize, Serialize};

macro_rules! names {
    ($(#[$doc:meta])* $type:ident { $($(#[$variant_doc:meta])* $name:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $type { $($(#[$variant_doc])* #[serde(rename = $text)] $name,)* }

        impl $type {
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$name),)* _ => None }
            }
        }
    };
}

names! {
    /// The role of a profile in its org.
    Role {
        Owner = "owner",
        Admin = "admin",
        Manager = "manager",
        Dispatcher = "dispatcher",
        Csr = "csr",
        Sales = "sales",
        Technician = "technician",
        Member = "member",
        Viewer = "viewer",
        ClientAdmin = "client_admin",
        PortalCustomer = "portal_customer",
        PortalManager = "portal_manager",
    }
}

names! {
    /// What a role may do. A policy or an RPC asks for exactly one.
    Capability {
        /// Change the org's name, time zone, country and settings.
        OrgManage = "org.manage",
        /// See the profiles of colleagues (assignee pickers).
        MembersRead = "members.read",
        /// Invite members, change roles, deactivate members.
        MembersManage = "members.manage",
        /// See customers with all their columns, and what belongs to them.
        CustomersRead = "customers.read",
        /// Create and change every customer of the org.
        CustomersWrite = "customers.write",
        /// Create customers, and change the ones one owns.
        CustomersWriteOwn = "customers.write_own",
        /// Give a customer another owner.
        CustomersAssign = "customers.assign",
        /// Delete customers for good.
        CustomersDelete = "customers.delete",
        /// Create, rename and delete tags.
        TagsWrite = "tags.write",
    }
}

impl Role {
    /// Whether the role belongs to the company rather than to its customers.
    #[must_use]
    pub const fn is_staff(self) -> bool {
        !matches!(self, Self::PortalCustomer | Self::PortalManager)
    }

    /// Whether `self` may give (or take away) `other`: nobody reaches above themselves.
    #[must_use]
    pub fn may_grant(self, other: Self) -> bool {
        self.has(Capability::MembersManage)
            && other.is_staff()
            && (self == Self::Owner || other != Self::Owner)
    }

    #[must_use]
    pub const fn has(self, capability: Capability) -> bool {
        use Capability as C;
        match self {
            Self::Owner | Self::Admin => true,
            Self::Manager => !matches!(capability, C::MembersManage | C::CustomersDelete),
            Self::Csr | Self::Sales => matches!(
                capability,
                C::MembersRead
                    | C::CustomersRead
                    | C::CustomersWrite
                    | C::CustomersWriteOwn
                    | C::TagsWrite
            ),
            Self::Member => {
                matches!(capability, C::MembersRead | C::CustomersRead | C::CustomersWriteOwn)
            }
            Self::Dispatcher | Self::Viewer => {
                matches!(capability, C::MembersRead | C::CustomersRead)
            }
            Self::Technician | Self::ClientAdmin | Self::PortalCustomer | Self::PortalManager => {
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(*role));
        }
        for capability in Capability::ALL {
            assert_eq!(Capability::parse(capability.as_str()), Some(*capability));
        }
        assert_eq!(Role::parse("root"), None);
    }

    #[test]
    fn portal_technician_and_client_roles_have_no_capability() {
        for role in Role::ALL {
            let none = !Capability::ALL.iter().any(|capability| role.has(*capability));
            let outside = matches!(
                role,
                Role::Technician | Role::ClientAdmin | Role::PortalCustomer | Role::PortalManager
            );
            assert_eq!(none, outside, "{}", role.as_str());
        }
    }

    #[test]
    fn only_owners_make_owners_and_only_managers_of_members_grant() {
        for role in Role::ALL {
            assert_eq!(role.may_grant(Role::Owner), *role == Role::Owner, "{}", role.as_str());
            assert_eq!(
                role.may_grant(Role::Csr),
                matches!(role, Role::Owner | Role::Admin),
                "{}",
                role.as_str()
            );
            assert!(!role.may_grant(Role::PortalCustomer));
        }
    }

    #[test]
    fn changing_owners_needs_a_manager() {
        let may: Vec<_> =
            Role::ALL.iter().filter(|role| role.has(Capability::CustomersAssign)).collect();
        assert_eq!(may, [&Role::Owner, &Role::Admin, &Role::Manager]);
    }
}
