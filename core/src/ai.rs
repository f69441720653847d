//! What the builtin provider does without a model, and what every provider is held to.

pub mod phrase;
