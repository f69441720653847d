//! What tests share that kill sessions at work.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use tokio::sync::mpsc;

use super::{Target, connect};

/// A size, for whoever wants a longer run.
pub fn setting(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Numbers that look random, the same in every run.
pub fn dice(state: &mut u64, sides: u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) % sides
}

/// Kills those who say that they begin, some at once and some a little later.
pub async fn kill(
    target: Target,
    most: usize,
    killed: Arc<AtomicUsize>,
    mut victims: mpsc::UnboundedReceiver<i32>,
) {
    let client = connect(target).await;
    let mut state = 7;
    while let Some(pid) = victims.recv().await {
        if killed.load(Ordering::Relaxed) >= most || dice(&mut state, 3) == 0 {
            continue;
        }
        for _ in 0..dice(&mut state, 30) {
            client.query_one("select 1", &[]).await.unwrap();
        }
        let sql = "select pg_terminate_backend($1) and exists (
            select from pg_stat_activity where pid = $1 and state <> 'idle')";
        let working: bool = client.query_one(sql, &[&pid]).await.unwrap().get(0);
        killed.fetch_add(usize::from(working), Ordering::Relaxed);
        // Who began meanwhile may be through already, or dead.
        while victims.try_recv().is_ok() {}
    }
}

/// Panics with what is there in one and not in the other, kind by kind.
pub fn difference(wanted: Vec<(&str, Vec<Value>)>, found: Vec<(&str, Vec<Value>)>) {
    for ((what, wanted), (_, found)) in wanted.into_iter().zip(found) {
        assert!(!wanted.is_empty(), "no {what}");
        if wanted != found {
            let missing: Vec<_> =
                wanted.iter().filter(|row| !found.contains(row)).take(5).collect();
            let surplus: Vec<_> =
                found.iter().filter(|row| !wanted.contains(row)).take(5).collect();
            let (wanted, found) = (wanted.len(), found.len());
            panic!("{found} of {wanted} {what}: missing {missing:?}, too many {surplus:?}");
        }
    }
}
