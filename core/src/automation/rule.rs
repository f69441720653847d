//! Rules: what may be written, as a whole and as a change of what is there.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::MAX_MINUTES;
use super::action::Action;
use super::check::{self, Started};
use super::event::{self, EVENT_TYPES, NO_REPLY};
use crate::customer::{Checks, MAX_NOTES, choices};
use crate::interaction::required;
use crate::patch::{Field, given, present};
use crate::segment::{self, Definition};
use crate::{Error, FieldError, Result};

choices! {
    /// What a rule waits for.
    Trigger {
        Event = "event", TimeBased = "time_based", SegmentMembership = "segment_membership",
    }
}
choices! {
    /// How often a rule acts for one customer: one run ever, one for each event, one in `cooldown_minutes`.
    Reenrollment { Once = "once", PerEpisode = "per_episode", Cooldown = "cooldown", }
}
choices! { SegmentChange { Entered = "entered", Left = "left", } }

/// How late a run may act, in minutes, unless the rule says otherwise: a day.
pub const MAX_LATENESS_MINUTES: i64 = 1_440;

/// The arguments of `crm_create_automation_rule`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewRule {
    pub name: Option<String>,
    pub description: Option<String>,
    pub is_enabled: Option<bool>,
    pub trigger_type: Option<Trigger>,
    pub event_type: Option<String>,
    pub time_offset_minutes: Option<i64>,
    pub segment_id: Option<Uuid>,
    pub segment_change: Option<SegmentChange>,
    pub conditions: Option<Value>,
    pub actions: Option<Value>,
    pub reenrollment: Option<Reenrollment>,
    pub cooldown_minutes: Option<i64>,
    pub max_lateness_minutes: Option<i64>,
    pub idempotency_key: Option<String>,
}

/// The columns of `crm_automation_rules` that a caller decides.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Rule {
    pub name: String,
    pub description: Option<String>,
    pub is_enabled: bool,
    pub trigger_type: Trigger,
    pub event_type: Option<String>,
    pub time_offset_minutes: Option<i64>,
    pub segment_id: Option<Uuid>,
    pub segment_change: SegmentChange,
    pub conditions: Option<Value>,
    pub actions: Value,
    pub reenrollment: Reenrollment,
    pub cooldown_minutes: Option<i64>,
    pub max_lateness_minutes: i64,
}

/// A checked rule.
#[derive(Clone, Debug)]
pub struct PreparedRule {
    pub rule: Rule,
    /// What was read of the conditions and the actions; none where a change left them as they are.
    pub read: Option<ReadRule>,
}

/// The parts of a rule that name other things of the org.
#[derive(Clone, Debug)]
pub struct ReadRule {
    pub conditions: Option<Definition>,
    pub actions: Vec<Action>,
}

impl NewRule {
    pub fn prepare(self) -> Result<PreparedRule> {
        let mut checks = Checks::default();
        let name = checks.required("name", self.name);
        let description = checks.text("description", self.description, MAX_NOTES);
        let trigger_type = required(&mut checks, "trigger_type", self.trigger_type);
        let actions = required(&mut checks, "actions", self.actions);
        let (Some(trigger_type), Some(actions)) = (trigger_type, actions) else {
            // The rest would only speak of what is not there.
            return Err(checks
                .finish()
                .err()
                .unwrap_or_else(|| Error::internal("nothing is missing")));
        };
        let rule = Rule {
            name,
            description,
            is_enabled: self.is_enabled.unwrap_or(true),
            trigger_type,
            event_type: self.event_type,
            time_offset_minutes: self.time_offset_minutes,
            segment_id: self.segment_id,
            segment_change: self.segment_change.unwrap_or(SegmentChange::Entered),
            conditions: self.conditions,
            actions,
            reenrollment: self.reenrollment.unwrap_or(Reenrollment::PerEpisode),
            cooldown_minutes: self.cooldown_minutes,
            max_lateness_minutes: self.max_lateness_minutes.unwrap_or(MAX_LATENESS_MINUTES),
        };
        rule.prepare(checks, true)
    }
}

