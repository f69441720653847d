//! Webhooks by Standard Webhooks: <https://www.standardwebhooks.com>.
//!
//! A receiver knows an event again by `webhook-id`, so it may come twice. Any answer but 2xx is tried again, a redirect too: it is
//! never followed, for it leads where nobody agreed to. 410 says that nobody is there any more.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::Utc;
use fieldcrm_core::delivery::GONE;
use fieldcrm_core::endpoint;
use fieldcrm_core::signature::hmac_sha256;
use fieldcrm_core::signature::standard::sign;
use fieldcrm_edge::dns::{Lookup, Resolver};
use fieldcrm_edge::http::{Client, Post};
use serde_json::Value;
use uuid::Uuid;

use super::answer::{Repeat, Said, Verdict, exchange};
use super::settings::{Misconfigured, Variables};
use super::{Outcome, Outgoing, Provider};

const MIN_SECRET: usize = 24;

pub struct Webhook {
    client: Client,
    resolver: Arc<dyn Resolver>,
    secret: String,
    allow_private: bool,
}

impl Webhook {
    pub(super) fn read(
        client: &Client,
        resolver: &Arc<dyn Resolver>,
        variables: &Variables<'_>,
    ) -> Result<Self, Misconfigured> {
        let secret = variables.required("WEBHOOK_SIGNING_SECRET")?;
        if secret.len() < MIN_SECRET {
            return Err(Misconfigured::new(
                "WEBHOOK_SIGNING_SECRET",
                "is shorter than 24 characters",
            ));
        }
        let allow_private = variables.optional("WEBHOOK_ALLOW_PRIVATE").as_deref() == Some("true");
        let (client, resolver) = (client.clone(), resolver.clone());
        Ok(Self { client, resolver, secret, allow_private })
    }

    /// The URL's name is public; asked here is where it leads at this moment.
    async fn check(&self, url: &str) -> Result<(), Outcome> {
        if self.allow_private {
            return Ok(());
        }
        let not_allowed = |message| Outcome::rejected("url_not_allowed", message);
        let host = endpoint::check(url).ok().and_then(|url| endpoint::host(&url));
        let Some(host) = host else {
            return Err(not_allowed("a webhook goes to an https URL of a public host"));
        };
        match self.resolver.lookup(&host).await {
            Lookup::Unavailable => Ok(()),
            Lookup::Addresses(all) if all.iter().any(|one| !endpoint::is_public(*one)) => {
                Err(not_allowed("the host leads to an address that is not public"))
            }
            Lookup::Addresses(all) if !all.is_empty() => Ok(()),
            Lookup::Addresses(_) | Lookup::Failed => Err(Outcome::Retry {
                code: "unresolved".to_owned(),
                message: "the host's name was not resolved".to_owned(),
                retry_after: None,
                http_status: None,
            }),
        }
    }

    fn post(&self, message: &Outgoing, timestamp: i64) -> Post {
        let body = match &message.payload {
            Some(payload) if !payload.is_null() => payload.to_string(),
            _ => message.body.clone(),
        };
        let json = serde_json::from_str::<Value>(&body).is_ok();
        // The same for every attempt, and whenever somebody has it sent again.
        let id = message.event_id.unwrap_or(message.id).to_string();
        let signature = sign(&org_key(&self.secret, message.org_id), &id, timestamp, &body);
        Post {
            url: message.to.clone(),
            headers: vec![
                (
                    "content-type",
                    if json { "application/json" } else { "text/plain;charset=utf-8" }.to_owned(),
                ),
                ("webhook-id", id),
                ("webhook-timestamp", timestamp.to_string()),
                ("webhook-signature", signature),
            ],
            body,
        }
    }
}

/// The key of one org: who knows it learns nothing of another's.
fn org_key(secret: &str, org_id: Uuid) -> Vec<u8> {
    hmac_sha256(secret.as_bytes(), org_id.to_string().as_bytes())
}

#[async_trait]
impl Provider for Webhook {
    fn name(&self) -> &'static str {
        "webhook"
    }

    async fn send(&self, message: &Outgoing) -> Outcome {
        if let Err(outcome) = self.check(&message.to).await {
            return outcome;
        }
        let post = self.post(message, Utc::now().timestamp());
        exchange(
            &self.client,
            post,
            Repeat::Known,
            |_| None,
            |_| Said::default(),
            |answer, _| {
                let gone = answer.status == GONE;
                Some(if gone { Verdict::Rejected } else { Verdict::Retry })
            },
        )
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_org_has_a_key_of_its_own() {
        let org = |id| org_key("a secret of a sufficient length", Uuid::from_u128(id));
        assert_eq!(org(1).len(), 32);
        assert_ne!(org(1), org(2));
        assert_ne!(org(1), org_key("another secret of sufficient length", Uuid::from_u128(1)));
    }
}
