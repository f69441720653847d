//! One condition: what customers are, have, did, or had done.

use serde_json::Value;
use winnow::Parser;
use winnow::combinator::alt;
use winnow::stream::Stream;

use super::amount::comparison;
use super::consent;
use super::field::{self, Scope};
use super::input::{Input, Named, Read, Result, maybe, miss, when};
use super::lexicon::{ADJECTIVES, NOUNS, PLURALS, REACHED};
use super::place::place;
use super::rows::{self, channel};
use super::rule::{bare, negated, one_of, related, rule};
use super::time::{Time, time};
use super::token::Token;
use crate::segment::catalogue::{Kind, field as catalogue_field};

/// A condition as rules that hold together.
#[allow(clippy::struct_excessive_bools, reason = "each is about the words, and any can be true")]
pub(super) struct Part {
    pub rules: Vec<Value>,
    /// An adjective or a noun that stands alone: `active`, `VIPs`.
    pub alone: bool,
    /// It names those who are meant, like "customers" does.
    pub noun: bool,
    pub negated: bool,
    /// It begins with "who" or the like, so that what follows it belongs to it.
    pub clause: bool,
}

/// The words before what is said.
#[allow(clippy::struct_excessive_bools, reason = "each is a word that is there or not")]
#[derive(Clone, Copy, Default)]
struct Lead {
    who: bool,
    whose: bool,
    we: bool,
    be: bool,
    has: bool,
    not: bool,
    never: bool,
    without: bool,
}

impl Lead {
    fn negative(self) -> bool {
        self.not || self.never || self.without
    }
}

pub(super) fn condition(input: &mut Input<'_>) -> Result<Part> {
    let start = input.checkpoint();
    let clause = |rules| Part { rules, alone: false, noun: false, negated: false, clause: true };
    if let Some(rules) = maybe(input, consent::consent) {
        return Ok(clause(rules));
    }
    input.reset(&start);
    let lead = lead(input)?;
    let spoken = lead.who || lead.whose;
    let part = |rules| Part { clause: spoken, negated: lead.negative(), ..clause(rules) };
    if lead.whose {
        return alt((rows::aggregate, |input: &mut Input<'_>| {
            field::about(input, Scope::Customer, false)
        }))
        .map(part)
        .parse_next(input);
    }
    let said = alt((
        |input: &mut Input<'_>| contacted(input, lead),
        |input: &mut Input<'_>| entered(input, lead),
        |input: &mut Input<'_>| money(input, lead),
        |input: &mut Input<'_>| reached(input, lead),
        |input: &mut Input<'_>| belongs(input, lead),
        |input: &mut Input<'_>| located(input, lead),
    ));
    if let Some(rules) = maybe(input, said) {
        return Ok(part(rules));
    }
    if let Some(rules) = maybe(input, |input: &mut Input<'_>| has(input, lead)) {
        return Ok(part(rules));
    }
    when(!lead.has && !lead.without && !lead.we && !lead.never, ())?;
    let (rules, noun) = alone(input)?;
    let bare = !lead.who && !lead.be;
    let rules = if lead.not { negated(rules) } else { rules };
    Ok(Part { rules, alone: bare, noun: noun && !lead.not, negated: lead.not, clause: spoken })
}

fn lead(input: &mut Input<'_>) -> Result<Lead> {
    let mut lead = Lead { whose: input.eat("whose"), ..Lead::default() };
    if lead.whose {
        return Ok(lead);
    }
    lead.who = input.eat_any(&["who", "that", "which"]);
    lead.we = input.eat("we");
    lead.be = input.eat_any(&["are", "is", "were", "was"]);
    let done = !lead.be && input.eat_any(&["do", "does", "did"]);
    lead.has = !lead.be && !done && input.eat_any(&["have", "has", "had", "with", "having"]);
    if input.eat("without") {
        lead.without = true;
        return Ok(lead);
    }
    lead.not = input.eat("not");
    lead.never = !lead.not && input.eat("never");
    // "do" says something only with "not".
    when(!done || lead.not, ())?;
    if done && input.eat("have") {
        lead.has = true;
    }
    if input.eat("been") {
        when(lead.has, ())?;
        lead.has = false;
        lead.be = true;
    }
    Ok(lead)
}

