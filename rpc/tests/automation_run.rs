//! Rules that hear events and act: each way a run can go, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

#[path = "automation_run/arena.rs"]
mod arena;
mod common;

use arena::{Arena, conditions, followup};
use common::{As, Context};
use fieldcrm_core::Code;
use serde_json::{Value, json};
use uuid::Uuid;

scenarios! {
    an_event_is_acted_on_once
    an_event_that_comes_again_changes_nothing
    what_happened_before_a_rule_was_enabled_is_not_heard
    conditions_choose_and_the_run_keeps_what_they_saw
    rules_that_hear_one_event_see_the_same_customer
    a_rule_sees_what_the_event_before_brought
    a_circle_of_rules_is_cut
    a_long_chain_of_rules_is_cut
    once_takes_a_customer_in_once
    a_cooldown_keeps_a_customer_out_for_a_while
    archived_and_closed_customers_are_skipped
    what_is_too_late_is_skipped
    a_delayed_run_acts_when_it_falls_due
    a_delayed_run_is_checked_again
    segments_start_their_rules
    jobs_are_for_back_end_sessions
    a_job_without_an_org_works_for_all
}

async fn an_event_is_acted_on_once(context: &mut Context) {
    let arena = Arena::make(context, 3).await;
    let action = json!({"type": "create_followup", "title": "Call", "due_in_minutes": 60, "remind_minutes_before": 15,
        "priority": "high"});
    let rule = arena.rule(context, json!({"actions": [action]})).await;
    arena.ping(context, &arena.customers, json!({})).await;
    let report = arena.run(context).await;
    assert_eq!(
        report,
        json!({"events": 3, "enrolled": 3, "succeeded": 3, "failed": 0, "skipped": 0, "scheduled": 0})
    );
    assert_eq!(arena.run(context).await["events"], 0);
    let made = arena
        .rows(
            context,
            "select jsonb_build_object('origin', origin, 'priority', priority, 'due', due_at = now() + interval '1 hour',
               'remind', remind_at = now() + interval '45 minutes', 'by', created_by_user_id, 'key', dedupe_key, 'title', title)
             from crm_followups where org_id = $1 and customer_id = (select min(id::text)::uuid from customers where org_id = $1)",
        )
        .await;
    let first = *arena.customers.iter().min().unwrap();
    let occurrence = format!("event:ping:{first}");
    let key =
        fieldcrm_core::automation::key(arena.org, &format!("rule:{rule}:0"), first, &occurrence);
    assert_eq!(
        made,
        [
            json!({"origin": "system_rule", "priority": "high", "due": true, "remind": true, "by": null,
            "key": key.to_string(), "title": "Call"})
        ]
    );
    let runs = arena.runs(context).await;
    assert_eq!(runs.len(), 3);
    for run in runs {
        assert_eq!(run["status"], "success");
        assert_eq!((&run["attempts"], &run["rule_version"]), (&json!(1), &json!(1)));
        assert_eq!(run["trigger_context"]["event_type"], "ping");
        assert_eq!(run["results"][0]["type"], "create_followup");
        assert_eq!(run["results"][0]["created"], true);
        assert!(run["results"][0]["id"].is_string());
    }
}

async fn an_event_that_comes_again_changes_nothing(context: &mut Context) {
    let arena = Arena::make(context, 2).await;
    arena
        .rule(
            context,
            json!({"actions": [followup("Call"), {"type": "tag_customer", "tag": "Pinged"}]}),
        )
        .await;
    arena.ping(context, &arena.customers, json!({})).await;
    arena.run(context).await;
    let before = arena.made(context).await;
    // The same key is no event; a queue row that was written twice is no second run.
    arena.ping(context, &arena.customers, json!({})).await;
    assert_eq!(arena.run(context).await["events"], 0);
    arena
        .execute(
            context,
            "insert into fieldcrm.event_queue (org_id, event_id, event_type)
             select org_id, id, event_type from crm_events where org_id = $1 and event_type = 'ping'",
        )
        .await;
    let report = arena.run(context).await;
    assert_eq!((&report["events"], &report["enrolled"]), (&json!(2), &json!(0)));
    assert_eq!(arena.made(context).await, before);
    assert_eq!(arena.runs(context).await.len(), 2);
}

