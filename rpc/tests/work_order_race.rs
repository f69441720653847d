//! Work orders under real parallel sessions that commit, on both databases.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use common::{As, Context, Target, connect, rounds};
use fieldcrm_core::Code;
use serde_json::json;
use tokio::task::JoinSet;
use uuid::Uuid;

const SESSIONS: usize = 8;
/// Races in a row, unless `RACE_ROUNDS` says otherwise: without the order that keeps them apart, most deadlock.
const ROUNDS: usize = 8;

/// An org of its own with a csr, a technician and a customer; removed at the end.
struct Org {
    id: Uuid,
    csr: Uuid,
    technician: Uuid,
    customer: Uuid,
    target: Target,
}

impl Org {
    async fn make(target: Target) -> Self {
        let client = connect(target).await;
        let row = client
            .query_one(
                "with o as (insert into orgs (name) values ('Visits') returning id)
                 select id, gen_random_uuid(), gen_random_uuid(), gen_random_uuid() from o",
                &[],
            )
            .await
            .unwrap();
        let org = Self {
            id: row.get(0),
            csr: row.get(1),
            technician: row.get(2),
            customer: row.get(3),
            target,
        };
        for (user, role) in [(org.csr, "csr"), (org.technician, "technician")] {
            let email = format!("{user}@example.com");
            let sql = "insert into auth.users (id, email) values ($1, $2)";
            client.execute(sql, &[&user, &email]).await.unwrap();
            let sql = "insert into profiles (id, org_id, role) values ($1, $2, $3)";
            client.execute(sql, &[&user, &org.id, &role]).await.unwrap();
        }
        let sql =
            "insert into customers (id, org_id, type, name) values ($1, $2, 'company', 'Raced')";
        client.execute(sql, &[&org.customer, &org.id]).await.unwrap();
        org
    }

    fn insert(&self, from: &str, to: &str) -> String {
        format!(
            "insert into work_orders (customer_id, technician_id, title, window_start, window_end)
             values ('{}', '{}', 'Raced', '{from}', '{to}')",
            self.customer, self.technician
        )
    }

    async fn sessions(&self) -> Vec<Context> {
        let mut sessions = Vec::new();
        for _ in 0..SESSIONS {
            sessions.push(Context::start(self.target).await);
        }
        sessions
    }

    /// A statement for each session, all at once, each in a transaction of its own: the SQLSTATEs
    /// of those that failed.
    async fn race(
        &self,
        sessions: &mut Vec<Context>,
        statement: impl Fn(usize) -> String,
    ) -> Vec<String> {
        for context in &*sessions {
            context.enter(As::User(self.csr), "authenticated").await;
        }
        let mut tasks = JoinSet::new();
        for (number, context) in sessions.drain(..).enumerate() {
            let sql = statement(number);
            tasks.spawn(async move {
                let outcome = context.client.execute(&sql, &[]).await;
                let end = if outcome.is_ok() { "commit" } else { "rollback" };
                context.client.batch_execute(&format!("{end}; begin")).await.unwrap();
                (context, outcome.err().map(|error| error.code().unwrap().code().to_owned()))
            });
        }
        let mut failed = Vec::new();
        for (context, state) in tasks.join_all().await {
            sessions.push(context);
            failed.extend(state);
        }
        failed
    }

    async fn run(&self, sql: &str) {
        connect(self.target).await.execute(sql, &[&self.id]).await.unwrap();
    }

    async fn remove(self) {
        self.run("delete from customers where org_id = $1").await;
        let client = connect(self.target).await;
        let users = vec![self.csr, self.technician];
        client.execute("delete from auth.users where id = any($1)", &[&users]).await.unwrap();
        self.run("delete from orgs where id = $1").await;
    }
}

/// 23P01, never a deadlock, which is what two sessions get that wait for each other's row.
async fn of_many_sessions_that_book_one_technician_at_one_time_one_succeeds(target: Target) {
    let org = Org::make(target).await;
    let mut sessions = org.sessions().await;
    for _ in 0..rounds(ROUNDS) {
        let insert = |session| {
            org.insert(
                &format!("2040-01-01 08:{session:02}Z"),
                &format!("2040-01-01 10:{session:02}Z"),
            )
        };
        assert_eq!(org.race(&mut sessions, insert).await, vec!["23P01"; SESSIONS - 1]);
        org.run("delete from work_orders where org_id = $1").await;
    }
    org.remove().await;
}

