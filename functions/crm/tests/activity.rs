//! The routes of interactions and follow-ups, with a database that answers from a list.
#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use fieldcrm_core::{Error, Result};
use fieldcrm_edge::ai::models::Models;
use fieldcrm_edge::database::{Page, Select};
use fieldcrm_edge::{Caller, Config, Database, Log, Origins, Ports};
use serde_json::{Map, Value, json};
use tower::ServiceExt;

const ID: &str = "0d0e0f10-0000-4000-8000-000000000001";
const OTHER: &str = "0d0e0f10-0000-4000-8000-000000000002";

#[derive(Clone, Debug, PartialEq)]
enum Asked {
    Rpc(&'static str, Value),
    Select(Select),
}

/// Answers call after call; a page is an array.
struct Fake {
    answers: Mutex<Vec<Result<Value>>>,
    asked: Mutex<Vec<Asked>>,
}

impl Fake {
    fn answer(&self, asked: Asked) -> Result<Value> {
        self.asked.lock().unwrap().push(asked);
        self.answers.lock().unwrap().remove(0)
    }
}

#[async_trait]
impl Database for Fake {
    async fn rpc(&self, _: &Caller, name: &'static str, args: Map<String, Value>) -> Result<Value> {
        self.answer(Asked::Rpc(name, Value::Object(args)))
    }

    async fn select(&self, _: &Caller, select: Select) -> Result<Page> {
        let rows = self.answer(Asked::Select(select))?;
        Ok(Page { rows: rows.as_array().unwrap().clone(), total: Some(7) })
    }
}

struct Silent;

impl Log for Silent {
    fn line(&self, _: &str) {}
}

struct Harness {
    service: Router,
    database: Arc<Fake>,
}

fn answering(answers: Vec<Result<Value>>) -> Harness {
    let database = Arc::new(Fake { answers: Mutex::new(answers), asked: Mutex::default() });
    let ports = Ports { database: database.clone(), log: Arc::new(Silent) };
    let config = Config {
        supabase_url: String::new(),
        publishable_key: String::new(),
        origins: Origins::Any,
        ..Config::default()
    };
    Harness { service: fieldcrm_fn_crm::router(ports, &config, Models::builtin()), database }
}

impl Harness {
    async fn send(&self, method: &str, path: &str, body: &Value) -> (Response<Body>, Value) {
        let body = if body.is_null() { Body::empty() } else { body.to_string().into() };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", "Bearer a.b.c")
            .header("idempotency-key", "key-1");
        let response = self.service.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let json = serde_json::from_slice(&bytes).unwrap_or_default();
        (Response::from_parts(parts, Body::empty()), json)
    }

