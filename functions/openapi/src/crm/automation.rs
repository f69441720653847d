//! `/crm/automation`

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde_json::json;
use uuid::Uuid;

use super::segment::YesOrNo;
use crate::choice::{
    Anything, Cursor, Limit, Reenrollment, RunStatus, SegmentChange, SegmentDefinition, Trigger,
    schemas,
};
use crate::document::Operation;
use crate::page::Page;

schemas! {
    SampleSize = json!({"type": "integer", "minimum": 0, "maximum": 100, "default": 20});
    /// Why somebody is not taken in.
    SkipCode = json!({"type": "string", "enum": ["conditions", "closed", "archived", "already_enrolled", "cooldown"]});
    /// What is done: type, and what it needs; docs/automation.md lists them.
    RuleAction = json!({"type": "object", "required": ["type"], "properties": {"type": {"type": "string"}}, "additionalProperties": true});
    Matched = json!({});
    Minutes = json!({"type": "integer", "maximum": 5_256_000});
}

#[derive(JsonSchema)]
pub struct Rule {
    pub id: Uuid,
    pub org_id: Uuid,
    pub name: String,
    pub description: Option<String>,
    pub is_enabled: bool,
    pub trigger_type: Trigger,
    pub event_type: Option<String>,
    pub time_offset_minutes: Option<i64>,
    pub segment_id: Option<Uuid>,
    pub segment_change: SegmentChange,
    pub conditions: Option<SegmentDefinition>,
    pub actions: Vec<RuleAction>,
    pub reenrollment: Reenrollment,
    pub cooldown_minutes: Option<i64>,
    pub max_lateness_minutes: i64,
    /// The event that it hears.
    pub listens_to: Option<String>,
    pub version: i64,
    pub enabled_at: DateTime<Utc>,
    pub created_by_user_id: Option<Uuid>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(JsonSchema)]
pub struct ChangedRule {
    #[serde(flatten)]
    pub rule: Rule,
    /// What is no mistake for sure.
    pub warnings: Vec<Warning>,
}

#[derive(JsonSchema)]
pub struct Warning {
    pub path: String,
    pub code: String,
    pub message: String,
}

#[derive(JsonSchema)]
pub struct NewRule {
    #[schemars(length(min = 1, max = 200))]
    pub name: String,
    #[schemars(length(max = 20_000))]
    pub description: Option<String>,
    /// true by default.
    pub is_enabled: Option<bool>,
    pub trigger_type: Trigger,
    /// Such as quote_sent; needed by event.
    pub event_type: Option<String>,
    /// Needed by time_based.
    pub time_offset_minutes: Option<Minutes>,
    /// Needed by segment_membership.
    pub segment_id: Option<Uuid>,
    /// entered by default.
    pub segment_change: Option<SegmentChange>,
    pub conditions: Option<SegmentDefinition>,
    #[schemars(length(min = 1, max = 20))]
    pub actions: Vec<RuleAction>,
    /// per_episode by default.
    pub reenrollment: Option<Reenrollment>,
    /// Needed by cooldown.
    pub cooldown_minutes: Option<Minutes>,
    /// 1440 by default.
    pub max_lateness_minutes: Option<Minutes>,
}

/// What is absent stays as it is; null clears it.
#[derive(JsonSchema)]
pub struct RulePatch {
    pub name: Option<String>,
    pub description: Option<String>,
    pub is_enabled: Option<bool>,
    pub trigger_type: Option<Trigger>,
    pub event_type: Option<String>,
    pub time_offset_minutes: Option<Minutes>,
    pub segment_id: Option<Uuid>,
    pub segment_change: Option<SegmentChange>,
    pub conditions: Option<SegmentDefinition>,
    pub actions: Option<Vec<RuleAction>>,
    pub reenrollment: Option<Reenrollment>,
    pub cooldown_minutes: Option<Minutes>,
    pub max_lateness_minutes: Option<Minutes>,
}

#[derive(JsonSchema)]
pub struct PreviewRule {
    pub sample_size: Option<SampleSize>,
}

