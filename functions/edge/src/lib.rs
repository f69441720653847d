//! What every edge function shares.
//!
//! A function is an axum router over [`Ports`], wrapped by [`service::wrap`]. The router knows
//! neither the platform it runs on nor how the database is reached: natively the tests hand it fakes,
//! at the edge a module of [`host`] hands it `fetch` and the console. No handler checks a role or
//! writes SQL: the database sees the caller's own token and decides.

use std::sync::Arc;

pub mod ai;
pub mod aws;
mod background;
pub mod clock;
mod config;
pub mod database;
pub mod dns;
mod health;
pub mod host;
pub mod http;
pub mod log;
mod metrics;
pub mod openapi;
mod problem;
pub mod query;
mod request;
pub mod service;
pub mod signed_url;
pub mod storage;

pub use config::{Config, Limits, Origins};
pub use database::{Database, PostgrestDatabase};
pub use log::{Console, Log};
pub use problem::Problem;
pub use request::{
    Caller, Idempotency, JsonObject, MAX_BODY, MAX_HEADERS, MAX_TARGET, PathId, arguments, require,
};
pub use signed_url::SignUrls;
pub use storage::{Storage, StorageApi};

/// The outside world as handlers see it: the state of every router.
#[derive(Clone)]
pub struct Ports {
    pub database: Arc<dyn Database>,
    pub log: Arc<dyn Log>,
}
