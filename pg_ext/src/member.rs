//! Members of an org.

use fieldcrm_rpc::member;
use pgrx::JsonB;
use pgrx::prelude::*;

use crate::spi::{Access, run};

extension_sql_file!(
    "../sql/member.sql",
    name = "member",
    requires = ["unwrap", invite_member, accept_invite, set_member_role, deactivate_member]
);

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn invite_member(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        member::invite(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn accept_invite(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        member::accept_invite(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn set_member_role(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        member::set_role(&mut db, arguments).await
    })
}

#[pg_extern(create_or_replace, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn deactivate_member(arguments: &str) -> JsonB {
    run(Access::Volatile, arguments, async |mut db, arguments| {
        member::deactivate(&mut db, arguments).await
    })
}
