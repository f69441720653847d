//! Local time and instants, by the rules of Postgres' `at time zone`.

use chrono::offset::LocalResult;
use chrono::{
    DateTime, Datelike, Duration, Months, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone,
    Utc,
};
use chrono_tz::Tz;
use serde_json::Value;

pub fn local(instant: DateTime<Utc>, zone: Tz) -> NaiveDateTime {
    instant.with_timezone(&zone).naive_local()
}

/// A time that the clocks skip is read with the offset before the change, one that they show twice with the
/// offset after it.
pub fn instant(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(time) | LocalResult::Ambiguous(_, time) => time.with_timezone(&Utc),
        LocalResult::None => {
            let before = zone.offset_from_utc_datetime(&(local - Duration::hours(24))).fix();
            (local - Duration::seconds(before.local_minus_utc().into())).and_utc()
        }
    }
}

pub fn start_of(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    instant(day.and_time(NaiveTime::MIN), zone)
}

/// Months, then days, then time, as Postgres adds an interval; a day that a month lacks is its last.
#[derive(Clone, Copy, Debug, Default)]
pub struct Span {
    months: i32,
    days: i64,
    seconds: i64,
}

impl Span {
    /// An ISO 8601 duration of whole numbers.
    pub fn parse(text: &str) -> Self {
        let mut span = Self::default();
        let (mut digits, mut time) = (String::new(), false);
        for letter in text.strip_prefix('P').unwrap().chars() {
            if letter.is_ascii_digit() {
                digits.push(letter);
                continue;
            }
            if letter == 'T' {
                time = true;
                continue;
            }
            let number: i64 = digits.parse().unwrap();
            digits.clear();
            span += match (letter, time) {
                ('Y', false) => Self::of(number, "year"),
                ('M', false) => Self::of(number, "month"),
                ('W', false) => Self::of(number, "week"),
                ('D', false) => Self::of(number, "day"),
                ('H', true) => Self::of(number, "hour"),
                ('M', true) => Self::of(number, "minute"),
                ('S', true) => Self { seconds: number, ..Self::default() },
                _ => panic!("{text} is no duration"),
            };
        }
        span
    }

    pub fn of(number: i64, unit: &str) -> Self {
        let months = |count: i64| Self { months: i32::try_from(count).unwrap(), ..Self::default() };
        match unit {
            "minute" => Self { seconds: number * 60, ..Self::default() },
            "hour" => Self { seconds: number * 3600, ..Self::default() },
            "day" => Self { days: number, ..Self::default() },
            "week" => Self { days: number * 7, ..Self::default() },
            "month" => months(number),
            "quarter" => months(number * 3),
            "year" => months(number * 12),
            _ => panic!("{unit} is no unit"),
        }
    }

    fn after(self, time: NaiveDateTime) -> NaiveDateTime {
        let months = Months::new(self.months.unsigned_abs());
        let moved = if self.months < 0 { time - months } else { time + months };
        moved + Duration::days(self.days) + Duration::seconds(self.seconds)
    }
}

impl std::ops::AddAssign for Span {
    fn add_assign(&mut self, other: Self) {
        self.months += other.months;
        self.days += other.days;
        self.seconds += other.seconds;
    }
}

impl std::ops::Neg for Span {
    type Output = Self;
    fn neg(self) -> Self {
        Self { months: -self.months, days: -self.days, seconds: -self.seconds }
    }
}

/// What the clocks on the wall say, moved by the span.
pub fn moved(now: DateTime<Utc>, span: Span, zone: Tz) -> DateTime<Utc> {
    instant(span.after(local(now, zone)), zone)
}

/// `{"mode": "relative", …}`.
pub fn relative(value: &Value, now: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
    let offset = value["offset"].as_i64().unwrap_or(0);
    let anchor = value["anchor"].as_str().unwrap();
    if anchor == "now" && offset == 0 {
        return now;
    }
    let time = local(now, zone);
    let today = time.date();
    let month = |month: u32| today.with_day(1).unwrap().with_month(month).unwrap();
    let day = match anchor {
        "startOfDay" => Some(today),
        "startOfWeek" => {
            Some(today - Duration::days(today.weekday().num_days_from_monday().into()))
        }
        "startOfMonth" => today.with_day(1),
        "startOfQuarter" => Some(month(today.month0() / 3 * 3 + 1)),
        "startOfYear" => Some(month(1)),
        _ => None,
    };
    let start = day.map_or(time, |day| day.and_time(NaiveTime::MIN));
    let span = Span::of(offset, value["unit"].as_str().unwrap_or("day"));
    instant(span.after(start), zone)
}
