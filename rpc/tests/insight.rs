//! What was said to and by a customer, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use common::{As, Context, NORTHWIND, VOLT};
use fieldcrm_core::Code;
use serde_json::{Value, json};
use uuid::Uuid;

scenarios! {
    the_latest_fifty_are_read_of_the_customer_alone
    a_text_is_the_body_else_the_summary_else_the_subject
    who_sees_no_customers_reads_nothing
    who_read_is_written_down
}

async fn customer(context: &Context, org: Uuid) -> Uuid {
    let sql =
        "insert into customers (org_id, type, name) values ($1, 'company', 'Talks') returning id";
    context.client.query_one(sql, &[&org]).await.unwrap().get(0)
}

async fn read(context: &mut Context, caller: As, customer: Uuid) -> Value {
    let arguments = json!({"customer_id": customer});
    context.call(caller, "crm_interaction_texts", arguments).await.unwrap()
}

async fn the_latest_fifty_are_read_of_the_customer_alone(context: &mut Context) {
    let [ours, other, theirs] = [
        customer(context, NORTHWIND).await,
        customer(context, NORTHWIND).await,
        customer(context, VOLT).await,
    ];
    let sql = "insert into crm_interactions (org_id, customer_id, channel, body, occurred_at)
        select org_id, id, 'note', 'Note ' || n, now() - n * interval '1 hour' from customers, generate_series(-1, 60) n
        where id in ($1, $2, $3)";
    context.client.execute(sql, &[&ours, &other, &theirs]).await.unwrap();
    let found = read(context, As::Northwind("viewer"), ours).await;
    assert_eq!((&found["org_id"], &found["total"]), (&json!(NORTHWIND), &json!(61)));
    let said = found["interactions"].as_array().unwrap();
    let texts: Vec<_> = said.iter().map(|one| one["text"].as_str().unwrap()).collect();
    let expected: Vec<_> = (0..50).map(|n| format!("Note {n}")).collect();
    assert_eq!(texts, expected);
    let sql = "select count(*) from crm_interactions where customer_id = $1 and id = any($2)";
    let ids: Vec<Uuid> =
        said.iter().map(|one| one["id"].as_str().unwrap().parse().unwrap()).collect();
    let own: i64 = context.client.query_one(sql, &[&ours, &ids]).await.unwrap().get(0);
    assert_eq!(own, 50);
}

async fn a_text_is_the_body_else_the_summary_else_the_subject(context: &mut Context) {
    let ours = customer(context, NORTHWIND).await;
    let sql = "insert into crm_interactions (org_id, customer_id, channel, subject, summary, body, sentiment, occurred_at)
        select org_id, id, 'email_inbound', 'Subject', s, b, 'negative', '2026-03-01 23:30+00'::timestamptz - n * interval '1 minute'
        from customers, (values (1, 'Summary', repeat('x', 20000)), (2, 'Summary', E' \\n'), (3, null, null)) as v (n, s, b)
        where id = $1";
    context.client.execute(sql, &[&ours]).await.unwrap();
    let sql = "update orgs set time_zone = 'Asia/Kathmandu' where id = $1";
    context.client.execute(sql, &[&NORTHWIND]).await.unwrap();
    let found = read(context, As::Dba(NORTHWIND), ours).await;
    let said = found["interactions"].as_array().unwrap();
    assert_eq!(said[0]["text"].as_str().unwrap().len(), 10_000);
    assert_eq!((&said[1]["text"], &said[2]["text"]), (&json!("Summary"), &json!("Subject")));
    assert_eq!((&said[0]["day"], &said[0]["direction"]), (&json!("2026-03-02"), &json!("inbound")));
    assert_eq!(said[0]["sentiment"], "negative");
    let nothing = customer(context, NORTHWIND).await;
    let found = read(context, As::Dba(NORTHWIND), nothing).await;
    assert_eq!((&found["total"], &found["interactions"]), (&json!(0), &json!([])));
}

async fn who_sees_no_customers_reads_nothing(context: &mut Context) {
    let ours = customer(context, NORTHWIND).await;
    let arguments = json!({"customer_id": ours});
    for role in ["technician", "client_admin", "portal_customer"] {
        let caller = As::Northwind(role);
        context.refused(caller, "crm_interaction_texts", arguments.clone(), Code::Forbidden).await;
    }
    for caller in [As::Volt("owner"), As::Dba(VOLT)] {
        context.refused(caller, "crm_interaction_texts", arguments.clone(), Code::NotFound).await;
    }
    let missing = json!({"customer_id": null});
    let caller = As::Northwind("csr");
    context.refused(caller, "crm_interaction_texts", missing, Code::InvalidArgument).await;
}

async fn who_read_is_written_down(context: &mut Context) {
    let ours = customer(context, NORTHWIND).await;
    read(context, As::Northwind("viewer"), ours).await;
    let sql = "select user_id from crm_access_log where customer_id = $1 and operation = 'crm_interaction_texts'";
    let rows = context.client.query(sql, &[&ours]).await.unwrap();
    let viewer = context.user("viewer@northwind.example").await;
    assert_eq!(rows.iter().map(|row| row.get(0)).collect::<Vec<Uuid>>(), [viewer]);
}
