//! The rules of fieldcrm as pure functions.
//!
//! Nothing in this crate reads a clock, draws a random number, talks to a database or knows HTTP:
//! everything it needs is an argument. The RPCs (`rpc`), the Postgres extension (`pg_ext`) and the
//! edge functions (`functions`) all call it, so a rule exists once.

pub mod ai;
pub mod ai_usage;
pub mod appointment;
pub mod automation;
pub mod batch;
pub mod booking;
pub mod capability;
pub mod channel;
pub mod client;
pub mod consent;
pub mod cursor;
pub mod customer;
pub mod delivery;
pub mod email;
pub mod endpoint;
pub mod error;
pub mod fingerprint;
pub mod followup;
pub mod form;
pub mod import;
pub mod interaction;
pub mod kb;
pub mod lead;
pub mod mask;
pub mod member;
pub mod outbox;
pub mod patch;
pub mod phone;
pub mod portal;
pub mod portal_account;
pub mod portal_assistant;
pub mod portal_notice;
pub mod portal_thread;
pub mod search;
pub mod segment;
pub mod session;
pub mod signature;
pub mod template;
pub mod timeline;
pub mod webhook;
pub mod work_order;

pub use capability::{Capability, Role};
pub use error::{Code, Error, FieldError, Result};
pub use session::Session;
