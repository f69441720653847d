//! Messages to customers as templates of ours, for a person to read before anybody gets one: with texts of their own, and what a
//! model may write instead.

mod check;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, NaiveTime};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::suggestion;
use crate::customer::{Checks, choices};
use crate::interaction::{Sentiment, required};
use crate::template;
use crate::{Code, Error, Result};

pub use check::problems;

/// What these texts call themselves.
pub const BUILTIN: &str = "builtin";
/// The language of these texts.
pub const ENGLISH: &str = "en";
/// What a person asks for beside the purpose.
const MAX_INSTRUCTIONS: usize = 1_000;

choices! {
    /// Where the message is to go.
    Channel { Email = "email", Sms = "sms", }
}
choices! {
    /// What the message is for.
    Purpose {
        QuoteFollowUp = "quote_follow_up", InvoiceReminder = "invoice_reminder", VisitReminder = "visit_reminder",
        VisitThanks = "visit_thanks", MembershipRenewal = "membership_renewal", WinBack = "win_back",
        Introduction = "introduction", Reply = "reply",
    }
}

/// The body of a request for a draft.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DraftMessage {
    pub channel: Option<Channel>,
    pub purpose: Option<Purpose>,
    pub instructions: Option<String>,
    pub language: Option<String>,
}

/// What is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    pub channel: Channel,
    pub purpose: Purpose,
    pub instructions: Option<String>,
    pub language: Option<String>,
}

impl DraftMessage {
    pub fn prepare(self) -> Result<Wish> {
        let mut checks = Checks::default();
        let purpose = required(&mut checks, "purpose", self.purpose);
        let instructions = checks.text("instructions", self.instructions, MAX_INSTRUCTIONS);
        let language = checks.language("language", self.language);
        checks.finish()?;
        Ok(Wish {
            channel: self.channel.unwrap_or(Channel::Email),
            purpose: purpose.unwrap_or(Purpose::Introduction),
            instructions,
            language,
        })
    }
}

/// The arguments of `crm_message_context`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessageContext {
    pub customer_id: Option<Uuid>,
}

impl MessageContext {
    pub fn prepare(self) -> Result<Uuid> {
        let mut checks = Checks::default();
        let customer_id = required(&mut checks, "customer_id", self.customer_id);
        checks.finish()?;
        Ok(customer_id.unwrap_or_default())
    }
}

/// What a message may speak of. Days are those of the org's time zone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    pub currency: String,
    /// The one that was sent last and is not decided.
    pub quote: Option<Quote>,
    /// The one that is overdue for longest.
    pub invoice: Option<Invoice>,
    pub next_visit: Option<Visit>,
    pub last_visit_on: Option<NaiveDate>,
    /// The active one that ends first.
    pub membership: Option<Membership>,
    /// What they wrote last.
    pub message: Option<Message>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    pub number: String,
    pub total: String,
    pub sent_on: NaiveDate,
    pub valid_until: Option<NaiveDate>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoice {
    pub number: String,
    pub open: String,
    pub due_on: NaiveDate,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    pub day: NaiveDate,
    pub time: NaiveTime,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    pub name: String,
    pub ends_on: NaiveDate,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub day: NaiveDate,
    pub text: String,
    pub sentiment: Option<Sentiment>,
}

/// What only messages speak of.
#[derive(Clone, Debug, Deserialize)]
pub struct More {
    pub next_visit: Option<Visit>,
    pub message: Option<Message>,
}

impl Facts {
    /// Of what suggestions come from, what a message is about.
    #[must_use]
    pub fn new(known: suggestion::Facts, more: More) -> Self {
        let today = known.today;
        let quotes = known.quotes.into_iter().filter_map(|one| {
            let sent_on = one.sent_on?;
            let open = one.valid_until.is_none_or(|until| until >= today);
            let suggestion::Quote { number, total, valid_until, .. } = one;
            open.then_some(Quote { number, total, sent_on, valid_until })
        });
        let invoices = known.invoices.into_iter().map(|one| {
            let suggestion::Invoice { number, open, due_on, .. } = one;
            Invoice { number, open, due_on }
        });
        let memberships = known
            .memberships
            .into_iter()
            .map(|one| Membership { name: one.title, ends_on: one.ends_on });
        Self {
            currency: known.currency,
            quote: quotes.max_by_key(|one| one.sent_on),
            invoice: invoices.min_by_key(|one| one.due_on),
            next_visit: more.next_visit,
            last_visit_on: known.last_visit.map(|visit| visit.day),
            membership: memberships.min_by_key(|one| one.ends_on),
            message: more.message,
        }
    }

    /// What the purpose is about has to be there.
    pub fn require(&self, purpose: Purpose) -> Result<()> {
        let (there, what) = match purpose {
            Purpose::QuoteFollowUp => (self.quote.is_some(), "open quote"),
            Purpose::InvoiceReminder => (self.invoice.is_some(), "overdue invoice"),
            Purpose::VisitReminder => (self.next_visit.is_some(), "visit to come"),
            Purpose::VisitThanks => (self.last_visit_on.is_some(), "completed visit"),
            Purpose::MembershipRenewal => {
                (self.membership.is_some(), "membership that ends within 60 days")
            }
            Purpose::Reply => (self.message.is_some(), "message of theirs"),
            Purpose::WinBack | Purpose::Introduction => return Ok(()),
        };
        if there {
            return Ok(());
        }
        let error =
            Error::new(Code::WrongState, format!("There is no {what} that this could be about."));
        Err(error.with("missing", what))
    }

