//! Finding customers, and listing them under RLS, among 50,000 in each of four orgs.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::pgbench::{self, Latencies};
use crate::postgres::Database;
use crate::report::Step;
use crate::stack::{Kind, Stack};
use crate::{checkout, interrupt, migrations};

const SECONDS: u32 = 10;

/// What is measured, as whom.
struct Contestant {
    name: &'static str,
    database: Database,
    script: PathBuf,
}

/// `cargo xtask bench search`: the RPC against a hand-written function with literal terms.
pub fn search() -> Result<ExitCode> {
    run("search", |_, caller| {
        let terms = ["smith", "quackenbush", "gmail", "winnemucca", "99887", "zzzznothing"];
        require_same_result(caller, &terms)?;
        Ok([
            contestant("crm_search_customers", caller, "search/rpc.sql"),
            contestant("hand-written", caller, "search/baseline.sql"),
        ])
    })
}

/// `cargo xtask bench list`: fifty customers under RLS against the same query without.
pub fn list() -> Result<ExitCode> {
    run("list", |database, caller| {
        Ok([
            contestant("under RLS", caller, "list/rls.sql"),
            contestant("without", database, "list/plain.sql"),
        ])
    })
}

fn contestant(name: &'static str, database: &Database, script: &str) -> Contestant {
    let script = checkout::path("xtask/bench").join(script);
    Contestant { name, database: database.clone(), script }
}

fn run(
    name: &str,
    contestants: impl FnOnce(&Database, &Database) -> Result<[Contestant; 2]>,
) -> Result<ExitCode> {
    Stack::prepare_machine()?;
    let stack = Stack::open(Kind::Test)?;
    let _lock = stack.lock()?;
    let outcome = fill(&stack).and_then(|database| {
        let caller = super::as_member(&database)?;
        compare(&stack, &contestants(&database, &caller)?)
    });
    interrupt::acknowledge();
    stack.stop()?;
    report(name, &outcome?)?;
    Ok(ExitCode::SUCCESS)
}

fn fill(stack: &Stack) -> Result<Database> {
    stack.gateway().stop()?;
    stack.start_cluster()?;
    let database = stack.make_bench_database()?;
    let step = Step::start("filling the tables with 200,000 customers, which takes a minute");
    for file in ["search/fill.sql", "search/setup.sql"] {
        migrations::apply_file(&database, &checkout::path("xtask/bench").join(file), &step)?;
    }
    database.query("vacuum analyze")?;
    step.done("tables filled");
    Ok(database)
}

/// A contestant that finds less would win unfairly.
pub fn require_same_result(caller: &Database, terms: &[&str]) -> Result<()> {
    for term in terms {
        let found = |call: &str| {
            caller.query(&format!(
                "select string_agg(c ->> 'id', ' ') from jsonb_array_elements({call} -> 'customers') c"
            ))
        };
        let rpc = found(&format!("public.crm_search_customers(q => '{term}', page_size => 20)"))?;
        if rpc != found(&format!("bench.search('{term}')"))? {
            bail!("the RPC and its rival find different customers for {term}");
        }
    }
    Ok(())
}

fn compare(stack: &Stack, contestants: &[Contestant; 2]) -> Result<Vec<(&'static str, Latencies)>> {
    let program = stack.cluster.tree.program("pgbench");
    let mut rounds = [Vec::new(), Vec::new()];
    for round in 1..=pgbench::ROUNDS {
        for (contestant, results) in contestants.iter().zip(&mut rounds) {
            let title = format!("round {round}: {}", contestant.name);
            let step = Step::start(&title);
            let seen = pgbench::latencies(
                &contestant.database,
                &program,
                &contestant.script,
                pgbench::CLIENTS,
                SECONDS,
                &step,
            )?;
            step.done(format!("{title}: {:.0} /s, p95 {:.2} ms", seen.rate, seen.p95));
            results.push(seen);
        }
    }
    let [ours, theirs] = rounds.map(pgbench::median);
    Ok(vec![(contestants[0].name, ours), (contestants[1].name, theirs)])
}

fn report(name: &str, results: &[(&'static str, Latencies)]) -> Result<()> {
    let [(_, ours), (_, theirs)] = results else { return Ok(()) };
    println!(
        "\npgbench, {} clients, {} threads, {} protocol, {SECONDS} s a round, median of {}:\n",
        pgbench::CLIENTS,
        pgbench::THREADS,
        pgbench::PROTOCOL,
        pgbench::ROUNDS
    );
    println!("  {:<22} {:>8} {:>10} {:>10}", "", "/s", "p50 ms", "p95 ms");
    for (name, seen) in results {
        println!("  {name:<22} {:>8.0} {:>10.2} {:>10.2}", seen.rate, seen.p50, seen.p95);
    }
    let ratio = ours.rate / theirs.rate;
    println!("\n  ratio of the rates: {ratio:.2}");
    let rows: Vec<_> = results
        .iter()
        .map(|(name, seen)| {
            json!({"name": name, "rate": seen.rate, "p50": seen.p50, "p95": seen.p95})
        })
        .collect();
    let path = checkout::target().join(format!("bench/{name}.json"));
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let document =
        json!({"seconds": SECONDS, "clients": pgbench::CLIENTS, "ratio": ratio, "results": rows});
    fs::write(&path, format!("{document:#}\n"))
        .with_context(|| format!("cannot write {}", path.display()))?;
    println!("\nwritten to {}", path.display());
    Ok(())
}
