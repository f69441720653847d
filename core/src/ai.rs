//! What a model may be asked, and what is said where there is none.

pub mod sentiment;
