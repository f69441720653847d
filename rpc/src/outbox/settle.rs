//! What became of a message: said by who sends it, by the provider, or by a person.

use fieldcrm_core::client::ClientRole;
use fieldcrm_core::outbox::{
    Complete, Fail, Held, MarkUnknown, MessageId, RecordStatus, Status, Step,
};
use fieldcrm_core::{Capability, Code, Error, Result, patch};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::{Inside, require};
use crate::delivery::{self, Attempt};
use crate::{Db, call_as, session};

const LOCK: &str = include_str!("../../sql/outbox/lock.sql");
const LOCK_REPORTED: &str = include_str!("../../sql/outbox/lock_reported.sql");
const SETTLE: &str = include_str!("../../sql/outbox/settle.sql");

/// A message that this transaction holds.
#[derive(Deserialize)]
pub(crate) struct Locked {
    org_id: Uuid,
    pub(crate) held: Held,
    pub(crate) message: Value,
    /// Whether its endpoint is; `delivery/lock.sql` asks.
    #[serde(default)]
    pub(crate) is_enabled: bool,
}

/// `crm_complete_message(id, lease_id, provider_message_id, http_status, duration_ms)`: it went out. The row.
pub async fn complete<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let complete = patch::read::<Complete>(arguments)?.prepare()?;
    let locked = lock_as_service(db, complete.id).await?;
    let step = locked.held.complete(complete.lease_id, complete.provider_message_id.as_deref())?;
    let attempt = Attempt {
        sent: true,
        http_status: complete.http_status,
        error_code: None,
        duration_ms: complete.duration_ms,
    };
    settle_attempt(db, locked, step, Some(attempt)).await
}

/// `crm_fail_message(id, lease_id, code, message, retryable, retry_after_seconds, untried, http_status, duration_ms)`: it did
/// not go out. The row.
pub async fn fail<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let failure = patch::read::<Fail>(arguments)?.prepare();
    let locked = lock_as_service(db, failure.id).await?;
    let step = locked.held.fail(&failure)?;
    let attempt = Attempt {
        sent: false,
        http_status: failure.http_status,
        error_code: failure.code.as_deref(),
        duration_ms: failure.duration_ms,
    };
    settle_attempt(db, locked, step, Some(attempt).filter(|_| !failure.untried)).await
}

/// `crm_mark_message_unknown(id, lease_id, code, message)`: nobody knows whether it went out. The row.
pub async fn mark_unknown<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let unknown = patch::read::<MarkUnknown>(arguments)?.prepare();
    let locked = lock_as_service(db, unknown.id).await?;
    let step = locked.held.mark_unknown(&unknown)?;
    settle(db, &locked, step).await
}

/// `crm_record_message_status(provider, provider_message_id, status, code, message)`: what the provider reports. The row.
pub async fn record_status<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let report = patch::read::<RecordStatus>(arguments)?.prepare()?;
    let org_id = require_service(db).await?;
    let key = json!({
        "org_id": org_id, "provider": report.provider, "provider_message_id": report.provider_message_id,
    });
    let locked = lock(db, LOCK_REPORTED, &key).await?;
    let step = locked.held.report(&report);
    settle(db, &locked, step).await
}

/// `crm_retry_message(id)`: once more what failed or is unknown. The row.
pub async fn retry<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let locked = lock_as_staff(db, arguments).await?;
    if locked.message["to_address"].is_null() {
        return Err(Error::new(
            Code::WrongState,
            "Its customer was erased: nobody is left to send it to.",
        ));
    }
    let step = locked.held.retry()?;
    settle(db, &locked, step).await
}

/// `crm_cancel_message(id)`: not any more what waits in the queue. The row.
pub async fn cancel<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let locked = lock_as_staff(db, arguments).await?;
    let step = locked.held.cancel()?;
    settle(db, &locked, step).await
}

/// The org that is selected, if one is.
async fn require_service(db: &mut impl Db) -> Result<Option<Uuid>> {
    let caller = session::current(db).await?;
    if caller.service {
        return Ok(caller.org_id);
    }
    Err(Error::new(Code::Forbidden, "This is for back-end sessions only."))
}

async fn lock_as_service(db: &mut impl Db, id: Uuid) -> Result<Locked> {
    let org_id = require_service(db).await?;
    lock(db, LOCK, &json!({"org_id": org_id, "id": id})).await
}

async fn lock_as_staff(db: &mut impl Db, arguments: Value) -> Result<Locked> {
    let MessageId { id } = patch::read(arguments)?;
    let caller = session::current(db).await?;
    let org_id = caller.require(&[Capability::MessagesSend])?;
    let locked = lock(db, LOCK, &json!({"org_id": org_id, "id": id})).await?;
    // An answer to a lead is its client's affair.
    if let Some(lead_id) = locked.message["lead_id"].as_str().and_then(|id| id.parse().ok()) {
        match require(db, &caller, Inside::Lead(lead_id), ClientRole::Member).await {
            Err(error) if error.code == Code::NotFound => return Err(Error::not_found("message")),
            outcome => outcome?,
        };
    }
    Ok(locked)
}

async fn lock(
    db: &mut impl Db,
    statement: &'static str,
    key: &(impl Serialize + Sync),
) -> Result<Locked> {
    let locked: Option<Locked> = call_as(db, statement, key).await?;
    locked.ok_or_else(|| Error::not_found("message"))
}

/// Writes the step, if there is one, and of a message to an endpoint the attempt.
async fn settle_attempt(
    db: &mut impl Db,
    locked: Locked,
    step: Step,
    attempt: Option<Attempt<'_>>,
) -> Result<Value> {
    let attempt = attempt.filter(|_| step.is_some() && locked.held.to_endpoint);
    let row = settle(db, &locked, step).await?;
    if let Some(attempt) = attempt {
        delivery::record(db, locked.org_id, &locked.message["id"], attempt).await?;
    }
    Ok(row)
}

/// Writes the step, if there is one.
pub(crate) async fn settle(db: &mut impl Db, locked: &Locked, step: Step) -> Result<Value> {
    let Some(set) = step else { return Ok(locked.message.clone()) };
    let goes_out = |status: &Value| {
        serde_json::from_value::<Status>(status.clone()).is_ok_and(Status::went_out)
    };
    // What was sent, failed and arrived after all was logged when it was sent.
    let log = locked.message["sent_at"].is_null() && goes_out(&set["status"]);
    let document = json!({
        "org_id": locked.org_id, "id": locked.message["id"], "set": set, "log": log,
    });
    db.call(SETTLE, &document).await
}
