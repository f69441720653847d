//! Importing customers.

use fieldcrm_rpc::import;
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::spi::{Access, run};

extension_sql_file!("../sql/import.sql", name = "import", requires = ["unwrap", import_customers]);

#[pg_extern(create_or_replace)]
fn import_customers(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        import::import(&mut db, arguments).await
    })
}
