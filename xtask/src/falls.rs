//! Scripts during which the database falls.

use std::process::Command;

use anyhow::{Context, Result};

use crate::command::{self, Finished};
use crate::report::Step;
use crate::stack::Stack;

/// Runs a script. Each time it says `kill` or `restart` on a line of its own, the server is killed with SIGKILL, or stopped as its
/// operator stops it, and started again. How the script ended, and how often the server fell.
pub fn finish(stack: &Stack, script: &mut Command, step: Option<&Step>) -> Result<(Finished, u32)> {
    let mut fallen = 0;
    let mut restarts = Ok(());
    let finished = command::finish_with(script, |line| {
        let fall = match line {
            "kill" => stack.cluster.kill(),
            "restart" => stack.cluster.stop().map(|_| ()),
            _ => return step.into_iter().for_each(|step| step.detail(line)),
        };
        fallen += 1;
        let risen = fall.and_then(|()| stack.cluster.start());
        restarts = std::mem::replace(&mut restarts, Ok(())).and_then(|()| risen.map(|_| ()));
    })?;
    restarts.context("the database does not come back")?;
    Ok((finished, fallen))
}
