//! Many workers, each killed again and again while it works, on events that come three times: what is there at the end
//! is what one undisturbed worker makes. Real sessions that commit, on both drivers.
//!
//! `CHAOS_EVENTS` and `CHAOS_KILLS` say how much; the short form is what runs with the other tests.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use common::chaos::{dice, difference, kill, setting};
use common::{Target, connect};
use fieldcrm_rpc::dispatch;
use fieldcrm_rpc::tokio::{Prepared, TokioDb};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_postgres::Client;
use tokio_postgres::types::Json;
use uuid::Uuid;

const WORKERS: usize = 8;
const RULES: usize = 200;
/// Types of events, each heard by so many rules that all kinds of them are among it.
const TYPES: usize = 20;
const EVENTS: i64 = 400;
const KILLS: usize = 40;

/// An org of its own; removed at the end.
#[derive(Clone, Copy)]
struct Org {
    id: Uuid,
    target: Target,
}

/// The n-th rule: of each kind ten in a row, one for each type of event.
fn rule(n: usize, segment: &Value, member: Uuid) -> Value {
    let kind = n / TYPES;
    let followup =
        |title: String| json!({"type": "create_followup", "title": title, "due_in_minutes": 60});
    let call = followup(format!("{n} for {{{{ event.n }}}}"));
    let condition = |field: &str, operator: &str, value: Value| {
        json!({"version": 1, "entity": "customer", "query": {"combinator": "and", "rules": [
            {"field": field, "operator": operator, "value": value}]}})
    };
    let mut rule = json!({"name": format!("Rule {n}"), "trigger_type": "event", "event_type": format!("chaos_{}", n % TYPES)});
    let more = match kind {
        0 => json!({"actions": [call]}),
        1 => json!({"actions": [{"type": "tag_customer", "tag": format!("Tag {}", n % 7)}, call],
            "conditions": condition("name", "endsWith", json!("1"))}),
        2 => {
            json!({"actions": [{"type": "send_message", "channel": "email", "purpose": "transactional",
            "subject": "Rule {{ event.n }}", "body": format!("{n}: {{{{ customer.name }}}}")}]})
        }
        3 => json!({"reenrollment": "once", "actions": [followup(format!("once {n}"))]}),
        4 => json!({"reenrollment": "cooldown", "cooldown_minutes": 60,
            "actions": [followup(format!("cooldown {n}")), {"type": "webhook", "url": "https://hooks.example.com/x"}]}),
        5 => json!({"actions": [{"type": "set_field", "field": "source", "value": "automation"}]}),
        6 => {
            json!({"actions": [{"type": "notify_user", "to": member, "title": format!("{n}: {{{{ event.n }}}}")}]})
        }
        // Sees what it did: the second time the customer does not match.
        7 => {
            json!({"actions": [{"type": "tag_customer", "tag": format!("Seen {n}")}, followup(format!("first {n}"))],
            "conditions": condition("tags", "containsNone", json!([format!("Seen {n}")]))})
        }
        8 => {
            json!({"time_offset_minutes": 1, "actions": [followup(format!("later {n} for {{{{ event.n }}}}"))]})
        }
        // Rules that act on what rules did.
        _ => match n % TYPES {
            0 => {
                json!({"event_type": "customer_updated", "reenrollment": "once", "actions": [followup("moved".to_owned())]})
            }
            1 => {
                json!({"trigger_type": "segment_membership", "event_type": null, "segment_id": segment,
                "actions": [{"type": "tag_customer", "tag": "Picked"}, followup("picked".to_owned())]})
            }
            _ => json!({"actions": [{"type": "add_to_segment", "segment_id": segment}]}),
        },
    };
    rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    rule
}

