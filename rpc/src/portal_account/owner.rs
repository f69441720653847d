//! What the owner of an account sees first, and keeps about themselves.

use fieldcrm_core::portal::Account;
use fieldcrm_core::portal_account::{NotificationPatch, ProfilePatch, SecurityEvent};
use fieldcrm_core::{Code, Error, Result, patch};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::admission::complete;
use crate::channel::check_service;
use crate::customer::country;
use crate::idempotency::{self, Claim};
use crate::portal::{account, audit};
use crate::{Db, session};

const SIGN_IN: &str = include_str!("../../sql/portal_account/sign_in.sql");
const DASHBOARD: &str = include_str!("../../sql/portal_account/dashboard.sql");
const SETTINGS: &str = include_str!("../../sql/portal_account/settings.sql");
const LOG_EVENT: &str = include_str!("../../sql/portal_account/log_event.sql");
const UPDATE_PROFILE: &str = include_str!("../../sql/portal_account/update_profile.sql");
const UPDATE_NOTIFICATIONS: &str =
    include_str!("../../sql/portal_account/update_notifications.sql");

/// `portal_session(idempotency_key)`: the caller is here. Completes a sign-up that waited for it.
pub async fn sign_in<D: Db>(db: &mut D, mut arguments: Value) -> Result<Value> {
    patch::require_object("$", &arguments)?;
    let mut answer = complete(db).await?;
    if answer["status"] != "active" {
        return Ok(answer);
    }
    let account = account(db).await?;
    let caller = session::current(db).await?;
    let claim = match idempotency::claim(db, &caller, "portal_session", &mut arguments).await? {
        Claim::Repeat(first) => return Ok(first),
        Claim::First(claim) => claim,
    };
    let document = json!({"org_id": account.org_id, "id": account.id, "user_id": account.user_id, "scope": account.scope()});
    let about = db.call(SIGN_IN, &document).await?;
    audit(db, &account, "login", Value::Null).await?;
    for part in ["org", "profile", "customers"] {
        answer[part] = about[part].clone();
    }
    answer["permissions"] =
        json!({"book": account.role.may_book(), "see_other_customers": account.role.manages()});
    idempotency::store(db, claim, &answer).await?;
    Ok(answer)
}

/// `portal_dashboard()`: what there is to look at.
pub async fn dashboard<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    patch::require_object("$", &arguments)?;
    let account = account(db).await?;
    db.call(DASHBOARD, &json!({"org_id": account.org_id, "scope": account.scope()})).await
}

/// `portal_get_settings()`.
pub async fn get_settings<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    patch::require_object("$", &arguments)?;
    let account = account(db).await?;
    settings(db, &account).await
}

async fn settings(db: &mut impl Db, account: &Account) -> Result<Value> {
    let document = json!({"org_id": account.org_id, "id": account.id, "user_id": account.user_id,
        "customer_id": account.customer_id, "scope": account.scope()});
    let mut found = db.call(SETTINGS, &document).await?;
    found["account"] = json!(account);
    Ok(found)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    patch: Value,
}

/// `portal_update_profile(patch)`: answers the settings as they are now.
pub async fn update_profile<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Change { patch } = patch::read(arguments)?;
    let given: ProfilePatch = patch::read(patch)?;
    let account = account(db).await?;
    let change = given.prepare(country(&session::current(db).await?))?;
    let document = json!({"org_id": account.org_id, "id": account.id, "user_id": account.user_id,
        "customer_id": account.customer_id, "set": change});
    if db.call(UPDATE_PROFILE, &document).await?["location"] != true {
        return Err(Error::not_found("location"));
    }
    note_change(db, &account, "profile_updated", &json!(change)).await?;
    let account = self::account(db).await?;
    settings(db, &account).await
}

/// `portal_update_notifications(patch)`: answers the preferences as they are now.
pub async fn update_notifications<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Change { patch } = patch::read(arguments)?;
    let given: NotificationPatch = patch::read(patch)?;
    given.check()?;
    let account = account(db).await?;
    let document = json!({"org_id": account.org_id, "id": account.id, "set": given});
    let now = db.call(UPDATE_NOTIFICATIONS, &document).await?;
    note_change(db, &account, "notifications_updated", &json!(given)).await?;
    Ok(now)
}

/// Which fields changed; what is in them is in the rows.
async fn note_change(
    db: &mut impl Db,
    account: &Account,
    event: &str,
    change: &Value,
) -> Result<()> {
    let fields: Vec<_> = change.as_object().into_iter().flat_map(|set| set.keys()).collect();
    audit(db, account, event, json!({"fields": fields})).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Event {
    event_type: SecurityEvent,
    /// Whose; for the back end.
    user_id: Option<Uuid>,
}

/// `portal_log_event(event_type, user_id)`: what somebody did with their login, which the database does not see. Clients say only that
/// they leave; the rest is the back end's to say, which saw Auth do it.
pub async fn log_event<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Event { event_type, user_id } = patch::read(arguments)?;
    if let Some(user_id) = user_id {
        check_service(&session::current(db).await?)?;
        let noted = json!({"user_id": user_id, "event_type": event_type});
        let noted = db.call(LOG_EVENT, &noted).await?;
        return if noted.is_null() { Err(Error::not_found("portal account")) } else { Ok(noted) };
    }
    let account = account(db).await?;
    if event_type != SecurityEvent::Logout {
        return Err(Error::new(Code::Forbidden, "Clients say only that they leave."));
    }
    audit(db, &account, event_type.as_str(), Value::Null).await?;
    Ok(json!({"event_type": event_type}))
}
