//! Interactions.

use fieldcrm_rpc::interaction;
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::spi::{Access, run};

extension_sql_file!(
    "../sql/interaction.sql",
    name = "interaction",
    requires = ["unwrap", log_interaction]
);

#[pg_extern(create_or_replace)]
fn log_interaction(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        interaction::log(&mut db, arguments).await
    })
}
