//! How customers feel: what a job claims of what they wrote, and what it found.

use fieldcrm_core::ai::sentiment::{ClaimSentiments, MAX_TEXT, StoreSentiments};
use fieldcrm_core::{Result, patch};
use serde_json::{Value, json};

use crate::channel::check_service;
use crate::{Db, session};

const CLAIM: &str = include_str!("../sql/sentiment/claim.sql");
const STORE: &str = include_str!("../sql/sentiment/store.sql");

/// `crm_claim_sentiments(batch_limit)`: a job's; texts, under a lease. Over all orgs unless one is selected.
pub async fn claim<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let batch_limit = patch::read::<ClaimSentiments>(arguments)?.prepare()?;
    let caller = session::current(db).await?;
    check_service(&caller)?;
    let document =
        json!({"org_id": caller.org_id, "batch_limit": batch_limit, "max_text": MAX_TEXT});
    db.call(CLAIM, &document).await
}

/// `crm_store_sentiments(lease_id, results)`: a job's; what it found, as far as the lease still has it.
pub async fn store<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let store = patch::read::<StoreSentiments>(arguments)?.prepare()?;
    let caller = session::current(db).await?;
    check_service(&caller)?;
    let mut document = json!(store);
    document["org_id"] = json!(caller.org_id);
    db.call(STORE, &document).await
}
