//! The catalogue for those who build definitions: as data, as JSON Schema, as a TypeScript type.

use std::fmt::Write;

use serde_json::{Value, json};

use super::catalogue::{CUSTOMER, ENTITIES, Field, Kind};
use super::definition::Function;
use super::operator::Operator;
use super::value::{Anchor, Unit};
use super::{MAX_RULES, MAX_VALUES};

/// The names of some things, in their order.
fn names<T: Copy>(all: &[T], name: impl Fn(T) -> &'static str) -> Vec<&'static str> {
    all.iter().map(|one| name(*one)).collect()
}

/// Every field with its label, type, operators and values; what `crm_segment_fields` starts from.
#[must_use]
pub fn fields() -> Value {
    let describe = |field: &Field| {
        let mut about = json!({
            "name": field.name, "label": field.label, "type": field.kind.name(),
            "operators": names(field.kind.operators(), Operator::as_str),
        });
        if let Kind::Enum(choices, _) = field.kind {
            about["values"] = json!(choices);
        }
        about
    };
    let entities: Vec<_> = ENTITIES
        .iter()
        .map(|entity| {
            json!({
                "name": entity.name, "label": entity.label, "type": "related",
                "operators": ["=", "null", "notNull"],
                "match_modes": ["some", "all", "none", "atLeast", "atMost", "exactly"],
                "aggregates": names(Function::ALL, Function::as_str),
                "fields": entity.fields.iter().map(describe).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "fields": CUSTOMER.iter().map(describe).collect::<Vec<_>>(),
        "related": entities,
    })
}

/// Each group of fields that take the same operators and values.
fn alike(fields: &'static [Field]) -> Vec<(Kind, Vec<&'static str>)> {
    let mut groups: Vec<(Kind, Vec<&'static str>)> = Vec::new();
    for field in fields {
        let same = |kind: Kind| match (kind, field.kind) {
            (Kind::Enum(one, _), Kind::Enum(other, _)) => one == other,
            (one, other) => one == other,
        };
        match groups.iter_mut().find(|(kind, _)| same(*kind)) {
            Some((_, names)) => names.push(field.name),
            None => groups.push((field.kind, vec![field.name])),
        }
    }
    groups
}

/// JSON Schema (2020-12) of a definition. It says less than the parser: which operator takes a list
/// or a field of which type is the parser's to say.
#[must_use]
pub fn json_schema() -> Value {
    let value = |kind: Kind| match kind {
        Kind::Enum(choices, _) => json!({"anyOf": [
            {"enum": choices}, {"type": "array", "items": {"enum": choices}, "minItems": 1, "maxItems": MAX_VALUES},
            {"type": "string"}]}),
        Kind::Boolean => json!({"anyOf": [{"type": "boolean"}, {"type": "string"}]}),
        Kind::Timestamp | Kind::Date => json!({"$ref": "#/$defs/moment"}),
        _ => json!({"$ref": "#/$defs/value"}),
    };
    let rules = |fields: &'static [Field]| -> Vec<Value> {
        alike(fields)
            .into_iter()
            .map(|(kind, fields)| {
                json!({"properties": {
                    "field": {"enum": fields},
                    "operator": {"enum": names(kind.operators(), Operator::as_str)},
                    "value": value(kind),
                }})
            })
            .collect()
    };
    let group = |members: Value| {
        json!({"type": "object", "required": ["combinator", "rules"], "additionalProperties": false,
        "properties": {
            "id": {}, "path": {}, "disabled": {"type": "boolean"}, "muted": {"type": "boolean"},
            "combinator": {"enum": ["and", "or"]}, "not": {"type": "boolean"},
            "rules": {"type": "array", "maxItems": MAX_RULES, "items": members},
        }})
    };
    let rule = |any_of: Vec<Value>| {
        json!({"type": "object", "required": ["field", "operator"], "additionalProperties": false,
        "properties": {
            "id": {}, "path": {}, "disabled": {"type": "boolean"}, "muted": {"type": "boolean"},
            "field": {"type": "string"}, "operator": {"type": "string"}, "value": {},
            "valueSource": {"enum": ["value", "field"]}, "match": {"$ref": "#/$defs/match"},
            "meta": {"$ref": "#/$defs/meta"},
        }, "anyOf": any_of})
    };
    let mut defs = json!({
        "value": {"anyOf": [{"type": ["string", "number"]},
            {"type": "array", "items": {"type": ["string", "number"]}, "minItems": 1, "maxItems": MAX_VALUES}]},
        "relative": {"type": "object", "required": ["mode", "anchor"], "additionalProperties": false, "properties": {
            "mode": {"const": "relative"}, "anchor": {"enum": names(Anchor::ALL, Anchor::as_str)},
            "offset": {"type": "integer"}, "unit": {"enum": names(Unit::ALL, Unit::as_str)}}},
        "moment": {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/relative"},
            {"type": "array", "items": {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/relative"}]}}]},
        "match": {"type": "object", "required": ["mode"], "additionalProperties": false, "properties": {
            "mode": {"enum": ["some", "all", "none", "atLeast", "atMost", "exactly"]},
            "threshold": {"type": "integer", "minimum": 0}}},
        "meta": {"type": "object", "additionalProperties": false, "properties": {
            "ignoreCase": {"type": "boolean"}, "includeEmpty": {"type": "boolean"},
            "aggregate": {"type": "object", "required": ["fn"], "properties": {
                "fn": {"enum": names(Function::ALL, Function::as_str)}, "column": {"type": "string"}, "filter": {}}}}},
    });
    let mut customer = rules(CUSTOMER);
    for entity in ENTITIES {
        let (rule_name, group_name) =
            (format!("{}_rule", entity.name), format!("{}_group", entity.name));
        defs[&rule_name] = rule(rules(entity.fields));
        defs[&group_name] = group(json!({"anyOf": [
            {"$ref": format!("#/$defs/{rule_name}")}, {"$ref": format!("#/$defs/{group_name}")}]}));
        customer.push(json!({"properties": {
            "field": {"const": entity.name},
            "value": {"anyOf": [{"$ref": format!("#/$defs/{group_name}")}, {"type": ["string", "number", "null", "array"]}]},
        }}));
    }
    defs["rule"] = rule(customer);
    defs["group"] = group(json!({"anyOf": [{"$ref": "#/$defs/rule"}, {"$ref": "#/$defs/group"}]}));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "SegmentDefinition",
        "type": "object", "required": ["version", "entity", "query"], "additionalProperties": false,
        "properties": {"version": {"const": 1}, "entity": {"const": "customer"}, "query": {"$ref": "#/$defs/group"}},
        "$defs": defs,
    })
}

/// The TypeScript type of a definition; a `RuleGroupType` of react-querybuilder fits its query.
#[must_use]
pub fn typescript() -> String {
    let union = |words: &[&str]| {
        words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" | ")
    };
    let mut text = String::from("// Generated from the catalogue of segments. Do not edit.\n\n");
    let anchors = union(&names(Anchor::ALL, Anchor::as_str));
    let units = union(&names(Unit::ALL, Unit::as_str));
    let functions = union(&names(Function::ALL, Function::as_str));
    let _ = write!(
        text,
        "export interface SegmentDefinition {{\n  version: 1;\n  entity: \"customer\";\n  query: SegmentGroup;\n}}\n\n\
         interface Decoration {{\n  id?: string;\n  path?: number[];\n  disabled?: boolean;\n  muted?: boolean;\n}}\n\n\
         export interface Group<R> extends Decoration {{\n  combinator: \"and\" | \"or\";\n  not?: boolean;\n  rules: (R | Group<R>)[];\n}}\n\n\
         export type SegmentGroup = Group<SegmentRule>;\n\n\
         export interface RelativeDate {{\n  mode: \"relative\";\n  anchor: {anchors};\n  offset?: number;\n  unit?: {units};\n}}\n\n\
         export type Moment = string | RelativeDate;\n\n\
         export interface Match {{\n  mode: \"some\" | \"all\" | \"none\" | \"atLeast\" | \"atMost\" | \"exactly\";\n  threshold?: number;\n}}\n\n\
         interface Rule<F extends string, O extends string, V> extends Decoration {{\n  field: F;\n  operator: O;\n  value?: V | V[] | string;\n\
         \x20 valueSource?: \"value\" | \"field\";\n  meta?: {{ ignoreCase?: boolean; includeEmpty?: boolean }};\n}}\n\n\
         interface Related<F extends string, R> extends Decoration {{\n  field: F;\n  operator: \"=\" | \"null\" | \"notNull\";\n\
         \x20 match?: Match;\n  value?: Group<R> | \"\" | null;\n}}\n\n\
         interface Aggregate<F extends string, R> extends Decoration {{\n  field: F;\n  operator: string;\n  value?: unknown;\n\
         \x20 meta: {{ aggregate: {{ fn: {functions}; column?: string; filter?: Group<R> }}; includeEmpty?: boolean }};\n}}\n"
    );
    let mut rules = |name: &str, fields: &'static [Field], more: &str| {
        let lines: Vec<_> = alike(fields)
            .into_iter()
            .map(|(kind, fields)| {
                let value = match kind {
                    Kind::Enum(choices, _) => union(choices),
                    Kind::Number => "number | string".to_owned(),
                    Kind::Boolean => "boolean".to_owned(),
                    Kind::Timestamp | Kind::Date => "Moment".to_owned(),
                    _ => "string".to_owned(),
                };
                let operators = union(&names(kind.operators(), Operator::as_str));
                format!("  | Rule<{}, {operators}, {value}>", union(&fields))
            })
            .collect();
        let _ = write!(text, "\nexport type {name} =\n{}{more};\n", lines.join("\n"));
    };
    let mut more = String::new();
    for entity in ENTITIES {
        let rule = pascal(entity.name);
        rules(&rule, entity.fields, "");
        let _ = write!(
            more,
            "\n  | Related<\"{0}\", {rule}>\n  | Aggregate<\"{0}\", {rule}>",
            entity.name
        );
    }
    rules("SegmentRule", CUSTOMER, &more);
    text
}

/// `work_orders` as `WorkOrdersRule`.
fn pascal(name: &str) -> String {
    let words = name.split('_').map(|word| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| {
            first.to_uppercase().collect::<String>() + letters.as_str()
        })
    });
    words.collect::<String>() + "Rule"
}
