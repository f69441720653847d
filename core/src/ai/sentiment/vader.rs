//! VADER, a sentiment lexicon with rules, as its reference implementation (vaderSentiment 3.3.2) computes it, its oddities
//! included: a test holds it equal on thousands of texts. The lexicon's licence is in NOTICE.txt.

use std::collections::HashMap;
use std::sync::LazyLock;

/// A line is a valence and the words that have it; written by core/tests/sentiment/reference.py, as is the next.
const LEXICON: &str = include_str!("lexicon.txt");
/// A line is an emoji and what it shows.
const EMOJI: &str = include_str!("emoji.txt");

/// What one word changes about the valence of the next.
const BOOST: f64 = 0.293;
/// What capitals add, where not all is in capitals.
const CAPITALS: f64 = 0.733;
const NEGATION: f64 = -0.74;
const EXCLAMATION: f64 = 0.292;
const QUESTION: f64 = 0.18;
const MANY_QUESTIONS: f64 = 0.96;
/// Of the sum of all valences: about the highest to be expected.
const ALPHA: f64 = 15.0;

const BOOSTERS: &[&str] = &[
    "absolutely",
    "amazingly",
    "awfully",
    "completely",
    "considerable",
    "considerably",
    "decidedly",
    "deeply",
    "effing",
    "enormous",
    "enormously",
    "entirely",
    "especially",
    "exceptional",
    "exceptionally",
    "extreme",
    "extremely",
    "fabulously",
    "flipping",
    "flippin",
    "frackin",
    "fracking",
    "fricking",
    "frickin",
    "frigging",
    "friggin",
    "fully",
    "fuckin",
    "fucking",
    "fuggin",
    "fugging",
    "greatly",
    "hella",
    "highly",
    "hugely",
    "incredible",
    "incredibly",
    "intensely",
    "major",
    "majorly",
    "more",
    "most",
    "particularly",
    "purely",
    "quite",
    "really",
    "remarkably",
    "so",
    "substantially",
    "thoroughly",
    "total",
    "totally",
    "tremendous",
    "tremendously",
    "uber",
    "unbelievably",
    "unusually",
    "utter",
    "utterly",
    "very",
];
const DAMPENERS: &[&str] = &[
    "almost",
    "barely",
    "hardly",
    "just enough",
    "kind of",
    "kinda",
    "kindof",
    "kind-of",
    "less",
    "little",
    "marginal",
    "marginally",
    "occasional",
    "occasionally",
    "partly",
    "scarce",
    "scarcely",
    "slight",
    "slightly",
    "somewhat",
    "sort of",
    "sorta",
    "sortof",
    "sort-of",
];
const NEGATIONS: &[&str] = &[
    "aint", "arent", "cannot", "cant", "couldnt", "darent", "didnt", "doesnt", "dont", "hadnt",
    "hasnt", "havent", "isnt", "mightnt", "mustnt", "neither", "neednt", "never", "none", "nope",
    "nor", "not", "nothing", "nowhere", "oughtnt", "shant", "shouldnt", "uhuh", "wasnt", "werent",
    "uh-uh", "without", "wont", "wouldnt", "rarely", "seldom", "despite",
];
/// Phrases that mean something else than their words.
const IDIOMS: &[(&str, f64)] = &[
    ("the shit", 3.0),
    ("the bomb", 3.0),
    ("bad ass", 1.5),
    ("badass", 1.5),
    ("bus stop", 0.0),
    ("yeah right", -2.0),
    ("kiss of death", -1.5),
    ("to die for", 3.0),
    ("beating heart", 3.5),
];

struct Words {
    valences: HashMap<&'static str, f64>,
    emojis: HashMap<char, &'static str>,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let mut valences = HashMap::new();
    for line in LEXICON.lines() {
        let (valence, words) = line.split_once(' ').unwrap_or_default();
        // A test reads them all.
        let valence = valence.parse().unwrap_or(0.0);
        valences.extend(words.split(' ').map(|word| (word, valence)));
    }
    let described = EMOJI.lines().filter_map(|line| {
        let emoji = line.chars().next()?;
        Some((emoji, &line[emoji.len_utf8()..]))
    });
    Words { valences, emojis: described.collect() }
});

