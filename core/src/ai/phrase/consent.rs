//! What customers agreed to, and what they asked not to be done.

use serde_json::{Value, json};

use super::input::{Input, Read, Result, miss, when};
use super::rule::{related, rule};

/// The field, what we do, and what is done to them.
const WISHES: &[(&str, &[&str], &[&str])] = &[
    ("do_not_contact", &["contact"], &["contacted"]),
    ("do_not_email", &["email", "e mail"], &["emailed", "e mailed"]),
    ("do_not_sms", &["text", "sms"], &["texted"]),
    ("do_not_call", &["call", "phone"], &["called", "phoned"]),
];

pub(super) fn consent(input: &mut Input<'_>) -> Result<Vec<Value>> {
    let who = input.eat_any(&["who", "that", "whom", "which"]);
    let wishes = |input: &mut Input<'_>, passive: bool| {
        let all: Vec<(&str, &str)> = WISHES
            .iter()
            .flat_map(|(field, active, done)| {
                let words = if passive { done } else { active };
                words.iter().map(|word| (*word, *field))
            })
            .collect();
        input.peek_now();
        input.choose(&all).map_or_else(miss, Ok)
    };
    // "who do not call" are those who keep quiet themselves.
    if !who && input.eat("do not") {
        return wishes(input, false).map(|field| vec![rule(field, "=", true)]);
    }
    if input.eat_any(&["we must not", "we should not", "we may not", "we can not", "not to"]) {
        return wishes(input, false).map(|field| vec![rule(field, "=", true)]);
    }
    if input.eat_any(&[
        "must not be",
        "should not be",
        "may not be",
        "can not be",
        "do not want to be",
        "do not wish to be",
    ]) {
        return wishes(input, true).map(|field| vec![rule(field, "=", true)]);
    }
    if input.eat_any(&["we can", "we may"]) {
        return wishes(input, false).map(|field| vec![rule(field, "=", false)]);
    }
    if input.eat_any(&["can be", "may be"]) {
        return wishes(input, true).map(|field| vec![rule(field, "=", false)]);
    }
    if input.eat_any(&["prefer", "prefers"]) {
        let kinds = [
            ("whatsapp", "whatsapp"),
            ("email", "email"),
            ("e mail", "email"),
            ("telegram", "telegram"),
        ];
        let Some(kind) = input.choose(&kinds) else { return miss() };
        let filter = vec![rule("type", "=", kind), rule("preferred_channel", "=", true)];
        return Ok(vec![related("contacts", json!({"mode": "some"}), filter)]);
    }
    marketing(input)
}

fn marketing(input: &mut Input<'_>) -> Result<Vec<Value>> {
    let without = input.eat("without");
    let not = without
        || !input.eat_any(&["with", "have given", "have", "having", "gave"])
            && input.eat_any(&["have not", "did not", "not"]);
    let not = not || input.eat_any(&["not given", "not", "no"]);
    let phrases: &[&str] = &[
        "opted in to marketing",
        "opted into marketing",
        "subscribed to marketing",
        "opt in to marketing",
        "marketing consent",
        "consent to marketing",
    ];
    when(input.eat_any(phrases), ())?;
    let mode = if not { "none" } else { "some" };
    Ok(vec![related("contacts", json!({"mode": mode}), vec![rule("opt_in_marketing", "=", true)])])
}
