//! Conditions about what a customer has any number of: tags, segments, related rows.

use serde_json::json;

use super::{Compiler, ORG, Operated};
use crate::segment::catalogue::{Entity, Field, Kind};
use crate::segment::definition::{Function, Group, Match, Operand, Rule};
use crate::segment::operator::Operator;
use crate::segment::statement::Parameter;

impl Compiler {
    pub(super) fn tags(&mut self, rule: &Rule) -> (String, String) {
        let tagged = format!(
            "from public.crm_customer_tags x where x.org_id = {ORG} and x.customer_id = c.id"
        );
        let actual = format!(
            "(select coalesce(jsonb_agg(t.name order by t.name_key), '[]') from public.crm_customer_tags x\n\
             join public.crm_tags t on t.org_id = x.org_id and t.id = x.tag_id where x.org_id = {ORG} and x.customer_id = c.id)"
        );
        let condition = match &rule.operand {
            Operand::Names(names) => {
                let all = rule.operator == Operator::ContainsAll;
                let item = json!({"as": "tags", "of": names, "all": all});
                let ids = self.bound(Parameter::Resolve(item), "uuid[]");
                let any = format!("exists (select {tagged} and x.tag_id = any ({ids}))");
                match rule.operator {
                    Operator::ContainsAll => format!(
                        "((select count(*) {tagged} and x.tag_id = any ({ids})) = cardinality({ids}))"
                    ),
                    Operator::ContainsNone | Operator::NotIn => {
                        // No tag at all is the missing value of this field.
                        let some = format!(" and exists (select {tagged})");
                        let some = if rule.include_empty { "" } else { &some };
                        format!("(not {any}{some})")
                    }
                    _ => any,
                }
            }
            _ if rule.operator == Operator::Null => format!("not exists (select {tagged})"),
            _ => format!("exists (select {tagged})"),
        };
        (condition, actual)
    }

    pub(super) fn segments(&mut self, rule: &Rule) -> (String, String) {
        let joined = format!(
            "from public.crm_segment_members x where x.org_id = {ORG} and x.customer_id = c.id"
        );
        let actual = format!(
            "(select coalesce(jsonb_agg(s.name order by s.name), '[]') from public.crm_segment_members x\n\
             join public.crm_segments s on s.org_id = x.org_id and s.id = x.segment_id where x.org_id = {ORG} and x.customer_id = c.id)"
        );
        let Operand::Names(names) = &rule.operand else { return ("false".to_owned(), actual) };
        let item = json!({"as": "segments", "of": names});
        let ids = self.bound(Parameter::Resolve(item), "uuid[]");
        let not = if rule.operator == Operator::NotIn { "not " } else { "" };
        (format!("{not}exists (select {joined} and x.segment_id = any ({ids}))"), actual)
    }

    /// `from … where …` for the related rows, and the filter's condition.
    fn rows(&mut self, entity: &'static Entity, filter: Option<&Group>) -> (String, String) {
        let from =
            format!("from {} x where x.org_id = {ORG} and x.customer_id = c.id", entity.table);
        let condition =
            filter.map_or_else(|| "true".to_owned(), |group| self.group(group, Some(entity)));
        (from, condition)
    }

    pub(super) fn related(
        &mut self,
        entity: &'static Entity,
        matching: Match,
        filter: Option<&Group>,
    ) -> (String, String) {
        let (from, filter) = self.rows(entity, filter);
        let counted = |compiler: &mut Self, count: u32, relation: &str, more: u32| {
            let limit = compiler.element((u64::from(count) + u64::from(more)).to_string());
            let count = compiler.element(count.to_string());
            format!(
                "((select count(*) from (select {from} and {filter} limit {limit}::bigint) y) {relation} {count}::bigint)"
            )
        };
        let condition = match matching {
            Match::Some | Match::AtLeast(1) => format!("exists (select {from} and {filter})"),
            Match::None | Match::AtMost(0) | Match::Exactly(0) => {
                format!("not exists (select {from} and {filter})")
            }
            Match::All => format!("not exists (select {from} and ({filter}) is not true)"),
            Match::AtLeast(count) => counted(self, count, ">=", 0),
            Match::AtMost(count) => counted(self, count, "<=", 1),
            Match::Exactly(count) => counted(self, count, "=", 1),
        };
        (condition, format!("(select to_jsonb(count(*)) {from} and {filter})"))
    }

    pub(super) fn aggregate(
        &mut self,
        rule: &Rule,
        entity: &'static Entity,
        function: Function,
        column: Option<&'static Field>,
        filter: Option<&Group>,
    ) -> (String, String) {
        let (from, filter) = self.rows(entity, filter);
        let column = column.map_or("*", |field| field.sql);
        let figure = match function {
            Function::Sum => format!("coalesce(sum({column}), 0)"),
            Function::Count | Function::Avg | Function::Min | Function::Max => {
                format!("{}({column})", function.as_str())
            }
        };
        let kind = rule.subject.kind().unwrap_or(Kind::Number);
        let operated = Operated { sql: "y.v".to_owned(), kind, absent: None };
        let condition = self.comparison(rule, &operated);
        let figure = format!("(select {figure} as v {from} and {filter}) y");
        (
            format!("(select {condition} from {figure})"),
            format!("(select to_jsonb(y.v) from {figure})"),
        )
    }
}
