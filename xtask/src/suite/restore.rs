//! Dumps the database with `pg_dump`, restores it into an empty one, and compares: every row, every
//! function, policy, trigger and grant. Then an RPC runs in what was restored.
//!
//! The empty database is in the same cluster: roles are no part of a dump (`pg_dumpall --roles-only`
//! moves those), and the extension's files are installed there. What one has to know of it:
//! - The extension owns functions only. Its functions are not in the dump, `create extension` makes
//!   them; tables, policies, triggers and their data are the migrations' and are dumped whole.
//! - The schema fieldcrm is the migrations' too: the dump makes it before the extension goes into it.
//! - Defaults and policies call functions of the extension, so the extension has to come before the
//!   tables: `pg_restore` orders by dependency and does so. Restoring parts by hand does not.
//! - Triggers come after the data: nothing is counted or recorded twice.
//! - Settings of the database (`alter database … set search_path`) are dumped with `--create` only.

use std::path::Path;

use anyhow::{Result, bail};

use super::Tally;
use crate::postgres::Database;
use crate::report::Step;
use crate::stack::Stack;
use crate::{bench, checkout, command};

const NAME: &str = "dump and restore";
/// How many differing lines are told of.
const SHOWN: usize = 10;
const CREATE: &str = "select public.crm_create_customer(type => 'company', name => 'Restored', tags => array['VIP']) ->> 'id'";

pub fn run(stack: &Stack) -> Result<Tally> {
    let step = Step::start(NAME);
    match round_trip(stack, &step) {
        Ok(lines) => {
            step.done(format!("{NAME}: {lines} lines of contents and catalogue are the same"));
            Ok(Tally { passed: 1, failed: 0 })
        }
        Err(error) => {
            crate::interrupt::check()?;
            step.failed(format!("{NAME}: {error:#}"));
            Ok(Tally::FAILED)
        }
    }
}

fn round_trip(stack: &Stack, step: &Step) -> Result<usize> {
    let source = stack.database();
    let target = stack.cluster.database("restored");
    target.recreate()?;
    let dump = stack.kind.directory().join("restore.dump");
    dump_to(&dump, stack, &source, step)?;
    restore_from(&dump, stack, &target, step)?;
    let lines = compare(&source, &target)?;
    let csr = bench::as_member(&target)?;
    let id = csr.query(CREATE)?;
    let answer = csr.query(&format!("select public.crm_get_customer(id => '{id}') ->> 'name'"))?;
    if answer != "Restored" {
        bail!("an RPC in the restored database answers {answer}");
    }
    target.named("template1").query("drop database restored with (force)")?;
    let _ = std::fs::remove_file(&dump);
    Ok(lines)
}

fn dump_to(dump: &Path, stack: &Stack, database: &Database, step: &Step) -> Result<()> {
    let mut program = database.client(&stack.cluster.tree.program("pg_dump"));
    command::run(program.args(["--format=custom", "--file"]).arg(dump), Some(step))?;
    Ok(())
}

fn restore_from(dump: &Path, stack: &Stack, database: &Database, step: &Step) -> Result<()> {
    let mut program = database.client(&stack.cluster.tree.program("pg_restore"));
    program.args(["--exit-on-error", "--dbname", &database.name]).arg(dump);
    command::run(&mut program, Some(step))?;
    Ok(())
}

fn compare(source: &Database, target: &Database) -> Result<usize> {
    let digest = std::fs::read_to_string(checkout::path("xtask/src/suite/restore/digest.sql"))?;
    let (before, after) = (source.query(&digest)?, target.query(&digest)?);
    if before != after {
        bail!("what was restored is not what was dumped:\n{}", difference(&before, &after));
    }
    Ok(before.lines().count())
}

pub fn difference(before: &str, after: &str) -> String {
    let only = |mark: char, these: &str, those: &str| -> Vec<String> {
        let those: std::collections::HashSet<&str> = those.lines().collect();
        these
            .lines()
            .filter(|line| !those.contains(line))
            .take(SHOWN)
            .map(|line| format!("      {mark} {line}"))
            .collect()
    };
    let mut lines = only('-', before, after);
    lines.extend(only('+', after, before));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_names_the_lines() {
        assert_eq!(difference("a\nb\nc", "a\nx\nc"), "      - b\n      + x");
        assert_eq!(difference("a", "a"), "");
    }
}
