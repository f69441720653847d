//! `cargo xtask db`: the database of the stack engineers work with.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Subcommand;

use crate::stack::{Kind, Stack};
use crate::{command, extension};

#[derive(Subcommand)]
pub enum Command {
    /// Throw the data away: make the database anew with migrations and demo data
    Reset,
    /// Open psql as superuser; arguments go to psql, for example `-c 'select 1'`
    Psql {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Apply the demo data again
    Seed,
}

pub fn run(command: &Command) -> Result<ExitCode> {
    match command {
        Command::Reset => reset(),
        Command::Psql { arguments } => psql(arguments),
        Command::Seed => seed(),
    }
}

/// The stack with its database server running.
fn running() -> Result<Stack> {
    let stack = Stack::existing(Kind::Dev)?.context("there is no stack: run `cargo xtask up`")?;
    if !stack.cluster.is_running() {
        bail!("the stack is not running: run `cargo xtask up --detach`");
    }
    Ok(stack)
}

fn psql(arguments: &[String]) -> Result<ExitCode> {
    let database = running()?.database();
    command::exec(database.client(&database.psql).args(arguments))
}

fn seed() -> Result<ExitCode> {
    let stack = running()?;
    let _lock = stack.lock()?;
    Stack::seed(&stack.database())?;
    Ok(ExitCode::SUCCESS)
}

fn reset() -> Result<ExitCode> {
    Stack::prepare_machine()?;
    let stack = Stack::open(Kind::Dev)?;
    let _lock = stack.lock()?;
    let was_running = stack.is_running();
    let with_gateway = stack.gateway().stop()?;
    let build: extension::Build = stack.start_cluster()?;
    stack.recreate_database()?;
    stack.prepare_database(&build)?;
    if with_gateway {
        stack.start_gateway()?;
    } else if !was_running {
        stack.stop()?;
    }
    Ok(ExitCode::SUCCESS)
}
