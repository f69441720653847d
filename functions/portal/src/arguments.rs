//! What paths and query strings say, as the arguments of RPCs, and the answer where something was made.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use fieldcrm_core::{Error, Result};
use fieldcrm_edge::query::{self, Refusal, choice};
use fieldcrm_edge::{PathId, Problem};
use serde_json::{Map, Value};

/// The parameters of a list: `limit` and `cursor`, and those that `other` knows.
pub fn list(
    query: Option<&str>,
    other: impl Fn(&str, &str) -> Result<Option<(&'static str, String)>, Refusal>,
) -> Result<Map<String, Value>> {
    let mut arguments = Map::new();
    query::read(query.unwrap_or_default(), |key, value| {
        match key {
            "limit" => arguments.insert("page_size".to_owned(), query::limit(value)?.into()),
            "cursor" => arguments.insert("cursor".to_owned(), value.into()),
            _ => match other(key, value)? {
                Some((name, value)) => arguments.insert(name.to_owned(), value.into()),
                None => return Err(query::unknown()),
            },
        };
        Ok(())
    })?;
    Ok(arguments)
}

/// Of a list that knows no other parameters.
pub fn page(query: Option<&str>) -> Result<Map<String, Value>> {
    list(query, |_, _| Ok(None))
}

/// Of a list that takes a `status`, one of `known`.
pub fn by_status(
    query: Option<&str>,
    known: &(impl Iterator<Item = &'static str> + Clone),
) -> Result<Map<String, Value>> {
    list(query, |key, value| match key {
        "status" => Ok(Some(("status", choice(value, known.clone())?.to_owned()))),
        _ => Ok(None),
    })
}

/// The id of a path.
pub fn by_id(PathId(id): PathId, name: &str) -> Map<String, Value> {
    Map::from_iter([(name.to_owned(), id.to_string().into())])
}

/// 201 with what was made and where it is.
pub fn created(at: impl FnOnce(&str) -> String, made: Value) -> Result<Response, Problem> {
    let id = made["id"].as_str().ok_or_else(|| Error::internal("what was made has no id"))?;
    let location = [(LOCATION, at(id))];
    Ok((StatusCode::CREATED, location, Json(made)).into_response())
}
