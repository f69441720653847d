//! Hours of the day in a time zone.
//!
//! Hours are those that a clock on the wall shows. Where clocks go forward, what would begin in the gap
//! begins after it; where they go back, it begins the first time the clock shows it, and an hour that is
//! shown twice is inside or outside both times.

use chrono::{DateTime, Duration, Offset, TimeZone, Timelike, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};

const DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// From one time of the day until before another one, over midnight where that is not later. In
/// microseconds since midnight.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hours {
    from: i64,
    to: i64,
}

/// The hours of a contact window. Without a start it begins at midnight, without an end it ends there;
/// the same time twice (or none) is no window.
pub(super) fn window(start: Option<u32>, end: Option<u32>) -> Option<Hours> {
    hours(start.unwrap_or(0), end.unwrap_or(0))
}

/// The hours that quiet hours leave; the same time twice is none.
pub(super) fn quiet(start: Option<u32>, end: Option<u32>) -> Option<Hours> {
    hours(end?, start?)
}

/// Postgres has midnight twice: 00:00 and 24:00.
fn hours(from: u32, to: u32) -> Option<Hours> {
    let [from, to] = [from, to].map(|seconds| i64::from(seconds) * 1_000_000 % DAY);
    (from != to).then_some(Hours { from, to })
}

impl Hours {
    pub fn at(self, zone: Tz) -> Daily {
        Daily { hours: self, zone }
    }

    fn contains(self, time: i64) -> bool {
        if self.from < self.to {
            (self.from..self.to).contains(&time)
        } else {
            time >= self.from || time < self.to
        }
    }
}

/// Hours that come round every day.
#[derive(Clone, Copy, Debug)]
pub(super) struct Daily {
    hours: Hours,
    zone: Tz,
}

impl Daily {
    /// The first moment from this one on that is within the hours.
    pub fn next(self, at: DateTime<Utc>) -> DateTime<Utc> {
        let mut at = at;
        loop {
            let local = at.with_timezone(&self.zone).time();
            let time = i64::from(local.num_seconds_from_midnight()) * 1_000_000
                + i64::from(local.nanosecond() / 1000);
            if self.hours.contains(time) {
                return at;
            }
            let then = at + Duration::microseconds((self.hours.from - time).rem_euclid(DAY));
            match self.clocks_changed(at, then) {
                None => return then,
                Some(changed) => at = changed,
            }
        }
    }

    /// When clocks are changed after the one moment and not after the other.
    fn clocks_changed(self, after: DateTime<Utc>, until: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let before = self.offset(after);
        if self.offset(until) == before {
            return None;
        }
        // Clocks are changed at whole seconds.
        let (mut low, mut high) = (after.timestamp(), until.timestamp());
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            let there = DateTime::from_timestamp(middle, 0).unwrap_or(until);
            if self.offset(there) == before { low = middle } else { high = middle }
        }
        DateTime::from_timestamp(high, 0)
    }

    fn offset(self, at: DateTime<Utc>) -> i32 {
        self.zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc()
    }
}

/// The first zone that is known, else UTC. Postgres knows more names than the IANA list has, and takes
/// them in any case.
pub(super) fn zone<const N: usize>(names: [Option<&str>; N]) -> Tz {
    names.into_iter().flatten().find_map(by_name).unwrap_or(Tz::UTC)
}

