//! What has one of a few values, as core lists them, and small texts.

use fieldcrm_core::{
    ai, appointment, automation, booking, customer, followup, interaction, portal,
    portal_assistant, portal_thread, work_order,
};
use serde_json::{Value, json};

macro_rules! schemas {
    ($($(#[doc = $doc:literal])* $name:ident = $schema:expr;)*) => {$(
        $(#[doc = $doc])*
        pub struct $name;

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let schema: serde_json::Value = $schema;
                let mut schema = schemars::Schema::try_from(schema).unwrap_or_default();
                let about: &[&str] = &[$($doc),*];
                let about = about.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
                if !about.is_empty() {
                    schema.insert("description".to_owned(), about.into());
                }
                schema
            }
        }
    )*};
}
pub(crate) use schemas;

/// One of what core lists.
pub(crate) fn one_of<T: serde::Serialize>(all: &[T]) -> Value {
    json!({"type": "string", "enum": all})
}

schemas! {
    CustomerType = one_of(customer::CustomerType::ALL);
    /// Where the business relation stands.
    CustomerStatus = one_of(customer::Status::ALL);
    LifecycleStage = one_of(customer::LifecycleStage::ALL);
    /// The sales pipeline, apart from status and lifecycle.
    PipelineStage = one_of(customer::PipelineStage::ALL);
    ContactType = one_of(customer::ContactType::ALL);
    LocationType = one_of(customer::LocationType::ALL);
    InteractionChannel = one_of(interaction::Channel::ALL);
    Direction = one_of(interaction::Direction::ALL);
    Sentiment = one_of(interaction::Sentiment::ALL);
    FollowupStatus = one_of(followup::FollowupStatus::ALL);
    Priority = one_of(followup::Priority::ALL);
    /// Who made a follow-up.
    FollowupOrigin = json!({"type": "string", "enum": ["manual", "system_rule", "ai_recommendation"]});
    Trigger = one_of(automation::Trigger::ALL);
    SegmentChange = json!({"type": "string", "enum": ["entered", "left"]});
    Reenrollment = json!({"type": "string", "enum": ["once", "per_episode", "cooldown"]});
    RunStatus = one_of(automation::RunStatus::ALL);
    SegmentType = json!({"type": "string", "enum": ["static", "rule_based", "ai_generated"]});
    DraftChannel = one_of(ai::draft::Channel::ALL);
    DraftPurpose = one_of(ai::draft::Purpose::ALL);
    InsightKind = one_of(ai::insight::Kind::ALL);
    SuggestionRule = one_of(ai::suggestion::Rule::ALL);
    VisitStatus = one_of(work_order::Status::ALL);
    BookingStatus = one_of(booking::request::BookingStatus::ALL);
    BookingSource = one_of(booking::request::Source::ALL);
    ThreadStatus = one_of(portal_thread::ThreadStatus::ALL);
    ConversationStatus = one_of(portal_assistant::ConversationStatus::ALL);
    Topic = one_of(portal_assistant::Topic::ALL);
    AiRole = one_of(portal_assistant::Role::ALL);
    AccountRole = one_of(portal::AccountRole::ALL);
    /// Of those that customers see.
    InvoiceStatus = one_of(appointment::InvoiceStatus::ALL);
    SenderType = json!({"type": "string", "enum": ["portal_customer", "internal_user", "system"]});

    /// 1 to 255 visible ASCII characters.
    IdempotencyKey = json!({"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"});
    /// How many at most.
    Limit = json!({"type": "integer", "minimum": 1, "maximum": 100, "default": 50});
    Offset = json!({"type": "integer", "minimum": 0, "maximum": i32::MAX, "default": 0});
    /// Whether `total` is counted.
    Count = json!({"type": "string", "enum": ["none", "exact"], "default": "none"});
    /// The `next_cursor` of the page before.
    Cursor = json!({"type": "string"});
    /// A time of day, without a zone.
    TimeOfDay = json!({"type": "string", "pattern": r"^\d{2}:\d{2}(:\d{2}(\.\d+)?)?$"});
    /// A segment's rules: react-querybuilder's group in an envelope, as docs/segments.md describes it.
    SegmentDefinition = json!({
        "type": "object", "required": ["version", "entity", "query"], "additionalProperties": false,
        "properties": {
            "version": {"const": 1}, "entity": {"const": "customer"},
            "query": {"type": "object", "required": ["combinator", "rules"], "additionalProperties": true, "properties": {
                "combinator": {"type": "string", "enum": ["and", "or"]}, "not": {"type": "boolean"},
                "rules": {"type": "array", "items": {"type": "object"}},
            }},
        },
    });
    Health = json!({"type": "object", "required": ["status", "version"], "additionalProperties": false, "properties": {
        "status": {"const": "ok"}, "version": {"type": "string"}}});
    /// Whatever there is to say.
    Anything = json!({"type": "object", "additionalProperties": true});
}
