//! The routes of visits and papers, with a database that answers from a list.
#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use common::{Harness, ID, OTHER, answering, serving};
use fieldcrm_core::{Code, Error, Result};
use fieldcrm_edge::SignUrls;
use serde_json::{Value, json};

#[tokio::test]
async fn lists_are_asked_page_by_page() {
    for (path, name, arguments) in [
        (
            "/portal/appointments?limit=10&cursor=c&status=cancelled&from=2026-01-01T00:00:00%2B01:00&to=2026-02-01T00:00:00Z",
            "portal_list_appointments",
            json!({"page_size": 10, "cursor": "c", "status": "canceled", "from_at": "2025-12-31T23:00:00.000000Z",
                "to_at": "2026-02-01T00:00:00.000000Z"}),
        ),
        ("/portal/appointments", "portal_list_appointments", json!({})),
        ("/portal/service-history?limit=5", "portal_service_history", json!({"page_size": 5})),
        ("/portal/documents?cursor=c", "portal_list_documents", json!({"cursor": "c"})),
        ("/portal/invoices?status=paid", "portal_list_invoices", json!({"status": "paid"})),
        ("/portal/memberships", "portal_list_memberships", json!({})),
    ] {
        let harness = answering(vec![Ok(json!({"items": [], "next_cursor": null}))]);
        let (response, body) = harness.send("GET", path, &Value::Null).await;
        assert_eq!(
            (response.status().as_u16(), &body["next_cursor"]),
            (200, &Value::Null),
            "{path}"
        );
        assert_eq!(harness.asked(), [(name, arguments)]);
    }
}

#[tokio::test]
async fn one_visit_is_asked_for_by_its_id() {
    for (path, name) in [
        (format!("/portal/appointments/{ID}"), "portal_get_appointment"),
        (format!("/portal/appointments/{ID}/status"), "portal_appointment_status"),
        (format!("/portal/jobs/{ID}"), "portal_get_job"),
    ] {
        let harness = answering(vec![Ok(json!({"id": ID}))]);
        let (response, _) = harness.send("GET", &path, &Value::Null).await;
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(harness.asked(), [(name, json!({"id": ID}))]);
        let harness = answering(vec![Err(Error::not_found("appointment"))]);
        let (response, problem) = harness.send("GET", &path, &Value::Null).await;
        assert_eq!((response.status().as_u16(), &problem["code"]), (404, &json!("not_found")));
    }
}

#[tokio::test]
async fn what_no_list_knows_is_refused_before_the_database_is_asked() {
    for (path, wrong) in [
        ("/portal/appointments?status=done", "status"),
        ("/portal/appointments?from=today", "from"),
        ("/portal/service-history?status=completed", "status"),
        ("/portal/invoices?status=draft", "status"),
        ("/portal/documents?limit=0", "limit"),
        ("/portal/jobs/1", "id"),
    ] {
        let harness = answering(vec![]);
        let (response, problem) = harness.send("GET", path, &Value::Null).await;
        assert_eq!(
            (response.status().as_u16(), &problem["errors"][0]["path"]),
            (400, &json!(wrong)),
            "{path}"
        );
        assert_eq!(harness.asked(), []);
    }
}

/// Signs everything, and writes down what.
#[derive(Clone, Default)]
struct Signs(Arc<Mutex<Vec<String>>>);

#[async_trait]
impl SignUrls for Signs {
    async fn sign(&self, bucket: &str, object: &str, name: &str, seconds: u32) -> Result<String> {
        self.0.lock().unwrap().push(format!("{bucket} {object} {name} {seconds}"));
        Ok("https://storage.example/signed".to_owned())
    }
}

fn signing(answers: Vec<Result<Value>>, signs: &Signs) -> Harness {
    serving(answers, |services| services.urls = Some(Arc::new(signs.clone())))
}

#[tokio::test]
async fn a_document_is_a_url_for_five_minutes() {
    let file = json!({"id": ID, "bucket_id": "attachments", "object_name": "org/customer/secret-name", "file_name": "Report.pdf",
        "content_type": "application/pdf"});
    let signs = Signs::default();
    let harness = signing(vec![Ok(file)], &signs);
    let path = format!("/portal/documents/{ID}");
    let (response, body) = harness.send("GET", &path, &Value::Null).await;
    assert_eq!(response.status(), 200);
    assert_eq!(body["url"], "https://storage.example/signed");
    assert!(body["expires_at"].as_str().unwrap().ends_with('Z'));
    assert!(!body.to_string().contains("secret-name"), "where it lies is not said");
    assert_eq!(*signs.0.lock().unwrap(), ["attachments org/customer/secret-name Report.pdf 300"]);
    assert_eq!(harness.asked(), [("portal_get_document", json!({"id": ID}))]);
}

#[tokio::test]
async fn a_file_of_a_message_is_a_url_too() {
    let file = json!({"bucket_id": "attachments", "object_name": "org/portal/account/x", "file_name": "leak.jpg"});
    let signs = Signs::default();
    let harness = signing(vec![Ok(file)], &signs);
    let (response, body) =
        harness.send("GET", &format!("/portal/messages/{ID}/files/1"), &Value::Null).await;
    assert_eq!((response.status().as_u16(), &body["file_name"]), (200, &json!("leak.jpg")));
    let arguments = json!({"message_id": ID, "index": 1});
    assert_eq!(harness.asked(), [("portal_get_message_file", arguments)]);
    for (path, wrong) in [
        ("/portal/messages/1/files/0".to_owned(), "id"),
        (format!("/portal/messages/{ID}/files/-1"), "index"),
    ] {
        let harness = signing(vec![], &signs);
        let (response, problem) = harness.send("GET", &path, &Value::Null).await;
        assert_eq!(
            (response.status().as_u16(), &problem["errors"][0]["path"]),
            (400, &json!(wrong))
        );
    }
}

#[tokio::test]
async fn nothing_is_signed_that_the_database_does_not_show() {
    let signs = Signs::default();
    let inactive = Error::new(Code::PortalAccountInactive, "");
    for (refusal, status) in [(Error::not_found("document"), 404), (inactive, 403)] {
        let harness = signing(vec![Err(refusal)], &signs);
        let path = format!("/portal/documents/{OTHER}");
        let (response, _) = harness.send("GET", &path, &Value::Null).await;
        assert_eq!(response.status(), status);
    }
    assert!(signs.0.lock().unwrap().is_empty());
    let harness = answering(vec![]);
    let (response, _) = harness.send("GET", &format!("/portal/documents/{ID}"), &Value::Null).await;
    assert_eq!(response.status(), 503, "nobody is there to sign");
    assert_eq!(harness.asked(), []);
}

#[tokio::test]
async fn who_sends_no_token_is_not_asked_about() {
    for path in ["/portal/appointments", "/portal/jobs/1", "/portal/documents", "/portal/threads"] {
        let harness = answering(vec![]);
        let (response, _) = harness.send_with("GET", path, &Value::Null, &[]).await;
        assert_eq!(response.status(), 401, "{path}");
        assert_eq!(harness.asked(), []);
    }
}
