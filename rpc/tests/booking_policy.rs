//! What customers may do with their visits, and what happens to requests by itself, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use common::shop::{Person, Shop};
use common::{As, Context};
use fieldcrm_core::Code;
use serde_json::{Value, json};

const RESCHEDULE: &str = "portal_reschedule_appointment";
const CANCEL: &str = "portal_cancel_appointment";
const PROCESS: &str = "crm_process_bookings";

scenarios! {
    a_visit_moves_to_a_free_time_and_frees_its_own
    it_moves_as_often_as_the_org_lets_it
    it_stays_where_it_is_when_it_is_late
    a_time_that_is_taken_is_refused_with_others
    a_canceled_visit_is_free_and_tells_the_fee
    only_visits_that_are_seen_can_be_changed
    what_nobody_looked_at_is_put_before_the_staff
    wishes_become_visits_where_the_org_wants_that
    holds_that_ran_out_go
    a_kept_slot_whose_time_is_over_is_free
    an_account_has_twenty_open_bookings_at_most
    a_suspended_account_holds_nothing_and_gets_no_visit_by_itself
}

async fn at(context: &Context, days: i32, time: &str) -> String {
    let sql = "select to_char((now() at time zone 'UTC')::date + $1::int, 'YYYY-MM-DD')";
    let day: String = context.client.query_one(sql, &[&days]).await.unwrap().get(0);
    format!("{day}T{time}:00Z")
}

/// A visit that the customer booked, a week from now at that time.
async fn visit(context: &mut Context, person: &Person, time: &str) -> Value {
    let mut arguments = person.ask(json!({"starts_at": at(context, 8, time).await}));
    arguments["problem_description"] = json!("The tap drips.");
    let booking = context.call(person.caller(), "portal_create_booking", arguments).await.unwrap();
    assert_eq!(booking["status"], "scheduled");
    booking["related_work_order_id"].clone()
}

async fn shop(context: &Context, technicians: usize, people: usize, settings: Value) -> Shop {
    let shop = Shop::make(&context.client, technicians, people).await;
    let mut all = json!({"auto_schedule": true, "cancel_fee_note": "50 EUR within a day."});
    for (key, value) in settings.as_object().unwrap() {
        all[key] = value.clone();
    }
    shop.set(&context.client, all).await;
    shop
}

async fn a_visit_moves_to_a_free_time_and_frees_its_own(context: &mut Context) {
    let shop = shop(context, 2, 1, json!({})).await;
    let ada = shop.people[0];
    let id = visit(context, &ada, "10:00").await;
    let who = "select count(distinct technician_id) from work_orders where org_id = $1";
    // Overlaps with itself: that is no reason.
    for time in ["10:30", "14:00"] {
        let starts_at = at(context, 8, time).await;
        let arguments =
            json!({"id": id, "starts_at": starts_at, "reason": " Away ", "idempotency_key": time});
        let moved = context.call(ada.caller(), RESCHEDULE, arguments.clone()).await.unwrap();
        assert_eq!(&moved["window_start"].as_str().unwrap()[11..16], time);
        assert_eq!(moved["fee_note"], Value::Null);
        assert_eq!(context.call(ada.caller(), RESCHEDULE, arguments).await.unwrap(), moved);
        assert_eq!(shop.count(&context.client, who).await, 1, "the same technician");
    }
    let reservations = "select count(*) from fieldcrm.reservations where org_id = $1 and to_char(lower(during) at time zone 'UTC', 'HH24:MI') = '14:00'
        and upper(during) - lower(during) = interval '75 minutes'";
    assert_eq!(shop.count(&context.client, reservations).await, 1);
    let sql = "select count(*) from portal_booking_requests b join work_orders w on w.id = b.related_work_order_id
        where b.org_id = $1 and b.starts_at = w.window_start and w.reschedule_count = 2";
    assert_eq!(shop.count(&context.client, sql).await, 1, "the request tells the same");
    let sql = "select count(*) from crm_interactions where org_id = $1 and subject = 'Appointment moved' and body = 'Away'";
    assert_eq!(shop.count(&context.client, sql).await, 2);
    let sql = "select count(*) from portal_audit_events where org_id = $1 and event_type = 'appointment_rescheduled' and not event_payload ? 'reason'";
    assert_eq!(shop.count(&context.client, sql).await, 2);
    // Where it is already, it stays, and that is no move.
    let same = json!({"id": id, "starts_at": at(context, 8, "14:00").await});
    let same = context.call(ada.caller(), RESCHEDULE, same).await.unwrap();
    assert_eq!(same["reschedule_count"], 2);
}

