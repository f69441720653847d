//! Consent.

use fieldcrm_rpc::consent;
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::spi::{Access, run};

extension_sql_file!("../sql/consent.sql", name = "consent", requires = ["unwrap", can_contact]);

#[pg_extern(create_or_replace, stable)]
fn can_contact(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| {
        consent::can_contact(&mut db, arguments).await
    })
}
