//! `/crm/segments`

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde_json::json;
use uuid::Uuid;

use super::assist::Provider;
use crate::choice::{
    Anything, CustomerStatus, CustomerType, LifecycleStage, SegmentDefinition, SegmentType, schemas,
};
use crate::document::Operation;
use crate::page::Page;

schemas! {
    YesOrNo = json!({"type": "boolean"});
    JobKind = json!({"type": "string"});
    JobStatus = json!({"type": "string", "enum": ["queued", "running", "done", "failed", "canceled"]});
    /// How well a member has to fit, from 0 to 100.
    Threshold = json!({"type": "integer", "minimum": 0, "maximum": 100, "default": 50});
}

#[derive(JsonSchema)]
pub struct Segment {
    pub id: Uuid,
    pub org_id: Uuid,
    pub name: String,
    pub description: Option<String>,
    pub r#type: SegmentType,
    pub definition: Option<SegmentDefinition>,
    pub ai_prompt: Option<String>,
    pub ai_explanation: Option<String>,
    pub is_active: bool,
    pub version: i64,
    /// The segments that its rules name.
    pub depends_on: Vec<Uuid>,
    pub last_computed_at: Option<DateTime<Utc>>,
    /// When scores decided last who is a member; null where rules or people do.
    pub scored_at: Option<DateTime<Utc>>,
    pub created_by_user_id: Option<Uuid>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(JsonSchema)]
pub struct ChangedSegment {
    #[serde(flatten)]
    pub segment: Segment,
    /// When it is next computed by the clock.
    pub recompute_at: DateTime<Utc>,
    /// Absent or null where there was nothing to compute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub computed: Option<Computed>,
}

#[derive(JsonSchema)]
pub struct Computed {
    pub added: i64,
    pub removed: i64,
    pub total: i64,
}

/// Of an ai_generated segment with the rules that were found for it.
#[derive(JsonSchema)]
pub struct Recomputed {
    #[serde(flatten)]
    pub computed: Computed,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "SegmentDefinition")]
    pub definition: Option<SegmentDefinition>,
    /// The rules in English.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub explanation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Provider")]
    pub provider: Option<Provider>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub model: Option<String>,
}

#[derive(JsonSchema)]
pub struct NewSegment {
    /// Unique in the org.
    #[schemars(length(min = 1))]
    pub name: String,
    pub r#type: SegmentType,
    pub description: Option<String>,
    /// Needed by rule_based.
    pub definition: Option<SegmentDefinition>,
    /// Needed by ai_generated: whom it is to have.
    pub ai_prompt: Option<String>,
}

/// What is absent stays as it is; null clears it.
#[derive(JsonSchema)]
pub struct SegmentPatch {
    pub name: Option<String>,
    pub r#type: Option<SegmentType>,
    pub description: Option<String>,
    pub definition: Option<SegmentDefinition>,
    pub ai_prompt: Option<String>,
    pub ai_explanation: Option<String>,
    pub is_active: Option<bool>,
    /// Change it only if it still is this version.
    pub version: Option<i64>,
}

#[derive(JsonSchema)]
pub struct Member {
    pub customer_id: Uuid,
    pub score: Option<f64>,
    pub metadata: Option<Anything>,
    pub created_at: DateTime<Utc>,
    /// Null where the caller may not see the customer.
    pub customers: Option<MemberCustomer>,
}

#[derive(JsonSchema)]
pub struct MemberCustomer {
    pub id: Uuid,
    pub r#type: CustomerType,
    pub name: String,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub status: CustomerStatus,
    pub lifecycle_stage: Option<LifecycleStage>,
    pub owner_id: Option<Uuid>,
    pub is_archived: bool,
}

#[derive(JsonSchema)]
pub struct AddMembers {
    #[schemars(length(max = 10_000))]
    pub customer_ids: Vec<Uuid>,
    /// One for each.
    pub scores: Option<Vec<Option<f64>>>,
}

#[derive(JsonSchema)]
pub struct RemoveMembers {
    #[schemars(length(max = 10_000))]
    pub customer_ids: Vec<Uuid>,
}

#[derive(JsonSchema)]
pub struct ChangedMembers {
    pub added: i64,
    pub removed: i64,
    pub not_found: Vec<Uuid>,
}

