//! The model as features ask it: within the org's budget, and as the org wants it.
//!
//! A question is charged before it is asked, with no less than it should cost, and settled once that is known. What nobody
//! settles stays charged: it was perhaps answered.

use std::sync::Arc;

use fieldcrm_core::ai::redact::redact;
use fieldcrm_core::ai_usage::{Feature, MAX_MICROS, Price, Reservation, Settlement};
use fieldcrm_core::{Error, Result};
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use uuid::Uuid;

use super::chat::{
    self, Chat, Checked, Completion, Delta, Deltas, Failed, Limits, Prompt, Usage, complete_checked,
};
use super::{Given, trimmed};
use crate::database::BackEnd;
use crate::{Caller, Log, background, log};

/// The most a million tokens may cost, in millionths of a US dollar: a thousand dollars.
const MAX_PRICE: u64 = 1_000_000_000;
/// A token has more in most languages.
const BYTES_OF_TOKEN: usize = 3;

/// A model, if one is set up; else callers use what core has. What is set up wrongly answers every question with what is
/// wrong: a function that needs it for a part of its work does the rest.
#[derive(Clone)]
pub struct Models(Option<Result<Arc<Outside>>>);

struct Outside {
    chat: Arc<dyn Chat>,
    back_end: BackEnd,
    price: Price,
    log: Arc<dyn Log>,
}

impl Models {
    #[must_use]
    pub const fn builtin() -> Self {
        Self(None)
    }

    #[must_use]
    pub fn new(chat: Arc<dyn Chat>, back_end: BackEnd, price: Price, log: Arc<dyn Log>) -> Self {
        Self(Some(Ok(Arc::new(Outside { chat, back_end, price, log }))))
    }

    /// [`chat::read`], `AI_PRICE_INPUT` and `AI_PRICE_OUTPUT`, see docs/ai.md.
    #[must_use]
    pub fn read(
        variable: &dyn Fn(&str) -> Option<String>,
        back_end: BackEnd,
        log: Arc<dyn Log>,
    ) -> Self {
        match chat::read(variable, Limits::default()) {
            Ok(None) => Self::builtin(),
            Ok(Some(chat)) => match price(&trimmed(variable)) {
                Ok(price) => Self::new(chat, back_end, price, log),
                Err(error) => Self(Some(Err(error))),
            },
            Err(error) => Self(Some(Err(error))),
        }
    }

    /// Whether no model is set up; one that is set up wrongly is set up.
    #[must_use]
    pub const fn is_builtin(&self) -> bool {
        self.0.is_none()
    }

    /// Whose model it is, and its name.
    #[must_use]
    pub fn name(&self) -> Option<(&'static str, &str)> {
        let outside = self.0.as_ref()?.as_ref().ok()?;
        Some((outside.chat.provider(), outside.chat.model()))
    }

    /// [`complete_checked`], for an org that the caller may spend the money of: each round is charged before it is asked. `None`: no
    /// model is set up, or the org wants none.
    pub async fn complete<T: DeserializeOwned + Send>(
        &self,
        caller: &Caller,
        org_id: Uuid,
        feature: Feature,
        prompt: Prompt,
        check: impl Fn(&T) -> Vec<String> + Send + Sync,
    ) -> Result<Option<Checked<T>>> {
        let Some(outside) = self.outside()? else { return Ok(None) };
        let ask = |prompt| outside.complete(caller, org_id, feature, prompt);
        Ok(complete_checked(ask, prompt, check).await?)
    }

    /// [`Chat::stream`], likewise. Whoever lets go of it still pays for what was said.
    pub async fn stream(
        &self,
        caller: &Caller,
        org_id: Uuid,
        feature: Feature,
        prompt: Prompt,
    ) -> Result<Option<Deltas>> {
        let Some(outside) = self.outside()? else { return Ok(None) };
        let reserved = outside.reserve(caller, org_id, feature, prompt).await?;
        let Some((question, prompt)) = reserved else { return Ok(None) };
        match outside.chat.stream(&prompt).await {
            Ok(deltas) => Ok(Some(metered(deltas, question))),
            Err(failed) => {
                question.settle_failed(&failed).await;
                Err(failed.error)
            }
        }
    }

    fn outside(&self) -> Result<Option<&Arc<Outside>>> {
        self.0.as_ref().map(Result::as_ref).transpose().map_err(Clone::clone)
    }
}

fn price(given: &Given<'_>) -> Result<Price> {
    let read = |name: &str| match given(name) {
        None => Ok(0),
        Some(price) => price.parse().ok().filter(|price| *price <= MAX_PRICE).ok_or_else(|| {
            Error::internal(format!("{name} is not a number of micro-dollars up to {MAX_PRICE}"))
        }),
    };
    Ok(Price { input: read("AI_PRICE_INPUT")?, output: read("AI_PRICE_OUTPUT")? })
}

/// What of a question's cost the database says.
#[derive(Deserialize)]
struct Reserved {
    /// None where the org wants no model.
    id: Option<Uuid>,
    redact: bool,
}

