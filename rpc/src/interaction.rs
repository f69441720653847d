//! Interactions.

use fieldcrm_core::interaction::NewInteraction;
use fieldcrm_core::{Capability, Code, Error, FieldError, Result, patch};
use serde_json::{Value, json};

use crate::idempotency::{self, Claim};
use crate::{Db, session};

const LOG: &str = include_str!("../sql/interaction/log.sql");
const FIND_FOLLOWUP: &str = include_str!("../sql/interaction/find_followup.sql");

/// `crm_log_interaction(customer_id, channel, …)`: the interaction, with the follow-up that its
/// `follow_up_date` made.
pub async fn log<D: Db>(db: &mut D, mut arguments: Value) -> Result<Value> {
    let caller = session::current(db).await?;
    let org_id = caller.require(&[Capability::InteractionsWrite, Capability::CustomersWriteOwn])?;
    let claim = match idempotency::claim(db, &caller, "crm_log_interaction", &mut arguments).await?
    {
        Claim::Repeat(first) => return Ok(first),
        Claim::First(claim) => claim,
    };
    let interaction = patch::read::<NewInteraction>(arguments)?.prepare()?;
    let document = json!({
        "org_id": org_id, "user_id": caller.profile_id,
        "any_customer": caller.has(Capability::InteractionsWrite), "interaction": interaction,
    });
    let mut done = db.call(LOG, &document).await?;
    check_customer(&done)?;
    check_found(
        &done,
        &[
            ("location", "location_id", "unknown_location"),
            ("work_order", "related_work_order_id", "unknown_work_order"),
            ("quote", "related_quote_id", "unknown_quote"),
            ("past", "occurred_at", "in_future"),
        ],
    )?;
    let mut made = done["interaction"].take();
    made["followup"] = if made["follow_up_date"].is_null() {
        Value::Null
    } else {
        db.call(FIND_FOLLOWUP, &json!({"org_id": org_id, "id": made["id"]})).await?
    };
    idempotency::store(db, claim, &made).await?;
    Ok(made)
}

/// Whether a statement saw the customer, and the caller may write about it.
pub(crate) fn check_customer(done: &Value) -> Result<()> {
    if done["customer"] != true {
        return Err(Error::not_found("customer"));
    }
    if done["own"] != true {
        return Err(Error::new(Code::Forbidden, "You may do this only for the customers you own."));
    }
    Ok(())
}

/// Whether a statement found everything that was referred to: its key, the argument, the code.
pub(crate) fn check_found(done: &Value, references: &[(&str, &str, &str)]) -> Result<()> {
    let wrong: Vec<_> = references
        .iter()
        .filter(|(key, ..)| done[key] != true)
        .map(|(_, path, code)| {
            let message = match *code {
                "in_future" => "is more than a day in the future",
                "unknown_assignee" => "is not an active member of your organisation",
                _ => "is not one of this customer",
            };
            FieldError::new(*path, code, message)
        })
        .collect();
    if wrong.is_empty() { Ok(()) } else { Err(Error::invalid(wrong)) }
}
