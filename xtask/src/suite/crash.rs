//! Kills the database server with SIGKILL while customers are created: afterwards every customer
//! that a client was told of is there, none is half there, and the gateway finds its way back.

use std::fs;
use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::Tally;
use crate::bench;
use crate::report::Step;
use crate::stack::Stack;
use crate::{checkout, proc};

const CLIENTS: u64 = 4;
/// How many customers there must be before the blow.
const BEFORE: u64 = 100;
const PATIENCE: Duration = Duration::from_mins(1);

pub fn run(stack: &Stack) -> Result<Tally> {
    let step = Step::start("kill -9 of the database during creation");
    match survive(stack) {
        Ok(summary) => {
            step.done(format!("kill -9 of the database during creation: {summary}"));
            Ok(Tally { passed: 1, failed: 0 })
        }
        Err(error) => {
            crate::interrupt::check()?;
            step.failed(format!("kill -9 of the database during creation: {error:#}"));
            Ok(Tally::FAILED)
        }
    }
}

fn survive(stack: &Stack) -> Result<String> {
    let database = stack.database();
    let script = checkout::path("xtask/src/suite/crash/create.sql");
    let log = stack.kind.directory().join("crash.log");
    let clients = bench::as_member(&database)?
        .client(&stack.cluster.tree.program("pgbench"))
        .args(["-n", "-c", &CLIENTS.to_string(), "-T", "120", "-M", "prepared", "-f"])
        .arg(&script)
        .stdin(Stdio::null())
        .stdout(fs::File::create(&log).context("cannot write the log of pgbench")?)
        .stderr(Stdio::null())
        .spawn()
        .context("cannot start pgbench")?;
    let mut clients = Clients(clients);
    let made = || -> u64 {
        let count = "select count(*) from public.customers where name like 'Crash %'";
        database.query(count).ok().and_then(|count| count.parse().ok()).unwrap_or_default()
    };
    if !proc::gone(|| made() >= BEFORE, PATIENCE) {
        bail!("pgbench created too few customers to make a crash worth it");
    }
    stack.cluster.kill()?;
    clients.0.wait().context("cannot wait for pgbench")?;
    stack.cluster.start()?;

    let told = acknowledged(&fs::read_to_string(&log).unwrap_or_default())
        .context("pgbench reported no number of transactions")?;
    let check = fs::read_to_string(checkout::path("xtask/src/suite/crash/check.sql"))?;
    let answer = database.query(&check)?;
    let (there, half) = answer.split_once('|').context("the check has two columns")?;
    let there: u64 = there.parse().context("the check counts")?;
    if half != "0" {
        bail!("{half} of {there} customers are half there");
    }
    // A commit whose answer the blow cut off may be there too: at most one a client.
    if !(told..=told + CLIENTS).contains(&there) {
        bail!("clients were told of {told} customers, {there} are there");
    }
    if !proc::gone(|| stack.gateway().is_healthy(), PATIENCE) {
        bail!("the gateway does not come back: {}", stack.gateway().last_words());
    }
    Ok(format!("{told} acknowledged, {there} there, all whole"))
}

fn acknowledged(log: &str) -> Option<u64> {
    let line = log
        .lines()
        .find_map(|it| it.strip_prefix("number of transactions actually processed: "))?;
    line.split('/').next()?.trim().parse().ok()
}

/// Ends pgbench also when the test fails before the server does.
struct Clients(Child);

impl Drop for Clients {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_pgbench_was_told_is_read() {
        let log = "scaling factor: 1\nnumber of transactions actually processed: 412\n";
        assert_eq!(acknowledged(log), Some(412));
        assert_eq!(acknowledged("number of transactions actually processed: 7/40\n"), Some(7));
        assert_eq!(acknowledged(""), None);
    }
}
