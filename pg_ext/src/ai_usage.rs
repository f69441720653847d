//! What models outside are asked, and what it may cost.

use fieldcrm_rpc::ai_usage as usage;
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::spi::{Access, run};

extension_sql_file!(
    "../sql/ai_usage.sql",
    name = "ai_usage",
    requires = ["unwrap", reserve_ai, settle_ai, ai_usage]
);

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn reserve_ai(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        usage::reserve(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn settle_ai(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        usage::settle(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, stable)]
fn ai_usage(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| {
        usage::report(&mut db, arguments).await
    })
}
