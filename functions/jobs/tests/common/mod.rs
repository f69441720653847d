//! A provider over real HTTP that does as it is told, and writes down what arrives.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]
#![allow(clippy::needless_pass_by_value, reason = "json!({}) reads better than &json!({})")]

pub mod database;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use fieldcrm_edge::Log;
use fieldcrm_edge::dns::{Lookup, Resolver};
use fieldcrm_edge::http::Client;
use fieldcrm_jobs::provider::{Channel, Outgoing, Providers};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub const MESSAGE: &str = "0d0e0f10-0000-4000-8000-000000000001";
pub const ORG: &str = "0d0e0f10-0000-4000-8000-000000000002";
pub const LEASE: &str = "0d0e0f10-0000-4000-8000-000000000003";
/// Long enough for an answer of the same machine, short enough to wait for none.
pub const PATIENCE: Duration = Duration::from_millis(500);

#[derive(Clone, Debug)]
pub struct Arrived {
    pub method: String,
    pub path: String,
    /// Names in lower case.
    pub headers: HashMap<String, String>,
    pub body: String,
}

impl Arrived {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// What it does after it has read the whole request.
#[derive(Clone, Debug)]
pub enum Does {
    Answers(u16, Vec<(&'static str, String)>, String),
    /// Keeps the connection, says nothing.
    Waits,
    /// Ends the connection without a word.
    Drops,
    /// Says that it is accepted, and ends the connection before the whole body.
    BreaksOff(u16),
}

pub fn answers(status: u16, body: &Value) -> Does {
    Does::Answers(status, Vec::new(), body.to_string())
}

pub struct FakeProvider {
    pub url: String,
    arrived: Arc<Mutex<Vec<Arrived>>>,
}

impl FakeProvider {
    /// Does one after the other, the last one for ever.
    pub async fn start(script: Vec<Does>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let arrived: Arc<Mutex<Vec<Arrived>>> = Arc::default();
        let (notes, script) = (arrived.clone(), Arc::new(script));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, notes.clone(), script.clone()));
            }
        });
        Self { url, arrived }
    }

    pub fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().unwrap().clone()
    }
}

/// An address where nobody listens.
pub async fn down() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

