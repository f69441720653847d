//! The names a template may use.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Facts, MAX_NAMES};
use crate::FieldError;

/// What every template may use: the fields of each group.
const GROUPS: &[(&str, &[&str])] = &[
    (
        "customer",
        &[
            "id",
            "name",
            "first_name",
            "last_name",
            "company_name",
            "email",
            "phone",
            "type",
            "status",
            "preferred_language",
            "city",
        ],
    ),
    ("org", &["name", "time_zone", "currency"]),
    ("user", &["full_name", "email", "phone"]),
];

fn group(name: &str) -> Option<&'static [&'static str]> {
    GROUPS.iter().find(|(group, _)| *group == name).map(|(_, fields)| *fields)
}

/// The variables a template lists, with their values once they are given.
pub(super) struct Declared {
    names: Vec<String>,
    /// None: only the template is looked at, and every listed name may have any value.
    given: Option<Map<String, Value>>,
    /// Listed names of which nobody knows yet what they will hold.
    open: Vec<String>,
}

impl Declared {
    /// Reads the column `variables`. A listed name of a group, such as `customer.name`, is allowed
    /// and says nothing new.
    pub(super) fn read(variables: Option<&Value>) -> (Self, Vec<FieldError>) {
        let mut declared = Self { names: Vec::new(), given: None, open: Vec::new() };
        let mut errors = Vec::new();
        let listed = match variables {
            None | Some(Value::Null) => &[],
            Some(Value::Array(listed)) => listed.as_slice(),
            Some(_) => {
                let message = "must be an array of names";
                return (declared, vec![FieldError::new("variables", "invalid_value", message)]);
            }
        };
        if listed.len() > MAX_NAMES {
            let message = format!("at most {MAX_NAMES} names can be listed");
            return (declared, vec![FieldError::new("variables", "too_many", message)]);
        }
        for (index, name) in listed.iter().enumerate() {
            let name = name.as_str().unwrap_or_default();
            if is_identifier(name) && group(name).is_none() {
                declared.names.push(name.to_owned());
            } else if !is_field(name) {
                let message = "must be a name such as discount: letters, digits and underscores";
                let path = format!("variables[{index}]");
                errors.push(FieldError::new(path, "invalid_name", message));
            }
        }
        (declared, errors)
    }

    pub(super) fn lists(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    pub(super) fn give(&mut self, given: Map<String, Value>) {
        self.given = Some(given);
    }

    /// The name will be given; what is used of it is not looked at.
    pub(super) fn leave_open(&mut self, name: &str) {
        self.open.push(name.to_owned());
    }

    /// What the engine gets: a field that the facts leave out is null.
    pub(super) fn context(self, mut facts: Facts) -> BTreeMap<String, Value> {
        let mut context: BTreeMap<String, Value> = self.given.into_iter().flatten().collect();
        for (name, fields) in GROUPS {
            let known = match *name {
                "customer" => &mut facts.customer,
                "org" => &mut facts.org,
                _ => &mut facts.user,
            };
            let fields = fields
                .iter()
                .map(|field| ((*field).to_owned(), known.remove(*field).unwrap_or_default()));
            context.insert((*name).to_owned(), Value::Object(fields.collect()));
        }
        context
    }

    /// Why `root.fields…` cannot be used, if so.
    pub(super) fn refusal(&self, root: &str, fields: &[&str]) -> Option<String> {
        if let Some(known) = group(root) {
            return match fields {
                [] => Some(format!(
                    "{root} is a group: use a field of it, such as {root}.{}",
                    known[0]
                )),
                [field] if known.contains(field) => None,
                [field, ..] if known.contains(field) => {
                    Some(format!("{root}.{field} is a single value and has no fields"))
                }
                _ => Some(self.unknown(root, fields)),
            };
        }
        if !self.lists(root) {
            return Some(self.unknown(root, fields));
        }
        if self.open.iter().any(|name| name == root) {
            return None;
        }
        let mut value = match &self.given {
            None => return None,
            Some(given) => match given.get(root) {
                Some(value) => value,
                None => {
                    return Some(format!(
                        "{root} is listed by the template, and no value was given"
                    ));
                }
            },
        };
        for field in fields {
            match value.get(field) {
                Some(found) => value = found,
                None => return Some(self.unknown(root, fields)),
            }
        }
        None
    }

    fn unknown(&self, root: &str, fields: &[&str]) -> String {
        let name = full_name(root, fields);
        let known = GROUPS
            .iter()
            .flat_map(|(group, fields)| fields.iter().map(move |field| format!("{group}.{field}")))
            .chain(self.names.iter().cloned());
        let nearest = known
            .map(|known| {
                let last = known.rsplit('.').next().filter(|_| fields.is_empty());
                let apart = distance(&name, &known)
                    .min(last.map_or(usize::MAX, |last| distance(&name, last)));
                (apart, known)
            })
            .min()
            .filter(|(apart, _)| *apart <= (name.len() / 3).max(2));
        match nearest {
            Some((_, nearest)) => format!("{name} is unknown: did you mean {nearest}?"),
            None => format!("{name} is unknown"),
        }
    }
}

pub(super) fn full_name(root: &str, fields: &[&str]) -> String {
    std::iter::once(root).chain(fields.iter().copied()).collect::<Vec<_>>().join(".")
}

fn is_identifier(name: &str) -> bool {
    name.len() <= 60
        && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|one| one.is_ascii_alphanumeric() || one == '_')
        && !matches!(name, "loop" | "true" | "false" | "none" | "True" | "False" | "None" | "self")
}

fn is_field(name: &str) -> bool {
    name.split_once('.')
        .is_some_and(|(root, field)| group(root).is_some_and(|known| known.contains(&field)))
}

/// The edits that make one text the other (Levenshtein), of texts that are cut where they get long.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().take(80).collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, left) in one.chars().take(80).enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, right) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(left != *right);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}
