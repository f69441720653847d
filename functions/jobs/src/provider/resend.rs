//! E-mail over Resend: <https://resend.com/docs/api-reference/emails/send-email>.
//!
//! `Idempotency-Key` makes a repeat within 24 hours the same e-mail.

use async_trait::async_trait;
use fieldcrm_edge::http::{Client, Post};
use serde_json::json;

use super::answer::{Repeat, Said, Verdict, exchange};
use super::settings::{EmailSettings, Misconfigured, Variables};
use super::{Outcome, Outgoing, Provider};

pub struct Resend {
    client: Client,
    email: EmailSettings,
    url: String,
    key: String,
}

impl Resend {
    pub(super) fn read(client: &Client, variables: &Variables<'_>) -> Result<Self, Misconfigured> {
        let base = variables.base_url("RESEND_BASE_URL", "https://api.resend.com")?;
        Ok(Self {
            client: client.clone(),
            email: EmailSettings::read(variables)?,
            url: format!("{base}/emails"),
            key: variables.required("RESEND_API_KEY")?,
        })
    }

    fn post(&self, message: &Outgoing) -> Result<Post, Outcome> {
        let envelope = self.email.envelope(message)?;
        let mut body = json!({
            "from": envelope.from(),
            "to": [message.to],
            "subject": envelope.subject,
            "html": message.body,
            "tags": [{ "name": "message_id", "value": message.id }],
        });
        if let Some(reply_to) = envelope.reply_to {
            body["reply_to"] = reply_to.into();
        }
        if !envelope.headers.is_empty() {
            body["headers"] = envelope.headers.into_iter().collect();
        }
        Ok(Post {
            url: self.url.clone(),
            headers: vec![
                ("authorization", format!("Bearer {}", self.key)),
                ("content-type", "application/json".to_owned()),
                ("idempotency-key", message.id.to_string()),
            ],
            body: body.to_string(),
        })
    }
}

#[async_trait]
impl Provider for Resend {
    fn name(&self) -> &'static str {
        "resend"
    }

    async fn send(&self, message: &Outgoing) -> Outcome {
        let post = match self.post(message) {
            Ok(post) => post,
            Err(outcome) => return outcome,
        };
        exchange(
            &self.client,
            post,
            Repeat::Known,
            |answer| answer.json()["id"].as_str().map(str::to_owned),
            |answer| {
                let body = answer.json();
                Said {
                    code: body["name"].as_str().map(str::to_owned),
                    message: body["message"].as_str().map(str::to_owned),
                }
            },
            |_, said| match said.code.as_deref() {
                // The first request with the key is still under way; or our key is not theirs.
                Some("concurrent_idempotent_requests" | "invalid_api_key") => Some(Verdict::Retry),
                // They had the key before, with another text: the message changed after an attempt that they took.
                Some("invalid_idempotent_request") => Some(Verdict::Unknown),
                _ => None,
            },
        )
        .await
    }
}
