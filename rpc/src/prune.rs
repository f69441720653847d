//! What nobody needs any more goes.

use fieldcrm_core::batch::Batch;
use fieldcrm_core::{Code, Error, Result, patch};
use serde_json::{Value, json};

use crate::{Db, session};

const PRUNE: &str = include_str!("../sql/prune/prune.sql");

/// `crm_prune(batch_limit)`: a job's; deletes idempotency keys after a day, what endpoints were told after 30 and events
/// after 90. Over all orgs unless one is selected.
pub async fn prune<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let batch_limit = patch::read::<Batch>(arguments)?.prepare()?;
    let caller = session::current(db).await?;
    if !caller.service {
        return Err(Error::new(Code::Forbidden, "This is for back-end sessions only."));
    }
    db.call(PRUNE, &json!({"org_id": caller.org_id, "batch_limit": batch_limit})).await
}
