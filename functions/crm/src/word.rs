//! A model's word, where there is one: else what core says stands, and the answer says why.

use fieldcrm_core::ai::shown::{is_hidden, leads_elsewhere};
use fieldcrm_core::ai_usage::Feature;
use fieldcrm_core::{Code, Result};
use fieldcrm_edge::ai::chat::{Checked, Prompt};
use fieldcrm_edge::ai::models::Models;
use fieldcrm_edge::{Caller, Ports, log};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

const BUILTIN: &str = "builtin";

/// Who asks for what; what it costs is the org's.
pub struct Question<'a> {
    pub ports: &'a Ports,
    pub models: &'a Models,
    pub caller: &'a Caller,
    pub org_id: Uuid,
    pub feature: Feature,
}

/// What a model said, or none; and who it was.
pub struct Word<T> {
    said: Option<T>,
    signature: Signature,
}

/// Whose word an answer is.
pub struct Signature {
    provider: &'static str,
    model: Option<String>,
    /// Why a model that is set up did not say it.
    ai_error: Option<Code>,
}

impl Question<'_> {
    /// [`Models::complete`], where whatever goes wrong is logged and no reason to answer nothing.
    pub async fn ask<T: DeserializeOwned + Send>(
        self,
        prompt: Prompt,
        check: impl Fn(&T) -> Vec<String> + Send + Sync,
    ) -> Word<T> {
        let Self { ports, models, caller, org_id, feature } = self;
        let answer: Result<Option<Checked<T>>> =
            models.complete(caller, org_id, feature, prompt, check).await;
        match answer {
            Ok(Some(Checked { value, provider, model, .. })) => Word {
                said: Some(value),
                signature: Signature { provider, model: Some(model), ai_error: None },
            },
            Ok(None) => Word::builtin(),
            Err(error) => {
                let facts = json!({"slug": "crm", "request_id": caller.request_id, "feature": feature, "code": error.code});
                log::event(ports.log.as_ref(), "warn", "ai_stood_in_for", facts);
                let mut word = Word::builtin();
                word.signature.ai_error = Some(error.code);
                word
            }
        }
    }
}

impl<T> Word<T> {
    /// Where no model is asked.
    pub const fn builtin() -> Self {
        Self { said: None, signature: Signature { provider: BUILTIN, model: None, ai_error: None } }
    }

    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Word<U> {
        Word { said: self.said.map(make), signature: self.signature }
    }

    pub fn take(self) -> (Option<T>, Signature) {
        (self.said, self.signature)
    }
}

impl Signature {
    /// The answer with `provider`, and where there are any `model` and `ai_error`.
    pub fn sign(self, mut answer: Value) -> Value {
        answer["provider"] = self.provider.into();
        if let Some(model) = self.model {
            answer["model"] = model.into();
        }
        if let Some(code) = self.ai_error {
            answer["ai_error"] = json!(code);
        }
        answer
    }
}

/// What keeps a model's text from being shown to staff, who take it for ours, if anything does.
pub fn text_problem(path: &str, text: &str, longest: usize) -> Option<String> {
    let unreadable = |letter: char| is_hidden(letter) || (letter.is_control() && letter != '\n');
    if text.trim().is_empty() || text.chars().count() > longest || text.contains(unreadable) {
        return Some(format!("{path} must be 1 to {longest} characters of text"));
    }
    leads_elsewhere(text).then(|| format!("{path} must not have links, addresses or brackets"))
}