async fn serve(mut stream: TcpStream, notes: Arc<Mutex<Vec<Arrived>>>, script: Arc<Vec<Does>>) {
    let Some(arrived) = read(&mut stream).await else { return };
    let does = {
        let mut notes = notes.lock().unwrap();
        notes.push(arrived);
        script[(notes.len() - 1).min(script.len() - 1)].clone()
    };
    let head = |status: u16, length: usize| {
        format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {length}\r\n")
    };
    match does {
        Does::Answers(status, headers, body) => {
            let mut answer = head(status, body.len());
            for (name, value) in headers {
                answer = answer + name + ": " + &value + "\r\n";
            }
            answer = answer + "\r\n" + &body;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
        Does::Waits => std::future::pending().await,
        Does::Drops => {}
        Does::BreaksOff(status) => {
            let answer = format!("{}\r\n{{\"id\": \"cu", head(status, 100));
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    }
    let _ = stream.shutdown().await;
}

async fn read(stream: &mut TcpStream) -> Option<Arrived> {
    let mut bytes = Vec::new();
    let end = loop {
        let mut chunk = [0; 4096];
        let count = stream.read(&mut chunk).await.ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&chunk[..count]);
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: HashMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = bytes[end + 4..].to_vec();
    while body.len() < length {
        let mut chunk = [0; 4096];
        let count = stream.read(&mut chunk).await.ok().filter(|count| *count > 0)?;
        body.extend_from_slice(&chunk[..count]);
    }
    Some(Arrived { method, path, headers, body: String::from_utf8(body).unwrap() })
}

/// Keeps what is logged.
#[derive(Default)]
pub struct Kept(Mutex<Vec<String>>);

impl Kept {
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Log for Kept {
    fn line(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }
}

/// What every provider needs to be set, at the fake's address; secrets all have `secret` in them.
pub fn environment(url: &str, provider: &str) -> HashMap<&'static str, String> {
    let choice = match provider {
        "twilio" => "SMS_PROVIDER",
        "whatsapp_cloud" => "WHATSAPP_PROVIDER",
        "webhook" => "WEBHOOK_PROVIDER",
        _ => "EMAIL_PROVIDER",
    };
    let mut all = HashMap::from([(choice, provider.to_owned())]);
    for name in [
        "RESEND_BASE_URL",
        "POSTMARK_BASE_URL",
        "SENDGRID_BASE_URL",
        "SES_BASE_URL",
        "TWILIO_BASE_URL",
        "WHATSAPP_BASE_URL",
    ] {
        all.insert(name, url.to_owned());
    }
    for (name, value) in [
        ("RESEND_API_KEY", "re_secret"),
        ("POSTMARK_SERVER_TOKEN", "pm-secret"),
        ("SENDGRID_API_KEY", "SG.secret"),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "aws-secret"),
        ("TWILIO_ACCOUNT_SID", "AC00000000000000000000000000000000"),
        ("TWILIO_AUTH_TOKEN", "twilio-secret"),
        ("WHATSAPP_ACCESS_TOKEN", "wa-secret"),
        ("WEBHOOK_SIGNING_SECRET", "webhook-secret-of-sufficient-length"),
        ("WEBHOOK_ALLOW_PRIVATE", "true"),
    ] {
        all.insert(name, value.to_owned());
    }
    all
}

pub fn providers(environment: &HashMap<&'static str, String>) -> Providers {
    let log: Arc<dyn Log> = Arc::new(Kept::default());
    let variable = |name: &str| environment.get(name).cloned();
    Providers::read(&variable, &Client::with_timeout(PATIENCE), &resolver(&[]), &log)
}

/// A resolver that knows these names; of one with no addresses it finds out nothing.
pub fn resolver(names: &[(&'static str, &[&str])]) -> Arc<dyn Resolver> {
    let read = |address: &&str| address.parse().unwrap();
    let names = names.iter().map(|(name, all)| (*name, all.iter().map(read).collect())).collect();
    Arc::new(Names(names))
}

struct Names(HashMap<&'static str, Vec<IpAddr>>);

#[async_trait]
impl Resolver for Names {
    async fn lookup(&self, host: &str) -> Lookup {
        match self.0.get(host) {
            Some(all) if all.is_empty() => Lookup::Failed,
            Some(all) => Lookup::Addresses(all.clone()),
            None => Lookup::Addresses(Vec::new()),
        }
    }
}

/// The one provider at the fake's address, and the channel it serves.
pub fn at(url: &str, provider: &str) -> (Providers, Channel) {
    let providers = providers(&environment(url, provider));
    assert!(providers.misconfigured.is_empty(), "{:?}", providers.misconfigured);
    let (channel, name) = providers.names().next().unwrap();
    assert_eq!(name, provider);
    (providers, channel)
}

/// A claimed message as the RPC gives it, changed by `change`.
pub fn claimed(channel: Channel, change: Value) -> Value {
    let to = match channel {
        Channel::Email => "ada@example.com",
        Channel::Sms | Channel::Whatsapp => "+14155552671",
        Channel::Webhook => "set by the test",
    };
    let mut message = json!({
        "id": MESSAGE, "org_id": ORG, "lease_id": LEASE, "channel": channel.as_str(),
        "purpose": "transactional", "to": to,
        "subject": if channel == Channel::Email { json!("Your visit") } else { Value::Null },
        "body": "<p>Zoë, we come at 9.</p>", "payload": null, "provider": "x", "attempts": 1,
        "org_name": "Northwind",
        "from": {"name": "Northwind, Inc.", "email": "hello@northwind.example", "reply_to": "office@northwind.example",
            "phone": "+15005550006", "whatsapp_phone_number_id": "106540352242922"},
    });
    for (key, value) in change.as_object().unwrap() {
        message[key] = value.clone();
    }
    message
}

pub fn outgoing(channel: Channel, change: Value) -> Outgoing {
    serde_json::from_value(claimed(channel, change)).unwrap()
}