/// How a text feels, from -1 (as bad as can be) to 1, to four digits.
#[must_use]
pub fn compound(text: &str) -> f64 {
    let text = described(text);
    let text = text.trim_matches(is_space);
    let text = Text::read(text);
    if text.words.is_empty() {
        return 0.0;
    }
    let mut valences: Vec<f64> = (0..text.words.len()).map(|place| text.valence(place)).collect();
    text.weigh_but(&mut valences);
    let sum: f64 = valences.iter().sum();
    let sum = if sum > 0.0 {
        sum + text.emphasis
    } else if sum < 0.0 {
        sum - text.emphasis
    } else {
        return 0.0;
    };
    let score = (sum / (sum * sum + ALPHA).sqrt()).clamp(-1.0, 1.0);
    // Rounds the number that is meant, as Python does, and not its product with 10,000.
    format!("{score:.4}").parse().unwrap_or(score)
}

/// The text with words in the place of emojis.
fn described(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut after_space = true;
    for letter in text.chars() {
        if let Some(description) = WORDS.emojis.get(&letter) {
            if !after_space {
                out.push(' ');
            }
            out.push_str(description);
            after_space = false;
        } else {
            out.push(letter);
            after_space = letter == ' ';
        }
    }
    out
}

/// White space as Python has it.
fn is_space(letter: char) -> bool {
    letter.is_whitespace() || ('\x1c'..='\x1f').contains(&letter)
}

struct Text {
    words: Vec<Word>,
    /// Whether some words are in capitals, and others not.
    mixed: bool,
    emphasis: f64,
}

struct Word {
    lower: String,
    capitals: bool,
    /// Its place in the lexicon.
    valence: Option<f64>,
}

impl Text {
    fn read(text: &str) -> Self {
        let tokens = text.split(is_space).filter(|token| !token.is_empty());
        let words: Vec<_> = tokens.map(Word::read).collect();
        let capitals = words.iter().filter(|word| word.capitals).count();
        let mixed = capitals > 0 && capitals < words.len();
        Self { words, mixed, emphasis: emphasis(text) }
    }

    fn lower(&self, place: usize) -> &str {
        self.words.get(place).map_or("", |word| &word.lower)
    }

    fn valence(&self, place: usize) -> f64 {
        let word = &self.words[place];
        let kind_of = word.lower == "kind" && self.lower(place + 1) == "of";
        let Some(known) = word.valence.filter(|_| boost(&word.lower) == 0.0 && !kind_of) else {
            return 0.0;
        };
        // The word that stands so many places before it.
        let before = |back: usize| place.checked_sub(back).map_or("", |place| self.lower(place));
        let next = self.words.get(place + 1);
        let mut valence = known;
        // "no" says the opposite of what comes next, or something by itself.
        if word.lower == "no" && next.is_some_and(|next| next.valence.is_some()) {
            valence = 0.0;
        }
        if before(1) == "no"
            || before(2) == "no"
            || before(3) == "no" && matches!(before(1), "or" | "nor")
        {
            valence = known * NEGATION;
        }
        if word.capitals && self.mixed {
            valence += if valence > 0.0 { CAPITALS } else { -CAPITALS };
        }
        for (back, weight) in [(1, 1.0), (2, 0.95), (3, 0.9)] {
            let Some(modifier) = place.checked_sub(back).map(|place| &self.words[place]) else {
                break;
            };
            if modifier.valence.is_some() {
                continue;
            }
            valence += weight * self.boost(modifier, valence);
            valence = negated(valence, back, before);
            if back == 3 {
                valence = self.idiom(valence, place, before);
            }
        }
        let least = before(1) == "least" && self.words[place - 1].valence.is_none();
        if least && !(place > 1 && matches!(before(2), "at" | "very")) {
            valence *= NEGATION;
        }
        valence
    }

    /// What a word before one of this valence adds to it.
    fn boost(&self, word: &Word, valence: f64) -> f64 {
        let boost = boost(&word.lower);
        if boost == 0.0 {
            return 0.0;
        }
        let boost = if valence < 0.0 { -boost } else { boost };
        match word.capitals && self.mixed {
            true if valence > 0.0 => boost + CAPITALS,
            true => boost - CAPITALS,
            false => boost,
        }
    }

