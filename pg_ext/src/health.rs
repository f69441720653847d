//! Whether the work that waits is worked off.

use fieldcrm_rpc::health as rpc;
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::spi::{Access, run};

extension_sql_file!("../sql/health.sql", name = "health_sql", requires = ["unwrap", health]);

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn health(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        rpc::health(&mut db, arguments).await
    })
}
