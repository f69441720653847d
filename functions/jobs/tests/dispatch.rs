//! What becomes of claimed messages, with a database and providers that do as they are told.
#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use common::database::{Harness, harness};
use common::{Does, FakeProvider, answers, at, claimed, environment, providers};
use fieldcrm_core::{Code, Error, Result};
use fieldcrm_jobs::BUDGET;
use fieldcrm_jobs::provider::{Channel, Outcome, Outgoing, Provider, Providers};
use serde_json::{Value, json};
use uuid::Uuid;

/// Sends everything, and counts.
#[derive(Default)]
struct Carrier {
    sent: Mutex<Vec<Uuid>>,
    under_way: AtomicUsize,
    most: AtomicUsize,
}

#[async_trait]
impl Provider for Carrier {
    fn name(&self) -> &'static str {
        "carrier"
    }

    async fn send(&self, message: &Outgoing) -> Outcome {
        let now = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        self.sent.lock().unwrap().push(message.id);
        Outcome::Sent { provider_message_id: Some(format!("c-{}", message.id)), http_status: None }
    }
}

fn carrier() -> (Arc<Carrier>, Providers) {
    let carrier = Arc::new(Carrier::default());
    let providers = Providers::new([(Channel::Sms, carrier.clone() as Arc<dyn Provider>)]);
    (carrier, providers)
}

/// An outbox with so many messages, which are claimed as one asks.
fn outbox(all: u64) -> impl Fn(&'static str, &Value) -> Result<Value> + Send + Sync {
    let left = AtomicU64::new(all);
    move |name, arguments| {
        if name != "crm_claim_messages" {
            return Ok(json!({"status": "sent"}));
        }
        let asked = arguments["batch_limit"].as_u64().unwrap();
        let before = left.load(Ordering::SeqCst);
        let count = asked.min(before);
        left.store(before - count, Ordering::SeqCst);
        let messages: Vec<_> = (before - count..before)
            .map(|number| claimed(Channel::Sms, json!({"id": Uuid::from_u128(u128::from(number))})))
            .collect();
        Ok(json!({ "messages": messages }))
    }
}

/// An outbox with this one message, and what each of the three RPCs about it answers.
fn one_message(
    message: Value,
    noted: impl Fn(&'static str) -> Result<Value> + Send + Sync,
) -> impl Fn(&'static str, &Value) -> Result<Value> + Send + Sync {
    let message = Mutex::new(Some(message));
    move |name, _| match name {
        "crm_claim_messages" => {
            let messages: Vec<_> = message.lock().unwrap().take().into_iter().collect();
            Ok(json!({ "messages": messages }))
        }
        _ => noted(name),
    }
}

async fn dispatch(harness: &Harness) -> Value {
    let (status, body) = harness.post("/dispatch-messages", "", &[]).await;
    assert_eq!(status, 200, "{body}");
    body
}

#[tokio::test]
async fn every_message_is_sent_once_and_written_down_with_its_lease() {
    let (carrier, providers) = carrier();
    let harness = harness(providers, BUDGET, outbox(60));
    let totals = dispatch(&harness).await;
    assert_eq!(
        totals,
        json!({"claimed": 60, "sent": 60, "retried": 0, "failed": 0, "unknown": 0, "unrecorded": 0, "deferred": 0, "refused": 0})
    );
    let mut sent = carrier.sent.lock().unwrap().clone();
    sent.sort();
    sent.dedup();
    assert_eq!(sent.len(), 60);
    let asked = harness.asked();
    assert_eq!(
        asked[0],
        (
            "crm_claim_messages",
            json!({"batch_limit": 24, "lease_seconds": 120, "providers": {"sms": "carrier"}})
        )
    );
    let noted: HashMap<String, Value> = asked
        .into_iter()
        .filter(|(name, _)| *name == "crm_complete_message")
        .map(|(_, arguments)| (arguments["id"].as_str().unwrap().to_owned(), arguments))
        .collect();
    assert_eq!(noted.len(), 60);
    for (id, arguments) in noted {
        let expected =
            json!({"id": id, "lease_id": common::LEASE, "provider_message_id": format!("c-{id}")});
        assert_eq!(arguments, expected);
    }
}

#[tokio::test]
async fn no_more_than_six_are_under_way() {
    let (carrier, providers) = carrier();
    dispatch(&harness(providers, BUDGET, outbox(60))).await;
    assert_eq!(carrier.most.load(Ordering::SeqCst), 6);
}

/// Says nothing until it is told to.
struct Slow(tokio::sync::Semaphore);

#[async_trait]
impl Provider for Slow {
    fn name(&self) -> &'static str {
        "slow"
    }

    async fn send(&self, _: &Outgoing) -> Outcome {
        let _permit = self.0.acquire().await.unwrap();
        Outcome::Retry {
            code: "timeout".to_owned(),
            message: "m".to_owned(),
            retry_after: None,
            http_status: None,
        }
    }
}

