//! Reads a definition by hand, with the path of each value, so that everything wrong is said at once.

mod related;

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::catalogue::{self, Entity, Field, Kind};
use super::definition::{Combinator, Definition, Group, Member, Operand, Rule, Subject};
use super::operator::Operator;
use super::value::{self, Refusal, shown};
use super::{MAX_DEPTH, MAX_RULES, MAX_VALUES};
use crate::FieldError;

/// A hostile definition can be wrong in more places than an answer should have.
const MAX_ERRORS: usize = 200;

/// Reads a definition, or says everything that is wrong with it.
pub fn parse(definition: &Value) -> Result<Definition, Vec<FieldError>> {
    let mut reader = Reader::default();
    let query = reader.envelope(definition);
    match query {
        Some(query) if reader.errors.is_empty() => Ok(Definition { query }),
        _ => Err(reader.errors),
    }
}

/// Whose fields a rule can name.
#[derive(Clone, Copy)]
enum Scope {
    Customer,
    Related(&'static Entity),
}

impl Scope {
    fn field(self, name: &str) -> Option<&'static Field> {
        match self {
            Self::Customer => catalogue::field(name),
            Self::Related(entity) => entity.field(name),
        }
    }
}

#[derive(Default)]
struct Reader {
    errors: Vec<FieldError>,
    rules: usize,
}

/// What every rule and group may carry for the user interface.
const DECORATION: [&str; 4] = ["id", "path", "disabled", "muted"];

