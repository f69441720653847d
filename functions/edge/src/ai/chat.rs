//! Completions: what a model says to a prompt, whole or as it comes.
//!
//! Nothing that comes from here is trusted further than what a user sends: [`complete_checked`] takes JSON only as a type
//! of the caller's. Prompts, keys and answers are in no error and no log line.

use std::ops::AddAssign;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fieldcrm_core::{Code, Error};
use futures_util::Stream;
use serde_json::Value;

use super::trimmed;

mod anthropic;
mod bedrock;
mod check;
mod events;
mod model;
mod openai;

pub use check::{Checked, MAX_REPAIRS, complete_checked};
pub use model::{MAX_ANSWER, MAX_PROMPT};

use anthropic::Anthropic;
use bedrock::Bedrock;
use model::{Model, Wire};
use openai::OpenAi;

/// Who said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    User,
    Assistant,
}

impl Role {
    const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    pub role: Role,
    pub text: String,
}

impl Turn {
    #[must_use]
    pub fn user(text: impl Into<String>) -> Self {
        Self { role: Role::User, text: text.into() }
    }

    #[must_use]
    pub fn assistant(text: impl Into<String>) -> Self {
        Self { role: Role::Assistant, text: text.into() }
    }
}

/// What a model is asked. What customers wrote belongs into blocks of [`fieldcrm_core::ai::prompt`].
#[derive(Clone, Debug, PartialEq)]
pub struct Prompt {
    pub system: String,
    /// In turn, the user first and last.
    pub turns: Vec<Turn>,
    /// A JSON Schema of an object that the answer shall be, with a name of letters, digits and `_-`. A model may ignore it.
    /// [`Chat::stream`] has text alone and does not look at it.
    pub schema: Option<(&'static str, Value)>,
    /// Of the answer.
    pub max_tokens: u32,
}

/// Tokens as the provider counts them; none where it does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    pub input_tokens: u64,
    pub output_tokens: u64,
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.input_tokens = self.input_tokens.saturating_add(other.input_tokens);
        self.output_tokens = self.output_tokens.saturating_add(other.output_tokens);
    }
}

/// What a model answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Completion {
    pub text: String,
    /// The answer as JSON, where a schema was given and it is any.
    pub json: Option<Value>,
    pub usage: Usage,
    pub provider: &'static str,
    pub model: String,
}

/// Why there is no answer, and what it cost all the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Failed {
    /// `ai_unavailable`, `ai_refused`, `ai_output_invalid`, or that the prompt is too large.
    pub error: Error,
    pub usage: Usage,
    /// Whether it was perhaps answered, and nobody knows what that did cost.
    pub in_doubt: bool,
}

impl Failed {
    fn in_doubt(error: Error) -> Self {
        Self { in_doubt: true, ..error.into() }
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self { error, usage: Usage::default(), in_doubt: false }
    }
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Self {
        failed.error
    }
}

/// A piece of an answer on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delta {
    Text(String),
    /// What it has cost up to here, all together: the last one counts.
    Usage(Usage),
}

/// The answer is whole where it ends without an error. Whoever lets go of it ends the exchange with the provider.
pub type Deltas = Pin<Box<dyn Stream<Item = Result<Delta, Failed>> + Send>>;

#[async_trait]
pub trait Chat: Send + Sync {
    /// Whose model it is, as `AI_PROVIDER` names it.
    fn provider(&self) -> &'static str;

    fn model(&self) -> &str;

    async fn complete(&self, prompt: &Prompt) -> Result<Completion, Failed>;

    /// An error here: nothing has been said yet.
    async fn stream(&self, prompt: &Prompt) -> Result<Deltas, Failed>;
}

/// How long a model may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For a whole answer, or until one begins that comes in pieces; all tries together.
    pub timeout: Duration,
    /// Between two pieces.
    pub idle: Duration,
    /// From the first piece to the last.
    pub stream: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_mins(1),
            idle: Duration::from_secs(20),
            stream: Duration::from_mins(3),
        }
    }
}

/// Reads `AI_PROVIDER` and what the provider needs, see docs/ai.md; `None` for `builtin`, which is also meant where it
/// is not set: callers use what core has instead. The error names the variable, never its value.
pub fn read(
    variable: &dyn Fn(&str) -> Option<String>,
    limits: Limits,
) -> fieldcrm_core::Result<Option<Arc<dyn Chat>>> {
    let given = trimmed(variable);
    let wire: Arc<dyn Wire> = match given("AI_PROVIDER").as_deref().unwrap_or("builtin") {
        "builtin" => return Ok(None),
        "openai" => Arc::new(OpenAi::read(&given)?),
        "anthropic" => Arc::new(Anthropic::read(&given)?),
        "bedrock" => Arc::new(Bedrock::read(&given)?),
        _ => {
            return Err(Error::internal(
                "AI_PROVIDER is not openai, anthropic, bedrock or builtin",
            ));
        }
    };
    let mut limits = limits;
    if let Some(seconds) = given("AI_TIMEOUT_SECONDS") {
        let seconds = seconds.parse().ok().filter(|seconds| (1..=600).contains(seconds));
        limits.timeout = seconds.map(Duration::from_secs).ok_or_else(|| {
            Error::internal("AI_TIMEOUT_SECONDS is not a number of seconds from 1 to 600")
        })?;
    }
    Ok(Some(Arc::new(Model::new(wire, limits))))
}

fn unavailable(what: &str) -> Error {
    Error::new(Code::AiUnavailable, format!("The AI provider {what}."))
}

fn invalid(what: &str) -> Error {
    Error::new(Code::AiOutputInvalid, format!("The model's answer {what}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_with(pairs: &[(&str, &str)]) -> fieldcrm_core::Result<Option<Arc<dyn Chat>>> {
        let variable = |name: &str| {
            pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        };
        read(&variable, Limits::default())
    }

    #[test]
    fn without_a_word_there_is_no_model() {
        assert!(read_with(&[]).unwrap().is_none());
        assert!(read_with(&[("AI_PROVIDER", " ")]).unwrap().is_none());
        assert!(read_with(&[("AI_PROVIDER", "builtin")]).unwrap().is_none());
    }

    #[test]
    fn a_variable_that_is_wrong_is_named_and_its_value_is_not() {
        let openai = [("AI_PROVIDER", "openai"), ("AI_MODEL", "m")];
        let bedrock = [("AI_PROVIDER", "bedrock"), ("AI_MODEL", "m")];
        for (pairs, named) in [
            (vec![("AI_PROVIDER", "secret")], "AI_PROVIDER"),
            (vec![("AI_PROVIDER", "openai")], "AI_MODEL"),
            ([&openai[..], &[("AI_BASE_URL", "secret")]].concat(), "AI_BASE_URL"),
            ([&openai[..], &[("AI_API_KEY", "secret\nx")]].concat(), "AI_API_KEY"),
            ([&openai[..], &[("AI_API_VERSION", "secret&x")]].concat(), "AI_API_VERSION"),
            ([&openai[..], &[("AI_TIMEOUT_SECONDS", "secret")]].concat(), "AI_TIMEOUT_SECONDS"),
            (vec![("AI_PROVIDER", "anthropic"), ("AI_MODEL", "m")], "AI_API_KEY"),
            (bedrock.to_vec(), "AWS_REGION"),
            ([&bedrock[..], &[("AWS_REGION", "eu-west-1")]].concat(), "AWS_ACCESS_KEY_ID"),
        ] {
            let error = read_with(&pairs).err().unwrap();
            assert!(error.hint.contains(named) && !error.hint.contains("secret"), "{error:?}");
        }
    }
}
