//! The router over a database that writes down what it is asked, and requests signed as providers do.
#![allow(dead_code, reason = "each test file takes what it needs")]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fieldcrm_core::{Code, Error, Result};
use fieldcrm_edge::database::{Page, Select};
use fieldcrm_edge::storage::{Object, Put};
use fieldcrm_edge::{Caller, Config, Database, Log, Origins, Ports, Storage};
use fieldcrm_hooks::Settings;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value, json};
use tower::ServiceExt;

/// `whsec_` of this is what Standard Webhooks are signed with here.
const STANDARD_SECRET: &[u8] = b"landing-page-secret-of-24";

const SECRETS: [(&str, &str); 12] = [
    ("PUBLIC_FUNCTIONS_URL", "https://hooks.example/functions/v1/"),
    ("WHATSAPP_APP_SECRET", "old-secret, app-secret"),
    ("WHATSAPP_VERIFY_TOKEN", "verify token"),
    ("TWILIO_AUTH_TOKEN", "twilio-token"),
    ("POSTMARK_WEBHOOK_AUTH", "postmark:secret"),
    ("SENDGRID_WEBHOOK_AUTH", "sendgrid:secret"),
    (
        "SENDGRID_PUBLIC_KEY",
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==",
    ),
    ("MAILGUN_SIGNING_KEY", "mailgun-key"),
    ("RESEND_WEBHOOK_SECRET", "whsec_bGFuZGluZy1wYWdlLXNlY3JldC1vZi0yNA=="),
    ("EMAIL_INBOUND_SECRET", "raw-secret"),
    ("LANDING_PAGE", "whsec_bGFuZGluZy1wYWdlLXNlY3JldC1vZi0yNA=="),
    ("PLAIN_SECRET", "landing-page-secret"),
];

/// Whose all channels are.
pub const ORG: &str = "11111111-1111-4111-8111-111111111111";

/// What the database says to every call.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Only this address has a channel; forms are open.
    Routes(&'static str),
    /// All addresses have one, for as many calls; then it is gone.
    Times(usize),
    /// The channel of every form.
    Form(Value),
    /// What becomes of every form.
    Submitted(Result<Value>),
    /// The channel of every mail, and what becomes of it.
    Becomes(Value, Result<Value>),
    Error(Error),
}

pub fn routed() -> Answer {
    Answer::Times(usize::MAX)
}

struct Fake {
    answer: Answer,
    asked: Mutex<Vec<(Caller, &'static str, Value)>>,
}

#[async_trait]
impl Database for Fake {
    async fn rpc(
        &self,
        caller: &Caller,
        name: &'static str,
        arguments: Map<String, Value>,
    ) -> Result<Value> {
        let address = arguments.get("address").cloned().unwrap_or_default();
        let mut asked = self.asked.lock().unwrap();
        asked.push((caller.clone(), name, Value::Object(arguments)));
        let open = json!({"org_id": ORG, "known": [], "secret_name": null, "settings": {}, "is_enabled": true});
        match (&self.answer, name) {
            (Answer::Error(error), _) => Err(error.clone()),
            (Answer::Routes(ours), "crm_find_channel") if address != *ours => Ok(Value::Null),
            (Answer::Routes(_), "crm_find_channel") => Ok(open),
            (Answer::Form(channel) | Answer::Becomes(channel, _), "crm_find_channel") => {
                Ok(channel.clone())
            }
            (Answer::Becomes(_, outcome), _) => outcome.clone(),
            (Answer::Routes(ours), _) => Ok(json!({"routed": address == *ours})),
            (Answer::Times(times), _) if asked.len() > *times => {
                Err(Error::new(Code::Unavailable, "the database could not be reached"))
            }
            (Answer::Times(_), "crm_find_channel") => Ok(open),
            (Answer::Times(_), _) => Ok(json!({"routed": true, "events": []})),
            (_, "crm_find_channel") => Ok(open),
            (Answer::Submitted(answer), _) => answer.clone(),
            (Answer::Form(_), _) => {
                Ok(json!({"outcome": "lead", "lead_id": "lead-1", "created": true}))
            }
        }
    }

    async fn select(&self, _: &Caller, _: Select) -> Result<Page> {
        Err(Error::internal("no table is read here"))
    }
}

/// The database as who calls asks it: a provider is nobody there.
struct AsCaller;

#[async_trait]
impl Database for AsCaller {
    async fn rpc(&self, _: &Caller, _: &'static str, _: Map<String, Value>) -> Result<Value> {
        Err(Error::new(Code::Forbidden, "not the service"))
    }

    async fn select(&self, _: &Caller, _: Select) -> Result<Page> {
        Err(Error::internal("no table is read here"))
    }
}

/// Storage that keeps what it is given, and answers with this or, where it is none, takes it.
#[derive(Default)]
pub struct Bucket {
    pub answers: Mutex<Vec<Result<Put>>>,
    pub objects: Mutex<Vec<Object>>,
}

#[async_trait]
impl Storage for Bucket {
    async fn put(&self, object: Object) -> Result<Put> {
        let answer = self.answers.lock().unwrap().pop().unwrap_or(Ok(Put::Stored))?;
        if answer == Put::Stored {
            self.objects.lock().unwrap().push(object);
        }
        Ok(answer)
    }
}

#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl Log for Lines {
    fn line(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }
}

