//! Deliveries and leads in real parallel sessions that commit, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use std::sync::Arc;

use common::chaos::dice;
use common::{As, Context, Target, connect, rounds};
use fieldcrm_core::{Code, Error};
use serde_json::{Value, json};
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

const ROUNDS: usize = 2;
/// How often a provider delivers the same.
const TIMES: usize = 5;

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
    each_message_is_one_however_often_and_in_whatever_order_it_comes
    two_orgs_that_hear_from_one_number_stay_apart
    leads_made_at_once_go_round_the_team
    one_conversation_is_opened_by_many
    figures_that_add_up_are_those_of_a_count
    what_is_said_is_counted_as_a_count_counts_it
    a_form_sent_by_many_makes_one_lead
    a_lead_converted_by_many_is_one_customer
}

/// An org of its own with a client, a project, a team and doors; removed at the end.
struct Org {
    id: Uuid,
    client_id: Uuid,
    project_id: Uuid,
    users: Vec<Uuid>,
    number: String,
    form: String,
    target: Target,
}

impl Org {
    async fn make(target: Target) -> Self {
        let db = connect(target).await;
        let one = async |sql: &str, ids: &[&(dyn ToSql + Sync)]| -> Uuid {
            db.query_one(sql, ids).await.unwrap().get(0)
        };
        let id = one(
            "insert into orgs (name, time_zone) values ('Race', 'America/Chicago') returning id",
            &[],
        )
        .await;
        let sql = "insert into clients (org_id, name, created_by_user_id) values ($1, 'Race', null) returning id";
        let client_id = one(sql, &[&id]).await;
        let mut users = Vec::new();
        for n in 0..3 {
            let sql =
                "insert into auth.users (id, email) values (gen_random_uuid(), $1) returning id";
            let user = one(sql, &[&format!("race{n}-{id}@example.com")]).await;
            let sql = "insert into profiles (id, org_id, role) values ($1, $2, 'sales')";
            db.execute(sql, &[&user, &id]).await.unwrap();
            let sql = "insert into client_members (org_id, client_id, user_id) values ($1, $2, $3)";
            db.execute(sql, &[&id, &client_id, &user]).await.unwrap();
            users.push(user);
        }
        let sql = "insert into projects (org_id, client_id, name, created_by_user_id, settings)
            values ($1, $2, 'Race', null, '{\"lead_assignment\": \"round_robin\"}') returning id";
        let project_id = one(sql, &[&id, &client_id]).await;
        let number = format!("+1500{:07}", id.as_u128() % 10_000_000);
        let form = format!("form_{}", id.simple());
        for (channel, address) in [("sms", &number), ("form", &form)] {
            let sql = "insert into org_channels (org_id, client_id, project_id, channel, address, settings)
                values ($1, $2, $3, $4, $5, '{\"max_per_minute\": 1000}')";
            db.execute(sql, &[&id, &client_id, &project_id, &channel, address]).await.unwrap();
        }
        Self { id, client_id, project_id, users, number, form, target }
    }

