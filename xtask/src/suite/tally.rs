//! Counting what test programs report.

use std::fmt::{self, Display};
use std::ops::AddAssign;
use std::process::ExitCode;

#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct Tally {
    pub passed: u64,
    pub failed: u64,
}

impl Tally {
    pub const FAILED: Self = Self { passed: 0, failed: 1 };

    pub fn total(self) -> u64 {
        self.passed + self.failed
    }

    /// A run of nothing proves nothing, so it fails too.
    pub fn exit_code(self) -> ExitCode {
        if self.failed == 0 && self.passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    /// A program that ended badly without saying which test failed counts as one failure.
    pub fn with_status(self, success: bool) -> Self {
        if success || self.failed > 0 { self } else { Self { failed: 1, ..self } }
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// `test result: ok. 3 passed; 0 failed; …` of every test program that cargo ran.
pub fn cargo(output: &str) -> Tally {
    let mut tally = Tally::default();
    for line in output.lines() {
        if let Some(result) = line.trim_start().strip_prefix("test result:") {
            tally += Tally { passed: before(result, " passed"), failed: before(result, " failed") };
        }
    }
    tally
}

fn before(text: &str, word: &str) -> u64 {
    text.split(';')
        .filter_map(|part| part.trim_end().strip_suffix(word.trim_end()))
        .filter_map(|part| part.split_whitespace().last()?.parse::<u64>().ok())
        .sum()
}

/// The TAP of one pgTAP file: its assertions and, as one more failure, a plan that does not fit.
pub fn tap(output: &str) -> Tally {
    let mut tally = Tally::default();
    let mut plan: Option<u64> = None;
    for line in output.lines() {
        if let Some(count) = line.strip_prefix("1..") {
            plan = count.split_whitespace().next().and_then(|count| count.parse().ok());
        } else if is_result(line, "not ok") {
            let expected = line.to_ascii_uppercase().contains("# TODO");
            tally += if expected { Tally { passed: 1, failed: 0 } } else { Tally::FAILED };
        } else if is_result(line, "ok") {
            tally.passed += 1;
        }
    }
    if plan != Some(tally.total()) {
        tally.failed += 1;
    }
    tally
}

fn is_result(line: &str, word: &str) -> bool {
    line.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

/// The summary of `node --test`, in either of its two spellings.
pub fn node(output: &str) -> Option<Tally> {
    let count = |word: &str| {
        output.lines().rev().find_map(|line| {
            let rest = line.strip_prefix("# ").or_else(|| line.strip_prefix("ℹ "))?;
            rest.strip_prefix(word)?.trim().parse::<u64>().ok()
        })
    };
    // A cancelled test did not pass, whatever it was waiting for.
    let cancelled = count("cancelled ").unwrap_or_default();
    Some(Tally { passed: count("pass ")?, failed: count("fail ")? + cancelled })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_programs_add_up() {
        let output = "running 2 tests\ntest result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\ntest result: FAILED. 1 passed; 3 failed; 0 ignored; 0 measured; 12 filtered out; finished in 0.1s\n";
        assert_eq!(cargo(output), Tally { passed: 3, failed: 3 });
        assert_eq!(cargo("error: could not compile"), Tally::default());
    }

    #[test]
    fn tap_counts_and_checks_the_plan() {
        assert_eq!(tap("1..2\nok 1 - a\nok 2 - b\n"), Tally { passed: 2, failed: 0 });
        assert_eq!(tap("1..2\nok 1 - a\nnot ok 2 - b\n# why\n"), Tally { passed: 1, failed: 1 });
        assert_eq!(tap("1..3\nok 1\nok 2\n"), Tally { passed: 2, failed: 1 });
        assert_eq!(tap("ok 1\nok 2\n1..2\n"), Tally { passed: 2, failed: 0 });
        assert_eq!(
            tap("1..2\nok 1 # SKIP no\nnot ok 2 # TODO later\n"),
            Tally { passed: 2, failed: 0 }
        );
        assert_eq!(tap("okay then\n"), Tally::FAILED);
    }

    #[test]
    fn node_summaries() {
        let tap = "# tests 5\n# suites 1\n# pass 3\n# fail 1\n# cancelled 1\n# skipped 0\n";
        assert_eq!(node(tap), Some(Tally { passed: 3, failed: 2 }));
        let spec = "✔ a\nℹ tests 2\nℹ pass 2\nℹ fail 0\nℹ cancelled 0\n";
        assert_eq!(node(spec), Some(Tally { passed: 2, failed: 0 }));
        assert_eq!(node("SyntaxError"), None);
    }

    #[test]
    fn a_bad_end_is_a_failure() {
        let good = Tally { passed: 2, failed: 0 };
        assert_eq!(good.with_status(false), Tally { passed: 2, failed: 1 });
        assert_eq!(good.with_status(true), good);
        assert_eq!(Tally { passed: 0, failed: 2 }.with_status(false).failed, 2);
    }
}
