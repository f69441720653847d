//! Runs pgbench scripts one after another in alternating rounds.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::postgres::Database;
use crate::report::Step;
use crate::{checkout, command};

pub const CLIENTS: &str = "4";
pub const THREADS: &str = "2";
/// Alternating rounds: a machine that slows down half-way slows all contestants alike.
pub const ROUNDS: usize = 3;
/// `PostgREST` and every driver send statements through the extended protocol and prepare those
/// they repeat, so all contestants run prepared.
pub const PROTOCOL: &str = "prepared";

pub struct Contestant {
    pub name: &'static str,
    pub script: PathBuf,
}

pub struct Measurement {
    pub name: &'static str,
    pub rates: Vec<f64>,
}

impl Measurement {
    pub fn median(&self) -> f64 {
        let mut rates = self.rates.clone();
        rates.sort_by(f64::total_cmp);
        rates.get(rates.len() / 2).copied().unwrap_or_default()
    }
}

pub fn compare(
    database: &Database,
    pgbench: &Path,
    contestants: &[Contestant],
    seconds: u32,
) -> Result<Vec<Measurement>> {
    let mut results: Vec<Measurement> = contestants
        .iter()
        .map(|contestant| Measurement { name: contestant.name, rates: Vec::new() })
        .collect();
    for round in 1..=ROUNDS {
        for (contestant, result) in contestants.iter().zip(&mut results) {
            let title = format!("round {round}: {}", contestant.name);
            let step = Step::start(&title);
            let rate = once(database, pgbench, &contestant.script, CLIENTS, seconds, &step)?;
            result.rates.push(rate);
            step.done(format!("{title}: {rate:.0} /s"));
        }
    }
    Ok(results)
}

/// What the clients of one script saw, in milliseconds.
pub struct Latencies {
    pub rate: f64,
    pub p50: f64,
    pub p95: f64,
}

/// The round in the middle, by its rate.
pub fn median(mut rounds: Vec<Latencies>) -> Latencies {
    rounds.sort_by(|one, other| one.rate.total_cmp(&other.rate));
    rounds.swap_remove(rounds.len() / 2)
}

/// One round of one script, with the time of every transaction.
pub fn latencies(
    database: &Database,
    pgbench: &Path,
    script: &Path,
    clients: &str,
    seconds: u32,
    step: &Step,
) -> Result<Latencies> {
    let directory = checkout::target().join("bench/latencies");
    if directory.exists() {
        fs::remove_dir_all(&directory)?;
    }
    fs::create_dir_all(&directory)?;
    let mut run = pgbench_run(database, pgbench, clients, seconds);
    run.arg("-l").arg("--log-prefix").arg(directory.join("clients")).arg("-f").arg(script);
    let rate = rate(&command::run(&mut run, Some(step))?)?;
    let mut times = Vec::new();
    for file in fs::read_dir(&directory)? {
        times.extend(fs::read_to_string(file?.path())?.lines().filter_map(milliseconds));
    }
    times.sort_by(f64::total_cmp);
    let at = |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or_default();
    Ok(Latencies { rate, p50: at(50), p95: at(95) })
}

/// A line of the log is `client transaction microseconds …`.
fn milliseconds(line: &str) -> Option<f64> {
    let microseconds: f64 = line.split_whitespace().nth(2)?.parse().ok()?;
    Some(microseconds / 1000.0)
}

/// One run of a script: transactions a second.
pub fn once(
    database: &Database,
    pgbench: &Path,
    script: &Path,
    clients: &str,
    seconds: u32,
    step: &Step,
) -> Result<f64> {
    let mut run = pgbench_run(database, pgbench, clients, seconds);
    run.arg("-f").arg(script);
    rate(&command::run(&mut run, Some(step))?)
}

fn pgbench_run(database: &Database, pgbench: &Path, clients: &str, seconds: u32) -> Command {
    let threads = if clients == "1" { "1" } else { THREADS };
    let mut run = database.client(pgbench);
    run.args(["-n", "-c", clients, "-j", threads, "-M", PROTOCOL, "-T"]).arg(seconds.to_string());
    run
}

fn rate(output: &str) -> Result<f64> {
    let failed = output.lines().find_map(|line| {
        line.strip_prefix("number of failed transactions:")?.split_whitespace().next()
    });
    if failed.is_some_and(|count| count != "0") {
        bail!(
            "{} transactions failed: a rate of failures says nothing",
            failed.unwrap_or_default()
        );
    }
    output
        .lines()
        .find_map(|line| line.strip_prefix("tps = ")?.split_whitespace().next()?.parse().ok())
        .context("pgbench reported no rate")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_read_and_failures_refused() {
        let good = "number of failed transactions: 0 (0.000%)\nlatency average = 1 ms\ntps = 1234.5 (without initial connection time)\n";
        assert!((rate(good).unwrap() - 1234.5).abs() < f64::EPSILON);
        let bad = "number of failed transactions: 7 (1.0%)\ntps = 9 (x)\n";
        assert!(rate(bad).unwrap_err().to_string().starts_with("7 transactions"));
        assert!(rate("").is_err());
    }

    #[test]
    fn the_time_of_a_transaction_is_read() {
        assert_eq!(milliseconds("0 199 2241 0 1175850568 995598"), Some(2.241));
        assert_eq!(milliseconds("0 199 failed 0 1175850568 995598"), None);
    }

    #[test]
    fn the_median_ignores_one_bad_round() {
        let result = Measurement { name: "x", rates: vec![100.0, 3.0, 101.0] };
        assert!((result.median() - 100.0).abs() < f64::EPSILON);
    }
}
