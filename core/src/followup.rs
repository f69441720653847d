//! Follow-ups: what may be written, and from which state to which they go.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::customer::{Checks, MAX_NOTES, choices};
use crate::interaction::{check_time, required};
use crate::patch::{Field, present};
use crate::{Code, Error, Result, automation, batch};

choices! {
    /// `cancelled` is read too; stored is `canceled`.
    FollowupStatus {
        Pending = "pending", Completed = "completed", Canceled = "canceled" | "cancelled",
        Expired = "expired",
    }
}
choices! { Priority { Low = "low", Medium = "medium", High = "high", } }
choices! {
    /// Who thought of it.
    Origin { Manual = "manual", AiRecommendation = "ai_recommendation", SystemRule = "system_rule", }
}

/// The longest key, as the table has it.
const MAX_DEDUPE_KEY: usize = 255;
/// How long a pending follow-up may be overdue before it expires, in hours, unless the job says otherwise.
pub const EXPIRE_AFTER_HOURS: i64 = 30 * 24;
const MAX_EXPIRE_AFTER_HOURS: i64 = 10 * 366 * 24;

impl FollowupStatus {
    /// Whether asking for `to` changes anything, or why it cannot be asked for.
    ///
    /// What is done or canceled is opened again before it becomes the other; only the job expires.
    pub fn change_to(self, to: Self) -> Result<bool> {
        match (self, to) {
            (from, to) if from == to => Ok(false),
            (Self::Pending, Self::Completed | Self::Canceled) | (_, Self::Pending) => Ok(true),
            _ => Err(Error::new(
                Code::WrongState,
                format!("It is {}: set it to pending first.", self.as_str()),
            )
            .with("status", self.as_str())),
        }
    }
}

/// The arguments of `crm_create_followup`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewFollowup {
    pub customer_id: Option<Uuid>,
    pub title: Option<String>,
    pub due_at: Option<DateTime<Utc>>,
    pub description: Option<String>,
    pub priority: Option<Priority>,
    /// The caller, where it is absent.
    pub assigned_to_user_id: Option<Uuid>,
    pub related_interaction_id: Option<Uuid>,
    pub related_work_order_id: Option<Uuid>,
    pub dedupe_key: Option<String>,
    pub remind_at: Option<DateTime<Utc>>,
    pub idempotency_key: Option<String>,
}

/// The arguments of `crm_ensure_followup`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnsureFollowup {
    pub customer_id: Option<Uuid>,
    pub title: Option<String>,
    pub due_at: Option<DateTime<Utc>>,
    pub dedupe_key: Option<String>,
    pub description: Option<String>,
    pub priority: Option<Priority>,
    pub assigned_to_user_id: Option<Uuid>,
    pub origin: Option<Origin>,
    pub related_interaction_id: Option<Uuid>,
    pub related_work_order_id: Option<Uuid>,
    pub remind_at: Option<DateTime<Utc>>,
}

/// The columns of `crm_followups` that a caller decides.
#[derive(Debug, Serialize)]
pub struct FollowupRow {
    pub customer_id: Uuid,
    pub title: String,
    pub due_at: DateTime<Utc>,
    pub description: Option<String>,
    pub priority: Priority,
    pub assigned_to_user_id: Option<Uuid>,
    pub related_interaction_id: Option<Uuid>,
    pub related_work_order_id: Option<Uuid>,
    pub dedupe_key: Option<String>,
    pub remind_at: Option<DateTime<Utc>>,
    pub origin: Origin,
}

impl NewFollowup {
    pub fn prepare(self) -> Result<FollowupRow> {
        let mut checks = Checks::default();
        let customer_id = required(&mut checks, "customer_id", self.customer_id);
        let title = checks.required("title", self.title);
        let due_at = required(&mut checks, "due_at", self.due_at);
        check_time(&mut checks, "due_at", due_at);
        check_time(&mut checks, "remind_at", self.remind_at);
        let description = checks.text("description", self.description, MAX_NOTES);
        let dedupe_key = checks.text("dedupe_key", self.dedupe_key, MAX_DEDUPE_KEY);
        checks.finish()?;
        Ok(FollowupRow {
            customer_id: customer_id.unwrap_or_default(),
            title,
            due_at: due_at.unwrap_or_default(),
            description,
            priority: self.priority.unwrap_or(Priority::Medium),
            assigned_to_user_id: self.assigned_to_user_id,
            related_interaction_id: self.related_interaction_id,
            related_work_order_id: self.related_work_order_id,
            dedupe_key,
            remind_at: self.remind_at,
            origin: Origin::Manual,
        })
    }
}

impl EnsureFollowup {
    pub fn prepare(self) -> Result<FollowupRow> {
        let new = NewFollowup {
            customer_id: self.customer_id,
            title: self.title,
            due_at: self.due_at,
            description: self.description,
            priority: self.priority,
            assigned_to_user_id: self.assigned_to_user_id,
            related_interaction_id: self.related_interaction_id,
            related_work_order_id: self.related_work_order_id,
            dedupe_key: self.dedupe_key,
            remind_at: self.remind_at,
            idempotency_key: None,
        };
        Ok(FollowupRow { origin: self.origin.unwrap_or(Origin::Manual), ..new.prepare()? })
    }
}

