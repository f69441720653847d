//! Segments that are computed while their customers, their members and the segments below them change: real parallel
//! sessions that commit, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use std::time::{Duration, Instant};

use common::{As, Context, Target, connect};
use fieldcrm_core::Error;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use uuid::Uuid;

const CUSTOMERS: i64 = 400;
const ROUNDS: usize = 6;

/// An org of its own for one test; removed at the end.
#[derive(Clone, Copy)]
struct Org {
    id: Uuid,
    target: Target,
}

impl Org {
    async fn make(target: Target) -> Self {
        let client = connect(target).await;
        let sql = "insert into orgs (name) values ('Race') returning id";
        let id: Uuid = client.query_one(sql, &[]).await.unwrap().get(0);
        let org = Self { id, target };
        org.execute(&format!(
            "insert into customers (org_id, type, name, source)
             select $1, 'company', 'C' || n, 's' || n % 2 from generate_series(1, {CUSTOMERS}) n"
        ))
        .await;
        org
    }

    /// One call in a transaction of its own.
    async fn call(self, name: &'static str, arguments: Value) -> Result<Value, Error> {
        let mut context = Context::start(self.target).await;
        let outcome = context.call(As::Dba(self.id), name, arguments).await;
        context.client.batch_execute("commit").await.unwrap();
        outcome
    }

    async fn segment(self, name: &str, rules: Value) -> Value {
        let definition = json!({"version": 1, "entity": "customer",
            "query": {"combinator": "and", "rules": rules}});
        let arguments = json!({"name": name, "type": "rule_based", "definition": definition});
        self.call("crm_create_segment", arguments).await.unwrap()["id"].clone()
    }

    async fn execute(self, sql: &str) {
        connect(self.target).await.execute(sql, &[&self.id]).await.unwrap();
    }

    async fn count(self, sql: &str) -> i64 {
        connect(self.target).await.query_one(sql, &[&self.id]).await.unwrap().get(0)
    }

    async fn remove(self) {
        for table in ["crm_segments", "crm_tags", "customers"] {
            self.execute(&format!("delete from {table} where org_id = $1")).await;
        }
        self.execute("delete from orgs where id = $1").await;
    }
}

/// Members that should not be, and those that are missing, for a segment of the customers that `matches` is true of.
fn wrong(name: &str, matches: &str) -> String {
    format!(
        "select count(*) from customers c cross join crm_segments s
         left join crm_segment_members m on m.segment_id = s.id and m.customer_id = c.id
         where c.org_id = $1 and s.org_id = $1 and s.name = '{name}' and ({matches}) <> (m.id is not null)"
    )
}

/// An event for each time a member came or went, the last of them what holds now.
const EVENTS: &str = "select count(*) from (
      select customer_id, payload ->> 'segment_id' as segment_id,
        count(*) filter (where event_type = 'segment_entered') as entered,
        count(*) filter (where event_type = 'segment_left') as gone
      from crm_events where org_id = $1 group by 1, 2) e
    left join crm_segment_members m on m.customer_id = e.customer_id and m.segment_id::text = e.segment_id
    where e.entered - e.gone <> case when m.id is null then 0 else 1 end";

