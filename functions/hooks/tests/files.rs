//! What comes with a mail: in Storage before the database hears of it.
#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod harness;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::Utc;
use fieldcrm_core::{Code, Error};
use fieldcrm_edge::storage::Put;
use fieldcrm_hooks::MAX_FILES;
use serde_json::{Value, json};

use harness::{Answer, Harness, ORG, Sent, hex, hmac_sha256, routed};

fn basic(account: &str) -> String {
    format!("Basic {}", STANDARD.encode(account))
}

fn postmark(attachments: &Value) -> Sent {
    let mail = json!({
        "FromFull": {"Email": "ann@example.com"}, "OriginalRecipient": "office@northwind-mail.example", "MessageID": "mail-1",
        "TextBody": "See the plan", "Attachments": attachments,
    });
    Sent::post("/email-processor/postmark", mail.to_string().as_bytes())
        .header("authorization", &basic("postmark:secret"))
}

fn file(name: &str, kind: &str, content: &[u8]) -> Value {
    json!({"Name": name, "ContentType": kind, "Content": STANDARD.encode(content), "ContentLength": 1})
}

/// What the message of the last call says of its files.
fn told(harness: &Harness) -> Vec<Value> {
    let (function, arguments) = harness.asked().pop().unwrap();
    assert_eq!(function, "crm_receive_webhook");
    arguments["events"][0]["metadata"]["attachments"].as_array().unwrap().clone()
}

#[tokio::test]
async fn the_files_of_every_provider_are_stored_as_they_were_sent() {
    let pdf = b"%PDF-1.4 plan".as_slice();
    let mailgun = || {
        let body = include_bytes!("../testdata/mailgun/route_attachments.txt");
        let (now, token) = (Utc::now().timestamp().to_string(), "t".repeat(50));
        let signature = hex(&hmac_sha256(b"mailgun-key", format!("{now}{token}").as_bytes()));
        let text = String::from_utf8_lossy(body);
        let field = |name: &str| {
            let start = text.find(&format!("name=\"{name}\"")).unwrap();
            text[start..].split("\r\n").nth(2).unwrap().to_owned()
        };
        // As bytes: the picture is no text.
        let mut body = body.to_vec();
        for (old, new) in
            [(field("timestamp"), now), (field("token"), token), (field("signature"), signature)]
        {
            let at = body.windows(old.len()).position(|window| window == old.as_bytes()).unwrap();
            body.splice(at..at + old.len(), new.bytes());
        }
        let boundary = body[2..].split(|byte| *byte == b'\r').next().unwrap();
        let kind = format!("multipart/form-data; boundary={}", String::from_utf8_lossy(boundary));
        Sent::post("/email-processor/mailgun", &body).header("content-type", &kind)
    };
    let sent = [
        Sent::post(
            "/email-processor/postmark",
            include_bytes!("../testdata/postmark/inbound_attachments.json"),
        )
        .header("authorization", &basic("postmark:secret")),
        Sent::post(
            "/email-processor/sendgrid",
            include_bytes!("../testdata/sendgrid/inbound_attachments.txt"),
        )
        .header("content-type", "multipart/form-data; boundary=xYzZY")
        .header("authorization", &basic("sendgrid:secret")),
        mailgun(),
        Sent::post(
            "/email-processor/raw",
            include_bytes!("../testdata/raw/alternative_with_files.eml"),
        )
        .header("authorization", "Bearer raw-secret"),
    ];
    for (n, sent) in sent.into_iter().enumerate() {
        let harness = Harness::new(routed());
        let answer = harness.send(sent.clone()).await;
        assert_eq!(answer.status, 200, "{sent:?}: {}", answer.text);
        let objects = harness.bucket.objects.lock().unwrap().clone();
        let first = &objects[0];
        let expected =
            if n == 2 { (b"name,qty\n".as_slice(), "text/csv") } else { (pdf, "application/pdf") };
        assert_eq!((&*first.content, first.content_type.as_str()), expected, "{sent:?}");
        assert!(
            first.bucket == "attachments" && first.name.starts_with(&format!("{ORG}/inbound/"))
        );
        for (entry, object) in told(&harness).iter().zip(&objects) {
            assert_eq!(entry["object_name"], object.name.as_str());
            assert_eq!(entry["size_bytes"], object.content.len());
            assert_eq!(entry["content_type"], object.content_type.as_str());
        }
        // The picture in the text is a file too, with what the text calls it.
        let pictures =
            objects.iter().filter(|object| object.content_type.starts_with("image/")).count();
        let named = told(&harness).iter().filter(|entry| entry["content_id"].is_string()).count();
        assert_eq!(pictures, named, "{sent:?}");
    }
}

