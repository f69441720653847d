//! Scores of a segment's customers, on both drivers: who gets whom, what is stored once, and what comes of it.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;
mod segment_score_sample;

use std::collections::BTreeSet;

use common::{As, Context, NORTHWIND, VOLT};
use fieldcrm_core::Code;
use segment_score_sample::{
    CSR, JOB, builtin, claim, count, customers, ids, job, later, members, progress, run, segment,
    segment_of, start, store, work,
};
use serde_json::{Value, json};
use uuid::Uuid;

const OTHER_JOB: As = As::Dba(VOLT);

scenarios! {
    the_builtin_scores_by_the_rules_and_says_why
    the_scores_become_the_members_and_events_are_of_the_difference
    only_who_matches_is_scored_where_that_is_asked
    a_scored_segment_keeps_its_members_until_it_is_recomputed
    a_lost_claim_comes_back_and_its_late_results_are_not_taken
    progress_is_exact_at_each_step
    a_canceled_job_hands_nothing_out_and_stores_nothing
    a_segment_has_one_unfinished_job_and_a_repeated_request_the_same
    a_segment_without_rules_is_refused
    who_was_deleted_erased_or_merged_is_not_scored
    who_is_closed_is_no_member_where_archived_ones_are
    who_was_archived_meanwhile_is_no_member_unless_the_rules_ask_for_archived_ones
    a_job_of_another_org_is_not_there
    a_model_is_told_facts_and_no_names
    only_back_ends_claim_and_store
    a_wrong_argument_is_named
}

async fn events(context: &Context, segment: &Value, kind: &str) -> i64 {
    let segment = segment.as_str().unwrap();
    let sql = format!(
        "crm_events where event_type = 'segment_{kind}' and payload ->> 'segment_id' = '{segment}'"
    );
    count(context, &sql).await
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
