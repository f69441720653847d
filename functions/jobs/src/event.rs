//! `/handle-event-trigger`: something happened elsewhere that rules may listen to.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use fieldcrm_core::{Code, Error};
use fieldcrm_edge::{Caller, Idempotency, JsonObject, Ports, Problem};
use serde_json::{Map, Value, json};

use crate::arguments::known;

/// The arguments of `crm_emit_event`.
const ARGUMENTS: [&str; 6] =
    ["event_type", "customer_id", "payload", "event_key", "occurred_at", "org_id"];

/// `POST /handle-event-trigger`: writes the event down, and works off events, and what owners of portal accounts are to be told, at
/// once rather than at the next tick.
///
/// The same `event_key` again is the same event. It may come as `Idempotency-Key`.
pub async fn handle_event_trigger(
    State(ports): State<Ports>,
    caller: Caller,
    Idempotency(key): Idempotency,
    JsonObject(body): JsonObject,
) -> Result<Response, Problem> {
    let mut arguments = known(body, &ARGUMENTS)?;
    if let Some(key) = key {
        let event_key = arguments.entry("event_key").or_insert(Value::Null);
        if event_key.is_null() {
            *event_key = key.into();
        } else if *event_key != key {
            let message = "differs from the Idempotency-Key header: send one of them";
            return Err(Error::invalid_field("event_key", "invalid_value", message).into());
        }
    }
    // Staff may emit events, but not run automations. The smallest step of that asks the database who this is, before
    // there is an event.
    let one = Map::from_iter([("batch_limit".to_owned(), 1.into())]);
    if let Err(error) = ports.database.rpc(&caller, "crm_run_automations", one).await
        && matches!(error.code, Code::Forbidden | Code::Unauthenticated)
    {
        return Err(error.into());
    }
    let event = ports.database.rpc(&caller, "crm_emit_event", arguments).await?;
    // The event is kept. A run that fails now is made up for by the next tick, and is no reason for the caller to
    // send the event again.
    let run = match ports.database.rpc(&caller, "crm_run_automations", Map::new()).await {
        Ok(run) => run,
        Err(error) => json!({ "error": error.code.as_str() }),
    };
    let notices = match ports.database.rpc(&caller, "crm_send_portal_notices", Map::new()).await {
        Ok(notices) => notices,
        Err(error) => json!({ "error": error.code.as_str() }),
    };
    let status = if event["created"] == true { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(json!({ "event": event, "run": run, "notices": notices }))).into_response())
}
