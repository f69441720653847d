//! The client against a `PostgREST` that writes down what it is asked and answers as told.
#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, Response};
use fieldcrm_core::Code;
use fieldcrm_edge::database::{Comparison, Page, Select};
use fieldcrm_edge::{Caller, Config, Database, Origins, PostgrestDatabase};
use serde_json::{Map, Value, json};

struct Asked {
    path_and_query: String,
    headers: HeaderMap,
    body: String,
}

/// One exchange: what arrives at the server, and the client that caused it.
struct Stub {
    database: PostgrestDatabase,
    asked: Arc<Mutex<Vec<Asked>>>,
}

async fn stub(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Stub {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (notes, headers, body) = (asked.clone(), headers.to_vec(), body.to_owned());
    let app = Router::new().fallback(move |request: Request| {
        let (notes, headers, answer) = (notes.clone(), headers.clone(), body.clone());
        async move {
            let (parts, body) = request.into_parts();
            let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            notes.lock().unwrap().push(Asked {
                path_and_query: parts.uri.to_string(),
                headers: parts.headers,
                body: String::from_utf8(body.to_vec()).unwrap(),
            });
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            response.body(Body::from(answer)).unwrap()
        }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    Stub { database: database(&format!("http://{address}")), asked }
}

fn database(url: &str) -> PostgrestDatabase {
    PostgrestDatabase::new(&Config {
        supabase_url: url.to_owned(),
        publishable_key: "sb_publishable_test".to_owned(),
        origins: Origins::Any,
        ..Config::default()
    })
}

fn caller() -> Caller {
    Caller {
        authorization: Some("Bearer a.b.c".to_owned()),
        request_id: "r-1".to_owned(),
        forwarded_for: Some("203.0.113.9, 10.0.0.1".to_owned()),
        connecting_ip: None,
        user_agent: Some("curl/8.5.0".to_owned()),
    }
}

fn page(count: bool) -> Select {
    Select {
        table: "customers",
        columns: "id,name",
        equal: vec![("status", "active".to_owned())],
        compare: Vec::new(),
        order: "name.asc,id.asc",
        limit: 20,
        offset: 40,
        count,
    }
}

#[tokio::test]
async fn an_rpc_carries_the_callers_token_and_the_request_id() {
    let stub = stub(200, &[], r#"{"id": "1"}"#).await;
    let arguments = Map::from_iter([("name".to_owned(), json!("Zoë"))]);
    let answer = stub.database.rpc(&caller(), "crm_create_customer", arguments).await;
    assert_eq!(answer, Ok(json!({"id": "1"})));

    let asked = stub.asked.lock().unwrap();
    let [asked] = asked.as_slice() else { panic!("one request") };
    assert_eq!(asked.path_and_query, "/rest/v1/rpc/crm_create_customer");
    assert_eq!(serde_json::from_str::<Value>(&asked.body).unwrap(), json!({"name": "Zoë"}));
    for (name, value) in [
        ("authorization", "Bearer a.b.c"),
        ("apikey", "sb_publishable_test"),
        ("x-request-id", "r-1"),
        ("x-forwarded-for", "203.0.113.9, 10.0.0.1"),
        ("user-agent", "curl/8.5.0"),
        ("content-type", "application/json"),
    ] {
        assert_eq!(asked.headers[name], value, "{name}");
    }
}

#[tokio::test]
async fn an_anonymous_caller_sends_no_token() {
    let stub = stub(200, &[], "{}").await;
    let anonymous =
        Caller { authorization: None, forwarded_for: None, user_agent: None, ..caller() };
    stub.database.rpc(&anonymous, "crm_session", Map::new()).await.unwrap();
    for name in ["authorization", "x-forwarded-for", "user-agent"] {
        assert!(!stub.asked.lock().unwrap()[0].headers.contains_key(name), "{name}");
    }
}

#[tokio::test]
async fn comparisons_are_filters_with_bound_values() {
    let stub = stub(200, &[], "[]").await;
    let select = Select {
        compare: vec![
            ("due_at", Comparison::AtLeast, "2026-01-01T00:00:00+01:00".to_owned()),
            ("due_at", Comparison::Below, "2026-02-01,or=(1)".to_owned()),
        ],
        ..page(false)
    };
    stub.database.select(&caller(), select).await.unwrap();
    assert_eq!(
        stub.asked.lock().unwrap()[0].path_and_query,
        "/rest/v1/customers?select=id%2Cname&order=name.asc%2Cid.asc&status=eq.active\
         &due_at=gte.2026-01-01T00%3A00%3A00%2B01%3A00&due_at=lt.2026-02-01%2Cor%3D%281%29"
    );
}

#[tokio::test]
async fn a_counted_page_is_still_the_whole_page() {
    let stub = stub(206, &[("content-range", "40-41/42")], r#"[{"id": "1"}, {"id": "2"}]"#).await;
    let rows = stub.database.select(&caller(), page(true)).await.unwrap();
    assert_eq!((rows.rows.len(), rows.total), (2, Some(42)));

    let asked = stub.asked.lock().unwrap();
    assert_eq!(asked[0].headers["range"], "40-59");
    assert_eq!(asked[0].headers["prefer"], "count=exact");
    assert_eq!(
        asked[0].path_and_query,
        "/rest/v1/customers?select=id%2Cname&order=name.asc%2Cid.asc&status=eq.active"
    );
}

#[tokio::test]
async fn an_uncounted_page_has_no_total() {
    let stub = stub(200, &[("content-range", "40-40/*")], r#"[{"id": "1"}]"#).await;
    let rows = stub.database.select(&caller(), page(false)).await.unwrap();
    assert_eq!((rows.rows.len(), rows.total), (1, None));
    assert!(!stub.asked.lock().unwrap()[0].headers.contains_key("prefer"));
}

#[tokio::test]
async fn an_offset_past_the_end_is_an_empty_page() {
    let stub = stub(416, &[("content-range", "*/3")], r#"{"code": "PGRST103"}"#).await;
    let rows = stub.database.select(&caller(), page(true)).await;
    assert_eq!(rows, Ok(Page { rows: Vec::new(), total: Some(3) }));
}

#[tokio::test]
async fn refusals_and_nonsense_are_errors() {
    let details =
        r#"{"code": "PT403", "message": "m", "details": "{\"code\":\"forbidden\"}", "hint": "h"}"#;
    for (status, body, expected) in [
        (403, details, Code::Forbidden),
        (401, r#"{"code": "PGRST303", "message": "JWT expired"}"#, Code::Unauthenticated),
        (502, "<html>", Code::Unavailable),
        (200, "<html>", Code::Internal),
    ] {
        let stub = stub(status, &[], body).await;
        let error = stub.database.rpc(&caller(), "crm_session", Map::new()).await.unwrap_err();
        assert_eq!(error.code, expected, "{status} {body}");
    }
}

#[tokio::test]
async fn a_database_that_is_not_there_is_unavailable() {
    // Bound and dropped: nothing listens on this port now.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = database(&url).rpc(&caller(), "crm_session", Map::new()).await.unwrap_err();
    assert_eq!(error.code, Code::Unavailable);
}
