//! The sentiment of what customers write, on both drivers: what waits for it, who gets it, and what is stored.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use std::collections::BTreeSet;

use common::household::household;
use common::{As, Context, NORTHWIND, Target, VOLT, connect};
use fieldcrm_core::Code;
use fieldcrm_core::ai::sentiment::{MAX_TEXT, builtin};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use uuid::Uuid;

const JOB: As = As::Dba(NORTHWIND);
const OTHER_JOB: As = As::Dba(VOLT);

scenarios! {
    what_customers_say_waits_and_what_the_company_says_does_not
    where_it_is_switched_off_nothing_waits_and_nothing_is_handed_out
    a_text_is_handed_out_once_and_its_sentiment_stored_once
    a_lost_claim_comes_back_and_its_late_result_is_not_taken
    a_late_result_is_taken_where_nobody_else_has_the_text
    what_is_lost_five_times_is_given_up_with_a_reason
    what_fails_is_tried_again_later_and_given_up_at_the_fifth_time
    a_job_for_one_org_gets_and_stores_nothing_of_another
    a_text_that_was_erased_is_neither_handed_out_nor_judged
    a_sentiment_that_somebody_said_stays
    a_negative_sentiment_is_an_event_and_counts_with_the_customer
    a_message_of_the_portal_is_analysed_once_and_both_its_rows_say_so
    a_long_text_is_cut
    a_deleted_customer_leaves_nothing_that_waits
    only_jobs_claim_and_store
    a_wrong_argument_is_named
}

/// A customer of the org about whom nothing was said, and nothing that waits.
async fn start(context: &Context, org: Uuid) -> Uuid {
    let sql =
        "insert into customers (org_id, type, name) values ($1, 'company', 'Moody') returning id";
    clear(context).await;
    context.client.query_one(sql, &[&org]).await.unwrap().get(0)
}

/// Other tests have orgs of their own.
async fn clear(context: &Context) {
    let orgs = format!("'{NORTHWIND}', '{VOLT}'");
    run(context, &format!("delete from fieldcrm.sentiment_queue where org_id in ({orgs})")).await;
}

/// Logs an inbound SMS for each of the texts.
async fn say(context: &Context, customer: Uuid, texts: &[&str]) -> Vec<Uuid> {
    let sql = "with made as (
          insert into crm_interactions (org_id, customer_id, channel, body)
          select c.org_id, c.id, 'sms_inbound', t.body from customers c, unnest($2::text[]) with ordinality t (body, n) where c.id = $1
          returning id, body)
        select array_agg(m.id order by array_position($2, m.body)) from made m";
    context.client.query_one(sql, &[&customer, &texts]).await.unwrap().get(0)
}

async fn run(context: &Context, sql: &str) {
    context.client.batch_execute(sql).await.unwrap();
}

async fn value(context: &Context, sql: &str) -> Value {
    let sql = format!("select to_jsonb(x) from ({sql}) x");
    context.client.query_opt(&sql, &[]).await.unwrap().map_or(Value::Null, |row| row.get(0))
}

async fn count(context: &Context, sql: &str) -> i64 {
    context.client.query_one(&format!("select count(*) from {sql}"), &[]).await.unwrap().get(0)
}

async fn sentiment(context: &Context, id: Uuid) -> Option<String> {
    let sql = "select sentiment::text from crm_interactions where id = $1";
    context.client.query_one(sql, &[&id]).await.unwrap().get(0)
}

async fn claim(context: &mut Context, who: As) -> Value {
    context.call(who, "crm_claim_sentiments", json!({})).await.unwrap()
}

/// The texts of a claim by their ids.
fn ids(claim: &Value) -> BTreeSet<Uuid> {
    let texts = claim["texts"].as_array().unwrap();
    texts.iter().map(|text| text["id"].as_str().unwrap().parse().unwrap()).collect()
}

async fn store(context: &mut Context, who: As, claim: &Value, results: Value) -> Value {
    let arguments = json!({"lease_id": claim["lease_id"], "results": results});
    context.call(who, "crm_store_sentiments", arguments).await.unwrap()
}

