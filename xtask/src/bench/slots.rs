//! Free times among many technicians.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::Value;

use super::script::Script;

pub fn run() -> Result<ExitCode> {
    let about = "free times of 200 technicians in 60 days, with 48,000 visits";
    Script { name: "slots", about, fill: Some("fill.sql"), module: None, print }.run()
}

fn print(result: &Value) {
    let number = |key: &str| result[key].as_f64().unwrap_or_default();
    println!("\n  {} calls, {} free times each\n", result["calls"], result["slots"]);
    println!("  {:>8} {:>8} {:>8} {:>8}", "least", "p50", "p95", "most");
    println!(
        "  {:>8.1} {:>8.1} {:>8.1} {:>8.1} ms",
        number("least"),
        number("p50"),
        number("p95"),
        number("most")
    );
}
