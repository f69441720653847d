//! The routes, with a database that writes down what it is asked.
#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod harness;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::Utc;
use fieldcrm_core::{Code, Error};
use fieldcrm_hooks::{MAX_BODY, MAX_MAIL};
use serde_json::{Value, json};

use harness::{Answer, Harness, Sent, hex, hmac_sha1, hmac_sha256, routed, standard_webhook};

const TEXT: &[u8] = include_bytes!("../testdata/whatsapp/text.json");
const SMS: &str = include_str!("../testdata/twilio/text.txt");
const STOP: &str = include_str!("../testdata/twilio/stop.txt");
const HELP: &str = include_str!("../testdata/twilio/help.txt");
const MAIL: &[u8] = include_bytes!("../testdata/postmark/inbound.json");
const FORM: &str = "/webhook-handler/form_key_0123456789";

fn whatsapp(body: &[u8]) -> Sent {
    let signature = format!("sha256={}", hex(&hmac_sha256(b"app-secret", body)));
    Sent::post("/whatsapp-webhook", body).header("x-hub-signature-256", &signature)
}

fn twilio_at(url: &str, path: &str, body: &str) -> Sent {
    let mut parameters: Vec<_> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    parameters.sort();
    let signed: String =
        parameters.into_iter().fold(url.to_owned(), |all, (name, value)| all + &name + &value);
    let signature = STANDARD.encode(hmac_sha1(b"twilio-token", signed.as_bytes()));
    Sent::post(path, body.as_bytes())
        .header("content-type", "application/x-www-form-urlencoded; charset=UTF-8")
        .header("x-twilio-signature", &signature)
}

fn twilio(body: &str) -> Sent {
    twilio_at("https://hooks.example/functions/v1/sms-handler", "/sms-handler", body)
}

fn basic(account: &str) -> String {
    format!("Basic {}", STANDARD.encode(account))
}

fn postmark(body: &[u8]) -> Sent {
    Sent::post("/email-processor/postmark", body).header("authorization", &basic("postmark:secret"))
}

fn form(body: &str) -> Sent {
    Sent::post(FORM, body.as_bytes()).header("content-type", "application/x-www-form-urlencoded")
}

// Who may write

#[tokio::test]
async fn meta_gets_its_challenge_back_for_the_token_that_we_gave_it() {
    let harness = Harness::new(routed());
    let ask = |token: &str, mode: &str| {
        Sent::get(&format!(
            "/whatsapp-webhook?hub.mode={mode}&hub.challenge=1158201444&hub.verify_token={token}"
        ))
    };
    let answer = harness.send(ask("verify%20token", "subscribe")).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "1158201444"));
    for (token, mode) in
        [("other", "subscribe"), ("", "subscribe"), ("verify%20token", "unsubscribe")]
    {
        assert_eq!(harness.send(ask(token, mode)).await.status, 403);
    }
    assert_eq!(harness.send(Sent::get("/whatsapp-webhook")).await.status, 403);
    assert!(harness.asked().is_empty());
}

