//! Scores of a segment's customers, on both drivers: who gets whom, what is stored once, and what comes of it.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;
mod segment_score_sample;

use std::collections::BTreeSet;

use common::{As, Context, NORTHWIND, VOLT};
use fieldcrm_core::Code;
use segment_score_sample::{builtin, claim, count, ids, job, progress, run, store};
use serde_json::{Value, json};
use uuid::Uuid;

const CSR: As = As::Northwind("csr");
const JOB: As = As::Dba(NORTHWIND);
const OTHER_JOB: As = As::Dba(VOLT);

scenarios! {
    the_builtin_scores_by_the_rules_and_says_why
    the_scores_become_the_members_and_events_are_of_the_difference
    only_who_matches_is_scored_where_that_is_asked
    a_scored_segment_keeps_its_members_until_it_is_recomputed
    a_lost_claim_comes_back_and_its_late_results_are_not_taken
    what_fails_is_tried_again_and_given_up_at_the_fifth_time_and_stays_what_it_was
    a_job_waits_for_its_model_and_no_customer_is_given_up
    one_outage_is_counted_once_and_what_was_scored_beside_it_stays
    progress_is_exact_at_each_step
    a_canceled_job_hands_nothing_out_and_stores_nothing
    long_texts_and_many_rules_are_scored
    rules_that_cannot_be_evaluated_end_their_job_and_no_other
    a_segment_has_one_unfinished_job_and_a_repeated_request_the_same
    other_rules_end_the_job
    a_segment_without_rules_is_refused
    who_was_deleted_erased_or_merged_is_not_scored
    who_is_closed_is_no_member_where_archived_ones_are
    who_was_archived_meanwhile_is_no_member_unless_the_rules_ask_for_archived_ones
    a_job_of_another_org_is_not_there
    a_model_is_told_facts_and_no_names
    only_back_ends_claim_and_store
    a_wrong_argument_is_named
}

/// Customers of the org who are the only ones not archived: every source `a`, every second one a VIP company.
async fn customers(context: &Context, number: i32) -> Vec<Uuid> {
    run(context, &format!("update customers set is_archived = true where org_id = '{NORTHWIND}'"))
        .await;
    let sql = "with made as (
          insert into customers (org_id, type, name, source, notes)
          select $1, 'company', 'Scored ' || n, 'a', case when n % 2 = 0 then 'vip' end from generate_series(1, $2) n returning id, name)
        select array_agg(id order by split_part(name, ' ', 2)::integer) from made";
    context.client.query_one(sql, &[&NORTHWIND, &number]).await.unwrap().get(0)
}

/// Who has the source `a` and is a VIP matches: the others have a score of 50.
async fn segment(context: &mut Context) -> Value {
    let rules = json!([{"field": "source", "operator": "=", "value": "a"}, {"field": "notes", "operator": "=", "value": "vip"}]);
    segment_of(context, "Scored", &rules).await
}

async fn segment_of(context: &mut Context, name: &str, rules: &Value) -> Value {
    let definition =
        json!({"version": 1, "entity": "customer", "query": {"combinator": "and", "rules": rules}});
    let arguments = json!({"name": name, "type": "rule_based", "definition": definition});
    context.call(CSR, "crm_create_segment", arguments).await.unwrap()["id"].take()
}

async fn start(context: &mut Context, segment: &Value, threshold: i64) -> Value {
    let arguments = json!({"segment_id": segment, "threshold": threshold});
    context.call(CSR, "crm_score_segment", arguments).await.unwrap()
}

/// Works until nothing is handed out.
async fn work(context: &mut Context) {
    loop {
        let claimed = claim(context, JOB, 500).await;
        if ids(&claimed).is_empty() {
            return;
        }
        store(context, JOB, &claimed, builtin(&claimed)).await;
    }
}

