//! What messages to a customer are written from.

use fieldcrm_rpc::draft;
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::spi::{Access, run};

extension_sql_file!("../sql/draft.sql", name = "draft", requires = ["unwrap", message_context]);

#[pg_extern(create_or_replace)]
fn message_context(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        draft::context(&mut db, arguments).await
    })
}
