//! Booking by customers and by staff, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod booking_sample;
mod common;

use booking_sample::{ALL_DAY, BOOK, HOLD, SLOTS, at, book, day, free, hold};
use common::shop::{Person, Shop};
use common::{As, Context, NORTHWIND};
use fieldcrm_core::Code;
use serde_json::{Value, json};
use uuid::Uuid;

scenarios! {
    free_times_are_those_of_the_calendar
    a_hold_takes_the_time_and_its_buffer_and_gives_it_back
    a_hold_that_ran_out_is_in_nobodys_way
    a_unit_that_was_held_too_long_is_free
    an_account_keeps_three_slots_at_a_time
    a_held_slot_becomes_a_request_and_then_a_visit
    a_slot_can_be_booked_without_a_hold
    who_is_too_late_gets_the_next_three_free_times
    the_policy_of_the_org_makes_a_visit_at_once
    requests_without_a_slot_wait_for_the_staff
    a_new_address_comes_with_a_request
    the_same_key_again_is_the_same_answer
    customers_see_and_book_only_at_their_own_places
    a_capacity_holds_however_many_technicians_there_are
    what_a_visit_takes_follows_it
    the_way_between_two_visits_takes_its_time
}

async fn free_times_are_those_of_the_calendar(context: &mut Context) {
    let mut shop = Shop::make(&context.client, 1, 1).await;
    let ada = shop.people[0];
    assert_eq!(free(context, &ada).await, ALL_DAY);
    let technician = shop.technicians[0];
    let starts = at(context, "13:10").await;
    let sql = format!(
        "insert into technician_time_off (org_id, technician_id, starts_at, ends_at)
        values ($1, '{technician}', '{starts}', timestamptz '{starts}' + interval '2 hours')"
    );
    shop.run(&context.client, &sql).await;
    assert_eq!(free(context, &ada).await[5..], ["15:30", "16:00"]);
    // Another one who is there, but not for this service, and then also for it.
    let other = shop.hire(&context.client).await;
    let sql =
        format!("delete from technician_skills where org_id = $1 and technician_id = '{other}'");
    shop.run(&context.client, &sql).await;
    assert_eq!(free(context, &ada).await.len(), 7);
    let sql = format!(
        "insert into technician_skills (org_id, technician_id, service_type_id)
        select $1, '{other}', id from service_types where org_id = $1"
    );
    shop.run(&context.client, &sql).await;
    assert_eq!(free(context, &ada).await, ALL_DAY, "each time once, whoever comes");
    let sql = format!(
        "insert into technician_areas (org_id, technician_id, country, postal_code_prefix)
        values ($1, '{other}', 'US', '617')"
    );
    shop.run(&context.client, &sql).await;
    assert_eq!(free(context, &ada).await.len(), 7, "out of their area");
    let sql = format!(
        "update technician_areas set postal_code_prefix = '627' where org_id = $1 and technician_id = '{other}'"
    );
    shop.run(&context.client, &sql).await;
    assert_eq!(free(context, &ada).await, ALL_DAY);
    let day = day(context).await;
    shop.run(
        &context.client,
        &format!("insert into blackout_days (org_id, day) values ($1, '{day}')"),
    )
    .await;
    assert_eq!(free(context, &ada).await, [""; 0]);
    shop.set(&context.client, json!({"horizon_days": 5})).await;
    let asked = ada.ask(json!({"from_date": day, "to_date": day}));
    let beyond = context.call(ada.caller(), SLOTS, asked).await.unwrap();
    assert_eq!(beyond["slots"], json!([]));
}

async fn a_hold_takes_the_time_and_its_buffer_and_gives_it_back(context: &mut Context) {
    let shop = Shop::make(&context.client, 1, 2).await;
    let (ada, bob) = (shop.people[0], shop.people[1]);
    let held = hold(context, &ada, "10:00").await;
    assert!(held.get("technician_id").is_none(), "who comes is the staff's to say");
    // To 11:15 with the buffer after it, and what begins at 9:00 would last until 10:15 with its own.
    assert_eq!(free(context, &bob).await[..2], ["13:00", "13:30"]);
    let id = &held["id"];
    context.refused(bob.caller(), "portal_release_hold", json!({"id": id}), Code::NotFound).await;
    context.call(ada.caller(), "portal_release_hold", json!({"id": id})).await.unwrap();
    assert_eq!(free(context, &bob).await, ALL_DAY);
    context.refused(ada.caller(), "portal_release_hold", json!({"id": id}), Code::NotFound).await;
}