async fn recomputes_during_changes_of_customers_end_right(target: Target) {
    let org = Org::make(target).await;
    let id =
        org.segment("Even", json!([{"field": "source", "operator": "=", "value": "s0"}])).await;
    let mut tasks = JoinSet::new();
    for round in 0..ROUNDS {
        let id = id.clone();
        tasks.spawn(async move {
            for _ in 0..3 {
                org.call("crm_recompute_segment", json!({"id": id})).await.unwrap();
            }
        });
        tasks.spawn(async move {
            org.execute(&format!(
                "update customers set source = case source when 's0' then 's1' else 's0' end,
                   is_archived = hashtext(name) % 7 = {round}
                 where org_id = $1 and hashtext(name) % {ROUNDS} = {round}"
            ))
            .await;
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    let last = org.call("crm_recompute_segment", json!({"id": id})).await.unwrap();
    let matches = "c.source = 's0' and not c.is_archived";
    assert_eq!(org.count(&wrong("Even", matches)).await, 0);
    assert_eq!(org.count(EVENTS).await, 0);
    let again = org.call("crm_recompute_segment", json!({"id": id})).await.unwrap();
    assert_eq!(again, json!({"added": 0, "removed": 0, "total": last["total"]}));
    org.remove().await;
}

async fn members_added_and_removed_in_opposite_orders_do_not_deadlock(target: Target) {
    let org = Org::make(target).await;
    let prompted = json!({"name": "Prompted", "type": "ai_generated", "ai_prompt": "the odd ones",
        "definition": {"version": 1, "entity": "customer", "query": {"combinator": "and", "rules": [
            {"field": "source", "operator": "=", "value": "s1"}]}}});
    let id = org.call("crm_create_segment", prompted).await.unwrap()["id"].clone();
    let sql = "select id::text from customers where org_id = $1 order by id";
    let rows = connect(target).await.query(sql, &[&org.id]).await.unwrap();
    let ids: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let mut tasks = JoinSet::new();
    for round in 0..ROUNDS {
        let mut some = ids.clone();
        some.rotate_left(round * 60);
        if round % 2 == 0 {
            some.reverse();
        }
        let (id, name) = (
            id.clone(),
            if round % 3 == 0 { "crm_segment_remove_members" } else { "crm_segment_add_members" },
        );
        tasks.spawn(async move {
            let arguments = json!({"segment_id": id, "customer_ids": some});
            org.call(name, arguments).await.unwrap();
            org.call("crm_recompute_segment", json!({"id": id})).await.unwrap();
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    // Everybody's last act was to compute.
    assert_eq!(org.count(&wrong("Prompted", "c.source = 's1'")).await, 0);
    assert_eq!(org.count(EVENTS).await, 0);
    org.remove().await;
}

async fn a_chain_of_segments_is_computed_by_several_workers_and_ends_right(target: Target) {
    let org = Org::make(target).await;
    let odd =
        org.segment("Odd", json!([{"field": "source", "operator": "=", "value": "s1"}])).await;
    let in_odd = json!([{"field": "segment", "operator": "in", "value": ["Odd"]}]);
    org.segment("Above", in_odd).await;
    let rest = json!([{"field": "segment", "operator": "notIn", "value": ["Above"]}]);
    let rest = org.segment("Rest", rest).await;
    let mut tasks = JoinSet::new();
    for round in 0..ROUNDS {
        let (odd, rest) = (odd.clone(), rest.clone());
        tasks.spawn(async move {
            org.execute(&format!(
                "update customers set source = 's{}' where org_id = $1",
                round % 2
            ))
            .await;
            org.call("crm_recompute_segment", json!({"id": odd})).await.unwrap();
        });
        tasks.spawn(async move {
            org.execute("update crm_segments set recompute_at = now() where org_id = $1").await;
            let due = org.call("crm_recompute_due_segments", json!({"batch_limit": 10}));
            for segment in due.await.unwrap()["segments"].as_array().unwrap() {
                assert!(segment.get("error").is_none(), "{segment}");
            }
            org.call("crm_recompute_segment", json!({"id": rest})).await.unwrap();
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    org.execute("update customers set source = 's' || hashtext(name) % 2 where org_id = $1").await;
    org.execute("update crm_segments set recompute_at = now() where org_id = $1").await;
    let done = org.call("crm_recompute_due_segments", json!({"batch_limit": 10})).await.unwrap();
    assert_eq!(done["segments"].as_array().unwrap().len(), 3, "{done}");
    assert_eq!(org.count(&wrong("Odd", "c.source = 's1'")).await, 0);
    assert_eq!(org.count(&wrong("Above", "c.source = 's1'")).await, 0);
    assert_eq!(org.count(&wrong("Rest", "c.source <> 's1'")).await, 0);
    org.remove().await;
}

/// A session that holds the lower segment keeps nobody from computing the upper one, by what was committed.
async fn a_segment_above_one_being_computed_does_not_wait(target: Target) {
    let org = Org::make(target).await;
    let odd =
        org.segment("Odd", json!([{"field": "source", "operator": "=", "value": "s1"}])).await;
    let above = json!([{"field": "segment", "operator": "in", "value": ["Odd"]}]);
    let above = org.segment("Above", above).await;
    org.execute("update customers set source = 's1' where org_id = $1").await;
    let mut holding = Context::start(target).await;
    let arguments = json!({"id": odd});
    holding.call(As::Dba(org.id), "crm_recompute_segment", arguments).await.unwrap();
    let started = Instant::now();
    let waiting = org.call("crm_recompute_segment", json!({"id": above}));
    let computed = tokio::time::timeout(Duration::from_secs(20), waiting).await;
    let computed = computed.unwrap_or_else(|_| panic!("waited {:?}", started.elapsed())).unwrap();
    assert_eq!(computed, json!({"added": 0, "removed": 0, "total": CUSTOMERS / 2}));
    holding.client.batch_execute("commit").await.unwrap();
    let computed = org.call("crm_recompute_segment", json!({"id": above})).await.unwrap();
    assert_eq!(computed, json!({"added": CUSTOMERS / 2, "removed": 0, "total": CUSTOMERS}));
    org.remove().await;
}

macro_rules! races {
    ($($name:ident)*) => {
        mod native { $(#[tokio::test] async fn $name() { super::$name(super::Target::Native).await; })* }
        mod extension { $(#[tokio::test] async fn $name() { super::$name(super::Target::Extension).await; })* }
    };
}

races! {
    recomputes_during_changes_of_customers_end_right
    members_added_and_removed_in_opposite_orders_do_not_deadlock
    a_chain_of_segments_is_computed_by_several_workers_and_ends_right
    a_segment_above_one_being_computed_does_not_wait
}
