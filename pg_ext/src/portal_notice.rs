//! What the owners of portal accounts are told.

use fieldcrm_rpc::portal_notice;
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::spi::{Access, run};

extension_sql_file!(
    "../sql/portal_notice.sql",
    name = "portal_notice",
    requires = ["unwrap", send_portal_notices]
);

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn send_portal_notices(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        portal_notice::send(&mut db, arguments).await
    })
}
