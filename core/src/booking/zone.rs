//! The clock of a zone over a few weeks: stretches of one offset, found once, so that nothing else asks the zone.

use chrono::{DateTime, NaiveDate, Offset, TimeZone};
use chrono_tz::Tz;

pub(super) const DAY: i64 = 86_400;

/// From `from` to before `to`, in seconds since 1970, the clock shows the time plus `offset`.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    from: i64,
    to: i64,
    offset: i64,
}

pub(super) struct Clock(Vec<Stretch>);

impl Clock {
    /// From a day before the first to a day after the last; no clock is further from UTC than that.
    pub fn new(zone: Tz, first: NaiveDate, last: NaiveDate) -> Self {
        let (from, to) = (midnight(first) - DAY, midnight(last) + 2 * DAY);
        let mut stretches = vec![Stretch { from, to: from, offset: offset(zone, from) }];
        let mut at = from;
        while at < to {
            let next = (at + DAY).min(to);
            let (before, after) = (offset(zone, at), offset(zone, next));
            if before != after {
                // No clock changes twice in a day.
                let (mut low, mut high) = (at, next);
                while high - low > 1 {
                    let middle = low.midpoint(high);
                    if offset(zone, middle) == before { low = middle } else { high = middle }
                }
                if let Some(last) = stretches.last_mut() {
                    last.to = high;
                }
                stretches.push(Stretch { from: high, to: high, offset: after });
            }
            at = next;
        }
        if let Some(last) = stretches.last_mut() {
            last.to = to;
        }
        Self(stretches)
    }

    /// When the clock shows a time from `start` to before `end`, in seconds of that day: twice where it is set
    /// back over it, never where it is set forward.
    pub fn instants(
        &self,
        day: NaiveDate,
        start: i64,
        end: i64,
    ) -> impl Iterator<Item = (i64, i64)> {
        let midnight = midnight(day);
        self.0.iter().filter_map(move |stretch| {
            let from = (midnight + start - stretch.offset).max(stretch.from);
            let to = (midnight + end - stretch.offset).min(stretch.to);
            (from < to).then_some((from, to))
        })
    }

    /// The day that the clock shows, counted from 1970.
    pub fn day(&self, at: i64) -> i64 {
        self.shown(at).div_euclid(DAY)
    }

    /// The seconds since midnight that the clock shows.
    pub fn second(&self, at: i64) -> i64 {
        self.shown(at).rem_euclid(DAY)
    }

    fn shown(&self, at: i64) -> i64 {
        let found = self.0.partition_point(|stretch| stretch.to <= at).min(self.0.len() - 1);
        at + self.0[found].offset
    }
}

fn midnight(day: NaiveDate) -> i64 {
    day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp()
}

fn offset(zone: Tz, at: i64) -> i64 {
    let at = DateTime::from_timestamp(at, 0).unwrap_or_default().naive_utc();
    zone.offset_from_utc_datetime(&at).fix().local_minus_utc().into()
}
