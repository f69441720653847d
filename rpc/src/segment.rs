//! Segments.

pub mod evaluate;

use fieldcrm_core::{Capability, Code, Error, Result, patch, segment};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use self::evaluate::{Evaluation, segments};
use crate::{Db, session};

const FIND_TAGS: &str = include_str!("../sql/segment/find_tags.sql");
const PREVIEW: &str = include_str!("../sql/segment/preview.sql");
const MATCHES: &str = include_str!("../sql/segment/matches.sql");
const IS_MEMBER: &str = include_str!("../sql/segment/is_member.sql");
const LOAD: &str = include_str!("../sql/segment/load.sql");

/// What the planner may expect a preview to cost, in its own units.
pub const MAX_COST: f64 = 100_000_000.0;
const SAMPLE_SIZE: i64 = 20;
const MAX_SAMPLE_SIZE: i64 = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    definition: Value,
}

/// `crm_segment_validate(definition)`: {ok, errors, warnings}.
pub async fn validate<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Whole { definition } = patch::read(arguments)?;
    let org_id = session::current(db).await?.require(&[Capability::CustomersRead])?;
    let definition = match segment::parse(&definition) {
        Ok(definition) => definition,
        Err(errors) => return Ok(json!({"ok": false, "errors": errors, "warnings": []})),
    };
    let (_, errors) = segments(db, org_id, &definition).await?;
    Ok(json!({"ok": errors.is_empty(), "errors": errors, "warnings": []}))
}

/// `crm_segment_sql(definition)`: {text, parameters, sentence}, what a DBA would run.
pub async fn sql<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Whole { definition } = patch::read(arguments)?;
    let org_id = session::current(db).await?.require(&[Capability::CustomersRead])?;
    let evaluation = Evaluation::prepare(db, org_id, &definition, None).await?;
    Ok(json!({
        "text": evaluation.compiled.matching(),
        "parameters": [evaluation.document],
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Preview {
    definition: Value,
    sample_size: Option<i64>,
}

/// `crm_segment_preview(definition, sample_size)`: {count, sample, cost, sentence}.
pub async fn preview<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Preview { definition, sample_size } = patch::read(arguments)?;
    let org_id = session::current(db).await?.require(&[Capability::CustomersRead])?;
    let sample_size = sample_size.unwrap_or(SAMPLE_SIZE);
    if !(0..=MAX_SAMPLE_SIZE).contains(&sample_size) {
        let message = format!("must be from 0 to {MAX_SAMPLE_SIZE}");
        return Err(Error::invalid_field("sample_size", "out_of_range", message));
    }
    let evaluation = Evaluation::prepare(db, org_id, &definition, None).await?;
    let statement = evaluation.compiled.within(PREVIEW);
    let document = evaluation.with("sample_size", sample_size);
    let plan = db.run(&statement.explain(), &document).await?;
    let cost = plan[0]["Plan"]["Total Cost"].as_f64().unwrap_or(f64::MAX);
    let mut preview = db.run(&statement, &document).await?;
    preview["cost"] = json!(cost);
    Ok(preview)
}
