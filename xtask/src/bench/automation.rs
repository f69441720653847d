//! Automation against what is written by hand: follow-ups by key, claims of a queue, events a second.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::pgbench;
use crate::postgres::Database;
use crate::report::Step;
use crate::stack::{Kind, Stack};
use crate::{checkout, command, interrupt};

const ORG: &str = super::NORTHWIND;
/// Short, so that the queues do not run dry.
const CLAIM_SECONDS: u32 = 4;
const ENSURE_SECONDS: u32 = 8;
const ENSURE_CLIENTS: &str = "16";
const BATCHES: [u32; 3] = [1, 10, 100];
const LEAST_ENSURE: f64 = 0.6;
const LEAST_CLAIM: f64 = 0.5;
/// Events of one call of `crm_run_automations`.
const EVENT_BATCH: u32 = 500;
const EVENT_ROUNDS: usize = 3;

fn script(name: &str) -> PathBuf {
    checkout::path("xtask/bench/automation").join(name)
}

pub fn run() -> Result<ExitCode> {
    Stack::prepare_machine()?;
    let stack = Stack::open(Kind::Test)?;
    let _lock = stack.lock()?;
    let outcome = measure(&stack);
    interrupt::acknowledge();
    stack.stop()?;
    let document = outcome?;
    let path = checkout::target().join("bench/automation.json");
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    fs::write(&path, format!("{document:#}\n"))
        .with_context(|| format!("cannot write {}", path.display()))?;
    println!("\nwritten to {}", path.display());
    Ok(ExitCode::SUCCESS)
}

fn measure(stack: &Stack) -> Result<Value> {
    stack.gateway().stop()?;
    stack.start_cluster()?;
    let database = stack.make_bench_database()?;
    psql(&database, "fill.sql", "filling the tables")?;
    database.query("vacuum analyze")?;
    let ensure = ensure(stack, &database)?;
    let claims = claims(stack, &database)?;
    let events = events(&database)?;
    Ok(json!({"ensure": ensure, "claims": claims, "events": events}))
}

fn psql(database: &Database, file: &str, title: &str) -> Result<()> {
    let step = Step::start(title);
    command::run(database.script().arg("-f").arg(script(file)), Some(&step))?;
    step.done(title);
    Ok(())
}

fn verdict(ratio: f64, least: f64) -> String {
    format!(
        "{ratio:.2} (at least {least}: {})",
        if ratio >= least { "reached" } else { "NOT REACHED" }
    )
}

fn ensure(stack: &Stack, database: &Database) -> Result<Value> {
    let member = super::as_member(database)?;
    let contestants = [
        ("bare insert", database, "ensure_bare.sql"),
        ("crm_ensure_followup", &member, "ensure_rpc.sql"),
    ];
    let rates = rounds(stack, &contestants, ENSURE_CLIENTS, ENSURE_SECONDS, 1.0, None)?;
    let made = database.query(&format!(
        "select count(*) || ' follow-ups, ' || count(distinct dedupe_key) || ' keys' from public.crm_followups
         where org_id = '{ORG}' and dedupe_key like 'bench:%'"
    ))?;
    println!(
        "\n  {ENSURE_CLIENTS} clients: bare {:.0} /s, RPC {:.0} /s: {}; {made}\n",
        rates[0],
        rates[1],
        verdict(rates[1] / rates[0], LEAST_ENSURE)
    );
    Ok(json!({"bare": rates[0], "rpc": rates[1], "ratio": rates[1] / rates[0], "made": made}))
}

fn claims(stack: &Stack, database: &Database) -> Result<Value> {
    let mut results = Vec::new();
    for batch in BATCHES {
        let (bare, rpc) = (format!("claim_bare_{batch}.sql"), format!("claim_rpc_{batch}.sql"));
        let contestants = [
            ("bare claim", database, bare.as_str()),
            ("crm_claim_messages", database, rpc.as_str()),
        ];
        let rates = rounds(
            stack,
            &contestants,
            pgbench::CLIENTS,
            CLAIM_SECONDS,
            f64::from(batch),
            Some("claim_fill.sql"),
        )?;
        println!(
            "\n  batches of {batch}: bare {:.0} messages/s, RPC {:.0} messages/s: {}\n",
            rates[0],
            rates[1],
            verdict(rates[1] / rates[0], LEAST_CLAIM)
        );
        results.push(json!({"batch": batch, "bare": rates[0], "rpc": rates[1], "ratio": rates[1] / rates[0]}));
    }
    Ok(Value::Array(results))
}

/// The median rate of each, in alternating rounds, before each of which `refill` runs.
fn rounds(
    stack: &Stack,
    contestants: &[(&str, &Database, &str)],
    clients: &str,
    seconds: u32,
    weight: f64,
    refill: Option<&str>,
) -> Result<Vec<f64>> {
    let program = stack.cluster.tree.program("pgbench");
    let mut rates = vec![Vec::new(); contestants.len()];
    for round in 1..=pgbench::ROUNDS {
        if let Some(refill) = refill {
            let owner = contestants.first().context("nothing to measure")?.1;
            psql(owner, refill, "filling the queues")?;
        }
        for ((name, database, file), rates) in contestants.iter().zip(&mut rates) {
            let title = format!("round {round}: {name}");
            let step = Step::start(&title);
            let rate =
                weight * pgbench::once(database, &program, &script(file), clients, seconds, &step)?;
            step.done(format!("{title}: {rate:.0} /s"));
            rates.push(rate);
        }
    }
    Ok(rates
        .into_iter()
        .map(|mut rates: Vec<f64>| {
            rates.sort_by(f64::total_cmp);
            rates.get(rates.len() / 2).copied().unwrap_or_default()
        })
        .collect())
}

/// One worker that works off 5,000 events of 10 listening rules.
fn events(database: &Database) -> Result<Value> {
    psql(database, "events_fill.sql", "making the rules")?;
    let mut rates = Vec::new();
    for round in 1..=EVENT_ROUNDS {
        psql(database, "events_emit.sql", "5,000 events")?;
        let title = format!("round {round}: crm_run_automations({EVENT_BATCH})");
        let step = Step::start(&title);
        let started = Instant::now();
        let (mut events, mut runs) = (0.0, 0.0);
        loop {
            let answer = database.query(&format!(
                "select public.crm_run_automations(batch_limit => {EVENT_BATCH})"
            ))?;
            let answer: Value = serde_json::from_str(&answer)?;
            let figure = |key: &str| answer[key].as_f64().unwrap_or_default();
            if figure("events") == 0.0 {
                break;
            }
            events += figure("events");
            runs += figure("succeeded");
        }
        let seconds = started.elapsed().as_secs_f64();
        step.done(format!(
            "{title}: {:.0} events/s, {:.0} runs/s",
            events / seconds,
            runs / seconds
        ));
        rates.push(json!({"events": events / seconds, "runs": runs / seconds}));
    }
    println!();
    Ok(Value::Array(rates))
}
