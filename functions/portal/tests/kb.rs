//! The routes of `/portal/kb`, with a database that writes down what it is asked and an embedder that does as it is told.
#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::body::Body;
use axum::http::Request;
use common::serving;
use fieldcrm_core::kb::{DIMENSIONS, Embedding};
use fieldcrm_core::{Code, Error, Result};
use fieldcrm_edge::ai::embed::Embedder;
use serde_json::{Value, json};
use tower::ServiceExt;

/// Embeds everything alike, or nothing.
struct Model {
    works: bool,
    asked: Mutex<Vec<String>>,
}

#[async_trait]
impl Embedder for Model {
    fn model(&self) -> &'static str {
        "fake"
    }

    async fn embed(&self, texts: Vec<String>) -> Result<Vec<Embedding>> {
        self.asked.lock().unwrap().extend(texts.clone());
        if self.works {
            Ok(vec![[0.5; DIMENSIONS]; texts.len()])
        } else {
            Err(Error::new(Code::Unavailable, "The embedding provider answered 500."))
        }
    }
}

struct Sent {
    status: u16,
    body: Value,
    asked: Vec<(&'static str, Value, Option<String>)>,
    embedded: Vec<String>,
    log: String,
}

async fn send(path: &str, token: Option<&str>, works: bool) -> Sent {
    let model = Arc::new(Model { works, asked: Mutex::default() });
    let embedder = model.clone();
    let answers = vec![Ok(json!({"answered": true}))];
    let harness = serving(answers, |services| services.embedder = embedder);
    let mut request = Request::builder().uri(path);
    if let Some(token) = token {
        request = request.header("authorization", token);
    }
    let response =
        harness.service.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    Sent {
        status,
        body: serde_json::from_slice(&bytes).unwrap_or_default(),
        asked: harness
            .asked()
            .into_iter()
            .zip(harness.database.callers())
            .map(|((name, arguments), caller)| (name, arguments, caller))
            .collect(),
        embedded: model.asked.lock().unwrap().clone(),
        log: harness.lines.all().join("\n"),
    }
}

#[tokio::test]
async fn each_list_and_article_is_one_call_with_or_without_a_token() {
    for (path, name, arguments) in [
        ("/portal/kb/articles", "kb_list_articles", json!({})),
        (
            "/portal/kb/articles?org=northwind&category=hvac&limit=10&cursor=c",
            "kb_list_articles",
            json!({"slug": "northwind", "category": "hvac", "page_size": 10, "cursor": "c"}),
        ),
        (
            "/portal/kb/articles/boiler?org=x",
            "kb_get_article",
            json!({"slug": "x", "article_slug": "boiler"}),
        ),
    ] {
        for token in [Some("Bearer a.b.c"), None] {
            let sent = send(path, token, true).await;
            assert_eq!(sent.status, 200, "{path}: {}", sent.body);
            assert_eq!(sent.asked, [(name, arguments.clone(), token.map(str::to_owned))]);
            assert_eq!(sent.embedded, [""; 0]);
        }
    }
}

#[tokio::test]
async fn a_search_hands_on_the_question_with_its_embedding() {
    let sent = send("/portal/kb/search?q=%20no+heat%20&org=northwind&limit=3", None, true).await;
    assert_eq!(sent.status, 200);
    assert_eq!(sent.embedded, ["no heat"]);
    let [(name, arguments, None)] = &sent.asked[..] else { panic!("one call") };
    assert_eq!(*name, "kb_search");
    assert_eq!(arguments["embedding"].as_array().unwrap().len(), DIMENSIONS);
    assert_eq!(
        (&arguments["query"], &arguments["model"], &arguments["slug"], &arguments["page_size"]),
        (&json!(" no heat "), &json!("fake"), &json!("northwind"), &json!(3))
    );
}

#[tokio::test]
async fn where_the_embedder_fails_words_find() {
    let sent = send("/portal/kb/search?q=no+heat", Some("Bearer a.b.c"), false).await;
    assert_eq!(sent.status, 200);
    assert_eq!(sent.asked[0].1, json!({"query": "no heat"}));
    assert!(sent.log.contains("answered 500") && !sent.log.contains("no heat"), "{}", sent.log);
}

#[tokio::test]
async fn a_question_that_is_refused_anyway_is_not_embedded() {
    let long = format!("/portal/kb/search?q={}", "x".repeat(501));
    for path in ["/portal/kb/search", long.as_str()] {
        let sent = send(path, None, true).await;
        assert_eq!((sent.embedded.len(), sent.asked.len()), (0, 1), "{path}");
    }
}

#[tokio::test]
async fn every_wrong_parameter_is_named_and_the_database_is_not_asked() {
    let sent = send("/portal/kb/search?q=&limit=101&slug=x&org=a&org=b", None, true).await;
    let wrong: Vec<_> =
        sent.body["errors"].as_array().unwrap().iter().map(|error| error["path"].clone()).collect();
    assert_eq!(
        (sent.status, wrong),
        (400, vec![json!("q"), json!("limit"), json!("slug"), json!("org")])
    );
    assert_eq!((sent.asked.len(), sent.embedded.len()), (0, 0));
    assert_eq!(send("/portal/kb/articles?q=x", None, true).await.status, 400);
}
