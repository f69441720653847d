//! Segments, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use common::{As, Context};
use serde_json::{Value, json};

const CSR: As = As::Northwind("csr");

scenarios! {
    every_operator_runs
}

fn definition(rules: Value) -> Value {
    json!({"version": 1, "entity": "customer", "query": {"combinator": "and", "rules": rules}})
}

/// One rule for each operator of each field.
fn every_rule() -> Vec<Value> {
    use fieldcrm_core::segment::catalogue::{CUSTOMER, Field, Kind};
    let samples = |field: &Field| match field.kind {
        Kind::Enum(choices, _) => (json!(choices[0]), json!([choices[0], choices[1]])),
        Kind::Number => (json!(-1.5), json!(["1", 2])),
        Kind::Boolean => (json!(true), json!([true])),
        Kind::Timestamp | Kind::Date => (
            json!("2026-01-31"),
            json!(["2026-01-31", {"mode": "relative", "anchor": "startOfQuarter", "offset": -1, "unit": "quarter"}]),
        ),
        Kind::Uuid => (
            json!("11111111-1111-4111-8111-111111111111"),
            json!(["11111111-1111-4111-8111-111111111111"]),
        ),
        Kind::Tags => (json!("VIP"), json!(["VIP", "nobody has it"])),
        Kind::Text | Kind::Segment => (json!("a"), json!("a\\,\", b'")),
    };
    let rules = |fields: &'static [Field]| {
        fields.iter().filter(|field| field.kind != Kind::Segment).flat_map(move |field| {
            let (one, many) = samples(field);
            field.kind.operators().iter().flat_map(move |operator| {
                let value = if operator.takes_duration() {
                    json!("P1Y2M3W4DT5H6M")
                } else if operator.takes_list() {
                    many.clone()
                } else {
                    one.clone()
                };
                [json!({}), json!({"includeEmpty": false}), json!({"ignoreCase": true})].map(|meta| {
                    json!({"field": field.name, "operator": operator.as_str(), "value": value, "meta": meta})
                })
            })
        })
    };
    rules(CUSTOMER).collect()
}

async fn every_operator_runs(context: &mut Context) {
    for rule in every_rule() {
        let definition = definition(json!([rule]));
        let outcome =
            context.call(CSR, "crm_segment_preview", json!({"definition": definition})).await;
        assert!(
            outcome.as_ref().is_ok_and(|preview| preview["count"].is_u64()),
            "{rule} {outcome:?}"
        );
    }
}
