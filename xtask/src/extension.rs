//! Builds the extension and puts it into a stack's private Postgres.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::fingerprint::{Fingerprint, Stamp};
use crate::postgres::{self, Database, Tree};
use crate::report::Step;
use crate::{checkout, command};

const PACKAGE: &str = "fieldcrm";

/// A built extension: its library and SQL, and the version that names exactly this build.
pub struct Build {
    library: PathBuf,
    control: PathBuf,
    /// It is `create or replace` throughout, so it is also the way from any earlier version to this one.
    script: PathBuf,
    released_as: String,
    pub version: String,
}

/// What is kept of a version that is out: `pg_ext/released/<version>/`.
pub struct Release {
    pub version: String,
    pub directory: PathBuf,
}

pub fn releases() -> Result<Vec<Release>> {
    let directory = checkout::path("pg_ext/released");
    let entries =
        fs::read_dir(&directory).with_context(|| format!("cannot read {}", directory.display()))?;
    let mut releases: Vec<Release> = entries
        .flatten()
        .map(|entry| entry.path())
        .map(|directory| Release { version: checkout::file_name(&directory), directory })
        .collect();
    releases.sort_by(|one, other| one.version.cmp(&other.version));
    Ok(releases)
}

fn install_script(version: &str) -> String {
    format!("{PACKAGE}--{version}.sql")
}

fn update_script(from: &str, to: &str) -> String {
    format!("{PACKAGE}--{from}--{to}.sql")
}

/// Each server has its own.
fn directory() -> PathBuf {
    let server = postgres::pg_config().to_string_lossy().replace('/', "_");
    let name = if postgres::is_debian() { String::new() } else { server };
    checkout::target().join(format!("pgrx-package{name}"))
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
    let stamp = Stamp::new(PathBuf::from(format!("{}.stamp", directory().display())));
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
    for release in releases()? {
        let update = update_script(&release.version, &build.released_as);
        fs::copy(&build.script, build.script.with_file_name(update))?;
    }
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
    let (library, control) = (pick(".so")?, pick(".control")?);
    let released_as = default_version(&fs::read_to_string(&control)?).unwrap_or_default();
    let script = pick(&install_script(&released_as))?;
    let content = Fingerprint::default().paths(&[&library, &script])?.hex();
    // Each build is a version of its own, so that Postgres upgrades from one to the next.
    let version = format!("{released_as}-dev.{}", &content[..12]);
    Ok(Build { library, control, script, released_as, version })
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
    let script = extensions.join(install_script(&build.version));
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

/// Puts the SQL of a version that is out beside the build: a database can begin with it.
pub fn install_release(release: &Release, tree: &Tree) -> Result<()> {
    let script = install_script(&release.version);
    fs::copy(release.directory.join(&script), tree.extensions().join(&script))
        .with_context(|| format!("cannot install {script}"))?;
    Ok(())
}

/// Takes a database that already has the extension to this build, keeping its data.
pub fn upgrade(build: &Build, tree: &Tree, database: &Database) -> Result<bool> {
    let installed =
        database.query("select extversion from pg_extension where extname = 'fieldcrm'")?;
    if installed.is_empty() || installed == build.version {
        return Ok(false);
    }
    let update = update_script(&installed, &build.version);
    fs::copy(&build.script, tree.extensions().join(update))?;
    database
        .query(&format!("alter extension fieldcrm update to '{}'", build.version))
        .context("the database cannot take the new extension: run `cargo xtask db reset`")?;
    Ok(true)
}

/// `cargo xtask package`: says where the files are that go onto a server.
pub fn package() -> Result<ExitCode> {
    build()?;
    let mut files = Vec::new();
    walk(&directory(), &mut files)?;
    files.sort();
    for file in files {
        println!("{}", file.display());
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_control_file_names_the_build() {
        let control = "comment = 'x'\ndefault_version = '0.2.0'\nrelocatable = false\n";
        assert_eq!(default_version(control).as_deref(), Some("0.2.0"));
        assert_eq!(
            with_version(control, "0.2.0-dev.abc"),
            "comment = 'x'\ndefault_version = '0.2.0-dev.abc'\nrelocatable = false\n"
        );
    }
}
