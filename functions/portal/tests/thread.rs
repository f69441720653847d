//! The routes of threads, with a database that answers from a list.
#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use common::{ID, OTHER, answering};
use serde_json::{Value, json};

#[tokio::test]
async fn a_thread_is_made_with_the_key_of_the_header() {
    let harness = answering(vec![Ok(json!({"id": ID, "status": "pending_internal"}))]);
    let mut body = json!({"subject": "Boiler", "initial_message": "It leaks.", "related_work_order_id": OTHER});
    let (response, made) = harness.send("POST", "/portal/threads", &body).await;
    assert_eq!((response.status().as_u16(), &made["id"]), (201, &json!(ID)));
    assert_eq!(response.headers()["location"], format!("/portal/threads/{ID}/messages"));
    body["idempotency_key"] = json!("key-1");
    assert_eq!(harness.asked(), [("portal_create_thread", body)]);
}

#[tokio::test]
async fn a_message_goes_into_the_thread_of_the_path() {
    let harness = answering(vec![Ok(json!({"id": OTHER}))]);
    let path = format!("/portal/threads/{ID}/messages");
    let (response, _) = harness.send("POST", &path, &json!({"body": "Hello"})).await;
    assert_eq!(
        (response.status().as_u16(), &response.headers()["location"]),
        (201, &path.parse().unwrap())
    );
    let expected = json!({"body": "Hello", "thread_id": ID, "idempotency_key": "key-1"});
    assert_eq!(harness.asked(), [("portal_send_message", expected)]);
    for body in
        [json!({"body": "x", "thread_id": OTHER}), json!({"body": "x", "idempotency_key": "k"})]
    {
        let harness = answering(vec![]);
        let (response, problem) = harness.send("POST", &path, &body).await;
        assert_eq!(
            (response.status().as_u16(), &problem["errors"][0]["code"]),
            (400, &json!("unknown_field"))
        );
        assert_eq!(harness.asked(), []);
    }
}

#[tokio::test]
async fn threads_and_messages_are_listed_and_read() {
    for (method, path, name, arguments) in [
        (
            "GET",
            "/portal/threads?status=closed&limit=3".to_owned(),
            "portal_list_threads",
            json!({"status": "closed", "page_size": 3}),
        ),
        (
            "GET",
            format!("/portal/threads/{ID}/messages?cursor=c"),
            "portal_list_messages",
            json!({"thread_id": ID, "cursor": "c"}),
        ),
        (
            "POST",
            format!("/portal/threads/{ID}/read"),
            "portal_mark_thread_read",
            json!({"thread_id": ID}),
        ),
    ] {
        let harness = answering(vec![Ok(json!({}))]);
        let (response, _) = harness.send(method, &path, &Value::Null).await;
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(harness.asked(), [(name, arguments)]);
    }
    let harness = answering(vec![]);
    let (response, _) =
        harness.send("GET", "/portal/threads?status=new&customer_id=1", &Value::Null).await;
    assert_eq!(response.status(), 400);
}
