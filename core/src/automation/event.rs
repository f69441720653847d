//! The types of events: what happened, and what its payload says about it.
//!
//! Payloads hold ids, states and amounts. Names and addresses of people stay out of them: an event is
//! read by whoever reads the history of automation, and goes out in webhooks.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::Result;
use crate::customer::Checks;
use crate::interaction::{check_time, has_nul, is_shallow, required};

/// Not an event but the lack of one: an outbound interaction that nobody answered.
pub const NO_REPLY: &str = "no_reply";
/// The longest name of a type.
const MAX_TYPE: usize = 60;
/// The longest key: with the type before it, it fits into the table's 255.
const MAX_KEY: usize = 190;
/// The most a payload can have as JSON text, in bytes.
pub const MAX_PAYLOAD: usize = 32 * 1024;
/// How deep a payload can nest, as the table has it.
pub const MAX_PAYLOAD_DEPTH: usize = 32;
/// The largest number of a payload, as the table has it: what every reader of JSON takes.
const MAX_NUMBER: f64 = 1.7e308;

/// Who writes the events of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writer {
    /// The database, in the transaction of the fact: nobody else can.
    Database,
    /// `crm_emit_event`.
    Caller,
}

/// A type of events that is known here.
#[derive(Clone, Copy, Debug)]
pub struct EventType {
    pub name: &'static str,
    /// When it is written, as a sentence.
    pub says: &'static str,
    pub writer: Writer,
    /// An example of the payload, with every field that it has.
    pub payload: &'static str,
}

const fn database(name: &'static str, says: &'static str, payload: &'static str) -> EventType {
    EventType { name, says, writer: Writer::Database, payload }
}

const WORK_ORDER: &str = r#"{"work_order_id": "3f0c8a52-0000-4000-8000-000000000001", "status": "completed", "service_type": "repair", "window_start": "2026-01-31T09:00:00+00:00"}"#;
const QUOTE: &str = r#"{"quote_id": "3f0c8a52-0000-4000-8000-000000000002", "number": "Q-1001", "status": "sent", "total": 1250.0, "work_order_id": null}"#;
const INVOICE: &str = r#"{"invoice_id": "3f0c8a52-0000-4000-8000-000000000003", "number": "1001", "status": "paid", "total": 1250.0, "work_order_id": null}"#;
const INTERACTION: &str = r#"{"interaction_id": "3f0c8a52-0000-4000-8000-000000000004", "channel": "email_inbound", "direction": "inbound", "type": null, "sentiment": null}"#;
const SEGMENT: &str =
    r#"{"segment_id": "3f0c8a52-0000-4000-8000-000000000005", "segment_name": "VIP"}"#;
const CUSTOMER_UPDATED: &str = r#"{"changed": ["notes", "status"], "from": {"status": "prospect", "lifecycle_stage": "lead", "pipeline_stage": "lead", "owner_id": null, "product_id": null, "is_archived": false}, "to": {"status": "active", "lifecycle_stage": "lead", "pipeline_stage": "lead", "owner_id": null, "product_id": null, "is_archived": false}}"#;

/// Every type that is known here. Other modules have their own types beside these.
pub const EVENT_TYPES: &[EventType] = &[
    database(
        "customer_created",
        "A customer was created, by whatever way.",
        r#"{"type": "individual", "status": "prospect", "lifecycle_stage": "lead", "source": "referral"}"#,
    ),
    database(
        "customer_updated",
        "Columns of a customer changed: changed names them; from and to say where the customer stood and stands.",
        CUSTOMER_UPDATED,
    ),
    database("interaction_logged", "An interaction was logged.", INTERACTION),
    database(
        "message_received",
        "The customer wrote: an inbound e-mail, SMS, WhatsApp, chat or portal message.",
        INTERACTION,
    ),
    database(
        "sentiment_negative",
        "The sentiment of an interaction was found to be negative.",
        INTERACTION,
    ),
    database("work_order_created", "A work order was made.", WORK_ORDER),
    database("work_order_scheduled", "A work order was put back to scheduled.", WORK_ORDER),
    database("work_order_en_route", "The technician is on the way.", WORK_ORDER),
    database("work_order_on_site", "The technician is there.", WORK_ORDER),
    database("work_order_completed", "The work is done.", WORK_ORDER),
    database("work_order_canceled", "The work order was canceled.", WORK_ORDER),
    database("quote_sent", "A quote was sent.", QUOTE),
    database("quote_accepted", "The customer accepted a quote.", QUOTE),
    database("quote_declined", "The customer declined a quote.", QUOTE),
    database("quote_expired", "A quote expired.", QUOTE),
    database("invoice_sent", "An invoice was sent.", INVOICE),
    database("invoice_paid", "An invoice was paid.", INVOICE),
    database("invoice_void", "An invoice was declared void.", INVOICE),
    database("segment_entered", "The customer came into a segment.", SEGMENT),
    database("segment_left", "The customer left a segment.", SEGMENT),
    database(
        "followup_overdue",
        "A follow-up is past its time and still pending.",
        r#"{"followup_id": "3f0c8a52-0000-4000-8000-000000000006", "due_at": "2026-01-31T09:00:00+00:00", "priority": "high", "origin": "manual", "assigned_to_user_id": null}"#,
    ),
    EventType {
        name: "booking_submitted",
        says: "The customer asked for a visit.",
        writer: Writer::Caller,
        payload: "{}",
    },
];

