//! Rules as JSON, and what a sentence makes of several.

use serde_json::{Value, json};

pub(super) fn rule(field: &str, operator: &str, value: impl Into<Value>) -> Value {
    json!({"field": field, "operator": operator, "value": value.into()})
}

pub(super) fn bare(field: &str, operator: &str) -> Value {
    json!({"field": field, "operator": operator})
}

/// A rule on a text that nobody has written down the same way everywhere.
pub(super) fn spelled(field: &str, operator: &str, value: impl Into<Value>) -> Value {
    let mut rule = rule(field, operator, value);
    rule["meta"] = json!({"ignoreCase": true});
    rule
}

/// `=` or `in`; with `not`, the negative.
pub(super) fn one_of(field: &str, values: &[String], not: bool) -> Value {
    match (values, not) {
        ([one], false) => rule(field, "=", one.as_str()),
        ([one], true) => rule(field, "!=", one.as_str()),
        (many, false) => rule(field, "in", many),
        (many, true) => rule(field, "notIn", many),
    }
}

#[allow(clippy::needless_pass_by_value, reason = "the macro borrows what is the group's own")]
pub(super) fn group(combinator: &str, not: bool, rules: Vec<Value>) -> Value {
    let mut group = json!({"combinator": combinator, "rules": rules});
    if not {
        group["not"] = json!(true);
    }
    group
}

/// Related rows that fit.
#[allow(clippy::needless_pass_by_value, reason = "the macro borrows what is the rule's own")]
pub(super) fn related(rows: &str, matching: Value, filter: Vec<Value>) -> Value {
    let mut rule = json!({"field": rows, "operator": "=", "match": matching});
    if !filter.is_empty() {
        rule["value"] = group("and", false, filter);
    }
    rule
}

/// The opposite of rules that hold together.
pub(super) fn negated(mut rules: Vec<Value>) -> Vec<Value> {
    if let [only] = &mut rules[..] {
        let opposite = match only["operator"].as_str().unwrap_or_default() {
            "in" => "notIn",
            "containsAny" => "containsNone",
            "null" => "notNull",
            "notNull" => "null",
            "contains" => "doesNotContain",
            "beginsWith" => "doesNotBeginWith",
            "endsWith" => "doesNotEndWith",
            "=" if only["value"].is_boolean() => {
                only["value"] = json!(only["value"] == false);
                return rules;
            }
            "=" if only.get("match").is_some() => {
                let mode = match only["match"]["mode"].as_str() {
                    Some("some") => "none",
                    Some("none") => "some",
                    _ => return vec![group("and", true, rules)],
                };
                only["match"] = json!({"mode": mode});
                return rules;
            }
            "=" => "!=",
            _ => return vec![group("and", true, rules)],
        };
        only["operator"] = json!(opposite);
        return rules;
    }
    vec![group("and", true, rules)]
}
