//! The arguments of the RPCs.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::automation::{MessageChannel, Purpose};
use crate::customer::Checks;
use crate::interaction::{check_time, required};
use crate::{Result, consent};

use super::{Channel, Provider, Status};

const MAX_SUBJECT: usize = 500;
const MAX_BODY: usize = 200_000;
const MAX_DEDUPE_KEY: usize = 255;
const MAX_PROVIDER_ID: usize = 500;
const MAX_ERROR_CODE: usize = 100;
const MAX_ERROR_MESSAGE: usize = 2_000;
/// How many messages a call hands out, and for how many seconds, unless the job says otherwise.
const CLAIM_BATCH: i64 = 50;
const MAX_CLAIM_BATCH: i64 = 1_000;
const LEASE_SECONDS: i64 = 120;
const MAX_LEASE_SECONDS: i64 = 3_600;

/// The arguments of `crm_can_contact`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactQuestion {
    pub customer_id: Option<Uuid>,
    pub channel: Option<consent::Channel>,
    pub purpose: Option<Purpose>,
    /// Now, where it is absent.
    pub at: Option<DateTime<Utc>>,
}

impl ContactQuestion {
    pub fn prepare(self) -> Result<(Uuid, consent::Channel, Purpose, Option<DateTime<Utc>>)> {
        let mut checks = Checks::default();
        let customer_id = required(&mut checks, "customer_id", self.customer_id);
        let channel = required(&mut checks, "channel", self.channel);
        let purpose = required(&mut checks, "purpose", self.purpose);
        check_time(&mut checks, "at", self.at);
        checks.finish()?;
        Ok((
            customer_id.unwrap_or_default(),
            channel.unwrap_or(consent::Channel::Email),
            purpose.unwrap_or(Purpose::Marketing),
            self.at,
        ))
    }
}

/// The arguments of `crm_send_message`: a template or a body.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SendMessage {
    pub customer_id: Option<Uuid>,
    pub channel: Option<MessageChannel>,
    pub purpose: Option<Purpose>,
    pub template_id: Option<Uuid>,
    pub subject: Option<String>,
    pub body: Option<String>,
    pub variables: Option<Value>,
    pub scheduled_at: Option<DateTime<Utc>>,
    pub expires_at: Option<DateTime<Utc>>,
    pub contact_id: Option<Uuid>,
    pub dedupe_key: Option<String>,
}

/// The arguments of `crm_reply_to_conversation`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    pub conversation_id: Option<Uuid>,
    pub content: Option<String>,
    pub subject: Option<String>,
}

/// A checked [`Reply`].
#[derive(Clone, Debug)]
pub struct PreparedReply {
    pub conversation_id: Uuid,
    pub content: String,
    pub subject: Option<String>,
}

impl Reply {
    pub fn prepare(self) -> Result<PreparedReply> {
        let mut checks = Checks::default();
        let conversation_id = required(&mut checks, "conversation_id", self.conversation_id);
        let content = checks.text("content", self.content, MAX_BODY);
        if content.is_none() {
            checks.fail("content", "required", "must be given");
        }
        let subject = checks.text("subject", self.subject, MAX_SUBJECT);
        checks.finish()?;
        Ok(PreparedReply {
            conversation_id: conversation_id.unwrap_or_default(),
            content: content.unwrap_or_default(),
            subject,
        })
    }
}

/// A checked [`SendMessage`].
#[derive(Clone, Debug)]
pub struct PreparedMessage {
    pub customer_id: Uuid,
    pub channel: Channel,
    pub purpose: Purpose,
    pub template_id: Option<Uuid>,
    pub subject: Option<String>,
    pub body: Option<String>,
    pub variables: Option<Value>,
    pub scheduled_at: Option<DateTime<Utc>>,
    pub expires_at: Option<DateTime<Utc>>,
    pub contact_id: Option<Uuid>,
    pub dedupe_key: Option<String>,
}

impl SendMessage {
    pub fn prepare(self) -> Result<PreparedMessage> {
        let mut checks = Checks::default();
        let customer_id = required(&mut checks, "customer_id", self.customer_id);
        let channel = required(&mut checks, "channel", self.channel);
        let purpose = required(&mut checks, "purpose", self.purpose);
        let subject = checks.text("subject", self.subject, MAX_SUBJECT);
        let body = checks.text("body", self.body, MAX_BODY);
        let by_template = self.template_id.is_some();
        for (path, given) in [("subject", subject.is_some()), ("body", body.is_some())] {
            if by_template && given {
                checks.fail(path, "not_allowed", "comes of the template");
            }
        }
        if !by_template {
            if body.is_none() {
                checks.fail("body", "required", "must be given, or a template_id");
            }
            if channel == Some(MessageChannel::Email) && subject.is_none() {
                checks.fail("subject", "required", "an e-mail has one");
            }
            if self.variables.is_some() {
                checks.fail("variables", "not_allowed", "are for a template");
            }
        }
        check_time(&mut checks, "scheduled_at", self.scheduled_at);
        check_time(&mut checks, "expires_at", self.expires_at);
        if let (Some(from), Some(until)) = (self.scheduled_at, self.expires_at)
            && until < from
        {
            checks.fail("expires_at", "out_of_range", "must not be before scheduled_at");
        }
        let dedupe_key = checks.text("dedupe_key", self.dedupe_key, MAX_DEDUPE_KEY);
        checks.finish()?;
        Ok(PreparedMessage {
            customer_id: customer_id.unwrap_or_default(),
            channel: channel.map_or(Channel::Email, Channel::from),
            purpose: purpose.unwrap_or(Purpose::Marketing),
            template_id: self.template_id,
            subject,
            body,
            variables: self.variables,
            scheduled_at: self.scheduled_at,
            expires_at: self.expires_at,
            contact_id: self.contact_id,
            dedupe_key,
        })
    }
}

