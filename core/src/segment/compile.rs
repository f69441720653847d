//! From a definition to one SQL statement.
//!
//! The text is put together from fragments of the catalogue and of this module only; every value is
//! an element of the one parameter, `{"org_id", "time_zone", "p": […]}`. What depends on the clock,
//! the org's time zone or names becomes an item for the statement that resolves such things once a
//! run, so that all rules share one now and the planner sees constants.

mod related;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::catalogue::{Entity, Field, Join, Kind};
use super::definition::{Combinator, Definition, Group, Member, Operand, Rule, Subject};
use super::operator::Operator;
use super::statement::{Compiled, Parameter};
use super::value::{self, As, Literal, Moment};

pub(super) const ORG: &str = "($1 ->> 'org_id')::uuid";
pub(super) const ZONE: &str = "($1 ->> 'time_zone')";

/// Compiles a definition.
#[must_use]
pub fn compile(definition: &Definition) -> Compiled {
    let mut compiler = Compiler::default();
    let condition = compiler.group(&definition.query, None);
    let mut from = String::from("from public.customers c");
    for join in &compiler.joins {
        from.push('\n');
        from.push_str(join.sql());
    }
    let archived = if definition.names_archived() { "" } else { " and not c.is_archived" };
    let counted = if archived.is_empty() { "" } else { "not c.is_archived and " };
    let matching =
        format!("select c.id\n{from}\nwhere c.org_id = {ORG}{archived}\n  and {condition}");
    let rows: Vec<_> = compiler
        .nodes
        .iter()
        .enumerate()
        .map(|(index, node)| format!("({index}, ({}) is true, {})", node.condition, node.actual))
        .collect();
    let explained = format!(
        "select jsonb_build_object('matches', {counted}({condition}) is true, 'is_archived', c.is_archived, 'nodes',\n\
         (select jsonb_agg(jsonb_build_array(v.result, v.actual) order by v.n)\nfrom (values {}) v (n, result, actual)))\n\
         {from}\nwhere c.org_id = {ORG} and c.id = ($1 ->> 'customer_id')::uuid",
        rows.join(",\n")
    );
    let whole = format!("select c.id\n{from}\nwhere c.org_id = {ORG}\n  and {condition}");
    let each = |told: &str| {
        format!(
            "select coalesce(jsonb_agg(jsonb_build_array(c.id,\n\
             (select jsonb_agg(jsonb_build_array({told}) order by v.n)\nfrom (values {}) v (n, result, actual)))), '[]')\n\
             {from}\nwhere c.org_id = {ORG} and c.id = any (array(\n\
             select x::uuid from jsonb_array_elements_text($1 -> 'customer_ids') x))",
            rows.join(",\n")
        )
    };
    let those_who_match = format!("{}\n  and {condition}", each("v.result, v.actual"));
    // Long texts of many customers, once for each rule, are more than a jsonb holds.
    let each = each("v.result");
    let nodes = compiler.nodes.into_iter().map(|node| node.path).collect();
    Compiled {
        matching,
        whole,
        explained,
        each,
        those_who_match,
        nodes,
        parameters: compiler.parameters,
    }
}

/// A rule or group about the customer, for the explanation.
struct Node {
    path: String,
    condition: String,
    actual: String,
}

#[derive(Default)]
struct Compiler {
    joins: BTreeSet<Join>,
    parameters: Vec<Parameter>,
    nodes: Vec<Node>,
}

/// What is compared: an expression, and what stands for a row that is not there.
struct Operated {
    sql: String,
    kind: Kind,
    absent: Option<&'static str>,
}

impl Operated {
    /// With the value that stands for a missing row.
    fn full(&self) -> String {
        match self.absent {
            Some(absent) => format!("coalesce({}, {absent})", self.sql),
            None => self.sql.clone(),
        }
    }
}

