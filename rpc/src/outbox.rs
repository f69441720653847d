//! Outgoing messages. A stand-in: it queues what it is given and asks nobody.

use chrono::{DateTime, Utc};
use fieldcrm_core::Result;
use fieldcrm_core::automation::Purpose;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Db, call_as};

const ENQUEUE: &str = include_str!("../sql/outbox/enqueue.sql");

/// Whom a message is for.
#[derive(Clone, Debug)]
pub enum Recipient {
    Customer(Uuid),
    Member(Uuid),
    Endpoint { customer_id: Option<Uuid>, url: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutboxChannel {
    Email,
    Sms,
    Whatsapp,
    Webhook,
}

/// A message to send.
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
    pub scheduled_at: Option<DateTime<Utc>>,
    pub expires_at: Option<DateTime<Utc>>,
    pub dedupe_key: Option<String>,
    pub contact_id: Option<Uuid>,
}

/// What became of a message.
#[derive(Clone, Debug, Deserialize)]
pub struct Enqueued {
    pub id: Uuid,
    pub created: bool,
    pub status: String,
    pub code: String,
    pub reason: Option<String>,
    pub available_at: DateTime<Utc>,
}

/// Puts messages into the outbox, in the order given.
pub async fn enqueue(
    db: &mut impl Db,
    org_id: Uuid,
    created_by: Option<Uuid>,
    messages: Vec<NewMessage>,
) -> Result<Vec<Enqueued>> {
    let messages: Vec<_> = messages
        .into_iter()
        .enumerate()
        .map(|(n, message)| {
            let (customer_id, user_id, to_address) = match message.recipient {
                Recipient::Customer(id) => (Some(id), None, None),
                Recipient::Member(id) => (None, Some(id), None),
                Recipient::Endpoint { customer_id, url } => (customer_id, None, Some(url)),
            };
            json!({
                "n": n, "customer_id": customer_id, "user_id": user_id, "to_address": to_address,
                "channel": message.channel, "purpose": message.purpose, "subject": message.subject,
                "body": message.body, "payload": message.payload, "template_id": message.template_id,
                "automation_run_id": message.automation_run_id,
                "scheduled_at": message.scheduled_at, "expires_at": message.expires_at,
                "dedupe_key": message.dedupe_key, "contact_id": message.contact_id,
            })
        })
        .collect();
    let document = json!({"org_id": org_id, "created_by": created_by, "messages": messages});
    call_as(db, ENQUEUE, &document).await
}
