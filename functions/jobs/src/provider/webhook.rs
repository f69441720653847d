//! Webhooks by Standard Webhooks: <https://www.standardwebhooks.com>.
//!
//! A receiver knows a message again by `webhook-id`, so it may come twice. Any answer but 2xx is tried again; 410
//! says that nobody is there any more, and a redirect leads where nobody agreed to.

use async_trait::async_trait;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::Utc;
use fieldcrm_edge::http::{Client, Post};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use url::{Host, Url};
use uuid::Uuid;

use super::answer::{Repeat, Said, Verdict, exchange};
use super::settings::{Misconfigured, Variables};
use super::{Outcome, Outgoing, Provider};

const MIN_SECRET: usize = 24;

pub struct Webhook {
    client: Client,
    secret: String,
    allow_private: bool,
}

impl Webhook {
    pub(super) fn read(client: &Client, variables: &Variables<'_>) -> Result<Self, Misconfigured> {
        let secret = variables.required("WEBHOOK_SIGNING_SECRET")?;
        if secret.len() < MIN_SECRET {
            return Err(Misconfigured::new(
                "WEBHOOK_SIGNING_SECRET",
                "is shorter than 24 characters",
            ));
        }
        let allow_private = variables.optional("WEBHOOK_ALLOW_PRIVATE").as_deref() == Some("true");
        Ok(Self { client: client.clone(), secret, allow_private })
    }

    fn post(&self, message: &Outgoing, timestamp: i64) -> Result<Post, Outcome> {
        if !self.allow_private && !is_public(&message.to) {
            let message = "a webhook goes to an https URL of a public host";
            return Err(Outcome::rejected("url_not_allowed", message));
        }
        let body = match &message.payload {
            Some(payload) if !payload.is_null() => payload.to_string(),
            _ => message.body.clone(),
        };
        let json = serde_json::from_str::<Value>(&body).is_ok();
        let id = message.id.to_string();
        let signature = sign(&org_key(&self.secret, message.org_id), &id, timestamp, &body);
        Ok(Post {
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
        })
    }
}

/// The key of one org: who knows it learns nothing of another's.
fn org_key(secret: &str, org_id: Uuid) -> Vec<u8> {
    hmac(secret.as_bytes(), org_id.to_string().as_bytes())
}

/// The value of `webhook-signature`.
#[must_use]
pub fn sign(key: &[u8], id: &str, timestamp: i64, body: &str) -> String {
    let signed = format!("{id}.{timestamp}.{body}");
    format!("v1,{}", BASE64_STANDARD.encode(hmac(key, signed.as_bytes())))
}

fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    // HMAC takes keys of any length.
    Hmac::<Sha256>::new_from_slice(key)
        .map(|mac| mac.chain_update(text).finalize().into_bytes().to_vec())
        .unwrap_or_default()
}

/// Whether it may be posted to: HTTPS, no login in it, and no name or number of our own network. A name that resolves
/// to such a number is the network's to refuse.
fn is_public(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    if url.scheme() != "https" || !url.username().is_empty() || url.password().is_some() {
        return false;
    }
    match url.host() {
        // Numbers are refused whole: who has a certificate has a name.
        None | Some(Host::Ipv4(_) | Host::Ipv6(_)) => false,
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            let own = ["localhost", "local", "internal", "intranet", "lan", "home", "arpa"];
            name.contains('.') && !own.iter().any(|own| name.rsplit('.').next() == Some(own))
        }
    }
}

#[async_trait]
impl Provider for Webhook {
    fn name(&self) -> &'static str {
        "webhook"
    }

    async fn send(&self, message: &Outgoing) -> Outcome {
        let post = match self.post(message, Utc::now().timestamp()) {
            Ok(post) => post,
            Err(outcome) => return outcome,
        };
        exchange(
            &self.client,
            post,
            Repeat::Known,
            |_| None,
            |_| Said::default(),
            |answer, _| {
                Some(match answer.status {
                    300..=399 | 410 => Verdict::Rejected,
                    _ => Verdict::Retry,
                })
            },
        )
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the libraries of Standard Webhooks.
    #[test]
    fn signatures_are_those_of_standard_webhooks() {
        for (secret, id, timestamp, body, expected) in [
            (
                "C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
                "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
                1_649_367_553,
                r#"{"email":"test@example.com","username":"test_user"}"#,
                "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
            ),
            (
                "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                "msg_p5jXN8AQM9LWM0D4loKWxJek",
                1_614_265_330,
                r#"{"test": 2432232314}"#,
                "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            ),
        ] {
            let key = BASE64_STANDARD.decode(secret).unwrap();
            assert_eq!(sign(&key, id, timestamp, body), expected);
        }
    }

    #[test]
    fn each_org_has_a_key_of_its_own() {
        let org = |id| org_key("a secret of a sufficient length", Uuid::from_u128(id));
        assert_eq!(org(1).len(), 32);
        assert_ne!(org(1), org(2));
        assert_ne!(org(1), org_key("another secret of sufficient length", Uuid::from_u128(1)));
    }

    #[test]
    fn only_public_https_urls_are_posted_to() {
        for url in ["https://hooks.example.com/a?b=c", "https://hooks.example.com.:8443/"] {
            assert!(is_public(url), "{url}");
        }
        for url in [
            "http://hooks.example.com/",
            "https://user@hooks.example.com/",
            "https://user:key@hooks.example.com/",
            "https://127.0.0.1/",
            "https://169.254.169.254/latest/meta-data",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://localhost/",
            "https://LOCALHOST./",
            "https://a.localhost/",
            "https://db.internal/",
            "https://intranet/",
            "file:///etc/passwd",
            "hooks.example.com",
        ] {
            assert!(!is_public(url), "{url}");
        }
    }
}
