//! Follow-ups.

use fieldcrm_rpc::followup;
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::spi::{Access, run};

extension_sql_file!(
    "../sql/followup.sql",
    name = "followup",
    requires = [
        "unwrap",
        create_followup,
        ensure_followup,
        update_followup,
        remind_followups,
        expire_followups
    ]
);

#[pg_extern(create_or_replace)]
fn create_followup(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        followup::create(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace)]
fn ensure_followup(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        followup::ensure(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace)]
fn update_followup(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        followup::update(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace)]
fn expire_followups(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        followup::expire(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn remind_followups(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        followup::remind(&mut db, arguments).await
    })
}
