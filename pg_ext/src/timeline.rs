//! The timeline of a customer.

use fieldcrm_rpc::timeline;
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::spi::{Access, run};

extension_sql_file!(
    "../sql/timeline.sql",
    name = "timeline",
    requires = ["unwrap", customer_timeline]
);

// Volatile: who looked is written down.
#[pg_extern(create_or_replace)]
fn customer_timeline(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        timeline::page(&mut db, arguments).await
    })
}