impl Compiler {
    /// A condition; true exactly when the group is, and otherwise false or null.
    fn group(&mut self, group: &Group, related: Option<&'static Entity>) -> String {
        let place = self.nodes.len();
        if related.is_none() {
            let path = group.path.clone();
            self.nodes.push(Node { path, condition: String::new(), actual: "null::jsonb".into() });
        }
        let members: Vec<_> = group
            .members
            .iter()
            .map(|member| match member {
                Member::Group(group) => self.group(group, related),
                Member::Rule(rule) => self.rule(rule, related),
            })
            .collect();
        let joined = match (&members[..], group.combinator) {
            ([], _) => "true".to_owned(),
            (_, Combinator::And) => members.join(" and "),
            (_, Combinator::Or) => members.join(" or "),
        };
        let condition =
            if group.not { format!("(({joined}) is not true)") } else { format!("({joined})") };
        if related.is_none() {
            self.nodes[place].condition.clone_from(&condition);
        }
        condition
    }

    fn rule(&mut self, rule: &Rule, related: Option<&'static Entity>) -> String {
        let (condition, actual) = match &rule.subject {
            Subject::Field(field) if field.kind == Kind::Tags => self.tags(rule),
            Subject::Field(field) if field.kind == Kind::Segment => self.segments(rule),
            Subject::Field(field) => {
                let operated = self.column(field);
                let actual = format!("to_jsonb({})", operated.full());
                (self.comparison(rule, &operated), actual)
            }
            Subject::Related { entity, matching, filter } => {
                self.related(entity, *matching, filter.as_ref())
            }
            Subject::Aggregate { entity, function, column, filter } => {
                self.aggregate(rule, entity, *function, *column, filter.as_ref())
            }
        };
        if related.is_none() {
            let path = rule.path.clone();
            self.nodes.push(Node { path, condition: condition.clone(), actual });
        }
        condition
    }

    fn column(&mut self, field: &'static Field) -> Operated {
        self.joins.extend(field.join);
        Operated { sql: field.sql.to_owned(), kind: field.kind, absent: field.absent }
    }

    // ---- values

    fn push(&mut self, parameter: Parameter) -> usize {
        self.parameters.push(parameter);
        self.parameters.len() - 1
    }

    fn element(&mut self, value: String) -> String {
        let n = self.push(Parameter::Value(value));
        format!("($1 #>> '{{p,{n}}}')")
    }

    /// A value whose type has no immutable input function, so that a cast would be made a row.
    fn bound(&mut self, parameter: Parameter, sql_type: &str) -> String {
        let n = self.push(parameter);
        format!("fieldcrm.bound($1, {n}, null::{sql_type})")
    }

    fn moment(&mut self, mut item: Value, wanted: As) -> String {
        item["as"] = json!(if wanted == As::Day { "day" } else { "instant" });
        let sql_type = if wanted == As::Day { "date" } else { "timestamptz" };
        self.bound(Parameter::Resolve(item), sql_type)
    }

    fn literal(&mut self, literal: &Literal, kind: Kind) -> String {
        match (literal, kind) {
            (Literal::Text(text), Kind::Enum(_, Some(sql_type))) => {
                self.bound(Parameter::Value(text.clone()), sql_type)
            }
            (Literal::Text(text), _) => self.element(text.clone()),
            (Literal::Number(number), _) => self.element(number.clone()) + "::numeric",
            (Literal::Boolean(value), _) => self.element(value.to_string()) + "::boolean",
            (Literal::Uuid(id), _) => self.element(id.to_string()) + "::uuid",
            (Literal::Moment(moment), kind) => {
                let wanted = if kind == Kind::Date { As::Day } else { As::Instant };
                self.moment(moment.start(), wanted)
            }
        }
    }

    // ---- comparisons

    /// Negations are two-valued: a missing value matches them, unless the rule says otherwise.
    fn comparison(&mut self, rule: &Rule, operated: &Operated) -> String {
        let operator = rule.operator.positive().unwrap_or(rule.operator);
        if operator == rule.operator {
            return format!("({})", self.positive(rule, operator, operated, true));
        }
        if rule.include_empty {
            return format!("(({}) is not true)", self.positive(rule, operator, operated, true));
        }
        format!("(not ({}))", self.positive(rule, operator, operated, false))
    }