    fn idiom<'a>(&'a self, valence: f64, place: usize, before: impl Fn(usize) -> &'a str) -> f64 {
        let phrase = |words: &[&str]| words.join(" ");
        let pair = phrase(&[before(3), before(2)]);
        let triple = phrase(&[before(3), before(2), before(1)]);
        let last = phrase(&[before(2), before(1)]);
        let sequences = [
            phrase(&[before(1), before(0)]),
            phrase(&[before(2), before(1), before(0)]),
            last.clone(),
            triple.clone(),
            pair.clone(),
        ];
        let meant = |words: &str| {
            IDIOMS.iter().find(|(idiom, _)| *idiom == words).map(|(_, valence)| *valence)
        };
        let mut valence = sequences.iter().find_map(|words| meant(words)).unwrap_or(valence);
        for length in [2, 3] {
            let after: Vec<_> =
                self.words[place..].iter().take(length).map(|word| &*word.lower).collect();
            if after.len() == length
                && let Some(meant) = meant(&phrase(&after))
            {
                valence = meant;
            }
        }
        for words in [triple, pair, last] {
            valence += boost(&words);
        }
        valence
    }

    /// What comes before "but" counts half, what comes after it one and a half times. The reference looks each valence up by its
    /// value, so that of equal ones the first is weighed again; and so does this.
    #[expect(clippy::float_cmp, reason = "a value is looked up, not computed")]
    fn weigh_but(&self, valences: &mut [f64]) {
        let Some(but) = self.words.iter().position(|word| word.lower == "but") else { return };
        for place in 0..valences.len() {
            let valence = valences[place];
            let Some(first) = valences.iter().position(|other| *other == valence) else { continue };
            if first < but {
                valences[first] = valence * 0.5;
            } else if first > but {
                valences[first] = valence * 1.5;
            }
        }
    }
}

impl Word {
    fn read(token: &str) -> Self {
        let stripped = token.trim_matches(|letter: char| letter.is_ascii_punctuation());
        // With so little left it was an emoticon.
        let word = if stripped.chars().nth(2).is_none() { token } else { stripped };
        let lower = word.to_lowercase();
        let valence = WORDS.valences.get(&*lower).copied();
        Self { capitals: is_capitals(word), lower, valence }
    }
}

/// As Python's `isupper`: letters of title case are in neither case.
fn is_capitals(word: &str) -> bool {
    let small = |letter: char| {
        letter.is_lowercase() || !letter.is_uppercase() && letter.to_lowercase().ne([letter])
    };
    word.chars().any(char::is_uppercase) && !word.chars().any(small)
}

fn boost(words: &str) -> f64 {
    if BOOSTERS.contains(&words) {
        BOOST
    } else if DAMPENERS.contains(&words) {
        -BOOST
    } else {
        0.0
    }
}

/// The valence after the word so many places before it was asked whether it negates.
fn negated<'a>(valence: f64, back: usize, before: impl Fn(usize) -> &'a str) -> f64 {
    let insists = |back: usize| matches!(before(back), "so" | "this");
    let never = before(back) == "never";
    let (stressed, without_doubt) = match back {
        2 => (never && insists(1), before(2) == "without" && before(1) == "doubt"),
        3 => (
            never && insists(2) || insists(1),
            before(3) == "without" && [before(2), before(1)].contains(&"doubt"),
        ),
        _ => (false, false),
    };
    let word = before(back);
    if stressed {
        valence * 1.25
    } else if !without_doubt && (NEGATIONS.contains(&word) || word.contains("n't")) {
        valence * NEGATION
    } else {
        valence
    }
}

fn emphasis(text: &str) -> f64 {
    let exclamations = text.matches('!').take(4).fold(0.0, |count, _| count + 1.0);
    let questions = text.matches('?').take(4).fold(0.0, |count, _| count + 1.0);
    let questions = if questions <= 1.0 {
        0.0
    } else if questions <= 3.0 {
        questions * QUESTION
    } else {
        MANY_QUESTIONS
    };
    exclamations * EXCLAMATION + questions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lexicon_is_read_as_it_is_written() {
        assert!(LEXICON.lines().all(|line| line.split_once(' ').unwrap().0.parse::<f64>().is_ok()));
        assert_eq!((WORDS.valences["great"], WORDS.valences[":("]), (3.1, -1.9));
        assert_eq!(WORDS.emojis[&'😡'], "pouting face");
        assert_eq!((WORDS.valences.len(), WORDS.emojis.len()), (7_488, 1_212));
    }
}
