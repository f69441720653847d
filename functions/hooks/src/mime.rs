//! A mail as it is: RFC 5322 and MIME. Reports of delivery and abuse are read as what they report.

use axum::body::Bytes;
use mail_parser::{Message, MessageParser, MimeHeaders, PartType};
use serde_json::json;

use crate::event::{Delivery, Event, Kind};
use crate::mail::{Attachment, Mail, address, candidates};

/// One raw message. `ours` is the address that the URL names, if it names one.
pub fn events(body: &[u8], ours: Option<String>) -> Vec<Delivery> {
    let parsed = MessageParser::default().parse(body);
    let named = parsed.as_ref().map(recipients).unwrap_or_default();
    let events = vec![parsed.as_ref().map_or_else(|| unreadable(body), read)];
    let addresses = candidates(ours.into_iter().chain(named));
    vec![Delivery { provider: "email", channel: "email", addresses, events }]
}

/// The event of a raw message that a provider hands on.
pub fn message(body: &[u8]) -> Event {
    MessageParser::default().parse(body).as_ref().map_or_else(|| unreadable(body), read)
}

fn unreadable(body: &[u8]) -> Event {
    Event::unknown(None, &String::from_utf8_lossy(body).into())
}

/// Whom the mail server delivered to, and then whom the mail names.
fn recipients(message: &Message<'_>) -> Vec<String> {
    let delivered = ["Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To"];
    let delivered = message.headers_raw().filter_map(move |(name, value)| {
        delivered.iter().any(|one| one.eq_ignore_ascii_case(name)).then(|| address(value)).flatten()
    });
    let mail = Mail::of(message);
    delivered.chain(mail.to).chain(mail.cc).collect()
}

fn read(message: &Message<'_>) -> Event {
    if let Some(report) = report(message) {
        return report;
    }
    let bodies = |pick: fn(&Message<'_>, usize) -> Option<String>, count: usize| {
        let texts: Vec<_> = (0..count).filter_map(|place| pick(message, place)).collect();
        (!texts.is_empty()).then(|| texts.join("\n"))
    };
    let is = |part: Option<&mail_parser::MessagePart<'_>>, html: bool| {
        part.is_some_and(|part| {
            matches!((&part.body, html), (PartType::Html(_), true) | (PartType::Text(_), false))
        })
    };
    // What only the parser made out of the other one is not what was sent.
    let text = (is(message.text_part(0), false))
        .then(|| {
            bodies(
                |message, place| message.body_text(place).map(String::from),
                message.text_body_count(),
            )
        })
        .flatten();
    let html = (is(message.html_part(0), true))
        .then(|| {
            bodies(
                |message, place| message.body_html(place).map(String::from),
                message.html_body_count(),
            )
        })
        .flatten();
    let attachments = message
        .attachments()
        .map(|part| Attachment {
            name: part.attachment_name().unwrap_or_default().to_owned(),
            kind: part
                .content_type()
                .map(|kind| format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default()))
                .unwrap_or_default(),
            content: Bytes::copy_from_slice(part.contents()),
            content_id: part.content_id().map(str::to_owned),
        })
        .collect();
    Mail { text, html, attachments, ..Mail::of(message) }.event(None)
}

/// RFC 3464 (delivery) and RFC 5965 (abuse).
fn report(message: &Message<'_>) -> Option<Event> {
    let kind = message.content_type()?;
    if !kind.ctype().eq_ignore_ascii_case("multipart")
        || !kind.subtype().is_some_and(|subtype| subtype.eq_ignore_ascii_case("report"))
    {
        return None;
    }
    let report = kind.attribute("report-type")?.to_ascii_lowercase();
    let fields = message.parts.iter().find_map(|part| {
        let subtype = part.content_type()?.subtype()?.to_ascii_lowercase();
        (subtype == "delivery-status" || subtype == "feedback-report")
            .then(|| String::from_utf8_lossy(part.contents()).into_owned())
    })?;
    let field = |name: &str| {
        fields.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.trim().eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    };
    let whose = |name: &str| {
        let value = field(name)?;
        address(value.rsplit_once(';').map_or(value.as_str(), |(_, address)| address))
    };
    let mail = Mail::of(message);
    let id =
        mail.message_id.clone().unwrap_or_else(|| Event::unknown(None, &fields.as_str().into()).id);
    let original = original_id(message);
    let mut event = match report.as_str() {
        "delivery-status" => {
            let status = field("Status").unwrap_or_default();
            if !field("Action").is_some_and(|action| action.eq_ignore_ascii_case("failed")) {
                return Some(Event {
                    occurred_at: mail.occurred_at,
                    ..Event::unknown(Some(id), &json!({ "report": fields }))
                });
            }
            // Failed after many tries is not a wrong address.
            let kind = if status.starts_with('4') { Kind::Unknown } else { Kind::Bounce };
            let mut event = Event::new(kind, id);
            event.address = whose("Final-Recipient").or_else(|| whose("Original-Recipient"));
            event.error_code = Some(status).filter(|status| !status.is_empty());
            event.error_message = field("Diagnostic-Code");
            if kind == Kind::Unknown {
                event.raw = Some(json!({ "report": fields }));
            }
            event
        }
        "feedback-report" => {
            let mut event = Event::new(Kind::Complaint, id);
            event.address = whose("Original-Rcpt-To").or_else(|| whose("Removal-Recipient"));
            event.error_code = field("Feedback-Type");
            event
        }
        _ => return None,
    };
    event.provider_message_id = original;
    event.occurred_at = mail.occurred_at;
    Some(event)
}

/// The Message-ID of the mail that is reported on, which a report carries whole or by its headers.
fn original_id(message: &Message<'_>) -> Option<String> {
    message.parts.iter().find_map(|part| match &part.body {
        PartType::Message(inner) => Mail::of(inner).message_id,
        PartType::Text(headers) => {
            let subtype = part.content_type()?.subtype()?;
            subtype
                .eq_ignore_ascii_case("rfc822-headers")
                .then(|| Mail::from_headers(headers).message_id)
                .flatten()
        }
        _ => None,
    })
}
