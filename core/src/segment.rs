//! Segments: rules about customers, as data.
//!
//! A definition is react-querybuilder's query in an envelope, `{"version": 1, "entity": "customer",
//! "query": …}`. [`parse`] reads it, or says everything that is wrong with it; [`compile`] makes one SQL
//! statement of it; [`sentence`] says it in English. The [`catalogue`] is all that rules can name.

pub mod catalogue;
mod check;
mod compile;
mod definition;
mod operator;
mod parse;
mod reference;
mod schema;
mod score;
mod sentence;
mod statement;
mod tree;
pub mod value;

use serde::{Deserialize, Serialize};

use crate::FieldError;
use crate::customer::{MAX_NAME, MAX_NOTES};

pub use check::warnings;
pub use compile::compile;
pub use definition::{
    Combinator, Definition, Function, Group, Match, Member, Operand, Rule, Subject,
};
pub use operator::Operator;
pub use parse::parse;
pub use reference::{EXAMPLES, alone, reference};
pub use schema::{fields, json_schema, typescript};
pub use score::{Finding, Scorer};
pub use sentence::sentence;
pub use statement::{Compiled, Parameter, Statement};
pub use tree::tree;

/// Where the members of a segment come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SegmentType {
    /// Put in by hand.
    Static,
    /// Matched by rules.
    RuleBased,
    /// By rules or scores that a model proposed.
    AiGenerated,
}

/// What is wrong with the name and the texts of a segment.
#[must_use]
pub fn check_texts(name: Option<&str>, texts: &[(&str, &Option<String>)]) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if let Some(name) = name {
        if name.trim().is_empty() {
            errors.push(FieldError::new("name", "missing", "must not be empty"));
        } else if name.trim().chars().count() > MAX_NAME {
            let message = format!("can have at most {MAX_NAME} characters");
            errors.push(FieldError::new("name", "too_long", message));
        }
    }
    for (path, text) in texts {
        let most = if *path == "ai_prompt" { MAX_PROMPT } else { MAX_NOTES };
        if text.as_ref().is_some_and(|text| text.chars().count() > most) {
            let message = format!("can have at most {most} characters");
            errors.push(FieldError::new(*path, "too_long", message));
        }
    }
    errors
}

/// The most characters a prompt can have.
pub const MAX_PROMPT: usize = 4_000;
/// How deep groups can be nested, those about related rows included.
pub const MAX_DEPTH: usize = 5;
/// The most rules a definition can have.
pub const MAX_RULES: usize = 100;
/// The most values a list can have.
pub const MAX_VALUES: usize = 1_000;

#[cfg(test)]
mod tests;
