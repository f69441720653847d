//! Messages out of the queue.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use fieldcrm_core::automation::Purpose;
use fieldcrm_core::consent::{Decision, Lead, Reason, Verdict};
use fieldcrm_core::outbox::{Claim, Provider, Status, goes_again};
use fieldcrm_core::{Code, Error, Result, patch};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::consent::{Ask, Gate, LeadAsk, Place};
use crate::{Db, call_as, session};

use super::{OutboxChannel, decide_for_member};

/// Locks what is due and reads the facts about it.
const DUE: &str =
    concat!(include_str!("../../sql/outbox/due.sql"), include_str!("../../sql/consent/facts.sql"));
const HAND_OUT: &str = include_str!("../../sql/outbox/hand_out.sql");
const TAKE_TURNS: &str = include_str!("../../sql/consent/take_turns.sql");

/// A message that is due, its fields in the order of outbox/due.sql.
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
    /// Sending, where a lease ran out.
    status: Status,
    provider: Option<String>,
    attempts: u32,
    max_attempts: u32,
    lead: Option<Lead>,
    /// Whether its endpoint was, after it was queued.
    disabled: bool,
    /// Whom it tells a secret, and nobody else; nobody at all, where the secret is gone.
    only_to: Option<String>,
}

/// A message that goes out, its fields in the order of `outbox/hand_out.sql`.
#[derive(Deserialize)]
struct Out {
    id: Uuid,
    lease_id: Uuid,
    subject: Option<String>,
    body: String,
    payload: Value,
    attempts: u32,
    event_id: Option<Uuid>,
}

/// What happens to a message that is due.
struct Step {
    status: Status,
    decision: Option<Decision>,
}

/// `crm_claim_messages(batch_limit, lease_seconds, providers)`: for jobs, over all orgs or the one they set. What is due
/// and still has consent is handed out under a lease; what is refused, waits or is unknown now is counted.
pub async fn claim<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let claim = patch::read::<Claim>(arguments)?.prepare()?;
    let caller = session::current(db).await?;
    if !caller.service {
        return Err(Error::new(Code::Forbidden, "This is for back-end sessions only."));
    }
    let document = json!({
        "org_id": caller.org_id, "batch_limit": claim.batch_limit,
        "channels": claim.providers.keys().collect::<Vec<_>>(),
    });
    let (mut gate, mut due) = Gate::load_with::<Due>(db, DUE, &document).await?;
    keep_caps(db, &mut gate, &mut due).await?;
    let steps = decide(&mut gate, due, &claim.providers);
    let (mut sending, mut decided) = (Vec::new(), Vec::new());
    for (due, step) in &steps {
        if due.goes_as_it_is(step) {
            sending.push(json!({"org_id": due.org_id, "id": due.id}));
        } else {
            decided.push(due.row(step));
        }
    }
    let mut messages = Vec::new();
    if !steps.is_empty() {
        let document = json!({
            "lease_seconds": claim.lease_seconds, "providers": claim.providers, "sending": sending,
            "decided": decided,
        });
        let mut out: HashMap<Uuid, Out> = call_as::<Vec<Out>>(db, HAND_OUT, &document)
            .await?
            .into_iter()
            .map(|out| (out.id, out))
            .collect();
        messages.extend(steps.iter().filter_map(|(due, step)| {
            let out = out.remove(&due.id)?;
            let provider = claim.providers.get(&due.channel)?;
            let to = step.decision.as_ref().and_then(|decision| decision.to.as_ref());
            let org = gate.org(due.org_id)?;
            Some(json!({
                "id": out.id, "org_id": due.org_id, "lease_id": out.lease_id, "channel": due.channel,
                "purpose": due.purpose, "to": to.or(due.to.as_ref()), "subject": out.subject,
                "body": out.body, "payload": out.payload, "provider": provider,
                "attempts": out.attempts, "event_id": out.event_id, "org_name": org.name, "from": org.from,
            }))
        }));
    }
    let count = |status| steps.iter().filter(|(_, step)| step.status == status).count();
    let refused = count(Status::Refused) + count(Status::Canceled);
    Ok(json!({
        "messages": messages, "deferred": count(Status::Queued), "refused": refused,
        "unknown": count(Status::Unknown),
    }))
}

/// Decides in the order in which caps count; answers in the order given.
fn decide(
    gate: &mut Gate,
    due: Vec<Due>,
    providers: &HashMap<OutboxChannel, Provider>,
) -> Vec<(Due, Step)> {
    let mut numbered: Vec<_> = due.into_iter().enumerate().collect();
    numbered.sort_unstable_by_key(|(_, due)| due.place());
    let mut steps: Vec<_> = numbered
        .into_iter()
        .map(|(number, due)| {
            let step = due.step(gate, providers);
            (number, due, step)
        })
        .collect();
    steps.sort_unstable_by_key(|(number, ..)| *number);
    steps.into_iter().map(|(_, due, step)| (due, step)).collect()
}

