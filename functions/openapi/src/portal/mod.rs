//! `/portal`

use crate::document::{Info, Operation, SecurityScheme};

mod account;
mod assistant;
mod booking;
mod kb;
mod thread;
mod visit;

pub const INFO: Info = Info {
    name: "portal",
    slugs: &["portal"],
    title: "fieldcrm: portal",
    description: "What the customers of an org do themselves. A caller sees what their portal account sees.",
    security: &[(
        "customer",
        SecurityScheme::Bearer("The access token of who signed in to the portal."),
    )],
};

pub fn operations() -> Vec<Operation> {
    [
        account::operations(),
        visit::operations(),
        booking::operations(),
        thread::operations(),
        assistant::operations(),
        kb::operations(),
    ]
    .into_iter()
    .flatten()
    // Where a rate limit is bound; docs/deploy-cloudflare.md.
    .map(|operation| operation.fails(&[429]))
    .collect()
}
