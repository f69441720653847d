//! What a model's text may not have where people read it and take it for ours.

/// Whether it has what a client may make a link of, in text that is shown as markup too. Nobody checked where it leads.
#[must_use]
pub fn leads_elsewhere(text: &str) -> bool {
    let is_tag = text
        .split('<')
        .skip(1)
        .any(|after| after.starts_with(|letter: char| letter.is_alphabetic() || letter == '/'));
    is_tag || text.contains(['[', ']']) || names_a_place(text)
}

/// Whether it has an address or a host: "evil.example", but not "e.g." and not "2.5".
#[must_use]
pub fn names_a_place(text: &str) -> bool {
    let text = text.to_lowercase();
    let marks = ["//", "(/", "](", "www.", "mailto:", "@"];
    let is_host = |word: &str| {
        word.split('.').zip(word.split('.').skip(1)).any(|(before, after)| {
            let top: String = after.chars().take_while(|letter| letter.is_alphabetic()).collect();
            before.ends_with(char::is_alphanumeric) && top.chars().count() > 1
        })
    };
    marks.iter().any(|mark| text.contains(mark)) || text.split_whitespace().any(is_host)
}

/// Control characters, what turns the direction of text, tags and other things without width. The joiners stay: Persian
/// and emoji need them.
#[must_use]
pub fn is_hidden(letter: char) -> bool {
    (letter.is_control() && !matches!(letter, '\n' | '\t'))
        || matches!(letter,
            '\u{ad}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{e0000}'..='\u{e01ef}')
}
