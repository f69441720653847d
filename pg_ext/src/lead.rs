//! Leads.

use fieldcrm_rpc::lead;
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::spi::{Access, run};

extension_sql_file!(
    "../sql/lead.sql",
    name = "lead",
    requires = ["unwrap", create_lead, update_lead, assign_lead, convert_lead]
);

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn create_lead(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        lead::create(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn update_lead(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        lead::update(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn assign_lead(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        lead::assign(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn convert_lead(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        lead::convert(&mut db, arguments).await
    })
}
