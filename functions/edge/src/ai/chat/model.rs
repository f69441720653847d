//! What all providers have in common: the exchange, its limits, and what follows from how an answer ends.

use std::collections::VecDeque;
use std::sync::Arc;

use async_trait::async_trait;
use axum::body::Bytes;
use chrono::{DateTime, Utc};
use fieldcrm_core::{Code, Error};
use futures_util::{StreamExt, stream};
use serde_json::Value;
use web_time::Instant;

use super::events::{Break, Event, Events, bounded};
use super::{Chat, Completion, Delta, Deltas, Failed, Limits, Prompt, Usage, invalid, unavailable};
use crate::http::{Answer, Chunks, Client, NoAnswer, Post};

/// What a prompt may have as the provider gets it, in bytes.
pub const MAX_PROMPT: usize = 512 * 1024;
/// What is read of an answer, in bytes: many times what any of our prompts asks for.
pub const MAX_ANSWER: usize = 1024 * 1024;

/// How one provider speaks.
pub(super) trait Wire: Send + Sync {
    fn provider(&self) -> &'static str;

    fn model(&self) -> &str;

    fn post(
        &self,
        prompt: &Prompt,
        streamed: bool,
        now: DateTime<Utc>,
    ) -> Result<Post<Bytes>, Error>;

    /// The body of a whole answer.
    fn answer(&self, body: &Value) -> Said;

    /// Cuts a streamed answer into events.
    fn events(&self, chunks: Chunks<Break>) -> Events;

    /// One event of a streamed answer; `None` where it is none.
    fn event(&self, event: &Event) -> Option<Said>;

    /// Whether a status other than 200 means that the prompt is refused for what is in it.
    fn refuses(&self, _status: u16, _body: &Value) -> bool {
        false
    }
}

/// What an answer, or an event of one, says.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub text: String,
    pub json: Option<Value>,
    pub input_tokens: Option<u64>,
    pub output_tokens: Option<u64>,
    pub end: Option<End>,
    /// Nothing comes after it.
    pub over: bool,
    /// The provider gives up.
    pub gives_up: bool,
}

/// Why a model says no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Said,
    /// It had no tokens left.
    CutOff,
    Refused,
}

impl End {
    fn judge(self, usage: Usage) -> Result<(), Failed> {
        let error = match self {
            Self::Said => return Ok(()),
            Self::CutOff => {
                invalid("was cut off: it is longer than max_tokens, or than the model's context")
            }
            Self::Refused => refused(),
        };
        Err(Failed { usage, ..error.into() })
    }
}

fn refused() -> Error {
    Error::new(Code::AiRefused, "The model declined, or its provider's filter did.")
}

/// A model of a provider.
pub(super) struct Model {
    wire: Arc<dyn Wire>,
    client: Client,
    limits: Limits,
}

impl Model {
    pub fn new(wire: Arc<dyn Wire>, limits: Limits) -> Self {
        // One byte more than it may have shows that it has too many.
        let client = Client::with_timeout(limits.timeout).with_max_answer(MAX_ANSWER + 1);
        Self { wire, client, limits }
    }

    fn post(&self, prompt: &Prompt, streamed: bool) -> Result<Post<Bytes>, Error> {
        let post = self.wire.post(prompt, streamed, Utc::now())?;
        if post.body.len() > MAX_PROMPT {
            let hint = format!("A prompt can have {MAX_PROMPT} bytes.");
            return Err(Error::new(Code::PayloadTooLarge, hint).with("limit", MAX_PROMPT));
        }
        Ok(post)
    }

    fn refusal(&self, answer: &Answer) -> Failed {
        if self.wire.refuses(answer.status, &answer.json()) {
            return refused().into();
        }
        let error = unavailable(&format!("answered {}", answer.status));
        // What stands between may have given up on a model that goes on.
        let clear = matches!(answer.status, 300..=407 | 409..=499 | 503 | 529);
        Failed { in_doubt: !clear, ..error.into() }
    }
}

fn unanswered(reason: NoAnswer) -> Failed {
    let error = unavailable(match reason {
        NoAnswer::Unsent => "cannot be reached",
        NoAnswer::TimedOut => "did not answer in time",
        NoAnswer::Dropped => "ended the connection without an answer",
    });
    Failed { in_doubt: reason != NoAnswer::Unsent, ..error.into() }
}

