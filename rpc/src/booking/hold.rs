//! Slots that are kept for somebody.

use chrono::{DateTime, FixedOffset};
use fieldcrm_core::booking::request::MAX_HOLDS;
use fieldcrm_core::{Code, Error, Result, patch};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::calendar::{Ask, seconds};
use crate::idempotency::{self, Claim};
use crate::{Db, Work, call_as, portal, session};

pub(super) const LOCK_ACCOUNT: &str = include_str!("../../sql/booking/lock_account.sql");
const COUNT: &str = include_str!("../../sql/booking/hold_count.sql");
pub(super) const LOCK_TECHNICIAN: &str = include_str!("../../sql/booking/lock_technician.sql");
pub(super) const EXPIRE: &str = include_str!("../../sql/booking/hold_expire.sql");
const INSERT: &str = include_str!("../../sql/booking/hold_insert.sql");
const RELEASE: &str = include_str!("../../sql/booking/hold_release.sql");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewHold {
    service_type: String,
    location_id: Uuid,
    starts_at: DateTime<FixedOffset>,
}

/// `portal_hold_slot(service_type, location_id, starts_at, idempotency_key)`: keeps the slot for some minutes.
pub async fn take<D: Db>(db: &mut D, mut arguments: Value) -> Result<Value> {
    let account = portal::account(db).await?;
    account.require_booking()?;
    let caller = session::current(db).await?;
    let claim = match idempotency::claim(db, &caller, "portal_hold_slot", &mut arguments).await? {
        Claim::Repeat(first) => return Ok(first),
        Claim::First(claim) => claim,
    };
    let new: NewHold = patch::read(arguments)?;
    let at = seconds("starts_at", new.starts_at)?;
    // Two calls of one account take turns, so that they count each other.
    let of_account = json!({"org_id": account.org_id, "portal_account_id": account.id});
    db.call(LOCK_ACCOUNT, &of_account).await?;
    if call_as::<usize>(db, COUNT, &of_account).await? >= MAX_HOLDS {
        let hint = "Release one of your holds first, or book it.";
        let refusal = Error::new(Code::BookingPolicy, hint).with("reason", "too_many_holds");
        return Err(refusal.with("max_holds", MAX_HOLDS));
    }
    let ask = Ask::of(&account, &new.service_type, new.location_id);
    let hold = acquire(db, account.id, &ask, at, true).await?;
    let payload = json!({"hold_id": hold["id"], "starts_at": hold["starts_at"]});
    portal::audit(db, &account, "slot_held", payload).await?;
    idempotency::store(db, claim, &hold).await?;
    Ok(hold)
}

/// A hold on the slot that begins at `at`, with the technician who has the shortest way; 409 with alternatives if nobody is free.
/// Who may not wait gets [`busy`] where somebody else may take the last.
pub(super) async fn acquire<D: Db>(
    db: &mut D,
    account_id: Uuid,
    ask: &Ask,
    at: i64,
    may_wait: bool,
) -> Result<Value> {
    let (_, slot) = ask.slot(db, at).await?;
    let mut able = slot.map(|slot| slot.technicians).unwrap_or_default();
    // First those whom nobody else is about to book, then those who have to be waited for.
    let passes: &[bool] = if may_wait { &[false, true] } else { &[false] };
    for &wait in passes {
        let mut busy = Vec::new();
        for technician_id in able {
            match db.attempt(Take { account_id, ask, technician_id, at, wait }).await {
                Ok(hold) => return Ok(hold),
                Err(error) if is_busy(&error) => busy.push(technician_id),
                Err(error) if matches!(error.code, Code::SlotTaken | Code::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        able = busy;
    }
    if !able.is_empty() {
        return Err(busy());
    }
    Err(ask.taken(db, at).await?)
}

/// Somebody else books the technician, or the last of a capacity, at this moment.
pub(super) fn busy() -> Error {
    Error::new(Code::SlotTaken, "Somebody else books this time.").with("busy", true)
}

pub(super) fn is_busy(error: &Error) -> bool {
    error.data.contains_key("busy")
}

/// Books one technician, or leaves nothing behind: also not the lock, so that nobody holds two.
struct Take<'a> {
    account_id: Uuid,
    ask: &'a Ask,
    technician_id: Uuid,
    at: i64,
    wait: bool,
}

impl<D: Db> Work<D> for Take<'_> {
    type Output = Value;

    /// The hold.
    async fn run(self, db: &mut D) -> Result<Value> {
        let lock = json!({
            "technician_ids": [self.technician_id], "wait": self.wait, "org_id": self.ask.org_id,
            "service_type": self.ask.service_type,
        });
        if !call_as::<bool>(db, LOCK_TECHNICIAN, &lock).await? {
            return Err(busy());
        }
        db.call(EXPIRE, &lock).await?;
        // What was true before the lock may be so no more: hours, ways and buffers are asked again of this technician.
        let ask = Ask { technician_id: Some(self.technician_id), ..self.ask.clone() };
        let (loaded, slot) = ask.slot(db, self.at).await?;
        let Some(slot) = slot else {
            return Err(Error::new(Code::SlotTaken, "The technician is not free."));
        };
        let hold = json!({
            "org_id": ask.org_id, "portal_account_id": self.account_id, "customer_id": loaded.location.customer_id,
            "location_id": loaded.location.id, "service_type_id": loaded.service.id,
            "technician_id": self.technician_id, "starts_at": slot.starts_at, "ends_at": slot.ends_at,
            "buffer_minutes": loaded.service.buffer_minutes, "unit": slot.unit, "minutes": loaded.hold_minutes,
        });
        db.call(INSERT, &hold).await
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Release {
    id: Uuid,
}

/// `portal_release_hold(id)`: gives it back; one that is gone already is 404.
pub async fn release<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let account = portal::account(db).await?;
    account.require_booking()?;
    let Release { id } = patch::read(arguments)?;
    let key = json!({"org_id": account.org_id, "portal_account_id": account.id, "id": id});
    let released = db.call(RELEASE, &key).await?;
    if released.is_null() {
        return Err(Error::not_found("hold"));
    }
    portal::audit(db, &account, "hold_released", json!({"hold_id": id})).await?;
    Ok(released)
}
