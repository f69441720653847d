//! Work orders.

use fieldcrm_rpc::work_order;
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::spi::{Access, run};

extension_sql_file!(
    "../sql/work_order.sql",
    name = "work_order",
    requires = ["unwrap", set_work_order_status, my_visits, get_visit]
);

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn set_work_order_status(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        work_order::set_status(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, stable, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn my_visits(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| {
        work_order::my_visits(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn get_visit(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        work_order::get_visit(&mut db, arguments).await
    })
}
