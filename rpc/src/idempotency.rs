//! First results by idempotency key.

use fieldcrm_core::{Code, Error, Result, Session, fingerprint};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Db;

const CLAIM: &str = include_str!("../sql/idempotency/claim.sql");
const FIND: &str = include_str!("../sql/idempotency/find.sql");
const RECLAIM: &str = include_str!("../sql/idempotency/reclaim.sql");
const STORE: &str = include_str!("../sql/idempotency/store.sql");

/// The longest key, as the IETF draft's implementations have it.
const MAX_KEY: usize = 255;

pub(crate) enum Claim {
    /// The call was made before: its result.
    Repeat(Value),
    /// Do it, then [`store`] the result under this.
    First(Option<Value>),
}

/// Claims the key for this call. The unique key decides, so a concurrent call with the same key
/// waits for the first one to end. A call that fails rolls back and so stores nothing.
pub(crate) async fn claim(
    db: &mut impl Db,
    caller: &Session,
    operation: &str,
    arguments: &mut Value,
) -> Result<Claim> {
    let user_id = caller.profile_id.unwrap_or(Uuid::nil());
    claim_of(db, caller.org()?, user_id, operation, arguments).await
}

/// The same, for whoever the call is: it may be of nobody yet.
pub(crate) async fn claim_of(
    db: &mut impl Db,
    org_id: Uuid,
    user_id: Uuid,
    operation: &str,
    arguments: &mut Value,
) -> Result<Claim> {
    let Some(key) = arguments.as_object_mut().and_then(|object| object.remove("idempotency_key"))
    else {
        return Ok(Claim::First(None));
    };
    let key = match key {
        Value::Null => return Ok(Claim::First(None)),
        Value::String(key) if (1..=MAX_KEY).contains(&key.chars().count()) => key,
        _ => {
            let message = format!("must be 1 to {MAX_KEY} characters");
            return Err(Error::invalid_field("idempotency_key", "invalid_value", message));
        }
    };
    let print = fingerprint::of(arguments);
    let id = json!({
        "org_id": org_id,
        "user_id": user_id,
        "key": key,
        "operation": operation,
        "fingerprint": print,
    });
    if db.call(CLAIM, &id).await?["claimed"] == true {
        return Ok(Claim::First(Some(id)));
    }
    // A statement of its own: what the other session committed is not in the snapshot of CLAIM.
    let mut stored = db.call(FIND, &id).await?;
    if stored["response"].is_null() {
        if db.call(RECLAIM, &id).await?["claimed"] == true {
            return Ok(Claim::First(Some(id)));
        }
        stored = db.call(FIND, &id).await?;
    }
    if stored["operation"] == operation && stored["fingerprint"] == print.as_str() {
        return Ok(Claim::Repeat(stored["response"].take()));
    }
    Err(Error::new(Code::IdempotencyKeyReused, "Use a new key for a new payload."))
}

pub(crate) async fn store(db: &mut impl Db, claim: Option<Value>, response: &Value) -> Result<()> {
    if let Some(mut id) = claim {
        id["response"] = response.clone();
        db.call(STORE, &id).await?;
    }
    Ok(())
}
