//! The routes of `/crm/segments`, with a database that writes down what it is asked.
#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::body::Body;
use axum::http::Request;
use fieldcrm_core::Result;
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
    rows: Vec<Value>,
    asked: Mutex<Vec<Asked>>,
}

#[async_trait]
impl Database for Fake {
    async fn rpc(&self, _: &Caller, name: &'static str, args: Map<String, Value>) -> Result<Value> {
        self.asked.lock().unwrap().push(Asked::Rpc(name, Value::Object(args)));
        Ok(json!({"id": ID}))
    }

    async fn select(&self, _: &Caller, select: Select) -> Result<Page> {
        self.asked.lock().unwrap().push(Asked::Select(select));
        Ok(Page { rows: self.rows.clone(), total: None })
    }
}

struct Silent;

impl Log for Silent {
    fn line(&self, _: &str) {}
}

async fn send(rows: Vec<Value>, method: &str, path: &str, body: Value) -> (u16, Value, Vec<Asked>) {
    let database = Arc::new(Fake { rows, asked: Mutex::default() });
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
    let status = response.status().as_u16();
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let asked = database.asked.lock().unwrap().clone();
    (status, serde_json::from_slice(&bytes).unwrap_or_default(), asked)
}

#[tokio::test]
async fn each_route_is_one_call_with_what_the_request_names() {
    let path = |rest: &str| format!("/crm/segments/{ID}{rest}");
    let new = json!({"name": "VIP", "type": "static"});
    let ids = json!({"customer_ids": [ID]});
    for (method, path, body, status, name, arguments) in [
        (
            "POST",
            "/crm/segments".to_owned(),
            new,
            201,
            "crm_create_segment",
            json!({"name": "VIP", "type": "static", "idempotency_key": "k-1"}),
        ),
        (
            "PATCH",
            path(""),
            json!({"is_active": false}),
            200,
            "crm_update_segment",
            json!({"id": ID, "patch": {"is_active": false}}),
        ),
        (
            "POST",
            path("/members"),
            ids.clone(),
            200,
            "crm_segment_add_members",
            json!({"segment_id": ID, "customer_ids": [ID]}),
        ),
        (
            "POST",
            format!("/crm/ai-jobs/{ID}/cancel"),
            Value::Null,
            200,
            "crm_cancel_ai_job",
            json!({"job_id": ID}),
        ),
        (
            "DELETE",
            path("/members"),
            ids,
            200,
            "crm_segment_remove_members",
            json!({"segment_id": ID, "customer_ids": [ID]}),
        ),
    ] {
        let (answered, _, asked) = send(Vec::new(), method, &path, body).await;
        assert_eq!(answered, status, "{method} {path}");
        assert_eq!(asked, [Asked::Rpc(name, arguments)]);
    }
}

#[tokio::test]
async fn members_have_to_be_named() {
    for (method, body) in [("POST", json!({"scores": [1]})), ("DELETE", json!({}))] {
        let path = format!("/crm/segments/{ID}/members");
        let (status, problem, asked) = send(Vec::new(), method, &path, body).await;
        assert_eq!(status, 400, "{method}");
        let error = &problem["errors"][0];
        assert_eq!((&error["path"], &error["code"]), (&json!("customer_ids"), &json!("required")));
        assert!(asked.is_empty());
    }
}

#[tokio::test]
async fn rules_that_somebody_wrote_are_computed_as_they_are() {
    let path = format!("/crm/segments/{ID}/recompute");
    let row = json!({"id": ID, "type": "rule_based"});
    let (status, _, asked) = send(vec![row], "POST", &path, Value::Null).await;
    assert_eq!(status, 200);
    assert_eq!(asked[1..], [Asked::Rpc("crm_recompute_segment", json!({"id": ID}))]);
    let (status, ..) = send(Vec::new(), "POST", &path, Value::Null).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn scoring_is_a_job_that_can_be_looked_at() {
    let path = format!("/crm/segments/{ID}/score");
    let row = json!({"id": ID, "type": "rule_based"});
    let wanted = json!({"threshold": 70, "only_matching": true});
    let (status, job, asked) = send(vec![row.clone()], "POST", &path, wanted).await;
    assert_eq!((status, job), (202, json!({"id": ID})));
    let arguments =
        json!({"segment_id": ID, "threshold": 70, "only_matching": true, "idempotency_key": "k-1"});
    assert_eq!(asked[1..], [Asked::Rpc("crm_score_segment", arguments)]);
    let (status, ..) = send(vec![row.clone()], "POST", &path, Value::Null).await;
    assert_eq!(status, 202, "no body is needed");
    let (status, problem, asked) = send(vec![row], "POST", &path, json!({"job_id": ID})).await;
    assert_eq!((status, &problem["errors"][0]["path"], asked.len()), (400, &json!("job_id"), 0));
    assert_eq!(send(Vec::new(), "POST", &path, Value::Null).await.0, 404);
    let job = json!({"id": ID, "status": "running", "total": 9, "scored": 3});
    let path = format!("/crm/ai-jobs/{ID}");
    let (status, found, asked) = send(vec![job.clone()], "GET", &path, Value::Null).await;
    assert_eq!((status, &found), (200, &job));
    let [Asked::Select(select)] = &asked[..] else { panic!("one select") };
    assert_eq!((select.table, &select.equal[..]), ("ai_jobs", &[("id", ID.to_owned())][..]));
    assert_eq!(send(Vec::new(), "GET", &path, Value::Null).await.0, 404);
    let (status, page, _) =
        send(vec![job.clone()], "GET", "/crm/ai-jobs?limit=5", Value::Null).await;
    assert_eq!(
        (status, page),
        (200, json!({"data": [job], "limit": 5, "offset": 0, "total": null}))
    );
}

#[tokio::test]
async fn members_come_in_pages_with_their_customers() {
    let row = json!({"customer_id": ID, "customers": {"name": "Ann"}});
    let path = format!("/crm/segments/{ID}/members?limit=10");
    let (status, page, asked) = send(vec![row.clone()], "GET", &path, Value::Null).await;
    assert_eq!(status, 200);
    assert_eq!(page, json!({"data": [row], "limit": 10, "offset": 0, "total": null}));
    let [Asked::Select(select)] = &asked[..] else { panic!("one select") };
    assert_eq!(select.table, "crm_segment_members");
    assert_eq!(select.equal, [("segment_id", ID.to_owned())]);
}

#[tokio::test]
async fn a_segment_that_is_not_there_is_404() {
    let path = format!("/crm/segments/{ID}");
    let (status, problem, _) = send(Vec::new(), "GET", &path, Value::Null).await;
    assert_eq!((status, &problem["code"]), (404, &json!("not_found")));
    let (status, segment, _) = send(vec![json!({"id": ID})], "GET", &path, Value::Null).await;
    assert_eq!((status, &segment["id"]), (200, &json!(ID)));
}

#[tokio::test]
async fn unknown_keys_are_named_and_nothing_is_called() {
    let body = json!({"name": "VIP", "org_id": ID});
    let (status, problem, asked) = send(Vec::new(), "POST", "/crm/segments", body).await;
    assert_eq!((status, &problem["errors"][0]["path"]), (400, &json!("org_id")));
    assert!(asked.is_empty());
}
