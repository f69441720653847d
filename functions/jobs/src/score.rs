//! `/score-segments`: how well customers fit the segments that somebody asked to be scored.

use async_trait::async_trait;
use axum::extract::State;
use axum::{Extension, Json};
use fieldcrm_core::ai::segment_score::BUILTIN;
use fieldcrm_core::{Code, Error, Result};
use fieldcrm_edge::{Caller, JsonObject, Ports, Problem};
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Settings;
use crate::arguments::batch_limit;
use crate::work::{Budget, call, reason};

mod by_model;

pub use by_model::ByModel;

/// Customers in one call.
const DEFAULT_LIMIT: u64 = 20_000;
const MAX_LIMIT: u64 = 100_000;

/// A score from 0 to 100, and why.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub struct Finding {
    pub score: u64,
    pub reason: String,
}

/// A customer, by what may be told of them.
#[derive(Clone, Debug, Deserialize)]
pub struct Customer {
    pub id: Uuid,
    /// What the rules say.
    pub builtin: Finding,
    #[serde(default)]
    pub facts: Value,
}

/// Whom the segment is to have: in words of somebody, and as its rules say it.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Wanted {
    pub ai_prompt: Option<String>,
    pub sentence: String,
}

/// What was found of customers, in their order.
pub struct Found {
    pub provider: &'static str,
    pub model: Option<String>,
    pub findings: Vec<Finding>,
}

impl Found {
    /// What the rules say.
    #[must_use]
    pub fn builtin(customers: &[Customer]) -> Self {
        let findings = customers.iter().map(|one| one.builtin.clone()).collect();
        Self { provider: BUILTIN, model: None, findings }
    }
}

/// Who says how well customers fit.
#[async_trait]
pub trait Judge: Send + Sync {
    /// What answers name as `provider`.
    fn provider(&self) -> &'static str;

    /// How many customers are claimed together, and how many of them are judged together.
    fn batch(&self) -> (u64, usize);

    /// Whether it is to be told about the customers.
    fn wants_facts(&self) -> bool;

    /// A finding for each of the customers. An error is tried again later.
    async fn judge(
        &self,
        caller: &Caller,
        org_id: Uuid,
        wanted: &Wanted,
        customers: &[Customer],
    ) -> Result<Found>;
}

/// The rules: asks nobody.
pub struct Builtin;

#[async_trait]
impl Judge for Builtin {
    fn provider(&self) -> &'static str {
        BUILTIN
    }

    fn batch(&self) -> (u64, usize) {
        (500, 500)
    }

    fn wants_facts(&self) -> bool {
        false
    }

    async fn judge(
        &self,
        _: &Caller,
        _: Uuid,
        _: &Wanted,
        customers: &[Customer],
    ) -> Result<Found> {
        Ok(Found::builtin(customers))
    }
}

/// What became of the customers of a call.
#[derive(Debug, Default, Serialize)]
struct Totals {
    scored: u64,
    /// Tried again later.
    failed: u64,
    /// Given up: after five attempts.
    dead: u64,
    /// Another call has them by now, or they were deleted meanwhile, or the job was canceled.
    lost: u64,
    /// Jobs that ended.
    finished: u64,
}

impl Totals {
    /// Returns what befell the part.
    fn add(&mut self, part: Result<Part>) -> Result<Option<Error>> {
        let Part { customers, outcome, befell } = part?;
        let Outcome { stored, failed, dead, finished } = outcome;
        self.scored += stored;
        self.failed += failed;
        self.dead += dead;
        self.lost += customers.saturating_sub(stored + failed + dead);
        self.finished += u64::from(finished);
        Ok(befell)
    }
}

#[derive(Deserialize)]
struct Claim {
    lease_id: Option<Uuid>,
    job: Option<Job>,
    #[serde(default)]
    segment: Wanted,
    customers: Vec<Customer>,
    dead: u64,
}

#[derive(Deserialize)]
struct Job {
    id: Uuid,
    org_id: Uuid,
    /// How often in a row the model was not available.
    #[serde(default)]
    outages: u64,
}

#[derive(Default, Deserialize)]
struct Outcome {
    stored: u64,
    failed: u64,
    dead: u64,
    finished: bool,
}

