//! The query strings of lists: unknown and repeated parameters are refused, all mistakes at once.

use chrono::{DateTime, SecondsFormat, Utc};
use fieldcrm_core::{Error, FieldError, Result};
use uuid::Uuid;

pub const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 100;

/// A code and a message; the path is the parameter's name.
pub struct Refusal(pub &'static str, pub String);

/// Hands every parameter to `take` once, and gathers what it refuses.
pub fn read(query: &str, mut take: impl FnMut(&str, &str) -> Result<(), Refusal>) -> Result<()> {
    let mut seen: Vec<String> = Vec::new();
    let mut errors = Vec::new();
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        if seen.iter().any(|earlier| *earlier == key) {
            errors.push(FieldError::new(key, "duplicate_field", "can be given once"));
            continue;
        }
        if let Err(Refusal(code, message)) = take(&key, &value) {
            errors.push(FieldError::new(key.clone(), code, message));
        }
        seen.push(key.into_owned());
    }
    if errors.is_empty() { Ok(()) } else { Err(Error::invalid(errors)) }
}

#[must_use]
pub fn unknown() -> Refusal {
    Refusal("unknown_field", "is not a parameter of this list".to_owned())
}

pub fn limit(value: &str) -> Result<usize, Refusal> {
    within(value, 1, MAX_LIMIT)
}

pub fn offset(value: &str) -> Result<usize, Refusal> {
    within(value, 0, i32::MAX as usize)
}

/// Whether all rows are counted.
pub fn count(value: &str) -> Result<bool, Refusal> {
    choice(value, ["none", "exact"].into_iter()).map(|count| count == "exact")
}

pub fn uuid(value: &str) -> Result<String, Refusal> {
    Uuid::parse_str(value)
        .map(|id| id.to_string())
        .map_err(|_| Refusal("invalid_uuid", "expected a UUID".to_owned()))
}

/// A moment, as UTC.
pub fn time(value: &str) -> Result<String, Refusal> {
    DateTime::parse_from_rfc3339(value)
        .map(|time| time.with_timezone(&Utc).to_rfc3339_opts(SecondsFormat::Micros, true))
        .map_err(|_| {
            let message =
                "expected a time such as 2026-01-31T09:00:00Z; write + as %2B in a query string";
            Refusal("invalid_time", message.to_owned())
        })
}

pub fn choice(
    value: &str,
    mut known: impl Iterator<Item = &'static str> + Clone,
) -> Result<&'static str, Refusal> {
    let all = known.clone();
    known.find(|one| *one == value).ok_or_else(|| {
        Refusal("invalid_value", format!("expected one of {}", all.collect::<Vec<_>>().join(", ")))
    })
}

fn within(value: &str, least: usize, most: usize) -> Result<usize, Refusal> {
    value
        .parse()
        .ok()
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| Refusal("out_of_range", format!("expected a number from {least} to {most}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_with_its_offset_and_asked_as_utc() {
        assert_eq!(
            time("2026-01-31T09:00:00+01:00").ok().as_deref(),
            Some("2026-01-31T08:00:00.000000Z")
        );
        for wrong in ["2026-01-31", "2026-01-31T09:00:00 01:00", "now", "2026-02-30T00:00:00Z"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }
}
