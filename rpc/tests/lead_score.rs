//! Lead scores, on both drivers: who scores which leads, what is learned from, and what is stored.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use common::agency::Agency;
use common::{As, Context, NORTHWIND, VOLT};
use fieldcrm_core::Code;
use serde_json::{Value, json};
use uuid::Uuid;

const SALES: As = As::Northwind("sales");

scenarios! {
    named_leads_are_scored_with_reasons
    what_was_written_and_answered_counts
    without_names_the_open_leads_of_the_caller_are_scored_in_turn
    viewers_look_and_outsiders_know_nothing
    a_closed_lead_keeps_its_score
    a_score_is_no_change_of_the_lead
    an_org_with_enough_outcomes_is_learned_from
    of_a_client_that_the_caller_does_not_know_nothing_is_learned
    what_was_said_after_the_end_is_not_learned_from
    an_erased_lead_has_no_score_and_teaches_nothing
    nobody_writes_scores_by_hand
}

async fn agency(context: &Context) -> Agency {
    // What the demo has is none of these tests' business.
    context.client.batch_execute("delete from leads").await.unwrap();
    let members = [("csr", "admin"), ("sales", "member"), ("viewer", "viewer")];
    Agency::make(context, NORTHWIND, &members).await
}

/// Inserts leads of the project; the columns beyond the usual are given as SQL over the number n.
async fn leads(context: &Context, agency: &Agency, count: i32, more: &[(&str, &str)]) -> Vec<Uuid> {
    let (mut names, mut values) = (vec!["first_name"], vec!["'Ada ' || n"]);
    names.extend(more.iter().map(|(name, _)| *name));
    values.extend(more.iter().map(|(_, value)| *value));
    let (names, values) = (names.join(", "), values.join(", "));
    let sql = format!(
        "insert into leads (org_id, client_id, project_id, created_by_user_id, {names})
         select $1, $2, $3, null, {values} from generate_series(1, $4::int) n returning id"
    );
    let place = [agency.org_id, agency.client_id, agency.project_id];
    let rows =
        context.client.query(&sql, &[&place[0], &place[1], &place[2], &count]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

async fn say(context: &Context, lead: Uuid, direction: &str, after: &str) {
    let sql = "insert into messages (org_id, client_id, lead_id, sender_type, content, message_type, direction, created_at)
        select org_id, client_id, id, case $2 when 'inbound' then 'lead' else 'system' end, 'x', 'sms', $2, created_at + $3::text::interval
        from leads where id = $1";
    context.client.execute(sql, &[&lead, &direction, &after]).await.unwrap();
}

async fn score(context: &mut Context, caller: As, arguments: Value) -> Value {
    context.call(caller, "crm_score_leads", arguments).await.unwrap()
}

async fn row(context: &Context, id: Uuid) -> Value {
    let sql = "select to_jsonb(l) from leads l where id = $1";
    context.client.query_one(sql, &[&id]).await.unwrap().get(0)
}

fn ids(answer: &Value) -> Vec<Uuid> {
    let leads = answer["leads"].as_array().unwrap();
    let mut ids: Vec<_> =
        leads.iter().map(|lead| lead["id"].as_str().unwrap().parse().unwrap()).collect();
    ids.sort_unstable();
    ids
}

fn sorted(mut ids: Vec<Uuid>) -> Vec<Uuid> {
    ids.sort_unstable();
    ids
}

async fn named_leads_are_scored_with_reasons(context: &mut Context) {
    let agency = agency(context).await;
    let good = [
        ("source", "'referral'"),
        ("email", "'a@leads.example'"),
        ("phone_raw", "'555'"),
        ("notes", "'Now'"),
    ];
    let warm = leads(context, &agency, 1, &good).await[0];
    let cold = [("source", "'facebook_ads'"), ("created_at", "now() - interval '60 days'")];
    let cold = leads(context, &agency, 1, &cold).await[0];
    let other = leads(context, &agency, 1, &[]).await[0];
    let answer = score(context, SALES, json!({"lead_ids": [cold, warm]})).await;
    let model =
        json!({"provider": "builtin", "is_trained": false, "converted": 0, "lost": 0, "auc": null});
    assert_eq!(answer["model"], model);
    // The best first.
    assert_eq!(answer["leads"][0]["id"], json!(warm));
    assert_eq!(answer["leads"][1]["id"], json!(cold));
    for (at, id) in [warm, cold].into_iter().enumerate() {
        let (row, found) = (row(context, id).await, &answer["leads"][at]);
        assert_eq!(
            (&row["lead_score"], &row["score_reasons"]),
            (&found["score"], &found["reasons"])
        );
        assert!(!row["scored_at"].is_null() && !found["reasons"].as_array().unwrap().is_empty());
    }
    let [best, worst] = [&answer["leads"][0]["score"], &answer["leads"][1]["score"]];
    assert!(best.as_i64().unwrap() > worst.as_i64().unwrap() + 30, "{answer}");
    assert_eq!(answer["leads"][1]["reasons"][0]["text"], "Was last heard of 60 days ago");
    assert!(row(context, other).await["lead_score"].is_null());
}

async fn what_was_written_and_answered_counts(context: &mut Context) {
    let agency = agency(context).await;
    let old = [("created_at", "now() - interval '20 days'")];
    let both = leads(context, &agency, 2, &old).await;
    for (direction, after) in [
        ("inbound", "1 hour"),
        ("outbound", "3 hours"),
        ("inbound", "2 days"),
        // After the first week: heard of, not counted.
        ("inbound", "15 days"),
        ("outbound", "16 days"),
    ] {
        say(context, both[0], direction, after).await;
    }
    let answer = score(context, SALES, json!({"lead_ids": both})).await;
    assert_eq!(answer["leads"][0]["id"], json!(both[0]));
    let reasons = |at: usize| answer["leads"][at]["reasons"].to_string();
    assert!(reasons(0).contains("Wrote 2 messages in the first week"), "{}", reasons(0));
    assert!(reasons(1).contains("Was last heard of 20 days ago"), "{}", reasons(1));
    assert!(reasons(1).contains("Wrote nothing in the first week"), "{}", reasons(1));
    // To be answered soon is worth something by itself; after a week it is no answer.
    let [soon, late, never] = leads(context, &agency, 3, &old).await.try_into().unwrap();
    say(context, soon, "outbound", "1 hour").await;
    say(context, late, "outbound", "8 days").await;
    let answer = score(context, SALES, json!({"lead_ids": [soon, late, never]})).await;
    let of = |id: Uuid| {
        let leads = answer["leads"].as_array().unwrap();
        leads.iter().find(|lead| lead["id"] == json!(id)).unwrap()["score"].as_i64().unwrap()
    };
    assert!(of(soon) > of(late) && of(late) == of(never), "{answer}");
}

async fn without_names_the_open_leads_of_the_caller_are_scored_in_turn(context: &mut Context) {
    let agency = agency(context).await;
    let open = leads(context, &agency, 3, &[]).await;
    leads(context, &agency, 1, &[("status", "'lost'")]).await;
    // Of a client where the caller only looks, and of one that they do not know.
    for members in [&[("sales", "viewer")][..], &[("csr", "admin")]] {
        let other = Agency::make(context, NORTHWIND, members).await;
        leads(context, &other, 1, &[]).await;
    }
    let first = score(context, SALES, json!({"page_size": 2})).await;
    let second = score(context, SALES, json!({"page_size": 1})).await;
    let both = [ids(&first), ids(&second)].concat();
    assert_eq!(sorted(both), sorted(open.clone()));
    assert_eq!(ids(&score(context, SALES, json!({})).await), sorted(open));
    // Who manages all clients has all leads; who is in none has none.
    assert_eq!(ids(&score(context, As::Northwind("owner"), json!({})).await).len(), 5);
    assert_eq!(ids(&score(context, As::Dba(NORTHWIND), json!({})).await).len(), 5);
    for caller in [As::Northwind("technician"), As::Northwind("viewer"), As::Volt("owner")] {
        assert!(ids(&score(context, caller, json!({})).await).is_empty(), "{caller:?}");
    }
}

async fn viewers_look_and_outsiders_know_nothing(context: &mut Context) {
    let agency = agency(context).await;
    let lead = leads(context, &agency, 1, &[]).await[0];
    let named = json!({"lead_ids": [lead]});
    context
        .refused(As::Northwind("viewer"), "crm_score_leads", named.clone(), Code::Forbidden)
        .await;
    for caller in [
        As::Northwind("dispatcher"),
        As::Northwind("portal_customer"),
        As::Volt("owner"),
        As::Dba(VOLT),
    ] {
        context.refused(caller, "crm_score_leads", named.clone(), Code::NotFound).await;
    }
    // One that is nobody's spoils the call: nothing is half done.
    let mixed = json!({"lead_ids": [lead, Uuid::nil()]});
    context.refused(SALES, "crm_score_leads", mixed, Code::NotFound).await;
    assert!(row(context, lead).await["lead_score"].is_null());
    let wrong = json!({"page_size": 0});
    context.refused(SALES, "crm_score_leads", wrong, Code::InvalidArgument).await;
}

async fn a_closed_lead_keeps_its_score(context: &mut Context) {
    let agency = agency(context).await;
    let lead = leads(context, &agency, 1, &[]).await[0];
    let first = score(context, SALES, json!({"lead_ids": [lead]})).await;
    let lost = json!({"id": lead, "patch": {"status": "lost"}});
    context.call(SALES, "crm_update_lead", lost).await.unwrap();
    let before = row(context, lead).await;
    assert_eq!(before["lead_score"], first["leads"][0]["score"]);
    assert!(ids(&score(context, SALES, json!({"lead_ids": [lead]})).await).is_empty());
    assert_eq!(row(context, lead).await, before);
}

async fn a_score_is_no_change_of_the_lead(context: &mut Context) {
    let agency = agency(context).await;
    let old = [("updated_at", "now() - interval '3 days'")];
    let lead = leads(context, &agency, 1, &old).await[0];
    let before = row(context, lead).await;
    score(context, SALES, json!({})).await;
    assert_eq!(row(context, lead).await["updated_at"], before["updated_at"]);
    let sql =
        "select count(*) from crm_activities where entity_id = $1 and activity_type <> 'created'";
    let noted: i64 = context.client.query_one(sql, &[&lead]).await.unwrap().get(0);
    assert_eq!(noted, 0);
    // Whatever else changes it still does.
    let patch = json!({"id": lead, "patch": {"notes": "x"}});
    context.call(SALES, "crm_update_lead", patch).await.unwrap();
    assert_ne!(row(context, lead).await["updated_at"], before["updated_at"]);
}

/// Outcomes that say the opposite of what everybody begins with: whom ads brought convert, who was referred does not.
async fn history(context: &Context, agency: &Agency, count: i32) {
    let past = ("created_at", "now() - interval '40 days'");
    let won = [
        ("source", "case when n % 10 = 0 then 'referral' else 'facebook_ads' end"),
        ("status", "'converted'"),
        ("converted_at", "now() - interval '38 days'"),
        past,
    ];
    leads(context, agency, count, &won).await;
    let lost = [
        ("source", "case when n % 10 = 0 then 'facebook_ads' else 'referral' end"),
        ("status", "'lost'"),
        ("updated_at", "now() - interval '38 days'"),
        past,
    ];
    leads(context, agency, count, &lost).await;
}

async fn an_org_with_enough_outcomes_is_learned_from(context: &mut Context) {
    let agency = agency(context).await;
    let [ads, referral] = ["'facebook_ads'", "'referral'"];
    let fresh = [
        leads(context, &agency, 1, &[("source", ads)]).await[0],
        leads(context, &agency, 1, &[("source", referral)]).await[0],
    ];
    history(context, &agency, 49).await;
    let before = score(context, SALES, json!({"lead_ids": fresh})).await;
    assert_eq!(before["model"]["is_trained"], false);
    assert_eq!(before["leads"][0]["id"], json!(fresh[1]));
    history(context, &agency, 20).await;
    let after = score(context, SALES, json!({"lead_ids": fresh})).await;
    let model = &after["model"];
    assert_eq!(
        (&model["is_trained"], &model["converted"], &model["lost"]),
        (&json!(true), &json!(69), &json!(69))
    );
    assert!(model["auc"].as_f64().unwrap() > 0.85, "{model}");
    assert_eq!(after["leads"][0]["id"], json!(fresh[0]));
    let [best, worst] = [0, 1].map(|at| after["leads"][at]["score"].as_i64().unwrap());
    assert!(best > 70 && worst < 30, "{after}");
    assert_eq!(after["leads"][0]["reasons"][0]["text"], "Came from facebook_ads");
    // The same again is the same.
    let again = score(context, SALES, json!({"lead_ids": fresh})).await;
    assert_eq!(again, after);
}

async fn of_a_client_that_the_caller_does_not_know_nothing_is_learned(context: &mut Context) {
    let agency = agency(context).await;
    let other = Agency::make(context, NORTHWIND, &[("csr", "admin")]).await;
    leads(context, &agency, 1, &[]).await;
    history(context, &other, 60).await;
    assert_eq!(score(context, SALES, json!({})).await["model"]["converted"], 0);
    for caller in [As::Northwind("csr"), As::Northwind("owner"), As::Dba(NORTHWIND)] {
        assert_eq!(score(context, caller, json!({})).await["model"]["converted"], 60, "{caller:?}");
    }
    assert_eq!(score(context, As::Volt("owner"), json!({})).await["model"]["converted"], 0);
}

async fn what_was_said_after_the_end_is_not_learned_from(context: &mut Context) {
    let agency = agency(context).await;
    let past = ("created_at", "now() - interval '40 days'");
    let won = leads(
        context,
        &agency,
        60,
        &[("status", "'converted'"), ("converted_at", "now() - interval '39 days'"), past],
    )
    .await;
    let lost = [("status", "'lost'"), ("updated_at", "now() - interval '39 days'"), past];
    leads(context, &agency, 60, &lost).await;
    // Customers go on writing: that they do tells who was converted, and nothing about who will be.
    for lead in won {
        say(context, lead, "inbound", "2 days").await;
    }
    let open = leads(context, &agency, 1, &[]).await;
    let answer = score(context, SALES, json!({"lead_ids": open})).await;
    let auc = answer["model"]["auc"].as_f64().unwrap();
    assert!((0.3..=0.7).contains(&auc), "{answer}");
}

async fn an_erased_lead_has_no_score_and_teaches_nothing(context: &mut Context) {
    let agency = agency(context).await;
    let lead = leads(context, &agency, 1, &[("email", "'e@leads.example'")]).await[0];
    score(context, As::Dba(NORTHWIND), json!({"lead_ids": [lead]})).await;
    let conversion = json!({"lead_id": lead});
    let made = context.call(As::Northwind("owner"), "crm_convert_lead", conversion).await.unwrap();
    let taught = score(context, As::Dba(NORTHWIND), json!({})).await;
    assert_eq!(taught["model"]["converted"], 1);
    let erase = json!({"id": made["customer_id"]});
    context.call(As::Northwind("owner"), "crm_erase_customer", erase).await.unwrap();
    let left = row(context, lead).await;
    for column in ["email", "lead_score", "score_reasons", "scored_at"] {
        assert!(left[column].is_null(), "{column}");
    }
    let taught = score(context, As::Dba(NORTHWIND), json!({})).await;
    assert_eq!(taught["model"]["converted"], 0);
}

async fn nobody_writes_scores_by_hand(context: &mut Context) {
    let agency = agency(context).await;
    leads(context, &agency, 1, &[]).await;
    for sql in [
        "update leads set lead_score = 100, score_reasons = '[]', scored_at = now()",
        "insert into leads (org_id, client_id, project_id, first_name, lead_score) select org_id, client_id, project_id, 'x', 1 from leads",
    ] {
        context.client.batch_execute("savepoint by_hand").await.unwrap();
        context.enter(SALES, "authenticated").await;
        let error = context.client.execute(sql, &[]).await.unwrap_err();
        assert_eq!(error.code().unwrap().code(), "42501", "{sql}");
        context.client.batch_execute("rollback to by_hand").await.unwrap();
        context.leave().await;
    }
    let sql = "update leads set lead_score = 101, score_reasons = '[]', scored_at = now()";
    assert!(context.client.execute(sql, &[]).await.is_err());
}
