//! The queries of `GET /crm/segments` and of the list of members.

use fieldcrm_core::{Error, FieldError, Result};
use fieldcrm_edge::database::Select;

const SEGMENTS: &str = "id,name,description,type,definition,ai_prompt,ai_explanation,is_active,version,\
    depends_on,last_computed_at,created_by_user_id,created_at,updated_at";
const MEMBERS: &str = "customer_id,score,metadata,created_at,\
    customers(id,type,name,email,phone,status,lifecycle_stage,owner_id,is_archived)";

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 100;

/// All segments, or those of a type, or those that are (not) active.
pub fn segments(query: &str) -> Result<Select> {
    let select = select("crm_segments", SEGMENTS, "name.asc,id.asc");
    read(
        query,
        select,
        &[("type", &["static", "rule_based", "ai_generated"]), ("is_active", &["true", "false"])],
    )
}

/// The members with their customers, the best score first.
pub fn members(query: &str) -> Result<Select> {
    let order = "score.desc.nullslast,customer_id.asc";
    read(query, select("crm_segment_members", MEMBERS, order), &[])
}

fn select(table: &'static str, columns: &'static str, order: &'static str) -> Select {
    let limit = DEFAULT_LIMIT;
    Select { table, columns, equal: Vec::new(), order, limit, offset: 0, count: false }
}

fn read(query: &str, mut select: Select, filters: &[(&'static str, &[&str])]) -> Result<Select> {
    let mut seen = Vec::new();
    let mut errors = Vec::new();
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        let mut refuse = |code, message: String| {
            errors.push(FieldError::new(key.clone(), code, message));
        };
        let number = |least: usize, most: usize| {
            value.parse().ok().filter(|number| (least..=most).contains(number))
        };
        if seen.contains(&key) {
            refuse("duplicate_field", "can be given once".to_owned());
            continue;
        }
        match key.as_ref() {
            "limit" => match number(1, MAX_LIMIT) {
                Some(limit) => select.limit = limit,
                None => refuse("out_of_range", format!("expected a number from 1 to {MAX_LIMIT}")),
            },
            "offset" => match number(0, i32::MAX as usize) {
                Some(offset) => select.offset = offset,
                None => refuse("out_of_range", "expected a number from 0".to_owned()),
            },
            "count" => match value.as_ref() {
                "none" => {}
                "exact" => select.count = true,
                _ => refuse("invalid_value", "expected one of none, exact".to_owned()),
            },
            _ => match filters.iter().find(|(name, _)| *name == key) {
                Some((name, choices)) if choices.contains(&value.as_ref()) => {
                    select.equal.push((name, value.into_owned()));
                }
                Some((_, choices)) => {
                    refuse("invalid_value", format!("expected one of {}", choices.join(", ")));
                }
                None => refuse("unknown_field", "is not a parameter of this list".to_owned()),
            },
        }
        seen.push(key);
    }
    if errors.is_empty() { Ok(select) } else { Err(Error::invalid(errors)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_is_read_and_everything_wrong_is_said_at_once() {
        let select = segments("limit=10&offset=20&type=static&is_active=true&count=exact").unwrap();
        assert_eq!((select.limit, select.offset, select.count), (10, 20, true));
        assert_eq!(select.equal, [("type", "static".to_owned()), ("is_active", "true".to_owned())]);
        let error = members("limit=0&offset=x&type=static&count=all&limit=5").unwrap_err();
        let found: Vec<_> =
            error.errors.iter().map(|one| (one.path.as_str(), one.code.as_str())).collect();
        assert_eq!(
            found,
            [
                ("limit", "out_of_range"),
                ("offset", "out_of_range"),
                ("type", "unknown_field"),
                ("count", "invalid_value"),
                ("limit", "duplicate_field"),
            ]
        );
    }
}
