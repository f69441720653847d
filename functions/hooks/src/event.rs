//! What providers deliver, in the one form that `crm_receive_webhook` takes.

use axum::body::Bytes;
use chrono::{DateTime, Datelike, SecondsFormat, Utc};
use fieldcrm_core::fingerprint;
use serde::Serialize;
use serde_json::{Map, Value};

/// The longest id of an event or a message that the database keeps.
const MAX_ID: usize = 255;
/// The longest content of a message, in characters; what is longer is whole in its metadata.
const MAX_CONTENT: usize = 200_000;
/// How many events one call may have.
const MAX_EVENTS: usize = 1_000;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Message,
    Status,
    Reaction,
    OptOut,
    OptIn,
    Bounce,
    Complaint,
    /// Nothing that we have a meaning for: kept as it came.
    #[default]
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Sent,
    Delivered,
    Read,
    Failed,
}

impl Status {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Failed => "failed",
        }
    }
}

/// One thing that happened. Absent members are not serialised.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Event {
    /// The provider's own id, by which a repeat is known.
    pub id: String,
    #[serde(rename = "type")]
    pub kind: Kind,
    /// E.164 or an e-mail address.
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
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// Whose address bounced, complained or opted out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
    /// Of unknown ones: what came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw: Option<Value>,
    /// What the entries of `metadata.attachments` hold, in their order.
    #[serde(skip)]
    pub files: Vec<Bytes>,
}

impl Event {
    pub fn new(kind: Kind, id: impl Into<String>) -> Self {
        Self { id: bounded(id.into()), kind, ..Self::default() }
    }

    /// What we have no meaning for; `id` where the provider gave it one.
    #[must_use]
    pub fn unknown(id: Option<String>, raw: &Value) -> Self {
        let id = id.unwrap_or_else(|| format!("sha256:{}", fingerprint::of(raw)));
        Self { raw: Some(raw.clone()), ..Self::new(Kind::Unknown, id) }
    }

    /// What became of the message `message_id`: each status of it is an event of its own.
    #[must_use]
    pub fn status(message_id: &str, status: Status) -> Self {
        Self {
            provider_message_id: Some(bounded(message_id.to_owned())),
            status: Some(status),
            ..Self::new(Kind::Status, format!("{message_id}:{}", status.as_str()))
        }
    }

    #[must_use]
    pub fn content(mut self, content: impl Into<String>) -> Self {
        let content = content.into();
        self.content = Some(match content.char_indices().nth(MAX_CONTENT) {
            Some((end, _)) => {
                self.note("truncated", true);
                content[..end].to_owned()
            }
            None => content,
        });
        self
    }

    /// Adds to the metadata what is not null.
    pub fn note(&mut self, key: &str, value: impl Into<Value>) {
        let value = value.into();
        if !value.is_null() {
            self.metadata.insert(key.to_owned(), value);
        }
    }
}

/// Events for one of our addresses.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Delivery {
    pub provider: &'static str,
    pub channel: &'static str,
    /// Which of them is ours the database knows: they are tried in this order.
    pub addresses: Vec<String>,
    pub events: Vec<Event>,
}

impl Delivery {
    /// The arguments of the calls that deliver it to `address`: as many as the events need.
    pub fn calls(&self, address: &str) -> Vec<Map<String, Value>> {
        let mut seen = std::collections::HashSet::new();
        let events: Vec<Value> = self
            .events
            .iter()
            .filter(|event| seen.insert(&event.id))
            .filter_map(|event| serde_json::to_value(event).ok())
            .map(storable)
            .collect();
        events
            .chunks(MAX_EVENTS)
            .map(|events| {
                Map::from_iter([
                    ("provider".to_owned(), self.provider.into()),
                    ("channel".to_owned(), self.channel.into()),
                    ("address".to_owned(), address.into()),
                    ("events".to_owned(), events.into()),
                ])
            })
            .collect()
    }
}

/// An id as it can be kept and found again: what is too long, by its hash.
pub fn bounded(id: String) -> String {
    if (1..=MAX_ID).contains(&id.chars().count()) {
        return id;
    }
    format!("sha256:{}", fingerprint::of(&Value::String(id)))
}