async fn it_moves_as_often_as_the_org_lets_it(context: &mut Context) {
    let shop = shop(context, 1, 1, json!({"max_reschedules": 1})).await;
    let ada = shop.people[0];
    let id = visit(context, &ada, "10:00").await;
    let first = json!({"id": id, "starts_at": at(context, 8, "13:00").await});
    context.call(ada.caller(), RESCHEDULE, first).await.unwrap();
    let second = json!({"id": id, "starts_at": at(context, 8, "15:00").await});
    let error = context.refused(ada.caller(), RESCHEDULE, second, Code::BookingPolicy).await;
    assert_eq!(error.data["reason"], "too_often");
}

async fn it_stays_where_it_is_when_it_is_late(context: &mut Context) {
    let shop =
        shop(context, 1, 1, json!({"reschedule_hours_before": 300, "cancel_hours_before": 300}))
            .await;
    let ada = shop.people[0];
    let id = visit(context, &ada, "10:00").await;
    let later = json!({"id": id, "starts_at": at(context, 20, "10:00").await});
    let error = context.refused(ada.caller(), RESCHEDULE, later, Code::BookingPolicy).await;
    assert_eq!(error.data["reason"], "too_late");
    let error = context.refused(ada.caller(), CANCEL, json!({"id": id}), Code::BookingPolicy).await;
    assert_eq!(
        (&error.data["reason"], &error.data["fee_note"]),
        (&json!("too_late"), &json!("50 EUR within a day."))
    );
    shop.run(&context.client, "update work_orders set status = 'on_site' where org_id = $1").await;
    context.refused(ada.caller(), CANCEL, json!({"id": id}), Code::WrongState).await;
}

async fn a_time_that_is_taken_is_refused_with_others(context: &mut Context) {
    let shop = shop(context, 1, 2, json!({})).await;
    let (ada, bob) = (shop.people[0], shop.people[1]);
    let id = visit(context, &ada, "10:00").await;
    visit(context, &bob, "14:00").await;
    let arguments = json!({"id": id, "starts_at": at(context, 8, "14:30").await});
    let error = context.refused(ada.caller(), RESCHEDULE, arguments, Code::SlotTaken).await;
    let offered: Vec<_> = error.data["alternatives"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["starts_at"].as_str().unwrap()[11..16].to_owned())
        .collect();
    assert_eq!(offered, ["15:30", "16:00", "09:00"]);
    let sql = "select count(*) from work_orders where org_id = $1 and reschedule_count = 0";
    assert_eq!(shop.count(&context.client, sql).await, 2);
    // With a second technician it goes, and the visit is theirs.
    let mut shop = shop;
    let other = shop.hire(&context.client).await;
    let arguments = json!({"id": id, "starts_at": at(context, 8, "14:30").await});
    context.call(ada.caller(), RESCHEDULE, arguments).await.unwrap();
    let sql = format!(
        "select count(*) from fieldcrm.reservations where org_id = $1 and technician_id = '{other}'"
    );
    assert_eq!(shop.count(&context.client, &sql).await, 1);
    // What is not booked here is not moved here.
    shop.run(&context.client, "update work_orders set service_type = 'roofing' where org_id = $1")
        .await;
    let arguments = json!({"id": id, "starts_at": at(context, 8, "09:00").await});
    let error = context.refused(ada.caller(), RESCHEDULE, arguments, Code::BookingPolicy).await;
    assert_eq!(error.data["reason"], "not_bookable");
}

async fn a_canceled_visit_is_free_and_tells_the_fee(context: &mut Context) {
    let shop = shop(context, 1, 2, json!({})).await;
    let (ada, bob) = (shop.people[0], shop.people[1]);
    let id = visit(context, &ada, "10:00").await;
    let arguments = json!({"id": id, "reason": "Sold the house"});
    let canceled = context.call(ada.caller(), CANCEL, arguments).await.unwrap();
    assert_eq!(
        (&canceled["status"], &canceled["fee_note"]),
        (&json!("canceled"), &json!("50 EUR within a day."))
    );
    assert_eq!(context.call(ada.caller(), CANCEL, json!({"id": id})).await.unwrap(), canceled);
    visit(context, &bob, "10:00").await;
    let sql = "select count(*) from work_orders w join portal_booking_requests b on b.related_work_order_id = w.id
        where w.org_id = $1 and w.cancel_reason = 'Sold the house' and w.canceled_at is not null and b.status = 'canceled_by_customer'";
    assert_eq!(shop.count(&context.client, sql).await, 1);
    let arguments = json!({"id": id, "starts_at": at(context, 8, "13:00").await});
    context.refused(ada.caller(), RESCHEDULE, arguments, Code::WrongState).await;
}

