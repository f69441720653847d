//! How customers feel.

use fieldcrm_rpc::sentiment;
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::spi::{Access, run};

extension_sql_file!(
    "../sql/sentiment.sql",
    name = "sentiment",
    requires = ["unwrap", claim_sentiments, store_sentiments]
);

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn claim_sentiments(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        sentiment::claim(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn store_sentiments(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        sentiment::store(&mut db, arguments).await
    })
}