async fn what_happened_before_a_rule_was_enabled_is_not_heard(context: &mut Context) {
    let arena = Arena::make(context, 2).await;
    arena.rule(context, json!({"actions": [followup("Now")]})).await;
    let later = json!({"name": "Later", "actions": [followup("Later")]});
    let later = arena.rule(context, later).await;
    arena
        .execute(
            context,
            "update crm_automation_rules set enabled_at = now() + interval '1 second'
             where org_id = $1 and name = 'Later'",
        )
        .await;
    let off = arena.rule(context, json!({"is_enabled": false, "actions": [followup("Off")]})).await;
    arena.ping(context, &arena.customers, json!({})).await;
    assert_eq!(arena.run(context).await["succeeded"], 2);
    let silent = arena.runs(context).await;
    assert!(
        silent.iter().all(|run| run["rule_id"] != json!(later) && run["rule_id"] != json!(off))
    );
}

async fn conditions_choose_and_the_run_keeps_what_they_saw(context: &mut Context) {
    let arena = Arena::make(context, 4).await;
    arena
        .rule(
            context,
            json!({"conditions": conditions(json!([{"field": "source", "operator": "=", "value": "s0"}])),
                "actions": [followup("Call")]}),
        )
        .await;
    arena.ping(context, &arena.customers, json!({})).await;
    let report = arena.run(context).await;
    assert_eq!((&report["events"], &report["enrolled"]), (&json!(4), &json!(2)));
    for run in arena.runs(context).await {
        assert_eq!(
            run["matched"],
            json!([{"path": "query", "result": true, "actual": null},
                {"path": "query.rules[0]", "result": true, "actual": "s0"}])
        );
    }
}

async fn rules_that_hear_one_event_see_the_same_customer(context: &mut Context) {
    let arena = Arena::make(context, 2).await;
    let untagged = json!([{"field": "tags", "operator": "containsNone", "value": ["Seen"]}]);
    for n in 0..2 {
        arena
            .rule(
                context,
                json!({"name": format!("Rule {n}"), "conditions": conditions(untagged.clone()),
                    "actions": [{"type": "tag_customer", "tag": "Seen"}, followup("Call")]}),
            )
            .await;
    }
    arena.ping(context, &arena.customers, json!({})).await;
    // Had the second rule been asked after the first one acted, it would have found the tag.
    assert_eq!(arena.run(context).await["succeeded"], 4);
}

async fn a_rule_sees_what_the_event_before_brought(context: &mut Context) {
    let mut outcomes = Vec::new();
    for batch_limit in [1, 2, 500] {
        let arena = Arena::make(context, 2).await;
        let untagged = json!([{"field": "tags", "operator": "containsNone", "value": ["Seen"]}]);
        arena
            .rule(
                context,
                json!({"conditions": conditions(untagged),
                    "actions": [{"type": "tag_customer", "tag": "Seen"}, followup("Call")]}),
            )
            .await;
        for n in 0..3 {
            arena.event(context, "ping", &arena.customers, &format!("ping {n}"), json!({})).await;
        }
        for _ in 0..6 {
            arena.run_some(context, batch_limit).await;
        }
        assert_eq!(arena.queued(context).await, 0);
        outcomes.push(arena.runs(context).await.len());
    }
    assert_eq!(outcomes, [2, 2, 2], "it matters how much one call takes on");
}

