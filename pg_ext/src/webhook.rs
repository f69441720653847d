//! What providers deliver.

use fieldcrm_rpc::webhook;
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::spi::{Access, run};

extension_sql_file!("../sql/webhook.sql", name = "webhook", requires = ["unwrap", receive_webhook]);

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn receive_webhook(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        webhook::receive(&mut db, arguments).await
    })
}
