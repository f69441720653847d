//! Automation: rules, and what they did.

mod history;
mod references;
mod store;

pub use self::history::history;
pub use self::store::{create, update};
