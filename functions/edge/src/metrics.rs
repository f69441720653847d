//! What this instance has counted since it began, in Prometheus' text format 0.0.4.
//!
//! A platform starts and stops instances as it likes, and says of none which one answers: rates and shares mean something, totals
//! do not.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::Method;
use serde_json::Value;

/// The upper ends of a histogram's buckets, in seconds, as they are written.
const BUCKETS: [(f64, &str); 10] = [
    (0.005, "0.005"),
    (0.01, "0.01"),
    (0.025, "0.025"),
    (0.05, "0.05"),
    (0.1, "0.1"),
    (0.25, "0.25"),
    (0.5, "0.5"),
    (1.0, "1"),
    (2.5, "2.5"),
    (10.0, "10"),
];

static COUNTED: Mutex<Counted> = Mutex::new(Counted::new());

struct Counted {
    requests: BTreeMap<(&'static str, &'static str, String), Requests>,
    /// By RPC or table, and what came of them: `ok`, or an error's code.
    calls: BTreeMap<(&'static str, &'static str), u64>,
    panics: u64,
}

impl Counted {
    const fn new() -> Self {
        Self { requests: BTreeMap::new(), calls: BTreeMap::new(), panics: 0 }
    }
}

#[derive(Default)]
struct Requests {
    by_status: BTreeMap<u16, u64>,
    within: [u64; BUCKETS.len()],
    seconds: f64,
}

fn counted() -> MutexGuard<'static, Counted> {
    COUNTED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `path` is the template of a route: what a client writes never names a series.
pub(crate) fn request(
    function: &'static str,
    method: &Method,
    path: &str,
    status: u16,
    took: Duration,
) {
    let mut counted = counted();
    let key = (function, known(method), path.to_owned());
    let requests = counted.requests.entry(key).or_default();
    *requests.by_status.entry(status).or_default() += 1;
    requests.seconds += took.as_secs_f64();
    for (within, (end, _)) in requests.within.iter_mut().zip(BUCKETS) {
        *within += u64::from(took.as_secs_f64() <= end);
    }
}

pub(crate) fn call(name: &'static str, outcome: &'static str) {
    *counted().calls.entry((name, outcome)).or_default() += 1;
}

#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn panicked() {
    counted().panics += 1;
}

fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// What was counted, what `under_way` is, and what `crm_health` said.
pub(crate) fn exposition(under_way: usize, health: &Value) -> String {
    let mut text = String::with_capacity(8 * 1024);
    // Writing to a String cannot fail; no label's value has a character that would have to be escaped.
    let _ = write(&mut text, under_way, health);
    text
}

fn write(text: &mut String, under_way: usize, health: &Value) -> std::fmt::Result {
    let counted = counted();
    head(text, "http_requests_total", "counter", "Requests that were answered.")?;
    for ((function, method, path), requests) in &counted.requests {
        for (status, count) in &requests.by_status {
            writeln!(
                text,
                r#"fieldcrm_http_requests_total{{function="{function}",method="{method}",path="{path}",status="{status}"}} {count}"#
            )?;
        }
    }
    head(text, "http_request_seconds", "histogram", "How long answers took to begin.")?;
    for ((function, method, path), requests) in &counted.requests {
        let labels = format!(r#"function="{function}",method="{method}",path="{path}""#);
        let all: u64 = requests.by_status.values().sum();
        let ends = BUCKETS.iter().map(|(_, end)| *end).zip(requests.within);
        for (end, count) in ends.chain([("+Inf", all)]) {
            writeln!(
                text,
                r#"fieldcrm_http_request_seconds_bucket{{{labels},le="{end}"}} {count}"#
            )?;
        }
        writeln!(text, "fieldcrm_http_request_seconds_sum{{{labels}}} {}", requests.seconds)?;
        writeln!(text, "fieldcrm_http_request_seconds_count{{{labels}}} {all}")?;
    }
    head(text, "http_requests_under_way", "gauge", "Requests that this instance works on.")?;
    writeln!(text, "fieldcrm_http_requests_under_way {under_way}")?;
    head(
        text,
        "database_calls_total",
        "counter",
        "RPCs and reads of tables, by what came of them.",
    )?;
    for ((name, outcome), count) in &counted.calls {
        writeln!(
            text,
            r#"fieldcrm_database_calls_total{{call="{name}",outcome="{outcome}"}} {count}"#
        )?;
    }
    head(text, "panics_total", "counter", "Panics, each the end of an instance.")?;
    writeln!(text, "fieldcrm_panics_total {}", counted.panics + u64::from(crate::host::panics()))?;
    queues(text, health)
}

/// The gauges of the database, which are the same whoever asks.
fn queues(text: &mut String, health: &Value) -> std::fmt::Result {
    for (name, member, help) in [
        ("queue_waiting", "waiting", "What waits, due or not."),
        ("queue_due", "due", "What could be worked off now."),
        ("queue_oldest_due_seconds", "oldest_due_seconds", "For how long something has been due."),
        ("queue_failed_24h", "failed_24h", "What was given up of the last 24 hours."),
    ] {
        head(text, name, "gauge", help)?;
        for queue in health["queues"].as_array().into_iter().flatten() {
            let label = queue["name"].as_str().unwrap_or_default();
            let value = queue[member].as_u64().unwrap_or_default();
            writeln!(text, r#"fieldcrm_{name}{{queue="{label}"}} {value}"#)?;
        }
    }
    Ok(())
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) -> std::fmt::Result {
    writeln!(text, "# HELP fieldcrm_{name} {help}\n# TYPE fieldcrm_{name} {kind}")
}
