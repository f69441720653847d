//! The figures of customers under load: real sessions that write at once, against the figures
//! computed from scratch.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::{Target, connect, rounds};
use serde_json::json;
use tokio::task::JoinSet;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Statement};
use uuid::Uuid;

const SESSIONS: usize = 8;
const CUSTOMERS: usize = 24;
/// So many of the customers are deleted while others write to them.
const DOOMED: usize = 4;
/// How many interactions are logged in a round: enough that customers are deleted amid them.
const INTERACTIONS: usize = 600;
/// A wrong figure lasts until the next one is computed: only what came last shows, so it often comes last.
/// `RACE_ROUNDS` may say otherwise.
const ROUNDS: usize = 3;

/// An org of its own with a csr and customers; removed at the end.
#[derive(Clone)]
struct Org {
    id: Uuid,
    csr: Uuid,
    customers: Arc<Vec<Uuid>>,
    target: Target,
    /// Told when the interactions are logged.
    done: Arc<AtomicBool>,
}

impl Org {
    async fn make(target: Target) -> Self {
        let client = connect(target).await;
        let sql = "insert into orgs (name) values ('Metrics') returning id";
        let id: Uuid = client.query_one(sql, &[]).await.unwrap().get(0);
        let sql = "insert into auth.users (id, email) values (gen_random_uuid(), $1) returning id";
        let csr = client.query_one(sql, &[&format!("{id}@example.com")]).await.unwrap().get(0);
        let sql = "insert into profiles (id, org_id, role) values ($1, $2, 'csr')";
        client.execute(sql, &[&csr, &id]).await.unwrap();
        let sql = "insert into customers (org_id, type, name)
            select $1, 'company', 'Customer ' || n from generate_series(1, $2::bigint) n returning id";
        let made = client.query(sql, &[&id, &i64::try_from(CUSTOMERS).unwrap()]).await.unwrap();
        let customers = Arc::new(made.iter().map(|row| row.get(0)).collect());
        Self { id, csr, customers, target, done: Arc::default() }
    }

    fn customer(&self, step: usize) -> Uuid {
        self.customers[step % CUSTOMERS]
    }

    fn is_doomed(&self, customer: Uuid) -> bool {
        self.customers.iter().take(DOOMED).any(|doomed| *doomed == customer)
    }

    fn is_done(&self) -> bool {
        self.done.load(Ordering::Relaxed)
    }

    async fn remove(self) {
        let client = connect(self.target).await;
        client.execute("delete from customers where org_id = $1", &[&self.id]).await.unwrap();
        client.execute("delete from auth.users where id = $1", &[&self.csr]).await.unwrap();
        client.execute("delete from orgs where id = $1", &[&self.id]).await.unwrap();
    }
}

/// A session that stays who it is, each statement a transaction of its own.
async fn session(org: &Org, role: &str) -> Client {
    let client = connect(org.target).await;
    let claims = match role {
        "authenticated" => json!({"sub": org.csr, "role": role}),
        _ => json!({"role": role}),
    };
    let sql = "select set_config('request.jwt.claims', $1, false), set_config('role', $2, false)";
    client.query_one(sql, &[&claims.to_string(), &role]).await.unwrap();
    client
}

/// A customer may be gone meanwhile; anything else fails the test.
fn customer_or_nothing(outcome: Result<u64, Error>) -> u64 {
    match outcome {
        Ok(rows) => rows,
        Err(error)
            if error.code().is_some_and(|code| {
                [SqlState::FOREIGN_KEY_VIOLATION, SqlState::RESTRICT_VIOLATION].contains(code)
            }) =>
        {
            0
        }
        Err(error) => panic!("{error:?}"),
    }
}

