//! What was said to and by a customer, for who wants to know what of it matters.

use fieldcrm_core::ai::insight::{InteractionTexts, MAX_INTERACTIONS, MAX_TEXT};
use fieldcrm_core::{Capability, Error, Result, patch};
use serde_json::{Value, json};

use crate::{Db, session};

const TEXTS: &str = include_str!("../sql/insight/texts.sql");

/// `crm_interaction_texts(customer_id)`: {`org_id`, total, interactions}, the latest first.
pub async fn texts<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let customer_id = patch::read::<InteractionTexts>(arguments)?.prepare()?;
    let caller = session::current(db).await?;
    let org_id = caller.require(&[Capability::CustomersRead])?;
    let key = json!({
        "org_id": org_id, "customer_id": customer_id, "user_id": caller.profile_id,
        "limit": MAX_INTERACTIONS, "max_text": MAX_TEXT,
    });
    let found = db.call(TEXTS, &key).await?;
    if found.is_null() { Err(Error::not_found("customer")) } else { Ok(found) }
}
