//! `/crm/interactions`, and those of one customer.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use fieldcrm_core::interaction::{Channel, Sentiment};
use fieldcrm_core::{Error, Result};
use fieldcrm_edge::database::{Comparison, Select};
use fieldcrm_edge::{Caller, Idempotency, JsonObject, PathId, Ports, Problem, arguments};
use serde_json::{Value, json};
use uuid::Uuid;

use fieldcrm_edge::query::{self, choice};

/// The arguments of `crm_log_interaction` that come in a body; a test holds them equal to core's.
const ARGUMENTS: [&str; 13] = [
    "customer_id",
    "channel",
    "direction",
    "type",
    "subject",
    "summary",
    "body",
    "metadata",
    "occurred_at",
    "follow_up_date",
    "location_id",
    "related_work_order_id",
    "related_quote_id",
];

const COLUMNS: &str = "id,org_id,customer_id,location_id,related_work_order_id,related_quote_id,channel,direction,type,\
    subject,summary,body,metadata,sentiment,follow_up_date,created_by_user_id,occurred_at,created_at";

/// `POST /crm/interactions`
pub async fn log_interaction(
    State(ports): State<Ports>,
    caller: Caller,
    Idempotency(key): Idempotency,
    JsonObject(body): JsonObject,
) -> Result<Response, Problem> {
    let arguments = arguments(body, key, &ARGUMENTS, "an interaction")?;
    let interaction = ports.database.rpc(&caller, "crm_log_interaction", arguments).await?;
    let id =
        interaction["id"].as_str().ok_or_else(|| Error::internal("an interaction without id"))?;
    let location = [(LOCATION, format!("/crm/interactions/{id}"))];
    Ok((StatusCode::CREATED, location, Json(interaction)).into_response())
}

/// `GET /crm/interactions/{id}`
pub async fn show_interaction(
    State(ports): State<Ports>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Json<Value>, Problem> {
    let rows = ports.database.select(&caller, one("crm_interactions", COLUMNS, id)).await?.rows;
    Ok(Json(rows.into_iter().next().ok_or_else(|| Error::not_found("interaction"))?))
}

/// `GET /crm/customers/{id}/interactions`
pub async fn list_interactions(
    State(ports): State<Ports>,
    caller: Caller,
    PathId(id): PathId,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let select = of_customer(id, query.as_deref().unwrap_or_default())?;
    let (limit, offset) = (select.limit, select.offset);
    let page = ports.database.select(&caller, select).await?;
    // Who sees an interaction sees its customer: only without one there is something to find out.
    if page.rows.is_empty()
        && ports.database.select(&caller, one("customers", "id", id)).await?.rows.is_empty()
    {
        return Err(Error::not_found("customer").into());
    }
    Ok(Json(json!({ "data": page.rows, "limit": limit, "offset": offset, "total": page.total })))
}

/// The row of that id, if the caller sees it.
pub(crate) fn one(table: &'static str, columns: &'static str, id: Uuid) -> Select {
    Select {
        table,
        columns,
        equal: vec![("id", id.to_string())],
        order: "id.asc",
        limit: 1,
        ..Select::default()
    }
}

fn of_customer(id: Uuid, query: &str) -> Result<Select> {
    let mut select = Select {
        table: "crm_interactions",
        columns: COLUMNS,
        equal: vec![("customer_id", id.to_string())],
        order: "occurred_at.desc,id.desc",
        limit: query::DEFAULT_LIMIT,
        ..Select::default()
    };
    query::read(query, |key, value| {
        match key {
            "limit" => select.limit = query::limit(value)?,
            "offset" => select.offset = query::offset(value)?,
            "count" => select.count = query::count(value)?,
            "channel" => {
                let channel = choice(value, Channel::ALL.iter().map(|one| one.as_str()))?;
                select.equal.push(("channel", channel.to_owned()));
            }
            "sentiment" => {
                let sentiment = choice(value, Sentiment::ALL.iter().map(|one| one.as_str()))?;
                select.equal.push(("sentiment", sentiment.to_owned()));
            }
            "from" => {
                select.compare.push(("occurred_at", Comparison::AtLeast, query::time(value)?));
            }
            "to" => select.compare.push(("occurred_at", Comparison::Below, query::time(value)?)),
            _ => return Err(query::unknown()),
        }
        Ok(())
    })?;
    Ok(select)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_argument_names_are_those_of_core() {
        use fieldcrm_core::interaction::NewInteraction;
        let core = serde_aux::serde_introspection::serde_introspect::<NewInteraction>();
        let core: Vec<_> = core.iter().copied().filter(|name| *name != "idempotency_key").collect();
        assert_eq!(ARGUMENTS.to_vec(), core);
    }

    #[test]
    fn every_parameter_is_read() {
        let query = "limit=10&offset=20&count=exact&channel=phone_inbound&sentiment=negative\
             &from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00%2B01:00";
        let select = of_customer(Uuid::nil(), query).unwrap();
        assert_eq!((select.limit, select.offset, select.count), (10, 20, true));
        assert_eq!(select.order, "occurred_at.desc,id.desc");
        assert_eq!(
            select.equal,
            [
                ("customer_id", Uuid::nil().to_string()),
                ("channel", "phone_inbound".to_owned()),
                ("sentiment", "negative".to_owned()),
            ]
        );
        assert_eq!(
            select.compare,
            [
                ("occurred_at", Comparison::AtLeast, "2026-01-01T00:00:00.000000Z".to_owned()),
                ("occurred_at", Comparison::Below, "2026-01-31T23:00:00.000000Z".to_owned()),
            ]
        );
    }

    #[test]
    fn everything_wrong_is_said_at_once() {
        let query = "channel=pigeon&sentiment=glad&from=yesterday&to=&customer_id=x&limit=0";
        let error = of_customer(Uuid::nil(), query).unwrap_err();
        let found: Vec<_> =
            error.errors.iter().map(|one| (one.path.as_str(), one.code.as_str())).collect();
        assert_eq!(
            found,
            [
                ("channel", "invalid_value"),
                ("sentiment", "invalid_value"),
                ("from", "invalid_time"),
                ("to", "invalid_time"),
                ("customer_id", "unknown_field"),
                ("limit", "out_of_range"),
            ]
        );
    }
}
