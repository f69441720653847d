//! A definition in English.

use jiff::fmt::temporal::SpanParser;

use super::catalogue::{Field, Kind};
use super::definition::{
    Combinator, Definition, Function, Group, Match, Member, Operand, Rule, Subject,
};
use super::operator::Operator;
use super::value::{Anchor, Literal, Moment, Span};

/// How many values of a list are spelled out.
const MAX_NAMED: usize = 10;

/// The whole definition: `status is active or prospect, and last interaction is older than 90 days`.
#[must_use]
pub fn sentence(definition: &Definition) -> String {
    group(&definition.query)
}

fn group(group: &Group) -> String {
    let members: Vec<_> = group.members.iter().map(member).collect();
    let separator = match group.combinator {
        Combinator::And => ", and ",
        Combinator::Or => ", or ",
    };
    let joined = if members.is_empty() { "anything".to_owned() } else { members.join(separator) };
    if group.not { format!("not ({joined})") } else { joined }
}

/// A rule or group among others.
#[must_use]
pub fn member(member: &Member) -> String {
    match member {
        Member::Group(inner) if inner.not || inner.members.len() == 1 => group(inner),
        Member::Group(inner) => format!("({})", group(inner)),
        Member::Rule(rule) => self::rule(rule),
    }
}

/// One rule.
#[must_use]
pub fn rule(rule: &Rule) -> String {
    let subject = match &rule.subject {
        Subject::Field(field) => field.label.to_owned(),
        Subject::Related { entity, matching, filter } => {
            return related(entity.label, *matching, filter.as_ref());
        }
        Subject::Aggregate { entity, function, column, filter } => {
            let of = filter_words(filter.as_ref());
            figure(*function, *column, entity.label) + &of
        }
    };
    let test = test(rule);
    let missing = rule.operator.positive().is_some() && !rule.include_empty;
    let missing = if missing { " and is there" } else { "" };
    format!("{subject} {test}{missing}")
}

/// What a rule wants of its subject: `is older than 90 days`.
#[must_use]
pub fn test(rule: &Rule) -> String {
    let kind = rule.subject.kind();
    let phrase = match (kind, rule.operator) {
        (Some(Kind::Timestamp | Kind::Date), Operator::Less) => "is before",
        (Some(Kind::Timestamp | Kind::Date), Operator::Greater) => "is after",
        (Some(Kind::Timestamp | Kind::Date), Operator::LessOrEqual) => "is at the latest",
        (Some(Kind::Timestamp | Kind::Date), Operator::GreaterOrEqual) => "is at the earliest",
        (Some(Kind::Tags), Operator::In) => Operator::ContainsAny.phrase(),
        (Some(Kind::Tags), Operator::NotIn) => Operator::ContainsNone.phrase(),
        (_, operator) => operator.phrase(),
    };
    match (&rule.operand, &rule.subject) {
        (_, Subject::Related { matching, filter, .. }) => related("", *matching, filter.as_ref()),
        (Operand::Nothing, _) => phrase.to_owned(),
        (Operand::One(value), _) => format!("{phrase} {}", literal(value, kind)),
        (Operand::Many(values), _) => {
            let last = if rule.operator.as_str().ends_with("etween") { "and" } else { "or" };
            format!("{phrase} {}", list(values.iter().map(|value| literal(value, kind)), last))
        }
        (Operand::Span(value), _) => format!("{phrase} {}", span(value)),
        (Operand::Names(names), _) => {
            let last = if rule.operator == Operator::ContainsAll { "and" } else { "or" };
            format!("{phrase} {}", list(names.iter().map(|name| quoted(name)), last))
        }
        (Operand::Field(other), _) => format!("{phrase} {}", other.label),
        (Operand::Fields(low, high), _) => format!("{phrase} {} and {}", low.label, high.label),
    }
}

