//! Cuts Markdown into pieces of text that can be found, and understood, each by itself.
//!
//! A piece ends where a section does. Inside a section paragraphs, lists, code and tables follow each other until about
//! [`TARGET_WORDS`] words are there; none of them is torn apart unless it alone is longer than [`MAX_WORDS`]. A piece that
//! goes on in the middle of a section begins with the last [`OVERLAP_WORDS`] words of the one before.

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use serde::{Deserialize, Serialize};

/// So many words end a piece at the next block. Models with 384 dimensions read 256 to 512 tokens.
pub const TARGET_WORDS: usize = 200;
/// The most words of a piece, its overlap included.
pub const MAX_WORDS: usize = 300;
/// Words that a piece repeats of the one before it in its section.
pub const OVERLAP_WORDS: usize = 30;
/// What is behind so many pieces is not found: with them goes the largest article there can be, unless it is all headings.
pub const MAX_CHUNKS: usize = 400;
/// The longest word that is kept whole, in characters; whatever has no spaces is cut there.
const MAX_WORD: usize = 60;
/// The longest heading path, in characters.
const MAX_HEADING: usize = 500;

/// A piece of an article, as text without markup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    pub index: usize,
    /// The path of headings that leads to it, `Heating › Thermostat`, if there is one.
    pub heading: Option<String>,
    pub content: String,
}

impl Chunk {
    /// What is embedded: the words around it help a model to place it.
    #[must_use]
    pub fn text(&self, title: &str) -> String {
        let heading = self.heading.as_deref().unwrap_or_default();
        [title, heading, &self.content]
            .iter()
            .filter(|part| !part.is_empty())
            .copied()
            .collect::<Vec<_>>()
            .join("\n")
    }
}

/// The pieces of an article: the same text always gives the same pieces.
#[must_use]
pub fn chunks(markdown: &str) -> Vec<Chunk> {
    let mut reader = Reader::default();
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
        reader.take(event);
    }
    reader.end_section();
    reader.made
}

/// Paragraphs and items end a line; only what stands at the top ends a block.
#[derive(Default)]
struct Reader {
    made: Vec<Chunk>,
    /// The headings above, from the first level down.
    path: Vec<(HeadingLevel, String)>,
    /// The blocks of the section, each a few lines.
    blocks: Vec<String>,
    /// The text of the block, or of the heading, that is being read.
    text: String,
    /// How deep in lists, quotes and tables.
    depth: usize,
}

impl Reader {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(&tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) | Event::Code(text) => self.push(&text),
            Event::SoftBreak => self.text.push(' '),
            Event::HardBreak => self.line(),
            // Nobody reads tags; what stands between them comes as text, except in a block of HTML.
            _ => {}
        }
    }

    fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn line(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        match tag {
            // A heading inside a quote or an item is a line like others.
            Tag::Heading { .. } if self.depth == 0 => self.end_section(),
            Tag::List(_) | Tag::BlockQuote(_) | Tag::Table(_) => {
                self.line();
                self.depth += 1;
            }
            Tag::Item | Tag::Paragraph | Tag::CodeBlock(_) | Tag::TableRow | Tag::TableHead => {
                self.line()
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(level) if self.depth == 0 => self.enter(level),
            TagEnd::List(_) | TagEnd::BlockQuote(_) | TagEnd::Table => {
                self.depth = self.depth.saturating_sub(1);
                self.end_block();
            }
            TagEnd::Paragraph | TagEnd::CodeBlock | TagEnd::HtmlBlock => self.end_block(),
            TagEnd::TableCell => self.text.push(' '),
            TagEnd::Item | TagEnd::TableRow | TagEnd::TableHead | TagEnd::Heading(_) => self.line(),
            _ => {}
        }
    }

    fn end_block(&mut self) {
        self.line();
        if self.depth == 0 {
            let text = tidy(&std::mem::take(&mut self.text));
            if !text.is_empty() {
                self.blocks.push(text);
            }
        }
    }

    /// A heading has been read: it stands under those of higher levels.
    fn enter(&mut self, level: HeadingLevel) {
        let title = tidy(&std::mem::take(&mut self.text)).replace('\n', " ");
        self.path.retain(|(above, _)| *above < level);
        if !title.is_empty() {
            self.path.push((level, title));
        }
    }

    fn heading(&self) -> Option<String> {
        let path: Vec<_> = self.path.iter().map(|(_, title)| title.as_str()).collect();
        let path: String = path.join(" › ").chars().take(MAX_HEADING).collect();
        (!path.is_empty()).then_some(path)
    }

    fn end_section(&mut self) {
        // What no end of a block has closed.
        self.depth = 0;
        self.end_block();
        let heading = self.heading();
        for content in pack(&std::mem::take(&mut self.blocks)) {
            if self.made.len() < MAX_CHUNKS {
                self.made.push(Chunk { index: self.made.len(), heading: heading.clone(), content });
            }
        }
    }
}

