//! Brings a database of each version that is out, with its data, to this build as docs/operations.md says: first the extension, then
//! the migrations. It is then what a fresh database is, has lost nothing, and passes the tests of the database.
//!
//! `pg_ext/released/<version>/` has what `cargo xtask package` made of that version's install script, its demo data, and its migrations'
//! checksums: whoever changes a released migration sees it here. The library is this build's, also while the SQL is the old one: so it
//! is on a server between the copying of the files and `alter extension`.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::restore::difference;
use super::{Tally, add_pgtap, database_tests};
use crate::extension::{self, Build, Release};
use crate::migrations::{self, Migration};
use crate::postgres::Database;
use crate::report::Step;
use crate::stack::Stack;
use crate::{checkout, command};

pub fn run(stack: &Stack, build: &Build) -> Result<Tally> {
    let mut tally = Tally::default();
    for release in extension::releases()? {
        let name = format!("upgrade from {}", release.version);
        let step = Step::start(name.clone());
        let database = stack.cluster.database("upgraded");
        match upgrade(stack, build, &release, &database, &step) {
            Ok(lines) => {
                step.done(format!(
                    "{name}: {lines} lines of catalogue are those of a fresh database"
                ));
                tally += Tally { passed: 1, failed: 0 };
                tally += database_tests(&database, None)?;
            }
            Err(error) => {
                crate::interrupt::check()?;
                step.failed(format!("{name}: {error:#}"));
                tally += Tally::FAILED;
            }
        }
    }
    Ok(tally)
}

fn upgrade(
    stack: &Stack,
    build: &Build,
    release: &Release,
    database: &Database,
    step: &Step,
) -> Result<usize> {
    let all = migrations::list()?;
    let released = released(release, &all)?;
    database.recreate()?;
    stack.bootstrap(database)?;
    extension::install_release(release, &stack.cluster.tree)?;
    database.query(&format!(
        "create schema fieldcrm; create extension fieldcrm with schema fieldcrm version '{}'",
        release.version
    ))?;
    migrations::apply(database, &released, step)?;
    migrations::apply_file(database, &release.directory.join("seed.sql"), step)?;
    let before = contents(database)?;

    extension::upgrade(build, &stack.cluster.tree, database)?;
    migrations::apply(database, &all, step)?;
    add_pgtap(database)?;
    for (columns, rows) in &before {
        if digest_of(database, columns)? != *rows {
            bail!("the release's data are not what they were: {columns}");
        }
    }
    let (fresh, upgraded) = (catalogue(&stack.database())?, catalogue(database)?);
    if fresh != upgraded {
        bail!("it is not what a fresh database is:\n{}", difference(&fresh, &upgraded));
    }
    // The tests of the database are about today's demo data, which adds to what is there.
    Stack::seed(database)?;
    Ok(fresh.lines().count())
}

/// The migrations of a release, which nobody changed since.
fn released(release: &Release, all: &[Migration]) -> Result<Vec<Migration>> {
    let list = release.directory.join("migrations.sha256");
    let text =
        fs::read_to_string(&list).with_context(|| format!("cannot read {}", list.display()))?;
    let mut check = Command::new("sha256sum");
    check.args(["--check", "--strict", "--quiet"]).arg(&list).current_dir(checkout::root());
    command::run(&mut check, None).context("a released migration changed")?;
    let is_listed =
        |file: &Path| text.lines().any(|line| line.ends_with(&checkout::file_name(file)));
    Ok(all.iter().filter(|migration| is_listed(&migration.file)).cloned().collect())
}

/// The rows of each table, by what selects them: migrations add columns, so only those that there were are compared.
fn contents(database: &Database) -> Result<Vec<(String, String)>> {
    let selects = database.query(
        "select format('select %s from %s', string_agg(format('%I', a.attname), ', ' order by a.attnum), c.oid::regclass)
         from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
         where c.relkind = 'r' and c.relnamespace in ('public'::regnamespace, 'fieldcrm'::regnamespace) group by c.oid",
    )?;
    selects.lines().map(|select| Ok((select.to_owned(), digest_of(database, select)?))).collect()
}

fn digest_of(database: &Database, select: &str) -> Result<String> {
    database.query(&format!(
        "select count(*), md5(string_agg(t::text, ';' order by t::text collate \"C\")) from ({select}) t"
    ))
}

/// What there is but rows.
fn catalogue(database: &Database) -> Result<String> {
    let query = fs::read_to_string(checkout::path("xtask/src/suite/restore/digest.sql"))?;
    let digest = database.query(&query)?;
    Ok(digest.lines().filter(|line| !line.starts_with("rows of ")).collect::<Vec<_>>().join("\n"))
}
