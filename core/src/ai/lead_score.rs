//! How likely a lead is to convert, from 0 to 100, and why: a logistic model over what is known of it. An org that has
//! converted and lost enough leads has its own weights, learned from them each time; the others have the ones below.

mod features;
mod logistic;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use features::{Lead, Reason};
pub use logistic::auc;

use crate::Result;
use crate::batch;
use crate::customer::Checks;
use features::{COUNT, LEARNED, MEANS, WEIGHTS, reasons};
use logistic::{Fit, fit};

/// What these models call themselves.
pub const BUILTIN: &str = "builtin";
/// So many converted, and so many lost, are enough to learn from.
pub const MIN_OUTCOMES: usize = 50;
/// The most, of the latest, that are learned from.
pub const MAX_OUTCOMES: i64 = 2000;
/// The most leads that one call scores.
pub const MAX_LEADS: i64 = 1000;
/// What is learned is measured on parts that it was not learned from, so many in turn.
const FOLDS: usize = 5;
const RIDGE: f64 = 1.0;

/// The arguments of `crm_score_leads`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScoreLeads {
    pub lead_ids: Option<Vec<Uuid>>,
    pub page_size: Option<i64>,
}

impl ScoreLeads {
    /// The leads, or all that are open, and how many at most.
    pub fn prepare(self) -> Result<(Option<Vec<Uuid>>, i64)> {
        let mut checks = Checks::default();
        let size = self.page_size.unwrap_or(MAX_LEADS);
        batch::check(&mut checks, "page_size", size, 1..=MAX_LEADS);
        let mut ids = self.lead_ids;
        if let Some(ids) = &mut ids {
            ids.sort_unstable();
            ids.dedup();
            if i64::try_from(ids.len()).is_ok_and(|count| count > MAX_LEADS) {
                checks.fail("lead_ids", "too_long", "at most 1,000 leads at once");
            }
        }
        checks.finish()?;
        Ok((ids, size))
    }
}

/// What was found out about a lead.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Score {
    pub id: Uuid,
    /// The probability in percent.
    pub score: u8,
    pub reasons: Vec<Reason>,
}

/// A model, and how good it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Model {
    pub provider: &'static str,
    /// Whether its weights are the org's own.
    pub is_trained: bool,
    pub converted: usize,
    pub lost: usize,
    /// The area under the ROC curve on outcomes that it was not learned from; none where there are too few outcomes.
    pub auc: Option<f64>,
    #[serde(skip)]
    fit: Fit<COUNT>,
    #[serde(skip)]
    means: [f64; COUNT],
}

impl Model {
    /// The weights that everybody begins with.
    #[must_use]
    pub fn builtin() -> Self {
        Self {
            provider: BUILTIN,
            is_trained: false,
            converted: 0,
            lost: 0,
            auc: None,
            fit: Fit { intercept: features::INTERCEPT, weights: WEIGHTS },
            means: MEANS,
        }
    }

    /// Learned from leads whose outcome is known, where they are enough and it does better than what everybody begins with.
    #[must_use]
    pub fn learn(outcomes: &[(Lead, bool)]) -> Self {
        let mut outcomes: Vec<_> = outcomes.iter().collect();
        // The same leads make the same model, in whatever order they come.
        outcomes.sort_by_key(|(lead, _)| lead.id);
        let labels: Vec<_> = outcomes.iter().map(|(_, won)| *won).collect();
        let rows: Vec<_> = outcomes.iter().map(|(lead, _)| lead.features()).collect();
        let converted = labels.iter().filter(|won| **won).count();
        let lost = labels.len() - converted;
        let builtin = Self { converted, lost, ..Self::builtin() };
        if converted < MIN_OUTCOMES || lost < MIN_OUTCOMES {
            return builtin;
        }
        let start: Vec<_> = rows.iter().map(|row| builtin.fit.logit(row)).collect();
        let start_auc = auc(&start, &labels);
        let mut held_out = vec![0.0; rows.len()];
        for fold in 0..FOLDS {
            let (mut seen, mut seen_labels) = (Vec::new(), Vec::new());
            for (at, (row, won)) in rows.iter().zip(&labels).enumerate() {
                if at % FOLDS != fold {
                    seen.push(*row);
                    seen_labels.push(*won);
                }
            }
            let part = fit(&seen, &seen_labels, RIDGE);
            for at in (fold..rows.len()).step_by(FOLDS) {
                held_out[at] = part.logit(&rows[at]);
            }
        }
        let learned_auc = auc(&held_out, &labels);
        if learned_auc.is_none() || learned_auc <= start_auc {
            // Its order is the better one, but how many convert is the org's own.
            return Self { auc: start_auc, ..builtin }.calibrated(&start, &labels);
        }
        let all = fit(&rows, &labels, RIDGE);
        let means = features::means(&rows);
        let learned = Self { is_trained: true, auc: learned_auc, fit: all, means, ..builtin };
        learned.calibrated(&held_out, &labels)
    }

    /// So that of the leads with a score of 30 about 30 in 100 convert: Platt's way, on what was held out.
    fn calibrated(mut self, logits: &[f64], labels: &[bool]) -> Self {
        let rows: Vec<_> = logits.iter().map(|logit| [*logit]).collect();
        let Fit { intercept, weights: [slope] } = fit(&rows, labels, RIDGE);
        // An order that is worse than none is not turned around: then all leads are the same.
        let slope = slope.max(0.0);
        self.fit.intercept = self.fit.intercept * slope + intercept;
        self.fit.weights = self.fit.weights.map(|weight| weight * slope);
        self
    }

    /// The probability that it converts.
    #[must_use]
    pub fn probability(&self, lead: &Lead) -> f64 {
        logistic::sigmoid(self.fit.logit(&lead.features()))
    }

    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100")]
    pub fn score(&self, lead: &Lead) -> Score {
        let row = lead.features();
        let effects: [f64; COUNT] =
            std::array::from_fn(|at| self.fit.weights[at] * (row[at] - self.means[at]));
        Score {
            id: lead.id,
            score: (self.probability(lead) * 100.0).round() as u8,
            reasons: reasons(lead, &effects),
        }
    }

    /// What is learned, and its weight, for whoever wants to look into it.
    pub fn weights(&self) -> impl Iterator<Item = (&'static str, f64)> {
        LEARNED.into_iter().zip(self.fit.weights)
    }
}

#[cfg(test)]
mod tests;
