//! Definitions by people who mean no good: each refused with a path, or compiled to text without their words.
//!
//! `FIELDCRM_FUZZ_SECONDS` sets how long random definitions are tried; `cargo fuzz run segment` has the same body.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

#[path = "segment_hostile/grown.rs"]
mod grown;
#[path = "segment_hostile/invariant.rs"]
mod invariant;

use std::time::{Duration, Instant};

use fieldcrm_core::segment::{compile, parse};
use grown::{HOSTILE, Seed};
use invariant::holds;
use serde_json::{Map, Value, json};

fn envelope(rule: &Value) -> Value {
    json!({"version": 1, "entity": "customer", "query": {"combinator": "and", "rules": [rule]}})
}

/// Every error's path; panics where the definition is accepted.
fn refused(definition: &Value) -> Vec<String> {
    assert!(!holds(definition), "accepted: {definition}");
    parse(definition).unwrap_err().into_iter().map(|error| error.path).collect()
}

#[test]
fn a_hostile_name_is_refused_wherever_a_name_is_read() {
    let rule = json!({"field": "name", "operator": "=", "value": "x"});
    let related = json!({"field": "invoices", "operator": ">", "value": 1,
        "meta": {"aggregate": {"fn": "sum", "column": "total"}}, "match": null});
    let counted = json!({"field": "invoices", "operator": "=", "match": {"mode": "some"}});
    let other = json!({"field": "name", "operator": "=", "valueSource": "field", "value": "email"});
    for word in HOSTILE {
        for (base, pointer, path) in [
            (&rule, "/field", "query.rules[0].field"),
            (&rule, "/operator", "query.rules[0].operator"),
            (&related, "/field", "query.rules[0].field"),
            (&related, "/meta/aggregate/fn", "query.rules[0].meta.aggregate.fn"),
            (&related, "/meta/aggregate/column", "query.rules[0].meta.aggregate.column"),
            (&counted, "/match/mode", "query.rules[0].match.mode"),
            (&other, "/value", "query.rules[0].value"),
            (&other, "/valueSource", "query.rules[0].valueSource"),
        ] {
            // "null" is an operator.
            if pointer == "/operator" && *word == "null" {
                continue;
            }
            let mut rule = base.clone();
            *rule.pointer_mut(pointer).unwrap() = json!(word);
            let paths = refused(&envelope(&rule));
            assert!(paths.iter().any(|known| known == path), "{word:?} {pointer}: {paths:?}");
        }
        let mut query = envelope(&rule);
        query["query"]["combinator"] = json!(word);
        assert!(refused(&query).contains(&"query.combinator".to_owned()), "{word:?}");
        let mut query = envelope(&rule);
        query["entity"] = json!(word);
        assert!(refused(&query).contains(&"entity".to_owned()), "{word:?}");
    }
}

#[test]
fn an_unknown_key_is_refused_at_every_level() {
    for word in HOSTILE.iter().copied().chain(["Field", "fields", "sql", "version "]) {
        for (pointer, path) in [
            ("", ""),
            ("/query", "query."),
            ("/query/rules/0", "query.rules[0]."),
            ("/query/rules/0/match", "query.rules[0].match."),
            ("/query/rules/0/meta", "query.rules[0].meta."),
            ("/query/rules/0/value", "query.rules[0].value."),
            ("/query/rules/0/value/rules/0", "query.rules[0].value.rules[0]."),
        ] {
            let mut definition = envelope(&json!({"field": "invoices", "operator": "=",
                "match": {"mode": "some"}, "meta": {}, "value": {"combinator": "and", "rules": [
                    {"field": "total", "operator": ">", "value": 1}]}}));
            definition.pointer_mut(pointer).unwrap()[word] = json!("x");
            let paths = refused(&definition);
            assert!(paths.iter().any(|known| known.starts_with(path)), "{word:?} {paths:?}");
        }
    }
}