/// Names that are no type of events: what the database's own keys begin with, and what is none.
const RESERVED: &[&str] = &[NO_REPLY, "segment"];

/// The known type of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static EventType> {
    EVENT_TYPES.iter().find(|known| known.name == name)
}

impl EventType {
    /// The example as an object; empty where nothing is said about the payload.
    #[must_use]
    pub fn example(&self) -> Map<String, Value> {
        serde_json::from_str(self.payload).unwrap_or_default()
    }
}

/// Whether a text can be the name of a type, as the tables have it.
#[must_use]
pub fn is_type(name: &str) -> bool {
    name.len() <= MAX_TYPE
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

pub(super) fn check_type(checks: &mut Checks, path: &str, name: &str) {
    if !is_type(name) {
        let message = "must be a name such as work_order_completed: at most 60 lower-case letters, digits and _";
        checks.fail(path, "invalid_name", message);
    }
}

/// The arguments of `crm_emit_event`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewEvent {
    pub event_type: Option<String>,
    pub customer_id: Option<Uuid>,
    pub payload: Option<Value>,
    /// What makes it the same event; each call is one of its own where it is absent.
    pub event_key: Option<String>,
    /// Now, where it is absent.
    pub occurred_at: Option<DateTime<Utc>>,
    /// For back-end sessions that have selected none.
    pub org_id: Option<Uuid>,
}

/// A checked [`NewEvent`].
#[derive(Debug, Serialize)]
pub struct EventRow {
    pub event_type: String,
    pub customer_id: Uuid,
    pub payload: Value,
    pub event_key: Option<String>,
    pub occurred_at: Option<DateTime<Utc>>,
}

impl NewEvent {
    /// The event and the org it says.
    ///
    /// What the database writes in the transaction of the fact, nobody else can write: an event that says
    /// that a quote was sent is one of a quote that was sent. A key is stored behind the type, so that
    /// none of them can be the key of such an event.
    pub fn prepare(self) -> Result<(EventRow, Option<Uuid>)> {
        let mut checks = Checks::default();
        let event_type = required(&mut checks, "event_type", self.event_type).unwrap_or_default();
        if !event_type.is_empty() {
            check_type(&mut checks, "event_type", &event_type);
        }
        let own = find(&event_type).is_none_or(|known| known.writer == Writer::Caller);
        if !own || RESERVED.contains(&event_type.as_str()) {
            let message = "is written by the database itself, in the transaction of the fact: use a name of your own";
            checks.fail("event_type", "reserved", message);
        }
        let customer_id = required(&mut checks, "customer_id", self.customer_id);
        let payload = self.payload.filter(|payload| !payload.is_null());
        let payload = payload.unwrap_or_else(|| Map::new().into());
        check_payload(&mut checks, &payload);
        let event_key = checks.text("event_key", self.event_key, MAX_KEY);
        check_time(&mut checks, "occurred_at", self.occurred_at);
        checks.finish()?;
        let event_key = event_key.map(|key| format!("{event_type}:{key}"));
        let row = EventRow {
            event_type,
            customer_id: customer_id.unwrap_or_default(),
            payload,
            event_key,
            occurred_at: self.occurred_at,
        };
        Ok((row, self.org_id))
    }
}

fn check_payload(checks: &mut Checks, payload: &Value) {
    if !payload.is_object() {
        checks.fail("payload", "invalid_value", "must be an object");
    }
    if payload.to_string().len() > MAX_PAYLOAD {
        checks.fail("payload", "too_long", format!("at most {MAX_PAYLOAD} bytes of JSON"));
    }
    if !is_shallow(payload, MAX_PAYLOAD_DEPTH) {
        let message = format!("nested more than {MAX_PAYLOAD_DEPTH} levels deep");
        checks.fail("payload", "too_deep", message);
    } else if has_nul(payload) {
        checks.fail("payload", "invalid_value", "must not contain a NUL character");
    } else if largest(payload) > MAX_NUMBER {
        checks.fail("payload", "out_of_range", format!("no number is larger than {MAX_NUMBER:e}"));
    }
}

