//! One local stack: a private Postgres and the gateway with the edge functions behind it.

use std::fs::{self, File, TryLockError};
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, bail};

use crate::extension::{self, Build};
use crate::fingerprint::Fingerprint;
use crate::gateway::Gateway;
use crate::migrations::{self, Migration};
use crate::postgres::{self, Account, Cluster, Database};
use crate::report::Step;
use crate::secrets::{self, DEMO_PASSWORD, Secrets};
use crate::{checkout, command, node, pgvector, toolchain, wasm};

/// Where another program has 54321, or another clone's stack runs: the port of this clone's API. The database's is the next one,
/// those of the test stack are 1000 above.
pub const PORT_VARIABLE: &str = "FIELDCRM_API_PORT";

fn port(value: &str) -> Result<u16> {
    match value.parse() {
        Ok(port) if (1024..=64534).contains(&port) => Ok(port),
        _ => bail!("{PORT_VARIABLE} is {value:?}: make it a port between 1024 and 64534"),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What `up` runs, and engineers work with.
    Dev,
    /// What `test` and `bench` bring up and take down, beside a running `Dev`.
    Test,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Test => "test",
        }
    }

    pub fn directory(self) -> PathBuf {
        checkout::path(match self {
            Self::Dev => ".local",
            Self::Test => ".local/test",
        })
    }

    fn api_port(self) -> Result<u16> {
        let dev = match std::env::var(PORT_VARIABLE) {
            Ok(value) => port(&value)?,
            Err(_) => 54321,
        };
        Ok(match self {
            Self::Dev => dev,
            Self::Test => dev + 1000,
        })
    }
}

pub struct Stack {
    pub kind: Kind,
    api_port: u16,
    pub directory: PathBuf,
    pub secrets: Secrets,
    pub cluster: Cluster,
}

