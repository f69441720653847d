//! The rules, one function each.

use std::ops::RangeInclusive;

use chrono::{Days, NaiveDate};

use super::{Advice, Ending, Fact, Facts, Invoice, Quote, Rule, workday};
use crate::customer::{LifecycleStage, Status};
use crate::followup::Priority;

/// How many days ago it happened: an answer to a complaint, a quote that nobody decided about, and so on.
const COMPLAINT: RangeInclusive<i64> = 0..=30;
const QUOTE_OPEN: RangeInclusive<i64> = 7..=90;
const QUOTE_DRAFT: RangeInclusive<i64> = 3..=60;
const VISIT_DONE: RangeInclusive<i64> = 2..=14;
const SERVICE_DUE: RangeInclusive<i64> = 330..=1095;
/// In how many days it ends.
const QUOTE_EXPIRING: RangeInclusive<i64> = 1..=7;
const MEMBERSHIP_ENDING: RangeInclusive<i64> = 0..=45;
const WARRANTY_ENDING: RangeInclusive<i64> = 0..=30;
/// An invoice that is overdue for so long is urgent.
const LONG_OVERDUE: i64 = 30;

pub fn all(facts: &Facts) -> Vec<Advice> {
    let mut found: Vec<_> = facts.invoices.iter().map(|one| invoice_overdue(facts, one)).collect();
    // Whom nobody wants to win back owes what they owe.
    if facts.customer.is_archived || facts.customer.status == Status::Blacklisted {
        return found;
    }
    found.extend(complaint(facts));
    found.extend(facts.quotes.iter().filter_map(|one| quote(facts, one)));
    found.extend(facts.memberships.iter().filter_map(|one| membership(facts, one)));
    found.extend(facts.visit_plans.iter().map(|one| visit_plan(facts, one)));
    found.extend(facts.warranties.iter().filter_map(|one| warranty(facts, one)));
    found.extend(service_due(facts));
    found.extend(visit_done(facts));
    if found.is_empty() {
        found.extend(quiet(facts));
    }
    found
}

impl Facts {
    fn ago(&self, day: NaiveDate) -> i64 {
        (self.today - day).num_days()
    }

    /// The next working day, or the one `before` days before that day where it is later.
    fn due(&self, day: NaiveDate, before: u64) -> NaiveDate {
        let tomorrow = self.today + Days::new(1);
        workday(tomorrow.max(day.checked_sub_days(Days::new(before)).unwrap_or(day)))
    }
}

fn days(count: i64) -> String {
    if count == 1 { "1 day".to_owned() } else { format!("{count} days") }
}

/// "today", "in 3 days".
fn coming(count: i64) -> String {
    if count == 0 { "today".to_owned() } else { format!("in {}", days(count)) }
}

/// "today", "3 days ago".
fn gone(count: i64) -> String {
    if count == 0 { "today".to_owned() } else { format!("{} ago", days(count)) }
}

fn complaint(facts: &Facts) -> Option<Advice> {
    let event = facts.complaint.filter(|event| COMPLAINT.contains(&facts.ago(event.day)))?;
    Some(Advice {
        rule: Rule::Complaint,
        priority: Priority::High,
        due_on: facts.due(facts.today, 0),
        title: "Call about what went wrong".to_owned(),
        description: "Read what they said, call, say what is done about it and until when.",
        reason: format!(
            "What they said last, {}, was negative, and nobody has answered.",
            gone(facts.ago(event.day))
        ),
        fact: Fact {
            table: "crm_interactions",
            id: event.id,
            field: "sentiment",
            value: "negative".to_owned(),
        },
    })
}

fn invoice_overdue(facts: &Facts, invoice: &Invoice) -> Advice {
    let late = facts.ago(invoice.due_on);
    Advice {
        rule: Rule::InvoiceOverdue,
        priority: if late >= LONG_OVERDUE { Priority::High } else { Priority::Medium },
        due_on: facts.due(facts.today, 0),
        title: format!("Ask for the payment of invoice {}", invoice.number),
        description: "Ask whether the invoice arrived and whether anything about it is wrong, and agree on a day of payment.",
        reason: format!(
            "Of invoice {} {} {} have been open since {}: {} overdue.",
            invoice.number,
            invoice.open,
            facts.currency,
            invoice.due_on,
            days(late)
        ),
        fact: Fact {
            table: "invoices",
            id: invoice.id,
            field: "due_at",
            value: invoice.due_on.to_string(),
        },
    }
}

