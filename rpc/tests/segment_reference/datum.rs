//! Values of rows.

use std::cmp::Ordering;

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::fields::Type;

#[derive(Clone, Debug, PartialEq)]
pub enum Datum {
    Missing,
    Text(String),
    Number(Fraction),
    Boolean(bool),
    Instant(DateTime<Utc>),
    Day(NaiveDate),
    Uuid(Uuid),
}

impl Datum {
    /// A column as `to_jsonb` writes it.
    pub fn read(value: &Value, kind: Type) -> Self {
        if value.is_null() {
            return Self::Missing;
        }
        let text = || value.as_str().unwrap().to_owned();
        match kind {
            Type::Text | Type::Enum(_) => Self::Text(text()),
            Type::Number => Self::Number(Fraction::parse(&value.to_string())),
            Type::Boolean => Self::Boolean(value.as_bool().unwrap()),
            Type::Timestamp => {
                Self::Instant(DateTime::parse_from_rfc3339(&text()).unwrap().with_timezone(&Utc))
            }
            Type::Date => Self::Day(text().parse().unwrap()),
            Type::Uuid => Self::Uuid(text().parse().unwrap()),
            Type::Set | Type::Segment => panic!("not a column"),
        }
    }

    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        Some(match (self, other) {
            // The order of UTF-8 bytes is that of code points.
            (Self::Text(a), Self::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
            (Self::Number(a), Self::Number(b)) => a.cmp(b),
            (Self::Boolean(a), Self::Boolean(b)) => a.cmp(b),
            (Self::Instant(a), Self::Instant(b)) => a.cmp(b),
            (Self::Day(a), Self::Day(b)) => a.cmp(b),
            (Self::Uuid(a), Self::Uuid(b)) => a.cmp(b),
            (Self::Missing, _) | (_, Self::Missing) => return None,
            _ => panic!("{self:?} and {other:?} are not alike"),
        })
    }
}

/// Letter by letter, as Postgres does with the locale of the operating system: İ is one letter before and after.
pub fn lower(text: &str) -> String {
    text.chars()
        .map(|letter| {
            let mut folded = letter.to_lowercase();
            if letter == 'İ' { 'i' } else { folded.next().unwrap_or(letter) }
        })
        .collect()
}

/// An exact number, so that averages and decimals compare as they are.
#[derive(Clone, Copy, Debug)]
pub struct Fraction {
    above: i128,
    below: i128,
}

impl Fraction {
    pub const ZERO: Self = Self { above: 0, below: 1 };

    pub fn whole(number: usize) -> Self {
        Self { above: i128::try_from(number).unwrap(), below: 1 }
    }

    /// A decimal, possibly with an exponent.
    pub fn parse(text: &str) -> Self {
        let text = text.trim().to_lowercase();
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits: i128 = format!("{whole}{fraction}").parse().unwrap();
        let exponent = exponent.parse::<i32>().unwrap() - i32::try_from(fraction.len()).unwrap();
        let ten = |power: i32| 10_i128.pow(power.unsigned_abs());
        if exponent < 0 {
            Self { above: digits, below: ten(exponent) }
        } else {
            Self { above: digits * ten(exponent), below: 1 }
        }
    }

    pub fn plus(self, other: Self) -> Self {
        let below = self.below.max(other.below);
        // Both are powers of ten.
        Self {
            above: self.above * (below / self.below) + other.above * (below / other.below),
            below,
        }
    }

    /// As it is written; only for what was read.
    pub fn decimal(self) -> String {
        let places = self.below.ilog10() as usize;
        let digits = format!("{:0>width$}", self.above.abs(), width = places + 1);
        let (whole, fraction) = digits.split_at(digits.len() - places);
        let sign = if self.above < 0 { "-" } else { "" };
        if places == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
    }

    pub fn over(self, count: usize) -> Self {
        Self { above: self.above, below: self.below * i128::try_from(count).unwrap() }
    }
}

impl PartialEq for Fraction {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Fraction {}

impl PartialOrd for Fraction {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Fraction {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.above * other.below).cmp(&(other.above * self.below))
    }
}
