//! What becomes of texts, with a database that does as it is told.
#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use common::database::{Harness, harness_by};
use fieldcrm_core::interaction::Sentiment;
use fieldcrm_core::{Code, Error, Result};
use fieldcrm_edge::Caller;
use fieldcrm_jobs::BUDGET;
use fieldcrm_jobs::sentiment::{Analyst, Builtin, MAX_TEXTS, Text};
use serde_json::{Value, json};
use uuid::Uuid;

const PATH: &str = "/analyze-interaction-sentiment";
const LEASE: Uuid = Uuid::from_u128(7);

/// Hands out these texts once, as the RPC does, and takes every result.
fn queue(texts: &[&str]) -> impl Fn(&'static str, &Value) -> Result<Value> + Send + Sync + use<> {
    let text = |(number, text): (usize, &&str)| json!({"id": Uuid::from_u128(number as u128), "org_id": Uuid::nil(), "text": text});
    let waiting: Mutex<Vec<Value>> = Mutex::new(texts.iter().enumerate().map(text).collect());
    move |name, arguments| {
        if name == "crm_store_sentiments" {
            let results = arguments["results"].as_array().unwrap();
            let stored = results.iter().filter(|result| result.get("error").is_none()).count();
            return Ok(json!({"stored": stored, "failed": results.len() - stored, "dead": 0}));
        }
        let mut waiting = waiting.lock().unwrap();
        let limit = usize::try_from(arguments["batch_limit"].as_u64().unwrap()).unwrap();
        let count = limit.min(waiting.len());
        let texts: Vec<_> = waiting.drain(..count).collect();
        Ok(json!({"lease_id": LEASE, "texts": texts, "dropped": 0, "dead": 0}))
    }
}

fn builtin(
    answer: impl Fn(&'static str, &Value) -> Result<Value> + Send + Sync + 'static,
) -> Harness {
    harness_by(Arc::new(Builtin), BUDGET, answer)
}

type Finds = dyn Fn(&[Text]) -> Result<Vec<Result<Sentiment>>> + Send + Sync;

/// Answers as it is told, about each claim.
struct Told(Box<Finds>);

#[async_trait]
impl Analyst for Told {
    fn provider(&self) -> &'static str {
        "told"
    }

    async fn analyse(&self, _: &Caller, texts: &[Text]) -> Result<Vec<Result<Sentiment>>> {
        (self.0)(texts)
    }
}

fn told(
    finds: impl Fn(&[Text]) -> Result<Vec<Result<Sentiment>>> + Send + Sync + 'static,
    texts: &[&str],
) -> Harness {
    harness_by(Arc::new(Told(Box::new(finds))), BUDGET, queue(texts))
}

fn busy() -> Error {
    Error::new(Code::Unavailable, "the model is busy")
}

#[tokio::test]
async fn what_is_claimed_is_analysed_and_stored_with_its_lease() {
    let harness = builtin(queue(&["Great work, thank you!", "It is Monday.", "This is terrible."]));
    let (status, answer) = harness.post(PATH, "", &[]).await;
    let expected = json!({"analysed": 3, "failed": 0, "dead": 0, "dropped": 0, "lost": 0, "provider": "builtin"});
    assert_eq!((status, answer), (200, expected));
    let asked = harness.asked();
    let [(claim, batch), (store, results)] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!((*claim, batch), ("crm_claim_sentiments", &json!({"batch_limit": MAX_TEXTS})));
    let result = |number, sentiment| json!({"id": Uuid::from_u128(number), "sentiment": sentiment});
    let expected = [result(0, "positive"), result(1, "neutral"), result(2, "negative")];
    assert_eq!(
        (*store, results),
        ("crm_store_sentiments", &json!({"lease_id": LEASE, "results": expected}))
    );
}

