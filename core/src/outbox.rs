//! Outgoing messages: how far one is, who may say so, and when it is tried again.
//!
//! A message is claimed under a lease, and only who holds the lease says how it went. Nobody promises
//! exactly one delivery: where a provider keeps idempotency keys a lost answer is tried again, where it does
//! not the message is [`Status::Unknown`] until a callback of the provider or a person decides.

mod input;

pub use input::{
    Claim, Complete, ContactQuestion, Fail, MarkUnknown, MessageId, RecordStatus, Reply,
    SendMessage,
};

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::automation::MessageChannel;
use crate::customer::choices;
use crate::{Code, Error, Result, consent};

choices! {
    /// Where a message goes out; those to customers need their consent, a webhook none.
    Channel { Email = "email", Sms = "sms", Whatsapp = "whatsapp", Webhook = "webhook", }
}
choices! {
    /// `cancelled` is read too; stored is `canceled`.
    Status {
        Queued = "queued", Sending = "sending", Sent = "sent", Delivered = "delivered", Read = "read",
        Failed = "failed", Unknown = "unknown", Refused = "refused", Canceled = "canceled" | "cancelled",
    }
}

impl Channel {
    /// The channel that the customer's consent is asked for.
    #[must_use]
    pub const fn consent(self) -> Option<consent::Channel> {
        match self {
            Self::Email => Some(consent::Channel::Email),
            Self::Sms => Some(consent::Channel::Sms),
            Self::Whatsapp => Some(consent::Channel::Whatsapp),
            Self::Webhook => None,
        }
    }
}

impl From<MessageChannel> for Channel {
    fn from(channel: MessageChannel) -> Self {
        match channel {
            MessageChannel::Email => Self::Email,
            MessageChannel::Sms => Self::Sms,
            MessageChannel::Whatsapp => Self::Whatsapp,
        }
    }
}

impl Status {
    /// Whether a message that is this can become that. The trigger of the table says the same.
    #[must_use]
    pub const fn becomes(self, to: Self) -> bool {
        use Status as S;
        match self {
            S::Queued => matches!(to, S::Sending | S::Refused | S::Canceled | S::Failed),
            S::Sending => !matches!(to, S::Sending),
            S::Sent => matches!(to, S::Delivered | S::Read | S::Failed),
            S::Delivered => matches!(to, S::Read),
            // A provider that says it arrived knows better.
            S::Failed => matches!(to, S::Queued | S::Delivered | S::Read),
            S::Unknown => {
                matches!(to, S::Queued | S::Sent | S::Delivered | S::Read | S::Failed)
            }
            S::Read | S::Refused | S::Canceled => false,
        }
    }

    /// Whether the message is known to have gone out.
    #[must_use]
    pub const fn went_out(self) -> bool {
        matches!(self, Self::Sent | Self::Delivered | Self::Read)
    }
}

/// The name of a provider, as the dispatcher has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Provider(String);

/// The providers that take a request with a known key for the one they had: what may have gone out can be sent
/// again. Receivers of webhooks know a repeat by its id.
const KEEP_IDEMPOTENCY_KEYS: &[&str] = &["log", "resend", "webhook"];

