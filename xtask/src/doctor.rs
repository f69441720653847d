//! `cargo xtask doctor`: what is here, what is missing, what installs it.

use std::process::ExitCode;

use anyhow::Result;

use crate::report::paint;
use crate::toolchain::{self, Tool};
use crate::{checkout, pgvector};

pub fn run() -> Result<ExitCode> {
    let tools = toolchain::survey()?;
    println!("  {:<29} {:<30} {:<34}", "tool", "needed", "found");
    for tool in &tools {
        let (mark, found) = match &tool.found {
            Some(version) => (paint("32", "ok"), version.as_str()),
            None => (paint("31", "--"), "missing"),
        };
        println!("  {:<29} {:<30} {found:<34} {mark}", tool.name, tool.needed);
    }
    let vector = if pgvector::present() { "present" } else { "installed by `up`" };
    println!("  {:<29} {:<30} {vector:<34}", "pgvector", "built or found by `up`");
    let packages = checkout::path("node_modules").is_dir();
    let npm = if packages { "present" } else { "installed by `up`" };
    println!("  {:<29} {:<30} {npm:<34}", "npm packages", "package-lock.json");
    let missing: Vec<&Tool> = tools.iter().filter(|tool| tool.found.is_none()).collect();
    if missing.is_empty() {
        println!("\nEverything is here.");
        return Ok(ExitCode::SUCCESS);
    }
    println!(
        "\n`cargo xtask up` installs what is missing (Debian packages only as root). By hand:"
    );
    for tool in missing {
        println!("  {}", tool.remedy());
    }
    Ok(ExitCode::FAILURE)
}
