//! Message templates.

use fieldcrm_rpc::template;
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::spi::{Access, run};

extension_sql_file!(
    "../sql/template.sql",
    name = "template",
    requires = ["unwrap", render_template, validate_template]
);

#[pg_extern(create_or_replace, stable)]
fn render_template(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| {
        template::render(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, stable)]
fn validate_template(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| {
        template::validate(&mut db, arguments).await
    })
}
