//! The doors to the outside: channels that come in, endpoints that are told.

use fieldcrm_core::channel::{ChannelKind, ChannelPatch, EndpointPatch, NewChannel, NewEndpoint};
use fieldcrm_core::webhook::MAX_EVENTS;
use fieldcrm_core::{Capability, Code, Error, FieldError, Result, Session, patch};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{Db, session, webhook};

pub(crate) const ROUTE: &str = include_str!("../sql/channel/route.sql");
const CHECK_REFERENCES: &str = include_str!("../sql/channel/check_references.sql");
const CREATE: &str = include_str!("../sql/channel/create.sql");
const LOCK: &str = include_str!("../sql/channel/lock.sql");
const UPDATE: &str = include_str!("../sql/channel/update.sql");
const CREATE_ENDPOINT: &str = include_str!("../sql/channel/create_endpoint.sql");
const UPDATE_ENDPOINT: &str = include_str!("../sql/channel/update_endpoint.sql");

/// `crm_create_channel(channel, address, …)`: the row.
pub async fn create<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let mut channel = patch::read::<NewChannel>(arguments)?.prepare()?;
    let caller = session::current(db).await?;
    let org_id = caller.require(&[Capability::OrgManage])?;
    let named = (channel.client_id, channel.project_id);
    channel.client_id = check_references(db, org_id, named).await?;
    let document = json!({"org_id": org_id, "user_id": caller.profile_id, "channel": channel});
    let made = db.call(CREATE, &document).await?;
    if made.is_null() {
        return Err(Error::new(Code::Conflict, "This address is a channel already."));
    }
    Ok(made)
}

/// The client that goes with them.
async fn check_references(
    db: &mut impl Db,
    org_id: Uuid,
    (client_id, project_id): (Option<Uuid>, Option<Uuid>),
) -> Result<Option<Uuid>> {
    let key = json!({"org_id": org_id, "client_id": client_id, "project_id": project_id});
    let found = db.call(CHECK_REFERENCES, &key).await?;
    let mut errors = Vec::new();
    if found["client"] != true {
        let message = "is not a client of your organisation";
        errors.push(FieldError::new("client_id", "unknown_client", message));
    } else if found["project"] != true {
        let message = "is not a project of this client";
        errors.push(FieldError::new("project_id", "unknown_project", message));
    }
    if !errors.is_empty() {
        return Err(Error::invalid(errors));
    }
    Ok(found["client_id"].as_str().and_then(|id| id.parse().ok()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Update {
    id: Uuid,
    patch: Value,
}

/// `crm_update_channel(id, patch)`: the row.
pub async fn update<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Update { id, patch } = patch::read(arguments)?;
    let mut set = patch::read::<ChannelPatch>(patch)?.prepare()?;
    let org_id = session::current(db).await?.require(&[Capability::OrgManage])?;
    let row = db.call(LOCK, &json!({"org_id": org_id, "id": id})).await?;
    if row.is_null() {
        return Err(Error::not_found("channel"));
    }
    if set.contains_key("client_id") || set.contains_key("project_id") {
        let client_id = check_references(db, org_id, references(&set, &row)).await?;
        set.insert("client_id".to_owned(), json!(client_id));
    }
    if row["channel"] == "form" && set.get("project_id").is_some_and(Value::is_null) {
        let message = "say which project the form's leads belong to";
        return Err(Error::invalid_field("project_id", "required", message));
    }
    db.call(UPDATE, &json!({"org_id": org_id, "id": id, "set": set})).await
}

/// Client and project as the patch leaves them; a new project alone brings its client.
fn references(set: &Map<String, Value>, row: &Value) -> (Option<Uuid>, Option<Uuid>) {
    let id = |value: &Value| value.as_str().and_then(|id| id.parse().ok());
    let project_id = id(set.get("project_id").unwrap_or(&row["project_id"]));
    let client_id = match set.get("client_id") {
        Some(client) => id(client),
        None if set.contains_key("project_id") && project_id.is_some() => None,
        None => id(&row["client_id"]),
    };
    (client_id, project_id)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Find {
    channel: ChannelKind,
    address: String,
    provider: Option<String>,
    event_ids: Option<Vec<String>>,
}

/// `crm_find_channel(channel, address, provider, event_ids)`: the back end's; {`org_id`, `secret_name`, settings, `is_enabled`, known: which of
/// the events came before}, or null.
pub async fn find<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Find { channel, address, provider, event_ids } = patch::read(arguments)?;
    let event_ids = event_ids.unwrap_or_default();
    if event_ids.len() > MAX_EVENTS {
        let message = format!("at most {MAX_EVENTS} in one call");
        return Err(Error::invalid_field("event_ids", "too_many", message));
    }
    let caller = session::current(db).await?;
    check_service(&caller)?;
    let found = route(db, &caller, channel, &address).await?;
    if found.is_null() {
        return Ok(found);
    }
    let org_id = &found["org_id"];
    let known = webhook::known_events(db, org_id, provider.as_deref(), &event_ids).await?;
    Ok(json!({
        "org_id": org_id, "known": known, "secret_name": found["secret_name"], "settings": found["settings"],
        "is_enabled": found["is_enabled"],
    }))
}

/// `channel/route.sql`: whose the address is.
pub(crate) async fn route(
    db: &mut impl Db,
    caller: &Session,
    channel: ChannelKind,
    address: &str,
) -> Result<Value> {
    let Some(address) = channel.address(address) else { return Ok(Value::Null) };
    let key = json!({"org_id": caller.org_id, "channel": channel, "address": address});
    db.call(ROUTE, &key).await
}

pub(crate) fn check_service(caller: &Session) -> Result<()> {
    if caller.service {
        return Ok(());
    }
    Err(Error::new(Code::Forbidden, "This is for back-end sessions only."))
}

/// `crm_create_webhook_endpoint(url, …)`: the row.
pub async fn create_endpoint<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let endpoint = patch::read::<NewEndpoint>(arguments)?.prepare()?;
    let caller = session::current(db).await?;
    let org_id = caller.require(&[Capability::OrgManage])?;
    let document = json!({"org_id": org_id, "user_id": caller.profile_id, "endpoint": endpoint});
    let made = db.call(CREATE_ENDPOINT, &document).await?;
    if made.is_null() {
        return Err(Error::new(Code::Conflict, "Your organisation has an endpoint of this URL."));
    }
    Ok(made)
}

/// `crm_update_webhook_endpoint(id, patch)`: the row.
pub async fn update_endpoint<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Update { id, patch } = patch::read(arguments)?;
    let set = patch::read::<EndpointPatch>(patch)?.prepare()?;
    let org_id = session::current(db).await?.require(&[Capability::OrgManage])?;
    let document = json!({"org_id": org_id, "id": id, "set": set});
    let changed = db.call(UPDATE_ENDPOINT, &document).await?;
    if changed.is_null() { Err(Error::not_found("webhook endpoint")) } else { Ok(changed) }
}
