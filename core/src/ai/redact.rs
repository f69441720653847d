//! Texts without what tells a person apart, for models that other people run.
//!
//! Rather too much than too little: of numbers, only what can be a date stays whole. Names are not found, and
//! addresses only where they look like one in English or German. UUIDs stay: they are ids of ours, or marks of a prompt.

use std::sync::LazyLock;

use regex_lite::{Captures, Regex};

/// A text, and how many places in it were replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redacted {
    pub text: String,
    pub count: usize,
}

/// The text with `[email]`, `[account]`, `[number]` (of a phone, a card, a person) and `[address]` in the place of such.
#[must_use]
pub fn redact(text: &str) -> Redacted {
    let mut redacted = Redacted { text: String::with_capacity(text.len()), count: 0 };
    let mut from = 0;
    for id in ID.find_iter(text) {
        redacted.push(&text[from..id.start()]);
        redacted.text += id.as_str();
        from = id.end();
    }
    redacted.push(&text[from..]);
    redacted
}

impl Redacted {
    fn push(&mut self, text: &str) {
        let part = without_ids(text);
        self.text += &part.text;
        self.count += part.count;
    }
}

fn without_ids(text: &str) -> Redacted {
    let mut redacted = Redacted { text: text.to_owned(), count: 0 };
    for (pattern, with, is_meant) in [
        (&*EMAIL, "[email]", (|_| true) as fn(&Captures<'_>) -> bool),
        // With fewer digits it is a type of boiler in capitals.
        (&ACCOUNT, "[account]", |found| found[0].bytes().filter(u8::is_ascii_digit).count() >= 8),
        (&NUMBER, "[number]", |found| found.name("number").is_some()),
        (&STREET, "[address]", |_| true),
    ] {
        let replaced = pattern.replace_all(&redacted.text, |found: &Captures<'_>| {
            if is_meant(found) {
                redacted.count += 1;
                with.to_owned()
            } else {
                found[0].to_owned()
            }
        });
        redacted.text = replaced.into_owned();
    }
    redacted
}

#[allow(clippy::expect_used, reason = "the patterns are constants, and every test compiles them")]
fn pattern(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a pattern")
}

static ID: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\b[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}\b"));

/// Wider than what mail can be sent to: what looks like an address may be one with a typing error.
static EMAIL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r#"[^\s@<>()\[\],;:"]+@[^\s@<>()\[\],;:"]+\.[^\s@<>()\[\],;:".]{2,}"#)
});

/// IBANs, in groups or in one.
static ACCOUNT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x)
        \b [A-Z]{2} [0-9]{2} (?: [\ -]? [A-Z0-9]{4} ){2,7} (?: [\ -]? [A-Z0-9]{1,3} )? \b
        | \b (?i: [A-Z]{2} [0-9]{2} [A-Z0-9]{11,30} ) \b",
    )
});

/// Seven digits and more with what people write between them, Arabic, Persian, Indian and wide ones too; days and
/// years come first and stay.
static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    const DIGIT: &str = r"[0-9\u{660}-\u{669}\u{6f0}-\u{6f9}\u{966}-\u{96f}\u{ff10}-\u{ff19}]";
    pattern(&format!(
        r"(?x)
        \b (?: (?:19|20)\d\d [-/.] \d{{1,2}} [-/.] \d{{1,2}} | \d{{1,2}} [-/.]\ ? \d{{1,2}} [-/.]\ ? (?:19|20)\d\d
             | (?:19|20)\d\d \ ? [-–/] \ ? (?:19|20)\d\d ) \b
        | (?P<number> [+(]{{0,2}} {DIGIT} (?: [\ \t\u{{a0}}\u{{202f}}.\-–/()]{{0,3}} {DIGIT} ){{6,}} )",
    ))
});

