//! What comes in where no project takes leads, what comes with mails, and who says yes; on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use common::agency::Agency;
use common::{As, Context, NORTHWIND, VOLT};
use serde_json::{Value, json};
use uuid::Uuid;

const OURS: &str = "+15005550001";
const DESK: &str = "desk@acme.example";
const ADA: &str = "+14155552671";
const ADA_MAIL: &str = "ada@mail.example";

scenarios! {
    without_a_project_a_customer_is_heard_and_a_stranger_is_kept
    without_a_project_a_message_is_one_interaction_whatever_its_events
    what_a_customer_sends_is_filed_once
    what_a_lead_sends_is_in_the_message_alone
    a_file_of_another_org_is_never_filed
    an_erasure_names_the_files_and_a_repeat_brings_nothing_back
    yes_is_an_answer_unless_it_takes_back_a_stop
    a_complaint_is_not_taken_back_whatever_comes_with_it
}

async fn deliver(context: &mut Context, channel: &str, address: &str, events: Value) -> Vec<Value> {
    let provider = if channel == "email" { "postmark" } else { "twilio" };
    let arguments =
        json!({"provider": provider, "channel": channel, "address": address, "events": events});
    // A job of no org in particular.
    let answer = context.call(As::Dba(Uuid::nil()), "crm_receive_webhook", arguments).await;
    let answer = answer.unwrap();
    assert_eq!(answer["routed"], true);
    answer["events"].as_array().unwrap().clone()
}

fn message(id: &str, from: &str, content: &str) -> Value {
    json!({"id": id, "type": "message", "from": from, "content": content, "provider_message_id": format!("SM{id}")})
}

/// A mail with a file that is stored.
fn mail(id: &str, from: &str, org: Uuid, file: &str) -> Value {
    json!({"id": id, "type": "message", "from": from, "subject": "Pump", "content": "See the plan",
        "provider_message_id": format!("{id}@mail.example"), "metadata": {"attachments": [
            {"file_name": "Größe.pdf", "content_type": "application/pdf", "size_bytes": 7, "object_name": format!("{org}/inbound/{file}/plan.pdf")},
            {"file_name": "late.bin", "content_type": "application/octet-stream", "size_bytes": 9, "not_stored": "too_many"}]}})
}

async fn customer(context: &mut Context) -> Uuid {
    let input = json!({"type": "individual", "first_name": "Ada", "last_name": "Lovelace", "phone": ADA, "email": ADA_MAIL});
    let made = context.call(As::Northwind("csr"), "crm_create_customer", input).await.unwrap();
    made["id"].as_str().unwrap().parse().unwrap()
}

