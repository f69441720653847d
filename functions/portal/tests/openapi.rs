//! The document of the portal, for whoever asks.
#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use axum::body::Body;
use axum::http::Request;
use common::serving;
use serde_json::Value;
use tower::ServiceExt;

#[tokio::test]
async fn the_document_is_served_without_a_token() {
    let harness = serving(Vec::new(), |_| {});
    let request = Request::get("/portal/openapi.json").body(Body::empty()).unwrap();
    let response = harness.service.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/json");
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let document: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    assert!(document["paths"]["/portal/dashboard"]["get"].is_object());
    assert!(harness.asked().is_empty());
}
