//! What messages are written from, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use common::{As, Context, NORTHWIND, VOLT};
use fieldcrm_core::Code;
use serde_json::{Value, json};
use uuid::Uuid;

const CSR: As = As::Northwind("csr");

scenarios! {
    what_a_message_can_speak_of_is_found
    of_several_the_one_that_matters_is_taken
    who_may_not_send_messages_gets_nothing
    who_looked_is_written_down
}

async fn customer(context: &Context, org: Uuid) -> Uuid {
    let sql =
        "insert into customers (org_id, type, name, first_name, last_name, status, lifecycle_stage)
        values ($1, 'individual', 'Ann Abel', 'Ann', 'Abel', 'active', 'customer') returning id";
    context.client.query_one(sql, &[&org]).await.unwrap().get(0)
}

async fn add(context: &Context, customer: Uuid, sql: &str) {
    context.client.execute(sql, &[&customer]).await.unwrap();
}

async fn ask(context: &mut Context, caller: As, customer: Uuid) -> Value {
    let arguments = json!({"customer_id": customer});
    context.call(caller, "crm_message_context", arguments).await.unwrap()
}

async fn what_a_message_can_speak_of_is_found(context: &mut Context) {
    let sql = "update orgs set time_zone = 'Asia/Kathmandu' where id = $1";
    context.client.execute(sql, &[&NORTHWIND]).await.unwrap();
    let ours = customer(context, NORTHWIND).await;
    let nothing = ask(context, CSR, ours).await;
    assert_eq!(nothing["org_id"], json!(NORTHWIND));
    assert_eq!(nothing["customer"]["first_name"], "Ann");
    assert_eq!(nothing["user"]["email"], "csr@northwind.example");
    let facts = json!({"currency": "USD", "quote": null, "invoice": null, "next_visit": null, "last_visit_on": null,
        "membership": null, "message": null});
    assert_eq!(nothing["facts"], facts);
    for sql in [
        "insert into quotes (org_id, customer_id, number, status, total, sent_at, valid_until)
         select org_id, id, 'Q-1', 'sent', 950, '2026-01-02 20:00+00', '2990-01-01' from customers where id = $1",
        "insert into invoices (org_id, customer_id, number, status, total, amount_paid, issued_at, due_at)
         select org_id, id, 'R-1', 'sent', 200, 79.5, '2026-01-01', '2026-01-02 20:00+00' from customers where id = $1",
        "insert into work_orders (org_id, customer_id, title, window_start, window_end)
         select org_id, id, 'Repair', '2990-03-01 20:00+00', '2990-03-01 21:00+00' from customers where id = $1",
        "insert into work_orders (org_id, customer_id, title, status, completed_at)
         select org_id, id, 'Repair', 'completed', '2026-02-01 20:00+00' from customers where id = $1",
        "with p as (insert into membership_plans (org_id, name) select org_id, 'Comfort ' || id from customers where id = $1 returning *)
         insert into customer_memberships (org_id, customer_id, membership_plan_id, starts_on, ends_on)
         select org_id, $1, id, current_date - 300, current_date + 20 from p",
        "insert into crm_interactions (org_id, customer_id, channel, body, sentiment, occurred_at)
         select org_id, id, 'email_inbound', repeat('Nobody came. ', 400), 'negative', '2026-02-03 20:00+00' from customers where id = $1",
        "insert into crm_interactions (org_id, customer_id, channel, body) select org_id, id, 'note', 'Ours' from customers where id = $1",
    ] {
        add(context, ours, sql).await;
    }
    let facts = ask(context, As::Dba(NORTHWIND), ours).await["facts"].take();
    let quote = json!({"number": "Q-1", "total": "950.00", "sent_on": "2026-01-03", "valid_until": "2990-01-01"});
    assert_eq!(facts["quote"], quote);
    assert_eq!(
        facts["invoice"],
        json!({"number": "R-1", "open": "120.50", "due_on": "2026-01-03"})
    );
    assert_eq!(facts["next_visit"], json!({"day": "2990-03-02", "time": "01:45:00"}));
    assert_eq!(facts["last_visit_on"], "2026-02-02");
    assert_eq!(facts["membership"]["name"], format!("Comfort {ours}"));
    assert_eq!(facts["message"]["day"], "2026-02-04");
    assert_eq!(facts["message"]["sentiment"], "negative");
    assert_eq!(facts["message"]["text"].as_str().unwrap().len(), 4_000);
}

async fn of_several_the_one_that_matters_is_taken(context: &mut Context) {
    let ours = customer(context, NORTHWIND).await;
    add(
        context,
        ours,
        "insert into quotes (org_id, customer_id, number, status, total, sent_at, valid_until)
         select c.org_id, c.id, q.number, q.status, 1, now() - q.days * interval '1 day', q.until::date
         from customers c, (values ('old', 'sent', 20, null), ('new', 'sent', 10, null), ('over', 'sent', 5, '2026-01-01'), ('won', 'accepted', 1, null))
           as q (number, status, days, until) where c.id = $1",
    )
    .await;
    add(
        context,
        ours,
        "insert into invoices (org_id, customer_id, number, status, total, amount_paid, issued_at, due_at)
         select c.org_id, c.id, i.number, 'sent', 10, i.paid, now() - interval '90 days', now() + i.days * interval '1 day'
         from customers c, (values ('late', -40, 0), ('later', -10, 0), ('paid', -60, 10), ('coming', 10, 0)) as i (number, days, paid)
         where c.id = $1",
    )
    .await;
    let facts = ask(context, CSR, ours).await["facts"].take();
    assert_eq!(
        (&facts["quote"]["number"], &facts["invoice"]["number"]),
        (&json!("new"), &json!("late"))
    );
}

async fn who_may_not_send_messages_gets_nothing(context: &mut Context) {
    let ours = customer(context, NORTHWIND).await;
    let arguments = json!({"customer_id": ours});
    for role in ["member", "viewer", "technician", "client_admin", "portal_customer"] {
        let caller = As::Northwind(role);
        context.refused(caller, "crm_message_context", arguments.clone(), Code::Forbidden).await;
    }
    for caller in [As::Volt("owner"), As::Dba(VOLT)] {
        context.refused(caller, "crm_message_context", arguments.clone(), Code::NotFound).await;
    }
    let missing = json!({"customer_id": null});
    context.refused(CSR, "crm_message_context", missing, Code::InvalidArgument).await;
    let erase = json!({"id": ours, "reason": "asked"});
    context.call(As::Northwind("owner"), "crm_erase_customer", erase).await.unwrap();
    context.refused(CSR, "crm_message_context", arguments, Code::WrongState).await;
}

async fn who_looked_is_written_down(context: &mut Context) {
    let ours = customer(context, NORTHWIND).await;
    ask(context, CSR, ours).await;
    let sql = "select user_id from crm_access_log where customer_id = $1 and operation = 'crm_message_context'";
    let rows = context.client.query(sql, &[&ours]).await.unwrap();
    let csr = context.user("csr@northwind.example").await;
    assert_eq!(rows.iter().map(|row| row.get(0)).collect::<Vec<Uuid>>(), [csr]);
}
