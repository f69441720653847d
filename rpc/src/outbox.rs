//! Outgoing messages: into the queue, out of it, and what became of them.
//!
//! Consent is asked in two places, by the same [`crate::consent`] gate: [`enqueue`] decides on the insert, and
//! [`claim`] decides again for what it is about to hand out.

mod claim;
mod enqueue;
mod send;
mod settle;

pub use claim::claim;
pub use enqueue::{Enqueued, NewMessage, Recipient, enqueue};
pub use fieldcrm_core::outbox::Channel as OutboxChannel;
pub use send::send;
pub(crate) use settle::{Locked, settle};
pub use settle::{cancel, complete, fail, mark_unknown, record_status, retry};

use fieldcrm_core::consent::{Decision, Reason, Verdict};

use crate::consent::Member;

/// Members of the org need not consent; they need an address.
fn decide_for_member(member: Option<&Member>, channel: OutboxChannel) -> Decision {
    let Some(member) = member.filter(|member| member.active) else {
        return Decision::refused(Reason::InactiveMember);
    };
    let address = match channel {
        OutboxChannel::Email => member.email.clone(),
        OutboxChannel::Sms | OutboxChannel::Whatsapp => {
            // What members type as their number is not checked anywhere.
            member.phone.clone().filter(|phone| phone.starts_with('+'))
        }
        OutboxChannel::Webhook => None,
    };
    match address.filter(|address| !address.trim().is_empty()) {
        Some(address) => Decision::allowed(Some(address)),
        None => Decision::refused(Reason::NoAddress),
    }
}

/// The status of a message about which that was decided; what is deferred waits in the queue.
const fn status_of(decision: &Decision, allowed: &'static str) -> &'static str {
    match decision.verdict {
        Verdict::Allowed => allowed,
        Verdict::Deferred => "queued",
        Verdict::Refused => "refused",
    }
}
