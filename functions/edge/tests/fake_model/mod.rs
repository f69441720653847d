//! Providers of models over real HTTP: they speak the formats of `OpenAI`, Anthropic and Bedrock, refuse what these refuse,
//! and say what they are told to.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use fieldcrm_edge::ai::chat::{Chat, Failed, Limits, Prompt, Turn, read};
use fieldcrm_edge::aws::Account;
use fieldcrm_edge::http::Post;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;

mod wire;

#[allow(unused_imports, reason = "each test file uses its part")]
pub use wire::{gives_up, word};

pub const KEY: &str = "sk-secret-key";
pub const MODEL: &str = "vendor.model-1:0";
/// What a test never waits for.
pub const LONG: Duration = Duration::from_mins(1);
pub const LIMITS: Limits = Limits { timeout: LONG, idle: LONG, stream: LONG };

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    OpenAi,
    Anthropic,
    Bedrock,
}

pub const ALL: [Wire; 3] = [Wire::OpenAi, Wire::Anthropic, Wire::Bedrock];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Said,
    CutOff,
    Refused,
}

/// What the model says, in pieces where it is asked to; of 12 tokens asked and 7 said.
#[derive(Clone, Debug)]
pub struct Says {
    pub text: &'static str,
    /// As a model answers by a schema: in the text, or as the input of the tool.
    pub json: Option<Value>,
    pub end: End,
}

#[derive(Clone, Debug)]
pub enum Step {
    Sends(Bytes),
    /// The same chunk for ever.
    Repeats(Bytes),
    FallsSilent,
    BreaksOff,
}

#[derive(Clone, Debug)]
pub enum Does {
    Says(Says),
    Answers(u16, Option<&'static str>, Value),
    Flows(Vec<Step>),
    /// Keeps the connection, says nothing.
    Waits,
}

pub fn says(text: &'static str) -> Does {
    Does::Says(Says { text, json: None, end: End::Said })
}

pub fn says_json(json: Value) -> Does {
    Does::Says(Says { text: "", json: Some(json), end: End::Said })
}

pub fn ends(end: End) -> Does {
    Does::Says(Says { text: "Half of", json: None, end })
}

/// A streamed answer in chunks of so many bytes.
pub fn in_chunks(wire: Wire, says: &Says, size: usize) -> Vec<Step> {
    let all = Bytes::from(wire::streamed(wire, says));
    let end = |start: usize| (start + size).min(all.len());
    (0..all.len()).step_by(size).map(|start| Step::Sends(all.slice(start..end(start)))).collect()
}

pub struct FakeModel {
    pub url: String,
    wire: Wire,
    state: Arc<Server>,
}

struct Server {
    wire: Wire,
    script: Vec<Does>,
    arrived: Mutex<Vec<Value>>,
    /// Chunks that somebody took.
    taken: Mutex<usize>,
    /// Told when a body is let go of.
    left: Notify,
}

impl FakeModel {
    /// Does one after the other, the last one for ever.
    pub async fn start(wire: Wire, script: Vec<Does>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Server {
            wire,
            script,
            arrived: Mutex::default(),
            taken: Mutex::default(),
            left: Notify::new(),
        });
        let service = Router::new().fallback(serve).with_state(state.clone());
        tokio::spawn(async { axum::serve(listener, service).await.unwrap() });
        Self { url, wire, state }
    }

    pub fn chat(&self, limits: Limits) -> Arc<dyn Chat> {
        at(self.wire, &self.url, limits)
    }

    /// The bodies of what came, all well-formed for their provider.
    pub fn arrived(&self) -> Vec<Value> {
        self.state.arrived.lock().unwrap().clone()
    }

    pub fn taken(&self) -> usize {
        *self.state.taken.lock().unwrap()
    }

    /// Until a client has left in the middle of a body.
    pub async fn left(&self) {
        self.state.left.notified().await;
    }
}

pub fn at(wire: Wire, url: &str, limits: Limits) -> Arc<dyn Chat> {
    let base = if wire == Wire::OpenAi { format!("{url}/v1/") } else { url.to_owned() };
    let variable = move |name: &str| {
        let value = match name {
            "AI_PROVIDER" => match wire {
                Wire::OpenAi => "openai",
                Wire::Anthropic => "anthropic",
                Wire::Bedrock => "bedrock",
            },
            "AI_MODEL" => MODEL,
            "AI_BASE_URL" => &base,
            "AI_API_KEY" | "AWS_SECRET_ACCESS_KEY" => KEY,
            "AWS_REGION" => "eu-central-1",
            "AWS_ACCESS_KEY_ID" => "AKIDEXAMPLE",
            _ => return None,
        };
        Some(value.to_owned())
    };
    read(&variable, limits).unwrap().unwrap()
}

pub fn prompt() -> Prompt {
    Prompt {
        system: "You are brief.".to_owned(),
        turns: vec![Turn::user("The secret note of Zoë")],
        schema: None,
        max_tokens: 100,
    }
}

pub fn prompt_for_json() -> Prompt {
    let schema = json!({"type": "object", "additionalProperties": false, "required": ["name", "count"],
        "properties": {"name": {"type": "string"}, "count": {"type": "integer"}}});
    Prompt { schema: Some(("plan", schema)), ..prompt() }
}

