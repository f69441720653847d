//! What may stand in a draft.

use std::collections::BTreeSet;

use super::{Channel, Offer, Text};
use crate::ai::shown::{is_hidden, names_a_place};

/// In characters.
const MAX_SUBJECT: usize = 150;
const MAX_EMAIL: usize = 4_000;
const MAX_SMS: usize = 480;

/// Everything that keeps the text from being a draft. With no braces but around names that there are, it is a template
/// (`draft/tests.rs`); the engine that would say so is a fifth of a function. Its numbers have to be among those of `told`, as they stand there: amounts
/// and dates of ours are variables.
#[must_use]
pub fn problems(text: &Text, channel: Channel, offer: &Offer, told: &str) -> Vec<String> {
    let mut found = Vec::new();
    let longest = match channel {
        Channel::Email => MAX_EMAIL,
        Channel::Sms => MAX_SMS,
    };
    let subject = text.subject.trim();
    let parts = [("subject", subject, MAX_SUBJECT), ("body", text.body.trim(), longest)];
    for (part, source, longest) in parts {
        if source.chars().count() > longest {
            found.push(format!("{part} must be at most {longest} characters"));
        }
        let (names, rest) = read(source);
        for name in names.iter().filter(|name| !offer.has(name)) {
            found.push(format!("{part}: {{{{{name}}}}} is none of the variables"));
        }
        if rest.contains(['{', '}']) {
            found.push(format!(
                "{part}: only variables such as {{{{customer.name}}}} can stand in braces"
            ));
        }
        if rest
            .contains(|letter: char| is_hidden(letter) || (letter.is_control() && letter != '\n'))
        {
            found.push(format!("{part} must be plain text"));
        }
        if let Some(link) = rest.split_whitespace().find(|word| names_a_place(word)) {
            found.push(format!("{part} must have no links and addresses: {link}"));
        }
        let known: BTreeSet<&str> = numbers(told).collect();
        for number in numbers(&rest).filter(|number| !known.contains(number)) {
            found.push(format!("{part}: {number} is in none of the facts; use the variables"));
        }
    }
    match channel {
        Channel::Email if subject.is_empty() => found.push("subject must not be empty".to_owned()),
        Channel::Sms if !subject.is_empty() => found.push("subject must be empty".to_owned()),
        _ => {}
    }
    if text.body.trim().is_empty() {
        found.push("body must not be empty".to_owned());
    }
    if subject.contains('\n') {
        found.push("subject must be one line".to_owned());
    }
    found
}

/// The names in `{{ }}`.
pub(super) fn names(source: &str) -> impl Iterator<Item = &str> {
    read(source).0.into_iter()
}

/// The names in `{{ }}`, and the text without them.
fn read(source: &str) -> (Vec<&str>, String) {
    let (mut names, mut rest) = (Vec::new(), String::new());
    let mut left = source;
    while let Some((before, tag)) = left.split_once("{{") {
        let Some((name, after)) = tag.split_once("}}") else { break };
        names.push(name.trim());
        rest.push_str(before);
        // Two halves of a word are none.
        rest.push('\u{fffc}');
        left = after;
    }
    rest.push_str(left);
    (names, rest)
}

/// Digits with what stands between them: `1,250.00`, `2026-11-24`, `10:30`. Digits of all scripts.
fn numbers(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| {
        !(letter.is_numeric() || matches!(letter, '.' | ',' | ':' | '-' | '/'))
    })
    .map(|word| word.trim_matches(|letter: char| !letter.is_numeric()))
    .filter(|word| !word.is_empty())
}
