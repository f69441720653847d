//! Kills the database server with SIGKILL while providers deliver: every payload comes five times, in parallel and in no
//! order, until it is answered with 2xx, and is there once at the end.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::Tally;
use crate::report::Step;
use crate::stack::Stack;
use crate::{checkout, command, proc};

/// How often the server falls; `CHAOS_KILLS` for the long form. Each time there is a round of payloads more.
const KILLS: u32 = 3;
const PATIENCE: Duration = Duration::from_mins(1);

pub fn run(stack: &Stack) -> Result<Tally> {
    let step = Step::start("kill -9 of the database during webhooks");
    match survive(stack) {
        Ok(summary) => {
            step.done(format!("kill -9 of the database during webhooks: {summary}"));
            Ok(Tally { passed: 1, failed: 0 })
        }
        Err(error) => {
            crate::interrupt::check()?;
            step.failed(format!("kill -9 of the database during webhooks: {error:#}"));
            Ok(Tally::FAILED)
        }
    }
}

fn survive(stack: &Stack) -> Result<String> {
    let kills = std::env::var("CHAOS_KILLS").ok().and_then(|it| it.parse().ok()).unwrap_or(KILLS);
    // The phase before may have left it without a database.
    if !proc::gone(|| stack.gateway().is_healthy(), PATIENCE) {
        bail!("the gateway is not there: {}", stack.gateway().last_words());
    }
    let mut node = Command::new("node");
    node.arg(checkout::path("xtask/src/suite/webhooks/deliver.mjs"))
        .current_dir(checkout::root())
        .envs(stack.environment())
        .env("KILLS", kills.to_string())
        .env("DO_NOT_TRACK", "1")
        .env("NO_COLOR", "1");
    let mut fallen = 0;
    let mut restarts = Ok(());
    let finished = command::finish_with(&mut node, |line| {
        if line == "kill" && restarts.is_ok() {
            fallen += 1;
            restarts = stack.cluster.kill().and_then(|()| stack.cluster.start()).map(|_| ());
        }
    })?;
    restarts.context("the database does not come back")?;
    if !finished.status.success() {
        bail!("{}\n{}", finished.status, finished.tail(20));
    }
    if fallen != kills {
        bail!("the database fell {fallen} times instead of {kills}");
    }
    Ok(format!("{kills} kills, {}", finished.tail(1)))
}
