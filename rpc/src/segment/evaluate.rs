//! Definitions against the customers of an org.

use fieldcrm_core::segment::{self, Compiled, Definition, catalogue::Kind};
use fieldcrm_core::{Error, FieldError, Result};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Db;

const RESOLVE: &str = include_str!("../../sql/segment/resolve.sql");
const FIND: &str = include_str!("../../sql/segment/find.sql");

/// A definition that is ready to run in an org.
#[derive(Debug)]
pub struct Evaluation {
    pub definition: Definition,
    pub compiled: Compiled,
    /// The parameter of its statements.
    pub document: Value,
}

impl Evaluation {
    /// Reads, compiles and binds. All rules get the same now, the database's unless one is given.
    pub async fn prepare(
        db: &mut impl Db,
        org_id: Uuid,
        definition: &Value,
        now: Option<&str>,
    ) -> Result<Self> {
        let definition =
            segment::parse(definition).map_err(|errors| refusal("definition", errors))?;
        let (_, unknown) = segments(db, org_id, &definition).await?;
        if !unknown.is_empty() {
            return Err(refusal("definition", unknown));
        }
        let compiled = segment::compile(&definition);
        let document = bind(db, org_id, &compiled, now).await?;
        Ok(Self { definition, compiled, document })
    }

    /// The parameter with one more value beside those of the rules.
    #[must_use]
    pub fn with(&self, key: &str, value: impl Into<Value>) -> Value {
        let mut document = self.document.clone();
        document[key] = value.into();
        document
    }
}

/// What depends on the clock, the org's time zone or names, resolved once by one statement.
async fn bind(
    db: &mut impl Db,
    org_id: Uuid,
    compiled: &Compiled,
    now: Option<&str>,
) -> Result<Value> {
    let items = compiled.unresolved();
    if items.is_empty() && !compiled.needs_time_zone() {
        return Ok(compiled.bind(org_id, "UTC", &[]));
    }
    let resolved = db.call(RESOLVE, &json!({"org_id": org_id, "items": items, "now": now})).await?;
    let values = resolved["values"].as_array().map(Vec::as_slice).unwrap_or_default();
    if values.len() != items.len() {
        return Err(Error::internal("values of a segment could not be resolved"));
    }
    Ok(compiled.bind(org_id, resolved["time_zone"].as_str().unwrap_or("UTC"), values))
}

/// The ids of the segments that a definition names, and an error for each that is not there.
pub async fn segments(
    db: &mut impl Db,
    org_id: Uuid,
    definition: &Definition,
) -> Result<(Vec<Uuid>, Vec<FieldError>)> {
    let names = definition.names(Kind::Segment);
    if names.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let wanted: Vec<_> = names.iter().map(|(_, name)| name).collect();
    let found = db.call(FIND, &json!({"org_id": org_id, "names": wanted})).await?;
    let found = found.as_array().map(Vec::as_slice).unwrap_or_default();
    let unknown = names
        .iter()
        .filter(|(_, name)| !found.iter().any(|row| row["wanted"] == *name))
        .map(|(path, _)| {
            FieldError::new(path, "unknown_segment", "is not a segment of your organisation")
        })
        .collect();
    let ids = found.iter().filter_map(|row| row["id"].as_str()?.parse().ok()).collect();
    Ok((ids, unknown))
}

/// The errors of a definition as errors of the argument that holds it.
#[must_use]
pub fn refusal(argument: &str, errors: Vec<FieldError>) -> Error {
    Error::invalid(
        errors
            .into_iter()
            .map(|error| match error.path.as_str() {
                "$" => FieldError { path: argument.to_owned(), ..error },
                path => FieldError { path: format!("{argument}.{path}"), ..error },
            })
            .collect(),
    )
}