async fn only_visits_that_are_seen_can_be_changed(context: &mut Context) {
    let shop = shop(context, 1, 2, json!({})).await;
    let (ada, bob) = (shop.people[0], shop.people[1]);
    let id = visit(context, &ada, "10:00").await;
    let starts_at = at(context, 8, "13:00").await;
    for (name, arguments) in
        [(RESCHEDULE, json!({"id": id, "starts_at": starts_at})), (CANCEL, json!({"id": id}))]
    {
        context.refused(bob.caller(), name, arguments.clone(), Code::NotFound).await;
        context.refused(As::User(shop.staff), name, arguments.clone(), Code::NoMembership).await;
        shop.run(
            &context.client,
            "update portal_accounts set role = 'billing_contact' where org_id = $1",
        )
        .await;
        context.refused(ada.caller(), name, arguments.clone(), Code::Forbidden).await;
        shop.run(
            &context.client,
            "update portal_accounts set role = 'customer', status = 'suspended' where org_id = $1",
        )
        .await;
        context.refused(ada.caller(), name, arguments, Code::PortalAccountInactive).await;
        shop.run(&context.client, "update portal_accounts set status = 'active' where org_id = $1")
            .await;
    }
}

async fn request(context: &mut Context, person: &Person, more: Value) -> Value {
    let mut arguments = person.ask(more);
    arguments["problem_description"] = json!("The tap drips.");
    let booking = context.call(person.caller(), "portal_create_booking", arguments).await.unwrap();
    booking["id"].clone()
}

async fn status(context: &mut Context, person: &Person, id: &Value) -> Value {
    context.call(person.caller(), "portal_get_booking", json!({"id": id})).await.unwrap()
}

async fn what_nobody_looked_at_is_put_before_the_staff(context: &mut Context) {
    let shop = shop(context, 1, 1, json!({"auto_schedule": false})).await;
    let ada = shop.people[0];
    let day = at(context, 8, "10:00").await[..10].to_owned();
    let plain = request(context, &ada, json!({"preferred_service_date": day})).await;
    let slot = request(context, &ada, json!({"starts_at": at(context, 8, "10:00").await})).await;
    let service = As::Dba(shop.org_id);
    let done = context.call(service, PROCESS, json!({})).await.unwrap();
    assert_eq!(done, json!({"scheduled": 0, "under_review": 2, "expired_holds": 0}));
    for id in [&plain, &slot] {
        assert_eq!(status(context, &ada, id).await["status"], "under_review");
    }
    let again = context.call(service, PROCESS, json!({"batch_limit": 10})).await.unwrap();
    assert_eq!(again["under_review"], 0);
    let holds = "select count(*) from portal_booking_holds where org_id = $1";
    assert_eq!(shop.count(&context.client, holds).await, 1, "the slot stays taken");
    for caller in [ada.caller(), As::User(shop.staff)] {
        context.refused(caller, PROCESS, json!({}), Code::Forbidden).await;
    }
}

async fn wishes_become_visits_where_the_org_wants_that(context: &mut Context) {
    let shop = shop(context, 1, 1, json!({})).await;
    let ada = shop.people[0];
    let day = at(context, 8, "10:00").await[..10].to_owned();
    let wish = |from: &str, to: &str, flexible: bool| {
        json!({"preferred_service_date": day, "preferred_time_window_start": from, "preferred_time_window_end": to,
            "flexible_date": flexible})
    };
    let morning = request(context, &ada, wish("10:00", "12:00", false)).await;
    let full = request(context, &ada, wish("10:00", "12:00", false)).await;
    let flexible = request(context, &ada, wish("10:00", "12:00", true)).await;
    let vague = request(context, &ada, json!({})).await;
    // Who asks first is first; here all asked in one transaction.
    for (minutes, id) in [(3, &full), (2, &flexible)] {
        let sql = format!(
            "update portal_booking_requests set created_at = created_at + interval '{minutes} minutes' where org_id = $1 and id = '{}'",
            id.as_str().unwrap()
        );
        shop.run(&context.client, &sql).await;
    }
    let done = context.call(As::Dba(shop.org_id), PROCESS, json!({})).await.unwrap();
    assert_eq!(done, json!({"scheduled": 2, "under_review": 2, "expired_holds": 0}));
    let first = status(context, &ada, &morning).await;
    assert_eq!(first["status"], "scheduled");
    assert_eq!(first["starts_at"].as_str().unwrap()[11..16], *"10:00");
    assert!(first["related_work_order_id"].is_string());
    let other_day = status(context, &ada, &flexible).await;
    assert_eq!(other_day["starts_at"].as_str().unwrap()[..10], at(context, 9, "10:00").await[..10]);
    for id in [&full, &vague] {
        assert_eq!(status(context, &ada, id).await["status"], "under_review");
    }
}

