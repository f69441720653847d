//! Amazon Bedrock: `Converse` and `ConverseStream`, signed. JSON comes as the input of a tool that the model has to use.

use axum::body::Bytes;
use chrono::{DateTime, Utc};
use fieldcrm_core::{Error, Result};
use serde_json::{Value, json};

use super::Prompt;
use super::events::{Break, Event, Events, of_aws};
use super::model::{End, Said, Wire};
use crate::ai::{Given, base_url, key, model, required};
use crate::aws::Account;
use crate::http::{Chunks, Post};

pub(super) struct Bedrock {
    /// Of the model.
    url: String,
    account: Account,
    model: String,
}

impl Bedrock {
    /// `AI_MODEL` (a model's id, an inference profile's or its ARN), `AWS_REGION`, `AWS_ACCESS_KEY_ID`,
    /// `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` if there is one, and `AI_BASE_URL` (by default the region's).
    pub fn read(given: &Given<'_>) -> Result<Self> {
        let model = model(required(given("AI_MODEL"), "AI_MODEL")?, "AI_MODEL")?;
        let secret = |name: &str| required(key(given, name)?, name);
        let region = secret("AWS_REGION")?;
        let account = Account::new(
            &region,
            &secret("AWS_ACCESS_KEY_ID")?,
            &secret("AWS_SECRET_ACCESS_KEY")?,
            key(given, "AWS_SESSION_TOKEN")?,
        )
        .ok_or_else(|| Error::internal("AWS_REGION is not a region"))?;
        let usual = format!("https://bedrock-runtime.{region}.amazonaws.com");
        let base = base_url(given, "AI_BASE_URL", &usual)?;
        let escaped: String = form_urlencoded::byte_serialize(model.as_bytes()).collect();
        Ok(Self { url: format!("{base}/model/{escaped}"), account, model })
    }
}

impl Wire for Bedrock {
    fn provider(&self) -> &'static str {
        "bedrock"
    }

    fn model(&self) -> &str {
        &self.model
    }

    fn post(&self, prompt: &Prompt, streamed: bool, now: DateTime<Utc>) -> Result<Post<Bytes>> {
        let turn = |turn: &super::Turn| json!({"role": turn.role.as_str(), "content": [{"text": turn.text}]});
        let mut body = json!({
            "system": [{"text": prompt.system}],
            "messages": prompt.turns.iter().map(turn).collect::<Vec<_>>(),
            "inferenceConfig": {"maxTokens": prompt.max_tokens},
        });
        if let Some((name, schema)) = prompt.schema.as_ref().filter(|_| !streamed) {
            body["toolConfig"] = json!({
                "tools": [{"toolSpec": {
                    "name": name, "description": "Takes the answer.", "inputSchema": {"json": schema}}}],
                "toolChoice": {"tool": {"name": name}},
            });
        }
        let action = if streamed { "converse-stream" } else { "converse" };
        let mut post = Post {
            url: format!("{}/{action}", self.url),
            headers: vec![("content-type", "application/json".to_owned())],
            body: Bytes::from(body.to_string()),
        };
        let signature = self.account.signature(&post, "bedrock", now);
        post.headers
            .extend(signature.ok_or_else(|| Error::internal("a request could not be signed"))?);
        Ok(post)
    }

    fn answer(&self, body: &Value) -> Said {
        let blocks = body["output"]["message"]["content"].as_array();
        let blocks = blocks.map(Vec::as_slice).unwrap_or_default();
        let input = blocks.iter().find_map(|block| block["toolUse"].get("input"));
        Said {
            text: blocks.iter().filter_map(|block| block["text"].as_str()).collect(),
            json: input.cloned(),
            end: end(&body["stopReason"]),
            ..counted(&body["usage"])
        }
    }

    fn events(&self, chunks: Chunks<Break>) -> Events {
        of_aws(chunks)
    }

    fn event(&self, event: &Event) -> Option<Said> {
        let body: Value = serde_json::from_slice(&event.data).ok()?;
        Some(match event.name.as_str() {
            "contentBlockDelta" => Said {
                text: body["delta"]["text"].as_str().unwrap_or_default().to_owned(),
                ..Said::default()
            },
            "messageStop" => Said { end: end(&body["stopReason"]), ..Said::default() },
            // The last one.
            "metadata" => Said { over: true, ..counted(&body["usage"]) },
            "exception" => Said { gives_up: true, ..Said::default() },
            // New ones may come.
            _ => Said::default(),
        })
    }
}

fn end(reason: &Value) -> Option<End> {
    Some(match reason.as_str()? {
        "max_tokens" | "model_context_window_exceeded" => End::CutOff,
        "guardrail_intervened" | "content_filtered" | "refusal" => End::Refused,
        _ => End::Said,
    })
}

/// What is read from a cache, or put there, is counted apart.
fn counted(usage: &Value) -> Said {
    let cached = ["cacheReadInputTokens", "cacheWriteInputTokens"]
        .map(|name| usage[name].as_u64().unwrap_or_default());
    let input = usage["inputTokens"].as_u64();
    Said {
        input_tokens: input
            .map(|input| cached.iter().fold(input, |sum, one| sum.saturating_add(*one))),
        output_tokens: usage["outputTokens"].as_u64(),
        ..Said::default()
    }
}