fn figure(function: Function, column: Option<&Field>, rows: &str) -> String {
    let of = column.map_or("", |field| field.label);
    match function {
        Function::Count => format!("the number of {rows}"),
        Function::Sum => format!("the sum of {of} of {rows}"),
        Function::Avg => format!("the average {of} of {rows}"),
        Function::Min => format!("the lowest {of} of {rows}"),
        Function::Max => format!("the highest {of} of {rows}"),
    }
}

fn filter_words(filter: Option<&Group>) -> String {
    filter.map_or_else(String::new, |filter| format!(" where {}", group(filter)))
}

fn related(rows: &str, matching: Match, filter: Option<&Group>) -> String {
    let number = match matching {
        Match::Some => "has".to_owned(),
        Match::All => "has only".to_owned(),
        Match::None => "has no".to_owned(),
        Match::AtLeast(count) => format!("has at least {count}"),
        Match::AtMost(count) => format!("has at most {count}"),
        Match::Exactly(count) => format!("has exactly {count}"),
    };
    let rows = if rows.is_empty() { "" } else { &format!(" {rows}") };
    format!("{number}{rows}{}", filter_words(filter))
}

fn literal(literal: &Literal, kind: Option<Kind>) -> String {
    match (literal, kind) {
        (Literal::Text(text), Some(Kind::Enum(..))) => text.replace('_', " "),
        (Literal::Text(text), _) => quoted(text),
        (Literal::Number(number), _) => number.clone(),
        (Literal::Boolean(value), _) => value.to_string(),
        (Literal::Uuid(id), _) => id.to_string(),
        (Literal::Moment(moment), _) => self::moment(moment),
    }
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

fn moment(moment: &Moment) -> String {
    match moment {
        Moment::Day(day) => day.to_string(),
        Moment::Instant(instant) => instant.format("%Y-%m-%d %H:%M:%S UTC").to_string(),
        Moment::Relative { anchor, offset, unit } => {
            let start = match anchor {
                Anchor::Now => "now",
                Anchor::Day => "the start of the day",
                Anchor::Week => "the start of the week",
                Anchor::Month => "the start of the month",
                Anchor::Quarter => "the start of the quarter",
                Anchor::Year => "the start of the year",
            };
            let distance = counted(offset.unsigned_abs(), unit.as_str());
            match (anchor, offset) {
                (_, 0) => start.to_owned(),
                (Anchor::Now, ..0) => format!("{distance} ago"),
                (Anchor::Now, _) => format!("{distance} from now"),
                (_, ..0) => format!("{distance} before {start}"),
                _ => format!("{distance} after {start}"),
            }
        }
    }
}

fn span(span: &Span) -> String {
    let Ok(parsed) = SpanParser::new().parse_span(&span.text) else { return span.text.clone() };
    let parts = [
        (i64::from(parsed.get_years()), "year"),
        (i64::from(parsed.get_months()), "month"),
        (i64::from(parsed.get_weeks()), "week"),
        (i64::from(parsed.get_days()), "day"),
        (i64::from(parsed.get_hours()), "hour"),
        (parsed.get_minutes(), "minute"),
        (parsed.get_seconds(), "second"),
    ];
    let words: Vec<_> = parts
        .into_iter()
        .filter(|(count, _)| *count != 0)
        .map(|(count, unit)| counted(count.unsigned_abs(), unit))
        .collect();
    if words.is_empty() { "0 days".to_owned() } else { words.join(" ") }
}

fn counted(count: u64, unit: &str) -> String {
    if count == 1 { format!("1 {unit}") } else { format!("{count} {unit}s") }
}

fn list(values: impl ExactSizeIterator<Item = String>, last: &str) -> String {
    let more = values.len().saturating_sub(MAX_NAMED);
    let mut named: Vec<_> = values.take(MAX_NAMED).collect();
    if more > 0 {
        return format!("{} {last} {more} more", named.join(", "));
    }
    match named.pop() {
        Some(only) if named.is_empty() => only,
        Some(end) => format!("{} {last} {end}", named.join(", ")),
        None => String::new(),
    }
}
