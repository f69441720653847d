//! `/portal/settings`

use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, patch};
use axum::{Extension, Json, Router};
use fieldcrm_core::{Error, Result};
use fieldcrm_edge::http::Method;
use fieldcrm_edge::{Caller, JsonObject, Ports, Problem};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::identity::{Identity, map};

pub fn add(routes: Router<Ports>) -> Router<Ports> {
    routes
        .route("/portal/settings", get(show))
        .route("/portal/settings/profile", patch(change_profile))
        .route("/portal/settings/notifications", patch(change_notifications))
        .route("/portal/settings/security", patch(change_security))
}

/// `GET /portal/settings`
async fn show(State(ports): State<Ports>, caller: Caller) -> Result<Json<Value>, Problem> {
    Ok(Json(ports.database.rpc(&caller, "portal_get_settings", Map::new()).await?))
}

/// `PATCH /portal/settings/profile`
async fn change_profile(
    State(ports): State<Ports>,
    caller: Caller,
    JsonObject(body): JsonObject,
) -> Result<Json<Value>, Problem> {
    let arguments = map(json!({"patch": body}));
    Ok(Json(ports.database.rpc(&caller, "portal_update_profile", arguments).await?))
}

/// `PATCH /portal/settings/notifications`
async fn change_notifications(
    State(ports): State<Ports>,
    caller: Caller,
    JsonObject(body): JsonObject,
) -> Result<Json<Value>, Problem> {
    let arguments = map(json!({"patch": body}));
    Ok(Json(ports.database.rpc(&caller, "portal_update_notifications", arguments).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Security {
    current_password: Option<String>,
    password: Option<String>,
    mfa: Option<Mfa>,
}

/// A second factor: an app that shows codes.
#[derive(Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
enum Mfa {
    Enroll { friendly_name: Option<String> },
    Verify { factor_id: Uuid, code: String },
    Unenroll { factor_id: Uuid },
}

/// `PATCH /portal/settings/security`: another password, or a second factor. Auth keeps both, the database notes that it was done.
async fn change_security(
    State(ports): State<Ports>,
    Extension(identity): Extension<Arc<Identity>>,
    caller: Caller,
    JsonObject(body): JsonObject,
) -> Result<Json<Value>, Problem> {
    let given: Security = fieldcrm_core::patch::read(Value::Object(body))?;
    if given.password.is_none() && given.mfa.is_none() {
        let message = "send password with current_password, or mfa";
        return Err(Error::invalid_field("$", "required", message).into());
    }
    // Refuses whose account is not active, before anything changes.
    let settings = match ports.database.rpc(&caller, "portal_get_settings", Map::new()).await {
        // They come in with their second factor: nothing is changed.
        Err(error) if error.data.get("reason") == Some(&json!("second_factor")) => {
            let (None, Some(Mfa::Verify { factor_id, code })) = (&given.password, &given.mfa)
            else {
                return Err(error.into());
            };
            let mfa = verify_factor(&identity, &caller, *factor_id, code).await?;
            return Ok(Json(json!({"password_changed": false, "mfa": mfa})));
        }
        settings => settings?,
    };
    if let Some(password) = &given.password {
        // Whoever was linked to a customer by a mail has none yet.
        if settings["security"]["has_password"] != false {
            check_password(&identity, &caller, &settings, given.current_password.as_deref())
                .await?;
        }
        identity.own(&caller, Method::Put, "user", &json!({"password": password})).await?;
        log(&identity, &caller, &settings, "password_changed").await?;
    }
    let mfa = match &given.mfa {
        Some(mfa) => change_factor(&identity, &caller, &settings, mfa).await?,
        None => Value::Null,
    };
    Ok(Json(json!({"password_changed": given.password.is_some(), "mfa": mfa})))
}

/// Refuses whoever does not know the password that holds now.
async fn check_password(
    identity: &Identity,
    caller: &Caller,
    settings: &Value,
    current: Option<&str>,
) -> Result<()> {
    let current = current.ok_or_else(|| {
        Error::invalid_field("current_password", "required", "say which password you have now")
    })?;
    let address = settings["profile"]["email"].as_str().unwrap_or_default();
    let session = identity.sign_in(caller, address, current).await?.ok_or_else(|| {
        Error::invalid_field("current_password", "wrong_password", "is not your password")
    })?;
    identity.forget(caller, &session).await;
    Ok(())
}

async fn change_factor(
    identity: &Identity,
    caller: &Caller,
    settings: &Value,
    mfa: &Mfa,
) -> Result<Value> {
    let (made, event) = match mfa {
        Mfa::Enroll { friendly_name } => {
            let body = json!({"factor_type": "totp", "friendly_name": friendly_name});
            let factor = identity.own(caller, Method::Post, "factors", &body).await?;
            (json!({"factor_id": factor["id"], "totp": factor["totp"]}), "mfa_enrolled")
        }
        Mfa::Verify { factor_id, code } => {
            (verify_factor(identity, caller, *factor_id, code).await?, "mfa_enabled")
        }
        Mfa::Unenroll { factor_id } => {
            let path = format!("factors/{factor_id}");
            identity.own(caller, Method::Delete, &path, &Value::Null).await?;
            (json!({"factor_id": factor_id}), "mfa_disabled")
        }
    };
    log(identity, caller, settings, event).await?;
    Ok(made)
}

/// A session that began with the factor too.
async fn verify_factor(
    identity: &Identity,
    caller: &Caller,
    factor_id: Uuid,
    code: &str,
) -> Result<Value> {
    let path = format!("factors/{factor_id}");
    let challenge =
        identity.own(caller, Method::Post, &format!("{path}/challenge"), &json!({})).await?;
    let body = json!({"challenge_id": challenge["id"], "code": code});
    let session = identity.own(caller, Method::Post, &format!("{path}/verify"), &body).await?;
    Ok(json!({"factor_id": factor_id, "session": session}))
}

/// With the service key: what clients say of their logins is no evidence.
async fn log(identity: &Identity, caller: &Caller, settings: &Value, event: &str) -> Result<()> {
    let arguments = json!({"event_type": event, "user_id": settings["account"]["user_id"]});
    identity.rpc(caller, "portal_log_event", arguments).await.map(drop)
}