#[test]
fn a_hostile_value_is_bound_and_never_written() {
    let operators = ["=", "!=", "<", "contains", "doesNotEndWith", "in", "notIn", "between"];
    let mut accepted = 0;
    for word in HOSTILE {
        for operator in operators {
            for value in [json!(word), json!([word, word]), json!(format!("zq{word}qz"))] {
                for field in ["name", "city", "product", "tags", "segment"] {
                    let rule = json!({"field": field, "operator": operator, "value": value});
                    let related = json!({"field": "interactions", "operator": "=",
                        "value": {"combinator": "or", "rules": [
                            {"field": "subject", "operator": operator, "value": value}]}});
                    for rule in [rule, related] {
                        let definition = envelope(&rule);
                        if !holds(&definition) {
                            continue;
                        }
                        accepted += 1;
                        let compiled = compile(&parse(&definition).unwrap());
                        for text in [compiled.matching(), compiled.explained().text()] {
                            assert!(!text.contains("zq"), "{definition}");
                        }
                    }
                }
            }
        }
    }
    assert!(accepted > 5_000, "{accepted}");
}

/// What stands where something else is expected.
#[test]
fn wrong_types_everywhere_are_refused_with_a_path() {
    let whole = json!({"version": 1, "entity": "customer", "query": {
    "combinator": "and", "not": false, "rules": [
        {"field": "name", "operator": "=", "value": "x", "valueSource": "value",
            "meta": {"ignoreCase": true, "includeEmpty": false}},
        {"field": "created_at", "operator": "<", "value":
            {"mode": "relative", "anchor": "startOfDay", "offset": -90, "unit": "day"}},
        {"field": "work_orders", "operator": "=", "match": {"mode": "atLeast", "threshold": 2},
            "value": {"combinator": "and", "rules": [
                {"field": "status", "operator": "in", "value": ["completed", "canceled"]}]}},
        {"field": "invoices", "operator": ">", "value": 500, "meta": {"aggregate":
            {"fn": "sum", "column": "total", "filter": {"combinator": "or", "rules": [
                {"field": "total", "operator": "between", "value": [1, 2]}]}}}},
        {"combinator": "or", "rules": [{"field": "do_not_call", "operator": "=", "value": true}]},
    ]}});
    assert!(holds(&whole));
    let wrong = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1.5),
        json!(u64::MAX),
        json!(1e308),
        json!("x"),
        json!(""),
        json!([]),
        json!({}),
        json!([[]]),
        json!([{}]),
        json!({"x": {}}),
        json!([null]),
    ];
    let (mut count, mut refusals) = (0, 0);
    for pointer in pointers(&whole, "") {
        for wrong in &wrong {
            let mut definition = whole.clone();
            *definition.pointer_mut(&pointer).unwrap() = wrong.clone();
            count += 1;
            refusals += usize::from(!holds(&definition));
        }
    }
    // The rest are right by chance: a text where a text is.
    assert!(refusals * 100 > count * 85, "{refusals} of {count}");
}

fn pointers(value: &Value, at: &str) -> Vec<String> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(object) => object.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect()
        }
        _ => Vec::new(),
    };
    let inner = children.iter().flat_map(|(key, child)| pointers(child, &format!("{at}/{key}")));
    std::iter::once(at.to_owned()).chain(inner).collect()
}

#[test]
fn groups_of_ten_thousand_levels_are_refused() {
    // By hand: json! would copy the value, and copying takes as deep a stack.
    let mut deep = json!({"field": "name", "operator": "=", "value": "x"});
    for _ in 0..10_000 {
        let rules = Value::Array(vec![deep]);
        deep = Value::Object(Map::from_iter([
            ("combinator".to_owned(), json!("and")),
            ("rules".to_owned(), rules),
        ]));
    }
    let mut definition = json!({"version": 1, "entity": "customer"});
    definition["query"] = deep;
    let errors = parse(&definition).unwrap_err();
    assert_eq!(errors[0].path, "query.rules[0].rules[0].rules[0].rules[0].rules[0]");
    assert_eq!((errors.len(), errors[0].code.as_str()), (1, "too_deep"));
    drop_slowly(definition);
}

