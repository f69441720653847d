//! Every field of the catalogue can be said, or it is written down why not; whatever is said, nothing breaks.
//!
//! `cargo fuzz run phrase` does the last with any bytes.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

#[path = "phrase/written.rs"]
#[allow(dead_code, reason = "the other test reads the sentences")]
mod written;

use fieldcrm_core::ai::phrase::{schema, understand};
use fieldcrm_core::segment::catalogue::{CUSTOMER, ENTITIES, Field, Kind};
use fieldcrm_core::segment::parse;
use proptest::prelude::*;
use serde_json::Value;
use written::{FILES, REFUSED, read, sample, today};

/// Fields that no sentence names, and why.
const EXCEPTED: &[(&str, &str, &str)] =
    &[("customer", "product_id", "people say the name of a product: product")];

/// Something that a field of that kind can be.
fn test(owner: &str, field: &Field) -> String {
    match field.kind {
        Kind::Enum(choices, _) => format!("is {}", choices[0].replace('_', " ")),
        Kind::Number => "is more than 3".to_owned(),
        Kind::Boolean => "is true".to_owned(),
        Kind::Timestamp | Kind::Date => "is before 2026-01-31".to_owned(),
        Kind::Uuid => "is Samir Haddad".to_owned(),
        Kind::Tags => "VIP".to_owned(),
        Kind::Segment => "Lapsed".to_owned(),
        Kind::Text if owner == "customer" && field.name == "product" => {
            "is \"Comfort Plan\"".to_owned()
        }
        Kind::Text => "is \"x y\"".to_owned(),
    }
}

fn names(definition: &Value, field: &str) -> bool {
    definition.to_string().contains(&format!("\"field\":\"{field}\""))
}

#[test]
fn every_field_of_the_catalogue_can_be_said_or_is_excepted() {
    let vocabulary = sample();
    let mut unsaid = Vec::new();
    let customer = CUSTOMER.iter().map(|field| {
        ("customer", field, format!("customers whose {} {}", field.label, test("customer", field)))
    });
    let related = ENTITIES.iter().flat_map(|entity| {
        let sentence = |field: &Field| {
            format!(
                "customers with {} whose {} {}",
                entity.label,
                field.label,
                test(entity.name, field)
            )
        };
        entity.fields.iter().map(move |field| (entity.name, field, sentence(field)))
    });
    for (owner, field, sentence) in customer.chain(related) {
        let excepted =
            EXCEPTED.iter().any(|(known, name, _)| *known == owner && *name == field.name);
        let said = understand(&sentence, today(), &vocabulary)
            .is_ok_and(|said| names(&said.definition, field.name));
        if said == excepted {
            unsaid.push(sentence);
        }
    }
    assert!(unsaid.is_empty(), "{}", unsaid.join("\n"));
}

#[test]
fn a_model_is_told_every_field() {
    let schema = schema();
    for field in CUSTOMER.iter().chain(ENTITIES.iter().flat_map(|entity| entity.fields)) {
        assert!(schema.fields.contains(&format!("- {} (", field.name)), "{}", field.name);
        assert!(schema.json.to_string().contains(&format!("\"{}\"", field.name)), "{}", field.name);
    }
}

#[test]
fn a_long_sentence_takes_no_longer_than_its_words() {
    let vocabulary = sample();
    let long = "customers in Austin or ".repeat(200);
    let started = std::time::Instant::now();
    let long: String = long.chars().take(4_000).collect();
    assert!(understand(&long, today(), &vocabulary).is_err());
    assert!(understand(&"not ".repeat(1_000), today(), &vocabulary).is_err());
    assert!(understand(&"5,".repeat(2_000), today(), &vocabulary).is_err());
    assert!(understand(&"x".repeat(4_001), today(), &vocabulary).is_err());
    assert!(started.elapsed().as_secs() < 20);
}

/// What is understood is a definition; what is not has its place in the sentence.
fn holds(sentence: &str) {
    match understand(sentence, today(), &sample()) {
        Ok(said) => assert!(parse(&said.definition).is_ok(), "{sentence:?}: {}", said.definition),
        Err(errors) => {
            let letters: Vec<char> = sentence.chars().collect();
            assert!(!errors.is_empty());
            for error in errors {
                assert_eq!(letters[error.start..error.end].iter().collect::<String>(), error.text);
            }
        }
    }
}

/// Words of the sentences, in any order.
fn words() -> Vec<String> {
    let all = FILES.iter().flat_map(|file| read(file)).map(|(sentence, _)| sentence);
    let refused: Vec<(String, Vec<String>)> = serde_json::from_str(REFUSED).unwrap();
    let mut words: Vec<_> = all
        .chain(refused.into_iter().map(|(sentence, _)| sentence))
        .flat_map(|sentence| sentence.split(' ').map(str::to_owned).collect::<Vec<_>>())
        .collect();
    words.sort();
    words.dedup();
    words
}

proptest! {
    #[test]
    fn any_text_is_understood_or_refused(sentence in "\\PC{0,200}") {
        holds(&sentence);
    }

    #[test]
    fn any_order_of_words_is_understood_or_refused(words in prop::collection::vec(prop::sample::select(words()), 0..30)) {
        holds(&words.join(" "));
    }
}
