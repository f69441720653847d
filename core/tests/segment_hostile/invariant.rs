//! What holds of any JSON that is handed in as a definition.

use fieldcrm_core::segment::{self, compile, parse};
use serde_json::Value;

/// All that the compiler writes: a value that leaks into the text mostly brings another character.
const WRITTEN: &str = "abcdefghijklmnopqrstuvwxyz0123456789_ \n.,:()[]{}<>=@#$*+-/|'\"C";

/// Whether it is accepted. Panics where something does not hold.
pub fn holds(definition: &Value) -> bool {
    let parsed = match parse(definition) {
        Ok(parsed) => parsed,
        Err(errors) => {
            assert!(!errors.is_empty(), "refused without a reason: {definition}");
            for error in &errors {
                let code = error.code.chars().all(|c| c.is_ascii_lowercase() || c == '_');
                assert!(code && !error.code.is_empty(), "{error:?}");
                assert!(!error.path.is_empty() && !error.message.is_empty(), "{error:?}");
                let words = error.path.chars().chain(error.message.chars());
                assert!(!words.clone().any(char::is_control), "{error:?}");
                assert!(words.count() < 20_000, "{error:?}");
            }
            return false;
        }
    };
    let compiled = compile(&parsed);
    for text in [compiled.matching(), compiled.explained().text()] {
        let odd = text.chars().find(|letter| !WRITTEN.contains(*letter));
        assert_eq!(odd, None, "{text}\n{definition}");
        for (open, close) in [('(', ')'), ('{', '}'), ('[', ']')] {
            let count = |letter| text.chars().filter(|known| *known == letter).count();
            assert_eq!(count(open), count(close), "{text}\n{definition}");
        }
    }
    assert!(!segment::sentence(&parsed).is_empty());
    let _ = segment::warnings(&parsed);
    // With other words for values the text is the same.
    let mut veiled = definition.clone();
    veil(&mut veiled);
    if let Ok(other) = parse(&veiled) {
        let other = compile(&other);
        assert_eq!(other.matching(), compiled.matching(), "{definition}");
        assert_eq!(other.explained(), compiled.explained(), "{definition}");
    }
    true
}

/// Puts another letter for each letter of the values of rules, and another figure for each number.
fn veil(node: &mut Value) {
    match node {
        Value::Array(items) => items.iter_mut().for_each(veil),
        Value::Object(object) => {
            let names = object.get("valueSource").is_some_and(|source| source == "field");
            for (key, value) in object.iter_mut() {
                match value {
                    Value::Array(items) if key == "value" && !names => {
                        items.iter_mut().for_each(veil_value);
                    }
                    Value::Object(_) | Value::Array(_) => veil(value),
                    value if key == "value" && !names => veil_value(value),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

fn veil_value(value: &mut Value) {
    match value {
        Value::String(text) => {
            let turned = text.chars().map(|letter| match letter {
                'a'..='m' | 'A'..='M' => char::from_u32(u32::from(letter) + 13).unwrap_or(letter),
                'n'..='z' | 'N'..='Z' => char::from_u32(u32::from(letter) - 13).unwrap_or(letter),
                // A sign and a zero may mean another comparison.
                '1'..='8' => char::from_u32(u32::from(letter) + 1).unwrap_or(letter),
                other => other,
            });
            *text = turned.collect();
        }
        // Only the sign of a number may matter.
        Value::Number(number) if number.as_i64().is_some_and(|number| number > 0) => {
            *value = Value::from(7_654_321);
        }
        _ => {}
    }
}
