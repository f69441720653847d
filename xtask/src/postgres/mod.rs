//! The private Postgres of a stack: its files, its cluster, its clients.

mod account;
mod client;
mod cluster;
mod tree;

pub use account::Account;
pub use client::Database;
pub use cluster::Cluster;
pub use tree::{Tree, place};

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::command;

const DEBIAN_PG_CONFIG: &str = "/usr/lib/postgresql/15/bin/pg_config";

/// The server everything is built for: `PG_CONFIG`, `PGRX_PG_CONFIG_PATH`, or Debian's 15.
/// Never what the PATH says: wrappers and leftovers there lead elsewhere.
pub fn pg_config() -> PathBuf {
    ["PG_CONFIG", "PGRX_PG_CONFIG_PATH"]
        .iter()
        .filter_map(std::env::var_os)
        .find(|value| !value.is_empty())
        .map_or_else(|| PathBuf::from(DEBIAN_PG_CONFIG), PathBuf::from)
}

pub fn is_debian() -> bool {
    pg_config().as_path() == Path::new(DEBIAN_PG_CONFIG)
}

/// Where the installed server keeps its parts.
pub struct Layout {
    pub bin: PathBuf,
    pub lib: PathBuf,
    pub share: PathBuf,
    pub version: String,
}

impl Layout {
    /// `15` of `PostgreSQL 15.18 (Debian 15.18-0+deb12u1)`.
    pub fn major(&self) -> &str {
        let number = self.version.split_whitespace().nth(1).unwrap_or_default();
        number.split(|character: char| !character.is_ascii_digit()).next().unwrap_or_default()
    }
}

pub fn layout() -> Result<Layout> {
    let program = pg_config();
    let answer = command::answer(Command::new(&program).args([
        "--bindir",
        "--pkglibdir",
        "--sharedir",
        "--version",
    ]))
    .with_context(|| format!("cannot run {}: run `cargo xtask doctor`", program.display()))?;
    let mut lines = answer.lines().map(str::to_owned);
    let mut next = || lines.next().context("pg_config gave no answer");
    Ok(Layout { bin: next()?.into(), lib: next()?.into(), share: next()?.into(), version: next()? })
}