async fn a_circle_of_rules_is_cut(context: &mut Context) {
    let arena = Arena::make(context, 2).await;
    let set = |value| json!({"type": "set_field", "field": "pipeline_stage", "value": value});
    arena.rule(context, json!({"actions": [set("qualified")]})).await;
    let heard = json!({"event_type": "customer_updated", "actions": [set("proposal")]});
    let one = arena.rule(context, heard).await;
    let heard = json!({"event_type": "customer_updated", "actions": [set("negotiation")]});
    let other = arena.rule(context, heard).await;
    arena.ping(context, &arena.customers, json!({})).await;
    let mut calls = 0;
    while arena.queued(context).await > 0 {
        calls += 1;
        assert!(calls < 20, "the circle goes on");
        arena.run(context).await;
    }
    let loops: Vec<_> =
        arena.runs(context).await.into_iter().filter(|run| run["skip_code"] == "loop").collect();
    assert!(!loops.is_empty());
    for run in loops {
        assert!(run["rule_chain"].as_array().unwrap().contains(&run["rule_id"]), "{run}");
        assert!(run["skip_reason"].is_string());
        assert!([json!(one), json!(other)].contains(&run["rule_id"]));
    }
    // What comes after the job is people's again.
    assert_eq!(
        arena
            .value(context, "select to_jsonb(fieldcrm.rule_chain()) where $1::uuid is not null")
            .await,
        json!([])
    );
}

async fn a_long_chain_of_rules_is_cut(context: &mut Context) {
    let arena = Arena::make(context, 1).await;
    arena.rule(context, json!({"actions": [followup("Call")]})).await;
    arena.ping(context, &arena.customers, json!({})).await;
    arena
        .execute(
            context,
            "update crm_events set rule_chain = array(select gen_random_uuid() from generate_series(1, 5))
             where org_id = $1 and event_type = 'ping'",
        )
        .await;
    assert_eq!(arena.run(context).await["skipped"], 1);
    assert_eq!(arena.runs(context).await[0]["skip_code"], "too_deep");
}

async fn once_takes_a_customer_in_once(context: &mut Context) {
    let arena = Arena::make(context, 2).await;
    arena.rule(context, json!({"reenrollment": "once", "actions": [followup("Welcome")]})).await;
    arena.rule(context, json!({"actions": [followup("Each time")]})).await;
    for n in 0..3 {
        arena.event(context, "ping", &arena.customers, &format!("ping {n}"), json!({})).await;
        if n != 1 {
            // The second and the third in one batch.
            arena.run(context).await;
        }
    }
    let made = arena.made(context).await;
    let count = |title: &str| made.iter().filter(|row| row["title"] == title).count();
    assert_eq!((count("Welcome"), count("Each time")), (2, 6));
}

async fn a_cooldown_keeps_a_customer_out_for_a_while(context: &mut Context) {
    let arena = Arena::make(context, 1).await;
    let rule =
        json!({"reenrollment": "cooldown", "cooldown_minutes": 60, "actions": [followup("Call")]});
    arena.rule(context, rule).await;
    for (n, minutes) in [0, 59, 60, 61, 130].into_iter().enumerate() {
        arena.event(context, "ping", &arena.customers, &format!("ping {n}"), json!({})).await;
        arena
            .execute(
                context,
                &format!(
                    "update crm_events set occurred_at = now() - interval '5 hours' + interval '{minutes} minutes'
                     where org_id = $1 and event_key like 'ping {n}%'"
                ),
            )
            .await;
    }
    let report = arena.run(context).await;
    assert_eq!((&report["succeeded"], &report["skipped"]), (&json!(3), &json!(2)));
    let codes: Vec<_> =
        arena.runs(context).await.into_iter().map(|run| run["skip_code"].clone()).collect();
    assert_eq!(
        codes,
        [json!(null), json!("cooldown"), json!(null), json!("cooldown"), json!(null)]
    );
}

async fn archived_and_closed_customers_are_skipped(context: &mut Context) {
    let arena = Arena::make(context, 3).await;
    arena.rule(context, json!({"reenrollment": "once", "actions": [followup("Welcome")]})).await;
    let archived = json!([{"field": "is_archived", "operator": "=", "value": true}]);
    let wanted = json!({"conditions": conditions(archived), "actions": [followup("Win back")]});
    let win_back = arena.rule(context, wanted).await;
    arena.archive(context, arena.customers[0]).await;
    arena.erase(context, arena.customers[1]).await;
    arena.ping(context, &arena.customers, json!({})).await;
    arena.run(context).await;
    let mut codes: Vec<_> = arena
        .runs(context)
        .await
        .into_iter()
        .filter(|run| run["rule_id"] != json!(win_back))
        .map(|run| run["skip_code"].as_str().unwrap_or("acted").to_owned())
        .collect();
    codes.sort();
    assert_eq!(codes, ["acted", "archived", "closed"]);
    let made = arena.made(context).await;
    let won: Vec<_> = made.iter().filter(|row| row["title"] == "Win back").collect();
    assert_eq!(won.len(), 1, "who is asked for by conditions is not skipped: {made:?}");
    // Being skipped is not the one run of a customer.
    let sql = "update customers set is_archived = false where org_id = $1 and erased_at is null";
    arena.execute(context, sql).await;
    arena.event(context, "ping", &arena.customers[..1], "again", json!({})).await;
    assert_eq!(arena.run(context).await["succeeded"], 1);
}

