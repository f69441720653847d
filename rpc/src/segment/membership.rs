//! Who is in a segment: computed by its rules, or put in by hand.

use fieldcrm_core::segment::SegmentType;
use fieldcrm_core::{Capability, Code, Error, FieldError, Result, patch};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::evaluate::Evaluation;
use crate::{Db, session};

const LOCK: &str = include_str!("../../sql/segment/lock.sql");
const LOAD: &str = include_str!("../../sql/segment/load.sql");
const RECOMPUTE: &str = include_str!("../../sql/segment/recompute.sql");
const FORGET_SCORES: &str = include_str!("../../sql/segment/forget_scores.sql");
const PICK_DUE: &str = include_str!("../../sql/segment/pick_due.sql");
const POSTPONE: &str = include_str!("../../sql/segment/postpone.sql");
const ADD_MEMBERS: &str = include_str!("../../sql/segment/add_members.sql");
const REMOVE_MEMBERS: &str = include_str!("../../sql/segment/remove_members.sql");

const BATCH_LIMIT: i64 = 20;
const MAX_BATCH_LIMIT: i64 = 1_000;
/// The most customers in one call.
pub const MAX_MEMBERS: usize = 10_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recompute {
    id: Uuid,
}

/// `crm_recompute_segment(id)`: {added, removed, total}.
pub async fn recompute<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Recompute { id } = patch::read(arguments)?;
    let org_id = session::current(db).await?.require(&[Capability::SegmentsWrite])?;
    let segment = lock(db, org_id, id).await?;
    if segment["definition"].is_null() {
        return Err(undefined(&segment));
    }
    run(db, org_id, &segment).await
}

/// The refusal of what only rules can do.
pub(super) fn undefined(segment: &Value) -> Error {
    let hint = match segment["type"].as_str() {
        Some("static") => "The members of a static segment are put in by hand.",
        _ => "This segment has no definition yet.",
    };
    Error::new(Code::RuleBroken, hint)
}

pub(super) async fn lock(db: &mut impl Db, org_id: Uuid, id: Uuid) -> Result<Value> {
    let segment = db.call(LOCK, &json!({"org_id": org_id, "segment_id": id})).await?;
    if segment.is_null() { Err(Error::not_found("segment")) } else { Ok(segment) }
}

/// Makes the members of a locked segment what its definition says.
async fn run(db: &mut impl Db, org_id: Uuid, segment: &Value) -> Result<Value> {
    let evaluation = Evaluation::prepare(db, org_id, &segment["definition"], None).await?;
    if !segment["scored_at"].is_null() {
        let key = json!({"org_id": org_id, "segment_id": segment["id"]});
        db.call(FORGET_SCORES, &key).await?;
    }
    let statement = evaluation.compiled.within(RECOMPUTE);
    db.run(&statement, &evaluation.with("segment_id", segment["id"].clone())).await
}

