//! `/crm/interactions`, `/crm/followups`, `/crm/leads`

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde_json::json;
use uuid::Uuid;

use crate::choice::{
    Anything, Direction, FollowupOrigin, FollowupStatus, InteractionChannel, Priority, Sentiment,
    schemas,
};
use crate::document::Operation;
use crate::page::Page;

schemas! {
    /// Of a member, or the caller's own: me.
    Assignee = json!({"anyOf": [{"type": "string", "format": "uuid"}, {"const": "me"}]});
    Boolean = json!({"type": "boolean", "default": false});
}

/// What was said to or by a customer; it is never changed.
#[derive(JsonSchema)]
pub struct Interaction {
    pub id: Uuid,
    pub org_id: Uuid,
    pub customer_id: Uuid,
    pub location_id: Option<Uuid>,
    pub related_work_order_id: Option<Uuid>,
    pub related_quote_id: Option<Uuid>,
    pub channel: InteractionChannel,
    pub direction: Option<Direction>,
    pub r#type: Option<String>,
    pub subject: Option<String>,
    pub summary: Option<String>,
    pub body: Option<String>,
    pub metadata: Option<Anything>,
    /// Null until it was analysed.
    pub sentiment: Option<Sentiment>,
    pub follow_up_date: Option<DateTime<Utc>>,
    pub created_by_user_id: Option<Uuid>,
    pub occurred_at: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
}

#[derive(JsonSchema)]
pub struct LoggedInteraction {
    #[serde(flatten)]
    pub interaction: Interaction,
    /// The one that follow_up_date made.
    pub followup: Option<Followup>,
}

#[derive(JsonSchema)]
pub struct NewInteraction {
    pub customer_id: Uuid,
    pub channel: InteractionChannel,
    /// By default that of the channel.
    pub direction: Option<Direction>,
    #[schemars(length(max = 100))]
    pub r#type: Option<String>,
    #[schemars(length(max = 500))]
    pub subject: Option<String>,
    #[schemars(length(max = 20_000))]
    pub summary: Option<String>,
    #[schemars(length(max = 200_000))]
    pub body: Option<String>,
    /// At most 16 KiB and 8 levels.
    pub metadata: Option<Anything>,
    /// Now by default, at most a day in the future.
    pub occurred_at: Option<DateTime<Utc>>,
    /// Makes a follow-up too.
    pub follow_up_date: Option<DateTime<Utc>>,
    pub location_id: Option<Uuid>,
    pub related_work_order_id: Option<Uuid>,
    pub related_quote_id: Option<Uuid>,
}

/// What somebody has to come back to a customer for.
#[derive(JsonSchema)]
pub struct Followup {
    pub id: Uuid,
    pub org_id: Uuid,
    pub customer_id: Uuid,
    pub assigned_to_user_id: Option<Uuid>,
    pub title: String,
    pub description: Option<String>,
    pub due_at: DateTime<Utc>,
    pub status: FollowupStatus,
    pub priority: Priority,
    pub origin: FollowupOrigin,
    pub dedupe_key: Option<String>,
    pub related_interaction_id: Option<Uuid>,
    pub related_work_order_id: Option<Uuid>,
    pub created_by_user_id: Option<Uuid>,
    pub completed_at: Option<DateTime<Utc>>,
    pub completion_notes: Option<String>,
    pub remind_at: Option<DateTime<Utc>>,
    pub reminded_at: Option<DateTime<Utc>>,
    pub overdue_notified_at: Option<DateTime<Utc>>,
    /// Why it was suggested.
    pub evidence: Option<Anything>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(JsonSchema)]
pub struct MadeFollowup {
    #[serde(flatten)]
    pub followup: Followup,
    /// Whether it is new.
    pub created: bool,
}

#[derive(JsonSchema)]
pub struct NewFollowup {
    pub customer_id: Uuid,
    #[schemars(length(min = 1, max = 200))]
    pub title: String,
    pub due_at: DateTime<Utc>,
    #[schemars(length(max = 20_000))]
    pub description: Option<String>,
    /// medium by default.
    pub priority: Option<Priority>,
    /// Active staff; the caller by default.
    pub assigned_to_user_id: Option<Uuid>,
    pub related_interaction_id: Option<Uuid>,
    pub related_work_order_id: Option<Uuid>,
    /// What makes it the same follow-up: where the org has the key already, its row is answered as it is.
    pub dedupe_key: Option<String>,
    pub remind_at: Option<DateTime<Utc>>,
}

