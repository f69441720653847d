//! `/crm`

use crate::document::{Info, Operation, SecurityScheme};

mod activity;
mod assist;
mod automation;
mod customer;
mod segment;

pub const INFO: Info = Info {
    name: "crm",
    slugs: &["crm"],
    title: "fieldcrm: crm",
    description: "Customers and what happens with them, for staff. Rights are those of the user whose token comes with the request.",
    security: &[("user", SecurityScheme::Bearer("The access token of a signed-in user."))],
};

pub fn operations() -> Vec<Operation> {
    [
        customer::operations(),
        activity::operations(),
        assist::operations(),
        segment::operations(),
        automation::operations(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
