//! Booking: what customers may do with their visits by themselves.

pub mod policy;
