//! The paths of the four functions.

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use axum::{Extension, Router};
use fieldcrm_edge::{Ports, Storage, openapi};

use crate::settings::Settings;
use crate::{MAX_BODY, MAX_MAIL, SLUGS};

mod email;
mod form;
mod sms;
mod whatsapp;

/// All routes, with the secrets that they verify by.
pub fn all(settings: &Arc<Settings>, storage: Arc<dyn Storage>) -> Router<Ports> {
    let mail = Router::new()
        .route("/email-processor/{provider}", post(email::receive_mail))
        .layer(DefaultBodyLimit::max(MAX_MAIL))
        .layer(Extension(storage));
    Router::new()
        .route("/whatsapp-webhook", get(whatsapp::confirm_webhook).post(whatsapp::receive_webhook))
        .route("/sms-handler", post(sms::receive_sms))
        .route("/webhook-handler/{form_key}", post(form::submit_form))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .merge(mail)
        .merge(openapi::routes(&SLUGS, include_str!("../openapi.json")))
        .layer(Extension(settings.clone()))
}
