//! How likely leads are to convert.

use fieldcrm_rpc::lead_score;
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::spi::{Access, run};

extension_sql_file!(
    "../sql/lead_score.sql",
    name = "lead_score",
    requires = ["unwrap", score_leads]
);

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn score_leads(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        lead_score::score(&mut db, arguments).await
    })
}
