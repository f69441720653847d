//! Segments computed and changed by real parallel sessions that commit, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use common::{As, Context, Target, connect};
use fieldcrm_core::Error;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use uuid::Uuid;

const CUSTOMERS: i64 = 500;
const SESSIONS: usize = 4;

/// An org of its own for one test; removed at the end.
struct Org {
    id: Uuid,
    target: Target,
}

impl Org {
    async fn make(target: Target) -> Self {
        let client = connect(target).await;
        let sql = "insert into orgs (name) values ('Segments') returning id";
        let id: Uuid = client.query_one(sql, &[]).await.unwrap().get(0);
        let sql = "insert into customers (org_id, type, name, source)
            select $1, 'company', 'C' || n, case when n % 2 = 0 then 'even' else 'odd' end
            from generate_series(1, $2::bigint) n";
        client.execute(sql, &[&id, &CUSTOMERS]).await.unwrap();
        Self { id, target }
    }

    /// One call in a transaction of its own.
    async fn call(&self, name: &str, arguments: Value) -> Result<Value, Error> {
        call(self.target, self.id, name.to_owned(), arguments).await
    }

    async fn segment(&self, name: &str, rule: Value) -> Value {
        let definition = json!({"version": 1, "entity": "customer", "query": {"combinator": "and", "rules": [rule]}});
        let arguments = json!({"name": name, "type": "rule_based", "definition": definition});
        self.call("crm_create_segment", arguments).await.unwrap()
    }

    async fn count(&self, sql: &str) -> i64 {
        connect(self.target).await.query_one(sql, &[&self.id]).await.unwrap().get(0)
    }

    async fn execute(&self, sql: &str) {
        connect(self.target).await.execute(sql, &[&self.id]).await.unwrap();
    }

    async fn remove(self) {
        for table in ["crm_segments", "customers"] {
            self.execute(&format!("delete from {table} where org_id = $1")).await;
        }
        self.execute("delete from orgs where id = $1").await;
    }
}

async fn call(target: Target, org: Uuid, name: String, arguments: Value) -> Result<Value, Error> {
    let mut context = Context::start(target).await;
    let outcome = context.call(As::Dba(org), &name, arguments).await;
    context.client.batch_execute("commit").await.unwrap();
    outcome
}

const MEMBERS: &str = "select count(*) from crm_segment_members where org_id = $1";
const EVENTS: &str =
    "select count(*) from crm_events where org_id = $1 and event_type ~ '^segment_'";

async fn recomputes_of_one_segment_at_once_take_turns(target: Target) {
    let org = Org::make(target).await;
    let segment =
        org.segment("Even", json!({"field": "source", "operator": "=", "value": "even"})).await;
    assert_eq!(org.count(MEMBERS).await, CUSTOMERS / 2);
    org.execute("update customers set source = case source when 'even' then 'odd' else 'even' end where org_id = $1").await;
    let mut tasks = JoinSet::new();
    for _ in 0..SESSIONS {
        let arguments = json!({"id": segment["id"]});
        tasks.spawn(call(target, org.id, "crm_recompute_segment".to_owned(), arguments));
    }
    let outcomes: Vec<_> = tasks.join_all().await.into_iter().map(Result::unwrap).collect();
    let added = outcomes.iter().filter(|one| one["added"] == json!(CUSTOMERS / 2)).count();
    let nothing = outcomes.iter().filter(|one| one["added"] == 0 && one["removed"] == 0).count();
    assert_eq!((added, nothing), (1, SESSIONS - 1), "{outcomes:?}");
    assert_eq!(org.count(MEMBERS).await, CUSTOMERS / 2);
    // The first members entered and left, the others entered: each once.
    assert_eq!(org.count(EVENTS).await, CUSTOMERS / 2 * 3);
    org.remove().await;
}

