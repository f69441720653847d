//! Free slots, compared with a reference that asks minute by minute.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod booking_reference;

use chrono::{Days, NaiveDate};
use fieldcrm_core::booking::slot::{
    Area, Calendar, GreatCircle, Hours, Place, Point, Service, Taken, Technician, Visit,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use uuid::Uuid;

/// A zone and a day near which its clock changes, or nothing happens.
const CLOCKS: [(&str, (i32, u32, u32)); 12] = [
    ("Europe/Berlin", (2026, 3, 29)),
    ("Europe/Berlin", (2026, 10, 25)),
    ("America/New_York", (2026, 11, 1)),
    ("America/New_York", (2026, 3, 8)),
    // Half an hour forward and back.
    ("Australia/Lord_Howe", (2026, 4, 5)),
    ("Australia/Lord_Howe", (2026, 10, 4)),
    ("Asia/Kolkata", (2026, 6, 15)),
    ("Asia/Kathmandu", (2026, 6, 15)),
    // At midnight.
    ("America/Santiago", (2026, 9, 6)),
    ("Africa/Cairo", (2026, 4, 24)),
    // A whole day that was not.
    ("Pacific/Apia", (2011, 12, 30)),
    ("UTC", (2026, 1, 1)),
];

fn minutes(range: std::ops::RangeInclusive<i64>, step: i64) -> impl Strategy<Value = i64> {
    (range.start() / step..=range.end() / step).prop_map(move |number| number * step)
}

fn hours() -> impl Strategy<Value = Vec<Hours>> {
    let row = (1_u32..=7, minutes(0..=1_380, 15), minutes(15..=900, 15)).prop_map(
        |(weekday, start, length)| Hours(weekday, start * 60, (start + length).min(1_440) * 60),
    );
    // Enough of them that something is free; rows that touch and, unlike in the database, overlap.
    vec(row, 3..14)
}

fn place() -> impl Strategy<Value = Place> {
    let code = select(vec![None, Some("1010"), Some("10 115"), Some("ab1 2cd")]);
    (option::weighted(0.8, (-30_i32..30, -30_i32..30)), code).prop_map(|(at, code)| Place {
        country: code.map(|_| "AT".to_owned()),
        postal_code: code.map(str::to_owned),
        latitude: at.map(|(north, _)| 48.0 + f64::from(north) / 100.0),
        longitude: at.map(|(_, east)| 16.0 + f64::from(east) / 100.0),
    })
}

fn area() -> impl Strategy<Value = Area> {
    prop_oneof![
        (-30_i32..30, 1_i32..40).prop_map(|(north, radius)| Area::Around {
            latitude: 48.0 + f64::from(north) / 100.0,
            longitude: 16.003,
            radius_km: f64::from(radius),
        }),
        select(vec!["10", "1011", "AB1", "9"]).prop_map(|prefix| Area::Postal {
            country: "AT".to_owned(),
            postal_code_prefix: prefix.to_owned(),
        }),
    ]
}

/// Visits one after the other, some without a break, some of them to nowhere.
fn visits(from: i64) -> impl Strategy<Value = Vec<Visit>> {
    let one = (
        minutes(0..=900, 5),
        minutes(10..=300, 5),
        option::weighted(0.7, (-30_i32..30, -30_i32..30)),
    );
    vec(one, 0..12).prop_map(move |parts| {
        let mut at = from;
        let mut visits = Vec::new();
        for (pause, length, place) in parts {
            let starts_at = at + pause * 60;
            at = starts_at + length * 60;
            let place = place.map(|(north, east)| Point {
                latitude: 48.0 + f64::from(north) / 100.0,
                longitude: 16.0 + f64::from(east) / 100.0,
            });
            visits.push(Visit { starts_at, ends_at: at, place });
        }
        visits.reverse();
        visits
    })
}

fn technician(from: i64) -> impl Strategy<Value = Technician> {
    let off = (minutes(0..=5_000, 5), minutes(5..=700, 5))
        .prop_map(move |(start, length)| (from + start * 60, from + (start + length) * 60));
    (0_u128..1_000, hours(), vec(off, 0..3), vec(area(), 0..3), visits(from)).prop_map(
        |(id, hours, time_off, areas, visits)| Technician {
            id: Uuid::from_u128(id),
            hours,
            time_off,
            areas: if areas.len() == 2 { areas } else { Vec::new() },
            visits,
        },
    )
}

fn calendar() -> impl Strategy<Value = Calendar> {
    (select(CLOCKS.to_vec()), 0_u64..3, 0_u64..3).prop_flat_map(
        |((zone, (y, m, d)), before, after)| {
            let day = NaiveDate::from_ymd_opt(y, m, d).unwrap();
            let first_day = day - Days::new(before);
            let last_day = day + Days::new(after);
            let from = first_day.and_hms_opt(0, 0, 0).unwrap().and_utc().timestamp() - 86_400;
            let taken =
                (minutes(0..=5_000, 5), minutes(10..=400, 5), option::weighted(0.8, 1_i16..4))
                    .prop_map(move |(start, length, unit)| {
                        Taken(from + start * 60, from + (start + length) * 60, unit)
                    });
            (
                (
                    select(vec![5_i64, 10, 15, 20, 30, 60, 120]),
                    minutes(5..=240, 5),
                    minutes(0..=60, 5),
                ),
                option::weighted(0.4, 1_i16..4),
                place(),
                vec(0_u64..5, 0..2),
                vec(technician(from), 0..4),
                vec(taken, 0..8),
                -86_400_i64..86_400 * 2,
            )
                .prop_map(
                    move |(
                        (slot_minutes, duration_minutes, buffer_minutes),
                        capacity,
                        place,
                        blackout,
                        technicians,
                        taken,
                        earliest,
                    )| Calendar {
                        time_zone: zone.parse().unwrap(),
                        first_day,
                        last_day,
                        earliest: from + 86_400 + earliest,
                        slot_minutes,
                        service: Service { duration_minutes, buffer_minutes, capacity },
                        place,
                        blackout_days: blackout
                            .into_iter()
                            .map(|days| first_day + Days::new(days))
                            .collect(),
                        technicians,
                        taken,
                    },
                )
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn slots_are_those_of_the_reference(calendar in calendar(), speed in 5_i32..100) {
        let travel = GreatCircle { speed_kmh: speed.into() };
        let expected = booking_reference::slots(&calendar, &travel);
        let slots = calendar.slots(&travel);
        let found: Vec<_> =
            slots.iter().map(|slot| (slot.starts_at, slot.technicians.clone(), slot.unit)).collect();
        prop_assert_eq!(&found, &expected);
        let times: Vec<_> = calendar.times(&travel).iter().map(|slot| (slot.starts_at, slot.ends_at)).collect();
        let expected: Vec<_> = slots.iter().map(|slot| (slot.starts_at, slot.ends_at)).collect();
        prop_assert_eq!(times, expected);
    }
}

/// What is compared is not always nothing.
#[test]
fn the_random_calendars_have_slots() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let travel = GreatCircle { speed_kmh: 40.0 };
    let full = (0..200).filter(|_| {
        let calendar = calendar().new_tree(&mut runner).unwrap().current();
        !calendar.slots(&travel).is_empty()
    });
    assert!(full.count() > 60);
}

fn one_day(zone: &str, day: (i32, u32, u32), from: i64, to: i64) -> Vec<String> {
    let day = NaiveDate::from_ymd_opt(day.0, day.1, day.2).unwrap();
    let hours = (1..=7).map(|weekday| Hours(weekday, from * 3_600, to * 3_600)).collect();
    let calendar = Calendar {
        time_zone: zone.parse().unwrap(),
        first_day: day,
        last_day: day,
        earliest: 0,
        slot_minutes: 30,
        service: Service { duration_minutes: 60, buffer_minutes: 0, capacity: None },
        place: Place::default(),
        blackout_days: Vec::new(),
        technicians: vec![Technician {
            id: Uuid::nil(),
            hours,
            time_off: Vec::new(),
            areas: Vec::new(),
            visits: Vec::new(),
        }],
        taken: Vec::new(),
    };
    let shown = |at: i64| {
        chrono::DateTime::from_timestamp(at, 0).unwrap().with_timezone(&calendar.time_zone)
    };
    let slots = calendar.slots(&GreatCircle { speed_kmh: 40.0 });
    slots.iter().map(|slot| shown(slot.starts_at).format("%H:%M%:z").to_string()).collect()
}

#[test]
fn an_hour_that_the_clock_leaves_out_has_no_slots_and_one_that_it_repeats_has_them_twice() {
    assert_eq!(
        one_day("Europe/Berlin", (2026, 3, 29), 1, 5),
        ["01:00+01:00", "01:30+01:00", "03:00+02:00", "03:30+02:00", "04:00+02:00"]
    );
    assert_eq!(
        one_day("Europe/Berlin", (2026, 10, 25), 1, 4),
        [
            "01:00+02:00",
            "01:30+02:00",
            "02:00+02:00",
            "02:30+02:00",
            "02:00+01:00",
            "02:30+01:00",
            "03:00+01:00"
        ]
    );
    assert_eq!(
        one_day("Australia/Lord_Howe", (2026, 4, 5), 1, 3),
        ["01:00+11:00", "01:30+11:00", "01:30+10:30", "02:00+10:30"],
        "half an hour is repeated"
    );
}

#[test]
fn the_great_circle_is_as_long_as_the_earth_is_round() {
    let point = |latitude, longitude| Point { latitude, longitude };
    let (vienna, berlin) = (point(48.2082, 16.3738), point(52.52, 13.405));
    assert!((GreatCircle::distance(vienna, berlin) - 523.5).abs() < 1.0);
    assert!((GreatCircle::distance(point(0.0, 0.0), point(0.0, 180.0)) - 20_015.1).abs() < 0.1);
    assert!(GreatCircle::distance(vienna, vienna).abs() < f64::EPSILON);
}
