//! Postmark: its inbound webhook, and those of bounces, complaints, deliveries, opens and subscriptions.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;

use crate::event::{Delivery, Event, Kind, Status, rfc3339};
use crate::mail::{Attachment, Mail, address, candidates};
use crate::payload::{Read, Unreadable, json};

const PROVIDER: &str = "postmark";
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Bounces after which Postmark sends nothing more to the address.
const PERMANENT: [&str; 3] = ["HardBounce", "BadEmailAddress", "ManuallyDeactivated"];
/// Bounces of which the message may still arrive, or that are none.
const NO_FAILURE: [&str; 4] =
    ["AutoResponder", "AddressChange", "Subscribe", "ChallengeVerification"];

/// One webhook. `ours` is the address that its URL names, if it names one.
pub fn events(body: &[u8], ours: Option<String>) -> Result<Vec<Delivery>, Unreadable> {
    let body = json(body)?;
    let told = |name: &str| body.text(name).as_deref().and_then(address);
    let (addresses, events) = match body["RecordType"].as_str() {
        None if body["MailboxHash"].is_string() || !body["FromFull"].is_null() => {
            (recipients(&body), vec![message(&body)])
        }
        Some("Bounce") => (told("From").into_iter().collect(), bounce(&body)),
        Some("SpamComplaint") => (told("From").into_iter().collect(), vec![complaint(&body)]),
        Some("Delivery") => (Vec::new(), status(&body, Status::Delivered, "DeliveredAt")),
        Some("Open" | "Click") => (Vec::new(), status(&body, Status::Read, "ReceivedAt")),
        Some("SubscriptionChange") => (Vec::new(), subscription(&body)),
        _ => (told("From").into_iter().collect(), vec![Event::unknown(None, &body)]),
    };
    let addresses = candidates(ours.into_iter().chain(addresses));
    Ok(vec![Delivery { provider: PROVIDER, channel: "email", addresses, events }])
}

/// Where it was sent to, and then whom it names: a mailbox may forward to Postmark.
fn recipients(body: &Value) -> Vec<String> {
    let named = ["ToFull", "CcFull", "BccFull"].iter().flat_map(|list| body.list(list));
    let named = named.filter_map(|one| one.text("Email"));
    body.text("OriginalRecipient")
        .into_iter()
        .chain(named)
        .filter_map(|one| address(&one))
        .collect()
}

fn message(body: &Value) -> Event {
    let pairs: Vec<(String, String)> = body
        .list("Headers")
        .iter()
        .filter_map(|one| Some((one.text("Name")?, one.text("Value")?)))
        .collect();
    let headers = Mail::from_pairs(
        pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .chain(body["Date"].as_str().map(|date| ("Date", date)))
            .filter(|(name, _)| {
                !["from", "to", "cc", "subject"].contains(&name.to_lowercase().as_str())
            }),
    );
    let people = |list: &str| {
        body.list(list).iter().filter_map(|one| address(&one.text("Email")?)).collect()
    };
    let mail = Mail {
        from: body["FromFull"]
            .text("Email")
            .or_else(|| body.text("From"))
            .as_deref()
            .and_then(address),
        from_name: body["FromFull"].text("Name").or_else(|| body.text("FromName")),
        to: people("ToFull"),
        cc: people("CcFull"),
        subject: body.text("Subject"),
        text: body.text("TextBody"),
        html: body.text("HtmlBody"),
        attachments: body.list("Attachments").iter().map(attachment).collect(),
        ..headers
    };
    let mut event = mail.event(body.text("MessageID"));
    event.note("mailbox_hash", body.text("MailboxHash"));
    event.note("reply_to", body.text("ReplyTo"));
    event
}

fn attachment(file: &Value) -> Attachment {
    let content = file["Content"].as_str().unwrap_or_default().as_bytes();
    // With lines in it, as MIME has it, or without the padding. What is no base64 at all is kept as it came.
    let content = BASE64.decode(content).unwrap_or_else(|_| {
        let joined: Vec<u8> =
            content.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
        BASE64.decode(&joined).unwrap_or_else(|_| content.to_vec())
    });
    Attachment {
        name: file.text("Name").unwrap_or_default(),
        kind: file.text("ContentType").unwrap_or_default(),
        content: content.into(),
        content_id: file.text("ContentID"),
    }
}

fn about(event: &mut Event, body: &Value, whose: &str, at: &str) {
    event.address = body.text(whose).as_deref().and_then(address);
    event.provider_message_id = body.text("MessageID");
    event.occurred_at = body.text(at).as_deref().and_then(rfc3339);
}

fn bounce(body: &Value) -> Vec<Event> {
    let kind = body.text("Type").unwrap_or_default();
    if NO_FAILURE.contains(&kind.as_str()) {
        return vec![Event::unknown(body.text("ID").map(|id| format!("bounce:{id}")), body)];
    }
    let id = format!("bounce:{}", body.text("ID").unwrap_or_else(|| Event::unknown(None, body).id));
    let mut events = Vec::new();
    if let Some(message) = body.text("MessageID") {
        let mut failed = Event::status(&message, Status::Failed);
        about(&mut failed, body, "Email", "BouncedAt");
        failed.error_code = Some(kind.clone());
        failed.error_message = body.text("Description");
        events.push(failed);
    }
    let meaning = match kind.as_str() {
        "SpamNotification" | "SpamComplaint" => Some(Kind::Complaint),
        "Unsubscribe" => Some(Kind::OptOut),
        permanent if PERMANENT.contains(&permanent) => Some(Kind::Bounce),
        _ => None,
    };
    if let Some(meaning) = meaning {
        let mut event = Event::new(meaning, id);
        about(&mut event, body, "Email", "BouncedAt");
        event.error_code = Some(kind);
        event.error_message = body.text("Description");
        event.note("details", body.text("Details"));
        events.push(event);
    }
    events
}

fn complaint(body: &Value) -> Event {
    let id = body.text("ID").unwrap_or_else(|| Event::unknown(None, body).id);
    let mut event = Event::new(Kind::Complaint, format!("complaint:{id}"));
    about(&mut event, body, "Email", "BouncedAt");
    event
}

fn status(body: &Value, reached: Status, at: &str) -> Vec<Event> {
    let Some(message) = body.text("MessageID") else { return vec![Event::unknown(None, body)] };
    let mut event = Event::status(&message, reached);
    about(&mut event, body, "Recipient", at);
    vec![event]
}

fn subscription(body: &Value) -> Vec<Event> {
    let kind = match body["SuppressSending"].as_bool() {
        Some(true) => match body["SuppressionReason"].as_str() {
            Some("HardBounce") => Kind::Bounce,
            Some("SpamComplaint") => Kind::Complaint,
            _ => Kind::OptOut,
        },
        Some(false) => Kind::OptIn,
        None => return vec![Event::unknown(None, body)],
    };
    let mut event = Event::new(kind, Event::unknown(None, body).id);
    about(&mut event, body, "Recipient", "ChangedAt");
    event.note("origin", body.text("Origin"));
    event.note("stream", body.text("MessageStream"));
    vec![event]
}