/// `POST /score-segments`: what is claimed when the time is over is still scored. If nothing could be, because the model fails, the
/// answer is why.
pub async fn score_segments(
    State(ports): State<Ports>,
    Extension(settings): Extension<Settings>,
    caller: Caller,
    body: Option<JsonObject>,
) -> Result<Json<Value>, Problem> {
    let limit = batch_limit(body, MAX_LIMIT)?.unwrap_or(DEFAULT_LIMIT);
    let budget = Budget::start(settings.budget);
    let judge = settings.judge.as_ref();
    let (most, _) = judge.batch();
    let (mut totals, mut taken) = (Totals::default(), 0);
    while taken < limit {
        let arguments =
            json!({"batch_limit": (limit - taken).min(most), "facts": judge.wants_facts()});
        let claim: Claim = call(&ports, &caller, "crm_claim_scores", arguments).await?;
        let Some(job) = claim.job else { break };
        taken += claim.customers.len() as u64 + claim.dead;
        totals.dead += claim.dead;
        match claim.lease_id {
            None => totals.finished += 1,
            // Others have them.
            Some(_) if claim.customers.is_empty() => break,
            Some(lease_id) => {
                let worker = Worker { ports: &ports, caller: &caller, judge, job: &job, lease_id };
                let error = worker.score(&claim.segment, &claim.customers, &mut totals).await?;
                if let Some(error) = error {
                    if totals.scored == 0 {
                        return Err(error.into());
                    }
                    break;
                }
            }
        }
        if budget.is_over() {
            break;
        }
    }
    let mut answer = json!(totals);
    answer["provider"] = judge.provider().into();
    Ok(Json(answer))
}

struct Worker<'a> {
    ports: &'a Ports,
    caller: &'a Caller,
    judge: &'a dyn Judge,
    job: &'a Job,
    lease_id: Uuid,
}

impl Worker<'_> {
    /// Scores and stores what was claimed, its parts at once. Returns the error that befell one of them.
    async fn score(
        &self,
        wanted: &Wanted,
        customers: &[Customer],
        totals: &mut Totals,
    ) -> Result<Option<Error>> {
        let (_, together) = self.judge.batch();
        // A question that is not answered may be charged: after an outage, one asks whether it is over.
        let first = if self.job.outages > 0 { together.min(customers.len()) } else { 0 };
        let (first, rest) = customers.split_at(first);
        if !first.is_empty() {
            let found = self.judge(wanted, first).await;
            let down = found.as_ref().err().filter(|error| is_down(error)).cloned();
            // All of them are told in one call.
            let told = if down.is_some() { customers } else { first };
            let befell = totals.add(self.store(told, found).await)?;
            if down.is_some() {
                return Ok(befell);
            }
        }
        let part = async |part| self.store(part, self.judge(wanted, part).await).await;
        // None is dropped for the error of another: its question is paid.
        let stored = join_all(rest.chunks(together).map(part)).await;
        let outcomes: Vec<_> = stored.into_iter().map(|part| totals.add(part)).collect();
        let befell: Vec<_> = outcomes.into_iter().collect::<Result<_>>()?;
        Ok(befell.into_iter().flatten().next())
    }

    async fn judge(&self, wanted: &Wanted, customers: &[Customer]) -> Result<Found> {
        let found = self.judge.judge(self.caller, self.job.org_id, wanted, customers).await?;
        if found.findings.len() == customers.len() {
            Ok(found)
        } else {
            Err(Error::internal("the judge answered about other customers"))
        }
    }

    async fn store(&self, customers: &[Customer], found: Result<Found>) -> Result<Part> {
        let results: Vec<_> = match &found {
            Ok(found) => customers
                .iter()
                .zip(&found.findings)
                .map(|(one, finding)| json!({"id": one.id, "score": finding.score, "reason": finding.reason}))
                .collect(),
            Err(error) => {
                let (reason, unavailable) = (reason(error), is_down(error));
                customers
                    .iter()
                    .map(|one| json!({"id": one.id, "error": reason, "unavailable": unavailable}))
                    .collect()
            }
        };
        let (provider, model) = match &found {
            Ok(found) => (found.provider, found.model.as_deref()),
            Err(_) => (self.judge.provider(), None),
        };
        let arguments = json!({"job_id": self.job.id, "lease_id": self.lease_id, "provider": provider,
            "model": model, "results": results});
        let store = || call(self.ports, self.caller, "crm_store_scores", arguments.clone());
        let mut stored = store().await;
        // What was asked is paid, and nothing is stored twice.
        if stored.as_ref().is_err_and(|error: &Error| error.code == Code::Unavailable) {
            stored = store().await;
        }
        let outcome = match stored {
            // The segment was deleted meanwhile.
            Err(error) if error.code == Code::NotFound => Outcome::default(),
            stored => stored?,
        };
        Ok(Part { customers: customers.len() as u64, outcome, befell: found.err() })
    }
}

/// Whether it says something of the model, and nothing of what it was asked.
fn is_down(error: &Error) -> bool {
    error.code == Code::AiUnavailable
}

/// What became of customers who were judged together.
struct Part {
    customers: u64,
    outcome: Outcome,
    befell: Option<Error>,
}
