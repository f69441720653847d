//! What each provider is sent, by its documentation.
#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use common::{
    Arrived, Does, FakeProvider, Kept, MESSAGE, ORG, answers, environment, outgoing, providers,
    resolver,
};
use fieldcrm_core::signature::standard::sign;
use fieldcrm_edge::Log;
use fieldcrm_edge::http::Client;
use fieldcrm_jobs::provider::{Channel, Outcome, Providers};
use serde_json::{Value, json};

/// Sends one message, changed so, with these variables too; the request, and the provider's id of the message.
async fn sent(
    provider: &str,
    accepted: Does,
    variables: &[(&'static str, &str)],
    change: Value,
) -> (Arrived, Option<String>) {
    let fake = FakeProvider::start(vec![accepted]).await;
    let mut environment = environment(&fake.url, provider);
    environment.extend(variables.iter().map(|(name, value)| (*name, (*value).to_owned())));
    let providers = providers(&environment);
    assert!(providers.misconfigured.is_empty(), "{:?}", providers.misconfigured);
    let channel = providers.names().next().unwrap().0;
    let mut message = outgoing(channel, change);
    if channel == Channel::Webhook {
        message.to = format!("{}/hook", fake.url);
    }
    let outcome = providers.get(channel).unwrap().send(&message).await;
    let Outcome::Sent { provider_message_id, .. } = outcome else {
        panic!("{provider}: {outcome:?}")
    };
    let [arrived] = &fake.arrived()[..] else { panic!("one request") };
    assert_eq!(arrived.method, "POST");
    (arrived.clone(), provider_message_id)
}

const UNSUBSCRIBE: (&str, &str) =
    ("EMAIL_UNSUBSCRIBE_URL", "https://northwind.example/unsubscribe?message={message_id}");

fn unsubscribe_url() -> String {
    format!("<https://northwind.example/unsubscribe?message={MESSAGE}>")
}

#[tokio::test]
async fn resend() {
    let (arrived, id) = sent("resend", answers(200, &json!({"id": "e-1"})), &[], json!({})).await;
    assert_eq!(id.as_deref(), Some("e-1"));
    assert_eq!(arrived.path, "/emails");
    assert_eq!(arrived.headers["authorization"], "Bearer re_secret");
    assert_eq!(arrived.headers["idempotency-key"], MESSAGE);
    assert_eq!(
        arrived.json(),
        json!({
            "from": "\"Northwind, Inc.\" <hello@northwind.example>", "to": ["ada@example.com"],
            "subject": "Your visit", "html": "<p>Zoë, we come at 9.</p>",
            "reply_to": "office@northwind.example", "tags": [{"name": "message_id", "value": MESSAGE}],
        })
    );
    let marketing = json!({"purpose": "marketing"});
    let (arrived, _) = sent("resend", answers(200, &json!({})), &[UNSUBSCRIBE], marketing).await;
    assert_eq!(
        arrived.json()["headers"],
        json!({"List-Unsubscribe": unsubscribe_url(), "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"})
    );
}

#[tokio::test]
async fn postmark() {
    let accepted =
        || answers(200, &json!({"ErrorCode": 0, "MessageID": "b7bc2f4a", "Message": "OK"}));
    let (arrived, id) = sent("postmark", accepted(), &[UNSUBSCRIBE], json!({})).await;
    assert_eq!(id.as_deref(), Some("b7bc2f4a"));
    assert_eq!(arrived.path, "/email");
    assert_eq!(arrived.headers["x-postmark-server-token"], "pm-secret");
    assert_eq!(arrived.headers["accept"], "application/json");
    assert_eq!(
        arrived.json(),
        json!({
            "From": "\"Northwind, Inc.\" <hello@northwind.example>", "To": "ada@example.com",
            "ReplyTo": "office@northwind.example", "Subject": "Your visit",
            "HtmlBody": "<p>Zoë, we come at 9.</p>", "MessageStream": "outbound",
            "Metadata": {"message_id": MESSAGE},
        })
    );
    let marketing = json!({"purpose": "marketing"});
    let (arrived, _) = sent("postmark", accepted(), &[UNSUBSCRIBE], marketing.clone()).await;
    let body = arrived.json();
    assert_eq!(body["MessageStream"], "broadcast");
    assert_eq!(body["Headers"][0], json!({"Name": "List-Unsubscribe", "Value": unsubscribe_url()}));
    let stream = [("POSTMARK_MARKETING_STREAM", "news")];
    let (arrived, _) = sent("postmark", accepted(), &stream, marketing).await;
    assert_eq!(
        (&arrived.json()["MessageStream"], &arrived.json()["Headers"]),
        (&json!("news"), &Value::Null)
    );
}

#[tokio::test]
async fn sendgrid() {
    let accepted = Does::Answers(202, vec![("x-message-id", "sg-1".to_owned())], String::new());
    let (arrived, id) = sent("sendgrid", accepted, &[], json!({})).await;
    assert_eq!(id.as_deref(), Some("sg-1"));
    assert_eq!(arrived.path, "/v3/mail/send");
    assert_eq!(arrived.headers["authorization"], "Bearer SG.secret");
    assert_eq!(
        arrived.json(),
        json!({
            "personalizations": [{"to": [{"email": "ada@example.com"}], "custom_args": {"message_id": MESSAGE}}],
            "from": {"email": "hello@northwind.example", "name": "Northwind, Inc."},
            "reply_to": {"email": "office@northwind.example"},
            "subject": "Your visit", "content": [{"type": "text/html", "value": "<p>Zoë, we come at 9.</p>"}],
        })
    );
    // What the org has none of is the installation's, and the org's name stands in for a sender's.
    let variables = [("EMAIL_FROM", "mail@platform.example")];
    let change = json!({"from": {"name": null, "email": null, "reply_to": null}});
    let (arrived, _) = sent("sendgrid", answers(202, &json!({})), &variables, change).await;
    let body = arrived.json();
    assert_eq!(body["from"], json!({"email": "mail@platform.example", "name": "Northwind"}));
    assert_eq!(body["reply_to"], Value::Null);
}

#[tokio::test]
async fn ses() {
    let variables =
        [("SES_CONFIGURATION_SET", "events"), ("AWS_SESSION_TOKEN", "session-secret"), UNSUBSCRIBE];
    let change =
        json!({"purpose": "marketing", "from": {"name": "Zoë", "email": "z@northwind.example"}});
    let (arrived, id) =
        sent("ses", answers(200, &json!({"MessageId": "0100"})), &variables, change).await;
    assert_eq!(id.as_deref(), Some("0100"));
    assert_eq!(arrived.path, "/v2/email/outbound-emails");
    assert_eq!(
        arrived.json(),
        json!({
            "FromEmailAddress": "=?UTF-8?B?Wm/Dqw==?= <z@northwind.example>",
            "Destination": {"ToAddresses": ["ada@example.com"]},
            "Content": {"Simple": {
                "Subject": {"Data": "Your visit", "Charset": "UTF-8"},
                "Body": {"Html": {"Data": "<p>Zoë, we come at 9.</p>", "Charset": "UTF-8"}},
                "Headers": [
                    {"Name": "List-Unsubscribe", "Value": unsubscribe_url()},
                    {"Name": "List-Unsubscribe-Post", "Value": "List-Unsubscribe=One-Click"},
                ],
            }},
            "EmailTags": [{"Name": "message_id", "Value": MESSAGE}],
            "ConfigurationSetName": "events",
        })
    );
    let signature = &arrived.headers["authorization"];
    assert!(signature.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"), "{signature}");
    assert!(signature.contains("/eu-central-1/ses/aws4_request"), "{signature}");
    assert!(
        signature.contains("SignedHeaders=content-type;host;x-amz-date;x-amz-security-token"),
        "{signature}"
    );
    assert_eq!(arrived.headers["x-amz-security-token"], "session-secret");
}

#[tokio::test]
async fn twilio() {
    let accepted = || answers(201, &json!({"sid": "SM1", "status": "queued"}));
    let read = |arrived: &Arrived| -> HashMap<String, String> {
        form_urlencoded::parse(arrived.body.as_bytes()).into_owned().collect()
    };
    let form = |pairs: &[(&str, &str)]| -> HashMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let text = json!({"body": "Zoë & co: 100%"});
    let (arrived, id) = sent("twilio", accepted(), &[], text.clone()).await;
    assert_eq!(id.as_deref(), Some("SM1"));
    assert_eq!(
        arrived.path,
        "/2010-04-01/Accounts/AC00000000000000000000000000000000/Messages.json"
    );
    let login = BASE64_STANDARD.encode("AC00000000000000000000000000000000:twilio-secret");
    assert_eq!(arrived.headers["authorization"], format!("Basic {login}"));
    assert_eq!(arrived.headers["content-type"], "application/x-www-form-urlencoded");
    let expected =
        form(&[("To", "+14155552671"), ("From", "+15005550006"), ("Body", "Zoë & co: 100%")]);
    assert_eq!(read(&arrived), expected);

    let variables = [
        ("TWILIO_MESSAGING_SERVICE_SID", "MG1"),
        ("TWILIO_FROM", "+15005550007"),
        ("TWILIO_STATUS_CALLBACK_URL", "https://northwind.example/status?a=b"),
        ("TWILIO_API_KEY_SID", "SK1"),
        ("TWILIO_API_KEY_SECRET", "key-secret"),
    ];
    let mut change = text;
    change["from"] = json!({});
    let (arrived, _) = sent("twilio", accepted(), &variables, change).await;
    let callback = format!("https://northwind.example/status?a=b&message_id={MESSAGE}");
    let expected = form(&[
        ("To", "+14155552671"),
        ("MessagingServiceSid", "MG1"),
        ("Body", "Zoë & co: 100%"),
        ("StatusCallback", &callback),
    ]);
    assert_eq!(read(&arrived), expected);
    assert_eq!(
        arrived.headers["authorization"],
        format!("Basic {}", BASE64_STANDARD.encode("SK1:key-secret"))
    );
}

#[tokio::test]
async fn whatsapp_cloud() {
    let accepted =
        || answers(200, &json!({"messaging_product": "whatsapp", "messages": [{"id": "wamid.1"}]}));
    let (arrived, id) =
        sent("whatsapp_cloud", accepted(), &[], json!({"body": "We come at 9."})).await;
    assert_eq!(id.as_deref(), Some("wamid.1"));
    assert_eq!(arrived.path, "/106540352242922/messages");
    assert_eq!(arrived.headers["authorization"], "Bearer wa-secret");
    assert_eq!(
        arrived.json(),
        json!({
            "messaging_product": "whatsapp", "recipient_type": "individual", "to": "+14155552671",
            "biz_opaque_callback_data": MESSAGE, "type": "text",
            "text": {"preview_url": false, "body": "We come at 9."},
        })
    );
    let template = json!({"name": "visit", "language": {"code": "en_US"}, "components": []});
    let change = json!({"payload": {"template": template}, "from": {}});
    let variables = [("WHATSAPP_PHONE_NUMBER_ID", "77")];
    let (arrived, _) = sent("whatsapp_cloud", accepted(), &variables, change).await;
    let body = arrived.json();
    assert_eq!(arrived.path, "/77/messages");
    assert_eq!(
        (&body["type"], &body["template"], &body["text"]),
        (&json!("template"), &template, &Value::Null)
    );
}

#[tokio::test]
async fn webhook() {
    let payload = json!({"event_type": "work_order_completed", "customer_id": ORG});
    let change = json!({"payload": payload, "body": "not this"});
    let (arrived, id) = sent("webhook", answers(204, &Value::Null), &[], change).await;
    assert_eq!((id, arrived.path.as_str()), (None, "/hook"));
    assert_eq!(arrived.json(), payload);
    assert_eq!(arrived.headers["content-type"], "application/json");
    assert_eq!(arrived.headers["webhook-id"], MESSAGE);
    // The org's key, as docs say to make it: HMAC-SHA256 of its id under the secret.
    let key = "aLyYT0lctdgbaMKs/4x6GywCpsdNGdLT3bE5lJZ3VBc=";
    let key = BASE64_STANDARD.decode(key).unwrap();
    let timestamp: i64 = arrived.headers["webhook-timestamp"].parse().unwrap();
    assert!((chrono::Utc::now().timestamp() - timestamp).abs() < 60);
    let expected = sign(&key, MESSAGE, timestamp, &arrived.body);
    assert_eq!(arrived.headers["webhook-signature"], expected);

    // An event is known by its own id, to whomever it is told and however often.
    let event = json!({"payload": payload, "event_id": ORG});
    let (arrived, _) = sent("webhook", answers(200, &json!({})), &[], event).await;
    assert_eq!(arrived.headers["webhook-id"], ORG);

    let (arrived, _) =
        sent("webhook", answers(200, &json!({})), &[], json!({"body": "just text"})).await;
    assert_eq!(arrived.body, "just text");
    assert_eq!(arrived.headers["content-type"], "text/plain;charset=utf-8");
}

#[tokio::test]
async fn the_log_shows_the_message_but_nobodys_address() {
    let kept = Arc::new(Kept::default());
    let log: Arc<dyn Log> = kept.clone();
    let local = |name: &str| (name == "FIELDCRM_ENV").then(|| "local".to_owned());
    let providers = Providers::read(&local, &Client::new(), &resolver(&[]), &log);
    let all: Vec<_> = providers.names().collect();
    let expected: Vec<_> = Channel::ALL.iter().map(|&channel| (channel, "log")).collect();
    assert_eq!(all, expected);
    let message =
        outgoing(Channel::Email, json!({"body": "Zoë, write to zoe@example.com or +14155552671"}));
    let outcome = providers.get(Channel::Email).unwrap().send(&message).await;
    let id = Some(format!("log-{MESSAGE}"));
    assert_eq!(outcome, Outcome::Sent { provider_message_id: id, http_status: None });
    let line: Value = serde_json::from_str(&kept.lines()[0]).unwrap();
    assert_eq!((&line["event"], &line["id"]), (&json!("message"), &json!(MESSAGE)));
    assert_eq!((&line["to"], &line["subject"]), (&json!("a***@example.com"), &json!("Your visit")));
    assert_eq!(line["body"], "Zoë, write to z***@example.com or +1***2671");
}

#[test]
fn nobody_serves_a_channel_by_accident() {
    let none = providers(&HashMap::new());
    assert_eq!((none.names().count(), none.misconfigured.len()), (0, 0));
}

#[test]
fn a_wrong_setting_is_logged_when_the_function_starts() {
    let kept = Arc::new(Kept::default());
    let log: Arc<dyn Log> = kept.clone();
    let environment = |name: &str| (name == "EMAIL_PROVIDER").then(|| "resend".to_owned());
    Providers::read(&environment, &Client::new(), &resolver(&[]), &log);
    let [line] = &kept.lines()[..] else { panic!("one line") };
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!(
        (&line["channel"], &line["cause"]),
        (&json!("email"), &json!("RESEND_API_KEY is not set"))
    );
}

#[test]
fn a_wrong_setting_is_named_without_its_value_and_stops_its_channel_only() {
    for (provider, variable, value) in [
        ("resend", "RESEND_API_KEY", ""),
        ("resend", "RESEND_API_KEY", "two words"),
        ("resend", "RESEND_BASE_URL", "ftp://x"),
        ("resend", "EMAIL_FROM", "nobody"),
        ("resend", "EMAIL_UNSUBSCRIBE_URL", "https://x.example/"),
        ("ses", "AWS_REGION", "eu/../central"),
        ("twilio", "TWILIO_ACCOUNT_SID", "AC/../x"),
        ("webhook", "WEBHOOK_SIGNING_SECRET", "short"),
        ("pigeon", "EMAIL_PROVIDER", "pigeon"),
        ("twilio", "SMS_PROVIDER", "resend"),
    ] {
        let mut environment = environment("http://127.0.0.1:9", provider);
        environment.insert("WHATSAPP_PROVIDER", "whatsapp_cloud".to_owned());
        environment.insert(variable, value.to_owned());
        let providers = providers(&environment);
        let names: Vec<_> = providers.names().map(|(_, name)| name).collect();
        assert_eq!(names, ["whatsapp_cloud"], "{provider} {variable}");
        let wrong: Vec<_> = providers.misconfigured.values().map(ToString::to_string).collect();
        assert_eq!(wrong.len(), 1);
        assert!(wrong[0].starts_with(variable), "{wrong:?}");
        assert!(!wrong[0].contains("two words") && !wrong[0].contains("short "), "{wrong:?}");
    }
}
