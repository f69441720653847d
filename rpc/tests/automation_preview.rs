//! What a rule would do, and that it is what it then does; on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

#[path = "automation_run/arena.rs"]
mod arena;
mod common;

use std::collections::BTreeSet;
use std::time::Instant;

use arena::{Arena, conditions, followup};
use common::{As, Context, NORTHWIND};
use fieldcrm_core::Code;
use serde_json::{Value, json};
use uuid::Uuid;

scenarios! {
    whom_it_would_take_in_it_takes_in
    each_who_is_left_out_has_a_reason
    a_rule_of_a_segment_is_about_its_members
    a_rule_that_is_not_saved_can_be_looked_at
    a_whole_org_is_looked_at_at_once
    it_writes_nothing
    who_may_not_write_automation_may_not_look
}

async fn look(context: &mut Context, arena: &Arena, rule: Uuid) -> Value {
    let arguments = json!({"rule_id": rule, "sample_size": 100});
    context.call(As::Dba(arena.org), "crm_preview_automation", arguments).await.unwrap()
}

fn customers(rows: &Value) -> BTreeSet<String> {
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| row["customer_id"].as_str().unwrap().to_owned()).collect()
}

/// Those whose runs of the rule did not end in a skip.
async fn enrolled(context: &Context, arena: &Arena, rule: Uuid) -> BTreeSet<String> {
    let runs = arena.runs(context).await.into_iter();
    runs.filter(|run| run["rule_id"] == json!(rule) && run["status"] != "skipped")
        .map(|run| run["customer_id"].as_str().unwrap().to_owned())
        .collect()
}

async fn whom_it_would_take_in_it_takes_in(context: &mut Context) {
    let arena = Arena::make(context, 40).await;
    let even = conditions(json!([{"field": "source", "operator": "=", "value": "s0"}]));
    let archived = conditions(json!([{"combinator": "or", "rules": [
        {"field": "is_archived", "operator": "=", "value": true}, {"field": "source", "operator": "=", "value": "s1"}]}]));
    let mut rules = Vec::new();
    for rule in [
        json!({}),
        json!({"conditions": even}),
        json!({"conditions": archived}),
        json!({"reenrollment": "once"}),
        json!({"conditions": even, "reenrollment": "once", "time_offset_minutes": 10}),
        json!({"reenrollment": "cooldown", "cooldown_minutes": 60}),
    ] {
        let mut rule = rule;
        rule["actions"] = json!([followup("Call")]);
        rules.push(arena.rule(context, rule).await);
    }
    for customer in arena.customers.chunks(5) {
        arena.archive(context, customer[0]).await;
        arena.erase(context, customer[1]).await;
    }
    // Some were taken in before: just now, and long ago.
    arena.event(context, "ping", &arena.customers[..20], "before", json!({})).await;
    arena.run(context).await;
    arena
        .execute(
            context,
            "update fieldcrm.automation_enrollments a set enrolled_at = now() - interval '60 minutes'
             from customers c where c.id = a.customer_id and a.org_id = $1 and right(c.name, 1) in ('3', '8')",
        )
        .await;
    let mut wanted = Vec::new();
    for rule in &rules {
        let preview = look(context, &arena, *rule).await;
        let sample = customers(&preview["sample"]);
        assert_eq!(preview["would_enroll"], sample.len());
        assert_eq!(preview["considered"], 40);
        wanted.push(sample);
    }
    arena.execute(context, "delete from crm_automation_runs where org_id = $1 and occurrence_key not like 'once:%'").await;
    let known = enrolled(context, &arena, rules[3]).await;
    let scheduled = enrolled(context, &arena, rules[4]).await;
    arena.event(context, "ping", &arena.customers, "all", json!({})).await;
    arena.run(context).await;
    for (place, (rule, wanted)) in rules.iter().zip(wanted).enumerate() {
        let mut found = enrolled(context, &arena, *rule).await;
        let before = [&known, &scheduled];
        for before in before.into_iter().enumerate().filter(|(n, _)| place == n + 3) {
            found = found.difference(before.1).cloned().collect();
        }
        assert_eq!(found, wanted, "rule {place}");
        assert!(!found.is_empty(), "rule {place}");
    }
}

