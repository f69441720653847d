//! `/crm/followups`

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, SecondsFormat, Utc};
use fieldcrm_core::followup::{FollowupStatus, Priority};
use fieldcrm_core::{Error, Result};
use fieldcrm_edge::database::{Comparison, Select};
use fieldcrm_edge::{Caller, Idempotency, JsonObject, PathId, Ports, Problem, arguments};
use serde_json::{Map, Value, json};

use crate::interactions::one;
use fieldcrm_edge::query::{self, Refusal, choice};

/// The arguments of `crm_create_followup` that come in a body; a test holds them equal to core's.
const ARGUMENTS: [&str; 10] = [
    "customer_id",
    "title",
    "due_at",
    "description",
    "priority",
    "assigned_to_user_id",
    "related_interaction_id",
    "related_work_order_id",
    "dedupe_key",
    "remind_at",
];

const COLUMNS: &str = "id,org_id,customer_id,assigned_to_user_id,title,description,due_at,status,priority,origin,\
    dedupe_key,related_interaction_id,related_work_order_id,created_by_user_id,completed_at,completion_notes,\
    remind_at,reminded_at,overdue_notified_at,evidence,created_at,updated_at";

/// `POST /crm/followups`: 201, or 200 with the follow-up that has the `dedupe_key` already.
pub async fn create_followup(
    State(ports): State<Ports>,
    caller: Caller,
    Idempotency(key): Idempotency,
    JsonObject(body): JsonObject,
) -> Result<Response, Problem> {
    let arguments = arguments(body, key, &ARGUMENTS, "a follow-up")?;
    let followup = ports.database.rpc(&caller, "crm_create_followup", arguments).await?;
    let id = followup["id"].as_str().ok_or_else(|| Error::internal("a follow-up without id"))?;
    let location = [(LOCATION, format!("/crm/followups/{id}"))];
    let status = if followup["created"] == true { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, location, Json(followup)).into_response())
}

