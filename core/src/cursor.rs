//! Where a page of a list ended, as clients carry it to the next call.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Datelike, Utc};
use serde::Deserialize;
use uuid::Uuid;

use crate::customer::Checks;
use crate::{Error, Result};

const DEFAULT_PAGE: i64 = 50;
const MAX_PAGE: i64 = 100;

/// One page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    pub limit: usize,
    /// It begins behind this place.
    pub after: Option<Cursor>,
}

impl Page {
    /// From the arguments `page_size` and `cursor`.
    pub(crate) fn read(checks: &mut Checks, size: Option<i64>, cursor: Option<&str>) -> Self {
        let size = size.unwrap_or(DEFAULT_PAGE);
        if !(1..=MAX_PAGE).contains(&size) {
            let message = format!("expected a number from 1 to {MAX_PAGE}");
            checks.fail("page_size", "out_of_range", message);
        }
        let after = cursor.map(|text| Cursor::decode("cursor", text)).transpose();
        let after = after.unwrap_or_else(|error| {
            for one in error.errors {
                checks.fail(one.path, &one.code, one.message);
            }
            None
        });
        Self { limit: usize::try_from(size).unwrap_or_default(), after }
    }
}

/// The arguments of a list that has no others.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PageQuery {
    pub page_size: Option<i64>,
    pub cursor: Option<String>,
}

impl PageQuery {
    pub fn prepare(self) -> Result<Page> {
        let mut checks = Checks::default();
        let page = Page::read(&mut checks, self.page_size, self.cursor.as_deref());
        checks.finish()?;
        Ok(page)
    }
}

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
    fn a_page_is_one_to_a_hundred_and_both_mistakes_are_said_at_once() {
        let query = |page_size, cursor: &str| {
            PageQuery { page_size, cursor: Some(cursor.to_owned()) }.prepare()
        };
        let error = query(Some(0), "page 2").unwrap_err();
        let paths: Vec<_> = error.errors.iter().map(|error| error.path.as_str()).collect();
        assert_eq!(paths, ["page_size", "cursor"]);
        assert_eq!(PageQuery::default().prepare(), Ok(Page { limit: 50, after: None }));
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