async fn what_is_too_late_is_skipped(context: &mut Context) {
    let arena = Arena::make(context, 1).await;
    arena.rule(context, json!({"max_lateness_minutes": 30, "actions": [followup("Call")]})).await;
    let delayed = json!({"max_lateness_minutes": 30, "time_offset_minutes": 60, "actions": [followup("Call")]});
    arena.rule(context, delayed).await;
    for (n, minutes) in [31, 29, 91, 89].into_iter().enumerate() {
        arena.event(context, "ping", &arena.customers, &format!("ping {n}"), json!({})).await;
        arena
            .execute(
                context,
                &format!(
                    "update crm_events set occurred_at = now() - interval '{minutes} minutes'
                     where org_id = $1 and event_key like 'ping {n}%'"
                ),
            )
            .await;
    }
    let report = arena.run(context).await;
    assert_eq!(
        (&report["succeeded"], &report["scheduled"], &report["skipped"]),
        (&json!(1), &json!(3), &json!(4))
    );
    let late = arena.runs(context).await;
    assert!(late.iter().all(|run| run["status"] != "skipped" || run["skip_code"] == "too_late"));
}

async fn a_delayed_run_acts_when_it_falls_due(context: &mut Context) {
    let arena = Arena::make(context, 2).await;
    arena
        .rule(context, json!({"time_offset_minutes": 120, "actions": [followup("How was it?")]}))
        .await;
    arena.ping(context, &arena.customers, json!({})).await;
    assert_eq!(arena.run(context).await["scheduled"], 2);
    for run in arena.runs(context).await {
        assert_eq!((&run["status"], &run["attempts"]), (&json!("pending"), &json!(0)));
    }
    assert_eq!(arena.due(context).await["due"], 0);
    arena.bring_forward(context, 121).await;
    let report = arena.due(context).await;
    assert_eq!(report, json!({"due": 2, "succeeded": 2, "failed": 0, "skipped": 0}));
    assert_eq!(arena.due(context).await["due"], 0);
    assert_eq!(arena.made(context).await.len(), 2);
}

async fn a_delayed_run_is_checked_again(context: &mut Context) {
    let arena = Arena::make(context, 6).await;
    let source = json!([{"field": "source", "operator": "beginsWith", "value": "s"}]);
    let rule = json!({"time_offset_minutes": 60, "conditions": conditions(source), "actions": [followup("Call")]});
    arena.rule(context, rule.clone()).await;
    arena.ping(context, &arena.customers, json!({})).await;
    assert_eq!(arena.run(context).await["scheduled"], 6);
    arena.bring_forward(context, 61).await;
    let [one, other, third, fourth] = arena.customers[..4] else { unreachable!() };
    arena.archive(context, one).await;
    arena.erase(context, other).await;
    let sql = format!("update customers set source = 'x' where org_id = $1 and id = '{third}'");
    arena.execute(context, &sql).await;
    let sql = format!(
        "update crm_automation_runs set due_at = now() - interval '2 days' where org_id = $1 and customer_id = '{fourth}'"
    );
    arena.execute(context, &sql).await;
    let report = arena.due(context).await;
    assert_eq!(report, json!({"due": 6, "succeeded": 2, "failed": 0, "skipped": 4}));
    let runs = arena.runs(context).await;
    for (customer, code) in
        [(one, "archived"), (other, "closed"), (third, "conditions"), (fourth, "too_late")]
    {
        let run = runs.iter().find(|run| run["customer_id"] == json!(customer)).unwrap();
        assert_eq!(run["skip_code"], code);
    }
    arena.event(context, "ping", &arena.customers[4..], "again", json!({})).await;
    arena.run(context).await;
    arena.bring_forward(context, 61).await;
    arena
        .execute(context, "update crm_automation_rules set is_enabled = false where org_id = $1")
        .await;
    assert_eq!(arena.due(context).await["skipped"], 2);
    let runs = arena.runs(context).await;
    assert_eq!(runs.iter().filter(|run| run["skip_code"] == "disabled").count(), 2);
}

