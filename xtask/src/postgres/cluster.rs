//! The private cluster: made once, started, stopped, and found again after a crash.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::{Account, Database, Tree};
use crate::fingerprint::{Fingerprint, Stamp};
use crate::secrets::Secrets;
use crate::{command, port, proc};

const SETTINGS: &str = "fieldcrm.conf";
/// Backends whose postmaster was killed notice it themselves, unless they are in a long statement.
const ORPHAN_PATIENCE: Duration = Duration::from_secs(5);

pub struct Cluster {
    /// The directory of the private server: `pg/` (programs), `db/` (data) and stamps.
    pub home: PathBuf,
    pub tree: Tree,
    pub port: u16,
    account: Account,
    password: String,
}

impl Cluster {
    pub fn new(home: PathBuf, port: u16, secrets: &Secrets, account: Account) -> Result<Self> {
        let tree = Tree::new(home.join("pg"))?;
        Ok(Self { home, tree, port, account, password: secrets.postgres_password.clone() })
    }

    pub fn data(&self) -> PathBuf {
        self.home.join("db")
    }

    fn log(&self) -> PathBuf {
        self.data().join("server.log")
    }

    pub fn stamp(&self, name: &str) -> Stamp {
        Stamp::new(self.home.join("stamps").join(name))
    }

