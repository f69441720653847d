//! Queries of react-querybuilder: the SQL that it writes itself finds the same customers.
//!
//! wasm-tests/segments_querybuilder.test.mjs holds the stored SQL to what the npm package writes today.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use std::collections::BTreeSet;

use common::{As, Context, Target};
use serde_json::{Value, json};
use uuid::Uuid;

const MAKE: &str = include_str!("../../wasm-tests/testdata/segments_querybuilder.sql");
const ROWS: &str = include_str!("../../wasm-tests/testdata/segments_querybuilder_rows.sql");
const QUERIES: &str = include_str!("../../wasm-tests/testdata/segments_querybuilder.json");

async fn its_own_sql_finds_the_same_customers(target: Target) {
    let mut context = Context::start(target).await;
    let sql = "insert into orgs (name) values ('Query builder') returning id";
    let org: Uuid = context.client.query_one(sql, &[]).await.unwrap().get(0);
    context.client.query_one(MAKE, &[&org]).await.unwrap();
    let sql = "update customers c set primary_location_id = l.id from customer_locations l
        where c.org_id = $1 and l.customer_id = c.id";
    context.client.execute(sql, &[&org]).await.unwrap();
    let queries: Vec<Value> = serde_json::from_str(QUERIES).unwrap();
    assert_eq!(queries.len(), 40);
    let mut telling = 0;
    for case in queries {
        let mut condition = case["sql"].as_str().unwrap().to_owned();
        for (index, param) in case["params"].as_array().unwrap().iter().enumerate().rev() {
            let literal = match param {
                Value::String(text) => format!("'{}'", text.replace('\'', "''")),
                other => other.to_string(),
            };
            condition = condition.replace(&format!("${}", index + 1), &literal);
        }
        let rows = ROWS.replace("$1", &format!("'{org}'"));
        let sql = format!("select t.id from ({rows}) t where {condition}");
        let theirs = context.client.query(&sql, &[]).await.unwrap();
        let theirs: BTreeSet<Uuid> = theirs.iter().map(|row| row.get(0)).collect();
        let definition = json!({"version": 1, "entity": "customer", "query": case["query"]});
        let arguments = json!({"definition": definition, "sample_size": 100});
        let preview = context.call(As::Dba(org), "crm_segment_preview", arguments).await.unwrap();
        let sample = preview["sample"].as_array().unwrap().iter();
        let ours: BTreeSet<Uuid> =
            sample.map(|row| row["id"].as_str().unwrap().parse().unwrap()).collect();
        assert_eq!(ours, theirs, "{}", case["query"]);
        assert_eq!(preview["count"], ours.len());
        telling += usize::from(!ours.is_empty() && ours.len() < 80);
    }
    assert!(telling >= 38, "{telling}");
}

mod native {
    #[tokio::test]
    async fn its_own_sql_finds_the_same_customers() {
        super::its_own_sql_finds_the_same_customers(super::Target::Native).await;
    }
}

mod extension {
    #[tokio::test]
    async fn its_own_sql_finds_the_same_customers() {
        super::its_own_sql_finds_the_same_customers(super::Target::Extension).await;
    }
}
