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
    silence_is_acted_on_and_noted
    every_action_says_what_it_did
    who_cannot_be_written_to_fails_alone
    one_bad_customer_does_not_stop_the_others
    conditions_that_cannot_be_checked_fail_and_are_retried
    only_what_failed_is_retried
    segments_start_their_rules
    jobs_are_for_back_end_sessions
    a_job_without_an_org_works_for_all
    actions_that_make_no_sense_fail_with_their_reason
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
    let key = fieldcrm_core::automation::key(arena.org, &format!("rule:{rule}:0"), first, &occurrence);
    assert_eq!(
        made,
        [json!({"origin": "system_rule", "priority": "high", "due": true, "remind": true, "by": null,
            "key": key.to_string(), "title": "Call"})]
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
    assert!(silent.iter().all(|run| run["rule_id"] != json!(later) && run["rule_id"] != json!(off)));
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
    assert_eq!(arena.value(context, "select to_jsonb(fieldcrm.rule_chain()) where $1::uuid is not null").await, json!([]));
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
    let rule = json!({"reenrollment": "cooldown", "cooldown_minutes": 60, "actions": [followup("Call")]});
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
    let codes: Vec<_> = arena.runs(context).await.into_iter().map(|run| run["skip_code"].clone()).collect();
    assert_eq!(codes, [json!(null), json!("cooldown"), json!(null), json!("cooldown"), json!(null)]);
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
        .map(|run| (run["skip_code"].as_str().unwrap_or("acted").to_owned()))
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
    assert_eq!((&report["succeeded"], &report["scheduled"], &report["skipped"]), (&json!(1), &json!(3), &json!(4)));
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
    arena.execute(context, "update crm_automation_rules set is_enabled = false where org_id = $1").await;
    assert_eq!(arena.due(context).await["skipped"], 2);
    let runs = arena.runs(context).await;
    assert_eq!(runs.iter().filter(|run| run["skip_code"] == "disabled").count(), 2);
}

async fn silence_is_acted_on_and_noted(context: &mut Context) {
    let arena = Arena::make(context, 3).await;
    let rule = json!({"event_type": "no_reply", "time_offset_minutes": 60, "actions": [followup("Ring them")]});
    arena.rule(context, rule).await;
    let [silent, replied, twice] = arena.customers[..] else { unreachable!() };
    let write = async |context: &Context, customer: Uuid, channel: &str, minutes: i32| {
        let sql = format!(
            "insert into crm_interactions (org_id, customer_id, channel, occurred_at)
             values ($1, '{customer}', '{channel}', now() - interval '{minutes} minutes')"
        );
        arena.execute(context, &sql).await;
    };
    // What came in does not wait for an answer.
    write(context, silent, "email_inbound", 90).await;
    write(context, silent, "email_outbound", 80).await;
    write(context, replied, "email_outbound", 80).await;
    write(context, replied, "sms_inbound", 70).await;
    write(context, twice, "email_outbound", 80).await;
    write(context, twice, "phone_outbound", 30).await;
    assert_eq!(arena.run(context).await["scheduled"], 4);
    let report = arena.due(context).await;
    assert_eq!(report, json!({"due": 3, "succeeded": 1, "failed": 0, "skipped": 2}));
    let runs = arena.runs(context).await;
    for (customer, code) in [(replied, "replied"), (twice, "superseded")] {
        assert!(runs.iter().any(|run| run["customer_id"] == json!(customer) && run["skip_code"] == code));
    }
    let made = arena.made(context).await;
    assert_eq!(made.len(), 1);
    assert_eq!(made[0]["customer_id"], json!(silent));
    let noted = arena
        .rows(
            context,
            "select jsonb_build_array(e.customer_id, e.payload -> 'minutes', e.event_key = 'no_reply:' || i.id || ':60')
             from crm_events e join crm_interactions i on i.id::text = e.payload ->> 'interaction_id'
             where e.org_id = $1 and e.event_type = 'no_reply'",
        )
        .await;
    assert_eq!(noted, [json!([silent, 60, true])]);
}

