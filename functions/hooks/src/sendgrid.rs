//! SendGrid: Inbound Parse (a multipart form, parsed or with the raw message) and the Event Webhook.

use mail_parser::decoders::charsets::map::charset_decoder;
use serde_json::Value;

use crate::event::{Delivery, Event, Kind, Status, epoch};
use crate::mail::{Attachment, Mail, address, deliveries, parse_addresses};
use crate::mime;
use crate::payload::{Form, Read, Unreadable, json};

const PROVIDER: &str = "sendgrid";

/// One incoming mail. `ours` is the address that the URL names, if it names one.
#[must_use]
pub fn inbound(form: &Form, ours: Option<String>) -> Vec<Delivery> {
    let envelope =
        form.text("envelope").and_then(|text| json(text.as_bytes()).ok()).unwrap_or_default();
    let envelope = envelope.list("to").iter().filter_map(|to| address(to.as_str()?));
    let envelope = ours.into_iter().chain(envelope).collect();
    let named = ["to", "cc"].iter().filter_map(|name| text(form, name));
    let named = named.flat_map(|list| parse_addresses(&list)).collect();
    let mut event = match form.field("email") {
        // "POST the raw, full MIME message"
        Some(raw) => mime::message(&raw.value),
        None => parsed(form).event(None),
    };
    for (key, name) in
        [("spf", "SPF"), ("dkim", "dkim"), ("spam_score", "spam_score"), ("sender_ip", "sender_ip")]
    {
        event.note(key, form.text(name));
    }
    deliveries(PROVIDER, envelope, named, &event)
}

fn parsed(form: &Form) -> Mail {
    let headers = Mail::from_headers(&text(form, "headers").unwrap_or_default());
    // The form's own members are decoded; of the headers they are what stands there.
    let sender = text(form, "from").map(|from| Mail::from_pairs([("From", from.as_str())]));
    let sender = sender.unwrap_or_default();
    let info = form.text("attachment-info").and_then(|text| json(text.as_bytes()).ok());
    let info = info.unwrap_or_default();
    let attachments = form.attachments().map(|(field, name, kind)| Attachment {
        name: name.to_owned(),
        kind: kind.to_owned(),
        content: field.value.clone(),
        content_id: info[&field.name].text("content-id"),
    });
    Mail {
        from: sender.from.or(headers.from),
        from_name: sender.from_name.or(headers.from_name),
        subject: text(form, "subject").or(headers.subject),
        text: text(form, "text"),
        html: text(form, "html"),
        attachments: attachments.collect(),
        ..headers
    }
}

/// A member in UTF-8: `charsets` says in which it was sent.
fn text(form: &Form, name: &str) -> Option<String> {
    let field = form.field(name)?;
    let charsets = form.text("charsets").and_then(|text| json(text.as_bytes()).ok());
    let charset = charsets.and_then(|charsets| charsets.text(name)).unwrap_or_default();
    let decoder = charset_decoder(charset.as_bytes()).filter(|_| {
        !charset.eq_ignore_ascii_case("utf-8") && std::str::from_utf8(&field.value).is_err()
    });
    let text = decoder.map_or_else(|| field.text(), |decode| decode(&field.value));
    (!text.is_empty()).then_some(text)
}

/// The Event Webhook: a list of events, none of which says who sent the message.
pub fn events(body: &[u8], ours: Option<String>) -> Result<Vec<Delivery>, Unreadable> {
    let body = json(body)?;
    let list = body.as_array().map_or(std::slice::from_ref(&body), Vec::as_slice);
    let events = list.iter().flat_map(event).collect();
    let addresses = ours.into_iter().collect();
    Ok(vec![Delivery { provider: PROVIDER, channel: "email", addresses, events }])
}

fn event(event: &Value) -> Vec<Event> {
    let id = event.text("sg_event_id").unwrap_or_else(|| Event::unknown(None, event).id);
    let bounced = event["type"].as_str() != Some("blocked");
    match event["event"].as_str() {
        // On its way still.
        Some("processed" | "deferred") => Vec::new(),
        Some("delivered") => status(event, Status::Delivered),
        Some("open" | "click") => status(event, Status::Read),
        Some("dropped") => status(event, Status::Failed),
        Some("bounce") => {
            let mut events = status(event, Status::Failed);
            if bounced {
                events.push(about(Event::new(Kind::Bounce, id), event));
            }
            events
        }
        Some("spamreport") => vec![about(Event::new(Kind::Complaint, id), event)],
        Some("unsubscribe" | "group_unsubscribe") => {
            vec![of_group(about(Event::new(Kind::OptOut, id), event), event)]
        }
        Some("group_resubscribe") => {
            vec![of_group(about(Event::new(Kind::OptIn, id), event), event)]
        }
        _ => vec![Event::unknown(event.text("sg_event_id"), event)],
    }
}

/// The id that the API answered with: the event's goes on behind a dot.
fn message_id(event: &Value) -> Option<String> {
    let id = event.text("sg_message_id")?;
    Some(id.split('.').next().unwrap_or_default().to_owned()).filter(|id| !id.is_empty())
}

fn status(event: &Value, reached: Status) -> Vec<Event> {
    let Some(id) = message_id(event) else {
        return vec![Event::unknown(event.text("sg_event_id"), event)];
    };
    vec![about(Event::status(&id, reached), event)]
}

/// Which of the account's groups of mail somebody left or joined.
fn of_group(mut ours: Event, event: &Value) -> Event {
    ours.note("group_id", event["asm_group_id"].clone());
    ours
}

fn about(mut ours: Event, event: &Value) -> Event {
    ours.address = event.text("email").as_deref().and_then(address);
    ours.provider_message_id = message_id(event);
    ours.occurred_at = event.number("timestamp").and_then(epoch);
    if ours.status == Some(Status::Failed) || ours.kind == Kind::Bounce {
        ours.error_code = event.text("status").or_else(|| event.text("event"));
        ours.error_message = event.text("reason").or_else(|| event.text("response"));
    }
    ours
}
