//! Visits that customers move and cancel themselves, as far as the org lets them.

use chrono::{DateTime, FixedOffset};
use fieldcrm_core::booking::policy::{Policy, Visit};
use fieldcrm_core::booking::request::note;
use fieldcrm_core::portal::Account;
use fieldcrm_core::work_order::Status;
use fieldcrm_core::{Code, Error, Result, patch};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::calendar::{Ask, seconds};
use super::hold::{EXPIRE, LOCK_TECHNICIAN};
use super::schedule::SET_UNIT;
use crate::idempotency::{self, Claim};
use crate::{Db, Work, call_as, portal, session};

const LOCK: &str = include_str!("../../sql/booking/visit_lock.sql");
const MOVE: &str = include_str!("../../sql/booking/visit_move.sql");
const CANCEL: &str = include_str!("../../sql/booking/visit_cancel.sql");
const LOG: &str = include_str!("../../sql/booking/visit_log.sql");

#[derive(Deserialize)]
struct Locked {
    customer_id: Uuid,
    location_id: Option<Uuid>,
    service_type: Option<String>,
    technician_id: Option<Uuid>,
    window_end: Option<DateTime<FixedOffset>>,
    now: DateTime<FixedOffset>,
    visit: Visit,
    policy: Policy,
}

impl Locked {
    async fn load(db: &mut impl Db, account: &Account, id: Uuid) -> Result<Self> {
        let key = json!({"org_id": account.org_id, "scope": account.scope(), "id": id});
        let found: Option<Self> = call_as(db, LOCK, &key).await?;
        found.ok_or_else(|| Error::not_found("appointment"))
    }

    fn show(&self, id: Uuid) -> Value {
        let fee_note = self.policy.cancel_fee_note.as_ref();
        json!({
            "id": id, "status": self.visit.status, "window_start": self.visit.window_start,
            "window_end": self.window_end, "reschedule_count": self.visit.reschedule_count,
            "max_reschedules": self.policy.max_reschedules,
            "fee_note": fee_note.filter(|_| self.visit.status == Status::Canceled),
        })
    }
}

/// What the customer did, for the staff to read among everything else about them.
async fn log(
    db: &mut impl Db,
    account: &Account,
    id: Uuid,
    what: (&str, &str, Option<String>),
) -> Result<()> {
    let (event_type, subject, reason) = what;
    let document = json!({
        "org_id": account.org_id, "id": id, "user_id": account.user_id, "subject": subject, "body": reason,
    });
    db.call(LOG, &document).await?;
    portal::audit(db, account, event_type, json!({"work_order_id": id})).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reschedule {
    id: Uuid,
    starts_at: DateTime<FixedOffset>,
    reason: Option<String>,
}

/// `portal_reschedule_appointment(id, starts_at, reason, idempotency_key)`: to a free slot, with the same technician if possible.
pub async fn reschedule<D: Db>(db: &mut D, mut arguments: Value) -> Result<Value> {
    let account = portal::account(db).await?;
    account.require_booking()?;
    let caller = session::current(db).await?;
    let name = "portal_reschedule_appointment";
    let claim = match idempotency::claim(db, &caller, name, &mut arguments).await? {
        Claim::Repeat(first) => return Ok(first),
        Claim::First(claim) => claim,
    };
    let Reschedule { id, starts_at, reason } = patch::read(arguments)?;
    let reason = note("reason", reason)?;
    let at = seconds("starts_at", starts_at)?;
    let locked = Locked::load(db, &account, id).await?;
    if locked.visit.window_start != Some(starts_at) || locked.visit.status != Status::Scheduled {
        locked.policy.may_reschedule(&locked.visit, locked.now).require()?;
        let (Some(service_type), Some(location_id)) = (&locked.service_type, locked.location_id)
        else {
            return Err(by_phone());
        };
        let ask =
            Ask { ignore_work_order_id: Some(id), ..Ask::of(&account, service_type, location_id) };
        shift(db, &ask, id, locked.technician_id, at).await?;
        log(db, &account, id, ("appointment_rescheduled", "Appointment moved", reason)).await?;
    }
    let answer = Locked::load(db, &account, id).await?.show(id);
    idempotency::store(db, claim, &answer).await?;
    Ok(answer)
}

fn by_phone() -> Error {
    let hint = "This visit is not of a kind that can be booked here: call the company.";
    Error::new(Code::BookingPolicy, hint).with("reason", "not_bookable")
}

/// Moves the visit to the slot that begins at `at`.
async fn shift<D: Db>(
    db: &mut D,
    ask: &Ask,
    id: Uuid,
    technician_id: Option<Uuid>,
    at: i64,
) -> Result<()> {
    let (_, slot) = ask.slot(db, at).await.map_err(|error| {
        // What the customer did not say is not theirs to correct.
        if error.code == Code::InvalidArgument { by_phone() } else { error }
    })?;
    let mut able = slot.map(|slot| slot.technicians).unwrap_or_default();
    able.sort_by_key(|one| Some(*one) != technician_id);
    for candidate in able {
        let work = Shift { ask, id, from: technician_id, to: candidate, at };
        match db.attempt(work).await {
            Ok(()) => return Ok(()),
            Err(error) if matches!(error.code, Code::SlotTaken | Code::Conflict) => {}
            Err(error) => return Err(error),
        }
    }
    Err(ask.taken(db, at).await?)
}

struct Shift<'a> {
    ask: &'a Ask,
    id: Uuid,
    from: Option<Uuid>,
    to: Uuid,
    at: i64,
}