/// The argument `patch` of `crm_update_automation_rule`: an absent key leaves the field, null clears it, or is
/// refused where there is nothing to clear.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RulePatch {
    #[serde(deserialize_with = "given")]
    pub name: Option<String>,
    #[serde(deserialize_with = "present")]
    pub description: Field<String>,
    #[serde(deserialize_with = "given")]
    pub is_enabled: Option<bool>,
    #[serde(deserialize_with = "given")]
    pub trigger_type: Option<Trigger>,
    #[serde(deserialize_with = "present")]
    pub event_type: Field<String>,
    #[serde(deserialize_with = "present")]
    pub time_offset_minutes: Field<i64>,
    #[serde(deserialize_with = "present")]
    pub segment_id: Field<Uuid>,
    #[serde(deserialize_with = "given")]
    pub segment_change: Option<SegmentChange>,
    #[serde(deserialize_with = "present")]
    pub conditions: Field<Value>,
    #[serde(deserialize_with = "given")]
    pub actions: Option<Value>,
    #[serde(deserialize_with = "given")]
    pub reenrollment: Option<Reenrollment>,
    #[serde(deserialize_with = "present")]
    pub cooldown_minutes: Field<i64>,
    #[serde(deserialize_with = "given")]
    pub max_lateness_minutes: Option<i64>,
}

impl RulePatch {
    /// What the rule will be. What it names is looked at again where the patch is about that, or lets the rule
    /// begin: a rule whose template is gone can still be renamed and disabled.
    pub fn prepare(self, stored: Rule) -> Result<PreparedRule> {
        let mut checks = Checks::default();
        let enables = self.is_enabled == Some(true) && !stored.is_enabled;
        let again = enables
            || self.trigger_type.is_some()
            || self.event_type.is_some()
            || self.segment_id.is_some()
            || self.segment_change.is_some()
            || self.conditions.is_some()
            || self.actions.is_some();
        let rule = Rule {
            name: match self.name {
                Some(name) => checks.required("name", Some(name)),
                None => stored.name,
            },
            description: match self.description {
                Some(text) => checks.text("description", text, MAX_NOTES),
                None => stored.description,
            },
            is_enabled: self.is_enabled.unwrap_or(stored.is_enabled),
            trigger_type: self.trigger_type.unwrap_or(stored.trigger_type),
            event_type: self.event_type.unwrap_or(stored.event_type),
            time_offset_minutes: self.time_offset_minutes.unwrap_or(stored.time_offset_minutes),
            segment_id: self.segment_id.unwrap_or(stored.segment_id),
            segment_change: self.segment_change.unwrap_or(stored.segment_change),
            conditions: self.conditions.unwrap_or(stored.conditions),
            actions: self.actions.unwrap_or(stored.actions),
            reenrollment: self.reenrollment.unwrap_or(stored.reenrollment),
            cooldown_minutes: self.cooldown_minutes.unwrap_or(stored.cooldown_minutes),
            max_lateness_minutes: self.max_lateness_minutes.unwrap_or(stored.max_lateness_minutes),
        };
        rule.prepare(checks, again)
    }
}

impl Rule {
    /// The type of the events that start it, as the column `listens_to` has it.
    #[must_use]
    pub fn listens_to(&self) -> &str {
        let by_segment = self.trigger_type == Trigger::SegmentMembership
            || (self.event_type.is_none() && self.segment_id.is_some());
        match self.event_type.as_deref() {
            _ if by_segment => match self.segment_change {
                SegmentChange::Entered => "segment_entered",
                SegmentChange::Left => "segment_left",
            },
            Some(NO_REPLY) => "interaction_logged",
            Some(name) => name,
            None => "customer_created",
        }
    }

    fn prepare(mut self, mut checks: Checks, read: bool) -> Result<PreparedRule> {
        self.check_trigger(&mut checks);
        self.check_limits(&mut checks);
        let read = read.then(|| {
            let conditions = self.conditions.as_ref().and_then(|raw| {
                segment::parse(raw).map_err(|errors| note(&mut checks, "conditions", errors)).ok()
            });
            let actions = check::read(&mut checks, &self.actions, &Started::by(self.listens_to()));
            ReadRule { conditions, actions }
        });
        checks.finish()?;
        if let Some(read) = &read {
            self.actions = serde_json::to_value(&read.actions).unwrap_or_default();
        }
        Ok(PreparedRule { rule: self, read })
    }

