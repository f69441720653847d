//! What customers ask for.

use fieldcrm_core::booking::request::{BookingRow, BookingStatus, MAX_BOOKINGS, NewBooking, note};
use fieldcrm_core::cursor::Cursor;
use fieldcrm_core::portal::Account;
use fieldcrm_core::{Code, Error, Result, patch};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::calendar::{Ask, seconds};
use super::hold::{LOCK_ACCOUNT, acquire};
use super::schedule::{self, Visit};
use crate::customer::country;
use crate::idempotency::{self, Claim};
use crate::portal_thread::dedupe_key;
use crate::{Db, call_as, portal, session};

const INSERT_LOCATION: &str = include_str!("../../sql/booking/location_insert.sql");
const LOCK_HOLD: &str = include_str!("../../sql/booking/hold_lock.sql");
const FIND: &str = include_str!("../../sql/booking/request_find.sql");
const COUNT: &str = include_str!("../../sql/booking/request_count.sql");
const INSERT: &str = include_str!("../../sql/booking/request_insert.sql");
const LIST: &str = include_str!("../../sql/booking/request_list.sql");
const LOCK: &str = include_str!("../../sql/booking/request_lock.sql");
const CANCEL: &str = include_str!("../../sql/booking/request_cancel.sql");

/// A hold, and whether it has not run out.
#[derive(Deserialize)]
pub(super) struct Held {
    pub id: Uuid,
    pub service_type: String,
    pub location_id: Uuid,
    /// Seconds since 1970.
    pub starts_at: i64,
    pub is_live: bool,
}

/// `portal_create_booking(…)`: the request; scheduled at once where a slot was picked and the org wants that.
pub async fn create<D: Db>(db: &mut D, mut arguments: Value) -> Result<Value> {
    let account = portal::account(db).await?;
    account.require_booking()?;
    let caller = session::current(db).await?;
    let name = "portal_create_booking";
    let dedupe_key = dedupe_key(name, caller.user_id, &arguments);
    let claim = match idempotency::claim(db, &caller, name, &mut arguments).await? {
        Claim::Repeat(first) => return Ok(first),
        Claim::First(claim) => claim,
    };
    if !arguments["location"].is_null() {
        patch::require_object("location", &arguments["location"])?;
    }
    let row = patch::read::<NewBooking>(arguments)?.prepare(&account, country(&caller))?;
    // Two calls of one account take turns, so that they count each other.
    let of_account = json!({"org_id": account.org_id, "portal_account_id": account.id});
    db.call(LOCK_ACCOUNT, &of_account).await?;
    // The key of the call outlives the table of keys.
    if dedupe_key.is_some() {
        let key = json!({"org_id": account.org_id, "dedupe_key": dedupe_key});
        if let Some(id) = call_as::<Option<Uuid>>(db, FIND, &key).await? {
            let booking = one(db, &account, id).await?;
            idempotency::store(db, claim, &booking).await?;
            return Ok(booking);
        }
    }
    if call_as::<usize>(db, COUNT, &of_account).await? >= MAX_BOOKINGS {
        let hint = "Cancel one of your requests or visits first.";
        let refusal = Error::new(Code::BookingPolicy, hint).with("reason", "too_many_bookings");
        return Err(refusal.with("max_bookings", MAX_BOOKINGS));
    }
    let (ask, hold) = keep(db, &account, &row).await?;
    // Nobody's calendar: only whether the service and the location are there for this account.
    let nobody = Ask { technician_id: Some(Uuid::nil()), ..ask.clone() };
    let about = nobody.load(db).await?;
    let document = json!({
        "org_id": account.org_id, "portal_account_id": account.id, "customer_id": about.location.customer_id,
        "location_id": about.location.id, "service_type": about.service.code, "hold_id": hold, "row": row,
        "dedupe_key": dedupe_key,
    });
    let id: Uuid = call_as(db, INSERT, &document).await?;
    if about.auto_schedule && hold.is_some() {
        let visit = Visit {
            org_id: account.org_id,
            booking_id: id,
            user_id: None,
            slot: None,
            may_wait: true,
        };
        schedule::make(db, visit).await?;
    }
    let booking = one(db, &account, id).await?;
    let payload = json!({"booking_request_id": id, "status": booking["status"]});
    portal::audit(db, &account, "booking_created", payload).await?;
    idempotency::store(db, claim, &booking).await?;
    Ok(booking)
}

