//! Preview, recompute, explain and matches of random definitions: one answer, the reference's, on both drivers.
//!
//! `FIELDCRM_PROPERTY_PAIRS` sets how many pairs of a segment and a customer are explained.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;
mod segment_reference;
mod segment_sample;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use common::{As, Context, Target};
use fieldcrm_core::Code;
use segment_reference::Reference;
use segment_reference::rows::Record;
use segment_sample::arena::{Arena, setting};
use segment_sample::definition::envelope;
use serde_json::{Value, json};
use uuid::Uuid;

const CUSTOMERS: usize = 120;
const DEFINITIONS: usize = 25;
const PAIRS: usize = 300;
const CUSTOMERS_A_SEGMENT: usize = 20;

/// The now of everything that this transaction computes.
async fn now(context: &Context) -> DateTime<Utc> {
    let row = context.client.query_one("select to_jsonb(now())", &[]).await.unwrap();
    let now: Value = row.get(0);
    DateTime::parse_from_rfc3339(now.as_str().unwrap()).unwrap().with_timezone(&Utc)
}

async fn members(context: &Context, segment: &Value) -> BTreeSet<Uuid> {
    let id: Uuid = segment["id"].as_str().unwrap().parse().unwrap();
    let sql = "select customer_id from crm_segment_members where segment_id = $1";
    let rows = context.client.query(sql, &[&id]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

async fn previews_and_members_are_what_the_reference_finds(target: Target) {
    let mut arena = Arena::fill(target, 0, CUSTOMERS).await;
    let (caller, now) = (As::Dba(arena.org.id), now(&arena.context).await);
    let arguments = json!({"name": "Random", "type": "ai_generated", "ai_prompt": "Anything"});
    let segment = arena.context.call(caller, "crm_create_segment", arguments).await.unwrap();
    let mut before = BTreeSet::new();
    for _ in 0..DEFINITIONS {
        let definition = arena.definition(now);
        let wanted = arena.reference(&definition, now);
        let context = &mut arena.context;
        let arguments = json!({"definition": definition, "sample_size": 100});
        let preview = context.call(caller, "crm_segment_preview", arguments).await.unwrap();
        assert_eq!(preview["count"], wanted.len(), "{definition}");
        for row in preview["sample"].as_array().unwrap() {
            let id: Uuid = row["id"].as_str().unwrap().parse().unwrap();
            assert!(wanted.contains(&id), "{definition}");
        }
        let arguments = json!({"id": segment["id"], "patch": {"definition": definition}});
        let changed = context.call(caller, "crm_update_segment", arguments).await.unwrap();
        assert_eq!(
            changed["computed"],
            json!({
                "added": wanted.difference(&before).count(),
                "removed": before.difference(&wanted).count(),
                "total": wanted.len(),
            }),
            "{definition}"
        );
        assert_eq!(members(context, &segment).await, wanted, "{definition}");
        let again = json!({"id": segment["id"]});
        let again = context.call(caller, "crm_recompute_segment", again).await.unwrap();
        assert_eq!(again, json!({"added": 0, "removed": 0, "total": wanted.len()}));
        before = wanted;
    }
}

async fn explanations_agree_with_membership(target: Target) {
    let mut arena = Arena::fill(target, 2, CUSTOMERS).await;
    let (caller, now) = (As::Dba(arena.org.id), now(&arena.context).await);
    let pairs = setting("FIELDCRM_PROPERTY_PAIRS", PAIRS);
    let (mut done, mut inside) = (0, 0);
    while done < pairs {
        let definition = arena.definition(now);
        let name = format!("Random {done}");
        let arguments = json!({"name": name, "type": "rule_based", "definition": definition});
        let context = &mut arena.context;
        let segment = context.call(caller, "crm_create_segment", arguments).await.unwrap();
        let members = members(context, &segment).await;
        for _ in 0..CUSTOMERS_A_SEGMENT {
            let customer = arena.dice.below(CUSTOMERS);
            let id = arena.org.customers[customer].id;
            let key = json!({"segment_id": segment["id"], "customer_id": id});
            let context = &mut arena.context;
            let explained = context.call(caller, "crm_segment_explain", key.clone()).await.unwrap();
            let matches = context.call(caller, "crm_segment_matches", key).await.unwrap();
            let member = members.contains(&id);
            assert_eq!(explained["matches"], member, "{definition} {id}");
            assert_eq!(matches["matches"], member, "{definition} {id}");
            let customer = &arena.org.customers[customer];
            agree(&explained["tree"], &definition["query"], customer, &arena, now);
            done += 1;
            inside += usize::from(member);
        }
    }
    println!("{done} explanations, {inside} of members");
}

/// Each rule and group that is explained says what the reference says of it alone.
fn agree(node: &Value, rule: &Value, customer: &Record, arena: &Arena, now: DateTime<Utc>) {
    if rule["muted"] == true {
        assert_eq!(node, rule);
        return;
    }
    let alone = envelope(&json!({"combinator": "and", "rules": [rule]}));
    let holds = Reference::new(&alone, now, &arena.org).holds(customer);
    assert_eq!(node["result"], holds, "{rule} of {}", customer.id);
    let inner = node["rules"].as_array().into_iter().flatten();
    for (node, rule) in inner.zip(rule["rules"].as_array().into_iter().flatten()) {
        agree(node, rule, customer, arena, now);
    }
}

async fn another_org_is_neither_explained_nor_counted(target: Target) {
    let context = Context::start(target).await;
    let one = Arena::within(context, 0, 30).await;
    let mut other = Arena::within(one.context, 1, 30).await;
    let everybody = envelope(&json!({"combinator": "or", "rules": [
        {"field": "is_archived", "operator": "=", "value": true},
        {"field": "is_archived", "operator": "=", "value": false},
    ]}));
    let caller = As::Dba(other.org.id);
    let arguments = json!({"definition": everybody, "sample_size": 100});
    let preview = other.context.call(caller, "crm_segment_preview", arguments).await.unwrap();
    assert_eq!(preview["count"], 30);
    let own: BTreeSet<_> = other.org.customers.iter().map(|one| one.id.to_string()).collect();
    let rows = preview["sample"].as_array().unwrap();
    assert!(rows.iter().all(|row| own.contains(row["id"].as_str().unwrap())));
    let arguments = json!({"customer_id": one.org.customers[0].id, "definition": everybody});
    other.context.refused(caller, "crm_segment_explain", arguments, Code::NotFound).await;
}

macro_rules! on_both {
    ($($name:ident)*) => {
        mod native { $(#[tokio::test] async fn $name() { super::$name(super::Target::Native).await; })* }
        mod extension { $(#[tokio::test] async fn $name() { super::$name(super::Target::Extension).await; })* }
    };
}

on_both! {
    previews_and_members_are_what_the_reference_finds
    explanations_agree_with_membership
    another_org_is_neither_explained_nor_counted
}
