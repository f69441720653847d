//! Endpoints that fail: they hold up nobody, and are told nothing any more, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;
mod delivery_sample;

use std::collections::HashSet;

use common::{As, Context, NORTHWIND, VOLT};
use delivery_sample::{
    CSR, EVERYWHERE, JOB, MANAGER, claim, complete, customer, endpoint, events, execute, fail,
    messages, one, rows,
};
use serde_json::{Value, json};
use uuid::Uuid;

scenarios! {
    who_is_gone_is_disabled_at_once_and_the_managers_learn_it
    who_fails_for_days_is_disabled_and_a_success_begins_anew
    a_disabled_or_deleted_endpoint_gets_nothing_that_waited
    what_waits_for_a_disabled_endpoint_is_canceled_by_the_claim
    a_dead_endpoint_holds_up_nobody
    an_endpoint_that_fails_gets_one_message_now_and_then
    webhooks_and_other_messages_do_not_wait_for_each_other
    a_turn_that_came_too_late_is_no_attempt
}

async fn notices(context: &Context, endpoint: Uuid) -> Vec<Value> {
    let sql = "select p.role, n.data from crm_notifications n join profiles p on p.id = n.user_id
        where n.type = 'webhook_endpoint_disabled' and n.data ->> 'endpoint_id' = $1::uuid::text order by p.role::text";
    rows(context, sql, endpoint).await
}

async fn who_is_gone_is_disabled_at_once_and_the_managers_learn_it(context: &mut Context) {
    let endpoint = endpoint(context, MANAGER, &["meter_read"]).await;
    events(context, NORTHWIND, 7).await;
    let claimed = claim(context, JOB, 24).await;
    fail(context, &claimed[0], Some(410), false).await;
    let row = one(context, "select * from webhook_endpoints where id = $1", endpoint).await;
    assert_eq!((&row["is_enabled"], &row["disabled_reason"]), (&json!(false), &json!("gone")));
    let waiting: Vec<_> = messages(context, endpoint)
        .await
        .into_iter()
        .filter(|one| one["error_code"] == "endpoint_disabled")
        .collect();
    assert_eq!(waiting.len(), 2, "what waited; five were handed out");
    assert!(
        waiting.iter().all(|one| one["status"] == "canceled" && one["completed_at"].is_string())
    );
    fail(context, &claimed[1], Some(410), false).await;
    let told = notices(context, endpoint).await;
    let roles: Vec<_> = told.iter().map(|one| one["role"].clone()).collect();
    assert_eq!(json!(roles), json!(["admin", "manager", "owner"]), "once");
    assert_eq!(told[0]["data"]["reason"], "gone");
    events(context, NORTHWIND, 1).await;
    assert_eq!(messages(context, endpoint).await.len(), 7, "nothing new is queued");
    let patch = json!({"id": endpoint, "patch": {"is_enabled": true}});
    let row = context.call(MANAGER, "crm_update_webhook_endpoint", patch).await.unwrap();
    let shown = ["is_enabled", "disabled_reason", "failure_count", "failing_since", "resume_at"]
        .map(|key| row[key].clone());
    assert_eq!(json!(shown), json!([true, null, 0, null, null]));
}

async fn who_fails_for_days_is_disabled_and_a_success_begins_anew(context: &mut Context) {
    let endpoint = endpoint(context, MANAGER, &["meter_read"]).await;
    let state = "select is_enabled, failure_count, disabled_reason, failing_since from webhook_endpoints where id = $1";
    let ready = "update webhook_endpoints set resume_at = now(), failing_since = failing_since - interval '6 days' where id = $1";
    for (round, (failures, days_ago, enabled)) in
        [(9, true, true), (9, true, true), (10, false, true), (1, true, false)]
            .into_iter()
            .enumerate()
    {
        for number in 0..failures {
            events(context, NORTHWIND, 1).await;
            if number == 1 && days_ago {
                execute(context, ready, endpoint).await;
            }
            execute(context, "update webhook_endpoints set resume_at = now() where id = $1 and resume_at is not null", endpoint).await;
            if failures == 1 {
                execute(context, ready, endpoint).await;
            }
            let claimed = claim(context, JOB, 1).await;
            fail(context, &claimed[0], None, false).await;
        }
        let row = one(context, state, endpoint).await;
        assert_eq!(row["is_enabled"], enabled, "round {round}: {row}");
        if round == 0 || round == 1 {
            // Nine failures over six days, and then it was there.
            execute(
                context,
                "update webhook_endpoints set resume_at = now() where id = $1",
                endpoint,
            )
            .await;
            events(context, NORTHWIND, 1).await;
            let claimed = claim(context, JOB, 1).await;
            complete(context, &claimed[0]).await;
            let row = one(context, state, endpoint).await;
            assert_eq!((&row["failure_count"], &row["failing_since"]), (&json!(0), &Value::Null));
        }
    }
    let row = one(context, state, endpoint).await;
    assert_eq!(row["disabled_reason"], "failing");
    assert_eq!(notices(context, endpoint).await.len(), 3);
}

async fn a_disabled_or_deleted_endpoint_gets_nothing_that_waited(context: &mut Context) {
    for how in [
        "update webhook_endpoints set is_enabled = false where id = $1",
        "delete from webhook_endpoints where id = $1",
    ] {
        let endpoint = endpoint(context, MANAGER, &["meter_read"]).await;
        events(context, NORTHWIND, 2).await;
        let ids: Vec<Uuid> = messages(context, endpoint)
            .await
            .iter()
            .map(|one| one["id"].as_str().unwrap().parse().unwrap())
            .collect();
        execute(context, how, endpoint).await;
        assert!(claim(context, JOB, 24).await.is_empty());
        for id in ids {
            let row = one(context, "select * from crm_outbox where id = $1", id).await;
            assert_eq!(
                (&row["status"], &row["error_code"]),
                (&json!("canceled"), &json!("endpoint_disabled")),
                "{how}"
            );
        }
        assert!(notices(context, endpoint).await.is_empty(), "who did it knows");
    }
}

