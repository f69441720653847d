//! A sentence as words, each with its place.

/// What a token is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Word,
    /// In quotation marks, which are not part of the text.
    Quoted,
    Symbol,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub index: usize,
    /// In bytes of the sentence.
    pub start: usize,
    pub end: usize,
    pub text: String,
    /// What phrases are compared with.
    pub low: String,
    pub form: Form,
}

const MARKS: &str = ",;:?!(){}[]\"“”=<>";

/// The words of a sentence. `haven't` is `have not`, `Clara's` is `Clara 's`, `follow-up` is `follow up`.
pub fn tokens(sentence: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = sentence[at..].chars().next() {
        let rest = &sentence[at..];
        let length = if first.is_whitespace() {
            first.len_utf8()
        } else if let Some(inner) = quoted(rest) {
            let start = at + first.len_utf8();
            push(&mut tokens, start, inner, inner, Form::Quoted);
            first.len_utf8()
                + inner.len()
                + rest[first.len_utf8() + inner.len()..].chars().next().map_or(0, char::len_utf8)
        } else if first.is_alphanumeric() || "$£€+@#".contains(first) {
            let run = run(rest);
            word(&mut tokens, at, run);
            run.len()
        } else {
            let symbol = symbol(rest, first);
            push(&mut tokens, at, symbol, symbol, Form::Symbol);
            symbol.len()
        };
        at += length;
    }
    tokens
}

fn push(tokens: &mut Vec<Token>, start: usize, text: &str, low: &str, form: Form) {
    tokens.push(Token {
        index: tokens.len(),
        start,
        end: start + text.len(),
        text: text.to_owned(),
        low: low.to_lowercase().replace('’', "'"),
        form,
    });
}

fn quoted(rest: &str) -> Option<&str> {
    let inner = rest.strip_prefix(['"', '“', '”'])?;
    let end = inner.find(['"', '“', '”'])?;
    (end > 0).then(|| &inner[..end])
}

fn symbol(rest: &str, first: char) -> &str {
    if let Some(known) = ["<=", ">=", "!="].into_iter().find(|known| rest.starts_with(known)) {
        return &rest[..known.len()];
    }
    let strange = |c: char| !c.is_alphanumeric() && !c.is_whitespace() && !MARKS.contains(c);
    if !strange(first) {
        return &rest[..first.len_utf8()];
    }
    // What is drawn as one, such as an emoji with its colour, is one.
    &rest[..rest.find(|c| !strange(c)).unwrap_or(rest.len())]
}

/// Up to the next space or mark; a comma between digits belongs to the number.
fn run(rest: &str) -> &str {
    let mut before = ' ';
    let mut letters = rest.char_indices().peekable();
    let mut end = rest.len();
    while let Some((at, letter)) = letters.next() {
        let next = letters.peek().map_or(' ', |(_, next)| *next);
        let grouped = letter == ',' && before.is_ascii_digit() && next.is_ascii_digit();
        let part = letter.is_alphanumeric() || "'’-._@/+&%$£€#".contains(letter);
        if !grouped && !part {
            end = at;
            break;
        }
        before = letter;
    }
    let whole = &rest[..end];
    let kept = whole.trim_end_matches(['.', '\'', '’', '-', '/', '&']);
    if kept.is_empty() { whole } else { kept }
}

fn word(tokens: &mut Vec<Token>, start: usize, text: &str) {
    let low = text.to_lowercase().replace('’', "'");
    if low == "cannot" {
        push(tokens, start, &text[..3], "can", Form::Word);
        return push(tokens, start + 3, &text[3..], "not", Form::Word);
    }
    // Both forms of the apostrophe end the stem; lower case can be longer or shorter than what was written.
    if let Some(stem) = suffix(text, "n't") {
        let base = match stem.to_lowercase().as_str() {
            "ca" => "can".to_owned(),
            "wo" => "will".to_owned(),
            stem => stem.to_owned(),
        };
        push(tokens, start, stem, &base, Form::Word);
        return push(tokens, start + stem.len(), &text[stem.len()..], "not", Form::Word);
    }
    if let Some(stem) = suffix(text, "'s") {
        push(tokens, start, stem, stem, Form::Word);
        return push(tokens, start + stem.len(), &text[stem.len()..], "'s", Form::Word);
    }
    if text.contains('-') && text.chars().all(|c| c.is_alphabetic() || "-'’".contains(c)) {
        let mut at = start;
        for part in text.split('-') {
            if !part.is_empty() {
                push(tokens, at, part, part, Form::Word);
            }
            at += part.len() + 1;
        }
        return;
    }
    push(tokens, start, text, text, Form::Word);
}

/// What is before an ending that has an apostrophe of either form, if anything is.
fn suffix<'t>(text: &'t str, ending: &str) -> Option<&'t str> {
    let stem = text
        .strip_suffix(ending)
        .or_else(|| text.strip_suffix(ending.to_uppercase().as_str()))
        .or_else(|| text.strip_suffix(ending.replace('\'', "’").as_str()))?;
    (!stem.is_empty()).then_some(stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lows(sentence: &str) -> Vec<String> {
        tokens(sentence).into_iter().map(|token| token.low).collect()
    }

    #[test]
    fn words_numbers_and_marks_are_told_apart() {
        assert_eq!(
            lows("Haven’t spent $1,200.50, e-mail a@b.com; 2026-03-05?"),
            [
                "have",
                "not",
                "spent",
                "$1,200.50",
                ",",
                "e",
                "mail",
                "a@b.com",
                ";",
                "2026-03-05",
                "?"
            ]
        );
        assert_eq!(
            lows("Clara's \"gate code\" >=5 👍🏽"),
            ["clara", "'s", "gate code", ">=", "5", "👍🏽"]
        );
    }

    #[test]
    fn a_token_says_where_it_stands() {
        let sentence = "İ don't “x y” z";
        for token in tokens(sentence) {
            assert_eq!(&sentence[token.start..token.end], token.text);
        }
    }
}