/// Held while a stack is changed, so that two commands do not do it at once.
pub struct Lock(#[expect(dead_code, reason = "the lock lives as long as the open file")] File);

impl Stack {
    /// What every stack is built from; needs no stack yet.
    pub fn prepare_machine() -> Result<()> {
        toolchain::ensure()?;
        node::install_packages()?;
        pgvector::ensure()
    }

    pub fn open(kind: Kind) -> Result<Self> {
        let directory = kind.directory();
        fs::create_dir_all(&directory)
            .with_context(|| format!("cannot create {}", directory.display()))?;
        let account = Account::current()?;
        let home = home(kind, account)?;
        let path = directory.join("secrets.env");
        let (secrets, fresh) = match Secrets::load(&path) {
            Some(secrets) => (secrets, false),
            None => (Secrets::create(&path)?, true),
        };
        let api_port = kind.api_port()?;
        let cluster = Cluster::new(home, api_port + 1, &secrets, account)?;
        if fresh {
            // Who removes .local wants to start over; an old cluster has other passwords anyway.
            cluster.stop()?;
            cluster.stamp("initialised").clear();
        }
        Ok(Self { kind, api_port, directory, secrets, cluster })
    }

    /// The stack if it was ever brought up here.
    pub fn existing(kind: Kind) -> Result<Option<Self>> {
        if !kind.directory().join("secrets.env").exists() {
            return Ok(None);
        }
        Self::open(kind).map(Some)
    }

    pub fn lock(&self) -> Result<Lock> {
        let path = self.directory.join("lock");
        let file =
            File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(Lock(file)),
            Err(TryLockError::WouldBlock) => bail!(
                "another cargo xtask is working on the {} stack: wait until it is done",
                self.kind.name()
            ),
            Err(TryLockError::Error(error)) => Err(error).context("cannot lock the stack"),
        }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.api_port)
    }

    pub fn api_port(&self) -> u16 {
        self.api_port
    }

    pub fn database(&self) -> Database {
        self.cluster.database("postgres")
    }

    pub fn gateway(&self) -> Gateway<'_> {
        Gateway::new(self)
    }

    /// What `stack.env` holds.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("SUPABASE_URL", self.url()),
            ("SUPABASE_PUBLISHABLE_KEY", self.secrets.publishable_key.clone()),
            ("SUPABASE_SECRET_KEY", self.secrets.secret_key.clone()),
            ("SUPABASE_JWT_SECRET", self.secrets.jwt_secret.clone()),
            ("DATABASE_URL", self.database().url()),
            ("FUNCTIONS_URL", format!("{}/functions/v1", self.url())),
            ("DEMO_PASSWORD", DEMO_PASSWORD.to_owned()),
        ]
    }

    pub fn write_environment(&self) -> Result<()> {
        let variables = self.environment();
        let pairs: Vec<(&str, &str)> =
            variables.iter().map(|(key, value)| (*key, value.as_str())).collect();
        secrets::write_private(&self.directory.join("stack.env"), &secrets::exports(&pairs))
    }

    /// The private Postgres, up to date and running, and the functions built; no databases of ours yet.
    pub fn start_cluster(&self) -> Result<Build> {
        let build = build()?;
        self.start_database(&build)?;
        Ok(build)
    }

    /// The same without the functions.
    pub fn start_database(&self, build: &Build) -> Result<()> {
        let step = Step::start("private Postgres");
        let made = self.cluster.prepare_tree()?;
        extension::install(build, &self.cluster.tree)?;
        let inside = self.cluster.home.starts_with(checkout::root());
        let place = if inside {
            String::new()
        } else {
            // Its account cannot enter this directory, so the cluster is not in the clone.
            format!(", in {}", self.cluster.home.display())
        };
        step.done(format!("private Postgres {}{place}", if made { "made" } else { "unchanged" }));
        let step = Step::start("database server");
        let created = self.cluster.initialise()?;
        let state = self.cluster.start()?;
        let created = if created { "created and " } else { "" };
        step.done(format!("database server {created}{state} on port {}", self.api_port + 1));
        Ok(())
    }

    /// Brings the main database to what the clone says, keeping its data.
    pub fn prepare_database(&self, build: &Build) -> Result<()> {
        let database = self.database();
        self.bootstrap(&database)?;
        let step = Step::start("extension upgrade");
        if extension::upgrade(build, &self.cluster.tree, &database)? {
            step.done(format!("extension upgraded to {}", build.version));
        } else {
            step.done("extension current");
        }
        let step = Step::start("migrations");
        let applied = migrations::apply(&database, &migrations::list()?, &step)?;
        step.done(match applied {
            0 => "migrations current".to_owned(),
            1 => "1 migration applied".to_owned(),
            count => format!("{count} migrations applied"),
        });
        Self::seed_if_empty(&database)
    }

    /// The twin of the main database without the native extension: RPCs run in it from SQL files
    /// over an ordinary connection.
    pub fn make_native_database(&self) -> Result<Database> {
        let database = self.cluster.database("native");
        database.recreate()?;
        self.bootstrap(&database)?;
        let step = Step::start("database without the extension");
        let all = migrations::list()?;
        let at = all.iter().position(Migration::needs_extension).unwrap_or(all.len());
        let (before, after) = all.split_at(at);
        migrations::apply(&database, before, &step)?;
        // The migration that is left out makes it, too.
        database.query("create schema if not exists fieldcrm")?;
        for file in ["load.sql", "twin.sql"] {
            let file = checkout::path("rpc/sql/session").join(file);
            migrations::apply_file(&database, &file, &step)?;
        }
        let rest: Vec<Migration> =
            after.iter().filter(|migration| !migration.needs_extension()).cloned().collect();
        migrations::apply(&database, &rest, &step)?;
        step.done("database without the extension made");
        Self::seed_if_empty(&database)?;
        Ok(database)
    }

    /// A database like the main one, for benchmarks to fill.
    pub fn make_bench_database(&self) -> Result<Database> {
        let database = self.cluster.database("bench");
        database.recreate()?;
        self.bootstrap(&database)?;
        let step = Step::start("migrations");
        migrations::apply(&database, &migrations::list()?, &step)?;
        step.done("migrations applied to database bench");
        Self::seed_if_empty(&database)?;
        Ok(database)
    }

    /// Drops everything in the main database; `prepare_database` fills it again.
    pub fn recreate_database(&self) -> Result<()> {
        self.database().recreate()
    }

    /// Roles, the auth and storage schemas, grants: what Supabase has before the first migration.
    pub fn bootstrap(&self, database: &Database) -> Result<()> {
        let script = checkout::path("supabase/local/bootstrap.mjs");
        let fingerprint = Fingerprint::default()
            .path(&checkout::path("supabase/local"))?
            .path(&checkout::path("package-lock.json"))?
            .text(
                &database
                    .query("select oid from pg_database where datname = current_database()")?,
            )
            .hex();
        let stamp = self.cluster.stamp(&format!("bootstrap-{}", database.name));
        if stamp.matches(&fingerprint) {
            return Ok(());
        }
        let step = Step::start("roles and system schemas");
        let mut bootstrap = std::process::Command::new("node");
        bootstrap
            .arg(&script)
            .current_dir(checkout::root())
            .env("ADMIN_DATABASE_URL", database.url())
            .env("GATEWAY_PASSWORD", &self.secrets.gateway_password)
            .env("SUPABASE_JWT_SECRET", &self.secrets.jwt_secret)
            .env("SUPABASE_PUBLISHABLE_KEY", &self.secrets.publishable_key)
            .env("SUPABASE_SECRET_KEY", &self.secrets.secret_key)
            .env("DO_NOT_TRACK", "1");
        command::run(&mut bootstrap, Some(&step))?;
        stamp.write(&fingerprint)?;
        step.done(format!("roles and system schemas in database {}", database.name));
        Ok(())
    }

    fn seed_if_empty(database: &Database) -> Result<()> {
        if database.query("select to_regclass('public.orgs') is not null")? != "t"
            || database.query("select exists (select from public.orgs)")? == "t"
        {
            return Ok(());
        }
        Self::seed(database)
    }

    pub fn seed(database: &Database) -> Result<()> {
        let file = checkout::path("supabase/seed.sql");
        let step = Step::start("demo data");
        migrations::apply_file(database, &file, &step)?;
        step.done(format!("demo data in database {}", database.name));
        Ok(())
    }

    /// The gateway in front of everything.
    pub fn start_gateway(&self) -> Result<()> {
        let step = Step::start("gateway");
        let state = self.gateway().start()?;
        step.done(format!("gateway {state} on port {}", self.api_port()));
        Ok(())
    }

    pub fn is_running(&self) -> bool {
        self.cluster.is_running() || self.gateway().is_running()
    }

    pub fn stop(&self) -> Result<()> {
        let step = Step::start("stopping");
        self.gateway().stop()?;
        self.cluster.stop()?;
        step.done(format!("{} stack stopped", self.kind.name()));
        Ok(())
    }
}

