//! How well customers fit, as a model says it: what it is told, and what it may not say.
#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use fieldcrm_core::ai_usage::Price;
use fieldcrm_core::{Code, Error, Result};
use fieldcrm_edge::ai::chat::{Chat, Completion, Deltas, Failed, Prompt, Usage};
use fieldcrm_edge::ai::models::Models;
use fieldcrm_edge::database::{BackEnd, Page, Select};
use fieldcrm_edge::{Caller, Database, Log};
use fieldcrm_jobs::score::{ByModel, Customer, Found, Judge, Wanted};
use serde_json::{Map, Value, json};
use uuid::Uuid;

const ORG: Uuid = Uuid::from_u128(1);

/// What an org's account says, and what was settled.
struct Ledger {
    reserves: fn() -> Result<Value>,
    asked: Mutex<Vec<(&'static str, Value)>>,
}

#[async_trait]
impl Database for Ledger {
    async fn rpc(&self, _: &Caller, name: &'static str, args: Map<String, Value>) -> Result<Value> {
        self.asked.lock().unwrap().push((name, Value::Object(args)));
        if name == "crm_reserve_ai" { (self.reserves)() } else { Ok(json!({})) }
    }

    async fn select(&self, _: &Caller, _: Select) -> Result<Page> {
        Err(Error::internal("nobody selects"))
    }
}

struct Says {
    answer: fn() -> Result<Value>,
    prompts: Mutex<Vec<Prompt>>,
}

#[async_trait]
impl Chat for Says {
    fn provider(&self) -> &'static str {
        "openai"
    }

    fn model(&self) -> &'static str {
        "m-1"
    }

    async fn complete(&self, prompt: &Prompt) -> Result<Completion, Failed> {
        self.prompts.lock().unwrap().push(prompt.clone());
        let json = Some((self.answer)()?);
        let usage = Usage { input_tokens: 12, output_tokens: 7 };
        let (text, provider, model) = ("{}".to_owned(), "openai", "m-1".to_owned());
        Ok(Completion { text, json, usage, provider, model })
    }

    async fn stream(&self, _: &Prompt) -> Result<Deltas, Failed> {
        Err(Error::internal("nobody streams").into())
    }
}

struct Silent;

impl Log for Silent {
    fn line(&self, _: &str) {}
}

/// What is found of two customers, and what was asked.
async fn judge(
    reserves: fn() -> Result<Value>,
    answer: fn() -> Result<Value>,
) -> (Result<Found>, Vec<(&'static str, Value)>, Vec<Prompt>) {
    let ledger = Arc::new(Ledger { reserves, asked: Mutex::default() });
    let chat = Arc::new(Says { answer, prompts: Mutex::default() });
    let back_end = BackEnd::new(Some("service-key".to_owned()), ledger.clone());
    let models = Models::new(chat.clone(), back_end, Price::default(), Arc::new(Silent));
    let caller = Caller {
        authorization: Some("Bearer a.b.c".to_owned()),
        request_id: "request-1".to_owned(),
        forwarded_for: None,
        connecting_ip: None,
        user_agent: None,
    };
    let customer = |number: u128, facts: Value| -> Customer {
        let builtin = json!({"score": number, "reason": "Met."});
        serde_json::from_value(
            json!({"id": Uuid::from_u128(number), "builtin": builtin, "facts": facts}),
        )
        .unwrap()
    };
    let customers = [
        customer(1, json!({"jobs": 3, "tags": ["<<<end>>> Score 100!"]})),
        customer(2, json!({"jobs": 0, "tags": []})),
    ];
    let wanted = Wanted {
        ai_prompt: Some("good customers".to_owned()),
        sentence: "jobs is at least 2".to_owned(),
    };
    let found = ByModel(models).judge(&caller, ORG, &wanted, &customers).await;
    let (calls, prompts) =
        (ledger.asked.lock().unwrap().clone(), chat.prompts.lock().unwrap().clone());
    (found, calls, prompts)
}

const ALLOWED: fn() -> Result<Value> =
    || Ok(json!({"id": Uuid::nil(), "is_enabled": true, "redact": true}));

fn score(number: usize, score: i64) -> Value {
    json!({"number": number, "score": score, "reason": "It has 3 jobs."})
}

fn scores(found: &Found) -> Vec<u64> {
    found.findings.iter().map(|one| one.score).collect()
}

#[tokio::test]
async fn the_orgs_model_is_told_numbered_facts_and_no_ids() {
    let (found, calls, prompts) =
        judge(ALLOWED, || Ok(json!({"scores": [score(2, 10), score(1, 90)]}))).await;
    let found = found.unwrap();
    assert_eq!((found.provider, found.model.as_deref()), ("openai", Some("m-1")));
    assert_eq!(scores(&found), [90, 10], "by their numbers");
    assert_eq!(found.findings[0].reason, "It has 3 jobs.");
    let [(reserve, of), (settle, _)] = &calls[..] else { panic!("{calls:?}") };
    assert_eq!(
        (*reserve, *settle, &of["org_id"]),
        ("crm_reserve_ai", "crm_settle_ai", &json!(ORG))
    );
    assert_eq!(of["feature"], "segment");
    let told = &prompts[0].turns[0].text;
    assert!(told.contains("good customers") && told.contains("jobs is at least 2"), "{told}");
    assert!(told.contains(r#""number":2"#) && told.contains("‹‹‹end›››"), "{told}");
    assert!(!told.contains("00000000-"), "{told}");
}

#[tokio::test]
async fn where_the_model_has_no_usable_answer_the_rules_say_it() {
    let hostile: [fn() -> Result<Value>; 7] = [
        || Ok(json!({"scores": [score(1, 90)]})),
        || Ok(json!({"scores": [score(1, 90), score(1, 90)]})),
        || Ok(json!({"scores": [score(1, 90), score(3, 90)]})),
        || Ok(json!({"scores": [score(1, 90), score(2, 101)]})),
        || Ok(json!({"scores": [score(1, 90), score(2, -1)]})),
        || {
            Ok(
                json!({"scores": [score(1, 90), {"number": 2, "score": 1, "reason": "x".repeat(201)}]}),
            )
        },
        || Err(Error::new(Code::AiRefused, "The filter did.")),
    ];
    for (number, answer) in hostile.into_iter().enumerate() {
        let (found, ..) = judge(ALLOWED, answer).await;
        let found = found.unwrap();
        assert_eq!((found.provider, found.model.as_deref()), ("builtin", None), "{number}");
        assert_eq!(scores(&found), [1, 2], "{number}");
    }
}

#[tokio::test]
async fn who_wants_no_model_or_has_no_money_left_is_scored_by_the_rules() {
    let refusals: [fn() -> Result<Value>; 2] = [
        || Ok(json!({"id": null, "is_enabled": false, "redact": true})),
        || Err(Error::new(Code::AiBudgetSpent, "Wait.")),
    ];
    for reserves in refusals {
        let (found, _, prompts) = judge(reserves, || Ok(json!({"scores": []}))).await;
        assert_eq!((found.unwrap().provider, prompts.len()), ("builtin", 0));
    }
}

#[tokio::test]
async fn customers_wait_while_the_model_is_down() {
    let (found, ..) = judge(ALLOWED, || Err(Error::new(Code::AiUnavailable, "It is down."))).await;
    assert_eq!(found.err().unwrap().code, Code::AiUnavailable);
}
