//! Real parallel sessions that commit, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use std::collections::HashSet;

use common::{As, Context, Target, connect};
use fieldcrm_core::{Code, Error};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use uuid::Uuid;

const SESSIONS: usize = 8;
/// Races of the kind that once deadlocked in one run of three.
const ROUNDS: i64 = 5;

/// An org of its own for one test, with a csr; removed at the end.
struct Org {
    id: Uuid,
    csr: Uuid,
    target: Target,
}

impl Org {
    async fn make(target: Target) -> Self {
        let client = connect(target).await;
        let sql = "insert into orgs (name) values ('Concurrency') returning id";
        let id: Uuid = client.query_one(sql, &[]).await.unwrap().get(0);
        let sql = "insert into auth.users (id, email) values (gen_random_uuid(), $1) returning id";
        let csr = client.query_one(sql, &[&format!("{id}@example.com")]).await.unwrap().get(0);
        let sql = "insert into profiles (id, org_id, role) values ($1, $2, 'csr')";
        client.execute(sql, &[&csr, &id]).await.unwrap();
        Self { id, csr, target }
    }

    /// The same call from several sessions at once, each in its own transaction.
    async fn race(&self, arguments: impl Fn(usize) -> Value) -> Vec<Result<Value, Error>> {
        self.race_of(|session| ("crm_create_customer", arguments(session))).await
    }

    async fn race_of(
        &self,
        call: impl Fn(usize) -> (&'static str, Value),
    ) -> Vec<Result<Value, Error>> {
        let mut tasks = JoinSet::new();
        for session in 0..SESSIONS {
            let (target, csr, (rpc, arguments)) = (self.target, self.csr, call(session));
            tasks.spawn(async move {
                let mut context = Context::start(target).await;
                let outcome = context.call(As::User(csr), rpc, arguments).await;
                context.client.batch_execute("commit").await.unwrap();
                outcome
            });
        }
        tasks.join_all().await
    }

    async fn count(&self, sql: &str) -> i64 {
        connect(self.target).await.query_one(sql, &[&self.id]).await.unwrap().get(0)
    }

    async fn remove(self) {
        let client = connect(self.target).await;
        for sql in
            ["delete from customers where org_id = $1", "delete from crm_tags where org_id = $1"]
        {
            client.execute(sql, &[&self.id]).await.unwrap();
        }
        client.execute("delete from auth.users where id = $1", &[&self.csr]).await.unwrap();
        client.execute("delete from orgs where id = $1", &[&self.id]).await.unwrap();
    }
}

fn ids(outcomes: &[Result<Value, Error>]) -> HashSet<String> {
    outcomes.iter().flatten().map(|made| made["id"].to_string()).collect()
}

async fn one_key_from_many_sessions_makes_one_customer(target: Target) {
    let org = Org::make(target).await;
    let outcomes = org
        .race(|_| json!({"type": "company", "name": "Once", "email": "once@example.com", "idempotency_key": "once"}))
        .await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(ids(&outcomes).len(), 1);
    assert_eq!(org.count("select count(*) from customers where org_id = $1").await, 1);
    org.remove().await;
}

async fn one_external_ref_from_many_sessions_makes_one_customer(target: Target) {
    let org = Org::make(target).await;
    let outcomes = org
        .race(
            |_| json!({"type": "company", "name": "Once", "external_ref": "ERP-7", "tags": ["a"]}),
        )
        .await;
    let made = ids(&outcomes);
    assert_eq!(made.len(), 1);
    for error in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        assert_eq!(error.code, Code::DuplicateExternalRef);
        assert!(made.contains(&error.data["id"].to_string()), "{error:?}");
    }
    assert_eq!(org.count("select count(*) from crm_customer_tags where org_id = $1").await, 1);
    org.remove().await;
}

async fn new_tags_from_many_sessions_are_made_once_and_all_assigned(target: Target) {
    let org = Org::make(target).await;
    for round in 1..=ROUNDS {
        // In another order in each session: locks taken in that order would deadlock.
        let outcomes = org
            .race(|session| {
                let mut tags: Vec<_> = (0..10).map(|n| format!("Tag {round} {n}")).collect();
                tags.rotate_left(session);
                json!({"type": "company", "name": "Tagged", "tags": tags})
            })
            .await;
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
        assert!(outcomes.iter().flatten().all(|made| made["tags"].as_array().unwrap().len() == 10));
        assert_eq!(org.count("select count(*) from crm_tags where org_id = $1").await, 10 * round);
        let assigned = org.count("select count(*) from crm_customer_tags where org_id = $1").await;
        assert_eq!(assigned, 10 * round * i64::try_from(SESSIONS).unwrap());
    }
    org.remove().await;
}

async fn imports_of_one_file_and_creations_beside_them_make_nobody_twice(target: Target) {
    let org = Org::make(target).await;
    for round in 1..=ROUNDS {
        let tag = format!("Round {round}");
        let rows: Vec<Value> = (0..40)
            .flat_map(|n| {
                [
                    json!({"name": "R", "external_ref": format!("{round}-{n}"), "tags": tag}),
                    json!({"name": "E", "email": format!("{round}-{n}@race.example"), "tags": tag}),
                ]
            })
            .collect();
        let outcomes = org
            .race_of(|session| {
                if session % 2 == 0 {
                    return ("crm_import_customers", json!({"rows": rows}));
                }
                let external_ref = format!("{round}-{}", session * 4);
                let one = json!({"type": "company", "name": "R", "external_ref": external_ref, "tags": [tag]});
                ("crm_create_customer", one)
            })
            .await;
        for outcome in outcomes {
            match outcome {
                Ok(done) => assert_eq!(done["failed"].as_i64().unwrap_or(0), 0, "{done}"),
                Err(error) => assert_eq!(error.code, Code::DuplicateExternalRef, "{error:?}"),
            }
        }
        assert_eq!(org.count("select count(*) from customers where org_id = $1").await, 80 * round);
        let tagged = org.count("select count(*) from crm_customer_tags where org_id = $1").await;
        assert_eq!(tagged, 80 * round);
    }
    org.remove().await;
}

macro_rules! on_both {
    ($($name:ident)*) => {
        mod native { $(#[tokio::test] async fn $name() { super::$name(super::Target::Native).await; })* }
        mod extension { $(#[tokio::test] async fn $name() { super::$name(super::Target::Extension).await; })* }
    };
}

on_both! {
    one_key_from_many_sessions_makes_one_customer
    one_external_ref_from_many_sessions_makes_one_customer
    new_tags_from_many_sessions_are_made_once_and_all_assigned
    imports_of_one_file_and_creations_beside_them_make_nobody_twice
}
