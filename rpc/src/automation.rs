//! Automation: rules that hear what happens to customers and act on it.

pub mod act;
mod action;
pub mod enroll;
pub mod preview;
pub mod retry;
mod run;
pub mod runner;
