//! How customers feel, as a model says it: one question for an org's texts of a claim.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use fieldcrm_core::ai::prompt::Boundary;
use fieldcrm_core::ai_usage::Feature;
use fieldcrm_core::interaction::Sentiment;
use fieldcrm_core::{Code, Error, Result};
use fieldcrm_edge::Caller;
use fieldcrm_edge::ai::chat::{Prompt, Turn};
use fieldcrm_edge::ai::models::Models;
use fieldcrm_edge::clock::within;
use futures_util::future::join_all;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Analyst, Builtin, Text};

/// Of a text, a model is told so many characters.
const MAX_TOLD: usize = 2_000;
/// For all rounds: less than the lease of a claim, or another one asks and pays again.
const MOST: Duration = Duration::from_secs(100);

/// What [`Builtin`] says instead: where an org wants no model or has spent its money, and where the model has no answer, which
/// a text can be the cause of. Where the model is down, the texts wait.
pub struct ByModel(pub Models);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Findings {
    findings: Vec<Finding>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Finding {
    /// Of the message, from 1.
    message: usize,
    sentiment: Sentiment,
}

#[async_trait]
impl Analyst for ByModel {
    fn provider(&self) -> &'static str {
        self.0.name().map_or_else(|| Builtin.provider(), |(provider, _)| provider)
    }

    async fn analyse(&self, caller: &Caller, texts: &[Text]) -> Result<Vec<Result<Sentiment>>> {
        let mut orgs: BTreeMap<Uuid, Vec<usize>> = BTreeMap::new();
        for (at, text) in texts.iter().enumerate() {
            orgs.entry(text.org_id).or_default().push(at);
        }
        let answers = join_all(orgs.iter().map(|(org_id, own)| async move {
            let texts: Vec<_> = own.iter().map(|at| texts[*at].text.as_str()).collect();
            self.of_org(caller, *org_id, &texts).await
        }));
        let answers = answers.await;
        if answers.iter().all(Result::is_err)
            && let Some(Err(error)) = answers.first()
        {
            return Err(error.clone());
        }
        let mut found = Builtin.analyse(caller, texts).await?;
        for (own, answer) in orgs.values().zip(answers) {
            for (index, at) in own.iter().enumerate() {
                match &answer {
                    Ok(Some(sentiments)) => found[*at] = Ok(sentiments[index]),
                    Ok(None) => {}
                    Err(error) => found[*at] = Err(error.clone()),
                }
            }
        }
        Ok(found)
    }
}

impl ByModel {
    /// As many as there are texts, or none.
    async fn of_org(
        &self,
        caller: &Caller,
        org_id: Uuid,
        texts: &[&str],
    ) -> Result<Option<Vec<Sentiment>>> {
        let check = |said: &Findings| problems(said, texts.len());
        let asked = self.0.complete(caller, org_id, Feature::Sentiment, prompt(texts), check);
        let answer = within(MOST, asked)
            .await
            .unwrap_or_else(|| Err(Error::new(Code::AiUnavailable, "The model takes too long.")));
        match answer {
            Ok(answer) => Ok(answer.map(|answer| {
                let mut findings = answer.value.findings;
                findings.sort_by_key(|one| one.message);
                findings.into_iter().map(|one| one.sentiment).collect()
            })),
            Err(error) => match error.code {
                Code::AiRefused | Code::AiOutputInvalid | Code::AiBudgetSpent => Ok(None),
                _ => Err(error),
            },
        }
    }
}

fn problems(said: &Findings, count: usize) -> Vec<String> {
    let mut messages: Vec<_> = said.findings.iter().map(|one| one.message).collect();
    messages.sort_unstable();
    if messages.into_iter().eq(1..=count) {
        return Vec::new();
    }
    vec![format!("findings: has to have one for each message from 1 to {count}")]
}

fn prompt(texts: &[&str]) -> Prompt {
    let boundary = Boundary::new(Uuid::new_v4());
    let system = format!(
        "You say how customers of a trades company feel who wrote messages, or whom notes are about: positive, neutral or negative. \
         Facts count as well: who waited for nothing is not happy. One finding for each message.\n\n{}",
        boundary.rules()
    );
    let told = texts.iter().enumerate().map(|(at, text)| {
        let text: String = text.chars().take(MAX_TOLD).collect();
        format!("Message {}:\n{}", at + 1, boundary.block("message", &text))
    });
    Prompt {
        system,
        turns: vec![Turn::user(told.collect::<Vec<_>>().join("\n\n"))],
        schema: Some(("sentiments", schema())),
        max_tokens: u32::try_from(texts.len()).unwrap_or_default() * 40 + 100,
    }
}

fn schema() -> Value {
    json!({"type": "object", "additionalProperties": false, "required": ["findings"], "properties": {"findings": {
        "type": "array", "items": {"type": "object", "additionalProperties": false, "required": ["message", "sentiment"],
            "properties": {"message": {"type": "integer"}, "sentiment": {"enum": ["positive", "neutral", "negative"]}}}}}})
}
