//! The language of segments by direct interpretation, over plain rows; shares no code with the compiler.

#![allow(dead_code, reason = "each test binary uses a part")]

pub mod calendar;
pub mod datum;
pub mod fields;
pub mod rows;

use std::cmp::Ordering;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::Value;
use uuid::Uuid;

use self::calendar::Span;
use self::datum::{Datum, Fraction, lower};
use self::fields::{CUSTOMER, Fields, Type};
use self::rows::{Org, Record};

type Test = Box<dyn Fn(&Record) -> bool>;

/// What the record has for a rule, and what the positive operator says of it: nothing where a value is missing.
type Question = Box<dyn Fn(&Record) -> Option<bool>>;

/// Who matches a valid definition.
pub struct Reference {
    archived: bool,
    test: Test,
}

impl Reference {
    pub fn new(definition: &Value, now: DateTime<Utc>, org: &Org) -> Self {
        let mut reader =
            Reader { now, zone: org.zone, segments: &org.segments, names_archived: false };
        let test = reader.group(&definition["query"], CUSTOMER);
        Self { archived: reader.names_archived, test }
    }

    /// What comes of the query, for archived customers too.
    pub fn holds(&self, customer: &Record) -> bool {
        (self.test)(customer)
    }

    pub fn matches(&self, customer: &Record) -> bool {
        let archived = customer.fields["is_archived"] == Datum::Boolean(true);
        (self.archived || !archived) && (self.test)(customer)
    }
}

struct Reader<'a> {
    now: DateTime<Utc>,
    zone: Tz,
    segments: &'a [(Uuid, String)],
    names_archived: bool,
}

/// A value of a rule, for comparing with a column of one type.
#[derive(Clone)]
enum Wanted {
    Exactly(Datum),
    /// From the start of a day to before the start of the next.
    Within(DateTime<Utc>, DateTime<Utc>),
}

