//! What models outside are asked, and what it may cost.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Result;
use crate::customer::{Checks, choices};

choices! {
    /// For what a model is asked.
    Feature {
        Segment = "segment", Sentiment = "sentiment", Suggestion = "suggestion", LeadScore = "lead_score",
        Draft = "draft", Insight = "insight", Assistant = "assistant",
    }
}

/// The most one question may cost, or be thought to: a thousand US dollars.
pub const MAX_MICROS: i64 = 1_000_000_000;

/// A question that is about to be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reservation {
    pub org_id: Uuid,
    pub feature: Feature,
    pub provider: String,
    pub model: String,
    /// In millionths of a US dollar, no less than it may cost.
    pub estimated_micros: i64,
}

/// What a question did cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settlement {
    pub org_id: Uuid,
    pub id: Uuid,
    pub input_tokens: i32,
    pub output_tokens: i32,
    pub cost_micros: i64,
}

impl Reservation {
    pub fn prepare(self) -> Result<Self> {
        let mut checks = Checks::default();
        for (path, text, most) in [("provider", &self.provider, 60), ("model", &self.model, 200)] {
            if text.is_empty() || text.chars().count() > most {
                checks.fail(path, "invalid_value", format!("must be 1 to {most} characters"));
            }
        }
        crate::batch::check(&mut checks, "estimated_micros", self.estimated_micros, 0..=MAX_MICROS);
        checks.finish()?;
        Ok(self)
    }
}

impl Settlement {
    pub fn prepare(self) -> Result<Self> {
        let mut checks = Checks::default();
        let tokens = 0..=i64::from(i32::MAX);
        crate::batch::check(&mut checks, "input_tokens", self.input_tokens.into(), tokens.clone());
        crate::batch::check(&mut checks, "output_tokens", self.output_tokens.into(), tokens);
        crate::batch::check(&mut checks, "cost_micros", self.cost_micros, 0..=MAX_MICROS);
        checks.finish()?;
        Ok(self)
    }
}

/// What tokens cost, in millionths of a US dollar for a million of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Price {
    pub input: u64,
    pub output: u64,
}

impl Price {
    /// In millionths of a US dollar, rounded up.
    #[must_use]
    pub fn of(self, input_tokens: u64, output_tokens: u64) -> i64 {
        let cost = u128::from(input_tokens) * u128::from(self.input)
            + u128::from(output_tokens) * u128::from(self.output);
        i64::try_from(cost.div_ceil(1_000_000)).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_by_the_million_and_rounds_up() {
        let price = Price { input: 3_000_000, output: 15_000_000 };
        for (input, output, cost) in [(0, 0, 0), (1, 0, 3), (1_000_000, 1_000_000, 18_000_000)] {
            assert_eq!(price.of(input, output), cost);
        }
        assert_eq!(Price { input: 1, output: 0 }.of(1, 0), 1);
    }
}
