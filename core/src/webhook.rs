//! What providers deliver, in one normal form for all of them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::channel::ChannelKind;
use crate::customer::choices;
use crate::{Error, Result, email, patch, phone};

choices! {
    EventType {
        Message = "message", Status = "status", Reaction = "reaction", OptOut = "opt_out",
        OptIn = "opt_in", Bounce = "bounce", Complaint = "complaint", Unknown = "unknown",
    }
}
choices! {
    /// How far an outgoing message came.
    DeliveryStatus { Sent = "sent", Delivered = "delivered", Read = "read", Failed = "failed", }
}

/// The most events one delivery may carry.
pub const MAX_EVENTS: usize = 1_000;
const MAX_ID: usize = 255;
const MAX_PROVIDER: usize = 50;
const MAX_CONTENT: usize = 200_000;
/// What the mirrored interaction takes as its subject.
const MAX_SUBJECT: usize = 500;
const MAX_REFERENCES: usize = 50;

/// The arguments of `crm_receive_webhook`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    pub provider: String,
    pub channel: ChannelKind,
    pub address: String,
    pub events: Vec<Event>,
}

/// One event, as the edge function read it from what the provider sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// The provider's id of the event: with it a repeat is known.
    pub id: String,
    pub r#type: EventType,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_message_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_reply_to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub references: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<DeliveryStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// Of an opt-out or a bounce: whose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw: Option<Value>,
}

impl Delivery {
    /// Reads and checks the arguments. Content that is too long is cut, and what Postgres cannot keep left out: a
    /// provider would send it again and again.
    pub fn read(arguments: Value) -> Result<Self> {
        let mut delivery: Self = patch::read(arguments)?;
        let name = &delivery.provider;
        let named = (1..=MAX_PROVIDER).contains(&name.len())
            && name.bytes().all(|letter| letter.is_ascii_lowercase() || letter == b'_');
        if !named {
            let message = "must be a name of small letters, such as twilio";
            return Err(Error::invalid_field("provider", "invalid_value", message));
        }
        if delivery.events.len() > MAX_EVENTS {
            let message = format!("at most {MAX_EVENTS} in one call");
            return Err(Error::invalid_field("events", "too_many", message));
        }
        for (index, event) in delivery.events.iter_mut().enumerate() {
            if !(1..=MAX_ID).contains(&event.id.chars().count()) || event.id.contains('\0') {
                let message = format!("must be 1 to {MAX_ID} characters");
                let path = format!("events[{index}].id");
                return Err(Error::invalid_field(path, "invalid_value", message));
            }
            event.clean();
        }
        Ok(delivery)
    }
}

impl Event {
    fn clean(&mut self) {
        let mut cut = false;
        for (text, max) in [
            (&mut self.content, MAX_CONTENT),
            (&mut self.subject, MAX_SUBJECT),
            (&mut self.from_name, 400),
            (&mut self.error_code, 100),
            (&mut self.error_message, 1_000),
            (&mut self.provider_message_id, 1_000),
        ] {
            if let Some(text) = text {
                text.retain(|letter| letter != '\0');
                if let Some((end, _)) = text.char_indices().nth(max) {
                    text.truncate(end);
                    cut = true;
                }
            }
        }
        self.provider_message_id.take_if(|id| id.trim().is_empty());
        let mut metadata = self.metadata.take().map(Value::Object).unwrap_or_default();
        without_nul(&mut metadata);
        if let Some(raw) = &mut self.raw {
            without_nul(raw);
        }
        let mut metadata = if let Value::Object(members) = metadata { members } else { Map::new() };
        if cut {
            metadata.insert("truncated".to_owned(), true.into());
        }
        self.metadata = Some(metadata);
    }

    /// Whom the event is from, as leads have it.
    #[must_use]
    pub fn sender(&self, channel: ChannelKind, country: &str) -> Option<Sender> {
        Sender::read(self.from.as_deref()?, channel, country)
    }

    /// Whose consent it is about.
    #[must_use]
    pub fn about(&self, channel: ChannelKind, country: &str) -> Option<Sender> {
        let address = self.address.as_deref().or(self.from.as_deref())?;
        Sender::read(address, channel, country)
    }

    /// Whether an opt-in is one only where its sender had opted out: YES is an ordinary answer too.
    #[must_use]
    pub fn is_only_after_stop(&self) -> bool {
        let metadata = self.metadata.as_ref();
        metadata.and_then(|metadata| metadata.get("only_after_stop")) == Some(&Value::Bool(true))
    }

    /// What is kept of an event that nothing could be made of.
    #[must_use]
    pub fn payload(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// The Message-ID of an e-mail, without its brackets.
    #[must_use]
    pub fn message_id(&self) -> Option<String> {
        let metadata = self.metadata.as_ref();
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let said = text(metadata.and_then(|metadata| metadata.get("message_id")));
        let header = || {
            let headers = metadata?.get("headers")?.as_object()?;
            text(
                headers
                    .iter()
                    .find(|(key, _)| key.eq_ignore_ascii_case("message-id"))
                    .map(|(_, id)| id),
            )
        };
        let own = || self.provider_message_id.clone().filter(|id| id.contains('@'));
        said.or_else(header).or_else(own).map(|id| bare_id(&id)).filter(|id| !id.is_empty())
    }

    /// The Message-IDs that an e-mail says it answers, the nearest first.
    #[must_use]
    pub fn answers(&self) -> Vec<String> {
        let references = self.references.iter().flatten().rev();
        let mut all: Vec<_> =
            self.in_reply_to.iter().chain(references).map(|id| bare_id(id)).collect();
        all.retain(|id| !id.is_empty());
        all.truncate(MAX_REFERENCES);
        all
    }
}

fn bare_id(id: &str) -> String {
    let id: String = id.trim().chars().filter(|letter| *letter != '\0').take(1_000).collect();
    id.trim_start_matches('<').trim_end_matches('>').to_owned()
}

/// Takes the NULs out, which Postgres does not keep in `jsonb`.
pub fn without_nul(value: &mut Value) {
    match value {
        Value::String(text) => text.retain(|letter| letter != '\0'),
        Value::Array(members) => members.iter_mut().for_each(without_nul),
        Value::Object(members) => {
            let dirty: Vec<_> = members.keys().filter(|key| key.contains('\0')).cloned().collect();
            for key in dirty {
                if let Some(member) = members.remove(&key) {
                    members.insert(key.replace('\0', ""), member);
                }
            }
            members.values_mut().for_each(without_nul);
        }
        _ => {}
    }
}

/// A sender: an e-mail address, or a phone number with the spellings it is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sender {
    Email(String),
    Phone { e164: String, variants: Vec<String> },
}

