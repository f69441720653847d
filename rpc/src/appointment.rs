//! What customers see of their visits, and of what came of them.

mod document;

pub use document::{get_document, list_documents, list_invoices, list_memberships};

use chrono::{DateTime, FixedOffset};
use fieldcrm_core::appointment::{AppointmentsQuery, One};
use fieldcrm_core::booking::policy::{Decision, Policy, Visit};
use fieldcrm_core::cursor::PageQuery;
use fieldcrm_core::portal::Account;
use fieldcrm_core::{Error, Result, patch};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::page::{below, finish};
use crate::portal::{account, audit};
use crate::{Db, call_as};

const LIST: &str = concat!(
    include_str!("../sql/appointment/scope.sql"),
    include_str!("../sql/appointment/list.sql"),
    include_str!("../sql/appointment/describe.sql")
);
const HISTORY: &str = concat!(
    include_str!("../sql/appointment/scope.sql"),
    include_str!("../sql/appointment/history.sql"),
    include_str!("../sql/appointment/describe.sql")
);
const ONE: &str = concat!(
    include_str!("../sql/appointment/scope.sql"),
    include_str!("../sql/appointment/one.sql"),
    include_str!("../sql/appointment/describe.sql")
);
const STATUS: &str = concat!(
    include_str!("../sql/appointment/scope.sql"),
    include_str!("../sql/appointment/status.sql")
);
const EVENTS: &str = include_str!("../sql/appointment/events.sql");
const JOB: &str = include_str!("../sql/appointment/job.sql");

#[derive(Deserialize)]
struct Described {
    now: DateTime<FixedOffset>,
    policy: Policy,
    items: Vec<Value>,
}

/// `portal_list_appointments(from_at, to_at, status, page_size, cursor)`: `{items, next_cursor}`, from early to late.
pub async fn list<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let query: AppointmentsQuery = patch::read(arguments)?;
    let page = query.page()?;
    let account = account(db).await?;
    let document = json!({
        "org_id": account.org_id, "scope": account.scope(), "status": query.status,
        "from_at": query.from_at, "to_at": query.to_at, "at": page.after.map(|after| after.at),
        "id": page.after.map(|after| after.id), "limit": page.limit,
    });
    let described: Described = call_as(db, LIST, &document).await?;
    finish(decided(&account, described)?, page.limit)
}

/// `portal_service_history(page_size, cursor)`: `{items, next_cursor}` of what is over, the newest first.
pub async fn history<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let page = patch::read::<PageQuery>(arguments)?.prepare()?;
    let account = account(db).await?;
    let (at, id) = below(&page);
    let document = json!({
        "org_id": account.org_id, "scope": account.scope(), "at": at, "id": id, "limit": page.limit,
    });
    let described: Described = call_as(db, HISTORY, &document).await?;
    finish(decided(&account, described)?, page.limit)
}

/// `portal_get_appointment(id)`: the visit with `events`, what happened to it.
pub async fn get<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let One { id } = patch::read(arguments)?;
    let account = account(db).await?;
    let mut visit = one(db, &account, id).await?;
    visit["events"] = db.call(EVENTS, &json!({"org_id": account.org_id, "id": id})).await?;
    Ok(visit)
}

/// `portal_appointment_status(id)`: {status, eta, `updated_at`}, for clients that ask again and again.
pub async fn status<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let One { id } = patch::read(arguments)?;
    let account = account(db).await?;
    let key = json!({"org_id": account.org_id, "scope": account.scope(), "id": id});
    let found = db.call(STATUS, &key).await?;
    if found.is_null() { Err(Error::not_found("appointment")) } else { Ok(found) }
}

/// `portal_get_job(id)`: the visit with what was noted for the customer, and the papers about it. That it was read is kept.
pub async fn get_job<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let One { id } = patch::read(arguments)?;
    let account = account(db).await?;
    let mut job = one(db, &account, id).await?;
    let more = db.call(JOB, &json!({"org_id": account.org_id, "id": id})).await?;
    if let (Some(job), Value::Object(more)) = (job.as_object_mut(), more) {
        job.extend(more);
    }
    audit(db, &account, "job_viewed", json!({"work_order_id": id})).await?;
    Ok(job)
}

async fn one(db: &mut impl Db, account: &Account, id: Uuid) -> Result<Value> {
    let key = json!({"org_id": account.org_id, "scope": account.scope(), "id": id});
    let described: Described = call_as(db, ONE, &key).await?;
    let mut found = decided(account, described)?;
    let visit = found.get_mut(0).and_then(Value::as_object_mut).map(std::mem::take);
    let mut visit = visit.ok_or_else(|| Error::not_found("appointment"))?;
    visit.remove("at");
    Ok(Value::Object(visit))
}

/// The visits, each with whether the customer may move and cancel it by themselves.
fn decided(account: &Account, described: Described) -> Result<Value> {
    let Described { now, policy, items } = described;
    let role_may = account.role.may_book();
    let said = |decision: Decision| {
        let allowed = decision.allowed && role_may;
        json!({"allowed": allowed, "reason": decision.reason, "until": decision.until,
            "fee_note": decision.fee_note})
    };
    items
        .into_iter()
        .map(|mut item| {
            let visit: Visit = serde_json::from_value(item["visit"].take())
                .map_err(|error| Error::internal(error.to_string()))?;
            if let Some(item) = item.as_object_mut() {
                item.remove("visit");
                item.insert("may_reschedule".into(), said(policy.may_reschedule(&visit, now)));
                item.insert("may_cancel".into(), said(policy.may_cancel(&visit, now)));
            }
            Ok(item)
        })
        .collect()
}
