//! `/portal/threads`

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde_json::json;
use uuid::Uuid;

use super::visit::SignedFile;
use crate::choice::{SenderType, ThreadStatus, schemas};
use crate::document::Operation;
use crate::page::Items;

schemas! {
    FileIndex = json!({"type": "integer", "minimum": 0, "maximum": 255});
}

/// A file that was uploaded before, to the account's own folder.
#[derive(JsonSchema)]
pub struct Attachment {
    pub object_name: String,
    pub file_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<i64>,
}

#[derive(JsonSchema)]
pub struct NewThread {
    #[schemars(length(min = 1, max = 200))]
    pub subject: String,
    #[schemars(length(max = 10_000))]
    pub initial_message: Option<String>,
    pub related_work_order_id: Option<Uuid>,
    pub location_id: Option<Uuid>,
    #[schemars(length(max = 20))]
    pub attachments: Option<Vec<Attachment>>,
}

/// Text, files or both.
#[derive(JsonSchema)]
pub struct NewMessage {
    #[schemars(length(max = 10_000))]
    pub body: Option<String>,
    #[schemars(length(max = 20))]
    pub attachments: Option<Vec<Attachment>>,
}

#[derive(JsonSchema)]
pub struct OpenedThread {
    pub id: Uuid,
    pub subject: String,
    pub status: ThreadStatus,
    pub customer_id: Uuid,
    pub location_id: Option<Uuid>,
    pub related_work_order_id: Option<Uuid>,
    pub message: SentMessage,
}

#[derive(JsonSchema)]
pub struct SentMessage {
    pub id: Uuid,
    pub thread_id: Uuid,
    pub customer_id: Uuid,
    pub body: String,
    pub attachments: Vec<Attachment>,
    pub sent_at: DateTime<Utc>,
    pub read_at: Option<DateTime<Utc>>,
    /// Of the thread.
    pub status: ThreadStatus,
}

#[derive(JsonSchema)]
pub struct Thread {
    pub id: Uuid,
    pub subject: String,
    pub status: ThreadStatus,
    pub customer_id: Uuid,
    pub location_id: Option<Uuid>,
    pub related_work_order_id: Option<Uuid>,
    pub last_message_at: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
    pub last_message: Option<LastMessage>,
    pub unread_count: i64,
}

#[derive(JsonSchema)]
pub struct LastMessage {
    pub sender_type: SenderType,
    pub excerpt: String,
}

#[derive(JsonSchema)]
pub struct Message {
    pub id: Uuid,
    pub sender: Sender,
    pub body: String,
    pub attachments: Vec<Attachment>,
    pub sent_at: DateTime<Utc>,
    /// When the other side first read it.
    pub read_at: Option<DateTime<Utc>>,
}

#[derive(JsonSchema)]
pub struct Sender {
    pub r#type: SenderType,
    pub name: Option<String>,
    pub avatar_url: Option<String>,
    pub is_own: bool,
}

#[derive(JsonSchema)]
pub struct MarkedRead {
    /// How many were new.
    pub read: i64,
}

pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/portal/threads", "listThreads", "Lists threads, the latest word first")
            .by_cursor()
            .query::<ThreadStatus>("status", "Only those.")
            .ok::<Items<Thread>>("The page."),
        Operation::post(
            "/portal/threads",
            "createThread",
            "Begins a thread with a message to the office",
        )
        .keyed()
        .body::<NewThread>()
        .created::<OpenedThread>("The thread."),
        Operation::get(
            "/portal/threads/{id}/messages",
            "listMessages",
            "Lists the messages of a thread, the newest first",
        )
        .by_cursor()
        .ok::<Items<Message>>("The page."),
        Operation::post("/portal/threads/{id}/messages", "sendMessage", "Writes to the office")
            .about("A closed thread is open again.")
            .keyed()
            .body::<NewMessage>()
            .created::<SentMessage>("The message."),
        Operation::post(
            "/portal/threads/{id}/read",
            "markThreadRead",
            "Says that what the office wrote is read",
        )
        .ok::<MarkedRead>("How much of it was new."),
        Operation::get(
            "/portal/messages/{id}/files/{index}",
            "getMessageFile",
            "Gives a URL for a file of a message",
        )
        .path_parameter::<FileIndex>("index", "Which of its attachments, from 0.")
        .ok::<SignedFile>("The URL."),
    ]
}
