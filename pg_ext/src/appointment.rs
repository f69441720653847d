//! What customers see of their visits.

use fieldcrm_rpc::appointment;
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::spi::{Access, run};

extension_sql_file!(
    "../sql/appointment.sql",
    name = "appointment",
    requires = [
        "unwrap",
        portal_list_appointments,
        portal_get_appointment,
        portal_appointment_status,
        portal_service_history,
        portal_get_job,
        portal_list_documents,
        portal_get_document,
        portal_list_invoices,
        portal_list_memberships
    ]
);

#[pg_extern(create_or_replace, stable, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn portal_list_appointments(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| {
        appointment::list(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, stable, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn portal_get_appointment(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| {
        appointment::get(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, stable, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn portal_appointment_status(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| {
        appointment::status(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, stable, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn portal_service_history(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| {
        appointment::history(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn portal_get_job(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        appointment::get_job(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, stable, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn portal_list_documents(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| {
        appointment::list_documents(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn portal_get_document(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        appointment::get_document(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, stable, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn portal_list_invoices(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| {
        appointment::list_invoices(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, stable, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn portal_list_memberships(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| {
        appointment::list_memberships(&mut db, arguments).await
    })
}