impl Reader {
    /// Notes an error; `None`, so that it can be the answer too.
    fn refuse<T>(&mut self, path: &str, code: &str, message: impl Into<String>) -> Option<T> {
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(FieldError::new(path, code, message));
        }
        None
    }

    fn take<T>(&mut self, path: &str, read: Result<T, Refusal>) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err((code, message)) => self.refuse(path, code, message),
        }
    }

    fn object<'a>(&mut self, path: &str, value: &'a Value) -> Option<&'a Map<String, Value>> {
        match value {
            Value::Object(object) => Some(object),
            _ => self.refuse(path, "invalid_type", "must be an object"),
        }
    }

    fn keys(&mut self, path: &str, object: &Map<String, Value>, known: &[&str]) {
        for key in object.keys().filter(|key| !known.contains(&key.as_str())) {
            // An empty key has no name: what holds it is the path.
            let path = if key.is_empty() && path.is_empty() {
                "$".to_owned()
            } else {
                join(path, &shown(key))
            };
            self.refuse::<()>(&path, "unknown_key", "is not a key of a definition");
        }
    }

    fn flag(&mut self, path: &str, object: &Map<String, Value>, key: &str) -> Option<bool> {
        match object.get(key) {
            None => None,
            Some(Value::Bool(flag)) => Some(*flag),
            Some(_) => self.refuse(&join(path, key), "invalid_type", "must be true or false"),
        }
    }

    fn envelope(&mut self, definition: &Value) -> Option<Group> {
        let Value::Object(object) = definition else {
            return self.refuse("$", "invalid_type", "must be an object");
        };
        self.keys("", object, &["version", "entity", "query"]);
        match object.get("version") {
            Some(version) if *version == 1 => {}
            None => {
                self.refuse::<()>("version", "missing", "must be 1");
            }
            Some(_) => {
                self.refuse::<()>("version", "unknown_version", "must be 1");
            }
        }
        match object.get("entity").map(Value::as_str) {
            Some(Some("customer")) => {}
            None => {
                self.refuse::<()>("entity", "missing", "must be \"customer\"");
            }
            Some(_) => {
                self.refuse::<()>("entity", "unknown_entity", "must be \"customer\"");
            }
        }
        let Some(query) = object.get("query") else {
            return self.refuse("query", "missing", "must be a group of rules");
        };
        let group = self.group("query", query, Scope::Customer, 1)?;
        match group {
            Some(group) if !group.members.is_empty() => Some(group),
            _ => self.refuse("query", "empty_definition", "needs a rule that is not muted"),
        }
    }

    /// The outer `None`: something is wrong; the inner: the group is muted. An empty group is the
    /// caller's to judge.
    #[allow(clippy::option_option, reason = "wrong and absent are two things")]
    fn group(
        &mut self,
        path: &str,
        value: &Value,
        scope: Scope,
        depth: usize,
    ) -> Option<Option<Group>> {
        let object = self.object(path, value)?;
        if self.flag(path, object, "muted") == Some(true) {
            return Some(None);
        }
        if depth > MAX_DEPTH {
            let message = format!("groups can be nested {MAX_DEPTH} deep");
            return self.refuse(path, "too_deep", message);
        }
        self.flag(path, object, "disabled");
        let known = ["combinator", "not", "rules"];
        self.keys(path, object, &[&known[..], &DECORATION[..]].concat());
        let combinator = match object.get("combinator").map(Value::as_str) {
            Some(Some("and")) => Some(Combinator::And),
            Some(Some("or")) => Some(Combinator::Or),
            None => self.refuse(&join(path, "combinator"), "missing", "must be and, or"),
            Some(_) => {
                self.refuse(&join(path, "combinator"), "unknown_combinator", "must be and, or")
            }
        };
        let not = self.flag(path, object, "not").unwrap_or(false);
        let rules = match object.get("rules") {
            Some(Value::Array(rules)) => rules,
            None => return self.refuse(&join(path, "rules"), "missing", "must be a list"),
            Some(_) => {
                return self.refuse(&join(path, "rules"), "invalid_type", "must be a list");
            }
        };
        let mut members = Vec::new();
        let before = self.errors.len();
        for (index, member) in rules.iter().enumerate() {
            if self.rules > MAX_RULES || self.errors.len() >= MAX_ERRORS {
                break;
            }
            let path = format!("{path}.rules[{index}]");
            if member.get("rules").is_some() || member.get("combinator").is_some() {
                match self.group(&path, member, scope, depth + 1) {
                    Some(Some(group)) if group.members.is_empty() => {
                        let message = "needs a rule that is not muted";
                        self.refuse::<()>(&path, "empty_group", message);
                    }
                    Some(Some(group)) => members.push(Member::Group(group)),
                    _ => {}
                }
            } else {
                members.extend(self.rule(&path, member, scope, depth).map(Member::Rule));
            }
        }
        // What is wrong inside is not an empty group.
        if self.errors.len() > before {
            return None;
        }
        Some(Some(Group { path: path.to_owned(), combinator: combinator?, not, members }))
    }

    fn rule(&mut self, path: &str, value: &Value, scope: Scope, depth: usize) -> Option<Rule> {
        let object = self.object(path, value)?;
        if self.flag(path, object, "muted") == Some(true) {
            return None;
        }
        self.rules += 1;
        if self.rules > MAX_RULES {
            let message = format!("a definition can have at most {MAX_RULES} rules");
            return self.refuse(path, "too_many_rules", message);
        }
        self.flag(path, object, "disabled");
        let known = ["field", "operator", "value", "valueSource", "match", "meta"];
        self.keys(path, object, &[&known[..], &DECORATION[..]].concat());
        let from_field = match object.get("valueSource").map(Value::as_str) {
            None | Some(Some("value")) => false,
            Some(Some("field")) => true,
            Some(_) => {
                let path = join(path, "valueSource");
                self.refuse::<()>(&path, "invalid_value", "must be value, field");
                false
            }
        };
        let operator = self.operator(path, object);
        let field_path = join(path, "field");
        let name = match object.get("field") {
            Some(Value::String(name)) => name.as_str(),
            None => return self.refuse(&field_path, "missing", "must be the name of a field"),
            Some(_) => return self.refuse(&field_path, "invalid_type", "must be text"),
        };
        let meta = self.meta(path, object);
        if let Some(field) = scope.field(name) {
            self.forbid(path, object, "match");
            if meta.aggregate.is_some() {
                let path = join(path, "meta.aggregate");
                self.refuse::<()>(&path, "not_allowed", "is only for related records");
            }
            let operand = if from_field {
                self.fields(path, object, scope, field.kind, operator?)
            } else {
                self.operand(path, object, field.kind, operator?, meta.ignore_case)
            }?;
            return Some(meta.rule(path, Subject::Field(field), operator?, operand));
        }
        match (catalogue::entity(name), scope) {
            (Some(entity), Scope::Customer) if !from_field => {
                self.related(path, object, entity, operator, &meta, depth)
            }
            (Some(_), Scope::Customer) => {
                let path = join(path, "valueSource");
                self.refuse(&path, "not_allowed", "related records have no field to compare with")
            }
            (Some(_), Scope::Related(entity)) => {
                let message = format!("related records inside {} cannot be named", entity.name);
                self.refuse(&field_path, "nested_related", message)
            }
            _ => {
                let of = match scope {
                    Scope::Customer => "a customer",
                    Scope::Related(entity) => entity.name,
                };
                let message = format!("\"{}\" is not a field of {of}", shown(name));
                self.refuse(&field_path, "unknown_field", message)
            }
        }
    }

    fn operator(&mut self, path: &str, object: &Map<String, Value>) -> Option<Operator> {
        let path = join(path, "operator");
        match object.get("operator") {
            Some(Value::String(name)) => Operator::parse(name).or_else(|| {
                let message = format!("\"{}\" is not an operator", shown(name));
                self.refuse(&path, "unknown_operator", message)
            }),
            None => self.refuse(&path, "missing", "must be an operator"),
            Some(_) => self.refuse(&path, "invalid_type", "must be text"),
        }
    }

    fn forbid(&mut self, path: &str, object: &Map<String, Value>, key: &str) {
        if object.contains_key(key) {
            self.refuse::<()>(&join(path, key), "not_allowed", "is only for related records");
        }
    }

    fn meta<'a>(&mut self, path: &str, object: &'a Map<String, Value>) -> Meta<'a> {
        let mut meta = Meta { ignore_case: false, include_empty: true, aggregate: None };
        let Some(value) = object.get("meta") else { return meta };
        let path = join(path, "meta");
        if let Some(object) = self.object(&path, value) {
            self.keys(&path, object, &["ignoreCase", "includeEmpty", "aggregate"]);
            meta.ignore_case = self.flag(&path, object, "ignoreCase").unwrap_or(false);
            meta.include_empty = self.flag(&path, object, "includeEmpty").unwrap_or(true);
            meta.aggregate = object.get("aggregate");
        }
        meta
    }

    fn allow(&mut self, path: &str, kind: Kind, operator: Operator) -> Option<()> {
        if kind.operators().contains(&operator) {
            return Some(());
        }
        let names: Vec<_> = kind.operators().iter().map(|known| known.as_str()).collect();
        let message = format!("a {} takes {}", kind.name(), names.join(", "));
        self.refuse(&join(path, "operator"), "operator_not_allowed", message)
    }

    /// The value of a rule, as the operator and the kind want it.
    fn operand(
        &mut self,
        path: &str,
        object: &Map<String, Value>,
        kind: Kind,
        operator: Operator,
        ignore_case: bool,
    ) -> Option<Operand> {
        self.allow(path, kind, operator)?;
        if operator.takes_nothing() {
            return Some(Operand::Nothing);
        }
        let path = join(path, "value");
        let Some(value) = object.get("value") else {
            return self.refuse(&path, "missing", "needs a value");
        };
        if operator.takes_duration() {
            return self.take(&path, value::span(value)).map(Operand::Span);
        }
        if !operator.takes_list() {
            return self.take(&path, value::read(value, kind, ignore_case)).map(Operand::One);
        }
        let items = self.list(&path, value)?;
        let mut read = Vec::with_capacity(items.len());
        let before = self.errors.len();
        for (path, item) in &items {
            read.extend(self.take(path, value::read(item, kind, ignore_case)));
        }
        if self.errors.len() > before {
            return None;
        }
        if matches!(operator, Operator::Between | Operator::NotBetween) && read.len() != 2 {
            return self.refuse(&path, "invalid_value", "must be two values");
        }
        if matches!(kind, Kind::Tags | Kind::Segment) {
            let names = read.into_iter().filter_map(|literal| match literal {
                value::Literal::Text(name) => Some(name),
                _ => None,
            });
            return Some(Operand::Names(names.collect()));
        }
        Some(Operand::Many(read))
    }

    /// The elements of an array or of comma-separated text, where `\,` is a comma.
    fn list<'v>(&mut self, path: &str, value: &'v Value) -> Option<Vec<(String, Cow<'v, Value>)>> {
        // Borrowed: a clone of a deep item would exhaust the stack before it is refused.
        let items: Vec<_> = match value {
            Value::Array(items) if items.len() <= MAX_VALUES => items
                .iter()
                .enumerate()
                .map(|(index, item)| (format!("{path}[{index}]"), Cow::Borrowed(item)))
                .collect(),
            Value::Array(_) => Vec::new(),
            Value::String(text) => split(text)
                .into_iter()
                .map(|item| (path.to_owned(), Cow::Owned(Value::String(item))))
                .collect(),
            Value::Number(_) => vec![(path.to_owned(), Cow::Borrowed(value))],
            _ => {
                let message = "must be a list, or text with commas";
                return self.refuse(path, "invalid_type", message);
            }
        };
        if items.len() > MAX_VALUES || value.as_array().is_some_and(|all| all.len() > MAX_VALUES) {
            let message = format!("can have at most {MAX_VALUES} values");
            return self.refuse(path, "too_many_values", message);
        }
        if items.is_empty() {
            return self.refuse(path, "empty_list", "needs a value");
        }
        Some(items)
    }

    /// The other field, or the two other fields, of a rule with `valueSource: "field"`.
    fn fields(
        &mut self,
        path: &str,
        object: &Map<String, Value>,
        scope: Scope,
        kind: Kind,
        operator: Operator,
    ) -> Option<Operand> {
        self.allow(path, kind, operator)?;
        if operator.takes_nothing() {
            return Some(Operand::Nothing);
        }
        if !operator.takes_field() || matches!(kind, Kind::Tags | Kind::Segment) {
            let message = "this operator does not compare with another field";
            return self.refuse(&join(path, "valueSource"), "not_allowed", message);
        }
        let path = join(path, "value");
        let Some(value) = object.get("value") else {
            return self.refuse(&path, "missing", "needs the name of a field");
        };
        if !operator.takes_list() {
            return self.other(&path, value, scope, kind).map(Operand::Field);
        }
        let items = self.list(&path, value)?;
        let [(first_path, first), (second_path, second)] = &items[..] else {
            return self.refuse(&path, "invalid_value", "must be two names of fields");
        };
        let first = self.other(first_path, first, scope, kind);
        let second = self.other(second_path, second, scope, kind);
        Some(Operand::Fields(first?, second?))
    }

    fn other(
        &mut self,
        path: &str,
        value: &Value,
        scope: Scope,
        kind: Kind,
    ) -> Option<&'static Field> {
        let Value::String(name) = value else {
            return self.refuse(path, "invalid_type", "must be the name of a field");
        };
        match scope.field(name) {
            Some(field) if kind.is_like(field.kind) => Some(field),
            Some(field) => {
                let message = format!("{} is of the type {}", field.name, field.kind.name());
                self.refuse(path, "unlike_field", message)
            }
            None => {
                let message = format!("\"{}\" is not a field", shown(name));
                self.refuse(path, "unknown_field", message)
            }
        }
    }
}

struct Meta<'a> {
    ignore_case: bool,
    include_empty: bool,
    aggregate: Option<&'a Value>,
}

impl Meta<'_> {
    fn rule(&self, path: &str, subject: Subject, operator: Operator, operand: Operand) -> Rule {
        Rule {
            path: path.to_owned(),
            subject,
            operator,
            operand,
            include_empty: self.include_empty,
            ignore_case: self.ignore_case,
        }
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// As react-querybuilder splits: at commas without a backslash, trimmed, without what is blank.
fn split(text: &str) -> Vec<String> {
    let mut items = vec![String::new()];
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match (letter, items.last_mut()) {
            ('\\', Some(item)) if letters.peek() == Some(&',') => {
                letters.next();
                item.push(',');
            }
            (',', _) => items.push(String::new()),
            (letter, Some(item)) => item.push(letter),
            (_, None) => {}
        }
    }
    items.into_iter().map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn text_with_commas_is_a_list() {
        assert_eq!(split(r"a, b ,, c\,d"), ["a", "b", "c,d"]);
        assert!(split(" , ").is_empty());
    }
}
