//! Automation: the jobs that run rules, and what a rule would do.

use fieldcrm_rpc::automation::{preview, retry, runner};
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::spi::{Access, run};

extension_sql_file!(
    "../sql/automation_run.sql",
    name = "automation_run",
    requires = [
        "unwrap",
        run_automations,
        process_segment_automations,
        process_time_based,
        retry_automation_run,
        preview_automation
    ]
);

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn run_automations(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        runner::run_automations(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn process_segment_automations(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        runner::process_segments(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn process_time_based(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        runner::process_time_based(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn retry_automation_run(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        retry::retry(&mut db, arguments).await
    })
}

/// Stable: Postgres itself lets it write nothing.
#[pg_extern(create_or_replace, stable, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn preview_automation(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| {
        preview::preview(&mut db, arguments).await
    })
}
