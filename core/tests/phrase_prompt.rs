//! Sentences of office staff, each with the definition that was written by hand before the grammar.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

#[path = "phrase/written.rs"]
mod written;

use fieldcrm_core::ai::phrase::{Vocabulary, understand};
use fieldcrm_core::segment;
use serde_json::Value;
use written::{FILES, REFUSED, normalised, read, sample, today};

#[test]
fn sentences_are_understood_exactly_or_refused() {
    let vocabulary = sample();
    let (mut exact, mut refused, mut wrong, mut all) = (0, Vec::new(), Vec::new(), 0);
    for (sentence, expected) in FILES.iter().flat_map(|file| read(file)) {
        all += 1;
        assert!(
            segment::parse(&expected).is_ok(),
            "expected of {sentence:?}: {expected} {:?}",
            segment::parse(&expected)
        );
        match understand(&sentence, today(), &vocabulary) {
            Ok(said) if normalised(&said.definition) == normalised(&expected) => exact += 1,
            Ok(said) => wrong.push(format!(
                "{sentence}\n  got  {}\n  want {expected}",
                said.definition["query"]
            )),
            Err(errors) => refused.push((sentence, errors)),
        }
    }
    println!("{all} sentences: {exact} exact, {} refused, {} wrong", refused.len(), wrong.len());
    for (sentence, errors) in &refused {
        println!("refused: {sentence}: {errors:?}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(exact * 100 >= all * 85, "{exact} of {all}");
}

#[test]
fn what_is_not_understood_is_refused_with_the_words() {
    let cases: Vec<(String, Vec<String>)> = serde_json::from_str(REFUSED).unwrap();
    let mut failed = Vec::new();
    for (sentence, words) in cases {
        match understand(&sentence, today(), &sample()) {
            Ok(said) => failed.push(format!("understood: {sentence}: {}", said.explanation)),
            Err(errors) => {
                let named: Vec<&str> = errors.iter().map(|error| error.text.as_str()).collect();
                let letters: Vec<char> = sentence.chars().collect();
                for error in &errors {
                    let place: String = letters[error.start..error.end].iter().collect();
                    assert_eq!(place, error.text, "{sentence}");
                }
                if !words.iter().all(|word| named.contains(&word.as_str())) {
                    failed.push(format!("{sentence}: {named:?} instead of {words:?}"));
                }
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Written after the grammar, of what it once got wrong.
#[test]
fn what_can_be_read_in_two_ways_is_refused() {
    for sentence in [
        "customers with no jobs and open quotes",
        "customers without jobs or open quotes",
        "customers without an email or phone",
        "customers who are not active or prospects",
        "customers with tags VIP, Landlord",
        "customers in Austin with jobs in Dallas",
        "all customers except VIPs and landlords",
        "active customers who are not companies or individuals",
        "customers seen more than 3 months ago",
        "customers with jobs scheduled in March",
        "customers whose product id is Samir Haddad",
        "customers who spent over 500 or 600",
    ] {
        let said = understand(sentence, today(), &sample());
        assert!(said.is_err(), "{sentence}: {}", said.unwrap().explanation);
    }
    let pounds = Vocabulary { currency: Some("USD".to_owned()), ..sample() };
    assert!(understand("customers who spent over £500", today(), &pounds).is_err());
    assert!(understand("customers who spent over 500 euros", today(), &pounds).is_err());
    assert!(understand("customers who spent over $500", today(), &pounds).is_ok());
    let tagged = Vocabulary { tags: vec!["Active".to_owned()], ..sample() };
    assert!(understand("active customers", today(), &tagged).is_err());
}

#[test]
fn what_was_understood_is_said_in_english() {
    let said = understand("VIPs in Austin not seen for 6 months", today(), &sample()).unwrap();
    assert_eq!(
        said.explanation,
        "tags contain \"VIP\", and city is \"Austin\", and last interaction is older than 6 months"
    );
    assert_eq!(said.definition["version"], Value::from(1));
}
