//! Where a page of a list that goes from new to old ends.

use chrono::{DateTime, Datelike};
use uuid::Uuid;

use crate::{Error, Result};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The last row of a page. Clients get it as one opaque word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// RFC 3339, to the microsecond, as Postgres writes it into JSON.
    pub at: String,
    pub id: Uuid,
}

impl Cursor {
    #[must_use]
    pub fn encode(&self) -> String {
        let text = format!("{} {}", self.at, self.id);
        let mut word = String::with_capacity(text.len().div_ceil(3) * 4);
        for chunk in text.as_bytes().chunks(3) {
            let bits = chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte));
            let bits = bits << (8 * (3 - chunk.len()));
            for place in 0..=chunk.len() {
                let digit = bits >> (18 - 6 * place) & 63;
                word.push(char::from(ALPHABET[digit as usize]));
            }
        }
        word
    }

    /// Reads what [`Self::encode`] made; whatever else came is an error of the field `cursor`.
    pub fn parse(word: &str) -> Result<Self> {
        let message = "is not a next_cursor of this list";
        read(word).ok_or_else(|| Error::invalid_field("cursor", "invalid_cursor", message))
    }
}

fn read(word: &str) -> Option<Cursor> {
    let mut bytes = Vec::with_capacity(word.len());
    for chunk in word.as_bytes().chunks(4) {
        let mut bits = 0u32;
        for byte in chunk {
            let digit = ALPHABET.iter().position(|known| known == byte)?;
            bits = bits << 6 | u32::try_from(digit).ok()?;
        }
        bits <<= 6 * (4 - chunk.len());
        bytes.extend_from_slice(&bits.to_be_bytes()[1..chunk.len()]);
    }
    let text = String::from_utf8(bytes).ok()?;
    let (at, id) = text.split_once(' ')?;
    let time = DateTime::parse_from_rfc3339(at).ok()?;
    // Postgres knows neither a year 0 nor offsets of a day.
    if time.year() < 1 || time.offset().local_minus_utc().abs() > 14 * 3600 {
        return None;
    }
    let cursor = Cursor { at: at.to_owned(), id: id.parse().ok()? };
    (cursor.encode() == word).then_some(cursor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_the_journey_in_letters_that_urls_allow() {
        for at in [
            "2026-11-21T10:00:00.123456+00:00",
            "2026-11-21T10:00:00.1+00:00",
            "2026-11-21T10:00:00Z",
        ] {
            let cursor = Cursor { at: at.to_owned(), id: Uuid::from_u128(7) };
            let word = cursor.encode();
            assert!(word.bytes().all(|byte| ALPHABET.contains(&byte)), "{word}");
            assert_eq!(Cursor::parse(&word), Ok(cursor));
        }
    }

    #[test]
    fn what_was_not_handed_out_is_refused() {
        let never = |at: &str| Cursor { at: at.to_owned(), id: Uuid::nil() }.encode();
        let times = ["yesterday", "0000-01-01T00:00:00Z", "2026-01-01T00:00:00+23:00"].map(never);
        for word in times.iter().map(String::as_str).chain([
            "",
            "?",
            "A",
            "MjAyNg",
            "MjAyNi0xMS0yMVQxMDowMDowMFo gMQ",
            "ÿÿ",
        ]) {
            let error = Cursor::parse(word).unwrap_err();
            assert_eq!(error.errors[0].path, "cursor", "{word}");
        }
    }
}
