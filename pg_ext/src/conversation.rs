//! Conversations with leads.

use fieldcrm_rpc::conversation;
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::spi::{Access, run};

extension_sql_file!(
    "../sql/conversation.sql",
    name = "conversation",
    requires = [
        "unwrap",
        create_conversation,
        update_conversation_stats,
        process_incoming_message,
        reply_to_conversation
    ]
);

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn create_conversation(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        conversation::create(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn update_conversation_stats(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        conversation::update_stats(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn process_incoming_message(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        conversation::process_incoming(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn reply_to_conversation(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        conversation::reply(&mut db, arguments).await
    })
}
