//! The RPCs of fieldcrm.
//!
//! An RPC is an `async fn` over [`Db`]: Rust parses, validates, normalises and decides; a static
//! SQL statement (`sql/<feature>/<statement>.sql`, best one CTE chain) does the set-based work.
//! Nothing here may assume that it runs inside the server.

pub mod customer;
mod database;
mod idempotency;
pub mod member;
pub mod org;
pub mod segment;
pub mod session;
#[cfg(feature = "tokio")]
pub mod tokio;

pub use database::{Db, RunsAs, call_as};
pub use fieldcrm_core::{Error, Result};

use serde_json::Value;

macro_rules! rpcs {
    ($($name:literal => $function:path, $runs_as:ident;)*) => {
        /// Every RPC by its public name, with whom its statements run as.
        pub const RPCS: &[(&str, RunsAs)] = &[$(($name, RunsAs::$runs_as),)*];

        /// Runs the RPC of that name on named arguments; for drivers that have no SQL face.
        pub async fn dispatch<D: Db>(db: &mut D, name: &str, arguments: Value) -> Result<Value> {
            match name {
                $($name => $function(db, arguments).await,)*
                _ => Err(Error::not_found("RPC")),
            }
        }
    };
}

rpcs! {
    "crm_session" => session::describe, Owner;
    "crm_create_org" => org::create, Owner;
    "crm_invite_member" => member::invite, Owner;
    "crm_accept_invite" => member::accept_invite, Owner;
    "crm_set_member_role" => member::set_role, Owner;
    "crm_deactivate_member" => member::deactivate, Owner;
    "crm_create_customer" => customer::create, Caller;
    "crm_get_customer" => customer::get, Caller;
    "crm_update_customer" => customer::update, Caller;
    "crm_segment_validate" => segment::validate, Owner;
    "crm_segment_sql" => segment::sql, Owner;
    "crm_segment_preview" => segment::preview, Owner;
    "crm_segment_explain" => segment::explain, Owner;
    "crm_segment_matches" => segment::matches, Owner;
    "crm_segment_fields" => segment::fields, Owner;
    "crm_create_segment" => segment::create, Owner;
    "crm_update_segment" => segment::update, Owner;
    "crm_recompute_segment" => segment::recompute, Owner;
    "crm_recompute_due_segments" => segment::recompute_due, Owner;
    "crm_segment_add_members" => segment::add_members, Owner;
    "crm_segment_remove_members" => segment::remove_members, Owner;
}
