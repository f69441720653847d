//! The end of a page, for all lists that are read by the place of their last row.

use fieldcrm_core::cursor::{Cursor, Page};
use fieldcrm_core::{Error, Result};
use serde_json::{Value, json};
use uuid::Uuid;

/// The place that a page begins behind, of a list from late to early; above all rows where it is the first.
pub(crate) fn below(page: &Page) -> (Value, Uuid) {
    match page.after {
        Some(Cursor { at, id }) => (json!(at), id),
        None => (json!("infinity"), Uuid::max()),
    }
}

/// `{items, next_cursor}` of one row more than the limit, if there were so many. Each says its place by `at` and `id`.
pub(crate) fn finish(mut items: Value, limit: usize) -> Result<Value> {
    let next = next_cursor(&mut items, limit)?;
    for item in items.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        item.remove("at");
    }
    Ok(json!({"items": items, "next_cursor": next}))
}

/// Cuts the rows to the limit, and says where the next page begins.
pub(crate) fn next_cursor(items: &mut Value, limit: usize) -> Result<Option<String>> {
    let rows = items.as_array_mut().ok_or_else(|| Error::internal("a page without rows"))?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    rows.last().filter(|_| more).map(place).transpose()
}

fn place(item: &Value) -> Result<String> {
    let read = |key: &str| item[key].as_str();
    let at = read("at").and_then(|at| at.parse().ok());
    let id = read("id").and_then(|id| id.parse().ok());
    match (at, id) {
        (Some(at), Some(id)) => Ok(Cursor { at, id }.encode()),
        _ => Err(Error::internal("a row of a page without a time or an id")),
    }
}
