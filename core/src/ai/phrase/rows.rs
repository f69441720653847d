//! Quotes, invoices, jobs and the like: how many, which, and when.

use serde_json::{Value, json};
use winnow::Parser;
use winnow::combinator::alt;

use super::amount::{Comparison, Quantity, comparison, quantity};
use super::field::{self, Scope};
use super::input::{Input, Named, Read, Result, maybe, miss, person, when};
use super::lexicon::{CHANNELS, HAPPENED, ROW_ADJECTIVES, ROWS, WHEN};
use super::place::place;
use super::rule::{group, one_of, related, rule};
use super::time::{Time, time};
use crate::segment::catalogue::{ENTITIES, Entity, Kind, entity};

/// Which rows are meant.
struct Rows {
    entity: &'static Entity,
    filter: Vec<Value>,
    /// Called jobs or visits: those that were done, unless it says otherwise.
    done: bool,
    /// Nothing but what the figures of a customer count.
    plain: bool,
}

impl Rows {
    fn has(&self, field: &str) -> bool {
        self.filter.iter().any(|rule| rule["field"] == field)
    }

    fn status(&self) -> &str {
        let status = self.filter.iter().find(|rule| rule["field"] == "status");
        status.and_then(|rule| rule["value"].as_str()).unwrap_or_default()
    }

    fn add(&mut self, rule: Value) -> Result<()> {
        let again = rule["field"] == "status" && self.filter.contains(&rule);
        if again {
            return Ok(());
        }
        // A second status would contradict the first.
        when(rule["field"] != "status" || !self.has("status"), ())?;
        self.filter.push(rule);
        Ok(())
    }
}

/// What is said of rows before their name.
enum Adjective {
    Word(&'static str),
    ServiceType(Vec<String>),
}

fn adjective(input: &mut Input<'_>) -> Result<Adjective> {
    input.peek_now();
    let mut words: Vec<(String, &'static str)> =
        ROW_ADJECTIVES.iter().map(|(_, word, _)| ((*word).to_owned(), *word)).collect();
    for field in ENTITIES.iter().flat_map(|entity| entity.fields) {
        if let Kind::Enum(choices, _) = field.kind {
            words.extend(choices.iter().map(|choice| (choice.replace('_', " "), *choice)));
        }
    }
    let words: Vec<_> = words.iter().map(|(phrase, word)| (phrase.as_str(), *word)).collect();
    if let Some(word) = input.choose(&words) {
        return Ok(Adjective::Word(word));
    }
    let types = input.names(Named::ServiceType, false);
    when(!types.is_empty(), Adjective::ServiceType(types))
}

fn adjectives(input: &mut Input<'_>) -> Vec<Adjective> {
    let mut found = Vec::new();
    // What is an adjective here ("email contact") names the rows there ("an email this week").
    while let Some(adjective) = maybe(input, |input: &mut Input<'_>| {
        let mut ahead = input.clone();
        let alone =
            noun(&mut ahead).is_ok() && noun(&mut ahead).is_err() && adjective(&mut ahead).is_err();
        when(!alone, ())?;
        adjective(input)
    }) {
        found.push(adjective);
    }
    found
}

fn noun(input: &mut Input<'_>) -> Result<Rows> {
    input.peek_now();
    let rows = |name, filter, done| {
        entity(name).map_or_else(miss, |entity| Ok(Rows { entity, filter, done, plain: true }))
    };
    if let Some(name) = input.choose(ROWS) {
        return if name == "jobs" {
            rows("work_orders", vec![], true)
        } else {
            rows(name, vec![], false)
        };
    }
    let Some(channels) = input.choose(CHANNELS) else { return miss() };
    rows("interactions", vec![channel(channels)], false).map(|rows| Rows { plain: false, ..rows })
}

pub(super) fn channel(channels: &[&str]) -> Value {
    let channels: Vec<_> = channels.iter().map(|channel| (*channel).to_owned()).collect();
    one_of("channel", &channels, false)
}

fn literal(field: &str, operator: &str, value: &str) -> Value {
    match value {
        "@now" => rule(field, operator, json!({"mode": "relative", "anchor": "now"})),
        "@true" => rule(field, operator, true),
        list if operator == "in" => rule(field, operator, list.split(',').collect::<Vec<_>>()),
        value => rule(field, operator, value),
    }
}

fn apply(rows: &mut Rows, adjective: &Adjective) -> Result<()> {
    let word = match adjective {
        Adjective::ServiceType(types) => {
            when(rows.entity.name == "work_orders", ())?;
            rows.plain = false;
            return rows.add(one_of("service_type", types, false));
        }
        Adjective::Word(word) => word,
    };
    let special = ROW_ADJECTIVES
        .iter()
        .find(|(entity, known, _)| entity == &rows.entity.name && known == word);
    if let Some((_, _, rules)) = special {
        for (field, operator, value) in *rules {
            rows.add(literal(field, operator, value))?;
        }
        rows.plain &= *word == "open" && rows.entity.name == "work_orders";
        return Ok(());
    }
    let choice = rows
        .entity
        .fields
        .iter()
        .find(|field| matches!(field.kind, Kind::Enum(choices, _) if choices.contains(word)));
    let Some(field) = choice else { return miss() };
    rows.plain &= field.name == "sentiment" || *word == "completed";
    rows.add(rule(field.name, "=", *word))
}

/// Adjectives, the name of the rows and what follows it.
fn described(input: &mut Input<'_>) -> Result<Rows> {
    let words = adjectives(input);
    let mut rows = noun(input)?;
    for word in &words {
        apply(&mut rows, word)?;
    }
    Ok(rows)
}

fn finish(rows: &mut Rows) -> Result<()> {
    if rows.done && !rows.has("status") {
        rows.add(rule("status", "=", "completed"))
    } else {
        Ok(())
    }
}

/// `an unpaid invoice over 1,000`, `no interactions in the last 6 months`.
pub(super) fn rows(input: &mut Input<'_>, without: bool) -> Result<Vec<Value>> {
    let quantity = quantity(input);
    let mut rows = described(input)?;
    while maybe(input, |input: &mut Input<'_>| after(input, &mut rows)).is_some() {
        rows.plain = false;
    }
    finish(&mut rows)?;
    // Where the job was, or where its customer is?
    if let (Some(token), "work_orders", true) =
        (input.peek_at(0), rows.entity.name, input.clone().eat("in"))
    {
        input.state.refuse(
            token,
            "ambiguous",
            "is it the customer that is there? Say so before the jobs",
        );
    }
    let quantity = match (without, quantity) {
        (false, quantity) => quantity,
        (true, Quantity::Some) => Quantity::None,
        (true, _) => return miss(),
    };
    if let Some(figure) = metric(&rows) {
        let figure = match quantity {
            Quantity::Some => rule(figure, ">=", 1),
            Quantity::None => rule(figure, "=", 0),
            Quantity::Compared(comparison) => rule(figure, comparison.operator, comparison.value),
        };
        return Ok(vec![figure]);
    }
    matching(&quantity).map(|modes| {
        modes.into_iter().map(|mode| related(rows.entity.name, mode, rows.filter.clone())).collect()
    })
}

/// The figure of a customer that counts just these rows.
fn metric(rows: &Rows) -> Option<&'static str> {
    if !rows.plain {
        return None;
    }
    match (rows.entity.name, &rows.filter[..]) {
        ("interactions", []) => Some("interactions_count"),
        ("interactions", [one]) => match one["value"].as_str() {
            Some("positive") => Some("positive_count"),
            Some("neutral") => Some("neutral_count"),
            Some("negative") => Some("negative_count"),
            _ => None,
        },
        ("work_orders", [one]) if one["value"] == "completed" => Some("jobs_count"),
        ("work_orders", [one]) if one["operator"] == "in" => Some("open_jobs_count"),
        _ => None,
    }
}