    fn asked(&self) -> Vec<Asked> {
        self.database.asked.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn a_body_is_logged_with_the_key_of_the_header() {
    let harness = answering(vec![Ok(json!({"id": ID, "followup": null}))]);
    let body = json!({"customer_id": OTHER, "channel": "note", "metadata": {"a": [1]}});
    let (response, logged) = harness.send("POST", "/crm/interactions", &body).await;
    assert_eq!(response.status(), 201);
    assert_eq!(response.headers()["location"], format!("/crm/interactions/{ID}"));
    assert_eq!(logged["followup"], Value::Null);
    let mut arguments = body;
    arguments["idempotency_key"] = json!("key-1");
    assert_eq!(harness.asked(), [Asked::Rpc("crm_log_interaction", arguments)]);
}

#[tokio::test]
async fn a_new_follow_up_is_created_and_a_known_one_found() {
    for (created, status) in [(true, 201), (false, 200)] {
        let harness = answering(vec![Ok(json!({"id": ID, "created": created}))]);
        let body = json!({"customer_id": OTHER, "title": "Call", "due_at": "2027-01-05T15:00:00Z"});
        let (response, _) = harness.send("POST", "/crm/followups", &body).await;
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()["location"], format!("/crm/followups/{ID}"));
        let [Asked::Rpc("crm_create_followup", arguments)] = &harness.asked()[..] else {
            panic!("one RPC")
        };
        assert_eq!(arguments["idempotency_key"], "key-1");
    }
}

#[tokio::test]
async fn unknown_keys_are_named_and_nothing_is_called() {
    let harness = answering(Vec::new());
    for path in ["/crm/interactions", "/crm/followups"] {
        let body = json!({"org_id": ID, "sentiment": "positive", "origin": "system_rule"});
        let (response, problem) = harness.send("POST", path, &body).await;
        assert_eq!(response.status(), 400);
        let errors = problem["errors"].as_array().unwrap();
        let paths: Vec<_> = errors.iter().map(|error| error["path"].as_str().unwrap()).collect();
        assert_eq!(paths, ["org_id", "origin", "sentiment"]);
    }
    assert!(harness.asked().is_empty());
}

#[tokio::test]
async fn the_interactions_of_a_customer_are_a_page_with_its_place() {
    let harness = answering(vec![Ok(json!([{"id": ID}]))]);
    let path = format!("/crm/customers/{OTHER}/interactions?limit=1&offset=2&channel=note");
    let (response, page) = harness.send("GET", &path, &Value::Null).await;
    assert_eq!(response.status(), 200);
    assert_eq!(page, json!({"data": [{"id": ID}], "limit": 1, "offset": 2, "total": 7}));
    let [Asked::Select(select)] = &harness.asked()[..] else { panic!("one select") };
    let equal = [("customer_id", OTHER.to_owned()), ("channel", "note".to_owned())];
    assert_eq!((select.table, &select.equal[..]), ("crm_interactions", &equal[..]));
}

#[tokio::test]
async fn an_empty_page_of_a_customer_is_told_from_no_customer() {
    let path = format!("/crm/customers/{OTHER}/interactions");
    for (customers, status) in [(json!([{"id": OTHER}]), 200), (json!([]), 404)] {
        let harness = answering(vec![Ok(json!([])), Ok(customers)]);
        let (response, _) = harness.send("GET", &path, &Value::Null).await;
        assert_eq!(response.status(), status);
        assert_eq!(harness.asked().len(), 2);
    }
}

#[tokio::test]
async fn one_row_is_shown_or_not_found() {
    for (path, table) in
        [("/crm/interactions/", "crm_interactions"), ("/crm/followups/", "crm_followups")]
    {
        for (rows, status) in [(json!([{"id": ID}]), 200), (json!([]), 404)] {
            let harness = answering(vec![Ok(rows)]);
            let (response, _) = harness.send("GET", &format!("{path}{ID}"), &Value::Null).await;
            assert_eq!(response.status(), status);
            let [Asked::Select(select)] = &harness.asked()[..] else { panic!("one select") };
            assert_eq!((select.table, &select.equal[..]), (table, &[("id", ID.to_owned())][..]));
        }
    }
}

#[tokio::test]
async fn a_patch_is_the_rpcs_to_check() {
    let harness = answering(vec![Ok(json!({"id": ID}))]);
    let patch = json!({"status": "cancelled", "anything": 1});
    let (response, _) = harness.send("PATCH", &format!("/crm/followups/{ID}"), &patch).await;
    assert_eq!(response.status(), 200);
    let arguments = json!({"id": ID, "patch": patch});
    assert_eq!(harness.asked(), [Asked::Rpc("crm_update_followup", arguments)]);
}

#[tokio::test]
async fn suggestions_are_asked_for_a_customer_and_say_who_made_them() {
    let suggested = json!({"provider": "builtin", "suggestions": [{"id": OTHER, "created": true}]});
    let harness = answering(vec![Ok(suggested.clone()), Err(Error::not_found("customer"))]);
    let path = format!("/crm/customers/{ID}/suggest-followups");
    let (response, answer) = harness.send("POST", &path, &Value::Null).await;
    assert_eq!((response.status().as_u16(), answer), (200, suggested));
    let asked = Asked::Rpc("crm_suggest_followups", json!({"customer_id": ID}));
    assert_eq!(harness.asked(), [asked]);
    let (response, problem) = harness.send("POST", &path, &Value::Null).await;
    assert_eq!((response.status().as_u16(), &problem["code"]), (404, &json!("not_found")));
    let wrong = "/crm/customers/1/suggest-followups";
    let (response, _) = harness.send("POST", wrong, &Value::Null).await;
    assert_eq!(response.status(), 400);
    let (response, _) = harness.send("GET", &path, &Value::Null).await;
    assert_eq!(response.status(), 405);
}

#[tokio::test]
async fn me_is_whom_the_database_says_i_am() {
    let session = json!({"profile": {"id": ID}});
    let harness = answering(vec![Ok(session), Ok(json!([]))]);
    let path = "/crm/followups?assigned_to_user_id=me&status=pending";
    let (response, _) = harness.send("GET", path, &Value::Null).await;
    assert_eq!(response.status(), 200);
    let [Asked::Rpc("crm_session", _), Asked::Select(select)] = &harness.asked()[..] else {
        panic!("the session, then the page")
    };
    let equal = [("status", "pending".to_owned()), ("assigned_to_user_id", ID.to_owned())];
    assert_eq!(select.equal, equal);

    let harness = answering(vec![Ok(json!({"profile": null}))]);
    let (response, problem) = harness.send("GET", path, &Value::Null).await;
    assert_eq!(response.status(), 400);
    assert_eq!(problem["errors"][0]["path"], "assigned_to_user_id");
}

#[tokio::test]
async fn a_wrong_query_is_refused_before_the_database() {
    let harness = answering(Vec::new());
    for path in
        ["/crm/followups?due_to=soon", &format!("/crm/customers/{ID}/interactions?from=soon")]
    {
        let (response, problem) = harness.send("GET", path, &Value::Null).await;
        assert_eq!(response.status(), 400);
        assert_eq!(problem["errors"][0]["code"], "invalid_time");
    }
    assert!(harness.asked().is_empty());
}

#[tokio::test]
async fn refusals_of_the_database_are_problems() {
    let harness = answering(vec![Err(Error::not_found("customer"))]);
    let (response, problem) = harness.send("POST", "/crm/interactions", &json!({})).await;
    assert_eq!(response.status(), 404);
    assert_eq!(problem["code"], "not_found");
}