async fn every_action_says_what_it_did(context: &mut Context) {
    let arena = Arena::make(context, 2).await;
    let member = arena.member(context, "sales").await;
    let owned = arena.customers[0];
    let sql = format!("update customers set owner_id = '{member}' where org_id = $1 and id = '{owned}'");
    arena.execute(context, &sql).await;
    let sql = "insert into crm_segments (org_id, name, type) values ($1, 'Picked', 'static') returning to_jsonb(id)";
    let segment = arena.value(context, sql).await;
    let sql = "insert into crm_message_templates (org_id, name, channel, body, variables)
        values ($1, 'Thanks', 'sms', 'Thanks {{customer.name}}, {{discount}} off {{event.number}}', '[\"discount\", \"event\"]')
        returning to_jsonb(id)";
    let template = arena.value(context, sql).await;
    let name = |n: usize| format!("C{n}");
    let actions = json!([
        {"type": "create_followup", "title": "Call {{ customer.name }} about {{ event.number }}", "due_in_minutes": 0,
            "assign_to": "owner", "description": "By {{ org.name }}"},
        {"type": "create_followup", "title": "Bill", "due_in_minutes": 10, "assign_to": member},
        {"type": "send_message", "channel": "email", "purpose": "marketing", "subject": "Hi {{ customer.name }}",
            "body": "{{ event.number }}", "expires_in_minutes": 30},
        {"type": "send_message", "channel": "sms", "purpose": "transactional", "template_id": template,
            "variables": {"discount": "5 %"}},
        {"type": "tag_customer", "tag": "vip"},
        {"type": "untag_customer", "tag": "Cold"},
        {"type": "set_field", "field": "status", "value": "active"},
        {"type": "set_field", "field": "source", "value": null},
        {"type": "add_to_segment", "segment_id": segment},
        {"type": "notify_user", "to": "owner", "title": "{{ customer.name }}", "body": "Quote {{ event.number }}"},
        {"type": "webhook", "url": "https://hooks.example.com/x"},
    ]);
    let rule = arena.rule(context, json!({"actions": actions})).await;
    arena
        .execute(
            context,
            "with t as (insert into crm_tags (org_id, name) values ($1, 'Cold') returning id)
             insert into crm_customer_tags (org_id, customer_id, tag_id)
             select $1, c.id, t.id from t, customers c where c.org_id = $1 and c.name = 'C1'",
        )
        .await;
    arena.ping(context, &arena.customers, json!({"number": "Q-7"})).await;
    assert_eq!(arena.run(context).await["succeeded"], 2, "{:?}", arena.runs(context).await);
    let runs = arena.runs(context).await;
    let results = |customer: Uuid| {
        let run = runs.iter().find(|run| run["customer_id"] == json!(customer)).unwrap();
        run["results"].as_array().unwrap().clone()
    };
    let owned_results = results(owned);
    let kinds: Vec<_> = owned_results.iter().map(|result| result["type"].clone()).collect();
    let wanted: Vec<_> = actions.as_array().unwrap().iter().map(|action| action["type"].clone()).collect();
    assert_eq!(kinds, wanted);
    assert_eq!(owned_results[0]["assigned_to_user_id"], json!(member));
    assert_eq!(owned_results[5]["removed"], true);
    assert_eq!((&owned_results[6]["changed"], &owned_results[7]["changed"]), (&json!(true), &json!(true)));
    assert_eq!(owned_results[8]["created"], true);
    assert_eq!(owned_results[9]["created"], true);
    let other = results(arena.customers[1]);
    assert_eq!(other[0]["assigned_to_user_id"], json!(null));
    assert_eq!(other[1]["assigned_to_user_id"], json!(member));
    assert_eq!(other[5]["removed"], false);
    assert_eq!(other[9], json!({"type": "notify_user", "skipped": "no_member"}));
    let messages = arena
        .rows(
            context,
            "select jsonb_build_object('channel', o.channel, 'purpose', o.purpose, 'subject', o.subject, 'body', o.body,
               'expires', o.expires_at = now() + interval '30 minutes', 'run', r.customer_id = o.customer_id)
             from crm_outbox o join crm_automation_runs r on r.id = o.automation_run_id
             join customers c on c.id = o.customer_id
             where o.org_id = $1 and o.channel <> 'webhook' and c.name = 'C1' order by o.channel",
        )
        .await;
    assert_eq!(
        messages,
        [
            json!({"channel": "email", "purpose": "marketing", "subject": format!("Hi {}", name(1)), "body": "Q-7",
                "expires": true, "run": true}),
            json!({"channel": "sms", "purpose": "transactional", "subject": null,
                "body": format!("Thanks {}, 5 % off Q-7", name(1)), "expires": null, "run": true}),
        ]
    );
    let hook = "select o.payload from crm_outbox o where o.org_id = $1 and o.channel = 'webhook'
        order by (o.payload ->> 'customer_id') = (select c.id::text from customers c where c.org_id = $1 and c.name = 'C1') desc";
    let hook = arena.rows(context, hook).await.remove(0);
    assert_eq!((&hook["customer_id"], &hook["rule_id"]), (&json!(owned), &json!(rule)));
    assert_eq!(hook["event"]["payload"]["number"], "Q-7");
    let about = arena
        .rows(
            context,
            "select jsonb_build_object('status', c.status, 'source', c.source, 'tags', (
               select jsonb_agg(t.name) from crm_customer_tags x join crm_tags t on t.id = x.tag_id where x.customer_id = c.id),
               'segment', exists (select from crm_segment_members m where m.customer_id = c.id))
             from customers c where c.org_id = $1",
        )
        .await;
    let same = json!({"status": "active", "source": null, "tags": ["vip"], "segment": true});
    assert_eq!(about, [same.clone(), same]);
    let titles: Vec<_> = arena.made(context).await.into_iter().map(|row| row["title"].clone()).collect();
    assert!(titles.contains(&json!("Call C1 about Q-7")), "{titles:?}");
    // What they made carries the rule.
    let sql = "select jsonb_build_array(distinct_chain) from (
        select distinct to_jsonb(rule_chain) as distinct_chain from crm_events
        where org_id = $1 and event_type in ('customer_updated', 'segment_entered') and rule_chain <> '{}') x";
    assert_eq!(arena.rows(context, sql).await, [json!([[rule]])]);
}

