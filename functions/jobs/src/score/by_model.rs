//! How well customers fit a segment, as a model says it.

use std::time::Duration;

use async_trait::async_trait;
use fieldcrm_core::ai::prompt::Boundary;
use fieldcrm_core::ai_usage::Feature;
use fieldcrm_core::{Code, Error, Result};
use fieldcrm_edge::Caller;
use fieldcrm_edge::ai::chat::{Prompt, Turn};
use fieldcrm_edge::ai::models::Models;
use fieldcrm_edge::clock::within;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Builtin, Customer, Finding, Found, Judge, Wanted};

/// Questions at a time, and customers of a question.
const QUESTIONS: u64 = 4;
const CUSTOMERS: usize = 25;
const MAX_REASON: usize = 200;
/// For all rounds: less than the lease of a claim, or another one asks and pays again.
const MOST: Duration = Duration::from_secs(100);

/// What [`Builtin`] says instead: where an org wants no model or has spent its money, and where the model has no usable answer. While
/// the model is down, the customers wait.
pub struct ByModel(pub Models);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scores {
    scores: Vec<Opinion>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Opinion {
    /// Of the customer, from 1.
    number: usize,
    score: u64,
    reason: String,
}

#[async_trait]
impl Judge for ByModel {
    fn provider(&self) -> &'static str {
        self.0.name().map_or_else(|| Builtin.provider(), |(provider, _)| provider)
    }

    fn batch(&self) -> (u64, usize) {
        if self.0.is_builtin() {
            Builtin.batch()
        } else {
            (QUESTIONS * CUSTOMERS as u64, CUSTOMERS)
        }
    }

    fn wants_facts(&self) -> bool {
        !self.0.is_builtin()
    }

    async fn judge(
        &self,
        caller: &Caller,
        org_id: Uuid,
        wanted: &Wanted,
        customers: &[Customer],
    ) -> Result<Found> {
        if self.0.is_builtin() {
            return Ok(Found::builtin(customers));
        }
        let check = |said: &Scores| problems(said, customers.len());
        let asked =
            self.0.complete(caller, org_id, Feature::Segment, prompt(wanted, customers), check);
        let answer = within(MOST, asked)
            .await
            .unwrap_or_else(|| Err(Error::new(Code::AiUnavailable, "The model takes too long.")));
        match answer {
            Ok(Some(answer)) => {
                let mut scores = answer.value.scores;
                scores.sort_by_key(|one| one.number);
                let finding = |one: Opinion| Finding {
                    score: one.score,
                    reason: one.reason.trim().to_owned(),
                };
                let findings = scores.into_iter().map(finding).collect();
                Ok(Found { provider: answer.provider, model: Some(answer.model), findings })
            }
            Ok(None) => Ok(Found::builtin(customers)),
            Err(error) => match error.code {
                Code::AiRefused | Code::AiOutputInvalid | Code::AiBudgetSpent => {
                    Ok(Found::builtin(customers))
                }
                _ => Err(error),
            },
        }
    }
}

fn problems(said: &Scores, count: usize) -> Vec<String> {
    let mut numbers: Vec<_> = said.scores.iter().map(|one| one.number).collect();
    numbers.sort_unstable();
    let mut problems = Vec::new();
    if !numbers.into_iter().eq(1..=count) {
        problems.push(format!("scores: has to have one for each customer from 1 to {count}"));
    }
    for (at, one) in said.scores.iter().enumerate() {
        if one.score > 100 {
            problems.push(format!("scores[{at}].score: has to be from 0 to 100"));
        }
        let long = one.reason.chars().count() > MAX_REASON;
        if long || one.reason.trim().is_empty() || one.reason.chars().any(char::is_control) {
            problems.push(format!(
                "scores[{at}].reason: has to be one line of 1 to {MAX_REASON} characters"
            ));
        }
    }
    problems
}

fn prompt(wanted: &Wanted, customers: &[Customer]) -> Prompt {
    let boundary = Boundary::new(Uuid::new_v4());
    let system = format!(
        "You say how well customers of a trades company fit what somebody asks for: a score from 0 (not at all) to 100 (entirely), and why, \
         in one short sentence that names the facts it comes from. Go by the facts you are told and by nothing else; a fact that is null \
         is not known. One score for each customer, by its number.\n\n{}",
        boundary.rules()
    );
    let facts: Vec<_> = customers
        .iter()
        .enumerate()
        .map(|(at, one)| json!({"number": at + 1, "facts": one.facts}).to_string())
        .collect();
    let asked = wanted.ai_prompt.as_deref().unwrap_or(&wanted.sentence);
    let told = [
        boundary.block("what is asked for", asked),
        boundary.block("the rules that were made of it", &wanted.sentence),
        boundary.block("customers", &facts.join("\n")),
    ];
    Prompt {
        system,
        turns: vec![Turn::user(told.join("\n\n"))],
        schema: Some(("scores", schema())),
        max_tokens: u32::try_from(customers.len()).unwrap_or_default() * 100 + 100,
    }
}

fn schema() -> Value {
    json!({"type": "object", "additionalProperties": false, "required": ["scores"], "properties": {"scores": {
        "type": "array", "items": {"type": "object", "additionalProperties": false, "required": ["number", "score", "reason"],
            "properties": {"number": {"type": "integer"}, "score": {"type": "integer"}, "reason": {"type": "string"}}}}}})
}
