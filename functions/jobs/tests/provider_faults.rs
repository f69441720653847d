//! What each provider's silence, refusals and accidents lead to.
#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use common::{Does, FakeProvider, answers, at, down, environment, outgoing, providers};
use fieldcrm_jobs::provider::{Channel, Outcome, Outgoing};
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
        assert_eq!(outcome, Outcome::Sent { provider_message_id: None }, "{provider}");
    }
}

#[tokio::test]
async fn a_redirect_is_followed_nowhere() {
    let elsewhere = FakeProvider::start(vec![answers(200, &json!({}))]).await;
    for provider in all() {
        for status in [301, 302, 307, 308] {
            let headers = vec![("location", elsewhere.url.clone())];
            let outcome = outcome(provider, Does::Answers(status, headers, String::new())).await;
            assert!(matches!(outcome, Outcome::Rejected { .. }), "{provider}: {outcome:?}");
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
        let expected = Outcome::Rejected { code: code.to_owned(), message: text.to_owned() };
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
    assert_eq!(sent, Outcome::Sent { provider_message_id: Some("e-1".to_owned()) });
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
