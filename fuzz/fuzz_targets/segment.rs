//! Parse, check and compile of whatever comes: as JSON where it is JSON, otherwise as bytes that a definition grows of.

#![no_main]

#[path = "../../core/tests/segment_hostile/grown.rs"]
mod grown;
#[path = "../../core/tests/segment_hostile/invariant.rs"]
mod invariant;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    match serde_json::from_slice(data) {
        Ok(definition) => invariant::holds(&definition),
        Err(_) => invariant::holds(&grown::Seed(data).definition()),
    };
});