/// A time that the last one of its kind was in, or that none was in.
fn lately(input: &mut Input<'_>, lead: Lead, field: &str) -> Result<Option<Vec<Value>>> {
    if lead.never {
        return Ok(Some(vec![bare(field, "null")]));
    }
    let start = input.checkpoint();
    let time = time(input)?;
    if lead.not {
        return time.absence(field).map_or_else(miss, |rules| Ok(Some(rules)));
    }
    if time.reaches_now() {
        return time.rules(field, false).map_or_else(miss, |rules| Ok(Some(rules)));
    }
    input.reset(&start);
    Ok(None)
}

/// A time in which something happened, whatever came after.
fn happened(input: &mut Input<'_>, field: &str) -> Result<Vec<Value>> {
    let time = time(input)?;
    when(matches!(time, Time::In(_) | Time::Between(..) | Time::On(_)), ())?;
    time.rules(field, false).map_or_else(miss, Ok)
}

const SEEN: &[&str] = &[
    "seen",
    "contacted",
    "heard from",
    "spoken to",
    "spoken with",
    "talked to",
    "in touch with",
    "reached",
];

fn contacted(input: &mut Input<'_>, lead: Lead) -> Result<Vec<Value>> {
    if lead.has && input.eat_any(&["no contact", "no communication"]) {
        let Some(rules) = time(input)?.absence("last_interaction_at") else { return miss() };
        return Ok(rules);
    }
    if !lead.negative() && input.eat_any(&["silent", "quiet"]) {
        let time = time(input)?;
        return when(matches!(time, Time::For(_)), ())
            .and_then(|()| time.absence("last_interaction_at").map_or_else(miss, Ok));
    }
    if input.eat_any(SEEN) {
        return match lately(input, lead, "last_interaction_at")? {
            Some(rules) => Ok(rules),
            None => happened(input, "occurred_at").map(|rules| vec![some("interactions", rules)]),
        };
    }
    when(input.eat_any(&["serviced", "visited"]), ())?;
    if let Some(rules) = lately(input, lead, "last_service_at")? {
        return Ok(rules);
    }
    let mut rules = happened(input, "completed_at")?;
    rules.push(rule("status", "=", "completed"));
    Ok(vec![some("work_orders", rules)])
}

fn some(rows: &str, filter: Vec<Value>) -> Value {
    related(rows, serde_json::json!({"mode": "some"}), filter)
}

/// When they came in or were changed.
fn entered(input: &mut Input<'_>, lead: Lead) -> Result<Vec<Value>> {
    let token = input.peek_now();
    if !lead.negative() && input.eat("new") {
        let mut rules = maybe(input, alone).map(|(rules, _)| rules).unwrap_or_default();
        input.eat_any(NOUNS);
        let Some(time) = maybe(input, time).and_then(|time| time.rules("created_at", false)) else {
            if let Some(token) = token {
                input.state.refuse(token, "needs_time", "say since when, such as: new this month");
            }
            return Ok(rules);
        };
        rules.extend(time);
        return Ok(rules);
    }
    if input.eat_any(&["changed", "updated", "edited"]) {
        let time = time(input)?;
        let rules = if lead.negative() {
            time.absence("updated_at")
        } else {
            time.rules("updated_at", false)
        };
        return rules.map_or_else(miss, Ok);
    }
    when(!lead.negative(), ())?;
    when(
        input.eat_any(&["created", "added", "signed up", "registered", "joined", "onboarded"]),
        (),
    )?;
    time(input)?.rules("created_at", false).map_or_else(miss, Ok)
}

fn money(input: &mut Input<'_>, lead: Lead) -> Result<Vec<Value>> {
    let oppose = |rules| if lead.negative() { negated(rules) } else { rules };
    if input.eat_any(&["owe", "owes"]) {
        input.eat("us");
        if input.eat_any(&["money", "anything", "something"]) {
            let operator = if lead.negative() { "=" } else { ">" };
            return Ok(vec![rule("balance_due", operator, 0)]);
        }
        let comparison = comparison(input)?;
        return Ok(oppose(vec![rule("balance_due", comparison.operator, comparison.value)]));
    }
    when(input.eat_any(&["spent", "spend", "paid us"]), ())?;
    let nothing = input.eat("nothing") && !lead.negative();
    if nothing || input.eat_any(&["anything", "any money"]) {
        let operator = if nothing || lead.negative() { "=" } else { ">" };
        return Ok(vec![rule("total_spend", operator, 0)]);
    }
    let comparison = comparison(input)?;
    let Some(time) = maybe(input, time) else {
        return Ok(oppose(vec![rule("total_spend", comparison.operator, comparison.value)]));
    };
    let Some(mut filter) = time.rules("paid_at", false).filter(|_| !time.is_ahead()) else {
        return miss();
    };
    filter.push(rule("status", "=", "paid"));
    Ok(oppose(vec![rows::of_rows("invoices", "sum", "amount_paid", filter, comparison)]))
}

