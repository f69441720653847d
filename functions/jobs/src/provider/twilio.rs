//! SMS over Twilio: <https://www.twilio.com/docs/messaging/api/message-resource>.
//!
//! Twilio has no idempotency key for messages: a repeat is another SMS. Its 500 "don't retry", 503 "retry after".

use async_trait::async_trait;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use fieldcrm_edge::http::{Client, Post};
use form_urlencoded::Serializer;

use super::answer::{Repeat, Said, Verdict, exchange};
use super::settings::{Misconfigured, Variables};
use super::{Outcome, Outgoing, Provider};

pub struct Twilio {
    client: Client,
    url: String,
    authorization: String,
    from: Option<String>,
    messaging_service_sid: Option<String>,
    status_callback: Option<String>,
}

impl Twilio {
    pub(super) fn read(client: &Client, variables: &Variables<'_>) -> Result<Self, Misconfigured> {
        let account = variables.required("TWILIO_ACCOUNT_SID")?;
        if !account.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(Misconfigured::new("TWILIO_ACCOUNT_SID", "is not an account's SID"));
        }
        let (user, secret) = match variables.optional("TWILIO_API_KEY_SID") {
            Some(key) => (key, variables.required("TWILIO_API_KEY_SECRET")?),
            None => (account.clone(), variables.required("TWILIO_AUTH_TOKEN")?),
        };
        let base = variables.base_url("TWILIO_BASE_URL", "https://api.twilio.com")?;
        Ok(Self {
            client: client.clone(),
            url: format!("{base}/2010-04-01/Accounts/{account}/Messages.json"),
            authorization: format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{secret}"))),
            from: variables.optional("TWILIO_FROM"),
            messaging_service_sid: variables.optional("TWILIO_MESSAGING_SERVICE_SID"),
            status_callback: variables.optional("TWILIO_STATUS_CALLBACK_URL"),
        })
    }

    fn post(&self, message: &Outgoing) -> Result<Post, Outcome> {
        let mut form = Serializer::new(String::new());
        form.append_pair("To", &message.to);
        match (&message.from.phone, &self.messaging_service_sid, &self.from) {
            (Some(phone), _, _) | (None, None, Some(phone)) => form.append_pair("From", phone),
            (None, Some(service), _) => form.append_pair("MessagingServiceSid", service),
            (None, None, None) => {
                let message = "set crm_messaging_settings.from_phone, or TWILIO_FROM";
                return Err(Outcome::rejected("sender_not_set", message));
            }
        };
        form.append_pair("Body", &message.body);
        if let Some(url) = &self.status_callback {
            // So that a status finds its message also where the answer to this request was lost.
            let joint = if url.contains('?') { '&' } else { '?' };
            form.append_pair("StatusCallback", &format!("{url}{joint}message_id={}", message.id));
        }
        Ok(Post {
            url: self.url.clone(),
            headers: vec![
                ("authorization", self.authorization.clone()),
                ("content-type", "application/x-www-form-urlencoded".to_owned()),
                ("accept", "application/json".to_owned()),
            ],
            body: form.finish(),
        })
    }
}

#[async_trait]
impl Provider for Twilio {
    fn name(&self) -> &'static str {
        "twilio"
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
            |answer| answer.json()["sid"].as_str().map(str::to_owned),
            |answer| {
                let body = answer.json();
                Said {
                    code: body["code"].as_u64().map(|code| code.to_string()),
                    message: body["message"].as_str().map(str::to_owned),
                }
            },
            // The sender's queue is full (21611), maintenance (21730).
            |_, said| match said.code.as_deref() {
                Some("20429" | "21611" | "21730") => Some(Verdict::Retry),
                _ => None,
            },
        )
        .await
    }
}
