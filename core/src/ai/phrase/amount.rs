//! Numbers in digits and in words, amounts of money, and what they are compared with.

use serde_json::{Number, Value, json};
use text2num::text2digits;
use winnow::Parser;
use winnow::combinator::alt;
use winnow::stream::Stream;

use super::input::{Input, Read, Result, maybe, miss, when};
use super::token::Form;

/// How many words a number can have.
const MAX_WORDS: usize = 10;

/// An operator with its one or two numbers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Comparison {
    pub operator: &'static str,
    pub value: Value,
}

impl Comparison {
    pub fn new(operator: &'static str, number: &Number) -> Self {
        Self { operator, value: json!(number) }
    }

    /// The number of a comparison with one whole number.
    pub fn whole(&self) -> Option<u64> {
        self.value.as_u64()
    }
}

pub(super) fn number(input: &mut Input<'_>) -> Result<Number> {
    alt((digits, words)).parse_next(input)
}

/// `500`, `1,200.50`, `$5k`; not `1.000`, which is one thing here and another there.
fn digits(input: &mut Input<'_>) -> Result<Number> {
    let Some(token) = input.peek_now().filter(|token| token.form == Form::Word) else {
        return miss();
    };
    let text = token.low.trim_start_matches(['$', '£', '€']);
    let currency = &token.low[..token.low.len() - text.len()];
    let (text, mut zeros) = match text.strip_suffix(['k', 'm']) {
        Some(short) => (short, if text.ends_with('k') { 3 } else { 6 }),
        None => (text, 0),
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction_is_clear = !text.ends_with('.') && (fraction.len() != 3 || zeros > 0);
    let all = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default();
    let grouped = !whole.contains(',') || first.len() <= 3;
    let clear = grouped
        && !first.is_empty()
        && all(first)
        && groups.all(|group| group.len() == 3 && all(group))
        && all(fraction)
        && fraction_is_clear
        && whole.len() <= 20
        && fraction.len() <= 6;
    if !clear {
        return miss();
    }
    input.skip(1);
    if zeros == 0 {
        zeros = input
            .choose(&[("hundred", 2), ("thousand", 3), ("grand", 3), ("million", 6)])
            .unwrap_or(0);
    }
    currency_is_the_orgs(input, currency, token);
    scaled(&whole.replace(',', ""), fraction, zeros)
}

/// Moves the point, in decimal digits: no amount passes through binary fractions.
fn scaled(whole: &str, fraction: &str, zeros: usize) -> Result<Number> {
    let mut whole = whole.to_owned();
    let moved = fraction.len().min(zeros);
    whole.push_str(&fraction[..moved]);
    whole.push_str(&"0".repeat(zeros - moved));
    let fraction = fraction[moved..].trim_end_matches('0');
    if fraction.is_empty() {
        return whole.parse::<u64>().map_or_else(|_| miss(), |whole| Ok(whole.into()));
    }
    let number = format!("{whole}.{fraction}").parse().ok().and_then(Number::from_f64);
    number.map_or_else(miss, Ok)
}

fn words(input: &mut Input<'_>) -> Result<Number> {
    input.peek_now();
    if let Some(half_dozen) =
        input.choose(&[("half a dozen", 6_u64), ("a dozen", 12), ("nothing", 0)])
    {
        return Ok(half_dozen.into());
    }
    let start = input.checkpoint();
    let one = input.eat("a");
    let spoken: Vec<&str> = (0..MAX_WORDS)
        .map_while(|offset| input.peek_at(offset))
        .take_while(|token| token.form == Form::Word && token.low.chars().all(char::is_alphabetic))
        .map(|token| token.low.as_str())
        .collect();
    // "a hundred" begins with a figure of its own.
    let multiple = matches!(spoken.first(), Some(&("hundred" | "thousand" | "million")));
    if one == multiple && spoken.first().is_some_and(|first| *first != "and" && *first != "o") {
        for length in (1..=spoken.len()).rev() {
            let text = spoken[..length].join(" ");
            let text = if one { format!("one {text}") } else { text };
            let digits = text2digits(&text, &input.state.numbers).ok();
            if let Some(number) = digits.and_then(|digits| digits.parse::<u64>().ok()) {
                input.skip(length);
                return Ok(number.into());
            }
        }
    }
    input.reset(&start);
    miss()
}

/// An amount in the money of another org's country is not the amount that was meant.
fn currency_is_the_orgs(input: &Input<'_>, mark: &str, token: &super::token::Token) {
    let Some(own) = &input.state.vocabulary.currency else { return };
    let meant = match mark {
        "" => return,
        "$" => ["USD", "CAD", "AUD", "NZD"].as_slice(),
        "£" => &["GBP"],
        _ => &["EUR"],
    };
    if !meant.contains(&own.as_str()) {
        input.state.refuse(token, "other_currency", format!("all amounts are in {own}"));
    }
}

pub(super) fn money(input: &mut Input<'_>) -> Result<Number> {
    let number = number(input)?;
    let word = input.peek_now();
    let mark = input.choose(&[
        ("dollars", "$"),
        ("dollar", "$"),
        ("bucks", "$"),
        ("usd", "$"),
        ("pounds", "£"),
        ("gbp", "£"),
        ("euros", "€"),
        ("euro", "€"),
        ("eur", "€"),
    ]);
    if let (Some(mark), Some(token)) = (mark, word) {
        currency_is_the_orgs(input, mark, token);
    }
    Ok(number)
}

const BEFORE: &[(&str, &str)] = &[
    ("more than", ">"),
    ("over", ">"),
    ("above", ">"),
    ("greater than", ">"),
    ("exceeding", ">"),
    (">", ">"),
    ("is more than", ">"),
    ("at least", ">="),
    ("no less than", ">="),
    ("not less than", ">="),
    ("a minimum of", ">="),
    ("no fewer than", ">="),
    ("not under", ">="),
    (">=", ">="),
    ("less than", "<"),
    ("under", "<"),
    ("below", "<"),
    ("fewer than", "<"),
    ("<", "<"),
    ("at most", "<="),
    ("up to", "<="),
    ("no more than", "<="),
    ("not more than", "<="),
    ("not over", "<="),
    ("not above", "<="),
    ("a maximum of", "<="),
    ("<=", "<="),
    ("exactly", "="),
    ("equal to", "="),
    ("=", "="),
    ("!=", "!="),
];

/// A comparison that says how: `more than 3`, `between 2 and 5`, `10 or more`.
pub(super) fn comparison(input: &mut Input<'_>) -> Result<Comparison> {
    alt((between, compared, open)).parse_next(input)
}

/// A comparison, or the bare number, which is meant exactly.
pub(super) fn figure(input: &mut Input<'_>) -> Result<Comparison> {
    alt((comparison, money.map(|number| Comparison::new("=", &number)))).parse_next(input)
}

fn compared(input: &mut Input<'_>) -> Result<Comparison> {
    let Some(operator) = input.choose(BEFORE) else { return miss() };
    let number = money(input)?;
    Ok(Comparison::new(operator, &number))
}

fn open(input: &mut Input<'_>) -> Result<Comparison> {
    let number = money(input)?;
    let operator = input.choose(&[
        ("or more", ">="),
        ("and more", ">="),
        ("or over", ">="),
        ("plus", ">="),
        ("+", ">="),
        ("or less", "<="),
        ("or fewer", "<="),
        ("or under", "<="),
    ]);
    operator.map_or_else(miss, |operator| Ok(Comparison::new(operator, &number)))
}

fn between(input: &mut Input<'_>) -> Result<Comparison> {
    let named = input.eat("between");
    let _ = !named && input.eat("from");
    let first = input.peek_now();
    let low = money(input)?;
    when(input.eat(if named { "and" } else { "to" }), ())?;
    let second = input.peek_now();
    let high = money(input)?;
    if let (Some(first), Some(second), true) = (first, second, low.as_f64() > high.as_f64()) {
        for token in [first, second] {
            input.state.refuse(
                token,
                "empty_range",
                "nothing is between these: the first is the greater",
            );
        }
    }
    Ok(Comparison { operator: "between", value: json!([low, high]) })
}

/// How many of something.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Quantity {
    /// `a`, `any`, or nothing before a plural.
    Some,
    None,
    Compared(Comparison),
}

pub(super) fn quantity(input: &mut Input<'_>) -> Quantity {
    let counted = alt((comparison, number.map(|number| Comparison::new("=", &number))));
    if let Some(figure) = maybe(input, counted) {
        return Quantity::Compared(figure);
    }
    if input.eat("no") {
        return Quantity::None;
    }
    input.eat_any(&["a", "an", "any", "some", "their", "the"]);
    Quantity::Some
}
