//! Facts that other modules tell of, for automation to act on.

use fieldcrm_core::automation::event::NewEvent;
use fieldcrm_core::{Capability, Code, Error, Result, Session, patch};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::interaction::check_found;
use crate::{Db, session};

const EMIT: &str = include_str!("../sql/event/emit.sql");
const FIND: &str = include_str!("../sql/event/find.sql");

/// `crm_emit_event(event_type, customer_id, payload, event_key, occurred_at, org_id)`: the event and whether it was
/// `created`; with a key that the org has already, the event that has it.
pub async fn emit<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let caller = session::current(db).await?;
    let (event, wanted) = patch::read::<NewEvent>(arguments)?.prepare()?;
    let org_id = org(&caller, wanted)?;
    let mut done = db.call(EMIT, &json!({"org_id": org_id, "event": event})).await?;
    if done.is_null() {
        return Err(Error::not_found("customer"));
    }
    if done["closed"] == true {
        let hint = "The customer was erased, or merged into the one in the details.";
        let merged_into = done["merged_into_id"].take();
        return Err(Error::new(Code::WrongState, hint).with("merged_into_id", merged_into));
    }
    check_found(&done, &[("past", "occurred_at", "in_future")])?;
    let mut row = done["event"].take();
    let created = !row.is_null();
    if !created {
        let key = json!({"org_id": done["org_id"], "event_key": event.event_key});
        row = db.call(FIND, &key).await?;
        if row.is_null() {
            let hint = "The event with this key just went: try again.";
            return Err(Error::new(Code::Conflict, hint));
        }
    }
    row["created"] = created.into();
    Ok(row)
}

/// The org to look for the customer in: the caller's own. A back-end session that has selected none says it,
/// or leaves it to the customer.
fn org(caller: &Session, wanted: Option<Uuid>) -> Result<Option<Uuid>> {
    if caller.service && caller.org_id.is_none() {
        return Ok(wanted);
    }
    let own = caller.require(&[Capability::InteractionsWrite])?;
    // Another org is not there for this caller, like everything of it.
    if wanted.is_some_and(|wanted| wanted != own) {
        Err(Error::not_found("organisation"))
    } else {
        Ok(Some(own))
    }
}
