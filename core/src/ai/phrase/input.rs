//! What the parsers read: words, what the org's own words are, and how far anybody got.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use chrono::NaiveDate;
use text2num::Language;
use uuid::Uuid;
use winnow::Parser;
use winnow::combinator::opt;
use winnow::error::EmptyError;
use winnow::stream::{Stateful, Stream, TokenSlice};

use super::token::{Form, Token, tokens};
use super::{Misunderstood, Vocabulary};

pub(super) type Input<'t> = Stateful<TokenSlice<'t, Token>, &'t State<'t>>;
pub(super) type Result<T> = std::result::Result<T, EmptyError>;

pub(super) fn miss<T>() -> Result<T> {
    Err(EmptyError)
}

pub(super) fn when<T>(holds: bool, value: T) -> Result<T> {
    if holds { Ok(value) } else { miss() }
}

/// What the parser reads, if it does; otherwise nothing was taken.
pub(super) fn maybe<'t, T>(
    input: &mut Input<'t>,
    parser: impl Parser<Input<'t>, T, EmptyError>,
) -> Option<T> {
    opt(parser).parse_next(input).ok().flatten()
}

/// What a name of the org's is the name of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Named {
    Tag,
    City,
    State,
    Country,
    Source,
    ServiceType,
    Product,
    Segment,
    Person,
}

/// A name as words, and what a rule has to hold: the name as the org writes it, or an id.
struct Name {
    words: Vec<String>,
    named: Named,
    value: String,
}

pub(super) struct State<'t> {
    pub today: NaiveDate,
    pub vocabulary: &'t Vocabulary,
    pub numbers: Language,
    names: HashMap<String, Vec<Name>>,
    /// The last token that anybody looked at.
    pub furthest: Cell<usize>,
    pub refused: RefCell<Vec<Misunderstood>>,
}

/// Streams want it of what they carry.
impl std::fmt::Debug for State<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("State").field("today", &self.today).finish_non_exhaustive()
    }
}

impl<'t> State<'t> {
    pub fn new(today: NaiveDate, vocabulary: &'t Vocabulary) -> Self {
        let mut state = Self {
            today,
            vocabulary,
            numbers: Language::english(),
            names: HashMap::new(),
            furthest: Cell::new(0),
            refused: RefCell::default(),
        };
        let all = [
            (Named::Tag, &vocabulary.tags),
            (Named::City, &vocabulary.cities),
            (Named::State, &vocabulary.states),
            (Named::Country, &vocabulary.countries),
            (Named::Source, &vocabulary.sources),
            (Named::ServiceType, &vocabulary.service_types),
            (Named::Product, &vocabulary.products),
            (Named::Segment, &vocabulary.segments),
        ];
        for (named, names) in all {
            for name in names {
                state.learn(named, name, name);
                if name.contains('_') {
                    state.learn(named, &name.replace('_', " "), name);
                }
            }
        }
        for person in &vocabulary.people {
            let id = person.id.to_string();
            state.learn(Named::Person, &person.name, &id);
            if let Some((first, _)) = person.name.split_once(' ') {
                state.learn(Named::Person, first, &id);
            }
        }
        state
    }

    fn learn(&mut self, named: Named, name: &str, value: &str) {
        let words: Vec<_> = tokens(name).into_iter().map(|token| token.low).collect();
        if let Some(first) = words.first().cloned() {
            let name = Name { words, named, value: value.to_owned() };
            self.names.entry(first).or_default().push(name);
        }
    }

    pub fn refuse(&self, token: &Token, code: &'static str, message: impl Into<String>) {
        self.refused.borrow_mut().push(Misunderstood::new(token, code, message));
    }
}

/// Readers of words. Each takes what it says, or nothing.
pub(super) trait Read<'t> {
    fn peek_at(&self, offset: usize) -> Option<&'t Token>;
    fn peek_now(&self) -> Option<&'t Token>;
    fn skip(&mut self, count: usize);
    fn eat(&mut self, phrase: &str) -> bool;
    fn eat_any(&mut self, phrases: &[&str]) -> bool;
    fn choose<T: Copy>(&mut self, choices: &[(&str, T)]) -> Option<T>;
    fn names(&mut self, named: Named, plural: bool) -> Vec<String>;
}

