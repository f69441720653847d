//! Figures of marketing projects.

use fieldcrm_rpc::project;
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::spi::{Access, run};

extension_sql_file!(
    "../sql/project.sql",
    name = "project",
    requires = ["unwrap", conversion_rate, source_performance, project_summary]
);

#[pg_extern(create_or_replace, stable)]
fn conversion_rate(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| {
        project::conversion_rate(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, stable)]
fn source_performance(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| {
        project::source_performance(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, stable)]
fn project_summary(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| {
        project::summary(&mut db, arguments).await
    })
}
