//! Answers that need no model: the sentences of help articles that say most about a question, word for word.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::kb::words;

/// The most sentences of an answer.
pub const MAX_SENTENCES: usize = 3;
/// The part of what a question's words say that the best piece and its title must have; below it nothing was found.
/// Chosen on the questions of `dev` in `xtask/bench/kb`, see docs/ai.md.
pub const LEAST: f64 = 0.35;
/// The part of the best sentence's score that the others must have.
const NEXT_TO_BEST: f64 = 0.6;
/// How much a word in the title or the heading counts, against the same word in a sentence.
const TITLE: f64 = 0.6;
/// What is longer is no sentence but a table or code.
const MAX_SENTENCE: usize = 600;

/// A piece of an article that a search found.
#[derive(Clone, Debug, Deserialize)]
pub struct Source {
    pub slug: String,
    pub title: String,
    #[serde(default)]
    pub heading: Option<String>,
    pub chunk_index: i32,
    pub content: String,
}

/// Where an answer is from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Citation {
    pub slug: String,
    pub title: String,
    /// Which piece of the article, from 0.
    pub chunk_index: i32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heading: Option<String>,
    /// What the answer says from it: word for word what the piece says, or a model's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sentence: Option<String>,
}

impl Source {
    #[must_use]
    pub fn citation(&self, sentence: Option<&str>) -> Citation {
        Citation {
            slug: self.slug.clone(),
            title: self.title.clone(),
            chunk_index: self.chunk_index,
            heading: self.heading.clone(),
            sentence: sentence.map(str::to_owned),
        }
    }
}

struct Candidate<'a> {
    source: usize,
    place: usize,
    text: &'a str,
    score: f64,
}

/// The sentences that answer, each with where it stands; none where the pieces say too little about the question. The best
/// article comes first, the sentences of each in its order.
#[must_use]
pub fn answer(question: &str, sources: &[Source]) -> Vec<Citation> {
    let asked: BTreeSet<String> = words(question).collect();
    let weights = weights(&asked, sources);
    let total: f64 = weights.values().sum();
    let said = |text: &str| -> BTreeSet<String> {
        words(text).filter(|word| asked.contains(word)).collect()
    };
    let weigh = |words: &BTreeSet<String>| -> f64 { words.iter().map(|word| weights[word]).sum() };
    let mut candidates = Vec::new();
    for (number, source) in sources.iter().enumerate() {
        let head = said(&format!("{} {}", source.title, source.heading.as_deref().unwrap_or("")));
        let all: BTreeSet<String> = said(&source.content).union(&head).cloned().collect();
        let share = weigh(&all) / total;
        // One word in common is chance. Without words there is no share: that is not a number.
        if all.len() < asked.len().min(2) || share < LEAST || share.is_nan() {
            continue;
        }
        for (place, text) in sentences(&source.content).enumerate() {
            let own = said(text);
            let more: BTreeSet<String> = head.difference(&own).cloned().collect();
            // What the piece as a whole is about, and what this sentence says of it; a long one says it less clearly.
            let length = f64::from(u32::try_from(words(text).count()).unwrap_or(u32::MAX));
            let clear = 1.0 / (1.0 + length / 40.0);
            let score = (weigh(&own) + TITLE * weigh(&more)) * clear + weigh(&all);
            candidates.push(Candidate { source: number, place, text, score });
        }
    }
    candidates.sort_by(|one, other| {
        (other.score.total_cmp(&one.score))
            .then((one.source, one.place).cmp(&(other.source, other.place)))
    });
    let Some(best) = candidates.first() else { return Vec::new() };
    let (first, least) = (best.source, best.score * NEXT_TO_BEST);
    let mut seen = BTreeSet::new();
    candidates.retain(|one| one.score >= least && seen.insert(one.text));
    candidates.truncate(MAX_SENTENCES);
    candidates.sort_by_key(|one| (one.source != first, one.source, one.place));
    candidates.iter().map(|one| sources[one.source].citation(Some(one.text))).collect()
}