fn quote(facts: &Facts, quote: &Quote) -> Option<Advice> {
    let fact = |field, day: NaiveDate| Fact {
        table: "quotes",
        id: quote.id,
        field,
        value: day.to_string(),
    };
    let amount = format!("Quote {} of {} {}", quote.number, quote.total, facts.currency);
    let Some(sent_on) = quote.sent_on else {
        let age = facts.ago(quote.made_on);
        return QUOTE_DRAFT.contains(&age).then(|| Advice {
            rule: Rule::QuoteDraft,
            priority: Priority::Low,
            due_on: facts.due(facts.today, 0),
            title: format!("Send quote {}", quote.number),
            description: "Finish the draft and send it, or delete it.",
            reason: format!("{amount} has been a draft for {}.", days(age)),
            fact: fact("created_at", quote.made_on),
        });
    };
    if let Some(until) = quote.valid_until {
        let left = -facts.ago(until);
        if QUOTE_EXPIRING.contains(&left) {
            return Some(Advice {
                rule: Rule::QuoteExpiring,
                priority: Priority::High,
                due_on: facts.due(facts.today, 0).min(until),
                title: format!("Call before quote {} expires", quote.number),
                description: "Ask what is missing for a decision; make it valid for longer if they need the time.",
                reason: format!(
                    "{amount} is valid until {until}, {}, and not decided.",
                    coming(left)
                ),
                fact: fact("valid_until", until),
            });
        }
        if left <= 0 {
            return None;
        }
    }
    let age = facts.ago(sent_on);
    QUOTE_OPEN.contains(&age).then(|| Advice {
        rule: Rule::QuoteOpen,
        priority: Priority::Medium,
        due_on: facts.due(facts.today, 0),
        title: format!("Ask about quote {}", quote.number),
        description: "Ask whether the quote is clear and what would help them to decide, and offer a date.",
        reason: format!("{amount} was sent {} and is not decided.", gone(age)),
        fact: fact("sent_at", sent_on),
    })
}

fn membership(facts: &Facts, plan: &Ending) -> Option<Advice> {
    let left = -facts.ago(plan.ends_on);
    MEMBERSHIP_ENDING.contains(&left).then(|| Advice {
        rule: Rule::MembershipEnding,
        priority: Priority::Medium,
        due_on: facts.due(plan.ends_on, 30),
        title: format!("Renew the membership {}", plan.title),
        description: "Say what they got out of it, and offer to go on.",
        reason: format!(
            "The membership {} ends on {}, {}.",
            plan.title,
            plan.ends_on,
            coming(left)
        ),
        fact: ends("customer_memberships", "ends_on", plan),
    })
}

/// Whether it ends soon is known to who reads its rule of recurrence.
fn visit_plan(facts: &Facts, plan: &Ending) -> Advice {
    Advice {
        rule: Rule::VisitPlanEnding,
        priority: Priority::Medium,
        due_on: facts.due(plan.ends_on, 30),
        title: format!("Renew the visits of {}", plan.title),
        description: "Ask whether the visits shall go on, and make a new plan.",
        reason: format!(
            "The last visit of {} is on {}, {}.",
            plan.title,
            plan.ends_on,
            coming(-facts.ago(plan.ends_on))
        ),
        fact: ends("visit_plans", "rrule", plan),
    }
}

