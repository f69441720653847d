//! What a model says in sentences that name what they are from, read while it comes: nobody sees a sentence that is from nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::answer::{Citation, Source, split};
use super::shown::{is_hidden, leads_elsewhere};

/// What is cited for the customer's own records; no article is called so.
pub const RECORDS: &str = "customer_records";
/// The whole answer of a model that has none.
pub const NOTHING: &str = "NOTHING";
/// Of all sentences together, in characters.
pub const MAX_SAID: usize = 2_000;
/// Of one answer.
pub const MAX_CITATIONS: usize = 10;
/// Of what is read, in bytes: many times what was asked for.
const MAX_HEARD: usize = 32 * 1024;

/// A sentence, and what says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sentence {
    pub text: String,
    /// None where it is from the records alone.
    pub citations: Vec<Citation>,
}

/// Why an answer says what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Said(Vec<Sentence>),
    /// The model has none.
    Nothing,
    /// No sentence held.
    Useless,
}

/// What may be cited.
struct Known<'a> {
    /// The first piece of the article that was found; none for the records.
    source: Option<&'a Source>,
    numbers: BTreeSet<String>,
}

/// Reads an answer piece by piece, however it is cut.
pub struct Reader<'a> {
    known: BTreeMap<&'a str, Known<'a>>,
    asked: BTreeSet<String>,
    heard: String,
    /// What of it is in sentences, in bytes.
    done: usize,
    said: Vec<Sentence>,
    /// In characters.
    length: usize,
    full: bool,
}

impl<'a> Reader<'a> {
    /// Of an answer from these pieces and, where there are any, the customer's records.
    #[must_use]
    pub fn new(question: &str, sources: &'a [Source], records: Option<&str>) -> Self {
        let mut known: BTreeMap<&str, Known<'_>> = BTreeMap::new();
        for source in sources {
            let Source { slug, title, heading, content, .. } = source;
            let one = known
                .entry(slug)
                .or_insert_with(|| Known { source: Some(source), numbers: BTreeSet::new() });
            for text in [title, content].into_iter().chain(heading) {
                one.numbers.extend(numbers(text));
            }
        }
        if let Some(records) = records {
            known.insert(RECORDS, Known { source: None, numbers: numbers(records).collect() });
        }
        Self {
            known,
            asked: numbers(question).collect(),
            heard: String::new(),
            done: 0,
            said: Vec::new(),
            length: 0,
            full: false,
        }
    }

    /// The sentences that are complete now and hold.
    pub fn push(&mut self, text: &str) -> &[Sentence] {
        let before = self.said.len();
        if !self.full {
            self.heard.push_str(text);
            self.read(false);
            self.full |= self.heard.len() > MAX_HEARD;
        }
        &self.said[before..]
    }

    /// Those that are complete because nothing follows.
    pub fn finish(&mut self) -> &[Sentence] {
        let before = self.said.len();
        if !self.full {
            self.read(true);
        }
        &self.said[before..]
    }

