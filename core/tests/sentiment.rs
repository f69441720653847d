//! The builtin sentiment analysis against the published reference, and against people (sentiment/reference.py).

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

use fieldcrm_core::ai::sentiment::{builtin, compound};
use fieldcrm_core::interaction::Sentiment;

const MESSAGES: &str = include_str!("sentiment/messages.tsv");
const VECTORS: &str = include_str!("sentiment/vectors.tsv");

/// What reference.py printed about [`MESSAGES`].
const REFERENCE_ACCURACY: f64 = 0.647_059;
const REFERENCE_MACRO_F1: f64 = 0.640_972;

#[test]
fn scores_are_those_of_the_reference() {
    // A longer comparison, made by hand.
    let more =
        std::env::var("SENTIMENT_VECTORS").map(|path| std::fs::read_to_string(path).unwrap());
    let mut count = 0;
    for line in more.as_deref().unwrap_or(VECTORS).split_terminator('\n') {
        let (text, score) = line.rsplit_once('\t').unwrap();
        let text: String = serde_json::from_str(text).unwrap();
        let expected: f64 = score.parse().unwrap();
        let score = compound(&text);
        // A zero is a zero, whatever its sign.
        let equal = (score + 0.0).to_bits() == (expected + 0.0).to_bits();
        assert!(equal, "{text:?}: {score} and not {expected}");
        count += 1;
    }
    assert!(count >= 2_000);
}

#[test]
fn messages_of_customers_are_understood_as_well_as_by_the_reference() {
    let place = |name: &str| Sentiment::ALL.iter().position(|one| one.as_str() == name).unwrap();
    // By what it is, by what it was taken for.
    let mut counts = [[0_u32; 3]; 3];
    for line in MESSAGES.lines().filter(|line| !line.starts_with('#')) {
        let (label, text) = line.split_once('\t').unwrap();
        counts[place(label)][place(builtin(text).as_str())] += 1;
    }
    let total: u32 = counts.iter().flatten().sum();
    let right: u32 = (0..3).map(|one| counts[one][one]).sum();
    let accuracy = f64::from(right) / f64::from(total);
    let f1 = (0..3).map(|one| {
        let taken: u32 = counts.iter().map(|row| row[one]).sum();
        2.0 * f64::from(counts[one][one]) / f64::from(taken + counts[one].iter().sum::<u32>())
    });
    let macro_f1 = f1.sum::<f64>() / 3.0;
    println!("{total} messages: accuracy {accuracy:.6}, macro F1 {macro_f1:.6}, {counts:?}");
    assert!(total >= 500);
    assert!(accuracy >= REFERENCE_ACCURACY - 1e-6, "{accuracy}");
    assert!(macro_f1 >= REFERENCE_MACRO_F1 - 1e-6, "{macro_f1}");
}