async fn a_hold_that_ran_out_is_in_nobodys_way(context: &mut Context) {
    let shop = Shop::make(&context.client, 1, 2).await;
    let (ada, bob) = (shop.people[0], shop.people[1]);
    let held = hold(context, &ada, "10:00").await;
    shop.run(&context.client, "update portal_booking_holds set expires_at = now() - interval '1 second' where org_id = $1").await;
    assert_eq!(free(context, &bob).await, ALL_DAY);
    let arguments = json!({"hold_id": held["id"], "problem_description": "x"});
    let error = context.refused(ada.caller(), BOOK, arguments, Code::SlotTaken).await;
    assert_eq!(error.data["alternatives"].as_array().unwrap().len(), 3);
    hold(context, &bob, "10:30").await;
    let left = "select count(*) from portal_booking_holds where org_id = $1";
    assert_eq!(shop.count(&context.client, left).await, 1);
}

const RUN_OUT: &str =
    "update portal_booking_holds set expires_at = now() - interval '1 second' where org_id = $1";

async fn a_unit_that_was_held_too_long_is_free(context: &mut Context) {
    let shop = Shop::make(&context.client, 2, 2).await;
    let (ada, bob) = (shop.people[0], shop.people[1]);
    shop.run(&context.client, "update service_types set capacity = 1 where org_id = $1").await;
    hold(context, &ada, "10:00").await;
    shop.run(&context.client, RUN_OUT).await;
    // The other technician takes it: what ran out is another one's.
    let sql = "insert into technician_time_off (org_id, technician_id, starts_at, ends_at)
        select org_id, technician_id, now(), now() + interval '30 days' from portal_booking_holds where org_id = $1";
    shop.run(&context.client, sql).await;
    hold(context, &bob, "10:00").await;
    let units = "select count(*) from fieldcrm.reservations where org_id = $1 and unit is not null";
    assert_eq!(shop.count(&context.client, units).await, 1);
}

async fn an_account_keeps_three_slots_at_a_time(context: &mut Context) {
    let shop = Shop::make(&context.client, 4, 1).await;
    let ada = shop.people[0];
    for _ in 0..3 {
        hold(context, &ada, "10:00").await;
    }
    let arguments = ada.ask(json!({"starts_at": at(context, "10:00").await}));
    let error = context.refused(ada.caller(), HOLD, arguments.clone(), Code::BookingPolicy).await;
    assert_eq!(error.data["max_holds"], 3);
    shop.run(&context.client, "update portal_booking_holds set expires_at = now() - interval '1 second' where org_id = $1").await;
    context.call(ada.caller(), HOLD, arguments).await.unwrap();
}

async fn a_held_slot_becomes_a_request_and_then_a_visit(context: &mut Context) {
    let shop = Shop::make(&context.client, 1, 2).await;
    let (ada, bob) = (shop.people[0], shop.people[1]);
    let held = hold(context, &ada, "09:00").await;
    let booking = book(context, &ada, json!({"hold_id": held["id"]})).await;
    assert_eq!(
        (&booking["status"], &booking["starts_at"]),
        (&json!("submitted"), &held["starts_at"])
    );
    let again = json!({"hold_id": held["id"], "problem_description": "x"});
    context.refused(ada.caller(), BOOK, again, Code::NotFound).await;
    assert!(!free(context, &bob).await.contains(&"09:00".to_owned()), "kept until it is decided");
    let visit = context
        .call(As::User(shop.staff), "crm_schedule_booking", json!({"id": booking["id"]}))
        .await
        .unwrap();
    assert_eq!(visit["technician_id"], json!(shop.technicians[0]));
    assert_eq!((&visit["title"], &visit["window_start"]), (&json!("Repair"), &held["starts_at"]));
    let seen = context
        .call(ada.caller(), "portal_get_booking", json!({"id": booking["id"]}))
        .await
        .unwrap();
    assert_eq!(
        (&seen["status"], &seen["related_work_order_id"]),
        (&json!("scheduled"), &visit["id"])
    );
    let taken =
        "select count(*) from fieldcrm.reservations where org_id = $1 and work_order_id is not null
        and upper(during) - lower(during) = interval '75 minutes'";
    assert_eq!(shop.count(&context.client, taken).await, 1, "with the buffer");
    let holds = "select count(*) from portal_booking_holds where org_id = $1";
    assert_eq!(shop.count(&context.client, holds).await, 0);
    assert!(!free(context, &bob).await.contains(&"09:00".to_owned()));
}

