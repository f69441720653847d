//! Automation: when something happens, what is done for the customer it happened to.
//!
//! A rule listens to one type of event, waits if it says so, checks its conditions (a segment
//! definition) and does its actions. Everything it makes carries a key that the occurrence decides
//! ([`key`]), so that doing it again changes nothing.

mod action;
mod check;
pub mod event;
mod fields;
mod history;
mod reference;
mod render;
mod rule;
#[cfg(test)]
mod tests;

pub use action::{Action, Assignee, MessageChannel, Purpose, SETTABLE};
pub use check::{ACTION_TYPES, MAX_TITLE, check_stored_template};
pub use history::{HistoryPage, HistoryQuery, RunStatus};
pub use reference::{EXAMPLES, reference};
pub use render::{EVENT, render_action_template, render_action_text, shorten};
pub use rule::{
    MAX_LATENESS_MINUTES, NewRule, PreparedRule, ReadRule, Reenrollment, Rule, RulePatch,
    SegmentChange, Trigger, within,
};

use uuid::Uuid;

/// How many rules may have led to an event, one acting on what the other did, before nobody hears it.
pub const MAX_CHAIN: usize = 5;
/// The most actions of a rule.
pub const MAX_ACTIONS: usize = 20;
/// The longest delay, in minutes: ten years.
pub const MAX_MINUTES: i64 = 5_256_000;

/// The namespace of [`key`], itself made by RFC 9562 `UUIDv5` from the URL of this project.
const NAMESPACE: Uuid = Uuid::from_u128(0x5b4d_2f9a_6c0e_5e1d_9f3a_7b81_d2c4_e6f0);

/// The key of what is made for a customer at an occurrence (RFC 9562 UUIDv5): the edge, the database and
/// the tests come to the same one. `origin` is a rule, an action of one, or whoever asks.
#[must_use]
pub fn key(org_id: Uuid, origin: &str, customer_id: Uuid, occurrence: &str) -> Uuid {
    // A length before each text: no two lists of parts make one name.
    let name = format!(
        "{org_id}|{customer_id}|{}:{origin}|{}:{occurrence}",
        origin.len(),
        occurrence.len()
    );
    Uuid::new_v5(&NAMESPACE, name.as_bytes())
}
