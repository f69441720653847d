//! The function with a database of the test's own and a model that says what it is told to.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::body::Body;
use axum::http::Request;
use fieldcrm_core::ai_usage::Price;
use fieldcrm_core::{Error, Result};
use fieldcrm_edge::ai::chat::{Chat, Completion, Deltas, Failed, Prompt, Usage};
use fieldcrm_edge::ai::models::Models;
use fieldcrm_edge::database::BackEnd;
use fieldcrm_edge::{Config, Database, Log, Ports};
use serde_json::Value;
use tower::ServiceExt;

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

/// What was answered, and what the model was asked for it.
pub struct Answer {
    pub status: u16,
    pub body: Value,
    pub prompts: Vec<Prompt>,
}

/// Posts to the function; a model says the script, if there is any.
pub async fn post(
    database: Arc<dyn Database>,
    path: &str,
    body: &Value,
    script: &[Value],
) -> Answer {
    let chat = Arc::new(Says { script: script.to_vec(), prompts: Mutex::default() });
    let models = if script.is_empty() {
        Models::builtin()
    } else {
        let back_end = BackEnd::new(Some("service-key".to_owned()), database.clone());
        let price = Price { input: 1_000_000, output: 1_000_000 };
        Models::new(chat.clone(), back_end, price, Arc::new(Silent))
    };
    let ports = Ports { database, log: Arc::new(Silent) };
    let config = Config::default();
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
    let prompts = chat.prompts.lock().unwrap().clone();
    Answer { status, body: serde_json::from_slice(&body).unwrap(), prompts }
}
