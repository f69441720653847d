//! Scripts during which the database falls.

use std::process::Command;

use anyhow::{Context, Result};

use crate::command::{self, Finished};
use crate::report::Step;
use crate::stack::Stack;

/// Runs a script. Each time it says `kill` on a line of its own, the server is killed with SIGKILL and started again. How the
/// script ended, and how often the server fell.
pub fn finish(stack: &Stack, script: &mut Command, step: Option<&Step>) -> Result<(Finished, u32)> {
    let mut fallen = 0;
    let mut restarts = Ok(());
    let finished = command::finish_with(script, |line| {
        if line == "kill" && restarts.is_ok() {
            fallen += 1;
            restarts = stack.cluster.kill().and_then(|()| stack.cluster.start()).map(|_| ());
        } else if let Some(step) = step {
            step.detail(line);
        }
    })?;
    restarts.context("the database does not come back")?;
    Ok((finished, fallen))
}