/// One space between words, one line end between lines, no control characters, no word without an end.
fn tidy(text: &str) -> String {
    let lines = text.lines().map(|line| {
        line.split(|letter: char| letter.is_whitespace() || letter.is_control())
            .filter(|word| !word.is_empty())
            .flat_map(short)
            .collect::<Vec<_>>()
            .join(" ")
    });
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// The word, in pieces if it is too long.
fn short(word: &str) -> Vec<String> {
    if word.len() <= MAX_WORD {
        return vec![word.to_owned()];
    }
    let letters: Vec<char> = word.chars().collect();
    letters.chunks(MAX_WORD).map(|piece| piece.iter().collect()).collect()
}

fn count(text: &str) -> usize {
    text.split_whitespace().count()
}

/// The blocks of a section as pieces.
fn pack(blocks: &[String]) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut piece = String::new();
    // Words of the piece, and how many of them are the overlap.
    let (mut words, mut repeated) = (0, 0);
    for part in blocks.iter().flat_map(|block| split(block)) {
        let more = count(&part);
        if words > repeated && (words >= TARGET_WORDS || words + more > MAX_WORDS) {
            let overlap = tail(&piece, OVERLAP_WORDS.min(MAX_WORDS - more));
            pieces.push(std::mem::take(&mut piece));
            repeated = count(&overlap);
            (piece, words) = (overlap, repeated);
        }
        if !piece.is_empty() {
            piece.push('\n');
        }
        piece.push_str(&part);
        words += more;
    }
    if words > repeated {
        pieces.push(piece);
    }
    pieces
}

/// A block as it is, or, where it alone is too long, cut at lines, then after sentences, then between words.
fn split(block: &str) -> Vec<String> {
    const ROOM: usize = MAX_WORDS - OVERLAP_WORDS;
    if count(block) <= MAX_WORDS {
        return vec![block.to_owned()];
    }
    let mut parts = Vec::new();
    let (mut part, mut words) = (String::new(), 0);
    for line in block.lines() {
        for (number, sentence) in sentences(line).into_iter().enumerate() {
            for run in sentence.chunks(ROOM) {
                if words + run.len() > ROOM {
                    parts.push(std::mem::take(&mut part));
                    words = 0;
                }
                if !part.is_empty() {
                    part.push(if number == 0 { '\n' } else { ' ' });
                }
                part.push_str(&run.join(" "));
                words += run.len();
            }
        }
    }
    if words > 0 {
        parts.push(part);
    }
    parts
}

/// The words of a line, sentence by sentence.
fn sentences(line: &str) -> Vec<Vec<&str>> {
    let mut all = vec![Vec::new()];
    for word in line.split(' ') {
        if let Some(sentence) = all.last_mut() {
            sentence.push(word);
        }
        if word.ends_with(['.', '!', '?', '。']) {
            all.push(Vec::new());
        }
    }
    all.retain(|sentence| !sentence.is_empty());
    all
}