#[derive(JsonSchema)]
pub struct ScoreSegment {
    pub threshold: Option<Threshold>,
    /// Score only who matches the rules, instead of all who are not archived.
    pub only_matching: Option<bool>,
}

/// What is computed about many customers.
#[derive(JsonSchema)]
pub struct Job {
    pub id: Uuid,
    pub kind: JobKind,
    pub segment_id: Uuid,
    pub segment_version: i64,
    pub status: JobStatus,
    pub threshold: i64,
    pub only_matching: bool,
    /// Customers.
    pub total: i64,
    pub scored: i64,
    pub failed: i64,
    pub provider: Option<String>,
    pub model: Option<String>,
    /// Why it failed.
    pub error_code: Option<String>,
    pub created_by_user_id: Option<Uuid>,
    pub created_at: DateTime<Utc>,
    pub started_at: Option<DateTime<Utc>>,
    pub finished_at: Option<DateTime<Utc>>,
    pub updated_at: DateTime<Utc>,
}

#[derive(JsonSchema)]
pub struct ChangedJob {
    pub org_id: Uuid,
    /// How often in a row the model was not available.
    pub outages: i64,
    /// Not before.
    pub available_at: DateTime<Utc>,
    #[serde(flatten)]
    pub job: Job,
}

pub fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/crm/segments", "createSegment", "Creates a segment, and computes its members if it has rules")
            .keyed()
            .body::<NewSegment>()
            .example(json!({"name": "In London", "type": "rule_based", "definition": {"version": 1, "entity": "customer",
                "query": {"combinator": "and", "rules": [{"field": "city", "operator": "in", "value": "London"}]}}}))
            .created::<ChangedSegment>("The segment.")
            .fails(&[422]),
        Operation::get("/crm/segments", "listSegments", "Lists segments")
            .paged()
            .query::<SegmentType>("type", "Only those.")
            .query::<YesOrNo>("is_active", "Only those that are, or are not.")
            .ok::<Page<Segment>>("By their names."),
        Operation::get("/crm/segments/{id}", "getSegment", "Shows a segment").ok::<Segment>("The segment."),
        Operation::patch("/crm/segments/{id}", "updateSegment", "Changes what the body names")
            .about("A new definition is computed.")
            .body::<SegmentPatch>()
            .ok::<ChangedSegment>("The segment.")
            .fails(&[409, 422]),
        Operation::get("/crm/segments/{id}/members", "listMembers", "Lists the members of a segment")
            .paged()
            .ok::<Page<Member>>("The best score first."),
        Operation::post("/crm/segments/{id}/members", "addMembers", "Puts customers into a segment by hand")
            .body::<AddMembers>()
            .ok::<ChangedMembers>("What changed.")
            .fails(&[409]),
        Operation::delete("/crm/segments/{id}/members", "removeMembers", "Takes customers out of a segment")
            .body::<RemoveMembers>()
            .ok::<ChangedMembers>("What changed.")
            .fails(&[409]),
        Operation::post("/crm/segments/{id}/recompute", "recomputeSegment", "Makes the members what the rules say now")
            .about("For an ai_generated segment rules are found first, by a model if one is set up, else by a grammar.")
            .ok::<Recomputed>("What changed.")
            .fails(&[409, 422, 429, 502]),
        Operation::post("/crm/segments/{id}/score", "scoreSegment", "Begins to score customers by how well they fit a segment")
            .about("At the end the members are those with the threshold or more. For an ai_generated segment without rules those are found first.")
            .keyed()
            .optional_body::<ScoreSegment>()
            .accepted::<ChangedJob>("The job; its path says how far it is.")
            .fails(&[422, 429, 502]),
        Operation::get("/crm/ai-jobs", "listJobs", "Lists jobs")
            .paged()
            .query::<Uuid>("segment_id", "Only the segment's.")
            .query::<JobStatus>("status", "Only those.")
            .ok::<Page<Job>>("The latest first."),
        Operation::get("/crm/ai-jobs/{id}", "getJob", "Says how far a job is").ok::<Job>("The job."),
        Operation::post("/crm/ai-jobs/{id}/cancel", "cancelJob", "Ends a job before it is done")
            .about("What is scored is forgotten, and the members stay who they are.")
            .ok::<ChangedJob>("The job.")
            .fails(&[409]),
    ]
}
