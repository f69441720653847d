//! Conversations with leads: opened, written down, counted.

mod reply;

pub use reply::reply;

use std::collections::HashMap;

use fieldcrm_core::client::ClientRole;
use fieldcrm_core::{Code, Error, Result, patch};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::client::{Inside, require};
use crate::{Db, attachment, call_as, session};

const OPEN: &str = include_str!("../sql/conversation/open.sql");
const RECEIVE: &str = include_str!("../sql/conversation/receive.sql");
const RECOUNT: &str = include_str!("../sql/conversation/recount.sql");
const LOCK: &str = include_str!("../sql/conversation/lock.sql");

/// The most characters a message can have.
const MAX_CONTENT: usize = 200_000;
/// How often an open conversation is looked for that another session opens or closes at the same moment.
const TRIES: usize = 4;

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Platform {
    Email,
    Whatsapp,
    Sms,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    lead_id: Uuid,
    channel: Platform,
}

/// `create_conversation(lead_id, channel)`: the id of the open conversation, which is made if there is none.
pub async fn create<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Create { lead_id, channel } = patch::read(arguments)?;
    let caller = session::current(db).await?;
    let org_id = require(db, &caller, Inside::Lead(lead_id), ClientRole::Member).await?;
    let open = open(db, org_id, &json!(channel), &[lead_id]).await?;
    Ok(json!(open.get(&lead_id)))
}

/// The open conversation of each lead on the channel, made where there is none.
pub(crate) async fn open(
    db: &mut impl Db,
    org_id: Uuid,
    channel: &Value,
    lead_ids: &[Uuid],
) -> Result<HashMap<Uuid, Uuid>> {
    let document = json!({"org_id": org_id, "channel": channel, "lead_ids": lead_ids});
    for _ in 0..TRIES {
        let open: HashMap<Uuid, Uuid> = call_as(db, OPEN, &document).await?;
        if lead_ids.iter().all(|id| open.contains_key(id)) {
            return Ok(open);
        }
    }
    Err(Error::new(Code::Unavailable, "A lead just went, or its conversation: try again."))
}

/// A message from a lead.
#[derive(Debug, Serialize)]
pub(crate) struct Incoming {
    pub n: usize,
    pub lead_id: Uuid,
    pub conversation_id: Uuid,
    pub content: String,
    pub subject: Option<String>,
    pub metadata: Map<String, Value>,
    pub provider_message_id: Option<String>,
    pub occurred_at: Value,
}

/// What became of an [`Incoming`].
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Received {
    pub n: usize,
    pub id: Uuid,
    pub lead_id: Uuid,
    pub conversation_id: Option<Uuid>,
    /// Of a customer's, where it is new.
    pub interaction_id: Option<Uuid>,
    pub created: bool,
}

/// Writes messages down, each of a provider's once.
pub(crate) async fn receive(
    db: &mut impl Db,
    org_id: Uuid,
    channel: &Value,
    provider: Option<&str>,
    messages: &[Incoming],
) -> Result<Vec<Received>> {
    let document =
        json!({"org_id": org_id, "channel": channel, "provider": provider, "messages": messages});
    let received: Vec<Received> = call_as(db, RECEIVE, &document).await?;
    if received.len() < messages.len() {
        let hint = "Another session writes the same message at this moment: try again.";
        return Err(Error::new(Code::Unavailable, hint));
    }
    let of: HashMap<usize, _> = messages.iter().map(|one| (one.n, &one.metadata)).collect();
    let mirrored = received.iter().filter_map(|row| Some((row.interaction_id?, *of.get(&row.n)?)));
    attachment::add(db, org_id, mirrored).await?;
    Ok(received)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Process {
    lead_id: Uuid,
    content: String,
    platform: Platform,
}

/// `process_incoming_message(lead_id, content, platform)`: the id of the message, in the lead's open conversation.
pub async fn process_incoming<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Process { lead_id, content, platform } = patch::read(arguments)?;
    if content.chars().count() > MAX_CONTENT || content.contains('\0') {
        let message = format!("at most {MAX_CONTENT} characters, none of them NUL");
        return Err(Error::invalid_field("content", "invalid_value", message));
    }
    let caller = session::current(db).await?;
    let org_id = require(db, &caller, Inside::Lead(lead_id), ClientRole::Member).await?;
    let channel = json!(platform);
    let open = open(db, org_id, &channel, &[lead_id]).await?;
    let message = Incoming {
        n: 0,
        lead_id,
        conversation_id: open.get(&lead_id).copied().unwrap_or_default(),
        content,
        subject: None,
        metadata: Map::new(),
        provider_message_id: None,
        occurred_at: Value::Null,
    };
    let received = receive(db, org_id, &channel, None, &[message]).await?;
    Ok(json!(received.first().map(|message| message.id)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stats {
    conversation_id: Uuid,
}

/// `update_conversation_stats(conversation_id)`: counts the messages anew.
pub async fn update_stats<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Stats { conversation_id } = patch::read(arguments)?;
    let caller = session::current(db).await?;
    let org_id = caller.org()?;
    let key = json!({"org_id": org_id, "id": conversation_id});
    let unknown = || Error::not_found("conversation");
    let lead_id = db.call(LOCK, &key).await?["lead_id"].as_str().and_then(|id| id.parse().ok());
    let lead_id = lead_id.ok_or_else(unknown)?;
    match require(db, &caller, Inside::Lead(lead_id), ClientRole::Member).await {
        Err(error) if error.code == Code::NotFound => return Err(unknown()),
        outcome => outcome?,
    };
    db.call(RECOUNT, &key).await?;
    Ok(Value::Null)
}
