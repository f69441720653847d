//! The runs of rules, page by page.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::cursor::Cursor;
use crate::customer::choices;
use crate::{Error, Result};

choices! {
    /// How a run stands.
    RunStatus {
        Pending = "pending", Success = "success", Failed = "failed", Skipped = "skipped",
    }
}

const DEFAULT_PAGE: i64 = 50;
const MAX_PAGE: i64 = 100;

/// The arguments of `crm_automation_history`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryQuery {
    pub rule_id: Option<Uuid>,
    pub customer_id: Option<Uuid>,
    pub status: Option<RunStatus>,
    pub page_size: Option<i64>,
    pub cursor: Option<String>,
}

/// A [`HistoryQuery`] that can be asked.
#[derive(Clone, Debug)]
pub struct HistoryPage {
    pub rule_id: Option<Uuid>,
    pub customer_id: Option<Uuid>,
    pub status: Option<RunStatus>,
    pub limit: usize,
    pub after: Option<Cursor>,
}

impl HistoryQuery {
    pub fn prepare(self) -> Result<HistoryPage> {
        let limit = self.page_size.unwrap_or(DEFAULT_PAGE);
        let limit = usize::try_from(limit).ok().filter(|_| (1..=MAX_PAGE).contains(&limit));
        let limit = limit.ok_or_else(|| {
            let message = format!("expected a number from 1 to {MAX_PAGE}");
            Error::invalid_field("page_size", "out_of_range", message)
        });
        let after = self.cursor.map(|text| Cursor::decode("cursor", &text)).transpose();
        match (limit, after) {
            (Ok(limit), Ok(after)) => Ok(HistoryPage {
                rule_id: self.rule_id,
                customer_id: self.customer_id,
                status: self.status,
                limit,
                after,
            }),
            (limit, after) => Err(Error::invalid(
                limit.err().into_iter().chain(after.err()).flat_map(|error| error.errors).collect(),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::patch;

    fn prepare(input: Value) -> Result<HistoryPage> {
        patch::read::<HistoryQuery>(input)?.prepare()
    }

    #[test]
    fn without_arguments_it_is_the_newest_fifty_of_all() {
        let page = prepare(json!({"rule_id": null, "cursor": null})).unwrap();
        assert_eq!((page.rule_id, page.status, page.limit, page.after), (None, None, 50, None));
        assert_eq!(prepare(json!({"page_size": 100})).unwrap().limit, 100);
    }

    #[test]
    fn everything_wrong_is_said_at_once() {
        let error = prepare(json!({"page_size": 101, "cursor": "x"})).unwrap_err();
        let paths: Vec<_> = error.errors.iter().map(|error| error.path.as_str()).collect();
        assert_eq!(paths, ["page_size", "cursor"]);
        assert_eq!(prepare(json!({"status": "done"})).unwrap_err().errors[0].path, "status");
    }
}