#[derive(JsonSchema)]
pub struct Preview {
    pub considered: i64,
    pub would_enroll: i64,
    /// The newest first.
    pub sample: Vec<Enrolled>,
    /// How many, by why.
    pub skipped: BTreeMap<String, i64>,
    pub skipped_sample: Vec<Skipped>,
    /// What consent says of the messages, by channel.
    pub messages: BTreeMap<String, BTreeMap<String, i64>>,
}

#[derive(JsonSchema)]
pub struct Enrolled {
    pub customer_id: Uuid,
    pub name: String,
    /// What the conditions see: [{path, result, actual}].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matched: Option<Matched>,
}

#[derive(JsonSchema)]
pub struct Skipped {
    pub customer_id: Uuid,
    pub name: String,
    pub code: SkipCode,
}

/// What a rule did, or why it did not.
#[derive(JsonSchema)]
pub struct Run {
    pub id: Uuid,
    pub org_id: Uuid,
    pub rule_id: Uuid,
    pub rule_version: i64,
    pub customer_id: Option<Uuid>,
    pub event_id: Option<Uuid>,
    pub occurrence_key: String,
    pub trigger_context: Option<Anything>,
    pub status: RunStatus,
    pub due_at: DateTime<Utc>,
    pub matched: Option<Matched>,
    pub results: Option<Matched>,
    pub skip_code: Option<String>,
    pub skip_reason: Option<String>,
    pub error_code: Option<String>,
    pub error_message: Option<String>,
    pub attempts: i64,
    /// The rules that led to it.
    pub rule_chain: Vec<Uuid>,
    pub started_at: DateTime<Utc>,
    pub completed_at: Option<DateTime<Utc>>,
}

#[derive(JsonSchema)]
pub struct ListedRun {
    #[serde(flatten)]
    pub run: Run,
    pub rule_name: String,
}

#[derive(JsonSchema)]
pub struct RunPage {
    pub data: Vec<ListedRun>,
    pub limit: i64,
    /// Null on the last page.
    pub next_cursor: Option<String>,
}

pub fn operations() -> Vec<Operation> {
    vec![
        Operation::post(
            "/crm/automation/rules",
            "createRule",
            "Makes a rule: when what happens, and what is done then",
        )
        .keyed()
        .body::<NewRule>()
        .example(json!({"name": "Thanks", "trigger_type": "event", "event_type": "work_order_completed",
            "actions": [{"type": "create_followup", "title": "Ask how it went", "due_in_minutes": 1440}]}))
        .created::<ChangedRule>("The rule."),
        Operation::get("/crm/automation/rules", "listRules", "Lists rules")
            .paged()
            .query::<Trigger>("trigger_type", "Only those.")
            .query::<YesOrNo>("is_enabled", "Only those that are, or are not.")
            .query::<String>("event_type", "Only those, such as quote_sent.")
            .ok::<Page<Rule>>("By their names."),
        Operation::get("/crm/automation/rules/{id}", "getRule", "Shows a rule")
            .ok::<Rule>("The rule."),
        Operation::patch(
            "/crm/automation/rules/{id}",
            "updateRule",
            "Changes a rule, or enables and disables it",
        )
        .body::<RulePatch>()
        .example(json!({"is_enabled": false}))
        .ok::<ChangedRule>("The rule."),
        Operation::post(
            "/crm/automation/rules/{id}/preview",
            "previewRule",
            "Says whom a rule would take in now, and whom it would skip and why",
        )
        .about("Writes nothing.")
        .body::<PreviewRule>()
        .ok::<Preview>("What it would do.")
        .fails(&[422]),
        Operation::get(
            "/crm/automation/runs",
            "listRuns",
            "Lists what rules did, and why they did not",
        )
        .query::<Limit>("limit", "How many at most.")
        .query::<Cursor>("cursor", "The next_cursor of the page before.")
        .query::<Uuid>("rule_id", "Only the rule's.")
        .query::<Uuid>("customer_id", "Only the customer's.")
        .query::<RunStatus>("status", "Only those.")
        .ok::<RunPage>("The newest first."),
        Operation::post("/crm/automation/runs/{id}/retry", "retryRun", "Does a failed run again")
            .about("What it makes has the keys of the first try: nothing is made twice.")
            .ok::<Run>("The run.")
            .fails(&[409]),
    ]
}
