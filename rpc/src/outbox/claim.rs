//! Messages out of the queue.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use fieldcrm_core::automation::Purpose;
use fieldcrm_core::consent::{Decision, Reason, Verdict};
use fieldcrm_core::outbox::{Claim, KEEP_IDEMPOTENCY_KEYS};
use fieldcrm_core::{Code, Error, Result, patch};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::consent::{Ask, Gate, Place, Subject, Subjects};
use crate::{Db, call_as, session};

use super::{OutboxChannel, decide_for_member, status_of};

const RECLAIM: &str = include_str!("../../sql/outbox/reclaim.sql");
const LOCK_DUE: &str = include_str!("../../sql/outbox/lock_due.sql");
const HAND_OUT: &str = include_str!("../../sql/outbox/hand_out.sql");
const TAKE_TURNS: &str = include_str!("../../sql/consent/take_turns.sql");

/// A message that is due.
#[derive(Deserialize)]
struct Due {
    id: Uuid,
    org_id: Uuid,
    customer_id: Option<Uuid>,
    contact_id: Option<Uuid>,
    user_id: Option<Uuid>,
    channel: OutboxChannel,
    purpose: Purpose,
    to: Option<String>,
    expires_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

impl Due {
    /// The question to consent, if the message needs one.
    fn ask(&self) -> Option<Ask> {
        if self.user_id.is_some() {
            return None;
        }
        Some(Ask {
            customer_id: self.customer_id?,
            channel: self.channel.consent()?,
            purpose: self.purpose,
            contact_id: self.contact_id,
            expires_at: self.expires_at,
        })
    }

    const fn place(&self) -> Place {
        Place { created_at: self.created_at, id: self.id }
    }
}

/// `crm_claim_messages(batch_limit, lease_seconds, providers)`: for jobs, over all orgs or the one they set. What is due
/// and still has consent is handed out under a lease; what has none any more is refused or waits, and is counted.
pub async fn claim<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let claim = patch::read::<Claim>(arguments)?.prepare()?;
    let caller = session::current(db).await?;
    if !caller.service {
        return Err(Error::new(Code::Forbidden, "This is for back-end sessions only."));
    }
    let document = json!({
        "org_id": caller.org_id, "keep": KEEP_IDEMPOTENCY_KEYS, "batch_limit": claim.batch_limit,
        "channels": claim.providers.keys().collect::<Vec<_>>(),
    });
    db.call(RECLAIM, &document).await?;
    let mut due: Vec<Due> = call_as(db, LOCK_DUE, &document).await?;
    if due.is_empty() {
        return Ok(json!({"messages": [], "deferred": 0, "refused": 0}));
    }
    // A statement after the locks: it sees what those committed who held them before.
    let mut gate = Gate::load(db, &subjects(&due)).await?;
    keep_caps(db, &mut gate, &mut due).await?;
    // As caps count them.
    due.sort_unstable_by_key(Due::place);
    let decided: Vec<_> = due.iter().map(|due| (due, decide(&mut gate, due))).collect();
    let rows: Vec<_> = decided.iter().map(|(due, decision)| row(due, decision)).collect();
    let document = json!({
        "lease_seconds": claim.lease_seconds, "providers": claim.providers, "messages": rows,
    });
    let mut messages: Vec<Value> = call_as(db, HAND_OUT, &document).await?;
    for message in &mut messages {
        let org_id = message["org_id"].as_str().and_then(|id| id.parse().ok());
        if let Some(org) = org_id.and_then(|id| gate.org(id)) {
            message["org_name"] = org.name.as_str().into();
            message["from"] = org.from.clone();
        }
    }
    let count =
        |verdict| decided.iter().filter(|(_, decision)| decision.verdict == verdict).count();
    Ok(json!({
        "messages": messages, "deferred": count(Verdict::Deferred), "refused": count(Verdict::Refused),
    }))
}

fn subjects(due: &[Due]) -> Subjects {
    let mut subjects = Subjects::default();
    for message in due {
        let org_id = message.org_id;
        subjects.orgs.insert(org_id);
        if let Some(id) = message.user_id {
            subjects.members.insert(Subject { org_id, id });
        } else if let Some(ask) = message.ask() {
            subjects.customers.insert(Subject { org_id, id: ask.customer_id });
        }
    }
    subjects
}

/// Reads what counts towards caps, and leaves what another session is about to hand out something of to the next claim.
async fn keep_caps(db: &mut impl Db, gate: &mut Gate, due: &mut Vec<Due>) -> Result<()> {
    let capped = |gate: &Gate, message: &Due| {
        let ask = message.ask()?;
        gate.cap_hours(message.org_id, &ask).map(|_| (message.org_id, ask))
    };
    let asks: Vec<_> = due.iter().filter_map(|message| capped(gate, message)).collect();
    if asks.is_empty() {
        return Ok(());
    }
    let customers: HashSet<_> = asks.iter().map(|(_, ask)| ask.customer_id).collect();
    let ours: HashSet<Uuid> = call_as(db, TAKE_TURNS, &json!({"customers": customers})).await?;
    due.retain(|message| {
        capped(gate, message).is_none_or(|(_, ask)| ours.contains(&ask.customer_id))
    });
    let asks: Vec<_> =
        asks.into_iter().filter(|(_, ask)| ours.contains(&ask.customer_id)).collect();
    gate.load_earlier(db, &asks, gate.now).await
}

fn decide(gate: &mut Gate, due: &Due) -> Decision {
    let now = gate.now;
    let decision = if let Some(user_id) = due.user_id {
        decide_for_member(gate.member(user_id), due.channel)
    } else if let Some(ask) = due.ask() {
        return gate.decide(due.org_id, &ask, Some(due.place()), now);
    } else {
        Decision::allowed(due.to.clone())
    };
    match decision.verdict {
        Verdict::Allowed if due.expires_at.is_some_and(|end| end < now) => {
            Decision::refused(Reason::Expired)
        }
        _ => decision,
    }
}

fn row(due: &Due, decision: &Decision) -> Value {
    json!({
        "org_id": due.org_id, "id": due.id, "status": status_of(decision, "sending"),
        "code": decision.code, "reason": decision.code.sentence(), "available_at": decision.retry_at,
        "chosen": decision.endpoint_id.filter(|id| due.contact_id != Some(*id)), "to": decision.to,
    })
}