static STREET: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x)
        \b \d{1,6} [A-Za-z]? \s+ (?: [A-ZÀ-Þ0-9][A-Za-zÀ-ÿ0-9'’.-]* \s+ ){1,4}
          (?: Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Terrace|Way|Circle|Cir
            | Highway|Hwy|Parkway|Pkwy|Square|Sq|STREET|ST|AVENUE|AVE|ROAD|RD|BLVD|LANE|LN|DRIVE|DR|COURT|CT ) \b \.?
          (?: ,? \s+ (?i: apt|apartment|unit|suite|ste|\#) \.? \s* [A-Za-z0-9-]+ )?
        | \b \d{1,6} \s+ [A-Za-zÀ-ÿ]+ \s+ (?i: st|street|ave|avenue|rd|blvd|ln|dr ) \b \.?
        | (?: [A-ZÀ-Þ][A-Za-zÀ-ÿ-]* (?: straße|strasse|str\.|gasse|allee|platz|weg )
            | [A-ZÀ-Þ][A-Za-zÀ-ÿ-]+ \s+ (?: Straße|Strasse|Str\.|Allee|Platz|Weg ) ) \s+ \d{1,4} (?: \s? [a-z] )? \b",
    )
});

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &str, count: usize) {
        let expected = Redacted { text: expected.to_owned(), count };
        assert_eq!(redact(text), expected, "{text}");
    }

    #[test]
    fn addresses_and_numbers_go_and_the_sentence_stays() {
        check(
            "Mail ada.lovelace+home@example.co.uk, or call (415) 555-2671.",
            "Mail [email], or call [number].",
            2,
        );
        check("<Ada@Example.com>; zoë@müller.example", "<[email]>; [email]", 2);
        check("+44 20 7946 0958 or 1.415.555.2671", "[number] or [number]", 2);
        check("Local: 555-1234", "Local: [number]", 1);
        check("card 4111 1111 1111 1111, exp 10/27", "card [number], exp 10/27", 1);
        check("4111-1111-1111-1111", "[number]", 1);
        check("SSN 078-05-1120", "SSN [number]", 1);
        check("٠٥٠١٢٣٤٥٦٧", "[number]", 1);
        check("IBAN DE89 3704 0044 0532 0130 00 please", "IBAN [account] please", 1);
        check("gb82west12345698765432", "[account]", 1);
    }

    #[test]
    fn streets_with_a_house_number_go() {
        for (street, rest) in [
            ("1600 Pennsylvania Avenue", " today"),
            ("12B Baker St.", " today"),
            ("350 5th Ave, Apt 4-C", " today"),
            ("7 N. Martin Luther King Blvd", ", Austin"),
            ("12 main st", " today"),
            ("Hauptstraße 12 a", ", Berlin"),
            ("Berliner Allee 7", ", Berlin"),
        ] {
            check(&format!("Come to {street}{rest}"), &format!("Come to [address]{rest}"), 1);
        }
    }

    #[test]
    fn what_is_no_person_stays() {
        for text in [
            "On 2026-11-21 at 10:30, or 21.11.2026, or 11/21/2026, or in 2025-2026.",
            "Invoice 1042 over $1,250,000.00, 15 % off, model AC12 UNIT TYPE FILTER.",
            "2 hours on the road, 5 minutes by the way, @home, a@b",
            "",
        ] {
            check(text, text, 0);
        }
    }

    #[test]
    fn ids_and_marks_stay() {
        let id = "0d0e0f10-0000-4000-8000-000000000001";
        let mark = "de123456789012345678901234567890";
        check(
            &format!(
                "<<<data note {mark}>>>\n{{\"id\":\"{id}\"}} 2 {id}, 555-1234\n<<<end {mark}>>>"
            ),
            &format!(
                "<<<data note {mark}>>>\n{{\"id\":\"{id}\"}} 2 {id}, [number]\n<<<end {mark}>>>"
            ),
            1,
        );
    }

    proptest! {
        #[test]
        fn twice_is_once(text in "([a-z@. +()/-]|[0-9]{1,4}|\\PC){0,60}") {
            let once = redact(&text).text;
            prop_assert_eq!(redact(&once).text, once);
        }

        #[test]
        fn no_seven_digits_stay_together(text in "[a-z0-9@. +-]{0,60}") {
            let left = redact(&text).text;
            let long = left.split(|letter: char| !letter.is_ascii_digit()).any(|run| run.len() >= 7);
            prop_assert!(!long, "{}", left);
        }
    }
}
