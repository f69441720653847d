//! What the actions of rules do, and what becomes of runs whose actions cannot be done; on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

#[path = "automation_run/arena.rs"]
mod arena;
mod common;

use arena::{Arena, conditions, followup};
use common::{As, Context};
use fieldcrm_core::Code;
use serde_json::json;
use uuid::Uuid;

scenarios! {
    silence_is_acted_on_and_noted
    who_is_written_to_twice_is_waited_for_from_the_second_time_also_once
    every_action_says_what_it_did
    who_cannot_be_written_to_fails_alone
    one_bad_customer_does_not_stop_the_others
    conditions_that_cannot_be_checked_fail_and_are_retried
    only_what_failed_is_retried
    actions_that_make_no_sense_fail_with_their_reason
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
        assert!(
            runs.iter()
                .any(|run| run["customer_id"] == json!(customer) && run["skip_code"] == code)
        );
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

async fn who_is_written_to_twice_is_waited_for_from_the_second_time_also_once(
    context: &mut Context,
) {
    let arena = Arena::make(context, 2).await;
    let rule = json!({"event_type": "no_reply", "time_offset_minutes": 60, "reenrollment": "once",
        "actions": [followup("Ring them")]});
    arena.rule(context, rule).await;
    for (customer, minutes) in [(0, 90), (0, 70), (1, 90)] {
        let sql = format!(
            "insert into crm_interactions (org_id, customer_id, channel, occurred_at)
             values ($1, '{}', 'email_outbound', now() - interval '{minutes} minutes')",
            arena.customers[customer]
        );
        arena.execute(context, &sql).await;
    }
    assert_eq!(arena.run(context).await["scheduled"], 3);
    let report = arena.due(context).await;
    assert_eq!(report, json!({"due": 3, "succeeded": 2, "failed": 0, "skipped": 1}));
    // And never again.
    let sql = format!(
        "insert into crm_interactions (org_id, customer_id, channel, occurred_at)
         values ($1, '{}', 'email_outbound', now() - interval '61 minutes')",
        arena.customers[0]
    );
    arena.execute(context, &sql).await;
    arena.run(context).await;
    assert_eq!(arena.due(context).await["succeeded"], 0);
    assert_eq!(arena.made(context).await.len(), 2);
}

#[allow(clippy::too_many_lines, reason = "all actions in one rule")]
async fn every_action_says_what_it_did(context: &mut Context) {
    let arena = Arena::make(context, 2).await;
    let member = arena.member(context, "sales").await;
    let owned = arena.customers[0];
    let sql =
        format!("update customers set owner_id = '{member}' where org_id = $1 and id = '{owned}'");
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
    let wanted: Vec<_> =
        actions.as_array().unwrap().iter().map(|action| action["type"].clone()).collect();
    assert_eq!(kinds, wanted);
    assert_eq!(owned_results[0]["assigned_to_user_id"], json!(member));
    assert_eq!(owned_results[5]["removed"], true);
    assert_eq!(
        (&owned_results[6]["changed"], &owned_results[7]["changed"]),
        (&json!(true), &json!(true))
    );
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
    let titles: Vec<_> =
        arena.made(context).await.into_iter().map(|row| row["title"].clone()).collect();
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
    assert_eq!(
        (&report["succeeded"], &report["failed"], &report["enrolled"]),
        (&json!(1), &json!(1), &json!(2))
    );
    let runs = arena.runs(context).await;
    let failed = runs.iter().find(|run| run["customer_id"] == json!(other)).unwrap();
    assert_eq!(
        (&failed["status"], &failed["error_code"]),
        (&json!("failed"), &json!("invalid_template"))
    );
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
    arena
        .execute(context, "update customers set name = 'Bad' where org_id = $1 and name = 'C2'")
        .await;
    let actions =
        json!([{"type": "tag_customer", "tag": "Called"}, followup("Call {{ customer.name }}")]);
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
    let again =
        context.call(As::Dba(arena.org), "crm_retry_automation_run", retry.clone()).await.unwrap();
    assert_eq!((&again["status"], &again["attempts"]), (&json!("failed"), &json!(2)));
    context.client.batch_execute("drop trigger refuse on crm_followups").await.unwrap();
    let again =
        context.call(As::Dba(arena.org), "crm_retry_automation_run", retry.clone()).await.unwrap();
    assert_eq!((&again["status"], &again["attempts"]), (&json!("success"), &json!(3)));
    assert_eq!(
        (&again["error_code"], &again["results"][0]["created"]),
        (&json!(null), &json!(true))
    );
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
        let again =
            context.call(As::Dba(arena.org), "crm_retry_automation_run", retry).await.unwrap();
        ends.push((again["status"].as_str().unwrap().to_owned(), again["skip_code"].clone()));
    }
    ends.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(
        ends,
        [("skipped".to_owned(), json!("conditions")), ("success".to_owned(), json!(null))]
    );
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
        (
            json!({"type": "send_message", "channel": "sms", "purpose": "marketing", "template_id": nobody}),
            "not_found",
        ),
        (json!({"type": "dance"}), "wrong_state"),
    ] {
        let rule = arena
            .rule(
                context,
                json!({"name": action.to_string(), "actions": [followup("Call"), action]}),
            )
            .await;
        arena.event(context, "ping", &arena.customers, &action.to_string(), json!({})).await;
        let report = arena.run(context).await;
        assert_eq!(report["failed"], 2, "{action}");
        let runs = arena.runs(context).await;
        let run = runs.iter().find(|run| run["rule_id"] == json!(rule)).unwrap();
        assert_eq!(run["error_code"], code, "{run}");
        arena
            .execute(
                context,
                "update crm_automation_rules set is_enabled = false where org_id = $1",
            )
            .await;
    }
    assert!(arena.made(context).await.is_empty());
}
