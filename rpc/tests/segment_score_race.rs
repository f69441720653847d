//! Workers at once at one job, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;
mod segment_score_sample;

use std::collections::BTreeSet;

use common::{As, Context, Target, connect};
use segment_score_sample::{builtin, claim, count, ids, job, progress, run, store};
use serde_json::json;
use tokio::task::JoinSet;
use uuid::Uuid;

/// Six workers, of whom each loses every third claim; `SCORED_CUSTOMERS` for many.
async fn workers_at_once_score_each_customer_once(target: Target) {
    let number: i32 = std::env::var("SCORED_CUSTOMERS").map_or(300, |it| it.parse().unwrap());
    let batch = i64::from(number / 100).clamp(7, 500);
    let client = connect(target).await;
    let org: Uuid = client
        .query_one("insert into orgs (name) values ('Scores') returning id", &[])
        .await
        .unwrap()
        .get(0);
    let sql = "insert into customers (org_id, type, name) select $1, 'company', 'C' || n from generate_series(1, $2) n";
    client.execute(sql, &[&org, &number]).await.unwrap();
    // As the autovacuum does sooner or later; until then the planner takes the org for empty.
    client.batch_execute("analyze customers").await.unwrap();
    let mut context = Context::start(target).await;
    let rule = json!({"field": "name", "operator": "notNull"});
    let definition = json!({"version": 1, "entity": "customer", "query": {"combinator": "and", "rules": [rule]}});
    let arguments = json!({"name": "All", "type": "rule_based", "definition": definition});
    let segment = context.call(As::Dba(org), "crm_create_segment", arguments).await.unwrap();
    let arguments = json!({"segment_id": segment["id"], "threshold": 0});
    let made = context.call(As::Dba(org), "crm_score_segment", arguments).await.unwrap();
    run(&context, "commit; begin").await;
    let mut tasks = JoinSet::new();
    for _ in 0..6 {
        tasks.spawn(async move {
            let mut context = Context::start(target).await;
            let mut done: Vec<Uuid> = Vec::new();
            for round in 1.. {
                let claimed = claim(&mut context, As::Dba(org), batch).await;
                run(&context, "commit; begin").await;
                let found = ids(&claimed);
                if found.is_empty() {
                    return done;
                }
                if round % 3 == 0 {
                    // Killed: its lease runs out at once.
                    let lease: Uuid = claimed["lease_id"].as_str().unwrap().parse().unwrap();
                    let sql = "update fieldcrm.ai_job_customers set due_at = now(), attempts = 0 where lease_id = $1";
                    context.client.execute(sql, &[&lease]).await.unwrap();
                    run(&context, "commit; begin").await;
                    continue;
                }
                let stored = store(&mut context, As::Dba(org), &claimed, builtin(&claimed)).await;
                run(&context, "commit; begin").await;
                assert_eq!(stored["stored"], found.len());
                done.extend(found);
            }
            done
        });
    }
    let done: Vec<Uuid> = tasks.join_all().await.into_iter().flatten().collect();
    let once: BTreeSet<_> = done.iter().collect();
    assert_eq!((done.len(), once.len()), (number.try_into().unwrap(), done.len()));
    assert_eq!(
        progress(&job(&context, &made).await),
        (Some("done"), [number.into(), number.into(), 0])
    );
    let all = format!("crm_segment_members where org_id = '{org}' and score = 100");
    assert_eq!(count(&context, &all).await, i64::from(number));
    let entered = format!("crm_events where org_id = '{org}' and event_type = 'segment_entered'");
    assert_eq!(count(&context, &entered).await, i64::from(number));
    run(&context, "commit").await;
    for table in ["customers where org_id", "crm_segments where org_id", "orgs where id"] {
        client.execute(&format!("delete from {table} = $1"), &[&org]).await.unwrap();
    }
}

mod races {
    use crate::common::Target;

    mod native {
        #[tokio::test]
        async fn workers_at_once_score_each_customer_once() {
            crate::workers_at_once_score_each_customer_once(super::Target::Native).await;
        }
    }
    mod extension {
        #[tokio::test]
        async fn workers_at_once_score_each_customer_once() {
            crate::workers_at_once_score_each_customer_once(super::Target::Extension).await;
        }
    }
}
