//! Payloads as the providers document them, against the normal form they have to become.
//!
//! `testdata/<provider>/<name>.<ending>` is a body as it comes, `<name>.expected.json` what it means.
//! The same bodies go through the built function in `wasm-tests/hooks.test.mjs`. With `BLESS=1` the
//! expected ones are written anew: read what changed.
#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use axum::body::Bytes;
use fieldcrm_hooks::{
    Delivery, Form, form, mailgun, mime, postmark, resend, sendgrid, twilio, whatsapp,
};
use serde_json::{Value, json};

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata")
}

fn payloads() -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for provider in
        fs::read_dir(testdata()).unwrap().flatten().filter(|entry| entry.path().is_dir())
    {
        for file in fs::read_dir(provider.path()).unwrap().flatten() {
            if !file.file_name().to_string_lossy().ends_with(".expected.json") {
                paths.push(file.path());
            }
        }
    }
    paths.sort();
    paths
}

/// A multipart body begins with its boundary.
fn content_type(body: &[u8]) -> String {
    match body.strip_prefix(b"--") {
        Some(rest) => {
            let end = rest.iter().position(|byte| *byte == b'\r').unwrap();
            format!("multipart/form-data; boundary={}", String::from_utf8_lossy(&rest[..end]))
        }
        None => "application/x-www-form-urlencoded".to_owned(),
    }
}

/// What a body means: the deliveries of providers, the fields of forms.
fn parse(path: &Path) -> Value {
    let body = Bytes::from(fs::read(path).unwrap());
    let provider = path.parent().unwrap().file_name().unwrap().to_str().unwrap();
    let is_json = path.extension().is_some_and(|extension| extension == "json");
    let form = || Form::read(&content_type(&body), &body).unwrap();
    let deliveries: Vec<Delivery> = match (provider, is_json) {
        ("whatsapp", _) => whatsapp::events(&body).unwrap(),
        ("twilio", true) => twilio::json(&body).unwrap().deliveries,
        ("twilio", false) => {
            let received = twilio::form(&form());
            return json!({
                "deliveries": arguments(&received.deliveries), "asks_for_help": received.asks_for_help,
            });
        }
        ("postmark", _) => postmark::events(&body, None).unwrap(),
        ("sendgrid", true) => {
            sendgrid::events(&body, Some("office@northwind-mail.example".to_owned())).unwrap()
        }
        ("sendgrid", false) => sendgrid::inbound(&form(), None),
        ("mailgun", true) => vec![mailgun::event(&serde_json::from_slice(&body).unwrap(), None)],
        ("mailgun", false) => mailgun::inbound(&form(), None),
        ("resend", _) => resend::events(&body, &id(path), None).unwrap(),
        ("raw", _) => mime::events(&body, None),
        ("form", is_json) => {
            let kind = if is_json { "application/json".to_owned() } else { content_type(&body) };
            return json!({ "fields": form::fields(&kind, &body, "").unwrap() });
        }
        _ => panic!("no provider {provider}"),
    };
    json!({ "deliveries": arguments(&deliveries) })
}

/// The id that is signed with it.
fn id(path: &Path) -> String {
    format!("msg_{}", path.file_stem().unwrap().to_string_lossy())
}

/// As the database gets them, and where it is asked for.
fn arguments(deliveries: &[Delivery]) -> Vec<Value> {
    deliveries
        .iter()
        .map(|delivery| {
            let calls = delivery.calls("");
            let events: Vec<Value> =
                calls.iter().flat_map(|call| call["events"].as_array().unwrap().clone()).collect();
            json!({
                "provider": delivery.provider, "channel": delivery.channel,
                "addresses": delivery.addresses, "events": events,
            })
        })
        .collect()
}

