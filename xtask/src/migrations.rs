//! Applies `migrations/*.sql` and keeps the book of them that the Supabase CLI also keeps.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::fingerprint::Fingerprint;
use crate::postgres::Database;
use crate::report::Step;
use crate::{checkout, secrets};

// The checksums are ours alone, beside the table whose shape the Supabase CLI defines.
const BOOK: &str = "create schema if not exists supabase_migrations;
create table if not exists supabase_migrations.schema_migrations (
  version text primary key, statements text[], name text);
create table if not exists supabase_migrations.fieldcrm_checksums (
  version text primary key, sha256 text not null);";

#[derive(Clone)]
pub struct Migration {
    pub version: String,
    pub name: String,
    pub file: PathBuf,
}

impl Migration {
    /// What a database without the native extension takes from `rpc/sql/session/` instead.
    pub fn needs_extension(&self) -> bool {
        self.name.ends_with("_extension") || self.name == "extension"
    }
}

pub fn list() -> Result<Vec<Migration>> {
    let files = checkout::files(&checkout::path("migrations"), ".sql")?;
    let migrations = files.into_iter().map(read_name).collect::<Result<Vec<_>>>()?;
    if let Some(pair) = migrations.windows(2).find(|pair| pair[0].version == pair[1].version) {
        bail!("two migrations have version {}: rename {}", pair[0].version, pair[1].name);
    }
    Ok(migrations)
}

fn read_name(file: PathBuf) -> Result<Migration> {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    match stem.split_once('_') {
        Some((version, name))
            if version.len() == 14 && version.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            Ok(Migration { version: version.to_owned(), name: name.to_owned(), file })
        }
        _ => bail!("{stem}.sql is not named <14 digits>_<name>.sql: rename it"),
    }
}

/// Applies what is not applied yet, each file in one transaction; returns how many.
pub fn apply(database: &Database, migrations: &[Migration], step: &Step) -> Result<usize> {
    database.query(BOOK)?;
    let applied = checksums(database)?;
    let mut count = 0;
    for migration in migrations {
        let text = fs::read_to_string(&migration.file)
            .with_context(|| format!("cannot read {}", migration.file.display()))?;
        let checksum = Fingerprint::default().text(&text).hex();
        match applied.get(&migration.version) {
            Some(known) if *known == checksum => {}
            Some(_) => bail!(
                "migration {}_{} changed after it was applied: run `cargo xtask db reset`",
                migration.version,
                migration.name
            ),
            None => {
                step.detail(&migration.name);
                apply_one(database, migration, &text, &checksum, step)?;
                count += 1;
            }
        }
    }
    if count > 0 {
        database.query("notify pgrst, 'reload schema'")?;
    }
    Ok(count)
}

fn checksums(database: &Database) -> Result<HashMap<String, String>> {
    let rows = database
        .query("select version || ' ' || sha256 from supabase_migrations.fieldcrm_checksums")?;
    Ok(rows
        .lines()
        .filter_map(|row| row.split_once(' '))
        .map(|(version, checksum)| (version.to_owned(), checksum.to_owned()))
        .collect())
}

fn apply_one(
    database: &Database,
    migration: &Migration,
    text: &str,
    checksum: &str,
    step: &Step,
) -> Result<()> {
    // The record is part of the migration's own transaction: applied and recorded, or neither.
    let record = checkout::target().join(format!("migration-{}.sql", std::process::id()));
    secrets::write_private(&record, &book_entry(migration, text, checksum))?;
    let outcome = database.apply(&migration.file, Some(&record), step);
    let _ = fs::remove_file(&record);
    outcome.with_context(|| format!("migration {}_{}", migration.version, migration.name))
}

fn book_entry(migration: &Migration, text: &str, checksum: &str) -> String {
    let tag = format!("${}$", tag_absent_from(text));
    let Migration { version, name, .. } = migration;
    format!(
        "reset all; reset role;\n\
         insert into supabase_migrations.schema_migrations (version, statements, name)\n\
         values ('{version}', array[{tag}{text}{tag}], '{}');\n\
         insert into supabase_migrations.fieldcrm_checksums (version, sha256)\n\
         values ('{version}', '{checksum}');\n",
        name.replace('\'', "''")
    )
}

fn tag_absent_from(text: &str) -> String {
    let mut tag = "migration".to_owned();
    while text.contains(&format!("${tag}$")) {
        tag.push('_');
    }
    tag
}

/// Applies a file that is no migration (the seed, the SQL twin of the extension).
pub fn apply_file(database: &Database, file: &Path, step: &Step) -> Result<()> {
    database.apply(file, None, step).with_context(|| checkout::file_name(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Result<Migration> {
        read_name(PathBuf::from(name))
    }

    #[test]
    fn names_have_fourteen_digits() {
        let migration = named("migrations/20260101000000_identity_extension.sql").unwrap();
        assert_eq!(migration.version, "20260101000000");
        assert!(migration.needs_extension());
        assert!(!named("20260101000001_customers.sql").unwrap().needs_extension());
        assert!(named("2026_customers.sql").is_err());
        assert!(named("customers.sql").is_err());
    }

    #[test]
    fn a_migration_that_quotes_our_tag_is_still_recorded_whole() {
        let migration = named("20260101000000_a.sql").unwrap();
        let entry = book_entry(&migration, "select $migration$x$migration$;", "00");
        assert!(
            entry.contains("$migration_$select $migration$x$migration$;$migration_$"),
            "{entry}"
        );
    }
}
