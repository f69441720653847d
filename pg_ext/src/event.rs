//! Facts that other modules tell of.

use fieldcrm_rpc::event;
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::spi::{Access, run};

extension_sql_file!("../sql/event.sql", name = "event", requires = ["unwrap", emit_event]);

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn emit_event(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        event::emit(&mut db, arguments).await
    })
}
