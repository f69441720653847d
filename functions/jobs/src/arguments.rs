//! The bodies of these functions: small objects of known keys.

use fieldcrm_core::{Error, FieldError, Result};
use fieldcrm_edge::JsonObject;
use serde_json::{Map, Value};

/// The body, if it has no keys but these. `PostgREST` takes an unknown argument for a function that does not exist.
pub fn known(body: Map<String, Value>, keys: &[&str]) -> Result<Map<String, Value>> {
    let unknown: Vec<_> = body
        .keys()
        .filter(|key| !keys.contains(&key.as_str()))
        .map(|key| FieldError {
            path: key.clone(),
            code: "unknown_field".into(),
            message: format!("the keys are {}", keys.join(", ")),
        })
        .collect();
    if unknown.is_empty() { Ok(body) } else { Err(Error::invalid(unknown)) }
}

/// `batch_limit`, the only key, if it is there; `longest` is what the RPCs take.
pub fn batch_limit(body: Option<JsonObject>, longest: u64) -> Result<Option<u64>> {
    let body = known(body.map(|body| body.0).unwrap_or_default(), &["batch_limit"])?;
    let Some(value) = body.get("batch_limit").filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    let limit = value.as_u64().filter(|limit| (1..=longest).contains(limit));
    limit.map(Some).ok_or_else(|| {
        let message = format!("a whole number from 1 to {longest}");
        Error::invalid_field("batch_limit", "out_of_range", message)
    })
}
