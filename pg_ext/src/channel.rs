//! The doors to the outside.

use fieldcrm_rpc::channel;
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::spi::{Access, run};

extension_sql_file!(
    "../sql/channel.sql",
    name = "channel",
    requires = [
        "unwrap",
        create_channel,
        update_channel,
        find_channel,
        create_webhook_endpoint,
        update_webhook_endpoint
    ]
);

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn create_channel(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        channel::create(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn update_channel(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        channel::update(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, stable, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn find_channel(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| {
        channel::find(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn create_webhook_endpoint(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        channel::create_endpoint(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn update_webhook_endpoint(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        channel::update_endpoint(&mut db, arguments).await
    })
}
