//! Visits that come again.

use chrono::{DateTime, NaiveDate, NaiveTime};
use fieldcrm_core::batch::Batch;
use fieldcrm_core::{Code, Error, Result, patch};
use rrule::{RRule, RRuleSet, Tz, Unvalidated};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::hold::LOCK_TECHNICIAN;
use crate::{Db, Work, call_as, session};

const TAKE: &str = include_str!("../../sql/booking/plan_take.sql");
const INSERT: &str = include_str!("../../sql/booking/plan_insert.sql");

/// The visits of one plan that one call makes: a daily one for its whole horizon, and more.
const MAX_OCCURRENCES: u16 = 400;

#[derive(Deserialize)]
struct Plan {
    id: Uuid,
    technician_id: Option<Uuid>,
    rrule: String,
    starts_on: NaiveDate,
    /// From the first day that none was made for yet to the last one that some are made for.
    from_day: NaiveDate,
    to_day: NaiveDate,
}

#[derive(Serialize)]
struct Occurrences {
    visit_plan_id: Uuid,
    made_until: NaiveDate,
    days: Vec<NaiveDate>,
    with_technician: bool,
}

/// `crm_make_planned_visits(batch_limit)`: {plans, made, invalid: [ids of plans whose rule cannot be read]}. Each day of a plan makes
/// one work order, ever: it is canceled or moved, but does not come again.
pub async fn make<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let batch_limit = patch::read::<Batch>(arguments)?.prepare()?;
    let caller = session::current(db).await?;
    if !caller.service {
        return Err(Error::new(Code::Forbidden, "This is for back-end sessions only."));
    }
    let batch = json!({"org_id": caller.org_id, "batch_limit": batch_limit});
    let plans: Vec<Plan> = call_as(db, TAKE, &batch).await?;
    let (mut due, mut technicians, mut invalid) = (Vec::new(), Vec::new(), Vec::new());
    for plan in &plans {
        let days = days(plan).unwrap_or_else(|| {
            invalid.push(plan.id);
            Vec::new()
        });
        technicians.extend(plan.technician_id);
        due.push(Occurrences {
            visit_plan_id: plan.id,
            made_until: plan.to_day,
            days,
            with_technician: true,
        });
    }
    let mut made = 0;
    if !due.is_empty() {
        db.call(LOCK_TECHNICIAN, &json!({"technician_ids": technicians, "wait": true})).await?;
        match db.attempt(Insert(&due)).await {
            Ok(count) => made = count,
            // Somebody is elsewhere at one of these times: then each plan by itself, and at last without its technician.
            Err(error) if error.code == Code::Conflict => {
                for mut plan in due {
                    let mut outcome = db.attempt(Insert(std::slice::from_ref(&plan))).await;
                    if matches!(&outcome, Err(error) if error.code == Code::Conflict) {
                        plan.with_technician = false;
                        outcome = db.attempt(Insert(std::slice::from_ref(&plan))).await;
                    }
                    made += outcome?;
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(json!({"plans": plans.len(), "made": made, "invalid": invalid}))
}

struct Insert<'a>(&'a [Occurrences]);

impl<D: Db> Work<D> for Insert<'_> {
    type Output = i64;

    async fn run(self, db: &mut D) -> Result<i64> {
        call_as(db, INSERT, &json!({"plans": self.0})).await
    }
}

/// The days that the rule names between the two; none if it cannot be read. The time of day is the plan's, by the org's
/// clock: the rule is about days.
fn days(plan: &Plan) -> Option<Vec<NaiveDate>> {
    let set = set(&plan.rrule, plan.starts_on)?;
    let found = set.after(midnight(plan.from_day)).before(midnight(plan.to_day));
    let mut days: Vec<_> =
        found.all(MAX_OCCURRENCES).dates.into_iter().map(|at| at.date_naive()).collect();
    days.dedup();
    Some(days)
}

/// The last day that the rule names, where that is between the two; none if it goes on, is over, or cannot be read.
pub(crate) fn last_day(
    rrule: &str,
    starts_on: NaiveDate,
    from_day: NaiveDate,
    to_day: NaiveDate,
) -> Option<NaiveDate> {
    let set = set(rrule, starts_on)?;
    let after = set.clone().after(midnight(to_day.succ_opt()?));
    if !after.all(1).dates.is_empty() {
        return None;
    }
    let found = set.after(midnight(from_day)).before(midnight(to_day));
    found.all(MAX_OCCURRENCES).dates.last().map(DateTime::date_naive)
}

fn set(rrule: &str, starts_on: NaiveDate) -> Option<RRuleSet> {
    let parsed: RRule<Unvalidated> = rrule.trim().trim_start_matches("RRULE:").parse().ok()?;
    let start = midnight(starts_on);
    Some(RRuleSet::new(start).rrule(parsed.validate(start).ok()?))
}

fn midnight(day: NaiveDate) -> DateTime<Tz> {
    day.and_time(NaiveTime::MIN).and_utc().with_timezone(&Tz::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(rrule: &str, from_day: &str, to_day: &str) -> Plan {
        Plan {
            id: Uuid::nil(),
            technician_id: None,
            rrule: rrule.to_owned(),
            starts_on: "2026-01-31".parse().unwrap(),
            from_day: from_day.parse().unwrap(),
            to_day: to_day.parse().unwrap(),
        }
    }

    fn found(rrule: &str, from_day: &str, to_day: &str) -> Option<Vec<String>> {
        let days = days(&plan(rrule, from_day, to_day));
        days.map(|days| days.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_rule_names_days_both_ends_included() {
        for (rule, from, to, expected) in [
            (
                "FREQ=YEARLY",
                "2026-01-01",
                "2028-01-31",
                vec!["2026-01-31", "2027-01-31", "2028-01-31"],
            ),
            // Months without that day are left out.
            ("RRULE:FREQ=MONTHLY", "2026-02-01", "2026-05-31", vec!["2026-03-31", "2026-05-31"]),
            (
                "FREQ=MONTHLY;BYDAY=2TU",
                "2026-02-01",
                "2026-03-31",
                vec!["2026-02-10", "2026-03-10"],
            ),
            (
                "FREQ=MONTHLY;INTERVAL=6;COUNT=2",
                "2026-01-31",
                "2030-01-01",
                vec!["2026-01-31", "2026-07-31"],
            ),
            (
                "FREQ=WEEKLY;UNTIL=20260214T000000Z",
                "2026-02-01",
                "2026-12-31",
                vec!["2026-02-07", "2026-02-14"],
            ),
            // Several times of one day are one visit.
            (
                "FREQ=DAILY;BYHOUR=0,12",
                "2026-02-01",
                "2026-02-02",
                vec!["2026-02-01", "2026-02-02"],
            ),
        ] {
            let expected: Vec<_> = expected.into_iter().map(str::to_owned).collect();
            assert_eq!(found(rule, from, to), Some(expected), "{rule}");
        }
    }

    #[test]
    fn what_is_no_rule_is_told() {
        for rule in ["", "every year", "FREQ=SOMETIMES", "FREQ=YEARLY;BYMONTH=13"] {
            assert_eq!(found(rule, "2026-01-01", "2027-01-01"), None, "{rule}");
        }
    }
}
