//! What customers and the office write to each other.

use fieldcrm_rpc::portal_thread;
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::spi::{Access, run};

extension_sql_file!(
    "../sql/portal_thread.sql",
    name = "portal_thread",
    requires = [
        "unwrap",
        portal_create_thread,
        portal_list_threads,
        portal_list_messages,
        portal_send_message,
        portal_mark_thread_read,
        create_portal_thread,
        list_portal_threads,
        get_portal_thread,
        reply_to_portal_thread,
        mark_portal_thread_read,
        update_portal_thread
    ]
);

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn portal_create_thread(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        portal_thread::create(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, stable, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn portal_list_threads(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| {
        portal_thread::list(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, stable, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn portal_list_messages(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| {
        portal_thread::list_messages(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn portal_send_message(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        portal_thread::send_message(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn portal_mark_thread_read(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        portal_thread::mark_thread_read(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn create_portal_thread(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        portal_thread::create_thread(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, stable, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn list_portal_threads(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| {
        portal_thread::list_threads(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, stable, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn get_portal_thread(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| {
        portal_thread::get_thread(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn reply_to_portal_thread(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        portal_thread::reply(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn mark_portal_thread_read(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        portal_thread::mark_read(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn update_portal_thread(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        portal_thread::update(&mut db, arguments).await
    })
}
