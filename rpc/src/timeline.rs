//! The timeline of a customer.

use fieldcrm_core::cursor::Cursor;
use fieldcrm_core::timeline::TimelineQuery;
use fieldcrm_core::{Capability, Error, Result, patch};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::page::next_cursor;
use crate::{Db, session};

const PAGE: &str = include_str!("../sql/timeline/page.sql");

/// `crm_customer_timeline(customer_id, page_size, cursor, kinds)`: `{items, next_cursor}`, newest first.
pub async fn page<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let query = patch::read::<TimelineQuery>(arguments)?.prepare()?;
    let caller = session::current(db).await?;
    let org_id = caller.require(&[Capability::CustomersRead])?;
    let after = match query.after {
        Some(Cursor { at, id }) => (json!(at), id),
        None => (json!("infinity"), Uuid::max()),
    };
    let document = json!({
        "org_id": org_id, "customer_id": query.customer_id, "user_id": caller.profile_id,
        "limit": query.limit, "kinds": query.kinds,
        "at": after.0, "id": after.1,
    });
    let mut page = db.call(PAGE, &document).await?;
    if page.is_null() {
        return Err(Error::not_found("customer"));
    }
    page["next_cursor"] = json!(next_cursor(&mut page["items"], query.limit)?);
    Ok(page)
}
