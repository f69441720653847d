//! Automation: rules, and what they did.

use fieldcrm_rpc::automation;
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::spi::{Access, run};

extension_sql_file!(
    "../sql/automation.sql",
    name = "automation",
    requires = ["unwrap", create_automation_rule, update_automation_rule, automation_history]
);

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn create_automation_rule(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        automation::create(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn update_automation_rule(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        automation::update(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, stable)]
fn automation_history(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| {
        automation::history(&mut db, arguments).await
    })
}
