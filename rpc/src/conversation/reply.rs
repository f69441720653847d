//! What is answered to a lead.

use fieldcrm_core::automation::Purpose;
use fieldcrm_core::client::ClientRole;
use fieldcrm_core::outbox::{Channel, Reply};
use fieldcrm_core::{Code, Error, Result, patch};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::{Inside, require};
use crate::idempotency::{self, Claim};
use crate::outbox::{NewMessage, Recipient, enqueue};
use crate::{Db, call_as, session};

const FIND: &str = include_str!("../../sql/conversation/find.sql");
const REPLY: &str = include_str!("../../sql/conversation/reply.sql");
/// The longest subject, as the outbox has it.
const MAX_SUBJECT: usize = 500;

#[derive(Deserialize)]
struct Found {
    lead_id: Uuid,
    channel: Channel,
    status: String,
    /// Of the newest e-mail in it that has one.
    subject: Option<String>,
}

/// `crm_reply_to_conversation(conversation_id, content, subject)`: {`message_id`, `outbox_id`, `conversation_id`, status, code,
/// reason, `available_at`}. Refused is an answer, not an error.
pub async fn reply<D: Db>(db: &mut D, mut arguments: Value) -> Result<Value> {
    let caller = session::current(db).await?;
    let org_id = caller.org()?;
    let operation = "crm_reply_to_conversation";
    let claim = match idempotency::claim(db, &caller, operation, &mut arguments).await? {
        Claim::Repeat(first) => return Ok(first),
        Claim::First(claim) => claim,
    };
    let reply = patch::read::<Reply>(arguments)?.prepare()?;
    let key = json!({"org_id": org_id, "id": reply.conversation_id});
    let found: Option<Found> = call_as(db, FIND, &key).await?;
    let unknown = || Error::not_found("conversation");
    let conversation = found.ok_or_else(unknown)?;
    let lead_id = conversation.lead_id;
    match require(db, &caller, Inside::Lead(lead_id), ClientRole::Member).await {
        Err(error) if error.code == Code::NotFound => return Err(unknown()),
        outcome => outcome?,
    };
    if conversation.status == "closed" {
        let hint = "The conversation is closed: open it again, or write in the one that is open.";
        return Err(Error::new(Code::WrongState, hint).with("status", conversation.status));
    }
    let subject = subject(&conversation, reply.subject)?;
    let message = NewMessage {
        recipient: Recipient::Lead(lead_id),
        channel: conversation.channel,
        purpose: Purpose::Transactional,
        subject: subject.clone(),
        body: reply.content.clone(),
        payload: None,
        template_id: None,
        automation_run_id: None,
        scheduled_at: None,
        expires_at: None,
        dedupe_key: None,
        contact_id: None,
    };
    let made = enqueue(db, org_id, caller.profile_id, vec![message]).await?;
    let Some(made) = made.into_iter().next() else {
        return Err(Error::internal("a message went into the outbox and none came out"));
    };
    if made.code == "closed" {
        let hint = "The customer that the lead became was erased or merged into another one.";
        return Err(Error::new(Code::WrongState, hint));
    }
    let document = json!({
        "org_id": org_id, "conversation_id": reply.conversation_id, "user_id": caller.profile_id,
        "outbox_id": made.id, "content": reply.content, "subject": subject, "refused": made.status == "refused",
    });
    let written = db.call(REPLY, &document).await?;
    let answer = json!({
        "message_id": written["id"], "outbox_id": made.id, "conversation_id": reply.conversation_id,
        "status": made.status, "code": made.code, "reason": made.reason,
        "available_at": made.available_at,
    });
    idempotency::store(db, claim, &answer).await?;
    Ok(answer)
}

/// An e-mail has one: that which is answered, unless another one is given.
fn subject(conversation: &Found, given: Option<String>) -> Result<Option<String>> {
    if conversation.channel != Channel::Email {
        return match given {
            None => Ok(None),
            Some(_) => Err(Error::invalid_field("subject", "not_allowed", "is for e-mails")),
        };
    }
    let answered = || {
        let subject = conversation.subject.as_deref()?.trim();
        let is_answer = subject.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("re:"));
        let whole = if is_answer { subject.to_owned() } else { format!("Re: {subject}") };
        Some(whole.chars().take(MAX_SUBJECT).collect())
    };
    let subject = given.or_else(answered);
    subject.map(Some).ok_or_else(|| {
        Error::invalid_field(
            "subject",
            "required",
            "an e-mail has one, and there is none to answer",
        )
    })
}