async fn holds_that_ran_out_go(context: &mut Context) {
    let shop = shop(context, 2, 1, json!({})).await;
    let ada = shop.people[0];
    for time in ["10:00", "13:00"] {
        let arguments = ada.ask(json!({"starts_at": at(context, 8, time).await}));
        context.call(ada.caller(), "portal_hold_slot", arguments).await.unwrap();
    }
    shop.run(
        &context.client,
        "update portal_booking_holds set expires_at = now() - interval '1 second'
        where org_id = $1 and starts_at::time = '10:00'",
    )
    .await;
    let done = context.call(As::Dba(shop.org_id), PROCESS, json!({})).await.unwrap();
    assert_eq!(done["expired_holds"], 1);
    let left = "select count(*) from fieldcrm.reservations where org_id = $1";
    assert_eq!(shop.count(&context.client, left).await, 1);
}

async fn a_kept_slot_whose_time_is_over_is_free(context: &mut Context) {
    let shop = shop(context, 1, 1, json!({"auto_schedule": false})).await;
    let ada = shop.people[0];
    let id = request(context, &ada, json!({"starts_at": at(context, 8, "10:00").await})).await;
    let approve = json!({"id": id, "decision": "approve"});
    context.call(As::User(shop.staff), "crm_review_booking", approve).await.unwrap();
    shop.run(
        &context.client,
        "update portal_booking_holds set starts_at = now() - interval '1 hour' where org_id = $1",
    )
    .await;
    let done = context.call(As::Dba(shop.org_id), PROCESS, json!({})).await.unwrap();
    assert_eq!(done["expired_holds"], 1);
    assert_eq!(status(context, &ada, &id).await["status"], "under_review");
    let left = "select count(*) from fieldcrm.reservations where org_id = $1";
    assert_eq!(shop.count(&context.client, left).await, 0);
}

async fn an_account_has_twenty_open_bookings_at_most(context: &mut Context) {
    let shop = shop(context, 2, 1, json!({})).await;
    let ada = shop.people[0];
    let visit = visit(context, &ada, "10:00").await;
    for _ in 0..19 {
        request(context, &ada, json!({})).await;
    }
    let starts_at = at(context, 8, "13:00").await;
    let slot = ada.ask(json!({"starts_at": starts_at}));
    let held = context.call(ada.caller(), "portal_hold_slot", slot).await.unwrap();
    for mut wish in [json!({"hold_id": held["id"]}), ada.ask(json!({"starts_at": starts_at}))] {
        wish["problem_description"] = json!("x");
        let error =
            context.refused(ada.caller(), "portal_create_booking", wish, Code::BookingPolicy).await;
        assert_eq!(
            (&error.data["reason"], &error.data["max_bookings"]),
            (&json!("too_many_bookings"), &json!(20))
        );
    }
    context.call(ada.caller(), CANCEL, json!({"id": visit})).await.unwrap();
    request(context, &ada, json!({"starts_at": starts_at})).await;
}

async fn a_suspended_account_holds_nothing_and_gets_no_visit_by_itself(context: &mut Context) {
    let shop = shop(context, 1, 1, json!({})).await;
    let ada = shop.people[0];
    let day = at(context, 8, "10:00").await[..10].to_owned();
    request(context, &ada, json!({"preferred_service_date": day})).await;
    let arguments = ada.ask(json!({"starts_at": at(context, 8, "13:00").await}));
    context.call(ada.caller(), "portal_hold_slot", arguments).await.unwrap();
    let suspend = json!({"id": ada.account, "patch": {"status": "suspended"}});
    let promote = "update profiles set role = 'manager' where org_id = $1 and role = 'dispatcher'";
    shop.run(&context.client, promote).await;
    context.call(As::User(shop.staff), "crm_update_portal_account", suspend).await.unwrap();
    let taken = "select count(*) from fieldcrm.reservations where org_id = $1";
    assert_eq!(shop.count(&context.client, taken).await, 0);
    let done = context.call(As::Dba(shop.org_id), PROCESS, json!({})).await.unwrap();
    assert_eq!(done, json!({"scheduled": 0, "under_review": 1, "expired_holds": 0}));
}
