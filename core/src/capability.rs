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
        /// Read the personal data of one customer as a whole, to hand it over.
        CustomersExport = "customers.export",
        /// Log interactions with every customer of the org.
        InteractionsWrite = "interactions.write",
        /// Create and change every follow-up of the org.
        FollowupsWrite = "followups.write",
        /// Create follow-ups for one's own customers; change the ones one made or is assigned.
        FollowupsWriteOwn = "followups.write_own",
        /// Create, change and delete message templates that are not locked.
        TemplatesWrite = "templates.write",
        /// See products.
        ProductsRead = "products.read",
        /// Create, change and delete products.
        ProductsWrite = "products.write",
        /// Create, schedule and change work orders.
        WorkOrdersWrite = "work_orders.write",
        /// See one's own visits, with what of the customer they need, and say how far they are.
        WorkOrdersPerform = "work_orders.perform",
        /// Create and change quotes and invoices.
        BillingWrite = "billing.write",
        /// Create and change segments and their members.
        SegmentsWrite = "segments.write",
        /// Create, change, delete and preview automation rules; repeat what failed.
        AutomationWrite = "automation.write",
        /// Send messages to customers; cancel and repeat them; record who wants none.
        MessagesSend = "messages.send",
        /// Enter and manage every client of the org, its projects and leads.
        ClientsManage = "clients.manage",
        /// Create clients; who does is the client's first admin.
        ClientsCreate = "clients.create",
        /// Invite customers to the portal; suspend and close their accounts, and say what they see.
        PortalManage = "portal.manage",
        /// Write the articles of the knowledge base.
        KbWrite = "kb.write",
        /// Read the audit trail and who looked at whom.
        AuditRead = "audit.read",
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
            Self::Manager => {
                !matches!(capability, C::MembersManage | C::CustomersDelete | C::AuditRead)
            }
            Self::Csr => {
                Self::Sales.has(capability)
                    || matches!(capability, C::WorkOrdersWrite | C::PortalManage | C::KbWrite)
            }
            Self::Sales => {
                Self::Dispatcher.has(capability) && !matches!(capability, C::WorkOrdersWrite)
                    || matches!(
                        capability,
                        C::CustomersWrite
                            | C::CustomersWriteOwn
                            | C::TagsWrite
                            | C::BillingWrite
                            | C::ClientsCreate
                            | C::SegmentsWrite
                    )
            }
            Self::Dispatcher => {
                Self::Viewer.has(capability)
                    || matches!(
                        capability,
                        C::InteractionsWrite
                            | C::FollowupsWrite
                            | C::FollowupsWriteOwn
                            | C::MessagesSend
                            | C::WorkOrdersWrite
                    )
            }
            Self::Member => {
                Self::Viewer.has(capability)
                    || matches!(capability, C::CustomersWriteOwn | C::FollowupsWriteOwn)
            }
            Self::Viewer => {
                matches!(capability, C::MembersRead | C::CustomersRead | C::ProductsRead)
            }
            Self::Technician => matches!(capability, C::ProductsRead | C::WorkOrdersPerform),
            Self::ClientAdmin | Self::PortalCustomer | Self::PortalManager => false,
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
    fn portal_and_client_roles_have_no_capability_and_technicians_see_no_customers() {
        for role in Role::ALL {
            let none = !Capability::ALL.iter().any(|capability| role.has(*capability));
            let outside =
                matches!(role, Role::ClientAdmin | Role::PortalCustomer | Role::PortalManager);
            assert_eq!(none, outside, "{}", role.as_str());
        }
        assert!(!Role::Technician.has(Capability::CustomersRead));
    }

    #[test]
    fn who_writes_everything_also_writes_their_own() {
        for role in Role::ALL {
            for (all, own) in [
                (Capability::CustomersWrite, Capability::CustomersWriteOwn),
                (Capability::FollowupsWrite, Capability::FollowupsWriteOwn),
            ] {
                assert!(!role.has(all) || role.has(own), "{}", role.as_str());
            }
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
