//! How the writer of a text feels.

mod job;
mod vader;

pub use job::{ClaimSentiments, Finding, StoreSentiments};
pub use vader::compound;

use crate::interaction::Sentiment;

/// What the builtin analysis calls itself.
pub const BUILTIN: &str = "builtin";

/// The most characters of a text that are analysed.
pub const MAX_TEXT: usize = 10_000;

/// The published thresholds of VADER.
const THRESHOLD: f64 = 0.05;

/// The builtin analysis: English, asks nobody.
#[must_use]
pub fn builtin(text: &str) -> Sentiment {
    let score = compound(text);
    if score >= THRESHOLD {
        Sentiment::Positive
    } else if score <= -THRESHOLD {
        Sentiment::Negative
    } else {
        Sentiment::Neutral
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_what_the_published_thresholds_say() {
        for (text, expected) in [
            ("Thank you, great work!", Sentiment::Positive),
            ("Nobody came, this is terrible.", Sentiment::Negative),
            ("The visit is on Monday.", Sentiment::Neutral),
            ("", Sentiment::Neutral),
            ("not good", Sentiment::Negative),
            ("😊", Sentiment::Positive),
        ] {
            assert_eq!(builtin(text), expected, "{text}");
        }
    }
}
