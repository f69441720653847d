//! `/crm/ai-jobs`: how far it is what is computed about many customers.

use axum::extract::{RawQuery, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use fieldcrm_core::{Error, Result};
use fieldcrm_edge::database::Select;
use fieldcrm_edge::{Caller, PathId, Ports, Problem, query};
use serde_json::{Map, Value, json};

const COLUMNS: &str = "id,kind,segment_id,segment_version,status,threshold,only_matching,total,scored,failed,provider,model,\
    error_code,created_by_user_id,created_at,started_at,finished_at,updated_at";

/// The routes of jobs.
pub fn add(routes: Router<Ports>) -> Router<Ports> {
    routes
        .route("/crm/ai-jobs", get(list_jobs))
        .route("/crm/ai-jobs/{id}", get(show_job))
        .route("/crm/ai-jobs/{id}/cancel", post(cancel_job))
}

/// `GET /crm/ai-jobs`: the latest first.
async fn list_jobs(
    State(ports): State<Ports>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let select = jobs(query.as_deref().unwrap_or_default())?;
    let (limit, offset) = (select.limit, select.offset);
    let page = ports.database.select(&caller, select).await?;
    Ok(Json(json!({"data": page.rows, "limit": limit, "offset": offset, "total": page.total})))
}

/// `GET /crm/ai-jobs/{id}`
async fn show_job(
    State(ports): State<Ports>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Json<Value>, Problem> {
    let mut select = jobs("limit=1")?;
    select.equal.push(("id", id.to_string()));
    let mut rows = ports.database.select(&caller, select).await?.rows;
    Ok(Json(rows.pop().ok_or_else(|| Error::not_found("job"))?))
}

/// `POST /crm/ai-jobs/{id}/cancel`
async fn cancel_job(
    State(ports): State<Ports>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Json<Value>, Problem> {
    let arguments = Map::from_iter([("job_id".to_owned(), json!(id))]);
    Ok(Json(ports.database.rpc(&caller, "crm_cancel_ai_job", arguments).await?))
}

fn jobs(query: &str) -> Result<Select> {
    let (table, order) = ("ai_jobs", "created_at.desc,id.desc");
    let limit = query::DEFAULT_LIMIT;
    let mut select = Select { table, columns: COLUMNS, order, limit, ..Select::default() };
    query::read(query, |key, value| {
        match key {
            "limit" => select.limit = query::limit(value)?,
            "offset" => select.offset = query::offset(value)?,
            "count" => select.count = query::count(value)?,
            "segment_id" => select.equal.push(("segment_id", query::uuid(value)?)),
            "status" => {
                let known = ["queued", "running", "done", "failed", "canceled"];
                select.equal.push(("status", query::choice(value, known.into_iter())?.to_owned()));
            }
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
    fn every_parameter_is_read_and_everything_wrong_is_said_at_once() {
        let id = "0d0e0f10-0000-4000-8000-000000000001";
        let select = jobs(&format!("limit=5&segment_id={id}&status=running")).unwrap();
        let equal = [("segment_id", id.to_owned()), ("status", "running".to_owned())];
        assert_eq!((select.limit, &select.equal[..]), (5, &equal[..]));
        let error = jobs("segment_id=x&status=lost&type=static").unwrap_err();
        let found: Vec<_> =
            error.errors.iter().map(|one| (one.path.as_str(), one.code.as_str())).collect();
        assert_eq!(
            found,
            [
                ("segment_id", "invalid_uuid"),
                ("status", "invalid_value"),
                ("type", "unknown_field")
            ]
        );
    }
}
