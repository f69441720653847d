//! One database of a cluster, reached as its superuser through psql.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::command;
use crate::report::Step;

#[derive(Clone)]
pub struct Database {
    pub psql: PathBuf,
    pub port: u16,
    pub user: String,
    pub password: String,
    pub name: String,
    /// Settings each session starts with, as PGOPTIONS spells them.
    pub options: String,
}

impl Database {
    pub fn named(&self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self.clone() }
    }

    pub fn as_role(&self, user: &str, password: &str) -> Self {
        Self { user: user.to_owned(), password: password.to_owned(), ..self.clone() }
    }

    pub fn with_options(&self, options: String) -> Self {
        Self { options, ..self.clone() }
    }

    pub fn url(&self) -> String {
        // Names and passwords are ours and hexadecimal: nothing to escape.
        format!(
            "postgresql://{}:{}@127.0.0.1:{}/{}",
            self.user, self.password, self.port, self.name
        )
    }

    /// Any client program, with the connection in its environment: a password on the command
    /// line is there for everyone to read.
    pub fn client(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env("PGHOST", "127.0.0.1")
            .env("PGPORT", self.port.to_string())
            .env("PGUSER", &self.user)
            .env("PGPASSWORD", &self.password)
            .env("PGDATABASE", &self.name)
            .env("PGCLIENTENCODING", "UTF8")
            .env_remove("PGSERVICE")
            .env("PGOPTIONS", &self.options)
            .env_remove("PGHOSTADDR")
            .env_remove("PGSSLMODE");
        command
    }

    pub fn script(&self) -> Command {
        let mut psql = self.client(&self.psql);
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]);
        psql
    }

    /// The unaligned output of one statement.
    pub fn query(&self, sql: &str) -> Result<String> {
        // Its two streams apart: a notice is no part of the answer.
        let output = self
            .script()
            .args(["-c", sql])
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("cannot start {}", self.psql.display()))?;
        if !output.status.success() {
            bail!("{}", first_error(&String::from_utf8_lossy(&output.stderr)));
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    pub fn answers(&self) -> bool {
        self.query("select 1").is_ok_and(|answer| answer == "1")
    }

    /// Drops it, whoever is connected, and makes it anew from an untouched template.
    pub fn recreate(&self) -> Result<()> {
        let maintenance = self.named("template1");
        maintenance.query(&format!("drop database if exists {} with (force)", self.name))?;
        maintenance.query(&format!("create database {} template template0", self.name))?;
        Ok(())
    }

    /// Runs a file whole or not at all, followed by `record` in the same transaction.
    pub fn apply(&self, file: &Path, record: Option<&Path>, step: &Step) -> Result<()> {
        let mut psql = self.script();
        psql.args(["-1", "-o", "/dev/null", "-f"]).arg(file);
        if let Some(record) = record {
            psql.arg("-f").arg(record);
        }
        let finished = command::finish(&mut psql, Some(step))?;
        if !finished.status.success() {
            bail!("{}", first_error(&finished.output));
        }
        Ok(())
    }
}

/// The error and what psql says to it, without the notices before.
fn first_error(output: &str) -> String {
    let mut lines = output.lines().skip_while(|line| !is_error(line)).peekable();
    if lines.peek().is_none() {
        return output.lines().last().unwrap_or("psql failed").to_owned();
    }
    lines.take(6).map(str::trim_end).collect::<Vec<_>>().join("\n  ")
}

fn is_error(line: &str) -> bool {
    ["ERROR:", "FATAL:", "error:"].iter().any(|mark| line.contains(mark))
}