fn largest(value: &Value) -> f64 {
    match value {
        Value::Number(number) => number.as_f64().unwrap_or(f64::INFINITY).abs(),
        Value::Array(members) => members.iter().map(largest).fold(0.0, f64::max),
        Value::Object(members) => members.values().map(largest).fold(0.0, f64::max),
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::json;

    use super::*;
    use crate::patch;

    fn emit(mut change: Value) -> Result<EventRow> {
        let mut input = json!({"event_type": "boiler_tested", "customer_id": Uuid::nil()});
        if let (Some(input), Some(change)) = (input.as_object_mut(), change.as_object_mut()) {
            input.append(change);
        }
        patch::read::<NewEvent>(input)?.prepare().map(|(row, _)| row)
    }

    fn refusals(change: Value) -> Vec<(String, String)> {
        let errors = emit(change).err().map(|error| error.errors).unwrap_or_default();
        errors.into_iter().map(|error| (error.path, error.code)).collect()
    }

    fn refusal(path: &str, code: &str) -> Vec<(String, String)> {
        vec![(path.to_owned(), code.to_owned())]
    }

    #[test]
    fn every_known_type_is_named_once_and_shows_a_payload() {
        let mut seen = HashSet::new();
        for known in EVENT_TYPES {
            assert!(is_type(known.name) && seen.insert(known.name), "{}", known.name);
            let example: Result<Map<String, Value>, _> = serde_json::from_str(known.payload);
            assert_eq!(example.unwrap().is_empty(), known.writer == Writer::Caller);
            assert!(known.says.ends_with('.') && !RESERVED.contains(&known.name));
        }
    }

    #[test]
    fn what_the_database_writes_nobody_else_does() {
        for known in EVENT_TYPES {
            let expected = match known.writer {
                Writer::Database => refusal("event_type", "reserved"),
                Writer::Caller => Vec::new(),
            };
            assert_eq!(refusals(json!({"event_type": known.name})), expected, "{}", known.name);
        }
        for name in ["no_reply", "segment"] {
            assert_eq!(refusals(json!({"event_type": name})), refusal("event_type", "reserved"));
        }
    }

    #[test]
    fn a_key_belongs_to_its_type_and_cannot_be_one_of_the_database() {
        let row = emit(json!({"event_key": "7"})).unwrap();
        assert_eq!(row.event_key.as_deref(), Some("boiler_tested:7"));
        assert_eq!(emit(json!({"event_key": " "})).unwrap().event_key, None);
        let longest = format!("{}:{}", "a".repeat(MAX_TYPE), "k".repeat(MAX_KEY));
        assert!(longest.len() <= 255);
        assert_eq!(
            refusals(json!({"event_key": "k".repeat(MAX_KEY + 1)})),
            refusal("event_key", "too_long")
        );
    }

    #[test]
    fn names_are_those_the_tables_take() {
        for name in ["a", "boiler_tested", "a1_b2", &"a".repeat(60)] {
            assert!(is_type(name), "{name}");
        }
        for name in ["", "A", "_a", "1a", "a-b", "a b", "é", &"a".repeat(61)] {
            assert!(!is_type(name), "{name}");
        }
        assert_eq!(
            refusals(json!({"event_type": "Boiler"})),
            refusal("event_type", "invalid_name")
        );
        assert_eq!(refusals(json!({"event_type": null})), refusal("event_type", "required"));
    }

    #[test]
    fn payloads_are_objects_that_every_reader_takes() {
        let nested = |levels| (1..levels).fold(json!({}), |inner, _| json!({"a": inner}));
        assert_eq!(emit(json!({"payload": null})).unwrap().payload, json!({}));
        assert!(emit(json!({"payload": nested(MAX_PAYLOAD_DEPTH)})).is_ok());
        for (payload, code) in [
            (json!([1]), "invalid_value"),
            (json!("text"), "invalid_value"),
            (json!({"a": "\0"}), "invalid_value"),
            (json!({"a": "x".repeat(MAX_PAYLOAD)}), "too_long"),
            (nested(MAX_PAYLOAD_DEPTH + 1), "too_deep"),
            (json!({"a": [-1.75e308]}), "out_of_range"),
        ] {
            assert_eq!(refusals(json!({"payload": payload})), refusal("payload", code), "{code}");
        }
    }

    #[test]
    fn everything_wrong_is_said_at_once() {
        let found = refusals(json!({"event_type": "X", "customer_id": null, "payload": 1,
            "occurred_at": "0001-01-01T00:00:00Z"}));
        let paths: Vec<_> = found.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["event_type", "customer_id", "payload", "occurred_at"]);
    }
}
