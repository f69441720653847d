//! Segments: rules run against the customers of an org.
//!
//! Compiled rules run as owner: under RLS their enums and texts could use no index. Every table in
//! them is bound to the caller's org.

pub mod evaluate;
mod membership;
pub mod score;
mod store;

use fieldcrm_core::segment::Definition;
use fieldcrm_core::segment::catalogue::Kind;
use fieldcrm_core::{Capability, Code, Error, FieldError, Result, patch, segment};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

pub use self::membership::{add_members, recompute, recompute_due, remove_members};
pub use self::store::{create, update};

use self::evaluate::{Evaluation, segments};
use crate::{Db, session};

const FIND_TAGS: &str = include_str!("../sql/segment/find_tags.sql");
const FIND_CUSTOMER: &str = include_str!("../sql/segment/find_customer.sql");
const PREVIEW: &str = include_str!("../sql/segment/preview.sql");
const MATCHES: &str = include_str!("../sql/segment/matches.sql");
const IS_MEMBER: &str = include_str!("../sql/segment/is_member.sql");
const LOAD: &str = include_str!("../sql/segment/load.sql");
const OFFER: &str = include_str!("../sql/segment/offer.sql");
const AGGREGATES: &str = include_str!("../sql/segment/aggregates.sql");
const VOCABULARY: &str = include_str!("../sql/segment/vocabulary.sql");

/// What the planner may expect a preview to cost, in its own units.
pub const MAX_COST: f64 = 100_000_000.0;
const SAMPLE_SIZE: i64 = 20;
const MAX_SAMPLE_SIZE: i64 = 100;
/// Averages of fewer customers would tell about each of them.
const SMALLEST_GROUP: i64 = 5;
/// How many values of a field a model is told of.
const MAX_GROUPS: i64 = 50;
/// How many names of a sort a sentence can have.
const MAX_NAMES: i64 = 2_000;

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
    let mut warnings = segment::warnings(&definition);
    warnings.extend(unknown_tags(db, org_id, &definition).await?);
    Ok(json!({
        "ok": errors.is_empty(), "errors": errors, "warnings": warnings,
        "sentence": segment::sentence(&definition),
    }))
}

/// A tag that does not exist matches nobody; it may be made later, so it is no error.
pub(crate) async fn unknown_tags(
    db: &mut impl Db,
    org_id: Uuid,
    definition: &Definition,
) -> Result<Vec<FieldError>> {
    let names = definition.names(Kind::Tags);
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let wanted: Vec<_> = names.iter().map(|(_, name)| name).collect();
    let unknown = db.call(FIND_TAGS, &json!({"org_id": org_id, "names": wanted})).await?;
    let unknown = unknown.as_array().map(Vec::as_slice).unwrap_or_default();
    Ok(names
        .into_iter()
        .filter(|(_, name)| unknown.iter().any(|one| one == name))
        .map(|(path, _)| FieldError::new(path, "unknown_tag", "no tag has this name"))
        .collect())
}

