//! What every function gets from `service::wrap`, on routes of the test's own.
#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use axum::routing::{get, post};
use fieldcrm_core::{Code, Error, Result};
use fieldcrm_edge::database::{Page, Select};
use fieldcrm_edge::{
    Caller, Config, Database, Idempotency, JsonObject, Log, MAX_BODY, MAX_HEADERS, MAX_TARGET,
    Origins, PathId, Ports, Problem, service,
};
use serde_json::{Map, Value};
use tower::ServiceExt;

struct NoDatabase;

#[async_trait]
impl Database for NoDatabase {
    async fn rpc(&self, _: &Caller, _: &'static str, _: Map<String, Value>) -> Result<Value> {
        Err(Error::internal("not in this test"))
    }

    async fn select(&self, _: &Caller, _: Select) -> Result<Page> {
        Err(Error::internal("not in this test"))
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
    lines: Arc<Lines>,
}

fn harness(origins: Origins) -> Harness {
    let routes = Router::new()
        .route("/probe/caller", get(|caller: Caller| async move { format!("{caller:?}") }))
        .route("/probe/items/{id}", get(|PathId(id): PathId| async move { id.to_string() }))
        .route(
            "/probe/items",
            post(|Idempotency(key): Idempotency, JsonObject(body): JsonObject| async move {
                format!("{key:?} {}", Value::Object(body))
            }),
        )
        .route(
            "/probe/broken",
            get(|| async {
                Problem(
                    Error::new(Code::Unavailable, "host 10.0.0.7 is down").with("host", "10.0.0.7"),
                )
            }),
        )
        .route("/probe/panic", get(panics));
    let config = Config {
        supabase_url: String::new(),
        publishable_key: String::new(),
        origins,
        ..Config::default()
    };
    let lines = Arc::new(Lines::default());
    let ports = Ports { database: Arc::new(NoDatabase), log: lines.clone() };
    Harness { service: service::wrap("probe", &["probe"], routes, ports, &config), lines }
}

async fn panics() -> String {
    panic!("secret of the handler")
}

impl Harness {
    async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.service.clone().oneshot(request).await.unwrap()
    }

    fn last_line(&self) -> Value {
        serde_json::from_str(self.lines.0.lock().unwrap().last().unwrap()).unwrap()
    }
}

fn request(method: &str, path: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(path)
}

fn get_of(path: &str) -> Request<Body> {
    request("GET", path).body(Body::empty()).unwrap()
}

