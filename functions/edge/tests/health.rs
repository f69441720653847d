//! Health, metrics, load and slow calls, as every function has them.
#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, Response};
use axum::routing::get;
use fieldcrm_core::{Code, Error, Result};
use fieldcrm_edge::database::{Page, Select, Watched};
use fieldcrm_edge::{Caller, Config, Database, Limits, Log, Ports, Problem, service};
use futures_util::{StreamExt, stream};
use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;
use tower::ServiceExt;

const SERVICE: &str = "Bearer service";

/// Answers `crm_health` to the service role, and everything else when it may.
struct Fake {
    open: Arc<Semaphore>,
    asked: Arc<Mutex<Vec<&'static str>>>,
}

#[async_trait]
impl Database for Fake {
    async fn rpc(
        &self,
        caller: &Caller,
        name: &'static str,
        _: Map<String, Value>,
    ) -> Result<Value> {
        self.asked.lock().unwrap().push(name);
        match (name, caller.authorization.as_deref()) {
            ("crm_health", Some(SERVICE)) => Ok(json!({
                "status": "ok",
                "queues": [{"name": "events", "waiting": 7, "due": 3, "oldest_due_seconds": null, "failed_24h": 1}],
            })),
            ("crm_health", Some(_)) => Err(Error::new(Code::Forbidden, "")),
            ("crm_health", None) => Err(Error::new(Code::Unauthenticated, "")),
            _ => {
                self.open.acquire().await.unwrap().forget();
                Ok(json!(name))
            }
        }
    }

    async fn select(&self, _: &Caller, _: Select) -> Result<Page> {
        Err(Error::not_found("row"))
    }
}

#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl Log for Lines {
    fn line(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }
}

struct Harness {
    service: Router,
    /// How many calls of the database may end.
    open: Arc<Semaphore>,
    asked: Arc<Mutex<Vec<&'static str>>>,
    lines: Arc<Lines>,
}

/// `slug` is the test's own: what is counted is the process's.
fn harness(slug: &'static str, limits: Limits) -> Harness {
    let (open, asked) = (Arc::new(Semaphore::new(0)), Arc::default());
    let lines = Arc::new(Lines::default());
    let database = Fake { open: open.clone(), asked: Arc::clone(&asked) };
    let database = Arc::new(Watched::new(database, lines.clone(), limits.slow_call));
    let routes = Router::new()
        .route(&format!("/{slug}/call"), get(call))
        .route(&format!("/{slug}/items/{{id}}"), get(|| async { "an item" }))
        .route(&format!("/{slug}/stream"), get(flows))
        .route(&format!("/{slug}/panic"), get(panics));
    let config = Config { limits, ..Config::default() };
    let ports = Ports { database, log: lines.clone() };
    Harness { service: service::wrap(slug, &[slug], routes, ports, &config), open, asked, lines }
}

async fn call(State(ports): State<Ports>, caller: Caller) -> Result<String, Problem> {
    Ok(ports.database.rpc(&caller, "slow_rpc", Map::new()).await?.to_string())
}

async fn flows() -> Body {
    Body::from_stream(stream::iter([Ok::<_, std::io::Error>("one"), Ok("two")]))
}

async fn panics() -> String {
    panic!("in a handler")
}

