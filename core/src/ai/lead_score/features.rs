//! What of a lead counts, and how it is said. Whatever happened is as of the lead's first days, or of its end: so one that
//! was lost long ago and one that is open are measured alike.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub const COUNT: usize = 14;

/// What each weight is about.
pub const LEARNED: [&str; COUNT] = [
    "source_referral",
    "source_organic",
    "source_google_ads",
    "source_facebook_ads",
    "source_other",
    "email",
    "phone",
    "full_name",
    "notes",
    "messages_in",
    "messages_out",
    "answered",
    "answer_time",
    "silence",
];

/// What is usually so in the trade: a referral and a lead that writes back are worth more, one that is silent less.
pub const INTERCEPT: f64 = -0.9;
pub const WEIGHTS: [f64; COUNT] =
    [0.9, 0.3, 0.1, -0.3, 0.0, 0.2, 0.4, 0.2, 0.3, 0.8, 0.1, 0.4, -0.15, -0.5];
pub const MEANS: [f64; COUNT] =
    [0.15, 0.2, 0.25, 0.2, 0.1, 0.8, 0.6, 0.7, 0.4, 0.7, 0.7, 0.6, 1.2, 1.9];

/// A reason that moves the odds by less than this is none.
const SMALL: f64 = 0.05;
const MAX_REASONS: usize = 3;

/// What is known of a lead.
#[allow(clippy::struct_excessive_bools, reason = "facts that do not depend on each other")]
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lead {
    pub id: Uuid,
    pub source: Option<String>,
    pub has_email: bool,
    pub has_phone: bool,
    pub has_full_name: bool,
    pub has_notes: bool,
    /// What the lead wrote, and what was written or said to it, within a week.
    pub messages_in: u32,
    pub messages_out: u32,
    /// After how many hours it was answered for the first time, within a week.
    pub answer_hours: Option<f64>,
    /// How many days ago it came in, or wrote last.
    pub silent_days: f64,
}

/// Why a score is what it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reason {
    pub feature: &'static str,
    /// How far it moves the logarithm of the odds from those of the usual lead.
    pub effect: f64,
    pub text: String,
}

impl Lead {
    #[must_use]
    pub fn features(&self) -> [f64; COUNT] {
        let yes = |flag: bool| f64::from(u8::from(flag));
        let source = self.source.as_deref().map(|text| text.trim().to_lowercase());
        let source = source.as_deref().filter(|text| !text.is_empty());
        let is = |name: &str| yes(source == Some(name));
        let known = ["referral", "organic", "google_ads", "facebook_ads"];
        let more = |count: f64| count.clamp(0.0, 100_000.0).ln_1p();
        [
            is(known[0]),
            is(known[1]),
            is(known[2]),
            is(known[3]),
            yes(source.is_some_and(|text| !known.contains(&text))),
            yes(self.has_email),
            yes(self.has_phone),
            yes(self.has_full_name),
            yes(self.has_notes),
            more(f64::from(self.messages_in)),
            more(f64::from(self.messages_out)),
            yes(self.answer_hours.is_some()),
            more(self.answer_hours.unwrap_or(0.0)),
            more(self.silent_days),
        ]
    }

    /// One of [`LEARNED`] in words; several that are one thing in the same.
    fn text(&self, feature: &'static str) -> String {
        let has = |flag: bool, what: &str| {
            format!("Has {} {what}", if flag { "given" } else { "not given" })
        };
        let messages = |count: u32| match count {
            1 => "1 message".to_owned(),
            many => format!("{many} messages"),
        };
        match feature {
            "source" => match self.source.as_deref() {
                Some(source) => format!("Came from {source}"),
                None => "Came from nobody knows where".to_owned(),
            },
            "email" => has(self.has_email, "an e-mail address"),
            "phone" => has(self.has_phone, "a phone number"),
            "full_name" => has(self.has_full_name, "a full name"),
            "notes" => {
                if self.has_notes { "There are notes" } else { "There are no notes" }.to_owned()
            }
            "messages_in" => match self.messages_in {
                0 => "Wrote nothing in the first week".to_owned(),
                count => format!("Wrote {} in the first week", messages(count)),
            },
            "messages_out" => match self.messages_out {
                0 => "Was sent nothing in the first week".to_owned(),
                count => format!("Was sent {} in the first week", messages(count)),
            },
            "answer" => match self.answer_hours {
                None => "Was not answered within a week".to_owned(),
                Some(hours) if hours < 1.0 => "Was answered within an hour".to_owned(),
                Some(hours) if hours < 48.0 => format!("Was answered after {hours:.0} hours"),
                Some(hours) => format!("Was answered after {:.0} days", hours / 24.0),
            },
            _ => match self.silent_days {
                days if days < 1.0 => "Came in or wrote today".to_owned(),
                days => format!("Was last heard of {days:.0} days ago"),
            },
        }
    }
}

pub fn means(rows: &[[f64; COUNT]]) -> [f64; COUNT] {
    #[allow(clippy::cast_precision_loss, reason = "a few thousand rows")]
    let count = (rows.len() as f64).max(1.0);
    std::array::from_fn(|at| rows.iter().map(|row| row[at]).sum::<f64>() / count)
}

/// What moves the odds most, for or against.
pub fn reasons(lead: &Lead, effects: &[f64; COUNT]) -> Vec<Reason> {
    let mut found: Vec<(&'static str, f64)> = Vec::new();
    for (name, effect) in LEARNED.into_iter().zip(effects) {
        let group = match name {
            name if name.starts_with("source_") => "source",
            "answered" | "answer_time" => "answer",
            name => name,
        };
        match found.iter_mut().find(|(known, _)| *known == group) {
            Some((_, sum)) => *sum += effect,
            None => found.push((group, *effect)),
        }
    }
    found.retain(|(_, effect)| effect.abs() >= SMALL);
    found.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then_with(|| a.0.cmp(b.0)));
    found.truncate(MAX_REASONS);
    let rounded = |effect: f64| (effect * 100.0).round() / 100.0;
    found
        .into_iter()
        .map(|(feature, effect)| Reason {
            feature,
            effect: rounded(effect),
            text: lead.text(feature),
        })
        .collect()
}
