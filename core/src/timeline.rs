//! The timeline of a customer: what happened and what is planned, newest first.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::cursor::Cursor;
use crate::customer::choices;
use crate::{Error, Result};

choices! {
    /// What a timeline is made of; `timeline/page.sql` has a branch for each.
    Kind {
        Interaction = "interaction", Followup = "followup", WorkOrder = "work_order",
    }
}

const DEFAULT_LIMIT: i64 = 50;
const MAX_LIMIT: i64 = 100;

/// The arguments of `crm_customer_timeline`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimelineQuery {
    pub customer_id: Uuid,
    pub page_size: Option<i64>,
    pub cursor: Option<String>,
    /// All of them where there is none.
    pub kinds: Option<Vec<Kind>>,
}

/// A [`TimelineQuery`] that can be asked.
#[derive(Clone, Debug)]
pub struct TimelinePage {
    pub customer_id: Uuid,
    pub limit: usize,
    pub after: Option<Cursor>,
    pub kinds: Vec<Kind>,
}

impl TimelineQuery {
    pub fn prepare(self) -> Result<TimelinePage> {
        let limit = self.page_size.unwrap_or(DEFAULT_LIMIT);
        let limit = usize::try_from(limit).ok().filter(|_| (1..=MAX_LIMIT).contains(&limit));
        let limit = limit.ok_or_else(|| {
            let message = format!("expected a number from 1 to {MAX_LIMIT}");
            Error::invalid_field("page_size", "out_of_range", message)
        });
        let after = self.cursor.map(|text| Cursor::decode("cursor", &text)).transpose();
        match (limit, after) {
            (Ok(limit), Ok(after)) => Ok(TimelinePage {
                customer_id: self.customer_id,
                limit,
                after,
                kinds: self.kinds.unwrap_or_else(|| Kind::ALL.to_vec()),
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

    fn prepare(mut input: Value) -> Result<TimelinePage> {
        input["customer_id"] = json!(Uuid::nil());
        patch::read::<TimelineQuery>(input)?.prepare()
    }

    #[test]
    fn without_arguments_it_is_fifty_of_everything_from_the_top() {
        let page = prepare(json!({"page_size": null, "cursor": null, "kinds": null})).unwrap();
        assert_eq!((page.limit, page.after, page.kinds), (50, None, Kind::ALL.to_vec()));
    }

    #[test]
    fn both_mistakes_are_said_at_once() {
        let error = prepare(json!({"page_size": 0, "cursor": "page 2"})).unwrap_err();
        let paths: Vec<_> = error.errors.iter().map(|error| error.path.as_str()).collect();
        assert_eq!(paths, ["page_size", "cursor"]);
        assert!(prepare(json!({"page_size": 101})).is_err());
        assert_eq!(prepare(json!({"kinds": ["memo"]})).unwrap_err().errors[0].path, "kinds[0]");
    }
}
