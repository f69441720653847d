//! The keys of follow-ups under real parallel sessions that commit, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use common::{As, Context, Target, connect, rounds};
use serde_json::json;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use uuid::Uuid;

const SESSIONS: usize = 16;
/// How many keys each session asks for in a row, and how often in all.
const KEYS: usize = 25;
const ROUNDS: usize = 3;

/// An org of its own with two members; removed at the end.
struct Org {
    id: Uuid,
    users: [Uuid; 2],
    customer: Uuid,
    target: Target,
}

impl Org {
    async fn make(target: Target) -> Self {
        let client = connect(target).await;
        let sql = "insert into orgs (name) values ('Followups') returning id, gen_random_uuid(), gen_random_uuid(), gen_random_uuid()";
        let made = client.query_one(sql, &[]).await.unwrap();
        let org = Self {
            id: made.get(0),
            users: [made.get(1), made.get(2)],
            customer: made.get(3),
            target,
        };
        for user in org.users {
            let sql = "insert into auth.users (id, email) values ($1, $2)";
            client.execute(sql, &[&user, &format!("{user}@example.com")]).await.unwrap();
            let sql = "insert into profiles (id, org_id, role) values ($1, $2, 'csr')";
            client.execute(sql, &[&user, &org.id]).await.unwrap();
        }
        let sql =
            "insert into customers (id, org_id, type, name) values ($1, $2, 'company', 'Raced')";
        client.execute(sql, &[&org.customer, &org.id]).await.unwrap();
        org
    }

    async fn remove(self) {
        let client = connect(self.target).await;
        client.execute("delete from customers where org_id = $1", &[&self.id]).await.unwrap();
        for user in self.users {
            client.execute("delete from auth.users where id = $1", &[&user]).await.unwrap();
        }
        client.execute("delete from orgs where id = $1", &[&self.id]).await.unwrap();
    }
}

/// Sixteen sessions of two members ask for the same keys in a loop, each call a transaction of its own that
/// commits or, now and then, is taken back.
async fn sessions_that_race_on_keys_get_one_follow_up_each(target: Target) {
    for round in 0..rounds(ROUNDS) {
        let org = Org::make(target).await;
        let start = Arc::new(Barrier::new(SESSIONS));
        let mut tasks = JoinSet::new();
        for session in 0..SESSIONS {
            let (start, caller, customer) =
                (start.clone(), As::User(org.users[session % 2]), org.customer);
            tasks.spawn(async move {
                let mut context = Context::start(target).await;
                context.enter(caller, "authenticated").await;
                start.wait().await;
                let mut seen = Vec::new();
                for n in 0..KEYS {
                    let arguments = json!({
                        "customer_id": customer, "title": format!("By {session}"), "due_at": "2027-03-01T09:00:00Z",
                        "dedupe_key": format!("race:{n}"),
                    });
                    let outcome = context.call(caller, "crm_ensure_followup", arguments).await;
                    let taken_back = (session + n + round) % 5 == 0;
                    let end = if taken_back { "rollback" } else { "commit" };
                    context.client.batch_execute(&format!("{end}; begin")).await.unwrap();
                    let outcome = outcome.unwrap();
                    if !taken_back || outcome["created"] == false {
                        seen.push((n, outcome));
                    }
                }
                seen
            });
        }
        let mut ids: HashMap<usize, HashSet<String>> = HashMap::new();
        let mut created = [0; KEYS];
        while let Some(seen) = tasks.join_next().await {
            for (n, outcome) in seen.unwrap() {
                ids.entry(n).or_default().insert(outcome["id"].to_string());
                created[n] += usize::from(outcome["created"] == true);
            }
        }
        for n in 0..KEYS {
            assert_eq!(ids[&n].len(), 1, "the sessions got different follow-ups of key {n}");
            assert_eq!(created[n], 1, "of key {n}, one session made the follow-up");
        }
        let sql =
            "select count(*), count(distinct dedupe_key) from crm_followups where org_id = $1";
        let left = connect(target).await.query_one(sql, &[&org.id]).await.unwrap();
        assert_eq!((left.get::<_, i64>(0), left.get::<_, i64>(1)), (25, 25));
        org.remove().await;
    }
}

async fn who_waited_for_a_session_that_took_it_back_makes_it(target: Target) {
    let org = Org::make(target).await;
    let caller = As::User(org.users[0]);
    let arguments = json!({
        "customer_id": org.customer, "title": "Gone", "due_at": "2027-03-01T09:00:00Z", "dedupe_key": "gone",
    });
    let mut first = Context::start(target).await;
    let made = first.call(caller, "crm_ensure_followup", arguments.clone()).await.unwrap();
    let mut second = Context::start(target).await;
    let pid: i32 = second.client.query_one("select pg_backend_pid()", &[]).await.unwrap().get(0);
    let waiting = tokio::spawn(async move {
        let made = second.call(caller, "crm_ensure_followup", arguments).await.unwrap();
        second.client.batch_execute("commit").await.unwrap();
        made
    });
    let watch = connect(target).await;
    let sql = "select exists (select from pg_locks where pid = $1 and not granted)";
    while !watch.query_one(sql, &[&pid]).await.unwrap().get::<_, bool>(0) {
        tokio::task::yield_now().await;
    }
    first.client.batch_execute("rollback").await.unwrap();
    let second = waiting.await.unwrap();
    assert_eq!(second["created"], true);
    assert_ne!(second["id"], made["id"]);
    org.remove().await;
}