async fn visits_that_move_to_one_time_at_once_do_not_overlap(target: Target) {
    let org = Org::make(target).await;
    let mut sessions = org.sessions().await;
    for _ in 0..rounds(ROUNDS) {
        let day = |session| format!("2041-01-{:02}", session + 1);
        let insert = |session| {
            org.insert(&format!("{} 08:00Z", day(session)), &format!("{} 09:00Z", day(session)))
        };
        assert_eq!(org.race(&mut sessions, insert).await, [""; 0]);
        let update = |session| {
            format!(
                "update work_orders set window_start = '2042-01-01 08:00Z', window_end = '2042-01-01 09:00Z'
                 where window_start = '{} 08:00Z'",
                day(session)
            )
        };
        assert_eq!(org.race(&mut sessions, update).await, vec!["23P01"; SESSIONS - 1]);
        org.run("delete from work_orders where org_id = $1").await;
    }
    org.remove().await;
}

/// The second waits for the first, and then sees the state the first has left.
async fn two_changes_of_one_status_take_turns(target: Target) {
    let org = Org::make(target).await;
    let client = connect(target).await;
    for (first_status, second_status, expected) in [
        ("canceled", "completed", Err(Code::WrongState)),
        ("completed", "completed", Ok(())),
        ("on_site", "en_route", Err(Code::WrongState)),
        ("en_route", "on_site", Ok(())),
    ] {
        let sql = "insert into work_orders (org_id, customer_id, technician_id, title) values ($1, $2, $3, 'Raced') returning id";
        let id: Uuid =
            client.query_one(sql, &[&org.id, &org.customer, &org.technician]).await.unwrap().get(0);
        let mut first = Context::start(target).await;
        let mut second = Context::start(target).await;
        let arguments = |status: &str| json!({"id": id, "status": status});
        let name = "crm_set_work_order_status";
        first.call(As::User(org.csr), name, arguments(first_status)).await.unwrap();
        let (technician, arguments) = (As::User(org.technician), arguments(second_status));
        let pid: i32 =
            second.client.query_one("select pg_backend_pid()", &[]).await.unwrap().get(0);
        let waiting = tokio::spawn(async move {
            let outcome = second.call(technician, name, arguments).await;
            second.client.batch_execute("commit").await.unwrap();
            outcome
        });
        // The second is seen waiting for the first one's lock before the first commits.
        let sql = "select cardinality(pg_blocking_pids($1)) > 0";
        while !client.query_one(sql, &[&pid]).await.unwrap().get::<_, bool>(0) {
            tokio::task::yield_now().await;
        }
        first.client.batch_execute("commit").await.unwrap();
        let outcome = waiting.await.unwrap();
        assert_eq!(
            outcome.map(|_| ()).map_err(|error| error.code),
            expected,
            "{first_status}, then {second_status}"
        );
        org.run("delete from work_orders where org_id = $1").await;
    }
    org.remove().await;
}

/// Whoever reassigns a visit decides: a technician who waited for that does not move it any more.
async fn a_technician_who_loses_the_visit_while_waiting_finds_none(target: Target) {
    let org = Org::make(target).await;
    let client = connect(target).await;
    let sql = "insert into work_orders (org_id, customer_id, technician_id, title) values ($1, $2, $3, 'Raced') returning id";
    let id: Uuid =
        client.query_one(sql, &[&org.id, &org.customer, &org.technician]).await.unwrap().get(0);
    let first = Context::start(target).await;
    let sql = "update work_orders set technician_id = null where id = $1";
    first.client.execute(sql, &[&id]).await.unwrap();
    let mut second = Context::start(target).await;
    let pid: i32 = second.client.query_one("select pg_backend_pid()", &[]).await.unwrap().get(0);
    let technician = As::User(org.technician);
    let waiting = tokio::spawn(async move {
        let arguments = json!({"id": id, "status": "en_route"});
        second.call(technician, "crm_set_work_order_status", arguments).await
    });
    let sql = "select cardinality(pg_blocking_pids($1)) > 0";
    while !client.query_one(sql, &[&pid]).await.unwrap().get::<_, bool>(0) {
        tokio::task::yield_now().await;
    }
    first.client.batch_execute("commit").await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap_err().code, Code::NotFound);
    org.remove().await;
}

macro_rules! on_both {
    ($($name:ident)*) => {
        mod native { $(#[tokio::test] async fn $name() { super::$name(super::Target::Native).await; })* }
        mod extension { $(#[tokio::test] async fn $name() { super::$name(super::Target::Extension).await; })* }
    };
}

on_both! {
    of_many_sessions_that_book_one_technician_at_one_time_one_succeeds
    visits_that_move_to_one_time_at_once_do_not_overlap
    two_changes_of_one_status_take_turns
    a_technician_who_loses_the_visit_while_waiting_finds_none
}
