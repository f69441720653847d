//! pgvector: Debian 12 has no package of it, so it is unpacked or built into `target/pgvector`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::fingerprint::{Fingerprint, Stamp};
use crate::report::Step;
use crate::{apt_source, checkout, command, postgres};

const PACKAGE: &str = "postgresql-15-pgvector";
/// The Debian release whose source package is built when there is no binary one.
const SUITE: &str = "trixie";

fn directory() -> PathBuf {
    checkout::target().join("pgvector")
}

/// Where the files to add to a private Postgres tree lie, laid out as under `/`.
pub fn stage() -> PathBuf {
    directory().join("stage")
}

pub fn present() -> bool {
    in_system() || directory().join("stamp").exists()
}

fn in_system() -> bool {
    postgres::layout().is_ok_and(|layout| layout.share.join("extension/vector.control").exists())
}

/// Never fails the whole: without it everything that needs no embeddings works.
pub fn ensure() -> Result<()> {
    if in_system() {
        return Ok(());
    }
    let step = Step::start("pgvector");
    let version = command::answer(Command::new(postgres::pg_config()).arg("--version"));
    let fingerprint = Fingerprint::default().text(&version.unwrap_or_default()).hex();
    let stamp = Stamp::new(directory().join("stamp"));
    if stamp.matches(&fingerprint) {
        step.done("pgvector present");
        return Ok(());
    }
    let outcome = from_package(&step).or_else(|_| from_source(&step));
    crate::interrupt::check()?;
    match outcome {
        Ok(how) => {
            stamp.write(&fingerprint)?;
            step.done(format!("pgvector {how}"));
        }
        Err(error) => step.warn(format!("no pgvector, going on without it: {error:#}")),
    }
    Ok(())
}

fn fresh(name: &str) -> Result<PathBuf> {
    let path = directory().join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).with_context(|| format!("cannot create {}", path.display()))?;
    Ok(path)
}

/// Downloading and unpacking needs no root and leaves the system as it is.
fn from_package(step: &Step) -> Result<&'static str> {
    let policy = command::answer(Command::new("apt-cache").args(["policy", PACKAGE]));
    if !policy.is_some_and(|text| text.contains("Candidate:") && !text.contains("(none)")) {
        bail!("apt has no {PACKAGE}");
    }
    let work = fresh("package")?;
    quietly(
        apt(&[]).args(["download", PACKAGE]).current_dir(&work),
        step,
        "cannot download the package",
    )?;
    let file = checkout::files(&work, ".deb")?.pop().context("apt downloaded nothing")?;
    let stage = fresh("stage")?;
    quietly(Command::new("dpkg-deb").arg("-x").args([&file, &stage]), step, "cannot unpack it")?;
    Ok("unpacked")
}

fn from_source(step: &Step) -> Result<&'static str> {
    let entry = apt_source::derive(SUITE)
        .context("apt's sources name no Debian mirror to take its source from")?;
    let work = fresh("source")?;
    for part in ["state/lists/partial", "cache/archives/partial"] {
        fs::create_dir_all(work.join(part))?;
    }
    // apt takes a file for deb822 only by this ending.
    let list = work.join("derived.sources");
    fs::write(&list, entry)?;
    // An apt state of its own: the machine's package lists stay as they are.
    let options = [
        format!("Dir::Etc::sourcelist={}", list.display()),
        "Dir::Etc::sourceparts=-".to_owned(),
        format!("Dir::State={}", work.join("state").display()),
        format!("Dir::State::lists={}", work.join("state/lists").display()),
        "Dir::State::status=/var/lib/dpkg/status".to_owned(),
        format!("Dir::Cache={}", work.join("cache").display()),
    ];
    quietly(apt(&options).arg("update"), step, "cannot read the source package list")?;
    quietly(
        apt(&options).args(["source", "--download-only", "pgvector"]).current_dir(&work),
        step,
        "cannot download its source",
    )?;
    let archive = fs::read_dir(&work)?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| checkout::file_name(path).contains(".orig.tar."))
        .context("apt downloaded no source archive")?;
    let build = fresh("build")?;
    quietly(
        Command::new("tar")
            .args(["--strip-components=1", "-C"])
            .arg(&build)
            .arg("-xf")
            .arg(&archive),
        step,
        "cannot unpack its source",
    )?;
    let stage = fresh("stage")?;
    let make = |target: &str| {
        let mut make = Command::new("make");
        // No -march=native (OPTFLAGS): the build may outlive this processor. No LLVM bitcode.
        make.args(["-j2", "OPTFLAGS=", "with_llvm=no", target])
            .arg(format!("PG_CONFIG={}", postgres::pg_config().display()))
            .arg(format!("DESTDIR={}", stage.display()))
            .current_dir(&build);
        make
    };
    quietly(&mut make("all"), step, "cannot compile it")?;
    quietly(&mut make("install"), step, "cannot stage it")?;
    let _ = fs::remove_dir_all(&work);
    Ok("built")
}

/// Failing here is a warning, so a tool's output is cut down to its last line.
fn quietly(command: &mut Command, step: &Step, failure: &str) -> Result<()> {
    let finished = command::finish(command, Some(step))?;
    if !finished.status.success() {
        bail!("{failure} ({})", finished.tail(1).trim());
    }
    Ok(())
}

fn apt(options: &[String]) -> Command {
    let mut apt = Command::new("apt-get");
    apt.arg("-q");
    for option in options {
        apt.arg("-o").arg(option);
    }
    if rustix::process::geteuid().is_root() {
        // apt's own unprivileged user cannot write into this clone.
        apt.args(["-o", "APT::Sandbox::User=root"]);
    }
    apt.env("LC_ALL", "C.UTF-8");
    apt
}

/// The files to copy: (directory below the stage, file).
pub fn staged_files(below: &Path) -> Vec<PathBuf> {
    let relative = below.strip_prefix("/").unwrap_or(below);
    let Ok(entries) = fs::read_dir(stage().join(relative)) else { return Vec::new() };
    entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect()
}
