//! The log instead of a provider: for a developer's machine, and for an org that only looks.

use std::sync::Arc;

use async_trait::async_trait;
use fieldcrm_edge::Log;
use serde_json::json;

use fieldcrm_core::mask::mask;

use super::address::masked_text;
use super::{Outcome, Outgoing, Provider};

/// Of the text; the whole of it is in `crm_outbox`.
const SHOWN: usize = 500;

pub struct LogProvider {
    pub log: Arc<dyn Log>,
}

#[async_trait]
impl Provider for LogProvider {
    fn name(&self) -> &'static str {
        "log"
    }

    async fn send(&self, message: &Outgoing) -> Outcome {
        let facts = json!({
            "slug": "jobs", "id": message.id, "org_id": message.org_id, "channel": message.channel.as_str(),
            "purpose": message.purpose, "to": mask(&message.to),
            "subject": message.subject.as_deref().map(|subject| masked_text(subject, SHOWN)),
            "body": masked_text(&message.body, SHOWN),
        });
        fieldcrm_edge::log::event(self.log.as_ref(), "info", "message", facts);
        let id = format!("log-{}", message.id);
        Outcome::Sent { provider_message_id: Some(id), http_status: None }
    }
}
