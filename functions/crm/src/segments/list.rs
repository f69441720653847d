//! The queries of `GET /crm/segments` and of the list of members.

use fieldcrm_core::Result;
use fieldcrm_edge::database::Select;

use fieldcrm_edge::query;

const SEGMENTS: &str = "id,org_id,name,description,type,definition,ai_prompt,ai_explanation,is_active,version,\
    depends_on,last_computed_at,scored_at,created_by_user_id,created_at,updated_at";
const MEMBERS: &str = "customer_id,score,metadata,created_at,\
    customers(id,type,name,email,phone,status,lifecycle_stage,owner_id,is_archived)";

type Filters<'a> = &'a [(&'static str, &'a [&'static str])];

/// All segments, or those of a type, or those that are (not) active.
pub fn segments(query: &str) -> Result<Select> {
    read(
        query,
        ("crm_segments", SEGMENTS, "name.asc,id.asc"),
        &[("type", &["static", "rule_based", "ai_generated"]), ("is_active", &["true", "false"])],
    )
}

/// The members with their customers, the best score first.
pub fn members(query: &str) -> Result<Select> {
    read(query, ("crm_segment_members", MEMBERS, "score.desc.nullslast,customer_id.asc"), &[])
}

fn read(
    query: &str,
    (table, columns, order): (&'static str, &'static str, &'static str),
    filters: Filters<'_>,
) -> Result<Select> {
    let limit = query::DEFAULT_LIMIT;
    let mut select = Select { table, columns, order, limit, ..Select::default() };
    query::read(query, |key, value| {
        match key {
            "limit" => select.limit = query::limit(value)?,
            "offset" => select.offset = query::offset(value)?,
            "count" => select.count = query::count(value)?,
            _ => {
                let known = filters.iter().find(|(name, _)| *name == key);
                let (name, choices) = known.ok_or_else(query::unknown)?;
                let value = query::choice(value, choices.iter().copied())?;
                select.equal.push((name, value.to_owned()));
            }
        }
        Ok(())
    })?;
    Ok(select)
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
