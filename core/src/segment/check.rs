//! Definitions that are well-formed and can match nobody.
//!
//! What is found is surely a mistake; what is not found may be one too.

use std::collections::HashSet;

use super::catalogue::{Field, Kind};
use super::definition::{
    Combinator, Definition, Function, Group, Match, Member, Operand, Rule, Subject,
};
use super::operator::Operator;
use super::value::{Anchor, Literal, Moment, Unit};
use crate::FieldError;

/// Warnings about rules that contradict each other.
#[must_use]
pub fn warnings(definition: &Definition) -> Vec<FieldError> {
    let mut found = Vec::new();
    walk(&definition.query, &mut Vec::new(), &mut found);
    found
}

/// `above`: the rules that hold wherever this group does.
fn walk<'a>(group: &'a Group, above: &mut Vec<&'a Rule>, found: &mut Vec<FieldError>) {
    let before = above.len();
    if group.not {
        above.clear();
    }
    let together = group.combinator == Combinator::And && !group.not;
    if together {
        for member in &group.members {
            if let Member::Rule(rule) = member {
                contradictions(rule, above, found);
                above.push(rule);
            }
        }
    }
    for member in &group.members {
        match member {
            Member::Group(inner) => {
                let mut above = above.clone();
                walk(inner, &mut above, found);
            }
            Member::Rule(rule) => {
                if !together && !group.not {
                    contradictions(rule, above, found);
                }
                inside(rule, found);
            }
        }
    }
    above.truncate(before);
}

/// The filters of related rows have rules of their own.
fn inside(rule: &Rule, found: &mut Vec<FieldError>) {
    if let Subject::Related { filter: Some(filter), .. }
    | Subject::Aggregate { filter: Some(filter), .. } = &rule.subject
    {
        walk(filter, &mut Vec::new(), found);
    }
}

fn contradictions(rule: &Rule, above: &[&Rule], found: &mut Vec<FieldError>) {
    for earlier in above {
        if contradict(rule, earlier) {
            let message = format!("nobody can match both this and {}", earlier.path);
            found.push(FieldError::new(&rule.path, "contradiction", message));
        } else if silence(rule, earlier) || silence(earlier, rule) {
            let message = format!(
                "nobody can match both this and {}: one needs an interaction in a time when the other wants none",
                earlier.path
            );
            found.push(FieldError::new(&rule.path, "contradiction", message));
        }
    }
}

fn contradict(one: &Rule, other: &Rule) -> bool {
    let (Subject::Field(left), Subject::Field(right)) = (&one.subject, &other.subject) else {
        return false;
    };
    if left != right || one.ignore_case || other.ignore_case {
        return false;
    }
    let null = |rule: &Rule| rule.operator == Operator::Null;
    let needs_value =
        |rule: &Rule| !null(rule) && rule.operator.positive().is_none_or(|_| !rule.include_empty);
    if null(one) && needs_value(other) || null(other) && needs_value(one) {
        return true;
    }
    if let (Some(left), Some(right)) = (choices(one), choices(other)) {
        return left.is_disjoint(&right);
    }
    let (Some((low, lowest)), Some((high, highest))) = (range(one, left), range(other, left))
    else {
        return false;
    };
    low.max(high) > lowest.min(highest)
}

/// The only values that a rule lets through.
fn choices(rule: &Rule) -> Option<HashSet<&str>> {
    let text = |literal: &'_ Literal| matches!(literal, Literal::Text(_));
    match (&rule.operand, rule.operator) {
        (Operand::One(Literal::Text(value)), Operator::Equal) => Some(HashSet::from([&**value])),
        (Operand::One(Literal::Boolean(value)), Operator::Equal) => {
            Some(HashSet::from([if *value { "true" } else { "false" }]))
        }
        (Operand::One(Literal::Boolean(value)), Operator::NotEqual) if !rule.include_empty => {
            Some(HashSet::from([if *value { "false" } else { "true" }]))
        }
        (Operand::Many(values), Operator::In) if values.iter().all(text) => Some(
            values
                .iter()
                .filter_map(|value| match value {
                    Literal::Text(value) => Some(value.as_str()),
                    _ => None,
                })
                .collect(),
        ),
        _ => None,
    }
}

