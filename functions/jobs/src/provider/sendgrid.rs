//! E-mail over SendGrid: <https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send>.
//!
//! No idempotency key: a repeat is another e-mail.

use async_trait::async_trait;
use fieldcrm_edge::http::{Client, Post};
use serde_json::json;

use super::answer::{Repeat, Said, exchange};
use super::settings::{EmailSettings, Misconfigured, Variables};
use super::{Outcome, Outgoing, Provider};

pub struct Sendgrid {
    client: Client,
    email: EmailSettings,
    url: String,
    key: String,
}

impl Sendgrid {
    pub(super) fn read(client: &Client, variables: &Variables<'_>) -> Result<Self, Misconfigured> {
        let base = variables.base_url("SENDGRID_BASE_URL", "https://api.sendgrid.com")?;
        Ok(Self {
            client: client.clone(),
            email: EmailSettings::read(variables)?,
            url: format!("{base}/v3/mail/send"),
            key: variables.required("SENDGRID_API_KEY")?,
        })
    }

    fn post(&self, message: &Outgoing) -> Result<Post, Outcome> {
        let envelope = self.email.envelope(message)?;
        let mut from = json!({ "email": envelope.email });
        if let Some(name) = envelope.name {
            from["name"] = name.into();
        }
        let mut body = json!({
            "personalizations": [{
                "to": [{ "email": message.to }],
                "custom_args": { "message_id": message.id },
            }],
            "from": from,
            "subject": envelope.subject,
            "content": [{ "type": "text/html", "value": message.body }],
        });
        if let Some(reply_to) = envelope.reply_to {
            body["reply_to"] = json!({ "email": reply_to });
        }
        if !envelope.headers.is_empty() {
            body["headers"] = envelope.headers.into_iter().collect();
        }
        Ok(Post {
            url: self.url.clone(),
            headers: vec![
                ("authorization", format!("Bearer {}", self.key)),
                ("content-type", "application/json".to_owned()),
                ("accept", "application/json".to_owned()),
            ],
            body: body.to_string(),
        })
    }
}

#[async_trait]
impl Provider for Sendgrid {
    fn name(&self) -> &'static str {
        "sendgrid"
    }

    async fn send(&self, message: &Outgoing) -> Outcome {
        let post = match self.post(message) {
            Ok(post) => post,
            Err(outcome) => return outcome,
        };
        exchange(
            &self.client,
            post,
            Repeat::Sends,
            |answer| answer.header("x-message-id").map(str::to_owned),
            // Its errors have no codes, only the field that they are about.
            |answer| {
                let error = &answer.json()["errors"][0];
                Said {
                    code: error["field"].as_str().map(|field| format!("invalid_{field}")),
                    message: error["message"].as_str().map(str::to_owned),
                }
            },
            |_, _| None,
        )
        .await
    }
}