/// `crm_segment_sql(definition)`: {text, parameters, sentence}, what a DBA would run.
pub async fn sql<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Whole { definition } = patch::read(arguments)?;
    let org_id = session::current(db).await?.require(&[Capability::CustomersRead])?;
    let evaluation = Evaluation::prepare(db, org_id, &definition, None).await?;
    Ok(json!({
        "text": evaluation.compiled.matching(),
        "parameters": [evaluation.document],
        "sentence": segment::sentence(&evaluation.definition),
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
    refuse_costly(cost)?;
    let mut preview = db.run(&statement, &document).await?;
    preview["cost"] = json!(cost);
    preview["sentence"] = json!(segment::sentence(&evaluation.definition));
    Ok(preview)
}

fn refuse_costly(cost: f64) -> Result<()> {
    if cost <= MAX_COST {
        return Ok(());
    }
    Err(Error::new(
        Code::SegmentTooCostly,
        "Ask for less at a time: fewer rules about related records, or narrower ones.",
    )
    .with("cost", cost)
    .with("max_cost", MAX_COST))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Explain {
    customer_id: Uuid,
    definition: Option<Value>,
    segment_id: Option<Uuid>,
}

/// `crm_segment_explain(customer_id, definition, segment_id)`: {matches, sentence, tree}.
pub async fn explain<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Explain { customer_id, definition, segment_id } = patch::read(arguments)?;
    let org_id = session::current(db).await?.require(&[Capability::CustomersRead])?;
    let definition = match (definition, segment_id) {
        (Some(definition), None) => definition,
        (None, Some(id)) => {
            let segment = load(db, org_id, id).await?;
            if segment["definition"].is_null() {
                find_customer(db, org_id, customer_id).await?;
                let key = json!({"org_id": org_id, "segment_id": id, "customer_id": customer_id});
                let matches = db.call(IS_MEMBER, &key).await?;
                let sentence = "is put in by hand";
                return Ok(json!({"matches": matches, "sentence": sentence, "tree": null}));
            }
            segment["definition"].clone()
        }
        _ => {
            let message = "send either a definition or a segment_id";
            return Err(Error::invalid_field("definition", "invalid_value", message));
        }
    };
    let evaluation = Evaluation::prepare(db, org_id, &definition, None).await?;
    let statement = evaluation.compiled.explained();
    let found =
        db.run(&statement, &evaluation.with("customer_id", customer_id.to_string())).await?;
    if found.is_null() {
        return Err(Error::not_found("customer"));
    }
    let tree = segment::tree(
        &definition["query"],
        &evaluation.definition,
        evaluation.compiled.nodes(),
        &found["nodes"],
    );
    Ok(json!({
        "matches": found["matches"],
        "is_archived": found["is_archived"],
        "sentence": segment::sentence(&evaluation.definition),
        "tree": tree,
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Matches {
    segment_id: Uuid,
    customer_id: Uuid,
}

/// `crm_segment_matches(segment_id, customer_id)`: {matches}, by the rules as of now; where there
/// are none, or scores decide, by membership.
pub async fn matches<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Matches { segment_id, customer_id } = patch::read(arguments)?;
    let org_id = session::current(db).await?.require(&[Capability::CustomersRead])?;
    let segment = load(db, org_id, segment_id).await?;
    let matches = if segment["definition"].is_null() || !segment["scored_at"].is_null() {
        let key = json!({"org_id": org_id, "segment_id": segment_id, "customer_id": customer_id});
        db.call(IS_MEMBER, &key).await?
    } else {
        let evaluation = Evaluation::prepare(db, org_id, &segment["definition"], None).await?;
        let statement = evaluation.compiled.within(MATCHES);
        db.run_kept(&statement, &evaluation.with("customer_id", customer_id.to_string())).await?
    };
    if matches != true {
        find_customer(db, org_id, customer_id).await?;
    }
    Ok(json!({"matches": matches}))
}

async fn load(db: &mut impl Db, org_id: Uuid, id: Uuid) -> Result<Value> {
    let segment = db.call(LOAD, &json!({"org_id": org_id, "segment_id": id})).await?;
    if segment.is_null() { Err(Error::not_found("segment")) } else { Ok(segment) }
}

async fn find_customer(db: &mut impl Db, org_id: Uuid, id: Uuid) -> Result<()> {
    let found = db.call(FIND_CUSTOMER, &json!({"org_id": org_id, "customer_id": id})).await?;
    if found == true { Ok(()) } else { Err(Error::not_found("customer")) }
}

/// `crm_segment_fields()`: the catalogue with the org's own values, for those who build rules.
pub async fn fields<D: Db>(db: &mut D, _arguments: Value) -> Result<Value> {
    let org_id = session::current(db).await?.require(&[Capability::CustomersRead])?;
    let offer = db.call(OFFER, &json!({"org_id": org_id})).await?;
    let mut fields = segment::fields();
    for field in fields["fields"].as_array_mut().into_iter().flatten() {
        match field["name"].as_str() {
            Some("tags") => field["values"] = offer["tags"].clone(),
            Some("product" | "product_id") => field["values"] = offer["products"].clone(),
            Some("segment") => field["values"] = offer["segments"].clone(),
            _ => {}
        }
    }
    fields["json_schema"] = segment::json_schema();
    Ok(fields)
}

/// `crm_segment_aggregates()`: what a model is told of the customers, none of them by itself.
pub async fn aggregates<D: Db>(db: &mut D, _arguments: Value) -> Result<Value> {
    let org_id = session::current(db).await?.require(&[Capability::SegmentsWrite])?;
    let key = json!({"org_id": org_id, "smallest": SMALLEST_GROUP, "groups": MAX_GROUPS});
    db.call(AGGREGATES, &key).await
}

/// `crm_segment_vocabulary()`: the names that a sentence can have, `core::ai::phrase::Vocabulary`, and today.
pub async fn vocabulary<D: Db>(db: &mut D, _arguments: Value) -> Result<Value> {
    let caller = session::current(db).await?;
    let org_id = caller.require(&[Capability::SegmentsWrite])?;
    let key = json!({"org_id": org_id, "user_id": caller.user_id, "most": MAX_NAMES});
    db.call(VOCABULARY, &key).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_over_the_limit_is_refused_with_both_figures() {
        assert!(refuse_costly(MAX_COST).is_ok());
        let error = refuse_costly(MAX_COST * 2.0).unwrap_err();
        assert_eq!((error.code, error.code.status()), (Code::SegmentTooCostly, 422));
        assert_eq!(error.data["max_cost"], MAX_COST);
    }
}