impl Reader<'_> {
    fn group(&mut self, group: &Value, fields: Fields) -> Test {
        let rules = group["rules"].as_array().unwrap().iter();
        let rules = rules.filter(|rule| rule["muted"] != true);
        let tests: Vec<Test> = rules
            .map(|rule| {
                if rule.get("rules").is_some() {
                    self.group(rule, fields)
                } else {
                    self.rule(rule, fields)
                }
            })
            .collect();
        let any = group["combinator"] == "or" && !tests.is_empty();
        let not = group["not"] == true;
        Box::new(move |record| {
            let holds = if any {
                tests.iter().any(|test| test(record))
            } else {
                tests.iter().all(|test| test(record))
            };
            holds != not
        })
    }

    /// A group of conditions on related rows; none is every row.
    fn filter(&mut self, group: &Value, fields: Fields) -> Test {
        if group.is_object() && group["muted"] != true {
            self.group(group, fields)
        } else {
            Box::new(|_| true)
        }
    }

    fn rule(&mut self, rule: &Value, fields: Fields) -> Test {
        let name = rule["field"].as_str().unwrap();
        if let Some(kind) = fields::field(fields, name) {
            return match kind {
                Type::Set => tags(rule),
                Type::Segment => self.segment(rule),
                _ => self.column(rule, fields, name, kind),
            };
        }
        let related = fields::entity(name).unwrap();
        let name = fields::ENTITIES.iter().find(|(known, ..)| *known == name).unwrap().0;
        let aggregate = &rule["meta"]["aggregate"];
        if aggregate.is_object() {
            return self.aggregate(rule, aggregate, name, related);
        }
        let wanted = rule["match"]["threshold"].as_u64().unwrap_or(0);
        let mode = match rule["operator"].as_str().unwrap() {
            "null" => "none",
            "notNull" => "some",
            _ => rule["match"]["mode"].as_str().unwrap_or("some"),
        };
        let mode = mode.to_owned();
        let filter = match rule["operator"].as_str() {
            Some("=") => self.filter(&rule["value"], related),
            _ => Box::new(|_: &Record| true),
        };
        Box::new(move |record| {
            let rows = &record.related[name];
            let found = rows.iter().filter(|row| filter(row)).count() as u64;
            match mode.as_str() {
                "some" => found > 0,
                "none" => found == 0,
                "all" => found == rows.len() as u64,
                "atLeast" => found >= wanted,
                "atMost" => found <= wanted,
                _ => found == wanted,
            }
        })
    }

    fn segment(&self, rule: &Value) -> Test {
        let wanted: Vec<Uuid> = items(&rule["value"])
            .iter()
            .map(|item| {
                let text = item.as_str().unwrap();
                let named = self
                    .segments
                    .iter()
                    .find(|(id, name)| name == text || id.to_string() == text.to_lowercase());
                named.unwrap().0
            })
            .collect();
        let negative = rule["operator"] == "notIn";
        Box::new(move |record| {
            wanted.iter().any(|wanted| record.segments.contains(wanted)) != negative
        })
    }

    fn column(&mut self, rule: &Value, fields: Fields, name: &str, kind: Type) -> Test {
        let name = fields.iter().find(|(known, _)| *known == name).unwrap().0;
        let customer = std::ptr::eq(fields, CUSTOMER);
        self.names_archived |= customer && name == "is_archived";
        let get = move |record: &Record| record.fields[name].clone();
        if rule["valueSource"] != "field" {
            return self.compared(rule, kind, Box::new(get));
        }
        let listed = matches!(base(operator(rule)), "between");
        let others = if listed { items(&rule["value"]) } else { vec![rule["value"].clone()] };
        let others: Vec<_> = others
            .iter()
            .map(|other| {
                let other = other.as_str().unwrap();
                self.names_archived |= customer && other == "is_archived";
                *fields.iter().find(|(known, _)| *known == other).unwrap()
            })
            .collect();
        let fold = rule["meta"]["ignoreCase"] == true;
        let zone = self.zone;
        let positive = base(operator(rule));
        let ask = move |record: &Record| {
            let left = &record.fields[name];
            let asked = |operator: &str, (other, _): (&'static str, Type)| {
                let right = &record.fields[other];
                // An instant is compared with a day as the day it falls on.
                let day = |datum: &Datum| match datum {
                    Datum::Instant(at) => Datum::Day(calendar::local(*at, zone).date()),
                    other => other.clone(),
                };
                match (left, right) {
                    (Datum::Day(_), _) | (_, Datum::Day(_)) => {
                        compare(operator, &day(left), &Wanted::Exactly(day(right)), fold)
                    }
                    _ => compare(operator, left, &Wanted::Exactly(right.clone()), fold),
                }
            };
            match others[..] {
                [low, high] => and(asked(">=", low), asked("<=", high)),
                [other] => asked(positive, other),
                _ => panic!("{others:?}"),
            }
        };
        settle(rule, Box::new(ask))
    }

    /// A rule that compares what `get` gets with the values it names.
    fn compared(&self, rule: &Value, kind: Type, get: Box<dyn Fn(&Record) -> Datum>) -> Test {
        let operator = operator(rule);
        let value = &rule["value"];
        let fold = rule["meta"]["ignoreCase"] == true;
        let ask: Question = match base(operator) {
            "null" => return Box::new(move |record| get(record) == Datum::Missing),
            "notNull" => return Box::new(move |record| get(record) != Datum::Missing),
            "withinLast" | "withinNext" | "olderThan" => {
                let span = Span::parse(value.as_str().unwrap());
                let (low, high) = match operator {
                    "withinLast" => (self.moved(-span), self.now),
                    "withinNext" => (self.now, self.moved(span)),
                    _ => (DateTime::<Utc>::MIN_UTC, self.moved(-span)),
                };
                let (low, high) = (self.as_kind(low, kind), self.as_kind(high, kind));
                let below = if operator == "olderThan" { "<" } else { "<=" };
                let older = operator == "olderThan";
                Box::new(move |record| {
                    let at = get(record);
                    let high = compare(below, &at, &Wanted::Exactly(high.clone()), false);
                    if older {
                        return high;
                    }
                    and(compare(">=", &at, &Wanted::Exactly(low.clone()), false), high)
                })
            }
            "between" => {
                let bounds = self.list(value, kind);
                let [low, high] = &bounds[..] else { panic!("{value}") };
                let (low, high) = (low.clone(), high.clone());
                Box::new(move |record| {
                    let datum = get(record);
                    and(compare(">=", &datum, &low, fold), compare("<=", &datum, &high, fold))
                })
            }
            "in" => {
                let wanted = self.list(value, kind);
                Box::new(move |record| {
                    let datum = get(record);
                    if datum == Datum::Missing {
                        return None;
                    }
                    let mut found = wanted.iter().map(|one| compare("=", &datum, one, fold));
                    Some(found.any(|found| found == Some(true)))
                })
            }
            positive => {
                let wanted = self.wanted(value, kind);
                Box::new(move |record| compare(positive, &get(record), &wanted, fold))
            }
        };
        settle(rule, ask)
    }

    fn moved(&self, span: Span) -> DateTime<Utc> {
        calendar::moved(self.now, span, self.zone)
    }

    /// An instant as it is compared with a column of that type.
    fn as_kind(&self, at: DateTime<Utc>, kind: Type) -> Datum {
        if kind == Type::Date && at > DateTime::<Utc>::MIN_UTC {
            Datum::Day(calendar::local(at, self.zone).date())
        } else if kind == Type::Date {
            Datum::Day(chrono::NaiveDate::MIN)
        } else {
            Datum::Instant(at)
        }
    }

    fn list(&self, value: &Value, kind: Type) -> Vec<Wanted> {
        items(value).iter().map(|item| self.wanted(item, kind)).collect()
    }

    fn wanted(&self, value: &Value, kind: Type) -> Wanted {
        Wanted::Exactly(match kind {
            Type::Number => Datum::Number(match value {
                Value::String(text) => Fraction::parse(text),
                number => Fraction::parse(&number.to_string()),
            }),
            Type::Timestamp | Type::Date => match value {
                Value::String(text) if text.len() == 10 => {
                    let day: chrono::NaiveDate = text.parse().unwrap();
                    if kind == Type::Date {
                        return Wanted::Exactly(Datum::Day(day));
                    }
                    let next = day.succ_opt().unwrap();
                    return Wanted::Within(
                        calendar::start_of(day, self.zone),
                        calendar::start_of(next, self.zone),
                    );
                }
                Value::String(text) => {
                    let at = DateTime::parse_from_rfc3339(text).unwrap();
                    self.as_kind(at.with_timezone(&Utc), kind)
                }
                relative => self.as_kind(calendar::relative(relative, self.now, self.zone), kind),
            },
            _ => Datum::read(value, kind),
        })
    }

    fn aggregate(
        &mut self,
        rule: &Value,
        aggregate: &Value,
        entity: &'static str,
        fields: Fields,
    ) -> Test {
        let filter = self.filter(&aggregate["filter"], fields);
        let function = aggregate["fn"].as_str().unwrap().to_owned();
        let column = aggregate["column"].as_str();
        let column = column.map(|name| *fields.iter().find(|(known, _)| *known == name).unwrap());
        let kind = match (function.as_str(), column) {
            ("min" | "max", Some((_, kind))) => kind,
            _ => Type::Number,
        };
        let get = move |record: &Record| {
            let rows = record.related[entity].iter().filter(|row| filter(row));
            let Some((column, _)) = column else {
                return Datum::Number(Fraction::whole(rows.count()));
            };
            let found = rows.map(|row| &row.fields[column]);
            let found: Vec<_> = found.filter(|datum| **datum != Datum::Missing).collect();
            let sum = || {
                found.iter().fold(Fraction::ZERO, |sum, datum| match datum {
                    Datum::Number(number) => sum.plus(*number),
                    _ => sum,
                })
            };
            let extreme = |wanted: Ordering| {
                let better = |best: &&Datum, next: &&Datum| next.compare(best) == Some(wanted);
                let best = found
                    .iter()
                    .copied()
                    .reduce(|best, next| if better(&best, &next) { next } else { best });
                best.cloned().unwrap_or(Datum::Missing)
            };
            match function.as_str() {
                "count" => Datum::Number(Fraction::whole(found.len())),
                "sum" => Datum::Number(sum()),
                "avg" if found.is_empty() => Datum::Missing,
                "avg" => Datum::Number(sum().over(found.len())),
                "min" => extreme(Ordering::Less),
                _ => extreme(Ordering::Greater),
            }
        };
        self.compared(rule, kind, Box::new(get))
    }
}

