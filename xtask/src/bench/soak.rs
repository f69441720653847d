//! Clients that read and write for half an hour while functions are killed and the database falls.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::Value;

use super::script::{Script, missed};

pub fn run() -> Result<ExitCode> {
    let about = "32 clients while things fall, for half an hour (SOAK_MINUTES)";
    Script { name: "soak", about, fill: None, module: None, print }.run()
}

fn number(row: &Value, key: &str) -> f64 {
    row[key].as_f64().unwrap_or_default()
}

fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap_or_default()
}

fn rows<'a>(result: &'a Value, key: &str) -> &'a [Value] {
    result[key].as_array().map_or(&[], Vec::as_slice)
}

fn print(result: &Value) {
    println!(
        "\n  {} clients, {} s: {} reads, {} writes, {:.1} /s; {} errors, {} of them outside of faults; {} answers from another org",
        result["clients"],
        result["seconds"],
        result["reads"],
        result["writes"],
        number(result, "rate"),
        result["errors"],
        rows(result, "outside").len(),
        result["leaks"]
    );
    println!(
        "\n  {:<42} {:>9} {:>7} {:>9} {:>9} {:>9}",
        "operation", "requests", "errors", "p50 ms", "p95 ms", "p99 ms"
    );
    for row in rows(result, "operations") {
        println!(
            "  {:<42} {:>9} {:>7} {:>9.1} {:>9.1} {:>9.1}",
            text(row, "name"),
            row["requests"],
            row["errors"],
            number(row, "p50"),
            number(row, "p95"),
            number(row, "p99")
        );
    }
    println!(
        "\n  {:<32} {:>8} {:>7} {:>12} {:>10}",
        "fault", "at s", "errors", "recovered ms", "slowest ms"
    );
    for row in rows(result, "faults") {
        println!(
            "  {:<32} {:>8} {:>7} {:>12} {:>10}",
            text(row, "what"),
            number(row, "at_s").round(),
            row["errors"],
            row["recovery_ms"],
            row["slowest_ms"]
        );
        if let Some(back) = row["database_back_ms"].as_f64() {
            println!("    the database itself answered again after {back} ms");
        }
    }
    println!(
        "\n  {:<20} {:>12} {:>8} {:>6} {:>8} {:>8}",
        "effect", "acknowledged", "found", "lost", "doubled", "strange"
    );
    for row in rows(result, "kinds") {
        println!(
            "  {:<20} {:>12} {:>8} {:>6} {:>8} {:>8}",
            text(row, "kind"),
            row["acknowledged"],
            row["found"],
            row["lost"],
            row["doubled"],
            row["strange"]
        );
    }
    println!(
        "\n  {:<32} {:>9} {:>9} {:>9} {:>9} {:>12}",
        "memory", "processes", "warm MB", "end MB", "most MB", "MB an hour"
    );
    for row in rows(result, "memory") {
        println!(
            "  {:<32} {:>9} {:>9.1} {:>9.1} {:>9.1} {:>12.1}",
            text(row, "kind"),
            row["processes"],
            number(row, "warm_mb"),
            number(row, "end_mb"),
            number(row, "most_mb"),
            number(row, "slope_mb_per_hour")
        );
    }
    for goal in missed(result) {
        println!("\n  NOT REACHED: {}", goal.as_str().unwrap_or_default());
    }
}
