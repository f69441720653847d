//! Customers through REST, through the function and through the same function in TypeScript, as their clients see it.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::Value;

use super::script::{Script, print_load};

pub fn run() -> Result<ExitCode> {
    let about = "the doors, three rounds each";
    Script { name: "doors", about, fill: None, module: None, print }.run()
}

fn print(result: &Value) {
    for operation in ["create", "get", "list"] {
        println!("\n  {operation}");
        print_load(&result[operation]);
    }
    let cold = &result["cold_start"];
    let ms = |value: &Value| format!("{:.1}", value["first"].as_f64().unwrap_or_default());
    println!(
        "\n  cold start, ms until the first answer, median of 30 processes (Deno: with compiling and instantiating; workerd: as its client sees it)"
    );
    println!("  {:<10} {:>8} {:>8}", "", "Deno", "workerd");
    for start in cold["starts"].as_array().into_iter().flatten() {
        let module = start["module"].as_str().unwrap_or_default();
        println!("  {module:<10} {:>8} {:>8}", ms(&start["deno"]), ms(&start["workerd"]));
    }
    let bare = &cold["bare"];
    println!("  {:<10} {:>8} {:>8}", "JavaScript", ms(&bare["deno"]), ms(&bare["workerd"]));
}
