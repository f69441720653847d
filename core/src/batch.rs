//! How much a job does in one call.

use std::ops::RangeInclusive;

use serde::Deserialize;

use crate::Result;
use crate::customer::Checks;

/// How many rows one call takes, unless the job says otherwise.
const DEFAULT: i64 = 1000;
const MAX: i64 = 10_000;

/// The arguments of a job that takes nothing but a limit.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Batch {
    pub batch_limit: Option<i64>,
}

impl Batch {
    /// The limit, checked.
    pub fn prepare(self) -> Result<i64> {
        let mut checks = Checks::default();
        let limit = limit(&mut checks, self.batch_limit);
        checks.finish()?;
        Ok(limit)
    }
}

/// A `batch_limit` among other arguments.
pub(crate) fn limit(checks: &mut Checks, batch_limit: Option<i64>) -> i64 {
    let limit = batch_limit.unwrap_or(DEFAULT);
    check(checks, "batch_limit", limit, 1..=MAX);
    limit
}

pub(crate) fn check(checks: &mut Checks, path: &str, value: i64, range: RangeInclusive<i64>) {
    if !range.contains(&value) {
        let message = format!("must be between {} and {}", range.start(), range.end());
        checks.fail(path, "out_of_range", message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_one_to_ten_thousand() {
        for (given, expected) in [
            (None, Some(1000)),
            (Some(1), Some(1)),
            (Some(10_000), Some(10_000)),
            (Some(0), None),
            (Some(10_001), None),
        ] {
            assert_eq!(Batch { batch_limit: given }.prepare().ok(), expected, "{given:?}");
        }
    }
}
