//! Who is calling: the helpers that policies and RPCs use.
//!
//! The answer comes from `fieldcrm.load_session()` (SQL, security definer), which reads the profile
//! row. Policies ask many times in one statement, so it is remembered for as long as it cannot have
//! changed: while the same caller looks at the same snapshot.

use std::cell::RefCell;
use std::ffi::CStr;

use fieldcrm_core::{Capability, Session};
use fieldcrm_rpc::session;
use pgrx::prelude::*;
use pgrx::{JsonB, Uuid};
use serde_json::{Value, json};

use crate::spi::{Access, execute, run};

extension_sql_file!(
    "../sql/session.sql",
    name = "session",
    requires = [
        "unwrap",
        describe_session,
        load_for_rpc,
        current_org_id,
        current_profile_id,
        has_capability,
        is_staff
    ]
);

const LOAD: &str = "select fieldcrm.load_session() where $1 is not null";

/// All that the answer depends on. Two snapshots with the same `xmax` and the same numbers of running
/// transactions see the same committed rows (what is below `xmax` only ever ends; on a standby all of
/// them count as subtransactions). `curcid` stands for the caller's own changes; since it does not go
/// back when they are rolled back, the (sub)transaction is part of the key.
#[derive(PartialEq, Eq)]
struct Key {
    xmax: pg_sys::TransactionId,
    running: (u32, i32),
    curcid: pg_sys::CommandId,
    transaction: pg_sys::LocalTransactionId,
    subtransaction: pg_sys::SubTransactionId,
    outer_user: pg_sys::Oid,
    claims: Option<Vec<u8>>,
    org: Option<Vec<u8>>,
}

thread_local! {
    static REMEMBERED: RefCell<Option<(Key, Value, Session)>> = const { RefCell::new(None) };
}

fn key() -> Option<Key> {
    // SAFETY: reads of backend-local state; the snapshot is only looked at while it is active.
    unsafe {
        if !pg_sys::ActiveSnapshotSet() {
            return None;
        }
        let snapshot = &*pg_sys::GetActiveSnapshot();
        Some(Key {
            xmax: snapshot.xmax,
            running: (snapshot.xcnt, snapshot.subxcnt),
            curcid: snapshot.curcid,
            transaction: local_transaction(),
            subtransaction: pg_sys::GetCurrentSubTransactionId(),
            outer_user: pg_sys::GetOuterUserId(),
            claims: setting(c"request.jwt.claims"),
            org: setting(c"app.current_org_id"),
        })
    }
}

fn local_transaction() -> pg_sys::LocalTransactionId {
    // SAFETY: a backend that runs a function has its entry in the process array.
    unsafe {
        #[cfg(any(feature = "pg15", feature = "pg16"))]
        return (*pg_sys::MyProc).lxid;
        #[cfg(any(feature = "pg17", feature = "pg18"))]
        return (*pg_sys::MyProc).vxid.lxid;
    }
}

fn setting(name: &CStr) -> Option<Vec<u8>> {
    // SAFETY: the server returns null or a C string that lives until the setting changes; it is
    // copied at once.
    unsafe {
        let value = pg_sys::GetConfigOption(name.as_ptr(), true, false);
        (!value.is_null()).then(|| CStr::from_ptr(value).to_bytes().to_vec())
    }
}

fn with_session<T>(use_it: impl FnOnce(&Value, &Session) -> T) -> T {
    let key = key();
    if let Some((seen, value, session)) = REMEMBERED.take()
        && Some(&seen) == key.as_ref()
    {
        let answer = use_it(&value, &session);
        REMEMBERED.set(Some((seen, value, session)));
        return answer;
    }
    // Nothing is borrowed here: the statement may call back into these helpers.
    let value = match execute(LOAD, json!({}), Access::Stable) {
        Ok(value) => value,
        Err(error) => error!("fieldcrm.load_session() did not answer: {error}"),
    };
    let session = match serde_json::from_value(value.clone()) {
        Ok(session) => session,
        Err(error) => error!("fieldcrm.load_session() answered something unexpected: {error}"),
    };
    let answer = use_it(&value, &session);
    REMEMBERED.set(key.map(|key| (key, value, session)));
    answer
}

/// The org of the caller's active profile; for sessions that bypass RLS, `app.current_org_id`.
#[pg_extern(create_or_replace, stable, parallel_restricted)]
fn current_org_id() -> Option<Uuid> {
    with_session(|_, session| session.org_id.map(|id| Uuid::from_bytes(id.into_bytes())))
}

/// The caller's active profile, which has the id of the user; null for back-end sessions.
#[pg_extern(create_or_replace, stable, parallel_restricted)]
fn current_profile_id() -> Option<Uuid> {
    with_session(|_, session| session.profile_id.map(|id| Uuid::from_bytes(id.into_bytes())))
}

/// Whether the caller has the capability in the current org.
#[pg_extern(create_or_replace, stable, parallel_restricted)]
fn has_capability(capability: &str) -> bool {
    let Some(capability) = Capability::parse(capability) else {
        // A policy with a typing error must fail loudly, not deny quietly.
        ereport!(
            ERROR,
            PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
            format!("there is no capability {capability:?}")
        );
    };
    with_session(|_, session| session.has(capability))
}

/// Whether the caller is a member of the company rather than a portal user.
#[pg_extern(create_or_replace, stable, parallel_restricted)]
fn is_staff() -> bool {
    with_session(|_, session| session.is_staff())
}

/// `fieldcrm.load_session()`, remembered: how RPCs ask.
#[pg_extern(create_or_replace, stable, parallel_restricted, name = "session")]
fn load_for_rpc() -> JsonB {
    JsonB(with_session(|value, _| value.clone()))
}

#[pg_extern(create_or_replace, stable, security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn describe_session(arguments: &str) -> JsonB {
    run(Access::Stable, arguments, async |mut db, arguments| {
        session::describe(&mut db, arguments).await
    })
}
