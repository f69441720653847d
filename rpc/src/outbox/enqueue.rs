//! Messages into the queue, with what consent says about them.

use std::collections::HashMap;

use chrono::{DateTime, SubsecRound, Utc};
use fieldcrm_core::automation::Purpose;
use fieldcrm_core::consent::{Decision, Lead, Reason, Verdict};
use fieldcrm_core::{Code, Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::consent::{Ask, Gate, LeadAsk, Subject, Subjects};
use crate::{Db, call_as};

use super::{OutboxChannel, decide_for_member, status_of};

const FIND_KEYS: &str = include_str!("../../sql/outbox/find_keys.sql");
const INSERT: &str = include_str!("../../sql/outbox/insert.sql");

/// Whom a message is for.
#[derive(Clone, Debug)]
pub enum Recipient {
    Customer(Uuid),
    /// Where the lead wrote from. If it became a customer, the message is the customer's too.
    Lead(Uuid),
    /// A member of the org: no consent is needed.
    Member(Uuid),
    /// A webhook, perhaps about a customer: no consent is needed.
    Endpoint {
        customer_id: Option<Uuid>,
        url: String,
    },
}

/// A message to be sent, its texts rendered.
#[derive(Clone, Debug)]
pub struct NewMessage {
    pub recipient: Recipient,
    pub channel: OutboxChannel,
    pub purpose: Purpose,
    pub subject: Option<String>,
    pub body: String,
    pub payload: Option<Value>,
    pub template_id: Option<Uuid>,
    pub automation_run_id: Option<Uuid>,
    /// Not before; now, where it is absent.
    pub scheduled_at: Option<DateTime<Utc>>,
    /// Not after.
    pub expires_at: Option<DateTime<Utc>>,
    /// What makes it the same message.
    pub dedupe_key: Option<String>,
    /// The endpoint of the customer.
    pub contact_id: Option<Uuid>,
}

/// What became of a [`NewMessage`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Enqueued {
    /// Nil where the customer is closed: they take nothing new, not even a refused message.
    pub id: Uuid,
    /// Whether it is new; else the message that had the key before.
    pub created: bool,
    pub status: String,
    pub code: String,
    pub reason: Option<String>,
    pub available_at: DateTime<Utc>,
}

#[derive(Deserialize)]
struct Found {
    dedupe_key: String,
    id: Uuid,
    status: String,
    code: Option<String>,
    reason: Option<String>,
    available_at: DateTime<Utc>,
}

#[derive(Deserialize)]
struct Made {
    ord: usize,
    id: Uuid,
}

/// Puts messages into the outbox, in one statement, and says about each what was decided; in the order given.
/// Refused ones are kept with the reason.
pub async fn enqueue<D: Db>(
    db: &mut D,
    org_id: Uuid,
    created_by: Option<Uuid>,
    messages: Vec<NewMessage>,
) -> Result<Vec<Enqueued>> {
    let mut done: Vec<Option<Enqueued>> = vec![None; messages.len()];
    let mut known = find(db, org_id, messages.iter()).await?;
    // The first with a key is the one that is made.
    let mut first: HashMap<&str, usize> = HashMap::new();
    let mut new = Vec::new();
    for (ord, message) in messages.iter().enumerate() {
        let key = message.dedupe_key.as_deref();
        if let Some(found) = key.and_then(|key| known.get(key)) {
            done[ord] = Some(found.clone());
        } else if key.is_none_or(|key| *first.entry(key).or_insert(ord) == ord) {
            new.push(ord);
        }
    }
    let decided = decide(db, org_id, &messages, &new).await?;
    let rows: Vec<_> = decided
        .iter()
        .filter(|(.., decision)| decision.code != Reason::Closed)
        .map(|(ord, at, decision)| row(*ord, &messages[*ord], *at, decision))
        .collect();
    let mut made: HashMap<usize, Uuid> = HashMap::new();
    if !rows.is_empty() {
        let document = json!({"org_id": org_id, "user_id": created_by, "messages": rows});
        let inserted: Vec<Made> = call_as(db, INSERT, &document).await?;
        made.extend(inserted.into_iter().map(|row| (row.ord, row.id)));
    }
    for (ord, at, decision) in &decided {
        let id = made.get(ord).copied();
        if id.is_some() || decision.code == Reason::Closed {
            done[*ord] = Some(Enqueued {
                id: id.unwrap_or_default(),
                created: id.is_some(),
                status: status_of(decision, "queued").to_owned(),
                code: decision.code.as_str().to_owned(),
                reason: decision.code.sentence().map(str::to_owned),
                available_at: decision.retry_at.unwrap_or(*at),
            });
        }
    }
    // Somebody else was faster.
    let missing = |ord: &usize| done[*ord].is_none() && first.values().any(|first| first == ord);
    let faster = new.iter().filter(|ord| missing(ord)).map(|ord| &messages[*ord]);
    known.extend(find(db, org_id, faster).await?);
    let first_of = |message: &NewMessage| {
        let key = message.dedupe_key.as_deref()?;
        let made = first.get(key).and_then(|ord| done[*ord].clone());
        let made = made.map(|made| Enqueued { created: false, ..made });
        made.or_else(|| known.get(key).cloned())
    };
    let gone = || Error::new(Code::Conflict, "The message with this key just went: try again.");
    let rest = messages.iter().zip(&done);
    rest.map(|(message, done)| done.clone().or_else(|| first_of(message)).ok_or_else(gone))
        .collect()
}

