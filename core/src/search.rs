//! What somebody types to find a customer.

use crate::{Error, Result, phone};

/// The most characters a query can have.
pub const MAX_QUERY: usize = 200;
/// The most words a query can have.
pub const MAX_TERMS: usize = 8;

/// Fewer digits are no part of a phone number that anybody would look for.
const MIN_DIGITS: usize = 3;
/// An index of trigrams knows nothing shorter.
const TRIGRAM: usize = 3;

/// The terms of one reading of a query: a customer has to have them all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms(pub Vec<String>);

impl Terms {
    /// Whether an index of trigrams can narrow the search down.
    #[must_use]
    pub fn are_indexable(&self) -> bool {
        self.0
            .iter()
            .flat_map(|term| term.split(|letter: char| !letter.is_alphanumeric()))
            .any(|run| run.chars().count() >= TRIGRAM)
    }

    /// The terms of a customer that both readings find.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self(self.0.iter().chain(&other.0).cloned().collect())
    }

    /// Whether whatever has the terms of the other has these too.
    fn include(&self, other: &Self) -> bool {
        self.0.iter().all(|term| other.0.iter().any(|longer| longer.contains(term)))
    }
}

/// The readings of a query, at most two: a customer is found that has all terms of one of them.
///
/// What looks like a phone number is one, written in any way, in whole or in part, alone or beside a
/// name: `country` (ISO 3166-1 alpha-2) says how its people dial. But `2024-0017` may be a reference.
pub fn read(query: &str, country: &str) -> Result<Vec<Terms>> {
    let refuse = |message: &str| Err(Error::invalid_field("q", "invalid_value", message));
    if query.chars().count() > MAX_QUERY {
        return refuse(&format!("at most {MAX_QUERY} characters"));
    }
    if query.contains('\0') {
        return refuse("must not contain a NUL character");
    }
    let words: Vec<&str> = query.split_whitespace().collect();
    if words.len() > MAX_TERMS {
        return refuse(&format!("at most {MAX_TERMS} words"));
    }
    let dialled = Terms(match phone_digits(query, country) {
        Some(digits) => vec![digits],
        None => dialled_words(&words, country),
    });
    let literal = Terms(words.into_iter().map(str::to_owned).collect());
    // `02139` finds nothing that `2139` does not.
    Ok(if dialled.include(&literal) {
        vec![dialled]
    } else if literal.include(&dialled) {
        vec![literal]
    } else {
        vec![dialled, literal]
    })
}

/// The words of a query, those that look like a number as it is stored.
fn dialled_words(words: &[&str], country: &str) -> Vec<String> {
    let mut terms = Vec::new();
    for run in words.chunk_by(|one, next| is_spelled_like_phone(one) && is_spelled_like_phone(next))
    {
        match phone::normalize(&run.join(" "), country) {
            // `020 7946 0958` is a number in three words, `94607 415-555-2671` is not.
            Some(number) if run.iter().all(|word| is_spelled_like_phone(word)) => {
                terms.push(without_plus(&number.e164));
            }
            _ => terms.extend(
                run.iter().map(|word| phone_digits(word, country).unwrap_or((*word).to_owned())),
            ),
        }
    }
    terms
}

fn is_spelled_like_phone(typed: &str) -> bool {
    typed.chars().all(|letter| {
        letter.is_ascii_digit() || letter.is_whitespace() || "()+-./".contains(letter)
    })
}

fn without_plus(e164: &str) -> String {
    e164.trim_start_matches('+').to_owned()
}

