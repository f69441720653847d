//! The routes of `/crm/customers`, with a database that writes down what it is asked.
#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use fieldcrm_core::{Code, Error, Result};
use fieldcrm_edge::ai::models::Models;
use fieldcrm_edge::database::{Page, Select};
use fieldcrm_edge::{Caller, Config, Database, Log, Origins, Ports};
use serde_json::{Map, Value, json};
use tower::ServiceExt;

const ID: &str = "0d0e0f10-0000-4000-8000-000000000001";

#[derive(Clone, Debug, PartialEq)]
enum Asked {
    Rpc(&'static str, Value),
    Select(Select),
}

/// Answers every call alike.
struct Fake {
    answer: Result<Value>,
    asked: Mutex<Vec<(Caller, Asked)>>,
}

#[async_trait]
impl Database for Fake {
    async fn rpc(
        &self,
        caller: &Caller,
        name: &'static str,
        args: Map<String, Value>,
    ) -> Result<Value> {
        self.asked.lock().unwrap().push((caller.clone(), Asked::Rpc(name, Value::Object(args))));
        self.answer.clone()
    }

    async fn select(&self, caller: &Caller, select: Select) -> Result<Page> {
        self.asked.lock().unwrap().push((caller.clone(), Asked::Select(select)));
        self.answer.clone().map(|row| Page { rows: vec![row], total: Some(7) })
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
    database: Arc<Fake>,
    lines: Arc<Lines>,
}

fn harness(answer: Result<Value>) -> Harness {
    let database = Arc::new(Fake { answer, asked: Mutex::default() });
    let lines = Arc::new(Lines::default());
    let ports = Ports { database: database.clone(), log: lines.clone() };
    let config = Config {
        supabase_url: String::new(),
        publishable_key: String::new(),
        origins: Origins::Any,
        ..Config::default()
    };
    Harness { service: fieldcrm_fn_crm::router(ports, &config, Models::builtin()), database, lines }
}

fn answering() -> Harness {
    harness(Ok(json!({"id": ID, "name": "Ann Lee"})))
}

impl Harness {
    async fn send(&self, method: &str, path: &str, body: &Value) -> (Response<Body>, Value) {
        self.send_with(method, path, body, &[]).await
    }

    async fn send_with(
        &self,
        method: &str,
        path: &str,
        body: &Value,
        headers: &[(&str, &str)],
    ) -> (Response<Body>, Value) {
        let mut request =
            Request::builder().method(method).uri(path).header("authorization", "Bearer a.b.c");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = if body.is_null() { Body::empty() } else { body.to_string().into() };
        let response = self.service.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let json = serde_json::from_slice(&bytes).unwrap_or_default();
        (Response::from_parts(parts, Body::empty()), json)
    }

