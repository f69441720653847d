//! Forms and other systems, with a database that writes down what it is asked.
#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod harness;

use chrono::Utc;
use fieldcrm_core::{Code, Error};
use serde_json::{Value, json};

use harness::{Answer, Harness, Sent, hex, hmac_sha256, standard_webhook};

const KEY: &str = "form_key_0123456789";
const PATH: &str = "/webhook-handler/form_key_0123456789";

fn form(body: &str) -> Sent {
    Sent::post(PATH, body.as_bytes())
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-forwarded-for", "203.0.113.9, 10.0.0.1")
}

fn open(settings: &Value) -> Answer {
    Answer::Form(json!({"secret_name": null, "settings": settings, "is_enabled": true}))
}

fn signed(name: &str) -> Answer {
    Answer::Form(json!({"secret_name": name, "settings": {}, "is_enabled": true}))
}

fn submitted(harness: &Harness) -> Vec<Value> {
    let asked = harness.asked();
    asked
        .into_iter()
        .filter(|(name, _)| *name == "crm_submit_form")
        .map(|(_, arguments)| arguments)
        .collect()
}

#[tokio::test]
async fn a_form_becomes_its_fields() {
    let harness = Harness::new(open(&json!({})));
    let body = "first_name=Zo%C3%AB&email=zoe%40example.com&interest=a&interest=b";
    let sent = form(body).path(&format!("{PATH}?utm_source=google"));
    let answer = harness.send(sent).await;
    assert_eq!((answer.status, &answer.json), (200, &json!({"received": true})));
    let asked = harness.asked();
    assert_eq!(asked[0], ("crm_find_channel", json!({"channel": "form", "address": KEY})));
    let arguments = &asked[1].1;
    assert_eq!(
        arguments["fields"],
        json!({"first_name": "Zoë", "email": "zoe@example.com", "interest": ["a", "b"], "utm_source": "google"})
    );
    assert_eq!(
        (&arguments["form_key"], &arguments["source"]),
        (&json!(KEY), &json!("203.0.113.9"))
    );
    assert_eq!(arguments["submission_id"].as_str().unwrap().len(), 64);
    assert!(arguments["received_at"].as_str().unwrap().ends_with('Z'));
}

#[tokio::test]
async fn the_same_form_within_a_minute_is_the_same_submission() {
    let harness = Harness::new(open(&json!({})));
    // A multipart body is another each time, its fields are not.
    let multipart = |boundary: &str, email: &str| {
        let body = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\n{email}\r\n--{boundary}--\r\n"
        );
        Sent::post(PATH, body.as_bytes())
            .header("content-type", &format!("multipart/form-data; boundary={boundary}"))
    };
    // Not across the turn of a minute.
    while Utc::now().timestamp() % 60 == 59 {
        tokio::task::yield_now().await;
    }
    for sent in [
        multipart("a", "a@b.example"),
        multipart("b", "a@b.example"),
        multipart("c", "c@d.example"),
    ] {
        assert_eq!(harness.send(sent).await.status, 200);
    }
    let ids: Vec<Value> =
        submitted(&harness).iter().map(|one| one["submission_id"].clone()).collect();
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[0], ids[2]);
    harness.send(form("email=a%40b.example").header("idempotency-key", "lead-7")).await;
    assert_eq!(submitted(&harness)[3]["submission_id"], "lead-7");
}

#[tokio::test]
async fn a_form_that_is_not_there_or_closed_is_not_found() {
    for channel in [Value::Null, json!({"is_enabled": false})] {
        let harness = Harness::new(Answer::Form(channel));
        assert_eq!(harness.send(form("a=b")).await.status, 404);
        assert!(submitted(&harness).is_empty());
    }
    let harness = Harness::new(open(&json!({})));
    for path in ["/webhook-handler/short", "/webhook-handler/form_key_0123456789%27"] {
        assert_eq!(harness.send(form("a=b").path(path)).await.status, 404);
    }
    assert!(harness.asked().is_empty());
}