async fn log(org: Org, from: usize, count: usize) {
    let client = session(&org, "authenticated").await;
    let one = client
        .prepare(
            "insert into crm_interactions (customer_id, channel, subject, occurred_at)
             values ($1, 'note', $2::int::text, timestamptz '2026-01-01' + make_interval(mins => $3))",
        )
        .await
        .unwrap();
    // Several customers in one statement, in another order in each session.
    let several = client
        .prepare(
            "insert into crm_interactions (customer_id, channel)
             select c, 'phone' from unnest($1::uuid[]) c",
        )
        .await
        .unwrap();
    let mut step = from;
    let mut logged = 0;
    while logged < count {
        step += 1;
        if step.is_multiple_of(7) {
            let customers: Vec<Uuid> = (0..5).map(|n| org.customer(step * (n + 1))).collect();
            customer_or_nothing(client.execute(&several, &[&customers]).await);
            logged += customers.len();
        } else {
            let sentiment = i32::try_from(1 + step % 4).unwrap();
            let minutes = i32::try_from(step * 37 % 1000).unwrap();
            let row: [&(dyn ToSql + Sync); 3] = [&org.customer(step), &sentiment, &minutes];
            customer_or_nothing(client.execute(&one, &row).await);
            logged += 1;
        }
    }
}

/// A change of a customer's job or invoice locks the row and then, for its event, the customer; deleting the customer locks them the
/// other way round. `PostgreSQL` ends one of the two, which callers learn as `unavailable` and may try again, as here. Only
/// between those two: no other statement may meet a deadlock.
async fn again_after_deletion(client: &Client, sql: &Statement, customer: Uuid) -> u64 {
    loop {
        match client.execute(sql, &[&customer]).await {
            Err(error) if error.code() == Some(&SqlState::T_R_DEADLOCK_DETECTED) => {}
            outcome => return customer_or_nothing(outcome),
        }
    }
}

/// Whether a statement changes jobs or invoices, whose events name the customer.
fn makes_events(statement: &str) -> bool {
    statement.contains("work_orders") || statement.contains("invoices")
}

/// Runs statements in turn, each with a customer, until the interactions are logged.
async fn meanwhile(org: Org, role: &str, statements: &[&str]) -> usize {
    let client = session(&org, role).await;
    let mut prepared = Vec::new();
    for statement in statements {
        prepared.push((client.prepare(statement).await.unwrap(), makes_events(statement)));
    }
    let mut step = 0;
    while !org.is_done() {
        for (statement, makes_events) in &prepared {
            step += 1;
            let customer = org.customer(step * 5);
            if *makes_events && org.is_doomed(customer) {
                again_after_deletion(&client, statement, customer).await;
            } else {
                customer_or_nothing(client.execute(statement, &[&customer]).await);
            }
        }
        tokio::task::yield_now().await;
    }
    step
}

async fn delete_customers(org: Org) -> usize {
    let client = connect(org.target).await;
    let delete = client.prepare("delete from customers where id = $1").await.unwrap();
    for customer in org.customers.iter().take(DOOMED) {
        // Once something was written to it: only then is there something to get wrong.
        let busy = "select count(*) > 20 from crm_interactions where customer_id = $1";
        while !org.is_done()
            && !client.query_one(busy, &[customer]).await.unwrap().get::<_, bool>(0)
        {
            tokio::task::yield_now().await;
        }
        assert_eq!(again_after_deletion(&client, &delete, *customer).await, 1, "it is deleted");
    }
    DOOMED
}

const WRONG: &str = "
    select r.customer_id::text, to_jsonb(r)::text, to_jsonb(m)::text
    from customer_metrics_recomputed r left join customer_metrics m using (customer_id)
    where r.org_id = $1 and (r.interactions_count, r.positive_count, r.neutral_count, r.negative_count,
        r.jobs_count, r.open_jobs_count, r.total_spend, r.balance_due, r.last_interaction_at, r.last_service_at)
      is distinct from (coalesce(m.interactions_count, 0), coalesce(m.positive_count, 0),
        coalesce(m.neutral_count, 0), coalesce(m.negative_count, 0), coalesce(m.jobs_count, 0),
        coalesce(m.open_jobs_count, 0), coalesce(m.total_spend, 0), coalesce(m.balance_due, 0),
        m.last_interaction_at, m.last_service_at)";

async fn figures_of_customers_are_exact_whatever_is_written_at_once(target: Target) {
    for _ in 0..rounds(ROUNDS) {
        round(target, INTERACTIONS / SESSIONS).await;
    }
}