async fn all(context: &Context, sql: &str, id: Uuid) -> Vec<Value> {
    let sql = format!("select to_jsonb(x) from ({sql}) x");
    let rows = context.client.query(&sql, &[&id]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// Numbers of the company itself: no client, no project.
async fn bare(context: &Context) {
    let sql = "insert into org_channels (org_id, channel, address) values ($1, 'sms', $2), ($1, 'email', $3)";
    context.client.execute(sql, &[&NORTHWIND, &OURS, &DESK]).await.unwrap();
}

async fn without_a_project_a_customer_is_heard_and_a_stranger_is_kept(context: &mut Context) {
    bare(context).await;
    let ada = customer(context).await;
    let stranger = "+14155552679";
    let events = json!([message("1", ADA, "It leaks"), message("2", stranger, "Hello")]);
    let done = deliver(context, "sms", OURS, events.clone()).await;
    assert_eq!((&done[0]["outcome"], &done[0]["created"]), (&json!("interaction"), &json!(true)));
    assert_eq!((&done[1]["outcome"], &done[1]["lead_id"]), (&json!("no_project"), &Value::Null));
    let again = deliver(context, "sms", OURS, events).await;
    assert_eq!(again[0]["interaction_id"], done[0]["interaction_id"]);
    assert_eq!(
        (&again[0]["outcome"], &again[0]["created"]),
        (&json!("interaction"), &json!(false))
    );
    let sql = "select id, channel, direction, body, metadata ->> 'from' as from, created_by_user_id from crm_interactions where customer_id = $1";
    let said = all(context, sql, ada).await;
    let expect = json!({"id": done[0]["interaction_id"], "channel": "sms_inbound", "direction": "inbound", "body": "It leaks", "from": ADA,
        "created_by_user_id": null});
    assert_eq!(said, [expect]);
    let sql = "select outcome, payload ->> 'content' as content, payload ->> 'from' as from, interaction_id is not null as linked
        from webhook_events where org_id = $1 and provider = 'twilio' order by provider_event_id";
    let kept = all(context, sql, NORTHWIND).await;
    assert_eq!(
        kept[0],
        json!({"outcome": "interaction", "content": null, "from": null, "linked": true})
    );
    assert_eq!(
        kept[1],
        json!({"outcome": "no_project", "content": "Hello", "from": stranger, "linked": false})
    );
    // The lead of a project is found without the channel having one.
    let agency = Agency::make(context, NORTHWIND, &[]).await;
    let sql = "insert into leads (org_id, client_id, project_id, phone) values ($1, $2, $3, $4)";
    let (client, project) = (agency.client_id, agency.project_id);
    context.client.execute(sql, &[&NORTHWIND, &client, &project, &stranger]).await.unwrap();
    let done = deliver(context, "sms", OURS, json!([message("3", stranger, "Me again")])).await;
    assert_eq!(done[0]["outcome"], "message");
}

async fn without_a_project_a_message_is_one_interaction_whatever_its_events(context: &mut Context) {
    bare(context).await;
    let ada = customer(context).await;
    let mut other = message("1", ADA, "x");
    other["id"] = json!("2");
    let done = deliver(context, "sms", OURS, json!([message("1", ADA, "x"), other])).await;
    assert_eq!((&done[0]["created"], &done[1]["created"]), (&json!(true), &json!(false)));
    other["id"] = json!("3");
    let done = deliver(context, "sms", OURS, json!([other, message("4", ADA, "y")])).await;
    assert_eq!((&done[0]["created"], &done[1]["created"]), (&json!(false), &json!(true)));
    let sql = "select body from crm_interactions where customer_id = $1 order by body";
    assert_eq!(all(context, sql, ada).await, [json!({"body": "x"}), json!({"body": "y"})]);
    // Whoever was erased or merged is nobody's customer: kept.
    let erase = json!({"id": ada, "reason": "asked"});
    context.call(As::Northwind("owner"), "crm_erase_customer", erase).await.unwrap();
    let done = deliver(context, "sms", OURS, json!([message("5", ADA, "z")])).await;
    assert_eq!(done[0]["outcome"], "no_project");
}

const FILED: &str = "select a.file_name, a.content_type, a.size_bytes, a.object_name, a.created_by_user_id, i.channel
    from attachments a join crm_interactions i on i.id = a.interaction_id and i.customer_id = a.customer_id where a.customer_id = $1";

async fn what_a_customer_sends_is_filed_once(context: &mut Context) {
    let agency = Agency::make(context, NORTHWIND, &[]).await;
    agency.channel(context, "email", "leads@acme.example", json!({})).await;
    bare(context).await;
    let ada = customer(context).await;
    let filed = |file: &str| {
        json!({"file_name": "Größe.pdf", "content_type": "application/pdf", "size_bytes": 7, "created_by_user_id": null,
            "object_name": format!("{NORTHWIND}/inbound/{file}/plan.pdf"), "channel": "email_inbound"})
    };
    // As a lead of a project, and without one.
    let event = mail("1", ADA_MAIL, NORTHWIND, "a");
    for _ in 0..2 {
        deliver(context, "email", "leads@acme.example", json!([event, event])).await;
    }
    assert_eq!(all(context, FILED, ada).await, [filed("a")]);
    let sql = "delete from leads where customer_id = $1";
    context.client.execute(sql, &[&ada]).await.unwrap();
    let event = mail("2", ADA_MAIL, NORTHWIND, "b");
    for _ in 0..2 {
        deliver(context, "email", DESK, json!([event])).await;
    }
    let sql = format!("{FILED} order by a.object_name");
    assert_eq!(all(context, &sql, ada).await, [filed("a"), filed("b")]);
}

async fn what_a_lead_sends_is_in_the_message_alone(context: &mut Context) {
    let agency = Agency::make(context, NORTHWIND, &[]).await;
    agency.channel(context, "email", "leads@acme.example", json!({})).await;
    let event = mail("1", "eve@mail.example", NORTHWIND, "c");
    deliver(context, "email", "leads@acme.example", json!([event])).await;
    let sql = "select metadata -> 'attachments' as files from messages where client_id = $1";
    assert_eq!(
        all(context, sql, agency.client_id).await[0]["files"],
        event["metadata"]["attachments"]
    );
    let sql = "select count(*) from attachments where org_id = $1 and object_name ~ '/inbound/c/'";
    assert_eq!(all(context, sql, NORTHWIND).await[0]["count"], 0);
}

async fn a_file_of_another_org_is_never_filed(context: &mut Context) {
    bare(context).await;
    let ada = customer(context).await;
    let done = deliver(context, "email", DESK, json!([mail("1", ADA_MAIL, VOLT, "d")])).await;
    assert_eq!(done[0]["outcome"], "interaction");
    assert!(all(context, FILED, ada).await.is_empty());
}

async fn an_erasure_names_the_files_and_a_repeat_brings_nothing_back(context: &mut Context) {
    let agency = Agency::make(context, NORTHWIND, &[]).await;
    agency.channel(context, "email", "leads@acme.example", json!({})).await;
    bare(context).await;
    // A stranger, and then a lead, who sent files before anybody knew that they are a customer.
    let mut early = mail("0", ADA_MAIL, NORTHWIND, "early");
    early["from"] = json!("Ada@Mail.example");
    let done = deliver(context, "email", DESK, json!([early])).await;
    assert_eq!(done[0]["outcome"], "no_project");
    let first = mail("1", "ada.private@mail.example", NORTHWIND, "e");
    let done = deliver(context, "email", "leads@acme.example", json!([first])).await;
    let lead: Uuid = done[0]["lead_id"].as_str().unwrap().parse().unwrap();
    let ada = customer(context).await;
    let sql = "update leads set customer_id = $2 where id = $1";
    context.client.execute(sql, &[&lead, &ada]).await.unwrap();
    let second = mail("2", "ada.private@mail.example", NORTHWIND, "f");
    deliver(context, "email", "leads@acme.example", json!([second])).await;
    deliver(context, "sms", OURS, json!([message("3", ADA, "x")])).await;
    let sms = message("4", ADA, "to the bare number");
    context.client.execute("update leads set phone = null where id = $1", &[&lead]).await.unwrap();
    deliver(context, "sms", OURS, json!([sms])).await;
    let erase = json!({"id": ada, "reason": "asked"});
    let erased = context.call(As::Northwind("owner"), "crm_erase_customer", erase.clone()).await;
    let file = |name: &str| json!({"bucket_id": "attachments", "object_name": format!("{NORTHWIND}/inbound/{name}/plan.pdf")});
    assert_eq!(erased.unwrap()["attachments"], json!([file("e"), file("early"), file("f")]));
    let sql = "select count(*) from webhook_events where org_id = $1 and provider in ('postmark', 'twilio') and not starts_with(provider_event_id, 'erased:')";
    assert_eq!(all(context, sql, NORTHWIND).await[0]["count"], 0, "those of interactions too");

    // The provider sends it once more: known, by its digest, and its files are not stored again.
    let find = json!({"channel": "email", "address": "leads@acme.example", "provider": "postmark", "event_ids": ["1", "2", "3"]});
    let found = context.call(As::Dba(Uuid::nil()), "crm_find_channel", find).await.unwrap();
    assert_eq!(found["known"], json!(["1", "2"]));
    let again = deliver(context, "email", "leads@acme.example", json!([first, second])).await;
    assert!(again.iter().all(|event| event["created"] == false && event["lead_created"] == false));
    let sms = deliver(context, "sms", OURS, json!([sms])).await;
    assert_eq!(sms[0]["created"], false);
    let sql = "select count(*) from messages where client_id = $1 and (content <> '' or metadata <> '{}')";
    assert_eq!(all(context, sql, agency.client_id).await[0]["count"], 0);
    let erased = context.call(As::Northwind("owner"), "crm_erase_customer", erase).await.unwrap();
    assert_eq!(erased["attachments"], json!([]));
}

async fn stops(context: &Context) -> Vec<Value> {
    let sql = "select reason from crm_opt_outs where org_id = $1 and channel = 'sms' and address = '+14155552671'";
    all(context, sql, NORTHWIND).await
}

fn said(id: &str, kind: &str) -> Value {
    json!({"id": id, "type": kind, "from": ADA})
}

fn yes(id: &str) -> Value {
    json!({"id": id, "type": "opt_in", "from": ADA, "metadata": {"keyword": "Yes", "only_after_stop": true}})
}

async fn yes_is_an_answer_unless_it_takes_back_a_stop(context: &mut Context) {
    let agency = Agency::make(context, NORTHWIND, &[]).await;
    agency.channel(context, "sms", OURS, json!({})).await;
    let done =
        deliver(context, "sms", OURS, json!([message("1", ADA, "Yes"), yes("1:opt_in")])).await;
    assert_eq!((&done[0]["outcome"], &done[1]["outcome"]), (&json!("message"), &json!("ignored")));
    deliver(context, "sms", OURS, json!([said("2", "opt_out")])).await;
    assert_eq!(stops(context).await, [json!({"reason": "stop"})]);
    let done =
        deliver(context, "sms", OURS, json!([message("3", ADA, "YES"), yes("3:opt_in")])).await;
    assert_eq!((&done[0]["outcome"], &done[1]["outcome"]), (&json!("message"), &json!("opt_in")));
    assert!(stops(context).await.is_empty());
    // Both in one delivery, in their order.
    let done = deliver(context, "sms", OURS, json!([said("4", "opt_out"), yes("5")])).await;
    assert_eq!(done[1]["outcome"], "opt_in");
    assert!(stops(context).await.is_empty());
    let done = deliver(context, "sms", OURS, json!([yes("6"), said("7", "opt_out")])).await;
    assert_eq!(done[0]["outcome"], "ignored");
    assert_eq!(stops(context).await, [json!({"reason": "stop"})]);
    deliver(context, "sms", OURS, json!([said("8", "complaint")])).await;
    let done = deliver(context, "sms", OURS, json!([yes("9")])).await;
    assert_eq!((&done[0]["outcome"], stops(context).await.len()), (&json!("ignored"), 1));
}

async fn a_complaint_is_not_taken_back_whatever_comes_with_it(context: &mut Context) {
    let agency = Agency::make(context, NORTHWIND, &[]).await;
    agency.channel(context, "sms", OURS, json!({})).await;
    // In one delivery, and after a STOP that was there.
    let events = json!([said("1", "complaint"), said("2", "opt_out"), said("3", "opt_in")]);
    deliver(context, "sms", OURS, events).await;
    assert_eq!(stops(context).await, [json!({"reason": "complaint"})]);
    context
        .client
        .execute("delete from crm_opt_outs where org_id = $1", &[&NORTHWIND])
        .await
        .unwrap();
    deliver(context, "sms", OURS, json!([said("4", "opt_out")])).await;
    deliver(context, "sms", OURS, json!([said("5", "complaint")])).await;
    deliver(context, "sms", OURS, json!([said("6", "opt_in")])).await;
    assert_eq!(stops(context).await, [json!({"reason": "complaint"})]);
}
