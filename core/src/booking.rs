//! Booking: which times are free, what customers ask for, and what they may do with their visits by themselves.

pub mod policy;
pub mod request;
pub mod slot;
mod zone;
