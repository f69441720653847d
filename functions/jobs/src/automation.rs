//! `/process-time-based-automations` and `/process-segment-automations`: what a clock sets going.

use axum::extract::State;
use axum::{Extension, Json};
use fieldcrm_edge::{Caller, JsonObject, Ports, Problem};
use serde_json::{Map, Value};

use crate::Settings;
use crate::arguments::batch_limit;
use crate::work::{Budget, drain};

/// `POST /process-time-based-automations`: events first, since they make delayed runs; then what fell due.
pub async fn process_time_based(
    State(ports): State<Ports>,
    Extension(settings): Extension<Settings>,
    caller: Caller,
    body: Option<JsonObject>,
) -> Result<Json<Value>, Problem> {
    const QUEUES: [(&str, &str); 8] = [
        ("automations", "crm_run_automations"),
        ("time_based", "crm_process_time_based"),
        ("reminders", "crm_remind_followups"),
        ("bookings", "crm_process_bookings"),
        ("planned_visits", "crm_make_planned_visits"),
        ("notices", "crm_send_portal_notices"),
        ("expired", "crm_expire_followups"),
        ("pruned", "crm_prune"),
    ];
    work_off(&ports, &settings, &caller, batch_limit(body, 5_000)?, &QUEUES).await
}

/// `POST /process-segment-automations`: who entered and left, then what that sets going.
pub async fn process_segments(
    State(ports): State<Ports>,
    Extension(settings): Extension<Settings>,
    caller: Caller,
    body: Option<JsonObject>,
) -> Result<Json<Value>, Problem> {
    const QUEUES: [(&str, &str); 2] = [
        ("segments", "crm_recompute_due_segments"),
        ("automations", "crm_process_segment_automations"),
    ];
    work_off(&ports, &settings, &caller, batch_limit(body, 1_000)?, &QUEUES).await
}

/// Each queue in turn; one that fails does not keep the others waiting, but the answer is its error.
async fn work_off(
    ports: &Ports,
    settings: &Settings,
    caller: &Caller,
    batch_limit: Option<u64>,
    queues: &[(&str, &'static str)],
) -> Result<Json<Value>, Problem> {
    let mut arguments = Map::new();
    if let Some(limit) = batch_limit {
        arguments.insert("batch_limit".to_owned(), limit.into());
    }
    let budget = Budget::start(settings.budget);
    let (mut totals, mut failed) = (Map::new(), None);
    for (name, function) in queues {
        let total = drain(ports.database.as_ref(), caller, function, &arguments, budget).await?;
        totals.insert((*name).to_owned(), Value::Object(total.counts));
        failed = failed.or(total.error);
    }
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(Json(Value::Object(totals))),
    }
}
