//! A rule and its runs, as the runner sees them.

use std::collections::HashMap;

use fieldcrm_core::{Error, segment};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reenrollment {
    Once,
    #[default]
    PerEpisode,
    Cooldown,
}

/// The columns of `crm_automation_rules` that decide what is done.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Rule {
    pub id: Uuid,
    pub org_id: Uuid,
    pub version: i64,
    pub event_type: Option<String>,
    pub time_offset_minutes: Option<i64>,
    pub conditions: Option<Value>,
    pub actions: Value,
    pub reenrollment: Reenrollment,
    pub cooldown_minutes: Option<i64>,
    pub max_lateness_minutes: i64,
}

impl Rule {
    /// Whether it matters to the rule what came of what happened to the customer before.
    pub fn looks_back(&self) -> bool {
        self.conditions.is_some() || self.reenrollment == Reenrollment::Cooldown
    }

    /// Whether it is about archived customers too: if its conditions ask for that, as in segments.
    pub fn takes_archived(&self) -> bool {
        let definition = self.conditions.as_ref().map(segment::parse);
        matches!(definition, Some(Ok(definition)) if definition.names_archived())
    }

    pub fn waits_for_no_reply(&self) -> bool {
        self.event_type.as_deref() == Some("no_reply")
    }
}

/// A run that is to act now.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub id: Uuid,
    /// The place of its rule in the list that goes with it.
    pub rule: usize,
    pub customer_id: Uuid,
    pub occurrence: String,
    /// {`event_type`, `event_key`, `occurred_at`, `payload`}
    pub event: Value,
    /// The rules on whose behalf the event happened.
    pub rule_chain: Vec<Uuid>,
    /// What the conditions saw just now; none where nothing new was asked.
    pub matched: Option<Value>,
}

/// The customers that a call has locked: whether each is archived, and closed.
#[derive(Debug, Default)]
pub(super) struct Held(HashMap<Uuid, (bool, bool)>);

impl Held {
    pub fn new(customers: impl IntoIterator<Item = (Uuid, bool, bool)>) -> Self {
        let customers = customers.into_iter();
        Self(customers.map(|(id, archived, closed)| (id, (archived, closed))).collect())
    }

    pub fn has(&self, customer_id: Uuid) -> bool {
        self.0.contains_key(&customer_id)
    }

    /// Why a rule must leave the customer alone, if so.
    pub fn refuses(&self, customer_id: Uuid, rule: &Rule) -> Option<Skip> {
        let (archived, closed) = self.0.get(&customer_id).copied().unwrap_or_default();
        if closed {
            Some(Skip::Closed)
        } else if archived && !rule.takes_archived() {
            Some(Skip::Archived)
        } else {
            None
        }
    }
}

/// Why a rule did nothing for a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Skip {
    Loop,
    TooDeep,
    Closed,
    Archived,
    TooLate,
    Cooldown,
    Disabled,
    Conditions,
    Replied,
    Superseded,
}

impl Skip {
    const ALL: &'static [Self] = &[
        Self::Loop,
        Self::TooDeep,
        Self::Closed,
        Self::Archived,
        Self::TooLate,
        Self::Cooldown,
        Self::Disabled,
        Self::Conditions,
        Self::Replied,
        Self::Superseded,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Loop => "loop",
            Self::TooDeep => "too_deep",
            Self::Closed => "closed",
            Self::Archived => "archived",
            Self::TooLate => "too_late",
            Self::Cooldown => "cooldown",
            Self::Disabled => "disabled",
            Self::Conditions => "conditions",
            Self::Replied => "replied",
            Self::Superseded => "superseded",
        }
    }

    const fn reason(self) -> &'static str {
        match self {
            Self::Loop => "The rule itself had led to this event.",
            Self::TooDeep => {
                "Too many rules had led to this event, one acting on what the other did."
            }
            Self::Closed => "The customer was erased, or merged into another one.",
            Self::Archived => "The customer is archived.",
            Self::TooLate => "It would have acted later than the rule allows.",
            Self::Cooldown => "The rule took the customer in not long ago.",
            Self::Disabled => "The rule was disabled while this run waited.",
            Self::Conditions => "The customer no longer met the conditions when the run fell due.",
            Self::Replied => "The customer replied.",
            Self::Superseded => "Somebody wrote to the customer again, which starts the wait anew.",
        }
    }

    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.as_str() == code)
    }

    /// {code: reason}, for the statements that write runs.
    pub fn reasons() -> Value {
        Self::ALL.iter().map(|skip| (skip.as_str().to_owned(), json!(skip.reason()))).collect()
    }
}

/// How a run ended.
#[derive(Debug)]
pub(super) enum Outcome {
    Success(Vec<Value>),
    Failed(Error),
    Skipped(Skip),
}

/// What a call did.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub enrolled: u64,
    pub succeeded: u64,
    pub failed: u64,
    pub skipped: u64,
    pub scheduled: u64,
}

/// Puts what happened into rounds: what a rule that looks back hears about a customer comes in a later round
/// than everything that happened to the customer before. So it does not matter how much one call takes on.
pub(super) fn rounds(happened: impl IntoIterator<Item = (Uuid, bool)>) -> Vec<usize> {
    let mut last: HashMap<Uuid, usize> = HashMap::new();
    happened
        .into_iter()
        .map(|(customer_id, looks_back)| {
            *last
                .entry(customer_id)
                .and_modify(|round| *round += usize::from(looks_back))
                .or_default()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_back_waits_for_what_was_before() {
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let happened =
            [(one, true), (one, false), (other, false), (one, true), (one, false), (other, true)];
        assert_eq!(rounds(happened), [0, 0, 0, 1, 1, 1]);
    }

    #[test]
    fn every_reason_has_a_code_of_its_own() {
        let reasons = Skip::reasons();
        assert_eq!(reasons.as_object().map(serde_json::Map::len), Some(Skip::ALL.len()));
        assert!(Skip::ALL.iter().all(|skip| Skip::parse(skip.as_str()) == Some(*skip)));
        assert_eq!(Skip::parse("bored"), None);
    }
}
