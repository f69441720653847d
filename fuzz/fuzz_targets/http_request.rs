//! Whatever is asked of the function `crm` is answered: no panic, no fault of ours, and every refusal a problem with the id.

#![no_main]

use std::sync::Arc;

use async_trait::async_trait;
use axum::body::Body;
use axum::http::Request;
use fieldcrm_core::Result;
use fieldcrm_edge::ai::models::Models;
use fieldcrm_edge::database::{Page, Select};
use fieldcrm_edge::{Caller, Config, Database, Log, Ports};
use serde_json::{Map, Value, json};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

const METHODS: [&str; 7] = ["GET", "POST", "PATCH", "PUT", "DELETE", "OPTIONS", "BREW"];
const PATHS: [&str; 16] = [
    "/crm/customers", "/crm/customers/{}", "/crm/customers/{}/interactions", "/crm/customers/{}/merge", "/crm/customers/bulk-tag",
    "/crm/interactions", "/crm/interactions/{}", "/crm/followups", "/crm/followups/{}", "/crm/segments", "/crm/segments/{}/members",
    "/crm/automation/rules", "/crm/automation/rules/{}/preview", "/crm/automation/runs", "/crm/metrics", "{}",
];
const HEADERS: [&str; 8] = [
    "authorization", "content-type", "content-length", "idempotency-key", "x-request-id", "x-forwarded-for", "user-agent", "origin",
];
const ID: &str = "0d0e0f10-0000-4000-8000-000000000001";

struct Fake;

#[async_trait]
impl Database for Fake {
    async fn rpc(&self, _: &Caller, _: &'static str, _: Map<String, Value>) -> Result<Value> {
        Ok(json!({"id": ID, "created": true, "type": "rule_based", "items": [], "queues": []}))
    }

    async fn select(&self, _: &Caller, _: Select) -> Result<Page> {
        Ok(Page { rows: vec![json!({"id": ID, "customer_segments": {"name": "x"}})], total: None })
    }
}

struct Silent;

impl Log for Silent {
    fn line(&self, line: &str) {
        assert!(serde_json::from_str::<Value>(line).is_ok(), "{line}");
    }
}

thread_local! {
    static RUNTIME: Runtime = Builder::new_current_thread().enable_time().build().unwrap();
}

libfuzzer_sys::fuzz_target!(|input: (u8, u8, &str, &str, Vec<(u8, &str)>, &[u8])| {
    let (method, path, part, query, headers, body) = input;
    let part = if part.is_empty() { ID } else { part };
    let path = PATHS[usize::from(path) % PATHS.len()].replace("{}", part);
    let method = METHODS[usize::from(method) % METHODS.len()];
    let mut request = Request::builder().method(method).uri(format!("{path}?{query}"));
    for (name, value) in headers {
        request = request.header(HEADERS[usize::from(name) % HEADERS.len()], value);
    }
    // What is no request no host hands over.
    let Ok(request) = request.body(Body::from(body.to_vec())) else { return };
    let ports = Ports { database: Arc::new(Fake), log: Arc::new(Silent) };
    let router = fieldcrm_fn_crm::router(ports, &Config::default(), Models::builtin());
    RUNTIME.with(|runtime| runtime.block_on(async {
        let response = router.oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let id = parts.headers["x-request-id"].to_str().unwrap();
        assert!(parts.status.as_u16() < 500, "{} {body:?}", parts.status);
        if parts.status.as_u16() >= 400 && method != "HEAD" {
            let problem: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!((&problem["status"], &problem["instance"]), (&json!(parts.status.as_u16()), &json!(id)));
        }
    }));
});