/// The messages that have the keys.
async fn find<'a>(
    db: &mut impl Db,
    org_id: Uuid,
    messages: impl Iterator<Item = &'a NewMessage>,
) -> Result<HashMap<String, Enqueued>> {
    let keys: Vec<_> = messages.filter_map(|message| message.dedupe_key.as_deref()).collect();
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let found: Vec<Found> =
        call_as(db, FIND_KEYS, &json!({"org_id": org_id, "keys": keys})).await?;
    Ok(found
        .into_iter()
        .map(|found| {
            let known = Enqueued {
                id: found.id,
                created: false,
                status: found.status,
                code: found.code.unwrap_or_default(),
                reason: found.reason,
                available_at: found.available_at,
            };
            (found.dedupe_key, known)
        })
        .collect())
}

/// What is decided about each of the new messages, for the moment at which it is wanted.
async fn decide(
    db: &mut impl Db,
    org_id: Uuid,
    messages: &[NewMessage],
    new: &[usize],
) -> Result<Vec<(usize, DateTime<Utc>, Decision)>> {
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let mut subjects = Subjects::default();
    subjects.orgs.insert(org_id);
    for ord in new {
        match messages[*ord].recipient {
            Recipient::Customer(id) => subjects.customers.insert(Subject { org_id, id }),
            Recipient::Lead(id) => subjects.leads.insert(Subject { org_id, id }),
            Recipient::Member(id) => subjects.members.insert(Subject { org_id, id }),
            Recipient::Endpoint { .. } => false,
        };
    }
    let mut gate = Gate::load(db, &subjects).await?;
    let asks: Vec<_> = new.iter().filter_map(|ord| Some((org_id, ask(&messages[*ord])?))).collect();
    gate.load_earlier(db, &asks, gate.now).await?;
    let mut decided = Vec::with_capacity(new.len());
    for ord in new {
        let message = &messages[*ord];
        let at = message.scheduled_at.unwrap_or(gate.now).max(gate.now).trunc_subsecs(6);
        let decision = match &message.recipient {
            Recipient::Customer(id) if !gate.knows(*id) => {
                return Err(Error::not_found("customer"));
            }
            Recipient::Customer(_) => match ask(message) {
                Some(ask) => gate.decide(org_id, &ask, None, at),
                None => Decision::refused(Reason::NoAddress),
            },
            Recipient::Lead(id) => {
                let lead = gate.lead(*id).ok_or_else(|| Error::not_found("lead"))?;
                decide_for_lead(&gate, org_id, lead, message, at)
            }
            Recipient::Member(id) => {
                let member = gate.member(*id).ok_or_else(|| Error::not_found("member"))?;
                decide_for_member(Some(member), message.channel)
            }
            Recipient::Endpoint { url, .. } => Decision::allowed(Some(url.clone())),
        };
        let too_late = message.expires_at.is_some_and(|end| end < at);
        let decision = match decision.verdict {
            Verdict::Allowed if too_late => Decision::refused(Reason::Expired),
            _ => decision,
        };
        decided.push((*ord, at, decision));
    }
    Ok(decided)
}

fn decide_for_lead(
    gate: &Gate,
    org_id: Uuid,
    lead: &Lead,
    message: &NewMessage,
    at: DateTime<Utc>,
) -> Decision {
    let Some(channel) = message.channel.consent() else {
        return Decision::refused(Reason::NoAddress);
    };
    let (purpose, expires_at) = (message.purpose, message.expires_at);
    let ask = LeadAsk { org_id, lead, channel, purpose, expires_at };
    gate.decide_for_lead(&ask, lead.customer_id, at)
}

/// The question to consent, if the message needs one.
fn ask(message: &NewMessage) -> Option<Ask> {
    let Recipient::Customer(customer_id) = message.recipient else { return None };
    Some(Ask {
        customer_id,
        channel: message.channel.consent()?,
        purpose: message.purpose,
        contact_id: message.contact_id,
        expires_at: message.expires_at,
    })
}

fn row(ord: usize, message: &NewMessage, at: DateTime<Utc>, decision: &Decision) -> Value {
    let (customer_id, lead_id, user_id) = match &message.recipient {
        Recipient::Customer(id) => (Some(*id), None, None),
        Recipient::Lead(id) => (None, Some(*id), None),
        Recipient::Member(id) => (None, None, Some(*id)),
        Recipient::Endpoint { customer_id, .. } => (*customer_id, None, None),
    };
    json!({
        "ord": ord, "customer_id": customer_id, "lead_id": lead_id,
        "contact_id": decision.endpoint_id, "user_id": user_id,
        "channel": message.channel, "purpose": message.purpose, "to_address": decision.to,
        "subject": message.subject, "body": message.body, "payload": message.payload,
        "template_id": message.template_id, "automation_run_id": message.automation_run_id,
        "status": status_of(decision, "queued"), "code": decision.code,
        "reason": decision.code.sentence(), "scheduled_at": at,
        "available_at": decision.retry_at.unwrap_or(at), "expires_at": message.expires_at,
        "dedupe_key": message.dedupe_key,
    })
}
