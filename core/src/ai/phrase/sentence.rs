//! Conditions put together: what is joined by "and", by "or", and what is taken out.

use serde_json::Value;
use winnow::stream::Stream;

use super::condition::{Part, condition};
use super::input::{Input, Read, maybe};
use super::lexicon::{FILLERS, NOUNS};
use super::rule::{group, negated};
use super::token::Token;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Joint {
    /// Nothing is between.
    Beside,
    Comma,
    And,
    Or,
}

/// Words that begin a condition of its own, whatever was said before.
const OPENING: &[&str] = &[
    "who", "that", "which", "whose", "with", "without", "have", "has", "are", "is", "we", "no",
    "not", "never",
];

impl Item<'_> {
    /// Whether it says that something is not.
    fn denies(&self) -> bool {
        self.part.negated
            || self
                .said
                .iter()
                .any(|word| matches!(*word, "no" | "not" | "never" | "without" | "neither"))
    }

    fn opens(&self) -> bool {
        let after_but = self.word.is_some_and(|word| word.low == "but");
        after_but || self.said.first().is_some_and(|first| OPENING.contains(first))
    }

    /// Whether a "not" in this cannot be about the next: "no follow-ups and an open quote", "not a VIP and spent …".
    fn is_closed(&self, next: &Self) -> bool {
        let counted =
            next.said.first().is_some_and(|first| matches!(*first, "a" | "an" | "at" | "more"));
        let no = self.said.contains(&"no") && !self.said.contains(&"without");
        let state = self.said.windows(2).any(|pair| pair == ["are", "not"]);
        no && counted || state && matches!(next.said.first(), Some(&("spent" | "owe")))
    }
}

const JOINTS: &[(&str, Joint)] = &[
    (", and", Joint::And),
    (", or", Joint::Or),
    (", but", Joint::And),
    (",", Joint::Comma),
    ("and also", Joint::And),
    ("and", Joint::And),
    ("or", Joint::Or),
    ("but", Joint::And),
];

struct Item<'t> {
    joint: Joint,
    /// The word that joins it with what is before.
    word: Option<&'t Token>,
    part: Part,
    /// What it is said with.
    said: Vec<&'t str>,
    /// Before "customers", or in their place.
    head: bool,
    either: bool,
}

/// The rules of a sentence; what is not understood is noted. Each word is taken once or noted, so this ends.
pub(super) fn sentence(input: &mut Input<'_>) -> Option<Value> {
    let mut items: Vec<Item<'_>> = Vec::new();
    let mut noun_after_head = false;
    let mut body = false;
    loop {
        while let Some(filler) = filler(input) {
            noun_after_head |= filler && !body && !items.is_empty();
            body |= filler;
        }
        let Some(first) = input.peek_at(0) else { break };
        if input.peek_at(1).is_none() && matches!(first.low.as_str(), "." | "?" | "!") {
            break;
        }
        let joint = input.choose(JOINTS).unwrap_or(Joint::Beside);
        let word = (joint != Joint::Beside).then_some(first);
        if let Some(word) = word
            && (items.is_empty() || input.eat_any(NOUNS))
        {
            refuse_joint(input, word);
        }
        let except = input.eat_any(&["except for", "except", "excluding", "other than"]);
        let either = input.eat("either") || (input.peek_at(2).is_some() && either_ahead(input));
        let before = input.clone();
        let Some(mut part) = read(input) else { continue };
        if except {
            while input.peek_at(0).is_some() && joint_ahead(input).is_none() {
                match read(input) {
                    Some(more) => part.rules.extend(more.rules),
                    None => break,
                }
            }
            if let Some(word) = joint_ahead(input) {
                input.state.refuse(
                    word,
                    "ambiguous",
                    "is taken out too, or is it not? Say it in another order",
                );
            }
            part = Part { rules: negated(part.rules), alone: false, negated: true, ..part };
        }
        let head = part.alone && !body;
        body |= !head;
        let count = before.input.eof_offset() - input.input.eof_offset();
        let said = (0..count)
            .filter_map(|at| before.peek_at(at))
            .map(|token| token.low.as_str())
            .collect();
        items.push(Item { joint, word, part, said, head, either });
    }
    if !input.state.refused.borrow().is_empty() || items.is_empty() {
        return None;
    }
    join(input, items, noun_after_head)
}

