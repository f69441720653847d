//! Where a page of a list ended, as clients carry it to the next call.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Datelike, Utc};
use uuid::Uuid;

use crate::{Error, Result};

/// The last row of a page, in an order by time and id: the next page begins behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// To the microsecond, which is what Postgres keeps.
    pub at: DateTime<Utc>,
    pub id: Uuid,
}

impl Cursor {
    /// 24 bytes in base64url: clients hand it back and do not look inside.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut bytes = [0; 24];
        bytes[..8].copy_from_slice(&self.at.timestamp_micros().to_be_bytes());
        bytes[8..].copy_from_slice(self.id.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The inverse of [`Self::encode`]; `path` is the argument that is wrong if it fails.
    pub fn decode(path: &str, text: &str) -> Result<Self> {
        let read = || {
            let bytes: [u8; 24] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
            let (at, id) = bytes.split_at(8);
            let at = DateTime::from_timestamp_micros(i64::from_be_bytes(at.try_into().ok()?))?;
            // What Postgres reads in ISO 8601.
            let readable = (1..=9999).contains(&at.year());
            readable.then_some(Self { at, id: Uuid::from_slice(id).ok()? })
        };
        read().ok_or_else(|| {
            let message = "is not a cursor that this list gave: leave it out to begin again";
            Error::invalid_field(path, "invalid_cursor", message)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cursor_comes_back_as_it_went(micros in -2_000_000_000_000_000_i64..200_000_000_000_000_000, id in any::<u128>()) {
            let cursor = Cursor { at: DateTime::from_timestamp_micros(micros).unwrap(), id: Uuid::from_u128(id) };
            let text = cursor.encode();
            prop_assert!(text.len() == 32 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));
            prop_assert_eq!(Cursor::decode("cursor", &text), Ok(cursor));
        }

        #[test]
        fn any_other_text_is_refused_with_its_path(text in ".{0,40}") {
            if let Err(error) = Cursor::decode("cursor", &text) {
                prop_assert_eq!(&error.errors[0].path, "cursor");
            }
        }
    }

    #[test]
    fn texts_that_are_nearly_cursors_are_refused() {
        let good =
            Cursor { at: DateTime::from_timestamp_micros(1).unwrap(), id: Uuid::nil() }.encode();
        for text in [
            "",
            "x",
            &good[1..],
            &format!("{good}="),
            &format!("{good}AAAA"),
            &good.replace('A', "+"),
        ] {
            assert!(Cursor::decode("cursor", text).is_err(), "{text}");
        }
        let far = URL_SAFE_NO_PAD.encode([0x7f; 24]);
        assert!(Cursor::decode("cursor", &far).is_err(), "beyond what a date can be");
    }
}
