//! `/portal/ai`

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde_json::json;
use uuid::Uuid;

use crate::choice::{AiRole, ConversationStatus, Topic, schemas};
use crate::document::Operation;
use crate::page::Items;

schemas! {
    /// Server-sent events: question, sentence ({text, citations}), reset (what was told does not count), and at the end answer or
    /// problem.
    Events = json!({"type": "string"});
}

#[derive(JsonSchema)]
pub struct NewConversation {
    /// general_support by default.
    pub context_type: Option<Topic>,
    pub related_work_order_id: Option<Uuid>,
}

#[derive(JsonSchema)]
pub struct Conversation {
    pub id: Uuid,
    pub context_type: Topic,
    pub status: ConversationStatus,
    pub customer_id: Option<Uuid>,
    pub related_work_order_id: Option<Uuid>,
    /// That it was handed over to.
    pub thread_id: Option<Uuid>,
    pub started_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
}

#[derive(JsonSchema)]
pub struct ListedConversation {
    #[serde(flatten)]
    pub conversation: Conversation,
    pub last_question: Option<String>,
}

#[derive(JsonSchema)]
pub struct WholeConversation {
    #[serde(flatten)]
    pub conversation: Conversation,
    /// The oldest first.
    pub messages: Vec<AiMessage>,
}

/// Answers have the members from answers_message_id on.
#[derive(JsonSchema)]
pub struct AiMessage {
    pub id: Uuid,
    pub role: AiRole,
    pub content: String,
    pub created_at: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answers_message_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<Citation>")]
    pub citations: Option<Vec<Citation>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "bool")]
    pub refused: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

#[derive(JsonSchema)]
pub struct Question {
    #[schemars(length(min = 1, max = 2000))]
    pub content: String,
}

#[derive(JsonSchema)]
pub struct Answered {
    /// Of the answer.
    pub id: Uuid,
    pub question: StoredQuestion,
    pub answer: StoredAnswer,
}

#[derive(JsonSchema)]
pub struct StoredQuestion {
    pub id: Uuid,
    pub conversation_id: Uuid,
    pub role: AiRole,
    pub content: String,
    pub created_at: DateTime<Utc>,
}

#[derive(JsonSchema)]
pub struct StoredAnswer {
    pub id: Uuid,
    pub role: AiRole,
    pub content: String,
    pub created_at: DateTime<Utc>,
    pub answers_message_id: Uuid,
    pub citations: Vec<Citation>,
    /// Nothing was found.
    pub refused: bool,
    pub provider: Option<String>,
    pub model: Option<String>,
}

#[derive(JsonSchema)]
pub struct Citation {
    /// Of the article.
    pub slug: String,
    pub title: String,
    pub chunk_index: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub heading: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub sentence: Option<String>,
}

pub fn operations() -> Vec<Operation> {
    vec![
        Operation::post(
            "/portal/ai/conversations",
            "startConversation",
            "Begins a conversation with the assistant",
        )
        .keyed()
        .optional_body::<NewConversation>()
        .created::<WholeConversation>("The conversation.")
        .fails(&[422]),
        Operation::get(
            "/portal/ai/conversations",
            "listConversations",
            "Lists one's conversations, the newest first",
        )
        .by_cursor()
        .query::<ConversationStatus>("status", "Only those.")
        .ok::<Items<ListedConversation>>("The page."),
        Operation::get(
            "/portal/ai/conversations/{id}",
            "getConversation",
            "Shows a conversation with its messages",
        )
        .ok::<WholeConversation>("The conversation."),
        Operation::post("/portal/ai/conversations/{id}/messages", "ask", "Asks a question")
            .about("With Accept: text/event-stream the answer comes as it is made.")
            .keyed()
            .body::<Question>()
            .created::<Answered>("The question and its answer.")
            .answers_as::<Events>(200, "text/event-stream", "The answer as it is made.")
            .fails(&[422, 502]),
        Operation::post(
            "/portal/ai/conversations/{id}/escalate",
            "escalate",
            "Hands a conversation over to staff",
        )
        .about("As often as one likes: it is one thread.")
        .ok::<Conversation>("The conversation.")
        .fails(&[409]),
    ]
}
