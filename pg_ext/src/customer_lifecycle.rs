//! What happens to customers as a whole.

use fieldcrm_rpc::customer_lifecycle;
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::spi::{Access, run};

extension_sql_file!(
    "../sql/customer_lifecycle.sql",
    name = "customer_lifecycle",
    requires =
        ["unwrap", archive_customer, restore_customer, delete_customer, bulk_tag, merge_customers]
);

#[pg_extern(create_or_replace)]
fn archive_customer(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        customer_lifecycle::archive(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace)]
fn restore_customer(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        customer_lifecycle::restore(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace)]
fn delete_customer(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        customer_lifecycle::delete(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace)]
fn bulk_tag(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        customer_lifecycle::bulk_tag(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn merge_customers(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        customer_lifecycle::merge(&mut db, arguments).await
    })
}