/// What is absent stays as it is; null clears it.
#[derive(JsonSchema)]
pub struct FollowupPatch {
    pub status: Option<ChangedStatus>,
    pub completion_notes: Option<String>,
    pub title: Option<String>,
    pub description: Option<String>,
    pub due_at: Option<DateTime<Utc>>,
    pub priority: Option<Priority>,
    pub assigned_to_user_id: Option<Uuid>,
    pub remind_at: Option<DateTime<Utc>>,
}

schemas! {
    /// In both spellings of canceled.
    ChangedStatus = json!({"type": "string", "enum": ["pending", "completed", "canceled", "cancelled"]});
    FollowupFilter = json!({"type": "string", "enum": ["pending", "completed", "canceled", "cancelled", "expired"]});
    LeadCount = json!({"type": "integer", "minimum": 1, "maximum": 1000, "default": 1000});
    Percent = json!({"type": "number", "minimum": 0, "maximum": 100});
}

#[derive(JsonSchema)]
pub struct ScoreLeads {
    #[schemars(length(max = 1000))]
    pub lead_ids: Option<Vec<Uuid>>,
    pub page_size: Option<LeadCount>,
}

#[derive(JsonSchema)]
pub struct ScoredLeads {
    pub model: LeadModel,
    pub leads: Vec<ScoredLead>,
}

#[derive(JsonSchema)]
pub struct LeadModel {
    pub provider: String,
    /// Whether its weights are learned from the org's own leads.
    pub is_trained: bool,
    pub converted: i64,
    pub lost: i64,
    /// The area under the ROC curve on outcomes that were held out.
    pub auc: Option<f64>,
}

/// The best first.
#[derive(JsonSchema)]
pub struct ScoredLead {
    pub id: Uuid,
    pub score: Percent,
    pub reasons: Vec<LeadReason>,
}

#[derive(JsonSchema)]
pub struct LeadReason {
    pub feature: String,
    /// On the logarithm of the odds.
    pub effect: f64,
    pub text: String,
}

pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get(
            "/crm/customers/{id}/interactions",
            "listInteractions",
            "Lists what was said to and by a customer",
        )
        .paged()
        .query::<InteractionChannel>("channel", "Only those.")
        .query::<Sentiment>("sentiment", "Only those.")
        .query::<DateTime<Utc>>("from", "When it was, from then on.")
        .query::<DateTime<Utc>>("to", "When it was, before then.")
        .ok::<Page<Interaction>>("The newest first."),
        Operation::post(
            "/crm/interactions",
            "logInteraction",
            "Logs what was said to or by a customer",
        )
        .keyed()
        .body::<NewInteraction>()
        .example(json!({"customer_id": "0190d1e4-5f3a-7c1b-9d4e-2a6b8c0d1e2f", "channel": "phone", "direction": "inbound",
            "summary": "Asked for a quote."}))
        .created::<LoggedInteraction>("The interaction.")
        .fails(&[404]),
        Operation::get("/crm/interactions/{id}", "getInteraction", "Shows an interaction")
            .ok::<Interaction>("The interaction."),
        Operation::post("/crm/followups", "createFollowup", "Makes a follow-up")
            .keyed()
            .body::<NewFollowup>()
            .created::<MadeFollowup>("It is new.")
            .answers::<MadeFollowup>(200, "The one that has the dedupe_key already.")
            .fails(&[404]),
        Operation::get("/crm/followups", "listFollowups", "Lists follow-ups")
            .paged()
            .query::<Assignee>("assigned_to_user_id", "Only theirs; me: the caller's.")
            .query::<Uuid>("customer_id", "Only the customer's.")
            .query::<FollowupFilter>("status", "Only those.")
            .query::<Priority>("priority", "Only those.")
            .query::<DateTime<Utc>>("due_from", "Due from then on.")
            .query::<DateTime<Utc>>("due_to", "Due before then.")
            .query::<Boolean>("overdue", "true: only what is pending and was due.")
            .ok::<Page<Followup>>("What is due first, first."),
        Operation::get("/crm/followups/{id}", "getFollowup", "Shows a follow-up")
            .ok::<Followup>("The follow-up."),
        Operation::patch(
            "/crm/followups/{id}",
            "updateFollowup",
            "Completes, cancels, opens again, moves or hands over a follow-up",
        )
        .body::<FollowupPatch>()
        .ok::<Followup>("The follow-up.")
        .fails(&[409]),
        Operation::post(
            "/crm/leads/score",
            "scoreLeads",
            "Scores leads: how likely they are to convert, in percent",
        )
        .about("Without a body, the open leads that wait longest.")
        .optional_body::<ScoreLeads>()
        .ok::<ScoredLeads>("The scores, which are stored.")
        .fails(&[404, 409]),
    ]
}