async fn members_put_in_while_rules_are_computed_are_not_lost(target: Target) {
    let org = Org::make(target).await;
    let picked = json!({"name": "Picked", "type": "static"});
    let picked = org.call("crm_create_segment", picked).await.unwrap();
    let on_top = org
        .segment("Atop", json!({"field": "segment", "operator": "in", "value": ["Picked"]}))
        .await;
    let ids: Vec<String> = connect(target)
        .await
        .query("select id::text from customers where org_id = $1", &[&org.id])
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    let mut tasks = JoinSet::new();
    for chunk in ids.chunks(50) {
        let arguments = json!({"segment_id": picked["id"], "customer_ids": chunk});
        tasks.spawn(call(target, org.id, "crm_segment_add_members".to_owned(), arguments));
        let arguments = json!({"id": on_top["id"]});
        tasks.spawn(call(target, org.id, "crm_recompute_segment".to_owned(), arguments));
    }
    for outcome in tasks.join_all().await {
        outcome.unwrap();
    }
    org.call("crm_recompute_segment", json!({"id": on_top["id"]})).await.unwrap();
    assert_eq!(org.count(MEMBERS).await, CUSTOMERS * 2);
    org.remove().await;
}

async fn an_edit_during_a_recompute_is_what_holds_at_the_end(target: Target) {
    let org = Org::make(target).await;
    let segment =
        org.segment("Even", json!({"field": "source", "operator": "=", "value": "even"})).await;
    let mut tasks = JoinSet::new();
    for n in 0..SESSIONS {
        let arguments = json!({"id": segment["id"]});
        tasks.spawn(call(target, org.id, "crm_recompute_segment".to_owned(), arguments));
        let operator = if n % 2 == 0 { "=" } else { "!=" };
        let patch = json!({"definition": {"version": 1, "entity": "customer", "query": {"combinator": "and",
            "rules": [{"field": "source", "operator": operator, "value": "even"}]}}});
        let arguments = json!({"id": segment["id"], "patch": patch});
        tasks.spawn(call(target, org.id, "crm_update_segment".to_owned(), arguments));
    }
    for outcome in tasks.join_all().await {
        outcome.unwrap();
    }
    let wrong =
        "select count(*) from crm_segment_members m join customers c on c.id = m.customer_id
        join crm_segments s on s.id = m.segment_id where m.org_id = $1
        and (c.source = 'even') <> (s.definition #>> '{query,rules,0,operator}' = '=')";
    assert_eq!(org.count(wrong).await, 0);
    assert_eq!(org.count(MEMBERS).await, CUSTOMERS / 2);
    org.remove().await;
}

async fn two_edits_do_not_close_a_cycle_together(target: Target) {
    let org = Org::make(target).await;
    let mut ids = Vec::new();
    for name in ["One", "Two"] {
        ids.push(org.segment(name, json!({"field": "source", "operator": "=", "value": "even"})).await["id"].clone());
    }
    let mut tasks = JoinSet::new();
    for (id, other) in [(&ids[0], "Two"), (&ids[1], "One")] {
        let patch = json!({"definition": {"version": 1, "entity": "customer", "query": {"combinator": "and",
            "rules": [{"field": "segment", "operator": "in", "value": [other]}]}}});
        let arguments = json!({"id": id, "patch": patch});
        tasks.spawn(call(target, org.id, "crm_update_segment".to_owned(), arguments));
    }
    let outcomes = tasks.join_all().await;
    assert_eq!(outcomes.iter().filter(|one| one.is_ok()).count(), 1, "{outcomes:?}");
    org.remove().await;
}

macro_rules! races {
    ($($name:ident)*) => {
        mod native {
            $(#[tokio::test] async fn $name() { super::$name(super::Target::Native).await; })*
        }
        mod extension {
            $(#[tokio::test] async fn $name() { super::$name(super::Target::Extension).await; })*
        }
    };
}

races! {
    recomputes_of_one_segment_at_once_take_turns
    members_put_in_while_rules_are_computed_are_not_lost
    an_edit_during_a_recompute_is_what_holds_at_the_end
    two_edits_do_not_close_a_cycle_together
}