async fn who_cannot_be_written_to_fails_alone(context: &mut Context) {
    let arena = Arena::make(context, 2).await;
    arena.rule(context, json!({"actions": [followup("About {{ event.number }}")]})).await;
    let [one, other] = arena.customers[..] else { unreachable!() };
    arena.ping(context, &[one], json!({"number": "7"})).await;
    arena.ping(context, &[other], json!({})).await;
    let report = arena.run(context).await;
    assert_eq!((&report["succeeded"], &report["failed"], &report["enrolled"]), (&json!(1), &json!(1), &json!(2)));
    let runs = arena.runs(context).await;
    let failed = runs.iter().find(|run| run["customer_id"] == json!(other)).unwrap();
    assert_eq!((&failed["status"], &failed["error_code"]), (&json!("failed"), &json!("invalid_template")));
    assert!(failed["error_message"].as_str().unwrap().contains("event.number"), "{failed}");
}

async fn one_bad_customer_does_not_stop_the_others(context: &mut Context) {
    // First, while nothing else of this session is locked.
    context
        .client
        .batch_execute(
            "create function pg_temp.refuse() returns trigger language plpgsql as $$ begin
               raise exception using errcode = '23514', message = 'not this one';
             end $$;
             create trigger refuse before insert on crm_followups for each row
               when (new.title = 'Call Bad') execute function pg_temp.refuse()",
        )
        .await
        .unwrap();
    let arena = Arena::make(context, 4).await;
    arena.execute(context, "update customers set name = 'Bad' where org_id = $1 and name = 'C2'").await;
    let actions = json!([{"type": "tag_customer", "tag": "Called"}, followup("Call {{ customer.name }}")]);
    arena.rule(context, json!({"actions": actions})).await;
    arena.ping(context, &arena.customers, json!({})).await;
    let report = arena.run(context).await;
    assert_eq!((&report["succeeded"], &report["failed"]), (&json!(3), &json!(1)));
    let runs = arena.runs(context).await;
    let bad = runs.iter().find(|run| run["customer_id"] == json!(arena.customers[1])).unwrap();
    assert_eq!((&bad["status"], &bad["attempts"]), (&json!("failed"), &json!(1)));
    assert_eq!(bad["error_message"], "not this one");
    assert_eq!(arena.made(context).await.len(), 3);
    // Nothing is left of what the failed attempts did.
    let tagged = "select to_jsonb(count(*)) from crm_customer_tags where org_id = $1";
    assert_eq!(arena.value(context, tagged).await, 3);
    let retry = json!({"id": bad["id"]});
    let again = context.call(As::Dba(arena.org), "crm_retry_automation_run", retry.clone()).await.unwrap();
    assert_eq!((&again["status"], &again["attempts"]), (&json!("failed"), &json!(2)));
    context.client.batch_execute("drop trigger refuse on crm_followups").await.unwrap();
    let again = context.call(As::Dba(arena.org), "crm_retry_automation_run", retry.clone()).await.unwrap();
    assert_eq!((&again["status"], &again["attempts"]), (&json!("success"), &json!(3)));
    assert_eq!((&again["error_code"], &again["results"][0]["created"]), (&json!(null), &json!(true)));
    assert_eq!(arena.made(context).await.len(), 4);
    let error = context
        .refused(As::Dba(arena.org), "crm_retry_automation_run", retry, Code::WrongState)
        .await;
    assert_eq!(error.data["status"], "success");
}

