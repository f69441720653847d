//! The platforms a function runs on: each turns its own requests into the router's and back.

#[cfg(target_arch = "wasm32")]
pub mod supabase;
