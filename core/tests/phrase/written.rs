//! The sentences as they are written down, and definitions in the one form in which they are compared.

use chrono::NaiveDate;
use fieldcrm_core::ai::phrase::Vocabulary;
use serde_json::{Value, json};

pub const FILES: [&str; 5] = [
    include_str!("customer.json"),
    include_str!("time.json"),
    include_str!("figure.json"),
    include_str!("related.json"),
    include_str!("combined.json"),
];
pub const REFUSED: &str = include_str!("refused.json");
const VOCABULARY: &str = include_str!("vocabulary.json");

pub fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 21).unwrap()
}

pub fn sample() -> Vocabulary {
    serde_json::from_str(VOCABULARY).unwrap()
}

/// Each sentence with its definition; README.md says how they are written.
pub fn read(file: &str) -> Vec<(String, Value)> {
    let lines: Vec<Vec<Value>> = serde_json::from_str(file).unwrap();
    lines
        .into_iter()
        .map(|line| {
            let sentence = line[0].as_str().unwrap().to_owned();
            let query = json!({"combinator": "and", "rules": rules(&line[1..])});
            (sentence, json!({"version": 1, "entity": "customer", "query": query}))
        })
        .collect()
}

fn rules(written: &[Value]) -> Vec<Value> {
    written.iter().map(rule).collect()
}

fn filter(written: &Value) -> Value {
    json!({"combinator": "and", "rules": rules(written.as_array().unwrap())})
}

fn rule(written: &Value) -> Value {
    if let Some(parts) = written.as_array() {
        let mut rule = json!({"field": parts[0], "operator": parts[1]});
        if let Some(value) = parts.get(2) {
            rule["value"] = self::value(value);
        }
        if let Some(meta) = parts.get(3) {
            rule["meta"] = meta.clone();
        }
        return rule;
    }
    for (key, combinator, not) in [("or", "or", false), ("not", "and", true)] {
        if let Some(members) = written.get(key) {
            return json!({"combinator": combinator, "not": not, "rules": rules(members.as_array().unwrap())});
        }
    }
    for mode in ["some", "none", "atLeast", "atMost", "exactly"] {
        if let Some(number) = written.get(mode) {
            let (field, matching) = match number.as_str() {
                Some(field) => (json!(field), json!({"mode": mode})),
                None => (written["of"].clone(), json!({"mode": mode, "threshold": number})),
            };
            let mut rule = json!({"field": field, "operator": "=", "match": matching});
            if let Some(written) = written.get("where") {
                rule["value"] = filter(written);
            }
            return rule;
        }
    }
    let function =
        ["sum", "avg", "max"].into_iter().find(|name| written.get(name).is_some()).unwrap();
    let (rows, column) = written[function].as_str().unwrap().split_once('.').unwrap();
    let mut aggregate = json!({"fn": function, "column": column});
    if let Some(written) = written.get("where") {
        aggregate["filter"] = filter(written);
    }
    json!({"field": rows, "operator": written["is"][0], "value": written["is"][1], "meta": {"aggregate": aggregate}})
}

/// `@startOfYear-1year`, `@Samir`, or what is written.
fn value(written: &Value) -> Value {
    if let Some(list) = written.as_array() {
        return list.iter().map(value).collect();
    }
    let Some(name) =
        written.as_str().and_then(|text| text.strip_prefix('@')).filter(|name| !name.contains('.'))
    else {
        return written.clone();
    };
    if let Some(person) =
        sample().people.iter().find(|person| person.name.split(' ').next() == Some(name))
    {
        return json!(person.id);
    }
    let Some(at) = name.find(['+', '-']) else {
        return json!({"mode": "relative", "anchor": name});
    };
    let unit = name[at + 1..].find(char::is_alphabetic).unwrap() + at + 1;
    let offset: i64 = name[at..unit].parse().unwrap();
    json!({"mode": "relative", "anchor": &name[..at], "offset": offset, "unit": &name[unit..]})
}

/// The same for definitions that say the same: lists and members in order, `=` for one value, no groups in vain.
pub fn normalised(definition: &Value) -> Value {
    normal(&definition["query"])
}

fn normal(node: &Value) -> Value {
    if let Some(members) = node["rules"].as_array() {
        let (combinator, not) = (&node["combinator"], node["not"] == true);
        let mut flat = Vec::new();
        for member in members.iter().map(normal) {
            let same = member["combinator"] == *combinator
                || member["rules"].as_array().is_some_and(|all| all.len() == 1);
            if member.get("rules").is_some() && member["not"] == false && same {
                flat.extend(member["rules"].as_array().unwrap().clone());
            } else {
                flat.push(member);
            }
        }
        flat.sort_by_key(ToString::to_string);
        if flat.len() == 1 && !not && flat[0].get("rules").is_some() {
            return flat.remove(0);
        }
        let combinator = if flat.len() == 1 { json!("and") } else { combinator.clone() };
        return json!({"combinator": combinator, "not": not, "rules": flat});
    }
    let mut rule = node.clone();
    if rule.get("match").is_some() && rule["value"].is_object() {
        rule["value"] = normal(&rule["value"]);
    }
    if rule["meta"]["aggregate"]["filter"].is_object() {
        rule["meta"]["aggregate"]["filter"] = normal(&rule["meta"]["aggregate"]["filter"]);
    }
    if rule["operator"] != "between"
        && let Some(values) = rule["value"].as_array_mut()
    {
        values.sort_by_key(ToString::to_string);
    }
    for value in std::iter::once(&mut rule["value"]) {
        number(value);
        value.as_array_mut().into_iter().flatten().for_each(number);
    }
    rule
}

fn number(value: &mut Value) {
    if let Some(number) = value.as_f64() {
        *value = json!(number);
    }
}
