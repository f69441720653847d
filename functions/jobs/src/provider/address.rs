//! Addresses: as providers want them, and as a log may show them.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use fieldcrm_core::mask::mask;

/// `Name <address>` with the name quoted; the address alone where there is no name.
pub(super) fn mailbox(name: Option<&str>, email: &str) -> String {
    match name.map(str::trim).filter(|name| !name.is_empty()) {
        Some(name) => format!("{} <{email}>", quoted(name)),
        None => email.to_owned(),
    }
}

/// The same in ASCII only, the name as RFC 2047 encoded words where it needs them.
pub(super) fn ascii_mailbox(name: Option<&str>, email: &str) -> String {
    /// Of UTF-8 in a word, which may have 75 characters once it is encoded.
    const WORD: usize = 45;
    let name = name.map(str::trim).unwrap_or_default();
    if name.is_ascii() {
        return mailbox(Some(name), email);
    }
    let mut words = vec![String::new()];
    for letter in name.chars().filter(|letter| !letter.is_control()) {
        if words.last().is_some_and(|word| word.len() + letter.len_utf8() > WORD) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(letter);
        }
    }
    let encoded = |word: &String| format!("=?UTF-8?B?{}?=", BASE64_STANDARD.encode(word));
    let words: Vec<_> = words.iter().map(encoded).collect();
    format!("{} <{email}>", words.join(" "))
}

/// A quoted-string of RFC 5322: commas and dots mean nothing in it.
fn quoted(name: &str) -> String {
    let mut quoted = String::from('"');
    for letter in name.chars().filter(|letter| !letter.is_control()) {
        if matches!(letter, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(letter);
    }
    quoted.push('"');
    quoted
}

/// A text with everything masked in it that looks like an address or a phone number.
pub(super) fn masked_text(text: &str, longest: usize) -> String {
    let digits = |word: &str| word.chars().filter(char::is_ascii_digit).count();
    let mut out = String::new();
    for word in text.split_inclusive(|letter: char| !is_part_of_an_address(letter)) {
        let bare = word.trim_end_matches(|letter: char| !is_part_of_an_address(letter));
        if bare.contains('@') || digits(bare) >= 7 {
            out.push_str(&mask(bare));
            out.push_str(&word[bare.len()..]);
        } else {
            out.push_str(word);
        }
    }
    match out.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", &out[..end]),
        None => out,
    }
}

fn is_part_of_an_address(letter: char) -> bool {
    letter.is_alphanumeric() || "@.+-_%".contains(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_quoted_so_that_it_ends_where_it_ends() {
        for (name, expected) in [
            (None, "a@b.example"),
            (Some(" "), "a@b.example"),
            (Some("Northwind"), "\"Northwind\" <a@b.example>"),
            (Some("Smith, \"Joe\" \\"), "\"Smith, \\\"Joe\\\" \\\\\" <a@b.example>"),
            (Some("x> <evil@c.example>"), "\"x> <evil@c.example>\" <a@b.example>"),
            (Some("Zoë\r\nBcc: x"), "\"ZoëBcc: x\" <a@b.example>"),
        ] {
            assert_eq!(mailbox(name, "a@b.example"), expected);
        }
    }

    #[test]
    fn names_beyond_ascii_are_encoded_words_of_whole_letters() {
        assert_eq!(ascii_mailbox(Some("Zoë"), "a@b.example"), "=?UTF-8?B?Wm/Dqw==?= <a@b.example>");
        assert_eq!(ascii_mailbox(Some("Zoe"), "a@b.example"), "\"Zoe\" <a@b.example>");
        assert_eq!(ascii_mailbox(None, "a@b.example"), "a@b.example");
        let long = ascii_mailbox(Some(&"ö".repeat(100)), "a@b.example");
        let words: Vec<_> = long.trim_end_matches(" <a@b.example>").split(' ').collect();
        assert!(words.len() == 5 && words.iter().all(|word| word.len() <= 75), "{long}");
        for word in words {
            let inner = word.trim_start_matches("=?UTF-8?B?").trim_end_matches("?=");
            assert!(String::from_utf8(BASE64_STANDARD.decode(inner).unwrap()).is_ok());
        }
    }

    #[test]
    fn a_masked_text_still_reads() {
        assert_eq!(
            masked_text("Call ada@example.com, or +1 415-555-2671 (at 10:30).", 500),
            "Call a***@example.com, or +1 41***2671 (at 10:30)."
        );
        assert_eq!(masked_text("ééé", 2), "éé…");
    }
}
