//! The platforms a function runs on: their requests become the router's, and its answers theirs.

#[cfg(target_arch = "wasm32")]
pub mod web;