fn by_name(name: &str) -> Option<Tz> {
    let any_case =
        || TZ_VARIANTS.iter().find(|zone| zone.name().eq_ignore_ascii_case(name)).copied();
    name.parse().ok().or_else(any_case)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn check(hours: Option<Hours>, zone: Tz, at: &str, expect: &str) {
        let found = hours.unwrap().at(zone).next(time(at));
        assert_eq!(found, time(expect), "{hours:?} in {zone} from {at}");
    }

    #[test]
    fn windows_begin_at_their_start_and_end_before_their_end() {
        let nine_to_five = window(Some(9 * 3600), Some(17 * 3600));
        let zone = Tz::Europe__Berlin;
        for (at, expect) in [
            ("2026-01-05T08:00:00Z", "2026-01-05T08:00:00Z"),
            ("2026-01-05T07:59:59.999999Z", "2026-01-05T08:00:00Z"),
            ("2026-01-05T15:59:59.999999Z", "2026-01-05T15:59:59.999999Z"),
            ("2026-01-05T16:00:00Z", "2026-01-06T08:00:00Z"),
        ] {
            check(nine_to_five, zone, at, expect);
        }
    }

    #[test]
    fn hours_over_midnight_and_half_given_windows() {
        let night = window(Some(22 * 3600), Some(6 * 3600));
        check(night, Tz::UTC, "2026-01-05T23:00:00Z", "2026-01-05T23:00:00Z");
        check(night, Tz::UTC, "2026-01-05T05:59:00Z", "2026-01-05T05:59:00Z");
        check(night, Tz::UTC, "2026-01-05T06:00:00Z", "2026-01-05T22:00:00Z");
        let quiet_night = quiet(Some(22 * 3600), Some(6 * 3600));
        check(quiet_night, Tz::UTC, "2026-01-05T22:00:00Z", "2026-01-06T06:00:00Z");
        let from_noon = window(Some(12 * 3600), None);
        check(from_noon, Tz::UTC, "2026-01-05T23:59:59Z", "2026-01-05T23:59:59Z");
        check(from_noon, Tz::UTC, "2026-01-06T00:00:00Z", "2026-01-06T12:00:00Z");
        let until_noon = window(None, Some(12 * 3600));
        check(until_noon, Tz::UTC, "2026-01-05T12:00:00Z", "2026-01-06T00:00:00Z");
        for none in [
            window(None, None),
            window(Some(3600), Some(3600)),
            window(Some(0), Some(86_400)),
            window(Some(86_400), None),
            quiet(Some(0), Some(86_400)),
            quiet(None, None),
        ] {
            assert!(none.is_none());
        }
    }

    #[test]
    fn what_begins_in_a_gap_begins_after_it() {
        // New York skips 02:00 to 03:00 on 2026-03-08.
        let zone = Tz::America__New_York;
        let early = window(Some(2 * 3600 + 1800), Some(12 * 3600));
        check(early, zone, "2026-03-08T05:00:00Z", "2026-03-08T07:00:00Z");
        // All of it is in the gap: it is left out that day.
        let gone = window(Some(2 * 3600), Some(3 * 3600));
        check(gone, zone, "2026-03-08T05:00:00Z", "2026-03-09T06:00:00Z");
        let quiet_until_gap = quiet(Some(22 * 3600), Some(2 * 3600 + 1800));
        check(quiet_until_gap, zone, "2026-03-08T05:00:00Z", "2026-03-08T07:00:00Z");
        // Apia had no 30 December 2011.
        let noon = window(Some(12 * 3600), Some(13 * 3600));
        check(noon, Tz::Pacific__Apia, "2011-12-30T00:00:00Z", "2011-12-30T22:00:00Z");
    }

    #[test]
    fn what_begins_in_a_doubled_hour_begins_the_first_time() {
        // New York has 01:00 to 02:00 twice on 2026-11-01: at 05:00 and at 06:00 UTC.
        let zone = Tz::America__New_York;
        let early = window(Some(3600 + 1800), Some(12 * 3600));
        check(early, zone, "2026-11-01T04:00:00Z", "2026-11-01T05:30:00Z");
        check(early, zone, "2026-11-01T05:45:00Z", "2026-11-01T05:45:00Z");
        check(early, zone, "2026-11-01T06:15:00Z", "2026-11-01T06:30:00Z");
        let late = window(Some(12 * 3600), Some(13 * 3600));
        check(late, zone, "2026-11-01T04:00:00Z", "2026-11-01T17:00:00Z");
    }

    #[test]
    fn an_unknown_zone_is_the_next_one_and_at_last_utc() {
        assert_eq!(zone([Some("Europe/Paris"), Some("Asia/Tokyo")]), Tz::Europe__Paris);
        assert_eq!(zone([Some("europe/paris")]), Tz::Europe__Paris);
        assert_eq!(zone([Some("<X>-3"), Some("Asia/Tokyo")]), Tz::Asia__Tokyo);
        assert_eq!(zone([None, Some("Mars/Base")]), Tz::UTC);
    }
}
