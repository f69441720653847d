//! What the parser refuses and what the compiler never does.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::reference::alone;
use super::*;

fn codes(definition: &Value) -> Vec<(String, String)> {
    let errors = parse(definition).err().unwrap_or_default();
    errors.into_iter().map(|error| (error.path, error.code)).collect()
}

fn refused(rule: &Value, path: &str, code: &str) {
    let path = format!("query.rules[0]{path}");
    assert_eq!(codes(&alone(rule)), [(path, code.to_owned())], "{rule}");
}

fn group(rules: &[Value]) -> Value {
    json!({"version": 1, "entity": "customer", "query": {"combinator": "and", "rules": rules}})
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn every_mistake_has_its_path_and_code() {
    for (rule, path, code) in [
        (json!({"field": "name"}), ".operator", "missing"),
        (json!({"field": "name", "operator": "="}), ".value", "missing"),
        (json!({"operator": "=", "value": 1}), ".field", "missing"),
        (json!({"field": "name; drop table x", "operator": "null"}), ".field", "unknown_field"),
        (
            json!({"field": "name", "operator": "= any", "value": "a"}),
            ".operator",
            "unknown_operator",
        ),
        (json!({"field": "name", "operator": "=", "value": ["a"]}), ".value", "invalid_type"),
        (json!({"field": "name", "operator": "=", "value": "a\u{0}"}), ".value", "invalid_value"),
        (
            json!({"field": "name", "operator": "=", "value": "a".repeat(1_001)}),
            ".value",
            "too_long",
        ),
        (
            json!({"field": "name", "operator": "=", "value": "a", "sql": "1"}),
            ".sql",
            "unknown_key",
        ),
        (
            json!({"field": "name", "operator": "=", "value": "a", "meta": {"x": 1}}),
            ".meta.x",
            "unknown_key",
        ),
        (json!({"field": "name", "operator": "in", "value": []}), ".value", "empty_list"),
        (
            json!({"field": "name", "operator": "in", "value": vec!["a"; 1_001]}),
            ".value",
            "too_many_values",
        ),
        (
            json!({"field": "name", "operator": "in", "value": ["a", null]}),
            ".value[1]",
            "invalid_type",
        ),
        (
            json!({"field": "total_spend", "operator": "=", "value": "NaN"}),
            ".value",
            "invalid_value",
        ),
        (
            json!({"field": "total_spend", "operator": "=", "value": "1e9999"}),
            ".value",
            "invalid_value",
        ),
        (
            json!({"field": "total_spend", "operator": "between", "value": [1]}),
            ".value",
            "invalid_value",
        ),
        (
            json!({"field": "is_archived", "operator": "=", "value": "true"}),
            ".value",
            "invalid_type",
        ),
        (json!({"field": "owner_id", "operator": "=", "value": "me"}), ".value", "invalid_value"),
        (
            json!({"field": "created_at", "operator": "<", "value": "2026-02-30"}),
            ".value",
            "invalid_date",
        ),
        (
            json!({"field": "created_at", "operator": "<", "value": "infinity"}),
            ".value",
            "invalid_date",
        ),
        (
            json!({"field": "created_at", "operator": "<", "value": {"mode": "relative", "anchor": "now", "offset": 1}}),
            ".value",
            "invalid_value",
        ),
        (
            json!({"field": "created_at", "operator": "olderThan", "value": "P1000Y"}),
            ".value",
            "out_of_range",
        ),
        (
            json!({"field": "created_at", "operator": "olderThan", "value": "90 days"}),
            ".value",
            "invalid_duration",
        ),
        (
            json!({"field": "name", "operator": "=", "valueSource": "field", "value": "created_at"}),
            ".value",
            "unlike_field",
        ),
        (
            json!({"field": "name", "operator": "in", "valueSource": "field", "value": "email"}),
            ".valueSource",
            "not_allowed",
        ),
        (
            json!({"field": "quotes", "operator": "=", "match": {"mode": "atLeast"}}),
            ".match.threshold",
            "missing",
        ),
        (
            json!({"field": "quotes", "operator": "="  , "match": {"mode": "most"}}),
            ".match.mode",
            "invalid_value",
        ),
        (
            json!({"field": "quotes", "operator": ">", "value": 1}),
            ".operator",
            "operator_not_allowed",
        ),
        (
            json!({"field": "quotes", "operator": ">", "value": 1, "meta": {"aggregate": {"fn": "sum", "column": "status"}}}),
            ".meta.aggregate.column",
            "unlike_field",
        ),
        (
            json!({"field": "quotes", "operator": ">", "value": 1, "meta": {"aggregate": {"fn": "median", "column": "total"}}}),
            ".meta.aggregate.fn",
            "invalid_value",
        ),
    ] {
        refused(&rule, path, code);
    }
}

#[test]
fn depth_and_number_of_rules_are_limited() {
    let rule = json!({"field": "name", "operator": "notNull"});
    let nested = |depth: usize| {
        let mut query = json!({"combinator": "and", "rules": [rule]});
        for _ in 1..depth {
            query = json!({"combinator": "or", "rules": [query]});
        }
        json!({"version": 1, "entity": "customer", "query": query})
    };
    assert!(parse(&nested(MAX_DEPTH)).is_ok());
    assert_eq!(codes(&nested(MAX_DEPTH + 1))[0].1, "too_deep");
    assert!(parse(&group(&vec![rule.clone(); MAX_RULES])).is_ok());
    let last = format!("query.rules[{MAX_RULES}]");
    assert_eq!(codes(&group(&vec![rule; 100_000])), [(last, "too_many_rules".to_owned())]);
}

#[test]
fn muted_rules_are_as_if_absent_and_something_must_be_left() {
    let rule =
        json!({"field": "name", "operator": "notNull", "disabled": true, "id": "a", "path": [0]});
    let muted = json!({"field": "?", "muted": true});
    let with = parse(&group(&[muted.clone(), rule.clone()])).unwrap();
    let without = parse(&group(&[rule])).unwrap();
    assert_eq!(compile(&with).matching(), compile(&without).matching());
    let empty = [("query".to_owned(), "empty_definition".to_owned())];
    assert_eq!(codes(&group(std::slice::from_ref(&muted))), empty);
    assert_eq!(codes(&group(&[])), empty);
    let inner = json!({"combinator": "and", "rules": [muted]});
    let empty = ("query.rules[0]".to_owned(), "empty_group".to_owned());
    assert_eq!(codes(&group(&[inner])), [empty]);
}

#[test]
fn a_missing_row_is_zero_without_hiding_the_column_from_an_index() {
    let sql = |operator: &str, value: Value| {
        let rule = json!({"field": "total_spend", "operator": operator, "value": value});
        compile(&parse(&alone(&rule)).unwrap()).matching().contains("coalesce")
    };
    assert!(!sql(">", json!(500)) && !sql("=", json!("0.5")) && !sql("<", json!(-1)));
    assert!(sql("<", json!(500)) && sql("=", json!("-0.0")) && sql(">", json!(-1)));
}

#[test]
fn archived_customers_are_left_out_unless_a_rule_names_it() {
    let rule = json!({"field": "name", "operator": "notNull"});
    let archived = json!({"field": "is_archived", "operator": "=", "value": true});
    let left_out = |rules: &[Value]| {
        compile(&parse(&group(rules)).unwrap()).matching().contains("not c.is_archived")
    };
    assert!(left_out(std::slice::from_ref(&rule)));
    assert!(!left_out(&[rule, archived]));
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        proptest::sample::select(vec![
            "and",
            "or",
            "name",
            "=",
            "in",
            "tags",
            "interactions",
            "now",
            "some",
            "P1D"
        ])
        .prop_map(Value::from),
    ];
    let keys = proptest::sample::select(vec![
        "combinator",
        "rules",
        "not",
        "muted",
        "field",
        "operator",
        "value",
        "valueSource",
        "match",
        "meta",
        "mode",
        "threshold",
        "aggregate",
        "fn",
        "column",
        "filter",
        "anchor",
        "offset",
    ]);
    leaf.prop_recursive(6, 64, 8, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::btree_map(keys.clone(), inner, 0..6).prop_map(|map| {
                Value::Object(map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
            }),
        ]
    })
}

proptest! {
    #[test]
    fn no_json_makes_the_parser_panic_and_every_refusal_has_a_path(query in json_value()) {
        match parse(&json!({"version": 1, "entity": "customer", "query": query})) {
            Ok(definition) => {
                let _ = compile(&definition);
                let _ = sentence(&definition);
                let _ = warnings(&definition);
            }
            Err(errors) => {
                prop_assert!(!errors.is_empty());
                prop_assert!(errors.iter().all(|error| !error.path.is_empty() && !error.code.is_empty()));
            }
        }
    }

    #[test]
    fn no_value_is_in_the_text(value in "\\PC{1,40}", name in proptest::sample::select(vec!["name", "source", "tags", "city"])) {
        let operator = if name == "tags" { "containsAny" } else { "in" };
        let marked = format!("zq\u{1}{value}'); drop table x; --");
        let rule = json!({"field": name, "operator": operator, "value": [marked]});
        let compiled = compile(&parse(&alone(&rule)).unwrap());
        let other = json!({"field": name, "operator": operator, "value": ["a"]});
        let other = compile(&parse(&alone(&other)).unwrap());
        prop_assert_eq!(compiled.matching(), other.matching());
        prop_assert_eq!(compiled.explained(), other.explained());
    }
}