#[test]
fn a_value_of_ten_thousand_levels_is_refused() {
    let mut value = json!("x");
    for _ in 0..10_000 {
        value = Value::Array(vec![value]);
    }
    let mut definition = envelope(&json!({"field": "name", "operator": "in"}));
    definition["query"]["rules"][0]["value"] = value;
    assert_eq!(parse(&definition).unwrap_err()[0].path, "query.rules[0].value[0]");
    drop_slowly(definition);
}

#[test]
fn sizes_are_bounded() {
    let rule = json!({"field": "name", "operator": "=", "value": "x"});
    let many: Vec<_> = std::iter::repeat_n(rule.clone(), 100_000).collect();
    let definition =
        json!({"version": 1, "entity": "customer", "query": {"combinator": "or", "rules": many}});
    assert!(refused(&definition).len() <= 200);
    let wrong: Vec<_> = std::iter::repeat_n(json!({"field": 1}), 100_000).collect();
    let definition =
        json!({"version": 1, "entity": "customer", "query": {"combinator": "or", "rules": wrong}});
    assert!(refused(&definition).len() <= 200);

    let long = "é".repeat(1_001);
    let paths = refused(&envelope(&json!({"field": "name", "operator": "=", "value": long})));
    assert_eq!(paths, ["query.rules[0].value"]);
    let name = "n".repeat(1_000_000);
    let error = parse(&envelope(&json!({"field": name, "operator": "=", "value": 1}))).unwrap_err();
    assert!(error[0].message.len() < 500);
    let items: Vec<_> = (0..1_001).collect();
    let paths =
        refused(&envelope(&json!({"field": "total_spend", "operator": "in", "value": items})));
    assert_eq!(paths, ["query.rules[0].value"]);
}

/// Level by level: dropped at once, a value this deep would need as deep a stack.
fn drop_slowly(value: Value) {
    let mut left = vec![value];
    while let Some(value) = left.pop() {
        match value {
            Value::Array(items) => left.extend(items),
            Value::Object(object) => left.extend(object.into_iter().map(|(_, value)| value)),
            _ => {}
        }
    }
}

#[test]
fn of_a_key_that_comes_twice_the_last_counts_and_is_checked() {
    let twice = r#"{"version": 1, "entity": "customer", "query": {"combinator": "and", "rules": [
        {"field": "name", "operator": "=", "value": "x", "field": "pg_authid"}]}}"#;
    let definition: Value = serde_json::from_str(twice).unwrap();
    assert_eq!(refused(&definition), ["query.rules[0].field"]);
}

#[test]
fn numbers_that_a_database_could_not_hold_are_refused_or_bound() {
    for number in ["1e999", "-1e999", "1e-999", "1e1000", "0x10", "1_000", "١", "1e", ".", "+", "∞"]
    {
        holds(&envelope(&json!({"field": "total_spend", "operator": ">", "value": number})));
    }
    for offset in [json!(i64::MAX), json!(i64::MIN), json!(u64::MAX), json!(1e30), json!(0.5)] {
        let value = json!({"mode": "relative", "anchor": "now", "offset": offset, "unit": "year"});
        let rule = json!({"field": "created_at", "operator": "<", "value": value});
        assert_eq!(refused(&envelope(&rule)), ["query.rules[0].value"]);
    }
}

#[test]
fn random_definitions_are_refused_or_compiled() {
    let seconds = std::env::var("FIELDCRM_FUZZ_SECONDS").map_or(2, |text| text.parse().unwrap());
    let until = Instant::now() + Duration::from_secs(seconds);
    let (mut state, mut count, mut accepted) = (1_u64, 0_u64, 0_u64);
    while Instant::now() < until {
        for _ in 0..100 {
            let mut bytes = [0_u8; 600];
            for chunk in bytes.chunks_mut(8) {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let mixed = (state ^ (state >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                chunk.copy_from_slice(&(mixed ^ (mixed >> 32)).to_le_bytes());
            }
            count += 1;
            accepted += u64::from(holds(&Seed(&bytes).definition()));
        }
    }
    println!("{count} definitions, {accepted} accepted");
    assert!(accepted * 200 > count, "{accepted} of {count} accepted");
}
