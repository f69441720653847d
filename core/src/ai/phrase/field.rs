//! A field by its name in the catalogue, and what is said of it.

use serde_json::{Value, json};
use winnow::Parser;
use winnow::combinator::alt;
use winnow::stream::Stream;

use super::amount::{comparison, figure};
use super::input::{Input, Named, Read, Result, maybe, miss, person, when};
use super::lexicon::{COUNTRIES, FIELDS, LANGUAGES, RESERVED, STATES};
use super::rule::{bare, negated, one_of, rule, spelled};
use super::time::time;
use super::token::{Form, tokens};
use crate::segment::catalogue::{CUSTOMER, Entity, Field, Kind};

/// Whose fields are named.
#[derive(Clone, Copy)]
pub(super) enum Scope {
    Customer,
    Rows(&'static Entity),
}

impl Scope {
    pub fn fields(self) -> &'static [Field] {
        match self {
            Self::Customer => CUSTOMER,
            Self::Rows(entity) => entity.fields,
        }
    }
}

/// A label of the catalogue as the words of a sentence.
fn spoken(label: &str) -> String {
    let words: Vec<_> = tokens(label).into_iter().map(|token| token.low).collect();
    words.join(" ")
}

/// The field whose name is the longest that stands here.
fn field(input: &mut Input<'_>, scope: Scope) -> Result<&'static Field> {
    let labels: Vec<(String, &'static Field)> =
        scope.fields().iter().map(|field| (spoken(field.label), field)).collect();
    let mut names: Vec<(&str, &'static Field)> =
        labels.iter().map(|(label, field)| (label.as_str(), *field)).collect();
    for (phrase, name) in FIELDS {
        names.extend(
            scope.fields().iter().find(|field| field.name == *name).map(|field| (*phrase, field)),
        );
    }
    input.peek_now();
    input.choose(&names).map_or_else(miss, Ok)
}

/// `whose status is prospect`, `with a zip code starting with 787`, `without an email`.
pub(super) fn about(input: &mut Input<'_>, scope: Scope, without: bool) -> Result<Vec<Value>> {
    let none = without || input.eat("no");
    input.eat_any(&["a", "an", "the", "their", "any"]);
    let field = field(input, scope)?;
    if none {
        return match field.kind {
            Kind::Boolean => Ok(vec![rule(field.name, "=", false)]),
            Kind::Number => Ok(vec![rule(field.name, "=", 0)]),
            // What it lacks is one of these, not all.
            Kind::Tags => maybe(input, |input: &mut Input<'_>| tags(input, true))
                .map_or_else(|| Ok(vec![bare(field.name, "null")]), Ok),
            Kind::Segment => segments(input).map(negated),
            _ => {
                when(value_follows(input), ()).map_or(Ok(()), |()| miss())?;
                Ok(vec![bare(field.name, "null")])
            }
        };
    }
    test(input, field)
}

/// `without an email ending with …` would be more than that none is there.
fn value_follows(input: &mut Input<'_>) -> bool {
    let words = ["containing", "starting", "beginning", "ending", "is", "of"];
    input.peek_at(0).is_some_and(|token| words.contains(&token.low.as_str()))
}

const MISSING: &[&str] = &[
    "is missing",
    "is empty",
    "is blank",
    "is unknown",
    "is not known",
    "is not set",
    "are empty",
    "are missing",
    "missing",
    "empty",
];
const THERE: &[&str] =
    &["is known", "is set", "is there", "is not empty", "is not missing", "are not empty"];

fn test(input: &mut Input<'_>, field: &'static Field) -> Result<Vec<Value>> {
    input.peek_now();
    if field.kind != Kind::Tags && field.kind != Kind::Segment {
        if input.eat_any(THERE) {
            return Ok(vec![bare(field.name, "notNull")]);
        }
        if input.eat_any(MISSING) {
            return Ok(vec![bare(field.name, "null")]);
        }
    }
    match field.kind {
        Kind::Number => number(input, field),
        Kind::Timestamp | Kind::Date => moment(input, field),
        Kind::Boolean => Ok(boolean(input, field)),
        Kind::Tags => tags(input, false),
        Kind::Segment => segments(input),
        Kind::Enum(..) | Kind::Text | Kind::Uuid => {
            let substring = maybe(input, |input: &mut Input<'_>| substring(input, field));
            if let Some(rule) = substring {
                return Ok(vec![rule]);
            }
            let is = input.eat_any(&["is", "are", "=", "of", ":"]);
            let not = input.eat_any(&["not", "!="]);
            let start = input.checkpoint();
            if let Some(rule) = maybe(input, |input: &mut Input<'_>| values(input, field)) {
                let rules = vec![rule];
                return Ok(if not { negated(rules) } else { rules });
            }
            input.reset(&start);
            when(
                !is && !not && !matches!(field.kind, Kind::Enum(..)),
                vec![bare(field.name, "notNull")],
            )
        }
    }
}

fn number(input: &mut Input<'_>, field: &Field) -> Result<Vec<Value>> {
    if input.eat("is not") || input.eat("!=") {
        let figure = figure(input)?;
        return when(figure.operator == "=", vec![rule(field.name, "!=", figure.value)]);
    }
    let said = input.eat_any(&["is", "was", "of", "are"]);
    let figure = if said { maybe(input, figure) } else { maybe(input, comparison) };
    match figure {
        Some(figure) => Ok(vec![rule(field.name, figure.operator, figure.value)]),
        None => when(!said, vec![rule(field.name, ">", 0)]),
    }
}

fn moment(input: &mut Input<'_>, field: &Field) -> Result<Vec<Value>> {
    input.eat_any(&["is", "was", "date is"]);
    let planned = matches!(field.name, "due_at" | "valid_until" | "window_start" | "window_end");
    time(input)?.rules(field.name, planned).map_or_else(miss, Ok)
}

fn boolean(input: &mut Input<'_>, field: &Field) -> Vec<Value> {
    input.eat_any(&["is", "="]);
    let value = input.choose(&[
        ("true", true),
        ("yes", true),
        ("on", true),
        ("false", false),
        ("no", false),
        ("off", false),
    ]);
    vec![rule(field.name, "=", value.unwrap_or(true))]
}

const SUBSTRINGS: &[(&str, &str)] = &[
    ("contains", "contains"),
    ("contain", "contains"),
    ("containing", "contains"),
    ("mentions", "contains"),
    ("mention", "contains"),
    ("mentioning", "contains"),
    ("includes", "contains"),
    ("include", "contains"),
    ("starts with", "beginsWith"),
    ("start with", "beginsWith"),
    ("starting with", "beginsWith"),
    ("begins with", "beginsWith"),
    ("begin with", "beginsWith"),
    ("beginning with", "beginsWith"),
    ("ends with", "endsWith"),
    ("end with", "endsWith"),
    ("ending with", "endsWith"),
];

fn substring(input: &mut Input<'_>, field: &Field) -> Result<Value> {
    when(field.kind == Kind::Text, ())?;
    let not = input.eat_any(&["does not", "do not", "not"]);
    let Some(operator) = input.choose(SUBSTRINGS) else { return miss() };
    let Some(token) = input.peek_now().filter(|token| is_value(&token.low, token.form)) else {
        return miss();
    };
    input.skip(1);
    let rules = vec![spelled(field.name, operator, token.text.as_str())];
    let rules = if not { negated(rules) } else { rules };
    rules.into_iter().next().map_or_else(miss, Ok)
}

fn is_value(low: &str, form: Form) -> bool {
    form == Form::Quoted || form == Form::Word && !RESERVED.contains(&low)
}

/// One value or several with "or" between them, as `=` or `in`.
pub(super) fn values(input: &mut Input<'_>, field: &'static Field) -> Result<Value> {
    let (mut values, mut known) = value(input, field, true)?;
    while let Some((more, also)) = maybe(input, |input: &mut Input<'_>| {
        when(input.eat_any(&[", or", ", and", ",", "or", "and"]), ())?;
        value(input, field, false)
    }) {
        values.extend(more);
        known &= also;
    }
    let mut rule = one_of(field.name, &values, false);
    if !known {
        rule["meta"] = json!({"ignoreCase": true});
    }
    Ok(rule)
}

/// What a rule holds, and whether it is spelled as stored. After "or" (`first` is false) a word that may begin another
/// condition is none.
fn value(input: &mut Input<'_>, field: &'static Field, first: bool) -> Result<(Vec<String>, bool)> {
    let Some(token) = input.peek_now() else { return miss() };
    match field.kind {
        Kind::Enum(choices, _) => {
            let spoken: Vec<(String, &str)> =
                choices.iter().map(|choice| (choice.replace('_', " "), *choice)).collect();
            let mut words: Vec<(&str, &str)> =
                spoken.iter().map(|(words, choice)| (words.as_str(), *choice)).collect();
            words.extend(choices.iter().map(|choice| (*choice, *choice)));
            if choices.contains(&"canceled") {
                words.push(("cancelled", "canceled"));
            }
            input.choose(&words).map_or_else(miss, |choice| Ok((vec![choice.to_owned()], true)))
        }
        // What the product's id is compared with is no person.
        Kind::Uuid if field.name == "product_id" => miss(),
        Kind::Uuid => person(input).map(|id| (vec![id.to_string()], true)),
        _ => {
            let named = match field.name {
                "city" => Some(Named::City),
                "state" => Some(Named::State),
                "country" => Some(Named::Country),
                "source" => Some(Named::Source),
                "product" => Some(Named::Product),
                "service_type" => Some(Named::ServiceType),
                _ => None,
            };
            let found = named.map(|named| input.names(named, false)).unwrap_or_default();
            if !found.is_empty() {
                return Ok((found, true));
            }
            if field.name == "preferred_language"
                && let Some(code) = input.choose(LANGUAGES)
            {
                return Ok((vec![code.to_owned()], false));
            }
            let known = match field.name {
                "state" => STATES,
                "country" => COUNTRIES,
                _ => &[],
            };
            if let Some(code) = input.choose(known) {
                return Ok((vec![code.to_owned()], true));
            }
            let sure = token.form == Form::Quoted
                || token.text.contains(|c: char| c.is_ascii_digit() || "@_".contains(c));
            let proper = token.text.starts_with(char::is_uppercase);
            when(is_value(&token.low, token.form) && (sure || proper && first), ())?;
            input.skip(1);
            Ok((vec![token.text.clone()], !token.text.contains(char::is_alphabetic)))
        }
    }
}

/// `VIP or Landlord`, `VIP and Landlord`; `without`: none of them.
pub(super) fn tags(input: &mut Input<'_>, without: bool) -> Result<Vec<Value>> {
    input.eat("the");
    input.eat_any(&["tags", "tag"]);
    let (values, all) = names(input, Named::Tag, true)?;
    let operator = match (without, all) {
        (true, true) => return miss(),
        (true, false) => "containsNone",
        (false, true) => "containsAll",
        (false, false) => "containsAny",
    };
    Ok(vec![rule("tags", operator, values)])
}

fn segments(input: &mut Input<'_>) -> Result<Vec<Value>> {
    let (values, all) = names(input, Named::Segment, false)?;
    when(!all, vec![rule("segment", "in", values)])
}

/// Names of the org's, and whether "and" is between them.
fn names(input: &mut Input<'_>, named: Named, and: bool) -> Result<(Vec<String>, bool)> {
    let mut values = input.names(named, false);
    when(!values.is_empty(), ())?;
    let mut all = None;
    while let Some((more, with_and)) = maybe(input, |input: &mut Input<'_>| {
        let with_and = and && input.eat_any(&["and", ", and"]);
        when(with_and || input.eat_any(&["or", ", or"]), ())?;
        let more = input.names(named, false);
        when(!more.is_empty() && all.is_none_or(|all| all == with_and), (more, with_and))
    }) {
        values.extend(more);
        all = Some(with_and);
    }
    Ok((values, all == Some(true)))
}

/// `named Smith`: part of a name.
pub(super) fn named(input: &mut Input<'_>) -> Result<Vec<Value>> {
    when(input.eat("named"), ())?;
    let Some(token) = input.peek_now().filter(|token| is_value(&token.low, token.form)) else {
        return miss();
    };
    input.skip(1);
    Ok(vec![spelled("name", "contains", token.text.as_str())])
}

/// `Spanish-speaking`, `who speak German`.
pub(super) fn language(input: &mut Input<'_>) -> Result<Vec<Value>> {
    let before = input.eat_any(&["speak", "speaks", "speaking", "prefer", "prefers"]);
    let Some(code) = input.choose(LANGUAGES) else { return miss() };
    when(before || input.eat("speaking"), vec![spelled("preferred_language", "=", code)])
}

/// `owned by Samir or Clara`.
pub(super) fn people(input: &mut Input<'_>) -> Result<Vec<String>> {
    let mut ids = vec![person(input)?.to_string()];
    while let Some(id) = maybe(input, |input: &mut Input<'_>| {
        when(input.eat_any(&["or", "and", ","]), ())?;
        alt((person,)).parse_next(input)
    }) {
        ids.push(id.to_string());
    }
    Ok(ids)
}
