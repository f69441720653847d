//! Rules as rows: made and changed.

use fieldcrm_core::automation::{NewRule, PreparedRule, Rule, RulePatch};
use fieldcrm_core::{Capability, Error, Result, patch};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::references;
use crate::idempotency::{self, Claim};
use crate::{Db, session};

const CREATE: &str = include_str!("../../sql/automation/create.sql");
const LOCK: &str = include_str!("../../sql/automation/lock.sql");
const UPDATE: &str = include_str!("../../sql/automation/update.sql");

/// `crm_create_automation_rule(name, trigger_type, actions, …)`: the row, with `warnings`.
pub async fn create<D: Db>(db: &mut D, mut arguments: Value) -> Result<Value> {
    let caller = session::current(db).await?;
    let org_id = caller.require(&[Capability::AutomationWrite])?;
    let operation = "crm_create_automation_rule";
    let claim = match idempotency::claim(db, &caller, operation, &mut arguments).await? {
        Claim::Repeat(first) => return Ok(first),
        Claim::First(claim) => claim,
    };
    let prepared = patch::read::<NewRule>(arguments)?.prepare()?;
    let warnings = references::check(db, org_id, &prepared).await?;
    let document = json!({"org_id": org_id, "user_id": caller.profile_id, "rule": prepared.rule});
    let mut row = db.call(CREATE, &document).await?;
    row["warnings"] = json!(warnings);
    idempotency::store(db, claim, &row).await?;
    Ok(row)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Update {
    id: Uuid,
    patch: Value,
}

/// `crm_update_automation_rule(id, patch)`: the row, with `warnings`.
pub async fn update<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Update { id, patch } = patch::read(arguments)?;
    let patch: RulePatch = patch::read(patch)?;
    let org_id = session::current(db).await?.require(&[Capability::AutomationWrite])?;
    let mut row = db.call(LOCK, &json!({"org_id": org_id, "id": id})).await?;
    if row.is_null() {
        return Err(Error::not_found("automation rule"));
    }
    let stored: Rule = serde_json::from_value(row.clone())
        .map_err(|error| Error::internal(format!("a stored rule cannot be read: {error}")))?;
    let before = json!(stored);
    let prepared: PreparedRule = patch.prepare(stored)?;
    let warnings = references::check(db, org_id, &prepared).await?;
    let after = json!(prepared.rule);
    if after != before {
        row = db.call(UPDATE, &json!({"org_id": org_id, "id": id, "rule": after})).await?;
    }
    row["warnings"] = json!(warnings);
    Ok(row)
}