impl Harness {
    async fn get(&self, path: &str, token: Option<&str>) -> Response<Body> {
        let mut request = Request::builder().uri(path).header("x-request-id", "r-1");
        if let Some(token) = token {
            request = request.header("authorization", token);
        }
        self.service.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    async fn metrics(&self, slug: &str) -> String {
        let response = self.get(&format!("/{slug}/metrics"), Some(SERVICE)).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
        text(response).await
    }
}

async fn text(response: Response<Body>) -> String {
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn health_is_told_to_anybody_and_asks_nothing() {
    let harness = harness("healthy", Limits::default());
    let response = harness.get("/healthy/healthz", None).await;
    assert_eq!(response.status(), 200);
    let told: Value = serde_json::from_str(&text(response).await).unwrap();
    assert_eq!(told, json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")}));
    assert!(harness.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn metrics_are_for_whom_the_database_tells_the_state_of_its_queues() {
    let harness = harness("secretive", Limits::default());
    for (token, status) in [(None, 401), (Some("Bearer csr"), 403), (Some(SERVICE), 200)] {
        let response = harness.get("/secretive/metrics", token).await;
        assert_eq!(response.status(), status);
        assert_eq!(text(response).await.contains("fieldcrm_"), status == 200);
    }
    assert_eq!(*harness.asked.lock().unwrap(), ["crm_health"; 3]);
}

#[tokio::test]
async fn requests_calls_and_panics_are_counted_by_names_of_ours() {
    let harness = harness("counted", Limits::default());
    harness.open.add_permits(1);
    harness.get("/counted/call", None).await;
    for id in ["1", "2", "x\"y"] {
        harness.get(&format!("/counted/items/{}", id.replace('"', "%22")), None).await;
    }
    harness.get("/counted/nowhere-1", None).await;
    harness.get("/counted/panic", None).await;
    let odd =
        Request::builder().method("BREW").uri("/counted/items/1").body(Body::empty()).unwrap();
    harness.service.clone().oneshot(odd).await.unwrap();
    let told = harness.metrics("counted").await;
    for line in [
        "# TYPE fieldcrm_http_requests_total counter",
        r#"fieldcrm_http_requests_total{function="counted",method="GET",path="/counted/items/{id}",status="200"} 3"#,
        r#"fieldcrm_http_requests_total{function="counted",method="GET",path="(no route)",status="404"} 1"#,
        r#"fieldcrm_http_requests_total{function="counted",method="other",path="/counted/items/{id}",status="405"} 1"#,
        r#"fieldcrm_http_requests_total{function="counted",method="GET",path="/counted/panic",status="500"} 1"#,
        "# TYPE fieldcrm_http_request_seconds histogram",
        r#"fieldcrm_http_request_seconds_bucket{function="counted",method="GET",path="/counted/items/{id}",le="+Inf"} 3"#,
        r#"fieldcrm_http_request_seconds_count{function="counted",method="GET",path="/counted/items/{id}"} 3"#,
        r#"fieldcrm_queue_waiting{queue="events"} 7"#,
        r#"fieldcrm_queue_oldest_due_seconds{queue="events"} 0"#,
        r#"fieldcrm_queue_failed_24h{queue="events"} 1"#,
        "fieldcrm_http_requests_under_way 0",
    ] {
        assert!(told.lines().any(|told| told == line), "{line} not in\n{told}");
    }
    // Other tests of this process panic too.
    assert!(!told.contains("fieldcrm_panics_total 0"));
    assert!(told.contains(r#"fieldcrm_database_calls_total{call="slow_rpc",outcome="ok"}"#));
    assert!(!told.contains("nowhere-1") && !told.contains("BREW") && !told.contains("x\"y"));
    // What a scraper makes of it: comments, or a name with a number.
    for line in told.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(name.starts_with("fieldcrm_") && value.parse::<f64>().is_ok(), "{line}");
    }
}

#[tokio::test]
async fn what_is_too_much_is_refused_at_once_and_the_rest_is_served() {
    let harness = harness("busy", Limits { in_flight: 5, ..Limits::default() });
    let busy = |_| {
        let service = harness.service.clone();
        let request = Request::builder().uri("/busy/call").body(Body::empty()).unwrap();
        tokio::spawn(async move { service.oneshot(request).await.unwrap() })
    };
    let mut all: Vec<_> = (0..100).map(busy).collect();
    // Those that are refused end before any call of the database does.
    let mut refused = Vec::new();
    for one in all.split_off(5) {
        refused.push(one.await.unwrap());
    }
    for response in refused {
        assert_eq!(
            (response.status().as_u16(), &response.headers()["retry-after"]),
            (503, &"1".parse().unwrap())
        );
        assert_eq!(response.headers()["access-control-allow-origin"], "*");
        let told: Value = serde_json::from_str(&text(response).await).unwrap();
        assert_eq!(told["code"], "unavailable");
    }
    assert_eq!(harness.asked.lock().unwrap().len(), 5);
    assert_eq!(harness.get("/busy/healthz", None).await.status(), 200);
    assert!(harness.metrics("busy").await.contains("fieldcrm_http_requests_under_way 5\n"));
    harness.open.add_permits(6);
    for one in all {
        assert_eq!(one.await.unwrap().status(), 200);
    }
    assert_eq!(harness.get("/busy/call", None).await.status(), 200, "there is room again");
}

#[tokio::test]
async fn an_answer_that_still_flows_is_under_way_until_it_ends_or_is_let_go_of() {
    let harness = harness("flowing", Limits { in_flight: 1, ..Limits::default() });
    let item = "/flowing/items/1";
    let mut chunks = harness.get("/flowing/stream", None).await.into_body().into_data_stream();
    assert_eq!(chunks.next().await.unwrap().unwrap(), "one");
    assert_eq!(harness.get(item, None).await.status(), 503);
    drop(chunks);
    assert_eq!(harness.get(item, None).await.status(), 200);
    assert_eq!(text(harness.get("/flowing/stream", None).await).await, "onetwo");
    assert_eq!(harness.get(item, None).await.status(), 200);
    harness.get("/flowing/panic", None).await;
    assert_eq!(harness.get(item, None).await.status(), 200, "a panic leaves its place");
}

#[tokio::test]
async fn a_slow_call_is_told_to_the_log_with_the_id_of_its_request() {
    let harness = harness("slow", Limits { slow_call: Duration::ZERO, ..Limits::default() });
    harness.open.add_permits(1);
    harness.get("/slow/call", None).await;
    let lines = harness.lines.0.lock().unwrap().clone();
    let line: Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!(
        (&line["event"], &line["level"], &line["rpc"], &line["request_id"]),
        (&json!("slow_call"), &json!("warn"), &json!("slow_rpc"), &json!("r-1"))
    );
    assert!(line["ms"].is_u64() && line["ts"].is_string(), "{line}");
    assert_eq!(lines.len(), 2, "the request's own line is the other");
}

#[tokio::test]
async fn a_call_that_is_not_slow_is_not_told() {
    let harness = harness("quick", Limits::default());
    harness.open.add_permits(1);
    harness.get("/quick/call", None).await;
    assert_eq!(harness.lines.0.lock().unwrap().len(), 1);
}
