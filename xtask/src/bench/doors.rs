//! Creating a customer through REST and through the function, as their clients see it.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::Value;

use super::script::{Script, print_load};

pub fn run() -> Result<ExitCode> {
    let about = "both doors, three rounds";
    Script { name: "doors", about, fill: None, module: None, print }.run()
}

fn print(result: &Value) {
    print_load(&result["doors"]);
    let start = |key: &str| result["cold_start"][key].as_f64().unwrap_or_default();
    println!(
        "\n  cold start: instantiated after {:.1} ms, first response after {:.1} ms, in a Deno process that lives {:.0} ms",
        start("instantiated"),
        start("first"),
        start("process")
    );
}
