//! What each provider's silence, refusals and accidents lead to.
#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use std::sync::Arc;

use common::{
    Does, FakeProvider, Kept, answers, at, down, environment, outgoing, providers, resolver,
};
use fieldcrm_edge::Log;
use fieldcrm_edge::dns::{Lookup, Resolver};
use fieldcrm_edge::http::Client;
use fieldcrm_jobs::provider::{Channel, Outcome, Outgoing, Providers};
use serde_json::{Value, json};

/// Those that know a message again by its id, and those that would send it twice.
const KNOWING: [&str; 2] = ["resend", "webhook"];
const FORGETFUL: [&str; 5] = ["postmark", "sendgrid", "ses", "twilio", "whatsapp_cloud"];

fn all() -> impl Iterator<Item = &'static str> {
    KNOWING.into_iter().chain(FORGETFUL)
}

fn message(url: &str, channel: Channel) -> Outgoing {
    let change = if channel == Channel::Webhook { json!({ "to": url }) } else { json!({}) };
    outgoing(channel, change)
}

async fn send_to(url: &str, provider: &str) -> Outcome {
    let (providers, channel) = at(url, provider);
    providers.get(channel).unwrap().send(&message(url, channel)).await
}

async fn outcome(provider: &str, does: Does) -> Outcome {
    let fake = FakeProvider::start(vec![does]).await;
    let outcome = send_to(&fake.url, provider).await;
    assert_eq!(fake.arrived().len(), 1, "{provider}: one request an attempt");
    outcome
}

fn is_retry(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Retry { .. })
}

fn is_unknown(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Unknown { .. })
}

#[tokio::test]
async fn a_provider_that_is_down_has_nothing_so_it_is_tried_again() {
    for provider in all() {
        let outcome = send_to(&down().await, provider).await;
        let Outcome::Retry { code, .. } = outcome else { panic!("{provider}: {outcome:?}") };
        assert_eq!(code, "unreachable", "{provider}");
    }
}

#[tokio::test]
async fn an_answer_that_never_comes_is_in_doubt_unless_they_know_the_message_again() {
    for (does, expected) in [(Does::Waits, "timeout"), (Does::Drops, "connection_lost")] {
        for provider in KNOWING {
            let outcome = outcome(provider, does.clone()).await;
            let Outcome::Retry { code, .. } = outcome else { panic!("{provider}: {outcome:?}") };
            assert_eq!(code, expected);
        }
        for provider in FORGETFUL {
            let outcome = outcome(provider, does.clone()).await;
            let Outcome::Unknown { code, .. } = outcome else { panic!("{provider}: {outcome:?}") };
            assert_eq!(code, expected);
        }
    }
}

#[tokio::test]
async fn the_rate_limit_says_when() {
    for (value, expected) in [("37", Some(37)), ("nonsense", None)] {
        for provider in all() {
            for status in [429, 503] {
                let headers = vec![("retry-after", value.to_owned())];
                let outcome =
                    outcome(provider, Does::Answers(status, headers, String::new())).await;
                let Outcome::Retry { retry_after, code, .. } = outcome else {
                    panic!("{provider} {status}: {outcome:?}")
                };
                assert_eq!(retry_after, expected, "{provider}");
                assert_eq!(code, format!("http_{status}"));
            }
        }
    }
}

#[tokio::test]
async fn a_fault_of_theirs_is_in_doubt_unless_they_know_the_message_again() {
    for status in [500, 502, 504] {
        for provider in KNOWING {
            assert!(is_retry(&outcome(provider, answers(status, &json!({}))).await), "{provider}");
        }
        for provider in FORGETFUL {
            assert!(
                is_unknown(&outcome(provider, answers(status, &json!({}))).await),
                "{provider}"
            );
        }
    }
}

#[tokio::test]
async fn what_was_accepted_is_sent_even_if_the_rest_of_the_answer_is_lost() {
    for provider in all() {
        let outcome = outcome(provider, Does::BreaksOff(202)).await;
        let accepted = Outcome::Sent { provider_message_id: None, http_status: Some(202) };
        assert_eq!(outcome, accepted, "{provider}");
    }
}

#[tokio::test]
async fn a_redirect_is_followed_nowhere() {
    let elsewhere = FakeProvider::start(vec![answers(200, &json!({}))]).await;
    for provider in all() {
        for status in [301, 302, 307, 308] {
            let headers = vec![("location", elsewhere.url.clone())];
            let outcome = outcome(provider, Does::Answers(status, headers, String::new())).await;
            // The receiver of a webhook may be put right before the last attempt.
            let expected = match provider {
                "webhook" => is_retry(&outcome),
                _ => matches!(outcome, Outcome::Rejected { .. }),
            };
            assert!(expected, "{provider}: {outcome:?}");
        }
    }
    assert!(elsewhere.arrived().is_empty());
}