impl FollowupRow {
    /// The key of a follow-up that nobody gave one: what is asked for the same customer, with the same title,
    /// due at the same time and about the same interaction and work order, is the same.
    ///
    /// The title is first and the only part that may have a bar in it, so no two lists make one occurrence.
    #[must_use]
    pub fn key(&self, org_id: Uuid) -> String {
        let id = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
        let occurrence = format!(
            "{}|{}|{}|{}",
            self.title,
            self.due_at.to_rfc3339_opts(SecondsFormat::Micros, true),
            id(self.related_interaction_id),
            id(self.related_work_order_id),
        );
        automation::key(org_id, self.origin.as_str(), self.customer_id, &occurrence).to_string()
    }
}

/// The argument `patch` of `crm_update_followup`: an absent key leaves the field, null clears it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FollowupPatch {
    pub status: Option<FollowupStatus>,
    #[serde(deserialize_with = "present")]
    pub completion_notes: Field<String>,
    pub title: Option<String>,
    #[serde(deserialize_with = "present")]
    pub description: Field<String>,
    pub due_at: Option<DateTime<Utc>>,
    pub priority: Option<Priority>,
    #[serde(deserialize_with = "present")]
    pub assigned_to_user_id: Field<Uuid>,
    #[serde(deserialize_with = "present")]
    pub remind_at: Field<DateTime<Utc>>,
}

/// A checked [`FollowupPatch`].
#[derive(Debug)]
pub struct PreparedFollowupPatch {
    pub status: Option<FollowupStatus>,
    pub assigned_to_user_id: Option<Uuid>,
    /// Columns to set, all but the status; null clears.
    set: Map<String, Value>,
}

impl FollowupPatch {
    pub fn prepare(self) -> Result<PreparedFollowupPatch> {
        let mut checks = Checks::default();
        let mut set = Map::new();
        if self.status == Some(FollowupStatus::Expired) {
            checks.fail("status", "invalid_value", "expected one of pending, completed, canceled");
        }
        if let Some(title) = self.title {
            set.insert("title".to_owned(), checks.required("title", Some(title)).into());
        }
        for (key, field) in
            [("description", self.description), ("completion_notes", self.completion_notes)]
        {
            if let Some(raw) = field {
                set.insert(key.to_owned(), json!(checks.text(key, raw, MAX_NOTES)));
            }
        }
        if let Some(due_at) = self.due_at {
            check_time(&mut checks, "due_at", Some(due_at));
            set.insert("due_at".to_owned(), json!(due_at));
        }
        if let Some(priority) = self.priority {
            set.insert("priority".to_owned(), json!(priority));
        }
        if let Some(assignee) = self.assigned_to_user_id {
            set.insert("assigned_to_user_id".to_owned(), json!(assignee));
        }
        if let Some(remind_at) = self.remind_at {
            check_time(&mut checks, "remind_at", remind_at);
            set.insert("remind_at".to_owned(), json!(remind_at));
        }
        checks.finish()?;
        let assigned_to_user_id = self.assigned_to_user_id.flatten();
        Ok(PreparedFollowupPatch { status: self.status, assigned_to_user_id, set })
    }
}

impl PreparedFollowupPatch {
    /// The columns to set on a follow-up that is `from`; none where nothing would change.
    pub fn changes(mut self, from: FollowupStatus) -> Result<Map<String, Value>> {
        if let Some(to) = self.status
            && from.change_to(to)?
        {
            self.set.insert("status".to_owned(), json!(to));
            if to == FollowupStatus::Pending {
                // What was noted when it was closed is in the audit trail.
                self.set.entry("completion_notes").or_insert(Value::Null);
            }
        }
        Ok(self.set)
    }
}

/// The arguments of `crm_expire_followups`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExpireFollowups {
    pub grace_hours: Option<i64>,
    pub batch_limit: Option<i64>,
}

impl ExpireFollowups {
    /// Grace in hours and batch limit.
    pub fn prepare(self) -> Result<(i64, i64)> {
        let mut checks = Checks::default();
        let grace = self.grace_hours.unwrap_or(EXPIRE_AFTER_HOURS);
        batch::check(&mut checks, "grace_hours", grace, 0..=MAX_EXPIRE_AFTER_HOURS);
        let limit = batch::limit(&mut checks, self.batch_limit);
        checks.finish()?;
        Ok((grace, limit))
    }
}

#[cfg(test)]
mod tests {
    use super::FollowupStatus::{Canceled, Completed, Expired, Pending};
    use super::*;
    use crate::patch;

    fn patch(input: Value, from: FollowupStatus) -> Result<Value> {
        patch::read::<FollowupPatch>(input)?.prepare()?.changes(from).map(Value::Object)
    }

    fn paths<T: std::fmt::Debug>(outcome: Result<T>) -> Vec<String> {
        outcome.unwrap_err().errors.into_iter().map(|error| error.path).collect()
    }

