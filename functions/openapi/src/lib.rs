//! What the edge functions take and answer, as OpenAPI 3.1.
//!
//! One module a deployable says of each route what it is; the types here describe, nothing reads or writes them. `cargo xtask gen`
//! writes the documents to `functions/<name>/openapi.json`, and the functions serve those: no byte of this is in them.
#![allow(dead_code, reason = "fields are there to be described")]
#![allow(
    clippy::doc_markdown,
    clippy::struct_excessive_bools,
    clippy::struct_field_names,
    reason = "what is described has the names of its JSON, and its comments are texts of the documents"
)]

mod choice;
mod crm;
mod document;
mod hooks;
mod jobs;
mod page;
mod portal;
mod problem;

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{PrettyFormatter, Serializer};

/// A document, and where it is in the repository.
pub struct File {
    pub path: String,
    pub text: String,
}

/// The documents of all deployables.
#[must_use]
pub fn files() -> Vec<File> {
    [
        (crm::INFO, crm::operations()),
        (hooks::INFO, hooks::operations()),
        (jobs::INFO, jobs::operations()),
        (portal::INFO, portal::operations()),
    ]
    .into_iter()
    .map(|(info, operations)| {
        let path = format!("functions/{}/openapi.json", info.name);
        File { path, text: lines(&document::write(&info, operations)) }
    })
    .collect()
}

/// A line for each member, so that a change shows, and no indentation, which every function would carry along.
fn lines(document: &Value) -> String {
    let mut text = Vec::new();
    let formatter = PrettyFormatter::with_indent(b"");
    let written = document.serialize(&mut Serializer::with_formatter(&mut text, formatter));
    debug_assert!(written.is_ok(), "a Value is JSON");
    text.push(b'\n');
    String::from_utf8(text).unwrap_or_default()
}