/// What is queued by a transaction that did not see the endpoint being disabled.
async fn what_waits_for_a_disabled_endpoint_is_canceled_by_the_claim(context: &mut Context) {
    let endpoint = endpoint(context, MANAGER, &["meter_read"]).await;
    execute(context, "update webhook_endpoints set is_enabled = false where id = $1", endpoint)
        .await;
    let sql = "insert into crm_outbox (org_id, channel, purpose, to_address, body, webhook_endpoint_id)
        select org_id, 'webhook', 'transactional', url, '', id from webhook_endpoints where id = $1";
    execute(context, sql, endpoint).await;
    assert!(claim(context, JOB, 24).await.is_empty());
    let [row] = &messages(context, endpoint).await[..] else { panic!("one") };
    assert_eq!(
        (&row["status"], &row["error_code"]),
        (&json!("canceled"), &json!("endpoint_disabled"))
    );
    assert!(row["completed_at"].is_string());
}

async fn a_dead_endpoint_holds_up_nobody(context: &mut Context) {
    let dead = endpoint(context, MANAGER, &["meter_read"]).await;
    let alive = endpoint(context, As::Volt("owner"), &["meter_read"]).await;
    endpoint(context, MANAGER, &["other"]).await;
    events(context, NORTHWIND, 1_000).await;
    execute(context, "update crm_outbox set available_at = now() - interval '1 hour' where webhook_endpoint_id = $1", dead).await;
    events(context, VOLT, 1).await;
    let other =
        "insert into crm_events (org_id, event_type, event_key) values ($1, 'other', 'other:1')";
    execute(context, other, NORTHWIND).await;
    let claimed = claim(context, EVERYWHERE, 24).await;
    let of = |org: Uuid| claimed.iter().filter(|one| one["org_id"] == json!(org)).count();
    assert_eq!((of(NORTHWIND), of(VOLT)), (6, 1), "a few of each endpoint");
    let of_two = claim(context, EVERYWHERE, 24).await;
    assert_eq!(of_two.len(), 5);
    // However small the claim is: the first of each comes before the second of any.
    events(context, VOLT, 1).await;
    let two = claim(context, EVERYWHERE, 2).await;
    let orgs: HashSet<_> = two.iter().map(|one| one["org_id"].to_string()).collect();
    assert_eq!(orgs.len(), 2, "{alive}");
}

async fn an_endpoint_that_fails_gets_one_message_now_and_then(context: &mut Context) {
    let endpoint = endpoint(context, MANAGER, &["meter_read"]).await;
    events(context, NORTHWIND, 20).await;
    for one in claim(context, JOB, 3).await {
        fail(context, &one, None, true).await;
    }
    assert!(claim(context, JOB, 24).await.is_empty(), "after three failures it is left alone");
    let wait = "select resume_at between now() + interval '7 seconds' and now() + interval '9 seconds' as soon from webhook_endpoints where id = $1";
    assert_eq!(one(context, wait, endpoint).await["soon"], true);
    execute(context, "update webhook_endpoints set resume_at = now() where id = $1", endpoint)
        .await;
    let probe = claim(context, JOB, 24).await;
    assert_eq!(probe.len(), 1);
    complete(context, &probe[0]).await;
    assert_eq!(claim(context, JOB, 24).await.len(), 5, "it is back");
}

async fn webhooks_and_other_messages_do_not_wait_for_each_other(context: &mut Context) {
    endpoint(context, MANAGER, &["meter_read"]).await;
    events(context, NORTHWIND, 3).await;
    let customer = customer(context, CSR).await;
    let mail = json!({"customer_id": customer, "channel": "email", "purpose": "transactional", "subject": "s", "body": "b"});
    context.call(CSR, "crm_send_message", mail).await.unwrap();
    let all = json!({"providers": {"email": "log", "webhook": "webhook"}, "batch_limit": 24});
    context.client.batch_execute("savepoint before").await.unwrap();
    let both = context.call(JOB, "crm_claim_messages", all).await.unwrap();
    assert_eq!(both["messages"].as_array().unwrap().len(), 4);
    context.client.batch_execute("rollback to before").await.unwrap();
    let only = json!({"providers": {"email": "log"}, "batch_limit": 1});
    let mails = context.call(JOB, "crm_claim_messages", only).await.unwrap();
    assert_eq!(mails["messages"][0]["channel"], "email");
    assert_eq!(claim(context, JOB, 24).await.len(), 3);
}

async fn a_turn_that_came_too_late_is_no_attempt(context: &mut Context) {
    let endpoint = endpoint(context, MANAGER, &["meter_read"]).await;
    events(context, NORTHWIND, 1).await;
    let claimed = claim(context, JOB, 24).await;
    let late = json!({"id": claimed[0]["id"], "lease_id": claimed[0]["lease_id"], "code": "late", "retryable": true, "untried": true});
    let row = context.call(JOB, "crm_fail_message", late).await.unwrap();
    assert_eq!(
        (&row["status"], &row["attempts"], &row["error_code"]),
        (&json!("queued"), &json!(0), &Value::Null)
    );
    let log = "select count(*) as count from webhook_attempts a join crm_outbox o on o.id = a.message_id where o.webhook_endpoint_id = $1";
    assert_eq!(one(context, log, endpoint).await["count"], 0);
    assert_eq!(claim(context, JOB, 24).await[0]["attempts"], 1, "at once");
}