async fn text(response: Response<Body>) -> String {
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

async fn problem(response: Response<Body>) -> Value {
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    assert_eq!(response.headers()["access-control-allow-origin"], "*", "readable by a browser");
    let status = response.status().as_u16();
    let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    let problem: Value = serde_json::from_str(&text(response).await).unwrap();
    assert_eq!((&problem["status"], &problem["instance"]), (&status.into(), &id.into()));
    problem
}

#[tokio::test]
async fn a_sane_request_id_is_kept_and_any_other_replaced() {
    let harness = harness(Origins::Any);
    for (sent, kept) in [
        ("order-42.retry_1", true),
        ("has space", false),
        ("", false),
        ("\"quoted\"", false),
        (&"x".repeat(129), false),
    ] {
        let request = request("GET", "/probe/caller").header("x-request-id", sent);
        let response = harness.send(request.body(Body::empty()).unwrap()).await;
        let answered = response.headers()["x-request-id"].to_str().unwrap().to_owned();
        assert_eq!(answered == sent, kept, "{sent}");
        assert!(kept || uuid::Uuid::parse_str(&answered).is_ok(), "{answered}");
        assert!(text(response).await.contains(&answered), "the database is told the same id");
        assert_eq!(harness.last_line()["request_id"], answered);
    }
}

#[tokio::test]
async fn the_database_is_told_where_a_request_came_from() {
    let harness = harness(Origins::Any);
    let request = request("GET", "/probe/caller")
        .header("x-forwarded-for", "203.0.113.9, 10.0.0.1")
        .header("user-agent", "field tablet/7");
    let told = text(harness.send(request.body(Body::empty()).unwrap()).await).await;
    assert!(
        told.contains("\"203.0.113.9, 10.0.0.1\"") && told.contains("\"field tablet/7\""),
        "{told}"
    );
    assert!(
        !harness.last_line().to_string().contains("203.0.113.9"),
        "the log line is no audit trail"
    );
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems() {
    let harness = harness(Origins::Any);
    assert_eq!(problem(harness.send(get_of("/probe/nothing")).await).await["code"], "not_found");
    assert_eq!(harness.last_line()["path"], "(no route)");

    let response =
        harness.send(request("DELETE", "/probe/items").body(Body::empty()).unwrap()).await;
    assert_eq!(response.headers()["allow"], "POST");
    assert_eq!(problem(response).await["code"], "method_not_allowed");
}

#[tokio::test]
async fn our_faults_are_told_to_the_log_alone() {
    let harness = harness(Origins::Any);
    let response = harness.send(get_of("/probe/broken")).await;
    assert_eq!(response.status(), 503);
    let told = problem(response).await;
    let members: Vec<_> = told.as_object().unwrap().keys().collect();
    assert_eq!(members, ["code", "instance", "status", "title", "type"]);
    let line = harness.last_line();
    assert_eq!((&line["level"], &line["code"]), (&"error".into(), &"unavailable".into()));
    assert_eq!(line["cause"], "host 10.0.0.7 is down");
}

#[tokio::test]
async fn a_panic_is_an_internal_problem_and_the_service_goes_on() {
    let harness = harness(Origins::Any);
    let told = problem(harness.send(get_of("/probe/panic")).await).await;
    assert_eq!(told["code"], "internal");
    assert!(!told.to_string().contains("secret"));
    assert_eq!(harness.send(get_of("/probe/caller")).await.status(), 200);
}

#[tokio::test]
async fn a_preflight_is_answered_for_every_path() {
    let harness = harness(Origins::Any);
    for path in ["/probe/items", "/probe/nothing"] {
        let preflight = request("OPTIONS", path)
            .header("origin", "https://app.example")
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,idempotency-key");
        let response = harness.send(preflight.body(Body::empty()).unwrap()).await;
        assert!(response.status().is_success());
        assert_eq!(response.headers()["access-control-allow-origin"], "*");
        let allowed = response.headers()["access-control-allow-headers"].to_str().unwrap();
        for name in [
            "authorization",
            "x-client-info",
            "apikey",
            "content-type",
            "idempotency-key",
            "x-request-id",
            "prefer",
        ] {
            assert!(allowed.split(',').any(|one| one.trim() == name), "{name} not in {allowed}");
        }
    }
}

#[tokio::test]
async fn a_list_of_origins_admits_no_other() {
    let harness = harness(Origins::List(vec!["https://app.example".to_owned()]));
    for (origin, admitted) in [("https://app.example", true), ("https://evil.example", false)] {
        let request = request("GET", "/probe/caller").header("origin", origin);
        let response = harness.send(request.body(Body::empty()).unwrap()).await;
        let answered = response.headers().get("access-control-allow-origin");
        assert_eq!(answered.is_some_and(|value| value == origin), admitted);
    }
}

#[tokio::test]
async fn bodies_over_the_limit_are_refused_stated_or_not() {
    let harness = harness(Origins::Any);
    let fits = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_BODY - 8));
    assert_eq!(fits.len(), MAX_BODY);
    let post = |body: Body| request("POST", "/probe/items").body(body).unwrap();
    assert_eq!(harness.send(post(fits.clone().into())).await.status(), 200);

    let over = fits + " ";
    let stated = request("POST", "/probe/items").header("content-length", over.len());
    // The body is empty: it is refused for what it says, before it is read.
    let told = problem(harness.send(stated.body(Body::empty()).unwrap()).await).await;
    assert_eq!((&told["code"], &told["limit"]), (&"payload_too_large".into(), &MAX_BODY.into()));
    let told = problem(harness.send(post(over.into())).await).await;
    assert_eq!(told["code"], "payload_too_large");
}

