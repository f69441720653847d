//! Figures of marketing projects.

use fieldcrm_core::{Error, Result, patch};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Db, session};

const CONVERSION_RATE: &str = include_str!("../sql/project/conversion_rate.sql");
const SOURCE_PERFORMANCE: &str = include_str!("../sql/project/source_performance.sql");
const SUMMARY: &str = include_str!("../sql/project/summary.sql");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rate {
    project_id: Uuid,
    /// A `daterange` as Postgres writes it.
    date_range: Option<String>,
}

/// `calculate_conversion_rate(project_id, date_range)`: the part of the leads of those days that converted, 0 to 1.
pub async fn conversion_rate<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Rate { project_id, date_range } = patch::read(arguments)?;
    let mut found = figures(db, CONVERSION_RATE, project_id, date_range).await?;
    Ok(found["rate"].take())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Project {
    project_id: Uuid,
}

/// `get_source_performance(project_id)`: for each source how many leads, and how many of them converted.
pub async fn source_performance<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Project { project_id } = patch::read(arguments)?;
    figures(db, SOURCE_PERFORMANCE, project_id, None).await
}

/// `get_project_summary(project_id)`: where a project stands.
pub async fn summary<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Project { project_id } = patch::read(arguments)?;
    figures(db, SUMMARY, project_id, None).await
}

async fn figures(
    db: &mut impl Db,
    statement: &'static str,
    project_id: Uuid,
    date_range: Option<String>,
) -> Result<Value> {
    let org_id = session::current(db).await?.org()?;
    let document = json!({"org_id": org_id, "project_id": project_id, "date_range": date_range});
    let found = db.call(statement, &document).await?;
    if found.is_null() { Err(Error::not_found("project")) } else { Ok(found) }
}
