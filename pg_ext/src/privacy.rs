//! What a person may ask of the data about them: a copy, and its erasure.

use fieldcrm_rpc::privacy;
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::spi::{Access, run};

extension_sql_file!(
    "../sql/privacy.sql",
    name = "privacy",
    requires = ["unwrap", export_customer, erase_customer]
);

// Volatile: it leaves a row in the access log.
#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn export_customer(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        privacy::export(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn erase_customer(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        privacy::erase(&mut db, arguments).await
    })
}
