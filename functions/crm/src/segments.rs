//! `/crm/segments`: each handler is one call of the database.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use fieldcrm_core::segment::SegmentType;
use fieldcrm_core::{Error, FieldError, Result};
use fieldcrm_edge::ai::models::Models;
use fieldcrm_edge::database::Select;
use fieldcrm_edge::{Caller, Idempotency, JsonObject, PathId, Ports, Problem, require};
use serde_json::{Map, Value, json};
use uuid::Uuid;

mod list;
mod proposal;

/// What a body can name; `PostgREST` takes another argument for a function that does not exist.
const ARGUMENTS: [&str; 5] = ["name", "type", "description", "definition", "ai_prompt"];

/// The routes of segments.
pub fn add(routes: Router<Ports>) -> Router<Ports> {
    routes
        .route("/crm/segments", post(create_segment).get(list_segments))
        .route("/crm/segments/{id}", get(show_segment).patch(update_segment))
        .route(
            "/crm/segments/{id}/members",
            get(list_members).post(add_members).delete(remove_members),
        )
        .route("/crm/segments/{id}/recompute", post(recompute_segment))
        .route("/crm/segments/{id}/score", post(score_segment))
}

/// `POST /crm/segments`
async fn create_segment(
    State(ports): State<Ports>,
    caller: Caller,
    Idempotency(key): Idempotency,
    JsonObject(mut body): JsonObject,
) -> Result<Response, Problem> {
    refuse_unknown(&body, &ARGUMENTS)?;
    if let Some(key) = key {
        body.insert("idempotency_key".to_owned(), key.into());
    }
    let segment = ports.database.rpc(&caller, "crm_create_segment", body).await?;
    let id = segment["id"].as_str().ok_or_else(|| Error::internal("a segment without id"))?;
    let location = [(LOCATION, format!("/crm/segments/{id}"))];
    Ok((StatusCode::CREATED, location, Json(segment)).into_response())
}

/// `GET /crm/segments`
async fn list_segments(
    State(ports): State<Ports>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    page(&ports, &caller, list::segments(query.as_deref().unwrap_or_default())?).await
}

/// `GET /crm/segments/{id}`
async fn show_segment(
    State(ports): State<Ports>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Json<Value>, Problem> {
    Ok(Json(find(&ports, &caller, id).await?))
}

async fn find(ports: &Ports, caller: &Caller, id: Uuid) -> Result<Value> {
    let mut select = list::segments("limit=1")?;
    select.equal.push(("id", id.to_string()));
    let mut rows = ports.database.select(caller, select).await?.rows;
    rows.pop().ok_or_else(|| Error::not_found("segment"))
}

/// `PATCH /crm/segments/{id}`
async fn update_segment(
    State(ports): State<Ports>,
    caller: Caller,
    PathId(id): PathId,
    JsonObject(patch): JsonObject,
) -> Result<Json<Value>, Problem> {
    let arguments = [("id".to_owned(), json!(id)), ("patch".to_owned(), Value::Object(patch))];
    Ok(Json(ports.database.rpc(&caller, "crm_update_segment", Map::from_iter(arguments)).await?))
}

/// `GET /crm/segments/{id}/members`
async fn list_members(
    State(ports): State<Ports>,
    caller: Caller,
    PathId(id): PathId,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let mut select = list::members(query.as_deref().unwrap_or_default())?;
    select.equal.push(("segment_id", id.to_string()));
    page(&ports, &caller, select).await
}

/// `POST /crm/segments/{id}/members`
async fn add_members(
    State(ports): State<Ports>,
    caller: Caller,
    PathId(id): PathId,
    JsonObject(mut body): JsonObject,
) -> Result<Json<Value>, Problem> {
    refuse_unknown(&body, &["customer_ids", "scores"])?;
    require(&body, &["customer_ids"])?;
    body.insert("segment_id".to_owned(), json!(id));
    Ok(Json(ports.database.rpc(&caller, "crm_segment_add_members", body).await?))
}

/// `DELETE /crm/segments/{id}/members`
async fn remove_members(
    State(ports): State<Ports>,
    caller: Caller,
    PathId(id): PathId,
    JsonObject(mut body): JsonObject,
) -> Result<Json<Value>, Problem> {
    refuse_unknown(&body, &["customer_ids"])?;
    require(&body, &["customer_ids"])?;
    body.insert("segment_id".to_owned(), json!(id));
    Ok(Json(ports.database.rpc(&caller, "crm_segment_remove_members", body).await?))
}

/// `POST /crm/segments/{id}/recompute`: where somebody only wrote whom they want, rules are found first.
async fn recompute_segment(
    State(ports): State<Ports>,
    Extension(models): Extension<Models>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Json<Value>, Problem> {
    let segment = find(&ports, &caller, id).await?;
    if segment["type"] == json!(SegmentType::AiGenerated) {
        return Ok(Json(find_rules(&ports, &models, &caller, segment).await?));
    }
    let arguments = Map::from_iter([("id".to_owned(), json!(id))]);
    Ok(Json(ports.database.rpc(&caller, "crm_recompute_segment", arguments).await?))
}

/// Rules for what somebody wrote.
async fn find_rules(
    ports: &Ports,
    models: &Models,
    caller: &Caller,
    segment: Value,
) -> Result<Value> {
    let segment = serde_json::from_value(segment)
        .map_err(|_| Error::internal("an ai_generated segment without what it needs"))?;
    proposal::recompute(ports, models, caller, &segment).await
}

/// `POST /crm/segments/{id}/score`: a job; where somebody only wrote whom they want, rules are found first.
async fn score_segment(
    State(ports): State<Ports>,
    Extension(models): Extension<Models>,
    caller: Caller,
    PathId(id): PathId,
    Idempotency(key): Idempotency,
    body: Option<JsonObject>,
) -> Result<Response, Problem> {
    let mut body = body.map(|body| body.0).unwrap_or_default();
    refuse_unknown(&body, &["threshold", "only_matching"])?;
    let segment = find(&ports, &caller, id).await?;
    if segment["type"] == json!(SegmentType::AiGenerated) && segment["definition"].is_null() {
        find_rules(&ports, &models, &caller, segment).await?;
    }
    body.insert("segment_id".to_owned(), json!(id));
    if let Some(key) = key {
        body.insert("idempotency_key".to_owned(), key.into());
    }
    let job = ports.database.rpc(&caller, "crm_score_segment", body).await?;
    let id = job["id"].as_str().ok_or_else(|| Error::internal("a job without id"))?;
    let location = [(LOCATION, format!("/crm/ai-jobs/{id}"))];
    Ok((StatusCode::ACCEPTED, location, Json(job)).into_response())
}

async fn page(ports: &Ports, caller: &Caller, select: Select) -> Result<Json<Value>, Problem> {
    let (limit, offset) = (select.limit, select.offset);
    let page = ports.database.select(caller, select).await?;
    Ok(Json(json!({"data": page.rows, "limit": limit, "offset": offset, "total": page.total})))
}

fn refuse_unknown(body: &Map<String, Value>, known: &[&str]) -> Result<()> {
    let unknown: Vec<_> = body
        .keys()
        .filter(|name| !known.contains(&name.as_str()))
        .map(|name| FieldError::new(name, "unknown_field", "is not a field of this request"))
        .collect();
    if unknown.is_empty() { Ok(()) } else { Err(Error::invalid(unknown)) }
}
