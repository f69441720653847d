//! Customers.

use fieldcrm_core::customer::{
    CustomerPatch, NewCustomer, PreparedChildren, PreparedCustomer, PreparedPatch,
};
use fieldcrm_core::{Capability, Code, Error, FieldError, Result, Session, customer, patch};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::idempotency::{self, Claim};
use crate::{Db, session};

const CREATE: &str = include_str!("../sql/customer/create.sql");
const ADD_TAGS: &str = include_str!("../sql/customer/add_tags.sql");
pub(crate) const MAKE_TAGS: &str = include_str!("../sql/customer/make_tags.sql");
const FIND_EXTERNAL_REF: &str = include_str!("../sql/customer/find_external_ref.sql");
const GET: &str = include_str!("../sql/customer/get.sql");
const LOCK: &str = include_str!("../sql/customer/lock.sql");
const UPDATE: &str = include_str!("../sql/customer/update.sql");
const SET_PRIMARY: &str = include_str!("../sql/customer/set_primary.sql");
const CHECK_REFERENCES: &str = include_str!("../sql/customer/check_references.sql");

/// What reads a customer's country when the org has none.
pub(crate) const FALLBACK_COUNTRY: &str = "US";

/// `crm_create_customer(type, name, …)`: one customer with contacts, locations, preferences and
/// tags, or nothing. The answer is the customer with all of them nested.
pub async fn create<D: Db>(db: &mut D, mut arguments: Value) -> Result<Value> {
    let caller = session::current(db).await?;
    let org_id = caller.require(&[Capability::CustomersWrite, Capability::CustomersWriteOwn])?;
    let claim = match idempotency::claim(db, &caller, "crm_create_customer", &mut arguments).await?
    {
        Claim::Repeat(first) => return Ok(first),
        Claim::First(claim) => claim,
    };
    let mut prepared = customer::read::<NewCustomer>(arguments)?.prepare(country(&caller))?;
    if !caller.has(Capability::CustomersWrite) {
        prepared.customer.owner_id = own(&caller, prepared.customer.owner_id)?;
    }
    let named = References {
        owner_id: prepared.customer.owner_id,
        product_id: prepared.customer.product_id,
    };
    let product = check_references(db, &caller, org_id, named, &prepared.tags).await?;
    let made = if caller.has(Capability::CustomersWrite) {
        let mut made = insert(db, org_id, caller.user_id, &prepared, false).await?;
        add_history_of_none(&mut made, product);
        made
    } else {
        // RLS lets a member add to a customer that exists and is theirs: so it must exist first.
        let id = insert(db, org_id, caller.user_id, &prepared, true).await?["id"].take();
        let children = json!({
            "org_id": org_id, "id": id, "user_id": caller.user_id, "set": {},
            "contacts": {"add": prepared.contacts, "change": [], "delete": []},
            "locations": {"add": prepared.locations, "change": [], "delete": []},
            "preferences": prepared.preferences, "tags": prepared.tags,
        });
        let added = db.call(UPDATE, &children).await?;
        set_primary(db, org_id, &id, &added["contact_id"], &added["location_id"]).await?;
        find(db, org_id, &id).await?
    };
    idempotency::store(db, claim, &made).await?;
    Ok(made)
}

/// The customer with its children, or only itself if `alone`.
pub(crate) async fn insert(
    db: &mut impl Db,
    org_id: Uuid,
    user_id: Option<Uuid>,
    prepared: &PreparedCustomer,
    alone: bool,
) -> Result<Value> {
    let mut document = json!({
        "org_id": org_id, "user_id": user_id, "customer": prepared.customer,
        "contacts": [], "locations": [], "preferences": null, "tags": [],
    });
    if !alone {
        document["contacts"] = json!(prepared.contacts);
        document["locations"] = json!(prepared.locations);
        document["preferences"] = json!(prepared.preferences);
        document["tags"] = json!(prepared.tags);
    }
    let mut made = db.call(CREATE, &document).await?;
    let Some(customer) = made.as_object_mut() else {
        return Err(duplicate(db, org_id, prepared.customer.external_ref.as_deref()).await);
    };
    if let Some(unknown) = customer.remove("unknown_tags").filter(|unknown| !unknown.is_null()) {
        let document = json!({
            "org_id": org_id, "id": customer["id"], "user_id": user_id, "tags": unknown,
        });
        db.call(MAKE_TAGS, &document).await?;
        customer.insert("tags".to_owned(), db.call(ADD_TAGS, &document).await?);
    }
    Ok(made)
}