    pub fn database(&self, name: &str) -> Database {
        Database {
            psql: self.tree.program("psql"),
            port: self.port,
            user: "postgres".to_owned(),
            password: self.password.clone(),
            name: name.to_owned(),
            options: String::new(),
        }
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.tree.program(program));
        // Where we are may be closed to the server's account.
        command.current_dir(&self.home).env("LC_ALL", "C.UTF-8").env_remove("PGDATA");
        // A server that inherits it puts a Rust backtrace into the DETAIL of errors.
        command.env_remove("RUST_BACKTRACE");
        self.account.run_as(&mut command);
        command
    }

    /// Brings the private programs up to date; the server must be down for that.
    pub fn prepare_tree(&self) -> Result<bool> {
        let fingerprint = self.tree.fingerprint()?;
        if self.tree.stamp().matches(&fingerprint) {
            return Ok(false);
        }
        self.stop()?;
        self.tree.build()?;
        self.tree.stamp().write(&fingerprint)?;
        Ok(true)
    }

    /// Makes the cluster unless a finished one is there; a half-made one is removed.
    pub fn initialise(&self) -> Result<bool> {
        let stamp = self.stamp("initialised");
        if stamp.exists() && self.data().join("PG_VERSION").exists() {
            return Ok(false);
        }
        self.stop()?;
        let data = self.data();
        if data.exists() {
            fs::remove_dir_all(&data)
                .with_context(|| format!("cannot remove the unfinished {}", data.display()))?;
        }
        let _ = fs::remove_dir_all(self.home.join("stamps"));
        fs::create_dir_all(&data).with_context(|| format!("cannot create {}", data.display()))?;
        self.account.give(&data)?;
        let password = self.home.join("password");
        crate::secrets::write_private(&password, &format!("{}\n", self.password))?;
        self.account.give(&password)?;
        let mut initdb = self.command("initdb");
        initdb
            .args(["-U", "postgres", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8"])
            .args(["--no-instructions", "-D"])
            .arg(&data)
            .arg("--pwfile")
            .arg(&password);
        let outcome = command::run(&mut initdb, None);
        let _ = fs::remove_file(&password);
        outcome?;
        let main = data.join("postgresql.conf");
        let text = fs::read_to_string(&main).context("initdb wrote no postgresql.conf")?;
        self.account.write(&main, &format!("{text}\ninclude '{SETTINGS}'\n"))?;
        stamp.write("")?;
        Ok(true)
    }

    fn settings(&self) -> String {
        let preload = self.tree.libraries().join("fieldcrm.so").exists();
        format!(
            "# Written by cargo xtask at each start.\n\
             listen_addresses = '127.0.0.1'\n\
             port = {}\n\
             unix_socket_directories = ''\n\
             max_connections = 100\n\
             wal_level = logical\n\
             timezone = 'UTC'\n\
             log_timezone = 'UTC'\n\
             log_line_prefix = '%m [%p] %q%u@%d '\n\
             shared_preload_libraries = '{}'\n",
            self.port,
            if preload { "fieldcrm" } else { "" }
        )
    }

    /// Starts the server, or restarts it when its settings or our library changed.
    pub fn start(&self) -> Result<&'static str> {
        let settings = self.settings();
        let current = Fingerprint::default()
            .text(&settings)
            .path(&self.tree.libraries().join("fieldcrm.so"))?
            .hex();
        let started = self.stamp("started");
        let running = self.postmaster().is_some();
        if running && started.matches(&current) && self.database("template1").answers() {
            return Ok("already running");
        }
        if running {
            self.stop()?;
        }
        let recovered = self.clear_remains()?;
        port::require_free(self.port, "the database")?;
        self.account.write(&self.data().join(SETTINGS), &settings)?;
        let mut start = self.command("pg_ctl");
        start.args(["start", "-w", "-t", "120", "-D"]).arg(self.data()).arg("-l").arg(self.log());
        let finished = command::finish(&mut start, None)?;
        if !finished.status.success() {
            bail!("the database does not start: {}", self.complaint());
        }
        started.write(&current)?;
        Ok(match (running, recovered) {
            (true, _) => "restarted",
            (_, true) => "recovered and started",
            _ => "started",
        })
    }

    fn complaint(&self) -> String {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let line = log.lines().rev().find(|line| line.contains("FATAL:"));
        let line = line.or_else(|| log.lines().last()).unwrap_or("no log").trim();
        format!("{line} (log: {})", self.log().display())
    }

    pub fn stop(&self) -> Result<bool> {
        let Some(pid) = self.postmaster() else {
            return Ok(false);
        };
        let mut stop = self.command("pg_ctl");
        stop.args(["stop", "-m", "fast", "-w", "-t", "60", "-D"]).arg(self.data());
        // The tree may be gone or half made: then pg_ctl cannot tell the server, but a signal can.
        let told = stop.output().is_ok_and(|output| output.status.success());
        if !told && !proc::stop_all(&[pid], Duration::from_secs(30)) {
            bail!("the database (process {pid}) does not stop: run `kill -9 {pid}`");
        }
        Ok(true)
    }

    /// What a power cut does, for the tests.
    pub fn kill(&self) -> Result<()> {
        let Some(pid) = self.postmaster() else { bail!("the database does not run") };
        proc::kill(pid);
        Ok(())
    }

    pub fn is_running(&self) -> bool {
        self.postmaster().is_some()
    }

    /// The pid of a live postmaster of this very cluster, not of whoever got its number later.
    fn postmaster(&self) -> Option<u32> {
        let file = fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        let pid = file.lines().next()?.trim().parse().ok()?;
        (proc::is_alive(pid) && serves(pid, &self.data())).then_some(pid)
    }

    /// After a kill -9 the lock file stays and backends may still hold the shared memory.
    fn clear_remains(&self) -> Result<bool> {
        let data = self.data();
        let orphans = || -> Vec<u32> {
            proc::all()
                .into_iter()
                .filter(|pid| serves(*pid, &data) && proc::is_alive(*pid))
                .collect()
        };
        if !proc::gone(|| orphans().is_empty(), ORPHAN_PATIENCE)
            && !proc::stop_all(&orphans(), ORPHAN_PATIENCE)
        {
            bail!("processes of a killed database remain: {:?}; end them and retry", orphans());
        }
        let lock = data.join("postmaster.pid");
        let stale = lock.exists();
        if stale {
            // Its number may belong to another program by now, which Postgres would wait for.
            fs::remove_file(&lock).context("cannot remove the stale postmaster.pid")?;
        }
        Ok(stale)
    }
}

/// A server process works in its data directory.
fn serves(pid: u32, data: &Path) -> bool {
    let here = proc::working_directory(pid);
    let data = fs::canonicalize(data).ok();
    here.is_some()
        && here == data
        && proc::name(pid).is_some_and(|name| name.starts_with("postgres"))
}