impl Sender {
    #[must_use]
    pub fn read(raw: &str, channel: ChannelKind, country: &str) -> Option<Self> {
        match channel {
            ChannelKind::Email => email::normalize(raw).map(Self::Email),
            _ => phone::sender(raw, country).map(|e164| {
                let variants = phone::variants(&e164);
                Self::Phone { e164, variants }
            }),
        }
    }

    /// The address itself.
    #[must_use]
    pub fn address(&self) -> &str {
        match self {
            Self::Email(address) => address,
            Self::Phone { e164, .. } => e164,
        }
    }

    /// One name for all spellings: who has it at the same moment is the same sender.
    #[must_use]
    pub fn key(&self) -> &str {
        match self {
            Self::Email(address) => address,
            Self::Phone { e164, variants } => variants.first().unwrap_or(e164),
        }
    }

    /// Every spelling.
    #[must_use]
    pub fn spellings(&self) -> Vec<String> {
        match self {
            Self::Email(address) => vec![address.clone()],
            Self::Phone { variants, .. } => variants.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[allow(clippy::needless_pass_by_value, reason = "callers write their JSON here")]
    fn delivery(event: Value) -> Result<Event> {
        let arguments = json!({"provider": "twilio", "channel": "sms", "address": "+15005550006", "events": [event]});
        Delivery::read(arguments).map(|mut delivery| delivery.events.remove(0))
    }

    #[test]
    fn a_delivery_is_checked_with_its_paths() {
        let path = |arguments| Delivery::read(arguments).unwrap_err().errors[0].path.clone();
        let fine = json!({"provider": "meta", "channel": "whatsapp", "address": "1", "events": []});
        assert!(Delivery::read(fine.clone()).is_ok());
        for (key, value, wrong) in [
            ("provider", json!("Meta!"), "provider"),
            ("channel", json!("fax"), "channel"),
            ("events", json!([{"id": "", "type": "message"}]), "events[0].id"),
            ("events", json!([{"id": "1", "type": "call"}]), "events[0].type"),
            ("events", json!(vec![json!({"id": "1", "type": "unknown"}); 1_001]), "events"),
        ] {
            let mut arguments = fine.clone();
            arguments[key] = value;
            assert_eq!(path(arguments), wrong);
        }
    }

    #[test]
    fn what_is_too_long_is_cut_and_says_so() {
        let event = delivery(json!({"id": "1", "type": "message", "content": "ä".repeat(200_001)}));
        let event = event.unwrap();
        assert_eq!(event.content.unwrap().chars().count(), 200_000);
        assert_eq!(event.metadata.unwrap()["truncated"], true);
    }

    #[test]
    fn no_nul_is_left() {
        let event = delivery(
            json!({"id": "1", "type": "unknown", "content": "a\0b", "raw": {"k\0": ["\0"]},
            "metadata": {"headers": {"x": "\0y"}}}),
        );
        let event = event.unwrap();
        assert_eq!(event.content.as_deref(), Some("ab"));
        assert_eq!(event.raw, Some(json!({"k": [""]})));
        assert_eq!(event.metadata.unwrap()["headers"]["x"], "y");
    }

    #[test]
    fn a_sender_is_known_by_every_spelling() {
        let read = |raw| Sender::read(raw, ChannelKind::Whatsapp, "US").unwrap();
        assert_eq!(read("+5511987654321").key(), read("+551187654321").key());
        assert_ne!(read("+5511987654321").address(), read("+551187654321").address());
        let mail = Sender::read("Ada@Example.com", ChannelKind::Email, "US").unwrap();
        assert_eq!(
            (mail.key(), mail.spellings()),
            ("ada@example.com", vec!["ada@example.com".to_owned()])
        );
        assert_eq!(Sender::read("AMAZON", ChannelKind::Sms, "US"), None);
    }

    #[test]
    fn the_message_ids_of_an_e_mail_have_no_brackets() {
        let mail = |event: Value| delivery(event).unwrap();
        let reply = mail(
            json!({"id": "1", "type": "message", "in_reply_to": " <b@x> ", "references": ["<a@x>", "<b@x>"],
            "metadata": {"headers": {"Message-ID": "<c@x>"}}}),
        );
        assert_eq!(reply.answers(), ["b@x", "b@x", "a@x"]);
        assert_eq!(reply.message_id().as_deref(), Some("c@x"));
        let bare = mail(json!({"id": "1", "type": "message", "provider_message_id": "<d@x>"}));
        assert_eq!((bare.message_id().as_deref(), bare.answers().len()), (Some("d@x"), 0));
        let other = mail(json!({"id": "1", "type": "message", "provider_message_id": "SM123"}));
        assert_eq!(other.message_id(), None);
    }
}
