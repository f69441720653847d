//! The knowledge base.

use fieldcrm_rpc::kb;
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::spi::{Access, run};

extension_sql_file!(
    "../sql/kb.sql",
    name = "kb",
    requires =
        ["unwrap", kb_search, kb_list_articles, kb_get_article, claim_kb_articles, store_kb_chunks]
);

#[pg_extern(create_or_replace, stable, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn kb_search(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| kb::search(&mut db, arguments).await)
}

#[pg_extern(create_or_replace, stable, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn kb_list_articles(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| kb::list(&mut db, arguments).await)
}

#[pg_extern(create_or_replace, stable, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn kb_get_article(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| kb::get(&mut db, arguments).await)
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn claim_kb_articles(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| kb::claim(&mut db, arguments).await)
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn store_kb_chunks(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| kb::store(&mut db, arguments).await)
}