#[tokio::test]
async fn storage_comes_first_and_without_it_nothing_is_taken() {
    let sent =
        || postmark(&json!([file("a.txt", "text/plain", b"a"), file("b.txt", "text/plain", b"b")]));
    let harness = Harness::new(routed());
    *harness.bucket.answers.lock().unwrap() =
        vec![Err(Error::new(Code::Unavailable, "down")), Ok(Put::Stored)];
    let answer = harness.send(sent()).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("30")));
    assert_eq!(harness.asked().len(), 1, "the database hears of no mail whose files are not there");
    // It comes again.
    assert_eq!(harness.send(sent()).await.status, 200);
    let mut names = harness.objects();
    assert_eq!(names.len(), 3);
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 2, "under the same names");

    // The database is down after Storage took the files.
    let channel = json!({"org_id": ORG, "known": [], "settings": {}, "is_enabled": true});
    let down = Error::new(Code::Unavailable, "down");
    let harness = Harness::new(Answer::Becomes(channel, Err(down)));
    assert_eq!(harness.send(sent()).await.status, 503);
    let harness = Harness::new(Answer::Error(Error::internal("x")));
    assert_eq!(harness.send(sent()).await.status, 503);
    assert!(harness.objects().is_empty());
}

#[tokio::test]
async fn nobodys_mail_and_what_came_before_store_nothing() {
    let sent = || postmark(&json!([file("a.txt", "text/plain", b"a")]));
    let harness = Harness::new(Answer::Routes("somebody@else.example"));
    assert_eq!(harness.send(sent()).await.status, 200);
    assert!(harness.objects().is_empty());
    for channel in [
        json!({"org_id": ORG, "known": ["mail-1"], "settings": {}, "is_enabled": true}),
        json!({"org_id": ORG, "known": [], "settings": {}, "is_enabled": false}),
    ] {
        let harness =
            Harness::new(Answer::Becomes(channel, Ok(json!({"routed": true, "events": []}))));
        assert_eq!(harness.send(sent()).await.status, 200);
        assert!(harness.objects().is_empty());
    }
    let harness = Harness::new(routed());
    harness.send(sent()).await;
    let (function, asked) = harness.asked().remove(0);
    assert_eq!(function, "crm_find_channel");
    assert_eq!((&asked["provider"], &asked["event_ids"]), (&json!("postmark"), &json!(["mail-1"])));
}

#[tokio::test]
async fn what_the_bucket_refuses_and_what_is_too_much_is_said_in_the_message() {
    let harness = Harness::new(routed());
    *harness.bucket.answers.lock().unwrap() = vec![Ok(Put::Refused)];
    let files: Vec<_> =
        (0..=MAX_FILES).map(|n| file(&format!("{n}.txt"), "text/plain", b"same")).collect();
    assert_eq!(harness.send(postmark(&json!(files))).await.status, 200);
    let told = told(&harness);
    assert_eq!(
        (&told[0]["not_stored"], &told[0]["object_name"]),
        (&json!("refused"), &Value::Null)
    );
    assert_eq!(
        told[MAX_FILES],
        json!({
            "file_name": format!("{MAX_FILES}.txt"), "content_type": "text/plain", "size_bytes": 4, "not_stored": "too_many",
        })
    );
    let mut names = harness.objects();
    names.dedup();
    assert_eq!(names.len(), MAX_FILES - 1, "equal files are objects of their own");
    let lines = harness.lines();
    assert!(
        lines.iter().any(
            |line| line.contains(r#""event":"files_refused""#) && line.contains(r#""files":1"#)
        )
    );
}

#[tokio::test]
async fn names_and_types_of_files_are_made_harmless() {
    let harness = Harness::new(routed());
    let files = json!([
        file("../../../other-org/x.pdf", "text/html", b"<script>"),
        file("a\u{0}\u{202e}b\r\n.txt", "no type\r\nx-upsert: false", b"x"),
        {"Name": "cut.bin", "ContentType": "image/png", "Content": "iVBORy4"},
        {"Name": "empty.txt", "ContentType": "text/plain", "Content": ""},
    ]);
    assert_eq!(harness.send(postmark(&files)).await.status, 200);
    let told = told(&harness);
    let names: Vec<_> = told.iter().map(|entry| entry["file_name"].as_str().unwrap()).collect();
    assert_eq!(names, ["x.pdf", "ab.txt", "cut.bin", "empty.txt"]);
    assert!(told[3]["object_name"].is_null() && told[3]["size_bytes"] == 0, "nothing is in it");
    let objects = harness.bucket.objects.lock().unwrap().clone();
    assert_eq!(objects.len(), 3);
    for object in &objects {
        let mut parts = object.name.split('/');
        assert_eq!((parts.next(), parts.next(), parts.count()), (Some(ORG), Some("inbound"), 2));
        assert!(
            object.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte))
        );
        assert!(!object.name.contains(".."));
    }
    let kinds: Vec<_> = objects.iter().map(|object| object.content_type.as_str()).collect();
    assert_eq!(kinds, ["application/octet-stream", "application/octet-stream", "image/png"]);
    assert_eq!(&*objects[2].content, b"\x89PNG.", "without its padding");
}

#[tokio::test]
async fn a_message_that_no_project_takes_is_told_in_the_log() {
    let channel = json!({"org_id": ORG, "known": [], "settings": {}, "is_enabled": true});
    let became = json!({"routed": true, "events": [{"id": "mail-1", "outcome": "no_project"}]});
    let harness = Harness::new(Answer::Becomes(channel, Ok(became)));
    assert_eq!(harness.send(postmark(&json!([]))).await.status, 200);
    let lines = harness.lines();
    let line = lines.iter().find(|line| line.contains(r#""event":"no_project""#)).unwrap();
    assert!(!line.contains("ann@example.com") && !line.contains("plan"), "{line}");
}
