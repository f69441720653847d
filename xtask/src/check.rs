//! Formatting, lints and the SQL linter, each counted like one test.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::report::Step;
use crate::suite::Tally;
use crate::{checkout, command, node, postgres, toolchain, wasm};

pub fn run() -> Result<ExitCode> {
    toolchain::ensure()?;
    node::install_packages()?;
    let tally = all()?;
    println!("{tally}");
    Ok(tally.exit_code())
}

pub fn all() -> Result<Tally> {
    let mut tally = Tally::default();
    tally += gate("formatting", command::cargo().args(["fmt", "--all", "--check"]))?;
    tally += gate(
        "clippy",
        command::cargo()
            .args(["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"])
            .env("PGRX_PG_CONFIG_PATH", postgres::pg_config()),
    )?;
    if let Some(mut clippy) = wasm::clippy()? {
        tally += gate("clippy for WASM", &mut clippy)?;
    }
    let migrations = checkout::files(&checkout::path("migrations"), ".sql")?;
    if !migrations.is_empty() {
        let mut squawk = Command::new(node::program("squawk")?);
        tally +=
            gate("squawk on the migrations", squawk.args(["--reporter", "gcc"]).args(migrations))?;
    }
    Ok(tally)
}

fn gate(name: &str, command: &mut Command) -> Result<Tally> {
    let step = Step::start(name);
    let finished = command::finish(command.current_dir(checkout::root()), Some(&step))?;
    if finished.status.success() {
        step.done(name);
        return Ok(Tally { passed: 1, failed: 0 });
    }
    step.failed(name);
    println!("{}", finished.tail(200));
    Ok(Tally { passed: 0, failed: 1 })
}
