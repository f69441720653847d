//! Scores of a segment's customers, in batches: a job makes them, and its end makes them the members.
//!
//! Who works at a job holds the lock of its segment: claims, results and the end take turns, and what the job says of
//! itself is what its rows say.

use fieldcrm_core::ai::segment_score::{BUILTIN, ClaimScores, ScoreSegment, StoreScores};
use fieldcrm_core::segment::{self, Scorer, Statement};
use fieldcrm_core::{Capability, Code, Error, Result, patch};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::evaluate::Evaluation;
use super::membership::lock;
use crate::channel::check_service;
use crate::idempotency::{self, Claim};
use crate::{Db, Work, session};

const START: &str = include_str!("../../sql/segment_score/start.sql");
const PICK: &str = include_str!("../../sql/segment_score/pick.sql");
const CLAIM: &str = include_str!("../../sql/segment_score/claim.sql");
const FACTS: &str = include_str!("../../sql/segment_score/facts.sql");
const FIND: &str = include_str!("../../sql/segment_score/find.sql");
const STORE: &str = include_str!("../../sql/segment_score/store.sql");
const MEMBERS: &str = include_str!("../../sql/segment_score/members.sql");
const CLOSE: &str = include_str!("../../sql/segment_score/close.sql");

/// `crm_score_segment(segment_id, threshold, only_matching, idempotency_key)`: the job.
pub async fn start<D: Db>(db: &mut D, mut arguments: Value) -> Result<Value> {
    let caller = session::current(db).await?;
    let org_id = caller.require(&[Capability::SegmentsWrite])?;
    let claim = match idempotency::claim(db, &caller, "crm_score_segment", &mut arguments).await? {
        Claim::Repeat(first) => return Ok(first),
        Claim::First(claim) => claim,
    };
    let asked: ScoreSegment = patch::read(arguments)?;
    let threshold = asked.threshold()?;
    let segment = lock(db, org_id, asked.segment_id).await?;
    if segment["definition"].is_null() {
        return Err(super::membership::undefined(&segment));
    }
    let evaluation = Evaluation::prepare(db, org_id, &segment["definition"], None).await?;
    let only_matching = asked.only_matching.unwrap_or(false);
    let statement = if only_matching {
        evaluation.compiled.within(START)
    } else {
        Statement::of_everybody(START)
    };
    let mut document = evaluation.with("segment_id", segment["id"].clone());
    document["segment_version"] = segment["version"].clone();
    document["threshold"] = json!(threshold);
    document["only_matching"] = json!(only_matching);
    document["archived"] = json!(evaluation.definition.names_archived());
    document["user_id"] = json!(caller.user_id);
    let job = db.run(&statement, &document).await?;
    if job.is_null() {
        let hint = "This segment is being scored: wait for it, or cancel that.";
        return Err(Error::new(Code::Conflict, hint).with("field", "segment_id"));
    }
    idempotency::store(db, claim, &job).await?;
    Ok(job)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cancel {
    job_id: Uuid,
}

/// `crm_cancel_ai_job(job_id)`: the job. The members stay what they are.
pub async fn cancel<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Cancel { job_id } = patch::read(arguments)?;
    let org_id = session::current(db).await?.require(&[Capability::SegmentsWrite])?;
    let job = find(db, Some(org_id), job_id).await?;
    lock(db, org_id, job.segment_id).await?;
    let closed = close(db, &job, "canceled", None).await?;
    if closed.is_null() {
        return Err(Error::new(Code::WrongState, "This job is finished."));
    }
    Ok(closed)
}

#[derive(Clone, Copy, Deserialize)]
struct Job {
    org_id: Uuid,
    id: Uuid,
    segment_id: Uuid,
    segment_version: i64,
}

async fn find(db: &mut impl Db, org_id: Option<Uuid>, job_id: Uuid) -> Result<Job> {
    let job = db.call(FIND, &json!({"org_id": org_id, "job_id": job_id})).await?;
    if job.is_null() { Err(Error::not_found("job")) } else { read(job) }
}

fn read<T: serde::de::DeserializeOwned>(answer: Value) -> Result<T> {
    serde_json::from_value(answer).map_err(|error| Error::internal(error.to_string()))
}

async fn close(db: &mut impl Db, job: &Job, status: &str, error: Option<&str>) -> Result<Value> {
    let document =
        json!({"org_id": job.org_id, "job_id": job.id, "status": status, "error_code": error});
    db.call(CLOSE, &document).await
}

#[derive(Deserialize)]
struct Claimed {
    lease_id: Uuid,
    job: Value,
    customer_ids: Vec<Uuid>,
    dead: u64,
    waiting: u64,
}

