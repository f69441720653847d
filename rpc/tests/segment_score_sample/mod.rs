//! A job's claims and results, as the function makes them.

#![allow(dead_code, reason = "each test binary uses a part")]

use std::collections::BTreeSet;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::common::{As, Context};

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
