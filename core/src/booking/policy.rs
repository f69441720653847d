//! Whether a customer may move or cancel a visit: what the org allows, and until when.

use chrono::{DateTime, Duration, FixedOffset};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::work_order::Status;
use crate::{Code, Error, Result};

/// The part of `portal_settings` that decides; the defaults are those of the table, for orgs without a row.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Policy {
    pub reschedule_hours_before: i32,
    pub max_reschedules: i32,
    pub cancel_hours_before: i32,
    /// What the org says about the price of a cancellation.
    pub cancel_fee_note: Option<String>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            reschedule_hours_before: 24,
            max_reschedules: 3,
            cancel_hours_before: 24,
            cancel_fee_note: None,
        }
    }
}

/// What is known of the visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Visit {
    pub status: Status,
    /// Absent: no time is agreed yet, so it is never too late.
    pub window_start: Option<DateTime<FixedOffset>>,
    #[serde(default)]
    pub reschedule_count: i32,
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The technician is on the way or there, or the visit is over.
    WrongState,
    /// The last moment is past.
    TooLate,
    /// The customer has moved it as often as the org lets them.
    TooOften,
}

/// What the customer is told before they try, and what they get if they do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decision {
    pub allowed: bool,
    pub reason: Option<Refusal>,
    /// The last moment for it.
    pub until: Option<DateTime<FixedOffset>>,
    pub fee_note: Option<String>,
}

impl Policy {
    #[must_use]
    pub fn may_reschedule(&self, visit: &Visit, now: DateTime<FixedOffset>) -> Decision {
        let too_often = visit.reschedule_count >= self.max_reschedules;
        decide(visit, self.reschedule_hours_before, too_often, None, now)
    }

    #[must_use]
    pub fn may_cancel(&self, visit: &Visit, now: DateTime<FixedOffset>) -> Decision {
        decide(visit, self.cancel_hours_before, false, self.cancel_fee_note.clone(), now)
    }
}

fn decide(
    visit: &Visit,
    hours_before: i32,
    too_often: bool,
    fee_note: Option<String>,
    now: DateTime<FixedOffset>,
) -> Decision {
    let notice = Duration::hours(hours_before.into());
    let until = visit.window_start.and_then(|start| start.checked_sub_signed(notice));
    let reason = if visit.status != Status::Scheduled {
        Some(Refusal::WrongState)
    } else if until.is_some_and(|until| now > until) {
        Some(Refusal::TooLate)
    } else if too_often {
        Some(Refusal::TooOften)
    } else {
        None
    };
    Decision { allowed: reason.is_none(), reason, until, fee_note }
}

impl Decision {
    /// The refusal as the error of the call: `wrong_state`, or `booking_policy` with `reason`, `until` and `fee_note`.
    pub fn require(self) -> Result<()> {
        let (code, hint) = match self.reason {
            None => return Ok(()),
            Some(Refusal::WrongState) => {
                (Code::WrongState, "Only a visit that has not begun can be changed.")
            }
            Some(Refusal::TooLate) => {
                (Code::BookingPolicy, "It is too late to do this here: call the company.")
            }
            Some(Refusal::TooOften) => (
                Code::BookingPolicy,
                "The visit was moved as often as it can be here: call the company.",
            ),
        };
        Err(Error::new(code, hint)
            .with("reason", json!(self.reason))
            .with("until", json!(self.until))
            .with("fee_note", self.fee_note))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<FixedOffset> {
        text.parse().unwrap()
    }

    fn visit(status: Status, reschedule_count: i32) -> Visit {
        Visit { status, window_start: Some(at("2026-12-02T10:00:00Z")), reschedule_count }
    }

    #[test]
    fn a_visit_can_be_moved_up_to_the_last_moment_and_so_often() {
        let policy = Policy { max_reschedules: 2, ..Policy::default() };
        for (count, now, reason) in [
            (0, "2026-12-01T10:00:00Z", None),
            (0, "2026-12-01T10:00:01Z", Some(Refusal::TooLate)),
            (1, "2026-12-01T10:00:00Z", None),
            (2, "2026-12-01T10:00:00Z", Some(Refusal::TooOften)),
            (2, "2026-12-03T10:00:00Z", Some(Refusal::TooLate)),
        ] {
            let decision = policy.may_reschedule(&visit(Status::Scheduled, count), at(now));
            assert_eq!(decision.reason, reason, "{count} {now}");
            assert_eq!(decision.allowed, reason.is_none());
            assert_eq!(decision.until, Some(at("2026-12-01T10:00:00Z")));
        }
    }

    #[test]
    fn who_cancels_is_told_what_it_costs_and_may_not_when_it_is_late() {
        let policy = Policy {
            cancel_hours_before: 2,
            cancel_fee_note: Some("50 EUR".to_owned()),
            ..Policy::default()
        };
        let early = policy.may_cancel(&visit(Status::Scheduled, 9), at("2026-12-02T08:00:00Z"));
        assert!(early.allowed, "how often it was moved does not count");
        assert_eq!(early.fee_note.as_deref(), Some("50 EUR"));
        let late = policy.may_cancel(&visit(Status::Scheduled, 0), at("2026-12-02T08:00:01Z"));
        let error = late.require().unwrap_err();
        assert_eq!((error.code, &error.data["reason"]), (Code::BookingPolicy, &json!("too_late")));
        assert_eq!(error.data["fee_note"], "50 EUR");
    }

    #[test]
    fn what_has_begun_or_is_over_stays() {
        let now = at("2026-11-01T00:00:00Z");
        for &status in Status::ALL {
            let decision = Policy::default().may_cancel(&visit(status, 0), now);
            assert_eq!(decision.allowed, status == Status::Scheduled, "{status:?}");
            if !decision.allowed {
                assert_eq!(decision.require().unwrap_err().code, Code::WrongState);
            }
        }
    }

    #[test]
    fn what_has_no_time_yet_is_never_late() {
        let open = Visit { status: Status::Scheduled, window_start: None, reschedule_count: 0 };
        let decision = Policy::default().may_reschedule(&open, at("2026-12-02T10:00:00Z"));
        assert_eq!((decision.allowed, decision.until), (true, None));
    }

    #[test]
    fn an_org_without_settings_has_the_defaults_of_the_table() {
        let read: Policy = serde_json::from_value(json!({})).unwrap();
        assert_eq!(read, Policy::default());
    }
}