impl<'t> Read<'t> for Input<'t> {
    /// Without a trace: what is looked at only to decide is not where somebody got stuck.
    fn peek_at(&self, offset: usize) -> Option<&'t Token> {
        self.input.iter_offsets().nth(offset).map(|(_, token)| token)
    }

    fn peek_now(&self) -> Option<&'t Token> {
        let token = self.peek_at(0);
        let index = token.map_or(usize::MAX, |token| token.index);
        self.state.furthest.set(self.state.furthest.get().max(index));
        token
    }

    fn skip(&mut self, count: usize) {
        for _ in 0..count {
            self.input.next_token();
        }
    }

    fn eat(&mut self, phrase: &str) -> bool {
        let mut count = 0;
        for word in phrase.split(' ') {
            let token = self.peek_at(count);
            if count == 0 {
                self.peek_now();
            }
            if token.is_none_or(|token| token.form == Form::Quoted || token.low != word) {
                return false;
            }
            count += 1;
        }
        self.skip(count);
        true
    }

    fn eat_any(&mut self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.eat(phrase))
    }

    /// The longest of the phrases.
    fn choose<T: Copy>(&mut self, choices: &[(&str, T)]) -> Option<T> {
        let start = self.checkpoint();
        let mut best: Option<(usize, T)> = None;
        for (phrase, value) in choices {
            if self.eat(phrase) {
                self.reset(&start);
                let length = phrase.split(' ').count();
                if best.is_none_or(|(longest, _)| length > longest) {
                    best = Some((length, *value));
                }
            }
        }
        let (length, value) = best?;
        self.skip(length);
        Some(value)
    }

    /// What the longest name of that sort that stands here stands for; several where it is not the only one.
    fn names(&mut self, named: Named, plural: bool) -> Vec<String> {
        let Some(token) = self.peek_now() else { return Vec::new() };
        let texts: Vec<String> = if token.form == Form::Quoted {
            tokens(&token.text).into_iter().map(|token| token.low).collect()
        } else {
            (0..)
                .map_while(|offset| self.peek_at(offset).map(|token| token.low.clone()))
                .take(12)
                .collect()
        };
        let Some(first) = texts.first() else { return Vec::new() };
        let mut found: Vec<(usize, String)> = Vec::new();
        let singular = first.strip_suffix('s').filter(|_| plural);
        for key in [Some(first.as_str()), singular].into_iter().flatten() {
            for name in self.state.names.get(key).into_iter().flatten() {
                let length = name.words.len();
                let last = |(at, (word, text)): (usize, (&String, &String))| {
                    word == text
                        || plural && at + 1 == length && text.strip_suffix('s') == Some(word)
                };
                let fits = texts.len() >= length
                    && name.words.iter().zip(&texts).enumerate().all(last)
                    && (token.form != Form::Quoted || texts.len() == length);
                if name.named == named && fits {
                    found.push((length, name.value.clone()));
                }
            }
        }
        let longest = found.iter().map(|(length, _)| *length).max().unwrap_or(0);
        let mut values: Vec<_> = found
            .into_iter()
            .filter(|(length, _)| *length == longest)
            .map(|(_, value)| value)
            .collect();
        values.dedup();
        if !values.is_empty() {
            self.skip(if token.form == Form::Quoted { 1 } else { longest });
        }
        values
    }
}

/// Somebody of the org.
pub(super) fn person(input: &mut Input<'_>) -> Result<Uuid> {
    let token = input.peek_now();
    if let (Some(me), true) = (input.state.vocabulary.me, input.eat_any(&["me", "myself"])) {
        return Ok(me);
    }
    let found = input.names(Named::Person, false);
    if let (Some(token), true) = (token, found.len() > 1) {
        input.state.refuse(
            token,
            "ambiguous",
            "is the name of several people: write the whole name",
        );
    }
    found.first().and_then(|id| id.parse().ok()).ok_or(EmptyError)
}
