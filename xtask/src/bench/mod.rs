//! `cargo xtask bench`: each benchmark compares with an alternative in the same run.

mod create_customer;
mod pgbench;

use std::process::ExitCode;

use anyhow::{Result, bail};

struct Bench {
    name: &'static str,
    about: &'static str,
    run: fn() -> Result<ExitCode>,
}

const BENCHES: [Bench; 1] = [Bench {
    name: "create-customer",
    about: "one RPC call against six statements and against PL/pgSQL",
    run: create_customer::run,
}];

pub fn run(name: Option<&str>) -> Result<ExitCode> {
    let Some(name) = name else {
        for bench in &BENCHES {
            println!("  {:<20} {}", bench.name, bench.about);
        }
        return Ok(ExitCode::SUCCESS);
    };
    match BENCHES.iter().find(|bench| bench.name == name) {
        Some(bench) => (bench.run)(),
        None => bail!("no benchmark {name}: `cargo xtask bench` lists them"),
    }
}
