//! Segments.

use fieldcrm_rpc::segment;
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::spi::{Access, run};

extension_sql_file!(
    "../sql/segment.sql",
    name = "segment",
    requires = [
        "unwrap",
        segment_validate,
        segment_sql,
        segment_preview,
        segment_explain,
        segment_matches,
        segment_fields,
        segment_aggregates,
        segment_vocabulary,
        create_segment,
        update_segment,
        recompute_segment,
        recompute_due_segments,
        segment_add_members,
        segment_remove_members
    ]
);

#[pg_extern(create_or_replace, stable, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn segment_validate(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| {
        segment::validate(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, stable, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn segment_sql(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| segment::sql(&mut db, arguments).await)
}

/// Volatile, because Postgres lets no stable function ask for a plan.
#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn segment_preview(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        segment::preview(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, stable, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn segment_explain(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| {
        segment::explain(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, stable, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn segment_matches(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| {
        segment::matches(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, stable, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn segment_fields(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| {
        segment::fields(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, stable, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn segment_aggregates(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| {
        segment::aggregates(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, stable, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn segment_vocabulary(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| {
        segment::vocabulary(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn create_segment(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        segment::create(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn update_segment(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        segment::update(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn recompute_segment(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        segment::recompute(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn recompute_due_segments(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        segment::recompute_due(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn segment_add_members(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        segment::add_members(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn segment_remove_members(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        segment::remove_members(&mut db, arguments).await
    })
}
