//! Ctrl-C and `kill` ask the running command to stop; whoever started something then takes it down.

use std::sync::atomic::{AtomicBool, Ordering};

static REQUESTED: AtomicBool = AtomicBool::new(false);

pub fn install() {
    // Without a handler Ctrl-C still ends xtask, only less tidily: not worth failing for.
    let _ = ctrlc::set_handler(|| REQUESTED.store(true, Ordering::SeqCst));
}

pub fn requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}

pub fn check() -> anyhow::Result<()> {
    if requested() {
        anyhow::bail!("interrupted");
    }
    Ok(())
}

/// Forgets an earlier Ctrl-C, so that taking a stack down is not itself interrupted by it.
pub fn acknowledge() -> bool {
    REQUESTED.swap(false, Ordering::SeqCst)
}