/// Postgres keeps any character but U+0000.
pub fn storable(value: Value) -> Value {
    if has_nul(&value) { without_nul(value) } else { value }
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(list) => list.iter().any(has_nul),
        Value::Object(map) => map.iter().any(|(key, value)| key.contains('\0') || has_nul(value)),
        _ => false,
    }
}

fn without_nul(value: Value) -> Value {
    match value {
        Value::String(text) if text.contains('\0') => text.replace('\0', "\u{fffd}").into(),
        Value::Array(list) => list.into_iter().map(without_nul).collect(),
        Value::Object(map) => {
            let plain =
                |key: String| if key.contains('\0') { key.replace('\0', "\u{fffd}") } else { key };
            map.into_iter().map(|(key, value)| (plain(key), without_nul(value))).collect()
        }
        other => other,
    }
}

/// Seconds since 1970, and their fraction, as a timestamp.
#[allow(clippy::cast_possible_truncation, reason = "a saturated time is out of chrono's range")]
pub fn epoch(seconds: f64) -> Option<String> {
    DateTime::from_timestamp_millis((seconds * 1000.0) as i64).and_then(said)
}

pub fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// A time that somebody else wrote down, unless it is none that anybody meant.
pub fn said(at: DateTime<Utc>) -> Option<String> {
    (1970..=2999).contains(&at.year()).then(|| instant(at))
}

/// A timestamp after RFC 3339 in the one spelling that we use.
pub fn rfc3339(text: &str) -> Option<String> {
    DateTime::parse_from_rfc3339(text).ok().and_then(|at| said(at.to_utc()))
}

/// A number in E.164, with or without its plus.
pub fn phone(text: &str) -> Option<String> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let plain = (5..=15).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0');
    plain.then(|| format!("+{digits}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ids_that_are_too_long_become_their_hash() {
        assert_eq!(bounded("wamid.1".to_owned()), "wamid.1");
        let (long, longer) = ("x".repeat(256), "x".repeat(257));
        assert_eq!(bounded(long.clone()).len(), 71);
        assert_ne!(bounded(long), bounded(longer));
        assert!(bounded(String::new()).starts_with("sha256:"));
    }

    #[test]
    fn what_postgres_cannot_keep_is_replaced() {
        let sent = json!({"a\u{0}": ["x\u{0}y", 1], "b": "\u{1f600}"});
        assert_eq!(storable(sent), json!({"a\u{fffd}": ["x\u{fffd}y", 1], "b": "\u{1f600}"}));
    }

    #[test]
    fn content_is_cut_between_characters() {
        let event = Event::new(Kind::Message, "1").content("é".repeat(MAX_CONTENT + 1));
        assert_eq!(event.metadata["truncated"], true);
        assert_eq!(event.content.unwrap().chars().count(), MAX_CONTENT);
    }

    #[test]
    fn phones_are_international_or_not_at_all() {
        assert_eq!(phone("16505551234").as_deref(), Some("+16505551234"));
        assert_eq!(phone("+4915112345678").as_deref(), Some("+4915112345678"));
        for bad in ["", "+", "12345678901234567", "0151123456", "ACME", "whatsapp:+16505551234"] {
            assert_eq!(phone(bad), None, "{bad}");
        }
    }

    #[test]
    fn times_that_are_none_are_left_out() {
        assert_eq!(epoch(1_749_416_383.0).as_deref(), Some("2025-06-08T20:59:43Z"));
        assert_eq!(epoch(1_529_006_854.329).as_deref(), Some("2018-06-14T20:07:34.329Z"));
        assert_eq!(epoch(f64::MAX), None);
        assert_eq!(epoch(1_749_416_383_000.0), None, "milliseconds taken for seconds");
        assert_eq!(
            rfc3339("2019-11-05T16:33:54.9070259Z").as_deref(),
            Some("2019-11-05T16:33:54.907025900Z")
        );
        assert_eq!(rfc3339("yesterday"), None);
    }

    #[test]
    fn a_call_has_a_thousand_events_at_most_and_none_twice() {
        let events: Vec<_> =
            (0..2_500).map(|n| Event::new(Kind::Unknown, (n % 1_200).to_string())).collect();
        let delivery = Delivery { provider: "x", channel: "sms", addresses: Vec::new(), events };
        let calls = delivery.calls("+1");
        let lengths: Vec<_> =
            calls.iter().map(|call| call["events"].as_array().unwrap().len()).collect();
        assert_eq!(lengths, [1_000, 200]);
    }
}