/// What `customer/get.sql` answers for a customer with whom nothing happened yet.
fn add_history_of_none(customer: &mut Value, product: Value) {
    customer["product"] = product;
    customer["recent_interactions"] = json!([]);
    customer["upcoming_followups"] = json!([]);
    customer["metrics"] = json!({
        "interactions_count": 0, "positive_count": 0, "neutral_count": 0, "negative_count": 0,
        "last_interaction_at": null, "jobs_count": 0, "open_jobs_count": 0, "last_service_at": null,
        "total_spend": 0.0, "balance_due": 0.0,
    });
}

async fn duplicate(db: &mut impl Db, org_id: Uuid, external_ref: Option<&str>) -> Error {
    let error = Error::new(
        Code::DuplicateExternalRef,
        "Another customer has this external_ref; update that one, its id is in the details.",
    );
    match db.call(FIND_EXTERNAL_REF, &json!({"org_id": org_id, "external_ref": external_ref})).await
    {
        Ok(found) => error.with("id", found["id"].clone()),
        Err(failed) => failed,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Get {
    id: Uuid,
}

/// `crm_get_customer(id)`: the same shape as [`create`] answers. The access log says who looked.
pub async fn get<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Get { id } = patch::read(arguments)?;
    let caller = session::current(db).await?;
    let org_id = caller.require(&[Capability::CustomersRead])?;
    let document = json!({
        "org_id": org_id, "id": id, "operation": "crm_get_customer", "user_id": caller.profile_id,
    });
    found(db.call(GET, &document).await?)
}

/// What a change left. Not a look of its own: the audit trail has the change.
pub(crate) async fn find(db: &mut impl Db, org_id: Uuid, id: &Value) -> Result<Value> {
    let document = json!({"org_id": org_id, "id": id, "operation": null, "user_id": null});
    found(db.call(GET, &document).await?)
}

fn found(found: Value) -> Result<Value> {
    if found.is_null() { Err(Error::not_found("customer")) } else { Ok(found) }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Update {
    id: Uuid,
    patch: Value,
}

/// `crm_update_customer(id, patch)`: changes what the patch names, children included; all or
/// nothing. The answer has the same shape as [`create`]'s.
pub async fn update<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Update { id, patch } = patch::read(arguments)?;
    let patch: CustomerPatch = customer::read(patch)?;
    let caller = session::current(db).await?;
    let org_id = caller.require(&[Capability::CustomersWrite, Capability::CustomersWriteOwn])?;
    let prepared = patch.prepare(country(&caller))?;
    if prepared.changes_owner() {
        caller.require(&[Capability::CustomersAssign])?;
    }
    let id_of = |key| prepared.set.get(key).and_then(|id| id.as_str()?.parse().ok());
    let named = References { owner_id: id_of("owner_id"), product_id: id_of("product_id") };
    let tags = prepared.tags.as_deref().unwrap_or_default();
    check_references(db, &caller, org_id, named, tags).await?;
    let key = json!({"org_id": org_id, "id": id, "external_ref": prepared.set.get("external_ref"),
        "contacts": prepared.contacts});
    let locked = db.call(LOCK, &key).await?;
    if locked.is_null() {
        // Visible but not theirs to change is no secret; invisible is the same as absent.
        find(db, org_id, &json!(id)).await?;
        return Err(Error::new(Code::Forbidden, "You may change only the customers you own."));
    }
    if locked["closed"] == true {
        let hint = "The customer was erased, or merged into the one in the details.";
        let error = Error::new(Code::WrongState, hint);
        return Err(error.with("merged_into_id", locked["merged_into_id"].clone()));
    }
    if !locked["duplicate"].is_null() {
        let external_ref = prepared.set.get("external_ref").and_then(Value::as_str);
        return Err(duplicate(db, org_id, external_ref).await);
    }
    if !locked["contact"].is_null() {
        let hint = "A contact of this customer has this type and value: change that one, once.";
        return Err(Error::new(Code::Conflict, hint).with("id", locked["contact"].clone()));
    }
    apply(db, org_id, id, &caller, &prepared).await?;
    find(db, org_id, &json!(id)).await
}

async fn apply(
    db: &mut impl Db,
    org_id: Uuid,
    id: Uuid,
    caller: &Session,
    prepared: &PreparedPatch,
) -> Result<()> {
    let document = json!({
        "org_id": org_id, "id": id, "user_id": caller.user_id, "set": prepared.set,
        "contacts": prepared.contacts, "locations": prepared.locations,
        "preferences": prepared.preferences, "tags": prepared.tags,
    });
    if prepared.tags.as_ref().is_some_and(|tags| !tags.is_empty()) {
        db.call(MAKE_TAGS, &document).await?;
    }
    let done = db.call(UPDATE, &document).await?;
    for (children, what) in [(&prepared.contacts, "contacts"), (&prepared.locations, "locations")] {
        let named =
            children.change.iter().map(|change| change.id).chain(children.delete.iter().copied());
        let known = done[what].as_array().map(Vec::as_slice).unwrap_or_default();
        for child in named {
            if !known.contains(&json!(child)) {
                return Err(Error::not_found(&format!("{what} row")).with("id", child.to_string()));
            }
        }
    }
    let primary = |children: &PreparedChildren, added: &str| match children.primary {
        Some(id) => json!(id),
        None => done[added].clone(),
    };
    let contact_id = primary(&prepared.contacts, "contact_id");
    let location_id = primary(&prepared.locations, "location_id");
    set_primary(db, org_id, &json!(id), &contact_id, &location_id).await
}

pub(crate) async fn set_primary(
    db: &mut impl Db,
    org_id: Uuid,
    id: &Value,
    contact_id: &Value,
    location_id: &Value,
) -> Result<()> {
    let document =
        json!({"org_id": org_id, "id": id, "contact_id": contact_id, "location_id": location_id});
    db.call(SET_PRIMARY, &document).await?;
    Ok(())
}

/// What a customer refers to outside of itself.
#[derive(Default)]
pub(crate) struct References {
    owner_id: Option<Uuid>,
    product_id: Option<Uuid>,
}

/// Refuses owners who are no active staff of the org, products of nobody or of others, and new tags
/// from callers who may not make any, before RLS or a foreign key would with a message that helps
/// nobody. Answers the product.
pub(crate) async fn check_references(
    db: &mut impl Db,
    caller: &Session,
    org_id: Uuid,
    named: References,
    tags: &[String],
) -> Result<Value> {
    let no_new_tags = !tags.is_empty() && !caller.has(Capability::TagsWrite);
    let References { owner_id, product_id } = named;
    if owner_id.is_none() && product_id.is_none() && !no_new_tags {
        return Ok(Value::Null);
    }
    let document =
        json!({"org_id": org_id, "owner_id": owner_id, "product_id": product_id, "tags": tags});
    let mut found = db.call(CHECK_REFERENCES, &document).await?;
    let mut errors = Vec::new();
    if owner_id.is_some() && found["owner_ok"] != true {
        let message = "is not an active member of your organisation";
        errors.push(FieldError::new("owner_id", "unknown_owner", message));
    }
    if product_id.is_some() && found["product"].is_null() {
        let message = "is not a product of your organisation";
        errors.push(FieldError::new("product_id", "unknown_product", message));
    }
    if !errors.is_empty() {
        return Err(Error::invalid(errors));
    }
    match found["unknown_tags"].as_array() {
        Some(unknown) if no_new_tags && !unknown.is_empty() => Err(Error::new(
            Code::Forbidden,
            "This needs the capability tags.write: use tags that exist.",
        )
        .with("unknown_tags", unknown.clone())),
        _ => Ok(found["product"].take()),
    }
}

fn own(caller: &Session, owner_id: Option<Uuid>) -> Result<Option<Uuid>> {
    if owner_id.is_some() && owner_id != caller.profile_id {
        return Err(Error::new(Code::Forbidden, "You may create only customers you own."));
    }
    Ok(caller.profile_id)
}

/// How the caller's org dials where a number has no country code.
pub(crate) fn country(caller: &Session) -> &str {
    caller.default_country.as_deref().unwrap_or(FALLBACK_COUNTRY)
}