fn matching(quantity: &Quantity) -> Result<Vec<Value>> {
    let mode = |mode: &str| json!({"mode": mode});
    let counted = |mode: &str, threshold: u64| json!({"mode": mode, "threshold": threshold});
    let comparison = match quantity {
        Quantity::Some => return Ok(vec![mode("some")]),
        Quantity::None => return Ok(vec![mode("none")]),
        Quantity::Compared(comparison) => comparison,
    };
    if let Some([low, high]) = comparison.value.as_array().map(Vec::as_slice) {
        let (Some(low), Some(high)) = (low.as_u64(), high.as_u64()) else { return miss() };
        return when(high <= MOST, vec![counted("atLeast", low), counted("atMost", high)]);
    }
    let Some(number) = comparison.whole().filter(|number| *number < MOST) else { return miss() };
    match comparison.operator {
        ">" => Ok(vec![counted("atLeast", number + 1)]),
        ">=" => Ok(vec![counted("atLeast", number)]),
        "<" if number > 0 => Ok(vec![counted("atMost", number - 1)]),
        "<=" => Ok(vec![counted("atMost", number)]),
        "=" if number == 0 => Ok(vec![mode("none")]),
        "=" => Ok(vec![counted("exactly", number)]),
        _ => miss(),
    }
}

/// The most rows that a definition counts to.
const MOST: u64 = 1_000_000;

fn after(input: &mut Input<'_>, rows: &mut Rows) -> Result<()> {
    let name = rows.entity.name;
    let rules = alt((
        |input: &mut Input<'_>| overdue(input, name),
        |input: &mut Input<'_>| happened(input, name),
        |input: &mut Input<'_>| amount(input, name),
        |input: &mut Input<'_>| by(input, name),
        |input: &mut Input<'_>| stands(input, name),
        |input: &mut Input<'_>| detail(input, name),
    ))
    .parse_next(input);
    if let Ok(rules) = rules {
        return rules.into_iter().try_for_each(|rule| rows.add(rule));
    }
    if rows.done && !rows.has("status") {
        rows.add(rule("status", "=", "completed"))?;
    }
    let time = time(input)?;
    let status = rows.status();
    let known = WHEN.iter().find(|(entity, known, ..)| *entity == name && *known == status);
    let known = known
        .or_else(|| WHEN.iter().find(|(entity, known, ..)| *entity == name && known.is_empty()));
    let Some((.., field, planned)) = known else { return miss() };
    for rule in in_time(&time, field, *planned)? {
        rows.add(rule)?;
    }
    Ok(())
}