/// Where and what, and the hold on the slot if one was picked.
async fn keep<D: Db>(
    db: &mut D,
    account: &Account,
    row: &BookingRow,
) -> Result<(Ask, Option<Uuid>)> {
    if let Some(hold_id) = row.hold_id {
        let key = json!({"org_id": account.org_id, "portal_account_id": account.id, "id": hold_id});
        let held: Option<Held> = call_as(db, LOCK_HOLD, &key).await?;
        let held = held.ok_or_else(|| Error::not_found("hold"))?;
        for (path, differs) in [
            ("location_id", row.location_id.is_some_and(|id| id != held.location_id)),
            (
                "service_type",
                row.service_type.as_ref().is_some_and(|code| *code != held.service_type),
            ),
        ] {
            if differs {
                return Err(Error::invalid_field(
                    path,
                    "invalid_value",
                    "is another than the hold's",
                ));
            }
        }
        let ask = Ask::of(account, &held.service_type, held.location_id);
        if !held.is_live {
            return Err(ask.taken(db, held.starts_at).await?);
        }
        return Ok((ask, Some(held.id)));
    }
    let location_id = match &row.location {
        None => row.location_id.unwrap_or_default(),
        Some(location) => {
            let document = json!({"org_id": account.org_id, "customer_id": account.customer_id, "location": location});
            call_as(db, INSERT_LOCATION, &document).await?
        }
    };
    let ask = Ask::of(account, row.service_type.as_deref().unwrap_or_default(), location_id);
    let Some(at) = row.starts_at else { return Ok((ask, None)) };
    let hold = acquire(db, account.id, &ask, seconds("starts_at", at)?, true).await?;
    let id = serde_json::from_value(hold["id"].clone());
    Ok((ask, Some(id.map_err(|error| Error::internal(error.to_string()))?)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    status: Option<BookingStatus>,
    page_size: Option<usize>,
    cursor: Option<String>,
}

/// `portal_list_bookings(status, page_size, cursor)`: the newest first.
pub async fn list<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let account = portal::account(db).await?;
    let asked: List = patch::read(arguments)?;
    let page_size = asked.page_size.unwrap_or(50);
    if !(1..=100).contains(&page_size) {
        return Err(Error::invalid_field("page_size", "out_of_range", "must be between 1 and 100"));
    }
    let cursor = asked.cursor.as_deref().map(|text| Cursor::decode("cursor", text)).transpose()?;
    let document = json!({
        "org_id": account.org_id, "scope": account.scope(), "status": asked.status, "limit": page_size + 1,
        "before_at": cursor.map(|cursor| cursor.at), "before_id": cursor.map(|cursor| cursor.id),
    });
    let mut bookings: Vec<Value> = call_as(db, LIST, &document).await?;
    let more = bookings.len() > page_size;
    bookings.truncate(page_size);
    let next = bookings.last().filter(|_| more).map(cursor_of).transpose()?;
    Ok(json!({"bookings": bookings, "next_cursor": next}))
}

fn cursor_of(row: &Value) -> Result<String> {
    let wrong = |error: serde_json::Error| Error::internal(error.to_string());
    Ok(Cursor {
        at: serde_json::from_value(row["created_at"].clone()).map_err(wrong)?,
        id: serde_json::from_value(row["id"].clone()).map_err(wrong)?,
    }
    .encode())
}

async fn one(db: &mut impl Db, account: &Account, id: Uuid) -> Result<Value> {
    let document =
        json!({"org_id": account.org_id, "scope": account.scope(), "id": id, "limit": 1});
    let mut found = db.call(LIST, &document).await?;
    found.pointer_mut("/0").map(Value::take).ok_or_else(|| Error::not_found("booking"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Get {
    id: Uuid,
}

/// `portal_get_booking(id)`
pub async fn get<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let account = portal::account(db).await?;
    let Get { id } = patch::read(arguments)?;
    one(db, &account, id).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cancel {
    id: Uuid,
    reason: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Locked {
    pub status: BookingStatus,
    pub related_work_order_id: Option<Uuid>,
}

/// The request, which nobody else decides meanwhile; with a scope, if it is seen.
pub(super) async fn lock(db: &mut impl Db, key: &Value) -> Result<Locked> {
    let locked: Option<Locked> = call_as(db, LOCK, key).await?;
    locked.ok_or_else(|| Error::not_found("booking"))
}

/// `portal_cancel_booking(id, reason)`: takes back what nobody has scheduled yet; again, it changes nothing.
pub async fn cancel<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let account = portal::account(db).await?;
    account.require_booking()?;
    let Cancel { id, reason } = patch::read(arguments)?;
    let reason = note("reason", reason)?;
    let key =
        json!({"org_id": account.org_id, "scope": account.scope(), "id": id, "reason": reason});
    let locked = lock(db, &key).await?;
    if locked.status != BookingStatus::CanceledByCustomer {
        if !locked.status.is_open() {
            let hint = "It was decided: cancel the appointment that came of it.";
            return Err(Error::new(Code::WrongState, hint)
                .with("status", locked.status.as_str())
                .with("related_work_order_id", json!(locked.related_work_order_id)));
        }
        db.call(CANCEL, &key).await?;
        portal::audit(db, &account, "booking_canceled", json!({"booking_request_id": id})).await?;
    }
    one(db, &account, id).await
}