/// `GET /crm/followups/{id}`
pub async fn show_followup(
    State(ports): State<Ports>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Json<Value>, Problem> {
    let rows = ports.database.select(&caller, one("crm_followups", COLUMNS, id)).await?.rows;
    Ok(Json(rows.into_iter().next().ok_or_else(|| Error::not_found("follow-up"))?))
}

/// `PATCH /crm/followups/{id}`
pub async fn update_followup(
    State(ports): State<Ports>,
    caller: Caller,
    PathId(id): PathId,
    JsonObject(body): JsonObject,
) -> Result<Json<Value>, Problem> {
    let arguments = Map::from_iter([
        ("id".to_owned(), id.to_string().into()),
        ("patch".to_owned(), Value::Object(body)),
    ]);
    Ok(Json(ports.database.rpc(&caller, "crm_update_followup", arguments).await?))
}

/// `POST /crm/customers/{id}/suggest-followups`
pub async fn suggest_followups(
    State(ports): State<Ports>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Json<Value>, Problem> {
    let arguments = Map::from_iter([("customer_id".to_owned(), id.to_string().into())]);
    Ok(Json(ports.database.rpc(&caller, "crm_suggest_followups", arguments).await?))
}

/// `GET /crm/followups`
pub async fn list_followups(
    State(ports): State<Ports>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let (mut select, mine) = select(query.as_deref().unwrap_or_default(), Utc::now())?;
    if mine {
        let session = ports.database.rpc(&caller, "crm_session", Map::new()).await?;
        let id = session["profile"]["id"].as_str().ok_or_else(|| {
            let message = "me is a member of an organisation who is signed in";
            Error::invalid_field("assigned_to_user_id", "invalid_value", message)
        })?;
        select.equal.push(("assigned_to_user_id", id.to_owned()));
    }
    let (limit, offset) = (select.limit, select.offset);
    let page = ports.database.select(&caller, select).await?;
    Ok(Json(json!({ "data": page.rows, "limit": limit, "offset": offset, "total": page.total })))
}

/// The page, and whether it is to be the caller's own.
fn select(query: &str, now: DateTime<Utc>) -> Result<(Select, bool)> {
    let mut select = Select {
        table: "crm_followups",
        columns: COLUMNS,
        order: "due_at.asc,id.asc",
        limit: query::DEFAULT_LIMIT,
        ..Select::default()
    };
    let (mut mine, mut overdue, mut status) = (false, false, None);
    query::read(query, |key, value| {
        match key {
            "limit" => select.limit = query::limit(value)?,
            "offset" => select.offset = query::offset(value)?,
            "count" => select.count = query::count(value)?,
            "assigned_to_user_id" if value == "me" => mine = true,
            "assigned_to_user_id" => {
                let id = query::uuid(value)
                    .map_err(|_| Refusal("invalid_uuid", "expected a UUID or me".to_owned()))?;
                select.equal.push(("assigned_to_user_id", id));
            }
            "customer_id" => select.equal.push(("customer_id", query::uuid(value)?)),
            "status" => {
                let value = if value == "cancelled" { "canceled" } else { value };
                let known = FollowupStatus::ALL.iter().map(|one| one.as_str());
                status = Some(choice(value, known)?);
            }
            "priority" => {
                let priority = choice(value, Priority::ALL.iter().map(|one| one.as_str()))?;
                select.equal.push(("priority", priority.to_owned()));
            }
            "due_from" => {
                select.compare.push(("due_at", Comparison::AtLeast, query::time(value)?));
            }
            "due_to" => select.compare.push(("due_at", Comparison::Below, query::time(value)?)),
            "overdue" => overdue = choice(value, ["false", "true"].into_iter())? == "true",
            _ => return Err(query::unknown()),
        }
        Ok(())
    })?;
    if overdue {
        if status.is_some_and(|status| status != "pending") {
            let message = "only what is pending is overdue";
            return Err(Error::invalid_field("overdue", "invalid_value", message));
        }
        status = Some("pending");
        let now = now.to_rfc3339_opts(SecondsFormat::Micros, true);
        select.compare.push(("due_at", Comparison::Below, now));
    }
    select.equal.extend(status.map(|status| ("status", status.to_owned())));
    Ok((select, mine))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0d0e0f10-0000-4000-8000-000000000001";

    fn read(query: &str) -> Result<(Select, bool)> {
        select(query, DateTime::UNIX_EPOCH)
    }

    #[test]
    fn the_argument_names_are_those_of_core() {
        use fieldcrm_core::followup::NewFollowup;
        let core = serde_aux::serde_introspection::serde_introspect::<NewFollowup>();
        let core: Vec<_> = core.iter().copied().filter(|name| *name != "idempotency_key").collect();
        assert_eq!(ARGUMENTS.to_vec(), core);
    }

    #[test]
    fn every_parameter_is_read() {
        let (select, mine) = read(&format!(
            "limit=10&offset=20&count=exact&assigned_to_user_id={ID}&customer_id={ID}&status=cancelled&priority=high\
             &due_from=2026-01-01T00:00:00Z&due_to=2026-02-01T00:00:00Z"
        ))
        .unwrap();
        assert!(!mine);
        assert_eq!((select.limit, select.offset, select.count), (10, 20, true));
        assert_eq!(select.order, "due_at.asc,id.asc");
        assert_eq!(
            select.equal,
            [
                ("assigned_to_user_id", ID.to_owned()),
                ("customer_id", ID.to_owned()),
                ("priority", "high".to_owned()),
                ("status", "canceled".to_owned()),
            ]
        );
        assert_eq!(
            select.compare,
            [
                ("due_at", Comparison::AtLeast, "2026-01-01T00:00:00.000000Z".to_owned()),
                ("due_at", Comparison::Below, "2026-02-01T00:00:00.000000Z".to_owned()),
            ]
        );
    }

    #[test]
    fn what_is_overdue_is_pending_and_was_due_before_now() {
        let (select, _) = read("overdue=true").unwrap();
        assert_eq!(select.equal, [("status", "pending".to_owned())]);
        let due = ("due_at", Comparison::Below, "1970-01-01T00:00:00.000000Z".to_owned());
        assert_eq!(select.compare, [due]);
        assert_eq!(read("overdue=true&status=pending").unwrap().0, select);
        assert_eq!(read("overdue=false").unwrap().0.compare, []);
        let error = read("overdue=true&status=completed").unwrap_err();
        assert_eq!(error.errors[0].path, "overdue");
    }

    #[test]
    fn everything_wrong_is_said_at_once() {
        let error = read("assigned_to_user_id=you&customer_id=1&status=done&priority=urgent&due_from=now&overdue=1&q=x")
            .unwrap_err();
        let found: Vec<_> =
            error.errors.iter().map(|one| (one.path.as_str(), one.code.as_str())).collect();
        assert_eq!(
            found,
            [
                ("assigned_to_user_id", "invalid_uuid"),
                ("customer_id", "invalid_uuid"),
                ("status", "invalid_value"),
                ("priority", "invalid_value"),
                ("due_from", "invalid_time"),
                ("overdue", "invalid_value"),
                ("q", "unknown_field"),
            ]
        );
    }
}
