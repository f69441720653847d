//! Waiting, on whatever the function runs.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};

#[cfg(target_arch = "wasm32")]
pub async fn sleep(time: Duration) {
    // A timer of JavaScript takes 31 bits of milliseconds.
    let time = time.min(Duration::from_hours(24));
    send_wrapper::SendWrapper::new(gloo_timers::future::sleep(time)).await;
}

#[cfg(not(target_arch = "wasm32"))]
pub async fn sleep(time: Duration) {
    tokio::time::sleep(time).await;
}

/// What the future gives, or `None` where it takes longer.
pub async fn within<F: Future>(time: Duration, future: F) -> Option<F::Output> {
    match select(pin!(future), pin!(sleep(time))).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(_) => None,
    }
}