/// The extension, and beside it the functions: they share nothing that is built, and while one of them links on one core the other
/// compiles on the rest.
fn build() -> Result<Build> {
    std::thread::scope(|scope| {
        let functions = scope.spawn(wasm::build);
        let extension = extension::build();
        functions.join().map_err(|_| anyhow!("building the functions panicked"))??;
        extension
    })
}

/// The server's directory: in the clone, unless its account cannot get there. Another server than Debian's has one of its own, because
/// no major version takes another one's data.
fn home(kind: Kind, account: Account) -> Result<PathBuf> {
    let directory = kind.directory();
    let mut home = if account.can_enter(&directory) {
        directory
    } else {
        let clone = Fingerprint::default().text(&checkout::root().to_string_lossy()).hex();
        PathBuf::from(format!("/var/lib/fieldcrm/{}-{}", &clone[..12], kind.name()))
    };
    if !postgres::is_debian() {
        home.push(format!("postgres-{}", postgres::layout()?.major()));
    }
    fs::create_dir_all(&home).with_context(|| format!("cannot create {}", home.display()))?;
    Ok(home)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_leaves_room_for_the_database_and_the_test_stack() {
        assert_eq!(port("64534").unwrap(), 64534);
        for value in ["", "0", "80", "64535", "70000", "many"] {
            port(value).unwrap_err();
        }
    }
}
