//! What nobody needs any more goes.

use fieldcrm_rpc::prune as rpc;
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::spi::{Access, run};

extension_sql_file!("../sql/prune.sql", name = "pruning", requires = ["unwrap", prune]);

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn prune(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| rpc::prune(&mut db, arguments).await)
}
