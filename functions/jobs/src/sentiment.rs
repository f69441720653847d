//! `/analyze-interaction-sentiment`: how customers feel who wrote something.

use async_trait::async_trait;
use axum::extract::State;
use axum::{Extension, Json};
use fieldcrm_core::ai::sentiment;
use fieldcrm_core::interaction::Sentiment;
use fieldcrm_core::{Error, Result};
use fieldcrm_edge::{Caller, JsonObject, Ports, Problem};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Settings;
use crate::arguments::batch_limit;
use crate::work::{Budget, call, reason};

mod by_model;

pub use by_model::ByModel;

/// Texts that are claimed and analysed together.
pub const MAX_TEXTS: usize = 50;
/// Texts in one call.
const DEFAULT_LIMIT: u64 = 2_000;
const MAX_LIMIT: u64 = 10_000;

/// What a customer said.
#[derive(Clone, Debug, Deserialize)]
pub struct Text {
    pub id: Uuid,
    /// Whose customer: what an analysis costs is theirs.
    pub org_id: Uuid,
    pub text: String,
}

/// Who says how the writer of a text feels.
#[async_trait]
pub trait Analyst: Send + Sync {
    /// What answers name as `provider`.
    fn provider(&self) -> &'static str;

    /// What was found of each of the texts, at most [`MAX_TEXTS`], in their order: one that cannot be analysed is tried again later,
    /// and keeps no other waiting. An error is one of them all, and ends the call. A text is data, whatever it says.
    async fn analyse(&self, caller: &Caller, texts: &[Text]) -> Result<Vec<Result<Sentiment>>>;
}

/// VADER: asks nobody.
pub struct Builtin;

#[async_trait]
impl Analyst for Builtin {
    fn provider(&self) -> &'static str {
        sentiment::BUILTIN
    }

    async fn analyse(&self, _: &Caller, texts: &[Text]) -> Result<Vec<Result<Sentiment>>> {
        Ok(texts.iter().map(|text| Ok(sentiment::builtin(&text.text))).collect())
    }
}

/// What became of the texts of a call.
#[derive(Debug, Default, Serialize)]
struct Totals {
    analysed: u64,
    /// Tried again later.
    failed: u64,
    /// Given up: after five attempts.
    dead: u64,
    /// There was nothing to analyse any more.
    dropped: u64,
    /// Another call has them by now, or they were erased meanwhile.
    lost: u64,
}

#[derive(Deserialize)]
struct Claim {
    lease_id: Uuid,
    texts: Vec<Text>,
    dropped: u64,
    dead: u64,
}

#[derive(Deserialize)]
struct Outcome {
    stored: u64,
    failed: u64,
    dead: u64,
}

/// `POST /analyze-interaction-sentiment`: what is claimed when the time is over is still analysed. If nothing could be, because
/// the analyst fails, the answer is why.
pub async fn analyze_interaction_sentiment(
    State(ports): State<Ports>,
    Extension(settings): Extension<Settings>,
    caller: Caller,
    body: Option<JsonObject>,
) -> Result<Json<Value>, Problem> {
    let limit = batch_limit(body, MAX_LIMIT)?.unwrap_or(DEFAULT_LIMIT);
    let budget = Budget::start(settings.budget);
    let worker = Worker { ports: &ports, caller: &caller, analyst: settings.analyst.as_ref() };
    let (mut totals, mut taken) = (Totals::default(), 0);
    while taken < limit {
        let asked = (limit - taken).min(MAX_TEXTS as u64);
        let claim: Claim =
            call(&ports, &caller, "crm_claim_sentiments", json!({ "batch_limit": asked })).await?;
        let found = claim.texts.len() as u64 + claim.dropped + claim.dead;
        taken += found;
        totals.dropped += claim.dropped;
        totals.dead += claim.dead;
        if !claim.texts.is_empty()
            && let Some(error) = worker.analyse(&claim, &mut totals).await?
        {
            if totals.analysed == 0 {
                return Err(error.into());
            }
            break;
        }
        if found < asked || budget.is_over() {
            break;
        }
    }
    let mut answer = json!(totals);
    answer["provider"] = worker.analyst.provider().into();
    Ok(Json(answer))
}

struct Worker<'a> {
    ports: &'a Ports,
    caller: &'a Caller,
    analyst: &'a dyn Analyst,
}

impl Worker<'_> {
    /// Analyses and stores what was claimed. Returns the error that befell all of it.
    async fn analyse(&self, claim: &Claim, totals: &mut Totals) -> Result<Option<Error>> {
        let (findings, error) = match self.analyst.analyse(self.caller, &claim.texts).await {
            Ok(findings) if findings.len() == claim.texts.len() => (findings, None),
            Ok(_) => {
                let error = Error::internal("the analyst answered about other texts");
                (vec![Err(error.clone()); claim.texts.len()], Some(error))
            }
            Err(error) => (vec![Err(error.clone()); claim.texts.len()], Some(error)),
        };
        let results: Vec<_> = claim
            .texts
            .iter()
            .zip(findings)
            .map(|(text, finding)| match finding {
                Ok(sentiment) => json!({"id": text.id, "sentiment": sentiment}),
                Err(error) => json!({"id": text.id, "error": reason(&error)}),
            })
            .collect();
        let arguments = json!({"lease_id": claim.lease_id, "results": results});
        let stored: Outcome =
            call(self.ports, self.caller, "crm_store_sentiments", arguments).await?;
        totals.analysed += stored.stored;
        totals.failed += stored.failed;
        totals.dead += stored.dead;
        let known = stored.stored + stored.failed + stored.dead;
        totals.lost += (claim.texts.len() as u64).saturating_sub(known);
        Ok(error)
    }
}
