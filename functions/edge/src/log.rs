//! One JSON line a request, and one for what else an operator has to know: what happened, never what was in it.
//! docs/operations.md lists the events and their members.

use chrono::{SecondsFormat, Utc};
use serde::Serialize;
use serde_json::Value;

/// Where log lines go.
pub trait Log: Send + Sync {
    fn line(&self, line: &str);
}

/// The platform's own log: `console.log` at the edge, standard output natively.
pub struct Console;

impl Log for Console {
    #[cfg(target_arch = "wasm32")]
    fn line(&self, line: &str) {
        web_sys::console::log_1(&line.into());
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn line(&self, line: &str) {
        println!("{line}");
    }
}

/// Writes a line about something else than a request: `facts` with the time, its level and its name.
pub fn event(log: &dyn Log, level: &str, event: &str, mut facts: Value) {
    facts["ts"] = now().into();
    facts["level"] = level.into();
    facts["event"] = event.into();
    log.line(&facts.to_string());
}

pub(crate) fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// No member can hold a body, a token, a query value or a path as it was sent.
#[derive(Serialize)]
pub(crate) struct RequestLine<'a> {
    pub ts: String,
    pub level: &'static str,
    pub event: &'static str,
    pub slug: &'static str,
    pub request_id: &'a str,
    pub method: &'a str,
    /// The template of the route, `/crm/customers/{id}`.
    pub path: &'a str,
    pub status: u16,
    pub ms: u64,
    /// The stable code of the problem that was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// For our own faults only: what the answer keeps to itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<&'a str>,
}

impl RequestLine<'_> {
    pub fn write(&self, log: &dyn Log) {
        // A struct of strings and numbers cannot fail to serialise.
        if let Ok(line) = serde_json::to_string(self) {
            log.line(&line);
        }
    }
}