async fn a_slot_can_be_booked_without_a_hold(context: &mut Context) {
    let shop = Shop::make(&context.client, 1, 2).await;
    let (ada, bob) = (shop.people[0], shop.people[1]);
    let starts_at = at(context, "16:00").await;
    let booking = book(context, &ada, ada.ask(json!({"starts_at": starts_at}))).await;
    assert_eq!(booking["status"], "submitted");
    let mut arguments = bob.ask(json!({"starts_at": starts_at}));
    arguments["problem_description"] = json!("x");
    context.refused(bob.caller(), BOOK, arguments, Code::SlotTaken).await;
    let canceled = json!({"id": booking["id"], "reason": " Sold the house "});
    let canceled = context.call(ada.caller(), "portal_cancel_booking", canceled).await.unwrap();
    assert_eq!(
        (&canceled["status"], &canceled["cancel_reason"]),
        (&json!("canceled_by_customer"), &json!("Sold the house"))
    );
    assert_eq!(free(context, &bob).await, ALL_DAY);
    let again = json!({"id": booking["id"]});
    let again = context.call(ada.caller(), "portal_cancel_booking", again).await.unwrap();
    assert_eq!(again, canceled);
}

async fn who_is_too_late_gets_the_next_three_free_times(context: &mut Context) {
    let shop = Shop::make(&context.client, 1, 2).await;
    let (ada, bob) = (shop.people[0], shop.people[1]);
    hold(context, &ada, "15:00").await;
    let arguments = bob.ask(json!({"starts_at": at(context, "15:00").await}));
    let error = context.refused(bob.caller(), HOLD, arguments, Code::SlotTaken).await;
    let offered: Vec<_> = error.data["alternatives"].as_array().unwrap().clone();
    let times: Vec<_> =
        offered.iter().map(|one| &one["starts_at"].as_str().unwrap()[11..16]).collect();
    assert_eq!(times, ["09:00", "09:30", "10:00"], "the rest of that day is too short");
    for slot in offered {
        let arguments = bob.ask(json!({"starts_at": slot["starts_at"]}));
        let held = context.call(bob.caller(), HOLD, arguments).await.unwrap();
        context.call(bob.caller(), "portal_release_hold", json!({"id": held["id"]})).await.unwrap();
    }
    // What is no slot at all is refused in the same way.
    for odd in ["10:10", "12:00", "03:00"] {
        let arguments = bob.ask(json!({"starts_at": at(context, odd).await}));
        let error = context.refused(bob.caller(), HOLD, arguments, Code::SlotTaken).await;
        assert_eq!(error.data["alternatives"].as_array().unwrap().len(), 3, "{odd}");
    }
}

async fn the_policy_of_the_org_makes_a_visit_at_once(context: &mut Context) {
    let shop = Shop::make(&context.client, 1, 1).await;
    shop.set(&context.client, json!({"auto_schedule": true})).await;
    let ada = shop.people[0];
    let held = hold(context, &ada, "10:00").await;
    let booking = book(context, &ada, json!({"hold_id": held["id"]})).await;
    assert_eq!(booking["status"], "scheduled");
    let sql = "select count(*) from work_orders where org_id = $1 and status = 'scheduled' and description = 'The tap drips.'";
    assert_eq!(shop.count(&context.client, sql).await, 1);
    let error = json!({"id": booking["id"]});
    let error =
        context.refused(ada.caller(), "portal_cancel_booking", error, Code::WrongState).await;
    assert_eq!(error.data["related_work_order_id"], booking["related_work_order_id"]);
    let waiting = book(context, &ada, ada.ask(json!({"flexible_date": true}))).await;
    assert_eq!(waiting["status"], "submitted", "no slot, no visit");
}

