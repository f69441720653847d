//! Scores that do not come, on both drivers: of a model that is down, of rules that fail, of customers who are given up.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;
mod segment_score_sample;

use common::{Context, NORTHWIND};
use segment_score_sample::{
    CSR, JOB, builtin, claim, count, customers, ids, job, later, members, progress, run, segment,
    segment_of, start, store, work,
};
use serde_json::{Value, json};
use uuid::Uuid;

scenarios! {
    what_fails_is_tried_again_and_given_up_at_the_fifth_time_and_stays_what_it_was
    a_job_waits_for_its_model_and_no_customer_is_given_up
    one_outage_is_counted_once_and_what_was_scored_beside_it_stays
    long_texts_and_many_rules_are_scored
    rules_that_cannot_be_evaluated_end_their_job_and_no_other
    other_rules_end_the_job
}

/// That the model does not answer about any of the claim.
fn down(claim: &Value) -> Value {
    ids(claim).iter().map(|id| json!({"id": id, "error": "down", "unavailable": true})).collect()
}

/// How many minutes the job waits.
async fn waits(context: &Context, made: &Value) -> i64 {
    let id: Uuid = made["id"].as_str().unwrap().parse().unwrap();
    let sql =
        "select (extract(epoch from available_at - now()) / 60)::bigint from ai_jobs where id = $1";
    context.client.query_one(sql, &[&id]).await.unwrap().get(0)
}

async fn what_fails_is_tried_again_and_given_up_at_the_fifth_time_and_stays_what_it_was(
    context: &mut Context,
) {
    let customers = customers(context, 2).await;
    let segment = segment(context).await;
    let made = start(context, &segment, 0).await;
    for round in 1..=5 {
        later(context).await;
        let claimed = claim(context, JOB, 10).await;
        let results: Value =
            ids(&claimed).iter().map(|id| json!({"id": id, "error": "busy"})).collect();
        let stored = store(context, JOB, &claimed, results).await;
        let (failed, dead) = if round == 5 { (0, 2) } else { (2, 0) };
        assert_eq!(
            stored,
            json!({"stored": 0, "failed": failed, "dead": dead, "finished": round == 5})
        );
        assert!(round == 5 || ids(&claim(context, JOB, 10).await).is_empty(), "later");
    }
    let failed = job(context, &made).await;
    assert_eq!(progress(&failed), (Some("failed"), [2, 0, 2]));
    assert_eq!(failed["error_code"], "nothing_scored");
    assert_eq!(members(context, &segment).await, [(customers[1], None)], "as the rules said");
    let scored = "crm_segments where scored_at is not null";
    assert_eq!(count(context, scored).await, 0, "and the rules still say it");
    let made = start(context, &segment, 0).await;
    for _ in 1..=5 {
        later(context).await;
        assert_eq!(ids(&claim(context, JOB, 10).await).len(), 2);
    }
    later(context).await;
    let ended = claim(context, JOB, 10).await;
    assert_eq!((&ended["dead"], &ended["job"]["status"]), (&json!(2), &json!("failed")));
    assert_eq!(progress(&job(context, &made).await), (Some("failed"), [2, 0, 2]));
    // Of one of two it is known.
    let made = start(context, &segment, 60).await;
    let mut results = builtin(&claim(context, JOB, 1).await);
    let kept = results[0]["id"].clone();
    for _ in 1..=5 {
        later(context).await;
        let claimed = claim(context, JOB, 2).await;
        results = builtin(&claimed);
        for one in results.as_array_mut().unwrap() {
            if one["id"] != kept {
                *one = json!({"id": one["id"], "error": "busy"});
            }
        }
        store(context, JOB, &claimed, results).await;
    }
    assert_eq!(progress(&job(context, &made).await), (Some("done"), [2, 1, 1]));
}

async fn a_job_waits_for_its_model_and_no_customer_is_given_up(context: &mut Context) {
    customers(context, 2).await;
    let segment = segment(context).await;
    let made = start(context, &segment, 0).await;
    let mut waited = Vec::new();
    for _ in 0..8 {
        run(context, "update ai_jobs set available_at = now()").await;
        let claimed = claim(context, JOB, 10).await;
        assert_eq!(ids(&claimed).len(), 2);
        let results = down(&claimed);
        let stored = store(context, JOB, &claimed, results).await;
        assert_eq!(stored, json!({"stored": 0, "failed": 2, "dead": 0, "finished": false}));
        assert_eq!(claim(context, JOB, 10).await["job"], Value::Null, "the job waits");
        waited.push(waits(context, &made).await);
    }
    assert_eq!(waited, [2, 4, 8, 16, 32, 60, 60, 60]);
    assert_eq!(progress(&job(context, &made).await), (Some("running"), [2, 0, 0]));
    later(context).await;
    work(context).await;
    let done = job(context, &made).await;
    assert_eq!(progress(&done), (Some("done"), [2, 2, 0]));
    assert_eq!(done["outages"], 0, "it is over");
}

