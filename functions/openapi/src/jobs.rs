//! The slugs of the module `jobs`.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde_json::json;
use uuid::Uuid;

use crate::choice::{Anything, schemas};
use crate::document::{Info, Operation, SecurityScheme};

pub const INFO: Info = Info {
    name: "jobs",
    slugs: &[
        "handle-event-trigger",
        "process-time-based-automations",
        "process-segment-automations",
        "dispatch-messages",
        "embed-kb-articles",
        "analyze-interaction-sentiment",
        "score-segments",
    ],
    title: "fieldcrm: jobs",
    description: "What is worked off by the clock, and facts that other back ends tell. All of it is for the service role; the answers count what was done.",
    security: &[("service", SecurityScheme::Bearer("A token of the service role."))],
};

schemas! {
    Batch5000 = json!({"type": ["integer", "null"], "minimum": 1, "maximum": 5000});
    Batch1000 = json!({"type": ["integer", "null"], "minimum": 1, "maximum": 1000});
    Batch100000 = json!({"type": ["integer", "null"], "minimum": 1, "maximum": 100_000});
    Batch10000 = json!({"type": ["integer", "null"], "minimum": 1, "maximum": 10000});
    /// Of each queue, what its steps counted.
    Counts = json!({"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}});
    RunOutcome = json!({"anyOf": [
        {"type": "object", "required": ["events", "enrolled", "succeeded", "failed", "skipped", "scheduled"], "additionalProperties": {"type": "integer"}},
        {"type": "object", "required": ["error"], "additionalProperties": false, "properties": {"error": {"type": "string"}}},
    ]});
    NoticesOutcome = json!({"anyOf": [
        {"type": "object", "required": ["notices", "messages"], "additionalProperties": {"type": "integer"}},
        {"type": "object", "required": ["error"], "additionalProperties": false, "properties": {"error": {"type": "string"}}},
    ]});
    /// By channel, what is wrong with its provider's settings.
    Misconfigured = json!({"type": "object", "additionalProperties": {"type": "string"}});
}

#[derive(JsonSchema)]
pub struct UpTo5000 {
    /// How many of each queue at a time.
    pub batch_limit: Option<Batch5000>,
}

#[derive(JsonSchema)]
pub struct UpTo1000 {
    /// How many at a time.
    pub batch_limit: Option<Batch1000>,
}

#[derive(JsonSchema)]
pub struct UpTo10000 {
    /// How many in this call.
    pub batch_limit: Option<Batch10000>,
}

#[derive(JsonSchema)]
pub struct UpTo100000 {
    /// How many in this call.
    pub batch_limit: Option<Batch100000>,
}

#[derive(JsonSchema)]
pub struct NewEvent {
    /// A name of your own, such as boiler_tested.
    pub event_type: String,
    pub customer_id: Option<Uuid>,
    /// At most 32,768 bytes and 32 levels.
    pub payload: Option<Anything>,
    /// What makes it the same event; it may come as Idempotency-Key.
    #[schemars(length(min = 1, max = 190))]
    pub event_key: Option<String>,
    /// Now by default, at most a day ahead.
    pub occurred_at: Option<DateTime<Utc>>,
    /// The customer's by default.
    pub org_id: Option<Uuid>,
}

#[derive(JsonSchema)]
pub struct Triggered {
    pub event: Event,
    pub run: RunOutcome,
    pub notices: NoticesOutcome,
}

#[derive(JsonSchema)]
pub struct Event {
    pub id: Uuid,
    pub org_id: Uuid,
    pub event_type: String,
    pub customer_id: Option<Uuid>,
    pub payload: Anything,
    pub event_key: String,
    pub occurred_at: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
    /// The rules that led to it.
    pub rule_chain: Vec<Uuid>,
    /// Whether it is new.
    pub created: bool,
}

#[derive(JsonSchema)]
pub struct TimeBased {
    pub automations: Counts,
    pub time_based: Counts,
    pub reminders: Counts,
    pub bookings: Counts,
    pub planned_visits: Counts,
    pub notices: Counts,
    pub expired: Counts,
    pub pruned: Counts,
}

#[derive(JsonSchema)]
pub struct Segments {
    pub segments: Counts,
    pub automations: Counts,
}

#[derive(JsonSchema)]
pub struct Dispatched {
    pub claimed: i64,
    pub sent: i64,
    /// To be tried again.
    pub retried: i64,
    pub failed: i64,
    /// Nobody knows whether they went out.
    pub unknown: i64,
    /// The database did not take down how they went.
    pub unrecorded: i64,
    /// Consent says later.
    pub deferred: i64,
    /// Consent says no.
    pub refused: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Misconfigured")]
    pub misconfigured: Option<Misconfigured>,
}

#[derive(JsonSchema)]
pub struct Embedded {
    pub embedded: i64,
    pub chunks: i64,
    /// Somebody changed them meanwhile.
    pub outdated: i64,
    pub failed: i64,
    /// Not published any more.
    pub cleared: i64,
}

#[derive(JsonSchema)]
pub struct Analysed {
    pub analysed: i64,
    /// Tried again later.
    pub failed: i64,
    /// Given up.
    pub dead: i64,
    pub dropped: i64,
    /// Another call has them by now.
    pub lost: i64,
    pub provider: String,
}

#[derive(JsonSchema)]
pub struct Scored {
    pub scored: i64,
    /// Tried again later.
    pub failed: i64,
    /// Given up.
    pub dead: i64,
    /// Another call has them by now, or the job was canceled.
    pub lost: i64,
    /// Jobs that ended.
    pub finished: i64,
    pub provider: String,
}

pub fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/handle-event-trigger", "triggerEvent", "Writes an event down, and lets the rules that hear it act")
            .header::<crate::choice::IdempotencyKey>("Idempotency-Key", "Another way to send event_key.")
            .body::<NewEvent>()
            .answers::<Triggered>(201, "It is new.")
            .answers::<Triggered>(200, "The event that has the key already.")
            .fails(&[404, 409]),
        Operation::post("/process-time-based-automations", "processTimeBased", "Works off events, runs that fell due, reminders, bookings, plans, notices, and what expires")
            .optional_body::<UpTo5000>()
            .ok::<TimeBased>("What was done."),
        Operation::post("/process-segment-automations", "processSegments", "Recomputes the segments that are due, and lets the rules act that hear it")
            .optional_body::<UpTo1000>()
            .ok::<Segments>("What was done."),
        Operation::post("/dispatch-messages", "dispatchMessages", "Sends the messages that wait")
            .optional_body::<UpTo10000>()
            .ok::<Dispatched>("What became of them."),
        Operation::post("/embed-kb-articles", "embedArticles", "Makes what changed about the knowledge base findable")
            .optional_body::<UpTo1000>()
            .ok::<Embedded>("What became of the articles.")
            .fails(&[404, 429, 502]),
        Operation::post("/analyze-interaction-sentiment", "analyseSentiment", "Says how customers feel who wrote something")
            .optional_body::<UpTo10000>()
            .ok::<Analysed>("What became of the texts.")
            .fails(&[422, 429, 502]),
        Operation::post("/score-segments", "scoreSegments", "Scores the customers that wait for it")
            .optional_body::<UpTo100000>()
            .ok::<Scored>("What became of them.")
            .fails(&[404, 409, 422, 429, 502]),
    ]
}
