//! JSON that looks like a definition, made of bytes: most of it is nearly right.

use fieldcrm_core::segment::Operator;
use fieldcrm_core::segment::catalogue::{CUSTOMER, ENTITIES};
use serde_json::{Map, Value, json};

/// Words that have hurt others.
pub const HOSTILE: &[&str] = &[
    "",
    "name; drop table customers",
    "name\" or 1=1 --",
    "'; select pg_sleep(10); --",
    "$1",
    "$$",
    "$tag$x$tag$",
    "__proto__",
    "constructor",
    "c.name",
    "customers.name",
    "xmin",
    "ctid",
    "*",
    "{matching}",
    "{p,0}",
    "\\",
    "\\'",
    "%",
    "_",
    "\u{0}",
    "a\u{0}b",
    "\u{202e}",
    "\u{feff}name",
    "ﬀ",
    "İ",
    "👩‍🔧",
    "1e999",
    "-1e-999",
    "NaN",
    "Infinity",
    "infinity",
    "9999-12-31",
    "0000-00-00",
    "2026-02-30",
    "2026-03-08T02:30:00",
    "2026-03-08T02:30:00+99:00",
    "294277-01-01",
    "-infinity",
    "now",
    "P",
    "PT",
    "P1",
    "P-1D",
    "P99999999999999999999Y",
    "P1Y2M3W4DT5H6M7S",
    "a,b\\,c,,",
    "{\"a\"}",
    "null",
    "11111111-1111-4111-8111-111111111111",
    "2026-01-31",
    "VIP",
];

const KEYS: &[&str] = &[
    "field",
    "operator",
    "value",
    "valueSource",
    "match",
    "meta",
    "rules",
    "combinator",
    "not",
    "muted",
    "disabled",
    "id",
    "path",
    "mode",
    "threshold",
    "aggregate",
    "fn",
    "column",
    "filter",
    "anchor",
    "offset",
    "unit",
    "ignoreCase",
    "includeEmpty",
    "version",
    "entity",
    "query",
];

const WORDS: &[&str] = &[
    "and",
    "or",
    "xor",
    "value",
    "field",
    "relative",
    "now",
    "startOfDay",
    "startOfWeek",
    "startOfQuarter",
    "day",
    "month",
    "quarter",
    "year",
    "minute",
    "some",
    "all",
    "none",
    "atLeast",
    "atMost",
    "exactly",
    "count",
    "sum",
    "avg",
    "min",
    "max",
    "total",
    "customer",
    "active",
];

pub struct Seed<'a>(pub &'a [u8]);

impl Seed<'_> {
    fn byte(&mut self) -> usize {
        match self.0.split_first() {
            Some((byte, rest)) => {
                self.0 = rest;
                (*byte).into()
            }
            None => 0,
        }
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[(self.byte() * 256 + self.byte()) % of.len()]
    }

    pub fn definition(&mut self) -> Value {
        let query = self.group(1, None);
        let mut definition = json!({"version": 1, "entity": "customer", "query": query});
        self.spoil(&mut definition);
        definition
    }

    /// Now and then something is wrong with it.
    fn spoil(&mut self, node: &mut Value) {
        if self.byte() < 240 {
            return;
        }
        let value = self.anything(2);
        let key = self.one(&[KEYS, HOSTILE].concat());
        if let Value::Object(object) = node {
            object.insert(key.to_owned(), value);
        }
    }

    fn group(&mut self, depth: usize, entity: Option<usize>) -> Value {
        let mut rules = Vec::new();
        for _ in 0..self.byte() % 4 {
            let deeper = depth < 7 && self.byte() < 60;
            let mut rule =
                if deeper { self.group(depth + 1, entity) } else { self.rule(depth, entity) };
            self.spoil(&mut rule);
            rules.push(rule);
        }
        json!({"combinator": self.one(&["and", "or"]), "not": self.byte() < 60, "rules": rules})
    }

    fn field(&mut self, entity: Option<usize>) -> &'static str {
        let fields = entity.map_or(CUSTOMER, |entity| ENTITIES[entity].fields);
        fields[self.byte() % fields.len()].name
    }

    fn rule(&mut self, depth: usize, entity: Option<usize>) -> Value {
        let operator = self.one(Operator::ALL).as_str();
        if entity.is_some() || self.byte() < 180 {
            let field = self.field(entity);
            let mut rule = json!({"field": field, "operator": operator, "value": self.value()});
            match self.byte() {
                0..20 => {
                    rule["valueSource"] = json!("field");
                    rule["value"] = json!([self.field(entity), self.field(entity)]);
                }
                20..40 => {
                    rule["valueSource"] = json!("field");
                    rule["value"] = json!(self.field(entity));
                }
                40..90 => {
                    let (empty, fold) = (self.byte() < 128, self.byte() < 128);
                    rule["meta"] = json!({"includeEmpty": empty, "ignoreCase": fold});
                }
                _ => {}
            }
            return rule;
        }
        let entity = self.byte() % ENTITIES.len();
        let name = ENTITIES[entity].name;
        let filter = if depth < 6 { self.group(depth + 1, Some(entity)) } else { Value::Null };
        if self.byte() < 128 {
            let mode = self.one(&["some", "all", "none", "atLeast", "atMost", "exactly"]);
            let mut matching = json!({"mode": mode});
            if self.byte() < 200 {
                matching["threshold"] = json!(self.byte());
            }
            return json!({"field": name, "operator": "=", "match": matching, "value": filter});
        }
        let column = self.field(Some(entity));
        let function = self.one(&["count", "sum", "avg", "min", "max"]);
        json!({"field": name, "operator": operator, "value": self.value(),
            "meta": {"aggregate": {"fn": function, "column": column, "filter": filter}}})
    }

    fn value(&mut self) -> Value {
        match self.byte() {
            0..60 => json!(self.one(&[HOSTILE, WORDS].concat())),
            60..100 => (0..self.byte() % 5).map(|_| self.scalar()).collect(),
            100..130 => {
                let offset = i64::try_from(self.byte()).unwrap_or(0) - 128;
                json!({"mode": "relative", "anchor": self.one(&["now", "startOfDay", "startOfWeek", "startOfYear"]),
                    "offset": offset, "unit": self.one(&["minute", "day", "week", "quarter", "year"])})
            }
            130..230 => self.scalar(),
            _ => self.anything(3),
        }
    }

    fn scalar(&mut self) -> Value {
        match self.byte() {
            0..40 => json!(self.byte()),
            40..60 => json!(i64::MIN),
            60..70 => json!(f64::MAX),
            70..80 => json!(5e-324),
            80..100 => json!(self.byte() < 128),
            100..150 => json!("2026-01-31"),
            150..170 => json!("11111111-1111-4111-8111-111111111111"),
            170..190 => json!("P3M"),
            190..200 => Value::Null,
            _ => json!(self.one(&[HOSTILE, WORDS].concat())),
        }
    }

    fn anything(&mut self, depth: usize) -> Value {
        match self.byte() {
            0..60 if depth > 0 => (0..self.byte() % 4).map(|_| self.anything(depth - 1)).collect(),
            60..140 if depth > 0 => {
                let mut object = Map::new();
                for _ in 0..self.byte() % 4 {
                    let key = self.one(&[KEYS, HOSTILE].concat());
                    object.insert(key.to_owned(), self.anything(depth - 1));
                }
                object.into()
            }
            _ => self.scalar(),
        }
    }
}
