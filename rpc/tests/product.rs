//! The limit of active products under real parallel sessions that commit, on both databases.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use common::{As, Context, Target, connect};
use tokio::task::JoinSet;
use uuid::Uuid;

const SESSIONS: usize = 8;
const ROUNDS: usize = 5;

/// An org of its own with a manager; removed at the end.
struct Org {
    id: Uuid,
    manager: Uuid,
    target: Target,
}

impl Org {
    async fn make(target: Target) -> Self {
        let client = connect(target).await;
        let sql = "insert into orgs (name) values ('Products') returning id";
        let id: Uuid = client.query_one(sql, &[]).await.unwrap().get(0);
        let sql = "insert into auth.users (id, email) values (gen_random_uuid(), $1) returning id";
        let manager = client.query_one(sql, &[&format!("{id}@example.com")]).await.unwrap().get(0);
        let sql = "insert into profiles (id, org_id, role) values ($1, $2, 'manager')";
        client.execute(sql, &[&manager, &id]).await.unwrap();
        Self { id, manager, target }
    }

    /// The statements at once, each in a session and a transaction of its own: how many were done.
    /// Every other one must be refused by the limit.
    async fn race(&self, statements: Vec<String>) -> usize {
        let mut sessions = Vec::new();
        for sql in statements {
            let context = Context::start(self.target).await;
            context.enter(As::User(self.manager), "authenticated").await;
            sessions.push((context, sql));
        }
        let mut tasks = JoinSet::new();
        for (context, sql) in sessions {
            tasks.spawn(async move {
                let outcome = context.client.execute(&sql, &[]).await;
                let end = if outcome.is_ok() { "commit" } else { "rollback" };
                context.client.batch_execute(end).await.unwrap();
                outcome
            });
        }
        let mut done = 0;
        for outcome in tasks.join_all().await {
            match outcome {
                Ok(rows) => {
                    assert_eq!(rows, 1);
                    done += 1;
                }
                Err(error) => {
                    let error = error.as_db_error().unwrap();
                    assert_eq!(error.code().code(), "PT422", "{error:?}");
                    assert_eq!(error.detail(), Some(r#"{"code":"product_limit"}"#));
                }
            }
        }
        done
    }

    async fn run(&self, sql: &str) {
        connect(self.target).await.execute(sql, &[&self.id]).await.unwrap();
    }

    async fn active(&self) -> i64 {
        let sql = "select count(*) from products where org_id = $1 and is_active";
        connect(self.target).await.query_one(sql, &[&self.id]).await.unwrap().get(0)
    }

    async fn remove(self) {
        self.run("delete from products where org_id = $1").await;
        let client = connect(self.target).await;
        client.execute("delete from auth.users where id = $1", &[&self.manager]).await.unwrap();
        self.run("delete from orgs where id = $1").await;
    }
}

async fn of_many_sessions_that_add_an_active_product_three_succeed(target: Target) {
    let org = Org::make(target).await;
    for round in 0..ROUNDS {
        let inserts = (0..SESSIONS)
            .map(|session| format!("insert into products (name) values ('{round} {session}')"));
        assert_eq!(org.race(inserts.collect()).await, 3);
        assert_eq!(org.active().await, 3);
        org.run("delete from products where org_id = $1").await;
    }
    org.remove().await;
}

async fn of_two_sessions_that_activate_the_third_product_one_succeeds(target: Target) {
    let org = Org::make(target).await;
    for _ in 0..ROUNDS {
        org.run(
            "insert into products (org_id, name, is_active)
             values ($1, 'a', true), ($1, 'b', true), ($1, 'c', false), ($1, 'd', false)",
        )
        .await;
        let activate =
            |name: &str| format!("update products set is_active = true where name = '{name}'");
        assert_eq!(org.race(vec![activate("c"), activate("d")]).await, 1);
        assert_eq!(org.active().await, 3);
        org.run("delete from products where org_id = $1").await;
    }
    org.remove().await;
}

async fn orgs_do_not_wait_for_each_other(target: Target) {
    let (one, other) = (Org::make(target).await, Org::make(target).await);
    let open = Context::start(target).await;
    open.enter(As::User(one.manager), "authenticated").await;
    open.client.batch_execute("insert into products (name) values ('open')").await.unwrap();
    assert_eq!(other.race(vec!["insert into products (name) values ('a')".to_owned()]).await, 1);
    open.client.batch_execute("rollback").await.unwrap();
    one.remove().await;
    other.remove().await;
}

macro_rules! on_both {
    ($($name:ident)*) => {
        mod native { $(#[tokio::test] async fn $name() { super::$name(super::Target::Native).await; })* }
        mod extension { $(#[tokio::test] async fn $name() { super::$name(super::Target::Extension).await; })* }
    };
}

on_both! {
    of_many_sessions_that_add_an_active_product_three_succeed
    of_two_sessions_that_activate_the_third_product_one_succeeds
    orgs_do_not_wait_for_each_other
}
