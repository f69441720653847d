//! The query of `GET /crm/customers`.

use fieldcrm_core::Result;
use fieldcrm_core::customer::{LifecycleStage, PipelineStage, Status};
use fieldcrm_edge::database::Select;

use crate::query::{self, choice};

const COLUMNS: &str = "id,type,name,first_name,last_name,company_name,email,phone,status,\
    lifecycle_stage,pipeline_stage,source,owner_id,is_archived,created_at,updated_at";

/// What a client may ask for, and `PostgREST`'s words for it; `id` makes the order total.
const ORDERS: [(&str, &str); 5] = [
    ("created_at.desc", "created_at.desc,id.desc"),
    ("created_at.asc", "created_at.asc,id.asc"),
    ("updated_at.desc", "updated_at.desc,id.desc"),
    ("name.asc", "name.asc,id.asc"),
    ("name.desc", "name.desc,id.desc"),
];

/// Reads the query, or says everything that is wrong with it.
pub fn select(query: &str) -> Result<Select> {
    let mut select = Select {
        table: "customers",
        columns: COLUMNS,
        order: ORDERS[0].1,
        limit: query::DEFAULT_LIMIT,
        ..Select::default()
    };
    let mut archived = Some("false");
    query::read(query, |key, value| {
        match key {
            "limit" => select.limit = query::limit(value)?,
            "offset" => select.offset = query::offset(value)?,
            "count" => select.count = query::count(value)?,
            "status" => {
                let status = choice(value, Status::ALL.iter().map(|one| one.as_str()))?;
                select.equal.push(("status", status.to_owned()));
            }
            "lifecycle_stage" => {
                let stage = choice(value, LifecycleStage::ALL.iter().map(|one| one.as_str()))?;
                select.equal.push(("lifecycle_stage", stage.to_owned()));
            }
            "pipeline_stage" => {
                let stage = choice(value, PipelineStage::ALL.iter().map(|one| one.as_str()))?;
                select.equal.push(("pipeline_stage", stage.to_owned()));
            }
            "owner_id" => select.equal.push(("owner_id", query::uuid(value)?)),
            "archived" => {
                let which = choice(value, ["false", "true", "any"].into_iter())?;
                archived = Some(which).filter(|which| *which != "any");
            }
            "order" => {
                let asked = choice(value, ORDERS.iter().map(|(asked, _)| *asked))?;
                select.order = ORDERS.iter().find(|(one, _)| *one == asked).unwrap_or(&ORDERS[0]).1;
            }
            _ => return Err(query::unknown()),
        }
        Ok(())
    })?;
    select.equal.extend(archived.map(|archived| ("is_archived", archived.to_owned())));
    Ok(select)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_query_is_the_newest_fifty_that_are_not_archived() {
        let select = select("").unwrap();
        assert_eq!((select.limit, select.offset, select.count), (50, 0, false));
        assert_eq!(select.order, "created_at.desc,id.desc");
        assert_eq!(select.equal, [("is_archived", "false".to_owned())]);
    }

    #[test]
    fn every_parameter_is_read() {
        let owner = "0d0e0f10-0000-4000-8000-000000000001";
        let query = format!(
            "limit=100&offset=200&status=active&lifecycle_stage=customer&pipeline_stage=closed_won\
             &owner_id={owner}&archived=any&order=name.asc&count=exact"
        );
        let select = select(&query).unwrap();
        assert_eq!((select.limit, select.offset, select.count), (100, 200, true));
        assert_eq!(select.order, "name.asc,id.asc");
        assert_eq!(
            select.equal,
            [
                ("status", "active".to_owned()),
                ("lifecycle_stage", "customer".to_owned()),
                ("pipeline_stage", "closed_won".to_owned()),
                ("owner_id", owner.to_owned()),
            ]
        );
    }

    #[test]
    fn everything_wrong_is_said_at_once() {
        let error = select(
            "limit=101&offset=-1&status=Active&owner_id=me&archived=yes&order=email.asc&count=all\
             &name=eq.x&limit=5&select=*",
        )
        .unwrap_err();
        let found: Vec<_> =
            error.errors.iter().map(|one| (one.path.as_str(), one.code.as_str())).collect();
        assert_eq!(
            found,
            [
                ("limit", "out_of_range"),
                ("offset", "out_of_range"),
                ("status", "invalid_value"),
                ("owner_id", "invalid_uuid"),
                ("archived", "invalid_value"),
                ("order", "invalid_value"),
                ("count", "invalid_value"),
                ("name", "unknown_field"),
                ("limit", "duplicate_field"),
                ("select", "unknown_field"),
            ]
        );
    }
}