#[tokio::test]
async fn no_other_channel_waits_for_webhooks() {
    let (carrier, _) = carrier();
    let slow = Arc::new(Slow(tokio::sync::Semaphore::new(0)));
    let providers = Providers::new([
        (Channel::Sms, carrier.clone() as Arc<dyn Provider>),
        (Channel::Webhook, slow.clone() as Arc<dyn Provider>),
    ]);
    let (texts, hooks) = (AtomicU64::new(60), AtomicU64::new(30));
    let harness = harness(providers, BUDGET, move |name, arguments| {
        if name != "crm_claim_messages" {
            return Ok(json!({"status": "queued"}));
        }
        let (channel, left) = match arguments["providers"].as_object().unwrap().keys().next() {
            Some(name) if name == "webhook" => (Channel::Webhook, &hooks),
            _ => (Channel::Sms, &texts),
        };
        let before = left.load(Ordering::SeqCst);
        let count = before.min(arguments["batch_limit"].as_u64().unwrap());
        left.store(before - count, Ordering::SeqCst);
        let id = |number: u64| Uuid::from_u128(u128::from(number) + 1_000 * channel as u128);
        let messages: Vec<_> = (before - count..before)
            .map(|number| claimed(channel, json!({"id": id(number)})))
            .collect();
        Ok(json!({ "messages": messages }))
    });
    let texts_went = async {
        while carrier.sent.lock().unwrap().len() < 60 {
            tokio::task::yield_now().await;
        }
        // Only now does anybody answer who is told of events.
        slow.0.add_permits(1);
    };
    let (totals, ()) = tokio::join!(dispatch(&harness), texts_went);
    assert_eq!((&totals["sent"], &totals["retried"]), (&json!(60), &json!(30)));
    for (name, arguments) in harness.asked() {
        let providers = arguments["providers"].as_object();
        assert!(name != "crm_claim_messages" || providers.unwrap().len() == 1, "each its own");
    }
}

#[tokio::test]
async fn how_a_webhook_was_answered_is_told_with_it() {
    for (does, name, status) in [
        (answers(204, &Value::Null), "crm_complete_message", json!(204)),
        (answers(503, &Value::Null), "crm_fail_message", json!(503)),
        (answers(410, &Value::Null), "crm_fail_message", json!(410)),
        (
            Does::Answers(302, vec![("location", "/".to_owned())], String::new()),
            "crm_fail_message",
            json!(302),
        ),
        (Does::Drops, "crm_fail_message", Value::Null),
    ] {
        let fake = FakeProvider::start(vec![does]).await;
        let (providers, channel) = at(&fake.url, "webhook");
        let message = claimed(channel, json!({"to": fake.url}));
        let harness =
            harness(providers, BUDGET, one_message(message, |_| Ok(json!({"status": "x"}))));
        dispatch(&harness).await;
        let (noted, arguments) = harness.asked()[1].clone();
        assert_eq!((noted, &arguments["http_status"]), (name, &status));
        assert!(arguments["duration_ms"].is_u64());
        assert_eq!(fake.arrived().len(), 1, "a redirect is not followed");
    }
}

