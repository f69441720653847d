//! Values of rules: what JSON they are written as, and what a database is told to make of them.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use jiff::fmt::temporal::SpanParser;
use serde_json::{Value, json};
use uuid::Uuid;

use super::catalogue::Kind;

/// The most characters a text value can have.
pub const MAX_TEXT: usize = 1_000;
/// How far from now a relative date can be, in days.
const MAX_DAYS: i64 = 36_600;

#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    Text(String),
    /// Decimal digits as the database reads them.
    Number(String),
    Boolean(bool),
    Uuid(Uuid),
    Moment(Moment),
}

/// A day in the org's time zone, or an instant.
#[derive(Clone, Debug, PartialEq)]
pub enum Moment {
    Day(NaiveDate),
    Instant(DateTime<Utc>),
    Relative { anchor: Anchor, offset: i64, unit: Unit },
}

/// A duration as the calendar has it: `P3M` is three months, however many days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    pub text: String,
    /// Roughly, to compare it with others.
    pub days: i64,
}

macro_rules! words {
    ($(#[$doc:meta])* $type:ident { $($name:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $type { $($name,)* }

        impl $type {
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|word| word.as_str() == text)
            }

            pub(super) fn all() -> String {
                Self::ALL.iter().map(|word| word.as_str()).collect::<Vec<_>>().join(", ")
            }
        }
    };
}

words! {
    /// Where a relative date starts, in the org's time zone; weeks start on Monday.
    Anchor {
        Now = "now", Day = "startOfDay", Week = "startOfWeek", Month = "startOfMonth",
        Quarter = "startOfQuarter", Year = "startOfYear",
    }
}
words! {
    Unit {
        Minute = "minute", Hour = "hour", Day = "day", Week = "week", Month = "month",
        Quarter = "quarter", Year = "year",
    }
}

impl Anchor {
    /// What Postgres truncates to.
    const fn field(self) -> Option<&'static str> {
        match self {
            Self::Now => None,
            Self::Day => Some("day"),
            Self::Week => Some("week"),
            Self::Month => Some("month"),
            Self::Quarter => Some("quarter"),
            Self::Year => Some("year"),
        }
    }
}