async fn one_outage_is_counted_once_and_what_was_scored_beside_it_stays(context: &mut Context) {
    customers(context, 6).await;
    let segment = segment(context).await;
    let made = start(context, &segment, 0).await;
    let claimed = claim(context, JOB, 6).await;
    for part in down(&claimed).as_array().unwrap()[..4].chunks(2) {
        store(context, JOB, &claimed, json!(part)).await;
    }
    assert_eq!(
        (waits(context, &made).await, job(context, &made).await["outages"].clone()),
        (2, json!(1))
    );
    let last: Vec<_> = ids(&claimed).into_iter().skip(4).map(|id| json!(id)).collect();
    let mut results = builtin(&claimed);
    results.as_array_mut().unwrap().retain(|one| last.contains(&one["id"]));
    store(context, JOB, &claimed, results).await;
    assert_eq!(progress(&job(context, &made).await), (Some("running"), [6, 2, 0]));
    assert_eq!(claim(context, JOB, 6).await["job"], Value::Null, "it waits none the less");
}

async fn long_texts_and_many_rules_are_scored(context: &mut Context) {
    customers(context, 150).await;
    let notes = format!(
        "update customers set notes = repeat('x', 20000) where org_id = '{NORTHWIND}' and not is_archived"
    );
    run(context, &notes).await;
    let rules: Vec<_> = (0..100)
        .map(|n| json!({"field": "notes", "operator": "contains", "value": format!("word {n}")}))
        .collect();
    let segment = segment_of(context, "Long", &json!(rules)).await;
    start(context, &segment, 0).await;
    assert_eq!(ids(&claim(context, JOB, 500).await).len(), 150);
}

async fn rules_that_cannot_be_evaluated_end_their_job_and_no_other(context: &mut Context) {
    customers(context, 2).await;
    let late = json!({"mode": "relative", "anchor": "now", "offset": 100, "unit": "year"});
    let rules = json!([{"field": "created_at", "operator": "<", "value": late}]);
    let broken = segment_of(context, "Broken", &rules).await;
    let made = start(context, &broken, 0).await;
    // A hundred years later is no time that Postgres knows.
    run(context, "update ai_jobs set created_at = '294276-01-01'").await;
    let claimed = claim(context, JOB, 10).await;
    assert_eq!((&claimed["lease_id"], &claimed["job"]["id"]), (&Value::Null, &made["id"]));
    let failed = job(context, &made).await;
    assert_eq!(
        (&failed["status"], &failed["error_code"]),
        (&json!("failed"), &json!("evaluation_failed"))
    );
    assert_eq!(count(context, "fieldcrm.ai_job_customers").await, 0, "nobody waits");
    let segment = segment(context).await;
    start(context, &segment, 0).await;
    assert_eq!(ids(&claim(context, JOB, 10).await).len(), 2);
}

async fn other_rules_end_the_job(context: &mut Context) {
    customers(context, 2).await;
    let segment = segment(context).await;
    let rules = |value: &str| {
        let rule = json!({"field": "source", "operator": "=", "value": value});
        json!({"definition": {"version": 1, "entity": "customer", "query": {"combinator": "and", "rules": [rule]}}})
    };
    for (claims_first, source) in [(false, "b"), (true, "c")] {
        let made = start(context, &segment, 0).await;
        let claimed = if claims_first { Some(claim(context, JOB, 10).await) } else { None };
        let update = json!({"id": segment, "patch": rules(source)});
        context.call(CSR, "crm_update_segment", update).await.unwrap();
        match claimed {
            Some(claimed) => drop(store(context, JOB, &claimed, builtin(&claimed)).await),
            None => assert!(ids(&claim(context, JOB, 10).await).is_empty()),
        }
        let failed = job(context, &made).await;
        assert_eq!(
            (&failed["status"], &failed["error_code"]),
            (&json!("failed"), &json!("segment_changed"))
        );
        assert!(members(context, &segment).await.is_empty(), "as the new rules say");
    }
}