#[tokio::test]
async fn what_is_not_signed_is_refused_and_nothing_is_written() {
    let harness = Harness::new(routed());
    let signature = format!("sha256={}", hex(&hmac_sha256(b"app-secret", TEXT)));
    let mut changed = TEXT.to_vec();
    changed[20] ^= 1;
    let unsigned = Sent::post("/whatsapp-webhook", TEXT);
    let refused = [
        unsigned.clone(),
        unsigned.clone().header("x-hub-signature-256", "sha256="),
        unsigned
            .clone()
            .header("x-hub-signature-256", &format!("sha256={}", hex(&hmac_sha256(b"x", TEXT)))),
        unsigned
            .clone()
            .header("x-hub-signature-256", &signature)
            .header("x-hub-signature-256", &signature),
        unsigned.clone().header("x-hub-signature-256", &format!("{signature}, {signature}")),
        Sent::post("/whatsapp-webhook", &changed).header("x-hub-signature-256", &signature),
        twilio(SMS).without("x-twilio-signature"),
        twilio(SMS).body(&SMS.replace("Tuesday", "Wednesday")),
        twilio_at("https://elsewhere.example/sms-handler", "/sms-handler", SMS),
        twilio(SMS).header("x-twilio-signature", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        twilio(SMS).path("/sms-handler?a=b"),
        postmark(MAIL).without("authorization"),
        postmark(MAIL).without("authorization").header("authorization", &basic("postmark:other")),
        postmark(MAIL).header("authorization", &basic("postmark:secret")),
        Sent::post("/email-processor/sendgrid", b"[]"),
        Sent::post("/email-processor/sendgrid", b"[]").header("authorization", &basic("x:y")),
        Sent::post("/email-processor/resend", b"{}"),
        Sent::post("/email-processor/raw", b"From: a\r\n\r\n").header("authorization", "Bearer x"),
        Sent::post(
            "/email-processor/mailgun",
            include_bytes!("../testdata/mailgun/event_delivered.json"),
        )
        .header("content-type", "application/json"),
        Sent::post("/email-processor/mailgun", b"recipient=a&timestamp=1&token=t&signature=x")
            .header("content-type", "application/x-www-form-urlencoded"),
    ];
    for sent in refused {
        let answer = harness.send(sent.clone()).await;
        assert_eq!(
            (answer.status, answer.json["code"].as_str()),
            (401, Some("unauthenticated")),
            "{sent:?}"
        );
    }
    assert!(harness.asked().is_empty());
    assert!(
        harness
            .lines()
            .iter()
            .all(|line| !line.contains("Tuesday") && !line.contains("app-secret"))
    );
}

#[tokio::test]
async fn mail_is_taken_from_each_provider_that_proves_itself() {
    let now = Utc::now().timestamp();
    let token = "0123456789abcdef";
    let mailgun = |plain: &str| {
        let signature = hex(&hmac_sha256(b"mailgun-key", format!("{now}{token}").as_bytes()));
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("recipient", "office@northwind-mail.example")
            .append_pair("from", "bob@example.com")
            .append_pair("body-plain", plain)
            .append_pair("timestamp", &now.to_string())
            .append_pair("token", token)
            .append_pair("signature", &signature)
            .finish();
        Sent::post("/email-processor/mailgun", body.as_bytes())
            .header("content-type", "application/x-www-form-urlencoded")
    };
    let inbound = include_bytes!("../testdata/sendgrid/inbound.txt");
    let mime = include_bytes!("../testdata/raw/plain.eml");
    let opened = include_bytes!("../testdata/resend/delivered.json");
    let accepted = [
        postmark(MAIL),
        mailgun("hello"),
        Sent::post("/email-processor/sendgrid", inbound)
            .header("content-type", "multipart/form-data; boundary=xYzZY")
            .header("authorization", &basic("sendgrid:secret")),
        Sent::post("/email-processor/raw", mime).header("authorization", "Bearer raw-secret"),
        standard_webhook(Sent::post("/email-processor/resend", opened), "svix", "msg_1", now),
        standard_webhook(Sent::post("/email-processor/resend", opened), "webhook", "msg_1", now),
    ];
    for sent in accepted {
        let harness = Harness::new(routed());
        let answer = harness.send(sent.clone()).await;
        assert_eq!((answer.status, &answer.json), (200, &json!({"received": 1})), "{sent:?}");
        let (function, arguments) = harness.asked().remove(0);
        assert_eq!(function, "crm_receive_webhook");
        assert_eq!(arguments["channel"], "email");
    }
}

#[tokio::test]
async fn old_signatures_are_refused() {
    let harness = Harness::new(routed());
    let body = include_bytes!("../testdata/resend/delivered.json");
    for minutes in [-6, 6] {
        let at = Utc::now().timestamp() + minutes * 60;
        let sent =
            standard_webhook(Sent::post("/email-processor/resend", body), "svix", "msg_1", at);
        assert_eq!(harness.send(sent).await.status, 401);
    }
    assert!(harness.asked().is_empty());
}

/// The key and the signature are published; nobody else's are taken, nor these a day later.
#[tokio::test]
async fn sendgrid_events_are_verified_by_their_key_and_time() {
    let harness = Harness::new(routed());
    let sent = Sent::post("/email-processor/sendgrid", include_bytes!("../testdata/sendgrid/event_published.json"))
        .header("x-twilio-email-event-webhook-timestamp", "1600112502")
        .header(
            "x-twilio-email-event-webhook-signature",
            "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM=",
        );
    let answer = harness.send(sent).await;
    assert_eq!(answer.status, 401);
    assert!(answer.json["detail"].as_str().unwrap().contains("too old"));
}

#[tokio::test]
async fn a_secret_that_is_not_set_is_our_fault() {
    let harness = Harness::with(routed(), &[]);
    for sent in [whatsapp(TEXT), twilio(SMS), postmark(MAIL), Sent::get("/whatsapp-webhook")] {
        let answer = harness.send(sent).await;
        assert_eq!(answer.status, 503);
        assert_eq!(answer.header("retry-after"), Some("30"));
    }
    assert!(harness.asked().is_empty());
}

// What the database is asked

#[tokio::test]
async fn a_message_is_handed_to_the_database_as_the_service() {
    let harness = Harness::new(routed());
    let answer = harness.send(whatsapp(TEXT)).await;
    assert_eq!((answer.status, &answer.json), (200, &json!({"received": 1})));
    let (function, arguments) = harness.asked().remove(0);
    assert_eq!(function, "crm_receive_webhook");
    assert_eq!(arguments["provider"], "whatsapp_cloud");
    assert_eq!(arguments["channel"], "whatsapp");
    assert_eq!(arguments["address"], "106540352242922");
    assert_eq!(arguments["events"][0]["content"], "Does it come in another color?");
    assert_eq!(harness.authorization().as_deref(), Some("Bearer service-key"));
}

#[tokio::test]
async fn what_a_provider_authenticates_with_is_not_handed_on() {
    let harness = Harness::new(routed());
    harness.send(postmark(MAIL)).await;
    assert_eq!(harness.authorization().as_deref(), Some("Bearer service-key"));
}

#[tokio::test]
async fn each_number_of_a_body_is_a_call_of_its_own() {
    let harness = Harness::new(routed());
    let body = include_bytes!("../testdata/whatsapp/several_numbers.json");
    let answer = harness.send(whatsapp(body)).await;
    assert_eq!(answer.json, json!({"received": 5}));
    let asked = harness.asked();
    let addresses: Vec<_> = asked.iter().map(|(_, arguments)| &arguments["address"]).collect();
    assert_eq!(addresses, ["106540352242922", "206540352242922"]);
}

#[tokio::test]
async fn mail_goes_to_the_first_of_its_addresses_that_is_ours() {
    let harness = Harness::new(Answer::Routes("office@northwind-mail.example"));
    let answer = harness.send(postmark(MAIL)).await;
    assert_eq!((answer.status, &answer.json), (200, &json!({"received": 1})));
    let asked = harness.asked();
    let addresses: Vec<_> = asked.iter().map(|(_, arguments)| &arguments["address"]).collect();
    let hash = "451d9b70cf9364d23ff6f9d51d870251569e@inbound.postmarkapp.com";
    assert_eq!(addresses, [hash, "office@northwind-mail.example"]);
}

#[tokio::test]
async fn the_url_can_name_the_mailbox_that_events_are_about() {
    let harness = Harness::new(routed());
    let body = include_bytes!("../testdata/postmark/delivery.json");
    let sent =
        postmark(body).path("/email-processor/postmark?address=Office%40northwind-mail.example");
    assert_eq!(harness.send(sent).await.json, json!({"received": 1}));
    assert_eq!(harness.asked()[0].1["address"], "office@northwind-mail.example");
}

// What is answered

#[tokio::test]
async fn what_is_nobodys_is_answered_with_success_and_told_in_the_log_without_names() {
    let harness = Harness::new(Answer::Routes("nobody"));
    for sent in [whatsapp(TEXT), twilio(SMS), twilio(HELP), postmark(MAIL)] {
        let answer = harness.send(sent).await;
        assert_eq!(answer.status, 200);
        assert!(!answer.text.contains("<Message>"), "nobody's HELP is not answered");
        let line: Value = harness
            .lines()
            .iter()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .rfind(|line| line["event"] == "unrouted")
            .unwrap();
        assert_eq!((&line["level"], &line["events"]["message"]), (&json!("warn"), &json!(1)));
    }
    for line in harness.lines() {
        for told in
            ["106540352242922", "+14155550100", "16505551234", "Sheena", "451d9b70", "support@"]
        {
            assert!(!line.contains(told), "{line}");
        }
    }
}

#[tokio::test]
async fn what_we_have_no_meaning_for_is_kept_and_counted() {
    let harness = Harness::new(routed());
    let answer =
        harness.send(whatsapp(include_bytes!("../testdata/whatsapp/unknown_type.json"))).await;
    assert_eq!(answer.status, 200);
    assert_eq!(harness.asked()[0].1["events"][0]["raw"]["hologram"]["depth"], 3);
    let lines = harness.lines();
    let line = lines.iter().find(|line| line.contains("unknown_events")).unwrap();
    assert!(line.contains(r#""events":{"unknown":1}"#) && !line.contains("hologram"), "{line}");
}

#[tokio::test]
async fn what_the_database_does_not_take_comes_again() {
    for error in [
        Error::new(Code::Unavailable, "the database could not be reached"),
        Error::internal("x"),
        Error::new(Code::Unauthenticated, "x"),
        Error::invalid_field("events", "invalid", "x"),
        Error::new(Code::NotFound, "x"),
    ] {
        let harness = Harness::new(Answer::Error(error));
        for sent in [whatsapp(TEXT), twilio(SMS), postmark(MAIL), form("email=a%40b.example")] {
            let answer = harness.send(sent).await;
            assert_eq!((answer.status, answer.header("retry-after")), (503, Some("30")));
            assert_eq!(answer.json["code"], "unavailable");
        }
    }
}

#[tokio::test]
async fn the_second_call_of_a_body_that_fails_fails_it_all() {
    let harness = Harness::new(Answer::Times(1));
    let body = include_bytes!("../testdata/whatsapp/several_numbers.json");
    assert_eq!(harness.send(whatsapp(body)).await.status, 503);
    assert_eq!(harness.asked().len(), 2);
}

#[tokio::test]
async fn a_signed_body_that_cannot_be_read_is_a_bad_argument() {
    let harness = Harness::new(routed());
    assert_eq!(harness.send(whatsapp(b"{")).await.status, 400);
    assert_eq!(harness.send(postmark(b"")).await.status, 400);
    assert!(harness.asked().is_empty());
}

#[tokio::test]
async fn twilio_gets_twiml_and_help_an_answer() {
    let harness = Harness::new(routed());
    let answer = harness.send(twilio(SMS)).await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("text/xml; charset=utf-8"))
    );
    assert!(answer.text.ends_with("<Response/>"), "{}", answer.text);
    let answer = harness.send(twilio(HELP)).await;
    assert!(
        answer.text.contains("<Message>Northwind &amp; Sons. STOP ends.</Message>"),
        "{}",
        answer.text
    );
    let handled = include_str!("../testdata/twilio/help_handled_by_twilio.txt");
    assert!(harness.send(twilio(handled)).await.text.ends_with("<Response/>"));
    harness.send(twilio(STOP)).await;
    let (_, stop) = harness.asked().pop().unwrap();
    let kinds: Vec<_> =
        stop["events"].as_array().unwrap().iter().map(|event| &event["type"]).collect();
    assert_eq!(kinds, ["message", "opt_out"]);
}

#[tokio::test]
async fn twilio_may_call_with_the_port_and_with_a_query() {
    let harness = Harness::new(routed());
    for url in [
        "https://hooks.example:443/functions/v1/sms-handler",
        "https://hooks.example/functions/v1/sms-handler",
    ] {
        assert_eq!(harness.send(twilio_at(url, "/sms-handler", SMS)).await.status, 200);
        let query = "?foo=1&bar=a%20b";
        let sent = twilio_at(&(url.to_owned() + query), &format!("/sms-handler{query}"), SMS);
        assert_eq!(harness.send(sent).await.status, 200);
    }
}

#[tokio::test]
async fn twilios_json_is_verified_by_its_hash() {
    use sha2::{Digest, Sha256};
    let harness = Harness::new(routed());
    let body = include_bytes!("../testdata/twilio/event_stream.json");
    let path = format!("/sms-handler?bodySHA256={}", hex(&Sha256::digest(body)));
    let url = format!("https://hooks.example/functions/v1{path}");
    let signature = STANDARD.encode(hmac_sha1(b"twilio-token", url.as_bytes()));
    let sent = Sent::post(&path, body)
        .header("content-type", "application/json")
        .header("x-twilio-signature", &signature);
    assert_eq!(harness.send(sent.clone()).await.status, 200);
    assert_eq!(harness.asked().len(), 1);
    assert_eq!(harness.send(sent.body("[]")).await.status, 401);
    assert_eq!(harness.asked().len(), 1);
}

#[tokio::test]
async fn bodies_have_a_limit() {
    let harness = Harness::new(routed());
    let long = vec![b' '; MAX_BODY + 1];
    assert_eq!(harness.send(whatsapp(&long)).await.status, 413);
    assert_eq!(harness.send(postmark(&long)).await.status, 400, "mail may be longer");
    assert_eq!(harness.send(postmark(&vec![b' '; MAX_MAIL + 1])).await.status, 413);
    let body = json!({"entry": [{"changes": [{"field": "messages", "value": {
        "metadata": {"phone_number_id": "1"},
        "messages": [{"id": "1", "type": "text", "text": {"body": "🔥".repeat(500_000)}}]}}]}]});
    assert_eq!(harness.send(whatsapp(body.to_string().as_bytes())).await.status, 200);
}

#[tokio::test]
async fn each_slug_has_health_and_no_metrics_but_for_who_may_ask_the_database() {
    let harness = Harness::new(routed());
    for slug in ["whatsapp-webhook", "sms-handler", "email-processor", "webhook-handler"] {
        assert_eq!(harness.send(Sent::get(&format!("/{slug}/healthz"))).await.json["status"], "ok");
        let answer = harness.send(Sent::get(&format!("/{slug}/metrics"))).await;
        assert_eq!(answer.status, 403, "{}", answer.text);
    }
    assert!(harness.asked().is_empty(), "nothing is asked with the service key");
}

#[tokio::test]
async fn there_is_nothing_else() {
    let harness = Harness::new(routed());
    assert_eq!(harness.send(Sent::post("/email-processor/pigeon", b"")).await.status, 404);
    assert_eq!(harness.send(Sent::get("/sms-handler")).await.status, 405);
    assert_eq!(harness.send(Sent::post("/webhook-handler", b"")).await.status, 404);
}
