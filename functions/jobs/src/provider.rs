//! Who carries messages: one file each, behind one port.
//!
//! No send happens exactly once: a request can be received while its answer is lost. What follows from an answer, or
//! from none, is an [`Outcome`], and the outbox acts on it. A provider that knows a message again by its id
//! ([`Repeat::Known`]) may simply be asked once more; with the others, in doubt, nobody asks again by itself.

use async_trait::async_trait;
use fieldcrm_core::automation::Purpose;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

mod address;
mod answer;
mod log;
mod postmark;
mod resend;
mod sendgrid;
mod ses;
mod settings;
mod twilio;
mod webhook;
mod whatsapp;

pub use answer::Repeat;
pub use fieldcrm_core::outbox::Channel;
pub use settings::{Misconfigured, Providers};

/// A message as `crm_claim_messages` hands it out.
#[derive(Clone, Debug, Deserialize)]
pub struct Outgoing {
    pub id: Uuid,
    pub org_id: Uuid,
    pub lease_id: Uuid,
    pub channel: Channel,
    pub purpose: Purpose,
    /// An e-mail address, a phone number in E.164, or a URL.
    pub to: String,
    #[serde(default)]
    pub subject: Option<String>,
    /// HTML in an e-mail, text elsewhere.
    pub body: String,
    /// For WhatsApp `{"template": …}` as the Cloud API takes it; for a webhook what is posted.
    #[serde(default)]
    pub payload: Option<Value>,
    #[serde(default)]
    pub attempts: u32,
    /// The event that an endpoint is told of.
    #[serde(default)]
    pub event_id: Option<Uuid>,
    #[serde(default)]
    pub from: Sender,
    #[serde(default)]
    pub org_name: Option<String>,
}

/// What the org has chosen to send as (`crm_messaging_settings`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Sender {
    pub name: Option<String>,
    pub email: Option<String>,
    pub reply_to: Option<String>,
    pub phone: Option<String>,
    pub whatsapp_phone_number_id: Option<String>,
}

/// How a send ended, as far as one can know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The provider has it.
    Sent { provider_message_id: Option<String>, http_status: Option<u16> },
    /// The provider does not have it, or knows it again: later once more.
    Retry { code: String, message: String, retry_after: Option<u64>, http_status: Option<u16> },
    /// The provider does not want it, and will not.
    Rejected { code: String, message: String, http_status: Option<u16> },
    /// Nobody knows whether the provider has it.
    Unknown { code: String, message: String },
    /// Its turn came too late: nobody tried.
    Late,
}

impl Outcome {
    pub(crate) fn rejected(code: &str, message: &str) -> Self {
        Self::Rejected { code: code.to_owned(), message: message.to_owned(), http_status: None }
    }

    /// The status of the answer, if there was one.
    pub(crate) const fn http_status(&self) -> Option<u16> {
        match self {
            Self::Sent { http_status, .. }
            | Self::Retry { http_status, .. }
            | Self::Rejected { http_status, .. } => *http_status,
            Self::Unknown { .. } | Self::Late => None,
        }
    }
}

#[async_trait]
pub trait Provider: Send + Sync {
    /// As it stands on the message and in the log.
    fn name(&self) -> &'static str;

    async fn send(&self, message: &Outgoing) -> Outcome;
}
