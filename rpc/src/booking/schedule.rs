//! What staff make of requests: a decision, and the visit.

use chrono::{DateTime, FixedOffset};
use fieldcrm_core::booking::request::{Review, note};
use fieldcrm_core::{Capability, Code, Error, Result, patch};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::calendar::{Ask, seconds};
use super::hold::{LOCK_TECHNICIAN, busy};
use super::request::{Locked, lock};
use crate::{Db, Work, call_as, session};

const REVIEW: &str = include_str!("../../sql/booking/request_review.sql");
const TERMS: &str = include_str!("../../sql/booking/visit_terms.sql");
const FREE: &str = include_str!("../../sql/booking/visit_free.sql");
const INSERT: &str = include_str!("../../sql/booking/visit_insert.sql");
pub(super) const SET_UNIT: &str = include_str!("../../sql/booking/set_unit.sql");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReviewArguments {
    id: Uuid,
    decision: Review,
    note: Option<String>,
}

fn wrong_state(locked: &Locked) -> Error {
    let hint = "Only what is still open can be decided: read it again.";
    Error::new(Code::WrongState, hint)
        .with("status", locked.status.as_str())
        .with("related_work_order_id", json!(locked.related_work_order_id))
}

/// `crm_review_booking(id, decision, note)`: the request with all its columns. The customer reads the note.
pub async fn review<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let caller = session::current(db).await?;
    let org_id = caller.require(&[Capability::WorkOrdersWrite])?;
    let given: ReviewArguments = patch::read(arguments)?;
    let text = note("note", given.note)?;
    let locked = lock(db, &json!({"org_id": org_id, "id": given.id})).await?;
    let status = given.decision.status();
    if !locked.status.is_open() && locked.status != status {
        return Err(wrong_state(&locked));
    }
    let document = json!({
        "org_id": org_id, "id": given.id, "status": status, "note": text, "user_id": caller.profile_id,
        "frees": !status.is_open(),
    });
    db.call(REVIEW, &document).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Schedule {
    id: Uuid,
    technician_id: Option<Uuid>,
    starts_at: Option<DateTime<FixedOffset>>,
    ends_at: Option<DateTime<FixedOffset>>,
}

/// `crm_schedule_booking(id, technician_id, starts_at, ends_at)`: the work order. Staff go by nobody's hours; that a technician is
/// in one place at a time holds for them too.
pub async fn schedule<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let caller = session::current(db).await?;
    let org_id = caller.require(&[Capability::WorkOrdersWrite])?;
    let given: Schedule = patch::read(arguments)?;
    let time = |path, at: Option<DateTime<FixedOffset>>| at.map(|at| seconds(path, at)).transpose();
    let slot = Terms {
        technician_id: given.technician_id,
        starts_at: time("starts_at", given.starts_at)?,
        ends_at: time("ends_at", given.ends_at)?,
    };
    let locked = lock(db, &json!({"org_id": org_id, "id": given.id})).await?;
    if !locked.status.is_open() {
        return Err(wrong_state(&locked));
    }
    let user_id = caller.profile_id;
    make(db, Visit { org_id, booking_id: given.id, user_id, slot: Some(slot), may_wait: true })
        .await
}

/// Who comes when; what is absent is as in the request, or follows from the service.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Terms {
    pub technician_id: Option<Uuid>,
    /// Seconds since 1970.
    pub starts_at: Option<i64>,
    pub ends_at: Option<i64>,
}

/// The visit that a request becomes.
pub(super) struct Visit {
    pub org_id: Uuid,
    pub booking_id: Uuid,
    /// Who made it, if one of the staff did.
    pub user_id: Option<Uuid>,
    /// None: as in the request.
    pub slot: Option<Terms>,
    /// Otherwise [`busy`] where somebody else books the technician.
    pub may_wait: bool,
}

/// The work order of an open request, which is locked or new. The slot is the hold's until it is the visit's: both happen
/// under the technician's lock, and nobody sees the moment between.
pub(super) async fn make<D: Db>(db: &mut D, visit: Visit) -> Result<Value> {
    let key = json!({"org_id": visit.org_id, "id": visit.booking_id, "slot": visit.slot.unwrap_or_default()});
    let wanted: Wanted = call_as(db, TERMS, &key).await?;
    for (path, absent) in [
        ("technician_id", wanted.technician_id.is_none()),
        ("starts_at", wanted.starts_at.is_none()),
    ] {
        if absent {
            return Err(Error::invalid_field(path, "required", "the request names none"));
        }
    }
    if !wanted.is_technician {
        let message = "is no active member of the staff";
        return Err(Error::invalid_field("technician_id", "unknown_technician", message));
    }
    if wanted.ends_at <= wanted.starts_at {
        return Err(Error::invalid_field("ends_at", "out_of_range", "must be after starts_at"));
    }
    let at = wanted.starts_at.unwrap_or_default();
    let ask = wanted.location_id.map(|location_id| Ask {
        org_id: visit.org_id,
        service_type: wanted.service_type.clone(),
        location_id,
        ..Ask::default()
    });
    match db.attempt(Make { visit, wanted }).await {
        Err(error) if error.code == Code::Conflict => Err(match ask {
            Some(ask) => ask.taken(db, at).await?,
            None => Error::new(Code::SlotTaken, "The technician is not free then."),
        }),
        outcome => outcome,
    }
}

#[derive(Deserialize)]
struct Wanted {
    technician_id: Option<Uuid>,
    is_technician: bool,
    /// Whose time is taken, and whose was kept.
    locked: Vec<Uuid>,
    starts_at: Option<i64>,
    ends_at: Option<i64>,
    /// Of the slot that was picked, if it is this one.
    unit: Option<i16>,
    service_type: String,
    /// None once it was removed from the customer.
    location_id: Option<Uuid>,
}

struct Make {
    visit: Visit,
    wanted: Wanted,
}

impl<D: Db> Work<D> for Make {
    type Output = Value;

    async fn run(self, db: &mut D) -> Result<Value> {
        let Self { visit, wanted } = self;
        let key = json!({
            "org_id": visit.org_id, "id": visit.booking_id, "technician_id": wanted.technician_id,
            "technician_ids": wanted.locked, "wait": visit.may_wait, "starts_at": wanted.starts_at, "ends_at": wanted.ends_at, "user_id": visit.user_id, "unit": wanted.unit,
        });
        if !call_as::<bool>(db, LOCK_TECHNICIAN, &key).await? {
            return Err(busy());
        }
        db.call(FREE, &key).await?;
        let made = db.call(INSERT, &key).await?;
        if wanted.unit.is_some() {
            let unit =
                json!({"org_id": visit.org_id, "work_order_id": made["id"], "unit": wanted.unit});
            db.call(SET_UNIT, &unit).await?;
        }
        Ok(made)
    }
}
