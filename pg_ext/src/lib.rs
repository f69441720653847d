//! The Postgres extension `fieldcrm`.
//!
//! It owns functions only: the RPC bodies (this crate, a few lines each over `fieldcrm-rpc`), their
//! public faces with named arguments (`sql/<feature>.sql`) and the helpers that policies call
//! ([`session`]). Tables are in `migrations/`.
//!
//! The install script is `create or replace` throughout, so the same script upgrades.

use pgrx::prelude::*;

mod ai_usage;
mod appointment;
mod automation;
mod automation_run;
mod booking;
mod channel;
mod client;
mod consent;
mod conversation;
mod customer;
mod customer_lifecycle;
mod delivery;
mod draft;
mod event;
mod followup;
mod form;
mod health;
mod import;
mod insight;
mod interaction;
mod kb;
mod lead;
mod lead_score;
mod member;
mod org;
mod outbox;
mod portal_account;
mod portal_assistant;
mod portal_notice;
mod portal_thread;
mod privacy;
mod project;
mod prune;
mod search;
mod segment;
mod segment_score;
mod sentiment;
mod session;
mod spi;
mod suggestion;
mod template;
mod timeline;
mod webhook;
mod work_order;

::pgrx::pg_module_magic!(name, version);

// The order of the script: what answers who is calling, the functions of this crate, their faces.
extension_sql_file!("../../rpc/sql/session/load.sql", name = "load_session", bootstrap);
extension_sql_file!("../sql/unwrap.sql", name = "unwrap", requires = ["load_session"]);
extension_sql_file!("../sql/retire.sql", name = "retire", finalize);

/// Loads the phone metadata once, in the postmaster, when the library is preloaded; a backend that
/// loads it by itself does so at its first number.
#[pg_guard]
pub extern "C-unwind" fn _PG_init() {
    // SAFETY: a flag of the server, set before libraries are loaded and never changed by others.
    if unsafe { pg_sys::process_shared_preload_libraries_in_progress } {
        fieldcrm_core::phone::preload();
    }
}
