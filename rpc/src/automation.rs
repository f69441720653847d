//! Automation: rules that hear what happens to customers and act on it, and what they did.

pub mod act;
mod action;
pub mod enroll;
mod history;
pub mod preview;
mod references;
pub mod retry;
mod run;
pub mod runner;
mod store;

pub use self::history::history;
pub use self::store::{create, update};