/// `who called us`, `we emailed`.
fn reached(input: &mut Input<'_>, lead: Lead) -> Result<Vec<Value>> {
    when(!lead.be, ())?;
    let Some(channels) = input.choose(REACHED) else { return miss() };
    when(lead.we || input.eat("us"), ())?;
    let direction = if lead.we { "outbound" } else { "inbound" };
    let mut filter = vec![channel(channels), rule("direction", "=", direction)];
    if let Some(time) = maybe(input, time) {
        let time = match time {
            // "have not called us for 6 months"
            Time::For(span) if lead.negative() => Time::Last(span),
            time => time,
        };
        let Some(rules) = time.rules("occurred_at", false).filter(|_| !time.is_ahead()) else {
            return miss();
        };
        filter.extend(rules);
    }
    let rules = vec![some("interactions", filter)];
    Ok(if lead.negative() { negated(rules) } else { rules })
}

/// Tags, owners, products.
fn belongs(input: &mut Input<'_>, lead: Lead) -> Result<Vec<Value>> {
    let oppose = |rules| if lead.negative() { negated(rules) } else { rules };
    if input.eat_any(&["tagged as", "tagged with", "tagged", "labelled", "labeled", "marked as"]) {
        return field::tags(input, lead.negative());
    }
    if input.eat_any(&["on a", "on the"]) {
        return field::tags(input, lead.negative());
    }
    if input.eat_any(&["owned by", "managed by", "assigned to", "looked after by"]) {
        let people = field::people(input)?;
        return Ok(vec![one_of("owner_id", &people, lead.negative())]);
    }
    if input.eat("interested in") {
        let Some(product) = catalogue_field("product") else { return miss() };
        return field::values(input, product).map(|rule| oppose(vec![rule]));
    }
    if let Some(rules) = maybe(input, alt((field::language, field::named))) {
        return Ok(oppose(rules));
    }
    miss()
}

/// Cities and the like, stages, segments, and where customers came from.
fn located(input: &mut Input<'_>, lead: Lead) -> Result<Vec<Value>> {
    let oppose = |rules| if lead.negative() { negated(rules) } else { rules };
    if input.eat_any(&["outside of", "outside"]) {
        when(!lead.negative(), ())?;
        return place(input).map(negated);
    }
    let start = input.checkpoint();
    if input.eat_any(&["came from", "come from", "from"]) {
        input.eat_any(&["the", "a", "an"]);
        let sources = input.names(Named::Source, false);
        if !sources.is_empty() {
            return Ok(vec![one_of("source", &sources, lead.negative())]);
        }
        input.reset(&start);
    }
    when(input.eat_any(&["living in", "based in", "located in", "live in", "in", "from"]), ())?;
    alt((stage, segment, place)).map(oppose).parse_next(input)
}

fn stage(input: &mut Input<'_>) -> Result<Vec<Value>> {
    input.eat("the");
    let Some(Kind::Enum(choices, _)) = catalogue_field("pipeline_stage").map(|field| field.kind)
    else {
        return miss();
    };
    let spoken: Vec<(String, &str)> =
        choices.iter().map(|choice| (choice.replace('_', " "), *choice)).collect();
    let words: Vec<(&str, &str)> =
        spoken.iter().map(|(words, choice)| (words.as_str(), *choice)).collect();
    let Some(choice) = input.choose(&words) else { return miss() };
    // Leads are a stage of two things.
    when(choice != "lead" && input.eat("stage"), vec![rule("pipeline_stage", "=", choice)])
}

fn segment(input: &mut Input<'_>) -> Result<Vec<Value>> {
    input.eat("the");
    when(input.eat_any(&["segment", "segments"]), ())?;
    let names = input.names(Named::Segment, false);
    when(!names.is_empty(), vec![rule("segment", "in", names)])
}