async fn requests_without_a_slot_wait_for_the_staff(context: &mut Context) {
    let shop = Shop::make(&context.client, 1, 1).await;
    let ada = shop.people[0];
    let wish = ada.ask(json!({"preferred_service_date": day(context).await,
        "preferred_time_window_start": "09:00", "preferred_time_window_end": "12:00:00",
        "attachments": [{"object_name": format!("{}/portal/{}/tap.jpg", shop.org_id, ada.account), "file_name": "tap.jpg"}]}));
    let booking = book(context, &ada, wish).await;
    assert_eq!(
        (&booking["starts_at"], &booking["preferred_time_window_end"]),
        (&Value::Null, &json!("12:00:00"))
    );
    let arguments = json!({"id": booking["id"]});
    let staff = As::User(shop.staff);
    let error =
        context.refused(staff, "crm_schedule_booking", arguments, Code::InvalidArgument).await;
    assert_eq!(error.errors[0].path, "technician_id");
    let arguments = json!({"id": booking["id"], "technician_id": shop.technicians[0],
        "starts_at": at(context, "18:00").await});
    let visit = context.call(staff, "crm_schedule_booking", arguments).await.unwrap();
    assert_eq!(
        visit["window_end"].as_str().unwrap()[11..16],
        *"19:00",
        "staff go by nobody's hours"
    );
    let page = json!({"page_size": 1, "status": "scheduled"});
    let listed = context.call(ada.caller(), "portal_list_bookings", page).await.unwrap();
    assert_eq!(listed["bookings"][0]["id"], booking["id"]);
    assert_eq!(listed["next_cursor"], Value::Null);
}

async fn a_new_address_comes_with_a_request(context: &mut Context) {
    let shop = Shop::make(&context.client, 1, 1).await;
    let ada = shop.people[0];
    let given = json!({"service_type": "repair", "location": {"address_line1": " 2 Elm St ", "city": "Springfield"},
        "starts_at": at(context, "09:00").await});
    let booking = book(context, &ada, given).await;
    assert_eq!(booking["customer_id"], json!(ada.customer));
    let sql = "select count(*) from customer_locations where org_id = $1 and address_line1 = '2 Elm St' and not is_primary";
    assert_eq!(shop.count(&context.client, sql).await, 1);
    let arguments = json!({"service_type": "repair", "problem_description": "x", "location": {"address_line1": "", "city": "y"}});
    let error = context.refused(ada.caller(), BOOK, arguments.clone(), Code::InvalidArgument).await;
    assert_eq!(error.errors[0].path, "location.address_line1");
    // Where that is on the map, and so who comes, is not theirs to say.
    let mut arguments = arguments;
    for field in ["latitude", "longitude"] {
        arguments["location"] = json!({"address_line1": "x", "city": "y", field: 39.8});
        let error =
            context.refused(ada.caller(), BOOK, arguments.clone(), Code::InvalidArgument).await;
        assert_eq!(error.errors[0].path, format!("location.{field}"));
    }
}