impl<D: Db> Work<D> for Shift<'_> {
    type Output = ();

    async fn run(self, db: &mut D) -> Result<()> {
        let technicians: Vec<Uuid> = self.from.into_iter().chain([self.to]).collect();
        let lock = json!({
            "technician_ids": technicians, "wait": true, "org_id": self.ask.org_id,
            "service_type": self.ask.service_type,
        });
        db.call(LOCK_TECHNICIAN, &lock).await?;
        db.call(EXPIRE, &lock).await?;
        let ask = Ask { technician_id: Some(self.to), ..self.ask.clone() };
        let (loaded, slot) = ask.slot(db, self.at).await?;
        let Some(slot) = slot else {
            return Err(Error::new(Code::SlotTaken, "The technician is not free."));
        };
        let document = json!({
            "org_id": ask.org_id, "id": self.id, "technician_id": self.to, "starts_at": slot.starts_at,
            "ends_at": slot.ends_at, "buffer_minutes": loaded.service.buffer_minutes,
        });
        db.call(MOVE, &document).await?;
        if slot.unit.is_some() {
            let unit = json!({"org_id": ask.org_id, "work_order_id": self.id, "unit": slot.unit});
            db.call(SET_UNIT, &unit).await?;
        }
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cancel {
    id: Uuid,
    reason: Option<String>,
}

/// `portal_cancel_appointment(id, reason, idempotency_key)`: with what the org says about the fee; again, it changes nothing.
pub async fn cancel<D: Db>(db: &mut D, mut arguments: Value) -> Result<Value> {
    let account = portal::account(db).await?;
    account.require_booking()?;
    let caller = session::current(db).await?;
    let name = "portal_cancel_appointment";
    let claim = match idempotency::claim(db, &caller, name, &mut arguments).await? {
        Claim::Repeat(first) => return Ok(first),
        Claim::First(claim) => claim,
    };
    let Cancel { id, reason } = patch::read(arguments)?;
    let reason = note("reason", reason)?;
    let locked = Locked::load(db, &account, id).await?;
    if locked.visit.status != Status::Canceled {
        locked.policy.may_cancel(&locked.visit, locked.now).require()?;
        let document = json!({"org_id": account.org_id, "id": id, "customer_id": locked.customer_id, "reason": reason});
        db.call(CANCEL, &document).await?;
        log(db, &account, id, ("appointment_canceled", "Appointment canceled", reason)).await?;
    }
    let answer = Locked::load(db, &account, id).await?.show(id);
    idempotency::store(db, claim, &answer).await?;
    Ok(answer)
}