async fn round(target: Target, share: usize) {
    let org = Org::make(target).await;

    let mut others = JoinSet::new();
    // The service learns of the sentiment later.
    others.spawn(meanwhile(org.clone(), "service_role", &[
        "update crm_interactions set sentiment = 'negative' where id in (
           select id from crm_interactions where customer_id = $1 and sentiment is null limit 3)",
        "update crm_interactions set sentiment = 'positive' where id in (
           select id from crm_interactions where customer_id = $1 and sentiment = 'negative' limit 1)",
    ]));
    others.spawn(meanwhile(org.clone(), "postgres", &["delete from crm_interactions where id in (
           select id from crm_interactions where customer_id = $1 order by occurred_at desc limit 1)"]));
    others.spawn(meanwhile(
        org.clone(),
        "postgres",
        &[
            "insert into work_orders (org_id, customer_id, title)
               select org_id, id, 'Visit' from customers where id = $1",
            "update work_orders set status = 'completed', completed_at = now() where id = (
           select id from work_orders where customer_id = $1 and status = 'scheduled' limit 1)",
            "update work_orders set status = 'canceled' where id = (
           select id from work_orders where customer_id = $1 and status = 'completed' limit 1)",
            "delete from work_orders where id = (
           select id from work_orders where customer_id = $1 and status = 'canceled' limit 1)",
            "insert into invoices (org_id, customer_id, number, status, total, amount_paid)
               select org_id, id, gen_random_uuid()::text, 'sent', 100.10, 0.05 from customers where id = $1",
            "update invoices set status = 'paid', amount_paid = total where id = (
           select id from invoices where customer_id = $1 and status = 'sent' limit 1)",
            "update invoices set status = 'void' where id = (
           select id from invoices where customer_id = $1 and status = 'paid' limit 1)",
        ],
    ));
    others.spawn(meanwhile(
        org.clone(),
        "postgres",
        &["update customers set is_archived = not is_archived where id = $1"],
    ));
    others.spawn(delete_customers(org.clone()));

    let mut loggers = JoinSet::new();
    for session in 0..SESSIONS {
        loggers.spawn(log(org.clone(), session * 101, share));
    }
    loggers.join_all().await;
    org.done.store(true, Ordering::Relaxed);
    let steps = others.join_all().await;
    assert!(steps.iter().all(|steps| *steps > 0), "{steps:?}");

    let client = connect(target).await;
    let wrong = client.query(WRONG, &[&org.id]).await.unwrap();
    for row in &wrong {
        eprintln!(
            "{}: {} is kept as {:?}",
            row.get::<_, String>(0),
            row.get::<_, String>(1),
            row.get::<_, Option<String>>(2)
        );
    }
    assert!(wrong.is_empty(), "{} customers have wrong figures", wrong.len());
    let sql = "select count(*) filter (where interactions_count > 0) > 0 and sum(total_spend) > 0
        and sum(jobs_count + open_jobs_count) > 0 from customer_metrics where org_id = $1";
    let counted: Option<bool> = client.query_one(sql, &[&org.id]).await.unwrap().get(0);
    assert_eq!(counted, Some(true), "nothing was counted");
    org.remove().await;
}

/// A customer with a long history, in a transaction that is rolled back.
async fn with_history(target: Target) -> (Client, Uuid) {
    let client = connect(target).await;
    client.batch_execute("begin").await.unwrap();
    let sql = "with o as (insert into orgs (name) values ('Metrics') returning id)
        select id, gen_random_uuid() from o";
    let row = client.query_one(sql, &[]).await.unwrap();
    let (org, customer): (Uuid, Uuid) = (row.get(0), row.get(1));
    let sql = "insert into customers (id, org_id, type, name) values ($1, $2, 'company', 'Old')";
    client.execute(sql, &[&customer, &org]).await.unwrap();
    for sql in [
        "insert into crm_interactions (org_id, customer_id, channel, sentiment, occurred_at)
         select $1, $2, 'note', 'neutral', timestamptz '2026-01-01' + make_interval(mins => n)
         from generate_series(1, 500) n",
        "insert into work_orders (org_id, customer_id, title)
         select $1, $2, 'Visit ' || n from generate_series(1, 500) n",
        "insert into invoices (org_id, customer_id, number, status, total)
         select $1, $2, 'M' || n, 'sent', 10 from generate_series(1, 500) n",
    ] {
        client.execute(sql, &[&org, &customer]).await.unwrap();
    }
    (client, customer)
}

/// As many rows are read to change one.
const FEW: i64 = 20;