/// "who are either …": the words before it are read again with what follows.
fn either_ahead(input: &mut Input<'_>) -> bool {
    let start = input.checkpoint();
    input.eat_any(&["who", "that"]);
    input.eat_any(&["are", "have"]);
    let found = input.eat("either");
    if !found {
        input.reset(&start);
    }
    found
}

fn joint_ahead<'t>(input: &Input<'t>) -> Option<&'t Token> {
    input.peek_at(0).filter(|token| JOINTS.iter().any(|(word, _)| *word == token.low))
}

fn refuse_joint(input: &Input<'_>, word: &Token) {
    input.state.refuse(
        word,
        "ambiguous",
        "can be read in two ways: say it in two sentences, or with either … or …",
    );
}

/// Whether what was left out names those who are meant; nothing if there is nothing to leave out.
fn filler(input: &mut Input<'_>) -> Option<bool> {
    let noun = input.eat_any(NOUNS);
    (noun || input.eat_any(FILLERS)).then_some(noun)
}

/// A condition; otherwise the word where it got stuck is noted and passed.
fn read(input: &mut Input<'_>) -> Option<Part> {
    let start = input.peek_at(0).map_or(0, |token| token.index);
    input.state.furthest.set(start);
    if let Some(part) = maybe(input, condition) {
        return Some(part);
    }
    // Who looked beyond the end is stuck at the last word.
    let left = input.input.eof_offset();
    let stuck = input.state.furthest.get().saturating_sub(start).min(left.saturating_sub(1));
    if let Some(token) = input.peek_at(stuck).or_else(|| input.input.previous_tokens().next()) {
        input.state.refuse(token, "not_understood", "is not understood here");
    }
    input.skip(stuck + 1);
    None
}

fn single(part: &Part) -> Option<(&str, &str)> {
    match &part.rules[..] {
        [rule] if rule.get("meta").is_none() => {
            Some((rule["field"].as_str()?, rule["operator"].as_str()?))
        }
        _ => None,
    }
}