impl Org {
    async fn make(target: Target, customers: i64) -> Self {
        let client = connect(target).await;
        let sql = "insert into orgs (name) values ('Chaos') returning id";
        let id: Uuid = client.query_one(sql, &[]).await.unwrap().get(0);
        let org = Self { id, target };
        let sql = "insert into auth.users (id, email) values (gen_random_uuid(), $1) returning id";
        let member: Uuid =
            client.query_one(sql, &[&format!("{id}@example.com")]).await.unwrap().get(0);
        let sql = "insert into profiles (id, org_id, role) values ($1, $2, 'csr')";
        client.execute(sql, &[&member, &id]).await.unwrap();
        let sql = "insert into customers (org_id, type, name) select $1, 'company', 'C' || n from generate_series(1, $2::bigint) n";
        client.execute(sql, &[&id, &customers]).await.unwrap();
        let sql = "insert into crm_segments (org_id, name, type) values ($1, 'Picked', 'static') returning to_jsonb(id)";
        let segment: Value = client.query_one(sql, &[&id]).await.unwrap().get(0);
        let rules: Vec<_> = (0..RULES).map(|n| rule(n, &segment, member)).collect();
        let sql = "insert into crm_automation_rules (org_id, name, trigger_type, event_type, time_offset_minutes, segment_id, conditions,
              actions, reenrollment, cooldown_minutes, created_at)
            select $1, r.name, r.trigger_type, r.event_type, r.time_offset_minutes, r.segment_id, r.conditions, r.actions,
              coalesce(r.reenrollment, 'per_episode'), r.cooldown_minutes, now() + n * interval '1 microsecond'
            from jsonb_array_elements($2) with ordinality x (rule, n), jsonb_populate_record(null::crm_automation_rules, x.rule) r";
        client.execute(sql, &[&id, &Json(rules)]).await.unwrap();
        org
    }

    /// The events from `from` on, all of one time, as whoever sends them would, and would again.
    async fn emit(self, from: i64, to: i64) {
        let sql = format!(
            "insert into crm_events (org_id, event_type, customer_id, payload, event_key, occurred_at)
             select $1, 'chaos_' || n % {TYPES}, c.id, jsonb_build_object('n', n), 'chaos:' || n, age.at
             from generate_series($2::bigint, $3::bigint - 1) n
             join customers c on c.org_id = $1
               and c.name = 'C' || 1 + n * 7 % (select count(*) from customers where org_id = $1),
             lateral (select date_trunc('minute', now() - interval '10 minutes') as at) age
             on conflict do nothing"
        );
        connect(self.target).await.execute(&sql, &[&self.id, &from, &to]).await.unwrap();
    }

    /// What is still to do.
    async fn left(self, client: &Client) -> Result<i64, tokio_postgres::Error> {
        let sql = "select (select count(*) from fieldcrm.event_queue where org_id = $1)
            + (select count(*) from crm_automation_runs where org_id = $1 and status = 'pending')";
        Ok(client.query_one(sql, &[&self.id]).await?.get(0))
    }

    /// Everything that rules made, by what people would know it by.
    async fn made(self) -> Vec<(&'static str, Vec<Value>)> {
        let client = connect(self.target).await;
        let mut made = Vec::new();
        for (what, sql) in [
            ("follow-ups", "select jsonb_build_array(c.name, x.title) from crm_followups x"),
            ("tags", "select jsonb_build_array(c.name, t.name) from crm_customer_tags x join crm_tags t on t.id = x.tag_id"),
            ("messages", "select jsonb_build_array(c.name, x.channel, x.subject, x.body, r.name) from crm_outbox x
                join crm_automation_runs a on a.id = x.automation_run_id join crm_automation_rules r on r.id = a.rule_id"),
            ("notices", "select jsonb_build_array(c.name, x.title) from crm_notifications x"),
            ("members", "select jsonb_build_array(c.name) from crm_segment_members x"),
            ("events", "select jsonb_build_array(c.name, x.event_type) from crm_events x"),
            ("runs", "select jsonb_build_array(c.name, r.name, x.status, x.skip_code, x.attempts)
                from crm_automation_runs x join crm_automation_rules r on r.id = x.rule_id"),
        ] {
            let sql = format!("{sql} join customers c on c.id = x.customer_id where x.org_id = $1 order by 1");
            let rows = client.query(&sql, &[&self.id]).await.unwrap();
            made.push((what, rows.iter().map(|row| row.get(0)).collect()));
        }
        made
    }

    async fn remove(self) {
        let client = connect(self.target).await;
        for table in [
            "crm_automation_rules",
            "customers",
            "crm_segments",
            "crm_tags",
            "crm_notifications",
            "fieldcrm.event_queue",
        ] {
            client
                .execute(&format!("delete from {table} where org_id = $1"), &[&self.id])
                .await
                .unwrap();
        }
        let sql = "delete from auth.users where id in (select id from profiles where org_id = $1)";
        client.execute(sql, &[&self.id]).await.unwrap();
        client.execute("delete from orgs where id = $1", &[&self.id]).await.unwrap();
    }
}

/// A session that runs jobs, each in a transaction of its own, as a back end does.
struct Worker {
    client: Client,
    prepared: Prepared,
    org: Org,
}

impl Worker {
    async fn start(org: Org) -> Self {
        Self { client: connect(org.target).await, prepared: Prepared::default(), org }
    }

    async fn pid(&self) -> Result<i32, tokio_postgres::Error> {
        Ok(self.client.query_one("select pg_backend_pid()", &[]).await?.get(0))
    }

    async fn job(&mut self, name: &str, batch_limit: i64) -> Result<Value, String> {
        let text = |error: tokio_postgres::Error| format!("{error:?}");
        self.client.batch_execute("begin").await.map_err(text)?;
        let sql = "select set_config('app.current_org_id', $1, true)";
        self.client.execute(sql, &[&self.org.id.to_string()]).await.map_err(text)?;
        let report = match self.org.target {
            Target::Native => {
                let mut db = TokioDb { client: &self.client, prepared: &mut self.prepared };
                let arguments = json!({"batch_limit": batch_limit});
                dispatch(&mut db, name, arguments).await.map_err(|error| error.to_string())?
            }
            Target::Extension => {
                let sql = format!("select public.{name}({batch_limit})");
                self.client.query_one(&sql, &[]).await.map_err(text)?.get(0)
            }
        };
        self.client.batch_execute("commit").await.map_err(text)?;
        Ok(report)
    }

    /// One call of each job; how much they did.
    async fn round(&mut self, batch_limit: i64) -> Result<i64, String> {
        let events = self.job("crm_run_automations", batch_limit).await?;
        let due = self.job("crm_process_time_based", batch_limit).await?;
        assert_eq!((&events["failed"], &due["failed"]), (&json!(0), &json!(0)));
        Ok(events["events"].as_i64().unwrap() + due["due"].as_i64().unwrap())
    }
}

/// Works until nothing is left; tells the killer whenever it begins, and starts again as another session when killed.
async fn work(org: Org, seed: u64, victims: mpsc::UnboundedSender<i32>) {
    let mut state = seed;
    'session: loop {
        let mut worker = Worker::start(org).await;
        let Ok(pid) = worker.pid().await else { continue };
        loop {
            let _ = victims.send(pid);
            let batch_limit = 3 + dice(&mut state, 12).cast_signed();
            match worker.round(batch_limit).await {
                Ok(0) => match org.left(&worker.client).await {
                    Ok(0) => return,
                    Ok(_) => tokio::task::yield_now().await,
                    Err(_) => continue 'session,
                },
                Ok(_) => {}
                Err(_) => continue 'session,
            }
        }
    }
}

