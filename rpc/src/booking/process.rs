//! Requests that nobody has looked at: a visit where the org lets that happen by itself, else they are put before the staff.

use fieldcrm_core::batch::Batch;
use fieldcrm_core::portal::Access;
use fieldcrm_core::{Code, Error, Result, patch};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::calendar::Ask;
use super::hold::{acquire, is_busy};
use super::schedule::{self, Visit};
use crate::{Db, Work, call_as, session};

const TAKE: &str = include_str!("../../sql/booking/process_take.sql");
const GIVE: &str = include_str!("../../sql/booking/process_give.sql");
const KEEP: &str = include_str!("../../sql/booking/process_keep.sql");
const FREE: &str = include_str!("../../sql/booking/process_free.sql");
const EXPIRE: &str = include_str!("../../sql/booking/process_expire.sql");

#[derive(Deserialize)]
struct Request {
    id: Uuid,
    org_id: Uuid,
    portal_account_id: Uuid,
    customer_id: Uuid,
    location_id: Option<Uuid>,
    service_type: String,
    auto_schedule: bool,
    has_slot: bool,
    /// The days that will do, none of them past; absent where none was named.
    first_day: Option<chrono::NaiveDate>,
    last_day: Option<chrono::NaiveDate>,
    /// Seconds of the day by the org's clock.
    window_start: i64,
    window_end: i64,
}

/// `crm_process_bookings(batch_limit)`: `{scheduled, under_review, expired_holds}`.
pub async fn process<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let batch_limit = patch::read::<Batch>(arguments)?.prepare()?;
    let caller = session::current(db).await?;
    if !caller.service {
        return Err(Error::new(Code::Forbidden, "This is for back-end sessions only."));
    }
    let batch = json!({"org_id": caller.org_id, "batch_limit": batch_limit});
    let requests: Vec<Request> = call_as(db, TAKE, &batch).await?;
    let (mut scheduled, mut left) = (0, Vec::new());
    for request in &requests {
        if request.auto_schedule && (request.has_slot || request.first_day.is_some()) {
            match db.attempt(Book(request)).await {
                Ok(()) => {
                    scheduled += 1;
                    continue;
                }
                Err(error) if error.code == Code::Unavailable => return Err(error),
                // Whoever keeps what it booked and waited for more might be waited for: the next call books it.
                Err(error) if is_busy(&error) => continue,
                // For whatever reason it does not go by itself: somebody looks at it.
                Err(_) => {}
            }
        }
        left.push(request.id);
    }
    let under_review: i64 = call_as(db, GIVE, &json!({"ids": left})).await?;
    // Last: who takes away holds of several technicians must not wait for anybody any more.
    let late: i64 = call_as(db, FREE, &batch).await?;
    let ran_out: i64 = call_as(db, EXPIRE, &batch).await?;
    let expired_holds = late + ran_out;
    Ok(
        json!({"scheduled": scheduled, "under_review": under_review, "expired_holds": expired_holds}),
    )
}

struct Book<'a>(&'a Request);

impl<D: Db> Work<D> for Book<'_> {
    type Output = ();

    async fn run(self, db: &mut D) -> Result<()> {
        let request = self.0;
        // One that was removed from the customer: somebody looks at the request.
        let location_id = request.location_id.ok_or_else(|| Error::not_found("location"))?;
        if !request.has_slot {
            let ask = Ask {
                org_id: request.org_id,
                // As the customer would: with notice, and not beyond the horizon.
                scope: Some(vec![Access {
                    customer_id: request.customer_id,
                    location_id: Some(location_id),
                }]),
                service_type: request.service_type.clone(),
                location_id,
                first_day: request.first_day,
                last_day: request.last_day,
                ..Ask::default()
            };
            let loaded = ask.load(db).await?;
            let slots = loaded.calendar.times(&loaded.travel);
            let fits = slots.iter().find(|slot| {
                let from = loaded.calendar.second_of_day(slot.starts_at);
                let to = from + slot.ends_at - slot.starts_at;
                request.window_start <= from && to <= request.window_end
            });
            let fits = fits.ok_or_else(|| Error::new(Code::SlotTaken, "Nothing is free then."))?;
            let hold = acquire(db, request.portal_account_id, &ask, fits.starts_at, false).await?;
            let key = json!({"org_id": request.org_id, "id": request.id, "hold_id": hold["id"]});
            db.call(KEEP, &key).await?;
        }
        let visit = Visit {
            org_id: request.org_id,
            booking_id: request.id,
            user_id: None,
            slot: None,
            may_wait: false,
        };
        schedule::make(db, visit).await.map(drop)
    }
}