#[test]
fn every_payload_becomes_its_normal_form() {
    let bless = std::env::var_os("BLESS").is_some();
    let mut wrong = Vec::new();
    for path in payloads() {
        let expected_path = path.with_extension("expected.json");
        let found = parse(&path);
        if bless {
            fs::write(&expected_path, format!("{found:#}\n")).unwrap();
            continue;
        }
        let expected = fs::read(&expected_path).unwrap_or_default();
        let expected: Value = serde_json::from_slice(&expected).unwrap_or_default();
        if found != expected {
            wrong.push(format!("{}\n  expected {expected}\n  found    {found}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn there_are_payloads_of_every_provider_and_of_every_type_of_event() {
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    let paths = payloads();
    assert!(paths.len() >= 60, "{} payloads", paths.len());
    for path in &paths {
        for delivery in parse(path)["deliveries"].as_array().into_iter().flatten() {
            for event in delivery["events"].as_array().unwrap() {
                *kinds.entry(event["type"].as_str().unwrap().to_owned()).or_default() += 1;
            }
        }
    }
    let all =
        ["bounce", "complaint", "message", "opt_in", "opt_out", "reaction", "status", "unknown"];
    assert_eq!(kinds.keys().map(String::as_str).collect::<Vec<_>>(), all);
}

/// What the database refuses must not come from here: each event has an id of 1 to 255 characters, none
/// of an unknown one is lost, and no text holds U+0000.
#[test]
fn every_event_can_be_stored() {
    for path in payloads() {
        for delivery in parse(&path)["deliveries"].as_array().into_iter().flatten() {
            let mut ids = std::collections::HashSet::new();
            for event in delivery["events"].as_array().unwrap() {
                let id = event["id"].as_str().unwrap();
                assert!((1..=255).contains(&id.chars().count()), "{}: {id}", path.display());
                assert!(ids.insert(id), "{}: {id} twice", path.display());
                assert_eq!(
                    event["type"] == "unknown",
                    !event["raw"].is_null(),
                    "{}",
                    path.display()
                );
                if event["type"] == "message" {
                    assert!(event["content"].is_string(), "{}", path.display());
                }
                if event["type"] == "status" {
                    assert!(
                        event["status"].is_string() && event["provider_message_id"].is_string()
                    );
                }
            }
            assert!(!delivery.to_string().contains("\\u0000"), "{}", path.display());
        }
    }
}

/// A body cut anywhere is unreadable or means something; it never brings the function down.
#[test]
fn a_body_that_was_cut_is_no_panic() {
    for path in payloads() {
        let body = fs::read(&path).unwrap();
        for end in (0..body.len()).step_by(body.len() / 15 + 1) {
            let cut = Bytes::copy_from_slice(&body[..end]);
            let _ = whatsapp::events(&cut);
            let _ = twilio::json(&cut);
            let _ = postmark::events(&cut, None);
            let _ = sendgrid::events(&cut, None);
            let _ = resend::events(&cut, "id", None);
            let _ = mime::events(&cut, None);
            for kind in
                ["application/x-www-form-urlencoded", "multipart/form-data; boundary=xYzZY", ""]
            {
                let _ = form::fields(kind, &cut, "utm_source=%ff&%");
                if let Ok(form) = Form::read(kind, &cut) {
                    let _ = twilio::form(&form);
                    let _ = sendgrid::inbound(&form, None);
                    let _ = mailgun::inbound(&form, None);
                }
            }
        }
    }
}

#[test]
fn a_megabyte_of_text_is_read_whole() {
    let long = "Zoë 🔥 ".repeat(100_000);
    let body = json!({"entry": [{"changes": [{"field": "messages", "value": {
        "metadata": {"phone_number_id": "1"},
        "messages": [{"id": "wamid.1", "from": "16505551234", "type": "text", "text": {"body": long}}],
    }}]}]});
    let found = whatsapp::events(body.to_string().as_bytes()).unwrap();
    let content = found[0].calls("1")[0]["events"][0]["content"].as_str().unwrap().to_owned();
    assert_eq!(content.chars().count(), 200_000);
    assert!(long.starts_with(&content));

    let mail = json!({
        "FromFull": {"Email": "ann@example.com"}, "OriginalRecipient": "office@northwind-mail.example",
        "MessageID": "1", "TextBody": long, "HtmlBody": format!("<p>{long}</p>"),
        "Attachments": [{"Name": "big", "ContentType": "x/y", "Content": "A".repeat(1_400_000)}],
    });
    let found = postmark::events(mail.to_string().as_bytes(), None).unwrap();
    let event = found[0].calls("x")[0]["events"][0].clone();
    assert_eq!(event["metadata"]["text"], long, "the whole body is kept");
    assert_eq!(event["metadata"]["attachments"][0]["size_bytes"], 1_050_000);
    assert!(!event.to_string().contains("AAAAAAAA"), "files are not put into the event");
}

/// Lines on which a search for quotations could start over and over.
#[test]
fn hostile_mails_take_no_longer_than_others() {
    let tail = "> quoted\nown words\n";
    for line in [
        "-----Original Message-----\n",
        "From: a\nSent: b\n",
        "On 2025 a@b wrote:\n",
        "\n",
        "> x\n",
        "a:\n\n",
    ] {
        let text = line.repeat(200_000) + tail;
        let mail =
            json!({"FromFull": {"Email": "a@b.example"}, "MessageID": "1", "TextBody": text});
        let begun = std::time::Instant::now();
        postmark::events(mail.to_string().as_bytes(), None).unwrap();
        assert!(begun.elapsed().as_secs() < 5, "{line:?} took {:?}", begun.elapsed());
    }
}
