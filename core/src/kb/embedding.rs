//! Embeddings, and the one that needs nobody: words and pairs of words, hashed.

use sha2::{Digest, Sha256};

/// How many numbers an embedding has.
pub const DIMENSIONS: usize = 384;
pub type Embedding = [f32; DIMENSIONS];

/// What [`builtin`] calls itself: articles and questions have to have the same.
pub const BUILTIN_MODEL: &str = "builtin-hash-1";

/// How words and meaning come together in a search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fusion {
    /// How much a place in the list by meaning counts, against the same place in the list by words.
    pub weight: f64,
    /// Which part of what a question's words say a piece must have to be in the list by words, unless it has them all.
    pub least: f64,
}

/// A model that knows meaning finds what is said in other words: there, few words in common are chance. The builtin one sees the
/// same words again, less exactly, so that it decides where words do not. Chosen by `xtask/bench/kb`.
#[must_use]
pub fn fusion(model: &str) -> Fusion {
    if model == BUILTIN_MODEL {
        Fusion { weight: 0.1, least: 0.0 }
    } else {
        Fusion { weight: 2.0, least: 0.5 }
    }
}

/// What says nothing about a text.
const STOP_WORDS: &str = " a about after again all also am an and any are as at be because been before being but by can could did do \
    does doing down for from get got had has have having he her here hers him his how i if in into is it its just ll me more most my \
    no nor not now of off on once only or other our out over own re s same she should so some such t than that the their them \
    then there these they this those through to too under until up us ve very was we were what when where which while who why \
    will with would you your ";

/// The words of a text that say something about it, in small letters and without their English endings.
pub(crate) fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .filter(|word| !STOP_WORDS.contains(&format!(" {word} ")))
        .map(stem)
}

/// Words and pairs of neighbouring words of a text, each hashed to a dimension and a sign, weighted by one and the logarithm of how
/// often they are there, to the length of 1. It finds the same words, not the same meaning. A text without words gives zeros.
#[must_use]
pub fn builtin(text: &str) -> Embedding {
    let words: Vec<String> = words(text).collect();
    let mut counts = std::collections::BTreeMap::<String, u16>::new();
    let pairs = words.windows(2).map(|pair| format!("{} {}", pair[0], pair[1]));
    for feature in words.iter().cloned().chain(pairs) {
        let count = counts.entry(feature).or_default();
        *count = count.saturating_add(1);
    }
    let mut sums = [0_f64; DIMENSIONS];
    for (feature, count) in counts {
        let hash = Sha256::digest(feature.as_bytes());
        let place = usize::from(u16::from_be_bytes([hash[0], hash[1]])) % DIMENSIONS;
        let sign = if hash[2] & 1 == 0 { 1.0 } else { -1.0 };
        // A pair tells less than its words do.
        let weight = if feature.contains(' ') { 0.5 } else { 1.0 };
        sums[place] += sign * weight * (1.0 + f64::from(count).ln());
    }
    let length = sums.iter().map(|value| value * value).sum::<f64>().sqrt();
    if length == 0.0 {
        return [0.0; DIMENSIONS];
    }
    #[allow(clippy::cast_possible_truncation, reason = "that is how exact an embedding is kept")]
    sums.map(|value| (value / length) as f32)
}

/// Takes off what most often tells one form of an English word from another.
fn stem(mut word: String) -> String {
    for end in ["ing", "ed", "es", "s", "e"] {
        if word.len() >= end.len() + 3 && word.ends_with(end) && !word.ends_with("ss") {
            word.truncate(word.len() - end.len());
            break;
        }
    }
    word
}

/// Whether a distance to it means anything: numbers, not all of them zero.
#[must_use]
pub fn is_usable(embedding: &[f32]) -> bool {
    embedding.len() == DIMENSIONS
        && embedding.iter().all(|value| value.is_finite() && value.abs() < 1e6)
        && embedding.iter().any(|value| value.abs() > 1e-6)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closeness(one: &str, other: &str) -> f32 {
        builtin(one).iter().zip(builtin(other)).map(|(one, other)| one * other).sum()
    }

    #[test]
    fn texts_with_the_same_words_are_close_and_others_are_not() {
        let text = "The boiler loses pressure overnight";
        assert!((closeness(text, text) - 1.0).abs() < 1e-5);
        assert!(closeness(text, "boilers losing their pressure") > 0.6);
        assert!(closeness(text, "Paying an invoice by card").abs() < 0.3);
    }

    #[test]
    fn case_and_small_words_do_not_matter_and_a_text_without_words_is_not_usable() {
        assert!((closeness("HEAT the pump!", "heat a pump") - 1.0).abs() < 1e-5);
        assert!(is_usable(&builtin("heat pump")));
        for nothing in ["", "the and of", "…!?"] {
            assert!(!is_usable(&builtin(nothing)), "{nothing}");
        }
        assert!(!is_usable(&[1.0; 3]) && !is_usable(&[f32::NAN; DIMENSIONS]));
    }

    /// What is stored was made by an older build: the function may only change with its name.
    #[test]
    fn it_is_the_same_in_every_build() {
        let print: f32 = builtin("water heater water")
            .iter()
            .zip(1_u16..)
            .map(|(value, place)| value * f32::from(place))
            .sum();
        assert!((print - PRINT).abs() < 1e-3, "{print}");
    }

    const PRINT: f32 = 75.489_06;
}
