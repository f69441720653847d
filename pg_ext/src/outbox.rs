//! The outbox.

use fieldcrm_rpc::outbox;
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::spi::{Access, run};

extension_sql_file!(
    "../sql/outbox.sql",
    name = "outbox",
    requires = [
        "unwrap",
        send_message,
        claim_messages,
        complete_message,
        fail_message,
        mark_message_unknown,
        record_message_status,
        retry_message,
        cancel_message
    ]
);

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn send_message(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        outbox::send(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn claim_messages(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        outbox::claim(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn complete_message(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        outbox::complete(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn fail_message(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        outbox::fail(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn mark_message_unknown(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        outbox::mark_unknown(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn record_message_status(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        outbox::record_status(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn retry_message(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        outbox::retry(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn cancel_message(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        outbox::cancel(&mut db, arguments).await
    })
}
