//! The arguments of scoring a segment's customers.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Result;
use crate::batch::check;
use crate::customer::Checks;

/// What answers name as `provider` where no model was asked.
pub const BUILTIN: &str = "builtin";
const THRESHOLD: i64 = 50;
const MAX_SCORE: i64 = 100;
const DEFAULT_BATCH: i64 = 500;
const MAX_BATCH: i64 = 1_000;
const MAX_REASON: usize = 500;
const MAX_PROVIDER: usize = 60;
const MAX_MODEL: usize = 200;

/// The arguments of `crm_score_segment`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreSegment {
    pub segment_id: Uuid,
    #[serde(default)]
    pub threshold: Option<i64>,
    #[serde(default)]
    pub only_matching: Option<bool>,
}

impl ScoreSegment {
    /// The threshold.
    pub fn threshold(&self) -> Result<i64> {
        let mut checks = Checks::default();
        let threshold = self.threshold.unwrap_or(THRESHOLD);
        check(&mut checks, "threshold", threshold, 0..=MAX_SCORE);
        checks.finish()?;
        Ok(threshold)
    }
}

/// The arguments of `crm_claim_scores`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClaimScores {
    pub batch_limit: Option<i64>,
    /// Whether a model is to be told about the customers.
    pub facts: Option<bool>,
}

impl ClaimScores {
    /// How many customers.
    pub fn limit(self) -> Result<i64> {
        let mut checks = Checks::default();
        let limit = self.batch_limit.unwrap_or(DEFAULT_BATCH);
        check(&mut checks, "batch_limit", limit, 1..=MAX_BATCH);
        checks.finish()?;
        Ok(limit)
    }
}

/// The arguments of `crm_store_scores`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StoreScores {
    pub job_id: Uuid,
    /// Of the claim that handed the customers out.
    pub lease_id: Uuid,
    /// Who scored.
    pub provider: String,
    #[serde(default)]
    pub model: Option<String>,
    pub results: Vec<Scored>,
}

/// What became of one customer: a score and why, or why there is none.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Scored {
    pub id: Uuid,
    #[serde(default)]
    pub score: Option<i64>,
    #[serde(default)]
    pub reason: Option<String>,
    #[serde(default)]
    pub error: Option<String>,
    /// With an error: the model is not available, which says nothing of this customer.
    #[serde(default)]
    pub unavailable: bool,
}

impl StoreScores {
    pub fn prepare(mut self) -> Result<Self> {
        let mut checks = Checks::default();
        let provider =
            checks.text("provider", Some(std::mem::take(&mut self.provider)), MAX_PROVIDER);
        match provider {
            Some(provider) => self.provider = provider,
            None => checks.fail("provider", "missing", "must not be empty"),
        }
        self.model = checks.text("model", self.model.take(), MAX_MODEL);
        let most = usize::try_from(MAX_BATCH).unwrap_or_default();
        if self.results.len() > most {
            checks.fail("results", "too_many", format!("at most {most}"));
        }
        let mut ids = std::collections::HashSet::new();
        for (place, one) in self.results.iter_mut().take(most).enumerate() {
            let path = |name: &str| format!("results[{place}].{name}");
            if !ids.insert(one.id) {
                checks.fail(path("id"), "duplicate", "is there already");
            }
            one.reason = checks.text(&path("reason"), one.reason.take(), MAX_REASON);
            one.error = checks.text(&path("error"), one.error.take(), MAX_REASON);
            if let Some(score) = one.score {
                check(&mut checks, &path("score"), score, 0..=MAX_SCORE);
            }
            if (one.score.is_some() && one.reason.is_some()) == one.error.is_some() {
                let message = "give a score and its reason, or an error";
                checks.fail(format!("results[{place}]"), "invalid_value", message);
            }
            if one.unavailable && one.error.is_none() {
                checks.fail(path("unavailable"), "invalid_value", "is said of an error");
            }
        }
        checks.finish()?;
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::patch;

    fn paths(results: &Value) -> Vec<String> {
        let store = json!({"job_id": Uuid::nil(), "lease_id": Uuid::nil(), "provider": "builtin", "results": results});
        let prepared = patch::read::<StoreScores>(store).and_then(StoreScores::prepare);
        let errors = prepared.err().map(|error| error.errors).unwrap_or_default();
        errors.into_iter().map(|error| error.path).collect()
    }

    #[test]
    fn a_result_is_a_score_with_its_reason_or_an_error() {
        let id = Uuid::from_u128(1);
        for (result, expected) in [
            (json!({"id": id, "score": 0, "reason": "x"}), None),
            (json!({"id": id, "score": 100, "reason": "x"}), None),
            (json!({"id": id, "error": "busy"}), None),
            (json!({"id": id, "error": "down", "unavailable": true}), None),
            (
                json!({"id": id, "score": 1, "reason": "x", "unavailable": true}),
                Some("results[0].unavailable"),
            ),
            (json!({"id": id}), Some("results[0]")),
            (json!({"id": id, "score": 1}), Some("results[0]")),
            (json!({"id": id, "score": 1, "reason": "x", "error": "x"}), Some("results[0]")),
            (json!({"id": id, "score": 101, "reason": "x"}), Some("results[0].score")),
            (json!({"id": id, "score": 1.5, "reason": "x"}), Some("results[0].score")),
            (json!({"id": id, "score": 1, "reason": "x".repeat(501)}), Some("results[0].reason")),
            (json!({"id": id, "score": 1, "reason": "x", "org_id": id}), Some("results[0].org_id")),
        ] {
            assert_eq!(paths(&json!([result])).first().map(String::as_str), expected, "{result}");
        }
        let one = json!({"id": id, "score": 1, "reason": "x"});
        assert_eq!(paths(&json!([one, one])), ["results[1].id"]);
    }

    #[test]
    fn a_threshold_is_a_score() {
        let of = |threshold| {
            let segment_id = Uuid::nil();
            ScoreSegment { segment_id, threshold, only_matching: None }.threshold().ok()
        };
        assert_eq!(
            [None, Some(0), Some(100), Some(-1), Some(101)].map(of),
            [Some(50), Some(0), Some(100), None, None]
        );
    }
}