/// The last words of a text, as one line.
fn tail(text: &str, words: usize) -> String {
    let all: Vec<_> = text.split_whitespace().collect();
    all[all.len().saturating_sub(words)..].join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(from: usize, to: usize) -> String {
        (from..to).map(|number| format!("w{number}")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn sections_become_pieces_with_the_path_of_their_headings() {
        let found = chunks(
            "Before all.\n\n# Heating\n\nOne *boiler*.\n\n## Thermostat\n\nSet it to [20](https://x.example).\n\n# Water\n\nCold.",
        );
        let found: Vec<_> = found
            .iter()
            .map(|one| (one.index, one.heading.as_deref(), one.content.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                (0, None, "Before all."),
                (1, Some("Heating"), "One boiler."),
                (2, Some("Heating › Thermostat"), "Set it to 20."),
                (3, Some("Water"), "Cold."),
            ]
        );
    }

    #[test]
    fn lists_code_and_tables_are_text_and_stay_whole() {
        let found = chunks(
            "Steps:\n\n1. Turn **off**\n   the gas.\n2. Call:\n   - us\n   - them\n\n```sh\na < b\n```\n\n| Part | Price |\n|---|---|\n| Fan | $5 |\n\n> Note\n> well.\n\n<div>gone</div>\n\n![A valve](v.png)",
        );
        assert_eq!(found.len(), 1);
        assert_eq!(
            found[0].content,
            "Steps:\nTurn off the gas.\nCall:\nus\nthem\na < b\nPart Price\nFan $5\nNote well.\nA valve"
        );
    }

    #[test]
    fn a_long_section_is_cut_between_paragraphs_and_goes_on_with_an_overlap() {
        let markdown = format!("{}\n\n{}\n\n{}", words(0, 150), words(150, 270), words(270, 300));
        let found = chunks(&markdown);
        assert_eq!(found.len(), 2);
        assert!(found[0].content.ends_with("w269"));
        assert_eq!(found[1].content, format!("{}\n{}", words(240, 270), words(270, 300)));
    }

    #[test]
    fn a_list_is_torn_only_where_it_alone_is_too_long() {
        let short = format!("{}\n\n- {}\n- {}", words(0, 100), words(100, 200), words(200, 310));
        assert_eq!(chunks(&short).len(), 2, "the list goes to the next piece as a whole");
        let items: String =
            (0..20).map(|item| format!("- {}\n", words(item * 40, item * 40 + 40))).collect();
        let found = chunks(&items);
        assert!(found.len() >= 3);
        // Lines stay lines: each item that begins in a piece is whole.
        assert!(found[0].content.lines().all(|line| count(line) == 40), "{}", found[0].content);
    }

    #[test]
    fn nothing_gives_nothing_and_a_heading_alone_too() {
        for empty in ["", " \n\n", "# Only a title", "---", "<!-- x -->"] {
            assert_eq!(chunks(empty), [], "{empty}");
        }
    }

    proptest! {
        #[test]
        fn every_word_is_in_some_piece_in_its_order_and_no_piece_is_too_long(
            paragraphs in prop::collection::vec(1_usize..700, 0..12),
            headings in prop::collection::vec(0_u8..4, 12),
        ) {
            let (mut markdown, mut next) = (String::new(), 0);
            for (length, heading) in paragraphs.iter().zip(&headings) {
                if *heading > 0 {
                    markdown += &format!("{} Title\n\n", "#".repeat(usize::from(*heading)));
                }
                markdown += &format!("{}\n\n", words(next, next + length));
                next += length;
            }
            let found = chunks(&markdown);
            prop_assert_eq!(&found, &chunks(&markdown));
            let mut seen = 0;
            for (index, chunk) in found.iter().enumerate() {
                prop_assert_eq!(chunk.index, index);
                prop_assert!(count(&chunk.content) <= MAX_WORDS);
                let numbers: Vec<usize> =
                    chunk.content.split_whitespace().map(|word| word[1..].parse().unwrap()).collect();
                prop_assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1));
                prop_assert!(numbers[0] <= seen && seen - numbers[0] <= OVERLAP_WORDS);
                prop_assert!(numbers[numbers.len() - 1] >= seen, "a piece that says nothing new");
                seen = numbers[numbers.len() - 1] + 1;
            }
            prop_assert_eq!(seen, next);
        }

        #[test]
        fn any_text_is_cut_within_the_limits(markdown in "[ -~äß\\n\\t#*`>|\\-\\[\\]()]{0,3000}") {
            for chunk in chunks(&markdown) {
                prop_assert!(!chunk.content.trim().is_empty());
                prop_assert!(count(&chunk.content) <= MAX_WORDS);
                // What the table takes.
                prop_assert!(chunk.content.chars().count() <= 20_000);
                prop_assert!(!chunk.content.contains('\0'));
            }
        }
    }
}
