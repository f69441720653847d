//! Finding customers.

use fieldcrm_rpc::search;
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::spi::{Access, run};

extension_sql_file!("../sql/search.sql", name = "search", requires = ["unwrap", search_customers]);

#[pg_extern(create_or_replace, stable, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn search_customers(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| {
        search::search(&mut db, arguments).await
    })
}
