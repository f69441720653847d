//! Scores of a segment's customers.

use fieldcrm_rpc::segment::score;
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::spi::{Access, run};

extension_sql_file!(
    "../sql/segment_score.sql",
    name = "segment_score",
    requires = ["unwrap", score_segment, cancel_ai_job, claim_scores, store_scores]
);

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn score_segment(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        score::start(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn cancel_ai_job(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        score::cancel(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn claim_scores(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        score::claim(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn store_scores(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        score::store(&mut db, arguments).await
    })
}
