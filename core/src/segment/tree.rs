//! The explanation of one customer: the query again, with what came of each rule.

use serde_json::{Value, json};

use super::definition::{Definition, Group, Member};
use super::sentence;

/// The query of a definition with `result`, and at each rule `actual` and `wanted`. `nodes` are
/// `[result, actual]` for each of `paths`, as the explaining statement answers.
#[must_use]
pub fn tree(query: &Value, definition: &Definition, paths: &[String], nodes: &Value) -> Value {
    let mut whole = json!({"query": query});
    let mut wanted = Vec::new();
    collect(&definition.query, &mut wanted);
    for (index, path) in paths.iter().enumerate() {
        let pointer = format!("/{}", path.replace(['.', '['], "/").replace(']', ""));
        let Some(Value::Object(node)) = whole.pointer_mut(&pointer) else { continue };
        node.insert("result".to_owned(), nodes[index][0].clone());
        if let Some((_, wanted)) = wanted.iter().find(|(known, _)| *known == path) {
            node.insert("actual".to_owned(), nodes[index][1].clone());
            node.insert("wanted".to_owned(), json!(wanted));
        }
    }
    whole["query"].take()
}

fn collect<'a>(group: &'a Group, found: &mut Vec<(&'a String, String)>) {
    for member in &group.members {
        match member {
            Member::Group(group) => collect(group, found),
            Member::Rule(rule) => found.push((&rule.path, sentence::test(rule))),
        }
    }
}
