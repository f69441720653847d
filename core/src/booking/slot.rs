//! Free slots: from what technicians can do, where they go, when they work and what they have to do already.
//!
//! Times are seconds since 1970. A visit lies within working hours; its buffer and the ways to and from it lie between
//! it and its neighbours. Everything is intervals in order: nothing is asked minute by minute.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{Datelike, NaiveDate};
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer};
use uuid::Uuid;

use super::zone::{Clock, DAY};

/// The days that one question may be about.
pub const MAX_DAYS: i64 = 62;

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct Point {
    pub latitude: f64,
    pub longitude: f64,
}

/// How long it takes from one visit to the next.
pub trait Travel {
    /// In seconds.
    fn time(&self, from: Point, to: Point) -> i64;
}

/// The straight way at a speed: an estimate that asks nobody.
#[derive(Clone, Copy, Debug)]
pub struct GreatCircle {
    pub speed_kmh: f64,
}

impl GreatCircle {
    /// In kilometers, by the haversine formula.
    #[must_use]
    pub fn distance(from: Point, to: Point) -> f64 {
        const EARTH_RADIUS: f64 = 6_371.008_8;
        let (here, there) = (from.latitude.to_radians(), to.latitude.to_radians());
        let north = ((there - here) / 2.0).sin();
        let east = ((to.longitude - from.longitude).to_radians() / 2.0).sin();
        let chord = north * north + here.cos() * there.cos() * east * east;
        2.0 * EARTH_RADIUS * chord.min(1.0).sqrt().asin()
    }
}

impl Travel for GreatCircle {
    #[allow(clippy::cast_possible_truncation, reason = "at most half around the earth at 1 km/h")]
    fn time(&self, from: Point, to: Point) -> i64 {
        (Self::distance(from, to) / self.speed_kmh * 3_600.0).ceil() as i64
    }
}

#[derive(Clone, Debug, Deserialize)]
pub struct Service {
    pub duration_minutes: i64,
    /// For how long after a visit the technician stays taken.
    pub buffer_minutes: i64,
    /// How many visits there can be at one time, whoever does them.
    pub capacity: Option<i16>,
}

/// Where the visit is to be.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Place {
    pub country: Option<String>,
    pub postal_code: Option<String>,
    pub latitude: Option<f64>,
    pub longitude: Option<f64>,
}

/// Where a technician goes: by postal code, or around a point.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Area {
    Around { latitude: f64, longitude: f64, radius_km: f64 },
    Postal { country: String, postal_code_prefix: String },
}

/// From `start` to before `end`, in seconds of the day by the clock of the zone; weekday 1 is Monday.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Hours(pub u32, pub i64, pub i64);

/// What a technician has to do already, with the buffer after it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Visit {
    pub starts_at: i64,
    pub ends_at: i64,
    pub place: Option<Point>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Technician {
    pub id: Uuid,
    pub hours: Vec<Hours>,
    pub time_off: Vec<(i64, i64)>,
    /// None: everywhere.
    pub areas: Vec<Area>,
    /// None of them overlap.
    #[serde(deserialize_with = "packed")]
    pub visits: Vec<Visit>,
}

/// A visit of the service, and which of its units it has: none where staff went beyond what there is.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Taken(pub i64, pub i64, pub Option<i16>);

/// Everything that decides what is free on some days.
#[derive(Clone, Debug, Deserialize)]
pub struct Calendar {
    #[serde(deserialize_with = "zone")]
    pub time_zone: Tz,
    pub first_day: NaiveDate,
    pub last_day: NaiveDate,
    /// No visit begins before.
    pub earliest: i64,
    /// Visits begin at multiples of it, counted from midnight by the clock.
    pub slot_minutes: i64,
    pub service: Service,
    pub place: Place,
    pub blackout_days: Vec<NaiveDate>,
    /// Those who can do the service.
    pub technicians: Vec<Technician>,
    /// Of the service, where it has a capacity.
    pub taken: Vec<Taken>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    pub starts_at: i64,
    pub ends_at: i64,
    /// Who could do it: the shortest way first, then who has least to do that day, then by id.
    pub technicians: Vec<Uuid>,
    /// The unit that is free, of a service with a capacity.
    pub unit: Option<i16>,
}

/// A time that is free of one technician, from and to which both included, and the visits next to it.
struct Free {
    from: i64,
    to: i64,
    before: Option<Visit>,
    after: Option<Visit>,
}

