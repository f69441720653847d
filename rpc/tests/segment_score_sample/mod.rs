//! A job's claims and results, as the function makes them.

#![allow(dead_code, reason = "each test binary uses a part")]

use std::collections::BTreeSet;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::common::{As, Context, NORTHWIND};

pub const CSR: As = As::Northwind("csr");
pub const JOB: As = As::Dba(NORTHWIND);

pub async fn claim(context: &mut Context, who: As, batch_limit: i64) -> Value {
    let arguments = json!({"batch_limit": batch_limit, "facts": false});
    context.call(who, "crm_claim_scores", arguments).await.unwrap()
}

pub fn ids(claim: &Value) -> BTreeSet<Uuid> {
    let customers = claim["customers"].as_array().unwrap();
    customers.iter().map(|one| one["id"].as_str().unwrap().parse().unwrap()).collect()
}

/// What is built in said of the customers.
pub fn builtin(claim: &Value) -> Value {
    let customers = claim["customers"].as_array().unwrap();
    customers
        .iter()
        .map(|one| {
            let finding = &one["builtin"];
            json!({"id": one["id"], "score": finding["score"], "reason": finding["reason"]})
        })
        .collect()
}

pub async fn store(context: &mut Context, who: As, claim: &Value, results: Value) -> Value {
    let arguments = json!({"job_id": claim["job"]["id"], "lease_id": claim["lease_id"], "provider": "builtin", "results": results});
    context.call(who, "crm_store_scores", arguments).await.unwrap()
}

pub async fn job(context: &Context, job: &Value) -> Value {
    let id: Uuid = job["id"].as_str().unwrap().parse().unwrap();
    let sql = "select to_jsonb(j) from ai_jobs j where id = $1";
    context.client.query_one(sql, &[&id]).await.unwrap().get(0)
}

pub fn progress(job: &Value) -> (Option<&str>, [i64; 3]) {
    (job["status"].as_str(), ["total", "scored", "failed"].map(|name| job[name].as_i64().unwrap()))
}

pub async fn run(context: &Context, sql: &str) {
    context.client.batch_execute(sql).await.unwrap();
}

pub async fn count(context: &Context, sql: &str) -> i64 {
    context.client.query_one(&format!("select count(*) from {sql}"), &[]).await.unwrap().get(0)
}

/// Customers of the org who are the only ones not archived: every source `a`, every second one a VIP company.
pub async fn customers(context: &Context, number: i32) -> Vec<Uuid> {
    run(context, &format!("update customers set is_archived = true where org_id = '{NORTHWIND}'"))
        .await;
    let sql = "with made as (
          insert into customers (org_id, type, name, source, notes)
          select $1, 'company', 'Scored ' || n, 'a', case when n % 2 = 0 then 'vip' end from generate_series(1, $2) n returning id, name)
        select array_agg(id order by split_part(name, ' ', 2)::integer) from made";
    context.client.query_one(sql, &[&NORTHWIND, &number]).await.unwrap().get(0)
}

/// Who has the source `a` and is a VIP matches: the others have a score of 50.
pub async fn segment(context: &mut Context) -> Value {
    let rules = json!([{"field": "source", "operator": "=", "value": "a"}, {"field": "notes", "operator": "=", "value": "vip"}]);
    segment_of(context, "Scored", &rules).await
}

pub async fn segment_of(context: &mut Context, name: &str, rules: &Value) -> Value {
    let definition =
        json!({"version": 1, "entity": "customer", "query": {"combinator": "and", "rules": rules}});
    let arguments = json!({"name": name, "type": "rule_based", "definition": definition});
    context.call(CSR, "crm_create_segment", arguments).await.unwrap()["id"].take()
}

pub async fn start(context: &mut Context, segment: &Value, threshold: i64) -> Value {
    let arguments = json!({"segment_id": segment, "threshold": threshold});
    context.call(CSR, "crm_score_segment", arguments).await.unwrap()
}

/// Works until nothing is handed out.
pub async fn work(context: &mut Context) {
    loop {
        let claimed = claim(context, JOB, 500).await;
        if ids(&claimed).is_empty() {
            return;
        }
        store(context, JOB, &claimed, builtin(&claimed)).await;
    }
}

/// The members with their scores.
pub async fn members(context: &Context, segment: &Value) -> Vec<(Uuid, Option<i32>)> {
    let id: Uuid = segment.as_str().unwrap().parse().unwrap();
    let sql = "select m.customer_id, m.score::integer from crm_segment_members m join customers c on c.id = m.customer_id
         where m.segment_id = $1 order by split_part(c.name, ' ', 2)";
    let rows = context.client.query(sql, &[&id]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// As if two minutes had gone by, or longer.
pub async fn later(context: &Context) {
    run(context, "update fieldcrm.ai_job_customers set due_at = now()").await;
    run(context, "update ai_jobs set available_at = now()").await;
}
