//! When something was: lengths of time, days, calendar periods, before and after.

use chrono::{Datelike, Days, Month, Months, NaiveDate};
use serde_json::{Value, json};
use winnow::Parser;
use winnow::combinator::alt;
use winnow::stream::Stream;

use super::amount::number;
use super::input::{Input, Read, Result, maybe, miss, when};
use crate::segment::value;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Minute,
    Hour,
    Day,
    Week,
    Fortnight,
    Month,
    Quarter,
    Year,
}

const UNITS: &[(&str, Unit)] = &[
    ("minute", Unit::Minute),
    ("minutes", Unit::Minute),
    ("hour", Unit::Hour),
    ("hours", Unit::Hour),
    ("hrs", Unit::Hour),
    ("day", Unit::Day),
    ("days", Unit::Day),
    ("week", Unit::Week),
    ("weeks", Unit::Week),
    ("fortnight", Unit::Fortnight),
    ("month", Unit::Month),
    ("months", Unit::Month),
    ("quarter", Unit::Quarter),
    ("quarters", Unit::Quarter),
    ("year", Unit::Year),
    ("years", Unit::Year),
];

/// From a moment on, up to another.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Period {
    start: Value,
    end: Value,
    /// It is not over: what has happened in it happened since its start.
    current: bool,
    /// The year was left out and taken to be the last.
    guessed: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Time {
    /// `in the last 30 days`
    Last(String),
    /// `in the next 30 days`
    Next(String),
    /// `for 6 months`
    For(String),
    /// `more than 6 months ago`
    LongAgo(String),
    Since(Period),
    Before(Period),
    After(Period),
    In(Period),
    Between(Period, Period),
    On(NaiveDate),
}

impl Time {
    /// Whether it is after now, or may be.
    pub fn is_ahead(&self) -> bool {
        matches!(self, Self::Next(_))
    }

    /// The rules for a field that has the time: what has happened, or (`planned`) what is to come.
    pub fn rules(&self, field: &str, planned: bool) -> Option<Vec<Value>> {
        let rule = |operator: &str, value: Value| json!({"field": field, "operator": operator, "value": value});
        let from = |period: &Period| rule(">=", period.start.clone());
        let to = |period: &Period| rule("<", period.end.clone());
        if planned && self.periods().iter().any(|period| period.guessed) {
            return None;
        }
        Some(match self {
            Self::Last(span) => vec![rule("withinLast", json!(span))],
            Self::Next(span) => vec![rule("withinNext", json!(span))],
            Self::LongAgo(span) => vec![rule("olderThan", json!(span))],
            Self::For(_) => return None,
            Self::Since(period) => vec![from(period)],
            Self::Before(period) => vec![rule("<", period.start.clone())],
            Self::After(period) => vec![rule(">=", period.end.clone())],
            Self::In(period) if period.current && !planned => vec![from(period)],
            Self::In(period) => vec![from(period), to(period)],
            Self::Between(first, last) => vec![from(first), to(last)],
            Self::On(day) => vec![rule("=", json!(day.to_string()))],
        })
    }

    /// The rules for the field of a last time that something happened, where it did not happen in this time.
    pub fn absence(&self, field: &str) -> Option<Vec<Value>> {
        let rule = |operator: &str, value: Value| {
            vec![json!({"field": field, "operator": operator, "value": value})]
        };
        match self {
            Self::For(span) | Self::Last(span) => Some(rule("olderThan", json!(span))),
            Self::Since(period) => Some(rule("<", period.start.clone())),
            Self::In(period) if period.current => Some(rule("<", period.start.clone())),
            _ => None,
        }
    }

    /// Whether it reaches to now, so that the last time says whether it happened at all.
    pub fn reaches_now(&self) -> bool {
        match self {
            Self::Last(_) | Self::Since(_) | Self::After(_) => true,
            Self::In(period) => period.current,
            _ => false,
        }
    }

    fn periods(&self) -> Vec<&Period> {
        match self {
            Self::Since(period) | Self::Before(period) | Self::After(period) | Self::In(period) => {
                vec![period]
            }
            Self::Between(first, last) => vec![first, last],
            _ => Vec::new(),
        }
    }
}

/// A length of time as ISO 8601 writes it: `6 months`, `half a year`, `a week`, and after "last" also `week`.
fn span(input: &mut Input<'_>, bare: bool) -> Result<String> {
    let first = input.peek_now();
    if input.eat("half a year") {
        return Ok("P6M".to_owned());
    }
    let count = match maybe(input, number) {
        Some(number) => number.as_u64().map_or_else(miss, Ok)?,
        None => when(input.eat_any(&["a", "an"]) || bare, 1)?,
    };
    input.peek_now();
    let Some(unit) = input.choose(UNITS) else { return miss() };
    let text = match unit {
        Unit::Minute => format!("PT{count}M"),
        Unit::Hour => format!("PT{count}H"),
        Unit::Day => format!("P{count}D"),
        Unit::Week => format!("P{count}W"),
        Unit::Fortnight => format!("P{}W", count.saturating_mul(2)),
        Unit::Month => format!("P{count}M"),
        Unit::Quarter => format!("P{}M", count.saturating_mul(3)),
        Unit::Year => format!("P{count}Y"),
    };
    if let (Some(first), Err((code, message))) = (first, value::span(&json!(text))) {
        input.state.refuse(first, code, message);
    }
    Ok(text)
}

