//! Valid definitions, mostly about values that are there.

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::Dice;
use super::rows::{TEXTS, instant};
use crate::segment_reference::calendar;
use crate::segment_reference::datum::Datum;
use crate::segment_reference::fields::{self, CUSTOMER, ENTITIES, Fields, Type};
use crate::segment_reference::rows::{Org, Record};

const DURATIONS: [&str; 18] = [
    "PT0S",
    "P0D",
    "PT1M",
    "PT30M",
    "PT90M",
    "PT1H",
    "PT12H",
    "PT24H",
    "P1D",
    "P7D",
    "P2W",
    "P30D",
    "P1M",
    "P90D",
    "P3M",
    "P1Y",
    "P1DT12H",
    "P1Y2M3W4DT5H6M7S",
];
const MODES: [&str; 6] = ["some", "all", "none", "atLeast", "atMost", "exactly"];
const MAX_DEPTH: usize = 5;

pub struct Sampler<'a> {
    pub org: &'a Org,
    pub dice: Dice,
    pub now: DateTime<Utc>,
}

/// Whose fields a rule is about; of an entity by its name.
#[derive(Clone, Copy)]
pub struct Scope {
    pub entity: Option<&'static str>,
    pub fields: Fields,
}

pub const OF_CUSTOMER: Scope = Scope { entity: None, fields: CUSTOMER };

pub fn envelope(query: &Value) -> Value {
    json!({"version": 1, "entity": "customer", "query": query})
}