/// Workers that remind at once, some of which are killed before they commit: each follow-up is told once.
async fn workers_that_remind_at_once_tell_everything_once(target: Target) {
    let org = Org::make(target).await;
    let client = connect(target).await;
    let sql = "insert into crm_followups (org_id, customer_id, assigned_to_user_id, title, due_at, remind_at)
      select $1, $2, $3, 'R' || n, now() - make_interval(mins => n), now() - make_interval(mins => n)
      from generate_series(1, 200) n";
    client.execute(sql, &[&org.id, &org.customer, &org.users[0]]).await.unwrap();
    let sql = "update profiles set email = id || '@example.com' where id = $1";
    client.execute(sql, &[&org.users[0]]).await.unwrap();
    let left = "select count(*) from crm_followups where org_id = $1 and (reminded_at is null or overdue_notified_at is null)";
    let mut tasks = JoinSet::new();
    for session in 0..8 {
        let org_id = org.id;
        tasks.spawn(async move {
            let mut context = Context::start(target).await;
            for turn in 0.. {
                let batch = json!({"batch_limit": 15});
                let done = context.call(As::Dba(org_id), "crm_remind_followups", batch).await;
                let killed = (session + turn) % 3 == 0;
                let end = if killed { "rollback" } else { "commit" };
                context.client.batch_execute(&format!("{end}; begin")).await.unwrap();
                assert!(done.is_ok(), "{done:?}");
                let rest: i64 = context.client.query_one(left, &[&org_id]).await.unwrap().get(0);
                if rest == 0 {
                    break;
                }
            }
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    let sql = "select (select count(*) from crm_notifications where org_id = $1),
      (select count(*) from crm_outbox where org_id = $1),
      (select count(*) from crm_events where org_id = $1 and event_type = 'followup_overdue'),
      (select count(*) from crm_followups where org_id = $1 and reminded_at is not null and overdue_notified_at is not null)";
    let row = client.query_one(sql, &[&org.id]).await.unwrap();
    let found: [i64; 4] = std::array::from_fn(|column| row.get(column));
    assert_eq!(found, [400, 200, 200, 200]);
    org.remove().await;
}

/// Sixteen sessions ask what to come back for, each call a transaction of its own that commits or, now and then, is taken back.
async fn sessions_that_suggest_at_once_make_each_follow_up_once(target: Target) {
    const FACTS: i64 = 4;
    for round in 0..rounds(ROUNDS) {
        let org = Org::make(target).await;
        let client = connect(target).await;
        for sql in [
            "insert into invoices (org_id, customer_id, number, status, total, issued_at, due_at)
             select $1, $2, 'R-' || n, 'sent', 200, now() - interval '50 days', now() - interval '40 days' from generate_series(1, 2) n",
            "insert into quotes (org_id, customer_id, number, status, total, sent_at)
             select $1, $2, 'Q-' || n, 'sent', 950, now() - interval '10 days' from generate_series(1, 2) n",
        ] {
            client.execute(sql, &[&org.id, &org.customer]).await.unwrap();
        }
        let start = Arc::new(Barrier::new(SESSIONS));
        let mut tasks = JoinSet::new();
        for session in 0..SESSIONS {
            let (start, caller, customer) =
                (start.clone(), As::User(org.users[session % 2]), org.customer);
            tasks.spawn(async move {
                let mut context = Context::start(target).await;
                context.enter(caller, "authenticated").await;
                start.wait().await;
                let mut created = 0;
                for turn in 0..3 {
                    let arguments = json!({"customer_id": customer});
                    let outcome = context.call(caller, "crm_suggest_followups", arguments).await;
                    // Not the last, or nobody may have made them.
                    let taken_back = turn < 2 && (session + turn + round) % 3 == 0;
                    let end = if taken_back { "rollback" } else { "commit" };
                    context.client.batch_execute(&format!("{end}; begin")).await.unwrap();
                    let outcome = outcome.unwrap();
                    let found = outcome["suggestions"].as_array().unwrap();
                    assert_eq!(found.len(), 4, "who made none finds those of others");
                    if !taken_back {
                        created += found.iter().filter(|one| one["created"] == true).count();
                    }
                }
                created
            });
        }
        let mut created = 0;
        while let Some(made) = tasks.join_next().await {
            created += made.unwrap();
        }
        let sql = "select count(*), count(distinct dedupe_key) from crm_followups where org_id = $1 and origin = 'ai_recommendation'";
        let left = client.query_one(sql, &[&org.id]).await.unwrap();
        assert_eq!((left.get::<_, i64>(0), left.get::<_, i64>(1)), (FACTS, FACTS));
        assert_eq!(created, 4, "one session is told of each that it made it");
        org.remove().await;
    }
}

macro_rules! races {
    ($($name:ident)*) => {
        mod native { $(#[tokio::test] async fn $name() { super::$name(super::Target::Native).await; })* }
        mod extension { $(#[tokio::test] async fn $name() { super::$name(super::Target::Extension).await; })* }
    };
}
races! {
    sessions_that_race_on_keys_get_one_follow_up_each
    who_waited_for_a_session_that_took_it_back_makes_it
    workers_that_remind_at_once_tell_everything_once
    sessions_that_suggest_at_once_make_each_follow_up_once
}
