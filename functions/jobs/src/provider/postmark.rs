//! E-mail over Postmark: <https://postmarkapp.com/developer/api/email-api>.
//!
//! No idempotency key: a repeat is another e-mail. Marketing goes over a broadcast stream, as Postmark demands.

use async_trait::async_trait;
use fieldcrm_core::automation::Purpose;
use fieldcrm_edge::http::{Client, Post};
use serde_json::{Value, json};

use super::answer::{Repeat, Said, Verdict, exchange};
use super::settings::{EmailSettings, Misconfigured, Variables};
use super::{Outcome, Outgoing, Provider};

pub struct Postmark {
    client: Client,
    email: EmailSettings,
    url: String,
    token: String,
    transactional: String,
    marketing: String,
}

impl Postmark {
    pub(super) fn read(client: &Client, variables: &Variables<'_>) -> Result<Self, Misconfigured> {
        let base = variables.base_url("POSTMARK_BASE_URL", "https://api.postmarkapp.com")?;
        let stream =
            |name: &str, usual: &str| variables.optional(name).unwrap_or_else(|| usual.to_owned());
        Ok(Self {
            client: client.clone(),
            email: EmailSettings::read(variables)?,
            url: format!("{base}/email"),
            token: variables.required("POSTMARK_SERVER_TOKEN")?,
            transactional: stream("POSTMARK_TRANSACTIONAL_STREAM", "outbound"),
            marketing: stream("POSTMARK_MARKETING_STREAM", "broadcast"),
        })
    }

    fn post(&self, message: &Outgoing) -> Result<Post, Outcome> {
        let envelope = self.email.envelope(message)?;
        let mut body = json!({
            "From": envelope.from(),
            "To": message.to,
            "Subject": envelope.subject,
            "HtmlBody": message.body,
            "MessageStream": match message.purpose {
                Purpose::Transactional => &self.transactional,
                Purpose::Marketing => &self.marketing,
            },
            "Metadata": { "message_id": message.id },
        });
        if let Some(reply_to) = envelope.reply_to {
            body["ReplyTo"] = reply_to.into();
        }
        if !envelope.headers.is_empty() {
            let header = |(name, value)| json!({ "Name": name, "Value": value });
            body["Headers"] = envelope.headers.into_iter().map(header).collect::<Value>();
        }
        Ok(Post {
            url: self.url.clone(),
            headers: vec![
                ("x-postmark-server-token", self.token.clone()),
                ("content-type", "application/json".to_owned()),
                ("accept", "application/json".to_owned()),
            ],
            body: body.to_string(),
        })
    }
}

#[async_trait]
impl Provider for Postmark {
    fn name(&self) -> &'static str {
        "postmark"
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
            |answer| answer.json()["MessageID"].as_str().map(str::to_owned),
            |answer| {
                let body = answer.json();
                Said {
                    code: body["ErrorCode"].as_u64().map(|code| code.to_string()),
                    message: body["Message"].as_str().map(str::to_owned),
                }
            },
            // Our token, maintenance, the rate limit, the account's credits: with a 422 as well.
            |_, said| match said.code.as_deref() {
                Some("10" | "100" | "405" | "429") => Some(Verdict::Retry),
                _ => None,
            },
        )
        .await
    }
}
