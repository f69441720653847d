//! What staff make of requests, and what holds for them too, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod booking_sample;
mod common;

use booking_sample::{ALL_DAY, BOOK, at, book, day, free, hold};
use common::shop::Shop;
use common::{As, Context};
use fieldcrm_core::Code;
use serde_json::json;

scenarios! {
    a_hold_that_ran_out_is_not_in_the_way_of_staff_either
    staff_decide_each_request_once
    staff_cannot_book_a_technician_twice_either
    staff_see_who_could_come_the_shortest_way_first
    a_request_outlives_its_location_and_keeps_its_time
}

const RUN_OUT: &str =
    "update portal_booking_holds set expires_at = now() - interval '1 second' where org_id = $1";

async fn a_hold_that_ran_out_is_not_in_the_way_of_staff_either(context: &mut Context) {
    let shop = Shop::make(&context.client, 1, 1).await;
    let ada = shop.people[0];
    let starts = at(context, "10:00").await;
    let technician = shop.technicians[0];
    let left = "select count(*) from portal_booking_holds where org_id = $1";
    for sql in [
        format!("insert into work_orders (org_id, customer_id, technician_id, title, window_start, window_end)
            values ('{}', '{}', '{technician}', 'x', '{starts}', timestamptz '{starts}' + interval '1 hour')", shop.org_id, ada.customer),
        format!("update work_orders set window_start = window_start + interval '4 hours', window_end = window_end + interval '4 hours'
            where org_id = '{}'", shop.org_id),
    ] {
        hold(context, &ada, if sql.starts_with("insert") { "10:00" } else { "14:00" }).await;
        shop.run(&context.client, RUN_OUT).await;
        context.enter(As::User(shop.staff), "authenticated").await;
        assert_eq!(context.client.execute(&sql, &[]).await.unwrap(), 1);
        context.client.batch_execute("reset role").await.unwrap();
        assert_eq!(shop.count(&context.client, left).await, 0);
    }
}

async fn staff_decide_each_request_once(context: &mut Context) {
    let shop = Shop::make(&context.client, 1, 1).await;
    let (ada, staff) = (shop.people[0], As::User(shop.staff));
    let review = "crm_review_booking";
    let booking =
        book(context, &ada, ada.ask(json!({"starts_at": at(context, "10:00").await}))).await;
    let id = &booking["id"];
    for (decision, status) in [("under_review", "under_review"), ("approve", "approved")] {
        let arguments = json!({"id": id, "decision": decision, "note": "Soon"});
        let row = context.call(staff, review, arguments).await.unwrap();
        assert_eq!(
            (&row["status"], &row["reviewed_by_user_id"]),
            (&json!(status), &json!(shop.staff))
        );
    }
    assert_ne!(free(context, &ada).await, ALL_DAY);
    let rejected = json!({"id": id, "decision": "reject"});
    context.call(staff, review, rejected.clone()).await.unwrap();
    assert_eq!(free(context, &ada).await, ALL_DAY, "the slot is free again");
    context.call(staff, review, rejected).await.unwrap();
    let seen = context.call(ada.caller(), "portal_get_booking", json!({"id": id})).await.unwrap();
    assert_eq!((&seen["status"], &seen["review_note"]), (&json!("rejected"), &json!("Soon")));
    for (name, arguments) in [
        (review, json!({"id": id, "decision": "approve"})),
        ("crm_schedule_booking", json!({"id": id})),
    ] {
        let error = context.refused(staff, name, arguments, Code::WrongState).await;
        assert_eq!(error.data["status"], "rejected");
    }
    context
        .refused(ada.caller(), review, json!({"id": id, "decision": "approve"}), Code::Forbidden)
        .await;
}

async fn staff_cannot_book_a_technician_twice_either(context: &mut Context) {
    let shop = Shop::make(&context.client, 1, 2).await;
    let (ada, bob, staff) = (shop.people[0], shop.people[1], As::User(shop.staff));
    hold(context, &ada, "10:00").await;
    let booking = book(context, &bob, bob.ask(json!({}))).await;
    let arguments = json!({"id": booking["id"], "technician_id": shop.technicians[0],
        "starts_at": at(context, "10:30").await});
    let error = context.refused(staff, "crm_schedule_booking", arguments, Code::SlotTaken).await;
    assert_eq!(error.data["alternatives"].as_array().unwrap().len(), 3);
    let arguments = json!({"id": booking["id"], "technician_id": ada.user, "starts_at": at(context, "15:00").await});
    let error =
        context.refused(staff, "crm_schedule_booking", arguments, Code::InvalidArgument).await;
    assert_eq!(error.errors[0].code, "unknown_technician");
}

async fn staff_see_who_could_come_the_shortest_way_first(context: &mut Context) {
    let shop = Shop::make(&context.client, 3, 1).await;
    let ada = shop.people[0];
    // The first has a visit far away, the second one nearby, the third none.
    shop.run(
        &context.client,
        "update customer_locations set latitude = 39.8, longitude = -89.6 where org_id = $1",
    )
    .await;
    for (index, latitude) in [(0, 39.9), (1, 39.81)] {
        let starts = at(context, "09:00").await;
        let sql = format!("with l as (insert into customer_locations (org_id, customer_id, address_line1, city, latitude, longitude)
              values ($1, '{}', 'x', 'y', {latitude}, -89.6) returning id)
            insert into work_orders (org_id, customer_id, location_id, technician_id, title, window_start, window_end)
            select $1, '{}', id, '{}', 'x', timestamptz '{starts}', timestamptz '{starts}' + interval '1 hour' from l",
            ada.customer, ada.customer, shop.technicians[index]);
        shop.run(&context.client, &sql).await;
    }
    let day = day(context).await;
    let asked = ada.ask(json!({"from_date": day, "to_date": day}));
    let found = context.call(As::User(shop.staff), "crm_available_slots", asked).await.unwrap();
    let who = |time: &str| {
        let slots = found["slots"].as_array().unwrap();
        let slot = slots.iter().find(|slot| slot["starts_at"].as_str().unwrap()[11..16] == *time);
        slot.unwrap()["technician_ids"].clone()
    };
    let [far, near, idle] = shop.technicians[..] else { panic!() };
    assert_eq!(who("09:00"), json!([idle]));
    // 11 km at 40 km/h is more than a quarter of an hour.
    assert_eq!(who("10:00"), json!([idle]), "a kilometer is a minute and a half: not by 10");
    assert_eq!(who("10:30"), json!([idle, near, far]));
}

async fn a_request_outlives_its_location_and_keeps_its_time(context: &mut Context) {
    let shop = Shop::make(&context.client, 1, 1).await;
    let (ada, staff) = (shop.people[0], As::User(shop.staff));
    let booking =
        book(context, &ada, ada.ask(json!({"starts_at": at(context, "10:00").await}))).await;
    let kept = hold(context, &ada, "14:00").await;
    let gone = "delete from customer_locations where org_id = $1";
    shop.run(&context.client, gone).await;
    let status = "select status::text, location_id from portal_booking_requests where org_id = $1";
    let row = context.client.query_one(status, &[&shop.org_id]).await.unwrap();
    assert_eq!((row.get(0), row.get::<_, Option<uuid::Uuid>>(1)), ("submitted", None));
    // Nobody knows where: it goes to staff, and not by itself.
    shop.set(&context.client, json!({"auto_schedule": true})).await;
    let done = context.call(As::Dba(shop.org_id), "crm_process_bookings", json!({})).await.unwrap();
    assert_eq!((&done["scheduled"], &done["under_review"]), (&json!(0), &json!(1)));
    let held = json!({"hold_id": kept["id"], "problem_description": "The tap drips."});
    context.refused(ada.caller(), BOOK, held, Code::NotFound).await;
    let taken = "select count(*) from fieldcrm.reservations where org_id = $1";
    assert_eq!(shop.count(&context.client, taken).await, 2);
    let visit = context.call(staff, "crm_schedule_booking", json!({"id": booking["id"]})).await;
    assert_eq!(visit.unwrap()["status"], "scheduled");
}
