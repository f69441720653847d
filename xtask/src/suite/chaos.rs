//! Kills backends with SIGKILL while eight workers run automation, again and again: what comes of the events is what
//! comes of one clean run.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::Tally;
use crate::postgres::Database;
use crate::report::Step;
use crate::stack::Stack;
use crate::{checkout, command, proc};

const WORKERS: &str = "8";
/// How often somebody is killed; each time the server restarts with everybody on it.
const KILLS: usize = 4;
const PATIENCE: Duration = Duration::from_mins(10);
/// Events of an org; `CHAOS_EVENTS` for the long form.
const EVENTS: u32 = 300;

pub fn run(stack: &Stack) -> Result<Tally> {
    let step = Step::start("kill -9 of workers during automation");
    match survive(stack) {
        Ok(summary) => {
            step.done(format!("kill -9 of workers during automation: {summary}"));
            Ok(Tally { passed: 1, failed: 0 })
        }
        Err(error) => {
            crate::interrupt::check()?;
            step.failed(format!("kill -9 of workers during automation: {error:#}"));
            Ok(Tally::FAILED)
        }
    }
}

fn survive(stack: &Stack) -> Result<String> {
    let database = stack.database();
    let events =
        std::env::var("CHAOS_EVENTS").ok().and_then(|it| it.parse().ok()).unwrap_or(EVENTS);
    let setting = format!("-c chaos.events={events} -c client_min_messages=warning");
    let make = checkout::path("xtask/src/suite/chaos/make.sql");
    command::run(database.with_options(setting).script().arg("-f").arg(make), None)?;

    let started = Instant::now();
    let mut clean = workers(stack, &database, "clean", "1")?;
    finish(&database, "clean", &mut clean)?;
    let alone = started.elapsed();

    let mut kills = 0;
    let mut workers_now = workers(stack, &database, "killed", WORKERS)?;
    let total = left(&database, "killed")?;
    while kills < KILLS {
        // At every fifth of the way; whoever is at work then is killed.
        let due = total - total * (u64::try_from(kills)? + 1) / (u64::try_from(KILLS)? + 1);
        if !proc::gone(|| left(&database, "killed").is_ok_and(|left| left <= due), PATIENCE) {
            bail!("the workers do not get on");
        }
        let victim = database.query(
            "select pid from pg_stat_activity where query like '%crm_run_automations%' and state = 'active' and pid <> pg_backend_pid()
             order by random() limit 1",
        );
        if let Some(victim) = victim.ok().and_then(|pid| pid.parse().ok()) {
            let witness = witness(stack, &database)?;
            proc::kill(victim);
            kills += 1;
            // The postmaster ends all other backends too, recovers and goes on. Until it has noticed it still lets new ones in, only
            // to end them a moment later: somebody who is thrown out says that it has.
            if !proc::gone(|| !proc::is_alive(witness.0.id()), PATIENCE) {
                bail!("the server did not restart after kill {kills}");
            }
            drop(workers_now);
            if !proc::gone(|| database.answers(), PATIENCE) {
                bail!("the database does not come back after kill {kills}");
            }
            workers_now = workers(stack, &database, "killed", WORKERS)?;
        } else if left(&database, "killed")? == 0 {
            bail!(
                "the workers were through after {kills} of {KILLS} kills: set CHAOS_EVENTS higher"
            );
        }
    }
    finish(&database, "killed", &mut workers_now)?;

    let (wanted, got) = (outcome(&database, "clean")?, outcome(&database, "killed")?);
    if wanted != got {
        bail!("a clean run made {wanted}; with {kills} kills: {got}");
    }
    Ok(format!(
        "{events} events, 200 rules, {kills} kills: {got} as of a clean run (one worker, {:.1} s)",
        alone.as_secs_f64()
    ))
}

/// A program that uses the database, until it is dropped.
struct Client(Child);

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn org(database: &Database, org: &str) -> Result<String> {
    database.query(&format!("select chaos.id('{org}', 'org')"))
}

fn workers(stack: &Stack, database: &Database, name: &str, clients: &str) -> Result<Client> {
    let session = database.with_options(format!("-c app.current_org_id={}", org(database, name)?));
    let child = session
        .client(&stack.cluster.tree.program("pgbench"))
        .args(["-n", "-c", clients, "-T", "600", "-M", "prepared", "-f"])
        .arg(checkout::path("xtask/src/suite/chaos/work.sql"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("cannot start pgbench")?;
    Ok(Client(child))
}

/// A session that is connected when this returns, and stays so until the server ends it.
fn witness(stack: &Stack, database: &Database) -> Result<Client> {
    let mut child = database
        .client(&stack.cluster.tree.program("psql"))
        .args(["-qXtA", "-c", "select 'there'", "-c", "select pg_sleep(600)"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("cannot start psql")?;
    let mut line = String::new();
    let out = child.stdout.take().context("psql has an output")?;
    let client = Client(child);
    BufReader::new(out).read_line(&mut line).context("psql says nothing")?;
    if line.trim() != "there" {
        bail!("psql did not connect");
    }
    Ok(client)
}

fn left(database: &Database, name: &str) -> Result<u64> {
    let count = format!(
        "select count(*) from fieldcrm.event_queue where org_id = chaos.id('{name}', 'org')"
    );
    database.query(&count)?.parse().context("the queue counts")
}

fn finish(database: &Database, name: &str, workers: &mut Client) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if left(database, name)? == 0 {
            return Ok(());
        }
        if let Some(status) = workers.0.try_wait()? {
            bail!("the workers ended too early: {status}");
        }
        if Instant::now() > deadline {
            bail!("the queue does not empty");
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn outcome(database: &Database, name: &str) -> Result<String> {
    let session = database.with_options(format!("-c chaos.org={name}"));
    let sql = std::fs::read_to_string(checkout::path("xtask/src/suite/chaos/outcome.sql"))?;
    session.query(&sql)
}
