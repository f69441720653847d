//! Conversations of customers with the portal's assistant.

use fieldcrm_rpc::portal_assistant as assistant;
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::spi::{Access, run};

extension_sql_file!(
    "../sql/portal_assistant.sql",
    name = "portal_assistant",
    requires = [
        "unwrap",
        portal_start_ai_conversation,
        portal_list_ai_conversations,
        portal_get_ai_conversation,
        portal_add_ai_message,
        portal_ai_context,
        portal_store_ai_answer,
        portal_escalate_ai_conversation
    ]
);

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn portal_start_ai_conversation(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        assistant::start(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, stable, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn portal_list_ai_conversations(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| {
        assistant::list(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, stable, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn portal_get_ai_conversation(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| {
        assistant::get(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn portal_add_ai_message(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        assistant::ask(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn portal_ai_context(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        assistant::context(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn portal_store_ai_answer(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        assistant::store_answer(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn portal_escalate_ai_conversation(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        assistant::escalate(&mut db, arguments).await
    })
}