    #[test]
    fn every_pair_of_states_is_a_change_nothing_or_refused() {
        for (from, to, expected) in [
            (Pending, Pending, Ok(false)),
            (Pending, Completed, Ok(true)),
            (Pending, Canceled, Ok(true)),
            (Pending, Expired, Err(Code::WrongState)),
            (Completed, Pending, Ok(true)),
            (Completed, Completed, Ok(false)),
            (Completed, Canceled, Err(Code::WrongState)),
            (Completed, Expired, Err(Code::WrongState)),
            (Canceled, Pending, Ok(true)),
            (Canceled, Completed, Err(Code::WrongState)),
            (Canceled, Canceled, Ok(false)),
            (Canceled, Expired, Err(Code::WrongState)),
            (Expired, Pending, Ok(true)),
            (Expired, Completed, Err(Code::WrongState)),
            (Expired, Canceled, Err(Code::WrongState)),
            (Expired, Expired, Ok(false)),
        ] {
            let found = from.change_to(to).map_err(|error| error.code);
            assert_eq!(found, expected, "{} -> {}", from.as_str(), to.as_str());
        }
    }

    #[test]
    fn a_patch_holds_what_it_names_and_the_status_only_if_it_changes() {
        let close = json!({"status": "completed", "completion_notes": " called "});
        assert_eq!(
            patch(close.clone(), Pending).unwrap(),
            json!({"status": "completed", "completion_notes": "called"})
        );
        assert_eq!(patch(close, Completed).unwrap(), json!({"completion_notes": "called"}));
        assert_eq!(patch(json!({"status": "completed"}), Completed).unwrap(), json!({}));
        assert_eq!(patch(json!({"status": null}), Canceled).unwrap(), json!({}));
        let cleared = json!({"description": null, "assigned_to_user_id": null});
        assert_eq!(patch(cleared.clone(), Pending).unwrap(), cleared);
    }

    #[test]
    fn opening_again_forgets_the_notes_of_closing() {
        let opened = patch(json!({"status": "pending"}), Completed).unwrap();
        assert_eq!(opened, json!({"status": "pending", "completion_notes": null}));
    }

    #[test]
    fn both_spellings_of_canceled_are_read() {
        for spelling in ["canceled", "cancelled"] {
            let set = patch(json!({"status": spelling}), Pending).unwrap();
            assert_eq!(set, json!({"status": "canceled"}));
        }
    }

    #[test]
    fn all_mistakes_are_reported_at_once() {
        let new =
            json!({"title": " ", "description": "x".repeat(20_001), "dedupe_key": "k".repeat(256)});
        assert_eq!(
            paths(patch::read::<NewFollowup>(new).unwrap().prepare()),
            ["customer_id", "title", "due_at", "description", "dedupe_key"]
        );
        let wrong = json!({"status": "expired", "title": "", "due_at": "1700-01-01T00:00:00Z"});
        assert_eq!(paths(patch(wrong, Pending)), ["status", "title", "due_at"]);
        assert_eq!(paths(patch(json!({"origin": "system_rule"}), Pending)), ["origin"]);
        let job = ExpireFollowups { grace_hours: Some(-1), batch_limit: Some(0) };
        assert_eq!(paths(job.prepare()), ["grace_hours", "batch_limit"]);
    }

    fn ensured(change: impl FnOnce(&mut EnsureFollowup)) -> String {
        let asked = json!({
            "customer_id": Uuid::from_u128(7), "title": " Call back ", "due_at": "2027-01-05T15:00:00Z",
        });
        let mut asked = patch::read::<EnsureFollowup>(asked).unwrap();
        change(&mut asked);
        asked.prepare().unwrap().key(Uuid::from_u128(1))
    }

    #[test]
    fn a_key_is_what_makes_it_the_same_follow_up_and_nothing_else() {
        let key = ensured(|_| ());
        assert_eq!(key, "d8ada8c8-942c-588b-914b-ce63f3192be2", "as it is stored: never another");
        for same in [
            ensured(|asked| asked.title = Some("Call back".to_owned())),
            ensured(|asked| asked.due_at = "2027-01-05T16:00:00+01:00".parse().ok()),
            ensured(|asked| asked.priority = Some(Priority::High)),
            ensured(|asked| asked.description = Some("About the pump.".to_owned())),
            ensured(|asked| asked.remind_at = asked.due_at),
            ensured(|asked| asked.assigned_to_user_id = Some(Uuid::from_u128(2))),
        ] {
            assert_eq!(same, key);
        }
        let mut keys = vec![
            key,
            ensured(|asked| asked.customer_id = Some(Uuid::from_u128(8))),
            ensured(|asked| asked.title = Some("Call back|".to_owned())),
            ensured(|asked| asked.due_at = "2027-01-05T15:00:00.000001Z".parse().ok()),
            ensured(|asked| asked.origin = Some(Origin::AiRecommendation)),
            ensured(|asked| asked.related_interaction_id = Some(Uuid::from_u128(9))),
            ensured(|asked| asked.related_work_order_id = Some(Uuid::from_u128(9))),
        ];
        let all = keys.len();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), all);
    }
}