    /// Each call in a session of its own, all at once.
    async fn race(&self, calls: Vec<(As, &'static str, Value)>) -> Vec<Result<Value, Error>> {
        race(self.target, calls).await
    }

    async fn count(&self, sql: &str) -> i64 {
        connect(self.target).await.query_one(sql, &[&self.id]).await.unwrap().get(0)
    }

    fn delivery(&self, events: &Value) -> (As, &'static str, Value) {
        let arguments = json!({"provider": "twilio", "channel": "sms", "address": self.number, "events": events});
        (As::Dba(Uuid::nil()), "crm_receive_webhook", arguments)
    }

    async fn remove(self) {
        let db = connect(self.target).await;
        for sql in [
            "delete from webhook_events where org_id = $1",
            "delete from org_channels where org_id = $1",
            "delete from fieldcrm.form_submissions where org_id = $1",
            "delete from crm_opt_outs where org_id = $1",
            "delete from clients where org_id = $1",
            "delete from customers where org_id = $1",
            "delete from crm_events where org_id = $1",
            "delete from metrics where org_id = $1",
        ] {
            db.execute(sql, &[&self.id]).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        }
        for user in &self.users {
            db.execute("delete from auth.users where id = $1", &[user]).await.unwrap();
        }
        db.execute("delete from orgs where id = $1", &[&self.id]).await.unwrap();
    }
}

async fn race(target: Target, calls: Vec<(As, &'static str, Value)>) -> Vec<Result<Value, Error>> {
    let start = Arc::new(Barrier::new(calls.len()));
    let mut tasks = JoinSet::new();
    for (n, (caller, name, arguments)) in calls.into_iter().enumerate() {
        let start = start.clone();
        tasks.spawn(async move {
            let mut context = Context::start(target).await;
            start.wait().await;
            let mut outcome = Err(Error::internal("not called"));
            // As providers do: what was not stored is sent again.
            for _ in 0..20 {
                outcome = context.call(caller, name, arguments.clone()).await;
                context.client.batch_execute("commit; begin").await.unwrap();
                if !matches!(&outcome, Err(error) if error.code == Code::Unavailable) {
                    break;
                }
            }
            (n, outcome)
        });
    }
    let mut done = tasks.join_all().await;
    done.sort_by_key(|(n, _)| *n);
    done.into_iter().map(|(_, outcome)| outcome).collect()
}

fn message(id: &str, from: &str) -> Value {
    json!({"id": id, "type": "message", "from": from, "content": format!("This is {id}"), "provider_message_id": id})
}

fn status(id: &str, message: &str, status: &str) -> Value {
    json!({"id": id, "type": "status", "provider_message_id": message, "status": status})
}

async fn each_message_is_one_however_often_and_in_whatever_order_it_comes(target: Target) {
    for round in 0..rounds(ROUNDS) {
        let org = Org::make(target).await;
        let sql = "with l as (insert into leads (org_id, client_id, project_id, phone) values ($1, $2, $3, '+14155550100') returning *)
            insert into messages (org_id, client_id, lead_id, sender_type, content, message_type, direction, provider, provider_message_id)
            select l.org_id, l.client_id, l.id, 'user', 'Hi', 'sms', 'outbound', 'twilio', 'out' || n from l, generate_series(1, 3) n";
        let db = connect(target).await;
        db.execute(sql, &[&org.id, &org.client_id, &org.project_id]).await.unwrap();
        let mut calls = Vec::new();
        for time in 0..TIMES {
            // Forwards and backwards, one at a time and many at once, of two strangers and of a lead.
            let mut events: Vec<_> = (0..6)
                .map(|n| {
                    let from = ["+14155552671", "+14155552672", "+14155550100"][n % 3];
                    message(&format!("m{n}"), from)
                })
                .collect();
            for (n, to) in ["sent", "delivered", "read"].into_iter().enumerate() {
                events.push(status(&format!("s{n}"), "out1", to));
                events.push(status(&format!("t{n}"), "out2", to));
            }
            if (time + round) % 2 == 1 {
                events.reverse();
            }
            if time % 3 == 2 {
                calls.extend(events.into_iter().map(|event| org.delivery(&json!([event]))));
            } else {
                let late = events.split_off(events.len() / 2);
                calls.push(org.delivery(&json!(events)));
                calls.push(org.delivery(&json!(late)));
            }
        }
        let outcomes = org.race(calls).await;
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
        let created = outcomes
            .iter()
            .flatten()
            .flat_map(|answer| answer["events"].as_array().unwrap())
            .filter(|event| event["created"] == true)
            .count();
        assert_eq!(created, 6);
        for (sql, expect) in [
            ("select count(*) from messages where org_id = $1 and direction = 'inbound'", 6),
            ("select count(*) from leads where org_id = $1", 3),
            ("select count(*) from conversations where org_id = $1", 3),
            ("select sum(message_count) from conversations where org_id = $1", 6),
            ("select count(*) from webhook_events where org_id = $1", 12),
            ("select count(*) from messages where org_id = $1 and status = 'read'", 2),
        ] {
            assert_eq!(org.count(sql).await, expect, "{sql}");
        }
        org.remove().await;
    }
}

async fn two_orgs_that_hear_from_one_number_stay_apart(target: Target) {
    let (one, other) = (Org::make(target).await, Org::make(target).await);
    let mut calls = Vec::new();
    for _ in 0..TIMES {
        for org in [&one, &other] {
            calls.push(org.delivery(&json!([message("m1", "+14155552671")])));
        }
    }
    let outcomes = race(target, calls).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    for org in [&one, &other] {
        for table in ["leads", "messages", "conversations", "webhook_events"] {
            let sql = format!("select count(*) from {table} where org_id = $1");
            assert_eq!(org.count(&sql).await, 1, "{table}");
        }
    }
    one.remove().await;
    other.remove().await;
}

async fn leads_made_at_once_go_round_the_team(target: Target) {
    let org = Org::make(target).await;
    let calls = (0..12)
        .map(|n| {
            let caller = As::User(org.users[n % 3]);
            let lead = json!({"project_id": org.project_id, "first_name": format!("Lead {n}")});
            (caller, "crm_create_lead", lead)
        })
        .collect();
    let outcomes = org.race(calls).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    let sql = "select count(*) from (select assigned_to from leads where org_id = $1 group by 1 having count(*) = 4) x";
    assert_eq!(org.count(sql).await, 3, "four for each of three");
    org.remove().await;
}

async fn one_conversation_is_opened_by_many(target: Target) {
    for _ in 0..rounds(ROUNDS) {
        let org = Org::make(target).await;
        let sql = "insert into leads (org_id, client_id, project_id, first_name) values ($1, $2, $3, 'Ada') returning id";
        let db = connect(target).await;
        let ids: [&(dyn ToSql + Sync); 3] = [&org.id, &org.client_id, &org.project_id];
        let lead: Uuid = db.query_one(sql, &ids).await.unwrap().get(0);
        let calls = (0..8)
            .map(|n| {
                let caller = As::User(org.users[n % 3]);
                (caller, "create_conversation", json!({"lead_id": lead, "channel": "sms"}))
            })
            .collect();
        let outcomes = org.race(calls).await;
        let first = outcomes[0].as_ref().unwrap();
        assert!(
            outcomes.iter().all(|made| made.as_ref().is_ok_and(|made| made == first)),
            "{outcomes:?}"
        );
        assert_eq!(org.count("select count(*) from conversations where org_id = $1").await, 1);
        org.remove().await;
    }
}

/// What the metrics of the org's projects are by a count of its leads, where they differ.
const DRIFT: &str = "
    with counted as (
      select l.project_id, u.period, date_trunc(u.unit, l.created_at at time zone o.time_zone)::date as date, count(*) as leads,
        count(*) filter (where l.status = 'converted') as converted
      from leads l join orgs o on o.id = l.org_id
      cross join (values ('daily', 'day'), ('weekly', 'week'), ('monthly', 'month')) as u (period, unit)
      where l.org_id = $1 group by 1, 2, 3
    ), expected as (
      select project_id, period, date, 'lead_count' as name, leads::numeric as value from counted
      union all select project_id, period, date, 'conversion_rate', round(converted::numeric / leads, 4) from counted
    )
    select count(*) from expected e
    full join (select * from metrics where org_id = $1 and entity_type = 'project') m
      on m.entity_id = e.project_id and m.period = e.period and m.date = e.date and m.metric_name = e.name
    where coalesce(e.value, 0) is distinct from coalesce(m.metric_value, 0)";

async fn figures_that_add_up_are_those_of_a_count(target: Target) {
    let org = Org::make(target).await;
    let db = connect(target).await;
    let sql = "insert into projects (org_id, client_id, name, created_by_user_id) values ($1, $2, 'Other', null) returning id";
    let other: Uuid = db.query_one(sql, &[&org.id, &org.client_id]).await.unwrap().get(0);
    let mut tasks = JoinSet::new();
    for session in 0..6_u64 {
        let (id, client_id, projects) = (org.id, org.client_id, [org.project_id, other]);
        tasks.spawn(async move {
            let mut db = connect(target).await;
            // A generator of one's own: what goes wrong goes wrong again.
            let mut seed = session * 7_919 + 17;
            let mut draw = |below: u64| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (seed >> 33) % below
            };
            for step in 0..40 {
                let (kind, days, many) = (draw(10), draw(50), 1 + draw(4));
                let project = projects[usize::try_from(draw(2)).unwrap()];
                let to = ["new", "converted", "lost", "converted"][usize::try_from(draw(4)).unwrap()];
                let keep = draw(8) > 0;
                let work = async {
                    let transaction = db.transaction().await?;
                    let (days, many) = (i32::try_from(days).unwrap(), i32::try_from(many).unwrap());
                    match kind {
                        0..=4 => {
                            let sql = "insert into leads (org_id, client_id, project_id, first_name, status, created_at)
                                select $1, $2, $3, 'x', $4, timestamptz '2026-03-01 03:00Z' + make_interval(days => $5 + n, hours => n * 5)
                                from generate_series(1, $6) n";
                            let values: [&(dyn ToSql + Sync); 6] = [&id, &client_id, &project, &to, &days, &many];
                            transaction.execute(sql, &values).await?;
                        }
                        5..=7 => {
                            let sql = "update leads set status = $2 where id in
                                (select id from leads where org_id = $1 order by id offset $3 limit $4 for update skip locked)";
                            transaction.execute(sql, &[&id, &to, &i64::from(days), &i64::from(many)]).await?;
                        }
                        8 => {
                            let sql = "update leads set project_id = $2, created_at = created_at - interval '3 hours' where id in
                                (select id from leads where org_id = $1 order by id offset $3 limit $4 for update skip locked)";
                            transaction.execute(sql, &[&id, &project, &i64::from(days), &i64::from(many)]).await?;
                        }
                        _ => {
                            let sql = "delete from leads where id in
                                (select id from leads where org_id = $1 order by id offset $2 limit 1 for update skip locked)";
                            transaction.execute(sql, &[&id, &i64::from(days)]).await?;
                        }
                    }
                    if keep { transaction.commit().await } else { transaction.rollback().await }
                };
                let outcome: Result<(), tokio_postgres::Error> = work.await;
                if let Err(error) = outcome {
                    // A deadlock takes all of it back: that is no drift.
                    assert_eq!(error.code().map(tokio_postgres::error::SqlState::code), Some("40P01"), "step {step}: {error:?}");
                }
            }
        });
    }
    tasks.join_all().await;
    assert!(org.count("select count(*) from leads where org_id = $1").await > 50);
    assert!(org.count("select count(*) from metrics where org_id = $1").await > 50);
    assert_eq!(org.count(DRIFT).await, 0);
    let db = connect(target).await;
    db.execute("update orgs set time_zone = 'Asia/Tokyo' where id = $1", &[&org.id]).await.unwrap();
    assert_eq!(org.count(DRIFT).await, 0, "in the days of another zone");
    db.execute("delete from projects where id = $1", &[&other]).await.unwrap();
    let sql = "select count(*) from metrics m where org_id = $1 and not exists (select from projects p where p.id = m.entity_id)";
    assert_eq!(org.count(sql).await, 0, "the figures of a project go with it");
    assert_eq!(org.count(DRIFT).await, 0);
    org.remove().await;
}

/// Conversations that say another number of messages, or another last one, than there is.
const MISCOUNTED: &str = "
    select count(*) from conversations c cross join lateral (
      select count(*) as messages, max(m.created_at) as last_at from messages m where m.org_id = c.org_id and m.conversation_id = c.id) m
    where c.org_id = $1 and (c.message_count, c.last_message_at) is distinct from (m.messages, m.last_at)";

async fn what_is_said_is_counted_as_a_count_counts_it(target: Target) {
    let org = Org::make(target).await;
    let mut tasks = JoinSet::new();
    for session in 0..6_u64 {
        let (id, user) = (org.id, As::User(org.users[0]));
        let deliveries = org.delivery(&json!([]));
        tasks.spawn(async move {
            let mut state = session * 7_919 + 17;
            let mut context = Context::start(target).await;
            for step in 0..40 {
                let person = |n: u64| format!("+1415555267{n}");
                let chosen = i64::try_from(dice(&mut state, 8)).unwrap();
                let kind = dice(&mut state, 10);
                let of_lead: Option<(Uuid, Uuid)> = {
                    let sql = "select lead_id, id from conversations where org_id = $1 order by lead_id, id offset $2 limit 1";
                    let row = context.client.query_opt(sql, &[&id, &chosen]).await.unwrap();
                    row.map(|row| (row.get(0), row.get(1)))
                };
                let outcome = match (kind, of_lead) {
                    (0..=3, _) | (_, None) => {
                        let events: Vec<_> = (0..=dice(&mut state, 3))
                            .map(|n| {
                                let mut event = message(&format!("{session}-{step}-{n}"), &person(dice(&mut state, 4)));
                                event["occurred_at"] = json!(format!("2026-01-{:02}T00:00:00Z", 1 + dice(&mut state, 28)));
                                event
                            })
                            .collect();
                        let (caller, name, mut arguments) = deliveries.clone();
                        arguments["events"] = json!(events);
                        context.call(caller, name, arguments).await
                    }
                    (4, Some((lead, _))) => {
                        let said = json!({"lead_id": lead, "content": "x", "platform": "sms"});
                        context.call(user, "process_incoming_message", said).await
                    }
                    (5 | 6, Some((_, conversation))) => {
                        let which = json!({"conversation_id": conversation});
                        context.call(user, "update_conversation_stats", which).await
                    }
                    (rest, Some((_, conversation))) => {
                        let sql = match rest {
                            7 => "update conversations set status = 'closed' where org_id = $1 and id = $2",
                            // Of two conversations at once.
                            8 => "delete from messages where org_id = $1 and id in (select m.id from messages m
                                where m.org_id = $1 and m.conversation_id >= $2 order by m.created_at desc limit 3)",
                            _ => "delete from leads where org_id = $1 and id = (select lead_id from conversations where id = $2) and random() < 0.3",
                        };
                        context.client.batch_execute("savepoint call").await.unwrap();
                        let done = context.client.execute(sql, &[&id, &conversation]).await;
                        if let Err(error) = &done {
                            // A deadlock takes all of it back: that is no drift.
                            assert_eq!(error.code().map(tokio_postgres::error::SqlState::code), Some("40P01"), "{error:?}");
                            context.client.batch_execute("rollback to call").await.unwrap();
                        }
                        Ok(Value::Null)
                    }
                };
                // Gone meanwhile, or to be tried again; nothing else.
                if let Err(error) = outcome {
                    let fine = [Code::Unavailable, Code::NotFound, Code::Conflict];
                    assert!(fine.contains(&error.code), "{error:?}");
                }
                let end = if dice(&mut state, 8) > 0 { "commit; begin" } else { "rollback; begin" };
                context.client.batch_execute(end).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    assert!(org.count("select count(*) from messages where org_id = $1").await > 20);
    assert!(org.count("select count(*) from conversations where org_id = $1").await > 3);
    assert_eq!(org.count(MISCOUNTED).await, 0);
    org.remove().await;
}

async fn a_form_sent_by_many_makes_one_lead(target: Target) {
    let org = Org::make(target).await;
    let mut calls = Vec::new();
    for n in 0..8 {
        // The same submission, and others of the same person.
        let fields = json!({"email": "ada@mail.example", "phone": "+1 415 555 2671", "n": n});
        let arguments =
            json!({"form_key": org.form, "fields": fields, "submission_id": format!("s{}", n / 2)});
        calls.push((As::Dba(Uuid::nil()), "crm_submit_form", arguments));
    }
    let outcomes = org.race(calls).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    let created = outcomes.iter().flatten().filter(|answer| answer["created"] == true).count();
    assert_eq!(created, 1);
    assert_eq!(org.count("select count(*) from leads where org_id = $1").await, 1);
    assert_eq!(org.count("select count(*) from webhook_events where org_id = $1").await, 4);
    org.remove().await;
}

async fn a_lead_converted_by_many_is_one_customer(target: Target) {
    let org = Org::make(target).await;
    let lead =
        json!({"project_id": org.project_id, "first_name": "Ada", "email": "ada@mail.example"});
    let made = org.race(vec![(As::User(org.users[0]), "crm_create_lead", lead)]).await;
    let id = made[0].as_ref().unwrap()["id"].clone();
    let calls = (0..6)
        .map(|n| (As::User(org.users[n % 3]), "crm_convert_lead", json!({"lead_id": id})))
        .collect();
    let outcomes = org.race(calls).await;
    let created = outcomes.iter().flatten().filter(|answer| answer["created"] == true).count();
    assert_eq!((outcomes.iter().flatten().count(), created), (6, 1));
    assert_eq!(org.count("select count(*) from customers where org_id = $1").await, 1);
    org.remove().await;
}