impl Calendar {
    /// The free times in their order, without who could do them.
    #[must_use]
    pub fn times(&self, travel: &impl Travel) -> Vec<Slot> {
        let clock = Clock::new(self.time_zone, self.first_day, self.last_day);
        let starts = self.starts(&clock);
        let mut change = vec![0_i32; starts.len() + 1];
        for technician in self.technicians.iter().filter(|one| one.goes_to(&self.place)) {
            for free in self.free(technician, &clock, travel) {
                let (first, behind) = free.within(&starts);
                if first < behind {
                    change[first] += 1;
                    change[behind] -= 1;
                }
            }
        }
        let mut able = 0;
        let mut slots = Vec::new();
        for (index, &starts_at) in starts.iter().enumerate() {
            able += change[index];
            if able > 0 {
                slots.push(self.slot(starts_at));
            }
        }
        self.with_units(slots)
    }

    /// The free times in their order, with who could do them.
    #[must_use]
    pub fn slots(&self, travel: &impl Travel) -> Vec<Slot> {
        let clock = Clock::new(self.time_zone, self.first_day, self.last_day);
        let starts = self.starts(&clock);
        let mut able = vec![Vec::new(); starts.len()];
        for technician in self.technicians.iter().filter(|one| one.goes_to(&self.place)) {
            let loads: std::collections::HashMap<i64, usize> = technician.visits.iter().fold(
                std::collections::HashMap::default(),
                |mut loads, visit| {
                    *loads.entry(clock.day(visit.starts_at)).or_default() += 1;
                    loads
                },
            );
            for free in self.free(technician, &clock, travel) {
                let (first, behind) = free.within(&starts);
                for index in first..behind {
                    let day = clock.day(starts[index]);
                    // The way from yesterday's last visit is no way of this day.
                    let before = free.before.filter(|visit| clock.day(visit.ends_at) == day);
                    let after = free.after.filter(|visit| clock.day(visit.starts_at) == day);
                    let way = self.way(before, travel) + self.way(after, travel);
                    let load = loads.get(&day).copied().unwrap_or(0);
                    able[index].push((way, load, technician.id));
                }
            }
        }
        let mut slots = Vec::new();
        for (starts_at, mut able) in starts.into_iter().zip(able) {
            if !able.is_empty() {
                able.sort_unstable();
                let technicians = able.into_iter().map(|(_, _, id)| id).collect();
                slots.push(Slot { technicians, ..self.slot(starts_at) });
            }
        }
        self.with_units(slots)
    }

    /// What the clock shows, in seconds since midnight.
    #[must_use]
    pub fn second_of_day(&self, at: i64) -> i64 {
        Clock::new(self.time_zone, self.first_day, self.last_day).second(at)
    }

    fn slot(&self, starts_at: i64) -> Slot {
        let ends_at = starts_at + self.duration();
        Slot { starts_at, ends_at, technicians: Vec::new(), unit: None }
    }

    fn duration(&self) -> i64 {
        self.service.duration_minutes * 60
    }

    /// For how long a technician is taken.
    fn length(&self) -> i64 {
        self.duration() + self.service.buffer_minutes * 60
    }

    fn days(&self) -> impl Iterator<Item = NaiveDate> {
        self.first_day
            .iter_days()
            .take_while(|day| *day <= self.last_day)
            .filter(|day| !self.blackout_days.contains(day))
    }

    /// When a visit could begin, if anybody were free.
    fn starts(&self, clock: &Clock) -> Vec<i64> {
        let step = self.slot_minutes * 60;
        let mut starts: Vec<_> = self
            .days()
            .flat_map(|day| {
                (0..DAY / step).flat_map(move |number| {
                    clock.instants(day, number * step, number * step + 1).map(|(from, _)| from)
                })
            })
            .filter(|start| *start >= self.earliest)
            .collect();
        starts.sort_unstable();
        starts
    }

    /// When a visit to the place can begin, in order.
    fn free(&self, technician: &Technician, clock: &Clock, travel: &impl Travel) -> Vec<Free> {
        let mut visits = technician.visits.clone();
        visits.sort_unstable_by_key(|visit| visit.starts_at);
        let mut free = Vec::new();
        let mut work = self.work(technician, clock).into_iter().peekable();
        let mut before: Option<Visit> = None;
        for after in visits.into_iter().map(Some).chain([None]) {
            let mut from = before.map_or(i64::MIN, |visit| visit.ends_at);
            let mut to = after.map_or(i64::MAX, |visit| visit.starts_at - self.length());
            // Most gaps of a full calendar are too short anyhow: of these, no way is measured.
            if from <= to {
                from += self.way(before, travel);
                to -= self.way(after, travel);
            }
            while let Some(&(begin, end)) = work.peek() {
                let (first, last) = (from.max(begin), to.min(end - self.duration()));
                if first <= last {
                    free.push(Free { from: first, to: last, before, after });
                }
                // Of working hours that end before the gap does, the next gaps have nothing.
                if end - self.duration() > to {
                    break;
                }
                work.next();
            }
            before = after;
        }
        free
    }

