//! Rules about related rows: how many match, or a figure over them.

use serde_json::{Map, Value};

use super::{Meta, Reader, Scope, join};
use crate::segment::catalogue::{Entity, Kind};
use crate::segment::definition::{Function, Group, Match, Operand, Rule, Subject};
use crate::segment::operator::Operator;
use crate::segment::value::shown;

impl Reader {
    pub(super) fn related(
        &mut self,
        path: &str,
        object: &Map<String, Value>,
        entity: &'static Entity,
        operator: Option<Operator>,
        meta: &Meta<'_>,
        depth: usize,
    ) -> Option<Rule> {
        if let Some(aggregate) = meta.aggregate {
            self.forbid(path, object, "match");
            let subject = self.aggregate(&join(path, "meta.aggregate"), aggregate, entity, depth);
            let (subject, operator) = (subject?, operator?);
            let kind = subject.kind()?;
            let operand = self.operand(path, object, kind, operator, false)?;
            return Some(meta.rule(path, subject, operator, operand));
        }
        let operator = operator?;
        let related = |matching, filter| Subject::Related { entity, matching, filter };
        match operator {
            Operator::Null | Operator::NotNull => {
                self.forbid(path, object, "match");
                let matching = if operator == Operator::Null { Match::None } else { Match::Some };
                Some(meta.rule(path, related(matching, None), operator, Operand::Nothing))
            }
            Operator::Equal => {
                let matching = match object.get("match") {
                    None => Some(Match::Some),
                    Some(value) => self.matching(&join(path, "match"), value),
                };
                let filter = match object.get("value") {
                    None | Some(Value::Null) => Some(None),
                    Some(text) if *text == "" => Some(None),
                    Some(value) => self.filter(&join(path, "value"), value, entity, depth),
                };
                Some(meta.rule(path, related(matching?, filter?), operator, Operand::Nothing))
            }
            _ => {
                let message =
                    "related records take =, null, notNull, and others with meta.aggregate";
                self.refuse(&join(path, "operator"), "operator_not_allowed", message)
            }
        }
    }

    /// Which related rows are meant; `None` inside is all of them.
    #[allow(clippy::option_option, reason = "wrong and absent are two things")]
    fn filter(
        &mut self,
        path: &str,
        value: &Value,
        entity: &'static Entity,
        depth: usize,
    ) -> Option<Option<Group>> {
        let group = self.group(path, value, Scope::Related(entity), depth + 1)?;
        Some(group.filter(|group| !group.members.is_empty() || group.not))
    }

    fn matching(&mut self, path: &str, value: &Value) -> Option<Match> {
        let object = self.object(path, value)?;
        self.keys(path, object, &["mode", "threshold"]);
        let threshold = |reader: &mut Self| {
            let path = join(path, "threshold");
            match object.get("threshold").map(|value| value.as_u64().map(u32::try_from)) {
                Some(Some(Ok(threshold))) if threshold <= 1_000_000 => Some(threshold),
                None => reader.refuse(&path, "missing", "must be a number"),
                Some(_) => {
                    let message = "must be a whole number from 0 to 1000000";
                    reader.refuse(&path, "invalid_value", message)
                }
            }
        };
        match object.get("mode").and_then(Value::as_str) {
            Some("some") => Some(Match::Some),
            Some("all") => Some(Match::All),
            Some("none") => Some(Match::None),
            Some("atLeast") => threshold(self).map(Match::AtLeast),
            Some("atMost") => threshold(self).map(Match::AtMost),
            Some("exactly") => threshold(self).map(Match::Exactly),
            _ => {
                let message = "must be one of some, all, none, atLeast, atMost, exactly";
                self.refuse(&join(path, "mode"), "invalid_value", message)
            }
        }
    }

    fn aggregate(
        &mut self,
        path: &str,
        value: &Value,
        entity: &'static Entity,
        depth: usize,
    ) -> Option<Subject> {
        let object = self.object(path, value)?;
        self.keys(path, object, &["fn", "column", "filter"]);
        let filter = match object.get("filter") {
            None | Some(Value::Null) => Some(None),
            Some(value) => self.filter(&join(path, "filter"), value, entity, depth),
        };
        let function = match object.get("fn").and_then(Value::as_str) {
            Some(name) => Function::ALL.iter().copied().find(|known| known.as_str() == name),
            None => None,
        };
        let Some(function) = function else {
            let message = "must be one of count, sum, avg, min, max";
            return self.refuse(&join(path, "fn"), "invalid_value", message);
        };
        let column_path = join(path, "column");
        let column = match object.get("column") {
            None | Some(Value::Null) if function == Function::Count => None,
            None | Some(Value::Null) => {
                return self.refuse(&column_path, "missing", "must be the name of a field");
            }
            Some(Value::String(name)) => {
                let Some(field) = entity.field(name) else {
                    let message = format!("\"{}\" is not a field of {}", shown(name), entity.name);
                    return self.refuse(&column_path, "unknown_field", message);
                };
                Some(field)
            }
            Some(_) => return self.refuse(&column_path, "invalid_type", "must be text"),
        };
        let fits = matches!(
            (function, column.map(|field| field.kind)),
            (Function::Count, _)
                | (_, None | Some(Kind::Number))
                | (Function::Min | Function::Max, Some(Kind::Timestamp | Kind::Date))
        );
        if !fits {
            let message =
                format!("{} needs a number, min and max also take dates", function.as_str());
            return self.refuse(&column_path, "unlike_field", message);
        }
        Some(Subject::Aggregate { entity, function, column, filter: filter? })
    }
}