    /// What a message for the purpose can say, by the names that templates have for it.
    #[must_use]
    pub fn variables(&self, purpose: Purpose, language: &str) -> BTreeMap<&'static str, String> {
        let day = |day: NaiveDate| match language.split('-').next() {
            Some(ENGLISH) => day.format("%-d %B %Y").to_string(),
            _ => day.to_string(),
        };
        let money = |amount: &str| format!("{amount} {}", self.currency);
        let any = purpose == Purpose::Reply;
        let mut found = BTreeMap::new();
        if let Some(quote) =
            self.quote.as_ref().filter(|_| any || purpose == Purpose::QuoteFollowUp)
        {
            found.insert("quote_number", quote.number.clone());
            found.insert("quote_total", money(&quote.total));
            found.insert("quote_sent_on", day(quote.sent_on));
            found.extend(quote.valid_until.map(|until| ("quote_valid_until", day(until))));
        }
        if let Some(invoice) =
            self.invoice.as_ref().filter(|_| any || purpose == Purpose::InvoiceReminder)
        {
            found.insert("invoice_number", invoice.number.clone());
            found.insert("invoice_open", money(&invoice.open));
            found.insert("invoice_due_on", day(invoice.due_on));
        }
        if let Some(visit) =
            self.next_visit.as_ref().filter(|_| any || purpose == Purpose::VisitReminder)
        {
            found.insert("visit_day", day(visit.day));
            found.insert("visit_time", visit.time.format("%H:%M").to_string());
        }
        if any || matches!(purpose, Purpose::VisitThanks | Purpose::WinBack) {
            found.extend(self.last_visit_on.map(|last| ("last_visit_day", day(last))));
        }
        if let Some(membership) =
            self.membership.as_ref().filter(|_| any || purpose == Purpose::MembershipRenewal)
        {
            found.insert("membership", membership.name.clone());
            found.insert("membership_ends_on", day(membership.ends_on));
        }
        if let Some(message) = self.message.as_ref().filter(|_| any) {
            found.insert("message_day", day(message.day));
        }
        found
    }
}

/// The names that a draft can use, and what they stand for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Of the customer, the company and who writes, as every template has them; those that are not empty.
    pub own: BTreeSet<String>,
    pub variables: BTreeMap<&'static str, String>,
}

impl Offer {
    #[must_use]
    pub fn new(facts: &Facts, known: &template::Facts, purpose: Purpose, language: &str) -> Self {
        const OWN: [(&str, &[&str]); 3] = [
            ("customer", &["name", "first_name", "last_name", "company_name", "city"]),
            ("org", &["name"]),
            ("user", &["full_name", "email", "phone"]),
        ];
        let filled = |group: &Map<String, Value>, field: &str| {
            group.get(field).and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty())
        };
        let own = OWN.iter().flat_map(|(name, fields)| {
            let group = match *name {
                "customer" => &known.customer,
                "org" => &known.org,
                _ => &known.user,
            };
            let fields = fields.iter().filter(move |field| filled(group, field));
            fields.map(move |field| format!("{name}.{field}"))
        });
        Self { own: own.collect(), variables: facts.variables(purpose, language) }
    }

    fn has(&self, name: &str) -> bool {
        self.own.contains(name) || self.variables.contains_key(name)
    }
}

/// Plain text with variables: paragraphs are apart by an empty line.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// Empty where the channel has none.
    pub subject: String,
    pub body: String,
}

/// A draft: what a template is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Draft {
    pub channel: Channel,
    pub subject: Option<String>,
    /// HTML, where the channel is e-mail.
    pub body: String,
    /// What the names that the template lists stand for at present.
    pub variables: BTreeMap<&'static str, String>,
}

/// The builtin text: English.
pub fn builtin(wish: &Wish, facts: &Facts, offer: &Offer) -> Result<Draft> {
    facts.require(wish.purpose)?;
    let text = text::write(wish.purpose, wish.channel, facts, offer);
    let found = problems(&text, wish.channel, offer, "");
    if found.is_empty() {
        return Ok(finish(&text, wish.channel, offer));
    }
    Err(Error::internal(format!("a text of ours: {}", found.join("; "))))
}

/// The text as a template, which [`problems`] had nothing to say of.
#[must_use]
pub fn finish(text: &Text, channel: Channel, offer: &Offer) -> Draft {
    let names = check::names(&text.subject).chain(check::names(&text.body));
    let names: BTreeSet<&str> = names.collect();
    let variables = offer.variables.iter().filter(|(name, _)| names.contains(**name));
    let body = text.body.trim();
    let (subject, body) = match channel {
        Channel::Email => (Some(text.subject.trim().to_owned()), html(body)),
        Channel::Sms => (None, body.to_owned()),
    };
    let variables = variables.map(|(name, value)| (*name, value.clone())).collect();
    Draft { channel, subject, body, variables }
}

/// Paragraphs as HTML: a model writes no tags of its own.
fn html(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let paragraphs = text.split("\n\n").map(str::trim).filter(|one| !one.is_empty());
    let paragraphs = paragraphs.map(|one| format!("<p>{}</p>", one.replace('\n', "<br>\n")));
    paragraphs.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
