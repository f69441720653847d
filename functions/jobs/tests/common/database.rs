//! A database that answers as the test tells it, call after call, and keeps what it was asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use fieldcrm_core::Result;
use fieldcrm_edge::ai::embed::Embedder;
use fieldcrm_edge::database::{Page, Select};
use fieldcrm_edge::{Caller, Config, Database, Origins, Ports};
use fieldcrm_jobs::Settings;
use fieldcrm_jobs::provider::Providers;
use fieldcrm_jobs::score::Judge;
use fieldcrm_jobs::sentiment::Analyst;
use serde_json::{Map, Value};
use tower::ServiceExt;

use super::Kept;

type Answer = dyn Fn(&'static str, &Value) -> Result<Value> + Send + Sync;

pub struct Fake {
    answer: Box<Answer>,
    asked: Mutex<Vec<(&'static str, Value)>>,
}

#[async_trait]
impl Database for Fake {
    async fn rpc(
        &self,
        caller: &Caller,
        name: &'static str,
        arguments: Map<String, Value>,
    ) -> Result<Value> {
        assert_eq!(caller.authorization.as_deref(), Some("Bearer a.b.c"));
        let arguments = Value::Object(arguments);
        self.asked.lock().unwrap().push((name, arguments.clone()));
        (self.answer)(name, &arguments)
    }

    async fn select(&self, _: &Caller, _: Select) -> Result<Page> {
        panic!("no table is read")
    }
}

pub struct Harness {
    service: Router,
    database: Arc<Fake>,
    pub log: Arc<Kept>,
}

pub fn harness(
    providers: Providers,
    budget: Duration,
    answer: impl Fn(&'static str, &Value) -> Result<Value> + Send + Sync + 'static,
) -> Harness {
    serve(Settings { budget, ..Settings::new(providers) }, answer)
}

/// One that analyses.
pub fn harness_by(
    analyst: Arc<dyn Analyst>,
    budget: Duration,
    answer: impl Fn(&'static str, &Value) -> Result<Value> + Send + Sync + 'static,
) -> Harness {
    serve(Settings { budget, analyst, ..Settings::new(Providers::default()) }, answer)
}

/// One that scores.
pub fn harness_judging(
    judge: Arc<dyn Judge>,
    budget: Duration,
    answer: impl Fn(&'static str, &Value) -> Result<Value> + Send + Sync + 'static,
) -> Harness {
    serve(Settings { budget, judge, ..Settings::new(Providers::default()) }, answer)
}

/// One that embeds.
pub fn harness_with(
    embedder: Arc<dyn Embedder>,
    budget: Duration,
    answer: impl Fn(&'static str, &Value) -> Result<Value> + Send + Sync + 'static,
) -> Harness {
    serve(Settings { budget, embedder, ..Settings::new(Providers::default()) }, answer)
}

fn serve(
    settings: Settings,
    answer: impl Fn(&'static str, &Value) -> Result<Value> + Send + Sync + 'static,
) -> Harness {
    let database = Arc::new(Fake { answer: Box::new(answer), asked: Mutex::default() });
    let log = Arc::new(Kept::default());
    let ports = Ports { database: database.clone(), log: log.clone() };
    let config = Config {
        supabase_url: String::new(),
        publishable_key: String::new(),
        origins: Origins::Any,
        ..Config::default()
    };
    Harness { service: fieldcrm_jobs::router(ports, &config, settings), database, log }
}

impl Harness {
    pub async fn get(&self, path: &str) -> u16 {
        let request = Request::builder().uri(path).header("authorization", "Bearer a.b.c");
        let request = request.body(Body::empty()).unwrap();
        self.service.clone().oneshot(request).await.unwrap().status().as_u16()
    }

    pub async fn post(&self, path: &str, body: &str, headers: &[(&str, &str)]) -> (u16, Value) {
        let mut request =
            Request::builder().method("POST").uri(path).header("authorization", "Bearer a.b.c");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let response = self.service.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    /// The calls, each with its arguments.
    pub fn asked(&self) -> Vec<(&'static str, Value)> {
        self.database.asked.lock().unwrap().clone()
    }

    pub fn names(&self) -> Vec<&'static str> {
        self.asked().into_iter().map(|(name, _)| name).collect()
    }
}