impl Sampler<'_> {
    pub fn definition(&mut self) -> Value {
        let query = self.group(OF_CUSTOMER, 1);
        envelope(&query)
    }

    fn group(&mut self, scope: Scope, depth: usize) -> Value {
        let mut rules = Vec::new();
        // Wide at the top, narrow below: a hundred rules are all there may be.
        for _ in 0..=self.dice.below(if depth == 1 { 4 } else { 2 }) {
            let deeper = depth < MAX_DEPTH && self.dice.percent(45);
            let rule = if deeper && (scope.entity.is_some() || self.dice.percent(60)) {
                self.group(scope, depth + 1)
            } else if scope.entity.is_none() && self.dice.percent(30) {
                let (name, _, fields) = *self.dice.one(ENTITIES);
                self.related(Scope { entity: Some(name), fields }, depth)
            } else {
                let (name, kind) = *self.dice.one(scope.fields);
                self.rule(scope, name, kind)
            };
            rules.push(rule);
        }
        if self.dice.percent(5) {
            rules.push(json!({"muted": true, "field": "nothing", "operator": "at all"}));
        }
        let combinator = if self.dice.percent(50) { "and" } else { "or" };
        let mut group = json!({"combinator": combinator, "rules": rules});
        if self.dice.percent(30) {
            group["not"] = json!(self.dice.percent(80));
        }
        if self.dice.percent(10) {
            group["id"] = json!("group-7");
            group["disabled"] = json!(true);
        }
        group
    }

    pub fn rule(&mut self, scope: Scope, name: &str, kind: Type) -> Value {
        let operator = *self.dice.one(kind.operators());
        self.rule_with(scope, name, kind, operator)
    }

    pub fn rule_with(&mut self, scope: Scope, name: &str, kind: Type, operator: &str) -> Value {
        let likes: Vec<_> = scope.fields.iter().filter(|(_, other)| kind.is_like(*other)).collect();
        let comparing =
            !["null", "notNull", "in", "notIn", "withinLast", "withinNext", "olderThan"]
                .contains(&operator);
        let mut rule = json!({"field": name, "operator": operator});
        if comparing && !likes.is_empty() && self.dice.percent(15) {
            let mut other = || json!(self.dice.one(&likes).0);
            rule["value"] = match operator {
                "between" | "notBetween" => json!([other(), other()]),
                _ => other(),
            };
            rule["valueSource"] = json!("field");
        } else if !matches!(operator, "null" | "notNull") || self.dice.percent(10) {
            rule["value"] = self.value(scope, name, kind, operator);
        }
        self.decorate(&mut rule, kind);
        rule
    }

    fn decorate(&mut self, rule: &mut Value, kind: Type) {
        if self.dice.percent(30) {
            rule["meta"] = json!({"includeEmpty": self.dice.percent(30)});
        }
        if matches!(kind, Type::Text | Type::Enum(_)) && self.dice.percent(30) {
            if rule.get("meta").is_none() {
                rule["meta"] = json!({});
            }
            rule["meta"]["ignoreCase"] = json!(self.dice.percent(90));
        }
        if self.dice.percent(5) {
            rule["id"] = json!("it's a \"rule\"");
            rule["path"] = json!([0, 1]);
        }
    }

    pub fn related(&mut self, scope: Scope, depth: usize) -> Value {
        let name = scope.entity.unwrap();
        // One level of groups goes to the filter.
        let filtered = depth < MAX_DEPTH;
        match self.dice.below(10) {
            0 => json!({"field": name, "operator": self.dice.one(&["null", "notNull"])}),
            1..6 => {
                let mut rule = json!({"field": name, "operator": "="});
                if self.dice.percent(85) {
                    let mode = *self.dice.one(&MODES);
                    rule["match"] = json!({"mode": mode});
                    if ["atLeast", "atMost", "exactly"].contains(&mode) {
                        rule["match"]["threshold"] = json!(self.dice.below(4));
                    }
                }
                if filtered && self.dice.percent(80) {
                    rule["value"] = self.group(scope, depth + 1);
                } else if filtered && self.dice.percent(30) {
                    rule["value"] =
                        json!({"combinator": "and", "rules": [], "not": self.dice.percent(20)});
                } else if self.dice.percent(20) {
                    rule["value"] = json!("");
                }
                rule
            }
            _ => self.aggregate(scope, filtered, depth),
        }
    }

    fn aggregate(&mut self, scope: Scope, filtered: bool, depth: usize) -> Value {
        let functions = ["count", "sum", "avg", "min", "max"];
        let function = *self.dice.one(&functions);
        let fits = |kind: Type| match function {
            "min" | "max" => matches!(kind, Type::Number | Type::Timestamp | Type::Date),
            _ => kind == Type::Number,
        };
        let columns: Vec<_> = scope.fields.iter().filter(|(_, kind)| fits(*kind)).collect();
        let counts = columns.is_empty() || function == "count";
        let (mut aggregate, kind, column) = if counts {
            (json!({"fn": "count"}), Type::Number, None)
        } else {
            let (column, kind) = **self.dice.one(&columns);
            let kind = if ["min", "max"].contains(&function) { kind } else { Type::Number };
            (json!({"fn": function, "column": column}), kind, Some(column))
        };
        if filtered && self.dice.percent(50) {
            aggregate["filter"] = self.group(scope, depth + 1);
        }
        let operator = *self.dice.one(kind.operators());
        let value = match column {
            Some(column) => self.value(scope, column, kind, operator),
            None if ["in", "notIn", "between", "notBetween"].contains(&operator) => {
                json!([self.dice.below(3), self.dice.below(5)])
            }
            None => json!(self.dice.below(4)),
        };
        let mut rule = json!({"field": scope.entity, "operator": operator, "value": value});
        self.decorate(&mut rule, Type::Number);
        if rule.get("meta").is_none() {
            rule["meta"] = json!({});
        }
        rule["meta"]["aggregate"] = aggregate;
        rule
    }

    fn value(&mut self, scope: Scope, name: &str, kind: Type, operator: &str) -> Value {
        let mut count = match operator {
            "between" | "notBetween" => 2,
            "in" | "notIn" | "containsAny" | "containsAll" | "containsNone" => {
                1 + self.dice.below(4)
            }
            "withinLast" | "withinNext" | "olderThan" => return json!(self.dice.one(&DURATIONS)),
            _ => 0,
        };
        if count == 0 {
            return self.single(scope, name, kind, operator);
        }
        if operator == "containsAll" {
            count = 1 + self.dice.below(2);
        }
        let mut items: Vec<Value> =
            (0..count).map(|_| self.single(scope, name, kind, operator)).collect();
        if operator.ends_with("etween") && self.dice.percent(80) {
            sort(&mut items, kind);
        }
        let plain = |item: &Value| match item {
            Value::String(text) => !text.is_empty() && text.trim() == text && !text.contains('\\'),
            Value::Number(_) => true,
            _ => false,
        };
        if self.dice.percent(15) && items.iter().all(plain) {
            let texts = items.iter().map(|item| match item {
                Value::String(text) => text.replace(',', r"\,"),
                other => other.to_string(),
            });
            let separator = *self.dice.one(&[",", ", ", " ,,"]);
            return json!(texts.collect::<Vec<_>>().join(separator));
        }
        json!(items)
    }

    /// A column's value of some record.
    fn datum(&mut self, scope: Scope, name: &str) -> Option<Datum> {
        let customer: &Record = self.dice.one(&self.org.customers);
        let record = match scope.entity {
            None => customer,
            Some(entity) if customer.related[entity].is_empty() => return None,
            Some(entity) => self.dice.one(&customer.related[entity]),
        };
        record.fields.get(name).cloned().filter(|datum| *datum != Datum::Missing)
    }

    fn single(&mut self, scope: Scope, name: &str, kind: Type, operator: &str) -> Value {
        let datum = (0..5).find_map(|_| self.datum(scope, name));
        match kind {
            Type::Text => {
                let text = match datum {
                    Some(Datum::Text(text)) if self.dice.percent(90) => text,
                    _ => (*self.dice.one(TEXTS)).to_owned(),
                };
                json!(self.text(text, operator))
            }
            Type::Enum(choices) => json!(*self.dice.one(choices)),
            Type::Number => self.number(datum.as_ref()),
            Type::Boolean => json!(self.dice.percent(50)),
            Type::Uuid => match datum {
                Some(Datum::Uuid(id)) if self.dice.percent(90) => json!(id),
                _ => json!(self.dice.uuid()),
            },
            Type::Timestamp | Type::Date => self.moment(datum.as_ref()),
            Type::Set => {
                let mut names = super::rows::TAGS.to_vec();
                names.extend(["vip", "NET 30", "müller", "izmir", "nobody has it"]);
                json!(*self.dice.one(&names))
            }
            Type::Segment => {
                let (id, name) = self.dice.one(&self.org.segments).clone();
                if self.dice.percent(20) { json!(id) } else { json!(name) }
            }
        }
    }

    fn text(&mut self, text: String, operator: &str) -> String {
        let letters: Vec<char> = text.chars().collect();
        let part = |range: std::ops::Range<usize>| letters[range].iter().collect::<String>();
        let parts = operator.to_lowercase();
        let text = if letters.len() > 1 && self.dice.percent(70) {
            let cut = 1 + self.dice.below(letters.len() - 1);
            let before = self.dice.below(cut);
            match parts {
                _ if parts.contains("begin") => part(0..cut),
                _ if parts.contains("end") => part(cut..letters.len()),
                _ if parts.contains("contain") => part(before..cut),
                _ => text,
            }
        } else {
            text
        };
        match self.dice.below(10) {
            0 => text.to_uppercase(),
            1 => text.to_lowercase(),
            2 => format!("{text}{}", self.dice.one(&["%", "_", "\\", "x", "\u{301}"])),
            _ => text,
        }
    }

    fn number(&mut self, datum: Option<&Datum>) -> Value {
        let text = match datum {
            Some(Datum::Number(number)) if self.dice.percent(90) => number.decimal(),
            _ => self.dice.between(-3, 8).to_string(),
        };
        match self.dice.below(8) {
            0 => json!(text),
            1 => json!(format!(" +0{} ", text.trim_start_matches('-'))),
            2 => json!(format!("{}e-2", text.split('.').next().unwrap())),
            3 => json!(-1),
            4 => json!(1e15),
            _ => text.parse().unwrap(),
        }
    }

    fn moment(&mut self, datum: Option<&Datum>) -> Value {
        let zone = self.org.zone;
        if self.dice.percent(30) {
            let anchors = [
                "now",
                "startOfDay",
                "startOfWeek",
                "startOfMonth",
                "startOfQuarter",
                "startOfYear",
            ];
            let units = ["minute", "hour", "day", "week", "month", "quarter", "year"];
            let unit = *self.dice.one(&units);
            let far = match unit {
                "minute" => 180,
                "hour" => 50,
                "day" => 100,
                "week" => 15,
                "quarter" | "year" => 2,
                _ => 5,
            };
            let offset = self.dice.between(-far, far);
            let mut value = json!({"mode": "relative", "anchor": self.dice.one(&anchors)});
            if self.dice.percent(80) {
                value["offset"] = json!(offset);
                value["unit"] = json!(unit);
            }
            return value;
        }
        let at = match datum {
            Some(Datum::Instant(at)) if self.dice.percent(80) => *at,
            Some(Datum::Day(day)) if self.dice.percent(80) => calendar::start_of(*day, zone),
            _ => instant(&mut self.dice, zone, self.now),
        };
        if self.dice.percent(60) {
            let day = calendar::local(at, zone).date();
            return json!(day + Duration::days(*self.dice.one(&[0, 0, 0, -1, 1, 7])));
        }
        if self.dice.percent(50) {
            json!(at.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Micros, false))
        } else {
            json!(at.to_rfc3339_opts(SecondsFormat::AutoSi, true))
        }
    }
}

/// The lower bound first, as far as it can be seen.
fn sort(items: &mut [Value], kind: Type) {
    match kind {
        Type::Number => items.sort_by(|a, b| {
            let number = |value: &Value| match value {
                Value::String(text) => text.trim().parse::<f64>().unwrap(),
                other => other.as_f64().unwrap(),
            };
            number(a).total_cmp(&number(b))
        }),
        _ => items.sort_by_key(|item| item.as_str().map(str::to_owned)),
    }
}

/// Every field of customers and of related records.
pub fn scopes() -> Vec<Scope> {
    let entities = ENTITIES.iter().map(|(name, _, fields)| Scope { entity: Some(name), fields });
    std::iter::once(OF_CUSTOMER).chain(entities).collect()
}

/// A rule of a scope as a rule about customers.
pub fn about_customers(scope: Scope, rule: Value) -> Value {
    match scope.entity {
        None => rule,
        Some(entity) => {
            assert!(fields::entity(entity).is_some());
            json!({"field": entity, "operator": "=", "match": {"mode": "some"},
                "value": {"combinator": "and", "rules": [rule]}})
        }
    }
}
