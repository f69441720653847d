//! Node and the packages of `package.json`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::fingerprint::{Fingerprint, Stamp};
use crate::report::Step;
use crate::{checkout, command};

pub const OLDEST: u32 = 20;

pub fn version() -> Option<String> {
    command::answer(Command::new("node").arg("--version"))
}

pub fn major(version: &str) -> Option<u32> {
    version.trim_start_matches('v').split('.').next()?.parse().ok()
}

/// A program that a package of `package.json` brought.
pub fn program(name: &str) -> Result<PathBuf> {
    let path = checkout::path("node_modules/.bin").join(name);
    if !path.exists() {
        bail!("{name} is not in node_modules: run `npm ci`");
    }
    Ok(path)
}

/// Installs the packages unless they are what the lock file says.
pub fn install_packages() -> Result<()> {
    let step = Step::start("npm packages");
    let lock = checkout::path("package-lock.json");
    let manifest = checkout::path("package.json");
    let fingerprint = Fingerprint::default().paths(&[&lock, &manifest])?.hex();
    // Beside the packages, so that removing them forgets it.
    let stamp = Stamp::new(checkout::path("node_modules/.fieldcrm-stamp"));
    if stamp.matches(&fingerprint) {
        step.done("npm packages present");
        return Ok(());
    }
    if is_newer(&checkout::path("node_modules/.package-lock.json"), &[&lock, &manifest]) {
        // Somebody ran npm themselves.
        stamp.write(&fingerprint)?;
        step.done("npm packages present");
        return Ok(());
    }
    let verb = if lock.exists() { "ci" } else { "install" };
    let mut npm = Command::new("npm");
    npm.args([verb, "--no-audit", "--no-fund", "--loglevel=error"])
        .current_dir(checkout::root())
        .env("DO_NOT_TRACK", "1");
    command::run(&mut npm, Some(&step))?;
    stamp.write(&fingerprint)?;
    step.done("npm packages installed");
    Ok(())
}

fn is_newer(path: &Path, than: &[&PathBuf]) -> bool {
    let modified = |path: &Path| path.metadata().and_then(|data| data.modified()).ok();
    let Some(here) = modified(path) else { return false };
    than.iter().all(|other| modified(other).is_none_or(|other| here >= other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn major_versions() {
        assert_eq!(major("v20.20.2"), Some(20));
        assert_eq!(major("22.1.0"), Some(22));
        assert_eq!(major(""), None);
    }
}
