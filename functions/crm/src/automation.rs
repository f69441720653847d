//! `/crm/automation`: rules and their runs; each handler is one call of the database.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use fieldcrm_core::automation::{RunStatus, Trigger, event};
use fieldcrm_core::{Error, Result};
use fieldcrm_edge::database::Select;
use fieldcrm_edge::{Caller, Idempotency, JsonObject, PathId, Ports, Problem, arguments};
use serde_json::{Map, Value, json};

use crate::interactions::one;
use fieldcrm_edge::query::{self, Refusal, choice};

/// The arguments of `crm_create_automation_rule` that come in a body; a test holds them equal to core's.
const ARGUMENTS: [&str; 13] = [
    "name",
    "description",
    "is_enabled",
    "trigger_type",
    "event_type",
    "time_offset_minutes",
    "segment_id",
    "segment_change",
    "conditions",
    "actions",
    "reenrollment",
    "cooldown_minutes",
    "max_lateness_minutes",
];

const COLUMNS: &str = "id,org_id,name,description,is_enabled,trigger_type,event_type,time_offset_minutes,segment_id,\
    segment_change,conditions,actions,reenrollment,cooldown_minutes,max_lateness_minutes,listens_to,version,enabled_at,\
    created_by_user_id,created_at,updated_at";

/// The routes of automation. None deletes a rule: it is disabled, and its history stays.
pub fn add(routes: Router<Ports>) -> Router<Ports> {
    routes
        .route("/crm/automation/rules", post(create_rule).get(list_rules))
        .route("/crm/automation/rules/{id}", get(show_rule).patch(update_rule))
        .route("/crm/automation/rules/{id}/preview", post(preview_rule))
        .route("/crm/automation/runs", get(list_runs))
        .route("/crm/automation/runs/{id}/retry", post(retry_run))
}

/// `POST /crm/automation/rules`
async fn create_rule(
    State(ports): State<Ports>,
    caller: Caller,
    Idempotency(key): Idempotency,
    JsonObject(body): JsonObject,
) -> Result<Response, Problem> {
    let arguments = arguments(body, key, &ARGUMENTS, "an automation rule")?;
    let rule = ports.database.rpc(&caller, "crm_create_automation_rule", arguments).await?;
    let id = rule["id"].as_str().ok_or_else(|| Error::internal("a rule without id"))?;
    let location = [(LOCATION, format!("/crm/automation/rules/{id}"))];
    Ok((StatusCode::CREATED, location, Json(rule)).into_response())
}

/// `GET /crm/automation/rules`
async fn list_rules(
    State(ports): State<Ports>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let select = rules(query.as_deref().unwrap_or_default())?;
    let (limit, offset) = (select.limit, select.offset);
    let page = ports.database.select(&caller, select).await?;
    Ok(Json(json!({"data": page.rows, "limit": limit, "offset": offset, "total": page.total})))
}

