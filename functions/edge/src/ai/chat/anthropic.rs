//! Anthropic's Messages API. JSON comes as the input of a tool that the model has to use.

use axum::body::Bytes;
use chrono::{DateTime, Utc};
use fieldcrm_core::Result;
use serde_json::{Value, json};

use super::Prompt;
use super::events::{Break, Event, Events, server_sent};
use super::model::{End, Said, Wire};
use crate::ai::{Given, base_url, key, model, required};
use crate::http::{Chunks, Post};

pub(super) struct Anthropic {
    url: String,
    key: String,
    model: String,
}

impl Anthropic {
    /// `AI_MODEL`, `AI_API_KEY` and `AI_BASE_URL` (by default Anthropic's).
    pub fn read(given: &Given<'_>) -> Result<Self> {
        let base = base_url(given, "AI_BASE_URL", "https://api.anthropic.com")?;
        Ok(Self {
            url: format!("{base}/v1/messages"),
            key: required(key(given, "AI_API_KEY")?, "AI_API_KEY")?,
            model: model(required(given("AI_MODEL"), "AI_MODEL")?, "AI_MODEL")?,
        })
    }
}

impl Wire for Anthropic {
    fn provider(&self) -> &'static str {
        "anthropic"
    }

    fn model(&self) -> &str {
        &self.model
    }

    fn post(&self, prompt: &Prompt, streamed: bool, _: DateTime<Utc>) -> Result<Post<Bytes>> {
        let turn = |turn: &super::Turn| json!({"role": turn.role.as_str(), "content": turn.text});
        let mut body = json!({
            "model": self.model, "max_tokens": prompt.max_tokens, "system": prompt.system,
            "messages": prompt.turns.iter().map(turn).collect::<Vec<_>>(),
        });
        if streamed {
            body["stream"] = true.into();
        } else if let Some((name, schema)) = &prompt.schema {
            body["tools"] =
                json!([{"name": name, "description": "Takes the answer.", "input_schema": schema}]);
            body["tool_choice"] = json!({"type": "tool", "name": name});
        }
        let headers = vec![
            ("content-type", "application/json".to_owned()),
            ("anthropic-version", "2023-06-01".to_owned()),
            ("x-api-key", self.key.clone()),
        ];
        Ok(Post { url: self.url.clone(), headers, body: body.to_string().into() })
    }

    fn answer(&self, body: &Value) -> Said {
        let blocks = body["content"].as_array().map(Vec::as_slice).unwrap_or_default();
        let input = blocks.iter().find(|block| block["type"] == "tool_use");
        Said {
            text: blocks.iter().filter_map(|block| block["text"].as_str()).collect(),
            json: input.map(|block| block["input"].clone()),
            end: end(&body["stop_reason"]),
            ..counted(&body["usage"])
        }
    }

    fn events(&self, chunks: Chunks<Break>) -> Events {
        server_sent(chunks)
    }

    fn event(&self, event: &Event) -> Option<Said> {
        let body: Value = serde_json::from_slice(&event.data).ok()?;
        Some(match body["type"].as_str()? {
            "message_start" => counted(&body["message"]["usage"]),
            "content_block_delta" => Said {
                text: body["delta"]["text"].as_str().unwrap_or_default().to_owned(),
                ..Said::default()
            },
            "message_delta" => {
                Said { end: end(&body["delta"]["stop_reason"]), ..counted(&body["usage"]) }
            }
            "message_stop" => Said { over: true, ..Said::default() },
            "error" => Said { gives_up: true, ..Said::default() },
            // New ones may come.
            _ => Said::default(),
        })
    }
}

fn end(reason: &Value) -> Option<End> {
    Some(match reason.as_str()? {
        "max_tokens" | "model_context_window_exceeded" => End::CutOff,
        "refusal" => End::Refused,
        _ => End::Said,
    })
}

/// What is read from a cache, or put there, is counted apart.
fn counted(usage: &Value) -> Said {
    let cached = ["cache_creation_input_tokens", "cache_read_input_tokens"]
        .map(|name| usage[name].as_u64().unwrap_or_default());
    let input = usage["input_tokens"].as_u64();
    Said {
        input_tokens: input
            .map(|input| cached.iter().fold(input, |sum, one| sum.saturating_add(*one))),
        output_tokens: usage["output_tokens"].as_u64(),
        ..Said::default()
    }
}
