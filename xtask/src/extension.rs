//! Builds the extension and puts it into a stack's private Postgres.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::fingerprint::{Fingerprint, Stamp};
use crate::postgres::{self, Database, Tree};
use crate::report::Step;
use crate::{checkout, command};

const PACKAGE: &str = "fieldcrm";

/// A built extension: its library and SQL, and the version that names exactly this build.
pub struct Build {
    library: PathBuf,
    control: PathBuf,
    script: PathBuf,
    pub version: String,
}

fn directory() -> PathBuf {
    checkout::target().join("pgrx-package")
}

/// Packages the extension unless nothing it is made of changed.
pub fn build() -> Result<Build> {
    let step = Step::start("building the extension");
    let inputs = ["core", "rpc", "pg_ext", "Cargo.toml", "Cargo.lock"].map(checkout::path);
    let fingerprint = Fingerprint::default()
        .text(&postgres::layout()?.version)
        .text(&command::answer(std::process::Command::new("rustc").arg("-V")).unwrap_or_default())
        .paths(&inputs)?
        .hex();
    let stamp = Stamp::new(checkout::target().join("pgrx-package.stamp"));
    if stamp.matches(&fingerprint)
        && let Ok(build) = find()
    {
        step.done("extension unchanged");
        return Ok(build);
    }
    stamp.clear();
    let _ = fs::remove_dir_all(directory());
    let pg_config = postgres::pg_config();
    let mut package = command::cargo();
    package
        .args(["pgrx", "package", "-p", PACKAGE, "--pg-config"])
        .arg(&pg_config)
        .arg("--out-dir")
        .arg(directory())
        .current_dir(checkout::root())
        .env("PGRX_PG_CONFIG_PATH", &pg_config);
    command::run(&mut package, Some(&step))?;
    let build = find()?;
    stamp.write(&fingerprint)?;
    step.done("extension built");
    Ok(build)
}

fn find() -> Result<Build> {
    let mut files = Vec::new();
    walk(&directory(), &mut files)?;
    let pick = |ending: &str| {
        files
            .iter()
            .find(|file| checkout::file_name(file).ends_with(ending))
            .cloned()
            .with_context(|| format!("cargo pgrx package made no {PACKAGE}*{ending}"))
    };
    let (library, control, script) = (pick(".so")?, pick(".control")?, pick(".sql")?);
    let content = Fingerprint::default().paths(&[&library, &script])?.hex();
    let base = default_version(&fs::read_to_string(&control)?).unwrap_or_default();
    // Each build is a version of its own, so that Postgres upgrades from one to the next.
    let version = format!("{base}-dev.{}", &content[..12]);
    Ok(Build { library, control, script, version })
}

fn walk(directory: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries =
        fs::read_dir(directory).with_context(|| format!("cannot read {}", directory.display()))?;
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

fn default_version(control: &str) -> Option<String> {
    control.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == "default_version").then(|| value.trim().trim_matches('\'').to_owned())
    })
}

fn with_version(control: &str, version: &str) -> String {
    control
        .lines()
        .map(|line| match line.split_once('=') {
            Some((key, _)) if key.trim() == "default_version" => {
                format!("default_version = '{version}'\n")
            }
            _ => format!("{line}\n"),
        })
        .collect()
}

/// Puts the build into the tree; the server takes it up at its next start.
pub fn install(build: &Build, tree: &Tree) -> Result<()> {
    let extensions = tree.extensions();
    let script = extensions.join(format!("{PACKAGE}--{}.sql", build.version));
    if script.exists() && tree.libraries().join("fieldcrm.so").exists() {
        return Ok(());
    }
    for file in checkout::files(&extensions, ".sql")? {
        if checkout::file_name(&file).starts_with("fieldcrm--") {
            fs::remove_file(&file)?;
        }
    }
    postgres::place(&build.library, &tree.libraries())?;
    let control = with_version(&fs::read_to_string(&build.control)?, &build.version);
    fs::write(extensions.join("fieldcrm.control"), control)?;
    fs::copy(&build.script, &script).context("cannot install the extension's SQL")?;
    Ok(())
}

/// Takes a database that already has the extension to this build, keeping its data: the install
/// script only creates or replaces functions, so it serves as the update script too.
pub fn upgrade(build: &Build, tree: &Tree, database: &Database) -> Result<bool> {
    let installed =
        database.query("select extversion from pg_extension where extname = 'fieldcrm'")?;
    if installed.is_empty() || installed == build.version {
        return Ok(false);
    }
    update(build, tree, database, &installed, &build.version)?;
    Ok(true)
}

fn update(build: &Build, tree: &Tree, database: &Database, from: &str, to: &str) -> Result<()> {
    let script = tree.extensions().join(format!("{PACKAGE}--{from}--{to}.sql"));
    fs::copy(&build.script, script)?;
    database
        .query(&format!("alter extension fieldcrm update to '{to}'"))
        .context("the database cannot take the new extension: run `cargo xtask db reset`")?;
    Ok(())
}

/// What an upgrade leaves is what a fresh install makes: a function that the script no longer makes
/// goes, everything else stays as it is.
pub fn prove_upgrade(build: &Build, tree: &Tree, database: &Database) -> Result<()> {
    // Functions with their owner-independent definition, grants and comments.
    let members = "select string_agg(pg_get_functiondef(p.oid) || coalesce(p.proacl::text, '')
        || coalesce(obj_description(p.oid, 'pg_proc'), ''), '' order by p.oid::regprocedure::text)
      from pg_proc p join pg_depend d on d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
      join pg_extension e on d.refclassid = 'pg_extension'::regclass and e.oid = d.refobjid
      where e.extname = 'fieldcrm'";
    let fresh = database.query(members)?;
    database.query(
        "create function fieldcrm.create_customer(jsonb) returns jsonb language sql as 'select $1';
         alter extension fieldcrm add function fieldcrm.create_customer(jsonb)",
    )?;
    let again = format!("{}-again", build.version);
    update(build, tree, database, &build.version, &again)?;
    let upgraded = database.query(members)?;
    // Back, so that the database is of this build for what comes after.
    update(build, tree, database, &again, &build.version)?;
    if fresh != upgraded {
        bail!("the functions after an upgrade are not those of a fresh install");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_control_file_names_the_build() {
        let control = "comment = 'x'\ndefault_version = '0.1.0'\nrelocatable = false\n";
        assert_eq!(default_version(control).as_deref(), Some("0.1.0"));
        assert_eq!(
            with_version(control, "0.1.0-dev.abc"),
            "comment = 'x'\ndefault_version = '0.1.0-dev.abc'\nrelocatable = false\n"
        );
    }
}
