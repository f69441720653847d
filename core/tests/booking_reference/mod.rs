//! Which times are free, asked minute by minute and visit by visit, in the words of docs/booking.md: slow, and written apart
//! from the product.

use std::collections::HashSet;

use chrono::{DateTime, Datelike, Duration, NaiveDate, Timelike, Utc};
use chrono_tz::Tz;
use fieldcrm_core::booking::slot::{Area, Calendar, Point, Technician, Travel, Visit};
use uuid::Uuid;

fn moment(at: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(at, 0).unwrap()
}

fn day(calendar: &Calendar, at: i64) -> NaiveDate {
    moment(at).with_timezone(&calendar.time_zone).date_naive()
}

/// The free times, and who could come.
pub fn slots(calendar: &Calendar, travel: &impl Travel) -> Vec<(i64, Vec<Uuid>, Option<i16>)> {
    let zone: Tz = calendar.time_zone;
    let mut found = Vec::new();
    let mut at = calendar.first_day.and_hms_opt(0, 0, 0).unwrap().and_utc() - Duration::days(2);
    let end = calendar.last_day.and_hms_opt(0, 0, 0).unwrap().and_utc() + Duration::days(3);
    while at < end {
        let shown = at.with_timezone(&zone);
        let date = shown.date_naive();
        let of_day = i64::from(shown.num_seconds_from_midnight());
        if date >= calendar.first_day
            && date <= calendar.last_day
            && of_day % (calendar.slot_minutes * 60) == 0
            && at.timestamp() >= calendar.earliest
        {
            let mut able: Vec<_> = calendar
                .technicians
                .iter()
                .filter_map(|one| effort(calendar, one, at.timestamp(), travel))
                .collect();
            able.sort();
            let unit = unit(calendar, at.timestamp());
            if !able.is_empty() && (calendar.service.capacity.is_none() || unit.is_some()) {
                let who = able.into_iter().map(|(_, _, id)| id).collect();
                found.push((at.timestamp(), who, unit));
            }
        }
        at += Duration::minutes(1);
    }
    found
}

/// The way and the load, if the technician can come then.
fn effort(
    calendar: &Calendar,
    technician: &Technician,
    start: i64,
    travel: &impl Travel,
) -> Option<(i64, usize, Uuid)> {
    let here = point(calendar);
    if !technician.areas.is_empty() && !technician.areas.iter().any(|area| covers(calendar, area)) {
        return None;
    }
    let end = start + calendar.service.duration_minutes * 60;
    let mut minute = start;
    while minute < end {
        if !works(calendar, technician, minute) {
            return None;
        }
        minute += 60;
    }
    let until = end + calendar.service.buffer_minutes * 60;
    if technician.visits.iter().any(|visit| visit.starts_at < until && visit.ends_at > start) {
        return None;
    }
    let way = |visit: &Visit| match (visit.place, here) {
        (Some(there), Some(here)) => travel.time(there, here),
        _ => 0,
    };
    let before = technician.visits.iter().filter(|visit| visit.ends_at <= start);
    let after = technician.visits.iter().filter(|visit| visit.starts_at >= until);
    let before = before.max_by_key(|visit| visit.ends_at);
    let after = after.min_by_key(|visit| visit.starts_at);
    if before.is_some_and(|visit| visit.ends_at + way(visit) > start)
        || after.is_some_and(|visit| until + way(visit) > visit.starts_at)
    {
        return None;
    }
    let today = day(calendar, start);
    let near = before.filter(|visit| day(calendar, visit.ends_at) == today).map_or(0, way)
        + after.filter(|visit| day(calendar, visit.starts_at) == today).map_or(0, way);
    let load =
        technician.visits.iter().filter(|visit| day(calendar, visit.starts_at) == today).count();
    Some((near, load, technician.id))
}

fn works(calendar: &Calendar, technician: &Technician, at: i64) -> bool {
    let shown = moment(at).with_timezone(&calendar.time_zone);
    let date = shown.date_naive();
    if calendar.blackout_days.contains(&date)
        || date < calendar.first_day
        || date > calendar.last_day
    {
        return false;
    }
    let second = i64::from(shown.num_seconds_from_midnight());
    let weekday = shown.weekday().number_from_monday();
    technician.hours.iter().any(|hours| hours.0 == weekday && hours.1 <= second && second < hours.2)
        // The minute that begins here.
        && !technician.time_off.iter().any(|(from, to)| *from < at + 60 && at < *to)
}

fn point(calendar: &Calendar) -> Option<Point> {
    let place = &calendar.place;
    place.latitude.zip(place.longitude).map(|(latitude, longitude)| Point { latitude, longitude })
}

fn covers(calendar: &Calendar, area: &Area) -> bool {
    match area {
        Area::Postal { country, postal_code_prefix } => {
            let code = calendar.place.postal_code.clone().unwrap_or_default().to_uppercase();
            calendar.place.country.as_deref() == Some(country)
                && code.replace([' ', '-'], "").find(postal_code_prefix.as_str()) == Some(0)
        }
        Area::Around { latitude, longitude, radius_km } => point(calendar).is_some_and(|here| {
            // By the law of cosines: good enough from some meters on.
            let (a, b) = (latitude.to_radians(), here.latitude.to_radians());
            let turn = (here.longitude - longitude).to_radians().cos();
            let angle = (a.sin() * b.sin() + a.cos() * b.cos() * turn).clamp(-1.0, 1.0).acos();
            angle * 6_371.008_8 <= *radius_km
        }),
    }
}

/// The first unit that nobody has then, where the visits without one leave it.
fn unit(calendar: &Calendar, start: i64) -> Option<i16> {
    let until = start + (calendar.service.duration_minutes + calendar.service.buffer_minutes) * 60;
    let there: Vec<_> =
        calendar.taken.iter().filter(|one| one.0 < until && one.1 > start).collect();
    let used: HashSet<i16> = there.iter().filter_map(|one| one.2).collect();
    let beyond = there.iter().filter(|one| one.2.is_none()).count();
    let free: Vec<i16> =
        (1..=calendar.service.capacity?).filter(|unit| !used.contains(unit)).collect();
    (free.len() > beyond).then(|| free[0])
}