/// The least and the greatest that a rule lets through: numbers, or days from now.
fn range(rule: &Rule, field: &Field) -> Option<(f64, f64)> {
    let number = |literal: &Literal| match (literal, field.kind) {
        (Literal::Number(number), Kind::Number) => number.parse().ok(),
        (Literal::Moment(Moment::Relative { anchor: Anchor::Now, offset, unit }), _) => {
            Some(days(*offset, *unit))
        }
        _ => None,
    };
    let all = (f64::NEG_INFINITY, f64::INFINITY);
    match (&rule.operand, rule.operator) {
        (Operand::One(value), Operator::Equal) => number(value).map(|value| (value, value)),
        (Operand::One(value), Operator::Greater | Operator::GreaterOrEqual) => {
            number(value).map(|value| (value, all.1))
        }
        (Operand::One(value), Operator::Less | Operator::LessOrEqual) => {
            number(value).map(|value| (all.0, value))
        }
        (Operand::Many(values), Operator::Between) => {
            Some((number(values.first()?)?, number(values.last()?)?))
        }
        (Operand::Span(span), Operator::OlderThan) => Some((all.0, -approximate(span.days))),
        (Operand::Span(span), Operator::WithinLast) => Some((-approximate(span.days), 0.0)),
        (Operand::Span(span), Operator::WithinNext) => Some((0.0, approximate(span.days))),
        _ => None,
    }
}

#[allow(clippy::cast_precision_loss, reason = "days of at most a century")]
fn approximate(days: i64) -> f64 {
    days as f64
}

fn days(offset: i64, unit: Unit) -> f64 {
    let length = match unit {
        Unit::Minute => 1.0 / (24.0 * 60.0),
        Unit::Hour => 1.0 / 24.0,
        Unit::Day => 1.0,
        Unit::Week => 7.0,
        Unit::Month => 30.4,
        Unit::Quarter => 91.3,
        Unit::Year => 365.2,
    };
    approximate(offset) * length
}

/// Whether one rule needs an interaction in a time for which the other wants none.
fn silence(needs: &Rule, wants_none: &Rule) -> bool {
    let Subject::Field(field) = &wants_none.subject else { return false };
    if field.name != "last_interaction_at" {
        return false;
    }
    let Some(since) = needed_since(needs) else { return false };
    match wants_none.operator {
        Operator::Null => true,
        _ => range(wants_none, field).is_some_and(|(_, latest)| latest < since),
    }
}

/// In days from now, since when a rule needs an interaction; any time is negative infinity.
fn needed_since(rule: &Rule) -> Option<f64> {
    let (entity, filter) = match &rule.subject {
        Subject::Related { entity, matching, filter } => {
            let some = match matching {
                Match::Some => true,
                Match::AtLeast(count) | Match::Exactly(count) => *count > 0,
                _ => false,
            };
            (some.then_some(*entity)?, filter.as_ref())
        }
        Subject::Aggregate { entity, function: Function::Count, filter, .. } => {
            let positive = match (&rule.operand, rule.operator) {
                (Operand::One(Literal::Number(number)), operator) => {
                    let number: f64 = number.parse().ok()?;
                    match operator {
                        Operator::Greater => number >= 0.0,
                        Operator::GreaterOrEqual | Operator::Equal => number > 0.0,
                        _ => false,
                    }
                }
                _ => false,
            };
            (positive.then_some(*entity)?, filter.as_ref())
        }
        _ => return None,
    };
    if entity.name != "interactions" {
        return None;
    }
    let since = filter
        .filter(|filter| filter.combinator == Combinator::And && !filter.not)
        .into_iter()
        .flat_map(|filter| &filter.members)
        .filter_map(|member| match member {
            Member::Rule(rule) => match &rule.subject {
                Subject::Field(field) if field.name == "occurred_at" => {
                    range(rule, field).map(|(earliest, _)| earliest)
                }
                _ => None,
            },
            Member::Group(_) => None,
        });
    Some(since.fold(f64::NEG_INFINITY, f64::max))
}
