//! Customers.

use fieldcrm_rpc::customer;
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::spi::{Access, run};

extension_sql_file!(
    "../sql/customer.sql",
    name = "customer",
    requires = ["unwrap", create_customer, get_customer, update_customer]
);

#[pg_extern(create_or_replace)]
fn create_customer(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        customer::create(&mut db, arguments).await
    })
}

// Volatile: who looked is written down.
#[pg_extern(create_or_replace)]
fn get_customer(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        customer::get(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace)]
fn update_customer(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        customer::update(&mut db, arguments).await
    })
}
