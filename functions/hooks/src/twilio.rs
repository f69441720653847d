//! Twilio's webhooks of SMS: forms of incoming messages and of statuses, and the JSON of Event Streams.

use serde_json::{Map, Value, json};

use crate::event::{self, Delivery, Event, Kind, Status, rfc3339};
use crate::payload::{Form, Read, Unreadable, json as parse};

const PROVIDER: &str = "twilio";

/// What a keyword asks for, as the carriers have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keyword {
    Stop,
    Start,
    /// An ordinary answer too: START where the address had said STOP, otherwise nothing.
    Yes,
    Help,
}

/// The keyword that a message is, if it is nothing else.
#[must_use]
pub fn keyword(body: &str) -> Option<Keyword> {
    const LONGEST: usize = 50;
    if body.len() > LONGEST {
        return None;
    }
    let letters: String = body.chars().filter(|letter| letter.is_alphanumeric()).collect();
    // Not a sentence that begins with one: "STOP ALL" and "Opt-out." are, "stop by at five" is not.
    match letters.to_uppercase().as_str() {
        "STOP" | "STOPALL" | "UNSUBSCRIBE" | "CANCEL" | "END" | "QUIT" | "REVOKE" | "OPTOUT" => {
            Some(Keyword::Stop)
        }
        "START" | "UNSTOP" => Some(Keyword::Start),
        "YES" => Some(Keyword::Yes),
        "HELP" | "INFO" => Some(Keyword::Help),
        _ => None,
    }
}

/// What came, and whether somebody asked for help and Twilio has not answered.
#[derive(Debug, Default, PartialEq)]
pub struct Received {
    pub deliveries: Vec<Delivery>,
    pub asks_for_help: bool,
}

/// A form: one incoming message, or one status.
pub fn form(form: &Form) -> Received {
    let get = |names: &[&str]| names.iter().find_map(|name| form.text(name));
    let message_id = get(&["MessageSid", "SmsMessageSid", "SmsSid"]);
    let (from, to) = (get(&["From"]), get(&["To"]));
    let status = get(&["MessageStatus", "SmsStatus"]);
    let incoming =
        status.as_deref().is_none_or(|status| status == "received" || status == "receiving");
    let ours = if incoming { &to } else { &from };
    let is_sms = [&from, &to].into_iter().flatten().all(|address| !address.contains(':'));
    let (Some(id), true) = (message_id, is_sms) else {
        return Received { deliveries: vec![unknown(form, ours.as_deref())], asks_for_help: false };
    };
    if !incoming {
        let error = (get(&["ErrorCode"]), get(&["ErrorMessage"]));
        let events = reached(status.as_deref().unwrap_or_default()).map(|reached| {
            let mut event = outcome(&id, reached, status.as_deref(), error);
            event.address = to.as_deref().and_then(phone);
            event
        });
        return Received {
            deliveries: vec![delivery(ours.as_deref(), events)],
            asks_for_help: false,
        };
    }

    let body = form.text("Body").unwrap_or_default();
    let mut event = Event::new(Kind::Message, &id).content(&body);
    event.provider_message_id = Some(event.id.clone());
    event.from = from.as_deref().and_then(phone);
    if event.from.is_none() {
        // A short code or a name: nobody to write back to.
        event.note("sender", from.clone());
    }
    event.from_name = get(&["ProfileName"]);
    let count = get(&["NumMedia"]).and_then(|count| count.parse().ok()).unwrap_or(0_u32).min(100);
    let media: Vec<_> = (0..count).filter_map(|place| one_media(form, place)).collect();
    if !media.is_empty() {
        event.note("media", media);
    }
    for (key, name) in [
        ("num_segments", "NumSegments"),
        ("messaging_service_sid", "MessagingServiceSid"),
        ("city", "FromCity"),
        ("state", "FromState"),
        ("zip", "FromZip"),
        ("country", "FromCountry"),
    ] {
        event.note(key, form.text(name));
    }
    // Where Twilio handles the words itself it says what it took the message for, and has answered.
    let handled = get(&["OptOutType"]);
    let asked = match handled.as_deref() {
        Some("STOP") => Some(Keyword::Stop),
        Some("START") => Some(Keyword::Start),
        Some("HELP") => Some(Keyword::Help),
        _ => keyword(&body),
    };
    let consent = asked.and_then(|asked| consent(&event, asked, &body));
    let deliveries = vec![delivery(ours.as_deref(), [event].into_iter().chain(consent))];
    let asks_for_help = asked == Some(Keyword::Help) && handled.is_none();
    Received { deliveries, asks_for_help }
}

/// CloudEvents of Event Streams: a list of them.
pub fn json(body: &[u8]) -> Result<Received, Unreadable> {
    let body = parse(body)?;
    let list = body.as_array().map_or(std::slice::from_ref(&body), Vec::as_slice);
    let mut received = Received::default();
    for event in list {
        let (delivery, asks_for_help) = cloud_event(event);
        received.asks_for_help |= asks_for_help;
        let known = received.deliveries.iter().position(|one| one.addresses == delivery.addresses);
        match known {
            Some(place) => received.deliveries[place].events.extend(delivery.events),
            None => received.deliveries.push(delivery),
        }
    }
    // An answer to a list of events reaches nobody.
    received.asks_for_help = false;
    Ok(received)
}

