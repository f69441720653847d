//! Clients of an agency, and who may enter them.

use fieldcrm_rpc::client;
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::spi::{Access, run};

extension_sql_file!(
    "../sql/client.sql",
    name = "client",
    requires = ["unwrap", create_client, can_access_client, can_access_project, can_manage_lead]
);

#[pg_extern(create_or_replace)]
fn create_client(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        client::create(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, stable, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn can_access_client(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| {
        client::can_access_client(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, stable, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn can_access_project(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| {
        client::can_access_project(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, stable, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn can_manage_lead(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| {
        client::can_manage_lead(&mut db, arguments).await
    })
}
