//! What rules did, and why they did not.

use fieldcrm_core::automation::HistoryQuery;
use fieldcrm_core::cursor::Cursor;
use fieldcrm_core::{Capability, Error, Result, patch};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Db, session};

const HISTORY: &str = include_str!("../../sql/automation/history.sql");

/// `crm_automation_history(rule_id, customer_id, status, page_size, cursor)`: `{items, next_cursor}`, newest first.
pub async fn history<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let query = patch::read::<HistoryQuery>(arguments)?.prepare()?;
    let org_id = session::current(db).await?.require(&[Capability::CustomersRead])?;
    let after = match query.after {
        Some(Cursor { at, id }) => (json!(at), id),
        None => (json!("infinity"), Uuid::max()),
    };
    let document = json!({
        "org_id": org_id, "rule_id": query.rule_id, "customer_id": query.customer_id,
        "status": query.status, "limit": query.limit, "at": after.0, "id": after.1,
    });
    let mut page = db.call(HISTORY, &document).await?;
    let Some(items) = page["items"].as_array_mut() else {
        return Err(Error::internal("a page without items"));
    };
    let more = items.len() > query.limit;
    items.truncate(query.limit);
    let next = items.last().filter(|_| more).map(place).transpose()?;
    page["next_cursor"] = json!(next);
    Ok(page)
}

fn place(run: &Value) -> Result<String> {
    let read = |key: &str| run[key].as_str();
    let at = read("started_at").and_then(|at| at.parse().ok());
    let id = read("id").and_then(|id| id.parse().ok());
    match (at, id) {
        (Some(at), Some(id)) => Ok(Cursor { at, id }.encode()),
        _ => Err(Error::internal("a run without a time or an id")),
    }
}
