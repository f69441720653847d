//! Real parallel sessions that commit, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use std::collections::HashSet;
use std::sync::Arc;

use common::{As, Context, Target, connect, rounds};
use fieldcrm_core::{Code, Error};
use serde_json::{Value, json};
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use uuid::Uuid;

const SESSIONS: usize = 8;
/// So many that sessions that make them at once meet.
const TAGS: usize = 48;
/// Races in a row, unless `RACE_ROUNDS` says otherwise.
const ROUNDS: usize = 2;

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

    async fn race(&self, arguments: impl Fn(usize) -> Value) -> Vec<Result<Value, Error>> {
        self.race_to("crm_create_customer", arguments).await
    }

    async fn race_to(
        &self,
        name: &'static str,
        arguments: impl Fn(usize) -> Value,
    ) -> Vec<Result<Value, Error>> {
        self.race_of(|session| (name, arguments(session))).await
    }

    async fn race_of(
        &self,
        call: impl Fn(usize) -> (&'static str, Value),
    ) -> Vec<Result<Value, Error>> {
        let mut tasks = JoinSet::new();
        let start = Arc::new(Barrier::new(SESSIONS));
        for session in 0..SESSIONS {
            let (target, csr, (rpc, arguments)) = (self.target, self.csr, call(session));
            let start = start.clone();
            tasks.spawn(async move {
                let mut context = Context::start(target).await;
                // What a session does first is slow, and no two would meet.
                context.enter(As::User(csr), "authenticated").await;
                start.wait().await;
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

async fn one_key_left_without_a_result_makes_one_customer(target: Target) {
    let org = Org::make(target).await;
    let sql = "insert into fieldcrm.idempotency_keys (org_id, user_id, key, operation, fingerprint)
        values ($1, $2, 'left', 'crm_create_customer', '')";
    connect(target).await.execute(sql, &[&org.id, &org.csr]).await.unwrap();
    let outcomes =
        org.race(|_| json!({"type": "company", "name": "Once", "idempotency_key": "left"})).await;
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

async fn one_external_ref_for_many_customers_is_a_conflict_for_all_but_one(target: Target) {
    let org = Org::make(target).await;
    let made = org.race(|_| json!({"type": "company", "name": "x"})).await;
    let made: Vec<Value> = made.into_iter().map(Result::unwrap).collect();
    let outcomes = org
        .race_to(
            "crm_update_customer",
            |session| json!({"id": made[session]["id"], "patch": {"external_ref": "ERP-8"}}),
        )
        .await;
    assert_eq!(ids(&outcomes).len(), 1, "{outcomes:?}");
    for error in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        assert_eq!(error.code.status(), 409, "{error:?}");
    }
    org.remove().await;
}

async fn new_tags_from_many_sessions_are_made_once_and_all_assigned(target: Target) {
    let org = Org::make(target).await;
    let tags = i64::try_from(TAGS).unwrap();
    for round in 1..=i64::try_from(rounds(ROUNDS)).unwrap() {
        // In another order in each session: locks taken in that order would deadlock.
        let outcomes = org
            .race(|session| {
                let mut tags: Vec<_> = (0..TAGS).map(|n| format!("Tag {round} {n}")).collect();
                tags.rotate_left(session * TAGS / SESSIONS);
                json!({"type": "company", "name": "Tagged", "tags": tags})
            })
            .await;
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
        assert!(
            outcomes.iter().flatten().all(|made| made["tags"].as_array().unwrap().len() == TAGS)
        );
        assert_eq!(
            org.count("select count(*) from crm_tags where org_id = $1").await,
            tags * round
        );
        let assigned = org.count("select count(*) from crm_customer_tags where org_id = $1").await;
        assert_eq!(assigned, tags * round * i64::try_from(SESSIONS).unwrap());
    }
    org.remove().await;
}

/// A customer that is there when the race begins.
async fn customer(org: &Org) -> Value {
    let mut context = Context::start(org.target).await;
    let input = json!({"type": "company", "name": "Followed"});
    let made = context.call(As::User(org.csr), "crm_create_customer", input).await.unwrap();
    context.client.batch_execute("commit").await.unwrap();
    made
}

async fn one_dedupe_key_from_many_sessions_makes_one_follow_up(target: Target) {
    let org = Org::make(target).await;
    let customer = customer(&org).await;
    for round in 1..=i64::try_from(rounds(ROUNDS)).unwrap() {
        let outcomes = org
            .race_to("crm_create_followup", |session| {
                json!({"customer_id": customer["id"], "title": format!("By {session}"), "due_at": "2027-01-05T15:00:00Z",
                    "dedupe_key": format!("renewal-{round}")})
            })
            .await;
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
        assert_eq!(ids(&outcomes).len(), 1);
        let created = outcomes.iter().flatten().filter(|made| made["created"] == true).count();
        assert_eq!(created, 1);
        let sql = "select count(*) from crm_followups where org_id = $1";
        assert_eq!(org.count(sql).await, round);
    }
    org.remove().await;
}

/// The second session starts before the first one commits, and waits for it.
async fn of_two_sessions_that_close_a_follow_up_the_second_sees_what_the_first_did(target: Target) {
    let org = Org::make(target).await;
    let customer = customer(&org).await;
    for (second, expected) in [("completed", None), ("canceled", Some(Code::WrongState))] {
        let mut first = Context::start(target).await;
        let input = json!({"customer_id": customer["id"], "title": "Call", "due_at": "2027-01-05T15:00:00Z"});
        let made = first.call(As::User(org.csr), "crm_create_followup", input).await.unwrap();
        first.client.batch_execute("commit; begin").await.unwrap();
        let patch = |status: &str| json!({"id": made["id"], "patch": {"status": status}});
        let done = first.call(As::User(org.csr), "crm_update_followup", patch("completed")).await;
        let mut other = Context::start(target).await;
        let pid: i32 = other.client.query_one("select pg_backend_pid()", &[]).await.unwrap().get(0);
        let (csr, arguments) = (org.csr, patch(second));
        let waiting = tokio::spawn(async move {
            let outcome = other.call(As::User(csr), "crm_update_followup", arguments).await;
            other.client.batch_execute("commit").await.unwrap();
            outcome
        });
        let observer = connect(target).await;
        let blocked = "select cardinality(pg_blocking_pids($1)) > 0";
        while !observer.query_one(blocked, &[&pid]).await.unwrap().get::<_, bool>(0) {
            assert!(!waiting.is_finished(), "the second session did not wait");
            tokio::task::yield_now().await;
        }
        first.client.batch_execute("commit").await.unwrap();
        let outcome = waiting.await.unwrap();
        assert_eq!(outcome.as_ref().err().map(|error| error.code), expected);
        if let Ok(again) = outcome {
            assert_eq!(again["completed_at"], done.unwrap()["completed_at"]);
        }
    }
    let sql = "select count(*) from audit_log where org_id = $1 and table_name = 'crm_followups' and action = 'update'";
    assert_eq!(org.count(sql).await, 2, "each was changed once");
    org.remove().await;
}

async fn expiring_leaves_what_another_session_holds_to_the_next_call(target: Target) {
    let org = Org::make(target).await;
    let customer = customer(&org).await;
    let mut holder = Context::start(target).await;
    for due_at in ["2001-01-01T00:00:00Z", "2002-01-01T00:00:00Z"] {
        let input = json!({"customer_id": customer["id"], "title": "Call", "due_at": due_at});
        holder.call(As::User(org.csr), "crm_create_followup", input).await.unwrap();
    }
    holder.client.batch_execute("commit; begin").await.unwrap();
    let hold = "select from crm_followups where org_id = $1 order by due_at limit 1 for update";
    holder.client.execute(hold, &[&org.id]).await.unwrap();
    let mut job = Context::start(target).await;
    job.client.batch_execute("set statement_timeout = '10s'").await.unwrap();
    for expired in [1, 0] {
        let done = job.call(As::Dba(org.id), "crm_expire_followups", json!({})).await.unwrap();
        assert_eq!(done, json!({"expired": expired}));
    }
    holder.client.batch_execute("rollback").await.unwrap();
    let done = job.call(As::Dba(org.id), "crm_expire_followups", json!({})).await.unwrap();
    assert_eq!(done, json!({"expired": 1}));
    job.client.batch_execute("commit").await.unwrap();
    org.remove().await;
}

async fn opposite_merges_leave_one_survivor(target: Target) {
    let org = Org::make(target).await;
    let made = org.race(|n| json!({"type": "company", "name": format!("Twin {n}"), "email": "twin@example.com"})).await;
    let twins: Vec<_> = made.iter().flatten().map(|made| made["id"].clone()).take(2).collect();
    let outcomes = org
        .race_to(
            "crm_merge_customers",
            |n| json!({"id": twins[n % 2], "duplicate_id": twins[(n + 1) % 2]}),
        )
        .await;
    assert_eq!(ids(&outcomes).len(), 1, "{outcomes:?}");
    for error in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        assert_eq!(error.code, Code::WrongState, "{error:?}");
    }
    let merged = "select count(*) from customers where org_id = $1 and merged_into_id is not null and is_archived";
    assert_eq!(org.count(merged).await, 1);
    org.remove().await;
}

async fn imports_of_one_file_and_creations_beside_them_make_nobody_twice(target: Target) {
    let org = Org::make(target).await;
    for round in 1..=i64::try_from(rounds(ROUNDS)).unwrap() {
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
    one_key_left_without_a_result_makes_one_customer
    one_external_ref_from_many_sessions_makes_one_customer
    one_external_ref_for_many_customers_is_a_conflict_for_all_but_one
    new_tags_from_many_sessions_are_made_once_and_all_assigned
    one_dedupe_key_from_many_sessions_makes_one_follow_up
    of_two_sessions_that_close_a_follow_up_the_second_sees_what_the_first_did
    expiring_leaves_what_another_session_holds_to_the_next_call
    opposite_merges_leave_one_survivor
    imports_of_one_file_and_creations_beside_them_make_nobody_twice
}