/// How many rows of each table a statement reads.
async fn read(client: &Client, id: Uuid, sql: &str) -> [i64; 3] {
    const READ: &str = "select sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::bigint
        from pg_stat_xact_user_tables where relname in ('crm_interactions', 'work_orders', 'invoices')
        group by relname order by array_position('{crm_interactions,work_orders,invoices}', relname::text)";
    let before = client.query(READ, &[]).await.unwrap();
    client.execute(sql, &[&id]).await.unwrap();
    let after = client.query(READ, &[]).await.unwrap();
    [0, 1, 2].map(|n| after[n].get::<_, i64>(0) - before[n].get::<_, i64>(0))
}

async fn a_change_reads_the_history_of_its_own_table_at_most(target: Target) {
    let (client, customer) = with_history(target).await;
    let one =
        |table: &str| format!("select id from {table} where customer_id = $1 order by id limit 1");
    for (table, change, own) in [
        ("crm_interactions", "update crm_interactions set sentiment = 'positive' where id =", 0),
        ("crm_interactions", "delete from crm_interactions where id =", 500),
        ("work_orders", "update work_orders set title = 'Other' where id =", 500),
        ("invoices", "update invoices set amount_paid = 5 where id =", 500),
    ] {
        let id: Uuid = client.query_one(&one(table), &[&customer]).await.unwrap().get(0);
        let read = read(&client, id, &format!("{change} $1")).await;
        let expected = ["crm_interactions", "work_orders", "invoices"]
            .map(|name| if name == table { own } else { 0 });
        for (read, expected) in read.iter().zip(expected) {
            assert!((expected - FEW..=expected + FEW).contains(read), "{change}: {read:?}");
        }
    }
    let sql = "select interactions_count, positive_count, neutral_count, open_jobs_count, balance_due::text
        from customer_metrics where customer_id = $1";
    let row = client.query_one(sql, &[&customer]).await.unwrap();
    let figures: [i64; 4] = [0, 1, 2, 3].map(|n| row.get(n));
    let interactions = figures[1] + figures[2];
    assert_eq!((figures[0], interactions, figures[3]), (499, 499, 500));
    assert_eq!(row.get::<_, &str>(4), "4995.00");
}

async fn what_changes_beside_the_sentiment_counts_too(target: Target) {
    let (client, customer) = with_history(target).await;
    let sql =
        "insert into customers (org_id, type, name) select org_id, 'company', 'New' from customers
        where id = $1 returning id";
    let other: Uuid = client.query_one(sql, &[&customer]).await.unwrap().get(0);
    let figures = async |id: Uuid| -> [i64; 4] {
        let sql = "select interactions_count, positive_count, neutral_count, negative_count from customer_metrics
            where customer_id = $1";
        let row = client.query_one(sql, &[&id]).await.unwrap();
        [0, 1, 2, 3].map(|n| row.get(n))
    };
    // Of one statement: the sentiment of some, that of others removed, nothing of the rest.
    let sql = "update crm_interactions set sentiment = case
          when occurred_at <= timestamptz '2026-01-01 00:10' then 'positive'::sentiment
          when occurred_at <= timestamptz '2026-01-01 00:13' then null
          when occurred_at <= timestamptz '2026-01-01 00:14' then 'negative' else sentiment end
        where customer_id = $1";
    client.execute(sql, &[&customer]).await.unwrap();
    assert_eq!(figures(customer).await, [500, 10, 486, 1]);
    let sql =
        "update crm_interactions set customer_id = $2, sentiment = coalesce(sentiment, 'negative')
        where customer_id = $1 and occurred_at <= timestamptz '2026-01-01 00:20'";
    client.execute(sql, &[&customer, &other]).await.unwrap();
    assert_eq!(figures(customer).await, [480, 0, 480, 0]);
    assert_eq!(figures(other).await, [20, 10, 6, 4]);
}

macro_rules! on_both {
    ($($name:ident)*) => {
        mod native { $(#[tokio::test] async fn $name() { super::$name(super::Target::Native).await; })* }
        mod extension { $(#[tokio::test] async fn $name() { super::$name(super::Target::Extension).await; })* }
    };
}

on_both! {
    figures_of_customers_are_exact_whatever_is_written_at_once
    a_change_reads_the_history_of_its_own_table_at_most
    what_changes_beside_the_sentiment_counts_too
}