fn tags(rule: &Value) -> Test {
    let operator = operator(rule);
    let include_empty = rule["meta"]["includeEmpty"] != false;
    if operator == "null" {
        return Box::new(|record| record.tags.is_empty());
    }
    if operator == "notNull" {
        return Box::new(|record| !record.tags.is_empty());
    }
    let names: Vec<_> =
        items(&rule["value"]).iter().map(|name| lower(name.as_str().unwrap())).collect();
    let has = |record: &Record, name: &str| record.tags.iter().any(|tag| lower(tag) == name);
    match operator {
        "containsAll" => Box::new(move |record| names.iter().all(|name| has(record, name))),
        "containsNone" | "notIn" => Box::new(move |record| {
            (include_empty || !record.tags.is_empty())
                && !names.iter().any(|name| has(record, name))
        }),
        _ => Box::new(move |record| names.iter().any(|name| has(record, name))),
    }
}

fn operator(rule: &Value) -> &'static str {
    const ALL: [&str; 24] = [
        "=",
        "!=",
        "<",
        ">",
        "<=",
        ">=",
        "contains",
        "beginsWith",
        "endsWith",
        "doesNotContain",
        "doesNotBeginWith",
        "doesNotEndWith",
        "null",
        "notNull",
        "in",
        "notIn",
        "between",
        "notBetween",
        "containsAny",
        "containsAll",
        "containsNone",
        "withinLast",
        "withinNext",
        "olderThan",
    ];
    ALL.into_iter().find(|known| rule["operator"] == *known).unwrap()
}

