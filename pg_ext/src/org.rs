//! Orgs.

use fieldcrm_rpc::org;
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::spi::{Access, run};

extension_sql_file!("../sql/org.sql", name = "org", requires = ["unwrap", create_org]);

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn create_org(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        org::create(&mut db, arguments).await
    })
}
