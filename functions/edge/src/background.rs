//! Work that nobody waits for.

#[cfg(target_arch = "wasm32")]
pub fn spawn(work: impl Future<Output = ()> + Send + 'static) {
    wasm_bindgen_futures::spawn_local(work);
}

/// Outside of a runtime there is none to do it.
#[cfg(not(target_arch = "wasm32"))]
pub fn spawn(work: impl Future<Output = ()> + Send + 'static) {
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(work);
    }
}
