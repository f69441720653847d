//! `cargo xtask test`: every test there is, on a stack made for it.

mod chaos;
mod crash;
mod fall;
mod restore;
mod tally;
mod upgrade;

pub use tally::Tally;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::command::Finished;
use crate::extension::{self, Build};
use crate::postgres::Database;
use crate::report::Step;
use crate::stack::{Kind, Lock, Stack};
use crate::{check, checkout, command, generate, interrupt};

/// The longest a single Node test may take, in milliseconds: a hanging test must fail.
const NODE_TIMEOUT: &str = "300000";

/// pgTAP is in schema extensions, as Supabase has it.
const PGTAP_OPTIONS: &str = "-c search_path=public,extensions -c client_min_messages=warning";

type Environment = Vec<(&'static str, String)>;

pub fn run(filter: Option<&str>) -> Result<ExitCode> {
    Stack::prepare_machine()?;
    let mut tally = Tally::default();
    if filter.is_none() {
        tally += check::all()?;
    }
    let stack = Stack::open(Kind::Test)?;
    let lock = stack.lock()?;
    let outcome = phases(&stack, filter, &mut tally);
    // Also after Ctrl-C and after a failure: nothing of the test stack stays.
    let interrupted = interrupt::acknowledge();
    take_down(&stack, lock)?;
    if interrupted {
        println!("interrupted");
        println!("{tally}");
        return Ok(ExitCode::from(130));
    }
    outcome?;
    println!("{tally}");
    Ok(tally.exit_code())
}

fn take_down(stack: &Stack, lock: Lock) -> Result<()> {
    stack.stop()?;
    drop(lock);
    Ok(())
}

fn phases(stack: &Stack, filter: Option<&str>, tally: &mut Tally) -> Result<()> {
    if let Some(part @ ("database" | "upgrade")) = filter {
        *tally += database_alone(stack, part)?;
        return Ok(());
    }
    let environment = match bring_up(stack) {
        Ok((environment, build)) => {
            if filter.is_none() {
                *tally += upgrade::run(stack, &build)?;
            }
            Some(environment)
        }
        Err(error) => {
            interrupt::check()?;
            println!("  the test stack does not come up: {error:#}");
            *tally += Tally::FAILED;
            None
        }
    };
    // What needs no stack still tells something when there is none.
    let variables = environment.as_deref().unwrap_or_default();
    *tally += cargo_tests(variables, filter)?;
    if environment.is_some() {
        if filter.is_none_or(|filter| filter == "gen") {
            *tally += generate::check(&stack.database())?;
        }
        *tally += database_tests(&stack.database(), filter)?;
        *tally += node_tests("wasm-tests", variables, filter)?;
        *tally += node_tests("supabase/local", variables, filter)?;
        if filter.is_none_or(|filter| filter == "restore") {
            *tally += restore::run(stack)?;
        }
        if filter.is_none_or(|filter| filter == "crash") {
            *tally += crash::run(stack)?;
        }
        if filter.is_none_or(|filter| filter == "chaos") {
            *tally += chaos::run(stack)?;
        }
        for (name, fall) in [("webhooks", &fall::WEBHOOKS), ("bookings", &fall::BOOKINGS)] {
            if filter.is_none_or(|filter| filter == name) {
                *tally += fall::run(stack, fall)?;
            }
        }
    }
    Ok(())
}

/// What needs the database and nothing else: with `PG_CONFIG`, for another major version of Postgres.
fn database_alone(stack: &Stack, part: &str) -> Result<Tally> {
    stack.gateway().stop()?;
    let build = extension::build()?;
    stack.start_database(&build)?;
    fill(stack, &build)?;
    let mut tally = upgrade::run(stack, &build)?;
    if part == "database" {
        tally += database_tests(&stack.database(), None)?;
        tally += restore::run(stack)?;
    }
    Ok(tally)
}

/// The main database, with nothing of an earlier run.
fn fill(stack: &Stack, build: &Build) -> Result<()> {
    stack.recreate_database()?;
    stack.prepare_database(build)?;
    plant_canaries(&stack.database())?;
    add_pgtap(&stack.database())
}

/// A stack whose databases hold nothing of an earlier run.
fn bring_up(stack: &Stack) -> Result<(Environment, Build)> {
    stack.gateway().stop()?;
    let build = stack.start_cluster()?;
    fill(stack, &build)?;
    let native = stack.make_native_database()?;
    stack.start_gateway()?;
    stack.write_environment()?;
    let mut environment = stack.environment();
    environment.push(("EXTENSION_DATABASE_URL", stack.database().url()));
    environment.push(("NATIVE_DATABASE_URL", native.url()));
    Ok((environment, build))
}

fn add_pgtap(database: &Database) -> Result<()> {
    let sql = "create schema if not exists extensions;
         grant usage on schema extensions to public;
         create extension if not exists pgtap schema extensions";
    database.query(sql).map(drop)
}

/// Words where only staff may read them: whatever the portal answers in any test, they are not in it (`wasm-tests/stack.mjs` looks).
fn plant_canaries(database: &Database) -> Result<()> {
    let sql = "set session_replication_role = replica;
         update public.customers set notes = concat_ws(' ', notes, 'canary-internal');
         update public.work_orders set internal_notes = concat_ws(' ', internal_notes, 'canary-internal');
         update public.crm_interactions set body = concat_ws(' ', body, 'canary-internal') where channel = 'note';
         reset session_replication_role";
    database.query(sql).map(drop)
}

fn cargo_tests(environment: &[(&'static str, String)], filter: Option<&str>) -> Result<Tally> {
    let step = Step::start("cargo test");
    let mut cargo = command::cargo();
    cargo
        .args(["test", "--no-fail-fast"])
        .args(filter)
        .current_dir(checkout::root())
        // A panic's own line says where; a trace of each would bury what else failed.
        .env("RUST_BACKTRACE", "0")
        .envs(environment.iter().map(|(key, value)| (*key, value)));
    if std::env::var_os("CI").is_some() {
        // What is built once and thrown away needs nothing for building it again: 8 GB less.
        cargo.env("CARGO_INCREMENTAL", "0");
    }
    let finished = command::finish(&mut cargo, Some(&step))?;
    let tally = tally::cargo(&finished.output).with_status(finished.status.success());
    let noise = |line: &str| {
        let starts = [
            "Compiling",
            "Running",
            "Finished",
            "Doc-tests",
            "running ",
            "test result: ok",
            "note: run with",
        ];
        let line = line.trim_start();
        line.ends_with("... ok") || line.is_empty() || starts.iter().any(|it| line.starts_with(it))
    };
    conclude(step, "cargo test", tally, &finished, noise);
    Ok(tally)
}

/// Each file in a session of its own; the files roll back what they did.
fn database_tests(database: &Database, filter: Option<&str>) -> Result<Tally> {
    let mut tally = Tally::default();
    for file in checkout::files(&checkout::path("supabase/tests/database"), ".test.sql")? {
        let name = checkout::file_name(&file);
        if filter.is_some_and(|filter| !name.contains(filter)) {
            continue;
        }
        // All but the main one say which database it was.
        let name = if database.name == "postgres" {
            name
        } else {
            format!("{name} in database {}", database.name)
        };
        let step = Step::start(&name);
        let mut psql = database.with_options(PGTAP_OPTIONS.to_owned()).script();
        psql.arg("-f")
            .arg(&file)
            // The working directory lets a file include another with \ir or \i.
            .current_dir(checkout::root());
        let finished = command::finish(&mut psql, Some(&step))?;
        let result = tally::tap(&finished.output).with_status(finished.status.success());
        conclude(step, &name, result, &finished, |line| line.starts_with("ok ") || line.is_empty());
        tally += result;
    }
    Ok(tally)
}

fn node_tests(
    directory: &str,
    environment: &[(&'static str, String)],
    filter: Option<&str>,
) -> Result<Tally> {
    let mut files = Vec::new();
    collect_node_tests(&checkout::path(directory), &mut files)?;
    files.sort();
    let named = |file: &PathBuf| filter.is_some_and(|it| checkout::file_name(file).contains(it));
    let by_file = files.iter().any(named);
    if by_file {
        files.retain(named);
    }
    if files.is_empty() {
        return Ok(Tally::default());
    }
    let name = format!("node --test {directory}");
    let step = Step::start(&name);
    let mut node = Command::new("node");
    node.args(["--test", "--test-reporter=spec"]).arg(format!("--test-timeout={NODE_TIMEOUT}"));
    if let Some(filter) = filter.filter(|_| !by_file) {
        node.arg(format!("--test-name-pattern={filter}"));
    }
    node.args(&files)
        .current_dir(checkout::root())
        .envs(environment.iter().map(|(key, value)| (*key, value)))
        .env("DO_NOT_TRACK", "1")
        .env("NO_COLOR", "1")
        // Set when tests of this very program run under `node --test`; it changes the report.
        .env_remove("NODE_TEST_CONTEXT");
    let finished = command::finish(&mut node, Some(&step))?;
    let tally =
        tally::node(&finished.output).unwrap_or_default().with_status(finished.status.success());
    conclude(step, &name, tally, &finished, |line| line.trim_start().starts_with('✔'));
    Ok(tally)
}

fn collect_node_tests(directory: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if !directory.is_dir() {
        return Ok(());
    }
    let entries =
        fs::read_dir(directory).with_context(|| format!("cannot read {}", directory.display()))?;
    for entry in entries.flatten() {
        let path = entry.path();
        let name = checkout::file_name(&path);
        if path.is_dir() {
            if name != "node_modules" {
                collect_node_tests(&path, files)?;
            }
        } else if [".test.mjs", ".test.js", ".test.cjs"].iter().any(|end| name.ends_with(end)) {
            files.push(path);
        }
    }
    Ok(())
}

/// One line for the phase, and after a failure what the program said, without the passed tests.
fn conclude(
    step: Step,
    name: &str,
    tally: Tally,
    finished: &Finished,
    noise: impl Fn(&str) -> bool,
) {
    if tally.failed == 0 {
        step.done(format!("{name}: {} passed", tally.passed));
        return;
    }
    step.failed(format!("{name}: {tally}"));
    for line in finished.output.lines().filter(|line| !noise(line)) {
        println!("      {line}");
    }
}
