//! E-mail over Amazon SES v2: <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html>.
//!
//! No idempotency key: a repeat is another e-mail. Requests are signed (SigV4) by AWS' own crate.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use fieldcrm_edge::aws::Account;
use fieldcrm_edge::http::{Client, Post};
use serde_json::{Value, json};

use super::address::ascii_mailbox;
use super::answer::{Repeat, Said, Verdict, exchange};
use super::settings::{EmailSettings, Misconfigured, Variables};
use super::{Outcome, Outgoing, Provider};

pub struct Ses {
    client: Client,
    email: EmailSettings,
    url: String,
    account: Account,
    configuration_set: Option<String>,
}

impl Ses {
    pub(super) fn read(client: &Client, variables: &Variables<'_>) -> Result<Self, Misconfigured> {
        let region = variables.required("AWS_REGION")?;
        let account = Account::new(
            &region,
            &variables.required("AWS_ACCESS_KEY_ID")?,
            &variables.required("AWS_SECRET_ACCESS_KEY")?,
            variables.optional("AWS_SESSION_TOKEN"),
        )
        .ok_or_else(|| Misconfigured::new("AWS_REGION", "is not a region"))?;
        let base =
            variables.base_url("SES_BASE_URL", &format!("https://email.{region}.amazonaws.com"))?;
        Ok(Self {
            client: client.clone(),
            email: EmailSettings::read(variables)?,
            url: format!("{base}/v2/email/outbound-emails"),
            account,
            configuration_set: variables.optional("SES_CONFIGURATION_SET"),
        })
    }

    fn post(&self, message: &Outgoing, now: DateTime<Utc>) -> Result<Post, Outcome> {
        let envelope = self.email.envelope(message)?;
        let mut content = json!({
            "Subject": { "Data": envelope.subject, "Charset": "UTF-8" },
            "Body": { "Html": { "Data": message.body, "Charset": "UTF-8" } },
        });
        if !envelope.headers.is_empty() {
            let header = |(name, value)| json!({ "Name": name, "Value": value });
            content["Headers"] = envelope.headers.into_iter().map(header).collect::<Value>();
        }
        let mut body = json!({
            "FromEmailAddress": ascii_mailbox(envelope.name.as_deref(), &envelope.email),
            "Destination": { "ToAddresses": [message.to] },
            "Content": { "Simple": content },
            "EmailTags": [{ "Name": "message_id", "Value": message.id }],
        });
        if let Some(reply_to) = envelope.reply_to {
            body["ReplyToAddresses"] = json!([reply_to]);
        }
        if let Some(set) = &self.configuration_set {
            body["ConfigurationSetName"] = set.as_str().into();
        }
        let mut post = Post {
            url: self.url.clone(),
            headers: vec![("content-type", "application/json".to_owned())],
            body: body.to_string(),
        };
        let signature = self.account.signature(&post, "ses", now);
        let Some(signature) = signature else {
            return Err(Outcome::rejected("not_signed", "the request could not be signed"));
        };
        post.headers.extend(signature);
        Ok(post)
    }
}

#[async_trait]
impl Provider for Ses {
    fn name(&self) -> &'static str {
        "ses"
    }

    async fn send(&self, message: &Outgoing) -> Outcome {
        let post = match self.post(message, Utc::now()) {
            Ok(post) => post,
            Err(outcome) => return outcome,
        };
        exchange(
            &self.client,
            post,
            Repeat::Sends,
            |answer| answer.json()["MessageId"].as_str().map(str::to_owned),
            |answer| {
                let body = answer.json();
                // `Name:http://…` and `prefix#Name` are seen too.
                let kind = answer.header("x-amzn-errortype").or(body["__type"].as_str());
                let kind = kind.and_then(|kind| kind.split(':').next()?.rsplit('#').next());
                Said {
                    code: kind.map(str::to_owned),
                    message: body["message"]
                        .as_str()
                        .or(body["Message"].as_str())
                        .map(str::to_owned),
                }
            },
            |answer, said| match said.code.as_deref() {
                // The rate or the day's quota, sending that is paused; with a 400 as well.
                Some(
                    "TooManyRequestsException" | "ThrottlingException" | "SendingPausedException",
                ) => Some(Verdict::Retry),
                // About our keys or our clock, not about the message.
                _ if answer.status == 403 => Some(Verdict::Retry),
                _ => None,
            },
        )
        .await
    }
}
