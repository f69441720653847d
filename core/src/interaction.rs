//! Interactions: what may be logged about a customer.

use chrono::{DateTime, Datelike, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::Result;
use crate::customer::{Checks, choices};

choices! {
    /// How the company and the customer spoke; the last seven are the names of older clients.
    Channel {
        PhoneInbound = "phone_inbound", PhoneOutbound = "phone_outbound",
        EmailInbound = "email_inbound", EmailOutbound = "email_outbound",
        SmsInbound = "sms_inbound", SmsOutbound = "sms_outbound",
        PortalMessage = "portal_message", Note = "note", InPerson = "in_person",
        WhatsappInbound = "whatsapp_inbound", WhatsappOutbound = "whatsapp_outbound",
        Phone = "phone", Email = "email", Meeting = "meeting", Chat = "chat", Other = "other",
    }
}
choices! {
    Direction {
        Inbound = "inbound", Outbound = "outbound", SystemGenerated = "system_generated",
    }
}
choices! { Sentiment { Positive = "positive", Neutral = "neutral", Negative = "negative", } }

impl Channel {
    /// The direction that is part of the channel's name.
    #[must_use]
    pub fn direction(self) -> Option<Direction> {
        let name = self.as_str();
        if name.ends_with("_inbound") {
            Some(Direction::Inbound)
        } else if name.ends_with("_outbound") {
            Some(Direction::Outbound)
        } else {
            None
        }
    }
}

const MAX_TYPE: usize = 100;
const MAX_SUBJECT: usize = 500;
const MAX_SUMMARY: usize = 20_000;
const MAX_BODY: usize = 200_000;
/// The most metadata can have as JSON text, in bytes.
const MAX_METADATA: usize = 16 * 1024;
const MAX_METADATA_DEPTH: usize = 8;

/// The arguments of `crm_log_interaction`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewInteraction {
    pub customer_id: Option<Uuid>,
    pub channel: Option<Channel>,
    pub direction: Option<Direction>,
    pub r#type: Option<String>,
    pub subject: Option<String>,
    pub summary: Option<String>,
    pub body: Option<String>,
    pub metadata: Option<Value>,
    /// Now, where it is absent.
    pub occurred_at: Option<DateTime<Utc>>,
    pub follow_up_date: Option<DateTime<Utc>>,
    pub location_id: Option<Uuid>,
    pub related_work_order_id: Option<Uuid>,
    pub related_quote_id: Option<Uuid>,
    pub idempotency_key: Option<String>,
}

/// The columns of `crm_interactions` that a caller decides.
#[derive(Debug, Serialize)]
pub struct InteractionRow {
    pub customer_id: Uuid,
    pub channel: Channel,
    pub direction: Option<Direction>,
    pub r#type: Option<String>,
    pub subject: Option<String>,
    pub summary: Option<String>,
    pub body: Option<String>,
    pub metadata: Option<Value>,
    pub occurred_at: Option<DateTime<Utc>>,
    pub follow_up_date: Option<DateTime<Utc>>,
    pub location_id: Option<Uuid>,
    pub related_work_order_id: Option<Uuid>,
    pub related_quote_id: Option<Uuid>,
}

impl NewInteraction {
    /// Checks everything that needs no clock: what lies in the future is the database's to say.
    pub fn prepare(self) -> Result<InteractionRow> {
        let mut checks = Checks::default();
        let customer_id = required(&mut checks, "customer_id", self.customer_id);
        let channel = required(&mut checks, "channel", self.channel);
        check_time(&mut checks, "occurred_at", self.occurred_at);
        check_time(&mut checks, "follow_up_date", self.follow_up_date);
        if let Some(metadata) = &self.metadata {
            check_metadata(&mut checks, metadata);
        }
        let r#type = checks.text("type", self.r#type, MAX_TYPE);
        let subject = checks.text("subject", self.subject, MAX_SUBJECT);
        let summary = checks.text("summary", self.summary, MAX_SUMMARY);
        let body = checks.text("body", self.body, MAX_BODY);
        checks.finish()?;
        let channel = channel.unwrap_or(Channel::Other);
        Ok(InteractionRow {
            customer_id: customer_id.unwrap_or_default(),
            channel,
            direction: self.direction.or_else(|| channel.direction()),
            r#type,
            subject,
            summary,
            body,
            metadata: self.metadata,
            occurred_at: self.occurred_at,
            follow_up_date: self.follow_up_date,
            location_id: self.location_id,
            related_work_order_id: self.related_work_order_id,
            related_quote_id: self.related_quote_id,
        })
    }
}

pub(crate) fn required<T>(checks: &mut Checks, path: &str, value: Option<T>) -> Option<T> {
    if value.is_none() {
        checks.fail(path, "required", "must be given");
    }
    value
}

