//! `POST <base>/chat/completions` as `OpenAI` has it, and Azure, Ollama, vLLM, Groq and many others.

use axum::body::Bytes;
use chrono::{DateTime, Utc};
use fieldcrm_core::{Error, Result};
use serde_json::{Value, json};

use super::Prompt;
use super::events::{Break, Event, Events, server_sent};
use super::model::{End, Said, Wire};
use crate::ai::{Given, base_url, key, model, required};
use crate::http::{Chunks, Post};

const BASE: &str = "https://api.openai.com/v1";

pub(super) struct OpenAi {
    url: String,
    /// The key's header.
    key: Option<(&'static str, String)>,
    model: String,
    /// How the most that is said is called: the older name is the only one that some servers know, and `OpenAI` refuses it.
    max_tokens: &'static str,
}

impl OpenAi {
    /// `AI_MODEL`, `AI_BASE_URL` (by default `OpenAI`'s), `AI_API_KEY`, which a server of one's own may not need, and for
    /// Azure `AI_API_VERSION`.
    pub fn read(given: &Given<'_>) -> Result<Self> {
        let base = base_url(given, "AI_BASE_URL", BASE)?;
        let key = key(given, "AI_API_KEY")?;
        let version = given("AI_API_VERSION");
        let plain =
            |text: &String| text.bytes().all(|one| one.is_ascii_alphanumeric() || one == b'-');
        if !version.as_ref().is_none_or(plain) {
            return Err(Error::internal("AI_API_VERSION is not a version of Azure's API"));
        }
        let max_tokens = match &version {
            None if base != BASE => "max_tokens",
            _ => "max_completion_tokens",
        };
        let url = format!("{base}/chat/completions");
        let (url, key) = match version {
            Some(version) => {
                (format!("{url}?api-version={version}"), key.map(|key| ("api-key", key)))
            }
            None => (url, key.map(|key| ("authorization", format!("Bearer {key}")))),
        };
        let model = model(required(given("AI_MODEL"), "AI_MODEL")?, "AI_MODEL")?;
        Ok(Self { url, key, model, max_tokens })
    }
}

impl Wire for OpenAi {
    fn provider(&self) -> &'static str {
        "openai"
    }

    fn model(&self) -> &str {
        &self.model
    }

    fn post(&self, prompt: &Prompt, streamed: bool, _: DateTime<Utc>) -> Result<Post<Bytes>> {
        let mut messages = vec![json!({"role": "system", "content": prompt.system})];
        let turn = |turn: &super::Turn| json!({"role": turn.role.as_str(), "content": turn.text});
        messages.extend(prompt.turns.iter().map(turn));
        let mut body = json!({ "model": self.model, "messages": messages });
        body[self.max_tokens] = prompt.max_tokens.into();
        if streamed {
            body["stream"] = true.into();
            body["stream_options"] = json!({"include_usage": true});
        } else if let Some((name, schema)) = &prompt.schema {
            body["response_format"] = json!({"type": "json_schema", "json_schema": {
                "name": name, "schema": schema, "strict": is_strict(schema)}});
        }
        let mut headers = vec![("content-type", "application/json".to_owned())];
        headers.extend(self.key.clone());
        Ok(Post { url: self.url.clone(), headers, body: body.to_string().into() })
    }

    fn answer(&self, body: &Value) -> Said {
        said(body, "message")
    }

    fn events(&self, chunks: Chunks<Break>) -> Events {
        server_sent(chunks)
    }

    fn event(&self, event: &Event) -> Option<Said> {
        if &*event.data == b"[DONE]" {
            return Some(Said { over: true, ..Said::default() });
        }
        let body: Value = serde_json::from_slice(&event.data).ok()?;
        Some(Said { gives_up: !body["error"].is_null(), ..said(&body, "delta") })
    }

    /// Azure's filter looks at prompts, too.
    fn refuses(&self, status: u16, body: &Value) -> bool {
        let code = body["error"]["code"].as_str().unwrap_or_default();
        status == 400 && matches!(code, "content_filter" | "content_policy_violation")
    }
}

fn said(body: &Value, part: &str) -> Said {
    let choice = &body["choices"][0];
    let refusal = choice[part]["refusal"].as_str().is_some_and(|text| !text.is_empty());
    let end = match choice["finish_reason"].as_str() {
        _ if refusal => Some(End::Refused),
        Some("length") => Some(End::CutOff),
        Some("content_filter") => Some(End::Refused),
        other => other.map(|_| End::Said),
    };
    Said {
        text: choice[part]["content"].as_str().unwrap_or_default().to_owned(),
        input_tokens: body["usage"]["prompt_tokens"].as_u64(),
        output_tokens: body["usage"]["completion_tokens"].as_u64(),
        end,
        ..Said::default()
    }
}

/// Whether the schema is of the kind that `OpenAI` holds a model to: closed objects whose members are all required. Others
/// it refuses, unless it is told that they are a wish.
fn is_strict(schema: &Value) -> bool {
    match schema {
        Value::Array(all) => all.iter().all(is_strict),
        Value::Object(members) => {
            let known = !["oneOf", "allOf", "not", "patternProperties", "if"]
                .iter()
                .any(|name| members.contains_key(*name));
            let properties = members.get("properties").and_then(Value::as_object);
            let closed = properties.is_none_or(|properties| {
                let required = members.get("required").and_then(Value::as_array);
                let required = |name: &String| {
                    required.is_some_and(|all| all.iter().any(|one| one.as_str() == Some(name)))
                };
                members.get("additionalProperties") == Some(&Value::Bool(false))
                    && properties.iter().all(|(name, one)| {
                        required(name) && one.as_object().is_some_and(|one| !one.is_empty())
                    })
            });
            known && closed && members.values().all(is_strict)
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_closed_schemas_are_strict() {
        let object = |properties: Value, required: Value| {
            json!({"type": "object", "properties": properties, "required": required,
                "additionalProperties": false})
        };
        let text = json!({"type": "string"});
        assert!(is_strict(&object(json!({"a": text}), json!(["a"]))));
        assert!(
            !is_strict(&object(json!({"a": text, "b": text}), json!(["a"]))),
            "b may be absent"
        );
        assert!(!is_strict(&object(json!({"a": {}}), json!(["a"]))), "a may be anything");
        assert!(!is_strict(
            &json!({"type": "object", "properties": {"a": text}, "required": ["a"]})
        ));
        let inner =
            json!({"type": "array", "items": {"type": "object", "properties": {"a": text}}});
        assert!(!is_strict(&object(json!({"list": inner}), json!(["list"]))));
        assert!(!is_strict(&fieldcrm_core::segment::json_schema()));
    }
}