/// A code and a message; the path is the reader's to know.
pub type Refusal = (&'static str, String);

fn refuse<T>(code: &'static str, message: impl Into<String>) -> Result<T, Refusal> {
    Err((code, message.into()))
}

/// A value of that kind, or why it is none.
pub fn read(value: &Value, kind: Kind, ignore_case: bool) -> Result<Literal, Refusal> {
    match kind {
        Kind::Text | Kind::Tags | Kind::Segment => text(value).map(Literal::Text),
        Kind::Enum(choices, _) => {
            let text = text(value)?;
            let text = if ignore_case { text.to_lowercase() } else { text };
            if choices.contains(&text.as_str()) {
                return Ok(Literal::Text(text));
            }
            refuse("invalid_value", format!("must be one of {}", choices.join(", ")))
        }
        Kind::Number => number(value).map(Literal::Number),
        Kind::Boolean => match value {
            Value::Bool(value) => Ok(Literal::Boolean(*value)),
            _ => refuse("invalid_type", "must be true or false"),
        },
        Kind::Uuid => match value.as_str().map(Uuid::parse_str) {
            Some(Ok(id)) => Ok(Literal::Uuid(id)),
            _ => refuse("invalid_value", "must be a UUID"),
        },
        Kind::Timestamp | Kind::Date => moment(value).map(Literal::Moment),
    }
}

pub fn text(value: &Value) -> Result<String, Refusal> {
    match value {
        Value::String(text) if text.chars().count() > MAX_TEXT => {
            refuse("too_long", format!("can have at most {MAX_TEXT} characters"))
        }
        // No text of the database holds it.
        Value::String(text) if text.contains('\0') => {
            refuse("invalid_value", "must not contain the character NUL")
        }
        Value::String(text) => Ok(text.clone()),
        _ => refuse("invalid_type", "must be text"),
    }
}

fn number(value: &Value) -> Result<String, Refusal> {
    match value {
        Value::Number(number) => Ok(number.to_string()),
        Value::String(text) if is_numeric(text.trim()) => Ok(text.trim().to_owned()),
        Value::String(_) => refuse("invalid_value", "must be a number"),
        _ => refuse("invalid_type", "must be a number"),
    }
}

/// Decimal digits with an optional fraction and an exponent of up to three digits.
fn is_numeric(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    text.len() <= 100
        && digits(whole)
        && digits(fraction)
        && whole.len() + fraction.len() > 0
        && exponent.is_none_or(|exponent| {
            let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            digits(exponent) && (1..=3).contains(&exponent.len())
        })
}

/// -1, 0 or 1, as the number is; exact, however small it is.
pub(super) fn sign(number: &str) -> i8 {
    let mantissa = number.split(['e', 'E']).next().unwrap_or(number);
    match (mantissa.contains(|c: char| ('1'..='9').contains(&c)), mantissa.starts_with('-')) {
        (false, _) => 0,
        (true, true) => -1,
        (true, false) => 1,
    }
}

fn moment(value: &Value) -> Result<Moment, Refusal> {
    match value {
        Value::String(text) => written(text).map_or_else(
            || refuse("invalid_date", "must be a day such as 2026-01-31, a timestamp with a time zone such as 2026-01-31T09:00:00Z, or a relative date"),
            Ok,
        ),
        Value::Object(_) => relative(value),
        _ => refuse("invalid_type", "must be a date"),
    }
}

fn written(text: &str) -> Option<Moment> {
    let known = |year: i32| (1..=9999).contains(&year);
    if text.len() == 10 {
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
        let canonical = day.format("%Y-%m-%d").to_string() == text;
        return (canonical && known(day.year())).then_some(Moment::Day(day));
    }
    let instant = DateTime::parse_from_rfc3339(text).ok()?.with_timezone(&Utc);
    known(instant.year()).then_some(Moment::Instant(instant))
}

fn relative(value: &Value) -> Result<Moment, Refusal> {
    let keys = ["mode", "anchor", "offset", "unit"];
    if let Some(key) =
        value.as_object().and_then(|object| object.keys().find(|key| !keys.contains(&key.as_str())))
    {
        return refuse("unknown_key", format!("a relative date has no \"{}\"", shown(key)));
    }
    if value["mode"] != "relative" {
        return refuse("invalid_value", "mode must be \"relative\"");
    }
    let Some(anchor) = value["anchor"].as_str().and_then(Anchor::parse) else {
        return refuse("invalid_value", format!("anchor must be one of {}", Anchor::all()));
    };
    let offset = match &value["offset"] {
        Value::Null => 0,
        offset => match offset.as_i64() {
            Some(offset) => offset,
            None => return refuse("invalid_value", "offset must be a whole number"),
        },
    };
    let unit = match &value["unit"] {
        Value::Null if offset == 0 => Unit::Day,
        unit => match unit.as_str().and_then(Unit::parse) {
            Some(unit) => unit,
            None => return refuse("invalid_value", format!("unit must be one of {}", Unit::all())),
        },
    };
    let far = match unit {
        Unit::Minute => MAX_DAYS * 24 * 60,
        Unit::Hour => MAX_DAYS * 24,
        Unit::Day => MAX_DAYS,
        Unit::Week => MAX_DAYS / 7,
        Unit::Month => MAX_DAYS / 31,
        Unit::Quarter => MAX_DAYS / 92,
        Unit::Year => MAX_DAYS / 366,
    };
    if !(-far..=far).contains(&offset) {
        return refuse("out_of_range", format!("offset must be from -{far} to {far}"));
    }
    Ok(Moment::Relative { anchor, offset, unit })
}

/// An ISO 8601 duration, not negative.
pub fn span(value: &Value) -> Result<Span, Refusal> {
    let Value::String(text) = value else {
        return refuse("invalid_type", "must be an ISO 8601 duration such as P90D");
    };
    let parsed = if text.len() > 100 { None } else { SpanParser::new().parse_span(text).ok() };
    let Some(span) = parsed.filter(|_| !text.starts_with(['+', '-'])) else {
        return refuse(
            "invalid_duration",
            "must be an ISO 8601 duration such as P90D, P3M or PT12H, and not negative",
        );
    };
    let days = i64::from(span.get_years()) * 366
        + i64::from(span.get_months()) * 31
        + i64::from(span.get_weeks()) * 7
        + i64::from(span.get_days())
        + i64::from(span.get_hours()) / 24
        + span.get_minutes() / (24 * 60)
        + span.get_seconds() / (24 * 60 * 60);
    if days > MAX_DAYS {
        return refuse("out_of_range", "must be at most 100 years");
    }
    Ok(Span { text: span.to_string(), days })
}

/// Whether an instant, or the local day it falls on, is wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum As {
    Instant,
    Day,
}

impl Moment {
    /// Where it starts, for the statement that resolves moments.
    pub(super) fn start(&self) -> Value {
        match self {
            Self::Day(day) => json!({"day": day.to_string()}),
            Self::Instant(instant) => {
                json!({"at": instant.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()})
            }
            Self::Relative { anchor: Anchor::Now, offset: 0, .. } => json!({"now": true}),
            Self::Relative { anchor, offset, unit } => {
                let (offset, unit) = match unit {
                    Unit::Quarter => (offset * 3, Unit::Month),
                    unit => (*offset, *unit),
                };
                json!({"truncate": anchor.field(), "add": format!("{offset} {}", unit.as_str())})
            }
        }
    }

    /// The start of the day after a day; of an instant nothing.
    pub(super) fn end(&self) -> Option<Value> {
        match self {
            Self::Day(day) => Some(json!({"day": day.to_string(), "add": "1 day"})),
            _ => None,
        }
    }
}

impl Span {
    pub(super) fn ago(&self) -> Value {
        json!({"subtract": self.text})
    }

    pub(super) fn ahead(&self) -> Value {
        json!({"add": self.text})
    }
}

/// A client's word in a message: as much as helps to find it.
pub(super) fn shown(text: &str) -> String {
    let mut cut: String = text.chars().filter(|c| !c.is_control()).take(60).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut
}

/// An array as Postgres writes it, each element in quotes.
pub(super) fn array(elements: impl IntoIterator<Item = String>) -> String {
    let quoted: Vec<_> = elements
        .into_iter()
        .map(|text| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
        .collect();
    format!("{{{}}}", quoted.join(","))
}
