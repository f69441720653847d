//! Who is calling.

use fieldcrm_core::{Capability, Result, Session};
use serde_json::{Value, json};

use crate::{Db, call_as};

const CURRENT: &str = include_str!("../sql/session/current.sql");
const DESCRIBE: &str = include_str!("../sql/session/describe.sql");

/// The caller as the database knows them; never an error for being nobody.
pub async fn current(db: &mut impl Db) -> Result<Session> {
    call_as(db, CURRENT, &json!({})).await
}

/// `crm_session()`: who am I, in which org, with which role and capabilities.
pub async fn describe<D: Db>(db: &mut D, _arguments: Value) -> Result<Value> {
    let caller = current(db).await?;
    let mut about = db
        .call(DESCRIBE, &json!({"org_id": caller.org_id, "profile_id": caller.profile_id}))
        .await?;
    let capabilities: Vec<_> =
        Capability::ALL.iter().filter(|capability| caller.has(**capability)).collect();
    about["user_id"] = json!(caller.user_id);
    about["role"] = json!(caller.role);
    about["service"] = json!(caller.service);
    about["capabilities"] = json!(capabilities);
    Ok(about)
}
