//! Booking.

use fieldcrm_rpc::booking::{appointment, calendar, hold, plan, process, request, schedule};
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::spi::{Access, run};

extension_sql_file!(
    "../sql/booking.sql",
    name = "booking",
    requires = [
        "unwrap",
        list_service_types,
        available_slots,
        staff_available_slots,
        hold_slot,
        release_hold,
        create_booking,
        list_bookings,
        get_booking,
        cancel_booking,
        review_booking,
        schedule_booking,
        reschedule_appointment,
        cancel_appointment,
        process_bookings,
        make_planned_visits
    ]
);

#[pg_extern(create_or_replace, stable, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn list_service_types(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| {
        calendar::service_types(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, stable, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn available_slots(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| {
        calendar::portal(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, stable, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn staff_available_slots(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| {
        calendar::staff(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn hold_slot(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| hold::take(&mut db, arguments).await)
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn release_hold(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        hold::release(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn create_booking(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        request::create(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, stable, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn list_bookings(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| {
        request::list(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, stable, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn get_booking(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| request::get(&mut db, arguments).await)
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn cancel_booking(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        request::cancel(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn review_booking(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        schedule::review(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn schedule_booking(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        schedule::schedule(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn reschedule_appointment(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        appointment::reschedule(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn cancel_appointment(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        appointment::cancel(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn process_bookings(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        process::process(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn make_planned_visits(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| plan::make(&mut db, arguments).await)
}
