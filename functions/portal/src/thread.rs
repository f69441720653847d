//! `/portal/threads`

use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use fieldcrm_core::portal_thread::ThreadStatus;
use fieldcrm_core::{Error, Result};
use fieldcrm_edge::query::{self, Refusal};
use fieldcrm_edge::{Caller, Idempotency, JsonObject, PathId, Ports, Problem};
use serde_json::{Map, Value};

use crate::appointment::{Urls, signed};
use crate::arguments::{self, by_id, created};

/// The arguments of `portal_create_thread` that come in a body, and of `portal_send_message`.
const THREAD: [&str; 5] =
    ["subject", "initial_message", "related_work_order_id", "location_id", "attachments"];
const MESSAGE: [&str; 2] = ["body", "attachments"];

pub fn add(routes: Router<Ports>) -> Router<Ports> {
    routes
        .route("/portal/threads", get(list).post(create))
        .route("/portal/threads/{id}/messages", get(messages).post(send))
        .route("/portal/threads/{id}/read", post(mark_read))
        .route("/portal/messages/{id}/files/{index}", get(file))
}

/// `POST /portal/threads`
async fn create(
    State(ports): State<Ports>,
    caller: Caller,
    Idempotency(key): Idempotency,
    JsonObject(body): JsonObject,
) -> Result<Response, Problem> {
    let arguments = fieldcrm_edge::arguments(body, key, &THREAD, "a thread")?;
    let thread = ports.database.rpc(&caller, "portal_create_thread", arguments).await?;
    created(|id| format!("/portal/threads/{id}/messages"), thread)
}

/// `GET /portal/threads`
async fn list(
    State(ports): State<Ports>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let statuses = ThreadStatus::ALL.iter().map(|one| one.as_str());
    let arguments = arguments::by_status(query.as_deref(), &statuses)?;
    Ok(Json(ports.database.rpc(&caller, "portal_list_threads", arguments).await?))
}

/// `GET /portal/threads/{id}/messages`
async fn messages(
    State(ports): State<Ports>,
    caller: Caller,
    id: PathId,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let mut arguments = arguments::page(query.as_deref())?;
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
    let at = format!("/portal/threads/{}/messages", id.0);
    let mut arguments = fieldcrm_edge::arguments(body, key, &MESSAGE, "a message")?;
    arguments.extend(by_id(id, "thread_id"));
    let message = ports.database.rpc(&caller, "portal_send_message", arguments).await?;
    created(|_| at, message)
}

/// `GET /portal/messages/{id}/files/{index}`: a URL for one of the message's attachments, counted from 0.
async fn file(
    State(ports): State<Ports>,
    Extension(urls): Extension<Urls>,
    caller: Caller,
    Path((id, index)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let id =
        query::uuid(&id).map_err(|Refusal(code, text)| Error::invalid_field("id", code, text))?;
    let index: u8 = index
        .parse()
        .map_err(|_| Error::invalid_field("index", "out_of_range", "expected a small number"))?;
    let arguments =
        Map::from_iter([("message_id".to_owned(), id.into()), ("index".to_owned(), index.into())]);
    Ok(Json(signed(&ports, urls, &caller, "portal_get_message_file", arguments).await?))
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
