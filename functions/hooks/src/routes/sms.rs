//! `/sms-handler`

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use fieldcrm_core::signature::twilio::{Payload, verify};
use fieldcrm_edge::Ports;

use crate::payload::{Form, is};
use crate::receive::{Received, Rejected, deliver};
use crate::settings::Settings;
use crate::twilio;

/// `POST`: Twilio's incoming messages and statuses; the answer is TwiML.
pub async fn receive_sms(
    State(ports): State<Ports>,
    Extension(settings): Extension<Arc<Settings>>,
    received: Received,
) -> Result<Response, Rejected> {
    let tokens = settings.secrets("TWILIO_AUTH_TOKEN").map_err(Rejected::Ours)?;
    let url = settings.public_url().map_err(Rejected::Ours)? + &received.target;
    let signature = received.header("x-twilio-signature")?;
    let found = if is(received.content_type(), "application/x-www-form-urlencoded") {
        let form = Form::read(received.content_type(), &received.body)?;
        verify(&tokens, &url, Payload::Form(&form.pairs()), signature)?;
        twilio::form(&form)
    } else {
        let sha256 = received.query("bodySHA256").unwrap_or_default();
        let payload = Payload::Body { body: &received.body, sha256: &sha256 };
        verify(&tokens, &url, payload, signature)?;
        twilio::json(&received.body)?
    };
    let asks_for_help = found.asks_for_help;
    let outcome = deliver(&ports, &settings, &received.caller, found.deliveries).await?;
    let answer = if asks_for_help && outcome.routed { Some(settings.help_text()) } else { None };
    Ok(([(CONTENT_TYPE, "text/xml; charset=utf-8")], twiml(answer)).into_response())
}

fn twiml(message: Option<&str>) -> String {
    let mut document = r#"<?xml version="1.0" encoding="UTF-8"?>"#.to_owned();
    match message {
        None => document.push_str("<Response/>"),
        Some(message) => {
            let message = message.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            let _ = write!(document, "<Response><Message>{message}</Message></Response>");
        }
    }
    document
}

#[cfg(test)]
mod tests {
    use super::twiml;

    #[test]
    fn an_answer_is_escaped() {
        assert!(twiml(None).ends_with("<Response/>"));
        let answer = twiml(Some("R&D <x>"));
        assert!(answer.ends_with("<Response><Message>R&amp;D &lt;x&gt;</Message></Response>"));
    }
}
