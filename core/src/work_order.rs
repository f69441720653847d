//! Work orders: how far a visit is, and which step comes after which.

use chrono::{DateTime, FixedOffset};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Code, Error, FieldError, Result};

/// The longest note, as the table has it.
const MAX_NOTE: usize = 20_000;
/// The longest reason of a cancellation, as the table has it.
const MAX_REASON: usize = 2_000;
/// Rows of one page of visits.
const MAX_VISITS: i64 = 100;

/// How far a work order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Scheduled,
    EnRoute,
    OnSite,
    Completed,
    #[serde(alias = "cancelled")]
    Canceled,
}

impl Status {
    pub const ALL: &'static [Self] =
        &[Self::Scheduled, Self::EnRoute, Self::OnSite, Self::Completed, Self::Canceled];

    /// What may come next. Back to scheduled from the site is a return visit.
    #[must_use]
    pub const fn next(self) -> &'static [Self] {
        match self {
            Self::Scheduled => &[Self::EnRoute, Self::OnSite, Self::Completed, Self::Canceled],
            Self::EnRoute => &[Self::Scheduled, Self::OnSite, Self::Completed, Self::Canceled],
            Self::OnSite => &[Self::Scheduled, Self::Completed, Self::Canceled],
            Self::Completed | Self::Canceled => &[],
        }
    }

    /// Whether the step to `to` is a move (true) or the same status again (false), which is how a
    /// client repeats a call whose answer it did not get.
    pub fn moves_to(self, to: Self) -> Result<bool> {
        if self == to {
            return Ok(false);
        }
        if self.next().contains(&to) {
            return Ok(true);
        }
        let hint = match self.next() {
            [] => "This work order is closed: create another one.",
            _ => "Read the work order again: its status has changed, or a step was left out.",
        };
        Err(Error::new(Code::WrongState, hint)
            .with("status", serde_json::json!(self))
            .with("allowed", serde_json::json!(self.next())))
    }
}

/// The arguments of `crm_set_work_order_status`. Null leaves a text, empty clears it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusChange {
    pub id: Uuid,
    pub status: Status,
    pub eta: Option<DateTime<FixedOffset>>,
    pub customer_notes: Option<String>,
    pub internal_notes: Option<String>,
    pub cancel_reason: Option<String>,
}

impl StatusChange {
    /// Trims the texts and checks what the values say about each other.
    pub fn prepare(mut self) -> Result<Self> {
        let mut errors = Vec::new();
        for (path, text, longest) in [
            ("customer_notes", &mut self.customer_notes, MAX_NOTE),
            ("internal_notes", &mut self.internal_notes, MAX_NOTE),
            ("cancel_reason", &mut self.cancel_reason, MAX_REASON),
        ] {
            let Some(text) = text else { continue };
            *text = text.trim().to_owned();
            if text.chars().count() > longest {
                let message = format!("must be at most {longest} characters");
                errors.push(FieldError::new(path, "too_long", message));
            }
            if text.contains('\0') {
                errors.push(FieldError::new(path, "invalid_value", "contains NUL"));
            }
        }
        if self.eta.is_some() && self.status != Status::EnRoute {
            let message = "an arrival is expected only with the status en_route";
            errors.push(FieldError::new("eta", "not_applicable", message));
        }
        if self.cancel_reason.is_some() && self.status != Status::Canceled {
            let message = "goes only with the status canceled";
            errors.push(FieldError::new("cancel_reason", "not_applicable", message));
        }
        if errors.is_empty() { Ok(self) } else { Err(Error::invalid(errors)) }
    }

    /// Whether anything is given that a work order of this status takes.
    #[must_use]
    pub const fn says_more(&self) -> bool {
        self.eta.is_some()
            || self.customer_notes.is_some()
            || self.internal_notes.is_some()
            || self.cancel_reason.is_some()
    }
}

/// The arguments of `crm_my_visits`; without times the database's own are taken.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VisitsQuery {
    pub from_at: Option<DateTime<FixedOffset>>,
    pub to_at: Option<DateTime<FixedOffset>>,
    pub page_size: Option<i64>,
}

