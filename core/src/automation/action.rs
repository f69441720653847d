//! What a rule can do.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::followup::Priority;

/// One action, as it is stored in `crm_automation_rules.actions`. Texts with variables are templates in the
/// syntax of message templates, checked when the rule is saved and rendered strictly.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    CreateFollowup {
        title: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// After the run.
        due_in_minutes: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        priority: Option<Priority>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        assign_to: Option<Assignee>,
        /// Before it is due.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        remind_minutes_before: Option<i64>,
    },
    /// Either `template_id`, or `body` (and `subject` for an e-mail).
    SendMessage {
        channel: MessageChannel,
        purpose: Purpose,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        template_id: Option<Uuid>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subject: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body: Option<String>,
        /// What the template lists beyond customer, org and user.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        variables: Map<String, Value>,
        /// Not sent later than this after the run.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_in_minutes: Option<i64>,
    },
    /// By name; the tag is made where the org has none of it.
    TagCustomer {
        tag: String,
    },
    UntagCustomer {
        tag: String,
    },
    /// One of [`SETTABLE`].
    SetField {
        field: String,
        value: Value,
    },
    /// A static segment, or one a model proposed.
    AddToSegment {
        segment_id: Uuid,
    },
    NotifyUser {
        to: Assignee,
        title: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body: Option<String>,
    },
    /// An HTTPS POST of the event and the customer's id, signed by Standard Webhooks.
    Webhook {
        url: String,
    },
}

/// The fields that `set_field` can set.
pub const SETTABLE: &[&str] =
    &["status", "lifecycle_stage", "pipeline_stage", "source", "preferred_language", "owner_id"];

/// A member of the org.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Assignee {
    /// The customer's owner; nobody where the customer has none.
    Owner,
    #[serde(untagged)]
    Member(Uuid),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageChannel {
    Email,
    Sms,
    Whatsapp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// The customer needs it: a confirmation, a bill.
    Transactional,
    Marketing,
}
