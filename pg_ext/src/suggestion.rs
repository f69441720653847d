//! What to come back to a customer for.

use fieldcrm_rpc::suggestion;
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::spi::{Access, run};

extension_sql_file!(
    "../sql/suggestion.sql",
    name = "suggestion",
    requires = ["unwrap", suggest_followups]
);

#[pg_extern(create_or_replace)]
fn suggest_followups(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        suggestion::suggest(&mut db, arguments).await
    })
}
