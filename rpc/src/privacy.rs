//! What a person may ask of the data about them: a copy, and its erasure.

use fieldcrm_core::{Capability, Code, Error, Result, patch};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Db, call_as, session};

const LOCK: &str = include_str!("../sql/privacy/lock.sql");
const LOG_ACCESS: &str = include_str!("../sql/privacy/log_access.sql");
const EXPORT: &str = include_str!("../sql/privacy/export.sql");
const ERASE: &str = include_str!("../sql/privacy/erase.sql");
const FORGET: &str = include_str!("../sql/privacy/forget.sql");

/// The most characters the reason of an erasure can have.
const MAX_REASON: usize = 200;

/// The customer and the duplicates that were merged into it: one person.
#[derive(Deserialize)]
struct Person {
    id: Uuid,
    merged_into_id: Option<Uuid>,
    merged: Vec<Uuid>,
}

impl Person {
    async fn lock(db: &mut impl Db, org_id: Uuid, id: Uuid) -> Result<Option<Self>> {
        call_as(db, LOCK, &json!({"org_id": org_id, "id": id})).await
    }

    fn ids(&self) -> Vec<Uuid> {
        std::iter::once(self.id).chain(self.merged.iter().copied()).collect()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Export {
    id: Uuid,
}

/// `crm_export_customer(id)`: everything about one person, and a note of who took it.
pub async fn export<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Export { id } = patch::read(arguments)?;
    let caller = session::current(db).await?;
    let org_id = caller.require(&[Capability::CustomersExport])?;
    let person = Person::lock(db, org_id, id).await?;
    let person = person.ok_or_else(|| Error::not_found("customer"))?;
    let access = json!({
        "org_id": org_id, "id": id, "user_id": caller.user_id, "operation": "crm_export_customer",
    });
    db.call(LOG_ACCESS, &access).await?;
    let mut found = db.call(EXPORT, &json!({"org_id": org_id, "ids": person.ids()})).await?;
    // The customer that was asked for apart from the duplicates that were merged into it.
    let mut customers = match found.as_object_mut().and_then(|all| all.remove("customers")) {
        Some(Value::Array(customers)) => customers,
        _ => Vec::new(),
    };
    let own = customers.iter().position(|customer| customer["id"] == json!(id));
    found["customer"] = own.map_or(Value::Null, |index| customers.remove(index));
    found["merged"] = Value::Array(customers);
    Ok(found)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Erase {
    id: Uuid,
    reason: Option<String>,
}

/// `crm_erase_customer(id, reason)`: empties everything that says who the person is, duplicates
/// included. What stays is that there was somebody, what was billed, and who did what when.
pub async fn erase<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Erase { id, reason } = patch::read(arguments)?;
    let caller = session::current(db).await?;
    let org_id = caller.require(&[Capability::CustomersDelete])?;
    let wrong = |reason: &str| reason.chars().count() > MAX_REASON || reason.contains('\0');
    if reason.as_deref().is_some_and(wrong) {
        let message = format!("at most {MAX_REASON} characters, none of them NUL");
        return Err(Error::invalid_field("reason", "invalid_value", message));
    }
    let person = Person::lock(db, org_id, id).await?;
    if let Some(whole) = person.as_ref().and_then(|person| person.merged_into_id) {
        let hint =
            "This is a duplicate of another customer; erase that one, its id is in the details.";
        return Err(Error::new(Code::WrongState, hint).with("id", whole.to_string()));
    }
    // Of a customer who was deleted, the audit trail may still know everything.
    let ids = person.as_ref().map_or_else(|| vec![id], Person::ids);
    let document = json!({"org_id": org_id, "ids": ids});
    let mut erased = match person {
        Some(_) => db.call(ERASE, &document).await?,
        None => json!({"erased_at": null, "attachments": [], "logins": []}),
    };
    let known = db.call(FORGET, &document).await?["known"] == true;
    if erased["erased_at"].is_null() && !known {
        return Err(Error::not_found("customer"));
    }
    let operation = match reason.as_deref().map(str::trim) {
        Some(reason) if !reason.is_empty() => format!("crm_erase_customer: {reason}"),
        _ => "crm_erase_customer".to_owned(),
    };
    let access = json!({
        "org_id": org_id, "id": id, "user_id": caller.user_id, "operation": operation,
    });
    db.call(LOG_ACCESS, &access).await?;
    erased["id"] = json!(id);
    Ok(erased)
}
