//! A failed run, done again by hand.

use fieldcrm_core::{Capability, Code, Error, Result, patch};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::run::{Held, Rule, Tally};
use super::runner::{Due, fall_due};
use crate::{Db, call_as, session};

const LOCK_RUN: &str = include_str!("../../sql/automation/lock_run.sql");
const FIND_RUN: &str = include_str!("../../sql/automation/find_run.sql");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Retry {
    id: Uuid,
}

#[derive(Deserialize)]
struct Locked {
    run: Due,
    is_archived: bool,
    is_closed: bool,
    status: String,
    evaluated: bool,
    rule: Rule,
}

/// `crm_retry_automation_run(id)`: the run, tried again. Its keys are those of the first try, so that what that made
/// is not made twice.
pub async fn retry<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Retry { id } = patch::read(arguments)?;
    let org_id = session::current(db).await?.require(&[Capability::AutomationWrite])?;
    let key = json!({"org_id": org_id, "id": id});
    let locked: Option<Locked> = call_as(db, LOCK_RUN, &key).await?;
    let locked = locked.ok_or_else(|| Error::not_found("automation run"))?;
    let Locked { run, is_archived, is_closed, status, evaluated, rule } = locked;
    if status != "failed" {
        let hint = format!("It is {status}: only what failed is done again.");
        return Err(Error::new(Code::WrongState, hint).with("status", status));
    }
    let mut tally = Tally::default();
    let held = Held::new([(run.customer_id, is_archived, is_closed)]);
    // Conditions that could not be checked are checked now.
    let ask = !evaluated && rule.conditions.is_some();
    fall_due(db, &[rule], &[&run], &held, ask, &mut tally).await?;
    db.call(FIND_RUN, &key).await
}
