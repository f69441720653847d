//! Kills the database server with SIGKILL while a script uses the functions over HTTP: nothing that it was told of is lost, and
//! nothing is there twice.

use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};

use super::Tally;
use crate::report::Step;
use crate::stack::Stack;
use crate::{checkout, falls, proc};

/// A script that says `kill` on a line of its own when it is time to, checks what is there at the end, and says in its last line
/// how it went.
pub struct Fall {
    /// `xtask/src/suite/<script>`
    script: &'static str,
    /// What goes on, as in "kill -9 of the database during …".
    about: &'static str,
    /// How often the server falls; `CHAOS_KILLS` for the long form of what can be longer.
    kills: u32,
    grows: bool,
}

/// Every payload comes five times, in parallel and in no order, until it is answered with 2xx, and is there once. Each time the
/// server falls there is a round of payloads more.
pub const WEBHOOKS: Fall =
    Fall { script: "webhooks/deliver.mjs", about: "webhooks", kills: 3, grows: true };

/// Customers race for the same slots: each goes to one.
pub const BOOKINGS: Fall =
    Fall { script: "bookings/race.mjs", about: "a race for slots", kills: 1, grows: false };

const PATIENCE: Duration = Duration::from_mins(1);

pub fn run(stack: &Stack, fall: &Fall) -> Result<Tally> {
    let title = format!("kill -9 of the database during {}", fall.about);
    let step = Step::start(title.clone());
    match survive(stack, fall) {
        Ok(summary) => {
            step.done(format!("{title}: {summary}"));
            Ok(Tally { passed: 1, failed: 0 })
        }
        Err(error) => {
            crate::interrupt::check()?;
            step.failed(format!("{title}: {error:#}"));
            Ok(Tally::FAILED)
        }
    }
}

fn survive(stack: &Stack, fall: &Fall) -> Result<String> {
    let asked = std::env::var("CHAOS_KILLS").ok().filter(|_| fall.grows);
    let kills = asked.and_then(|it| it.parse().ok()).unwrap_or(fall.kills);
    // The phase before may have left it without a database.
    if !proc::gone(|| stack.gateway().is_healthy(), PATIENCE) {
        bail!("the gateway is not there: {}", stack.gateway().last_words());
    }
    let mut node = Command::new("node");
    node.arg(checkout::path("xtask/src/suite").join(fall.script))
        .current_dir(checkout::root())
        .envs(stack.environment())
        .env("KILLS", kills.to_string())
        .env("DO_NOT_TRACK", "1")
        .env("NO_COLOR", "1");
    let (finished, fallen) = falls::finish(stack, &mut node, None)?;
    if !finished.status.success() {
        bail!("{}\n{}", finished.status, finished.tail(20));
    }
    if fallen != kills {
        bail!("the database fell {fallen} times instead of {kills}");
    }
    Ok(format!("{kills} kills, {}", finished.tail(1)))
}