fn warranty(facts: &Facts, warranty: &Ending) -> Option<Advice> {
    let left = -facts.ago(warranty.ends_on);
    WARRANTY_ENDING.contains(&left).then(|| Advice {
        rule: Rule::WarrantyEnding,
        priority: Priority::Low,
        due_on: facts.due(warranty.ends_on, 14),
        title: format!("Offer a check before the warranty of {} ends", warranty.title),
        description: "Offer a visit while what is found is still under warranty, and a plan for the time after.",
        reason: format!(
            "The warranty of {} ends on {}, {}.",
            warranty.title,
            warranty.ends_on,
            coming(left)
        ),
        fact: ends("warranties", "ends_on", warranty),
    })
}

fn ends(table: &'static str, field: &'static str, ending: &Ending) -> Fact {
    Fact { table, id: ending.id, field, value: ending.ends_on.to_string() }
}

fn service_due(facts: &Facts) -> Option<Advice> {
    let visit = facts.last_visit.filter(|visit| SERVICE_DUE.contains(&facts.ago(visit.day)))?;
    let settled = facts.has_open_visit
        || facts.has_visit_plan
        || facts.customer.lifecycle_stage == LifecycleStage::FormerCustomer;
    (!settled).then(|| Advice {
        rule: Rule::ServiceDue,
        priority: Priority::Medium,
        due_on: facts.due(visit.day + Days::new(365), 0),
        title: "Offer the yearly service".to_owned(),
        description: "Offer a date for the next service, or a plan of visits that come by themselves.",
        reason: format!(
            "The last visit was {}; none is scheduled or planned.",
            gone(facts.ago(visit.day))
        ),
        fact: visited(visit),
    })
}

fn visit_done(facts: &Facts) -> Option<Advice> {
    let visit = facts.last_visit.filter(|visit| VISIT_DONE.contains(&facts.ago(visit.day)))?;
    let spoken = facts.last_interaction.is_some_and(|last| last.day >= visit.day);
    (!spoken).then(|| Advice {
        rule: Rule::VisitDone,
        priority: Priority::Low,
        due_on: facts.due(facts.today, 0),
        title: "Ask how the visit went".to_owned(),
        description: "Ask whether everything works and whether they would recommend the company.",
        reason: format!(
            "A visit was completed {}, and nobody has talked to them since.",
            gone(facts.ago(visit.day))
        ),
        fact: visited(visit),
    })
}

fn visited(visit: super::Event) -> Fact {
    Fact { table: "work_orders", id: visit.id, field: "completed_at", value: visit.day.to_string() }
}

fn quiet(facts: &Facts) -> Option<Advice> {
    if facts.has_open_visit || facts.has_followup || facts.customer.status == Status::Inactive {
        return None;
    }
    let (after, priority, title, description) = match facts.customer.lifecycle_stage {
        LifecycleStage::Lead => (
            7,
            Priority::Low,
            "Get in touch",
            "Ask what they need and by when, and offer a visit or a quote.",
        ),
        LifecycleStage::Opportunity => (
            14,
            Priority::Medium,
            "Keep the conversation going",
            "Ask where they are with their decision, and offer the next step.",
        ),
        LifecycleStage::Customer => (
            180,
            Priority::Low,
            "Check in",
            "Ask whether everything works and whether anything is coming up.",
        ),
        LifecycleStage::FormerCustomer => (
            365,
            Priority::Low,
            "Ask whether they want to come back",
            "Say what is new, and ask what they would need to come back.",
        ),
    };
    let (since, fact) = match (facts.last_interaction, facts.last_visit) {
        (Some(said), visit) if visit.is_none_or(|visit| visit.day <= said.day) => (
            said.day,
            Fact {
                table: "crm_interactions",
                id: said.id,
                field: "occurred_at",
                value: said.day.to_string(),
            },
        ),
        (_, Some(visit)) => (visit.day, visited(visit)),
        _ => {
            let value = facts.customer.since.to_string();
            let id = facts.customer.id;
            (facts.customer.since, Fact { table: "customers", id, field: "created_at", value })
        }
    };
    let silent = facts.ago(since);
    (silent >= after).then(|| Advice {
        rule: Rule::Quiet,
        priority,
        due_on: facts.due(facts.today, 0),
        title: title.to_owned(),
        description,
        reason: format!("Nothing was heard or done for {}.", days(silent)),
        fact,
    })
}
