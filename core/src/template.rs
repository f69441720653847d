//! Message templates: which are valid, and what comes of one with a customer's data.
//!
//! The language is Jinja without what makes a text a program: output, `if`, `for`, comparisons and a
//! few filters. Values cannot be assigned, joined or repeated, so none grows larger than it came in;
//! with the fuel and the limit on the output every template ends soon, in little memory.

mod names;
mod render;
mod syntax;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Code, Error, FieldError, Result};
use names::Declared;

/// The longest body, of a template and rendered.
pub const MAX_BODY: usize = 100_000;
/// The longest subject of a template, as the table has it.
const MAX_SUBJECT: usize = 500;
/// The longest subject rendered: a line of a mail header.
const MAX_RENDERED_SUBJECT: usize = 998;
/// All given variables, written as JSON.
const MAX_VARIABLES: usize = 100_000;
/// One text among the given variables.
const MAX_TEXT: usize = 10_000;
/// Names a template may list.
const MAX_NAMES: usize = 100;

/// Where a message goes; the SQL type `template_channel`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    Email,
    Sms,
    PhoneScript,
    PortalMessage,
}

/// A template as it is stored.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    pub channel: Channel,
    pub subject: Option<String>,
    pub body: String,
    /// The names it may use beyond customer, org and user: a JSON array of text.
    pub variables: Option<Value>,
}

/// What is known of a customer, their company and the caller; a null is known, and empty.
#[derive(Clone, Debug, Deserialize)]
pub struct Facts {
    pub customer: Map<String, Value>,
    pub org: Map<String, Value>,
    pub user: Map<String, Value>,
}

/// A template with everything filled in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rendered {
    pub channel: Channel,
    pub subject: Option<String>,
    pub body: String,
}

/// What `crm_validate_template` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Validation {
    pub ok: bool,
    pub errors: Vec<FieldError>,
    pub variables_used: Vec<String>,
}

/// A part of a template, each with its path in the answer.
#[derive(Clone, Copy)]
enum Part {
    Subject,
    Body,
}

impl Part {
    const fn path(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Body => "body",
        }
    }

    const fn longest_source(self) -> usize {
        match self {
            Self::Subject => MAX_SUBJECT,
            Self::Body => MAX_BODY,
        }
    }
}

impl Template {
    fn parts(&self) -> impl Iterator<Item = (Part, &str)> {
        let subject = self.subject.as_deref().map(|subject| (Part::Subject, subject));
        subject.into_iter().chain([(Part::Body, self.body.as_str())])
    }

    /// Everything that is wrong with the template whatever the customer, and the names it uses.
    #[must_use]
    pub fn validate(&self) -> Validation {
        let (declared, mut errors) = Declared::read(self.variables.as_ref());
        if self.body.trim().is_empty() {
            errors.push(FieldError::new("body", "required", "must not be blank"));
        }
        let mut used = Vec::new();
        for (part, source) in self.parts() {
            used.extend(syntax::check(part, source, &declared, &mut errors));
        }
        used.sort();
        used.dedup();
        Validation { ok: errors.is_empty(), errors, variables_used: used }
    }

    /// Whether it lists the variable.
    #[must_use]
    pub fn lists(&self, name: &str) -> bool {
        Declared::read(self.variables.as_ref()).0.lists(name)
    }

    /// Fills in the facts and the given variables. What user data holds is escaped in the body of
    /// an e-mail, which is HTML.
    pub fn render(&self, facts: Facts, variables: Option<Value>) -> Result<Rendered> {
        let (mut declared, mut errors) = Declared::read(self.variables.as_ref());
        declared.give(check_variables(variables, &declared)?);
        for (part, source) in self.parts() {
            syntax::check(part, source, &declared, &mut errors);
        }
        refuse(errors)?;
        let context = declared.context(facts);
        let mut errors = Vec::new();
        let mut fill = |part: Part, source: &str| {
            render::fill(part, self.channel, source, &context)
                .map_err(|error| errors.push(error))
                .unwrap_or_default()
        };
        let subject = self.subject.as_deref().map(|source| fill(Part::Subject, source));
        let body = fill(Part::Body, &self.body);
        refuse(errors)?;
        Ok(Rendered { channel: self.channel, subject, body })
    }
}

fn refuse(errors: Vec<FieldError>) -> Result<()> {
    if errors.is_empty() {
        return Ok(());
    }
    Err(Error { code: Code::InvalidTemplate, ..Error::invalid(errors) })
}

/// What the caller gives: only names the template lists, and not too much of it.
fn check_variables(given: Option<Value>, declared: &Declared) -> Result<Map<String, Value>> {
    let given = match given {
        None | Some(Value::Null) => return Ok(Map::new()),
        Some(Value::Object(given)) => given,
        Some(_) => {
            return Err(Error::invalid_field("variables", "invalid_value", "must be an object"));
        }
    };
    let mut errors = Vec::new();
    for (name, value) in &given {
        let path = format!("variables.{name}");
        if !declared.lists(name) {
            let message = "is not among the variables the template lists";
            errors.push(FieldError::new(path, "unknown_variable", message));
        } else if longest_text(value) > MAX_TEXT {
            let message = format!("a text may have at most {MAX_TEXT} characters");
            errors.push(FieldError::new(path, "too_long", message));
        }
    }
    if errors.is_empty() && Value::Object(given.clone()).to_string().len() > MAX_VARIABLES {
        let message = format!("may have at most {MAX_VARIABLES} bytes");
        errors.push(FieldError::new("variables", "too_long", message));
    }
    if errors.is_empty() { Ok(given) } else { Err(Error::invalid(errors)) }
}

fn longest_text(value: &Value) -> usize {
    match value {
        Value::String(text) => text.chars().count(),
        Value::Array(items) => items.iter().map(longest_text).max().unwrap_or_default(),
        Value::Object(fields) => fields.values().map(longest_text).max().unwrap_or_default(),
        _ => 0,
    }
}
