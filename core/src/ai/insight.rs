//! What is worth knowing of what was said to and by a customer: their own sentences, found by the words in them. Nothing is asked.

mod rule;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::answer::sentences;
use crate::Result;
use crate::customer::{Checks, choices};
use crate::interaction::{Channel, Direction, Sentiment, required};

pub use rule::kinds;

/// What these rules call themselves.
pub const BUILTIN: &str = "builtin";
/// How many interactions are read, the latest.
pub const MAX_INTERACTIONS: usize = 50;
/// Of each, so many characters.
pub const MAX_TEXT: usize = 10_000;
/// The most insights, and of one kind.
pub const MAX: usize = 10;
const MAX_OF_KIND: usize = 3;
/// Of an insight, in characters.
pub const MAX_INSIGHT: usize = 300;

choices! {
    /// What it is; what matters more comes first.
    Kind {
        Complaint = "complaint", Deadline = "deadline", Intent = "intent", Competitor = "competitor", Price = "price",
        Praise = "praise", Equipment = "equipment", Preference = "preference",
    }
}

/// The arguments of `crm_interaction_texts`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InteractionTexts {
    pub customer_id: Option<Uuid>,
}

impl InteractionTexts {
    pub fn prepare(self) -> Result<Uuid> {
        let mut checks = Checks::default();
        let customer_id = required(&mut checks, "customer_id", self.customer_id);
        checks.finish()?;
        Ok(customer_id.unwrap_or_default())
    }
}

/// What was said once.
#[derive(Clone, Debug, Deserialize)]
pub struct Said {
    pub id: Uuid,
    /// In the org's time zone.
    pub day: NaiveDate,
    pub channel: Channel,
    pub direction: Option<Direction>,
    pub sentiment: Option<Sentiment>,
    pub text: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Insight {
    pub kind: Kind,
    pub text: String,
    /// The interactions that it is from.
    pub evidence: Vec<Uuid>,
}

impl Said {
    /// Whether it can be the customer's word: what the company writes is not, what it notes of a call is.
    fn is_theirs(&self) -> bool {
        match self.direction {
            Some(Direction::Inbound) | None => true,
            Some(Direction::Outbound) => {
                matches!(self.channel, Channel::PhoneOutbound | Channel::Phone)
            }
            Some(Direction::SystemGenerated) => false,
        }
    }
}

/// The most important first, of each kind the latest first; `said` comes latest first.
#[must_use]
pub fn builtin(said: &[Said]) -> Vec<Insight> {
    let mut found: Vec<Insight> = Vec::new();
    for one in said.iter().filter(|one| one.is_theirs()) {
        let text = one.text.as_deref().unwrap_or_default();
        // What they answer to is not what they say.
        let own = text.lines().filter(|line| !line.trim_start().starts_with('>'));
        for sentence in own.flat_map(sentences) {
            let sentence: String = sentence.trim().chars().take(MAX_INSIGHT).collect();
            for kind in kinds(&sentence) {
                let known =
                    found.iter_mut().find(|known| known.kind == kind && known.text == sentence);
                if let Some(known) = known {
                    if !known.evidence.contains(&one.id) {
                        known.evidence.push(one.id);
                    }
                } else {
                    found.push(Insight { kind, text: sentence.clone(), evidence: vec![one.id] });
                }
            }
        }
    }
    // Stable: the latest of a kind stays first.
    found.sort_by_key(|one| one.kind);
    let mut counts = [0; Kind::ALL.len()];
    found.retain(|one| {
        counts[one.kind as usize] += 1;
        counts[one.kind as usize] <= MAX_OF_KIND
    });
    found.truncate(MAX);
    found
}

/// In a few words, from the figures alone: how often, when last, and how they felt. `total` are all interactions there are.
#[must_use]
pub fn summary(said: &[Said], total: u64) -> String {
    let (Some(last), Some(first)) = (said.first(), said.last()) else {
        return "Nothing was said yet.".to_owned();
    };
    let day = |day: NaiveDate| day.format("%-d %B %Y").to_string();
    let times =
        |count: u64| if count == 1 { "1 contact".to_owned() } else { format!("{count} contacts") };
    let count = |sentiment| said.iter().filter(|one| one.sentiment == Some(sentiment)).count();
    let moods: Vec<_> = [Sentiment::Positive, Sentiment::Neutral, Sentiment::Negative]
        .into_iter()
        .map(|mood| (count(mood), mood.as_str()))
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| format!("{count} {name}"))
        .collect();
    let mood = match &moods[..] {
        [] => String::new(),
        moods => format!(" Mood since {}: {}.", day(first.day), moods.join(", ")),
    };
    let channel = last.channel.as_str().replace('_', " ");
    format!("{}, the last on {} ({channel}).{mood}", times(total), day(last.day))
}

#[cfg(test)]
mod tests;
