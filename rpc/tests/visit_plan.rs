//! Visits that come again, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use common::shop::Shop;
use common::{As, Context, Target, connect};
use fieldcrm_core::Code;
use serde_json::{Value, json};
use tokio::task::JoinSet;

const MAKE: &str = "crm_make_planned_visits";

scenarios! {
    each_day_of_a_plan_is_made_once
    what_was_canceled_moved_or_deleted_does_not_come_again
    a_technician_who_is_elsewhere_is_left_out
    rules_that_cannot_be_read_are_told
    the_time_is_that_of_the_clock_on_the_day
    only_jobs_make_them
}

async fn plan(context: &Context, shop: &Shop, rrule: &str, technician: bool) {
    let ada = shop.people[0];
    let technician =
        if technician { format!("'{}'", shop.technicians[0]) } else { "null".to_owned() };
    let sql = format!("insert into visit_plans (org_id, customer_id, location_id, technician_id, service_type, title, starts_on, start_time, rrule)
        values ($1, '{}', '{}', {technician}, 'repair', 'Inspection', (now() at time zone 'UTC')::date + 1, '10:00', '{rrule}')",
        ada.customer, ada.location);
    shop.run(&context.client, &sql).await;
}

async fn make(context: &mut Context, shop: &Shop) -> Value {
    context.call(As::Dba(shop.org_id), MAKE, json!({})).await.unwrap()
}

const MADE: &str = "select count(*) from work_orders where org_id = $1";

async fn each_day_of_a_plan_is_made_once(context: &mut Context) {
    let shop = Shop::make(&context.client, 1, 1).await;
    plan(context, &shop, "FREQ=WEEKLY;COUNT=4", true).await;
    plan(context, &shop, "FREQ=YEARLY", false).await;
    assert_eq!(make(context, &shop).await, json!({"plans": 2, "made": 5, "invalid": []}));
    assert_eq!(make(context, &shop).await, json!({"plans": 0, "made": 0, "invalid": []}));
    shop.run(&context.client, "update visit_plans set made_until = null where org_id = $1").await;
    assert_eq!(make(context, &shop).await["made"], 0, "known by their days");
    let sql = "select count(*) from work_orders where org_id = $1 and status = 'scheduled' and occurrence_on = (window_start at time zone 'UTC')::date
        and window_end - window_start = interval '1 hour' and title = 'Inspection' and technician_id is not null";
    assert_eq!(shop.count(&context.client, sql).await, 4);
    assert_eq!(
        shop.count(&context.client, "select count(*) from fieldcrm.reservations where org_id = $1")
            .await,
        4
    );
}

