//! Portal accounts.

use fieldcrm_rpc::portal_account;
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::spi::{Access, run};

extension_sql_file!(
    "../sql/portal_account.sql",
    name = "portal_account",
    requires = [
        "unwrap",
        create_portal_invite,
        revoke_portal_invite,
        update_portal_account,
        set_portal_access,
        find_portal_signup,
        register_portal_signup,
        complete_portal_signup,
        find_portal_invite,
        accept_portal_invite,
        sign_in_to_portal,
        portal_dashboard,
        get_portal_settings,
        update_portal_profile,
        update_portal_notifications,
        log_portal_event
    ]
);

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn create_portal_invite(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        portal_account::create_invite(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn revoke_portal_invite(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        portal_account::revoke_invite(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn update_portal_account(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        portal_account::update(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn set_portal_access(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        portal_account::set_access(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, stable, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn find_portal_signup(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| {
        portal_account::find_signup(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn register_portal_signup(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        portal_account::register_signup(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn complete_portal_signup(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        portal_account::complete_signup(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn find_portal_invite(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        portal_account::find_invite(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn accept_portal_invite(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        portal_account::accept_invite(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn sign_in_to_portal(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        portal_account::sign_in(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, stable, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn portal_dashboard(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| {
        portal_account::dashboard(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, stable, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn get_portal_settings(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| {
        portal_account::get_settings(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn update_portal_profile(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        portal_account::update_profile(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn update_portal_notifications(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        portal_account::update_notifications(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn log_portal_event(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        portal_account::log_event(&mut db, arguments).await
    })
}