    /// Whether it is long enough: nothing that comes changes it.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.full
    }

    #[must_use]
    pub fn answer(self) -> Answer {
        if !self.said.is_empty() {
            Answer::Said(self.said)
        } else if self.heard.trim().trim_end_matches('.') == NOTHING {
            Answer::Nothing
        } else {
            Answer::Useless
        }
    }

    fn read(&mut self, over: bool) {
        let heard = std::mem::take(&mut self.heard);
        while let Some(cited) = Cited::first(&heard[self.done..], over) {
            self.done += cited.length;
            let Some(sentence) = self.checked(&cited) else { continue };
            let length = self.length + usize::from(self.length > 0) + sentence.text.chars().count();
            let citations = self.said.iter().map(|one| one.citations.len()).sum::<usize>();
            if length > MAX_SAID || citations + sentence.citations.len() > MAX_CITATIONS {
                self.full = true;
                break;
            }
            self.length = length;
            self.said.push(sentence);
        }
        self.heard = heard;
    }

    /// The sentence, if it names what it is from, and has no link and no number from elsewhere.
    fn checked(&self, cited: &Cited<'_>) -> Option<Sentence> {
        let known: Vec<_> =
            cited.names.iter().map(|name| self.known.get(name)).collect::<Option<_>>()?;
        // What stands before it names nothing.
        let last = cited.text.lines().flat_map(split).next_back()?;
        let mut text = last.split_whitespace().collect::<Vec<_>>().join(" ");
        if !text.ends_with(['.', '!', '?', '…', '。']) {
            text.push('.');
        }
        let stands = |number: String| {
            self.asked.contains(&number) || known.iter().any(|one| one.numbers.contains(&number))
        };
        let holds = !known.is_empty()
            && text.contains(char::is_alphabetic)
            && !text.contains(is_hidden)
            && is_one(&text)
            && !leads_elsewhere(&text)
            && numbers(&text).all(stands);
        let mut seen = BTreeSet::new();
        let sources = known.iter().filter_map(|one| one.source);
        let citations = sources
            .filter(|source| seen.insert(&source.slug))
            .map(|source| source.citation(Some(&text)))
            .collect();
        holds.then_some(Sentence { text, citations })
    }
}

/// Text up to the names in brackets that end it.
struct Cited<'a> {
    text: &'a str,
    names: Vec<&'a str>,
    /// With what belongs to the names, in bytes.
    length: usize,
}

impl<'a> Cited<'a> {
    /// None where more has to be heard first, or nothing more is.
    fn first(heard: &'a str, over: bool) -> Option<Self> {
        let begin = heard.find('[')?;
        let mut names = Vec::new();
        let mut at = begin;
        loop {
            let rest = &heard[at..];
            let Some(letter) = rest.chars().next() else {
                // Another name may follow.
                return over.then_some(Self { text: &heard[..begin], names, length: at });
            };
            match letter {
                '[' => {
                    let end = rest.find(']')?;
                    names.extend(rest[1..end].split([',', ';']).map(str::trim));
                    at += end + 1;
                }
                '\n' => break,
                '.' | '!' | '?' | ',' | ';' => at += 1,
                letter if letter.is_whitespace() => at += letter.len_utf8(),
                _ => break,
            }
        }
        Some(Self { text: &heard[..begin], names, length: at })
    }
}

/// Whether no sentence may end within it: one that names nothing could hide in front.
fn is_one(text: &str) -> bool {
    let abbreviations = ["no", "nr", "st", "dr", "mr", "ms", "ca", "e.g", "i.e", "z.b"];
    text.match_indices(". ").all(|(at, end)| {
        let word = text[..at].rsplit(' ').next().unwrap_or_default().to_lowercase();
        text[at + end.len()..].starts_with(char::is_lowercase)
            || abbreviations.contains(&word.trim_start_matches('('))
    })
}

