//! Mailgun: routes that store or forward a mail as a form, and its events.

use serde_json::Value;

use crate::event::{Delivery, Event, Kind, Status, epoch};
use crate::mail::{Attachment, Mail, address, bare_id, candidates, deliveries, parse_addresses};
use crate::mime;
use crate::payload::{Form, Read, json};

const PROVIDER: &str = "mailgun";

/// What signs a webhook: it is in the body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signature {
    pub timestamp: String,
    pub token: String,
    pub signature: String,
}

impl Signature {
    #[must_use]
    pub fn of_form(form: &Form) -> Self {
        let get = |name| form.text(name).unwrap_or_default();
        Self { timestamp: get("timestamp"), token: get("token"), signature: get("signature") }
    }

    #[must_use]
    pub fn of_event(body: &Value) -> Self {
        let get = |name| body["signature"].text(name).unwrap_or_default();
        Self { timestamp: get("timestamp"), token: get("token"), signature: get("signature") }
    }
}

/// One incoming mail. `ours` is the address that the URL names, if it names one.
#[must_use]
pub fn inbound(form: &Form, ours: Option<String>) -> Vec<Delivery> {
    let recipients = form.text("recipient").into_iter().flat_map(|list| parse_addresses(&list));
    let mut event = match form.field("body-mime") {
        Some(raw) => mime::message(&raw.value),
        None => parsed(form).event(None),
    };
    event.note("sender", form.text("sender"));
    let named = form.text("To").into_iter().flat_map(|list| parse_addresses(&list)).collect();
    deliveries(PROVIDER, ours.into_iter().chain(recipients).collect(), named, &event)
}

fn parsed(form: &Form) -> Mail {
    let headers = form.text("message-headers").and_then(|text| json(text.as_bytes()).ok());
    let headers = headers.unwrap_or_default();
    let pairs = headers.as_array().into_iter().flatten();
    let pairs = pairs.filter_map(|pair| Some((pair[0].as_str()?, pair[1].as_str()?)));
    let mut mail = Mail::from_pairs(pairs);
    if mail.message_id.is_none() {
        mail.message_id = form.text("Message-Id").as_deref().and_then(bare_id);
    }
    if mail.from.is_none() {
        let sender =
            form.text("from").or_else(|| form.text("From")).or_else(|| form.text("sender"));
        let sender = Mail::from_pairs([("From", sender.unwrap_or_default().as_str())]);
        (mail.from, mail.from_name) = (sender.from, sender.from_name);
    }
    mail.subject = form.text("subject").or(mail.subject);
    mail.text = form.text("body-plain");
    mail.html = form.text("body-html");
    let ids =
        form.text("content-id-map").and_then(|text| json(text.as_bytes()).ok()).unwrap_or_default();
    let id_of = |field: &str| {
        let ids = ids.as_object()?;
        ids.iter().find(|(_, name)| name.as_str() == Some(field)).and_then(|(id, _)| bare_id(id))
    };
    mail.attachments = form
        .attachments()
        .map(|(field, name, kind)| Attachment {
            name: name.to_owned(),
            kind: kind.to_owned(),
            content: field.value.clone(),
            content_id: id_of(&field.name),
        })
        .collect();
    mail
}

/// One event of a message that was sent.
pub fn event(body: &Value, ours: Option<String>) -> Delivery {
    let data = &body["event-data"];
    let headers = &data["message"]["headers"];
    let sender = Mail::from_pairs([("From", headers["from"].as_str().unwrap_or_default())]).from;
    let envelope = data["envelope"].text("sender").as_deref().and_then(address);
    let addresses = candidates(ours.into_iter().chain(sender).chain(envelope));
    let id = data.text("id");
    let events =
        match (data["event"].as_str(), headers.text("message-id").as_deref().and_then(bare_id)) {
            (Some("delivered"), Some(message)) => {
                vec![about(Event::status(&message, Status::Delivered), data)]
            }
            (Some("opened" | "clicked"), Some(message)) => {
                vec![about(Event::status(&message, Status::Read), data)]
            }
            // It is tried again.
            (Some("failed"), _) if data["severity"].as_str() == Some("temporary") => Vec::new(),
            (Some("failed" | "rejected"), message) => {
                let bounce = data["event"].as_str() == Some("failed")
                    && data["reason"].as_str() != Some("suppress-complaint");
                let failed =
                    message.map(|message| about(Event::status(&message, Status::Failed), data));
                let bounced = bounce.then(|| about(named(Kind::Bounce, id, data), data));
                failed.into_iter().chain(bounced).collect()
            }
            (Some("complained"), _) => vec![about(named(Kind::Complaint, id, data), data)],
            (Some("unsubscribed"), _) => vec![about(named(Kind::OptOut, id, data), data)],
            (Some("accepted" | "stored"), _) => Vec::new(),
            _ => vec![Event::unknown(id, if data.is_null() { body } else { data })],
        };
    Delivery { provider: PROVIDER, channel: "email", addresses, events }
}

fn named(kind: Kind, id: Option<String>, data: &Value) -> Event {
    Event::new(kind, id.unwrap_or_else(|| Event::unknown(None, data).id))
}

fn about(mut event: Event, data: &Value) -> Event {
    event.address = data.text("recipient").as_deref().and_then(address);
    event.provider_message_id =
        data["message"]["headers"].text("message-id").as_deref().and_then(bare_id);
    event.occurred_at = data.number("timestamp").and_then(epoch);
    if event.status == Some(Status::Failed) || event.kind == Kind::Bounce {
        let status = &data["delivery-status"];
        event.error_code = status.text("code").or_else(|| data.text("reason"));
        event.error_message = status.text("message").or_else(|| status.text("description"));
    }
    event
}
