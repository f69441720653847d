//! Every way in, signed as its provider signs, and each signature spoilt: nothing of it is written.
#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod harness;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::Utc;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::json;
use sha2::{Digest, Sha256};

use harness::{Answer, Harness, ORG, Sent, hex, hmac_sha1, hmac_sha256, standard_webhook};

const FORM: &str = "/webhook-handler/form_key_0123456789";
const FORM_BODY: &str = r#"{"email":"a@b.example"}"#;

/// A way in: what proves who calls, whether the body is proved too, and the same a day and two hours ago.
struct Way {
    name: &'static str,
    good: Sent,
    headers: &'static [&'static str],
    covers_body: bool,
    old: Option<Sent>,
}

fn sendgrid_key() -> SigningKey {
    SigningKey::from_slice(&[7; 32]).unwrap()
}

/// The key as the dashboard shows it: `SubjectPublicKeyInfo`.
fn sendgrid_public_key() -> String {
    const HEAD: &[u8] = b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";
    let point = sendgrid_key().verifying_key().to_sec1_point(false);
    STANDARD.encode([HEAD, point.as_bytes()].concat())
}

fn basic(account: &str) -> String {
    format!("Basic {}", STANDARD.encode(account))
}

fn whatsapp() -> Sent {
    let body = include_bytes!("../testdata/whatsapp/text.json");
    let signature = format!("sha256={}", hex(&hmac_sha256(b"app-secret", body)));
    Sent::post("/whatsapp-webhook", body).header("x-hub-signature-256", &signature)
}

fn twilio_form() -> Sent {
    let body = include_str!("../testdata/twilio/text.txt");
    let mut parameters: Vec<_> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    parameters.sort();
    let url = "https://hooks.example/functions/v1/sms-handler".to_owned();
    let signed = parameters.into_iter().fold(url, |all, (name, value)| all + &name + &value);
    Sent::post("/sms-handler", body.as_bytes())
        .header("content-type", "application/x-www-form-urlencoded")
        .header(
            "x-twilio-signature",
            &STANDARD.encode(hmac_sha1(b"twilio-token", signed.as_bytes())),
        )
}

fn twilio_json() -> Sent {
    let body = include_bytes!("../testdata/twilio/event_stream.json");
    let path = format!("/sms-handler?bodySHA256={}", hex(&Sha256::digest(body)));
    let url = format!("https://hooks.example/functions/v1{path}");
    let signature = STANDARD.encode(hmac_sha1(b"twilio-token", url.as_bytes()));
    Sent::post(&path, body)
        .header("content-type", "application/json")
        .header("x-twilio-signature", &signature)
}

fn sendgrid_events(at: i64) -> Sent {
    let body = include_bytes!("../testdata/sendgrid/events.json");
    let message = [at.to_string().as_bytes(), body].concat();
    let signature: Signature = sendgrid_key().sign(&message);
    Sent::post("/email-processor/sendgrid?address=office@northwind-mail.example", body)
        .header("x-twilio-email-event-webhook-timestamp", &at.to_string())
        .header("x-twilio-email-event-webhook-signature", &STANDARD.encode(signature.to_der()))
}

fn mailgun(at: i64, token: &str, signed_token: &str) -> Sent {
    let signature = hex(&hmac_sha256(b"mailgun-key", format!("{at}{signed_token}").as_bytes()));
    let body = form_urlencoded::Serializer::new(String::new())
        .append_pair("recipient", "office@northwind-mail.example")
        .append_pair("from", "bob@example.com")
        .append_pair("timestamp", &at.to_string())
        .append_pair("token", token)
        .append_pair("signature", &signature)
        .finish();
    Sent::post("/email-processor/mailgun", body.as_bytes())
        .header("content-type", "application/x-www-form-urlencoded")
}

fn resend(prefix: &str, at: i64) -> Sent {
    let body = include_bytes!("../testdata/resend/delivered.json");
    standard_webhook(Sent::post("/email-processor/resend", body), prefix, "msg_1", at)
}

fn form_post() -> Sent {
    Sent::post(FORM, FORM_BODY.as_bytes()).header("content-type", "application/json")
}

fn form_stamped(at: i64) -> Sent {
    let signature =
        hex(&hmac_sha256(b"landing-page-secret", format!("{at}.{FORM_BODY}").as_bytes()));
    form_post().header("x-webhook-signature", &format!("t={at},v1={signature}"))
}