#[tokio::test]
async fn a_call_takes_no_more_than_it_is_asked_to() {
    let (_, providers) = carrier();
    let harness = harness(providers, BUDGET, outbox(100));
    let (_, totals) = harness.post("/dispatch-messages", r#"{"batch_limit": 30}"#, &[]).await;
    assert_eq!(totals["sent"], 30);
    let claims: Vec<_> = harness
        .asked()
        .into_iter()
        .filter(|(name, _)| *name == "crm_claim_messages")
        .map(|(_, arguments)| arguments["batch_limit"].as_u64().unwrap())
        .collect();
    assert_eq!(claims, [24, 6]);
}

#[tokio::test]
async fn a_claim_of_which_consent_left_nothing_is_not_the_end_of_the_queue() {
    let (carrier, providers) = carrier();
    let claims = AtomicUsize::new(0);
    let harness = harness(providers, BUDGET, move |name, _| match name {
        "crm_claim_messages" => Ok(match claims.fetch_add(1, Ordering::SeqCst) {
            0 => json!({"messages": [], "deferred": 20, "refused": 4}),
            1 => {
                json!({"messages": [claimed(Channel::Sms, json!({}))], "deferred": 1, "refused": 0})
            }
            _ => json!({"messages": [], "deferred": 0, "refused": 0}),
        }),
        _ => Ok(json!({"status": "sent"})),
    });
    let totals = dispatch(&harness).await;
    assert_eq!(
        (&totals["sent"], &totals["deferred"], &totals["refused"]),
        (&json!(1), &json!(21), &json!(4))
    );
    assert_eq!(carrier.sent.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn where_nobody_serves_a_channel_nothing_is_claimed_and_strangers_are_still_refused() {
    for (code, expected) in [(Code::InvalidArgument, 200), (Code::Forbidden, 403)] {
        let answer = move |_, _: &Value| Err(Error::new(code, "providers: must say who sends"));
        let harness = harness(Providers::default(), BUDGET, answer);
        let (status, body) = harness.post("/dispatch-messages", "", &[]).await;
        assert_eq!(status, expected, "{body}");
        assert_eq!(harness.asked()[0].1["providers"], json!({}));
    }
}

#[tokio::test]
async fn nothing_is_claimed_any_more_when_the_time_is_over() {
    let (_, providers) = carrier();
    let harness = harness(providers, Duration::ZERO, outbox(100));
    assert_eq!(dispatch(&harness).await["claimed"], 0);
    assert!(harness.asked().is_empty());
}

#[tokio::test]
async fn each_outcome_is_told_to_its_rpc() {
    let keys = json!({"id": common::MESSAGE, "lease_id": common::LEASE});
    for (does, name, facts, counted) in [
        (
            answers(201, &json!({"sid": "SM1"})),
            "crm_complete_message",
            json!({"provider_message_id": "SM1"}),
            "sent",
        ),
        (
            Does::Answers(
                429,
                vec![("retry-after", "9".to_owned())],
                r#"{"code": 20429, "message": "m"}"#.to_owned(),
            ),
            "crm_fail_message",
            json!({"code": "20429", "message": "m", "retryable": true, "retry_after_seconds": 9}),
            "retried",
        ),
        (
            answers(400, &json!({"code": 21610, "message": "unsubscribed"})),
            "crm_fail_message",
            json!({"code": "21610", "message": "unsubscribed", "retryable": false}),
            "failed",
        ),
        (
            Does::Drops,
            "crm_mark_message_unknown",
            json!({"code": "connection_lost", "message": "the connection ended without an answer"}),
            "unknown",
        ),
    ] {
        let fake = FakeProvider::start(vec![does]).await;
        let (providers, channel) = at(&fake.url, "twilio");
        let answer = one_message(claimed(channel, json!({})), |_| Ok(json!({"status": "queued"})));
        let harness = harness(providers, BUDGET, answer);
        let totals = dispatch(&harness).await;
        assert_eq!((&totals["claimed"], &totals[counted]), (&json!(1), &json!(1)), "{totals}");
        let mut expected = keys.clone();
        for (key, value) in facts.as_object().unwrap() {
            expected[key] = value.clone();
        }
        assert_eq!(harness.asked()[1], (name, expected));
        assert_eq!(fake.arrived().len(), 1);
    }
}

#[tokio::test]
async fn a_last_attempt_counts_as_failed() {
    let fake = FakeProvider::start(vec![answers(503, &json!({}))]).await;
    let (providers, channel) = at(&fake.url, "resend");
    let answer = one_message(claimed(channel, json!({})), |_| Ok(json!({"status": "failed"})));
    let totals = dispatch(&harness(providers, BUDGET, answer)).await;
    assert_eq!((&totals["retried"], &totals["failed"]), (&json!(0), &json!(1)));
}

#[tokio::test]
async fn a_sent_message_is_written_down_although_the_database_falters() {
    let (_, providers) = carrier();
    let asked = AtomicUsize::new(0);
    let answer = one_message(claimed(Channel::Sms, json!({})), move |_| {
        match asked.fetch_add(1, Ordering::SeqCst) {
            0 | 1 => Err(Error::new(Code::Unavailable, "down")),
            _ => Ok(json!({"status": "sent"})),
        }
    });
    let harness = harness(providers, BUDGET, answer);
    assert_eq!(dispatch(&harness).await["sent"], 1);
    let notes = harness.names().into_iter().filter(|name| *name == "crm_complete_message").count();
    assert_eq!(notes, 3);
}

#[tokio::test]
async fn what_nobody_wrote_down_is_counted_and_logged_and_not_sent_again() {
    for (error, attempts) in [(Code::Unavailable, 3), (Code::Conflict, 1)] {
        let (carrier, providers) = carrier();
        let answer =
            one_message(claimed(Channel::Sms, json!({})), move |_| Err(Error::new(error, "no")));
        let harness = harness(providers, BUDGET, answer);
        let totals = dispatch(&harness).await;
        assert_eq!((&totals["sent"], &totals["unrecorded"]), (&json!(0), &json!(1)));
        let notes = harness.names().into_iter().filter(|name| *name == "crm_complete_message");
        assert_eq!(notes.count(), attempts);
        assert_eq!(carrier.sent.lock().unwrap().len(), 1);
        let line: Value = serde_json::from_str(&harness.log.lines()[0]).unwrap();
        assert_eq!((&line["id"], &line["recorded"]), (&json!(common::MESSAGE), &json!(false)));
    }
}

#[tokio::test]
async fn a_message_that_cannot_be_read_is_given_back_and_holds_up_nobody() {
    let (carrier, providers) = carrier();
    let messages = Mutex::new(vec![
        claimed(Channel::Sms, json!({"to": null})),
        claimed(Channel::Sms, json!({"channel": "pigeon"})),
        claimed(Channel::Email, json!({})),
        claimed(Channel::Sms, json!({})),
    ]);
    let harness = harness(providers, BUDGET, move |name, _| match name {
        "crm_claim_messages" => {
            Ok(json!({ "messages": std::mem::take(&mut *messages.lock().unwrap()) }))
        }
        "crm_fail_message" => Ok(json!({"status": "failed"})),
        _ => Ok(json!({"status": "sent"})),
    });
    let totals = dispatch(&harness).await;
    assert_eq!((&totals["sent"], &totals["failed"]), (&json!(1), &json!(3)));
    assert_eq!(carrier.sent.lock().unwrap().len(), 1);
    let codes: Vec<_> = harness
        .asked()
        .into_iter()
        .filter(|(name, _)| *name == "crm_fail_message")
        .map(|(_, arguments)| arguments["code"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(codes, ["unreadable", "unreadable", "no_provider"]);
}

#[tokio::test]
async fn whom_the_database_refuses_gets_nothing() {
    for (code, status) in
        [(Code::Forbidden, 403), (Code::Unauthenticated, 401), (Code::Unavailable, 503)]
    {
        let (carrier, providers) = carrier();
        let harness = harness(providers, BUDGET, move |_, _| Err(Error::new(code, "no")));
        let (answered, problem) = harness.post("/dispatch-messages", "{}", &[]).await;
        assert_eq!((answered, &problem["code"]), (status, &json!(code.as_str())));
        assert!(carrier.sent.lock().unwrap().is_empty());
    }
}

#[tokio::test]
async fn unknown_keys_and_wrong_limits_are_refused() {
    let (_, providers) = carrier();
    let harness = harness(providers, BUDGET, outbox(1));
    for (body, path) in [
        (r#"{"limit": 5}"#, "limit"),
        (r#"{"batch_limit": 0}"#, "batch_limit"),
        (r#"{"batch_limit": "5"}"#, "batch_limit"),
        (r#"{"batch_limit": 10001}"#, "batch_limit"),
        ("[]", "$"),
    ] {
        let (status, problem) = harness.post("/dispatch-messages", body, &[]).await;
        assert_eq!((status, &problem["errors"][0]["path"]), (400, &json!(path)), "{body}");
    }
    assert!(harness.asked().is_empty());
}

#[tokio::test]
async fn a_channel_whose_provider_is_not_set_up_is_not_claimed_and_the_operator_learns_why() {
    let mut environment = environment("http://127.0.0.1:9", "resend");
    environment.remove("RESEND_API_KEY");
    environment.insert("SMS_PROVIDER", "log".to_owned());
    let harness = harness(providers(&environment), BUDGET, outbox(0));
    let answer = dispatch(&harness).await;
    assert_eq!(answer["misconfigured"], json!({"email": "RESEND_API_KEY is not set"}));
    assert_eq!(harness.asked()[0].1["providers"], json!({"sms": "log"}));
}

#[tokio::test]
async fn no_log_line_has_a_secret_an_address_or_a_text() {
    for does in [
        Does::Drops,
        answers(400, &json!({"ErrorCode": 406, "Message": "Found inactive: ada@example.com"})),
    ] {
        let fake = FakeProvider::start(vec![does]).await;
        let (providers, channel) = at(&fake.url, "postmark");
        let answer = one_message(claimed(channel, json!({})), |_| Ok(json!({"status": "failed"})));
        let harness = harness(providers, BUDGET, answer);
        dispatch(&harness).await;
        let lines = harness.log.lines();
        assert_eq!(lines.len(), 2, "one for the message, one for the request");
        for word in ["secret", "ada@", "example.com", "Zoë", "a.b.c", "visit"] {
            assert!(lines.iter().all(|line| !line.contains(word)), "{word}: {lines:?}");
        }
    }
}
