//! A segment computed by its RPC against the same rule written by hand and against a loop over the customers.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::pgbench::{self, Measurement};
use crate::postgres::Database;
use crate::report::Step;
use crate::stack::{Kind, Stack};
use crate::{checkout, command, interrupt};

const SECONDS: u32 = 8;
const ORG: &str = super::NORTHWIND;
/// What is asked of the figures, in the words.
const MOST_OF_STATEMENT: f64 = 1.3;
const LEAST_OF_LOOP: f64 = 20.0;
const LEAST_MATCHES: f64 = 30_000.0;

/// Whose rights a contestant has: the RPCs are called by a signed-in csr, the others are the owner's.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    Member,
    Owner,
}

/// Name, script, whose it is, clients.
const CONTESTANTS: [(&str, &str, Who, &str); 5] = [
    ("recompute by the RPC", "recompute.sql", Who::Member, "1"),
    ("recompute by hand", "statement.sql", Who::Owner, "1"),
    ("preview by the RPC", "preview.sql", Who::Member, "1"),
    ("loop over customers", "loop.sql", Who::Owner, "1"),
    ("matches of one customer", "matches.sql", Who::Member, pgbench::CLIENTS),
];

fn script(name: &str) -> PathBuf {
    checkout::path("xtask/bench/segment").join(name)
}

pub fn run() -> Result<ExitCode> {
    with_stack(|stack| {
        let database = fill(stack, None)?;
        let found = require_same_result(&database)?;
        let written = psql(&database, "steady.sql")?;
        println!("  the rule matches {found} customers; computing it again writes {written} rows");
        if written != "0" {
            bail!("computing an unchanged segment wrote {written} rows");
        }
        let results = compare(stack, &database)?;
        println!("\n{}", psql(&database, "memory.sql")?);
        report(&results)
    })
}

pub fn run_million() -> Result<ExitCode> {
    with_stack(|stack| {
        let database = fill(stack, Some(["customers=1000000", "interactions=4"]))?;
        println!("\n{}", psql(&database, "memory.sql")?);
        Ok(())
    })
}

fn with_stack(measure: impl FnOnce(&Stack) -> Result<()>) -> Result<ExitCode> {
    Stack::prepare_machine()?;
    let stack = Stack::open(Kind::Test)?;
    let _lock = stack.lock()?;
    let outcome = measure(&stack);
    interrupt::acknowledge();
    stack.stop()?;
    outcome?;
    Ok(ExitCode::SUCCESS)
}

fn fill(stack: &Stack, sizes: Option<[&str; 2]>) -> Result<Database> {
    stack.gateway().stop()?;
    stack.start_cluster()?;
    let database = stack.make_bench_database()?;
    let step = Step::start("filling the tables");
    for file in ["fill.sql", "setup.sql"] {
        let mut psql = database.script();
        for size in sizes.into_iter().flatten() {
            psql.args(["-v", size]);
        }
        command::run(psql.arg("-f").arg(script(file)), Some(&step))?;
    }
    database.query("vacuum analyze")?;
    step.done("tables filled");
    Ok(database)
}

fn psql(database: &Database, file: &str) -> Result<String> {
    let output = command::run(database.script().arg("-f").arg(script(file)), None)?;
    Ok(output.trim().to_owned())
}

/// How many customers all of them find. A contestant that finds fewer would win unfairly.
fn require_same_result(database: &Database) -> Result<String> {
    let caller = database.with_options(format!("-c app.current_org_id={ORG}"));
    let total = |file: &str| -> Result<String> {
        let call = fs::read_to_string(script(file))?;
        let call = call.trim().trim_end_matches(';').trim_start_matches("select ").to_owned();
        let key = if file == "preview.sql" { "count" } else { "total" };
        caller.query(&format!("select {call} ->> '{key}'"))
    };
    let by_rules = total("recompute.sql")?;
    let by_hand = psql(database, "statement.sql")?;
    let by_hand = by_hand.rsplit('|').next().unwrap_or_default();
    let (previewed, looped) = (total("preview.sql")?, psql(database, "loop.sql")?);
    if [by_hand, &previewed, &looped].iter().any(|other| **other != by_rules) || by_rules == "0" {
        bail!(
            "found by the RPC {by_rules}, by hand {by_hand}, by the preview {previewed}, by the loop {looped}"
        );
    }
    Ok(by_rules)
}

/// Alternating rounds: a machine that slows down half-way slows all contestants alike.
fn compare(stack: &Stack, owner: &Database) -> Result<Vec<Measurement>> {
    let member = super::as_member(owner)?;
    let program = stack.cluster.tree.program("pgbench");
    let mut results: Vec<_> =
        CONTESTANTS.map(|(name, ..)| Measurement { name, rates: Vec::new() }).into();
    for round in 1..=pgbench::ROUNDS {
        for ((name, file, who, clients), result) in CONTESTANTS.iter().zip(&mut results) {
            let title = format!("round {round}: {name}");
            let step = Step::start(&title);
            let database = if *who == Who::Member { &member } else { owner };
            let rate = pgbench::once(database, &program, &script(file), clients, SECONDS, &step)?;
            result.rates.push(rate);
            step.done(format!("{title}: {rate:.1} /s"));
        }
    }
    Ok(results)
}

fn report(results: &[Measurement]) -> Result<()> {
    let rates: Vec<_> = results.iter().map(Measurement::median).collect();
    let [rpc, by_hand, _, looped, matches] = rates[..] else { bail!("a contestant is missing") };
    println!("\npgbench, {SECONDS} s a round, median of {}:\n", pgbench::ROUNDS);
    for (result, (.., clients)) in results.iter().zip(CONTESTANTS) {
        let rate = result.median();
        println!(
            "  {:<24} {clients} clients {rate:>10.1} /s {:>9.2} ms",
            result.name,
            1000.0 / rate
        );
    }
    let verdict = |holds: bool| if holds { "reached" } else { "NOT REACHED" };
    println!(
        "\n  the RPC takes {:.2} times the statement by hand (at most {MOST_OF_STATEMENT}: {})",
        by_hand / rpc,
        verdict(by_hand / rpc <= MOST_OF_STATEMENT)
    );
    println!(
        "  the RPC is {:.1} times as fast as the loop (at least {LEAST_OF_LOOP}: {})",
        rpc / looped,
        verdict(rpc / looped >= LEAST_OF_LOOP)
    );
    println!(
        "  {matches:.0} customers matched a second (at least {LEAST_MATCHES}: {})",
        verdict(matches >= LEAST_MATCHES)
    );
    let path = checkout::target().join("bench/segment.json");
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let rows: Vec<_> = results
        .iter()
        .map(
            |result| json!({"name": result.name, "rates": result.rates, "median": result.median()}),
        )
        .collect();
    let document = json!({"seconds": SECONDS, "results": rows});
    fs::write(&path, format!("{document:#}\n"))
        .with_context(|| format!("cannot write {}", path.display()))?;
    println!("\nwritten to {}", path.display());
    Ok(())
}