#[tokio::test]
async fn a_channel_with_a_secret_takes_only_what_is_signed() {
    let now = Utc::now().timestamp();
    let body = r#"{"email":"a@b.example"}"#;
    let json = || Sent::post(PATH, body.as_bytes()).header("content-type", "application/json");
    let stamp = |key: &[u8], at: i64| {
        let signature = hex(&hmac_sha256(key, format!("{at}.{body}").as_bytes()));
        json().header("x-webhook-signature", &format!("t={at},v1={signature}"))
    };
    let harness = Harness::new(signed("LANDING_PAGE"));
    let good = standard_webhook(json(), "webhook", "evt_1", now);
    for bad in [
        json(),
        form("email=a"),
        good.clone().body("{}"),
        good.clone().without("webhook-id"),
        good.clone().without("webhook-timestamp"),
        good.clone().header("webhook-signature", "v1,AAAA"),
        standard_webhook(json(), "webhook", "evt_1", now - 400),
        stamp(b"other", now),
        stamp(b"landing-page-secret", now - 400),
    ] {
        assert_eq!(harness.send(bad.clone()).await.status, 401, "{bad:?}");
    }
    assert!(submitted(&harness).is_empty());

    let answer = harness.send(good).await;
    assert_eq!((answer.status, &answer.json["lead_id"]), (200, &json!("lead-1")));
    let arguments = submitted(&harness).remove(0);
    assert_eq!(
        (&arguments["submission_id"], &arguments["source"]),
        (&json!("evt_1"), &json!("evt_1"))
    );

    let harness = Harness::new(signed("PLAIN_SECRET"));
    assert_eq!(harness.send(stamp(b"landing-page-secret", now)).await.status, 200);
}

#[tokio::test]
async fn a_secret_that_is_not_set_or_not_for_forms_is_our_fault() {
    let now = Utc::now().timestamp();
    for name in ["NOT_SET", "SUPABASE_SERVICE_ROLE_KEY", "TWILIO_AUTH_TOKEN"] {
        let harness = Harness::new(signed(name));
        let sent = standard_webhook(form("a=b"), "webhook", "evt_1", now);
        assert_eq!(harness.send(sent).await.status, 503, "{name}");
        assert!(submitted(&harness).is_empty());
    }
}

#[tokio::test]
async fn browsers_are_sent_where_the_channel_says() {
    let harness = Harness::new(open(&json!({"redirect_url": "https://northwind.example/thanks"})));
    let answer = harness.send(form("a=b").header("accept", "text/html,*/*")).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, Some("https://northwind.example/thanks"))
    );
    assert_eq!(harness.send(form("a=c").header("accept", "application/json")).await.status, 200);
    let harness = Harness::new(open(&json!({"redirect_url": "javascript:alert(1)"})));
    assert_eq!(harness.send(form("a=b").header("accept", "text/html")).await.status, 200);
}

#[tokio::test]
async fn nobody_is_told_what_became_of_an_open_form() {
    let harness = Harness::new(Answer::Submitted(Ok(
        json!({"outcome": "ignored", "lead_id": null, "created": false}),
    )));
    assert_eq!(harness.send(form("website=spam")).await.json, json!({"received": true}));
}

#[tokio::test]
async fn refusals_of_the_database_reach_who_can_mend_them() {
    let harness = Harness::new(Answer::Submitted(Ok(json!({"outcome": "rate_limited"}))));
    let answer = harness.send(form("a=b")).await;
    assert_eq!((answer.status, answer.header("retry-after")), (429, Some("60")));
    let wrong = Error::invalid_field("fields.email", "invalid_email", "not an address");
    let harness = Harness::new(Answer::Submitted(Err(wrong)));
    assert_eq!(harness.send(form("email=x")).await.status, 400);
    for code in [Code::Unavailable, Code::Internal, Code::Forbidden, Code::Unauthenticated] {
        let harness = Harness::new(Answer::Submitted(Err(Error::new(code, "x"))));
        assert_eq!(harness.send(form("email=x")).await.status, 503);
    }
}

#[tokio::test]
async fn a_page_of_any_site_may_send_a_form() {
    let harness = Harness::new(open(&json!({})));
    let answer = harness.send(form("a=b").header("origin", "https://landing.example")).await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    let preflight = Sent::options(PATH)
        .header("origin", "https://landing.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type");
    assert_eq!(harness.send(preflight).await.status, 200);
}