#[async_trait]
impl Chat for Model {
    fn provider(&self) -> &'static str {
        self.wire.provider()
    }

    fn model(&self) -> &str {
        self.wire.model()
    }

    async fn complete(&self, prompt: &Prompt) -> Result<Completion, Failed> {
        let post = self.post(prompt, false)?;
        let answer = self.client.post_patiently(post).await.map_err(unanswered)?;
        if answer.status != 200 {
            return Err(self.refusal(&answer));
        }
        if answer.body.len() > MAX_ANSWER {
            return Err(Failed::in_doubt(too_long()));
        }
        let body = serde_json::from_slice(&answer.body).map_err(|_| {
            Failed::in_doubt(unavailable("answered with what is no JSON, or not to its end"))
        })?;
        let Said { text, json, input_tokens, output_tokens, end, .. } = self.wire.answer(&body);
        let usage = Usage {
            input_tokens: input_tokens.unwrap_or_default(),
            output_tokens: output_tokens.unwrap_or_default(),
        };
        end.unwrap_or(End::Said).judge(usage)?;
        let wanted = prompt.schema.is_some();
        let json = json.or_else(|| serde_json::from_str(&text).ok()).filter(|_| wanted);
        let text = match &json {
            Some(json) if text.is_empty() => json.to_string(),
            _ => text,
        };
        if text.trim().is_empty() {
            return Err(Failed { usage, ..invalid("is empty").into() });
        }
        let (provider, model) = (self.provider(), self.model().to_owned());
        Ok(Completion { text, json, usage, provider, model })
    }

    async fn stream(&self, prompt: &Prompt) -> Result<Deltas, Failed> {
        let post = self.post(prompt, true)?;
        let until = Instant::now() + self.limits.timeout;
        let opened = self.client.open_patiently(post, until).await.map_err(unanswered)?;
        if opened.head.status != 200 {
            return Err(self.refusal(&opened.whole(MAX_ANSWER, until).await));
        }
        let chunks = bounded(opened.chunks, self.limits);
        let answer = Streamed {
            events: self.wire.events(chunks),
            wire: self.wire.clone(),
            ready: VecDeque::new(),
            usage: Usage::default(),
            end: None,
            over: false,
        };
        Ok(Box::pin(stream::unfold(Some(answer), async |answer| {
            let mut answer = answer?;
            match answer.next().await {
                Ok(delta) => Some((Ok(delta?), Some(answer))),
                Err(error) => Some((Err(Failed { usage: answer.usage, ..error }), None)),
            }
        })))
    }
}

fn too_long() -> Error {
    invalid(&format!("has more than {MAX_ANSWER} bytes"))
}

/// A streamed answer, as far as it has come.
struct Streamed {
    events: Events,
    wire: Arc<dyn Wire>,
    ready: VecDeque<Delta>,
    usage: Usage,
    end: Option<End>,
    over: bool,
}

impl Streamed {
    async fn next(&mut self) -> Result<Option<Delta>, Failed> {
        loop {
            if let Some(delta) = self.ready.pop_front() {
                return Ok(Some(delta));
            }
            let event = if self.over { None } else { self.events.next().await };
            let Some(event) = event else {
                let end =
                    self.end.ok_or_else(|| unavailable("broke off in the middle of an answer"))?;
                return end.judge(self.usage).map(|()| None);
            };
            let said = self.wire.event(&event.map_err(broken)?);
            self.take(said.ok_or_else(|| broken(Break::Malformed))?)?;
        }
    }

    fn take(&mut self, said: Said) -> Result<(), Error> {
        if said.gives_up {
            return Err(unavailable("gave up in the middle of an answer"));
        }
        if !said.text.is_empty() {
            self.ready.push_back(Delta::Text(said.text));
        }
        let usage = Usage {
            input_tokens: said.input_tokens.unwrap_or(self.usage.input_tokens),
            output_tokens: said.output_tokens.unwrap_or(self.usage.output_tokens),
        };
        if usage != self.usage {
            self.usage = usage;
            self.ready.push_back(Delta::Usage(usage));
        }
        // What was refused stays refused, whatever else ends it.
        if self.end != Some(End::Refused) {
            self.end = said.end.or(self.end);
        }
        self.over |= said.over;
        Ok(())
    }
}

fn broken(reason: Break) -> Error {
    match reason {
        Break::Late => unavailable("fell silent in the middle of an answer"),
        Break::Dropped => unavailable("broke off in the middle of an answer"),
        Break::Malformed => unavailable("sent what is no part of an answer"),
        Break::TooLong => too_long(),
    }
}
