//! `/portal/appointments`, `/portal/service-history`, `/portal/jobs`, `/portal/documents`, `/portal/invoices`, `/portal/memberships`

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::routing::get;
use axum::{Extension, Json, Router};
use chrono::{Duration, SecondsFormat, Utc};
use fieldcrm_core::appointment::InvoiceStatus;
use fieldcrm_core::work_order::Status;
use fieldcrm_core::{Code, Error, Result};
use fieldcrm_edge::query::{self, Refusal};
use fieldcrm_edge::{Caller, PathId, Ports, Problem, SignUrls};
use serde_json::{Map, Value, json};

use crate::arguments::{self, by_id};

/// What signs the URLs of documents.
#[derive(Clone)]
pub struct Urls(pub Option<Arc<dyn SignUrls>>);

/// For how long the URL of a document is good.
const URL_SECONDS: u32 = 300;

pub fn add(routes: Router<Ports>) -> Router<Ports> {
    routes
        .route("/portal/appointments", get(list))
        .route("/portal/appointments/{id}", get(show))
        .route("/portal/appointments/{id}/status", get(status))
        .route("/portal/service-history", get(history))
        .route("/portal/jobs/{id}", get(job))
        .route("/portal/documents", get(documents))
        .route("/portal/documents/{id}", get(document))
        .route("/portal/invoices", get(invoices))
        .route("/portal/memberships", get(memberships))
}

/// `GET /portal/appointments`
async fn list(
    State(ports): State<Ports>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let arguments = arguments::list(query.as_deref(), |key, value| {
        Ok(Some(match key {
            "from" => ("from_at", query::time(value)?),
            "to" => ("to_at", query::time(value)?),
            "status" => ("status", visit_status(value)?),
            _ => return Ok(None),
        }))
    })?;
    Ok(Json(ports.database.rpc(&caller, "portal_list_appointments", arguments).await?))
}

/// In both spellings of canceled.
fn visit_status(value: &str) -> Result<String, Refusal> {
    let known = serde_json::from_value::<Status>(value.into());
    known.map(|status| json!(status).as_str().unwrap_or_default().to_owned()).map_err(|_| {
        let all: Vec<_> =
            Status::ALL.iter().filter_map(|one| Some(json!(one).as_str()?.to_owned())).collect();
        Refusal("invalid_value", format!("expected one of {}", all.join(", ")))
    })
}

/// `GET /portal/appointments/{id}`
async fn show(
    State(ports): State<Ports>,
    caller: Caller,
    id: PathId,
) -> Result<Json<Value>, Problem> {
    Ok(Json(ports.database.rpc(&caller, "portal_get_appointment", by_id(id, "id")).await?))
}

/// `GET /portal/appointments/{id}/status`
async fn status(
    State(ports): State<Ports>,
    caller: Caller,
    id: PathId,
) -> Result<Json<Value>, Problem> {
    Ok(Json(ports.database.rpc(&caller, "portal_appointment_status", by_id(id, "id")).await?))
}

/// `GET /portal/service-history`
async fn history(
    State(ports): State<Ports>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let arguments = arguments::page(query.as_deref())?;
    Ok(Json(ports.database.rpc(&caller, "portal_service_history", arguments).await?))
}

/// `GET /portal/jobs/{id}`
async fn job(
    State(ports): State<Ports>,
    caller: Caller,
    id: PathId,
) -> Result<Json<Value>, Problem> {
    Ok(Json(ports.database.rpc(&caller, "portal_get_job", by_id(id, "id")).await?))
}

/// `GET /portal/documents`
async fn documents(
    State(ports): State<Ports>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let arguments = arguments::page(query.as_deref())?;
    Ok(Json(ports.database.rpc(&caller, "portal_list_documents", arguments).await?))
}

/// `GET /portal/documents/{id}`: a URL for its file. Where it lies in Storage stays here.
async fn document(
    State(ports): State<Ports>,
    Extension(urls): Extension<Urls>,
    caller: Caller,
    id: PathId,
) -> Result<Json<Value>, Problem> {
    let arguments = by_id(id, "id");
    Ok(Json(signed(&ports, urls, &caller, "portal_get_document", arguments).await?))
}

/// A URL for the file that the RPC shows.
pub(crate) async fn signed(
    ports: &Ports,
    Urls(urls): Urls,
    caller: &Caller,
    function: &'static str,
    arguments: Map<String, Value>,
) -> Result<Value> {
    let unset = || Error::new(Code::Unavailable, "SUPABASE_SERVICE_ROLE_KEY is not set");
    let urls = urls.ok_or_else(unset)?;
    let file = ports.database.rpc(caller, function, arguments).await?;
    let text = |key: &str| {
        let missing = || Error::internal(format!("a file without {key}"));
        file[key].as_str().ok_or_else(missing)
    };
    let file_name = text("file_name")?;
    let expires_at = Utc::now() + Duration::seconds(URL_SECONDS.into());
    let url = urls.sign(text("bucket_id")?, text("object_name")?, file_name, URL_SECONDS).await?;
    Ok(json!({
        "file_name": file_name, "content_type": file["content_type"], "url": url,
        "expires_at": expires_at.to_rfc3339_opts(SecondsFormat::Secs, true),
    }))
}

/// `GET /portal/invoices`
async fn invoices(
    State(ports): State<Ports>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let statuses = InvoiceStatus::ALL.iter().map(|one| one.as_str());
    let arguments = arguments::by_status(query.as_deref(), &statuses)?;
    Ok(Json(ports.database.rpc(&caller, "portal_list_invoices", arguments).await?))
}

/// `GET /portal/memberships`
async fn memberships(State(ports): State<Ports>, caller: Caller) -> Result<Json<Value>, Problem> {
    Ok(Json(ports.database.rpc(&caller, "portal_list_memberships", Map::new()).await?))
}