async fn the_same_key_again_is_the_same_answer(context: &mut Context) {
    let shop = Shop::make(&context.client, 3, 1).await;
    let ada = shop.people[0];
    let starts_at = at(context, "10:00").await;
    let arguments = ada.ask(json!({"starts_at": starts_at, "idempotency_key": "h"}));
    let first = context.call(ada.caller(), HOLD, arguments.clone()).await.unwrap();
    assert_eq!(context.call(ada.caller(), HOLD, arguments).await.unwrap(), first);
    let other = ada.ask(json!({"starts_at": at(context, "11:00").await, "idempotency_key": "h"}));
    context.refused(ada.caller(), HOLD, other, Code::IdempotencyKeyReused).await;
    let given = json!({"hold_id": first["id"], "idempotency_key": "b"});
    let booking = book(context, &ada, given.clone()).await;
    assert_eq!(book(context, &ada, given).await, booking);
    let sql = "select count(*) from portal_booking_requests where org_id = $1";
    assert_eq!(shop.count(&context.client, sql).await, 1);
    // Also when the key itself is long gone.
    shop.run(&context.client, "delete from fieldcrm.idempotency_keys where org_id = $1").await;
    let given = json!({"hold_id": first["id"], "idempotency_key": "b"});
    assert_eq!(book(context, &ada, given).await, booking);
    assert_eq!(shop.count(&context.client, sql).await, 1);
}

async fn customers_see_and_book_only_at_their_own_places(context: &mut Context) {
    let shop = Shop::make(&context.client, 2, 2).await;
    let (ada, bob) = (shop.people[0], shop.people[1]);
    let starts_at = at(context, "10:00").await;
    let there = bob.ask(json!({"starts_at": starts_at}));
    for (name, arguments) in [(SLOTS, bob.ask(json!({}))), (HOLD, there.clone())] {
        context.refused(ada.caller(), name, arguments, Code::NotFound).await;
    }
    let mut request = there;
    request["problem_description"] = json!("x");
    context.refused(ada.caller(), BOOK, request, Code::NotFound).await;
    let bobs = book(context, &bob, bob.ask(json!({"starts_at": starts_at}))).await;
    for name in ["portal_get_booking", "portal_cancel_booking"] {
        context.refused(ada.caller(), name, json!({"id": bobs["id"]}), Code::NotFound).await;
    }
    let listed = context.call(ada.caller(), "portal_list_bookings", json!({})).await.unwrap();
    assert_eq!(listed["bookings"], json!([]));
    // A manager of that one place.
    let sql = format!(
        "update portal_accounts set role = 'property_manager' where org_id = $1 and id = '{}'",
        ada.account
    );
    shop.run(&context.client, &sql).await;
    let sql = format!(
        "insert into portal_account_access (org_id, portal_account_id, customer_id, location_id)
        values ($1, '{}', '{}', '{}')",
        ada.account, bob.customer, bob.location
    );
    shop.run(&context.client, &sql).await;
    context.call(ada.caller(), "portal_get_booking", json!({"id": bobs["id"]})).await.unwrap();
    let held =
        context.call(ada.caller(), HOLD, bob.ask(json!({"starts_at": starts_at}))).await.unwrap();
    // Who pays the bills books nothing.
    let sql = format!(
        "update portal_accounts set role = 'billing_contact' where org_id = $1 and id = '{}'",
        ada.account
    );
    shop.run(&context.client, &sql).await;
    let arguments = json!({"hold_id": held["id"], "problem_description": "x"});
    context.refused(ada.caller(), BOOK, arguments, Code::Forbidden).await;
    // Who works there is no customer, and other orgs know nothing of it.
    context.refused(As::User(shop.staff), SLOTS, ada.ask(json!({})), Code::NoMembership).await;
    let csr = As::Northwind("csr");
    let review = json!({"id": bobs["id"], "decision": "approve"});
    context.refused(csr, "crm_review_booking", review, Code::NotFound).await;
    context.refused(csr, "crm_available_slots", ada.ask(json!({})), Code::NotFound).await;
    context
        .refused(
            As::Dba(NORTHWIND),
            "crm_schedule_booking",
            json!({"id": bobs["id"]}),
            Code::NotFound,
        )
        .await;
}