/// The digits under which a number, or the part of one, is stored: E.164 without the plus.
fn phone_digits(query: &str, country: &str) -> Option<String> {
    let typed = query.trim();
    let digits: String = typed.chars().filter(char::is_ascii_digit).collect();
    if !is_spelled_like_phone(typed) || digits.len() < MIN_DIGITS {
        return None;
    }
    if let Some(number) = phone::normalize(typed, country) {
        return Some(without_plus(&number.e164));
    }
    // The trunk prefix and the international one are dialled and not stored.
    let stored = digits.trim_start_matches('0');
    (stored.len() >= MIN_DIGITS).then(|| stored.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readings(query: &str, country: &str) -> Vec<Vec<String>> {
        read(query, country).unwrap().into_iter().map(|terms| terms.0).collect()
    }

    #[test]
    fn a_query_is_its_words() {
        assert_eq!(readings("  Ann\tLee \n", "US"), [["Ann", "Lee"]]);
        assert_eq!(readings("ann.lee+x@example.com", "US"), [["ann.lee+x@example.com"]]);
        assert_eq!(readings(" ", "US"), [[""; 0]]);
    }

    #[test]
    fn every_spelling_of_a_number_is_one_number() {
        for query in ["(415) 555-2671", "415.555.2671", "+1 415 555 2671", "1-415-555-2671"] {
            assert_eq!(readings(query, "US")[0], ["14155552671"], "{query}");
        }
        assert_eq!(readings("020 7946 0958", "GB")[0], ["442079460958"]);
        assert_eq!(readings("0044 20 7946 0958", "GB")[0], ["442079460958"]);
        assert_eq!(readings("0044 20 7946 0958", "US")[0], ["442079460958"]);
        assert_eq!(readings("011 44 20 7946 0958", "US")[0], ["442079460958"]);
    }

    #[test]
    fn a_part_of_a_number_loses_what_is_only_dialled() {
        assert_eq!(readings("(415) 555", "US")[0], ["415555"]);
        assert_eq!(readings("020 7946", "GB")[0], ["207946"]);
        assert_eq!(readings("0044 20", "US")[0], ["4420"]);
    }

    #[test]
    fn what_looks_like_a_number_may_also_be_something_else() {
        assert_eq!(readings("2024-0017", "US"), [["20240017"], ["2024-0017"]]);
        assert_eq!(readings("94607", "US"), [["94607"]]);
        assert_eq!(readings("02139", "US"), [["2139"]]);
        assert_eq!(readings("12 Elm", "US"), [["12", "Elm"]]);
        assert_eq!(readings("12", "US"), [["12"]]);
        assert_eq!(readings("000", "US"), [["000"]]);
        assert_eq!(readings("415 x12", "US"), [["415", "x12"]]);
    }

    #[test]
    fn a_number_beside_a_name_is_one_too() {
        for number in ["415-555-2671", "(415)555-2671", "+14155552671", "(415) 555-2671"] {
            let query = format!("zoe {number} jr.");
            assert_eq!(readings(&query, "US")[0], ["zoe", "14155552671", "jr."], "{query}");
        }
        assert_eq!(readings("Ann 020 7946 0958", "GB")[0], ["Ann", "442079460958"]);
        assert_eq!(readings("Ann 94607 415-555-2671", "US")[0], ["Ann", "94607", "14155552671"]);
        assert_eq!(readings("zoe (415) 555-26", "US")[0], ["zoe", "415", "55526"]);
        assert_eq!(readings("zoe 2024-0017", "US"), [["zoe", "20240017"], ["zoe", "2024-0017"]]);
        assert_eq!(readings("77 Elm 94607", "US"), [["77", "Elm", "94607"]]);
    }

    #[test]
    fn a_reading_that_finds_no_more_is_left_out() {
        assert_eq!(readings("415 555 2671", "US"), [["415", "555", "2671"]]);
        assert_eq!(readings("Elm 02139", "US"), [["Elm", "2139"]]);
    }

    #[test]
    fn terms_without_three_letters_in_a_row_find_nothing_in_the_index() {
        let indexable = |query: &str| read(query, "US").unwrap()[0].are_indexable();
        assert!(indexable("ab cde") && indexable("x@gmail") && indexable("日本語"));
        assert!(!indexable("ab") && !indexable("a.b.c") && !indexable("%_%") && !indexable(""));
    }

    #[test]
    fn too_much_is_refused() {
        for query in ["x".repeat(201), "x ".repeat(9), "a\0b".to_owned()] {
            assert_eq!(read(&query, "US").unwrap_err().errors[0].path, "q");
        }
        assert!(read(&"x ".repeat(8), "US").is_ok());
        assert!(read(&"é".repeat(200), "US").is_ok());
    }
}
