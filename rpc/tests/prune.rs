//! What nobody needs any more goes, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use common::{As, Context, NORTHWIND, VOLT};
use fieldcrm_core::Code;
use serde_json::{Value, json};
use uuid::Uuid;

scenarios! {
    results_of_idempotent_calls_go_after_a_day
    events_go_after_ninety_days_unless_somebody_waits_for_them
    who_does_not_verify_an_address_in_a_month_waits_no_more
    a_batch_takes_the_oldest_and_one_org_if_it_is_said
    only_back_end_sessions_prune
}

const EVERYWHERE: As = As::Dba(Uuid::nil());

/// Keys, so many days old.
async fn keys(context: &Context, org: Uuid, days: &[f64]) {
    let sql = "insert into fieldcrm.idempotency_keys (org_id, user_id, key, operation, fingerprint, created_at)
      select $1, $1, 'prune:' || d, 'prune', 'x', now() - make_interval(secs => d * 86400) from unnest($2::float8[]) d";
    context.client.execute(sql, &[&org, &days]).await.unwrap();
}

/// Events of a customer of the org, so many days old.
async fn events(context: &Context, org: Uuid, days: &[f64]) {
    let sql = "insert into crm_events (org_id, event_type, customer_id, event_key, created_at)
      select $1, 'prune', (select id from customers where org_id = $1 limit 1), 'prune:' || d, now() - make_interval(secs => d * 86400)
      from unnest($2::float8[]) d";
    context.client.execute(sql, &[&org, &days]).await.unwrap();
}

/// The ages of what is left.
async fn left(context: &Context, org: Uuid) -> [Vec<String>; 2] {
    let sql = "select
      (select coalesce(array_agg(substr(key, 7) order by key), '{}') from fieldcrm.idempotency_keys where org_id = $1 and operation = 'prune'),
      (select coalesce(array_agg(substr(event_key, 7) order by event_key), '{}') from crm_events where org_id = $1 and event_type = 'prune')";
    let row = context.client.query_one(sql, &[&org]).await.unwrap();
    [row.get(0), row.get(1)]
}

async fn prune(context: &mut Context, caller: As, arguments: Value) -> Value {
    context.call(caller, "crm_prune", arguments).await.unwrap()
}

async fn results_of_idempotent_calls_go_after_a_day(context: &mut Context) {
    keys(context, NORTHWIND, &[0.9, 1.1, 30.0]).await;
    assert_eq!(
        prune(context, As::Dba(NORTHWIND), json!({})).await,
        json!({"idempotency_keys": 2, "events": 0, "webhook_deliveries": 0, "signups": 0})
    );
    assert_eq!(left(context, NORTHWIND).await[0], ["0.9"]);
}

async fn events_go_after_ninety_days_unless_somebody_waits_for_them(context: &mut Context) {
    events(context, NORTHWIND, &[89.0, 91.0, 92.0, 93.0, 94.0]).await;
    // One is still in the queue, of one a run is still to come, of one it was.
    let sql = "with rule as (
        insert into crm_automation_rules (org_id, name, trigger_type, event_type, actions)
        values ($1, 'Prune', 'event', 'prune', '[{}]') returning id
      ), queued as (
        insert into fieldcrm.event_queue (org_id, event_id, event_type)
        select org_id, id, event_type from crm_events where org_id = $1 and event_key = 'prune:91'
      )
      insert into crm_automation_runs (org_id, rule_id, rule_version, event_id, occurrence_key, status, completed_at)
      select $1, rule.id, 1, e.id, e.event_key, r.status::automation_run_status, r.at
      from rule, (values ('prune:92', 'pending', null), ('prune:93', 'success', now())) as r (event_key, status, at)
      join crm_events e on e.org_id = $1 and e.event_key = r.event_key";
    context.client.execute(sql, &[&NORTHWIND]).await.unwrap();
    assert_eq!(
        prune(context, As::Dba(NORTHWIND), json!({})).await,
        json!({"idempotency_keys": 0, "events": 2, "webhook_deliveries": 0, "signups": 0})
    );
    assert_eq!(left(context, NORTHWIND).await[1], ["89", "91", "92"]);
}

async fn who_does_not_verify_an_address_in_a_month_waits_no_more(context: &mut Context) {
    let (old, new) =
        (context.newcomer("old@prune.example").await, context.newcomer("new@prune.example").await);
    let sql = "insert into fieldcrm.portal_signups (user_id, org_id, full_name, created_at)
        values ($2, $1, 'Old', now() - interval '31 days'), ($3, $1, 'New', now() - interval '29 days')";
    context.client.execute(sql, &[&NORTHWIND, &old, &new]).await.unwrap();
    assert_eq!(prune(context, As::Dba(VOLT), json!({})).await["signups"], 0);
    assert_eq!(prune(context, As::Dba(NORTHWIND), json!({})).await["signups"], 1);
    let sql = "select user_id from fieldcrm.portal_signups where org_id = $1";
    let left: Uuid = context.client.query_one(sql, &[&NORTHWIND]).await.unwrap().get(0);
    assert_eq!(left, new);
}

async fn a_batch_takes_the_oldest_and_one_org_if_it_is_said(context: &mut Context) {
    for org in [NORTHWIND, VOLT] {
        keys(context, org, &[2.0, 3.0]).await;
        events(context, org, &[100.0, 200.0]).await;
    }
    let one = json!({"batch_limit": 1});
    let done = prune(context, As::Dba(VOLT), one).await;
    assert_eq!(
        done,
        json!({"idempotency_keys": 1, "events": 1, "webhook_deliveries": 0, "signups": 0})
    );
    assert_eq!(left(context, VOLT).await, [["2"], ["100"]]);
    assert_eq!(left(context, NORTHWIND).await, [["2", "3"], ["100", "200"]]);
    let done = prune(context, EVERYWHERE, json!({"batch_limit": 2})).await;
    assert_eq!(
        done,
        json!({"idempotency_keys": 2, "events": 2, "webhook_deliveries": 0, "signups": 0})
    );
    let done = prune(context, EVERYWHERE, json!({})).await;
    assert_eq!(
        done,
        json!({"idempotency_keys": 1, "events": 1, "webhook_deliveries": 0, "signups": 0})
    );
    for org in [NORTHWIND, VOLT] {
        assert_eq!(left(context, org).await, [[""; 0], [""; 0]]);
    }
}

async fn only_back_end_sessions_prune(context: &mut Context) {
    for role in ["owner", "csr", "portal_customer"] {
        context.refused(As::Northwind(role), "crm_prune", json!({}), Code::Forbidden).await;
    }
    for wrong in [0, 10_001] {
        let arguments = json!({"batch_limit": wrong});
        let error =
            context.refused(EVERYWHERE, "crm_prune", arguments, Code::InvalidArgument).await;
        assert_eq!(error.errors[0].path, "batch_limit");
    }
}
