//! Whatever a provider signs is taken or refused: no panic, and no fault of ours. The first byte says who sends it.

#![no_main]

#[path = "../../functions/hooks/tests/harness/mod.rs"]
mod harness;

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::Utc;
use harness::{Harness, Sent, hex, hmac_sha1, hmac_sha256, routed, standard_webhook};
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use sha2::{Digest, Sha256};
use tokio::runtime::{Builder, Runtime};

const URL: &str = "https://hooks.example/functions/v1";
const FORM: &str = "application/x-www-form-urlencoded";

fn sent(way: u8, body: &[u8]) -> Sent {
    let now = Utc::now().timestamp();
    let basic = |account: &str| format!("Basic {}", STANDARD.encode(account));
    match way % 12 {
        0 => Sent::post("/whatsapp-webhook", body)
            .header("x-hub-signature-256", &format!("sha256={}", hex(&hmac_sha256(b"app-secret", body)))),
        1 => {
            let mut pairs: Vec<_> = form_urlencoded::parse(body).into_owned().collect();
            pairs.sort();
            let signed = pairs.into_iter().fold(format!("{URL}/sms-handler"), |all, (name, value)| all + &name + &value);
            Sent::post("/sms-handler", body)
                .header("content-type", FORM)
                .header("x-twilio-signature", &STANDARD.encode(hmac_sha1(b"twilio-token", signed.as_bytes())))
        }
        2 => {
            let path = format!("/sms-handler?bodySHA256={}", hex(&Sha256::digest(body)));
            let signature = STANDARD.encode(hmac_sha1(b"twilio-token", format!("{URL}{path}").as_bytes()));
            Sent::post(&path, body).header("content-type", "application/json").header("x-twilio-signature", &signature)
        }
        3 => Sent::post("/email-processor/postmark", body).header("authorization", &basic("postmark:secret")),
        4 => Sent::post("/email-processor/sendgrid", body)
            .header("content-type", "multipart/form-data; boundary=xYzZY")
            .header("authorization", &basic("sendgrid:secret")),
        5 => {
            let message = [now.to_string().as_bytes(), body].concat();
            let signature: Signature = SigningKey::from_slice(&[7; 32]).unwrap().sign(&message);
            Sent::post("/email-processor/sendgrid?address=office@northwind-mail.example", body)
                .header("x-twilio-email-event-webhook-timestamp", &now.to_string())
                .header("x-twilio-email-event-webhook-signature", &STANDARD.encode(signature.to_der()))
        }
        6 => {
            let signature = hex(&hmac_sha256(b"mailgun-key", format!("{now}token").as_bytes()));
            let signed = format!("timestamp={now}&token=token&signature={signature}&");
            Sent::post("/email-processor/mailgun", &[signed.as_bytes(), body].concat()).header("content-type", FORM)
        }
        7 => standard_webhook(Sent::post("/email-processor/resend", body), "svix", "msg_1", now),
        8 => Sent::post("/email-processor/raw", body).header("authorization", "Bearer raw-secret"),
        9 => form("application/json", body),
        10 => form("multipart/form-data; boundary=xYzZY", body),
        _ => form(FORM, body),
    }
}

fn form(content_type: &str, body: &[u8]) -> Sent {
    Sent::post("/webhook-handler/form_key_0123456789", body).header("content-type", content_type)
}

/// The key that way 5 signs with, as SendGrid shows it.
static SENDGRID_KEY: LazyLock<String> = LazyLock::new(|| {
    const HEAD: &[u8] = b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";
    let point = SigningKey::from_slice(&[7; 32]).unwrap().verifying_key().to_sec1_point(false);
    STANDARD.encode([HEAD, point.as_bytes()].concat())
});

thread_local! {
    static RUNTIME: Runtime = Builder::new_current_thread().enable_time().build().unwrap();
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let [way, body @ ..] = data else { return };
    let harness = Harness::with_secret(routed(), ("SENDGRID_PUBLIC_KEY", &SENDGRID_KEY));
    let answer = RUNTIME.with(|runtime| runtime.block_on(harness.send(sent(*way, body))));
    // 401 too: what says who signs, or what, can come twice in a body.
    assert!(answer.status < 500, "{} {}: {:?}", answer.status, answer.text, harness.lines());
    for line in harness.lines() {
        assert!(serde_json::from_str::<serde_json::Value>(&line).is_ok(), "{line}");
    }
});
