//! Where customers are: cities, states, countries, postal codes.

use serde_json::Value;
use winnow::Parser;
use winnow::combinator::alt;

use super::field;
use super::input::{Input, Named, Read, Result, maybe, miss, when};
use super::lexicon::{COUNTRIES, STATES};
use super::rule::one_of;

/// What follows "in": places of one sort.
pub(super) fn place(input: &mut Input<'_>) -> Result<Vec<Value>> {
    alt((named_sort, places)).parse_next(input)
}

/// `the city of Waco`, `county Kent`: the sort is said, so the name needs not be known.
fn named_sort(input: &mut Input<'_>) -> Result<Vec<Value>> {
    input.eat("the");
    let sorts = [
        ("city", "city"),
        ("town", "city"),
        ("state", "state"),
        ("county", "state"),
        ("province", "state"),
        ("country", "country"),
        ("postal code", "postal_code"),
        ("zip code", "postal_code"),
        ("zip", "postal_code"),
        ("postcode", "postal_code"),
    ];
    let Some(name) = input.choose(&sorts) else { return miss() };
    input.eat("of");
    let Some(field) = crate::segment::catalogue::field(name) else { return miss() };
    field::values(input, field).map(|rule| vec![rule])
}

/// `Austin, Dallas and Round Rock`.
fn places(input: &mut Input<'_>) -> Result<Vec<Value>> {
    let (field, first) = one(input)?;
    let mut values = first;
    while let Some(mut more) = maybe(input, |input: &mut Input<'_>| {
        when(input.eat_any(&[", or", ", and", ",", "or", "and"]), ())?;
        let (other, values) = one(input)?;
        when(other == field, values)
    }) {
        values.append(&mut more);
    }
    Ok(vec![one_of(field, &values, false)])
}

fn one(input: &mut Input<'_>) -> Result<(&'static str, Vec<String>)> {
    input.eat("the");
    let Some(token) = input.peek_now() else { return miss() };
    if token.low.len() == 5 && token.low.bytes().all(|byte| byte.is_ascii_digit()) {
        input.skip(1);
        return Ok(("postal_code", vec![token.text.clone()]));
    }
    let sorts = [("city", Named::City), ("state", Named::State), ("country", Named::Country)];
    let mut found: Vec<(&str, Vec<String>, usize)> = Vec::new();
    for (field, named) in sorts {
        let mut ahead = input.clone();
        let mut values = ahead.names(named, false);
        if values.is_empty() {
            let known = match field {
                "state" => STATES,
                "country" => COUNTRIES,
                _ => &[],
            };
            values.extend(ahead.choose(known).map(str::to_owned));
        }
        if !values.is_empty() {
            found.push((field, values, input_left(input) - input_left(&ahead)));
        }
    }
    let longest = found.iter().map(|(.., length)| *length).max().unwrap_or(0);
    found.retain(|(.., length)| *length == longest);
    // The name of a state that nobody lives in is not what is meant where a city has it.
    if found.len() > 1 {
        let message = "is the name of more than one sort of place: write the city of, the state of or the country";
        input.state.refuse(token, "ambiguous", message);
    }
    input.skip(longest);
    found.into_iter().next().map_or_else(miss, |(field, values, _)| Ok((field, values)))
}

fn input_left(input: &Input<'_>) -> usize {
    use winnow::stream::Stream;
    input.input.eof_offset()
}
