//! Signed webhooks: the function and the same handler in plain TypeScript.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::Value;

use super::script::{Script, print_load};

pub fn run() -> Result<ExitCode> {
    let about = "the function and its rival, three rounds";
    Script { name: "hooks", about, fill: None, module: Some("hooks"), print }.run()
}

fn print(result: &Value) {
    print_load(&result["webhooks"]);
    println!("\n  {:<16} {:>12} {:>12} {:>8}", "verify and parse", "wasm µs", "rival µs", "times");
    for row in result["verify"].as_array().into_iter().flatten() {
        let time = |key: &str| row[key].as_f64().unwrap_or_default();
        let (ours, theirs) = (time("wasm"), time("rival"));
        println!(
            "  {:<16} {:>12.1} {:>12.1} {:>8.1}",
            row["payload"].as_str().unwrap_or_default(),
            ours / 1000.0,
            theirs / 1000.0,
            theirs / ours
        );
    }
}
