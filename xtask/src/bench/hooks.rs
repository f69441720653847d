//! Signed webhooks: the function and the same handler in plain TypeScript.

use std::fs;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::report::Step;
use crate::stack::{Kind, Stack};
use crate::{checkout, command, interrupt, wasm};

pub fn run() -> Result<ExitCode> {
    Stack::prepare_machine()?;
    let stack = Stack::open(Kind::Test)?;
    let _lock = stack.lock()?;
    let outcome = measure(&stack);
    interrupt::acknowledge();
    stack.stop()?;
    let result = outcome?;
    print(&result);
    let path = checkout::target().join("bench/hooks.json");
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    fs::write(&path, format!("{result:#}\n"))
        .with_context(|| format!("cannot write {}", path.display()))?;
    println!("\nwritten to {}", path.display());
    Ok(ExitCode::SUCCESS)
}

fn measure(stack: &Stack) -> Result<Value> {
    stack.gateway().stop()?;
    let build = stack.start_cluster()?;
    stack.recreate_database()?;
    stack.prepare_database(&build)?;
    stack.start_gateway()?;
    let module = wasm::build_for_bench("hooks")?;
    let step = Step::start("measuring the function and its rival, three rounds");
    let mut node = Command::new("node");
    node.arg(checkout::path("xtask/bench/hooks/measure.mjs"))
        .current_dir(checkout::root())
        .envs(stack.environment())
        .env("BENCH_MODULE", module)
        .env("DO_NOT_TRACK", "1");
    let finished = command::finish(&mut node, Some(&step))?;
    if !finished.status.success() {
        bail!("the measurement failed: {}", finished.tail(3));
    }
    step.done("both measured");
    let line = finished.output.lines().find(|line| line.starts_with('{'));
    serde_json::from_str(line.context("the measurement said nothing")?)
        .context("the measurement said something unexpected")
}

fn print(result: &Value) {
    let number = |row: &Value, key: &str| row[key].as_f64().unwrap_or_default();
    println!("\n  {:<10} {:>8} {:>10} {:>10} {:>8}", "door", "clients", "p50 ms", "p95 ms", "/s");
    for row in result["webhooks"].as_array().into_iter().flatten() {
        println!(
            "  {:<10} {:>8} {:>10.1} {:>10.1} {:>8.0}",
            row["door"].as_str().unwrap_or_default(),
            row["clients"],
            number(row, "p50"),
            number(row, "p95"),
            number(row, "rate")
        );
    }
    println!("\n  {:<16} {:>12} {:>12} {:>8}", "verify and parse", "wasm µs", "rival µs", "times");
    for row in result["verify"].as_array().into_iter().flatten() {
        let (ours, theirs) = (number(row, "wasm"), number(row, "rival"));
        println!(
            "  {:<16} {:>12.1} {:>12.1} {:>8.1}",
            row["payload"].as_str().unwrap_or_default(),
            ours / 1000.0,
            theirs / 1000.0,
            theirs / ours
        );
    }
}