/// The numbers of a text, without zeros in front. One with a point in it is one number; what has more of them is a date or a time.
fn numbers(text: &str) -> impl Iterator<Item = String> {
    let is_part = |letter: char| letter.is_numeric() || matches!(letter, '.' | ',');
    let runs = text.split(move |letter| !is_part(letter)).map(|run| run.trim_matches(['.', ',']));
    runs.flat_map(|run| {
        let parts: Vec<&str> = run.split(['.', ',']).collect();
        let whole = parts.len() == 2;
        if whole { vec![run] } else { parts }
    })
    .filter(|number| !number.is_empty())
    .map(|number| match number.trim_start_matches('0') {
        short if short.starts_with(char::is_numeric) => short.to_owned(),
        short => format!("0{short}"),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shelf() -> Vec<Source> {
        [
            (
                "bleeding",
                "Bleeding a radiator",
                "Turn the heating off. Wait 30 minutes, until 1.5 bar.",
            ),
            ("filter", "Changing the filter", "Change it every 3 months."),
        ]
        .map(|(slug, title, content)| Source {
            slug: slug.to_owned(),
            title: title.to_owned(),
            heading: Some("Step 2".to_owned()),
            chunk_index: 4,
            content: content.to_owned(),
        })
        .to_vec()
    }

    const RECORD: &str = r#"{"window_start":"2026-12-01T09:00:00Z","total":"120.50"}"#;

    fn read(text: &str) -> Answer {
        let shelf = shelf();
        let mut reader = Reader::new("My 2 radiators from 1998", &shelf, Some(RECORD));
        reader.push(text);
        reader.finish();
        reader.answer()
    }

    fn texts(answer: Answer) -> Vec<String> {
        match answer {
            Answer::Said(said) => said.into_iter().map(|one| one.text).collect(),
            Answer::Nothing | Answer::Useless => Vec::new(),
        }
    }

    #[test]
    fn a_sentence_has_what_it_names() {
        let Answer::Said(said) = read(
            "Turn it off. [bleeding] Wait 30 minutes [bleeding][filter, bleeding]. We come on 1 December 2026 at 9:00. [customer_records]",
        ) else {
            panic!()
        };
        assert_eq!(
            said.iter().map(|one| one.text.as_str()).collect::<Vec<_>>(),
            ["Turn it off.", "Wait 30 minutes.", "We come on 1 December 2026 at 9:00."]
        );
        let slugs = |at: usize| -> Vec<&str> {
            said[at].citations.iter().map(|one| one.slug.as_str()).collect()
        };
        assert_eq!(
            (slugs(0), slugs(1), slugs(2)),
            (vec!["bleeding"], vec!["bleeding", "filter"], vec![])
        );
        let first = &said[0].citations[0];
        assert_eq!((first.chunk_index, first.sentence.as_deref()), (4, Some("Turn it off.")));
    }

    #[test]
    fn a_sentence_is_told_as_soon_as_the_next_one_begins() {
        let shelf = shelf();
        let mut reader = Reader::new("", &shelf, None);
        assert_eq!(reader.push("Turn it off. [bleeding"), []);
        assert_eq!(reader.push("] "), []);
        assert_eq!(reader.push("Then").len(), 1);
        assert_eq!(reader.push(" wait. [bleeding]\n").len(), 1, "a line is over");
        assert_eq!(reader.push("Change it. [filter]"), []);
        assert_eq!(reader.finish().len(), 1);
    }

    #[test]
    fn what_names_nothing_known_is_not_told() {
        for text in [
            "Turn it off.",
            "Turn it off. [evil]",
            "Turn it off. [bleeding, evil]",
            "Turn it off. []",
            "Turn it off. [bleeding",
            "Turn it off. [[bleeding]]",
            "[bleeding] Turn it off.",
            "... [bleeding]",
            "",
            "Turn it off. [BLEEDING]",
            "NOTHING more. [evil]",
        ] {
            assert_eq!(read(text), Answer::Useless, "{text}");
        }
        // Before and after it stands what has none.
        assert_eq!(
            texts(read("Drink the water. Turn it off. [bleeding] Call us.")),
            ["Turn it off."]
        );
        assert_eq!(read("Drink it. Turn it off. [bleeding]"), Answer::Useless, "is it an end?");
        assert_eq!(texts(read("Use No. 2, e.g. Mr. Key's. [bleeding]")).len(), 1);
        let shelf = shelf();
        let mut reader = Reader::new("", &shelf, None);
        reader.push("We come. [customer_records]");
        reader.finish();
        assert_eq!(reader.answer(), Answer::Useless, "there are no records");
    }

    #[test]
    fn a_number_stands_in_what_is_cited_or_in_the_question() {
        for fine in [
            "Wait 30 minutes. [bleeding]",
            "Fill it to 1.5 bar. [bleeding]",
            "Change both 2 from 1998. [filter]",
            "You owe 120.50. [customer_records]",
            "On 01.12.2026. [customer_records]",
        ] {
            assert_eq!(texts(read(fine)).len(), 1, "{fine}");
        }
        for invented in [
            "Wait 31 minutes. [bleeding]",
            "Wait 3 minutes. [bleeding]",
            "Fill it to 5.1 bar. [bleeding]",
            "Fill it to 15 bar. [bleeding]",
            "Wait 30 minutes. [filter]",
            "Wait ３０ minutes. [bleeding]",
            "Wait ½ a day. [bleeding]",
            "You owe 20.50. [customer_records]",
            "Call 555-0100. [bleeding]",
        ] {
            assert_eq!(read(invented), Answer::Useless, "{invented}");
        }
    }

    #[test]
    fn a_link_is_not_told_and_neither_is_what_nobody_sees() {
        for hostile in [
            "See https://evil.example [bleeding]",
            "See //evil.example/x. [bleeding]",
            "See evil.example/x. [bleeding]",
            "See www.evil. [bleeding]",
            "![x](/evil?q=a) [bleeding]",
            "Write to ann@evil. [bleeding]",
            "<a href=x>Turn it off</a>. [bleeding]",
            "Turn\u{1b}]0;it off. [bleeding]",
            "Turn\u{202e}it off. [bleeding]",
            "Turn it off\u{0}. [bleeding]",
        ] {
            assert_eq!(read(hostile), Answer::Useless, "{hostile}");
        }
        let fine = "Turn it off, e.g. by the key, i.e. slowly. [bleeding]";
        assert_eq!(texts(read(fine)), ["Turn it off, e.g. by the key, i.e. slowly."]);
    }

    #[test]
    fn one_word_says_that_there_is_nothing_to_say() {
        for text in ["NOTHING", " NOTHING.\n"] {
            assert_eq!(read(text), Answer::Nothing);
        }
        for text in ["Nothing", "NOTHING at all", "NOTHING [bleeding] x"] {
            assert_ne!(read(text), Answer::Nothing, "{text}");
        }
    }

    #[test]
    fn there_is_an_end_to_an_answer() {
        let long = format!("{} [bleeding] ", "word ".repeat(100).trim());
        let said = texts(read(&long.repeat(10)));
        assert_eq!(said.len(), 3, "{said:?}");
        let said = texts(read(&"Yes. [bleeding] ".repeat(100_000)));
        assert_eq!(said.len(), MAX_CITATIONS);
        let shelf = shelf();
        let mut reader = Reader::new("", &shelf, None);
        reader.push(&"x".repeat(MAX_HEARD + 1));
        assert!(reader.is_full());
        assert_eq!((reader.push("Yes. [bleeding]").len(), reader.finish().len()), (0, 0));
        let mut reader = Reader::new("", &shelf, Some(RECORD));
        for _ in 0..1_000 {
            reader.push("We come. [customer_records] ");
        }
        let Answer::Said(said) = reader.answer() else { panic!() };
        let all: Vec<_> = said.iter().map(|one| one.text.as_str()).collect();
        assert!(all.join(" ").chars().count() <= MAX_SAID);
    }

    proptest! {
        #[test]
        fn however_it_is_cut_it_says_the_same(
            parts in prop::collection::vec("(Turn it off|\\. | 30|\\[|\\]|bleeding|\\[bleeding\\]|\\[filter\\] |\n|é|evil\\.example|\\PC)", 0..40),
            at in 1_usize..7,
        ) {
            let text = parts.concat();
            let whole = read(&text);
            let shelf = shelf();
            let mut reader = Reader::new("My 2 radiators from 1998", &shelf, Some(RECORD));
            let mut told = Vec::new();
            for piece in text.chars().collect::<Vec<_>>().chunks(at) {
                told.extend_from_slice(reader.push(&piece.iter().collect::<String>()));
            }
            told.extend_from_slice(reader.finish());
            if let Answer::Said(said) = &whole {
                prop_assert_eq!(said, &told);
                for one in said {
                    prop_assert!(numbers(&one.text).all(|number| ["2", "1998", "30", "1.5", "3", "2026", "12", "1", "9", "0"].contains(&number.as_str())));
                    prop_assert!(!leads_elsewhere(&one.text));
                }
            } else {
                prop_assert!(told.is_empty());
            }
            prop_assert_eq!(reader.answer(), whole);
        }
    }
}