/// The arguments of `crm_claim_messages`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Claim {
    pub batch_limit: Option<i64>,
    pub lease_seconds: Option<i64>,
    /// By channel, who sends.
    pub providers: Option<HashMap<Channel, String>>,
}

/// A checked [`Claim`].
#[derive(Clone, Debug)]
pub struct PreparedClaim {
    pub batch_limit: i64,
    pub lease_seconds: i64,
    pub providers: HashMap<Channel, Provider>,
}

impl Claim {
    pub fn prepare(self) -> Result<PreparedClaim> {
        let mut checks = Checks::default();
        let batch_limit = self.batch_limit.unwrap_or(CLAIM_BATCH);
        let lease_seconds = self.lease_seconds.unwrap_or(LEASE_SECONDS);
        for (path, value, longest) in [
            ("batch_limit", batch_limit, MAX_CLAIM_BATCH),
            ("lease_seconds", lease_seconds, MAX_LEASE_SECONDS),
        ] {
            if !(1..=longest).contains(&value) {
                checks.fail(path, "out_of_range", format!("must be between 1 and {longest}"));
            }
        }
        let mut providers = HashMap::new();
        for (channel, name) in self.providers.unwrap_or_default() {
            if let Some(provider) = Provider::parse(&name) {
                providers.insert(channel, provider);
            } else {
                let message = "must be 1 to 40 of a to z, 0 to 9 and _";
                checks.fail(format!("providers.{}", channel.as_str()), "invalid_name", message);
            }
        }
        if providers.is_empty() {
            checks.fail("providers", "required", "must say who sends, by channel");
        }
        checks.finish()?;
        Ok(PreparedClaim { batch_limit, lease_seconds, providers })
    }
}

/// The arguments of `crm_complete_message`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Complete {
    pub id: Uuid,
    pub lease_id: Uuid,
    pub provider_message_id: Option<String>,
    /// Of the answer; kept where it is an endpoint's.
    pub http_status: Option<u16>,
    pub duration_ms: Option<u32>,
}

impl Complete {
    pub fn prepare(self) -> Result<Self> {
        let mut checks = Checks::default();
        let path = "provider_message_id";
        let provider_message_id = checks.text(path, self.provider_message_id, MAX_PROVIDER_ID);
        checks.finish()?;
        Ok(Self { provider_message_id, ..self })
    }
}

/// The arguments of `crm_fail_message`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fail {
    pub id: Uuid,
    pub lease_id: Uuid,
    pub code: Option<String>,
    pub message: Option<String>,
    pub retryable: bool,
    /// What the provider asks for; counts where it is longer than the backoff.
    pub retry_after_seconds: Option<u64>,
    /// It was not even tried: that is no attempt, and it may go at once.
    #[serde(default)]
    pub untried: bool,
    /// Of the answer, if there was one; kept where it is an endpoint's.
    pub http_status: Option<u16>,
    pub duration_ms: Option<u32>,
}

impl Fail {
    #[must_use]
    pub fn prepare(self) -> Self {
        let (code, message) = reported(self.code, self.message);
        Self { code: code.or_else(|| Some("failed".to_owned())), message, ..self }
    }
}

/// The arguments of `crm_mark_message_unknown`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarkUnknown {
    pub id: Uuid,
    pub lease_id: Uuid,
    pub code: Option<String>,
    pub message: Option<String>,
}

impl MarkUnknown {
    #[must_use]
    pub fn prepare(self) -> Self {
        let (code, message) = reported(self.code, self.message);
        Self { code: code.or_else(|| Some("unknown".to_owned())), message, ..self }
    }
}

/// The arguments of `crm_record_message_status`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordStatus {
    pub provider: String,
    pub provider_message_id: String,
    pub status: Status,
    pub code: Option<String>,
    pub message: Option<String>,
}

impl RecordStatus {
    pub fn prepare(self) -> Result<Self> {
        let mut checks = Checks::default();
        if !self.status.went_out() && self.status != Status::Failed {
            let message = "expected one of sent, delivered, read, failed";
            checks.fail("status", "invalid_value", message);
        }
        checks.finish()?;
        let (code, message) = reported(self.code, self.message);
        Ok(Self { code, message, ..self })
    }
}

/// The arguments of `crm_retry_message` and `crm_cancel_message`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessageId {
    pub id: Uuid,
}

/// What a provider says is kept as far as it fits: a report is not refused for its length.
fn reported(code: Option<String>, message: Option<String>) -> (Option<String>, Option<String>) {
    let cut = |text: Option<String>, longest: usize| {
        let text: String = text?.chars().filter(|one| *one != '\0').take(longest).collect();
        (!text.trim().is_empty()).then_some(text)
    };
    (cut(code, MAX_ERROR_CODE), cut(message, MAX_ERROR_MESSAGE))
}