async fn each_who_is_left_out_has_a_reason(context: &mut Context) {
    let arena = Arena::make(context, 6).await;
    let source = conditions(json!([{"field": "source", "operator": "=", "value": "s1"}]));
    let rule = json!({"conditions": source, "reenrollment": "once", "actions": [followup("Call")]});
    let rule = arena.rule(context, rule).await;
    let [archived, _, erased, _, taken, _] = arena.customers[..] else { unreachable!() };
    arena.archive(context, archived).await;
    arena.erase(context, erased).await;
    arena.ping(context, &[taken], json!({})).await;
    arena.run(context).await;
    let preview = look(context, &arena, rule).await;
    assert_eq!(preview["would_enroll"], 0);
    assert_eq!(
        preview["skipped"],
        json!({"conditions": 3, "archived": 1, "closed": 1, "already_enrolled": 1})
    );
    let reasons = preview["skipped_sample"].as_array().unwrap();
    assert_eq!(reasons.len(), 6);
    for (customer, code) in
        [(archived, "archived"), (erased, "closed"), (taken, "already_enrolled")]
    {
        let row = reasons.iter().find(|row| row["customer_id"] == json!(customer)).unwrap();
        assert_eq!(row["code"], code);
    }
    let sql = "update customers set is_archived = false where org_id = $1 and erased_at is null";
    arena.execute(context, sql).await;
    let preview = look(context, &arena, rule).await;
    assert_eq!(preview["sample"][0]["matched"][1]["actual"], "s1");
    let arguments = json!({"rule_id": rule, "sample_size": 0});
    let small =
        context.call(As::Dba(arena.org), "crm_preview_automation", arguments).await.unwrap();
    assert_eq!((&small["would_enroll"], &small["sample"]), (&json!(1), &json!([])));
}

async fn a_rule_of_a_segment_is_about_its_members(context: &mut Context) {
    let arena = Arena::make(context, 5).await;
    let sql = "insert into crm_segments (org_id, name, type) values ($1, 'Some', 'static') returning to_jsonb(id)";
    let segment = arena.value(context, sql).await;
    let rule = json!({"trigger_type": "segment_membership", "event_type": null, "segment_id": segment,
        "actions": [followup("Call")]});
    let rule = arena.rule(context, rule).await;
    let members = json!({"segment_id": segment, "customer_ids": arena.customers[..2]});
    context.call(As::Dba(arena.org), "crm_segment_add_members", members).await.unwrap();
    let preview = look(context, &arena, rule).await;
    assert_eq!((&preview["considered"], &preview["would_enroll"]), (&json!(2), &json!(2)));
    arena.run(context).await;
    assert_eq!(enrolled(context, &arena, rule).await, customers(&preview["sample"]));
}

async fn a_rule_that_is_not_saved_can_be_looked_at(context: &mut Context) {
    let arena = Arena::make(context, 5).await;
    let even = conditions(json!([{"field": "source", "operator": "=", "value": "s0"}]));
    let draft = json!({"name": "Draft", "trigger_type": "event", "event_type": "ping", "conditions": even,
        "actions": [followup("Call")]});
    let dba = As::Dba(arena.org);
    let preview =
        context.call(dba, "crm_preview_automation", json!({"rule": draft})).await.unwrap();
    assert_eq!(
        (&preview["would_enroll"], &preview["skipped"]),
        (&json!(2), &json!({"conditions": 3}))
    );
    let both = json!({"rule": draft, "rule_id": Uuid::from_u128(5)});
    for arguments in [json!({}), both, json!({"rule": draft, "sample_size": 101})] {
        context.refused(dba, "crm_preview_automation", arguments, Code::InvalidArgument).await;
    }
    let mut wrong = draft;
    wrong["conditions"] = conditions(json!([{"field": "colour", "operator": "=", "value": "red"}]));
    context
        .refused(dba, "crm_preview_automation", json!({"rule": wrong}), Code::InvalidArgument)
        .await;
}

