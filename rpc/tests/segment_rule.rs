//! What rules mean: every operator runs, days are local, missing is missing.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use common::{As, Context, NORTHWIND};
use fieldcrm_core::segment::catalogue::{CUSTOMER, ENTITIES, Field, Kind};
use serde_json::{Value, json};

const CSR: As = As::Northwind("csr");

scenarios! {
    every_operator_runs
    every_operator_runs_on_related_records
    days_are_those_of_the_org
    negations_match_what_is_missing_unless_told
    the_closed_lists_are_those_of_the_database
}

fn definition(rules: Value) -> Value {
    let query = json!({"combinator": "and", "rules": null});
    let mut whole = json!({"version": 1, "entity": "customer", "query": query});
    whole["query"]["rules"] = rules;
    whole
}

async fn customer(context: &mut Context, mut with: Value) -> Value {
    with["type"] = json!("company");
    context.call(CSR, "crm_create_customer", with).await.unwrap()["id"].take()
}

/// One rule for each operator of each field, as they are and with each kind of `meta`.
fn every_rule(fields: &'static [Field]) -> Vec<Value> {
    let samples = |field: &Field| match field.kind {
        Kind::Enum(choices, _) => (json!(choices[0]), json!([choices[0], choices[1]])),
        Kind::Number => (json!(-1.5), json!(["1", 2])),
        Kind::Boolean => (json!(true), json!([true])),
        Kind::Timestamp | Kind::Date => (
            json!("2026-01-31"),
            json!(["2026-01-31", {"mode": "relative", "anchor": "startOfQuarter", "offset": -1, "unit": "quarter"}]),
        ),
        Kind::Uuid => (json!(NORTHWIND), json!([NORTHWIND])),
        Kind::Tags => (json!("VIP"), json!(["VIP", "nobody has it"])),
        Kind::Text | Kind::Segment => (json!("a"), json!("a\\,\", b'")),
    };
    fields
        .iter()
        .filter(|field| field.kind != Kind::Segment)
        .flat_map(move |field| {
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
        .collect()
}

async fn count(context: &mut Context, rules: Value) -> u64 {
    let arguments = json!({"definition": definition(rules.clone())});
    let outcome = context.call(CSR, "crm_segment_preview", arguments).await;
    let count = outcome.as_ref().ok().and_then(|preview| preview["count"].as_u64());
    count.unwrap_or_else(|| panic!("{rules}: {outcome:?}"))
}

async fn every_operator_runs(context: &mut Context) {
    for rule in every_rule(CUSTOMER) {
        count(context, json!([rule])).await;
    }
}

async fn every_operator_runs_on_related_records(context: &mut Context) {
    for entity in ENTITIES {
        let filter = json!({"combinator": "or", "rules": every_rule(entity.fields)
            .into_iter().step_by(3).take(90).collect::<Vec<_>>()});
        for mode in ["some", "all", "none", "atLeast", "atMost", "exactly"] {
            let matching = json!({"mode": mode, "threshold": 2});
            count(context, json!([{"field": entity.name, "operator": "=", "match": matching, "value": filter}])).await;
            count(context, json!([{"field": entity.name, "operator": "=", "match": matching}]))
                .await;
        }
        for (function, field) in [
            ("count", None),
            ("sum", Some(Kind::Number)),
            ("avg", Some(Kind::Number)),
            ("min", Some(Kind::Timestamp)),
            ("max", Some(Kind::Date)),
        ] {
            let column = entity.fields.iter().find(|column| field == Some(column.kind));
            if field.is_some() && column.is_none() {
                continue;
            }
            let value = if function.starts_with('m') { json!("2026-01-31") } else { json!(1) };
            let meta =
                json!({"aggregate": {"fn": function, "column": column.map(|column| column.name)}});
            for operator in ["=", "!=", "<", ">=", "null", "notNull"] {
                count(context, json!([{"field": entity.name, "operator": operator, "value": value, "meta": meta}])).await;
            }
        }
    }
}

/// Whether the one customer with this source matches the rule.
async fn holds(context: &mut Context, rule: Value) -> bool {
    count(context, json!([{"field": "source", "operator": "=", "value": "s-one"}, rule])).await == 1
}

async fn days_are_those_of_the_org(context: &mut Context) {
    let id = customer(context, json!({"name": "A", "source": "s-one"})).await;
    let key: uuid::Uuid = id.as_str().unwrap().parse().unwrap();
    // Half an hour before midnight in Chicago is the next day in UTC; clocks go forward on 8 March 2026.
    let sql = "update orgs set time_zone = 'America/Chicago' where id = $1";
    context.client.execute(sql, &[&NORTHWIND]).await.unwrap();
    let sql = "update customers set created_at = '2026-03-09T04:30:00Z' where id = $1";
    context.client.execute(sql, &[&key]).await.unwrap();
    for (operator, value, wanted) in [
        ("=", json!("2026-03-08"), true),
        ("=", json!("2026-03-09"), false),
        ("!=", json!("2026-03-08"), false),
        ("<", json!("2026-03-08"), false),
        ("<=", json!("2026-03-08"), true),
        (">", json!("2026-03-08"), false),
        (">", json!("2026-03-07"), true),
        (">=", json!("2026-03-08"), true),
        ("<", json!("2026-03-09"), true),
        ("=", json!("2026-03-09T04:30:00Z"), true),
        ("=", json!("2026-03-08T23:30:00-05:00"), true),
        (">", json!("2026-03-09T04:30:00Z"), false),
        ("in", json!(["2026-01-01", "2026-03-08"]), true),
        ("in", json!("2026-03-07, 2026-03-09"), false),
        ("notIn", json!(["2026-03-09T04:30:00Z"]), false),
        ("between", json!(["2026-03-08", "2026-03-08"]), true),
        ("between", json!(["2026-03-09", "2026-03-08"]), false),
        ("notBetween", json!(["2026-03-01", "2026-03-07"]), true),
        ("olderThan", json!("PT1H"), true),
        ("withinLast", json!("P50Y"), true),
        ("withinNext", json!("P50Y"), false),
        ("<", json!({"mode": "relative", "anchor": "now"}), true),
        (
            "<",
            json!({"mode": "relative", "anchor": "startOfYear", "offset": -60, "unit": "year"}),
            false,
        ),
    ] {
        let rule = json!({"field": "created_at", "operator": operator, "value": value});
        assert_eq!(holds(context, rule.clone()).await, wanted, "{rule}");
    }
}

async fn negations_match_what_is_missing_unless_told(context: &mut Context) {
    customer(context, json!({"name": "A", "source": "s-one"})).await;
    for (field, operator, value) in [
        ("notes", "!=", json!("x")),
        ("notes", "doesNotContain", json!("x")),
        ("notes", "doesNotBeginWith", json!("")),
        ("notes", "doesNotEndWith", json!("x")),
        ("notes", "notIn", json!(["x"])),
        ("notes", "notBetween", json!(["a", "b"])),
        ("owner_id", "!=", json!(NORTHWIND)),
        ("last_service_at", "notBetween", json!(["2026-01-01", "2026-01-02"])),
        ("tags", "containsNone", json!(["VIP"])),
    ] {
        for (include, wanted) in [(json!({}), true), (json!({"includeEmpty": false}), false)] {
            let rule =
                json!({"field": field, "operator": operator, "value": value, "meta": include});
            assert_eq!(holds(context, rule.clone()).await, wanted, "{rule}");
        }
    }
    // No row of figures or wishes is zero and false, which is not missing.
    for (field, operator, value, wanted) in [
        ("total_spend", "=", json!(0), true),
        ("total_spend", "!=", json!(5), true),
        ("total_spend", "<", json!(1), true),
        ("total_spend", ">", json!(1), false),
        ("total_spend", "null", json!(null), false),
        ("do_not_call", "=", json!(false), true),
        ("do_not_call", "!=", json!(true), true),
        ("jobs_count", "in", json!([0, 1]), true),
    ] {
        let meta = json!({"includeEmpty": false});
        let rule = json!({"field": field, "operator": operator, "value": value, "meta": meta});
        assert_eq!(holds(context, rule.clone()).await, wanted, "{rule}");
    }
    let none = json!({"combinator": "and", "not": true, "rules": [{"field": "notes", "operator": "contains", "value": "x"}]});
    assert!(holds(context, none).await);
}

async fn the_closed_lists_are_those_of_the_database(context: &mut Context) {
    let fields = CUSTOMER.iter().chain(ENTITIES.iter().flat_map(|entity| entity.fields));
    for field in fields {
        let Kind::Enum(choices, Some(sql_type)) = field.kind else { continue };
        let sql = format!("select enum_range(null::{sql_type})::text[]");
        let known: Vec<String> = context.client.query_one(&sql, &[]).await.unwrap().get(0);
        assert_eq!(known, choices, "{}", field.name);
    }
}