#[tokio::test]
async fn a_path_and_headers_over_their_limits_are_refused_wherever_they_go() {
    let harness = harness(Origins::Any);
    let path = |length: usize| format!("/probe/caller?{}", "q".repeat(length - 14));
    assert_eq!(harness.send(get_of(&path(MAX_TARGET))).await.status(), 200);
    let told = problem(harness.send(get_of(&path(MAX_TARGET + 1))).await).await;
    assert_eq!((&told["status"], &told["code"]), (&414.into(), &"uri_too_long".into()));
    let told = problem(harness.send(get_of(&format!("/{}", "x".repeat(MAX_TARGET)))).await).await;
    assert_eq!(told["code"], "uri_too_long");

    let with = |length: usize| {
        let request = request("GET", "/probe/caller").header("x-one", "1".repeat(10_000));
        let rest = length - "x-one".len() - 10_000 - "x-two".len();
        request.header("x-two", "2".repeat(rest)).body(Body::empty()).unwrap()
    };
    assert_eq!(harness.send(with(MAX_HEADERS)).await.status(), 200);
    let told = problem(harness.send(with(MAX_HEADERS + 1)).await).await;
    assert_eq!((&told["status"], &told["code"]), (&431.into(), &"headers_too_large".into()));
    assert_eq!(harness.last_line()["code"], "headers_too_large");
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_a_bad_argument() {
    let harness = harness(Origins::Any);
    for (body, code) in [
        ("", "invalid_json"),
        ("{\"email\": \"ann@example.com\"", "invalid_json"),
        ("[]", "invalid_type"),
        ("\"text\"", "invalid_type"),
    ] {
        let response =
            harness.send(request("POST", "/probe/items").body(body.into()).unwrap()).await;
        assert_eq!(response.status(), 400);
        let told = problem(response).await;
        assert_eq!(
            (&told["errors"][0]["path"], &told["errors"][0]["code"]),
            (&"$".into(), &code.into())
        );
        assert!(!told.to_string().contains("ann@"), "the body is not echoed");
    }
}

#[tokio::test]
async fn json_is_read_127_levels_deep() {
    let harness = harness(Origins::Any);
    let nested = |levels: usize| "{\"a\":".repeat(levels) + "1" + &"}".repeat(levels);
    for (body, status) in [
        (nested(127), 200),
        (nested(128), 400),
        (nested(100_000), 400),
        (format!("{{\"a\":{}", "[".repeat(100_000)), 400),
    ] {
        let request = request("POST", "/probe/items").body(body.into()).unwrap();
        let response = harness.send(request).await;
        assert_eq!(response.status(), status);
        if status == 400 {
            assert_eq!(problem(response).await["errors"][0]["code"], "invalid_json");
        }
    }
}

#[tokio::test]
async fn idempotency_keys_are_visible_ascii() {
    let harness = harness(Origins::Any);
    let longest = "k".repeat(255);
    let too_long = "k".repeat(256);
    for (key, accepted) in [
        ("a-1", true),
        (longest.as_str(), true),
        (&too_long, false),
        ("", false),
        ("a b", false),
        ("ä", false),
    ] {
        let request = request("POST", "/probe/items").header("idempotency-key", key);
        let response = harness.send(request.body("{}".into()).unwrap()).await;
        assert_eq!(response.status().as_u16(), if accepted { 200 } else { 400 }, "{key}");
        if accepted {
            assert_eq!(text(response).await, format!("Some({key:?}) {{}}"));
        } else {
            assert_eq!(problem(response).await["errors"][0]["path"], "Idempotency-Key");
        }
    }
}

#[tokio::test]
async fn an_id_that_is_no_uuid_is_a_bad_argument() {
    let harness = harness(Origins::Any);
    for path in ["/probe/items/42", "/probe/items/%ff", "/probe/items/0190%00"] {
        let told = problem(harness.send(get_of(path)).await).await;
        assert_eq!((&told["status"], &told["errors"][0]["path"]), (&400.into(), &"id".into()));
    }
}

#[tokio::test]
async fn the_log_line_holds_nothing_that_was_sent() {
    let harness = harness(Origins::Any);
    let request =
        request("GET", "/probe/items/0d0e0f10-0000-4000-8000-000000000001?q=ann@example.com")
            .header("authorization", "Bearer top.secret.token")
            .header("apikey", "sb_secret");
    harness.send(request.body(Body::empty()).unwrap()).await;
    let line = harness.last_line();
    let members: Vec<_> = line.as_object().unwrap().keys().cloned().collect();
    assert_eq!(
        members,
        ["event", "level", "method", "ms", "path", "request_id", "slug", "status", "ts"]
    );
    assert_eq!(line["path"], "/probe/items/{id}");
    let line = line.to_string();
    for sent in ["ann@", "secret", "0d0e0f10"] {
        assert!(!line.contains(sent), "{sent} in {line}");
    }
}