/// How much each word of the question says: the more, the fewer of the pieces have it.
fn weights(asked: &BTreeSet<String>, sources: &[Source]) -> BTreeMap<String, f64> {
    let pieces: Vec<BTreeSet<String>> = sources
        .iter()
        .map(|source| words(&format!("{} {}", source.title, source.content)).collect())
        .collect();
    let count = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    asked
        .iter()
        .map(|word| {
            let having = pieces.iter().filter(|piece| piece.contains(word)).count();
            (word.clone(), (1.0 + count(pieces.len()) / count(having).max(0.5)).ln())
        })
        .collect()
}

/// The sentences of a piece: a line ends one, and so does a full stop before something that may begin another.
pub(super) fn sentences(content: &str) -> impl Iterator<Item = &str> {
    content.lines().flat_map(split).filter(|text| {
        (1..=MAX_SENTENCE).contains(&text.chars().count()) && text.contains(char::is_alphabetic)
    })
}

pub(super) fn split(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut start = 0;
    for (at, space) in line.char_indices().filter(|(_, letter)| *letter == ' ') {
        let before = &line[start..at];
        // "e.g. ", "No. 5", "St. John"
        let last = before.rsplit([' ', '.']).find(|word| !word.is_empty()).unwrap_or_default();
        let ends = before.ends_with(['!', '?', '。', '…'])
            || (before.ends_with('.') && last.chars().count() > 2);
        let after = &line[at + space.len_utf8()..];
        if ends && !after.starts_with(char::is_lowercase) {
            found.push(before);
            start = at + space.len_utf8();
        }
    }
    found.push(&line[start..]);
    found.retain(|text| !text.trim().is_empty());
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn source(slug: &str, title: &str, content: &str) -> Source {
        Source {
            slug: slug.to_owned(),
            title: title.to_owned(),
            heading: None,
            chunk_index: 0,
            content: content.to_owned(),
        }
    }

    fn shelf() -> Vec<Source> {
        vec![
            source(
                "bleed",
                "Bleeding a radiator",
                "Turn the heating off. Open the valve with the key, e.g. a quarter turn. Close it when water comes.\nBring a cloth.",
            ),
            source(
                "filter",
                "Changing the furnace filter",
                "Slide the old filter out. Check the filter monthly.",
            ),
        ]
    }

    #[test]
    fn what_answers_is_quoted_with_its_place() {
        let found = answer("How often do I check my furnace filters?", &shelf());
        assert_eq!(found[0].slug, "filter");
        assert!(
            found.iter().any(|one| one.sentence.as_deref() == Some("Check the filter monthly."))
        );
        assert!(found.iter().all(|one| one.slug == "filter"), "{found:?}");
    }

    #[test]
    fn what_is_about_something_else_is_not_answered() {
        for question in
            ["Who won the football final?", "", "how do I", "?!", "Is the bread in the oven?"]
        {
            assert_eq!(answer(question, &shelf()), [], "{question}");
        }
        assert_eq!(answer("radiator", &[]), []);
    }

    #[test]
    fn sentences_end_where_people_end_them() {
        let text = "Open it, e.g. a turn. Wait 2.5 min. then close. Is it No. 5? Yes!\nA line";
        let found: Vec<_> = sentences(text).collect();
        assert_eq!(
            found,
            [
                "Open it, e.g. a turn.",
                "Wait 2.5 min. then close.",
                "Is it No. 5?",
                "Yes!",
                "A line"
            ]
        );
    }

    proptest! {
        #[test]
        fn every_sentence_is_text_of_its_piece(
            question in "(boiler|valve|leak|the|how|é| |\\PC){0,12}",
            contents in prop::collection::vec("(boiler|valve|leak|the|\\.|\\. | |\n|。|é|\\PC){0,60}", 0..5),
        ) {
            let sources: Vec<_> = contents
                .iter()
                .enumerate()
                .map(|(number, content)| source(&number.to_string(), "Valve", content))
                .collect();
            let found = answer(&question, &sources);
            prop_assert_eq!(&found, &answer(&question, &sources));
            prop_assert!(found.len() <= MAX_SENTENCES);
            for one in found {
                let cited: usize = one.slug.parse().unwrap();
                prop_assert!(contents[cited].contains(one.sentence.as_deref().unwrap()));
            }
        }
    }
}
