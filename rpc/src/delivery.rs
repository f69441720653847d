//! What endpoints were told of events: written down, listed, told again.

use fieldcrm_core::capability::Role;
use fieldcrm_core::cursor::Cursor;
use fieldcrm_core::delivery::{
    DeliveryQuery, GONE, LONGEST_PAUSE_SECONDS, MAX_FAILING_DAYS, MAX_REPLAYED, MIN_FAILURES,
    PATIENCE, ReplayEndpoint,
};
use fieldcrm_core::outbox::MessageId;
use fieldcrm_core::{Capability, Code, Error, Result, patch};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::outbox::{Locked, settle};
use crate::{Db, call_as, session};

const ATTEMPT: &str = include_str!("../sql/delivery/attempt.sql");
const LIST: &str = include_str!("../sql/delivery/list.sql");
const LOCK: &str = include_str!("../sql/delivery/lock.sql");
const REPLAY_ENDPOINT: &str = include_str!("../sql/delivery/replay_endpoint.sql");

/// How an attempt ended, as the dispatcher says.
pub(crate) struct Attempt<'a> {
    pub sent: bool,
    pub http_status: Option<u16>,
    pub error_code: Option<&'a str>,
    pub duration_ms: Option<u32>,
}

/// Writes down an attempt to tell an endpoint, and what it says about the endpoint.
pub(crate) async fn record(
    db: &mut impl Db,
    org_id: Uuid,
    message_id: &Value,
    attempt: Attempt<'_>,
) -> Result<()> {
    let told = Role::ALL.iter().filter(|role| role.has(Capability::OrgManage));
    let document = json!({
        "org_id": org_id, "message_id": message_id, "sent": attempt.sent,
        "http_status": attempt.http_status, "error_code": attempt.error_code,
        "duration_ms": attempt.duration_ms, "gone": attempt.http_status == Some(GONE),
        "patience": PATIENCE, "longest_pause": LONGEST_PAUSE_SECONDS, "min_failures": MIN_FAILURES,
        "max_failing_days": MAX_FAILING_DAYS, "roles": told.collect::<Vec<_>>(),
    });
    db.call(ATTEMPT, &document).await.map(|_| ())
}

/// `crm_list_webhook_deliveries(endpoint_id, status, page_size, cursor)`: `{items, next_cursor}`, newest first.
pub async fn list<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let query = patch::read::<DeliveryQuery>(arguments)?.prepare()?;
    let org_id = session::current(db).await?.require(&[Capability::OrgManage])?;
    let after = match query.after {
        Some(Cursor { at, id }) => (json!(at), id),
        None => (json!("infinity"), Uuid::max()),
    };
    let document = json!({
        "org_id": org_id, "endpoint_id": query.endpoint_id, "status": query.status,
        "limit": query.limit, "at": after.0, "id": after.1,
    });
    let mut page = db.call(LIST, &document).await?;
    let Some(items) = page["items"].as_array_mut() else {
        return Err(Error::not_found("webhook endpoint"));
    };
    let more = items.len() > query.limit;
    items.truncate(query.limit);
    let next = items.last().filter(|_| more).map(place).transpose()?;
    page["next_cursor"] = json!(next);
    Ok(page)
}

fn place(delivery: &Value) -> Result<String> {
    let read = |key: &str| delivery[key].as_str();
    let at = read("created_at").and_then(|at| at.parse().ok());
    let id = read("id").and_then(|id| id.parse().ok());
    match (at, id) {
        (Some(at), Some(id)) => Ok(Cursor { at, id }.encode()),
        _ => Err(Error::internal("a delivery without a time or an id")),
    }
}

/// `crm_replay_webhook_delivery(id)`: once more, however it ended. The row.
pub async fn replay<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let MessageId { id } = patch::read(arguments)?;
    let org_id = session::current(db).await?.require(&[Capability::OrgManage])?;
    let locked: Option<Locked> = call_as(db, LOCK, &json!({"org_id": org_id, "id": id})).await?;
    let locked = locked.ok_or_else(|| Error::not_found("webhook delivery"))?;
    if locked.message["to_address"].is_null() {
        return Err(Error::new(
            Code::WrongState,
            "Its customer was erased: nothing is left to tell.",
        ));
    }
    if !locked.is_enabled {
        return Err(disabled());
    }
    let step = locked.held.replay();
    settle(db, &locked, step).await
}

/// `crm_replay_webhook_endpoint(endpoint_id, since)`: {replayed, more}: all that did not arrive since then, at most
/// [`MAX_REPLAYED`] in a call.
pub async fn replay_endpoint<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let ReplayEndpoint { endpoint_id, since } = patch::read(arguments)?;
    let org_id = session::current(db).await?.require(&[Capability::OrgManage])?;
    let document = json!({
        "org_id": org_id, "endpoint_id": endpoint_id, "since": since, "most": MAX_REPLAYED,
    });
    let done = db.call(REPLAY_ENDPOINT, &document).await?;
    if done.is_null() {
        return Err(Error::not_found("webhook endpoint"));
    }
    if done["disabled"] == true { Err(disabled()) } else { Ok(done) }
}

fn disabled() -> Error {
    Error::new(Code::WrongState, "The endpoint is disabled: enable it first.")
}