/// As the check constraints of the tables: what is outside is a mistake of units or of typing.
pub(crate) fn check_time(checks: &mut Checks, path: &str, time: Option<DateTime<Utc>>) {
    if time.is_some_and(|time| !(1900..3000).contains(&time.year())) {
        checks.fail(path, "out_of_range", "must be in the years 1900 to 2999");
    }
}

fn check_metadata(checks: &mut Checks, metadata: &Value) {
    check_json(checks, "metadata", metadata, MAX_METADATA);
}

/// An object of at most `max` bytes that is not nested too deeply and that Postgres can keep.
pub(crate) fn check_json(checks: &mut Checks, path: &str, value: &Value, max: usize) {
    if !value.is_object() {
        checks.fail(path, "invalid_value", "must be an object");
    }
    if value.to_string().len() > max {
        checks.fail(path, "too_long", format!("at most {max} bytes of JSON"));
    }
    if !is_shallow(value, MAX_METADATA_DEPTH) {
        let message = format!("nested more than {MAX_METADATA_DEPTH} levels deep");
        checks.fail(path, "too_deep", message);
    }
    if has_nul(value) {
        checks.fail(path, "invalid_value", "must not contain a NUL character");
    }
}

pub(crate) fn is_shallow(value: &Value, levels: usize) -> bool {
    match value {
        Value::Object(members) => {
            levels > 0 && members.values().all(|member| is_shallow(member, levels - 1))
        }
        Value::Array(members) => {
            levels > 0 && members.iter().all(|member| is_shallow(member, levels - 1))
        }
        _ => true,
    }
}

/// Postgres keeps no NUL in `jsonb`.
pub(crate) fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(members) => members.iter().any(has_nul),
        Value::Object(members) => {
            members.iter().any(|(key, member)| key.contains('\0') || has_nul(member))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::patch;

    fn prepare(mut input: Value) -> Result<Value> {
        if input.get("customer_id").is_none() {
            input["customer_id"] = json!(Uuid::nil());
        }
        let row = patch::read::<NewInteraction>(input)?.prepare()?;
        Ok(serde_json::to_value(row).unwrap())
    }

    fn paths(input: Value) -> Vec<String> {
        prepare(input).unwrap_err().errors.into_iter().map(|error| error.path).collect()
    }

    #[test]
    fn the_direction_is_that_of_the_channel_unless_it_is_said() {
        for (channel, direction) in [
            ("phone_inbound", json!("inbound")),
            ("whatsapp_outbound", json!("outbound")),
            ("portal_message", Value::Null),
            ("phone", Value::Null),
        ] {
            assert_eq!(prepare(json!({"channel": channel})).unwrap()["direction"], direction);
        }
        let said = prepare(json!({"channel": "sms_outbound", "direction": "system_generated"}));
        assert_eq!(said.unwrap()["direction"], "system_generated");
    }

    #[test]
    fn texts_are_trimmed_and_blank_ones_are_none() {
        let row = prepare(json!({"channel": "note", "subject": " Leak ", "body": "  "})).unwrap();
        assert_eq!((&row["subject"], &row["body"]), (&json!("Leak"), &Value::Null));
    }

    #[test]
    fn all_mistakes_are_reported_at_once() {
        let found = paths(json!({
            "customer_id": null, "type": "x".repeat(101), "subject": "x".repeat(501), "summary": "x".repeat(20_001),
            "body": "x".repeat(200_001), "metadata": ["a"], "occurred_at": "1066-10-14T09:00:00Z",
            "follow_up_date": "9999-01-01T00:00:00Z",
        }));
        let all = [
            "customer_id",
            "channel",
            "occurred_at",
            "follow_up_date",
            "metadata",
            "type",
            "subject",
            "summary",
            "body",
        ];
        assert_eq!(found, all);
    }

    #[test]
    fn wrong_types_and_unknown_keys_have_their_path() {
        assert_eq!(paths(json!({"channel": "pigeon"})), ["channel"]);
        assert_eq!(paths(json!({"channel": "note", "sentiment": "positive"})), ["sentiment"]);
        assert_eq!(paths(json!({"channel": "note", "occurred_at": "yesterday"})), ["occurred_at"]);
    }

    #[test]
    fn metadata_is_a_small_and_shallow_object() {
        let with = |metadata: Value| paths(json!({"channel": "note", "metadata": metadata}));
        let nest = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!({"a": inner}));
        let fine = prepare(json!({"channel": "note", "metadata": nest(8)})).unwrap();
        assert_eq!(fine["metadata"], nest(8));
        for wrong in [
            nest(9),
            json!({"a": "x".repeat(16 * 1024)}),
            json!("text"),
            json!({"a": ["b", {"c": "\0"}]}),
        ] {
            assert_eq!(with(wrong), ["metadata"]);
        }
    }
}