/// `PREVIEW_CUSTOMERS` says how many.
async fn a_whole_org_is_looked_at_at_once(context: &mut Context) {
    let customers = std::env::var("PREVIEW_CUSTOMERS").ok().and_then(|text| text.parse().ok());
    let arena = Arena::make(context, customers.unwrap_or(1_000)).await;
    let some = conditions(json!([{"field": "source", "operator": "=", "value": "s0"},
        {"field": "total_spend", "operator": "<", "value": 100},
        {"field": "tags", "operator": "containsNone", "value": ["Lost"]}]));
    let rule = json!({"conditions": some, "reenrollment": "once", "actions": [followup("Call")]});
    let rule = arena.rule(context, rule).await;
    let start = Instant::now();
    let preview = look(context, &arena, rule).await;
    println!("preview over {} customers: {:?}", arena.customers.len(), start.elapsed());
    assert_eq!(preview["considered"], arena.customers.len());
    arena.ping(context, &arena.customers, json!({})).await;
    let start = Instant::now();
    let mut succeeded = 0;
    while arena.queued(context).await > 0 {
        succeeded += arena.run_some(context, 5_000).await["succeeded"].as_u64().unwrap();
    }
    println!("acted on in {:?}", start.elapsed());
    assert_eq!(preview["would_enroll"], succeeded);
    let sql = "select jsonb_build_array(c.source, count(*), count(*) filter (where c.id in (
          select a.customer_id from crm_automation_runs a where a.org_id = $1)))
        from customers c where c.org_id = $1 group by c.source";
    let mut found = arena.rows(context, sql).await;
    found.sort_by_key(Value::to_string);
    let half = arena.customers.len() / 2;
    assert_eq!(found, [json!(["s0", half, half]), json!(["s1", half, 0])]);
}

async fn it_writes_nothing(context: &mut Context) {
    let even = conditions(json!([{"field": "status", "operator": "=", "value": "active"}]));
    let draft = json!({"name": "Draft", "trigger_type": "event", "event_type": "ping", "conditions": even,
        "reenrollment": "cooldown", "cooldown_minutes": 5, "actions": [followup("Call"), {"type": "tag_customer", "tag": "New"},
        {"type": "send_message", "channel": "email", "purpose": "marketing", "subject": "x", "body": "x"}]});
    let written = "select coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::bigint from pg_stat_xact_all_tables
        where schemaname in ('public', 'fieldcrm', 'auth')";
    let before: i64 = context.client.query_one(written, &[]).await.unwrap().get(0);
    let preview = context
        .call(As::Dba(NORTHWIND), "crm_preview_automation", json!({"rule": draft}))
        .await
        .unwrap();
    assert!(preview["considered"].as_i64() > Some(0));
    let after: i64 = context.client.query_one(written, &[]).await.unwrap().get(0);
    assert_eq!(after, before);
    // A transaction that writes anything has an id.
    let sql = "select txid_current_if_assigned() is null";
    let nothing: bool = context.client.query_one(sql, &[]).await.unwrap().get(0);
    assert!(nothing);
}

async fn who_may_not_write_automation_may_not_look(context: &mut Context) {
    let arena = Arena::make(context, 1).await;
    let rule = arena.rule(context, json!({"actions": [followup("Call")]})).await;
    for role in ["csr", "sales", "member", "viewer", "technician", "portal_customer"] {
        let arguments = json!({"rule_id": rule});
        context
            .refused(As::Northwind(role), "crm_preview_automation", arguments, Code::Forbidden)
            .await;
    }
    for caller in [As::Northwind("manager"), As::Dba(NORTHWIND)] {
        let arguments = json!({"rule_id": rule});
        context.refused(caller, "crm_preview_automation", arguments, Code::NotFound).await;
    }
}
