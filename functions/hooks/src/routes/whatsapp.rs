//! `/whatsapp-webhook`

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use fieldcrm_core::signature::{meta, same};
use fieldcrm_core::{Code, Error};
use fieldcrm_edge::Ports;
use serde_json::{Value, json};

use crate::receive::{Received, Rejected, deliver};
use crate::settings::Settings;
use crate::whatsapp;

/// `GET`: Meta asks whether this is the place, and wants its challenge back.
pub async fn confirm_webhook(
    Extension(settings): Extension<Arc<Settings>>,
    received: Received,
) -> Result<Response, Rejected> {
    let tokens = settings.secrets("WHATSAPP_VERIFY_TOKEN").map_err(Rejected::Ours)?;
    let sent = received.query("hub.verify_token").unwrap_or_default();
    let known =
        tokens.iter().fold(false, |known, token| known | same(sent.as_bytes(), token.as_bytes()));
    let challenge = received.query("hub.challenge").filter(|challenge| {
        challenge.len() <= 200 && challenge.bytes().all(|byte| byte.is_ascii_graphic())
    });
    match (received.query("hub.mode").as_deref(), known, challenge) {
        (Some("subscribe"), true, Some(challenge)) => {
            Ok(([(CONTENT_TYPE, "text/plain; charset=utf-8")], challenge).into_response())
        }
        _ => Err(Rejected::Sender(Error::new(Code::Forbidden, "The verify token is another."))),
    }
}

/// `POST`: messages and statuses.
pub async fn receive_webhook(
    State(ports): State<Ports>,
    Extension(settings): Extension<Arc<Settings>>,
    received: Received,
) -> Result<Json<Value>, Rejected> {
    let secrets = settings.secrets("WHATSAPP_APP_SECRET").map_err(Rejected::Ours)?;
    meta::verify(&secrets, received.header("x-hub-signature-256")?, &received.body)?;
    let deliveries = whatsapp::events(&received.body)?;
    let outcome = deliver(&ports, &settings, &received.caller, deliveries).await?;
    Ok(Json(json!({ "received": outcome.events })))
}
