//! What becomes of the customers of jobs, with a database that does as it is told.
#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use common::database::{Harness, harness_judging};
use fieldcrm_core::{Code, Error, Result};
use fieldcrm_edge::Caller;
use fieldcrm_jobs::BUDGET;
use fieldcrm_jobs::score::{Builtin, Customer, Found, Judge, Wanted};
use serde_json::{Value, json};
use uuid::Uuid;

const PATH: &str = "/score-segments";
const LEASE: Uuid = Uuid::from_u128(7);

fn id(number: usize) -> Uuid {
    Uuid::from_u128(number as u128)
}

/// A job of so many customers, handed out once; takes every result.
fn job(number: usize) -> impl Fn(&'static str, &Value) -> Result<Value> + Send + Sync + use<> {
    let waiting: Mutex<Vec<usize>> = Mutex::new((0..number).collect());
    let unscored = Mutex::new(number);
    move |name, arguments| {
        if name == "crm_store_scores" {
            let results = arguments["results"].as_array().unwrap();
            let stored = results.iter().filter(|result| result.get("error").is_none()).count();
            let mut unscored = unscored.lock().unwrap();
            *unscored -= stored;
            return Ok(
                json!({"stored": stored, "failed": results.len() - stored, "dead": 0, "finished": *unscored == 0}),
            );
        }
        let mut waiting = waiting.lock().unwrap();
        if waiting.is_empty() {
            return Ok(json!({"lease_id": null, "job": null, "customers": [], "dead": 0}));
        }
        let limit = usize::try_from(arguments["batch_limit"].as_u64().unwrap()).unwrap();
        let count = limit.min(waiting.len());
        let customers: Vec<_> = waiting
            .drain(..count)
            .map(|number| json!({"id": id(number), "builtin": {"score": number % 101, "reason": "Met."}}))
            .collect();
        Ok(json!({"lease_id": LEASE, "job": {"id": id(9), "org_id": id(8), "status": "running"},
            "segment": {"ai_prompt": null, "sentence": "x"}, "customers": customers, "dead": 0}))
    }
}

fn builtin(
    answer: impl Fn(&'static str, &Value) -> Result<Value> + Send + Sync + 'static,
) -> Harness {
    harness_judging(Arc::new(Builtin), BUDGET, answer)
}

/// Judges four at a time in parts of two; those of the parts that are told to fail do.
struct Parts(fn(&[Customer]) -> bool);

#[async_trait]
impl Judge for Parts {
    fn provider(&self) -> &'static str {
        "told"
    }

    fn batch(&self) -> (u64, usize) {
        (4, 2)
    }

    fn wants_facts(&self) -> bool {
        true
    }

    async fn judge(
        &self,
        _: &Caller,
        org_id: Uuid,
        wanted: &Wanted,
        customers: &[Customer],
    ) -> Result<Found> {
        assert_eq!((org_id, wanted.sentence.as_str()), (id(8), "x"));
        if (self.0)(customers) {
            return Err(Error::new(Code::AiUnavailable, "It is down."));
        }
        let found = Found::builtin(customers);
        Ok(Found { provider: "told", model: Some("m-1".to_owned()), ..found })
    }
}

#[tokio::test]
async fn what_is_claimed_is_scored_and_stored_with_its_lease() {
    let harness = builtin(job(501));
    let (status, answer) = harness.post(PATH, "", &[]).await;
    let expected = json!({"scored": 501, "failed": 0, "dead": 0, "lost": 0, "finished": 1, "provider": "builtin"});
    assert_eq!((status, answer), (200, expected));
    let asked = harness.asked();
    let names: Vec<_> = asked.iter().map(|(name, _)| *name).collect();
    let pair = ["crm_claim_scores", "crm_store_scores"];
    assert_eq!(names, [pair[0], pair[1], pair[0], pair[1], pair[0]]);
    assert_eq!(asked[0].1, json!({"batch_limit": 500, "facts": false}));
    assert_eq!(
        asked[3].1,
        json!({"job_id": id(9), "lease_id": LEASE, "provider": "builtin", "model": null,
            "results": [{"id": id(500), "score": 96, "reason": "Met."}]})
    );
}

#[tokio::test]
async fn parts_of_a_claim_are_judged_by_themselves() {
    let fails_first: fn(&[Customer]) -> bool = |customers| customers[0].id == id(0);
    let harness = harness_judging(Arc::new(Parts(fails_first)), BUDGET, job(8));
    let (status, answer) = harness.post(PATH, "", &[]).await;
    assert_eq!((status, &answer["scored"], &answer["failed"]), (200, &json!(2), &json!(2)));
    let asked = harness.asked();
    assert_eq!(asked[0].1, json!({"batch_limit": 4, "facts": true}));
    let stored: Vec<_> = asked.iter().filter(|(name, _)| *name == "crm_store_scores").collect();
    assert_eq!(stored.len(), 2, "and no further claim, while it is down");
    let of = |model: &Value| stored.iter().find(|(_, args)| args["model"] == *model).unwrap();
    assert_eq!(of(&json!("m-1")).1["results"][0]["id"], json!(id(2)));
    assert!(of(&Value::Null).1["results"][0]["error"].as_str().unwrap().contains("It is down."));
    let all: fn(&[Customer]) -> bool = |_| true;
    let harness = harness_judging(Arc::new(Parts(all)), BUDGET, job(8));
    let (status, answer) = harness.post(PATH, "", &[]).await;
    assert_eq!((status, &answer["code"]), (503, &json!("ai_unavailable")));
}

