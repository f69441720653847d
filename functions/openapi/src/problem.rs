//! Refusals: RFC 9457, with the codes of core.

use std::collections::{BTreeMap, BTreeSet};

use fieldcrm_core::Code;
use serde_json::{Map, Value, json};

fn codes(status: u16) -> Vec<&'static str> {
    Code::ALL.iter().filter(|code| code.status() == status).map(|code| code.as_str()).collect()
}

/// Whether there is a code of this status.
pub fn exists(status: u16) -> bool {
    !codes(status).is_empty()
}

pub fn reference(status: u16) -> Value {
    json!({"$ref": format!("#/components/responses/Problem{status}")})
}

pub fn responses(statuses: &BTreeSet<u16>) -> Map<String, Value> {
    statuses.iter().map(|status| (format!("Problem{status}"), response(*status))).collect()
}

fn response(status: u16) -> Value {
    let titles: Vec<_> = Code::ALL
        .iter()
        .filter(|code| code.status() == status)
        .map(|code| format!("`{}`: {}", code.as_str(), code.title()))
        .collect();
    let schema = json!({
        "allOf": [{"$ref": "#/components/schemas/Problem"}],
        "properties": {"status": {"const": status}, "code": {"enum": codes(status)}},
    });
    let mut content = json!({"application/problem+json": {"schema": schema}});
    if [401, 503].contains(&status) {
        // Of the platform, which looks at the token before the function does, and whether there is a function.
        content["application/json"] =
            json!({"schema": {"$ref": "#/components/schemas/PlatformRefusal"}});
    }
    json!({"description": titles.join(". "), "content": content})
}

pub fn schemas() -> BTreeMap<String, Value> {
    let text = json!({"type": "string"});
    let field = json!({
        "type": "object", "description": "What is wrong with one field.", "additionalProperties": false,
        "required": ["path", "code", "message"],
        "properties": {
            "path": {"type": "string", "description": "Where: a parameter's name, or the JSON path in the body, such as contacts[0].value."},
            "code": text, "message": text,
        },
    });
    let all: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
    let problem = json!({
        "type": "object",
        "description": "RFC 9457. Further members are facts about this case, such as the id of the row that is in the way.",
        "required": ["type", "title", "status", "code"],
        "properties": {
            "type": {"type": "string", "format": "uri-reference"},
            "title": {"type": "string", "description": "The same for every case of the code."},
            "status": {"type": "integer"},
            "code": {"type": "string", "enum": all, "description": "What to tell cases apart by; it does not change."},
            "detail": {"type": "string", "description": "What to do about it."},
            "instance": {"type": "string", "description": "The id of the request, as in X-Request-Id."},
            "errors": {"type": "array", "items": {"$ref": "#/components/schemas/FieldError"}},
        },
    });
    let platform = json!({
        "type": "object", "description": "What Supabase answers where the token is missing or not valid, or the function does not start.",
        "required": ["message"], "properties": {"code": {"type": ["integer", "string"]}, "message": text},
    });
    BTreeMap::from([
        ("FieldError".to_owned(), field),
        ("PlatformRefusal".to_owned(), platform),
        ("Problem".to_owned(), problem),
    ])
}
