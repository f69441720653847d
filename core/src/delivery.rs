//! What endpoints were told, and when one is told nothing any more.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use crate::cursor::Cursor;
use crate::outbox::Status;
use crate::{Error, Result};

/// For how long an endpoint may fail without one success between.
pub const MAX_FAILING_DAYS: u32 = 5;
/// Fewer failures than this in a row are no sign, however long they took: a quiet endpoint has few messages.
pub const MIN_FAILURES: u32 = 10;
/// The most that one call of `crm_replay_webhook_endpoint` puts back.
pub const MAX_REPLAYED: u32 = 1_000;
/// Failures in a row after which an endpoint gets one message at a time, and only now and then.
pub const PATIENCE: u32 = 3;
/// The longest pause between two attempts at an endpoint that fails; it doubles up to there.
pub const LONGEST_PAUSE_SECONDS: u32 = 300;
/// The answer of a receiver that is not there any more.
pub const GONE: u16 = 410;

const DEFAULT_PAGE: i64 = 50;
const MAX_PAGE: i64 = 200;

/// The arguments of `crm_list_webhook_deliveries`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeliveryQuery {
    pub endpoint_id: Uuid,
    pub status: Option<Status>,
    pub page_size: Option<i64>,
    pub cursor: Option<String>,
}

/// A [`DeliveryQuery`] that can be asked.
#[derive(Clone, Debug)]
pub struct DeliveryPage {
    pub endpoint_id: Uuid,
    pub status: Option<Status>,
    pub limit: usize,
    pub after: Option<Cursor>,
}

impl DeliveryQuery {
    pub fn prepare(self) -> Result<DeliveryPage> {
        let asked = self.page_size.unwrap_or(DEFAULT_PAGE);
        let limit = usize::try_from(asked).ok().filter(|_| (1..=MAX_PAGE).contains(&asked));
        let limit = limit.ok_or_else(|| {
            let message = format!("expected a number from 1 to {MAX_PAGE}");
            Error::invalid_field("page_size", "out_of_range", message)
        })?;
        let after = self.cursor.map(|text| Cursor::decode("cursor", &text)).transpose()?;
        Ok(DeliveryPage { endpoint_id: self.endpoint_id, status: self.status, limit, after })
    }
}

/// The arguments of `crm_replay_webhook_endpoint`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplayEndpoint {
    pub endpoint_id: Uuid,
    pub since: DateTime<Utc>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::patch;

    #[test]
    fn a_page_has_a_size_and_a_place_that_can_be() {
        let id = Uuid::from_u128(1);
        let read = |input| patch::read::<DeliveryQuery>(input)?.prepare();
        let page = read(json!({"endpoint_id": id})).unwrap();
        assert_eq!((page.limit, page.status, page.after), (50, None, None));
        for (key, value) in [
            ("page_size", json!(0)),
            ("page_size", json!(201)),
            ("cursor", json!("x")),
            ("status", json!("lost")),
        ] {
            let error = read(json!({"endpoint_id": id, key: value})).unwrap_err();
            assert_eq!(error.errors[0].path, key);
        }
    }
}
