//! `cargo xtask`: everything that builds, runs and checks fieldcrm on one machine.

mod apt_source;
mod banner;
mod bench;
mod check;
mod checkout;
mod command;
mod db;
mod doctor;
mod extension;
mod falls;
mod fingerprint;
mod gateway;
mod generate;
mod interrupt;
mod lifecycle;
mod migrations;
mod node;
mod pgvector;
mod port;
mod postgres;
mod proc;
mod report;
mod secrets;
mod stack;
mod suite;
mod toolchain;
mod wasm;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Builds, runs and checks fieldcrm on this machine.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install what is missing, build, and run the whole back end on 127.0.0.1:54321
    Up {
        /// Return as soon as everything is healthy instead of following the log until Ctrl-C
        #[arg(long)]
        detach: bool,
    },
    /// Stop what `up` started; the data stays
    Down,
    /// Run every test on a stack of its own; ends with `N passed, N failed`
    Test {
        /// Run only tests, files and cases whose name contains this
        filter: Option<String>,
    },
    /// Check formatting, clippy (native and WASM) and the migrations' SQL
    Check,
    /// Write the documentation that the database and the tests' lists already say
    Gen {
        /// Write nothing; fail where a page is not up to date
        #[arg(long)]
        check: bool,
        /// Another database than the running stack's: postgresql://user:password@127.0.0.1:port/name
        #[arg(long)]
        database_url: Option<String>,
    },
    /// Work with the database of the running stack
    #[command(subcommand)]
    Db(db::Command),
    /// Build the extension's files for a server and list them
    Package,
    /// Build the edge functions to WASM and print their sizes
    Wasm,
    /// Run a benchmark; without a name, list them
    Bench {
        /// The benchmark, for example `create-customer`
        name: Option<String>,
    },
    /// Show which tools are installed, which are missing, and what installs them
    Doctor,
    /// Print one of the examples of the banner, for the tests that run them
    #[command(hide = true)]
    Snippet {
        #[arg(value_enum)]
        name: banner::Snippet,
    },
}

fn main() -> ExitCode {
    // A panic is a bug in xtask; one line to report it with serves better than a stack trace.
    std::panic::set_hook(Box::new(|panic| {
        eprintln!("error: xtask has a bug, please report this line: {panic}");
    }));
    let cli = Cli::parse();
    interrupt::install();
    let outcome = match cli.command {
        Command::Up { detach } => lifecycle::up(detach),
        Command::Down => lifecycle::down(),
        Command::Test { filter } => suite::run(filter.as_deref()),
        Command::Check => check::run(),
        Command::Gen { check, database_url } => generate::run(check, database_url.as_deref()),
        Command::Db(command) => db::run(&command),
        Command::Package => extension::package(),
        Command::Wasm => wasm::run(),
        Command::Bench { name } => bench::run(name.as_deref()),
        Command::Doctor => doctor::run(),
        Command::Snippet { name } => Ok(banner::print_snippet(name)),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            if interrupt::requested() { ExitCode::from(130) } else { ExitCode::FAILURE }
        }
    }
}