    fn check_trigger(&self, checks: &mut Checks) {
        if let Some(name) = &self.event_type {
            event::check_type(checks, "event_type", name);
        }
        match self.trigger_type {
            Trigger::Event => {
                if self.event_type.is_none() {
                    let message = "a rule with trigger_type event needs one";
                    checks.fail("event_type", "required", message);
                }
                if self.segment_id.is_some() {
                    let message = "is for other triggers: ask for the segment in the conditions";
                    checks.fail("segment_id", "not_allowed", message);
                }
            }
            Trigger::TimeBased => {
                if self.time_offset_minutes.is_none() {
                    let message = "a rule with trigger_type time_based needs it";
                    checks.fail("time_offset_minutes", "required", message);
                }
                if self.event_type.is_some() && self.segment_id.is_some() {
                    let message = "time is counted from event_type or from segment_id: set one of them to null";
                    checks.fail("segment_id", "not_allowed", message);
                }
            }
            Trigger::SegmentMembership => {
                if self.segment_id.is_none() {
                    let message = "a rule with trigger_type segment_membership needs one";
                    checks.fail("segment_id", "required", message);
                }
                if self.event_type.is_some() {
                    let message = "is for other triggers: set it to null";
                    checks.fail("event_type", "not_allowed", message);
                }
            }
        }
        if self.segment_change == SegmentChange::Left && self.segment_id.is_none() {
            checks.fail("segment_change", "not_allowed", "says something about segment_id only");
        }
        if self.event_type.as_deref() == Some(NO_REPLY)
            && self.time_offset_minutes.is_none_or(|minutes| minutes < 1)
        {
            let message = "no_reply needs the minutes that the customer has to answer";
            checks.fail("time_offset_minutes", "required", message);
        }
    }

    fn check_limits(&self, checks: &mut Checks) {
        for (path, value, least) in [
            ("time_offset_minutes", self.time_offset_minutes, 0),
            ("cooldown_minutes", self.cooldown_minutes, 1),
            ("max_lateness_minutes", Some(self.max_lateness_minutes), 1),
        ] {
            if value.is_some_and(|value| !(least..=MAX_MINUTES).contains(&value)) {
                let message = format!("must be from {least} to {MAX_MINUTES} minutes");
                checks.fail(path, "out_of_range", message);
            }
        }
        match (self.reenrollment, self.cooldown_minutes) {
            (Reenrollment::Cooldown, None) => {
                let message = "reenrollment cooldown needs it";
                checks.fail("cooldown_minutes", "required", message);
            }
            (Reenrollment::Once | Reenrollment::PerEpisode, Some(_)) => {
                let message = "is for reenrollment cooldown: set it to null";
                checks.fail("cooldown_minutes", "not_allowed", message);
            }
            _ => {}
        }
    }
}

fn note(checks: &mut Checks, argument: &str, errors: Vec<FieldError>) {
    for error in errors {
        checks.fail(within(argument, &error.path), &error.code, error.message);
    }
}

/// The path of something in a definition that is an argument.
#[must_use]
pub fn within(argument: &str, path: &str) -> String {
    if path == "$" { argument.to_owned() } else { format!("{argument}.{path}") }
}

impl PreparedRule {
    /// What is no mistake for sure: conditions that nobody can match, an event that nothing here writes.
    #[must_use]
    pub fn warnings(&self) -> Vec<FieldError> {
        let mut found = Vec::new();
        let name = self.rule.event_type.as_deref();
        if let Some(name) = name.filter(|name| *name != NO_REPLY && event::find(name).is_none()) {
            let known: Vec<_> = EVENT_TYPES.iter().map(|known| known.name).collect();
            let message = format!(
                "nothing here writes {name}: it comes from crm_emit_event only. Known are {}",
                known.join(", ")
            );
            found.push(FieldError::new("event_type", "unknown_event_type", message));
        }
        let conditions = self.read.as_ref().and_then(|read| read.conditions.as_ref());
        found.extend(
            conditions
                .into_iter()
                .flat_map(segment::warnings)
                .map(|warning| FieldError { path: within("conditions", &warning.path), ..warning }),
        );
        found
    }
}