impl Provider {
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let word = |one: u8| one.is_ascii_lowercase() || one.is_ascii_digit() || one == b'_';
        let fits = (1..=40).contains(&name.len()) && name.bytes().all(word);
        fits.then(|| Self(name.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a message that may have gone out can be sent again without going out twice.
    #[must_use]
    pub fn keeps_idempotency_keys(&self) -> bool {
        KEEP_IDEMPOTENCY_KEYS.contains(&self.as_str())
    }
}

/// Whether a message whose lease ran out is sent again; else nobody knows whether it went out.
#[must_use]
pub fn goes_again(provider: Option<&str>, attempts: u32, max_attempts: u32) -> bool {
    let knows_it = provider.and_then(Provider::parse).is_some_and(|it| it.keeps_idempotency_keys());
    knows_it && attempts < max_attempts
}

/// The longest wait before the second attempt; it doubles with each one.
const BACKOFF_BASE: Duration = Duration::from_secs(30);
const BACKOFF_LONGEST: Duration = Duration::from_hours(1);
const BACKOFF_SHORTEST: Duration = Duration::from_secs(1);
/// What a provider can ask for at most.
const RETRY_AFTER_LONGEST: Duration = Duration::from_hours(24);

/// How long to wait after that many attempts: exponential backoff with full jitter. `random` is between 0 and 1.
#[must_use]
pub fn backoff(attempts: u32, random: f64) -> Duration {
    let doubled = 2_u32.saturating_pow(attempts.saturating_sub(1));
    let longest = BACKOFF_BASE.saturating_mul(doubled).min(BACKOFF_LONGEST);
    let random = if random.is_nan() { 1.0 } else { random.clamp(0.0, 1.0) };
    longest.mul_f64(random).max(BACKOFF_SHORTEST)
}

/// The waits between the attempts to tell an endpoint of an event, as Standard Webhooks has them: three days in all. A receiver that is
/// down over a weekend misses nothing.
const ENDPOINT_WAITS: [Duration; 9] = [
    Duration::from_secs(5),
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(2),
    Duration::from_hours(5),
    Duration::from_hours(10),
    Duration::from_hours(14),
    Duration::from_hours(20),
    Duration::from_hours(24),
];

/// How long an endpoint is waited for after that many attempts: a tenth more or less, so that those that failed together do
/// not come back together.
#[must_use]
pub fn endpoint_backoff(attempts: u32, random: f64) -> Duration {
    let place = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
    let wait = ENDPOINT_WAITS[place.min(ENDPOINT_WAITS.len() - 1)];
    let random = if random.is_nan() { 1.0 } else { random.clamp(0.0, 1.0) };
    wait.mul_f64(0.9 + 0.2 * random)
}

/// What decides about the next step of a message; the row, locked.
#[derive(Clone, Debug, Deserialize)]
pub struct Held {
    pub status: Status,
    pub lease_id: Option<Uuid>,
    pub attempts: u32,
    pub max_attempts: u32,
    /// The clock and the dice of the database.
    pub now: DateTime<Utc>,
    pub random: f64,
    /// Whether it tells an endpoint of an event.
    pub to_endpoint: bool,
}

/// What is to be written; `None`: it is so already. When it was sent and delivered the statement sets.
pub type Step = Option<Map<String, Value>>;

impl Held {
    /// It went out.
    pub fn complete(&self, lease_id: Uuid, provider_message_id: Option<&str>) -> Result<Step> {
        self.require_lease(lease_id)?;
        match self.status {
            Status::Sending | Status::Unknown => Ok(Some(self.step(
                Status::Sent,
                json!({"provider_message_id": provider_message_id, "error_code": null,
                    "error_message": null}),
            ))),
            status if status.went_out() => Ok(None),
            _ => Err(self.wrong_state("It was settled otherwise.")),
        }
    }

    /// It did not go out: again later, or never.
    pub fn fail(&self, failure: &Fail) -> Result<Step> {
        self.require_lease(failure.lease_id)?;
        match self.status {
            Status::Sending | Status::Unknown => {}
            Status::Queued | Status::Failed => return Ok(None),
            _ => return Err(self.wrong_state("It was settled otherwise.")),
        }
        if failure.untried {
            // Its turn came too late: that is nobody's fault.
            let attempts = self.attempts.saturating_sub(1);
            let again = json!({"attempts": attempts, "available_at": self.now});
            return Ok(Some(self.step(Status::Queued, again)));
        }
        let error = json!({"error_code": failure.code, "error_message": failure.message});
        if !failure.retryable || self.attempts >= self.max_attempts {
            return Ok(Some(self.step(Status::Failed, error)));
        }
        let asked = Duration::from_secs(failure.retry_after_seconds.unwrap_or(0));
        let usual = if self.to_endpoint { endpoint_backoff } else { backoff };
        let wait = usual(self.attempts, self.random).max(asked.min(RETRY_AFTER_LONGEST));
        let mut step = self.step(Status::Queued, error);
        step.insert("available_at".to_owned(), json!(self.now + wait));
        Ok(Some(step))
    }

    /// Nobody knows whether it went out.
    pub fn mark_unknown(&self, unknown: &MarkUnknown) -> Result<Step> {
        self.require_lease(unknown.lease_id)?;
        let error = json!({"error_code": unknown.code, "error_message": unknown.message});
        match self.status {
            Status::Sending => Ok(Some(self.step(Status::Unknown, error))),
            Status::Unknown => Ok(None),
            _ => Err(self.wrong_state("It was settled otherwise.")),
        }
    }

    /// What the provider reports. Reports come late, twice and out of order: what leads back changes nothing.
    #[must_use]
    pub fn report(&self, report: &RecordStatus) -> Step {
        if self.status == Status::Queued || !self.status.becomes(report.status) {
            return None;
        }
        let set = match report.status {
            Status::Failed => {
                json!({"error_code": report.code, "error_message": report.message})
            }
            // That is what matters of it: when it was sent is not known any more.
            _ => json!({"error_code": null, "error_message": null}),
        };
        Some(self.step(report.status, set))
    }

    /// By hand: once more, with all its attempts.
    pub fn retry(&self) -> Result<Step> {
        match self.status {
            Status::Failed | Status::Unknown => Ok(Some(self.again())),
            Status::Queued => Ok(None),
            _ => Err(self.wrong_state("Only what failed or is unknown is tried again.")),
        }
    }

    /// By hand: an event to its endpoint once more, however it ended; its receiver knows it by its id.
    #[must_use]
    pub fn replay(&self) -> Step {
        let over = !matches!(self.status, Status::Queued | Status::Sending);
        over.then(|| self.again())
    }

    fn again(&self) -> Map<String, Value> {
        let set = json!({"attempts": 0, "available_at": self.now, "lease_id": null,
            "provider_message_id": null, "sent_at": null, "delivered_at": null});
        self.step(Status::Queued, set)
    }

    /// By hand: not any more.
    pub fn cancel(&self) -> Result<Step> {
        match self.status {
            Status::Queued => Ok(Some(self.step(Status::Canceled, json!({})))),
            Status::Canceled => Ok(None),
            _ => Err(self.wrong_state("Only what waits in the queue can be canceled.")),
        }
    }

    fn require_lease(&self, lease_id: Uuid) -> Result<()> {
        if self.lease_id == Some(lease_id) {
            return Ok(());
        }
        Err(self.wrong_state("Somebody else has it, or the lease ran out."))
    }

    fn wrong_state(&self, hint: &str) -> Error {
        Error::new(Code::WrongState, hint).with("status", self.status.as_str())
    }

    /// The columns that go with the status, and those given.
    fn step(&self, to: Status, set: Value) -> Map<String, Value> {
        let mut columns = Map::new();
        columns.insert("status".to_owned(), json!(to));
        columns.insert("leased_until".to_owned(), Value::Null);
        match to {
            Status::Sent | Status::Failed | Status::Unknown | Status::Canceled => {
                columns.insert("completed_at".to_owned(), json!(self.now));
            }
            Status::Queued => {
                columns.insert("completed_at".to_owned(), Value::Null);
            }
            _ => {}
        }
        if let Value::Object(set) = set {
            columns.extend(set);
        }
        columns
    }
}

#[cfg(test)]
mod tests;
