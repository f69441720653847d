//! What is free.

use chrono::{DateTime, FixedOffset, NaiveDate, Offset, SecondsFormat, TimeZone, Utc};
use fieldcrm_core::booking::request::{ALTERNATIVES, MAX_SLOTS};
use fieldcrm_core::booking::slot::{Calendar, GreatCircle, MAX_DAYS, Slot};
use fieldcrm_core::portal::{Access, Account};
use fieldcrm_core::{Capability, Code, Error, Result, patch};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Db, call_as, portal, session};

const CALENDAR: &str = include_str!("../../sql/booking/calendar.sql");
const SERVICE_TYPES: &str = include_str!("../../sql/booking/service_types.sql");

/// Technicians that staff are shown for one time.
const MAX_TECHNICIANS: usize = 10;

/// A question about what is free. Without a scope it is one of staff, who need no notice and see everything.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Ask {
    pub org_id: Uuid,
    pub scope: Option<Vec<Access>>,
    pub service_type: String,
    pub location_id: Uuid,
    pub first_day: Option<NaiveDate>,
    pub last_day: Option<NaiveDate>,
    /// Seconds since 1970: only the day of this time.
    pub at: Option<i64>,
    pub technician_id: Option<Uuid>,
    pub ignore_work_order_id: Option<Uuid>,
    pub ignore_hold_id: Option<Uuid>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Service {
    pub id: Uuid,
    pub code: String,
    pub duration_minutes: i64,
    pub buffer_minutes: i64,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Location {
    pub id: Uuid,
    pub customer_id: Uuid,
}

#[derive(Deserialize)]
struct Found {
    time_zone: String,
    hold_minutes: i64,
    auto_schedule: bool,
    travel_speed_kmh: f64,
    service: Option<Service>,
    location: Option<Location>,
    calendar: Option<Calendar>,
}

/// The answer of the database, of a service and a location that are there.
pub(super) struct Loaded {
    pub time_zone: String,
    pub hold_minutes: i64,
    pub auto_schedule: bool,
    pub service: Service,
    pub location: Location,
    pub calendar: Calendar,
    pub travel: GreatCircle,
}

impl Ask {
    pub fn of(account: &Account, service_type: &str, location_id: Uuid) -> Self {
        Self {
            org_id: account.org_id,
            scope: Some(account.scope()),
            service_type: service_type.to_owned(),
            location_id,
            ..Self::default()
        }
    }

    pub async fn load(&self, db: &mut impl Db) -> Result<Loaded> {
        let found: Found = call_as(db, CALENDAR, self).await?;
        let location = found.location.ok_or_else(|| Error::not_found("location"))?;
        let (Some(service), Some(calendar)) = (found.service, found.calendar) else {
            let message = "is no type of service that can be booked";
            return Err(Error::invalid_field("service_type", "unknown_service_type", message));
        };
        Ok(Loaded {
            time_zone: found.time_zone,
            hold_minutes: found.hold_minutes,
            auto_schedule: found.auto_schedule,
            service,
            location,
            calendar,
            travel: GreatCircle { speed_kmh: found.travel_speed_kmh },
        })
    }

    /// The slot that begins at `at`, as it is now, and what it was found in.
    pub async fn slot(&self, db: &mut impl Db, at: i64) -> Result<(Loaded, Option<Slot>)> {
        let loaded = Self { at: Some(at), ..self.clone() }.load(db).await?;
        let slots = loaded.calendar.slots(&loaded.travel);
        let slot = slots.into_iter().find(|slot| slot.starts_at == at);
        Ok((loaded, slot))
    }

    /// The refusal of a time that is not free, with the next that are.
    pub async fn taken(&self, db: &mut impl Db, at: i64) -> Result<Error> {
        let mut next: Vec<Value> = Vec::new();
        let mut days = 13;
        let at = at.max(0);
        while next.len() < ALTERNATIVES && days < MAX_DAYS {
            let first_day = DateTime::from_timestamp(at, 0).unwrap_or_default().date_naive();
            let ask = Self {
                at: None,
                technician_id: None,
                // The day in the zone may be the one before.
                first_day: first_day.pred_opt(),
                last_day: first_day.checked_add_days(chrono::Days::new(days.unsigned_abs())),
                ..self.clone()
            };
            let loaded = ask.load(db).await?;
            let slots = loaded.calendar.times(&loaded.travel);
            let later = slots.iter().filter(|slot| slot.starts_at > at).take(ALTERNATIVES);
            next = later.map(|slot| loaded.show(slot)).collect();
            days += 46;
        }
        Ok(Error::new(
            Code::SlotTaken,
            "Take one of the alternatives, or ask for other free times.",
        )
        .with("alternatives", next))
    }
}

impl Loaded {
    /// The slot with its times by the clock of the org.
    fn show(&self, slot: &Slot) -> Value {
        let zone = self.calendar.time_zone;
        let time = |at: i64| {
            let at = DateTime::from_timestamp(at, 0).unwrap_or_default();
            let offset = zone.offset_from_utc_datetime(&at.naive_utc()).fix();
            at.with_timezone(&offset).to_rfc3339_opts(SecondsFormat::Secs, true)
        };
        json!({"starts_at": time(slot.starts_at), "ends_at": time(slot.ends_at)})
    }

    fn answer(&self, slots: &[Slot], show: impl Fn(&Slot) -> Value) -> Value {
        json!({
            "service_type": self.service.code, "duration_minutes": self.service.duration_minutes,
            "time_zone": self.time_zone, "from_date": self.calendar.first_day, "to_date": self.calendar.last_day,
            "slots": slots.iter().take(MAX_SLOTS).map(show).collect::<Vec<_>>(),
            "truncated": slots.len() > MAX_SLOTS,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Available {
    service_type: String,
    location_id: Uuid,
    from_date: Option<NaiveDate>,
    to_date: Option<NaiveDate>,
}

impl Available {
    fn read(arguments: Value) -> Result<Self> {
        let asked: Self = patch::read(arguments)?;
        if let (Some(from), Some(to)) = (asked.from_date, asked.to_date)
            && !(0..MAX_DAYS).contains(&(to - from).num_days())
        {
            let message = format!("must be from_date or up to {} days after it", MAX_DAYS - 1);
            return Err(Error::invalid_field("to_date", "out_of_range", message));
        }
        Ok(asked)
    }

    fn ask(&self, org_id: Uuid, scope: Option<Vec<Access>>) -> Ask {
        Ask {
            org_id,
            scope,
            service_type: self.service_type.clone(),
            location_id: self.location_id,
            first_day: self.from_date,
            last_day: self.to_date,
            ..Ask::default()
        }
    }
}

/// `portal_available_slots(service_type, location_id, from_date, to_date)`
pub async fn portal<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let account = portal::account(db).await?;
    let asked = Available::read(arguments)?;
    let loaded = asked.ask(account.org_id, Some(account.scope())).load(db).await?;
    let slots = loaded.calendar.times(&loaded.travel);
    Ok(loaded.answer(&slots, |slot| loaded.show(slot)))
}

/// `crm_available_slots(service_type, location_id, from_date, to_date)`: with who could do it, the best first.
pub async fn staff<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let caller = session::current(db).await?;
    let org_id = caller.require(&[Capability::WorkOrdersWrite])?;
    let loaded = Available::read(arguments)?.ask(org_id, None).load(db).await?;
    let slots = loaded.calendar.slots(&loaded.travel);
    Ok(loaded.answer(&slots, |slot| {
        let mut shown = loaded.show(slot);
        let best = &slot.technicians[..slot.technicians.len().min(MAX_TECHNICIANS)];
        shown["technician_ids"] = json!(best);
        shown
    }))
}

/// `portal_list_service_types()`: what can be booked.
pub async fn service_types<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let account = portal::account(db).await?;
    patch::require_object("$", &arguments)?;
    db.call(SERVICE_TYPES, &json!({"org_id": account.org_id})).await
}

/// A time that a client gives, as slots have theirs.
pub(super) fn seconds(path: &str, at: DateTime<FixedOffset>) -> Result<i64> {
    let year = at.with_timezone(&Utc);
    let sane =
        (2000..=2200).contains(&chrono::Datelike::year(&year)) && at.timestamp_subsec_nanos() == 0;
    if sane {
        return Ok(at.timestamp());
    }
    Err(Error::invalid_field(path, "out_of_range", "is no time that can be booked"))
}