fn ways() -> Vec<Way> {
    let now = Utc::now().timestamp();
    let past = now - 26 * 60 * 60;
    let way = |name, good, headers, covers_body, old| Way { name, good, headers, covers_body, old };
    vec![
        way("whatsapp", whatsapp(), &["x-hub-signature-256"], true, None),
        way("twilio", twilio_form(), &["x-twilio-signature"], true, None),
        way("twilio events", twilio_json(), &["x-twilio-signature"], true, None),
        way(
            "postmark",
            Sent::post(
                "/email-processor/postmark",
                include_bytes!("../testdata/postmark/inbound_attachments.json"),
            )
            .header("authorization", &basic("postmark:secret")),
            &["authorization"],
            false,
            None,
        ),
        way(
            "sendgrid inbound",
            Sent::post(
                "/email-processor/sendgrid",
                include_bytes!("../testdata/sendgrid/inbound_attachments.txt"),
            )
            .header("content-type", "multipart/form-data; boundary=xYzZY")
            .header("authorization", &basic("sendgrid:secret")),
            &["authorization"],
            false,
            None,
        ),
        way(
            "sendgrid events",
            sendgrid_events(now),
            &["x-twilio-email-event-webhook-signature", "x-twilio-email-event-webhook-timestamp"],
            true,
            Some(sendgrid_events(past)),
        ),
        way(
            "mailgun",
            mailgun(now, "token", "token"),
            &[],
            false,
            Some(mailgun(past, "token", "token")),
        ),
        way(
            "resend",
            resend("svix", now),
            &["svix-id", "svix-timestamp", "svix-signature"],
            true,
            Some(resend("svix", past)),
        ),
        way(
            "resend, plainly",
            resend("webhook", now),
            &["webhook-id", "webhook-timestamp", "webhook-signature"],
            true,
            Some(resend("webhook", past)),
        ),
        way(
            "raw",
            Sent::post(
                "/email-processor/raw",
                include_bytes!("../testdata/raw/alternative_with_files.eml"),
            )
            .header("authorization", "Bearer raw-secret"),
            &["authorization"],
            false,
            None,
        ),
        way(
            "form, Standard Webhooks",
            standard_webhook(form_post(), "webhook", "evt_1", now),
            &["webhook-id", "webhook-timestamp", "webhook-signature"],
            true,
            Some(standard_webhook(form_post(), "webhook", "evt_1", past)),
        ),
        way(
            "form, stamped",
            form_stamped(now),
            &["x-webhook-signature"],
            true,
            Some(form_stamped(past)),
        ),
    ]
}

fn harness(way: &Way) -> Harness {
    let secret = if way.name == "form, stamped" { "PLAIN_SECRET" } else { "LANDING_PAGE" };
    let channel = json!({"org_id": ORG, "known": [], "secret_name": secret, "settings": {}, "is_enabled": true});
    let became =
        json!({"routed": true, "events": [], "outcome": "lead", "lead_id": null, "created": true});
    Harness::with_secret(
        Answer::Becomes(channel, Ok(became)),
        ("SENDGRID_PUBLIC_KEY", &sendgrid_public_key()),
    )
}

async fn refuses(way: &Way, sent: Sent, spoilt: &str) {
    let harness = harness(way);
    let answer = harness.send(sent).await;
    let name = way.name;
    assert_eq!(
        (answer.status, answer.json["code"].as_str()),
        (401, Some("unauthenticated")),
        "{name}: {spoilt}"
    );
    // What a form's channel is has to be known before its signature can be.
    let written =
        harness.asked().into_iter().filter(|(function, _)| *function != "crm_find_channel");
    assert_eq!((written.count(), harness.objects().len()), (0, 0), "{name}: {spoilt}");
}

#[tokio::test]
async fn each_way_in_takes_what_is_signed() {
    for way in ways() {
        let harness = harness(&way);
        assert_eq!(harness.send(way.good.clone()).await.status, 200, "{}", way.name);
        assert!(!harness.asked().is_empty(), "{}", way.name);
    }
}

#[tokio::test]
async fn a_header_that_is_missing_or_comes_twice_is_refused() {
    for way in ways() {
        for header in way.headers {
            refuses(&way, way.good.clone().without(header), &format!("without {header}")).await;
            refuses(&way, way.good.clone().twice(header), &format!("{header} twice")).await;
            refuses(&way, way.good.clone().joined(header), &format!("{header} joined")).await;
        }
    }
}

#[tokio::test]
async fn a_changed_byte_is_refused_where_the_body_is_signed() {
    for way in ways().iter().filter(|way| way.covers_body) {
        refuses(way, way.good.clone().changed(), "a changed byte").await;
    }
    // Of Mailgun's the token is.
    let way = ways().into_iter().find(|way| way.name == "mailgun").unwrap();
    let now = Utc::now().timestamp();
    refuses(&way, mailgun(now, "tokem", "token"), "another token").await;
    refuses(
        &way,
        Sent::post("/email-processor/mailgun", b"recipient=a")
            .header("content-type", "application/x-www-form-urlencoded"),
        "no signature",
    )
    .await;
}

#[tokio::test]
async fn an_old_signature_is_refused_where_it_has_a_time() {
    let ways = ways();
    let timed: Vec<_> = ways.iter().filter_map(|way| Some((way, way.old.clone()?))).collect();
    assert_eq!(timed.len(), 6);
    for (way, old) in timed {
        refuses(way, old, "a day ago").await;
    }
}
