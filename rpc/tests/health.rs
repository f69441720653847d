//! What `crm_health` says of the queues, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use common::{As, Context, NORTHWIND, VOLT};
use fieldcrm_core::Code;
use serde_json::{Value, json};
use uuid::Uuid;

scenarios! {
    a_queue_says_what_waits_what_is_due_and_for_how_long
    what_is_due_for_too_long_makes_the_whole_late
    an_org_is_asked_about_alone_if_it_is_said
    only_back_end_sessions_ask
}

const EVERYWHERE: As = As::Dba(Uuid::nil());

/// Empties the queues of what the demo data has in them.
async fn calm(context: &Context) {
    let sql = "delete from fieldcrm.event_queue; delete from fieldcrm.sentiment_queue; delete from crm_outbox;
      delete from crm_automation_runs; update kb_articles set embedded_version = version";
    context.client.batch_execute(sql).await.unwrap();
}

async fn queue(context: &mut Context, caller: As, name: &str) -> Value {
    let health = context.call(caller, "crm_health", json!({})).await.unwrap();
    health["queues"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap().clone()
}

/// Sentiments of so many interactions of the org, due so many seconds ago.
async fn sentiments(context: &Context, org: Uuid, many: i64, seconds: f64) {
    let sql = "insert into fieldcrm.sentiment_queue (org_id, interaction_id, due_at)
      select org_id, id, now() - make_interval(secs => $3) from crm_interactions where org_id = $1 order by id limit $2";
    context.client.execute(sql, &[&org, &many, &seconds]).await.unwrap();
}

async fn a_queue_says_what_waits_what_is_due_and_for_how_long(context: &mut Context) {
    calm(context).await;
    let calm = json!({"name": "sentiments", "waiting": 0, "due": 0, "oldest_due_seconds": null, "failed_24h": 0});
    assert_eq!(queue(context, EVERYWHERE, "sentiments").await, calm);
    sentiments(context, NORTHWIND, 3, 90.0).await;
    let sql = "update fieldcrm.sentiment_queue set failed_at = now(), reason = 'x'
      where interaction_id = (select min(interaction_id::text)::uuid from fieldcrm.sentiment_queue)";
    context.client.batch_execute(sql).await.unwrap();
    sentiments(context, VOLT, 1, -90.0).await;
    let found = queue(context, EVERYWHERE, "sentiments").await;
    assert_eq!(
        found,
        json!({"name": "sentiments", "waiting": 3, "due": 2, "oldest_due_seconds": 90, "failed_24h": 1})
    );
    let health = context.call(EVERYWHERE, "crm_health", json!({})).await.unwrap();
    assert_eq!((&health["status"], &health["late_after_seconds"]), (&json!("ok"), &json!(300)));
    let names: Vec<_> = health["queues"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["articles", "automation_runs", "events", "messages", "scores", "sentiments", "webhooks"]
    );
}

async fn what_is_due_for_too_long_makes_the_whole_late(context: &mut Context) {
    calm(context).await;
    sentiments(context, VOLT, 1, 301.0).await;
    let health = context.call(EVERYWHERE, "crm_health", json!({})).await.unwrap();
    assert_eq!(health["status"], "late");
}

async fn an_org_is_asked_about_alone_if_it_is_said(context: &mut Context) {
    calm(context).await;
    sentiments(context, VOLT, 1, 400.0).await;
    let health = context.call(As::Dba(NORTHWIND), "crm_health", json!({})).await.unwrap();
    assert_eq!(health["status"], "ok");
    assert_eq!(queue(context, As::Dba(VOLT), "sentiments").await["due"], 1);
    assert_eq!(queue(context, As::Dba(NORTHWIND), "sentiments").await["waiting"], 0);
}

async fn only_back_end_sessions_ask(context: &mut Context) {
    for caller in [As::Northwind("owner"), As::Northwind("portal_customer")] {
        context.refused(caller, "crm_health", json!({}), Code::Forbidden).await;
    }
}