/// `crm_claim_scores(batch_limit, facts)`: a job's; customers of one job, under a lease, with what is built in says of them. Over all
/// orgs unless one is selected.
pub async fn claim<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let asked: ClaimScores = patch::read(arguments)?;
    let batch_limit = asked.limit()?;
    let caller = session::current(db).await?;
    check_service(&caller)?;
    let nothing = || json!({"lease_id": null, "job": null, "customers": [], "dead": 0});
    let picked = db.call(PICK, &json!({"org_id": caller.org_id})).await?;
    if picked.is_null() {
        return Ok(nothing());
    }
    let job: Job = read(picked)?;
    let segment = match lock(db, job.org_id, job.segment_id).await {
        Err(error) if error.code == Code::NotFound => return Ok(nothing()),
        segment => segment?,
    };
    let document = json!({"org_id": job.org_id, "job_id": job.id, "batch_limit": batch_limit});
    let claimed = db.call(CLAIM, &document).await?;
    // Somebody else ended it meanwhile.
    if claimed.is_null() {
        return Ok(nothing());
    }
    let claimed: Claimed = read(claimed)?;
    let mut answer = json!({"lease_id": claimed.lease_id, "customers": [], "dead": claimed.dead});
    let ended = |mut answer: Value, closed: Value| {
        answer["job"] = closed;
        answer["lease_id"] = Value::Null;
        answer
    };
    if segment["version"] != job.segment_version {
        return Ok(ended(answer, close(db, &job, "failed", Some("segment_changed")).await?));
    }
    if claimed.waiting == 0 {
        return Ok(ended(answer, finish(db, &job, &segment).await?));
    }
    // All batches have the same now.
    let now = claimed.job["created_at"].as_str();
    let customer_ids = &claimed.customer_ids;
    let ask = Ask { org_id: job.org_id, definition: &segment["definition"], now, customer_ids };
    let (evaluation, found) = match db.attempt(ask).await {
        Ok(asked) => asked,
        Err(error) if error.code == Code::Unavailable => return Err(error),
        // Such as a segment that its rules name and that is gone. A claim that failed would be made again and again, and hold up
        // the jobs of others.
        Err(error) => {
            let found = !error.errors.is_empty();
            let code = if found { error.code.as_str() } else { "evaluation_failed" };
            return Ok(ended(answer, close(db, &job, "failed", Some(code)).await?));
        }
    };
    let facts = if asked.facts.unwrap_or(true) {
        let document = json!({"org_id": job.org_id, "customer_ids": claimed.customer_ids});
        db.call(FACTS, &document).await?
    } else {
        Value::Null
    };
    let scorer = Scorer::new(&evaluation.definition, evaluation.compiled.nodes());
    let customers = found.as_array().into_iter().flatten().map(|one| {
        let mut customer = Map::from_iter([
            ("id".to_owned(), one[0].clone()),
            (BUILTIN.to_owned(), json!(scorer.score(&one[1]))),
        ]);
        if let Some(facts) = one[0].as_str().and_then(|id| facts.get(id)) {
            customer.insert("facts".to_owned(), facts.clone());
        }
        Value::Object(customer)
    });
    answer["customers"] = customers.collect();
    answer["job"] = claimed.job;
    answer["segment"] = json!({
        "ai_prompt": segment["ai_prompt"], "sentence": segment::sentence(&evaluation.definition),
    });
    Ok(answer)
}

/// The rules, asked about customers.
struct Ask<'a> {
    org_id: Uuid,
    definition: &'a Value,
    now: Option<&'a str>,
    customer_ids: &'a [Uuid],
}

impl<D: Db> Work<D> for Ask<'_> {
    type Output = (Evaluation, Value);

    async fn run(self, db: &mut D) -> Result<Self::Output> {
        let evaluation = Evaluation::prepare(db, self.org_id, self.definition, self.now).await?;
        let document = evaluation.with("customer_ids", json!(self.customer_ids));
        let found = db.run(&evaluation.compiled.each(), &document).await?;
        Ok((evaluation, found))
    }
}

#[derive(Deserialize)]
struct Outcome {
    stored: u64,
    failed: u64,
    dead: u64,
    waiting: u64,
}

/// `crm_store_scores(job_id, lease_id, provider, model, results)`: a job's; the scores, as far as the lease still has the customers. The last
/// ones make the members.
pub async fn store<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let scores = patch::read::<StoreScores>(arguments)?.prepare()?;
    let caller = session::current(db).await?;
    check_service(&caller)?;
    let job = find(db, caller.org_id, scores.job_id).await?;
    let segment = lock(db, job.org_id, job.segment_id).await?;
    let mut document = json!(scores);
    document["org_id"] = json!(job.org_id);
    let stored = db.call(STORE, &document).await?;
    if stored.is_null() {
        return Ok(json!({"stored": 0, "failed": 0, "dead": 0, "finished": false}));
    }
    let Outcome { stored, failed, dead, waiting } = read(stored)?;
    if waiting == 0 {
        finish(db, &job, &segment).await?;
    }
    Ok(json!({"stored": stored, "failed": failed, "dead": dead, "finished": waiting == 0}))
}

/// Ends a job of a locked segment that nobody waits for any more: its scores become the members.
async fn finish(db: &mut impl Db, job: &Job, segment: &Value) -> Result<Value> {
    if segment["version"] != job.segment_version {
        return close(db, job, "failed", Some("segment_changed")).await;
    }
    let row = db.call(FIND, &json!({"org_id": job.org_id, "job_id": job.id})).await?;
    let count = |name: &str| row[name].as_u64().unwrap_or_default();
    // Nobody knows better who is a member than before.
    if count("scored") == 0 && count("failed") > 0 {
        return close(db, job, "failed", Some("nothing_scored")).await;
    }
    let archived =
        segment::parse(&segment["definition"]).is_ok_and(|definition| definition.names_archived());
    let document = json!({"org_id": job.org_id, "job_id": job.id, "segment_id": job.segment_id, "archived": archived});
    db.call(MEMBERS, &document).await?;
    close(db, job, "done", None).await
}
