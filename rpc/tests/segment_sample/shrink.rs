//! Smaller definitions that may still show the same.

use serde_json::Value;

/// Each definition that lacks one rule, or has one member of a group in the group's place.
pub fn smaller(definition: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    for pointer in pointers(definition, "") {
        let Some((parent, index)) = pointer.rsplit_once("/rules/") else { continue };
        let Ok(index) = index.parse::<usize>() else { continue };
        let siblings = definition.pointer(parent).unwrap()["rules"].as_array().unwrap();
        if siblings.len() > 1 {
            let mut copy = definition.clone();
            let group = copy.pointer_mut(parent).unwrap();
            group["rules"].as_array_mut().unwrap().remove(index);
            found.push(copy);
        }
        let member = &siblings[index];
        if member.get("rules").is_some() {
            let mut copy = definition.clone();
            *copy.pointer_mut(parent).unwrap() = member.clone();
            found.push(copy);
        }
    }
    for key in ["/not", "/meta/includeEmpty", "/meta/ignoreCase", "/meta/aggregate/filter"] {
        for pointer in pointers(definition, "") {
            let Some(value) = definition.pointer(&format!("{pointer}{key}")) else { continue };
            let (parent, key) = key.rsplit_once('/').unwrap();
            if !value.is_null() {
                let mut copy = definition.clone();
                let parent = copy.pointer_mut(&format!("{pointer}{parent}")).unwrap();
                parent.as_object_mut().unwrap().remove(key);
                found.push(copy);
            }
        }
    }
    found
}

/// Where the rules and groups are.
fn pointers(value: &Value, at: &str) -> Vec<String> {
    let mut found = Vec::new();
    if value.get("rules").is_some() || value.get("operator").is_some() {
        found.push(at.to_owned());
    }
    let children: Vec<(String, &Value)> = match value {
        Value::Object(object) => object.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect()
        }
        _ => Vec::new(),
    };
    for (key, child) in children {
        found.extend(pointers(child, &format!("{at}/{key}")));
    }
    found
}