async fn killed_workers_leave_what_one_undisturbed_worker_makes(target: Target) {
    let events = i64::try_from(setting("CHAOS_EVENTS", usize::try_from(EVENTS).unwrap())).unwrap();
    let kills = setting("CHAOS_KILLS", KILLS);
    let customers = (events / 10).max(10);

    let clean = Org::make(target, customers).await;
    clean.emit(0, events).await;
    let start = Instant::now();
    let mut worker = Worker::start(clean).await;
    while worker.round(500).await.unwrap() > 0 {}
    let took = start.elapsed().as_secs_f64();
    let runs = clean.made().await.pop().unwrap().1.len();
    #[allow(clippy::cast_precision_loss, reason = "for people")]
    let (per_second, runs_per_second) = (events as f64 / took, runs as f64 / took);
    println!(
        "one worker: {events} events, {RULES} rules, {runs} runs: {per_second:.0} events/s, {runs_per_second:.0} runs/s"
    );

    let chaos = Org::make(target, customers).await;
    let (send, victims) = mpsc::unbounded_channel();
    let killed = Arc::new(AtomicUsize::new(0));
    let executioner = tokio::spawn(kill(target, kills, killed.clone(), victims));
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    // Everything comes three times, while it is being worked off.
    chaos.emit(0, events / 2).await;
    for again in 0..3 {
        let step = (events / 5).max(1);
        for from in (0..events).step_by(usize::try_from(step).unwrap()) {
            tasks.spawn(async move {
                for _ in 0..again {
                    tokio::task::yield_now().await;
                }
                chaos.emit(from, (from + step).min(events)).await;
            });
        }
    }
    let mut workers = JoinSet::new();
    for seed in 0..WORKERS as u64 {
        workers.spawn(work(chaos, seed, send.clone()));
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    while let Some(task) = workers.join_next().await {
        task.unwrap();
    }
    // Who stopped before the last event came did not see it.
    work(chaos, 99, send).await;
    executioner.await.unwrap();
    let killed = killed.load(Ordering::Relaxed);
    println!("{WORKERS} workers, {killed} killed at work: {:.1} s", start.elapsed().as_secs_f64());

    difference(clean.made().await, chaos.made().await);
    assert!(killed >= kills.min(10), "only {killed} were killed at work");
    clean.remove().await;
    chaos.remove().await;
}

/// How fast one worker is with a rule that does one thing; told, not asserted.
async fn simple_rules_are_fast(target: Target) {
    const EVENTS: i64 = 5_000;
    let org = Org::make(target, 1_000).await;
    let client = connect(target).await;
    client.execute("delete from crm_automation_rules where org_id = $1", &[&org.id]).await.unwrap();
    let actions = json!([{"type": "create_followup", "title": "Call", "due_in_minutes": 60}]);
    let sql = "insert into crm_automation_rules (org_id, name, trigger_type, event_type, actions) values ($1, 'Simple', 'event', $2, $3)";
    for event_type in 0..TYPES {
        client
            .execute(sql, &[&org.id, &format!("chaos_{event_type}"), &Json(&actions)])
            .await
            .unwrap();
    }
    org.emit(0, EVENTS).await;
    let mut worker = Worker::start(org).await;
    worker.job("crm_run_automations", 1).await.unwrap();
    let start = Instant::now();
    while worker.job("crm_run_automations", 500).await.unwrap()["events"] != 0 {}
    #[allow(clippy::cast_precision_loss, reason = "for people")]
    let per_second = (EVENTS - 1) as f64 / start.elapsed().as_secs_f64();
    println!(
        "one worker, a follow-up an event, one rule a type of {TYPES}: {per_second:.0} events/s"
    );
    assert_eq!(org.made().await[0].1.len(), usize::try_from(EVENTS).unwrap());
    org.remove().await;
}

mod native {
    #[tokio::test(flavor = "current_thread")]
    async fn simple_rules_are_fast() {
        super::simple_rules_are_fast(super::Target::Native).await;
    }

    #[tokio::test(flavor = "current_thread")]
    async fn killed_workers_leave_what_one_undisturbed_worker_makes() {
        super::killed_workers_leave_what_one_undisturbed_worker_makes(super::Target::Native).await;
    }
}

mod extension {
    #[tokio::test(flavor = "current_thread")]
    async fn simple_rules_are_fast() {
        super::simple_rules_are_fast(super::Target::Extension).await;
    }

    #[tokio::test(flavor = "current_thread")]
    async fn killed_workers_leave_what_one_undisturbed_worker_makes() {
        super::killed_workers_leave_what_one_undisturbed_worker_makes(super::Target::Extension)
            .await;
    }
}
