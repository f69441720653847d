//! A sentence as the rules of a segment, without a model: `active customers in Austin not seen for 6 months`.
//!
//! Every word is understood or said not to be. A sentence that can be read in two ways is refused, so that nobody
//! writes to the wrong customers: no rules are better than others than were meant.

mod amount;
mod condition;
mod consent;
mod field;
mod input;
mod lexicon;
mod place;
mod rows;
mod rule;
mod schema;
mod sentence;
mod time;
mod token;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;
use winnow::stream::{Stateful, TokenSlice};

use crate::segment::{self, MAX_PROMPT};
use input::State;
use token::{Token, tokens};

pub use schema::{Schema, schema};

/// Somebody of the org, by the name that sentences have.
#[derive(Clone, Debug, Deserialize)]
pub struct Person {
    pub id: Uuid,
    pub name: String,
}

/// The org's own names: what is not among them is not understood.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Vocabulary {
    pub tags: Vec<String>,
    pub cities: Vec<String>,
    pub states: Vec<String>,
    pub countries: Vec<String>,
    pub sources: Vec<String>,
    pub service_types: Vec<String>,
    pub products: Vec<String>,
    pub segments: Vec<String>,
    pub people: Vec<Person>,
    /// Who asks: "my customers".
    pub me: Option<Uuid>,
    /// ISO 4217; an amount in another currency is refused.
    pub currency: Option<String>,
}

/// What a sentence says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Understood {
    pub definition: Value,
    /// The definition in English.
    pub explanation: String,
}

/// Words that were not understood, or that leave open what is meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Misunderstood {
    pub text: String,
    /// Where the text starts and ends in the sentence, in characters.
    pub start: usize,
    pub end: usize,
    pub code: &'static str,
    pub message: String,
}

impl Misunderstood {
    fn new(token: &Token, code: &'static str, message: impl Into<String>) -> Self {
        let (text, message) = (token.text.clone(), message.into());
        Self { text, start: token.start, end: token.end, code, message }
    }

    /// About the sentence as a whole.
    fn whole(code: &'static str, message: impl Into<String>) -> Self {
        Self { text: String::new(), start: 0, end: 0, code, message: message.into() }
    }
}

/// The definition that a sentence stands for, or everything in it that was not understood. `today` is the day in the
/// org's time zone.
pub fn understand(
    sentence: &str,
    today: NaiveDate,
    vocabulary: &Vocabulary,
) -> Result<Understood, Vec<Misunderstood>> {
    if sentence.chars().count() > MAX_PROMPT {
        let message = format!("can have at most {MAX_PROMPT} characters");
        return Err(vec![Misunderstood::whole("too_long", message)]);
    }
    let words = tokens(sentence);
    let state = State::new(today, vocabulary);
    let mut input = Stateful { input: TokenSlice::new(&words), state: &state };
    let query = sentence::sentence(&mut input);
    let mut refused = state.refused.take();
    let Some(query) = query.filter(|_| refused.is_empty()) else {
        if refused.is_empty() {
            refused
                .push(Misunderstood::whole("nothing_asked", "says nothing about which customers"));
        }
        refused.sort_by_key(|one| (one.start, one.end));
        refused.dedup_by_key(|one| (one.start, one.end));
        for one in &mut refused {
            one.start = sentence[..one.start].chars().count();
            one.end = one.start + one.text.chars().count();
        }
        return Err(refused);
    };
    let definition = json!({"version": 1, "entity": "customer", "query": query});
    let read = segment::parse(&definition).map_err(|errors| {
        errors
            .into_iter()
            .map(|error| Misunderstood::whole("invalid_definition", error.message))
            .collect::<Vec<_>>()
    })?;
    if let Some(warning) = segment::warnings(&read).into_iter().next() {
        return Err(vec![Misunderstood::whole("contradiction", warning.message)]);
    }
    let explanation = segment::sentence(&read);
    Ok(Understood { definition, explanation })
}
