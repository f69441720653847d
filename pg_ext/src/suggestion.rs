//! What to come back to a customer for.

use fieldcrm_rpc::suggestion;
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::spi::{Access, run};

extension_sql_file!(
    "../sql/suggestion.sql",
    name = "suggestion",
    requires = ["unwrap", suggest_followups, next_actions]
);

#[pg_extern(create_or_replace)]
fn suggest_followups(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        suggestion::suggest(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, stable)]
fn next_actions(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| {
        suggestion::next_actions(&mut db, arguments).await
    })
}