async fn conditions_that_cannot_be_checked_fail_and_are_retried(context: &mut Context) {
    let arena = Arena::make(context, 2).await;
    let in_segment = json!([{"field": "segment", "operator": "in", "value": ["Gone"]}]);
    arena
        .rule(context, json!({"conditions": conditions(in_segment), "actions": [followup("Call")]}))
        .await;
    arena.rule(context, json!({"actions": [followup("Other")]})).await;
    arena.ping(context, &arena.customers, json!({})).await;
    let report = arena.run(context).await;
    assert_eq!((&report["succeeded"], &report["failed"]), (&json!(2), &json!(2)));
    let failed: Vec<_> =
        arena.runs(context).await.into_iter().filter(|run| run["status"] == "failed").collect();
    assert_eq!(failed[0]["error_code"], "invalid_argument");
    arena
        .execute(
            context,
            "with s as (insert into crm_segments (org_id, name, type) values ($1, 'Gone', 'static') returning id)
             insert into crm_segment_members (org_id, segment_id, customer_id)
             select $1, s.id, c.id from s, customers c where c.org_id = $1 and c.name = 'C1'",
        )
        .await;
    let mut ends = Vec::new();
    for run in failed {
        let retry = json!({"id": run["id"]});
        let again = context.call(As::Dba(arena.org), "crm_retry_automation_run", retry).await.unwrap();
        ends.push((again["status"].as_str().unwrap().to_owned(), again["skip_code"].clone()));
    }
    ends.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(ends, [("skipped".to_owned(), json!("conditions")), ("success".to_owned(), json!(null))]);
}

async fn only_what_failed_is_retried(context: &mut Context) {
    let arena = Arena::make(context, 1).await;
    arena.rule(context, json!({"time_offset_minutes": 5, "actions": [followup("Call")]})).await;
    arena.ping(context, &arena.customers, json!({})).await;
    arena.run(context).await;
    let id = json!({"id": arena.runs(context).await[0]["id"]});
    let dba = As::Dba(arena.org);
    context.refused(dba, "crm_retry_automation_run", id.clone(), Code::WrongState).await;
    for caller in [As::Northwind("owner"), As::Dba(common::VOLT)] {
        context.refused(caller, "crm_retry_automation_run", id.clone(), Code::NotFound).await;
    }
    for role in ["csr", "sales", "viewer", "portal_customer"] {
        let caller = As::Northwind(role);
        context.refused(caller, "crm_retry_automation_run", id.clone(), Code::Forbidden).await;
    }
}

async fn segments_start_their_rules(context: &mut Context) {
    let arena = Arena::make(context, 2).await;
    let segment = |name: &str| format!("insert into crm_segments (org_id, name, type) values ($1, '{name}', 'static') returning to_jsonb(id)");
    let (one, other) =
        (arena.value(context, &segment("One")).await, arena.value(context, &segment("Other")).await);
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
    let mut titles: Vec<_> =
        arena.made(context).await.iter().map(|row| row["title"].as_str().unwrap().to_owned()).collect();
    titles.sort();
    assert_eq!(titles, ["entered one", "entered one", "left one", "pinged", "pinged"]);
}

async fn jobs_are_for_back_end_sessions(context: &mut Context) {
    for job in ["crm_run_automations", "crm_process_segment_automations", "crm_process_time_based"] {
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

async fn actions_that_make_no_sense_fail_with_their_reason(context: &mut Context) {
    let arena = Arena::make(context, 2).await;
    let definition = conditions(json!([{"field": "status", "operator": "=", "value": "active"}]));
    let sql = format!(
        "insert into crm_segments (org_id, name, type, definition) values ($1, 'Ruled', 'rule_based', '{definition}') returning to_jsonb(id)"
    );
    let ruled = arena.value(context, &sql).await;
    let nobody = Uuid::from_u128(9);
    for (action, code) in [
        (json!({"type": "add_to_segment", "segment_id": ruled}), "wrong_state"),
        (json!({"type": "add_to_segment", "segment_id": nobody}), "not_found"),
        (json!({"type": "send_message", "channel": "sms", "purpose": "marketing", "template_id": nobody}), "not_found"),
        (json!({"type": "dance"}), "wrong_state"),
    ] {
        let rule = arena.rule(context, json!({"name": action.to_string(), "actions": [followup("Call"), action]})).await;
        arena.event(context, "ping", &arena.customers, &action.to_string(), json!({})).await;
        let report = arena.run(context).await;
        assert_eq!(report["failed"], 2, "{action}");
        let runs = arena.runs(context).await;
        let run = runs.iter().find(|run| run["rule_id"] == json!(rule)).unwrap();
        assert_eq!(run["error_code"], code, "{run}");
        arena.execute(context, "update crm_automation_rules set is_enabled = false where org_id = $1").await;
    }
    assert!(arena.made(context).await.is_empty());
}
