//! What to come back to a customer for: rules over what is known of them, with texts of their own. Nothing is asked.

mod rule;

use std::collections::BTreeMap;

use chrono::{Datelike, Days, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Result;
use crate::customer::{Checks, LifecycleStage, Status, choices};
use crate::followup::{FollowupStatus, Priority};
use crate::interaction::required;

/// What these rules call themselves.
pub const BUILTIN: &str = "builtin";

/// The most suggestions for one customer at a time.
pub const MAX: usize = 5;

/// What the keys of suggestions begin with.
pub const KEY: &str = "suggestion:";

/// How many days ahead the last visit of a plan is looked for.
pub const PLAN_DAYS: u64 = 45;

choices! {
    /// What a suggestion comes from; of two that are as important, the first is named first.
    Rule {
        Complaint = "complaint", InvoiceOverdue = "invoice_overdue", QuoteExpiring = "quote_expiring",
        QuoteOpen = "quote_open", MembershipEnding = "membership_ending", VisitPlanEnding = "visit_plan_ending",
        ServiceDue = "service_due", WarrantyEnding = "warranty_ending", QuoteDraft = "quote_draft",
        VisitDone = "visit_done", Quiet = "quiet",
    }
}

/// The arguments of `crm_suggest_followups`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuggestFollowups {
    pub customer_id: Option<Uuid>,
}

impl SuggestFollowups {
    pub fn prepare(self) -> Result<Uuid> {
        let mut checks = Checks::default();
        let customer_id = required(&mut checks, "customer_id", self.customer_id);
        checks.finish()?;
        Ok(customer_id.unwrap_or_default())
    }
}

/// What is known of one customer. Days are those of the org's time zone.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    pub today: NaiveDate,
    pub currency: String,
    pub customer: Customer,
    pub last_interaction: Option<Event>,
    /// The last interaction whose sentiment is known, where that is negative and nobody has answered since.
    pub complaint: Option<Event>,
    pub last_visit: Option<Event>,
    pub has_open_visit: bool,
    pub has_visit_plan: bool,
    /// Whether somebody comes back to them anyway.
    pub has_followup: bool,
    pub quotes: Vec<Quote>,
    /// Those that are overdue.
    pub invoices: Vec<Invoice>,
    pub memberships: Vec<Ending>,
    pub visit_plans: Vec<Ending>,
    pub warranties: Vec<Ending>,
    /// What was suggested before, by key.
    pub suggested: BTreeMap<String, FollowupStatus>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Customer {
    pub id: Uuid,
    pub lifecycle_stage: LifecycleStage,
    pub status: Status,
    pub is_archived: bool,
    pub since: NaiveDate,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    pub id: Uuid,
    pub day: NaiveDate,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quote {
    pub id: Uuid,
    pub number: String,
    pub total: String,
    pub made_on: NaiveDate,
    /// None: a draft.
    pub sent_on: Option<NaiveDate>,
    pub valid_until: Option<NaiveDate>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invoice {
    pub id: Uuid,
    pub number: String,
    /// What is not paid yet.
    pub open: String,
    pub due_on: NaiveDate,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ending {
    pub id: Uuid,
    pub title: String,
    pub ends_on: NaiveDate,
}

/// A row of the database that a suggestion comes from, and what of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fact {
    pub table: &'static str,
    pub id: Uuid,
    pub field: &'static str,
    pub value: String,
}

/// What to do, until when, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Suggestion {
    pub title: String,
    pub description: String,
    pub due_on: NaiveDate,
    pub priority: Priority,
    /// The same rule over the same fact is the same suggestion.
    pub dedupe_key: String,
    pub related_interaction_id: Option<Uuid>,
    pub related_work_order_id: Option<Uuid>,
    pub evidence: Value,
    #[serde(skip)]
    pub rule: Rule,
}

/// What a rule says of a fact.
struct Advice {
    rule: Rule,
    priority: Priority,
    due_on: NaiveDate,
    title: String,
    description: &'static str,
    reason: String,
    fact: Fact,
}

impl Advice {
    fn suggestion(self) -> Suggestion {
        let Fact { table, id, value, .. } = &self.fact;
        Suggestion {
            dedupe_key: format!("{KEY}{}:{id}:{value}", self.rule.as_str()),
            related_interaction_id: (*table == "crm_interactions").then_some(*id),
            related_work_order_id: (*table == "work_orders").then_some(*id),
            evidence: json!({
                "provider": BUILTIN, "rule": self.rule, "reason": self.reason, "facts": [self.fact],
            }),
            title: self.title.chars().take(crate::customer::MAX_NAME).collect(),
            description: self.description.to_owned(),
            due_on: self.due_on,
            priority: self.priority,
            rule: self.rule,
        }
    }
}

/// The most important first. What was suggested, and is done or dismissed, is not suggested again.
#[must_use]
pub fn suggest(facts: &Facts) -> Vec<Suggestion> {
    let mut found: Vec<_> = rule::all(facts).into_iter().map(Advice::suggestion).collect();
    found.retain(|one| {
        facts.suggested.get(&one.dedupe_key).is_none_or(|status| *status == FollowupStatus::Pending)
    });
    found.sort_by(|a, b| {
        let key = |one: &Suggestion| (std::cmp::Reverse(one.priority), one.rule, one.due_on);
        key(a).cmp(&key(b)).then_with(|| a.dedupe_key.cmp(&b.dedupe_key))
    });
    found.truncate(MAX);
    found
}

/// The day, or the Monday after it.
fn workday(day: NaiveDate) -> NaiveDate {
    match day.weekday() {
        Weekday::Sat => day + Days::new(2),
        Weekday::Sun => day + Days::new(1),
        _ => day,
    }
}

#[cfg(test)]
mod tests;