/// `active or prospect customers`: one rule with both values.
fn merge(items: Vec<Item<'_>>) -> Vec<Item<'_>> {
    let mut merged: Vec<Item<'_>> = Vec::new();
    for item in items {
        if let Some(last) = merged.last_mut() {
            let (Some((field, operator)), Some((other, also))) =
                (single(&last.part), single(&item.part))
            else {
                merged.push(item);
                continue;
            };
            let equal = |operator: &str| matches!(operator, "=" | "in");
            let alone = last.part.alone && item.part.alone;
            let named = field == "tags"
                && operator == "containsAny"
                && also == "containsAny"
                && last.part.noun
                && item.part.noun;
            let places = item.joint == Joint::Or && !last.part.alone && !item.part.alone;
            let values = field != "segment"
                && equal(operator)
                && equal(also)
                && (alone || places)
                && is_scalar(last)
                && is_scalar(&item);
            if field == other
                && item.joint != Joint::Beside
                && (values || named)
                && !last.part.negated
                && !item.part.negated
            {
                let mut all = listed(&last.part.rules[0]["value"]);
                all.extend(listed(&item.part.rules[0]["value"]));
                let rule = &mut last.part.rules[0];
                if values {
                    rule["operator"] = "in".into();
                }
                rule["value"] = all.into();
                continue;
            }
        }
        merged.push(item);
    }
    merged
}

/// A rule on a value, not on related rows.
fn is_scalar(item: &Item<'_>) -> bool {
    item.part.rules[0].get("match").is_none()
}

fn listed(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_else(|| vec![value.clone()])
}

fn member(part: Part) -> Value {
    let mut rules = part.rules;
    if rules.len() == 1 { rules.remove(0) } else { group("and", false, rules) }
}

fn join(input: &Input<'_>, items: Vec<Item<'_>>, noun_after_head: bool) -> Option<Value> {
    let mut items = merge(items);
    // A comma is what the next word that joins says.
    let mut next = Joint::And;
    for item in items.iter_mut().rev() {
        match item.joint {
            Joint::Comma => item.joint = next,
            Joint::Beside => next = Joint::And,
            joint => next = joint,
        }
    }
    let mut doubtful: Vec<&Token> = Vec::new();
    for pair in items.windows(2) {
        let (left, right) = (&pair[0], &pair[1]);
        let Some(word) = right.word else { continue };
        let bare = left.denies()
            && !right.opens()
            && !(right.joint == Joint::And && left.is_closed(right));
        let two_sorts = right.joint == Joint::And && left.part.alone && right.part.noun;
        let tags = right.joint == Joint::And && right.part.alone && same_tags(left, right);
        if two_sorts || bare || tags {
            doubtful.push(word);
        }
    }
    let ors: Vec<&Token> =
        items.iter().filter(|item| item.joint == Joint::Or).filter_map(|item| item.word).collect();
    let scope =
        if ors.is_empty() { Some(None) } else { disjunction(&items, noun_after_head).map(Some) };
    if scope.is_none() {
        doubtful.extend(ors);
    }
    if !doubtful.is_empty() {
        for word in doubtful {
            refuse_joint(input, word);
        }
        return None;
    }
    let scope = scope.flatten().unwrap_or(0..0);
    let (mut together, mut either) = (Vec::new(), Vec::new());
    for (at, item) in items.into_iter().enumerate() {
        if scope.contains(&at) {
            either.push(member(item.part));
        } else {
            together.extend(item.part.rules);
        }
    }
    if either.is_empty() {
        return Some(group("and", false, together));
    }
    let either = group("or", false, either);
    if together.is_empty() {
        return Some(either);
    }
    together.push(either);
    Some(group("and", false, together))
}

fn same_tags(left: &Item<'_>, right: &Item<'_>) -> bool {
    single(&left.part).is_some_and(|(field, _)| field == "tags")
        && single(&left.part) == single(&right.part)
}

/// Which conditions an "or" is about, if that is clear.
fn disjunction(items: &[Item<'_>], noun_after_head: bool) -> Option<std::ops::Range<usize>> {
    let count = items.len();
    let heads = items.iter().take_while(|item| item.head).count();
    let or_from = |first: usize| {
        first < count && items[first + 1..].iter().all(|item| item.joint == Joint::Or)
    };
    if let Some(first) = items.iter().position(|item| item.either) {
        return (or_from(first) && items[..=first].iter().all(|item| item.joint != Joint::Or))
            .then_some(first..count);
    }
    // "VIPs or in Austin"
    if or_from(0) && (heads <= 1 || heads == count) {
        return Some(0..count);
    }
    // "active or VIP customers in Austin"
    let head_or = heads > 1 && items[1..heads].iter().all(|item| item.joint == Joint::Or);
    if head_or && noun_after_head && items[heads..].iter().all(|item| item.joint != Joint::Or) {
        return Some(0..heads);
    }
    if heads > 0 && items[1..heads].iter().any(|item| item.joint == Joint::Or) {
        return None;
    }
    // "active customers who owe … or have …", but not where "or" could begin anew.
    let first = (heads..count)
        .find(|first| or_from(*first) && (*first == heads || items[*first].part.clause))?;
    let before =
        items[heads..first].iter().all(|item| item.joint == Joint::Beside && !item.part.clause);
    let anew = items[first + 1..].iter().any(|item| item.part.alone);
    (before && items[first].joint != Joint::Or && !(anew && heads > 0)).then_some(first..count)
}
