//! What a model is told of the language, so that it answers with a definition.

use std::fmt::Write;

use serde_json::Value;

use crate::segment::catalogue::{CUSTOMER, ENTITIES, Field, Kind};
use crate::segment::{EXAMPLES, json_schema};

/// What a model needs to write a definition.
#[derive(Clone, Debug)]
pub struct Schema {
    /// The name of what is asked for.
    pub name: &'static str,
    /// JSON Schema of a definition.
    pub json: Value,
    /// The fields in a few lines, with what a schema cannot say.
    pub fields: String,
}

/// From the catalogue; the answer has to pass [`crate::segment::parse`] whatever the schema let through.
#[must_use]
pub fn schema() -> Schema {
    let mut fields = String::from("Fields of a customer:\n");
    list(&mut fields, CUSTOMER);
    for entity in ENTITIES {
        let _ = writeln!(
            fields,
            "Related rows `{}` ({}), rules about them as value:",
            entity.name, entity.label
        );
        list(&mut fields, entity.fields);
    }
    fields.push_str("Examples of rules:\n");
    for (_, example) in EXAMPLES {
        let _ = writeln!(fields, "{example}");
    }
    Schema { name: "segment_definition", json: json_schema(), fields }
}

fn list(text: &mut String, fields: &[Field]) {
    for field in fields {
        let _ = match field.kind {
            Kind::Enum(choices, _) => {
                writeln!(text, "- {} ({}): {}", field.name, field.label, choices.join("|"))
            }
            kind => writeln!(text, "- {} ({}): {}", field.name, field.label, kind.name()),
        };
    }
}