    fn way(&self, visit: Option<Visit>, travel: &impl Travel) -> i64 {
        match (visit.and_then(|visit| visit.place), self.place.point()) {
            (Some(there), Some(here)) => travel.time(there, here),
            _ => 0,
        }
    }

    /// When the technician works, in order, without gaps of no length.
    fn work(&self, technician: &Technician, clock: &Clock) -> Vec<(i64, i64)> {
        let mut hours: Vec<_> = self
            .days()
            .flat_map(|day| {
                let weekday = day.weekday().number_from_monday();
                let of_day = technician.hours.iter().filter(move |hours| hours.0 == weekday);
                of_day.flat_map(move |hours| clock.instants(day, hours.1, hours.2))
            })
            .collect();
        hours.sort_unstable();
        let mut off = technician.time_off.clone();
        off.sort_unstable();
        let mut work: Vec<(i64, i64)> = Vec::with_capacity(hours.len());
        let mut add = |from: i64, to: i64| match work.last_mut() {
            _ if from >= to => {}
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => work.push((from, to)),
        };
        for (mut from, to) in hours {
            for &(begin, end) in &off {
                if begin < to && end > from {
                    add(from, begin);
                    from = end;
                }
            }
            add(from, to);
        }
        work
    }

    /// Those of the slots for which there is a unit, where the service has only so many.
    fn with_units(&self, mut slots: Vec<Slot>) -> Vec<Slot> {
        let Some(capacity) = self.service.capacity else { return slots };
        let mut taken = self.taken.clone();
        taken.sort_unstable_by_key(|one| one.0);
        let mut coming = taken.into_iter().peekable();
        let mut present: Vec<Taken> = Vec::new();
        slots.retain_mut(|slot| {
            while let Some(next) = coming.next_if(|one| one.0 < slot.starts_at + self.length()) {
                present.push(next);
            }
            present.retain(|one| one.1 > slot.starts_at);
            let beyond = present.iter().filter(|one| one.2.is_none()).count();
            let mut left =
                (1..=capacity).filter(|unit| present.iter().all(|one| one.2 != Some(*unit)));
            slot.unit = left.next();
            slot.unit.is_some() && left.count() >= beyond
        });
        slots
    }
}

impl Free {
    /// The first of the starts in it, and the first behind it.
    fn within(&self, starts: &[i64]) -> (usize, usize) {
        let first = starts.partition_point(|start| *start < self.from);
        (first, starts.partition_point(|start| *start <= self.to))
    }
}

impl Place {
    fn point(&self) -> Option<Point> {
        Some(Point { latitude: self.latitude?, longitude: self.longitude? })
    }
}

impl Technician {
    fn goes_to(&self, place: &Place) -> bool {
        self.areas.is_empty() || self.areas.iter().any(|area| area.has(place))
    }
}

impl Area {
    fn has(&self, place: &Place) -> bool {
        match self {
            Self::Around { latitude, longitude, radius_km } => {
                let center = Point { latitude: *latitude, longitude: *longitude };
                place.point().is_some_and(|at| GreatCircle::distance(center, at) <= *radius_km)
            }
            Self::Postal { country, postal_code_prefix } => {
                let code: String = place.postal_code.iter().flat_map(|code| code.chars()).collect();
                let code = code.replace(|letter: char| !letter.is_ascii_alphanumeric(), "");
                place.country.as_ref() == Some(country)
                    && code.to_ascii_uppercase().starts_with(postal_code_prefix)
            }
        }
    }
}

fn zone<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Tz, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

/// Visits as the database packs them, thousands of them: minutes since 2000 twice, then two short floats, NaN where the
/// place has no coordinates.
fn packed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Visit>, D::Error> {
    const SINCE_1970: i64 = 946_684_800;
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(Vec::new()) };
    let mut bytes = text.into_bytes();
    // Postgres breaks lines.
    bytes.retain(|byte| *byte != b'\n');
    let bytes = STANDARD.decode(bytes).map_err(serde::de::Error::custom)?;
    let (visits, []) = bytes.as_chunks::<16>() else {
        return Err(serde::de::Error::custom("visits that were cut off"));
    };
    let visit = |bytes: &[u8; 16]| {
        let four = |at: usize| std::array::from_fn(|index| bytes[at + index]);
        let time = |at: usize| i64::from(i32::from_be_bytes(four(at))) * 60 + SINCE_1970;
        let degrees = |at: usize| f64::from(f32::from_be_bytes(four(at)));
        let (latitude, longitude) = (degrees(8), degrees(12));
        Visit {
            starts_at: time(0),
            ends_at: time(4),
            place: (!latitude.is_nan() && !longitude.is_nan())
                .then_some(Point { latitude, longitude }),
        }
    };
    Ok(visits.iter().map(visit).collect())
}
