//! `/webhook-handler/{form_key}`: forms of landing pages, and other systems.

use std::sync::Arc;

use axum::Extension;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::{LOCATION, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use fieldcrm_core::signature::{standard, timestamped};
use fieldcrm_core::{Code, Error, fingerprint};
use fieldcrm_edge::{Ports, Problem};
use serde_json::{Map, Value, json};

use crate::event::instant;
use crate::form;
use crate::receive::{Received, Rejected, call};
use crate::settings::Settings;

/// How long a repeat without an id of its own is known as one.
const SAME_SECONDS: i64 = 60;
/// `POST`: one form. Signed where its channel has a secret, and only then.
pub async fn submit_form(
    State(ports): State<Ports>,
    Extension(settings): Extension<Arc<Settings>>,
    Path(form_key): Path<String>,
    received: Received,
) -> Result<Response, Rejected> {
    let caller = &received.caller;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if !(16..=100).contains(&form_key.len()) || !form_key.bytes().all(plain) {
        return Err(no_such_form());
    }
    let asked = Map::from_iter([
        ("channel".to_owned(), "form".into()),
        ("address".to_owned(), form_key.as_str().into()),
    ]);
    let channel = call(&ports, &settings, caller, "crm_find_channel", asked).await;
    let channel = channel.map_err(Rejected::Ours)?;
    if channel["is_enabled"] != true {
        return Err(no_such_form());
    }
    let now = Utc::now();
    let secret_name = channel["secret_name"].as_str();
    let signed_id = match secret_name {
        Some(name) => verify(&settings, name, &received, now)?,
        None => None,
    };
    let query = received.target.split_once('?').map_or("", |(_, query)| query);
    let fields = form::fields(received.content_type(), &received.body, query)?;
    let id = signed_id.or_else(|| idempotency_key(&received)).unwrap_or_else(|| {
        let minute = now.timestamp().div_euclid(SAME_SECONDS);
        fingerprint::of(&json!([minute, fields]))
    });
    // Who can sign is not held back: each of theirs counts as a source of its own.
    let source = if secret_name.is_some() { Some(id.clone()) } else { client_address(&received) };
    let arguments = Map::from_iter([
        ("form_key".to_owned(), form_key.into()),
        ("fields".to_owned(), Value::Object(fields)),
        ("submission_id".to_owned(), id.into()),
        ("source".to_owned(), source.into()),
        ("received_at".to_owned(), instant(now).into()),
    ]);
    let lead =
        call(&ports, &settings, caller, "crm_submit_form", arguments).await.map_err(refused)?;
    if lead["outcome"] == "rate_limited" {
        let error = Error::new(Code::RateLimited, "Wait a minute.");
        return Ok(([(RETRY_AFTER, "60")], Problem(error)).into_response());
    }
    if secret_name.is_some() {
        return Ok(Json(lead).into_response());
    }
    // Whoever fills in a form is told nothing of what became of it: neither that it was taken for a
    // robot's, nor that they are known already.
    Ok(redirect(&channel["settings"], &received)
        .unwrap_or_else(|| Json(json!({"received": true})).into_response()))
}

/// Standard Webhooks, or `X-Webhook-Signature: t=…,v1=…`; gives the id that was signed.
fn verify(
    settings: &Settings,
    name: &str,
    received: &Received,
    now: DateTime<Utc>,
) -> Result<Option<String>, Rejected> {
    let now = now.timestamp();
    if received.has("webhook-signature") {
        let keys = settings.form_secrets(name).and_then(|_| settings.standard_keys(name));
        let signed = standard::Signed {
            id: received.header("webhook-id")?,
            timestamp: received.header("webhook-timestamp")?,
            signatures: received.header("webhook-signature")?,
        };
        standard::verify(&keys.map_err(Rejected::Ours)?, signed, &received.body, now)?;
        return Ok(Some(signed.id.to_owned()));
    }
    let secrets = settings.form_secrets(name).map_err(Rejected::Ours)?;
    let header = received.header("x-webhook-signature")?;
    timestamped::verify(&secrets, header, &received.body, now)?;
    Ok(None)
}

fn idempotency_key(received: &Received) -> Option<String> {
    let key = received.header("idempotency-key").ok()?;
    let plain = (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    plain.then(|| key.to_owned())
}

/// Whose turn is counted. What a proxy in front sets cannot be forged through it; the first address of
/// a list can, so where there is none in front the limit only holds back the careless.
fn client_address(received: &Received) -> Option<String> {
    let set = received.headers.get("cf-connecting-ip").and_then(|value| value.to_str().ok());
    let listed = received.caller.forwarded_for.as_deref();
    let first = set.or(listed)?.split(',').next()?.trim().to_owned();
    (!first.is_empty()).then_some(first)
}

/// Where the channel sends browsers that post a form themselves.
fn redirect(settings: &Value, received: &Received) -> Option<Response> {
    let url = settings["redirect_url"].as_str().filter(|url| url.starts_with("https://"))?;
    let accepts = received.headers.get("accept").and_then(|value| value.to_str().ok());
    let is_browser = accepts.is_some_and(|accepts| accepts.contains("text/html"));
    let url = HeaderValue::from_str(url).ok().filter(|_| is_browser)?;
    Some((StatusCode::SEE_OTHER, [(LOCATION, url)]).into_response())
}

fn no_such_form() -> Rejected {
    Rejected::Sender(Error::not_found("form"))
}

/// What the database refuses in a form is the sender's to correct; a key that it does not take is ours.
fn refused(error: Error) -> Rejected {
    match error.code {
        Code::Unauthenticated | Code::Forbidden => Rejected::Ours(error),
        code if code.status() >= 500 => Rejected::Ours(error),
        _ => Rejected::Sender(error),
    }
}