/// As if two minutes had gone by, or longer.
async fn later(context: &Context) {
    let sql = format!(
        "update fieldcrm.sentiment_queue set due_at = now() where failed_at is null and org_id = '{NORTHWIND}'"
    );
    run(context, &sql).await;
}

fn counts(stored: u64, failed: u64, dead: u64) -> Value {
    json!({"stored": stored, "failed": failed, "dead": dead})
}

async fn what_customers_say_waits_and_what_the_company_says_does_not(context: &mut Context) {
    let customer = start(context, NORTHWIND).await;
    let sql = format!(
        "insert into crm_interactions (org_id, customer_id, channel, direction, type, subject, summary, body, sentiment)
         values {}",
        [
            "'sms_inbound', null, 'yes', null, null, 'Great', null",
            "'phone', null, 'yes', null, 'They were angry.', null, null",
            "'note', null, 'yes', 'Only a subject', null, '  ', null",
            "'portal_message', 'inbound', 'yes', 'Boiler', 'Summary', 'Body', null",
            "'sms_outbound', null, 'no', null, null, 'Sorry', null",
            "'note', 'system_generated', 'no', null, null, 'Sorry', null",
            "'note', null, 'no', '', E' \\n', ' ', null",
            "'note', null, 'no', null, null, null, null",
            "'sms_inbound', null, 'no', null, null, 'Great', 'positive'",
        ]
        .map(|row| format!("('{NORTHWIND}', '{customer}', {row})"))
        .join(", ")
    );
    run(context, &sql).await;
    let waits = "select array_agg(distinct i.type) from crm_interactions i where i.org_id = $1 and i.customer_id = $2
         and exists (select from fieldcrm.sentiment_queue q where q.org_id = i.org_id and q.interaction_id = i.id) = $3";
    for (queued, kind) in [(true, "yes"), (false, "no")] {
        let row = context.client.query_one(waits, &[&NORTHWIND, &customer, &queued]).await.unwrap();
        assert_eq!(row.get::<_, Vec<String>>(0), [kind]);
    }
    let claimed = claim(context, JOB).await;
    let texts: BTreeSet<_> = claimed["texts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|text| text["text"].as_str().unwrap())
        .collect();
    let expected = ["Great", "They were angry.", "Only a subject", "Body"];
    assert_eq!(texts, BTreeSet::from(expected), "the body, else the summary, else the subject");
    assert!(
        claimed["texts"].as_array().unwrap().iter().all(|text| text["org_id"] == json!(NORTHWIND))
    );
}

async fn where_it_is_switched_off_nothing_waits_and_nothing_is_handed_out(context: &mut Context) {
    let customer = start(context, NORTHWIND).await;
    say(context, customer, &["Great"]).await;
    // Who manages the org decides.
    context.enter(As::Northwind("owner"), "authenticated").await;
    run(context, "update orgs set analyze_sentiment = false").await;
    context.leave().await;
    let id = say(context, customer, &["Terrible"]).await[0];
    let waits = format!("fieldcrm.sentiment_queue where interaction_id = '{id}'");
    assert_eq!(count(context, &waits).await, 0);
    let claimed = claim(context, JOB).await;
    assert_eq!((ids(&claimed).len(), &claimed["dropped"]), (0, &json!(1)));
    assert_eq!(
        count(context, &format!("fieldcrm.sentiment_queue where org_id = '{NORTHWIND}'")).await,
        0
    );
    let volt = start(context, VOLT).await;
    say(context, volt, &["Great"]).await;
    assert_eq!(ids(&claim(context, OTHER_JOB).await).len(), 1, "of another org it goes on");
}

async fn a_text_is_handed_out_once_and_its_sentiment_stored_once(context: &mut Context) {
    let customer = start(context, NORTHWIND).await;
    let said = say(context, customer, &["Great", "Terrible"]).await;
    let first = context.call(JOB, "crm_claim_sentiments", json!({"batch_limit": 1})).await.unwrap();
    let second = claim(context, JOB).await;
    let both: BTreeSet<_> = ids(&first).union(&ids(&second)).copied().collect();
    assert_eq!((ids(&first).len(), both), (1, BTreeSet::from_iter(said)));
    assert_eq!(ids(&claim(context, JOB).await).len(), 0);
    let id = *ids(&first).first().unwrap();
    let results = json!([{"id": id, "sentiment": "positive"}]);
    assert_eq!(
        store(context, JOB, &second, results.clone()).await,
        counts(0, 0, 0),
        "another's claim"
    );
    assert_eq!(store(context, JOB, &first, results).await, counts(1, 0, 0));
    let results = json!([{"id": id, "sentiment": "negative"}]);
    assert_eq!(store(context, JOB, &first, results).await, counts(0, 0, 0), "it is stored");
    assert_eq!(sentiment(context, id).await.as_deref(), Some("positive"));
    assert_eq!(
        count(context, &format!("fieldcrm.sentiment_queue where interaction_id = '{id}'")).await,
        0
    );
}

async fn a_lost_claim_comes_back_and_its_late_result_is_not_taken(context: &mut Context) {
    let customer = start(context, NORTHWIND).await;
    let id = say(context, customer, &["Great"]).await[0];
    let lost = claim(context, JOB).await;
    assert_eq!(ids(&claim(context, JOB).await).len(), 0, "until the lease runs out");
    later(context).await;
    let second = claim(context, JOB).await;
    assert_eq!(ids(&second), BTreeSet::from([id]));
    let sql =
        format!("select attempts from fieldcrm.sentiment_queue where interaction_id = '{id}'");
    assert_eq!(value(context, &sql).await["attempts"], 2);
    let results = |sentiment: &str| json!([{"id": id, "sentiment": sentiment}]);
    assert_eq!(store(context, JOB, &lost, results("negative")).await, counts(0, 0, 0));
    assert_eq!(sentiment(context, id).await, None);
    assert_eq!(store(context, JOB, &second, results("positive")).await, counts(1, 0, 0));
    assert_eq!(sentiment(context, id).await.as_deref(), Some("positive"));
}

async fn a_late_result_is_taken_where_nobody_else_has_the_text(context: &mut Context) {
    let customer = start(context, NORTHWIND).await;
    let id = say(context, customer, &["Great"]).await[0];
    let claimed = claim(context, JOB).await;
    later(context).await;
    let results = json!([{"id": id, "sentiment": "positive"}]);
    assert_eq!(store(context, JOB, &claimed, results).await, counts(1, 0, 0));
}

async fn what_is_lost_five_times_is_given_up_with_a_reason(context: &mut Context) {
    let customer = start(context, NORTHWIND).await;
    let id = say(context, customer, &["Great"]).await[0];
    for _ in 0..5 {
        assert_eq!(ids(&claim(context, JOB).await).len(), 1);
        later(context).await;
    }
    let last = claim(context, JOB).await;
    assert_eq!((ids(&last).len(), &last["dead"]), (0, &json!(1)));
    later(context).await;
    assert_eq!(claim(context, JOB).await["dead"], 0, "once");
    let sql = format!(
        "select reason, failed_at is not null as failed, attempts from fieldcrm.sentiment_queue where interaction_id = '{id}'"
    );
    let left = value(context, &sql).await;
    assert_eq!((&left["failed"], &left["attempts"]), (&json!(true), &json!(5)));
    assert!(left["reason"].as_str().unwrap().contains("no result"), "{left}");
}

async fn what_fails_is_tried_again_later_and_given_up_at_the_fifth_time(context: &mut Context) {
    let customer = start(context, NORTHWIND).await;
    let id = say(context, customer, &["Great"]).await[0];
    let sql = format!("select reason, failed_at is not null as failed, lease_id, extract(epoch from due_at - now())::int as wait
         from fieldcrm.sentiment_queue where interaction_id = '{id}'");
    for attempt in 1..=5 {
        let claimed = claim(context, JOB).await;
        let results = json!([{"id": id, "error": format!("busy {attempt}")}]);
        let dead = u64::from(attempt == 5);
        assert_eq!(store(context, JOB, &claimed, results.clone()).await, counts(0, 1 - dead, dead));
        assert_eq!(store(context, JOB, &claimed, results).await, counts(0, 0, 0), "once");
        let left = value(context, &sql).await;
        assert_eq!(left["reason"], format!("busy {attempt}"));
        assert_eq!((&left["lease_id"], &left["wait"]), (&Value::Null, &json!(30 << (2 * attempt))));
        assert_eq!(left["failed"], attempt == 5);
        assert_eq!(ids(&claim(context, JOB).await).len(), 0, "not at once");
        later(context).await;
    }
    assert_eq!(ids(&claim(context, JOB).await).len(), 0);
    assert_eq!(sentiment(context, id).await, None);
}

async fn a_job_for_one_org_gets_and_stores_nothing_of_another(context: &mut Context) {
    let customer = start(context, NORTHWIND).await;
    let id = say(context, customer, &["Great"]).await[0];
    assert_eq!(ids(&claim(context, OTHER_JOB).await).len(), 0);
    let claimed = claim(context, JOB).await;
    let results = json!([{"id": id, "sentiment": "negative"}]);
    assert_eq!(store(context, OTHER_JOB, &claimed, results).await, counts(0, 0, 0));
    assert_eq!(sentiment(context, id).await, None);
}

async fn a_text_that_was_erased_is_neither_handed_out_nor_judged(context: &mut Context) {
    let customer = start(context, NORTHWIND).await;
    let claimed_before = say(context, customer, &["Terrible service"]).await[0];
    let claimed = claim(context, JOB).await;
    assert_eq!(ids(&claimed).len(), 1);
    say(context, customer, &["Awful"]).await;
    let erase = json!({"id": customer});
    context.call(As::Northwind("owner"), "crm_erase_customer", erase).await.unwrap();
    let next = claim(context, JOB).await;
    assert_eq!((ids(&next).len(), &next["dropped"]), (0, &json!(1)));
    let results = json!([{"id": claimed_before, "sentiment": "negative"}]);
    assert_eq!(store(context, JOB, &claimed, results).await, counts(0, 0, 0));
    assert_eq!(sentiment(context, claimed_before).await, None);
    let events = format!(
        "crm_events where customer_id = '{customer}' and event_type = 'sentiment_negative'"
    );
    assert_eq!(count(context, &events).await, 0);
    assert_eq!(
        count(context, &format!("fieldcrm.sentiment_queue where org_id = '{NORTHWIND}'")).await,
        0
    );
}

async fn a_sentiment_that_somebody_said_stays(context: &mut Context) {
    let customer = start(context, NORTHWIND).await;
    let said = say(context, customer, &["Great", "Fine"]).await;
    let claimed =
        context.call(JOB, "crm_claim_sentiments", json!({"batch_limit": 1})).await.unwrap();
    run(
        context,
        &format!(
            "update crm_interactions set sentiment = 'neutral' where customer_id = '{customer}'"
        ),
    )
    .await;
    let id = *ids(&claimed).first().unwrap();
    let results = json!([{"id": id, "sentiment": "positive"}]);
    assert_eq!(store(context, JOB, &claimed, results).await, counts(0, 0, 0));
    assert_eq!(claim(context, JOB).await["dropped"], 1, "what waited, too");
    for id in said {
        assert_eq!(sentiment(context, id).await.as_deref(), Some("neutral"));
    }
}

async fn a_negative_sentiment_is_an_event_and_counts_with_the_customer(context: &mut Context) {
    let customer = start(context, NORTHWIND).await;
    say(context, customer, &["Great work!", "This is terrible.", "Awful.", "It is Monday."]).await;
    let claimed = claim(context, JOB).await;
    let results: Vec<_> = claimed["texts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|text| json!({"id": text["id"], "sentiment": builtin(text["text"].as_str().unwrap())}))
        .collect();
    assert_eq!(store(context, JOB, &claimed, json!(results)).await, counts(4, 0, 0));
    let metrics = format!(
        "select positive_count, neutral_count, negative_count from customer_metrics where customer_id = '{customer}'"
    );
    assert_eq!(
        value(context, &metrics).await,
        json!({"positive_count": 1, "neutral_count": 1, "negative_count": 2})
    );
    let events = format!(
        "crm_events e join crm_interactions i on i.id = (e.payload ->> 'interaction_id')::uuid and i.sentiment = 'negative'
         where e.customer_id = '{customer}' and e.event_type = 'sentiment_negative'"
    );
    assert_eq!(count(context, &events).await, 2);
    let sql = format!(
        "select string_agg(payload::text, ' ') as payload from crm_events where customer_id = '{customer}' and event_type = 'sentiment_negative'"
    );
    let payload = value(context, &sql).await;
    assert!(!payload.to_string().contains("terrible") && !payload.to_string().contains("Awful"));
}

async fn a_message_of_the_portal_is_analysed_once_and_both_its_rows_say_so(context: &mut Context) {
    let home = household(context, "ann").await;
    clear(context).await;
    let new = json!({"subject": "Terrible leak", "initial_message": "Thank you, great work!"});
    let made = context.call(home.user(), "portal_create_thread", new).await.unwrap();
    let reply = json!({"thread_id": made["id"], "body": "We are sorry about the awful delay."});
    context.call(As::Northwind("csr"), "crm_reply_to_portal_thread", reply).await.unwrap();
    let claimed = claim(context, JOB).await;
    let texts = claimed["texts"].as_array().unwrap();
    assert_eq!(texts.len(), 1, "what the office answers is not the customer's mood");
    assert_eq!(texts[0]["text"], "Thank you, great work!", "nor is the subject, which all share");
    let results = json!([{"id": texts[0]["id"], "sentiment": "positive"}]);
    assert_eq!(store(context, JOB, &claimed, results).await, counts(1, 0, 0));
    let sql = format!("select m.sentiment as message, i.sentiment as copy from portal_messages m
        join crm_interactions i on i.org_id = m.org_id and i.id = m.crm_interaction_id where m.id = '{}'",
        made["message"]["id"].as_str().unwrap());
    assert_eq!(value(context, &sql).await, json!({"message": "positive", "copy": "positive"}));
    let silent =
        format!("portal_messages where customer_id = '{}' and sentiment is null", home.customer);
    assert_eq!(count(context, &silent).await, 1);
}

async fn a_long_text_is_cut(context: &mut Context) {
    let customer = start(context, NORTHWIND).await;
    say(context, customer, &[&"ä".repeat(MAX_TEXT + 1)]).await;
    let claimed = claim(context, JOB).await;
    assert_eq!(claimed["texts"][0]["text"].as_str().unwrap().chars().count(), MAX_TEXT);
}

async fn a_deleted_customer_leaves_nothing_that_waits(context: &mut Context) {
    let customer = start(context, NORTHWIND).await;
    say(context, customer, &["Great"]).await;
    run(context, &format!("delete from customers where id = '{customer}'")).await;
    assert_eq!(
        count(context, &format!("fieldcrm.sentiment_queue where org_id = '{NORTHWIND}'")).await,
        0
    );
}

async fn only_jobs_claim_and_store(context: &mut Context) {
    for who in [As::Northwind("owner"), As::Northwind("portal_customer"), As::Volt("owner")] {
        context.refused(who, "crm_claim_sentiments", json!({}), Code::Forbidden).await;
        let arguments = json!({"lease_id": Uuid::nil(), "results": []});
        context.refused(who, "crm_store_sentiments", arguments, Code::Forbidden).await;
    }
    context.enter(As::Northwind("owner"), "authenticated").await;
    let seen = context.client.query("select from fieldcrm.sentiment_queue", &[]).await;
    assert_eq!(seen.unwrap_err().code().unwrap().code(), "42501");
}

async fn a_wrong_argument_is_named(context: &mut Context) {
    let claim = json!({"batch_limit": 101});
    let error = context.refused(JOB, "crm_claim_sentiments", claim, Code::InvalidArgument).await;
    assert_eq!(error.errors[0].path, "batch_limit");
    for (results, path) in [
        (json!([{"id": Uuid::nil(), "sentiment": "angry"}]), "results[0].sentiment"),
        (json!([{"id": Uuid::nil()}]), "results[0]"),
        (json!({}), "results"),
    ] {
        let store = json!({"lease_id": Uuid::nil(), "results": results});
        let error =
            context.refused(JOB, "crm_store_sentiments", store, Code::InvalidArgument).await;
        assert_eq!(error.errors[0].path, path);
    }
}

/// Sessions that commit, in an org of their own.
async fn sessions_at_once_analyse_each_text_once(target: Target) {
    const TEXTS: i32 = 300;
    let client = connect(target).await;
    let sql = "insert into orgs (name) values ('Sentiment') returning id";
    let org: Uuid = client.query_one(sql, &[]).await.unwrap().get(0);
    let sql = "with c as (insert into customers (org_id, type, name) select $1, 'company', 'C' || n from generate_series(1, 9) n returning id, org_id),
        c9 as (select c.*, row_number() over () as n from c)
        insert into crm_interactions (org_id, customer_id, channel, body)
        select c.org_id, c.id, 'sms_inbound', 'Terrible' from generate_series(1, $2::integer) g join c9 c on c.n = 1 + g % 9";
    client.execute(sql, &[&org, &TEXTS]).await.unwrap();
    let mut tasks = JoinSet::new();
    for _ in 0..6 {
        tasks.spawn(async move {
            let mut context = Context::start(target).await;
            let mut done: Vec<Uuid> = Vec::new();
            loop {
                let arguments = json!({"batch_limit": 7});
                let claimed =
                    context.call(As::Dba(org), "crm_claim_sentiments", arguments).await.unwrap();
                run(&context, "commit; begin").await;
                let ids = ids(&claimed);
                if ids.is_empty() {
                    return done;
                }
                let results: Vec<_> =
                    ids.iter().map(|id| json!({"id": id, "sentiment": "negative"})).collect();
                let stored = store(&mut context, As::Dba(org), &claimed, json!(results)).await;
                run(&context, "commit; begin").await;
                assert_eq!(stored["stored"], ids.len());
                done.extend(ids);
            }
        });
    }
    let done: Vec<Uuid> = tasks.join_all().await.into_iter().flatten().collect();
    let once: BTreeSet<_> = done.iter().collect();
    assert_eq!((done.len(), once.len()), (TEXTS.try_into().unwrap(), done.len()));
    for (sql, expected) in [
        (
            "select count(*) from crm_interactions where org_id = $1 and sentiment = 'negative'",
            i64::from(TEXTS),
        ),
        (
            "select count(*) from crm_events where org_id = $1 and event_type = 'sentiment_negative'",
            i64::from(TEXTS),
        ),
        (
            "select sum(negative_count)::bigint from customer_metrics where org_id = $1",
            i64::from(TEXTS),
        ),
        ("select count(*) from fieldcrm.sentiment_queue where org_id = $1", 0),
    ] {
        assert_eq!(
            client.query_one(sql, &[&org]).await.unwrap().get::<_, i64>(0),
            expected,
            "{sql}"
        );
    }
    for table in ["customers where org_id", "orgs where id"] {
        client.execute(&format!("delete from {table} = $1"), &[&org]).await.unwrap();
    }
}

mod races {
    use crate::common::Target;

    mod native {
        #[tokio::test]
        async fn sessions_at_once_analyse_each_text_once() {
            crate::sessions_at_once_analyse_each_text_once(super::Target::Native).await;
        }
    }
    mod extension {
        #[tokio::test]
        async fn sessions_at_once_analyse_each_text_once() {
            crate::sessions_at_once_analyse_each_text_once(super::Target::Extension).await;
        }
    }
}