/// Computes a segment that this transaction wrote: the segment, with what came of it as `computed`.
pub(super) async fn compute(db: &mut impl Db, org_id: Uuid, segment: &Value) -> Result<Value> {
    let computed = run(db, org_id, segment).await?;
    let key = json!({"org_id": org_id, "segment_id": segment["id"]});
    let mut segment = db.call(LOAD, &key).await?;
    segment["computed"] = computed;
    Ok(segment)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Due {
    batch_limit: Option<i64>,
}

/// `crm_recompute_due_segments(batch_limit)`: for jobs, over all orgs or the one they set. A segment
/// comes after those it depends on; one that cannot be computed is reported and does not stop the rest.
pub async fn recompute_due<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Due { batch_limit } = patch::read(arguments)?;
    let caller = session::current(db).await?;
    if !caller.service {
        return Err(Error::new(Code::Forbidden, "This is for back-end jobs."));
    }
    let batch_limit = batch_limit.unwrap_or(BATCH_LIMIT);
    if !(1..=MAX_BATCH_LIMIT).contains(&batch_limit) {
        let message = format!("must be from 1 to {MAX_BATCH_LIMIT}");
        return Err(Error::invalid_field("batch_limit", "out_of_range", message));
    }
    let key = json!({"org_id": caller.org_id, "batch_limit": batch_limit});
    let picked = db.call(PICK_DUE, &key).await?;
    let mut done = Vec::new();
    for segment in in_order(picked.as_array().map(Vec::as_slice).unwrap_or_default()) {
        let id = &segment["id"];
        let Some(org_id) = segment["org_id"].as_str().and_then(|id| id.parse().ok()) else {
            continue;
        };
        done.push(match run(db, org_id, segment).await {
            Ok(mut computed) => {
                computed["segment_id"] = id.clone();
                computed
            }
            Err(error) if error.code == Code::Internal => return Err(error),
            Err(error) => {
                db.call(POSTPONE, &json!({"org_id": org_id, "segment_id": id})).await?;
                json!({"segment_id": id, "error": error.detail()})
            }
        });
    }
    Ok(json!({"segments": done}))
}

/// Each segment after those of the list that it depends on. Definitions have no cycles; were there
/// one, its segments come last in any order.
fn in_order(segments: &[Value]) -> Vec<&Value> {
    let mut waiting: Vec<_> = segments.iter().collect();
    let mut ordered: Vec<&Value> = Vec::new();
    while !waiting.is_empty() {
        let (ready, blocked): (Vec<_>, Vec<_>) = waiting.iter().copied().partition(|segment| {
            let depends_on = segment["depends_on"].as_array();
            let depends_on = depends_on.map(Vec::as_slice).unwrap_or_default();
            !waiting.iter().any(|other| depends_on.contains(&other["id"]))
        });
        if ready.is_empty() {
            ordered.extend(blocked);
            break;
        }
        ordered.extend(ready);
        waiting = blocked;
    }
    ordered
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Members {
    segment_id: Uuid,
    customer_ids: Vec<Uuid>,
    scores: Option<Vec<Option<serde_json::Number>>>,
}

/// `crm_segment_add_members(segment_id, customer_ids, scores)`: `{added, removed, not_found}`.
pub async fn add_members<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    change_members(db, arguments, ADD_MEMBERS).await
}

/// `crm_segment_remove_members(segment_id, customer_ids)`: `{added, removed, not_found}`.
pub async fn remove_members<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    change_members(db, arguments, REMOVE_MEMBERS).await
}

async fn change_members<D: Db>(
    db: &mut D,
    arguments: Value,
    statement: &'static str,
) -> Result<Value> {
    let Members { segment_id, customer_ids, scores } = patch::read(arguments)?;
    let org_id = session::current(db).await?.require(&[Capability::SegmentsWrite])?;
    let mut errors = Vec::new();
    if !(1..=MAX_MEMBERS).contains(&customer_ids.len()) {
        let message = format!("must be 1 to {MAX_MEMBERS} ids");
        errors.push(FieldError::new("customer_ids", "out_of_range", message));
    }
    if scores.as_ref().is_some_and(|scores| scores.len() != customer_ids.len()) {
        let message = "must be one score for each customer";
        errors.push(FieldError::new("scores", "invalid_value", message));
    }
    if !errors.is_empty() {
        return Err(Error::invalid(errors));
    }
    let segment = lock(db, org_id, segment_id).await?;
    if segment["type"] == json!(SegmentType::RuleBased) {
        return Err(Error::new(
            Code::WrongState,
            "The members of this segment are those its rules match.",
        ));
    }
    let mut scores = scores.unwrap_or_default().into_iter();
    let members: Vec<_> = customer_ids
        .into_iter()
        .map(|id| json!({"customer_id": id, "score": scores.next().flatten()}))
        .collect();
    let document = json!({"org_id": org_id, "segment_id": segment_id, "members": members});
    db.call(statement, &document).await
}
