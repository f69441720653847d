//! Whether the work that waits is worked off.

use fieldcrm_core::{Code, Error, Result, patch};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Db, session};

const HEALTH: &str = include_str!("../sql/health/health.sql");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// `crm_health()`: a back end's or a DBA's; what waits in each queue and for how long, over all orgs unless one is selected.
pub async fn health<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Nothing {} = patch::read(arguments)?;
    let caller = session::current(db).await?;
    if !caller.service {
        return Err(Error::new(Code::Forbidden, "This is for back-end sessions only."));
    }
    let mut health = db.call(HEALTH, &json!({"org_id": caller.org_id})).await?;
    health["version"] = env!("CARGO_PKG_VERSION").into();
    Ok(health)
}
