//! Models that functions ask.

pub mod embed;
