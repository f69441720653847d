//! A definition after it was read: every name is known, every value has the type of its field.

use super::catalogue::{Entity, Field, Kind};
use super::operator::Operator;
use super::value::{Literal, Span};

/// Which customers belong to a segment.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    pub query: Group,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Combinator {
    And,
    Or,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Where it is in the definition, `query.rules[0]`.
    pub path: String,
    pub combinator: Combinator,
    pub not: bool,
    /// Empty only in a filter of related rows, where it means all of them.
    pub members: Vec<Member>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Member {
    Group(Group),
    Rule(Rule),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub path: String,
    pub subject: Subject,
    pub operator: Operator,
    pub operand: Operand,
    /// Whether a negative operator matches where the value is missing.
    pub include_empty: bool,
    pub ignore_case: bool,
}

/// What a rule asks about.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    Field(&'static Field),
    /// How many of the related rows match.
    Related {
        entity: &'static Entity,
        matching: Match,
        filter: Option<Group>,
    },
    /// A figure over the related rows that match.
    Aggregate {
        entity: &'static Entity,
        function: Function,
        column: Option<&'static Field>,
        filter: Option<Group>,
    },
}

impl Subject {
    /// The kind of what is compared; none where rows are counted.
    #[must_use]
    pub fn kind(&self) -> Option<Kind> {
        match self {
            Self::Field(field) => Some(field.kind),
            Self::Aggregate { function, column, .. } => Some(function.kind(*column)),
            Self::Related { .. } => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    Some,
    All,
    None,
    AtLeast(u32),
    AtMost(u32),
    Exactly(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    Count,
    Sum,
    Avg,
    Min,
    Max,
}

impl Function {
    pub const ALL: &'static [Self] = &[Self::Count, Self::Sum, Self::Avg, Self::Min, Self::Max];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Sum => "sum",
            Self::Avg => "avg",
            Self::Min => "min",
            Self::Max => "max",
        }
    }

    /// The kind of the figure.
    #[must_use]
    pub fn kind(self, column: Option<&'static Field>) -> Kind {
        match (self, column) {
            (Self::Min | Self::Max, Some(field)) => field.kind,
            _ => Kind::Number,
        }
    }
}

/// What the subject is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    Nothing,
    One(Literal),
    Many(Vec<Literal>),
    Span(Span),
    /// Names of tags or segments.
    Names(Vec<String>),
    Field(&'static Field),
    Fields(&'static Field, &'static Field),
}

impl Definition {
    /// Every rule about the customer, in the order of the definition; not those about related rows.
    #[must_use]
    pub fn rules(&self) -> Vec<&Rule> {
        fn collect<'a>(group: &'a Group, found: &mut Vec<&'a Rule>) {
            for member in &group.members {
                match member {
                    Member::Group(group) => collect(group, found),
                    Member::Rule(rule) => found.push(rule),
                }
            }
        }
        let mut found = Vec::new();
        collect(&self.query, &mut found);
        found
    }

    /// The names in rules about a field of that kind, each with its path.
    #[must_use]
    pub fn names(&self, kind: Kind) -> Vec<(String, &str)> {
        self.rules()
            .into_iter()
            .filter_map(|rule| match (&rule.subject, &rule.operand) {
                (Subject::Field(field), Operand::Names(names)) if field.kind == kind => {
                    Some((&rule.path, names))
                }
                _ => None,
            })
            .flat_map(|(path, names)| {
                names
                    .iter()
                    .enumerate()
                    .map(move |(index, name)| (format!("{path}.value[{index}]"), name.as_str()))
            })
            .collect()
    }

    /// Whether archived customers are considered: only where a rule is about that.
    #[must_use]
    pub fn names_archived(&self) -> bool {
        let archived = |field: &Field| field.name == "is_archived";
        self.rules().into_iter().any(|rule| {
            matches!(&rule.subject, Subject::Field(field) if archived(field))
                || matches!(&rule.operand, Operand::Field(field) if archived(field))
        })
    }
}