const OVER: &[&str] = &["more than", "over", "longer than", "at least"];

pub(super) fn time(input: &mut Input<'_>) -> Result<Time> {
    input.peek_now();
    alt((last_or_next, ago, held_for, between, since, on, within)).parse_next(input)
}

fn last_or_next(input: &mut Input<'_>) -> Result<Time> {
    input.eat_any(&["in", "within", "during", "over", "for"]);
    let the = input.eat("the");
    let past = input.eat("past");
    let last = past || input.eat_any(&["last", "previous"]);
    if !last && !input.eat_any(&["next", "coming", "following"]) {
        return miss();
    }
    // "last month" is the one before this; "the last month" and "the past month" reach until now.
    let span = span(input, the || past)?;
    Ok(if last { Time::Last(span) } else { Time::Next(span) })
}

fn ago(input: &mut Input<'_>) -> Result<Time> {
    let long = input.eat_any(OVER);
    let short = !long && input.eat_any(&["less than", "under"]);
    when(long || short, ())?;
    let span = span(input, false)?;
    when(input.eat("ago"), if long { Time::LongAgo(span) } else { Time::Last(span) })
}

fn held_for(input: &mut Input<'_>) -> Result<Time> {
    when(input.eat_any(&["for", "in"]), ())?;
    input.eat_any(OVER);
    span(input, false).map(Time::For)
}

fn since(input: &mut Input<'_>) -> Result<Time> {
    let make = input.choose(&[
        ("since", Time::Since as fn(Period) -> Time),
        ("before", Time::Before),
        ("until", Time::Before),
        ("prior to", Time::Before),
        ("after", Time::After),
    ]);
    let Some(make) = make else { return miss() };
    input.eat("the");
    period(input).map(make)
}

fn between(input: &mut Input<'_>) -> Result<Time> {
    let from = if input.eat("between") { Some("and") } else { input.eat("from").then_some("to") };
    let Some(and) = from else { return miss() };
    let start = input.checkpoint();
    // "between January and March 2026": one year for both.
    if let (Some(first), true) = (month_name(input), input.eat(and))
        && let (Some(last), Some(year)) = (month_name(input), year(input))
    {
        let (first, last) = (month(first, year)?, month(last, year)?);
        return Ok(Time::Between(first, last));
    }
    input.reset(&start);
    let first = period(input)?;
    when(input.eat(and), ())?;
    Ok(Time::Between(first, period(input)?))
}

fn on(input: &mut Input<'_>) -> Result<Time> {
    input.eat("on");
    day(input).map(Time::On)
}

fn within(input: &mut Input<'_>) -> Result<Time> {
    input.eat_any(&["in", "during"]);
    period(input).map(Time::In)
}

fn relative(anchor: &str, offset: i64, unit: &str) -> Value {
    if offset == 0 {
        return json!({"mode": "relative", "anchor": anchor});
    }
    json!({"mode": "relative", "anchor": anchor, "offset": offset, "unit": unit})
}

fn period(input: &mut Input<'_>) -> Result<Period> {
    input.peek_now();
    alt((calendar, quarter, dated, day.map(whole_day), year_alone)).parse_next(input)
}

fn whole_day(day: NaiveDate) -> Period {
    let next = day.checked_add_days(Days::new(1)).unwrap_or(day);
    fixed(day, next)
}

fn fixed(start: NaiveDate, end: NaiveDate) -> Period {
    Period {
        start: json!(start.to_string()),
        end: json!(end.to_string()),
        current: false,
        guessed: false,
    }
}

/// `this year`, `last month`, `next week`, `yesterday`.
fn calendar(input: &mut Input<'_>) -> Result<Period> {
    let single = input.choose(&[("today", 0), ("yesterday", -1), ("tomorrow", 1)]);
    let (offset, anchor, unit) = if let Some(offset) = single {
        (offset, "startOfDay", "day")
    } else {
        let which = [
            ("this", 0),
            ("current", 0),
            ("last", -1),
            ("previous", -1),
            ("next", 1),
            ("start of this", 0),
            ("start of the", 0),
        ];
        let Some(offset) = input.choose(&which) else { return miss() };
        input.peek_now();
        let units = [
            ("day", ("startOfDay", "day")),
            ("week", ("startOfWeek", "week")),
            ("month", ("startOfMonth", "month")),
            ("quarter", ("startOfQuarter", "quarter")),
            ("year", ("startOfYear", "year")),
        ];
        let Some((anchor, unit)) = input.choose(&units) else { return miss() };
        (offset, anchor, unit)
    };
    let (start, end) = (relative(anchor, offset, unit), relative(anchor, offset + 1, unit));
    Ok(Period { start, end, current: offset == 0, guessed: false })
}