/// The members with their scores.
async fn members(context: &Context, segment: &Value) -> Vec<(Uuid, Option<i32>)> {
    let id: Uuid = segment.as_str().unwrap().parse().unwrap();
    let sql = "select m.customer_id, m.score::integer from crm_segment_members m join customers c on c.id = m.customer_id
         where m.segment_id = $1 order by split_part(c.name, ' ', 2)";
    let rows = context.client.query(sql, &[&id]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

async fn events(context: &Context, segment: &Value, kind: &str) -> i64 {
    let segment = segment.as_str().unwrap();
    let sql = format!(
        "crm_events where event_type = 'segment_{kind}' and payload ->> 'segment_id' = '{segment}'"
    );
    count(context, &sql).await
}

/// As if two minutes had gone by, or longer.
async fn later(context: &Context) {
    run(context, "update fieldcrm.ai_job_customers set due_at = now()").await;
    run(context, "update ai_jobs set available_at = now()").await;
}

async fn the_builtin_scores_by_the_rules_and_says_why(context: &mut Context) {
    let customers = customers(context, 2).await;
    let segment = segment(context).await;
    let made = start(context, &segment, 50).await;
    assert_eq!(progress(&made), (Some("queued"), [2, 0, 0]));
    let claimed = claim(context, JOB, 10).await;
    assert_eq!(claimed["job"]["id"], made["id"]);
    let said = claimed["customers"].as_array().unwrap();
    let of = |id: Uuid| said.iter().find(|one| one["id"] == json!(id)).unwrap()["builtin"].clone();
    assert_eq!(
        of(customers[0]),
        json!({"score": 50, "reason": "Met: source is \"a\". Not met: notes is \"vip\"."})
    );
    assert_eq!(
        of(customers[1]),
        json!({"score": 100, "reason": "Met: source is \"a\"; notes is \"vip\"."})
    );
    assert!(said[0].get("facts").is_none(), "nobody asked");
}

async fn the_scores_become_the_members_and_events_are_of_the_difference(context: &mut Context) {
    let customers = customers(context, 6).await;
    let segment = segment(context).await;
    assert_eq!(events(context, &segment, "entered").await, 3);
    let made = start(context, &segment, 50).await;
    work(context).await;
    let expected: Vec<_> = customers
        .iter()
        .zip([50, 100].into_iter().cycle())
        .map(|(id, score)| (*id, Some(score)))
        .collect();
    assert_eq!(members(context, &segment).await, expected);
    assert_eq!(events(context, &segment, "entered").await, 6, "three more");
    assert_eq!(events(context, &segment, "left").await, 0);
    let done = job(context, &made).await;
    assert_eq!(progress(&done), (Some("done"), [6, 6, 0]));
    assert_eq!((&done["provider"], &done["model"]), (&json!("builtin"), &Value::Null));
    let metadata: Value = context
        .client
        .query_one(
            "select metadata from crm_segment_members where customer_id = $1 and score is not null",
            &[&customers[1]],
        )
        .await
        .unwrap()
        .get(0);
    let reason = "Met: source is \"a\"; notes is \"vip\".";
    assert_eq!(metadata, json!({"job_id": made["id"], "reason": reason, "provider": "builtin"}));
    start(context, &segment, 51).await;
    work(context).await;
    assert_eq!(members(context, &segment).await.len(), 3);
    assert_eq!(events(context, &segment, "left").await, 3);
    assert_eq!(count(context, "fieldcrm.ai_job_customers").await, 0, "nothing is left");
}

async fn only_who_matches_is_scored_where_that_is_asked(context: &mut Context) {
    customers(context, 4).await;
    let segment = segment(context).await;
    let arguments = json!({"segment_id": segment, "only_matching": true});
    let made = context.call(CSR, "crm_score_segment", arguments).await.unwrap();
    assert_eq!(made["total"], 2);
    assert_eq!((&made["threshold"], &made["only_matching"]), (&json!(50), &json!(true)));
    work(context).await;
    assert_eq!(job(context, &made).await["status"], "done");
}

async fn a_scored_segment_keeps_its_members_until_it_is_recomputed(context: &mut Context) {
    let customers = customers(context, 4).await;
    let segment = segment(context).await;
    start(context, &segment, 0).await;
    work(context).await;
    run(context, "update crm_segments set recompute_at = now()").await;
    let due = context.call(JOB, "crm_recompute_due_segments", json!({})).await.unwrap();
    let due = due["segments"].as_array().unwrap();
    assert!(due.iter().all(|one| one["segment_id"] != segment), "the clock leaves it alone");
    assert_eq!(members(context, &segment).await.len(), 4);
    let arguments = json!({"segment_id": segment, "customer_id": customers[0]});
    let matches = context.call(CSR, "crm_segment_matches", arguments.clone()).await.unwrap();
    assert_eq!(matches, json!({"matches": true}), "by its score");
    context.call(CSR, "crm_recompute_segment", json!({"id": segment})).await.unwrap();
    assert_eq!(members(context, &segment).await, [(customers[1], None), (customers[3], None)]);
    let matches = context.call(CSR, "crm_segment_matches", arguments).await.unwrap();
    assert_eq!(matches, json!({"matches": false}));
    run(context, "update crm_segments set recompute_at = now()").await;
    let due = context.call(JOB, "crm_recompute_due_segments", json!({})).await.unwrap();
    let due = due["segments"].as_array().unwrap();
    assert!(due.iter().any(|one| one["segment_id"] == segment));
}

async fn a_lost_claim_comes_back_and_its_late_results_are_not_taken(context: &mut Context) {
    customers(context, 2).await;
    let segment = segment(context).await;
    let made = start(context, &segment, 0).await;
    let lost = claim(context, JOB, 10).await;
    assert_eq!(ids(&lost).len(), 2);
    assert!(ids(&claim(context, JOB, 10).await).is_empty(), "they are leased");
    later(context).await;
    let second = claim(context, JOB, 10).await;
    assert_eq!(ids(&second), ids(&lost));
    let late: Value =
        ids(&lost).iter().map(|id| json!({"id": id, "score": 7, "reason": "late"})).collect();
    assert_eq!(store(context, JOB, &lost, late).await["stored"], 0);
    let stored = store(context, JOB, &second, builtin(&second)).await;
    assert_eq!(stored, json!({"stored": 2, "failed": 0, "dead": 0, "finished": true}));
    let again = store(context, JOB, &second, builtin(&second)).await;
    assert_eq!(again, json!({"stored": 0, "failed": 0, "dead": 0, "finished": false}));
    assert_eq!(progress(&job(context, &made).await), (Some("done"), [2, 2, 0]));
    assert!(members(context, &segment).await.iter().all(|(_, score)| *score != Some(7)));
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

async fn progress_is_exact_at_each_step(context: &mut Context) {
    customers(context, 10).await;
    let segment = segment(context).await;
    let made = start(context, &segment, 0).await;
    for round in 1..=5 {
        let claimed = claim(context, JOB, 2).await;
        assert_eq!(progress(&claimed["job"]), (Some("running"), [10, 2 * round - 2, 0]));
        store(context, JOB, &claimed, builtin(&claimed)).await;
        let status = if round == 5 { "done" } else { "running" };
        assert_eq!(progress(&job(context, &made).await), (Some(status), [10, 2 * round, 0]));
    }
    let nothing = claim(context, JOB, 2).await;
    assert_eq!(nothing["job"], Value::Null);
}

async fn a_canceled_job_hands_nothing_out_and_stores_nothing(context: &mut Context) {
    customers(context, 4).await;
    let segment = segment(context).await;
    let before = members(context, &segment).await;
    let made = start(context, &segment, 0).await;
    let claimed = claim(context, JOB, 2).await;
    let key = json!({"job_id": made["id"]});
    let canceled = context.call(CSR, "crm_cancel_ai_job", key.clone()).await.unwrap();
    assert_eq!(progress(&canceled), (Some("canceled"), [4, 0, 0]));
    assert_eq!(store(context, JOB, &claimed, builtin(&claimed)).await["stored"], 0);
    assert_eq!(claim(context, JOB, 2).await["job"], Value::Null);
    assert_eq!(progress(&job(context, &made).await), (Some("canceled"), [4, 0, 0]));
    assert_eq!(members(context, &segment).await, before);
    context.refused(CSR, "crm_cancel_ai_job", key, Code::WrongState).await;
    start(context, &segment, 0).await;
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

async fn a_segment_has_one_unfinished_job_and_a_repeated_request_the_same(context: &mut Context) {
    customers(context, 2).await;
    let segment = segment(context).await;
    let arguments = json!({"segment_id": segment, "idempotency_key": "once"});
    let made = context.call(CSR, "crm_score_segment", arguments.clone()).await.unwrap();
    let again = context.call(CSR, "crm_score_segment", arguments).await.unwrap();
    assert_eq!(made, again);
    let another = json!({"segment_id": segment});
    context.refused(CSR, "crm_score_segment", another, Code::Conflict).await;
    assert_eq!(count(context, "ai_jobs").await, 1);
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

async fn a_segment_without_rules_is_refused(context: &mut Context) {
    let arguments = json!({"name": "By hand", "type": "static"});
    let by_hand = context.call(CSR, "crm_create_segment", arguments).await.unwrap();
    let arguments = json!({"segment_id": by_hand["id"]});
    context.refused(CSR, "crm_score_segment", arguments, Code::RuleBroken).await;
    let unknown = json!({"segment_id": Uuid::nil()});
    context.refused(CSR, "crm_score_segment", unknown, Code::NotFound).await;
}

async fn who_was_deleted_erased_or_merged_is_not_scored(context: &mut Context) {
    let customers = customers(context, 5).await;
    let segment = segment(context).await;
    let made = start(context, &segment, 0).await;
    let claimed = claim(context, JOB, 5).await;
    run(context, &format!("delete from customers where id = '{}'", customers[0])).await;
    let erase = json!({"id": customers[1], "reason": "asked"});
    let admin = As::Northwind("admin");
    context.call(admin, "crm_erase_customer", erase).await.unwrap();
    let merge = json!({"id": customers[2], "duplicate_id": customers[3]});
    context.call(As::Northwind("manager"), "crm_merge_customers", merge).await.unwrap();
    let stored = store(context, JOB, &claimed, builtin(&claimed)).await;
    assert_eq!(stored, json!({"stored": 2, "failed": 0, "dead": 0, "finished": true}));
    assert_eq!(progress(&job(context, &made).await), (Some("done"), [5, 2, 0]));
    let left: BTreeSet<_> = members(context, &segment).await.into_iter().map(|one| one.0).collect();
    assert_eq!(left, BTreeSet::from([customers[2], customers[4]]));
    // Where all who are left go, nobody stores anything: the next claim ends it.
    let made = start(context, &segment, 0).await;
    run(
        context,
        &format!("delete from customers where id in ('{}', '{}')", customers[2], customers[4]),
    )
    .await;
    assert_eq!(claim(context, JOB, 5).await["job"]["status"], "done");
    assert_eq!(progress(&job(context, &made).await), (Some("done"), [2, 0, 0]));
}

async fn who_is_closed_is_no_member_where_archived_ones_are(context: &mut Context) {
    let customers = customers(context, 3).await;
    let manager = As::Northwind("manager");
    let merge =
        |of: usize, into: usize| json!({"id": customers[into], "duplicate_id": customers[of]});
    context.call(manager, "crm_merge_customers", merge(0, 2)).await.unwrap();
    let rule = json!({"field": "is_archived", "operator": "notNull"});
    let definition = json!({"version": 1, "entity": "customer", "query": {"combinator": "and", "rules": [rule]}});
    let arguments = json!({"name": "All", "type": "ai_generated", "ai_prompt": "All"});
    let segment = context.call(CSR, "crm_create_segment", arguments).await.unwrap()["id"].take();
    let sql = "update crm_segments set definition = $1 where id = $2";
    let id: Uuid = segment.as_str().unwrap().parse().unwrap();
    context.client.execute(sql, &[&definition, &id]).await.unwrap();
    let made = start(context, &segment, 0).await;
    let claimed = claim(context, JOB, 500).await;
    assert!(!ids(&claimed).contains(&customers[0]) && ids(&claimed).len() > 2);
    // One that is closed past the queue, as by an erasure that did not see it yet.
    let sql = format!(
        "update customers set merged_into_id = '{}', is_archived = true, updated_at = now() - interval '1 day' where id = '{}'",
        customers[2], customers[1]
    );
    run(context, &sql).await;
    store(context, JOB, &claimed, builtin(&claimed)).await;
    assert_eq!(job(context, &made).await["status"], "done");
    let left: BTreeSet<_> = members(context, &segment).await.into_iter().map(|one| one.0).collect();
    assert!(
        left.contains(&customers[2])
            && !left.contains(&customers[0])
            && !left.contains(&customers[1])
    );
}

async fn who_was_archived_meanwhile_is_no_member_unless_the_rules_ask_for_archived_ones(
    context: &mut Context,
) {
    let customers = customers(context, 4).await;
    // Not archived: 1 and 3 are VIPs, and members by the rules already.
    let segment = segment(context).await;
    let made = start(context, &segment, 0).await;
    let claimed = claim(context, JOB, 10).await;
    let archive = |one: Uuid| format!("update customers set is_archived = true where id = '{one}'");
    for one in [customers[0], customers[1]] {
        run(context, &archive(one)).await;
    }
    store(context, JOB, &claimed, builtin(&claimed)).await;
    assert_eq!(job(context, &made).await["status"], "done");
    let left: Vec<_> = members(context, &segment).await.into_iter().map(|one| one.0).collect();
    assert_eq!(left, customers[2..]);
    let rules = json!([{"field": "is_archived", "operator": "notNull"}, {"field": "source", "operator": "=", "value": "a"}]);
    let segment = segment_of(context, "Archived too", &rules).await;
    let made = start(context, &segment, 100).await;
    let claimed = claim(context, JOB, 500).await;
    run(context, &archive(customers[2])).await;
    store(context, JOB, &claimed, builtin(&claimed)).await;
    assert_eq!(job(context, &made).await["status"], "done");
    let left: BTreeSet<_> = members(context, &segment).await.into_iter().map(|one| one.0).collect();
    assert!(customers.iter().all(|one| left.contains(one)), "{left:?}");
}

async fn a_job_of_another_org_is_not_there(context: &mut Context) {
    customers(context, 2).await;
    let segment = segment(context).await;
    let made = start(context, &segment, 0).await;
    let volt = As::Volt("owner");
    let key = json!({"job_id": made["id"]});
    context.refused(volt, "crm_cancel_ai_job", key, Code::NotFound).await;
    let arguments = json!({"segment_id": segment});
    context.refused(volt, "crm_score_segment", arguments, Code::NotFound).await;
    assert_eq!(claim(context, OTHER_JOB, 5).await["job"], Value::Null);
    let claimed = claim(context, JOB, 5).await;
    let arguments = json!({"job_id": made["id"], "lease_id": claimed["lease_id"], "provider": "builtin", "results": builtin(&claimed)});
    context.refused(OTHER_JOB, "crm_store_scores", arguments, Code::NotFound).await;
    for (who, seen) in [(CSR, 1), (As::Northwind("technician"), 0), (volt, 0)] {
        context.enter(who, "authenticated").await;
        assert_eq!(count(context, "ai_jobs").await, seen, "{who:?}");
        context.leave().await;
    }
}

async fn a_model_is_told_facts_and_no_names(context: &mut Context) {
    let customers = customers(context, 1).await;
    let sql =
        "insert into crm_interactions (org_id, customer_id, channel, body, sentiment, occurred_at)
         values ($1, $2, 'sms_inbound', 'Secret words', 'negative', now() - interval '3 days')";
    context.client.execute(sql, &[&NORTHWIND, &customers[0]]).await.unwrap();
    let segment = segment(context).await;
    start(context, &segment, 0).await;
    let claimed = context.call(JOB, "crm_claim_scores", json!({})).await.unwrap();
    let facts = &claimed["customers"][0]["facts"];
    assert_eq!(
        (&facts["negative"], &facts["days_since_last_contact"], &facts["jobs"], &facts["tags"]),
        (&json!(1), &json!(3), &json!(0), &json!([]))
    );
    assert_eq!(claimed["segment"]["sentence"], "source is \"a\", and notes is \"vip\"");
    let told = facts.to_string();
    assert!(!told.contains("Scored") && !told.contains("Secret"), "{told}");
}

async fn only_back_ends_claim_and_store(context: &mut Context) {
    let arguments =
        json!({"job_id": Uuid::nil(), "lease_id": Uuid::nil(), "provider": "x", "results": []});
    for role in ["owner", "admin", "csr", "technician"] {
        let role = As::Northwind(role);
        context.refused(role, "crm_claim_scores", json!({}), Code::Forbidden).await;
        context.refused(role, "crm_store_scores", arguments.clone(), Code::Forbidden).await;
    }
    let key = json!({"segment_id": Uuid::nil()});
    context.refused(As::Northwind("viewer"), "crm_score_segment", key, Code::Forbidden).await;
    let key = json!({"job_id": Uuid::nil()});
    context.refused(As::Northwind("viewer"), "crm_cancel_ai_job", key, Code::Forbidden).await;
}

async fn a_wrong_argument_is_named(context: &mut Context) {
    for (name, who, arguments, path) in [
        (
            "crm_score_segment",
            CSR,
            json!({"segment_id": Uuid::nil(), "threshold": 101}),
            "threshold",
        ),
        ("crm_claim_scores", JOB, json!({"batch_limit": 1001}), "batch_limit"),
        (
            "crm_store_scores",
            JOB,
            json!({"job_id": Uuid::nil(), "lease_id": Uuid::nil(), "provider": " ", "results": []}),
            "provider",
        ),
    ] {
        let error = context.refused(who, name, arguments, Code::InvalidArgument).await;
        assert_eq!(error.errors[0].path, path);
    }
}