async fn what_was_canceled_moved_or_deleted_does_not_come_again(context: &mut Context) {
    let shop = Shop::make(&context.client, 1, 1).await;
    plan(context, &shop, "FREQ=WEEKLY;COUNT=3", true).await;
    make(context, &shop).await;
    shop.run(&context.client, "update work_orders set status = 'canceled' where org_id = $1 and occurrence_on = (select min(occurrence_on) from work_orders where org_id = $1)").await;
    shop.run(&context.client, "update work_orders set window_start = window_start + interval '2 days', window_end = window_end + interval '2 days'
        where org_id = $1 and occurrence_on = (select min(occurrence_on) + 7 from work_orders where org_id = $1)").await;
    shop.run(&context.client, "delete from work_orders where org_id = $1 and occurrence_on = (select max(occurrence_on) from work_orders where org_id = $1)").await;
    shop.run(
        &context.client,
        "update visit_plans set made_until = made_until - 1 where org_id = $1",
    )
    .await;
    assert_eq!(make(context, &shop).await, json!({"plans": 1, "made": 0, "invalid": []}));
    // Another rule begins anew, for other days.
    shop.run(
        &context.client,
        "update visit_plans set rrule = 'FREQ=WEEKLY;COUNT=2' where org_id = $1",
    )
    .await;
    assert_eq!(make(context, &shop).await["made"], 0);
    shop.run(
        &context.client,
        "update visit_plans set rrule = 'FREQ=DAILY;COUNT=2' where org_id = $1",
    )
    .await;
    assert_eq!(make(context, &shop).await["made"], 1);
    shop.run(
        &context.client,
        "update visit_plans set is_active = false, made_until = null where org_id = $1",
    )
    .await;
    assert_eq!(make(context, &shop).await["plans"], 0);
}

async fn a_technician_who_is_elsewhere_is_left_out(context: &mut Context) {
    let shop = Shop::make(&context.client, 1, 1).await;
    let (ada, technician) = (shop.people[0], shop.technicians[0]);
    let sql = format!("insert into work_orders (org_id, customer_id, technician_id, title, window_start, window_end)
        select $1, '{}', '{technician}', 'Elsewhere', d + time '09:30', d + time '10:30' from (select (now() at time zone 'UTC')::date + 8 as d) x", ada.customer);
    shop.run(&context.client, &sql).await;
    plan(context, &shop, "FREQ=WEEKLY;COUNT=3", true).await;
    // Two plans for one technician at one time, too.
    plan(context, &shop, "FREQ=WEEKLY;COUNT=1", true).await;
    assert_eq!(make(context, &shop).await["made"], 4);
    let alone = "select count(*) from work_orders where org_id = $1 and technician_id is null";
    assert_eq!(shop.count(&context.client, alone).await, 2);
}

async fn rules_that_cannot_be_read_are_told(context: &mut Context) {
    let shop = Shop::make(&context.client, 1, 1).await;
    plan(context, &shop, "every spring", false).await;
    plan(context, &shop, "FREQ=WEEKLY;COUNT=2", false).await;
    let done = make(context, &shop).await;
    assert_eq!(done["made"], 2);
    assert_eq!(done["invalid"].as_array().unwrap().len(), 1);
    shop.run(&context.client, "update visit_plans set rrule = 'FREQ=WEEKLY;COUNT=3' where org_id = $1 and rrule = 'every spring'").await;
    assert_eq!(make(context, &shop).await["made"], 3);
}

async fn the_time_is_that_of_the_clock_on_the_day(context: &mut Context) {
    let shop = Shop::make(&context.client, 1, 1).await;
    shop.run(&context.client, "update orgs set time_zone = 'Australia/Lord_Howe' where id = $1")
        .await;
    plan(context, &shop, "FREQ=DAILY;COUNT=40", false).await;
    assert!(make(context, &shop).await["made"].as_i64().unwrap() >= 39);
    let sql = "select count(*) from work_orders where org_id = $1
        and (window_start at time zone 'Australia/Lord_Howe')::timestamp <> occurrence_on + time '10:00'";
    assert_eq!(shop.count(&context.client, sql).await, 0);
}

async fn only_jobs_make_them(context: &mut Context) {
    let shop = Shop::make(&context.client, 1, 1).await;
    for caller in [As::User(shop.staff), shop.people[0].caller()] {
        context.refused(caller, MAKE, json!({}), Code::Forbidden).await;
    }
}

/// Two clocks that strike at once make each visit once.
async fn many_sessions_at_once_make_each_visit_once(target: Target) {
    let client = connect(target).await;
    let shop = Shop::make(&client, 2, 1).await;
    let context = Context::start(target).await;
    for _ in 0..6 {
        plan(&context, &shop, "FREQ=WEEKLY;COUNT=4", true).await;
    }
    context.client.batch_execute("commit").await.unwrap();
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let org_id = shop.org_id;
        tasks.spawn(async move {
            let mut context = Context::start(target).await;
            for _ in 0..3 {
                context.call(As::Dba(org_id), MAKE, json!({"batch_limit": 1})).await.unwrap();
                context.client.batch_execute("commit; begin").await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(shop.count(&client, MADE).await, 24);
    shop.remove(&client).await;
}

mod race {
    mod native {
        #[tokio::test]
        async fn many_sessions_at_once_make_each_visit_once() {
            super::super::many_sessions_at_once_make_each_visit_once(crate::Target::Native).await;
        }
    }
    mod extension {
        #[tokio::test]
        async fn many_sessions_at_once_make_each_visit_once() {
            super::super::many_sessions_at_once_make_each_visit_once(crate::Target::Extension)
                .await;
        }
    }
}
