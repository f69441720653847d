//! `/email-processor/{provider}`. The parameter `address` of the URL names the mailbox where what
//! comes does not: SendGrid's events say nothing of the sender.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use chrono::Utc;
use fieldcrm_core::signature::{
    basic, mailgun as mailgun_signature, sendgrid as sendgrid_signature, standard,
};
use fieldcrm_core::{Code, Error};
use fieldcrm_edge::{Ports, Storage};
use serde_json::{Value, json};

use crate::event::Delivery;
use crate::payload::{Form, is, json as parse};
use crate::receive::{Received, Rejected, deliver};
use crate::settings::Settings;
use crate::{files, mail, mailgun, mime, postmark, resend, sendgrid};

/// `POST`: one mail, or what became of those that were sent.
pub async fn receive_mail(
    State(ports): State<Ports>,
    Extension(settings): Extension<Arc<Settings>>,
    Extension(storage): Extension<Arc<dyn Storage>>,
    Path(provider): Path<String>,
    received: Received,
) -> Result<Json<Value>, Rejected> {
    let deliveries = match provider.as_str() {
        "postmark" => from_postmark(&settings, &received),
        "sendgrid" => from_sendgrid(&settings, &received),
        "mailgun" => from_mailgun(&settings, &received),
        "resend" => from_resend(&settings, &received),
        "raw" => raw(&settings, &received),
        _ => Err(Rejected::Sender(Error::new(Code::NotFound, "There is no such mail provider."))),
    }?;
    let caller = &received.caller;
    let deliveries = files::store(&ports, &settings, storage.as_ref(), caller, deliveries).await?;
    let outcome = deliver(&ports, &settings, caller, deliveries).await?;
    Ok(Json(json!({ "received": outcome.events })))
}

type Deliveries = Result<Vec<Delivery>, Rejected>;

/// Postmark does not sign: user and password stand in the URL that it is given.
fn from_postmark(settings: &Settings, received: &Received) -> Deliveries {
    let accounts = settings.secrets("POSTMARK_WEBHOOK_AUTH").map_err(Rejected::Ours)?;
    basic::verify(&accounts, received.header("authorization")?)?;
    Ok(postmark::events(&received.body, ours(received))?)
}

/// Signed where a security policy is attached, otherwise with user and password in the URL.
fn from_sendgrid(settings: &Settings, received: &Received) -> Deliveries {
    const SIGNATURE: &str = "x-twilio-email-event-webhook-signature";
    const TIMESTAMP: &str = "x-twilio-email-event-webhook-timestamp";
    if received.has(SIGNATURE) || !settings.has("SENDGRID_WEBHOOK_AUTH") {
        let keys = settings.sendgrid_keys("SENDGRID_PUBLIC_KEY").map_err(Rejected::Ours)?;
        let (time, signature) = (received.header(TIMESTAMP)?, received.header(SIGNATURE)?);
        sendgrid_signature::verify(&keys, time, signature, &received.body, now())?;
    } else {
        let accounts = settings.secrets("SENDGRID_WEBHOOK_AUTH").map_err(Rejected::Ours)?;
        basic::verify(&accounts, received.header("authorization")?)?;
    }
    if is(received.content_type(), "multipart/form-data") {
        let form = Form::read(received.content_type(), &received.body)?;
        return Ok(sendgrid::inbound(&form, ours(received)));
    }
    Ok(sendgrid::events(&received.body, ours(received))?)
}

/// The signature is in the body, which has to be taken apart to find it.
fn from_mailgun(settings: &Settings, received: &Received) -> Deliveries {
    let keys = settings.secrets("MAILGUN_SIGNING_KEY").map_err(Rejected::Ours)?;
    let verify = |signed: &mailgun::Signature| {
        mailgun_signature::verify(&keys, &signed.timestamp, &signed.token, &signed.signature, now())
    };
    if is(received.content_type(), "application/json") {
        let body = parse(&received.body)?;
        verify(&mailgun::Signature::of_event(&body))?;
        return Ok(vec![mailgun::event(&body, ours(received))]);
    }
    let form = Form::read(received.content_type(), &received.body)?;
    verify(&mailgun::Signature::of_form(&form))?;
    Ok(mailgun::inbound(&form, ours(received)))
}

/// Standard Webhooks under Svix's names.
fn from_resend(settings: &Settings, received: &Received) -> Deliveries {
    let keys = settings.standard_keys("RESEND_WEBHOOK_SECRET").map_err(Rejected::Ours)?;
    let prefix = if received.has("svix-id") { "svix" } else { "webhook" };
    let header = |name: &str| received.header(&format!("{prefix}-{name}"));
    let signed = standard::Signed {
        id: header("id")?,
        timestamp: header("timestamp")?,
        signatures: header("signature")?,
    };
    standard::verify(&keys, signed, &received.body, now())?;
    Ok(resend::events(&received.body, signed.id, ours(received))?)
}

/// From a mail server of one's own.
fn raw(settings: &Settings, received: &Received) -> Deliveries {
    let secrets = settings.secrets("EMAIL_INBOUND_SECRET").map_err(Rejected::Ours)?;
    basic::verify_bearer(&secrets, received.header("authorization")?)?;
    Ok(mime::events(&received.body, ours(received)))
}

fn ours(received: &Received) -> Option<String> {
    received.query("address").as_deref().and_then(mail::address)
}

fn now() -> i64 {
    Utc::now().timestamp()
}