/// The code of a failure that tells nothing of what was sent or came.
pub fn code(failed: &Failed) -> &'static str {
    let told = format!("{failed:?} {}", failed.error);
    assert!(!told.contains("secret") && !told.contains("Half of"), "{told}");
    failed.error.code.as_str()
}

async fn serve(State(server): State<Arc<Server>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let body = match checked(server.wire, &parts.uri, &parts.headers, &body) {
        Ok(body) => body,
        Err(problem) => return (StatusCode::IM_A_TEAPOT, problem).into_response(),
    };
    let streamed = body["stream"] == true || parts.uri.path().ends_with("/converse-stream");
    let does = {
        let mut arrived = server.arrived.lock().unwrap();
        arrived.push(body);
        server.script[(arrived.len() - 1).min(server.script.len() - 1)].clone()
    };
    let content_type = match (server.wire, streamed) {
        (_, false) => "application/json",
        (Wire::Bedrock, true) => "application/vnd.amazon.eventstream",
        _ => "text/event-stream",
    };
    let answer = Response::builder().header("content-type", content_type);
    match does {
        Does::Says(says) if streamed => {
            answer.body(wire::streamed(server.wire, &says).into()).unwrap()
        }
        Does::Says(says) => {
            answer.body(wire::whole(server.wire, &says).to_string().into()).unwrap()
        }
        Does::Answers(status, retry_after, body) => {
            let mut answer = answer.status(status);
            if let Some(retry_after) = retry_after {
                answer = answer.header("retry-after", retry_after);
            }
            answer.body(body.to_string().into()).unwrap()
        }
        Does::Flows(steps) => answer.body(flow(server, steps)).unwrap(),
        Does::Waits => std::future::pending().await,
    }
}

fn flow(server: Arc<Server>, steps: Vec<Step>) -> Body {
    struct Leaves(Arc<Server>);
    impl Drop for Leaves {
        fn drop(&mut self) {
            self.0.left.notify_one();
        }
    }
    let leaves = Leaves(server);
    let steps = stream::iter(steps).flat_map(|step| match step {
        Step::Sends(bytes) => stream::iter([Ok(bytes)]).boxed(),
        Step::Repeats(bytes) => stream::repeat_with(move || Ok(bytes.clone())).boxed(),
        Step::FallsSilent => stream::pending().boxed(),
        Step::BreaksOff => stream::iter([Err("broken")]).boxed(),
    });
    Body::from_stream(steps.inspect(move |_| *leaves.0.taken.lock().unwrap() += 1))
}

/// The body, if the provider would take it.
fn checked(wire: Wire, uri: &Uri, headers: &HeaderMap, body: &Bytes) -> Result<Value, String> {
    let header =
        |name: &str| headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default();
    let json: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let expect = |holds: bool, what: &str| if holds { Ok(()) } else { Err(what.to_owned()) };
    expect(header("content-type") == "application/json", "content-type")?;
    match wire {
        Wire::OpenAi => {
            expect(uri.path() == "/v1/chat/completions", "path")?;
            expect(header("authorization") == format!("Bearer {KEY}"), "key")?;
            expect(json["model"] == MODEL && json["messages"][0]["role"] == "system", "body")?;
        }
        Wire::Anthropic => {
            expect(uri.path() == "/v1/messages", "path")?;
            expect(header("x-api-key") == KEY, "key")?;
            expect(header("anthropic-version") == "2023-06-01", "version")?;
            expect(json["model"] == MODEL && json["max_tokens"].is_u64(), "body")?;
        }
        Wire::Bedrock => {
            let path = uri.path().strip_prefix("/model/vendor.model-1%3A0/");
            expect(matches!(path, Some("converse" | "converse-stream")), "path")?;
            expect(json["inferenceConfig"]["maxTokens"].is_u64(), "body")?;
            let post = Post {
                url: format!("http://{}{uri}", header("host")),
                headers: vec![("content-type", header("content-type").to_owned())],
                body,
            };
            let date =
                chrono::NaiveDateTime::parse_from_str(header("x-amz-date"), "%Y%m%dT%H%M%SZ");
            let date = date.map_err(|error| error.to_string())?.and_utc();
            let account = Account::new("eu-central-1", "AKIDEXAMPLE", KEY, None).unwrap();
            let signature = account.signature(&post, "bedrock", date).unwrap();
            let expected = signature.iter().find(|(name, _)| *name == "authorization");
            expect(expected.unwrap().1 == header("authorization"), "signature")?;
        }
    }
    let turns: Vec<&Value> = json["messages"].as_array().unwrap().iter().collect();
    let roles: Vec<_> = turns.iter().map(|turn| turn["role"].as_str().unwrap()).collect();
    let roles = roles.strip_prefix(&["system"]).unwrap_or(&roles);
    let alternate =
        roles.iter().enumerate().all(|(at, role)| *role == ["user", "assistant"][at % 2]);
    expect(alternate && roles.len() % 2 == 1, "turns")?;
    Ok(json)
}
