//! One call of `crm_create_customer` against the same work done in other ways.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::pgbench::{self, Contestant, Measurement};
use crate::postgres::Database;
use crate::report::Step;
use crate::stack::{Kind, Stack};
use crate::{checkout, interrupt, migrations};

const SECONDS: u32 = 10;

fn scripts() -> PathBuf {
    checkout::path("xtask/bench/create_customer")
}

pub fn run() -> Result<ExitCode> {
    Stack::prepare_machine()?;
    let stack = Stack::open(Kind::Test)?;
    let _lock = stack.lock()?;
    let outcome = measure(&stack);
    interrupt::acknowledge();
    stack.stop()?;
    report(&outcome?)?;
    Ok(ExitCode::SUCCESS)
}

fn measure(stack: &Stack) -> Result<Vec<Measurement>> {
    stack.gateway().stop()?;
    stack.start_cluster()?;
    let database = stack.make_bench_database()?;
    let step = Step::start("filling the tables");
    // On empty tables the plans cached for foreign keys distort every rate that follows.
    for file in ["setup.sql", "fill.sql"] {
        migrations::apply_file(&database, &scripts().join(file), &step)?;
    }
    database.query("vacuum analyze")?;
    step.done("tables filled");
    let caller = super::as_member(&database)?;
    require_same_result(&caller)?;
    let contestant = |name, file: &str| Contestant { name, script: scripts().join(file) };
    let contestants = [
        contestant("one RPC call", "rpc.sql"),
        contestant("six statements", "statements.sql"),
        contestant("PL/pgSQL", "plpgsql.sql"),
    ];
    let program = stack.cluster.tree.program("pgbench");
    pgbench::compare(&caller, &program, &contestants, SECONDS)
}

/// A contestant that answers less would win unfairly: both results have the same keys throughout.
fn require_same_result(caller: &Database) -> Result<()> {
    let shape = |script: &str| -> Result<String> {
        let text = fs::read_to_string(scripts().join(script))?;
        let call = text.lines().skip(1).collect::<Vec<_>>().join(" ").replace(":n", "0");
        let call = call.trim_end().trim_end_matches(';').trim_start_matches("select ");
        caller.query(&format!(
            "with recursive part (path, value) as (
               select '', r from (select {call} as r) as result
               union all
               select p.path || '.' || e.key, e.value
               from part p, lateral (
                 select key, value from jsonb_each(
                   case jsonb_typeof(p.value) when 'object' then p.value else '{{}}' end)
                 union all
                 select ordinality::text, value from jsonb_array_elements(
                   case jsonb_typeof(p.value) when 'array' then p.value else '[]' end)
                   with ordinality as a (value, ordinality)) as e
             ) select path from part order by path"
        ))
    };
    let (rpc, plpgsql) = (shape("rpc.sql")?, shape("plpgsql.sql")?);
    if rpc != plpgsql {
        let odd = rpc.lines().chain(plpgsql.lines());
        let odd = odd.filter(|path| !(rpc.contains(path) && plpgsql.contains(path)));
        bail!(
            "the RPC and its PL/pgSQL rival return different keys ({}): bring \
             xtask/bench/create_customer/setup.sql up to date",
            odd.collect::<Vec<_>>().join(", ")
        );
    }
    Ok(())
}

fn report(results: &[Measurement]) -> Result<()> {
    let Some((rpc, others)) = results.split_first() else { return Ok(()) };
    println!(
        "\npgbench, {} clients, {} threads, {} protocol, {SECONDS} s a round, median of {}:\n",
        pgbench::CLIENTS,
        pgbench::THREADS,
        pgbench::PROTOCOL,
        pgbench::ROUNDS
    );
    println!("  {:<20} {:>8.0} /s", rpc.name, rpc.median());
    for other in others {
        let ratio = rpc.median() / other.median();
        println!(
            "  {:<20} {:>8.0} /s   the RPC is {ratio:.2} times it",
            other.name,
            other.median()
        );
    }
    let path = checkout::target().join("bench/create-customer.json");
    write_json(&path, results)?;
    println!("\nwritten to {}", path.display());
    Ok(())
}

fn write_json(path: &Path, results: &[Measurement]) -> Result<()> {
    let rpc = results.first().map_or(0.0, Measurement::median);
    let rows: Vec<_> = results
        .iter()
        .map(|result| {
            json!({
                "name": result.name,
                "rates": result.rates,
                "median": result.median(),
                "rpc_ratio": rpc / result.median(),
            })
        })
        .collect();
    let document = json!({
        "clients": pgbench::CLIENTS,
        "threads": pgbench::THREADS,
        "protocol": pgbench::PROTOCOL,
        "seconds": SECONDS,
        "results": rows,
    });
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    fs::write(path, format!("{document:#}\n"))
        .with_context(|| format!("cannot write {}", path.display()))
}