async fn segments_start_their_rules(context: &mut Context) {
    let arena = Arena::make(context, 2).await;
    let segment = |name: &str| {
        format!(
            "insert into crm_segments (org_id, name, type) values ($1, '{name}', 'static') returning to_jsonb(id)"
        )
    };
    let (one, other) = (
        arena.value(context, &segment("One")).await,
        arena.value(context, &segment("Other")).await,
    );
    let rule = |title: &str, segment: &Value, change: &str| {
        json!({"name": title, "trigger_type": "segment_membership", "event_type": null, "segment_id": segment,
            "segment_change": change, "actions": [followup(title)]})
    };
    arena.rule(context, rule("entered one", &one, "entered")).await;
    arena.rule(context, rule("left one", &one, "left")).await;
    arena.rule(context, rule("entered other", &other, "entered")).await;
    arena.rule(context, json!({"actions": [followup("pinged")]})).await;
    arena.ping(context, &arena.customers, json!({})).await;
    let members = json!({"segment_id": one, "customer_ids": arena.customers});
    context.call(As::Dba(arena.org), "crm_segment_add_members", members).await.unwrap();
    let job = "crm_process_segment_automations";
    let report = context.call(As::Dba(arena.org), job, json!({})).await.unwrap();
    assert_eq!((&report["events"], &report["succeeded"]), (&json!(2), &json!(2)));
    assert_eq!(arena.queued(context).await, 2, "other events are for the other job");
    let members = json!({"segment_id": one, "customer_ids": [arena.customers[0]]});
    context.call(As::Dba(arena.org), "crm_segment_remove_members", members).await.unwrap();
    arena.run(context).await;
    let mut titles: Vec<_> = arena
        .made(context)
        .await
        .iter()
        .map(|row| row["title"].as_str().unwrap().to_owned())
        .collect();
    titles.sort();
    assert_eq!(titles, ["entered one", "entered one", "left one", "pinged", "pinged"]);
}

async fn jobs_are_for_back_end_sessions(context: &mut Context) {
    for job in ["crm_run_automations", "crm_process_segment_automations", "crm_process_time_based"]
    {
        for role in ["owner", "admin", "csr", "portal_customer"] {
            context.refused(As::Northwind(role), job, json!({}), Code::Forbidden).await;
        }
        for batch_limit in [0, 5_001] {
            let arguments = json!({"batch_limit": batch_limit});
            let error = context
                .refused(As::Dba(common::NORTHWIND), job, arguments, Code::InvalidArgument)
                .await;
            assert_eq!(error.errors[0].path, "batch_limit");
        }
    }
}

async fn a_job_without_an_org_works_for_all(context: &mut Context) {
    let mut arenas = Vec::new();
    for _ in 0..2 {
        let arena = Arena::make(context, 2).await;
        arena.rule(context, json!({"actions": [followup("Call")]})).await;
        arena.ping(context, &arena.customers, json!({})).await;
        arenas.push(arena);
    }
    let untouched = arenas.pop().unwrap();
    arenas[0].run(context).await;
    assert_eq!(untouched.queued(context).await, 2);
    let everywhere = json!({"batch_limit": 5000});
    context.call(As::Dba(Uuid::nil()), "crm_run_automations", everywhere).await.unwrap();
    assert_eq!(untouched.queued(context).await, 0);
    assert_eq!(untouched.made(context).await.len(), 2);
}
