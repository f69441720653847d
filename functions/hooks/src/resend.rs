//! Resend's webhooks about messages that were sent.

use crate::event::{Delivery, Event, Kind, Status, rfc3339};
use crate::mail::{Mail, address, candidates};
use crate::payload::{Read, Unreadable, json};

const PROVIDER: &str = "resend";

/// One event; `id` is the one that is signed.
pub fn events(body: &[u8], id: &str, ours: Option<String>) -> Result<Vec<Delivery>, Unreadable> {
    let body = json(body)?;
    let data = &body["data"];
    let message = data.text("email_id");
    let recipient = data.list("to").first().and_then(|to| address(to.as_str()?));
    let about = |mut event: Event| {
        event.address.clone_from(&recipient);
        event.provider_message_id.clone_from(&message);
        event.occurred_at = body.text("created_at").as_deref().and_then(rfc3339);
        event
    };
    let status = |reached| message.iter().map(|id| about(Event::status(id, reached))).collect();
    let events: Vec<Event> = match body["type"].as_str() {
        Some("email.sent") => status(Status::Sent),
        Some("email.delivered") => status(Status::Delivered),
        Some("email.opened" | "email.clicked") => status(Status::Read),
        // On its way still.
        Some("email.delivery_delayed" | "email.scheduled") => Vec::new(),
        Some("email.failed" | "email.suppressed") => {
            let mut events: Vec<Event> = status(Status::Failed);
            for event in &mut events {
                event.error_message = data["failed"].text("reason");
            }
            events
        }
        Some("email.bounced") => {
            let bounce = &data["bounce"];
            let mut events: Vec<Event> = status(Status::Failed);
            if bounce["type"].as_str() != Some("Transient") {
                events.push(about(Event::new(Kind::Bounce, id)));
            }
            for event in &mut events {
                event.error_code = bounce.text("subType").or_else(|| bounce.text("type"));
                event.error_message = bounce.text("message");
            }
            events
        }
        Some("email.complained") => vec![about(Event::new(Kind::Complaint, id))],
        _ => vec![Event::unknown(Some(id.to_owned()), &body)],
    };
    let sender = Mail::from_pairs([("From", data["from"].as_str().unwrap_or_default())]).from;
    let addresses = candidates(ours.into_iter().chain(sender));
    Ok(vec![Delivery { provider: PROVIDER, channel: "email", addresses, events }])
}
