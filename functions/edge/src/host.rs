//! The platforms a function runs on: their requests become the router's, and its answers theirs.

#[cfg(target_arch = "wasm32")]
pub mod web;

/// The panics of all instances that this process of the platform has had.
#[cfg(target_arch = "wasm32")]
pub(crate) use web::panics;

/// Natively a panic ends no instance, see [`crate::metrics`].
#[cfg(not(target_arch = "wasm32"))]
pub(crate) const fn panics() -> u32 {
    0
}
