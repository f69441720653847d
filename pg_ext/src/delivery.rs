//! What endpoints were told of events.

use fieldcrm_rpc::delivery;
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::spi::{Access, run};

extension_sql_file!(
    "../sql/delivery.sql",
    name = "delivery",
    requires =
        ["unwrap", list_webhook_deliveries, replay_webhook_delivery, replay_webhook_endpoint]
);

#[pg_extern(create_or_replace, stable)]
fn list_webhook_deliveries(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| {
        delivery::list(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn replay_webhook_delivery(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        delivery::replay(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn replay_webhook_endpoint(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        delivery::replay_endpoint(&mut db, arguments).await
    })
}
