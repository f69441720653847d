//! `/portal/service-types`, `/portal/slots`, `/portal/holds`, `/portal/booking-requests`, and what customers do with
//! their appointments

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use fieldcrm_core::booking::request::BookingStatus;
use fieldcrm_core::{Error, Result};
use fieldcrm_edge::query::{self, Refusal};
use fieldcrm_edge::{Caller, Idempotency, JsonObject, PathId, Ports, Problem};
use serde_json::{Map, Value};

use crate::arguments::{self, by_id, created};

/// The arguments of `portal_hold_slot` that come in a body, and of the others.
const HOLD: [&str; 3] = ["service_type", "location_id", "starts_at"];
const BOOKING: [&str; 12] = [
    "location_id",
    "location",
    "service_type",
    "problem_description",
    "preferred_service_date",
    "preferred_time_window_start",
    "preferred_time_window_end",
    "flexible_date",
    "hold_id",
    "starts_at",
    "attachments",
    "source_channel",
];
const RESCHEDULE: [&str; 2] = ["starts_at", "reason"];
const CANCEL: [&str; 1] = ["reason"];

pub fn add(routes: Router<Ports>) -> Router<Ports> {
    routes
        .route("/portal/service-types", get(service_types))
        .route("/portal/slots", get(slots))
        .route("/portal/holds", post(hold))
        .route("/portal/holds/{id}", delete(release))
        .route("/portal/booking-requests", get(list).post(create))
        .route("/portal/booking-requests/{id}", get(show))
        .route("/portal/booking-requests/{id}/cancel", post(cancel))
        .route("/portal/appointments/{id}/reschedule", post(reschedule_appointment))
        .route("/portal/appointments/{id}/cancel", post(cancel_appointment))
}

/// `GET /portal/service-types`
async fn service_types(State(ports): State<Ports>, caller: Caller) -> Result<Json<Value>, Problem> {
    Ok(Json(ports.database.rpc(&caller, "portal_list_service_types", Map::new()).await?))
}

/// `GET /portal/slots?service_type=…&location_id=…&from_date=…&to_date=…`
async fn slots(
    State(ports): State<Ports>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let arguments = slot_arguments(query.as_deref().unwrap_or_default())?;
    Ok(Json(ports.database.rpc(&caller, "portal_available_slots", arguments).await?))
}

fn slot_arguments(query: &str) -> Result<Map<String, Value>> {
    let mut arguments = Map::new();
    query::read(query, |key, value| {
        let value = match key {
            "service_type" => value.to_owned(),
            "location_id" => query::uuid(value)?,
            "from_date" | "to_date" => {
                let day: chrono::NaiveDate = value.parse().map_err(|_| {
                    Refusal("invalid_date", "expected a date such as 2026-01-31".to_owned())
                })?;
                day.to_string()
            }
            _ => return Err(query::unknown()),
        };
        arguments.insert(key.to_owned(), value.into());
        Ok(())
    })?;
    for name in ["service_type", "location_id"] {
        if !arguments.contains_key(name) {
            return Err(Error::invalid_field(name, "required", "must be given"));
        }
    }
    Ok(arguments)
}

/// `POST /portal/holds`
async fn hold(
    State(ports): State<Ports>,
    caller: Caller,
    Idempotency(key): Idempotency,
    JsonObject(body): JsonObject,
) -> Result<Response, Problem> {
    let arguments = fieldcrm_edge::arguments(body, key, &HOLD, "a hold")?;
    fieldcrm_edge::require(&arguments, &HOLD)?;
    let hold = ports.database.rpc(&caller, "portal_hold_slot", arguments).await?;
    created(|id| format!("/portal/holds/{id}"), hold)
}

/// `DELETE /portal/holds/{id}`
async fn release(
    State(ports): State<Ports>,
    caller: Caller,
    id: PathId,
) -> Result<StatusCode, Problem> {
    ports.database.rpc(&caller, "portal_release_hold", by_id(id, "id")).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /portal/booking-requests`
async fn create(
    State(ports): State<Ports>,
    caller: Caller,
    Idempotency(key): Idempotency,
    JsonObject(body): JsonObject,
) -> Result<Response, Problem> {
    let arguments = fieldcrm_edge::arguments(body, key, &BOOKING, "a booking request")?;
    let booking = ports.database.rpc(&caller, "portal_create_booking", arguments).await?;
    created(|id| format!("/portal/booking-requests/{id}"), booking)
}

/// `GET /portal/booking-requests`
async fn list(
    State(ports): State<Ports>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let statuses = BookingStatus::ALL.iter().map(|one| one.as_str());
    let arguments = arguments::by_status(query.as_deref(), &statuses)?;
    Ok(Json(ports.database.rpc(&caller, "portal_list_bookings", arguments).await?))
}

/// `GET /portal/booking-requests/{id}`
async fn show(
    State(ports): State<Ports>,
    caller: Caller,
    id: PathId,
) -> Result<Json<Value>, Problem> {
    Ok(Json(ports.database.rpc(&caller, "portal_get_booking", by_id(id, "id")).await?))
}

/// `POST /portal/booking-requests/{id}/cancel`: to repeat it changes nothing, so it needs no key.
async fn cancel(
    State(ports): State<Ports>,
    caller: Caller,
    id: PathId,
    body: Option<JsonObject>,
) -> Result<Json<Value>, Problem> {
    let body = body.map(|JsonObject(body)| body).unwrap_or_default();
    let mut arguments = fieldcrm_edge::arguments(body, None, &CANCEL, "a cancellation")?;
    arguments.extend(by_id(id, "id"));
    Ok(Json(ports.database.rpc(&caller, "portal_cancel_booking", arguments).await?))
}

/// `POST /portal/appointments/{id}/reschedule`
async fn reschedule_appointment(
    State(ports): State<Ports>,
    caller: Caller,
    id: PathId,
    Idempotency(key): Idempotency,
    JsonObject(body): JsonObject,
) -> Result<Json<Value>, Problem> {
    let mut arguments = fieldcrm_edge::arguments(body, key, &RESCHEDULE, "a new time")?;
    fieldcrm_edge::require(&arguments, &["starts_at"])?;
    arguments.extend(by_id(id, "id"));
    Ok(Json(ports.database.rpc(&caller, "portal_reschedule_appointment", arguments).await?))
}

/// `POST /portal/appointments/{id}/cancel`
async fn cancel_appointment(
    State(ports): State<Ports>,
    caller: Caller,
    id: PathId,
    Idempotency(key): Idempotency,
    body: Option<JsonObject>,
) -> Result<Json<Value>, Problem> {
    let body = body.map(|JsonObject(body)| body).unwrap_or_default();
    let mut arguments = fieldcrm_edge::arguments(body, key, &CANCEL, "a cancellation")?;
    arguments.extend(by_id(id, "id"));
    Ok(Json(ports.database.rpc(&caller, "portal_cancel_appointment", arguments).await?))
}
