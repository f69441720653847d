//! What happens to customers as a whole: archived, deleted, tagged in bulk, merged.

use fieldcrm_core::customer::{Tagging, merge};
use fieldcrm_core::{Capability, Code, Error, Result, patch};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::customer::{MAKE_TAGS, References, check_references, find, set_primary};
use crate::{Db, session};

const ARCHIVE: &str = include_str!("../sql/customer_lifecycle/archive.sql");
const DELETE: &str = include_str!("../sql/customer_lifecycle/delete.sql");
const BULK_TAG: &str = include_str!("../sql/customer_lifecycle/bulk_tag.sql");
const MERGE_LOCK: &str = include_str!("../sql/customer_lifecycle/merge_lock.sql");
const MERGE_READ: &str = include_str!("../sql/customer_lifecycle/merge_read.sql");
const MERGE: &str = include_str!("../sql/customer_lifecycle/merge.sql");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct One {
    id: Uuid,
}

/// `crm_archive_customer(id)`: out of the default lists; the answer is the customer.
pub async fn archive<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    set_archived(db, arguments, true).await
}

/// `crm_restore_customer(id)`: back in the lists; the answer is the customer.
pub async fn restore<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    set_archived(db, arguments, false).await
}

async fn set_archived(db: &mut impl Db, arguments: Value, archived: bool) -> Result<Value> {
    let One { id } = patch::read(arguments)?;
    let caller = session::current(db).await?;
    let org_id = caller.require(&[Capability::CustomersWrite, Capability::CustomersWriteOwn])?;
    let key = json!({"org_id": org_id, "id": id, "archived": archived});
    let changed = db.call(ARCHIVE, &key).await?;
    let customer = find(db, org_id, &json!(id)).await?;
    if changed.is_null() {
        return Err(Error::new(Code::Forbidden, "You may change only the customers you own."));
    }
    if changed["merged"] == true && !archived {
        let hint = "This duplicate was merged: the customer it became is in the details.";
        return Err(merged(hint, &customer));
    }
    Ok(customer)
}

fn merged(hint: &str, customer: &Value) -> Error {
    Error::new(Code::WrongState, hint).with("merged_into_id", customer["merged_into_id"].clone())
}

/// `crm_delete_customer(id)`: for good, with all that belongs to it.
pub async fn delete<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let One { id } = patch::read(arguments)?;
    let caller = session::current(db).await?;
    let org_id = caller.require(&[Capability::CustomersDelete])?;
    let deleted = db.call(DELETE, &json!({"org_id": org_id, "id": id})).await?;
    if deleted.is_null() {
        return Err(Error::not_found("customer"));
    }
    if deleted["deleted"] != true {
        let hint = "Somebody signs in to the portal for this customer: remove the portal account first, or archive the customer.";
        return Err(Error::new(Code::WrongState, hint).with("reference", "portal_accounts"));
    }
    Ok(deleted)
}

/// `crm_bulk_tag(customer_ids, add, remove)`: how many tags were put on and taken off; calling it
/// again changes nothing.
pub async fn bulk_tag<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let tagging = patch::read::<Tagging>(arguments)?.prepare()?;
    let caller = session::current(db).await?;
    let org_id = caller.require(&[Capability::CustomersWrite, Capability::CustomersWriteOwn])?;
    check_references(db, &caller, org_id, References::default(), &tagging.add).await?;
    if !tagging.add.is_empty() && caller.has(Capability::TagsWrite) {
        db.call(MAKE_TAGS, &json!({"org_id": org_id, "tags": tagging.add})).await?;
    }
    let everybody = caller.has(Capability::CustomersWrite);
    let document = json!({
        "org_id": org_id, "user_id": caller.user_id,
        "owner_id": caller.profile_id.filter(|_| !everybody),
        "customer_ids": tagging.customer_ids, "add": tagging.add, "remove": tagging.remove,
    });
    db.call(BULK_TAG, &document).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Merge {
    id: Uuid,
    duplicate_id: Uuid,
}

/// `crm_merge_customers(id, duplicate_id)`: all that belongs to the duplicate goes to `id`; the
/// duplicate stays as an archived row that says where it went. The answer is the survivor.
pub async fn merge<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Merge { id, duplicate_id } = patch::read(arguments)?;
    let caller = session::current(db).await?;
    let org_id = caller.require(&[Capability::CustomersWrite])?;
    if id == duplicate_id {
        let message = "is the same customer";
        return Err(Error::invalid_field("duplicate_id", "invalid_value", message));
    }
    let key = json!({"org_id": org_id, "ids": [id, duplicate_id]});
    let locked = db.call(MERGE_LOCK, &key).await?;
    let (survivor, duplicate) = (&locked[id.to_string()], &locked[duplicate_id.to_string()]);
    for (customer, id) in [(survivor, id), (duplicate, duplicate_id)] {
        if customer.is_null() {
            return Err(Error::not_found("customer").with("id", id.to_string()));
        }
        if !customer["merged_into_id"].is_null() {
            let hint = "One of them was merged already: what it became is in the details.";
            return Err(merged(hint, customer).with("id", id.to_string()));
        }
        if !customer["erased_at"].is_null() {
            let hint = "The data of one of them was erased.";
            return Err(Error::new(Code::WrongState, hint).with("id", id.to_string()));
        }
    }
    let key = json!({"org_id": org_id, "id": id, "duplicate_id": duplicate_id});
    let both = db.call(MERGE_READ, &key).await?;
    let pairs = both["contacts"].as_array().map(Vec::as_slice).unwrap_or_default();
    let contacts: Vec<_> =
        pairs.iter().map(|pair| merge::contact(&pair["kept"], &pair["dropped"])).collect();
    let preferences = &both["preferences"];
    let document = json!({
        "org_id": org_id, "id": id, "duplicate_id": duplicate_id,
        "set": merge::fill(survivor, duplicate), "contacts": contacts,
        "preferences": merge::preferences(&preferences["survivor"], &preferences["duplicate"]),
    });
    db.call(MERGE, &document).await?;
    let primary =
        |own: &Value, theirs: &Value| if own.is_null() { theirs.clone() } else { own.clone() };
    let their_contact = primary(&both["primary"], &duplicate["primary_contact_id"]);
    let contact_id = primary(&survivor["primary_contact_id"], &their_contact);
    let location_id = primary(&survivor["primary_location_id"], &duplicate["primary_location_id"]);
    set_primary(db, org_id, &json!(id), &contact_id, &location_id).await?;
    find(db, org_id, &json!(id)).await
}