    /// `bare`: a missing row may be null instead of its value, as null counts for false.
    fn positive(
        &mut self,
        rule: &Rule,
        operator: Operator,
        operated: &Operated,
        bare: bool,
    ) -> String {
        let column = if bare && !holds_for_absent(rule, operator, operated) {
            operated.sql.clone()
        } else {
            operated.full()
        };
        match (operator, &rule.operand) {
            (Operator::Null, _) => format!("{column} is null"),
            (Operator::NotNull, _) => format!("{column} is not null"),
            (_, Operand::Span(span)) => {
                let wanted = if operated.kind == Kind::Date { As::Day } else { As::Instant };
                let now = |compiler: &mut Self| compiler.moment(json!({"now": true}), wanted);
                match operator {
                    Operator::WithinLast => {
                        let start = self.moment(span.ago(), wanted);
                        let end = now(self);
                        format!("{column} >= {start} and {column} <= {end}")
                    }
                    Operator::WithinNext => {
                        let start = now(self);
                        let end = self.moment(span.ahead(), wanted);
                        format!("{column} >= {start} and {column} <= {end}")
                    }
                    _ => format!("{column} < {}", self.moment(span.ago(), wanted)),
                }
            }
            (_, Operand::Field(other)) => {
                let (left, right) = self.pair(&column, operated.kind, other, rule.ignore_case);
                compare(operator, operated.kind, &left, &right)
            }
            (_, Operand::Fields(low, high)) => {
                let (left, low) = self.pair(&column, operated.kind, low, rule.ignore_case);
                let low = compare(Operator::GreaterOrEqual, operated.kind, &left, &low);
                let (left, high) = self.pair(&column, operated.kind, high, rule.ignore_case);
                let high = compare(Operator::LessOrEqual, operated.kind, &left, &high);
                format!("{low} and {high}")
            }
            (_, Operand::One(Literal::Moment(moment))) if operated.kind == Kind::Timestamp => {
                self.timestamp(operator, &column, moment)
            }
            (_, Operand::One(literal)) => {
                let value = self.literal(literal, operated.kind);
                let (column, value) = fold(rule, operated.kind, column, value);
                compare(operator, operated.kind, &column, &value)
            }
            (Operator::Between, Operand::Many(bounds)) => {
                self.between(rule, operated.kind, &column, bounds)
            }
            (_, Operand::Many(values)) => self.one_of(rule, operated.kind, &column, values),
            // Names and nothing are of other subjects.
            (_, Operand::Names(_) | Operand::Nothing) => "false".to_owned(),
        }
    }

    /// A day is compared as a whole: its start and its end are two instants.
    fn timestamp(&mut self, operator: Operator, column: &str, moment: &Moment) -> String {
        let start = |compiler: &mut Self| compiler.moment(moment.start(), As::Instant);
        let Some(end) = moment.end() else {
            let value = start(self);
            return compare(operator, Kind::Timestamp, column, &value);
        };
        let end = |compiler: &mut Self| compiler.moment(end.clone(), As::Instant);
        match operator {
            Operator::Less => format!("{column} < {}", start(self)),
            Operator::LessOrEqual => format!("{column} < {}", end(self)),
            Operator::Greater => format!("{column} >= {}", end(self)),
            Operator::GreaterOrEqual => format!("{column} >= {}", start(self)),
            _ => {
                let start = start(self);
                format!("{column} >= {start} and {column} < {}", end(self))
            }
        }
    }

    fn between(&mut self, rule: &Rule, kind: Kind, column: &str, bounds: &[Literal]) -> String {
        let [low, high] = bounds else { return "false".to_owned() };
        if let (Kind::Timestamp, Literal::Moment(low), Literal::Moment(high)) = (kind, low, high) {
            let low = self.timestamp(Operator::GreaterOrEqual, column, low);
            let high = self.timestamp(Operator::LessOrEqual, column, high);
            return format!("{low} and {high}");
        }
        let low = self.literal(low, kind);
        let high = self.literal(high, kind);
        let (left, low) = fold(rule, kind, column.to_owned(), low);
        let (_, high) = fold(rule, kind, column.to_owned(), high);
        let low = compare(Operator::GreaterOrEqual, kind, &left, &low);
        let high = compare(Operator::LessOrEqual, kind, &left, &high);
        format!("{low} and {high}")
    }