fn quarter(input: &mut Input<'_>) -> Result<Period> {
    let Some(number) = input.choose(&[("q1", 0), ("q2", 3), ("q3", 6), ("q4", 9)]) else {
        return miss();
    };
    let Some(year) = year(input) else { return miss() };
    let start = NaiveDate::from_ymd_opt(year, number + 1, 1);
    let whole =
        start.and_then(|start| Some(fixed(start, start.checked_add_months(Months::new(3))?)));
    whole.map_or_else(miss, Ok)
}

fn month(month: Month, year: i32) -> Result<Period> {
    let start = NaiveDate::from_ymd_opt(year, month.number_from_month(), 1);
    let whole =
        start.and_then(|start| Some(fixed(start, start.checked_add_months(Months::new(1))?)));
    whole.map_or_else(miss, Ok)
}

/// `March 2026`, or `March`, the last that has begun.
fn dated(input: &mut Input<'_>) -> Result<Period> {
    let Some(name) = month_name(input) else { return miss() };
    input.eat("of");
    if let Some(year) = year(input) {
        return month(name, year);
    }
    // "5 March" is a day; "March 5" is one too, and no month with a number after it.
    when(
        input.peek_at(0).is_none_or(|token| !token.low.starts_with(|c: char| c.is_ascii_digit())),
        (),
    )?;
    let today = input.state.today;
    let year =
        if name.number_from_month() <= today.month() { today.year() } else { today.year() - 1 };
    month(name, year).map(|period| Period { guessed: true, ..period })
}

fn year_alone(input: &mut Input<'_>) -> Result<Period> {
    let whole = year(input).and_then(|year| {
        Some(fixed(NaiveDate::from_ymd_opt(year, 1, 1)?, NaiveDate::from_ymd_opt(year + 1, 1, 1)?))
    });
    whole.map_or_else(miss, Ok)
}

fn month_name(input: &mut Input<'_>) -> Option<Month> {
    let token = input.peek_now()?;
    let name = token.low.trim_end_matches('.');
    // "may" the verb is never where a month can be.
    let month = name.parse::<Month>().ok().filter(|_| name.len() >= 3)?;
    input.skip(1);
    Some(month)
}

fn year(input: &mut Input<'_>) -> Option<i32> {
    let token = input.peek_now()?;
    let year: i32 = Some(&token.low).filter(|text| text.len() == 4)?.parse().ok()?;
    if !(1900..=2199).contains(&year) {
        return None;
    }
    input.skip(1);
    Some(year)
}

/// `2026-03-05`, `5 March 2026`, `March 5, 2026`; not `3/4/2026`, which is two days.
fn day(input: &mut Input<'_>) -> Result<NaiveDate> {
    alt((iso, day_first, month_first)).parse_next(input)
}

fn iso(input: &mut Input<'_>) -> Result<NaiveDate> {
    let token = input.peek_now().filter(|token| token.low.len() == 10);
    let day = token.and_then(|token| NaiveDate::parse_from_str(&token.low, "%Y-%m-%d").ok());
    let Some(day) = day.filter(|day| (1900..=2199).contains(&day.year())) else { return miss() };
    input.skip(1);
    Ok(day)
}

fn day_number(input: &mut Input<'_>) -> Option<u32> {
    let token = input.peek_now()?;
    let digits = ["st", "nd", "rd", "th"]
        .iter()
        .find_map(|ending| token.low.strip_suffix(ending))
        .unwrap_or(&token.low);
    let day = digits.parse().ok().filter(|day| (1..=31).contains(day))?;
    input.skip(1);
    Some(day)
}

fn day_first(input: &mut Input<'_>) -> Result<NaiveDate> {
    input.eat("the");
    let Some(day) = day_number(input) else { return miss() };
    input.eat("of");
    let (Some(month), Some(year)) = (month_name(input), year(input)) else { return miss() };
    NaiveDate::from_ymd_opt(year, month.number_from_month(), day).map_or_else(miss, Ok)
}

fn month_first(input: &mut Input<'_>) -> Result<NaiveDate> {
    let Some(month) = month_name(input) else { return miss() };
    let Some(day) = day_number(input) else { return miss() };
    input.eat(",");
    let Some(year) = year(input) else { return miss() };
    NaiveDate::from_ymd_opt(year, month.number_from_month(), day).map_or_else(miss, Ok)
}

pub(super) fn is_unit(word: &str) -> bool {
    UNITS.iter().any(|(unit, _)| *unit == word)
}

/// `overdue`, and by how long: `more than 60 days overdue`, `overdue by over a month`.
pub(super) fn late(input: &mut Input<'_>) -> Result<Option<String>> {
    input.eat_any(&["that are", "which are", "that is"]);
    if input.eat("overdue") {
        let by = maybe(input, |input: &mut Input<'_>| {
            when(input.eat_any(&["by", "for"]) && input.eat_any(OVER), ())?;
            span(input, false)
        });
        return Ok(by);
    }
    when(input.eat_any(OVER), ())?;
    let by = span(input, false)?;
    when(input.eat_any(&["overdue", "past due", "late"]), Some(by))
}
