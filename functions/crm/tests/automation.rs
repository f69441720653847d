//! The routes of `/crm/automation`, with a database that writes down what it is asked.
#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use fieldcrm_core::{Error, Result};
use fieldcrm_edge::ai::models::Models;
use fieldcrm_edge::database::{Page, Select};
use fieldcrm_edge::{Caller, Config, Database, Log, Origins, Ports};
use serde_json::{Map, Value, json};
use tower::ServiceExt;

const ID: &str = "0d0e0f10-0000-4000-8000-000000000001";
const RULES: &str = "/crm/automation/rules";

#[derive(Clone, Debug, PartialEq)]
enum Asked {
    Rpc(&'static str, Value),
    Select(Select),
}

/// Answers every call alike; a page is an array.
struct Fake {
    answer: Result<Value>,
    asked: Mutex<Vec<Asked>>,
}

#[async_trait]
impl Database for Fake {
    async fn rpc(&self, _: &Caller, name: &'static str, args: Map<String, Value>) -> Result<Value> {
        self.asked.lock().unwrap().push(Asked::Rpc(name, Value::Object(args)));
        self.answer.clone()
    }

    async fn select(&self, _: &Caller, select: Select) -> Result<Page> {
        self.asked.lock().unwrap().push(Asked::Select(select));
        Ok(Page { rows: self.answer.clone()?.as_array().unwrap().clone(), total: Some(7) })
    }
}

struct Silent;

impl Log for Silent {
    fn line(&self, _: &str) {}
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Value,
    asked: Vec<Asked>,
}

async fn send(answer: Result<Value>, method: &str, path: &str, body: Value) -> Answer {
    let database = Arc::new(Fake { answer, asked: Mutex::default() });
    let ports = Ports { database: database.clone(), log: Arc::new(Silent) };
    let config = Config {
        supabase_url: String::new(),
        publishable_key: String::new(),
        origins: Origins::Any,
        ..Config::default()
    };
    let body = if body.is_null() { Body::empty() } else { body.to_string().into() };
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", "Bearer a.b.c")
        .header("idempotency-key", "k-1")
        .body(body)
        .unwrap();
    let response =
        fieldcrm_fn_crm::router(ports, &config, Models::builtin()).oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    Answer {
        status: head.status.as_u16(),
        headers: head.headers,
        body: serde_json::from_slice(&bytes).unwrap_or_default(),
        asked: database.asked.lock().unwrap().clone(),
    }
}

#[tokio::test]
async fn each_route_is_one_call_with_what_the_request_names() {
    let rule = |rest: &str| format!("{RULES}/{ID}{rest}");
    let new = json!({"name": "Thanks", "trigger_type": "event", "event_type": "quote_sent", "actions": [{}]});
    let mut created = new.clone();
    created["idempotency_key"] = json!("k-1");
    for (method, path, body, status, name, arguments) in [
        ("POST", RULES.to_owned(), new, 201, "crm_create_automation_rule", created),
        (
            "PATCH",
            rule(""),
            json!({"is_enabled": false, "conditions": null}),
            200,
            "crm_update_automation_rule",
            json!({"id": ID, "patch": {"is_enabled": false, "conditions": null}}),
        ),
        (
            "POST",
            rule("/preview"),
            json!({"sample_size": 5}),
            200,
            "crm_preview_automation",
            json!({"rule_id": ID, "sample_size": 5}),
        ),
        (
            "POST",
            format!("/crm/automation/runs/{ID}/retry"),
            Value::Null,
            200,
            "crm_retry_automation_run",
            json!({"id": ID}),
        ),
    ] {
        let answer = send(Ok(json!({"id": ID})), method, &path, body).await;
        assert_eq!(answer.status, status, "{method} {path}");
        assert_eq!(answer.asked, [Asked::Rpc(name, arguments)]);
        if status == 201 {
            assert_eq!(answer.headers["location"], format!("{RULES}/{ID}"));
        }
    }
}

#[tokio::test]
async fn rules_come_in_pages_and_by_what_they_wait_for() {
    let path = format!(
        "{RULES}?limit=10&offset=20&trigger_type=event&is_enabled=true&event_type=quote_sent"
    );
    let answer = send(Ok(json!([{"id": ID}])), "GET", &path, Value::Null).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body, json!({"data": [{"id": ID}], "limit": 10, "offset": 20, "total": 7}));
    let [Asked::Select(select)] = &answer.asked[..] else { panic!("one select") };
    assert_eq!((select.table, select.order), ("crm_automation_rules", "name.asc,id.asc"));
    assert_eq!(select.equal.len(), 3);
}

#[tokio::test]
async fn runs_come_with_the_cursor_of_the_next_page() {
    let page = json!({"items": [{"id": ID, "rule_name": "Thanks"}], "next_cursor": "abc"});
    let path = format!("/crm/automation/runs?rule_id={ID}&status=failed&limit=1&cursor=xyz");
    let answer = send(Ok(page), "GET", &path, Value::Null).await;
    assert_eq!(
        answer.body,
        json!({"data": [{"id": ID, "rule_name": "Thanks"}], "limit": 1, "next_cursor": "abc"})
    );
    let arguments = json!({"rule_id": ID, "status": "failed", "cursor": "xyz", "page_size": 1});
    assert_eq!(answer.asked, [Asked::Rpc("crm_automation_history", arguments)]);
}

#[tokio::test]
async fn one_rule_is_shown_or_is_not_there() {
    let path = format!("{RULES}/{ID}");
    let answer = send(Ok(json!([{"id": ID}])), "GET", &path, Value::Null).await;
    assert_eq!((answer.status, &answer.body["id"]), (200, &json!(ID)));
    let answer = send(Ok(json!([])), "GET", &path, Value::Null).await;
    assert_eq!((answer.status, &answer.body["code"]), (404, &json!("not_found")));
    let answer = send(Ok(json!([])), "GET", "/crm/automation/rules/7", Value::Null).await;
    assert_eq!((answer.status, answer.asked.len()), (400, 0));
}

#[tokio::test]
async fn a_rule_is_not_deleted_over_http() {
    let answer = send(Ok(json!({})), "DELETE", &format!("{RULES}/{ID}"), Value::Null).await;
    assert_eq!((answer.status, &answer.body["code"]), (405, &json!("method_not_allowed")));
    assert!(answer.asked.is_empty());
}

#[tokio::test]
async fn a_mistake_in_an_action_is_a_problem_with_its_path() {
    let error = Error::invalid_field("actions[2].due_in_minutes", "required", "must be given");
    let answer = send(Err(error), "POST", RULES, json!({"name": "x"})).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    assert_eq!(answer.body["code"], "invalid_argument");
    assert_eq!(answer.body["errors"][0]["path"], "actions[2].due_in_minutes");
}

#[tokio::test]
async fn unknown_keys_and_parameters_are_named_and_nothing_is_called() {
    for (method, path, body, wrong) in [
        ("POST", RULES.to_owned(), json!({"name": "x", "org_id": ID}), "org_id"),
        ("POST", format!("{RULES}/{ID}/preview"), json!({"rule_id": ID}), "rule_id"),
        ("GET", format!("{RULES}?trigger_type=cron"), Value::Null, "trigger_type"),
        ("GET", "/crm/automation/runs?offset=1".to_owned(), Value::Null, "offset"),
    ] {
        let answer = send(Ok(json!({})), method, &path, body).await;
        assert_eq!((answer.status, &answer.body["errors"][0]["path"]), (400, &json!(wrong)));
        assert!(answer.asked.is_empty());
    }
}