#[tokio::test]
async fn after_an_outage_one_question_asks_whether_it_is_over() {
    for (fails, stores) in [(true, vec![4]), (false, vec![2, 2])] {
        let after = job(4);
        let judge: fn(&[Customer]) -> bool = if fails { |_| true } else { |_| false };
        let judge = Arc::new(Counted { parts: Parts(judge), asked: Mutex::default() });
        let harness = harness_judging(judge.clone(), BUDGET, move |name, arguments| {
            let mut answer = after(name, arguments)?;
            if answer["job"].is_object() {
                answer["job"]["outages"] = json!(3);
            }
            Ok(answer)
        });
        harness.post(PATH, "", &[]).await;
        assert_eq!(*judge.asked.lock().unwrap(), stores.len(), "questions");
        let stored: Vec<_> =
            harness.asked().into_iter().filter(|(name, _)| *name == "crm_store_scores").collect();
        let results = |args: &Value| args["results"].as_array().unwrap().clone();
        let counts: Vec<_> = stored.iter().map(|(_, args)| results(args).len()).collect();
        assert_eq!(counts, stores);
        let put_off = |one: &Value| one["unavailable"] == true;
        assert!(
            stored.iter().flat_map(|(_, args)| results(args)).all(|one| put_off(&one) == fails)
        );
    }
}

/// How many questions there were.
struct Counted {
    parts: Parts,
    asked: Mutex<usize>,
}

#[async_trait]
impl Judge for Counted {
    fn provider(&self) -> &'static str {
        self.parts.provider()
    }

    fn batch(&self) -> (u64, usize) {
        self.parts.batch()
    }

    fn wants_facts(&self) -> bool {
        true
    }

    async fn judge(
        &self,
        caller: &Caller,
        org_id: Uuid,
        wanted: &Wanted,
        customers: &[Customer],
    ) -> Result<Found> {
        *self.asked.lock().unwrap() += 1;
        self.parts.judge(caller, org_id, wanted, customers).await
    }
}

#[tokio::test]
async fn what_is_paid_is_stored_though_another_store_fails() {
    let fails_first = |code: Code, times: usize| {
        let (after, failed) = (job(4), Mutex::new(0));
        let harness = move |name, arguments: &Value| {
            let first = || arguments["results"][0]["id"] == json!(id(0));
            let mut failed = failed.lock().unwrap();
            if name == "crm_store_scores" && first() && *failed < times {
                *failed += 1;
                return Err(Error::new(code, "Not now."));
            }
            after(name, arguments)
        };
        harness_judging(Arc::new(Parts(|_| false)), BUDGET, harness)
    };
    let stores = |harness: &Harness| {
        harness.asked().iter().filter(|(name, _)| *name == "crm_store_scores").count()
    };
    let harness = fails_first(Code::Unavailable, 1);
    let (status, answer) = harness.post(PATH, "", &[]).await;
    assert_eq!((status, &answer["scored"]), (200, &json!(4)), "once more");
    let harness = fails_first(Code::Unavailable, 9);
    let (status, answer) = harness.post(PATH, "", &[]).await;
    assert_eq!((status, &answer["code"], stores(&harness)), (503, &json!("unavailable"), 3));
    let harness = fails_first(Code::NotFound, 9);
    let (status, answer) = harness.post(PATH, "", &[]).await;
    assert_eq!((status, &answer["scored"], &answer["lost"]), (200, &json!(2), &json!(2)));
    assert_eq!(harness.asked().last().unwrap().0, "crm_claim_scores", "and others have their turn");
}

#[tokio::test]
async fn a_call_ends_with_its_limit_its_time_or_when_others_have_the_rest() {
    let harness = builtin(job(10));
    let (_, answer) = harness.post(PATH, r#"{"batch_limit": 4}"#, &[]).await;
    assert_eq!(answer["scored"], 4);
    let harness = harness_judging(Arc::new(Builtin), Duration::ZERO, job(900));
    assert_eq!(harness.post(PATH, "", &[]).await.1["scored"], 500);
    let harness = builtin(|_, _| {
        Ok(
            json!({"lease_id": LEASE, "job": {"id": id(9), "org_id": id(8)}, "customers": [], "dead": 0}),
        )
    });
    harness.post(PATH, "", &[]).await;
    assert_eq!(harness.asked().len(), 1);
    let (status, answer) = harness.post(PATH, r#"{"batch_limit": 0}"#, &[]).await;
    assert_eq!((status, &answer["errors"][0]["path"]), (400, &json!("batch_limit")));
}

#[tokio::test]
async fn a_job_that_ended_at_the_claim_does_not_end_the_call() {
    let given = Mutex::new(0);
    let after = job(1);
    let harness = builtin(move |name, arguments| {
        let mut given = given.lock().unwrap();
        *given += 1;
        if *given == 1 {
            return Ok(
                json!({"lease_id": null, "job": {"id": id(6), "org_id": id(8), "status": "done"}, "customers": [], "dead": 2}),
            );
        }
        after(name, arguments)
    });
    let (_, answer) = harness.post(PATH, "", &[]).await;
    let expected = json!({"scored": 1, "failed": 0, "dead": 2, "lost": 0, "finished": 2, "provider": "builtin"});
    assert_eq!(answer, expected);
}

#[tokio::test]
async fn who_may_not_claim_is_told_so() {
    let harness = builtin(|_, _| Err(Error::new(Code::Forbidden, "This is for back ends.")));
    let (status, answer) = harness.post(PATH, "", &[]).await;
    assert_eq!((status, &answer["code"]), (403, &json!("forbidden")));
}
