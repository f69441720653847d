//! Benchmarks that a script of `xtask/bench/` measures from outside, on a stack of their own.

use std::fs;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::report::Step;
use crate::stack::{Kind, Stack};
use crate::{checkout, falls, interrupt, migrations, wasm};

/// A script, and what it is told.
pub struct Script {
    /// The benchmark's name: `xtask/bench/<name>/measure.mjs`, and the file of its result.
    pub name: &'static str,
    /// What it measures, as a sentence begins: "measuring …".
    pub about: &'static str,
    /// A SQL file beside it that fills the fresh database before the gateway starts.
    pub fill: Option<&'static str>,
    /// The function that is also built with what only benchmarks call; the script finds it in `BENCH_MODULE`.
    pub module: Option<&'static str>,
    pub print: fn(&Value),
}

impl Script {
    /// Starts a fresh stack, runs the script, prints its result and keeps it. The script may let the database fall.
    pub fn run(&self) -> Result<ExitCode> {
        Stack::prepare_machine()?;
        let stack = Stack::open(Kind::Test)?;
        let _lock = stack.lock()?;
        let outcome = self.measure(&stack);
        interrupt::acknowledge();
        stack.stop()?;
        let result = outcome?;
        (self.print)(&result);
        let path = checkout::target().join(format!("bench/{}.json", self.name));
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        fs::write(&path, format!("{result:#}\n"))
            .with_context(|| format!("cannot write {}", path.display()))?;
        println!("\nwritten to {}", path.display());
        Ok(if missed(&result).is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn measure(&self, stack: &Stack) -> Result<Value> {
        let directory = checkout::path("xtask/bench").join(self.name);
        stack.gateway().stop()?;
        let build = stack.start_cluster()?;
        stack.recreate_database()?;
        stack.prepare_database(&build)?;
        if let Some(fill) = self.fill {
            let step = Step::start("filling the tables, which takes a minute");
            let database = stack.database();
            migrations::apply_file(&database, &directory.join(fill), &step)?;
            database.query("vacuum analyze")?;
            step.done("tables filled");
        }
        stack.start_gateway()?;
        let module = self.module.map(wasm::build_for_bench).transpose()?;
        let step = Step::start(format!("measuring {}", self.about));
        let mut node = Command::new("node");
        node.arg(directory.join("measure.mjs"))
            .current_dir(checkout::root())
            .envs(stack.environment())
            .envs(module.map(|module| ("BENCH_MODULE", module)))
            .env("DO_NOT_TRACK", "1");
        let (finished, _) = falls::finish(stack, &mut node, Some(&step))?;
        if !finished.status.success() {
            bail!("the measurement failed: {}", finished.tail(20));
        }
        step.done(format!("measured {}", self.about));
        let line = finished.output.lines().find(|line| line.starts_with('{'));
        serde_json::from_str(line.context("the measurement said nothing")?)
            .context("the measurement said something unexpected")
    }
}

/// The goals that a script which has any says it did not reach.
pub fn missed(result: &Value) -> &[Value] {
    result["missed"].as_array().map_or(&[], Vec::as_slice)
}

/// A row of a door or a handler: clients, p50, p95 and rate.
pub fn print_load(rows: &Value) {
    let number = |row: &Value, key: &str| row[key].as_f64().unwrap_or_default();
    println!("\n  {:<12} {:>8} {:>10} {:>10} {:>8}", "door", "clients", "p50 ms", "p95 ms", "/s");
    for row in rows.as_array().into_iter().flatten() {
        println!(
            "  {:<12} {:>8} {:>10.1} {:>10.1} {:>8.0}",
            row["door"].as_str().unwrap_or_default(),
            row["clients"],
            number(row, "p50"),
            number(row, "p95"),
            number(row, "rate")
        );
    }
}
