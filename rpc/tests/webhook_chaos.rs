//! Every delivery five times, in other company and another order, to eight sessions that are killed at work: what is there
//! at the end is what one undisturbed session makes of each event once. Two orgs hear from the same people at the same
//! time, under the same ids. Real sessions that commit, on both drivers.
//!
//! `CHAOS_EVENTS` and `CHAOS_KILLS` say how much; the short form is what runs with the other tests.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;
mod webhook_deliveries;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use common::chaos::{difference, kill, setting};
use common::{Target, connect};
use fieldcrm_core::Code;
use fieldcrm_rpc::tokio::{Prepared, TokioDb, dispatch};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_postgres::Client;
use tokio_postgres::types::{Json, ToSql};
use uuid::Uuid;
use webhook_deliveries::{Call, DOORS, Deliveries, Door, OUT, REPLIES, known, person, shuffle};

const WORKERS: usize = 8;
const EVENTS: usize = 120;
const KILLS: usize = 25;
const MOST_AGAIN: usize = 10_000;

/// An org of its own with a project, doors, messages that are out and replies that are going out; removed at the end.
struct Org {
    id: Uuid,
    target: Target,
    replies: Vec<(Uuid, Uuid)>,
}

impl Org {
    async fn make(target: Target) -> Self {
        let db = connect(target).await;
        let one = async |sql: &str, values: &[&(dyn ToSql + Sync)]| -> Uuid {
            db.query_one(sql, values)
                .await
                .unwrap_or_else(|error| panic!("{sql}: {error:?}"))
                .get(0)
        };
        let id = one("insert into orgs (name) values ('Chaos') returning id", &[]).await;
        let sql = "insert into clients (org_id, name, created_by_user_id) values ($1, 'Chaos', null) returning id";
        let client = one(sql, &[&id]).await;
        let sql = "insert into projects (org_id, client_id, name, created_by_user_id) values ($1, $2, 'Chaos', null) returning id";
        let project = one(sql, &[&id, &client]).await;
        let mut replies = Vec::new();
        for door in DOORS {
            let address = Self::address(id, door);
            let sql = "insert into org_channels (org_id, client_id, project_id, channel, address) values ($1, $2, $3, $4, $5)";
            db.execute(sql, &[&id, &client, &project, &door.channel, &address]).await.unwrap();
            // The second is a lead whom we wrote to, and a customer; the third is a customer who is no lead yet.
            let mut customers = Vec::new();
            for n in 1..3 {
                let sql = "insert into customers (org_id, type, name, first_name, last_name) values ($1, 'individual', $2, $2, 'Known') returning id";
                let customer = one(sql, &[&id, &format!("{} {n}", door.channel)]).await;
                let sql = "insert into customer_contacts (org_id, customer_id, type, value) values ($1, $2, $3::text::contact_type, $4) returning id";
                let kind = if door.channel == "email" { "email" } else { "mobile" };
                let value = person(door, n, &mut 0);
                one(sql, &[&id, &customer, &kind, &value]).await;
                customers.push(customer);
            }
            let address = person(door, 1, &mut 0);
            let (email, phone) =
                if door.channel == "email" { (Some(address), None) } else { (None, Some(address)) };
            let sql = "insert into leads (org_id, client_id, project_id, customer_id, first_name, last_name, email, phone)
                values ($1, $2, $3, $4, $5, 'Known', $6, $7) returning id";
            let values: [&(dyn ToSql + Sync); 7] =
                [&id, &client, &project, &customers[0], &known(door), &email, &phone];
            let lead = one(sql, &values).await;
            let sql = "insert into conversations (org_id, client_id, lead_id, channel) values ($1, $2, $3, $4) returning id";
            let conversation = one(sql, &[&id, &client, &lead, &door.channel]).await;
            let sql = "insert into messages (org_id, client_id, lead_id, conversation_id, sender_type, content, message_type, direction,
                  provider, provider_message_id, created_at)
                select $1, $2, $3, $4, 'user', 'Hi ' || n, $5, 'outbound', $6, 'out-' || $5 || '-' || n - 1, '2025-12-31'
                from generate_series(1, $7::bigint) n";
            let out = i64::try_from(OUT).unwrap();
            let values: [&(dyn ToSql + Sync); 7] =
                [&id, &client, &lead, &conversation, &door.channel, &door.provider, &out];
            db.execute(sql, &values).await.unwrap();
            for n in (0..REPLIES).filter(|_| door.channel == "sms") {
                let sql = "insert into crm_outbox (org_id, customer_id, lead_id, channel, purpose, to_address, body, status, provider, attempts,
                      lease_id, leased_until)
                    select $1, l.customer_id, l.id, 'sms', 'transactional', l.phone, $3, 'sending', 'twilio', 1, gen_random_uuid(), now() + interval '1 day'
                    from leads l where l.id = $2 returning id, lease_id";
                let said = format!("Reply {n}");
                let row = db.query_one(sql, &[&id, &lead, &said]).await.unwrap();
                let outbox: Uuid = row.get(0);
                replies.push((outbox, row.get(1)));
                let sql = "insert into messages (org_id, client_id, lead_id, conversation_id, sender_type, content, message_type, direction, outbox_id, created_at)
                    values ($1, $2, $3, $4, 'user', $5, 'sms', 'outbound', $6, '2025-12-31')";
                let values: [&(dyn ToSql + Sync); 6] =
                    [&id, &client, &lead, &conversation, &said, &outbox];
                db.execute(sql, &values).await.unwrap();
            }
        }
        Self { id, target, replies }
    }

    /// One owner in the world.
    fn address(id: Uuid, door: Door) -> String {
        let number = id.as_u128() % 10_000_000_000;
        match door.channel {
            "sms" => format!("+15{number:010}"),
            "whatsapp" => format!("{number:012}"),
            _ => format!("office@{}.example", id.simple()),
        }
    }

    /// Who sends our replies says what the provider calls them.
    fn completions(&self) -> Vec<Call> {
        let completion = |(n, (id, lease)): (usize, &(Uuid, Uuid))| Call {
            rpc: "crm_complete_message",
            arguments: json!({"id": id, "lease_id": lease, "provider_message_id": format!("reply-{n}")}),
        };
        self.replies.iter().enumerate().map(completion).collect()
    }

    /// Everything that came of the deliveries, by what people would know it by.
    async fn made(&self) -> Vec<(&'static str, Vec<Value>)> {
        let db = connect(self.target).await;
        let mut made = Vec::new();
        for (what, sql) in [
            ("leads", "select jsonb_build_array(l.first_name, l.last_name, l.email, right(l.phone, 8), l.source, l.status, c.name)
                from leads l left join customers c on c.id = l.customer_id where l.org_id = $1"),
            ("messages", "select jsonb_build_array(l.first_name, l.last_name, c.channel, m.direction, m.content, m.status, m.message_type, m.provider,
                  m.provider_message_id, m.metadata -> 'reactions', m.created_at)
                from messages m join leads l on l.id = m.lead_id join conversations c on c.id = m.conversation_id where m.org_id = $1"),
            ("conversations", "select jsonb_build_array(l.first_name, c.channel, c.status, c.message_count, c.last_message_at)
                from conversations c join leads l on l.id = c.lead_id where c.org_id = $1"),
            // A status that was here before we knew its message is ignored at first.
            ("events", "select jsonb_build_array(e.provider, e.provider_event_id, e.event_type,
                  case when e.event_type = 'status' and e.outcome = 'ignored' then 'status' else e.outcome end,
                  case when e.event_type = 'message' then l.first_name end, case when e.event_type = 'message' then m.content end,
                  case when e.event_type = 'unknown' then e.payload end)
                from webhook_events e left join leads l on l.id = e.lead_id left join messages m on m.id = e.message_id where e.org_id = $1"),
            ("opt-outs", "select jsonb_build_array(o.channel, o.address, o.reason) from crm_opt_outs o where o.org_id = $1"),
            ("interactions", "select jsonb_build_array(c.name, i.channel, i.direction, i.body)
                from crm_interactions i join customers c on c.id = i.customer_id where i.org_id = $1"),
            ("replies", "select jsonb_build_array(o.body, o.status, o.provider_message_id, o.error_code is not null, o.delivered_at is not null)
                from crm_outbox o where o.org_id = $1"),
            ("activities", "select jsonb_build_array(a.activity_type, l.first_name) from crm_activities a join leads l on l.id = a.entity_id where a.org_id = $1"),
            ("figures", "select jsonb_build_array(sum(m.leads)) from metrics m where m.org_id = $1 and m.metric_name = 'lead_count' and m.period = 'daily'"),
        ] {
            let rows = db.query(&format!("{sql} order by 1"), &[&self.id]).await;
            let rows = rows.unwrap_or_else(|error| panic!("{what}: {error:?}"));
            made.push((what, rows.iter().map(|row| row.get(0)).collect()));
        }
        made
    }

    async fn remove(self) {
        let db = connect(self.target).await;
        for sql in [
            "delete from webhook_events where org_id = $1",
            "delete from org_channels where org_id = $1",
            "delete from crm_opt_outs where org_id = $1",
            "delete from clients where org_id = $1",
            "delete from customers where org_id = $1",
            "delete from crm_events where org_id = $1",
            "delete from metrics where org_id = $1",
            "delete from orgs where id = $1",
        ] {
            db.execute(sql, &[&self.id]).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        }
    }
}

/// A session of the back end, each call a transaction of its own.
struct Session {
    client: Client,
    prepared: Prepared,
    target: Target,
}

impl Session {
    async fn start(target: Target) -> Self {
        Self { client: connect(target).await, prepared: Prepared::default(), target }
    }

    /// What was not stored is an error, and so may be what was.
    async fn call(&mut self, call: &Call) -> Result<Value, String> {
        let text = |error: tokio_postgres::Error| format!("{error:?}");
        self.client.batch_execute("begin").await.map_err(text)?;
        let arguments = call.arguments.clone();
        let answer = match self.target {
            Target::Native => {
                let mut db = TokioDb { client: &self.client, prepared: &mut self.prepared };
                let outcome = dispatch(&mut db, call.rpc, arguments).await;
                outcome.map_err(|error| format!("{:?} {error}", error.code))?
            }
            Target::Extension => {
                let sql = match call.rpc {
                    "crm_receive_webhook" => {
                        "crm_receive_webhook(a ->> 'provider', a ->> 'channel', a ->> 'address', a -> 'events')"
                    }
                    _ => {
                        "crm_complete_message((a ->> 'id')::uuid, (a ->> 'lease_id')::uuid, a ->> 'provider_message_id')"
                    }
                };
                let sql = format!("select public.{sql} from (select $1::jsonb as a) x");
                self.client.query_one(&sql, &[&Json(arguments)]).await.map_err(text)?.get(0)
            }
        };
        self.client.batch_execute("commit").await.map_err(text)?;
        Ok(answer)
    }
}

/// Takes calls until none is left; what fails goes back to the end, as providers send it again later.
async fn work(
    target: Target,
    calls: Arc<Mutex<VecDeque<Call>>>,
    again: Arc<AtomicUsize>,
    victims: mpsc::UnboundedSender<i32>,
) {
    'session: loop {
        let mut session = Session::start(target).await;
        let Ok(row) = session.client.query_one("select pg_backend_pid()", &[]).await else {
            continue;
        };
        let pid: i32 = row.get(0);
        loop {
            let Some(call) = calls.lock().unwrap().pop_front() else { return };
            let _ = victims.send(pid);
            let Err(error) = session.call(&call).await else { continue };
            let times = again.fetch_add(1, Ordering::Relaxed);
            assert!(times < MOST_AGAIN, "it never ends: {error}: {call:?}");
            let is_dead = session.client.batch_execute("rollback").await.is_err();
            // Whoever lives may be told to come again, and nothing else.
            let later = format!("{:?} ", Code::Unavailable);
            let is_later =
                error.starts_with(&later) || error.contains("PT503") || error.contains("40P01");
            assert!(is_dead || is_later, "{error}: {call:?}");
            calls.lock().unwrap().push_back(call);
            if is_dead {
                continue 'session;
            }
        }
    }
}

async fn what_comes_five_times_to_sessions_that_are_killed_is_there_once(target: Target) {
    let (events, kills) = (setting("CHAOS_EVENTS", EVENTS), setting("CHAOS_KILLS", KILLS));
    let names = ["Northern", "Southern"];
    let mut clean = Vec::new();
    let mut chaos = Vec::new();
    let mut calls = Vec::new();
    let mut state = 4;
    for (name, seed) in names.into_iter().zip([11, 12]) {
        let deliveries = Deliveries::make(name, seed, events);
        let org = Org::make(target).await;
        let mut session = Session::start(target).await;
        let in_order = deliveries.in_order(|door| Org::address(org.id, door));
        for call in org.completions().iter().chain(&in_order) {
            session.call(call).await.unwrap();
        }
        clean.push(org);
        let org = Org::make(target).await;
        calls.extend(deliveries.in_disorder(&mut state, |door| Org::address(org.id, door)));
        calls.extend(org.completions());
        chaos.push(org);
    }
    shuffle(&mut calls, &mut state);

    let start = Instant::now();
    let (deliveries, calls) = (calls.len(), Arc::new(Mutex::new(VecDeque::from(calls))));
    let (again, killed) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (send, victims) = mpsc::unbounded_channel();
    let executioner = tokio::spawn(kill(target, kills, killed.clone(), victims));
    let mut workers = JoinSet::new();
    for _ in 0..WORKERS {
        workers.spawn(work(target, calls.clone(), again.clone(), send.clone()));
    }
    while let Some(worker) = workers.join_next().await {
        worker.unwrap();
    }
    // What the last one gave back before it was killed.
    work(target, calls, again.clone(), send).await;
    executioner.await.unwrap();
    let (again, killed) = (again.load(Ordering::Relaxed), killed.load(Ordering::Relaxed));
    println!(
        "{events} events of each of two orgs in {deliveries} deliveries to {WORKERS} sessions, {killed} killed at work, {again} sent again: {:.1} s",
        start.elapsed().as_secs_f64()
    );

    for (clean, chaos) in clean.iter().zip(&chaos) {
        difference(clean.made().await, chaos.made().await);
    }
    let db = connect(target).await;
    for (org, other) in chaos.iter().zip(["Southern", "Northern"]) {
        let sql = "select count(*) from messages where org_id = $1 and (content || metadata::text) like '%' || $2 || '%'";
        let strange: i64 = db.query_one(sql, &[&org.id, &other]).await.unwrap().get(0);
        assert_eq!(strange, 0, "messages of {other} in the other org");
    }
    assert!(killed >= kills.min(10), "only {killed} were killed at work");
    for org in clean.into_iter().chain(chaos) {
        org.remove().await;
    }
}

mod native {
    #[tokio::test(flavor = "current_thread")]
    async fn what_comes_five_times_to_sessions_that_are_killed_is_there_once() {
        super::what_comes_five_times_to_sessions_that_are_killed_is_there_once(
            super::Target::Native,
        )
        .await;
    }
}

mod extension {
    #[tokio::test(flavor = "current_thread")]
    async fn what_comes_five_times_to_sessions_that_are_killed_is_there_once() {
        super::what_comes_five_times_to_sessions_that_are_killed_is_there_once(
            super::Target::Extension,
        )
        .await;
    }
}