impl VisitsQuery {
    /// Checks the range; the answer is the number of rows.
    pub fn check(&self) -> Result<i64> {
        let mut errors = Vec::new();
        let limit = self.page_size.unwrap_or(50);
        if !(1..=MAX_VISITS).contains(&limit) {
            let message = format!("must be between 1 and {MAX_VISITS}");
            errors.push(FieldError::new("page_size", "out_of_range", message));
        }
        if let (Some(from), Some(to)) = (self.from_at, self.to_at)
            && from >= to
        {
            errors.push(FieldError::new("to_at", "out_of_range", "must be after from_at"));
        }
        if errors.is_empty() { Ok(limit) } else { Err(Error::invalid(errors)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patch;
    use serde_json::{Value, json};

    #[test]
    fn each_step_is_allowed_or_refused_as_the_table_says() {
        use Status::{Canceled, Completed, EnRoute, OnSite, Scheduled};
        let allowed = [
            (Scheduled, EnRoute),
            (Scheduled, OnSite),
            (Scheduled, Completed),
            (Scheduled, Canceled),
            (EnRoute, Scheduled),
            (EnRoute, OnSite),
            (EnRoute, Completed),
            (EnRoute, Canceled),
            (OnSite, Scheduled),
            (OnSite, Completed),
            (OnSite, Canceled),
        ];
        for from in Status::ALL {
            for to in Status::ALL {
                let outcome = from.moves_to(*to);
                if from == to {
                    assert_eq!(outcome, Ok(false));
                } else if allowed.contains(&(*from, *to)) {
                    assert_eq!(outcome, Ok(true), "{from:?} to {to:?}");
                } else {
                    let error = outcome.unwrap_err();
                    assert_eq!(error.code, Code::WrongState, "{from:?} to {to:?}");
                    assert_eq!(error.data["status"], json!(from));
                    assert_eq!(error.data["allowed"], json!(from.next()));
                }
            }
        }
    }

    fn read(mut given: Value) -> Result<StatusChange> {
        given["id"] = json!(Uuid::nil());
        patch::read::<StatusChange>(given)?.prepare()
    }

    #[test]
    fn both_spellings_of_canceled_are_read_and_one_is_written() {
        for spelling in ["canceled", "cancelled"] {
            let change = read(json!({"status": spelling})).unwrap();
            assert_eq!(json!(change.status), "canceled");
        }
        assert_eq!(read(json!({"status": "done"})).unwrap_err().errors[0].path, "status");
    }

    #[test]
    fn all_mistakes_are_named_at_once() {
        let given = json!({"status": "completed", "eta": "2026-12-01T10:00:00+00:00",
            "cancel_reason": "x".repeat(2_001), "internal_notes": "n".repeat(20_001)});
        let error = read(given).unwrap_err();
        let named: Vec<_> =
            error.errors.iter().map(|one| (one.path.as_str(), one.code.as_str())).collect();
        assert_eq!(
            named,
            [
                ("internal_notes", "too_long"),
                ("cancel_reason", "too_long"),
                ("eta", "not_applicable"),
                ("cancel_reason", "not_applicable")
            ]
        );
    }

    #[test]
    fn texts_are_trimmed_and_empty_is_not_absent() {
        let change = read(json!({"status": "on_site", "internal_notes": "  "})).unwrap();
        assert_eq!(change.internal_notes.as_deref(), Some(""));
        assert!(change.says_more());
        assert!(!read(json!({"status": "on_site", "internal_notes": null})).unwrap().says_more());
    }

    #[test]
    fn a_range_of_visits_is_not_empty_and_a_page_has_an_end() {
        let query = |given: Value| patch::read::<VisitsQuery>(given).unwrap().check();
        assert_eq!(query(json!({})), Ok(50));
        assert_eq!(query(json!({"page_size": 100})), Ok(100));
        let at = "2026-12-01T10:00:00Z";
        let error = query(json!({"from_at": at, "to_at": at, "page_size": 0})).unwrap_err();
        let paths: Vec<_> = error.errors.iter().map(|one| one.path.as_str()).collect();
        assert_eq!(paths, ["page_size", "to_at"]);
    }
}
