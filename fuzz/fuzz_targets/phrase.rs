//! Any sentence is a valid definition or is refused.

#![no_main]

use fieldcrm_core::ai::phrase::{Vocabulary, understand};
use fieldcrm_core::segment::parse;

const VOCABULARY: &str = include_str!("../../core/tests/phrase/vocabulary.json");

libfuzzer_sys::fuzz_target!(|sentence: &str| {
    let vocabulary: Vocabulary = serde_json::from_str(VOCABULARY).unwrap();
    let today = chrono::NaiveDate::from_ymd_opt(2026, 11, 21).unwrap();
    if let Ok(said) = understand(sentence, today, &vocabulary) {
        assert!(parse(&said.definition).is_ok(), "{}", said.definition);
    }
});