/// Reads what counts towards caps, and leaves what another session is about to hand out something of to the next claim.
async fn keep_caps(db: &mut impl Db, gate: &mut Gate, due: &mut Vec<Due>) -> Result<()> {
    let capped = |gate: &Gate, message: &Due| {
        let ask = message.ask()?;
        gate.cap_hours(message.org_id, &ask).map(|_| (message.org_id, ask))
    };
    let mut asks: Vec<_> = due.iter().filter_map(|message| capped(gate, message)).collect();
    if asks.is_empty() {
        return Ok(());
    }
    let customers: HashSet<_> = asks.iter().map(|(_, ask)| ask.customer_id).collect();
    let ours: HashSet<Uuid> = call_as(db, TAKE_TURNS, &json!({"customers": customers})).await?;
    due.retain(|message| {
        capped(gate, message).is_none_or(|(_, ask)| ours.contains(&ask.customer_id))
    });
    asks.retain(|(_, ask)| ours.contains(&ask.customer_id));
    // A statement after the lock: it sees what those committed who held it before.
    gate.load_earlier(db, &asks, gate.now).await
}

impl Due {
    /// The question to consent, if the message needs one.
    fn ask(&self) -> Option<Ask> {
        if self.user_id.is_some() || self.lead.is_some() {
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

    fn step(&self, gate: &mut Gate, providers: &HashMap<OutboxChannel, Provider>) -> Step {
        if self.disabled {
            return Step { status: Status::Canceled, decision: None };
        }
        let lapsed = self.status == Status::Sending;
        // Another provider than the one that may have sent it does not know it again.
        let same = providers.get(&self.channel).map(Provider::as_str) == self.provider.as_deref();
        if lapsed
            && !(same && goes_again(self.provider.as_deref(), self.attempts, self.max_attempts))
        {
            return Step { status: Status::Unknown, decision: None };
        }
        let decision = self.decide(gate);
        let status = match decision.verdict {
            Verdict::Allowed if self.tells_somebody_else(&decision) => Status::Canceled,
            Verdict::Allowed => Status::Sending,
            Verdict::Deferred => Status::Queued,
            // It may have gone out before consent was withdrawn.
            Verdict::Refused if lapsed => Status::Unknown,
            Verdict::Refused => Status::Refused,
        };
        Step { status, decision: Some(decision) }
    }

    fn decide(&self, gate: &mut Gate) -> Decision {
        let now = gate.now;
        let decision = if let Some((lead, channel)) = self.lead.as_ref().zip(self.channel.consent())
        {
            let ask = LeadAsk {
                org_id: self.org_id,
                lead,
                channel,
                purpose: self.purpose,
                expires_at: self.expires_at,
            };
            return gate.decide_for_lead(&ask, Some(self.id), now);
        } else if let Some(user_id) = self.user_id {
            decide_for_member(gate.member(user_id), self.channel)
        } else if let Some(ask) = self.ask() {
            return gate.decide(self.org_id, &ask, Some(self.place()), now);
        } else {
            Decision::allowed(self.to.clone())
        };
        match decision.verdict {
            Verdict::Allowed if self.expires_at.is_some_and(|end| end < now) => {
                Decision::refused(Reason::Expired)
            }
            _ => decision,
        }
    }

    fn tells_somebody_else(&self, decision: &Decision) -> bool {
        let to = decision.to.as_ref().or(self.to.as_ref());
        self.only_to.as_ref().is_some_and(|only| to.is_none_or(|to| !to.eq_ignore_ascii_case(only)))
    }

    /// Whether it is handed out with nothing to change about where it goes.
    fn goes_as_it_is(&self, step: &Step) -> bool {
        let same =
            |decision: &Decision| decision.endpoint_id == self.contact_id && decision.to == self.to;
        step.status == Status::Sending && step.decision.as_ref().is_some_and(same)
    }

    fn row(&self, step: &Step) -> Value {
        let decision = step.decision.as_ref();
        let chosen = decision.and_then(|decision| decision.endpoint_id);
        let mut row = json!({
            "org_id": self.org_id, "id": self.id, "status": step.status,
            "code": decision.map(|decision| decision.code),
            "reason": decision.and_then(|decision| decision.code.sentence()),
            "available_at": decision.and_then(|decision| decision.retry_at),
            "chosen": chosen.filter(|id| self.contact_id != Some(*id)),
            "to": decision.and_then(|decision| decision.to.as_ref()),
        });
        let why = match step.status {
            Status::Unknown if self.status == Status::Sending => {
                Some(("lease_expired", "Who sent it did not say how it went."))
            }
            Status::Canceled if self.only_to.is_some() => {
                Some(("secret_withheld", "Its link was for another address, or was sent before."))
            }
            // As fieldcrm.cancel_webhooks says it.
            Status::Canceled => {
                Some(("endpoint_disabled", "The endpoint was disabled or deleted."))
            }
            _ => None,
        };
        if let Some((code, message)) = why {
            row["error_code"] = code.into();
            row["error_message"] = message.into();
        }
        row
    }
}
