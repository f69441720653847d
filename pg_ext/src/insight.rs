//! What was said to and by a customer.

use fieldcrm_rpc::insight;
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::spi::{Access, run};

extension_sql_file!(
    "../sql/insight.sql",
    name = "insight",
    requires = ["unwrap", interaction_texts]
);

#[pg_extern(create_or_replace)]
fn interaction_texts(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        insight::texts(&mut db, arguments).await
    })
}
