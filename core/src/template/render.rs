//! Running a checked template.

use std::collections::BTreeMap;
use std::io;

use minijinja::value::{Serde, ValueKind};
use minijinja::{AutoEscape, Environment, ErrorKind, Output, State, UndefinedBehavior, Value};
use minijinja::{Error as EngineError, escape_formatter};

use super::{Channel, MAX_BODY, MAX_RENDERED_SUBJECT, Part};
use crate::FieldError;

/// Instructions of one run. A body that uses a value every ten characters needs a third of it.
const FUEL: u64 = 50_000;

/// Renders one part.
pub(super) fn fill(
    part: Part,
    channel: Channel,
    source: &str,
    context: &BTreeMap<String, serde_json::Value>,
) -> Result<String, FieldError> {
    let html = matches!((part, channel), (Part::Body, Channel::Email));
    let longest = match part {
        Part::Subject => MAX_RENDERED_SUBJECT,
        Part::Body => MAX_BODY,
    };
    let engine = engine(html);
    let mut page = Page { bytes: Vec::new(), room: longest, full: false };
    let outcome = engine
        .template_from_named_str(part.path(), source)
        .and_then(|template| template.render_captured_to(Serde(context), &mut page).map(|_| ()));
    let problem = |code: &str, message: String| FieldError::new(part.path(), code, message);
    if page.full {
        return Err(problem("too_long", format!("renders to more than {longest} characters")));
    }
    if let Err(error) = outcome {
        let line = error.line().unwrap_or(1);
        return Err(match error.kind() {
            ErrorKind::OutOfFuel => problem("too_much_work", "takes too many steps".to_owned()),
            kind => {
                let what = error.detail().map_or_else(|| kind.to_string(), str::to_owned);
                problem("render_failed", format!("line {line}: {what}"))
            }
        });
    }
    let text = String::from_utf8(page.bytes)
        .map_err(|_| problem("render_failed", "is not text".to_owned()))?;
    if text.contains('\0') {
        return Err(problem("invalid_value", "contains NUL".to_owned()));
    }
    Ok(match part {
        Part::Subject => one_line(&text),
        Part::Body => text,
    })
}

fn engine(html: bool) -> Environment<'static> {
    let mut engine = Environment::new();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.set_fuel(Some(FUEL));
    engine
        .set_auto_escape_callback(move |_| if html { AutoEscape::Html } else { AutoEscape::None });
    engine.set_formatter(write_value);
    engine.add_filter("default", or_default);
    engine.add_filter("d", or_default);
    engine
}

/// Null is nothing; what is no single value has no form for a reader.
fn write_value(
    out: &mut Output<'_>,
    state: &mut State<'_, '_>,
    value: &Value,
) -> Result<(), EngineError> {
    match value.kind() {
        ValueKind::None => Ok(()),
        ValueKind::String | ValueKind::Number | ValueKind::Bool => {
            escape_formatter(out, state, value)
        }
        ValueKind::Undefined => Err(EngineError::from(ErrorKind::UndefinedError)),
        kind => {
            let detail = format!("a {kind} cannot be written: name one value of it");
            Err(EngineError::new(ErrorKind::InvalidOperation, detail))
        }
    }
}

/// Jinja's `default` takes only what is undefined; here a name is known or an error, so it is for
/// what the customer has left empty.
fn or_default(value: Value, otherwise: Option<Value>) -> Value {
    let empty = match value.kind() {
        ValueKind::Undefined | ValueKind::None => true,
        ValueKind::String => value.as_str().is_some_and(|text| text.trim().is_empty()),
        _ => false,
    };
    if empty { otherwise.unwrap_or_else(|| Value::from("")) } else { value }
}

/// A header of a mail ends at a line break: none may come of a value.
fn one_line(text: &str) -> String {
    text.split(|one: char| one.is_whitespace() || one.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Where the output goes, until it is full.
struct Page {
    bytes: Vec<u8>,
    /// Characters that still fit.
    room: usize,
    full: bool,
}

impl io::Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Every byte but those that continue a character of UTF-8.
        let characters = bytes.iter().filter(|byte| **byte & 0xC0 != 0x80).count();
        if characters > self.room {
            self.full = true;
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        self.room -= characters;
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