/// `GET /crm/automation/rules/{id}`
async fn show_rule(
    State(ports): State<Ports>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Json<Value>, Problem> {
    let rows = ports.database.select(&caller, one("crm_automation_rules", COLUMNS, id)).await?.rows;
    Ok(Json(rows.into_iter().next().ok_or_else(|| Error::not_found("automation rule"))?))
}

/// `PATCH /crm/automation/rules/{id}`
async fn update_rule(
    State(ports): State<Ports>,
    caller: Caller,
    PathId(id): PathId,
    JsonObject(patch): JsonObject,
) -> Result<Json<Value>, Problem> {
    let arguments = [("id".to_owned(), json!(id)), ("patch".to_owned(), Value::Object(patch))];
    let arguments = Map::from_iter(arguments);
    Ok(Json(ports.database.rpc(&caller, "crm_update_automation_rule", arguments).await?))
}

/// `POST /crm/automation/rules/{id}/preview`: whom it would take in now, and whom it would skip and why.
async fn preview_rule(
    State(ports): State<Ports>,
    caller: Caller,
    PathId(id): PathId,
    JsonObject(body): JsonObject,
) -> Result<Json<Value>, Problem> {
    let mut arguments = arguments(body, None, &["sample_size"], "a preview")?;
    arguments.insert("rule_id".to_owned(), json!(id));
    Ok(Json(ports.database.rpc(&caller, "crm_preview_automation", arguments).await?))
}

/// `GET /crm/automation/runs`
async fn list_runs(
    State(ports): State<Ports>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let (limit, arguments) = runs(query.as_deref().unwrap_or_default())?;
    let page = ports.database.rpc(&caller, "crm_automation_history", arguments).await?;
    Ok(Json(json!({
        "data": page["items"], "limit": limit, "next_cursor": page["next_cursor"],
    })))
}

/// `POST /crm/automation/runs/{id}/retry`
async fn retry_run(
    State(ports): State<Ports>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Json<Value>, Problem> {
    let arguments = Map::from_iter([("id".to_owned(), json!(id))]);
    Ok(Json(ports.database.rpc(&caller, "crm_retry_automation_run", arguments).await?))
}

fn rules(query: &str) -> Result<Select> {
    let mut select = Select {
        table: "crm_automation_rules",
        columns: COLUMNS,
        order: "name.asc,id.asc",
        limit: query::DEFAULT_LIMIT,
        ..Select::default()
    };
    query::read(query, |key, value| {
        match key {
            "limit" => select.limit = query::limit(value)?,
            "offset" => select.offset = query::offset(value)?,
            "count" => select.count = query::count(value)?,
            "trigger_type" => {
                let trigger = choice(value, Trigger::ALL.iter().map(|one| one.as_str()))?;
                select.equal.push(("trigger_type", trigger.to_owned()));
            }
            "is_enabled" => {
                let enabled = choice(value, ["true", "false"].into_iter())?;
                select.equal.push(("is_enabled", enabled.to_owned()));
            }
            "event_type" if event::is_type(value) => {
                select.equal.push(("event_type", value.to_owned()));
            }
            "event_type" => {
                let message = "expected a name such as quote_sent";
                return Err(Refusal("invalid_name", message.to_owned()));
            }
            _ => return Err(query::unknown()),
        }
        Ok(())
    })?;
    Ok(select)
}

/// The size of the page, and the arguments of `crm_automation_history`.
fn runs(query: &str) -> Result<(usize, Map<String, Value>)> {
    let mut limit = query::DEFAULT_LIMIT;
    let mut arguments = Map::new();
    query::read(query, |key, value| {
        let value = match key {
            "limit" => {
                limit = query::limit(value)?;
                return Ok(());
            }
            "rule_id" | "customer_id" => query::uuid(value)?,
            "status" => choice(value, RunStatus::ALL.iter().map(|one| one.as_str()))?.to_owned(),
            "cursor" => value.to_owned(),
            _ => return Err(query::unknown()),
        };
        arguments.insert(key.to_owned(), value.into());
        Ok(())
    })?;
    arguments.insert("page_size".to_owned(), limit.into());
    Ok((limit, arguments))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0d0e0f10-0000-4000-8000-000000000001";

    fn refusals<T: std::fmt::Debug>(outcome: Result<T>) -> Vec<(String, String)> {
        outcome.unwrap_err().errors.into_iter().map(|one| (one.path, one.code)).collect()
    }

    fn listed(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(path, code)| ((*path).to_owned(), (*code).to_owned())).collect()
    }

    #[test]
    fn the_argument_names_are_those_of_core() {
        use fieldcrm_core::automation::NewRule;
        let core = serde_aux::serde_introspection::serde_introspect::<NewRule>();
        let core: Vec<_> = core.iter().copied().filter(|name| *name != "idempotency_key").collect();
        assert_eq!(ARGUMENTS.to_vec(), core);
    }

    #[test]
    fn every_parameter_of_the_rules_is_read() {
        let select = rules(
            "limit=10&offset=20&count=exact&trigger_type=time_based&is_enabled=false&event_type=quote_sent",
        )
        .unwrap();
        assert_eq!((select.limit, select.offset, select.count), (10, 20, true));
        assert_eq!(
            select.equal,
            [
                ("trigger_type", "time_based".to_owned()),
                ("is_enabled", "false".to_owned()),
                ("event_type", "quote_sent".to_owned()),
            ]
        );
        assert_eq!(
            refusals(rules("trigger_type=cron&is_enabled=1&event_type=Quote&limit=0&name=x")),
            listed(&[
                ("trigger_type", "invalid_value"),
                ("is_enabled", "invalid_value"),
                ("event_type", "invalid_name"),
                ("limit", "out_of_range"),
                ("name", "unknown_field"),
            ])
        );
    }

    #[test]
    fn every_parameter_of_the_runs_is_an_argument_of_the_history() {
        let (limit, arguments) =
            runs(&format!("limit=10&rule_id={ID}&customer_id={ID}&status=skipped&cursor=abc"))
                .unwrap();
        assert_eq!(limit, 10);
        assert_eq!(
            Value::Object(arguments),
            json!({"page_size": 10, "rule_id": ID, "customer_id": ID, "status": "skipped", "cursor": "abc"})
        );
        assert_eq!(Value::Object(runs("").unwrap().1), json!({"page_size": 50}));
        assert_eq!(
            refusals(runs("rule_id=1&customer_id=x&status=done&offset=1&limit=101")),
            listed(&[
                ("rule_id", "invalid_uuid"),
                ("customer_id", "invalid_uuid"),
                ("status", "invalid_value"),
                ("offset", "unknown_field"),
                ("limit", "out_of_range"),
            ])
        );
    }
}
