//! The portal under an open load: requests come at their times, whether the ones before were answered or not.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::Value;

use super::script::Script;

pub fn run() -> Result<ExitCode> {
    let about = "200 customers, 100 requests a second, for a minute";
    Script { name: "portal", about, fill: Some("fill.sql"), module: None, print }.run()
}

fn print(result: &Value) {
    println!(
        "\n  {:<24} {:>9} {:>8} {:>10} {:>10} {:>10} {:>10}",
        "path", "requests", "refused", "p50 ms", "p95 ms", "p99 ms", "most ms"
    );
    for row in result["paths"].as_array().into_iter().flatten() {
        let number = |key: &str| row[key].as_f64().unwrap_or_default();
        println!(
            "  {:<24} {:>9} {:>8} {:>10.1} {:>10.1} {:>10.1} {:>10.1}",
            row["path"].as_str().unwrap_or_default(),
            row["requests"],
            row["refused"],
            number("p50"),
            number("p95"),
            number("p99"),
            number("most")
        );
    }
}
