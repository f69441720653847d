//! Work orders: how far they are, and what a technician sees of their own.

use fieldcrm_core::work_order::{Status, StatusChange, VisitsQuery};
use fieldcrm_core::{Capability, Error, Result, patch};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Db, call_as, session};

const LOCK: &str = include_str!("../sql/work_order/lock.sql");
const SET_STATUS: &str = include_str!("../sql/work_order/set_status.sql");
const GET: &str = include_str!("../sql/work_order/get.sql");
const VISITS: &str = include_str!("../sql/work_order/visits.sql");
const LOG_ACCESS: &str = include_str!("../sql/work_order/log_access.sql");

#[derive(Deserialize)]
struct Locked {
    status: Status,
}

/// `crm_set_work_order_status(id, status, eta, customer_notes, internal_notes, cancel_reason)`:
/// the work order, or for a technician the visit as [`get_visit`] answers it.
pub async fn set_status<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let change: StatusChange = patch::read(arguments)?;
    let caller = session::current(db).await?;
    let org_id = caller.require(&[Capability::WorkOrdersWrite, Capability::WorkOrdersPerform])?;
    let change = change.prepare()?;
    let only_own = !caller.has(Capability::WorkOrdersWrite);
    let technician_id = caller.profile_id.filter(|_| only_own);
    let key = json!({"org_id": org_id, "id": change.id, "technician_id": technician_id});
    let locked: Option<Locked> = call_as(db, LOCK, &key).await?;
    let Some(Locked { status }) = locked else { return Err(Error::not_found("work order")) };
    let moves = status.moves_to(change.status)?;
    if moves || change.says_more() {
        let document = json!({
            "org_id": org_id, "id": change.id, "status": change.status, "moves": moves,
            "eta": change.eta, "customer_notes": change.customer_notes,
            "internal_notes": change.internal_notes, "cancel_reason": change.cancel_reason,
        });
        db.call(SET_STATUS, &document).await?;
    }
    match technician_id {
        Some(technician_id) => visit(db, org_id, technician_id, change.id).await,
        None => db.call(GET, &key).await,
    }
}

/// `crm_my_visits(from_at, to_at, page_size)`: the caller's own visits whose window meets the range.
pub async fn my_visits<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let query: VisitsQuery = patch::read(arguments)?;
    let caller = session::current(db).await?;
    let org_id = caller.require(&[Capability::WorkOrdersPerform])?;
    let limit = query.check()?;
    let document = json!({
        "org_id": org_id, "technician_id": caller.profile_id, "id": null,
        "from_at": query.from_at, "to_at": query.to_at, "limit": limit,
    });
    db.call(VISITS, &document).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Get {
    id: Uuid,
}

/// `crm_get_visit(id)`: one of the caller's own visits. Who looked is kept.
pub async fn get_visit<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Get { id } = patch::read(arguments)?;
    let caller = session::current(db).await?;
    let org_id = caller.require(&[Capability::WorkOrdersPerform])?;
    let technician_id = caller.profile_id.ok_or_else(|| Error::not_found("visit"))?;
    let found = visit(db, org_id, technician_id, id).await?;
    let access = json!({
        "org_id": org_id, "user_id": technician_id, "customer_id": found["customer"]["id"],
        "operation": "crm_get_visit",
    });
    db.call(LOG_ACCESS, &access).await?;
    Ok(found)
}

async fn visit(db: &mut impl Db, org_id: Uuid, technician_id: Uuid, id: Uuid) -> Result<Value> {
    let document = json!({"org_id": org_id, "technician_id": technician_id, "id": id, "limit": 1});
    let mut found = db.call(VISITS, &document).await?;
    found.pointer_mut("/visits/0").map(Value::take).ok_or_else(|| Error::not_found("visit"))
}