/// "for 6 months" is how long there was none.
fn in_time(time: &Time, field: &str, planned: bool) -> Result<Vec<Value>> {
    let rules = match time {
        Time::For(_) => None,
        Time::Next(_) if !planned => None,
        time => time.rules(field, planned),
    };
    rules.map_or_else(miss, Ok)
}

fn overdue(input: &mut Input<'_>, rows: &str) -> Result<Vec<Value>> {
    let status = match rows {
        "invoices" => "sent",
        "followups" => "pending",
        _ => return miss(),
    };
    let how_long = super::time::late(input)?;
    let due = match how_long {
        Some(span) => rule("due_at", "olderThan", span),
        None => literal("due_at", "<", "@now"),
    };
    Ok(vec![rule("status", "=", status), due])
}

fn happened(input: &mut Input<'_>, rows: &str) -> Result<Vec<Value>> {
    let all: Vec<(&str, _)> = HAPPENED
        .iter()
        .filter(|(entity, ..)| *entity == rows)
        .map(|(_, word, status, field, planned)| (*word, (*status, *field, *planned)))
        .collect();
    input.eat_any(&["that were", "which were", "that are", "which are", "that was"]);
    let Some((status, field, planned)) = input.choose(&all) else { return miss() };
    let mut rules: Vec<Value> =
        status.map(|status| rule("status", "=", status)).into_iter().collect();
    rules.extend(in_time(&time(input)?, field, planned)?);
    Ok(rules)
}

fn amount(input: &mut Input<'_>, rows: &str) -> Result<Vec<Value>> {
    when(matches!(rows, "quotes" | "invoices"), ())?;
    input.eat_any(&["worth", "of", "for"]);
    let Comparison { operator, value } = comparison(input)?;
    // "more than 60 days" is no amount.
    when(
        input.peek_at(0).is_none_or(|token| !super::time::is_unit(&token.low)),
        vec![rule("total", operator, value)],
    )
}

fn by(input: &mut Input<'_>, rows: &str) -> Result<Vec<Value>> {
    let (field, phrases): (_, &[&str]) = match rows {
        "work_orders" => ("technician_id", &["by", "done by", "with technician", "assigned to"]),
        "followups" => ("assigned_to_user_id", &["assigned to", "for"]),
        _ => return miss(),
    };
    when(input.eat_any(phrases), ())?;
    Ok(vec![rule(field, "=", person(input)?.to_string())])
}

fn stands(input: &mut Input<'_>, rows: &str) -> Result<Vec<Value>> {
    match rows {
        "locations" => {
            when(input.eat("in"), ())?;
            place(input)
        }
        "work_orders" => {
            let status = input.choose(&[("on site", "on_site"), ("en route", "en_route")]);
            status.map_or_else(miss, |status| Ok(vec![rule("status", "=", status)]))
        }
        _ => miss(),
    }
}

/// `whose status is paid`: any field of the rows by its name.
fn detail(input: &mut Input<'_>, rows: &str) -> Result<Vec<Value>> {
    when(input.eat_any(&["whose", "where"]), ())?;
    let Some(entity) = entity(rows) else { return miss() };
    field::about(input, Scope::Rows(entity), false)
}

/// `average invoice is over 300`, `accepted quotes total more than 5,000`.
pub(super) fn aggregate(input: &mut Input<'_>) -> Result<Vec<Value>> {
    input.eat_any(&["the", "an", "a"]);
    let functions = [
        ("average", "avg"),
        ("largest", "max"),
        ("biggest", "max"),
        ("highest", "max"),
        ("smallest", "min"),
        ("lowest", "min"),
    ];
    let function = input.choose(&functions);
    let rows = described(input)?;
    when(matches!(rows.entity.name, "quotes" | "invoices"), ())?;
    let function = match function {
        Some(function) => when(input.eat_any(&["is", "was", "of"]), function)?,
        None => when(
            input.eat_any(&[
                "total",
                "totaling",
                "totalling",
                "add up to",
                "adding up to",
                "sum up to",
            ]),
            "sum",
        )?,
    };
    let comparison = comparison(input)?;
    Ok(vec![of_rows(rows.entity.name, function, "total", rows.filter, comparison)])
}

/// A figure over rows.
pub(super) fn of_rows(
    rows: &str,
    function: &str,
    column: &str,
    filter: Vec<Value>,
    comparison: Comparison,
) -> Value {
    let mut aggregate = json!({"fn": function, "column": column});
    if !filter.is_empty() {
        aggregate["filter"] = group("and", false, filter);
    }
    let mut rule = rule(rows, comparison.operator, comparison.value);
    rule["meta"] = json!({"aggregate": aggregate});
    rule
}