#[tokio::test]
async fn a_refusal_is_final_and_has_the_providers_code() {
    for (provider, status, body, code, text) in [
        (
            "resend",
            422,
            json!({"statusCode": 422, "name": "validation_error", "message": "Invalid `to` field"}),
            "validation_error",
            "Invalid `to` field",
        ),
        (
            "postmark",
            422,
            json!({"ErrorCode": 406, "Message": "Inactive recipient"}),
            "406",
            "Inactive recipient",
        ),
        (
            "sendgrid",
            400,
            json!({"errors": [{"message": "Does not contain a valid address.", "field": "from", "help": null}]}),
            "invalid_from",
            "Does not contain a valid address.",
        ),
        (
            "ses",
            400,
            json!({"__type": "MessageRejected", "message": "Email address is not verified."}),
            "MessageRejected",
            "Email address is not verified.",
        ),
        (
            "twilio",
            400,
            json!({"code": 21610, "message": "Attempt to send to unsubscribed recipient", "status": 400}),
            "21610",
            "Attempt to send to unsubscribed recipient",
        ),
        (
            "whatsapp_cloud",
            400,
            json!({"error": {"message": "(#131047) Re-engagement message", "code": 131_047,
                "error_data": {"details": "More than 24 hours have passed"}}}),
            "131047",
            "More than 24 hours have passed",
        ),
        ("webhook", 410, json!({}), "http_410", "the provider answered 410"),
    ] {
        let (code, message) = (code.to_owned(), text.to_owned());
        let expected = Outcome::Rejected { code, message, http_status: Some(status) };
        assert_eq!(outcome(provider, answers(status, &body)).await, expected, "{provider}");
    }
}

