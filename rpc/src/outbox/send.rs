//! A message that a person sends.

use fieldcrm_core::outbox::SendMessage;
use fieldcrm_core::template::{Channel as TemplateChannel, Facts, Template};
use fieldcrm_core::{Capability, Code, Error, Result, patch};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::idempotency::{self, Claim};
use crate::{Db, call_as, session};

use super::OutboxChannel;
use super::enqueue::{NewMessage, Recipient, enqueue};

const FIND_TEMPLATE: &str = include_str!("../../sql/template/find.sql");
const FIND_CONTACT: &str = include_str!("../../sql/outbox/find_contact.sql");
/// The longest subject, as the table has it.
const MAX_SUBJECT: usize = 500;

#[derive(Deserialize)]
struct Found {
    template: Option<Template>,
    facts: Option<Facts>,
}

/// `crm_send_message(customer_id, channel, purpose, …)`: {id, created, status, code, reason, `available_at`}. Refused is
/// an answer, not an error.
pub async fn send<D: Db>(db: &mut D, mut arguments: Value) -> Result<Value> {
    let caller = session::current(db).await?;
    let org_id = caller.require(&[Capability::MessagesSend])?;
    let claim = match idempotency::claim(db, &caller, "crm_send_message", &mut arguments).await? {
        Claim::Repeat(first) => return Ok(first),
        Claim::First(claim) => claim,
    };
    let message = patch::read::<SendMessage>(arguments)?.prepare()?;
    let customer_id = message.customer_id;
    let key = json!({
        "org_id": org_id, "customer_id": customer_id, "contact_id": message.contact_id,
    });
    let known = db.call(FIND_CONTACT, &key).await?;
    if known.is_null() {
        return Err(Error::not_found("customer"));
    }
    if known["contact"] != true {
        let text = "is not one of this customer";
        return Err(Error::invalid_field("contact_id", "unknown_contact", text));
    }
    let (subject, body) = match message.template_id {
        None => (message.subject, message.body.unwrap_or_default()),
        Some(template_id) => {
            let whose = (org_id, customer_id, caller.profile_id);
            render(db, whose, template_id, message.channel, message.variables).await?
        }
    };
    let new = NewMessage {
        recipient: Recipient::Customer(customer_id),
        channel: message.channel,
        purpose: message.purpose,
        subject,
        body,
        payload: None,
        template_id: message.template_id,
        automation_run_id: None,
        scheduled_at: message.scheduled_at,
        expires_at: message.expires_at,
        dedupe_key: message.dedupe_key,
        contact_id: message.contact_id,
    };
    let made = enqueue(db, org_id, caller.profile_id, vec![new]).await?;
    let Some(made) = made.into_iter().next() else {
        return Err(Error::internal("a message went into the outbox and none came out"));
    };
    if made.code == "closed" {
        let hint = "The customer was erased or merged into another one: use the one that is left.";
        return Err(Error::new(Code::WrongState, hint));
    }
    let answer = json!(made);
    idempotency::store(db, claim, &answer).await?;
    Ok(answer)
}

/// Subject and body for the customer. `WhatsApp` takes the templates of text messages.
async fn render(
    db: &mut impl Db,
    (org_id, customer_id, profile_id): (Uuid, Uuid, Option<Uuid>),
    template_id: Uuid,
    channel: OutboxChannel,
    variables: Option<Value>,
) -> Result<(Option<String>, String)> {
    let document = json!({
        "org_id": org_id, "template_id": template_id, "customer_id": customer_id, "profile_id": profile_id,
    });
    let found: Found = call_as(db, FIND_TEMPLATE, &document).await?;
    let template = found.template.ok_or_else(|| Error::not_found("template"))?;
    let facts = found.facts.ok_or_else(|| Error::not_found("customer"))?;
    let is_email = channel == OutboxChannel::Email;
    let wanted = if is_email { TemplateChannel::Email } else { TemplateChannel::Sms };
    if template.channel != wanted {
        let text = "is a template for another channel";
        return Err(Error::invalid_field("template_id", "wrong_channel", text));
    }
    let rendered = template.render(facts, variables)?;
    let subject = rendered.subject.filter(|_| is_email);
    let length = subject.as_deref().unwrap_or_default().chars().count();
    if length > MAX_SUBJECT || (is_email && length == 0) {
        let (code, text) = if length == 0 {
            ("required", "renders to nothing".to_owned())
        } else {
            ("too_long", format!("renders to more than {MAX_SUBJECT} characters"))
        };
        return Err(Error::invalid_field("subject", code, text));
    }
    if rendered.body.trim().is_empty() {
        return Err(Error::invalid_field("body", "required", "renders to nothing"));
    }
    Ok((subject, rendered.body))
}