fn base(operator: &'static str) -> &'static str {
    match operator {
        "!=" => "=",
        "doesNotContain" => "contains",
        "doesNotBeginWith" => "beginsWith",
        "doesNotEndWith" => "endsWith",
        "notIn" => "in",
        "notBetween" => "between",
        other => other,
    }
}

/// What becomes of a missing value: positive operators do not match it, negative ones do unless told not to.
fn settle(rule: &Value, ask: Question) -> Test {
    let operator = operator(rule);
    let include_empty = rule["meta"]["includeEmpty"] != false;
    if base(operator) == operator {
        Box::new(move |record| ask(record) == Some(true))
    } else {
        Box::new(move |record| ask(record).map_or(include_empty, |holds| !holds))
    }
}

/// Certainly false is false, whatever the other would be.
fn and(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    match (one, other) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn compare(operator: &str, datum: &Datum, wanted: &Wanted, fold: bool) -> Option<bool> {
    let wanted = match (wanted, datum) {
        (_, Datum::Missing) => return None,
        (Wanted::Exactly(wanted), _) => wanted,
        (Wanted::Within(start, end), Datum::Instant(at)) => {
            return Some(match operator {
                "<" => at < start,
                "<=" => at < end,
                ">" => at >= end,
                ">=" => at >= start,
                _ => at >= start && at < end,
            });
        }
        (Wanted::Within(..), other) => panic!("{other:?} is no instant"),
    };
    if let (Datum::Text(text), Datum::Text(part)) = (datum, wanted) {
        let folded = |text: &str| if fold { lower(text) } else { text.to_owned() };
        let (text, part) = (folded(text), folded(part));
        return Some(match operator {
            "contains" => text.contains(&part),
            "beginsWith" => text.starts_with(&part),
            "endsWith" => text.ends_with(&part),
            _ => holds(operator, text.as_bytes().cmp(part.as_bytes())),
        });
    }
    datum.compare(wanted).map(|order| holds(operator, order))
}

fn holds(operator: &str, order: Ordering) -> bool {
    match operator {
        "=" => order.is_eq(),
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        ">=" => order.is_ge(),
        _ => panic!("{operator} does not compare"),
    }
}

/// An array, or text with commas: a backslash takes a comma's meaning, blanks around are nothing.
fn items(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items.clone(),
        Value::String(text) => {
            let text = text.replace("\\,", "\u{1}");
            let parts = text.split(',').map(|part| part.trim().replace('\u{1}', ","));
            parts.filter(|part| !part.is_empty()).map(Value::String).collect()
        }
        single => vec![single.clone()],
    }
}
