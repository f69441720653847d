//! What the CRM proposes, over HTTP: with no model, and with one that may say anything.
#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::body::Body;
use axum::http::Request;
use fieldcrm_core::ai_usage::Price;
use fieldcrm_core::{Error, Result};
use fieldcrm_edge::ai::chat::{Chat, Completion, Deltas, Failed, Prompt, Usage};
use fieldcrm_edge::ai::models::Models;
use fieldcrm_edge::database::{BackEnd, Page, Select};
use fieldcrm_edge::{Caller, Config, Database, Log, Origins, Ports};
use serde_json::{Map, Value, json};
use tower::ServiceExt;

const ID: &str = "0d0e0f10-0000-4000-8000-000000000001";

/// Answers each RPC with what is set up for it; writes down what it is asked.
struct Org {
    answers: Map<String, Value>,
    asked: Mutex<Vec<(&'static str, Value)>>,
}

#[async_trait]
impl Database for Org {
    async fn rpc(
        &self,
        caller: &Caller,
        name: &'static str,
        args: Map<String, Value>,
    ) -> Result<Value> {
        let key = caller.authorization.as_deref().unwrap();
        let of_back_end = matches!(name, "crm_reserve_ai" | "crm_settle_ai");
        assert_eq!(key, if of_back_end { "Bearer service-key" } else { "Bearer a.b.c" }, "{name}");
        self.asked.lock().unwrap().push((name, Value::Object(args)));
        Ok(match name {
            "crm_reserve_ai" => json!({"id": ID, "is_enabled": true, "redact": true}),
            "crm_settle_ai" => json!({}),
            _ => self.answers.get(name).cloned().ok_or_else(|| Error::not_found("customer"))?,
        })
    }

    async fn select(&self, _: &Caller, _: Select) -> Result<Page> {
        Err(Error::internal("nothing is selected"))
    }
}

/// Says one thing after the other, the last one for ever.
struct Says {
    script: Vec<Value>,
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
        let mut prompts = self.prompts.lock().unwrap();
        let said = &self.script[prompts.len().min(self.script.len() - 1)];
        prompts.push(prompt.clone());
        let usage = Usage { input_tokens: 12, output_tokens: 7 };
        let (text, json) = (said.to_string(), (!said.is_string()).then(|| said.clone()));
        Ok(Completion { text, json, usage, provider: "openai", model: "m-1".to_owned() })
    }

    async fn stream(&self, _: &Prompt) -> Result<Deltas, Failed> {
        Err(Error::internal("nobody streams").into())
    }
}

struct Silent;

impl Log for Silent {
    fn line(&self, _: &str) {}
}

struct Answered {
    status: u16,
    body: Value,
    asked: Vec<(&'static str, Value)>,
    prompts: Vec<Prompt>,
}

impl Answered {
    fn names(&self) -> Vec<&str> {
        self.asked.iter().map(|(name, _)| *name).collect()
    }
}

/// Posts to a function of an org that answers so; a model says the script, if there is any.
async fn post(path: &str, body: &Value, answers: Value, script: &[Value]) -> Answered {
    let Value::Object(answers) = answers else { panic!("answers by name") };
    let org = Arc::new(Org { answers, asked: Mutex::default() });
    let chat = Arc::new(Says { script: script.to_vec(), prompts: Mutex::default() });
    let models = if script.is_empty() {
        Models::builtin()
    } else {
        let back_end = BackEnd::new(Some("service-key".to_owned()), org.clone());
        let price = Price { input: 1_000_000, output: 1_000_000 };
        Models::new(chat.clone(), back_end, price, Arc::new(Silent))
    };
    let ports = Ports { database: org.clone(), log: Arc::new(Silent) };
    let (supabase_url, publishable_key) = (String::new(), String::new());
    let config = Config { supabase_url, publishable_key, origins: Origins::Any };
    let body = if body.is_null() { Body::empty() } else { body.to_string().into() };
    let request = Request::builder()
        .method("POST")
        .uri(path)
        .header("authorization", "Bearer a.b.c")
        .body(body)
        .unwrap();
    let response = fieldcrm_fn_crm::router(ports, &config, models).oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let (asked, prompts) =
        (org.asked.lock().unwrap().clone(), chat.prompts.lock().unwrap().clone());
    Answered { status, body: serde_json::from_slice(&body).unwrap(), asked, prompts }
}

#[tokio::test]
async fn leads_are_scored_with_and_without_a_list() {
    let scores = json!({"model": {"provider": "builtin"}, "leads": [{"id": ID, "score": 61}]});
    let answers = json!({"crm_score_leads": scores});
    for body in [Value::Null, json!({}), json!({"lead_ids": [ID]}), json!({"page_size": 20})] {
        let answered = post("/crm/leads/score", &body, answers.clone(), &[]).await;
        assert_eq!((answered.status, answered.body), (200, scores.clone()));
        let arguments = if body.is_null() { json!({}) } else { body };
        assert_eq!(answered.asked, [("crm_score_leads", arguments)]);
    }
    let answered = post("/crm/leads/score", &json!({"limit": 3}), answers, &[]).await;
    assert_eq!((answered.status, &answered.body["errors"][0]["path"]), (400, &json!("limit")));
    assert!(answered.names().is_empty());
}