#[tokio::test]
async fn the_queue_is_worked_off_in_batches_up_to_the_limit() {
    let harness = builtin(queue(&["Fine."; 130]));
    let (_, answer) = harness.post(PATH, r#"{"batch_limit": 120}"#, &[]).await;
    assert_eq!(answer["analysed"], 120);
    let claims: Vec<_> = harness
        .asked()
        .into_iter()
        .filter(|(name, _)| *name == "crm_claim_sentiments")
        .map(|(_, claim)| claim["batch_limit"].as_u64().unwrap())
        .collect();
    assert_eq!(claims, [50, 50, 20]);
    let (status, answer) = harness.post(PATH, r#"{"batch_limit": 10001}"#, &[]).await;
    assert_eq!((status, &answer["errors"][0]["path"]), (400, &json!("batch_limit")));
}

#[tokio::test]
async fn after_the_time_it_ends_what_it_claimed_and_claims_no_more() {
    let harness = harness_by(Arc::new(Builtin), Duration::ZERO, queue(&["Fine."; 130]));
    let (status, answer) = harness.post(PATH, "", &[]).await;
    assert_eq!((status, &answer["analysed"]), (200, &json!(MAX_TEXTS)));
    assert_eq!(harness.names(), ["crm_claim_sentiments", "crm_store_sentiments"]);
}

#[tokio::test]
async fn a_claim_of_nothing_but_what_went_is_followed_by_another() {
    let left = Mutex::new(2);
    let harness = builtin(move |_, _| {
        let mut left = left.lock().unwrap();
        let dropped = if *left > 0 { MAX_TEXTS } else { 3 };
        *left -= 1;
        Ok(json!({"lease_id": LEASE, "texts": [], "dropped": dropped - 1, "dead": 1}))
    });
    let (_, answer) = harness.post(PATH, "", &[]).await;
    assert_eq!(
        (&answer["dropped"], &answer["dead"], &answer["analysed"]),
        (&json!(100), &json!(3), &json!(0))
    );
    assert_eq!(harness.names(), ["crm_claim_sentiments"; 3]);
}

#[tokio::test]
async fn what_another_call_took_over_is_not_counted_as_analysed() {
    let texts = queue(&["Fine.", "Great."]);
    let harness = builtin(move |name, arguments| match name {
        "crm_store_sentiments" => Ok(json!({"stored": 1, "failed": 0, "dead": 0})),
        _ => texts(name, arguments),
    });
    let (_, answer) = harness.post(PATH, "", &[]).await;
    assert_eq!((&answer["analysed"], &answer["lost"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn one_text_that_fails_keeps_no_other_waiting() {
    let finds = |texts: &[Text]| {
        Ok(texts
            .iter()
            .map(|text| if text.text == "bad" { Err(busy()) } else { Ok(Sentiment::Neutral) })
            .collect())
    };
    let harness = told(finds, &["bad", "good"]);
    let (status, answer) = harness.post(PATH, "", &[]).await;
    assert_eq!((status, &answer["analysed"], &answer["failed"]), (200, &json!(1), &json!(1)));
    assert_eq!(answer["provider"], "told");
    let results = harness.asked()[1].1["results"].clone();
    assert_eq!(
        results,
        json!([{"id": Uuid::from_u128(0), "error": "unavailable: the model is busy"},
            {"id": Uuid::from_u128(1), "sentiment": "neutral"}])
    );
}

#[tokio::test]
async fn an_analyst_that_fails_is_asked_once_and_its_texts_are_put_off() {
    let harness = told(|_| Err(busy()), &["Fine."; 130]);
    let (status, answer) = harness.post(PATH, "", &[]).await;
    assert_eq!((status, &answer["code"]), (503, &json!("unavailable")));
    assert_eq!(harness.names(), ["crm_claim_sentiments", "crm_store_sentiments"]);
    let results = harness.asked()[1].1["results"].clone();
    assert!(results.as_array().unwrap().iter().all(|result| result.get("error").is_some()));
}

#[tokio::test]
async fn what_was_analysed_before_the_analyst_failed_is_still_told() {
    let calls = Mutex::new(0);
    let finds = move |texts: &[Text]| {
        *calls.lock().unwrap() += 1;
        if *calls.lock().unwrap() > 1 {
            Err(busy())
        } else {
            Ok(vec![Ok(Sentiment::Neutral); texts.len()])
        }
    };
    let (status, answer) = told(finds, &["Fine."; 130]).post(PATH, "", &[]).await;
    assert_eq!((status, &answer["analysed"], &answer["failed"]), (200, &json!(50), &json!(50)));
}

#[tokio::test]
async fn findings_about_other_texts_are_stored_with_none() {
    let harness = told(|_| Ok(vec![Ok(Sentiment::Negative)]), &["Fine.", "Great."]);
    let (status, _) = harness.post(PATH, "", &[]).await;
    assert_eq!(status, 500);
    let results = harness.asked()[1].1["results"].to_string();
    assert!(!results.contains("negative"), "{results}");
}

#[tokio::test]
async fn a_reason_is_short_enough_to_be_kept() {
    let finds = |_: &[Text]| Err(Error::new(Code::Unavailable, "\0é".repeat(1_000)));
    let harness = told(finds, &["Fine."]);
    harness.post(PATH, "", &[]).await;
    let reason = harness.asked()[1].1["results"][0]["error"].clone();
    let reason = reason.as_str().unwrap();
    assert_eq!((reason.chars().count(), reason.contains('\0')), (500, false));
}

#[tokio::test]
async fn who_may_not_is_told_so() {
    let harness = builtin(|_, _| Err(Error::new(Code::Forbidden, "no")));
    assert_eq!(harness.post(PATH, "", &[]).await.0, 403);
}
