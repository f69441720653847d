//! What models outside are asked, and what it may cost.

use chrono::NaiveDate;
use fieldcrm_core::ai_usage::{Feature, Reservation, Settlement};
use fieldcrm_core::{Capability, Code, Error, Result, patch};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::channel::check_service;
use crate::{Db, session};

const RESERVE: &str = include_str!("../sql/ai_usage/reserve.sql");
const SETTLE: &str = include_str!("../sql/ai_usage/settle.sql");
const REPORT: &str = include_str!("../sql/ai_usage/report.sql");

/// `crm_reserve_ai(org_id, feature, provider, model, estimated_micros)`: the back end's, before it asks. `{id, is_enabled, redact}`; without
/// id where the org wants no model outside.
pub async fn reserve<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let question = patch::read::<Reservation>(arguments)?.prepare()?;
    check_service(&session::current(db).await?)?;
    let reserved = db.call(RESERVE, &json!(question)).await?;
    if reserved.is_null() {
        return Err(Error::not_found("organisation"));
    }
    if reserved["id"].is_null() && reserved["is_enabled"] == true {
        let hint = match question.feature {
            Feature::Assistant => {
                "Raise ai_settings.monthly_budget_micros or assistant_percent, or wait for the next month."
            }
            _ => "Raise ai_settings.monthly_budget_micros, or wait for the next month.",
        };
        return Err(Error::new(Code::AiBudgetSpent, hint));
    }
    Ok(reserved)
}

/// `crm_settle_ai(org_id, id, input_tokens, output_tokens, cost_micros)`: the back end's, once it knows. A second time changes nothing.
pub async fn settle<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let settlement = patch::read::<Settlement>(arguments)?.prepare()?;
    check_service(&session::current(db).await?)?;
    let settled = db.call(SETTLE, &json!(settlement)).await?;
    if settled.is_null() { Err(Error::not_found("question")) } else { Ok(settled) }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Month {
    month: Option<String>,
}

/// `crm_ai_usage(month)`: what a month did cost, and for what.
pub async fn report<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Month { month } = patch::read(arguments)?;
    let org_id = session::current(db).await?.require(&[Capability::OrgManage])?;
    let first = month.map(|month| {
        let first = NaiveDate::parse_from_str(&format!("{month}-01"), "%Y-%m-%d");
        first.map_err(|_| Error::invalid_field("month", "invalid_value", "must be like 2026-11"))
    });
    db.call(REPORT, &json!({"org_id": org_id, "month": first.transpose()?})).await
}
