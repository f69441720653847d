//! Booking under real parallel sessions that commit, on both databases.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use std::collections::HashMap;

use common::shop::{Person, Shop};
use common::{As, Context, Target, connect, rounds};
use fieldcrm_core::{Code, Error};
use serde_json::{Value, json};
use tokio::task::JoinSet;

const SESSIONS: usize = 16;
/// Races in a row, unless `RACE_ROUNDS` says otherwise.
const ROUNDS: usize = 3;

type Outcome = (Context, Result<Value, Error>);

/// A call for each session, all at once, each in a transaction of its own.
async fn race(
    sessions: Vec<Context>,
    call: impl Fn(usize) -> (As, &'static str, Value),
) -> Vec<Outcome> {
    let mut tasks = JoinSet::new();
    for (number, mut context) in sessions.into_iter().enumerate() {
        let (caller, name, arguments) = call(number);
        tasks.spawn(async move {
            let outcome = context.call(caller, name, arguments).await;
            let end = if outcome.is_ok() { "commit" } else { "rollback" };
            context.client.batch_execute(&format!("{end}; begin")).await.unwrap();
            (number, context, outcome)
        });
    }
    let mut outcomes = tasks.join_all().await;
    outcomes.sort_by_key(|(number, ..)| *number);
    outcomes.into_iter().map(|(_, context, outcome)| (context, outcome)).collect()
}

async fn sessions(target: Target) -> Vec<Context> {
    let mut sessions = Vec::new();
    for _ in 0..SESSIONS {
        sessions.push(Context::start(target).await);
    }
    sessions
}

async fn day(client: &tokio_postgres::Client) -> String {
    let sql = "select to_char((now() at time zone 'UTC')::date + 8, 'YYYY-MM-DD')";
    client.query_one(sql, &[]).await.unwrap().get(0)
}

/// Of two technicians, two times that exclude each other's neighbours: four visits for sixteen customers.
async fn of_many_who_want_few_slots_each_slot_is_given_once(target: Target) {
    let client = connect(target).await;
    let mut sessions = sessions(target).await;
    for round in 0..rounds(ROUNDS) {
        let shop = Shop::make(&client, 2, SESSIONS).await;
        let day = day(&client).await;
        // Half of them by a hold, half at once.
        let call = |number: usize| {
            let person = shop.people[number];
            let time = if number.is_multiple_of(2) { "09:00" } else { "10:30" };
            let mut arguments = person.ask(json!({"starts_at": format!("{day}T{time}:00Z")}));
            if number % 4 < 2 {
                return (person.caller(), "portal_hold_slot", arguments);
            }
            arguments["problem_description"] = json!("The tap drips.");
            (person.caller(), "portal_create_booking", arguments)
        };
        let mut won: HashMap<String, usize> = HashMap::new();
        let mut lost = Vec::new();
        let outcomes = race(sessions, call).await;
        sessions = Vec::new();
        for (number, (context, outcome)) in outcomes.into_iter().enumerate() {
            sessions.push(context);
            match outcome {
                Ok(slot) => {
                    *won.entry(slot["starts_at"].as_str().unwrap()[11..16].to_owned())
                        .or_default() += 1;
                }
                Err(error) => lost.push((number, error)),
            }
        }
        assert_eq!(
            won,
            HashMap::from([("09:00".to_owned(), 2), ("10:30".to_owned(), 2)]),
            "round {round}"
        );
        assert_eq!(lost.len(), SESSIONS - 4);
        let kept = "select count(*) from fieldcrm.reservations where org_id = $1";
        assert_eq!(shop.count(&client, kept).await, 4);
        for (number, error) in lost {
            assert_eq!(error.code, Code::SlotTaken);
            let person: Person = shop.people[number];
            let offered = error.data["alternatives"].as_array().unwrap();
            assert_eq!(offered.len(), 3);
            let asked = person.ask(json!({"from_date": day, "to_date": day}));
            let found =
                sessions[0].call(person.caller(), "portal_available_slots", asked).await.unwrap();
            let free: Vec<_> = found["slots"].as_array().unwrap().clone();
            // They were free when they were offered; since then only the morning, which was raced for, was taken.
            let noon = format!("{day}T12:00:00Z");
            let still = |slot: &Value| {
                slot["starts_at"].as_str().unwrap() < noon.as_str()
                    || free.iter().any(|one| one == slot)
            };
            assert!(offered.iter().all(still), "{offered:?} of {free:?}");
        }
        sessions[0].client.batch_execute("rollback; begin").await.unwrap();
        shop.remove(&client).await;
    }
}

/// Neighbours that leave no time for the way between them: only the lock keeps them apart, no constraint can.
async fn neighbours_booked_at_once_leave_time_for_the_way(target: Target) {
    let client = connect(target).await;
    let mut sessions = sessions(target).await;
    for _ in 0..rounds(ROUNDS) {
        let shop = Shop::make(&client, 1, SESSIONS).await;
        let day = day(&client).await;
        // Each is an hour and a half from the next one.
        for (number, person) in shop.people.iter().enumerate() {
            let sql = "update customer_locations set latitude = 40 + $2::int % 2 * 0.5, longitude = 10 where id = $1";
            client
                .execute(sql, &[&person.location, &i32::try_from(number).unwrap()])
                .await
                .unwrap();
        }
        let call = |number: usize| {
            let person = shop.people[number];
            let time = if number.is_multiple_of(2) { "13:00" } else { "14:30" };
            let arguments = person.ask(json!({"starts_at": format!("{day}T{time}:00Z")}));
            (person.caller(), "portal_hold_slot", arguments)
        };
        let mut won = 0;
        let outcomes = race(sessions, call).await;
        sessions = Vec::new();
        for (context, outcome) in outcomes {
            sessions.push(context);
            won += usize::from(outcome.is_ok());
        }
        assert_eq!(won, 1);
        shop.remove(&client).await;
    }
}

/// A capacity of one, however many technicians are free.
async fn a_capacity_is_not_exceeded_at_once(target: Target) {
    let client = connect(target).await;
    let mut sessions = sessions(target).await;
    for _ in 0..rounds(ROUNDS) {
        let shop = Shop::make(&client, 6, SESSIONS).await;
        shop.run(&client, "update service_types set capacity = 3 where org_id = $1").await;
        let day = day(&client).await;
        let call = |number: usize| {
            let person = shop.people[number];
            (
                person.caller(),
                "portal_hold_slot",
                person.ask(json!({"starts_at": format!("{day}T09:00:00Z")})),
            )
        };
        let outcomes = race(sessions, call).await;
        sessions = Vec::new();
        let mut won = 0;
        for (context, outcome) in outcomes {
            sessions.push(context);
            won += usize::from(outcome.is_ok());
        }
        assert_eq!(won, 3);
        shop.remove(&client).await;
    }
}

/// One key from many sessions of one account: one hold, and everybody gets it.
async fn the_same_key_at_once_is_one_hold(target: Target) {
    let client = connect(target).await;
    let shop = Shop::make(&client, 4, 1).await;
    let day = day(&client).await;
    let ada = shop.people[0];
    let call = |_| {
        let more = json!({"starts_at": format!("{day}T09:00:00Z"), "idempotency_key": "once"});
        (ada.caller(), "portal_hold_slot", ada.ask(more))
    };
    let outcomes = race(sessions(target).await, call).await;
    let first = outcomes[0].1.clone().unwrap();
    assert!(outcomes.iter().all(|(_, outcome)| outcome.as_ref() == Ok(&first)));
    assert_eq!(
        shop.count(&client, "select count(*) from portal_booking_holds where org_id = $1").await,
        1
    );
    // Without keys, the account gets what it may keep and no more.
    let call = |_| {
        (
            ada.caller(),
            "portal_hold_slot",
            ada.ask(json!({"starts_at": format!("{day}T13:00:00Z")})),
        )
    };
    let contexts = outcomes.into_iter().map(|(context, _)| context).collect();
    let outcomes = race(contexts, call).await;
    assert_eq!(outcomes.iter().filter(|(_, outcome)| outcome.is_ok()).count(), 2);
    drop(outcomes);
    shop.remove(&client).await;
}

/// What a session did not commit was never there; a hold that its owner was killed after runs out.
async fn a_session_that_is_killed_leaves_nothing_for_good(target: Target) {
    let client = connect(target).await;
    let shop = Shop::make(&client, 1, 2).await;
    let day = day(&client).await;
    let (ada, bob) = (shop.people[0], shop.people[1]);
    let wish = |person: &Person| person.ask(json!({"starts_at": format!("{day}T09:00:00Z")}));
    let mut first = Context::start(target).await;
    let held = first.call(ada.caller(), "portal_hold_slot", wish(&ada)).await.unwrap();
    first.client.batch_execute("commit; begin").await.unwrap();
    let arguments = json!({"hold_id": held["id"], "problem_description": "x"});
    first.call(ada.caller(), "portal_create_booking", arguments).await.unwrap();
    // Killed before it commits: the hold is as it was, and holds.
    let pid: i32 = first.client.query_one("select pg_backend_pid()", &[]).await.unwrap().get(0);
    let killed: bool =
        client.query_one("select pg_terminate_backend($1, 10000)", &[&pid]).await.unwrap().get(0);
    assert!(killed);
    let requests = "select count(*) from portal_booking_requests where org_id = $1";
    assert_eq!(shop.count(&client, requests).await, 0);
    let mut second = Context::start(target).await;
    second.refused(bob.caller(), "portal_hold_slot", wish(&bob), Code::SlotTaken).await;
    shop.run(&client, "update portal_booking_holds set expires_at = now() - interval '1 second' where org_id = $1").await;
    second.call(bob.caller(), "portal_hold_slot", wish(&bob)).await.unwrap();
    second.client.batch_execute("commit").await.unwrap();
    let kept = "select count(*) from fieldcrm.reservations where org_id = $1";
    assert_eq!(shop.count(&client, kept).await, 1);
    shop.remove(&client).await;
}

/// Staff write tables, customers call RPCs: the same time of one technician goes to one of them.
async fn staff_and_customers_do_not_book_the_same_time(target: Target) {
    let client = connect(target).await;
    for _ in 0..rounds(ROUNDS) {
        let shop = Shop::make(&client, 1, SESSIONS).await;
        let day = day(&client).await;
        let mut tasks = JoinSet::new();
        for (number, person) in shop.people.iter().copied().enumerate() {
            let (org, staff, technician, day) =
                (shop.org_id, shop.staff, shop.technicians[0], day.clone());
            tasks.spawn(async move {
                let mut context = Context::start(target).await;
                let done = if number % 2 == 0 {
                    let arguments = person.ask(json!({"starts_at": format!("{day}T10:00:00Z")}));
                    match context.call(person.caller(), "portal_hold_slot", arguments).await {
                        Err(error) => {
                            assert_eq!(error.code, Code::SlotTaken);
                            false
                        }
                        Ok(_) => true,
                    }
                } else {
                    context.enter(As::User(staff), "authenticated").await;
                    let sql = format!("insert into work_orders (org_id, customer_id, technician_id, title, window_start, window_end)
                        values ('{org}', '{}', '{technician}', 'x', '{day}T10:30:00Z', '{day}T12:00:00Z')", person.customer);
                    match context.client.batch_execute(&sql).await {
                        Err(error) => {
                            assert_eq!(error.code().unwrap().code(), "23P01");
                            false
                        }
                        Ok(()) => true,
                    }
                };
                let end = if done { "commit" } else { "rollback" };
                context.client.batch_execute(end).await.unwrap();
                usize::from(done)
            });
        }
        assert_eq!(tasks.join_all().await.into_iter().sum::<usize>(), 1);
        shop.remove(&client).await;
    }
}

/// It keeps the technicians that it booked until it ends: who waits then makes others wait.
async fn the_job_waits_for_nobody(target: Target) {
    let mut client = connect(target).await;
    let shop = Shop::make(&client, 1, 1).await;
    shop.set(&client, json!({"auto_schedule": true})).await;
    let ada = shop.people[0];
    let mut wish = ada.ask(json!({"preferred_service_date": day(&client).await}));
    wish["problem_description"] = json!("x");
    let mut context = Context::start(target).await;
    context.call(ada.caller(), "portal_create_booking", wish).await.unwrap();
    context.client.batch_execute("commit; begin; set lock_timeout = '2s'").await.unwrap();
    let other = client.transaction().await.unwrap();
    let lock = "select pg_advisory_xact_lock(hashtextextended('fieldcrm.technician:' || $1::uuid, 0))::text";
    other.query_one(lock, &[&shop.technicians[0]]).await.unwrap();
    for (scheduled, end) in [(0, Some(other)), (1, None)] {
        let done =
            context.call(As::Dba(shop.org_id), "crm_process_bookings", json!({})).await.unwrap();
        assert_eq!(done, json!({"scheduled": scheduled, "under_review": 0, "expired_holds": 0}));
        context.client.batch_execute("commit; begin").await.unwrap();
        if let Some(other) = end {
            other.rollback().await.unwrap();
        }
    }
    drop(context);
    shop.remove(&client).await;
}

macro_rules! on_both {
    ($($name:ident)*) => {
        mod native { $(#[tokio::test] async fn $name() { super::$name(super::Target::Native).await; })* }
        mod extension { $(#[tokio::test] async fn $name() { super::$name(super::Target::Extension).await; })* }
    };
}

on_both! {
    of_many_who_want_few_slots_each_slot_is_given_once
    neighbours_booked_at_once_leave_time_for_the_way
    a_capacity_is_not_exceeded_at_once
    the_same_key_at_once_is_one_hold
    a_session_that_is_killed_leaves_nothing_for_good
    staff_and_customers_do_not_book_the_same_time
    the_job_waits_for_nobody
}