pub struct Harness {
    service: Router,
    database: Arc<Fake>,
    pub bucket: Arc<Bucket>,
    lines: Arc<Lines>,
}

impl Harness {
    pub fn new(answer: Answer) -> Self {
        Self::with(answer, &SECRETS)
    }

    pub fn with(answer: Answer, secrets: &[(&str, &str)]) -> Self {
        let database = Arc::new(Fake { answer, asked: Mutex::default() });
        let lines = Arc::new(Lines::default());
        let ports = Ports { database: Arc::new(AsCaller), log: lines.clone() };
        let config = Config {
            supabase_url: String::new(),
            publishable_key: String::new(),
            origins: Origins::List(vec!["https://app.example".to_owned()]),
            ..Config::default()
        };
        let ours = [
            ("SUPABASE_URL", "http://127.0.0.1:54321"),
            ("SUPABASE_SERVICE_ROLE_KEY", "service-key"),
            ("SMS_HELP_TEXT", "Northwind & Sons. STOP ends."),
        ];
        let variables = ours.iter().chain(secrets);
        let settings =
            Settings::new(variables.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let bucket = Arc::new(Bucket::default());
        let service =
            fieldcrm_hooks::router(ports, database.clone(), &config, settings, bucket.clone());
        Self { service, database, bucket, lines }
    }

    /// With all secrets, but this one in its place.
    pub fn with_secret(answer: Answer, (name, value): (&str, &str)) -> Self {
        let secrets = SECRETS.map(|(key, secret)| (key, if key == name { value } else { secret }));
        Self::with(answer, &secrets)
    }

    pub async fn send(&self, sent: Sent) -> Answered {
        let mut request = Request::builder().method(sent.method).uri(&sent.path);
        for (name, value) in &sent.headers {
            request = request.header(name, value);
        }
        let response = self
            .service
            .clone()
            .oneshot(request.body(Body::from(sent.body)).unwrap())
            .await
            .unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        Answered {
            status: parts.status.as_u16(),
            headers: parts
                .headers
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                .collect(),
            json: serde_json::from_str(&text).unwrap_or_default(),
            text,
        }
    }

    /// The calls of the database.
    pub fn asked(&self) -> Vec<(&'static str, Value)> {
        let asked = self.database.asked.lock().unwrap();
        asked.iter().map(|(_, name, arguments)| (*name, arguments.clone())).collect()
    }

    /// The names of what is in Storage.
    pub fn objects(&self) -> Vec<String> {
        self.bucket.objects.lock().unwrap().iter().map(|object| object.name.clone()).collect()
    }

    /// As whom the last call was made.
    pub fn authorization(&self) -> Option<String> {
        self.database
            .asked
            .lock()
            .unwrap()
            .last()
            .and_then(|(caller, ..)| caller.authorization.clone())
    }

    pub fn lines(&self) -> Vec<String> {
        self.lines.0.lock().unwrap().clone()
    }
}

pub struct Answered {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub json: Value,
    pub text: String,
}

impl Answered {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A request as a provider makes it.
#[derive(Clone)]
pub struct Sent {
    method: &'static str,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl std::fmt::Debug for Sent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {:?}", self.method, self.path, self.headers)
    }
}

impl Sent {
    pub fn post(path: &str, body: &[u8]) -> Self {
        Self { method: "POST", path: path.to_owned(), headers: Vec::new(), body: body.to_vec() }
    }

    pub fn get(path: &str) -> Self {
        Self { method: "GET", ..Self::post(path, b"") }
    }

    pub fn options(path: &str) -> Self {
        Self { method: "OPTIONS", ..Self::post(path, b"") }
    }

    /// One more header; the same name can come again.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(key, _)| key != name);
        self
    }

    /// The header a second time.
    pub fn twice(self, name: &str) -> Self {
        let value = self.value(name);
        self.header(name, &value)
    }

    /// The header twice, as platforms join it.
    pub fn joined(self, name: &str) -> Self {
        let value = self.value(name);
        self.without(name).header(name, &format!("{value}, {value}"))
    }

    fn value(&self, name: &str) -> String {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.clone()).unwrap()
    }

    /// One byte of the body is another.
    pub fn changed(mut self) -> Self {
        let middle = self.body.len() / 2;
        self.body[middle] ^= 1;
        self
    }

    pub fn path(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    pub fn body(mut self, body: &str) -> Self {
        self.body = body.as_bytes().to_vec();
        self
    }
}

pub fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mac = Hmac::<sha2::Sha256>::new_from_slice(key).unwrap().chain_update(message);
    mac.finalize().into_bytes().to_vec()
}

pub fn hmac_sha1(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mac = Hmac::<sha1::Sha1>::new_from_slice(key).unwrap().chain_update(message);
    mac.finalize().into_bytes().to_vec()
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// Signs after Standard Webhooks; `prefix` is `webhook` or `svix`.
pub fn standard_webhook(sent: Sent, prefix: &str, id: &str, at: i64) -> Sent {
    let message = [format!("{id}.{at}.").as_bytes(), &sent.body].concat();
    let signature = format!("v1,{}", STANDARD.encode(hmac_sha256(STANDARD_SECRET, &message)));
    sent.header(&format!("{prefix}-id"), id)
        .header(&format!("{prefix}-timestamp"), &at.to_string())
        .header(&format!("{prefix}-signature"), &signature)
}
