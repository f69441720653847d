//! The query of `GET /crm/customers`.

use fieldcrm_core::customer::{LifecycleStage, PipelineStage, Status};
use fieldcrm_core::{Error, FieldError, Result};
use fieldcrm_edge::database::Select;
use serde_json::{Map, Value};

use fieldcrm_edge::query::{self, choice};

const COLUMNS: &str = "id,type,name,first_name,last_name,company_name,email,phone,status,\
    lifecycle_stage,pipeline_stage,source,owner_id,product_id,is_archived,created_at,updated_at";

/// What a client may ask for, and `PostgREST`'s words for it; `id` makes the order total.
const ORDERS: [(&str, &str); 5] = [
    ("created_at.desc", "created_at.desc,id.desc"),
    ("created_at.asc", "created_at.asc,id.asc"),
    ("updated_at.desc", "updated_at.desc,id.desc"),
    ("name.asc", "name.asc,id.asc"),
    ("name.desc", "name.desc,id.desc"),
];

/// What only `crm_search_customers` understands.
const SEARCHES: [&str; 4] = ["q", "tag", "segment_id", "cursor"];

/// How the list is read.
#[derive(Debug)]
pub enum List {
    /// A page of the table, in any order, by its place.
    Page(Select),
    /// A page of `crm_search_customers`, whose arguments these are.
    Search { arguments: Map<String, Value>, limit: usize },
}

/// Reads the query, or says everything that is wrong with it.
pub fn read(query: &str) -> Result<List> {
    let mut select = Select {
        table: "customers",
        columns: COLUMNS,
        order: ORDERS[0].1,
        limit: query::DEFAULT_LIMIT,
        ..Select::default()
    };
    let mut archived = "false";
    let mut search = Map::new();
    let read = query::read(query, |key, value| {
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
            "product_id" => select.equal.push(("product_id", query::uuid(value)?)),
            "segment_id" => {
                search.insert(key.to_owned(), query::uuid(value)?.into());
            }
            "q" | "tag" | "cursor" => {
                search.insert(key.to_owned(), value.into());
            }
            "archived" => archived = choice(value, ["false", "true", "any"].into_iter())?,
            "order" => {
                let asked = choice(value, ORDERS.iter().map(|(asked, _)| *asked))?;
                select.order = ORDERS.iter().find(|(one, _)| *one == asked).unwrap_or(&ORDERS[0]).1;
            }
            _ => return Err(query::unknown()),
        }
        Ok(())
    });
    let mut errors = read.err().map(|error| error.errors).unwrap_or_default();
    let searched = !search.is_empty();
    if searched && select.offset > 0 {
        let message = format!("cannot be combined with {}: use cursor", SEARCHES.join(", "));
        errors.push(FieldError::new("offset", "contradiction", message));
    }
    if searched && select.order != ORDERS[0].1 {
        let message = format!("cannot be combined with {}", SEARCHES.join(", "));
        errors.push(FieldError::new("order", "contradiction", message));
    }
    if !errors.is_empty() {
        return Err(Error::invalid(errors));
    }
    if !searched {
        if archived != "any" {
            select.equal.push(("is_archived", archived.to_owned()));
        }
        return Ok(List::Page(select));
    }
    search.extend(select.equal.into_iter().map(|(key, value)| (key.to_owned(), value.into())));
    search.insert("archived".to_owned(), archived.into());
    search.insert("page_size".to_owned(), select.limit.into());
    search.insert("count".to_owned(), select.count.into());
    Ok(List::Search { arguments: search, limit: select.limit })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn select(query: &str) -> Result<Select> {
        match read(query)? {
            List::Page(select) => Ok(select),
            List::Search { arguments, .. } => panic!("a search: {arguments:?}"),
        }
    }

    #[test]
    fn what_the_table_cannot_answer_is_a_search() {
        let segment = "0d0e0f10-0000-4000-8000-000000000001";
        let query = format!(
            "q=%2B1+415&tag=VIP&segment_id={segment}&cursor=abc&product_id={segment}&status=active\
             &archived=any&limit=7&count=exact&offset=0&order=created_at.desc"
        );
        let List::Search { arguments, limit } = read(&query).unwrap() else { panic!("a page") };
        assert_eq!(limit, 7);
        assert_eq!(
            Value::Object(arguments),
            json!({"q": "+1 415", "tag": "VIP", "segment_id": segment, "cursor": "abc",
                "product_id": segment, "status": "active", "archived": "any", "page_size": 7, "count": true})
        );
    }

    #[test]
    fn a_search_has_one_order_and_goes_on_by_cursor() {
        let error = read("q=ann&offset=50&order=name.asc&segment_id=x").unwrap_err();
        let found: Vec<_> =
            error.errors.iter().map(|one| (one.path.as_str(), one.code.as_str())).collect();
        assert_eq!(
            found,
            [
                ("segment_id", "invalid_uuid"),
                ("offset", "contradiction"),
                ("order", "contradiction")
            ]
        );
    }

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