fn cloud_event(cloud: &Value) -> (Delivery, bool) {
    const MESSAGE: &str = "com.twilio.messaging.message.";
    const INBOUND: &str = "com.twilio.messaging.inbound-message.received";
    let data = &cloud["data"];
    let id = data.text("messageSid");
    let kind = cloud["type"].as_str().unwrap_or_default();
    if let (INBOUND, Some(id)) = (kind, &id) {
        let body = data.text("body").unwrap_or_default();
        let mut event = Event::new(Kind::Message, id).content(&body);
        event.provider_message_id = Some(event.id.clone());
        event.from = data.text("from").as_deref().and_then(phone);
        event.occurred_at = data.text("timestamp").as_deref().and_then(rfc3339);
        event.note("num_media", data["numMedia"].clone());
        let consent = keyword(&body).and_then(|asked| consent(&event, asked, &body));
        let events = [event].into_iter().chain(consent);
        return (delivery(data.text("to").as_deref(), events), false);
    }
    let ours = data.text("from");
    let status = kind.strip_prefix(MESSAGE).unwrap_or_default();
    let event = match (&id, reached(status)) {
        (Some(id), Some(reached)) => {
            let error = (data.text("errorCode"), data.text("errorMessage"));
            let mut event = outcome(id, reached, Some(status), error);
            event.address = data.text("to").as_deref().and_then(phone);
            event.occurred_at = data.text("timestamp").as_deref().and_then(rfc3339);
            event
        }
        _ => Event::unknown(cloud.text("id"), cloud),
    };
    (delivery(ours.as_deref(), [event]), false)
}

fn delivery(ours: Option<&str>, events: impl IntoIterator<Item = Event>) -> Delivery {
    let addresses = ours.map(address).into_iter().collect();
    Delivery { provider: PROVIDER, channel: "sms", addresses, events: events.into_iter().collect() }
}

/// `whatsapp:+15551234567` without its channel.
fn address(ours: &str) -> String {
    ours.rsplit_once(':').map_or(ours, |(_, number)| number).to_owned()
}

/// On their way are several of Twilio's statuses: they change nothing.
fn reached(status: &str) -> Option<Status> {
    match status {
        "sent" => Some(Status::Sent),
        "delivered" => Some(Status::Delivered),
        "read" => Some(Status::Read),
        "undelivered" | "failed" | "canceled" => Some(Status::Failed),
        _ => None,
    }
}

fn outcome(
    id: &str,
    reached: Status,
    status: Option<&str>,
    (code, message): (Option<String>, Option<String>),
) -> Event {
    let mut event = Event::status(id, reached);
    if reached == Status::Failed {
        event.error_code = code.or_else(|| status.map(str::to_owned));
        event.error_message = message;
    }
    event
}

fn consent(message: &Event, asked: Keyword, body: &str) -> Option<Event> {
    let (kind, suffix) = match asked {
        Keyword::Stop => (Kind::OptOut, "opt_out"),
        Keyword::Start | Keyword::Yes => (Kind::OptIn, "opt_in"),
        Keyword::Help => return None,
    };
    let mut event = Event::new(kind, format!("{}:{suffix}", message.id));
    event.address.clone_from(&message.from);
    event.from.clone_from(&message.from);
    event.occurred_at.clone_from(&message.occurred_at);
    if asked == Keyword::Yes {
        event.note("only_after_stop", true);
    }
    event.note("keyword", body.trim().chars().take(50).collect::<String>());
    Some(event)
}

/// A number; short codes and names have no plus.
fn phone(sender: &str) -> Option<String> {
    if sender.starts_with('+') { event::phone(sender) } else { None }
}

fn one_media(form: &Form, place: u32) -> Option<Value> {
    let url = form.text(&format!("MediaUrl{place}"))?;
    let kind = form.text(&format!("MediaContentType{place}"));
    Some(json!({ "url": url, "mime_type": kind }))
}

fn unknown(form: &Form, ours: Option<&str>) -> Delivery {
    let fields: Map<_, _> =
        form.0.iter().map(|field| (field.name.clone(), field.text().into())).collect();
    let event = Event::unknown(form.text("MessageSid"), &Value::Object(fields));
    delivery(ours, [event])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_whole_messages_in_any_case() {
        for (body, expected) in [
            ("STOP", Some(Keyword::Stop)),
            (" stop. ", Some(Keyword::Stop)),
            ("Stop All", Some(Keyword::Stop)),
            ("STOPALL", Some(Keyword::Stop)),
            ("unsubscribe", Some(Keyword::Stop)),
            ("CANCEL", Some(Keyword::Stop)),
            ("End", Some(Keyword::Stop)),
            ("quit", Some(Keyword::Stop)),
            ("REVOKE", Some(Keyword::Stop)),
            ("opt-out", Some(Keyword::Stop)),
            ("START", Some(Keyword::Start)),
            ("unstop", Some(Keyword::Start)),
            ("Start.", Some(Keyword::Start)),
            ("YES", Some(Keyword::Yes)),
            ("Yes!", Some(Keyword::Yes)),
            ("Yes, please", None),
            ("OPTOUT", Some(Keyword::Stop)),
            ("HELP", Some(Keyword::Help)),
            ("info?", Some(Keyword::Help)),
            ("stop by at five", None),
            ("please cancel Tuesday", None),
            ("", None),
            ("🛑", None),
        ] {
            assert_eq!(keyword(body), expected, "{body:?}");
        }
    }
}
