//! `/portal/threads`

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use fieldcrm_core::portal_thread::ThreadStatus;
use fieldcrm_core::{Error, Result};
use fieldcrm_edge::query::choice;
use fieldcrm_edge::{Caller, Idempotency, JsonObject, PathId, Ports, Problem, arguments};
use serde_json::Value;

use crate::appointment::{by_id, list_arguments, page_arguments};

/// The arguments of `portal_create_thread` that come in a body, and of `portal_send_message`.
const THREAD: [&str; 5] =
    ["subject", "initial_message", "related_work_order_id", "location_id", "attachments"];
const MESSAGE: [&str; 2] = ["body", "attachments"];

pub fn add(routes: Router<Ports>) -> Router<Ports> {
    routes
        .route("/portal/threads", get(list).post(create))
        .route("/portal/threads/{id}/messages", get(messages).post(send))
        .route("/portal/threads/{id}/read", post(mark_read))
}

/// `POST /portal/threads`
async fn create(
    State(ports): State<Ports>,
    caller: Caller,
    Idempotency(key): Idempotency,
    JsonObject(body): JsonObject,
) -> Result<Response, Problem> {
    let arguments = arguments(body, key, &THREAD, "a thread")?;
    let thread = ports.database.rpc(&caller, "portal_create_thread", arguments).await?;
    let id = thread["id"].as_str().ok_or_else(|| Error::internal("a thread without id"))?;
    let location = [(LOCATION, format!("/portal/threads/{id}/messages"))];
    Ok((StatusCode::CREATED, location, Json(thread)).into_response())
}

/// `GET /portal/threads`
async fn list(
    State(ports): State<Ports>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let arguments = list_arguments(query.as_deref(), |key, value| {
        if key != "status" {
            return Ok(None);
        }
        let status = choice(value, ThreadStatus::ALL.iter().map(|one| one.as_str()))?;
        Ok(Some(("status", status.to_owned())))
    })?;
    Ok(Json(ports.database.rpc(&caller, "portal_list_threads", arguments).await?))
}

/// `GET /portal/threads/{id}/messages`
async fn messages(
    State(ports): State<Ports>,
    caller: Caller,
    id: PathId,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let mut arguments = page_arguments(query.as_deref())?;
    arguments.extend(by_id(id, "thread_id"));
    Ok(Json(ports.database.rpc(&caller, "portal_list_messages", arguments).await?))
}

/// `POST /portal/threads/{id}/messages`
async fn send(
    State(ports): State<Ports>,
    caller: Caller,
    id: PathId,
    Idempotency(key): Idempotency,
    JsonObject(body): JsonObject,
) -> Result<Response, Problem> {
    let location = [(LOCATION, format!("/portal/threads/{}/messages", id.0))];
    let mut arguments = arguments(body, key, &MESSAGE, "a message")?;
    arguments.extend(by_id(id, "thread_id"));
    let message = ports.database.rpc(&caller, "portal_send_message", arguments).await?;
    Ok((StatusCode::CREATED, location, Json(message)).into_response())
}

/// `POST /portal/threads/{id}/read`
async fn mark_read(
    State(ports): State<Ports>,
    caller: Caller,
    id: PathId,
) -> Result<Json<Value>, Problem> {
    let arguments = by_id(id, "thread_id");
    Ok(Json(ports.database.rpc(&caller, "portal_mark_thread_read", arguments).await?))
}