/// What they have: values, rows, figures.
fn has(input: &mut Input<'_>, lead: Lead) -> Result<Vec<Value>> {
    when(!lead.we && !lead.be && !lead.never, ())?;
    let without = lead.not || lead.without;
    // "not" needs "have": otherwise it belongs to an adjective.
    when(!lead.not || lead.has, ())?;
    let rows = |input: &mut Input<'_>| rows::rows(input, without);
    let figure = |input: &mut Input<'_>| when(!without, ()).and_then(|()| rows::aggregate(input));
    let start = input.checkpoint();
    let of_rows = maybe(input, alt((figure, rows))).map(|rules| (rules, input.clone()));
    input.reset(&start);
    let of_field =
        maybe(input, |input: &mut Input<'_>| field::about(input, Scope::Customer, without))
            .map(|rules| (rules, input.clone()));
    input.reset(&start);
    // Who says more of the sentence is right: "an email address" is a field, "an email last week" is not.
    let (rules, after) = match (of_rows, of_field) {
        (Some(rows), Some(field)) if rows.1.input.eof_offset() < field.1.input.eof_offset() => rows,
        (_, Some(field)) => field,
        (Some(rows), None) => rows,
        (None, None) => return miss(),
    };
    *input = after;
    Ok(rules)
}

/// What stands for a value alone, and whether it names those who are meant.
pub(super) fn alone(input: &mut Input<'_>) -> Result<(Vec<Value>, bool)> {
    let Some(token) = input.peek_now() else { return miss() };
    if input.eat("neither") {
        return neither(input).map(|rules| (rules, false));
    }
    if input.eat("non") {
        let tags = input.names(Named::Tag, true);
        return when(!tags.is_empty(), (vec![rule("tags", "containsNone", tags)], false));
    }
    let special = [
        ("archived", rule("is_archived", "=", true)),
        ("unassigned", bare("owner_id", "null")),
        ("untagged", bare("tags", "null")),
    ];
    for (word, rule) in special {
        if input.eat(word) {
            return Ok((vec![rule], false));
        }
    }
    if let Some(owner) = maybe(input, whose) {
        return Ok((vec![owner], false));
    }
    let mut as_tag = input.clone();
    let tags = as_tag.names(Named::Tag, true);
    if let Some((field, value)) = input.choose(ADJECTIVES) {
        if !tags.is_empty() {
            input.state.refuse(
                token,
                "ambiguous",
                format!("is a {field} and a tag: write tagged {}", token.text),
            );
        }
        return Ok((vec![rule(field, "=", value)], PLURALS.contains(&token.low.as_str())));
    }
    when(!tags.is_empty(), ())?;
    let last = last_of(input, &as_tag);
    *input = as_tag;
    let plural =
        tags.iter().any(|tag| last.is_some_and(|last| !tag.to_lowercase().ends_with(&last.low)));
    Ok((vec![rule("tags", "containsAny", tags)], plural))
}

/// The last token between two places.
fn last_of<'t>(from: &Input<'t>, to: &Input<'t>) -> Option<&'t Token> {
    from.peek_at((from.input.eof_offset() - to.input.eof_offset()).checked_sub(1)?)
}

fn neither(input: &mut Input<'_>) -> Result<Vec<Value>> {
    let (mut rules, _) = alone(input)?;
    when(input.eat("nor"), ())?;
    let (more, _) = alone(input)?;
    let alike = rules[0]["field"] == more[0]["field"]
        && rules[0]["operator"] == "="
        && more[0]["operator"] == "=";
    if alike {
        let field = rules[0]["field"].as_str().unwrap_or_default();
        let values: Vec<_> = [&rules, &more]
            .iter()
            .filter_map(|rules| rules[0]["value"].as_str().map(str::to_owned))
            .collect();
        return Ok(vec![one_of(field, &values, true)]);
    }
    rules = negated(rules);
    rules.extend(negated(more));
    Ok(rules)
}

/// `my`, `Clara's`.
fn whose(input: &mut Input<'_>) -> Result<Value> {
    if let (true, Some(me)) = (input.eat("my"), input.state.vocabulary.me) {
        return Ok(rule("owner_id", "=", me.to_string()));
    }
    let owner = super::input::person(input)?;
    when(input.eat("'s"), rule("owner_id", "=", owner.to_string()))
}