#[tokio::test]
async fn what_is_about_us_or_about_limits_is_tried_again_whatever_the_status() {
    let whatsapp = |code: u64| json!({"error": {"message": "m", "code": code}});
    for (provider, status, body) in [
        ("resend", 401, json!({"name": "missing_api_key"})),
        ("resend", 403, json!({"name": "invalid_api_key"})),
        ("resend", 409, json!({"name": "concurrent_idempotent_requests"})),
        ("resend", 429, json!({"name": "daily_quota_exceeded"})),
        ("postmark", 401, json!({"ErrorCode": 10})),
        ("postmark", 422, json!({"ErrorCode": 405, "Message": "Not allowed to send: no credits"})),
        ("sendgrid", 401, json!({"errors": [{"message": "authorization required"}]})),
        ("ses", 403, json!({"message": "The security token included in the request is invalid."})),
        ("ses", 400, json!({"__type": "com.amazonaws.sesv2#TooManyRequestsException"})),
        ("twilio", 401, json!({"code": 20003})),
        ("twilio", 400, json!({"code": 21611})),
        ("whatsapp_cloud", 401, whatsapp(190)),
        ("whatsapp_cloud", 400, whatsapp(130_429)),
        ("whatsapp_cloud", 400, whatsapp(131_056)),
        ("webhook", 404, Value::Null),
        ("webhook", 400, Value::Null),
    ] {
        let outcome = outcome(provider, answers(status, &body)).await;
        assert!(is_retry(&outcome), "{provider} {status} {body}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_key_that_resend_had_with_another_text_is_in_doubt() {
    let body = json!({"statusCode": 409, "name": "invalid_idempotent_request", "message": "m"});
    assert!(is_unknown(&outcome("resend", answers(409, &body)).await));
}

/// It accepts, its answer gets lost, it is asked again: what it does with the key is what makes it one e-mail.
#[tokio::test]
async fn a_repeat_at_resend_has_the_same_key() {
    let fake = FakeProvider::start(vec![
        Does::Drops,
        answers(500, &json!({})),
        answers(200, &json!({"id": "e-1"})),
    ])
    .await;
    assert!(is_retry(&send_to(&fake.url, "resend").await));
    assert!(is_retry(&send_to(&fake.url, "resend").await));
    let sent = send_to(&fake.url, "resend").await;
    let id = Some("e-1".to_owned());
    assert_eq!(sent, Outcome::Sent { provider_message_id: id, http_status: Some(200) });
    let arrived = fake.arrived();
    let keys: Vec<_> = arrived.iter().map(|one| one.headers["idempotency-key"].as_str()).collect();
    assert_eq!(keys, [common::MESSAGE; 3]);
    // Resend refuses a key whose text has changed.
    assert!(arrived.iter().all(|one| one.body == arrived[0].body));
}

#[tokio::test]
async fn who_has_no_sender_sends_nothing() {
    let fake = FakeProvider::start(vec![answers(200, &json!({}))]).await;
    for provider in all().filter(|provider| *provider != "webhook") {
        let (providers, channel) = at(&fake.url, provider);
        let message = outgoing(channel, json!({ "from": {}, "org_name": null }));
        let outcome = providers.get(channel).unwrap().send(&message).await;
        let Outcome::Rejected { code, .. } = outcome else { panic!("{provider}: {outcome:?}") };
        assert_eq!(code, "sender_not_set");
    }
    assert!(fake.arrived().is_empty());
}

#[tokio::test]
async fn a_webhook_to_a_private_address_is_not_sent() {
    let fake = FakeProvider::start(vec![answers(200, &json!({}))]).await;
    let mut environment = environment(&fake.url, "webhook");
    environment.remove("WEBHOOK_ALLOW_PRIVATE");
    let message = outgoing(Channel::Webhook, json!({ "to": fake.url }));
    let outcome = providers(&environment).get(Channel::Webhook).unwrap().send(&message).await;
    let Outcome::Rejected { code, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(code, "url_not_allowed");
    assert!(fake.arrived().is_empty());
}

#[tokio::test]
async fn a_webhook_goes_only_where_all_addresses_of_its_host_are_public() {
    let mut environment = environment("http://127.0.0.1:9", "webhook");
    environment.remove("WEBHOOK_ALLOW_PRIVATE");
    let log: Arc<dyn Log> = Arc::new(Kept::default());
    let names = resolver(&[
        ("metadata.evil.example", &["169.254.169.254"]),
        ("half.evil.example", &["1.1.1.1", "10.0.0.1"]),
        ("six.evil.example", &["1.1.1.1", "fd00::1"]),
        ("mapped.evil.example", &["::ffff:127.0.0.1"]),
        ("down.example.com", &[]),
    ]);
    let variable = |name: &str| environment.get(name).cloned();
    let client = Client::with_timeout(common::PATIENCE);
    let providers = Providers::read(&variable, &client, &names, &log);
    let webhook = providers.get(Channel::Webhook).unwrap();
    for (host, expected) in [
        ("metadata.evil.example", Some("url_not_allowed")),
        ("half.evil.example", Some("url_not_allowed")),
        ("six.evil.example", Some("url_not_allowed")),
        ("mapped.evil.example", Some("url_not_allowed")),
        // It may be there again later.
        ("down.example.com", None),
        ("nowhere.example.com", None),
    ] {
        let to = format!("https://{host}:8443/hook");
        let outcome = webhook.send(&outgoing(Channel::Webhook, json!({ "to": to }))).await;
        match (outcome, expected) {
            (Outcome::Rejected { code, .. }, Some(expected)) => {
                assert_eq!(code, expected, "{host}");
            }
            (Outcome::Retry { code, .. }, None) => assert_eq!(code, "unresolved", "{host}"),
            (outcome, _) => panic!("{host}: {outcome:?}"),
        }
    }
}

/// Where the platform says that its addresses are public, it is connected to: here, to nobody.
#[tokio::test]
async fn a_webhook_is_sent_where_the_name_leads_to_public_addresses_or_nobody_can_know() {
    struct Says(Lookup);
    #[async_trait::async_trait]
    impl Resolver for Says {
        async fn lookup(&self, _: &str) -> Lookup {
            self.0.clone()
        }
    }
    let mut environment = environment("http://127.0.0.1:9", "webhook");
    environment.remove("WEBHOOK_ALLOW_PRIVATE");
    let log: Arc<dyn Log> = Arc::new(Kept::default());
    let variable = |name: &str| environment.get(name).cloned();
    let client = Client::with_timeout(common::PATIENCE);
    for lookup in [Lookup::Addresses(vec!["1.1.1.1".parse().unwrap()]), Lookup::Unavailable] {
        let resolver: Arc<dyn Resolver> = Arc::new(Says(lookup));
        let providers = Providers::read(&variable, &client, &resolver, &log);
        let message = outgoing(Channel::Webhook, json!({"to": "https://nobody.invalid.example/"}));
        let outcome = providers.get(Channel::Webhook).unwrap().send(&message).await;
        let Outcome::Retry { code, .. } = outcome else { panic!("{outcome:?}") };
        assert!(["unreachable", "timeout", "connection_lost"].contains(&code.as_str()), "{code}");
    }
}
