//! `/crm/customers`: each handler is one call of the database.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use fieldcrm_core::{Error, FieldError, Result};
use fieldcrm_edge::{Caller, Idempotency, JsonObject, PathId, Ports, Problem, arguments};
use serde_json::{Map, Value, json};
use uuid::Uuid;

mod list;

use list::List;

/// The arguments of `crm_create_customer` that come in a body.
///
/// `PostgREST` takes an unknown argument for a function that does not exist, so the names are checked
/// here; a test holds the list equal to core's `NewCustomer`.
const ARGUMENTS: [&str; 20] = [
    "type",
    "name",
    "first_name",
    "last_name",
    "company_name",
    "email",
    "phone",
    "status",
    "lifecycle_stage",
    "pipeline_stage",
    "source",
    "preferred_language",
    "notes",
    "external_ref",
    "owner_id",
    "product_id",
    "contacts",
    "locations",
    "tags",
    "preferences",
];

/// `POST /crm/customers`
pub async fn create_customer(
    State(ports): State<Ports>,
    caller: Caller,
    Idempotency(key): Idempotency,
    JsonObject(body): JsonObject,
) -> Result<Response, Problem> {
    let arguments = arguments(with_source(body)?, key, &ARGUMENTS, "a customer")?;
    let customer = ports.database.rpc(&caller, "crm_create_customer", arguments).await?;
    let id = customer["id"].as_str().ok_or_else(|| Error::internal("a customer without id"))?;
    let location = [(LOCATION, format!("/crm/customers/{id}"))];
    Ok((StatusCode::CREATED, location, Json(customer)).into_response())
}

/// `GET /crm/customers`
pub async fn list_customers(
    State(ports): State<Ports>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let select = match list::read(query.as_deref().unwrap_or_default())? {
        List::Page(select) => select,
        List::Search { arguments, limit } => {
            let found = ports.database.rpc(&caller, "crm_search_customers", arguments).await?;
            return Ok(Json(json!({
                "data": found["customers"], "limit": limit, "total": found["total"],
                "next_cursor": found["next_cursor"],
            })));
        }
    };
    let (limit, offset) = (select.limit, select.offset);
    let page = ports.database.select(&caller, select).await?;
    Ok(Json(json!({
        "data": page.rows, "limit": limit, "offset": offset, "total": page.total, "next_cursor": null,
    })))
}

/// `GET /crm/customers/{id}`: with the newest interactions; `…/interactions` pages all of them.
pub async fn show_customer(
    State(ports): State<Ports>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Json<Value>, Problem> {
    let arguments = Map::from_iter([("id".to_owned(), id.to_string().into())]);
    Ok(Json(ports.database.rpc(&caller, "crm_get_customer", arguments).await?))
}

/// `PATCH /crm/customers/{id}`
pub async fn update_customer(
    State(ports): State<Ports>,
    caller: Caller,
    PathId(id): PathId,
    JsonObject(body): JsonObject,
) -> Result<Json<Value>, Problem> {
    let patch = Value::Object(with_source(body)?);
    let arguments =
        Map::from_iter([("id".to_owned(), id.to_string().into()), ("patch".to_owned(), patch)]);
    Ok(Json(ports.database.rpc(&caller, "crm_update_customer", arguments).await?))
}

/// `DELETE /crm/customers/{id}`
pub async fn delete_customer(
    State(ports): State<Ports>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<StatusCode, Problem> {
    ports.database.rpc(&caller, "crm_delete_customer", of(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /crm/customers/{id}/archive`
pub async fn archive_customer(
    State(ports): State<Ports>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Json<Value>, Problem> {
    Ok(Json(ports.database.rpc(&caller, "crm_archive_customer", of(id)).await?))
}

/// `POST /crm/customers/{id}/restore`
pub async fn restore_customer(
    State(ports): State<Ports>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Json<Value>, Problem> {
    Ok(Json(ports.database.rpc(&caller, "crm_restore_customer", of(id)).await?))
}

/// `POST /crm/customers/{id}/merge`
pub async fn merge_customers(
    State(ports): State<Ports>,
    caller: Caller,
    PathId(id): PathId,
    JsonObject(body): JsonObject,
) -> Result<Json<Value>, Problem> {
    let mut arguments = expect(body, "duplicate_id", &[])?;
    arguments.extend(of(id));
    Ok(Json(ports.database.rpc(&caller, "crm_merge_customers", arguments).await?))
}

/// `POST /crm/customers/bulk-tag`
pub async fn bulk_tag(
    State(ports): State<Ports>,
    caller: Caller,
    JsonObject(body): JsonObject,
) -> Result<Json<Value>, Problem> {
    let arguments = expect(body, "customer_ids", &["add", "remove"])?;
    Ok(Json(ports.database.rpc(&caller, "crm_bulk_tag", arguments).await?))
}

fn of(id: Uuid) -> Map<String, Value> {
    Map::from_iter([("id".to_owned(), id.to_string().into())])
}

/// The body, if it has the one field and no other than the optional ones.
fn expect(body: Map<String, Value>, field: &str, optional: &[&str]) -> Result<Map<String, Value>> {
    let mut errors: Vec<_> = body
        .keys()
        .filter(|name| *name != field && !optional.contains(&name.as_str()))
        .map(|name| FieldError::new(name, "unknown_field", "is not a field of this call"))
        .collect();
    if body.get(field).is_none_or(Value::is_null) {
        errors.push(FieldError::new(field, "required", "must be given"));
    }
    if errors.is_empty() { Ok(body) } else { Err(Error::invalid(errors)) }
}

/// The older clients' name `acquisition_source` as `source`.
fn with_source(mut body: Map<String, Value>) -> Result<Map<String, Value>> {
    const ALIAS: &str = "acquisition_source";
    if let Some(source) = body.remove(ALIAS)
        && body.insert("source".to_owned(), source).is_some()
    {
        let message = "is another name of source: send one of them";
        return Err(Error::invalid_field(ALIAS, "duplicate_field", message));
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_argument_names_are_those_of_core() {
        use fieldcrm_core::customer::NewCustomer;
        let mut core = serde_aux::serde_introspection::serde_introspect::<NewCustomer>().to_vec();
        core.retain(|name| *name != "idempotency_key");
        core.sort_unstable();
        let mut ours = ARGUMENTS.to_vec();
        ours.sort_unstable();
        assert_eq!(ours, core);
    }
}
