//! The arguments of the job that finds sentiments.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Result;
use crate::batch::check;
use crate::customer::Checks;
use crate::interaction::Sentiment;

const DEFAULT_BATCH: i64 = 50;
const MAX_BATCH: i64 = 100;
const MAX_ERROR: usize = 500;

/// The arguments of `crm_claim_sentiments`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClaimSentiments {
    pub batch_limit: Option<i64>,
}

impl ClaimSentiments {
    /// How many texts.
    pub fn prepare(self) -> Result<i64> {
        let mut checks = Checks::default();
        let limit = self.batch_limit.unwrap_or(DEFAULT_BATCH);
        check(&mut checks, "batch_limit", limit, 1..=MAX_BATCH);
        checks.finish()?;
        Ok(limit)
    }
}

/// The arguments of `crm_store_sentiments`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StoreSentiments {
    /// Of the claim that handed the texts out.
    pub lease_id: Uuid,
    pub results: Vec<Finding>,
}

/// What became of one text: its sentiment, or why there is none.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    pub id: Uuid,
    #[serde(default)]
    pub sentiment: Option<Sentiment>,
    #[serde(default)]
    pub error: Option<String>,
}

impl StoreSentiments {
    pub fn prepare(mut self) -> Result<Self> {
        let mut checks = Checks::default();
        let most = usize::try_from(MAX_BATCH).unwrap_or_default();
        if self.results.len() > most {
            checks.fail("results", "too_many", format!("at most {most}"));
        }
        let mut ids = std::collections::HashSet::new();
        for (place, finding) in self.results.iter_mut().take(most).enumerate() {
            if !ids.insert(finding.id) {
                checks.fail(format!("results[{place}].id"), "duplicate", "is there already");
            }
            let path = format!("results[{place}].error");
            finding.error = checks.text(&path, finding.error.take(), MAX_ERROR);
            if finding.sentiment.is_some() == finding.error.is_some() {
                let message = "give a sentiment, or an error";
                checks.fail(format!("results[{place}]"), "invalid_value", message);
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
        let store = json!({"lease_id": Uuid::nil(), "results": results});
        let prepared = patch::read::<StoreSentiments>(store).and_then(StoreSentiments::prepare);
        prepared
            .err()
            .map(|error| error.errors.into_iter().map(|error| error.path).collect())
            .unwrap_or_default()
    }

    #[test]
    fn a_result_is_a_sentiment_or_an_error() {
        let id = |number| Uuid::from_u128(number);
        let fine = json!([{"id": id(1), "sentiment": "negative"}, {"id": id(2), "error": "busy"}]);
        assert_eq!(paths(&fine), <[&str; 0]>::default());
        for (result, path) in [
            (json!({"id": id(1)}), "results[0]"),
            (json!({"id": id(1), "sentiment": "neutral", "error": "x"}), "results[0]"),
            (json!({"id": id(1), "error": " "}), "results[0]"),
            (json!({"id": id(1), "sentiment": "angry"}), "results[0].sentiment"),
            (json!({"id": id(1), "sentiment": "neutral", "org_id": id(2)}), "results[0].org_id"),
            (json!({"id": "x", "sentiment": "neutral"}), "results[0].id"),
        ] {
            assert_eq!(paths(&json!([result])), [path], "{result}");
        }
        let twice = json!([{"id": id(1), "error": "x".repeat(501)}, {"id": id(1), "error": "x"}]);
        assert_eq!(paths(&twice), ["results[0].error", "results[1].id"]);
        let many: Vec<_> = (0..101).map(|n| json!({"id": id(n), "sentiment": "neutral"})).collect();
        assert_eq!(paths(&json!(many)), ["results"]);
    }

    #[test]
    fn a_claim_is_one_to_a_hundred_texts() {
        for (given, expected) in [
            (None, Some(50)),
            (Some(1), Some(1)),
            (Some(100), Some(100)),
            (Some(0), None),
            (Some(101), None),
        ] {
            assert_eq!(ClaimSentiments { batch_limit: given }.prepare().ok(), expected);
        }
    }
}
