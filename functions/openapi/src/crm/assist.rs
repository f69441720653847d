//! What is written and found for staff: suggestions, drafts, insights, the next action.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde_json::json;
use uuid::Uuid;

use super::activity::MadeFollowup;
use crate::choice::{DraftChannel, DraftPurpose, InsightKind, Priority, SuggestionRule, schemas};
use crate::document::Operation;

schemas! {
    /// Who said it: builtin, or the provider of a model.
    Provider = json!({"type": "string"});
    /// A value of the database: a number, a day, a text.
    FactValue = json!({});
    Ignored = json!({"type": "string", "enum": ["instructions", "language"]});
}

#[derive(JsonSchema)]
pub struct Suggestions {
    pub provider: Provider,
    /// At most five, the most important first.
    pub suggestions: Vec<MadeFollowup>,
}

#[derive(JsonSchema)]
pub struct DraftMessage {
    /// email by default.
    pub channel: Option<DraftChannel>,
    pub purpose: DraftPurpose,
    /// What it is to say besides; only a model can.
    #[schemars(length(max = 1000))]
    pub instructions: Option<String>,
    /// A language tag; by default the customer's.
    pub language: Option<String>,
}

/// A template, for a person to read: nothing is stored, nothing is sent.
#[derive(JsonSchema)]
pub struct Draft {
    pub channel: DraftChannel,
    /// Null for text messages.
    pub subject: Option<String>,
    pub body: String,
    /// The values of the variables in it.
    pub variables: BTreeMap<String, String>,
    pub language: String,
    /// What was asked for and only a model can do; absent where one wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<Ignored>")]
    pub ignored: Option<Vec<Ignored>>,
    #[serde(flatten)]
    pub signature: Signature,
}

/// Whose word it is.
#[derive(JsonSchema)]
pub struct Signature {
    pub provider: Provider,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub model: Option<String>,
    /// Why a model that is set up did not say it: a code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub ai_error: Option<String>,
}

#[derive(JsonSchema)]
pub struct Insights {
    pub summary: String,
    pub insights: Vec<Insight>,
    #[serde(flatten)]
    pub signature: Signature,
}

#[derive(JsonSchema)]
pub struct Insight {
    pub kind: InsightKind,
    pub text: String,
    /// The interactions that it is from.
    pub evidence: Vec<Uuid>,
}

#[derive(JsonSchema)]
pub struct NextAction {
    /// Null where there is nothing to do.
    pub action: Option<SuggestedAction>,
    pub alternatives: Vec<SuggestedAction>,
    #[serde(flatten)]
    pub signature: Signature,
}

#[derive(JsonSchema)]
pub struct SuggestedAction {
    pub rule: SuggestionRule,
    pub subject: String,
    pub description: Option<String>,
    pub reason: String,
    pub priority: Priority,
    pub due_at: DateTime<Utc>,
    pub facts: Vec<Fact>,
    /// Why a model put it first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub why: Option<String>,
}

#[derive(JsonSchema)]
pub struct Fact {
    pub table: String,
    pub id: Option<Uuid>,
    pub field: String,
    pub value: FactValue,
}

pub fn operations() -> Vec<Operation> {
    vec![
        Operation::post(
            "/crm/customers/{id}/suggest-followups",
            "suggestFollowups",
            "Makes follow-ups of what the facts about a customer suggest",
        )
        .about("The same facts make the same: a second call makes nothing.")
        .ok::<Suggestions>("Those that there are.")
        .fails(&[409]),
        Operation::post(
            "/crm/customers/{id}/draft-message",
            "draftMessage",
            "Writes a message to a customer, for a person to read",
        )
        .body::<DraftMessage>()
        .ok::<Draft>("The draft.")
        .fails(&[409]),
        Operation::post(
            "/crm/customers/{id}/insights",
            "findInsights",
            "Says what a customer's interactions tell",
        )
        .ok::<Insights>("What was found."),
        Operation::post(
            "/crm/customers/{id}/next-action",
            "findNextAction",
            "Says what to do first about a customer",
        )
        .ok::<NextAction>("The action, and what else there is.")
        .fails(&[409]),
    ]
}
