//! Files that customers send.

use fieldcrm_core::Result;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::Db;

const ADD: &str = include_str!("../sql/attachment/add.sql");

/// Gives new interactions the files that their metadata says are stored.
pub(crate) async fn add<'a>(
    db: &mut impl Db,
    org_id: Uuid,
    interactions: impl Iterator<Item = (Uuid, &'a Map<String, Value>)>,
) -> Result<()> {
    let interactions: Vec<_> = interactions
        .filter_map(|(id, metadata)| {
            let attachments = metadata.get("attachments").filter(|list| list.is_array())?;
            Some(json!({"id": id, "attachments": attachments}))
        })
        .collect();
    if !interactions.is_empty() {
        db.call(ADD, &json!({"org_id": org_id, "interactions": interactions})).await?;
    }
    Ok(())
}
