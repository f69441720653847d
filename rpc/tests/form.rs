//! Forms of landing pages, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use common::agency::Agency;
use common::{As, Context, NORTHWIND};
use fieldcrm_core::Code;
use serde_json::{Value, json};
use uuid::Uuid;

const FORM: &str = "form_0123456789abcdef";
const ADA: &str = "+14155552671";

scenarios! {
    a_form_makes_a_lead_and_fills_it_in_later
    a_form_s_repeat_robot_and_flood_do_nothing
    a_form_that_says_nobody_is_kept
}

async fn all(context: &Context, sql: &str, id: Uuid) -> Vec<Value> {
    let sql = format!("select to_jsonb(x) from ({sql}) x");
    let rows = context.client.query(&sql, &[&id]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

async fn leads(context: &Context, agency: &Agency) -> Vec<Value> {
    let sql = "select * from leads where client_id = $1 order by created_at, id";
    all(context, sql, agency.client_id).await
}

async fn form(context: &Context, settings: Value) -> Agency {
    let agency = Agency::make(context, NORTHWIND, &[]).await;
    agency.channel(context, "form", FORM, settings).await;
    agency
}

async fn submit(context: &mut Context, id: &str, fields: Value) -> Value {
    let arguments =
        json!({"form_key": FORM, "fields": fields, "submission_id": id, "source": "203.0.113.7"});
    context.call(As::Dba(Uuid::nil()), "crm_submit_form", arguments).await.unwrap()
}

async fn a_form_makes_a_lead_and_fills_it_in_later(context: &mut Context) {
    let agency = form(context, json!({"fields": {"Vorname": "first_name"}})).await;
    let fields = json!({"Vorname": "Ada", "email": "Ada@Mail.example", "utm_source": "google", "utm_medium": "cpc",
        "budget": "5000", "message": "Call me"});
    let first = submit(context, "1", fields).await;
    assert_eq!((&first["outcome"], &first["created"]), (&json!("lead"), &json!(true)));
    let more = json!({"email": "ada@mail.example", "name": "Other Name", "phone": "415 555 2671", "budget": "9000",
        "utm_source": "bing", "message": "Call me soon"});
    let second = submit(context, "2", more).await;
    assert_eq!((&second["lead_id"], &second["created"]), (&first["lead_id"], &json!(false)));
    let lead = leads(context, &agency).await.remove(0);
    assert_eq!((&lead["first_name"], &lead["last_name"]), (&json!("Ada"), &json!("Name")));
    assert_eq!((&lead["phone"], &lead["source"]), (&json!(ADA), &json!("google_ads")));
    assert_eq!(
        lead["custom_fields"],
        json!({"budget": "9000", "utm": {"source": "google", "medium": "cpc"}})
    );
    assert_eq!(lead["notes"], "Call me\n\nCall me soon");
    // Another project's lead is another lead; one that is done with, too.
    let sql = "update leads set status = 'lost' where id = $1";
    let id: Uuid = lead["id"].as_str().unwrap().parse().unwrap();
    context.client.execute(sql, &[&id]).await.unwrap();
    let third = submit(context, "3", json!({"email": "ada@mail.example"})).await;
    assert_eq!(third["created"], true);
}

async fn a_form_s_repeat_robot_and_flood_do_nothing(context: &mut Context) {
    let agency = form(context, json!({"honeypot": "website", "max_per_minute": 3})).await;
    let ada = json!({"email": "ada@mail.example"});
    let first = submit(context, "1", ada.clone()).await;
    let again = submit(context, "1", json!({"email": "other@mail.example"})).await;
    assert_eq!((&again["lead_id"], &again["created"]), (&first["lead_id"], &json!(false)));
    let robot = submit(context, "2", json!({"email": "bot@mail.example", "website": "x"})).await;
    assert_eq!(robot, json!({"outcome": "ignored", "lead_id": null, "created": false}));
    submit(context, "3", ada).await;
    let flood = submit(context, "4", json!({"email": "fourth@mail.example"})).await;
    assert_eq!(flood["outcome"], "rate_limited");
    assert_eq!(leads(context, &agency).await.len(), 1);
    let sql = "update fieldcrm.form_submissions set minute = minute - interval '2 days' where org_id = $1";
    context.client.execute(sql, &[&NORTHWIND]).await.unwrap();
    assert_eq!(
        submit(context, "4", json!({"email": "fourth@mail.example"})).await["created"],
        true
    );
    let sql = "select count(*) from fieldcrm.form_submissions where org_id = $1 and minute < now() - interval '1 day'";
    assert_eq!(all(context, sql, NORTHWIND).await[0]["count"], 0, "old counts go");
}

async fn a_form_that_says_nobody_is_kept(context: &mut Context) {
    form(context, json!({})).await;
    let done = submit(context, "1", json!({"email": "nope", "a": "b"})).await;
    assert_eq!(done["outcome"], "unknown");
    let sql = "select payload from webhook_events where org_id = $1 and provider = 'form'";
    assert_eq!(
        all(context, sql, NORTHWIND).await[0]["payload"],
        json!({"email": "nope", "a": "b"})
    );
    let arguments = json!({"form_key": "form_unknown_0123456789", "fields": {}});
    context.refused(As::Dba(NORTHWIND), "crm_submit_form", arguments, Code::NotFound).await;
}