async fn a_capacity_holds_however_many_technicians_there_are(context: &mut Context) {
    let shop = Shop::make(&context.client, 3, 1).await;
    let ada = shop.people[0];
    shop.run(&context.client, "update service_types set capacity = 2 where org_id = $1").await;
    hold(context, &ada, "10:00").await;
    assert_eq!(free(context, &ada).await, ALL_DAY);
    let second = hold(context, &ada, "10:30").await;
    // Both overlap with what begins before 11:15 and ends after 10:30.
    assert_eq!(free(context, &ada).await[..3], ["09:00", "13:00", "13:30"]);
    let booking = book(context, &ada, json!({"hold_id": second["id"]})).await;
    context
        .call(As::User(shop.staff), "crm_schedule_booking", json!({"id": booking["id"]}))
        .await
        .unwrap();
    assert_eq!(
        free(context, &ada).await[..3],
        ["09:00", "13:00", "13:30"],
        "the visit keeps the unit"
    );
    let units = "select count(distinct unit) from fieldcrm.reservations where org_id = $1";
    assert_eq!(shop.count(&context.client, units).await, 2);
}

async fn what_a_visit_takes_follows_it(context: &mut Context) {
    let shop = Shop::make(&context.client, 2, 1).await;
    let ada = shop.people[0];
    let starts = at(context, "10:00").await;
    let sql = format!("insert into work_orders (org_id, customer_id, location_id, technician_id, service_type, title, window_start, window_end)
        select $1, '{}', '{}', t::uuid, 'repair', 'x', timestamptz '{starts}', timestamptz '{starts}' + interval '1 hour'
        from unnest(array['{}', '{}']) t", ada.customer, ada.location, shop.technicians[0], shop.technicians[1]);
    shop.run(&context.client, &sql).await;
    assert_eq!(free(context, &ada).await[..2], ["11:00", "13:00"], "staff leave no buffer");
    // Both an hour later, in one statement.
    shop.run(&context.client, "update work_orders set window_start = window_start + interval '1 hour', window_end = window_end + interval '1 hour' where org_id = $1").await;
    assert_eq!(free(context, &ada).await[..3], ["09:00", "09:30", "13:00"]);
    let sql = format!(
        "update work_orders set technician_id = null where org_id = $1 and technician_id = '{}'",
        shop.technicians[0]
    );
    shop.run(&context.client, &sql).await;
    assert_eq!(free(context, &ada).await, ALL_DAY);
    let taken = "select count(*) from fieldcrm.reservations where org_id = $1";
    assert_eq!(shop.count(&context.client, taken).await, 1);
    for status in ["en_route", "on_site"] {
        shop.run(
            &context.client,
            &format!("update work_orders set status = '{status}' where org_id = $1"),
        )
        .await;
        assert_eq!(shop.count(&context.client, taken).await, 1);
    }
    shop.run(&context.client, "update work_orders set status = 'completed' where org_id = $1")
        .await;
    assert_eq!(shop.count(&context.client, taken).await, 0);
    shop.run(&context.client, "update work_orders set status = 'scheduled' where org_id = $1")
        .await;
    shop.run(&context.client, "delete from work_orders where org_id = $1").await;
    assert_eq!(shop.count(&context.client, taken).await, 0);
}

async fn the_way_between_two_visits_takes_its_time(context: &mut Context) {
    let shop = Shop::make(&context.client, 1, 2).await;
    let (ada, bob) = (shop.people[0], shop.people[1]);
    let place = |person: &Person, latitude: f64| {
        format!(
            "update customer_locations set latitude = {latitude}, longitude = 10 where org_id = $1 and id = '{}'",
            person.location
        )
    };
    shop.run(&context.client, &place(&ada, 50.0)).await;
    shop.run(&context.client, &place(&bob, 50.0)).await;
    hold(context, &ada, "13:00").await;
    assert_eq!(free(context, &bob).await[5..], ["14:30", "15:00", "15:30", "16:00"]);
    // 33 km are 50 minutes: before and after.
    shop.run(&context.client, &place(&bob, 50.3)).await;
    assert_eq!(free(context, &bob).await, ["09:00", "09:30", "10:00", "10:30", "15:30", "16:00"]);
    // Where the visit is moves with its address.
    shop.run(&context.client, &place(&ada, 50.3)).await;
    assert_eq!(free(context, &bob).await[5..], ["14:30", "15:00", "15:30", "16:00"]);
    let _: Uuid = shop.org_id;
}
