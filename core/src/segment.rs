//! Segments: rules about customers, as data.
//!
//! A definition is react-querybuilder's query in an envelope, `{"version": 1, "entity": "customer",
//! "query": …}`. [`parse`] reads it, or says everything that is wrong with it; [`compile`] makes one SQL
//! statement of it; [`sentence`] says it in English. The [`catalogue`] is all that rules can name.

pub mod catalogue;
mod compile;
mod definition;
mod operator;
mod parse;
pub mod value;

pub use compile::{Compiled, Parameter, Statement, compile};
pub use definition::{
    Combinator, Definition, Function, Group, Match, Member, Operand, Rule, Subject,
};
pub use operator::Operator;
pub use parse::parse;

/// How deep groups can be nested, those about related rows included.
pub const MAX_DEPTH: usize = 5;
/// The most rules a definition can have.
pub const MAX_RULES: usize = 100;
/// The most values a list can have.
pub const MAX_VALUES: usize = 1_000;