impl Outside {
    async fn complete(
        self: &Arc<Self>,
        caller: &Caller,
        org_id: Uuid,
        feature: Feature,
        prompt: Prompt,
    ) -> Result<Option<Completion>, Failed> {
        let reserved = self.reserve(caller, org_id, feature, prompt).await?;
        let Some((question, prompt)) = reserved else { return Ok(None) };
        let answer = self.chat.complete(&prompt).await;
        match &answer {
            Ok(answer) => question.settle(answer.usage).await,
            Err(failed) => question.settle_failed(failed).await,
        }
        answer.map(Some)
    }

    async fn reserve(
        self: &Arc<Self>,
        caller: &Caller,
        org_id: Uuid,
        feature: Feature,
        mut prompt: Prompt,
    ) -> Result<Option<(Question, Prompt)>> {
        let input_tokens = input_tokens(&prompt);
        let reservation = Reservation {
            org_id,
            feature,
            provider: self.chat.provider().to_owned(),
            model: self.chat.model().to_owned(),
            estimated_micros: self.price.of(input_tokens, prompt.max_tokens.into()).min(MAX_MICROS),
        };
        let reserved = self.back_end.rpc(caller, "crm_reserve_ai", json!(reservation)).await?;
        let reserved: Reserved = serde_json::from_value(reserved)
            .map_err(|_| Error::internal("crm_reserve_ai answered something else"))?;
        let Some(id) = reserved.id else { return Ok(None) };
        if reserved.redact {
            for turn in &mut prompt.turns {
                turn.text = redact(&turn.text).text;
            }
        }
        let (outside, caller) = (self.clone(), caller.clone());
        Ok(Some((Question { outside, caller, org_id, id, input_tokens }, prompt)))
    }
}

fn input_tokens(prompt: &Prompt) -> u64 {
    let schema = prompt.schema.as_ref().map_or(0, |(_, schema)| schema.to_string().len());
    let turns: usize = prompt.turns.iter().map(|turn| turn.text.len()).sum();
    (prompt.system.len() + turns + schema).div_ceil(BYTES_OF_TOKEN) as u64
}

/// A question that was charged.
#[derive(Clone)]
struct Question {
    outside: Arc<Outside>,
    caller: Caller,
    org_id: Uuid,
    id: Uuid,
    /// Estimated.
    input_tokens: u64,
}

impl Question {
    /// What was perhaps answered stays charged as it was.
    async fn settle_failed(&self, failed: &Failed) {
        if !failed.in_doubt {
            self.settle(failed.usage).await;
        }
    }

    /// A second time changes nothing. Where it fails, the question stays charged as it was, and the answer is as good.
    async fn settle(&self, usage: Usage) {
        let count = |tokens: u64| i32::try_from(tokens).unwrap_or(i32::MAX);
        let Usage { input_tokens, output_tokens } = usage;
        let settlement = Settlement {
            org_id: self.org_id,
            id: self.id,
            input_tokens: count(input_tokens),
            output_tokens: count(output_tokens),
            cost_micros: self.outside.price.of(input_tokens, output_tokens).min(MAX_MICROS),
        };
        let Outside { back_end, log, .. } = &*self.outside;
        if let Err(error) = back_end.rpc(&self.caller, "crm_settle_ai", json!(settlement)).await {
            let facts = json!({"request_id": self.caller.request_id, "code": error.code});
            log::event(log.as_ref(), "error", "ai_not_settled", facts);
        }
    }
}

/// The same, settled when it ends or somebody lets go of it.
fn metered(deltas: Deltas, question: Question) -> Deltas {
    let meter = Meter { question: Some(question), usage: Usage::default(), said: 0 };
    Box::pin(stream::unfold(Some((deltas, meter)), async |state| {
        let (mut deltas, mut meter) = state?;
        let delta = deltas.next().await;
        match &delta {
            Some(Ok(Delta::Text(text))) => meter.said += text.len(),
            Some(Ok(Delta::Usage(usage))) => meter.usage = *usage,
            Some(Err(failed)) => {
                meter.usage = failed.usage;
                meter.settle(meter.at_least()).await;
                return delta.map(|delta| (delta, None));
            }
            None => meter.settle(meter.usage).await,
        }
        delta.map(|delta| (delta, Some((deltas, meter))))
    }))
}

struct Meter {
    /// Until it is settled.
    question: Option<Question>,
    usage: Usage,
    /// In bytes.
    said: usize,
}

impl Meter {
    async fn settle(&mut self, usage: Usage) {
        if let Some(question) = &self.question {
            question.settle(usage).await;
        }
        self.question = None;
    }

    /// Of an answer that was not heard to its end, a provider that counts at the end has said nothing.
    fn at_least(&self) -> Usage {
        let asked = self.question.as_ref().map_or(0, |question| question.input_tokens);
        let Usage { input_tokens, output_tokens } = self.usage;
        Usage {
            input_tokens: if input_tokens == 0 { asked } else { input_tokens },
            output_tokens: output_tokens.max(self.said.div_ceil(BYTES_OF_TOKEN) as u64),
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        // Nothing was heard, but it may think already: then the estimate stands.
        if self.said == 0 && self.usage == Usage::default() {
            return;
        }
        let usage = self.at_least();
        if let Some(question) = self.question.take() {
            background::spawn(async move { question.settle(usage).await });
        }
    }
}
