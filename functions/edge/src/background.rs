//! Work that nobody waits for.

#[cfg(target_arch = "wasm32")]
pub fn spawn(work: impl Future<Output = ()> + Send + 'static) {
    use js_sys::{Function, Promise, Reflect};
    use wasm_bindgen::{JsCast, JsValue};

    let work: Promise = wasm_bindgen_futures::future_to_promise(async move {
        work.await;
        Ok(JsValue::UNDEFINED)
    });
    // Where a platform ends with the answer what its request has begun, it is told to wait.
    let platform = Reflect::get(&js_sys::global(), &"EdgeRuntime".into()).unwrap_or_default();
    let wait = Reflect::get(&platform, &"waitUntil".into()).ok();
    if let Some(wait) = wait.and_then(|wait| wait.dyn_into::<Function>().ok()) {
        // Where it refuses, the work goes on for as long as the platform lets it.
        let _ = wait.call1(&platform, &work);
    }
}

/// Outside of a runtime there is none to do it.
#[cfg(not(target_arch = "wasm32"))]
pub fn spawn(work: impl Future<Output = ()> + Send + 'static) {
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(work);
    }
}