    fn one_of(&mut self, rule: &Rule, kind: Kind, column: &str, values: &[Literal]) -> String {
        let moments = || {
            values.iter().filter_map(|value| match value {
                Literal::Moment(moment) => Some(moment),
                _ => None,
            })
        };
        let texts = || {
            value::array(values.iter().map(|value| match value {
                Literal::Text(text) | Literal::Number(text) => text.clone(),
                Literal::Uuid(id) => id.to_string(),
                Literal::Boolean(value) => value.to_string(),
                Literal::Moment(_) => String::new(),
            }))
        };
        let sql_type = match kind {
            Kind::Timestamp => {
                let ranges: Vec<_> =
                    moments().map(|moment| json!([moment.start(), moment.end()])).collect();
                let item = Parameter::Resolve(json!({"as": "ranges", "of": ranges}));
                return format!("{column} <@ {}", self.bound(item, "tstzmultirange"));
            }
            Kind::Date => {
                let days: Vec<_> = moments().map(Moment::start).collect();
                let item = Parameter::Resolve(json!({"as": "days", "of": days}));
                return format!("{column} = any ({})", self.bound(item, "date[]"));
            }
            Kind::Number => "numeric",
            Kind::Uuid => "uuid",
            Kind::Boolean => "boolean",
            Kind::Enum(_, Some(sql_type)) => sql_type,
            _ => "text",
        };
        let list = self.bound(Parameter::Value(texts()), &format!("{sql_type}[]"));
        if rule.ignore_case && kind == Kind::Text {
            return format!("lower({column}) = any (array(select lower(v) from unnest({list}) v))");
        }
        format!("{column} = any ({list})")
    }

    /// Two fields as they can be compared.
    fn pair(
        &mut self,
        column: &str,
        kind: Kind,
        other: &'static Field,
        ignore_case: bool,
    ) -> (String, String) {
        let right = self.column(other).full();
        let local = |column: &str, kind: Kind| match kind {
            Kind::Timestamp => format!("({column} at time zone {ZONE})::date"),
            _ => column.to_owned(),
        };
        let text = |column: &str, kind: Kind| {
            let text = match kind {
                Kind::Enum(_, Some(_)) => format!("{column}::text"),
                _ => column.to_owned(),
            };
            if ignore_case { format!("lower({text})") } else { text }
        };
        match (kind, other.kind) {
            // A day is compared with the day that an instant falls on.
            (Kind::Date, Kind::Timestamp) | (Kind::Timestamp, Kind::Date) => {
                (local(column, kind), local(&right, other.kind))
            }
            (Kind::Text | Kind::Enum(..), _) => (text(column, kind), text(&right, other.kind)),
            _ => (column.to_owned(), right),
        }
    }
}

fn fold(rule: &Rule, kind: Kind, column: String, value: String) -> (String, String) {
    if rule.ignore_case && kind == Kind::Text {
        (format!("lower({column})"), format!("lower({value})"))
    } else {
        (column, value)
    }
}

fn compare(operator: Operator, kind: Kind, left: &str, right: &str) -> String {
    let sign = match operator {
        Operator::Contains => return format!("strpos({left}, {right}) > 0"),
        Operator::BeginsWith => return format!("starts_with({left}, {right})"),
        Operator::EndsWith => return format!("right({left}, length({right})) = {right}"),
        Operator::Less => "<",
        Operator::Greater => ">",
        Operator::LessOrEqual => "<=",
        Operator::GreaterOrEqual => ">=",
        _ => return format!("{left} = {right}"),
    };
    // By code point, whatever the collation of the database.
    let collation = if matches!(kind, Kind::Text) { " collate \"C\"" } else { "" };
    format!("{left}{collation} {sign} {right}")
}

/// Whether the value that stands for a missing row fulfils the comparison; if not, the row may as
/// well be null, which leaves an index on the column usable.
fn holds_for_absent(rule: &Rule, operator: Operator, operated: &Operated) -> bool {
    match (operated.absent, operator, &rule.operand) {
        (None, ..) => false,
        (Some("0"), _, Operand::One(Literal::Number(number))) => {
            let sign = value::sign(number);
            match operator {
                Operator::Equal => sign == 0,
                Operator::Less => sign > 0,
                Operator::LessOrEqual => sign >= 0,
                Operator::Greater => sign < 0,
                Operator::GreaterOrEqual => sign <= 0,
                _ => true,
            }
        }
        (Some("false"), Operator::Equal, Operand::One(Literal::Boolean(value))) => !value,
        _ => true,
    }
}
