//! The router over a database that answers from a list, and writes down what it is asked.
#![allow(dead_code, reason = "each test file takes what it needs")]
#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

pub mod assistant;
pub mod gotrue;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use fieldcrm_core::{Error, Result};
use fieldcrm_edge::database::{BackEnd, Page, Select};
use fieldcrm_edge::http::Client;
use fieldcrm_edge::{Caller, Config, Database, Log, Origins, Ports};
use fieldcrm_portal::{Identity, Services};
use serde_json::{Map, Value};
use tower::ServiceExt;

pub const ID: &str = "0d0e0f10-0000-4000-8000-000000000001";
pub const OTHER: &str = "0d0e0f10-0000-4000-8000-000000000002";

/// Answers call after call; whoever asks once too often gets an internal error.
#[derive(Default)]
pub struct Fake {
    answers: Mutex<Vec<Result<Value>>>,
    asked: Mutex<Vec<(Option<String>, &'static str, Value)>>,
}

impl Fake {
    pub fn answering(answers: Vec<Result<Value>>) -> Arc<Self> {
        Arc::new(Self { answers: Mutex::new(answers), asked: Mutex::default() })
    }

    /// One more answer.
    pub fn say(&self, answer: Result<Value>) {
        self.answers.lock().unwrap().push(answer);
    }

    /// The calls, without who made them.
    pub fn asked(&self) -> Vec<(&'static str, Value)> {
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|(_, name, arguments)| (*name, arguments.clone())).collect()
    }

    /// The `Authorization` of each call.
    pub fn callers(&self) -> Vec<Option<String>> {
        self.asked.lock().unwrap().iter().map(|(caller, ..)| caller.clone()).collect()
    }
}

#[async_trait]
impl Database for Fake {
    async fn rpc(
        &self,
        caller: &Caller,
        name: &'static str,
        args: Map<String, Value>,
    ) -> Result<Value> {
        self.asked.lock().unwrap().push((caller.authorization.clone(), name, Value::Object(args)));
        let mut answers = self.answers.lock().unwrap();
        if answers.is_empty() {
            Err(Error::internal("nothing more to say"))
        } else {
            answers.remove(0)
        }
    }

    async fn select(&self, _: &Caller, _: Select) -> Result<Page> {
        Err(Error::internal("customers read no tables"))
    }
}

/// Keeps what is logged.
#[derive(Default)]
pub struct Lines(Mutex<Vec<String>>);

impl Lines {
    pub fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Log for Lines {
    fn line(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }
}

pub struct Harness {
    pub service: Router,
    pub database: Arc<Fake>,
    /// The database as the back end asks it.
    pub back_end: Arc<Fake>,
    pub lines: Arc<Lines>,
}

/// The function for somebody who is signed in, with a database that says this.
pub fn answering(answers: Vec<Result<Value>>) -> Harness {
    with_auth("http://127.0.0.1:9", answers, Vec::new())
}

/// The same with other services.
pub fn serving(answers: Vec<Result<Value>>, change: impl FnOnce(&mut Services)) -> Harness {
    harness("http://127.0.0.1:9", answers, Vec::new(), change)
}

/// The same with Supabase at an address, and what the database says to the back end.
pub fn with_auth(
    url: &str,
    answers: Vec<Result<Value>>,
    to_back_end: Vec<Result<Value>>,
) -> Harness {
    harness(url, answers, to_back_end, |_| {})
}

fn harness(
    url: &str,
    answers: Vec<Result<Value>>,
    to_back_end: Vec<Result<Value>>,
    change: impl FnOnce(&mut Services),
) -> Harness {
    let (database, back_end) = (Fake::answering(answers), Fake::answering(to_back_end));
    let lines = Arc::new(Lines::default());
    let ports = Ports { database: database.clone(), log: lines.clone() };
    let config = config(url);
    let asked = BackEnd::new(Some("service-key".to_owned()), back_end.clone());
    let identity = Identity::new(&config, Client::new(), asked);
    let mut services = Services::new(identity);
    change(&mut services);
    let service = fieldcrm_portal::router(ports, &config, services);
    Harness { service, database, back_end, lines }
}

pub fn config(url: &str) -> Config {
    Config {
        supabase_url: url.to_owned(),
        publishable_key: "publishable".to_owned(),
        origins: Origins::Any,
        ..Config::default()
    }
}

impl Harness {
    /// With a token and the Idempotency-Key `key-1`; a null body is none.
    pub async fn send(&self, method: &str, path: &str, body: &Value) -> (Response<Body>, Value) {
        let headers = [("authorization", "Bearer a.b.c"), ("idempotency-key", "key-1")];
        self.send_with(method, path, body, &headers).await
    }

    pub async fn send_with(
        &self,
        method: &str,
        path: &str,
        body: &Value,
        headers: &[(&str, &str)],
    ) -> (Response<Body>, Value) {
        let body = if body.is_null() { Body::empty() } else { body.to_string().into() };
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.service.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let json = serde_json::from_slice(&bytes).unwrap_or_default();
        (Response::from_parts(parts, Body::empty()), json)
    }

    /// The calls of the database.
    pub fn asked(&self) -> Vec<(&'static str, Value)> {
        self.database.asked()
    }
}