    fn asked(&self) -> Vec<Asked> {
        self.database.asked.lock().unwrap().iter().map(|(_, asked)| asked.clone()).collect()
    }
}

#[tokio::test]
async fn a_body_becomes_the_arguments_of_the_rpc() {
    let harness = answering();
    let body = json!({
        "type": "individual", "first_name": "Ann", "last_name": "Lee", "email": "Ann@Example.com",
        "contacts": [{"type": "mobile", "value": "555 0100"}], "tags": ["VIP"],
        "preferences": {"do_not_sms": true}, "notes": null,
    });
    let (response, customer) = harness.send("POST", "/crm/customers", &body).await;
    assert_eq!(response.status(), 201);
    assert_eq!(response.headers()["location"], format!("/crm/customers/{ID}"));
    assert_eq!(customer["name"], "Ann Lee");
    assert_eq!(harness.asked(), [Asked::Rpc("crm_create_customer", body)]);
    let asked = harness.database.asked.lock().unwrap();
    assert_eq!(asked[0].0.authorization.as_deref(), Some("Bearer a.b.c"));
}

#[tokio::test]
async fn the_idempotency_key_of_the_header_is_an_argument() {
    let harness = answering();
    let headers = [("idempotency-key", "import-17")];
    let body = json!({"type": "company", "name": "Ann's"});
    harness.send_with("POST", "/crm/customers", &body, &headers).await;
    let arguments = json!({"type": "company", "name": "Ann's", "idempotency_key": "import-17"});
    assert_eq!(harness.asked(), [Asked::Rpc("crm_create_customer", arguments)]);
}

#[tokio::test]
async fn a_body_without_type_is_left_to_the_rpc_to_refuse() {
    let harness = answering();
    harness.send("POST", "/crm/customers", &json!({"name": "Ann"})).await;
    let arguments = json!({"name": "Ann"});
    assert_eq!(harness.asked(), [Asked::Rpc("crm_create_customer", arguments)]);
}

#[tokio::test]
async fn acquisition_source_is_source() {
    let harness = answering();
    let body = json!({"type": "individual", "acquisition_source": "referral"});
    harness.send("POST", "/crm/customers", &body).await;
    harness
        .send("PATCH", &format!("/crm/customers/{ID}"), &json!({"acquisition_source": null}))
        .await;
    assert_eq!(
        harness.asked(),
        [
            Asked::Rpc("crm_create_customer", json!({"type": "individual", "source": "referral"})),
            Asked::Rpc("crm_update_customer", json!({"id": ID, "patch": {"source": null}})),
        ]
    );
    let both = json!({"source": "web", "acquisition_source": "referral"});
    let (response, problem) = harness.send("POST", "/crm/customers", &both).await;
    assert_eq!(response.status(), 400);
    assert_eq!(problem["errors"][0]["path"], "acquisition_source");
}

#[tokio::test]
async fn unknown_keys_are_named_and_nothing_is_called() {
    let harness = answering();
    let body = json!({"name": "Ann", "nickname": "A", "org_id": ID, "idempotency_key": "k"});
    let (response, problem) = harness.send("POST", "/crm/customers", &body).await;
    assert_eq!(response.status(), 400);
    assert_eq!(problem["code"], "invalid_argument");
    let errors = problem["errors"].as_array().unwrap();
    let paths: Vec<_> = errors.iter().map(|error| error["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["idempotency_key", "nickname", "org_id"]);
    assert!(errors.iter().all(|error| error["code"] == "unknown_field"));
    assert!(harness.asked().is_empty());
}

#[tokio::test]
async fn a_list_is_a_page_with_its_place() {
    let harness = answering();
    let path = "/crm/customers?limit=10&offset=20&status=active&archived=true&count=exact";
    let (response, list) = harness.send("GET", path, &Value::Null).await;
    assert_eq!(response.status(), 200);
    let row = json!({"id": ID, "name": "Ann Lee"});
    assert_eq!(
        list,
        json!({"data": [row], "limit": 10, "offset": 20, "total": 7, "next_cursor": null})
    );
    let [Asked::Select(select)] = &harness.asked()[..] else { panic!("one select") };
    assert_eq!(
        (select.table, select.limit, select.offset, select.count),
        ("customers", 10, 20, true)
    );
    let equal = [("status", "active".to_owned()), ("is_archived", "true".to_owned())];
    assert_eq!(select.equal, equal);
}

#[tokio::test]
async fn a_wrong_query_is_refused_before_the_database() {
    let harness = answering();
    let (response, problem) =
        harness.send("GET", "/crm/customers?limit=0&select=*", &Value::Null).await;
    assert_eq!(response.status(), 400);
    assert_eq!(problem["errors"][0]["path"], "limit");
    assert_eq!(problem["errors"][1]["code"], "unknown_field");
    assert!(harness.asked().is_empty());
}

#[tokio::test]
async fn one_customer_is_shown_and_changed_by_id() {
    let harness = answering();
    let path = format!("/crm/customers/{ID}");
    let (response, customer) = harness.send("GET", &path, &Value::Null).await;
    assert_eq!((response.status().as_u16(), &customer["id"]), (200, &json!(ID)));
    let (response, _) = harness.send("PATCH", &path, &json!({"status": "inactive"})).await;
    assert_eq!(response.status(), 200);
    assert_eq!(
        harness.asked(),
        [
            Asked::Rpc("crm_get_customer", json!({"id": ID})),
            Asked::Rpc("crm_update_customer", json!({"id": ID, "patch": {"status": "inactive"}})),
        ]
    );
}

#[tokio::test]
async fn a_search_is_one_rpc_and_has_a_cursor() {
    let found = json!({"customers": [{"id": ID}], "next_cursor": "abc", "total": 3});
    let harness = harness(Ok(found));
    let path = "/crm/customers?q=ann%20lee&tag=VIP&status=active&limit=1&count=exact";
    let (response, list) = harness.send("GET", path, &Value::Null).await;
    assert_eq!(response.status(), 200);
    assert_eq!(list, json!({"data": [{"id": ID}], "limit": 1, "total": 3, "next_cursor": "abc"}));
    let arguments = json!({"q": "ann lee", "tag": "VIP", "status": "active", "archived": "false",
        "page_size": 1, "count": true});
    assert_eq!(harness.asked(), [Asked::Rpc("crm_search_customers", arguments)]);
}

#[tokio::test]
async fn a_customer_is_archived_restored_and_deleted() {
    let harness = answering();
    let path = format!("/crm/customers/{ID}");
    for (method, path, status) in [
        ("POST", format!("{path}/archive"), 200),
        ("POST", format!("{path}/restore"), 200),
        ("DELETE", path.clone(), 204),
    ] {
        let (response, body) = harness.send(method, &path, &Value::Null).await;
        assert_eq!(response.status(), status, "{method} {path}");
        assert_eq!(body.is_null(), status == 204);
    }
    assert_eq!(
        harness.asked(),
        ["crm_archive_customer", "crm_restore_customer", "crm_delete_customer"]
            .map(|name| Asked::Rpc(name, json!({"id": ID})))
    );
}

#[tokio::test]
async fn customers_are_merged_and_tagged_in_bulk() {
    let harness = answering();
    let other = "0d0e0f10-0000-4000-8000-000000000002";
    let merge = format!("/crm/customers/{ID}/merge");
    let tags = json!({"customer_ids": [ID, other], "add": ["VIP"]});
    for (path, body) in [
        (merge.as_str(), json!({"duplicate_id": other})),
        ("/crm/customers/bulk-tag", tags.clone()),
    ] {
        let (response, _) = harness.send("POST", path, &body).await;
        assert_eq!(response.status(), 200, "{path}");
    }
    let asked = [
        Asked::Rpc("crm_merge_customers", json!({"id": ID, "duplicate_id": other})),
        Asked::Rpc("crm_bulk_tag", tags),
    ];
    assert_eq!(harness.asked(), asked);
    for (path, body, paths) in [
        (merge.as_str(), json!({"id": other}), vec!["id", "duplicate_id"]),
        (
            "/crm/customers/bulk-tag",
            json!({"customer_ids": null, "tags": []}),
            vec!["tags", "customer_ids"],
        ),
    ] {
        let (response, problem) = harness.send("POST", path, &body).await;
        assert_eq!(response.status(), 400, "{path}");
        let errors = problem["errors"].as_array().unwrap();
        let found: Vec<_> = errors.iter().map(|error| error["path"].as_str().unwrap()).collect();
        assert_eq!(found, paths);
    }
    assert_eq!(harness.asked(), asked);
}

#[tokio::test]
async fn an_id_that_is_no_uuid_never_reaches_the_database() {
    let harness = answering();
    for method in ["GET", "PATCH"] {
        let (response, problem) = harness.send(method, "/crm/customers/42", &json!({})).await;
        assert_eq!(response.status(), 400);
        assert_eq!(problem["errors"][0]["path"], "id");
    }
    assert!(harness.asked().is_empty());
}

#[tokio::test]
async fn every_error_of_the_database_keeps_its_status_code_and_facts() {
    for code in Code::ALL.iter().copied() {
        let error = Error::new(code, "do this").with("id", ID);
        let harness = harness(Err(error));
        let body = json!({"name": "Ann"});
        let (response, problem) = harness.send("POST", "/crm/customers", &body).await;
        assert_eq!(response.status().as_u16(), code.status());
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        assert_eq!(problem["code"], code.as_str());
        assert_eq!(problem["type"], format!("/errors/{}", code.as_str()));
        assert_eq!(problem["title"], code.title());
        let told = code.status() < 500;
        assert_eq!(problem.get("detail").is_some(), told, "{problem}");
        assert_eq!(problem.get("id").is_some(), told, "{problem}");
        let bearer = response.headers().contains_key("www-authenticate");
        assert_eq!(bearer, code.status() == 401);
    }
}

#[tokio::test]
async fn other_paths_and_methods_are_problems() {
    let harness = answering();
    for (method, path, status) in [
        ("DELETE", "/crm/customers", 405),
        ("PUT", &format!("/crm/customers/{ID}"), 405),
        ("GET", "/crm/customers/", 404),
        ("GET", "/crm", 404),
        ("GET", "/customers", 404),
    ] {
        let (response, problem) = harness.send(method, path, &Value::Null).await;
        assert_eq!(response.status(), status, "{method} {path}");
        assert_eq!(problem["status"], status);
    }
    assert!(harness.asked().is_empty());
}

#[tokio::test]
async fn a_body_of_over_a_mebibyte_is_refused() {
    let harness = answering();
    let body = json!({"notes": "x".repeat(1024 * 1024)});
    let (response, problem) = harness.send("POST", "/crm/customers", &body).await;
    assert_eq!(response.status(), 413);
    assert_eq!(problem["code"], "payload_too_large");
    assert!(harness.asked().is_empty());
}

#[tokio::test]
async fn no_log_line_holds_personal_data() {
    let error = Error::invalid_field("email", "invalid_email", "ann@example is not an address");
    for harness in [answering(), harness(Err(error))] {
        let body = json!({"name": "Ann Lee", "email": "ann@example", "phone": "+1 202 555 0100"});
        harness.send("POST", "/crm/customers", &body).await;
        harness.send("GET", &format!("/crm/customers/{ID}?email=ann@example"), &Value::Null).await;
        let lines = harness.lines.0.lock().unwrap();
        assert_eq!(lines.len(), 2);
        for line in lines.iter() {
            for personal in ["Ann", "ann@", "555 0100", ID, "a.b.c"] {
                assert!(!line.contains(personal), "{personal} in {line}");
            }
        }
    }
}
