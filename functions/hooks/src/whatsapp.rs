//! The webhooks of the WhatsApp Business Platform (Cloud API).

use serde_json::{Value, json};

use crate::event::{Delivery, Event, Kind, Status, epoch, phone};
use crate::payload::{Read, Unreadable, json as parse};

/// As what messages go out by it is called too: their statuses come back here.
const PROVIDER: &str = "whatsapp_cloud";
const CHANNEL: &str = "whatsapp";

/// What a body tells, by the number that it is about. Changes of the account itself are about none.
pub fn events(body: &[u8]) -> Result<Vec<Delivery>, Unreadable> {
    let body = parse(body)?;
    let mut deliveries: Vec<Delivery> = Vec::new();
    for entry in body.list("entry") {
        for change in entry.list("changes") {
            let address = change["value"]["metadata"].text("phone_number_id");
            let addresses: Vec<_> = address.into_iter().collect();
            let found = deliveries.iter().position(|one| one.addresses == addresses);
            let place = found.unwrap_or(deliveries.len());
            if found.is_none() {
                let (provider, channel, events) = (PROVIDER, CHANNEL, Vec::new());
                deliveries.push(Delivery { provider, channel, addresses, events });
            }
            deliveries[place].events.extend(change_events(change));
        }
    }
    Ok(deliveries)
}

fn change_events(change: &Value) -> Vec<Event> {
    let value = &change["value"];
    let mut events: Vec<Event> = match change["field"].as_str() {
        Some("messages") => {
            let messages = value.list("messages").iter().map(|one| message(one, value));
            messages.chain(value.list("statuses").iter().flat_map(status)).collect()
        }
        Some("user_preferences") => {
            value.list("user_preferences").iter().map(|one| preference(one, value)).collect()
        }
        _ => Vec::new(),
    };
    if events.is_empty() {
        events.push(Event::unknown(None, change));
    }
    events
}

fn message(message: &Value, value: &Value) -> Event {
    let kind = message["type"].as_str().unwrap_or_default();
    let mut event = match kind {
        "text" => said(message["text"].text("body")),
        "image" | "audio" | "video" | "document" | "sticker" => media(kind, &message[kind]),
        "location" => location(&message["location"]),
        "contacts" => contacts(&message["contacts"]),
        "interactive" => interactive(&message["interactive"]),
        "button" => {
            let mut event = said(message["button"].text("text"));
            event.note("button", message["button"].clone());
            event
        }
        "reaction" => {
            // Without an emoji it takes the reaction back.
            let reaction = &message["reaction"];
            let in_reply_to = reaction.text("message_id");
            Event { kind: Kind::Reaction, in_reply_to, ..said(reaction.text("emoji")) }
        }
        "order" => {
            let mut event = said(message["order"].text("text"));
            event.note("order", message["order"].clone());
            event
        }
        "system" => {
            let mut event = said(message["system"].text("body"));
            event.note("system", message["system"].clone());
            event
        }
        _ => Event::unknown(None, message),
    };
    match message.text("id") {
        Some(id) => {
            event.id.clone_from(&Event::new(event.kind, &id).id);
            event.provider_message_id = Some(event.id.clone());
        }
        None if event.id.is_empty() => event.id = Event::unknown(None, message).id,
        None => {}
    }
    let sender = message.text("from");
    event.from = sender.as_deref().and_then(phone);
    event.from_name = profile_name(value, sender.as_deref());
    event.occurred_at = message.number("timestamp").and_then(epoch);
    if event.kind != Kind::Unknown {
        if kind != "text" {
            event.note("kind", kind);
        }
        if event.in_reply_to.is_none() {
            event.in_reply_to = message["context"].text("id");
        }
        for key in ["context", "referral", "errors", "identity", "from_user_id", "group_id"] {
            event.note(key, message[key].clone());
        }
    }
    event
}

fn said(content: Option<String>) -> Event {
    Event { kind: Kind::Message, ..Event::default() }.content(content.unwrap_or_default())
}

/// `id` is what the media is fetched with, for thirty days.
fn media(kind: &str, media: &Value) -> Event {
    let mut event = said(media.text("caption"));
    let mut one = media.clone();
    if let Some(one) = one.as_object_mut() {
        one.remove("caption");
        one.insert("type".to_owned(), kind.into());
        event.note("media", json!([one]));
    }
    event
}

fn location(location: &Value) -> Event {
    let named: Vec<_> = ["name", "address"].iter().filter_map(|key| location.text(key)).collect();
    let place = if named.is_empty() {
        ["latitude", "longitude"].iter().filter_map(|key| location.text(key)).collect()
    } else {
        named
    };
    let mut event = said(Some(place.join(", ")));
    event.note("location", location.clone());
    event
}

fn contacts(contacts: &Value) -> Event {
    let names = contacts.as_array().into_iter().flatten();
    let names: Vec<_> = names.filter_map(|one| one["name"].text("formatted_name")).collect();
    let mut event = said(Some(names.join(", ")));
    event.note("contacts", contacts.clone());
    event
}

fn interactive(interactive: &Value) -> Event {
    let kind = interactive["type"].as_str().unwrap_or_default();
    let reply = &interactive[kind];
    let mut event = said(reply.text("title").or_else(|| reply.text("body")));
    event.note("interactive", interactive.clone());
    event
}

fn profile_name(value: &Value, sender: Option<&str>) -> Option<String> {
    let contacts = value.list("contacts");
    contacts
        .iter()
        .find(|contact| sender.is_some() && contact["wa_id"].as_str() == sender)
        // The contact of the only message, also where the number is spelt in another way (Mexico, Brazil).
        .or_else(|| contacts.first().filter(|_| contacts.len() == 1))
        .and_then(|contact| contact["profile"].text("name"))
}

fn status(status: &Value) -> Vec<Event> {
    let reached = match status["status"].as_str() {
        Some("sent") => Status::Sent,
        Some("delivered") => Status::Delivered,
        // A voice message that was heard.
        Some("read" | "played") => Status::Read,
        Some("failed") => Status::Failed,
        _ => return vec![Event::unknown(None, status)],
    };
    let Some(id) = status.text("id") else { return vec![Event::unknown(None, status)] };
    let mut event = Event::status(&id, reached);
    event.address = status.text("recipient_id").as_deref().and_then(phone);
    event.occurred_at = status.number("timestamp").and_then(epoch);
    let error = status.list("errors").first().unwrap_or(&Value::Null);
    event.error_code = error.text("code");
    event.error_message = error["error_data"]
        .text("details")
        .or_else(|| error.text("message"))
        .or_else(|| error.text("title"));
    for key in ["pricing", "biz_opaque_callback_data"] {
        event.note(key, status[key].clone());
    }
    vec![event]
}

/// Somebody stopped or resumed marketing messages in WhatsApp itself.
fn preference(preference: &Value, value: &Value) -> Event {
    let kind = match preference["value"].as_str() {
        Some("stop") => Kind::OptOut,
        Some("resume") => Kind::OptIn,
        _ => return Event::unknown(None, preference),
    };
    let Event { id, .. } = Event::unknown(None, preference);
    let sender = preference.text("wa_id");
    let mut event = Event::new(kind, id);
    event.address = sender.as_deref().and_then(phone);
    event.from.clone_from(&event.address);
    event.from_name = profile_name(value, sender.as_deref());
    event.occurred_at = preference.number("timestamp").and_then(epoch);
    for key in ["category", "detail"] {
        event.note(key, preference[key].clone());
    }
    event
}
