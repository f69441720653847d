//! Forms of landing pages.

use fieldcrm_rpc::form;
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::spi::{Access, run};

extension_sql_file!("../sql/form.sql", name = "form", requires = ["unwrap", submit_form]);

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn submit_form(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        form::submit(&mut db, arguments).await
    })
}
