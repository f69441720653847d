//! Reminders of follow-ups and what is overdue, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use common::{As, Context, NORTHWIND};
use fieldcrm_core::Code;
use serde_json::{Value, json};
use uuid::Uuid;

const CSR: As = As::Northwind("csr");

scenarios! {
    a_reminder_is_a_notice_and_an_email_to_the_assignee
    names_are_no_markup_in_the_email
    what_is_overdue_is_a_notice_and_an_event
    nothing_is_told_twice
    another_time_is_another_reminder
    what_is_closed_or_not_due_yet_is_left_alone
    who_is_not_active_any_more_is_not_reminded
    a_customer_that_is_closed_stops_nobody
    a_member_without_an_email_gets_the_notice
    a_batch_takes_the_longest_due_and_one_org_if_it_is_said
    only_back_end_sessions_remind
    a_reminder_is_set_and_taken_back_by_patches
}

/// Nothing is left from the demo data, and nobody is reminded of what others made.
async fn quiet(context: &mut Context) {
    let sql = "update crm_followups set status = 'canceled' where status = 'pending'";
    context.client.execute(sql, &[]).await.unwrap();
}

async fn customer(context: &mut Context) -> Value {
    let input = json!({"type": "company", "name": "Acme"});
    context.call(CSR, "crm_create_customer", input).await.unwrap()["id"].take()
}

/// Due and to be reminded of so many minutes from now; the past is behind zero.
async fn make(context: &mut Context, customer: &Value, due: i32, remind: Option<i32>) -> Uuid {
    let input = json!({
        "customer_id": customer, "title": "Call back\nabout the pump", "due_at": "2027-01-05T15:00:00Z",
        "description": "It is loud.",
    });
    let made = context.call(CSR, "crm_create_followup", input).await.unwrap();
    let id: Uuid = made["id"].as_str().unwrap().parse().unwrap();
    at(context, id, due, remind).await;
    id
}

async fn at(context: &Context, id: Uuid, due: i32, remind: Option<i32>) {
    let sql = "update crm_followups set due_at = now() + make_interval(mins => $2),
      remind_at = now() + make_interval(mins => $3) where id = $1";
    context.client.execute(sql, &[&id, &due, &remind]).await.unwrap();
}

async fn remind(context: &mut Context) -> Value {
    context.call(As::Dba(NORTHWIND), "crm_remind_followups", json!({})).await.unwrap()
}

fn told(reminded: i64, overdue: i64, notified: i64, emailed: i64) -> Value {
    json!({"reminded": reminded, "overdue": overdue, "notified": notified, "emailed": emailed})
}

/// What there is of one follow-up: the types of the notices, the e-mails and the events.
async fn traces(context: &Context, id: Uuid) -> (Vec<String>, i64, i64) {
    let sql = "select coalesce((select array_agg(type order by type) from crm_notifications where data ->> 'followup_id' = $1), '{}'),
      (select count(*) from crm_outbox where dedupe_key like 'followup_reminder:' || $1 || ':%'),
      (select count(*) from crm_events where event_type = 'followup_overdue' and payload ->> 'followup_id' = $1)";
    let row = context.client.query_one(sql, &[&id.to_string()]).await.unwrap();
    (row.get(0), row.get(1), row.get(2))
}

async fn row(context: &Context, id: Uuid) -> Value {
    let sql = "select to_jsonb(f) from crm_followups f where f.id = $1";
    context.client.query_one(sql, &[&id]).await.unwrap().get(0)
}

async fn a_reminder_is_a_notice_and_an_email_to_the_assignee(context: &mut Context) {
    quiet(context).await;
    let customer = customer(context).await;
    let id = make(context, &customer, 60, Some(-1)).await;
    assert_eq!(remind(context).await, told(1, 0, 1, 1));
    assert!(row(context, id).await["reminded_at"].is_string());
    let csr = json!(context.user("csr@northwind.example").await);
    let sql = "select to_jsonb(n) from crm_notifications n where n.data ->> 'followup_id' = $1";
    let notice: Value = context.client.query_one(sql, &[&id.to_string()]).await.unwrap().get(0);
    assert_eq!((&notice["type"], &notice["user_id"]), (&json!("followup_reminder"), &csr));
    assert_eq!((&notice["customer_id"], &notice["body"]), (&customer, &json!("Acme")));
    assert_eq!(notice["title"], "Call back\nabout the pump");
    let key = notice["dedupe_key"].as_str().unwrap();
    let epoch = key.strip_prefix(&format!("followup_reminder:{id}:")).unwrap();
    assert!(epoch.parse::<f64>().is_ok(), "{key}");
    let sql = "select to_jsonb(o) from crm_outbox o where o.dedupe_key = $1";
    let email: Value = context.client.query_one(sql, &[&key]).await.unwrap().get(0);
    for (column, expected) in [
        ("user_id", csr),
        ("customer_id", customer),
        ("channel", json!("email")),
        ("purpose", json!("transactional")),
        ("to_address", json!("csr@northwind.example")),
        ("status", json!("queued")),
        ("subject", json!("Reminder: Call back about the pump")),
    ] {
        assert_eq!(email[column], expected, "{column}");
    }
    let body = email["body"].as_str().unwrap();
    for part in ["Call back", "Customer: Acme", "(America/Chicago)", "It is loud.", "Northwind"] {
        assert!(body.contains(part), "{part} is not in {body}");
    }
}

async fn names_are_no_markup_in_the_email(context: &mut Context) {
    quiet(context).await;
    let customer = customer(context).await;
    let sql = "update customers set name = '<a href=\"https://evil.example\">A&B</a>' where id = $1::text::uuid";
    context.client.execute(sql, &[&customer.as_str()]).await.unwrap();
    make(context, &customer, 60, Some(-1)).await;
    assert_eq!(remind(context).await, told(1, 0, 1, 1));
    let sql = "select body from crm_outbox where customer_id = $1::text::uuid";
    let body: String = context.client.query_one(sql, &[&customer.as_str()]).await.unwrap().get(0);
    assert!(!body.contains("<a") && body.contains("&lt;a href=&quot;"), "{body}");
    assert!(body.contains("A&amp;B&lt;/a&gt;<br>"), "{body}");
}

async fn what_is_overdue_is_a_notice_and_an_event(context: &mut Context) {
    quiet(context).await;
    let customer = customer(context).await;
    let id = make(context, &customer, -1, None).await;
    assert_eq!(remind(context).await, told(0, 1, 1, 0));
    assert_eq!(traces(context, id).await, (vec!["followup_overdue".to_owned()], 0, 1));
    assert!(row(context, id).await["overdue_notified_at"].is_string());
    let sql = "select to_jsonb(e) from crm_events e where e.event_type = 'followup_overdue' and e.payload ->> 'followup_id' = $1";
    let event: Value = context.client.query_one(sql, &[&id.to_string()]).await.unwrap().get(0);
    assert_eq!(event["customer_id"], customer);
    assert_eq!(event["occurred_at"], row(context, id).await["due_at"]);
    assert!(event["event_key"].as_str().unwrap().starts_with(&format!("followup_overdue:{id}:")));
    assert!(!event["payload"].to_string().contains("pump"), "{event}");
}

async fn nothing_is_told_twice(context: &mut Context) {
    quiet(context).await;
    let customer = customer(context).await;
    let id = make(context, &customer, -5, Some(-10)).await;
    assert_eq!(remind(context).await, told(1, 1, 2, 1));
    let both = (vec!["followup_overdue".to_owned(), "followup_reminder".to_owned()], 1, 1);
    assert_eq!(traces(context, id).await, both);
    assert_eq!(remind(context).await, told(0, 0, 0, 0));
    // Nor where the marks were lost: each has a key of its own.
    let sql =
        "update crm_followups set reminded_at = null, overdue_notified_at = null where id = $1";
    context.client.execute(sql, &[&id]).await.unwrap();
    assert_eq!(remind(context).await, told(1, 1, 0, 0));
    assert_eq!(traces(context, id).await, both);
}

async fn another_time_is_another_reminder(context: &mut Context) {
    quiet(context).await;
    let customer = customer(context).await;
    let id = make(context, &customer, -5, Some(-10)).await;
    remind(context).await;
    at(context, id, -4, Some(-9)).await;
    assert_eq!(remind(context).await, told(1, 1, 2, 1));
    let (notices, emails, events) = traces(context, id).await;
    assert_eq!((notices.len(), emails, events), (4, 2, 2));
    // Later is not yet.
    at(context, id, 10, Some(5)).await;
    let row = row(context, id).await;
    assert_eq!((&row["reminded_at"], &row["overdue_notified_at"]), (&Value::Null, &Value::Null));
    assert_eq!(remind(context).await, told(0, 0, 0, 0));
}

async fn what_is_closed_or_not_due_yet_is_left_alone(context: &mut Context) {
    quiet(context).await;
    let customer = customer(context).await;
    let later = make(context, &customer, 60, Some(30)).await;
    let plain = make(context, &customer, 60, None).await;
    for status in ["completed", "canceled"] {
        let id = make(context, &customer, -5, Some(-10)).await;
        let patch = json!({"id": id, "patch": {"status": status}});
        context.call(CSR, "crm_update_followup", patch).await.unwrap();
    }
    assert_eq!(remind(context).await, told(0, 0, 0, 0));
    for id in [later, plain] {
        assert_eq!(traces(context, id).await, (vec![], 0, 0));
    }
}

async fn who_is_not_active_any_more_is_not_reminded(context: &mut Context) {
    quiet(context).await;
    let customer = customer(context).await;
    let gone = make(context, &customer, -5, Some(-10)).await;
    let nobodys = make(context, &customer, -5, Some(-10)).await;
    let sql = "update crm_followups set assigned_to_user_id = null where id = $1";
    context.client.execute(sql, &[&nobodys]).await.unwrap();
    let sql = "update profiles set status = 'inactive' where email = 'csr@northwind.example'";
    context.client.execute(sql, &[]).await.unwrap();
    assert_eq!(remind(context).await, told(2, 2, 0, 0));
    for id in [gone, nobodys] {
        // It is overdue all the same.
        assert_eq!(traces(context, id).await, (vec![], 0, 1));
        assert!(row(context, id).await["reminded_at"].is_string());
    }
    assert_eq!(remind(context).await, told(0, 0, 0, 0));
}

async fn a_customer_that_is_closed_stops_nobody(context: &mut Context) {
    quiet(context).await;
    let [open, closed] = [customer(context).await, customer(context).await];
    let left = make(context, &closed, -5, Some(-10)).await;
    let other = make(context, &open, -5, Some(-10)).await;
    let erase = json!({"id": closed});
    context.call(As::Northwind("owner"), "crm_erase_customer", erase).await.unwrap();
    // As if the erasure were of yesterday, and somebody opened the follow-up again.
    let sql = "update customers set erased_at = now() - interval '1 day' where erased_at = now()";
    context.client.execute(sql, &[]).await.unwrap();
    let sql = "update crm_followups set status = 'pending' where id = $1";
    context.client.execute(sql, &[&left]).await.unwrap();
    assert_eq!(remind(context).await, told(2, 2, 2, 1));
    assert_eq!(traces(context, left).await, (vec![], 0, 0));
    assert_eq!(traces(context, other).await.1, 1);
}

async fn a_member_without_an_email_gets_the_notice(context: &mut Context) {
    quiet(context).await;
    let customer = customer(context).await;
    make(context, &customer, 60, Some(-1)).await;
    let csr = context.user("csr@northwind.example").await;
    let sql = "update profiles set email = null where id = $1";
    context.client.execute(sql, &[&csr]).await.unwrap();
    assert_eq!(remind(context).await, told(1, 0, 1, 0));
}

async fn a_batch_takes_the_longest_due_and_one_org_if_it_is_said(context: &mut Context) {
    quiet(context).await;
    let customer = customer(context).await;
    let first = make(context, &customer, 60, Some(-20)).await;
    let second = make(context, &customer, 60, Some(-10)).await;
    let sql = "insert into crm_followups (org_id, customer_id, title, due_at, remind_at)
      select org_id, id, 'Volt''s', now() + interval '1 hour', now() - interval '30 minutes' from customers
      where org_id = '22222222-2222-4222-8222-222222222222' and erased_at is null limit 1";
    context.client.execute(sql, &[]).await.unwrap();
    let one = json!({"batch_limit": 1});
    let done = context.call(As::Dba(NORTHWIND), "crm_remind_followups", one).await.unwrap();
    assert_eq!(done, told(1, 0, 1, 1));
    assert!(row(context, first).await["reminded_at"].is_string());
    assert!(row(context, second).await["reminded_at"].is_null());
    // No org is selected: all of them. The other org's has no assignee.
    let everywhere = As::Dba(Uuid::nil());
    let done = context.call(everywhere, "crm_remind_followups", json!({})).await.unwrap();
    assert_eq!(done, told(2, 0, 1, 1));
}

async fn only_back_end_sessions_remind(context: &mut Context) {
    for role in ["owner", "csr", "portal_customer"] {
        let caller = As::Northwind(role);
        context.refused(caller, "crm_remind_followups", json!({}), Code::Forbidden).await;
    }
    for wrong in [0, 10_001] {
        let batch = json!({"batch_limit": wrong});
        let dba = As::Dba(NORTHWIND);
        let error =
            context.refused(dba, "crm_remind_followups", batch, Code::InvalidArgument).await;
        assert_eq!(error.errors[0].path, "batch_limit");
    }
}

async fn a_reminder_is_set_and_taken_back_by_patches(context: &mut Context) {
    let customer = customer(context).await;
    let input = json!({
        "customer_id": customer, "title": "Call back", "due_at": "2027-01-05T15:00:00Z",
        "remind_at": "2027-01-05T14:00:00Z",
    });
    let made = context.call(CSR, "crm_create_followup", input).await.unwrap();
    assert!(made["remind_at"].as_str().unwrap().starts_with("2027-01-05T14:00:00"));
    for (patch, expected) in [
        (json!({"remind_at": "2027-01-05T13:00:00Z"}), Some("2027-01-05T13:00:00")),
        (json!({"title": "Call"}), Some("2027-01-05T13:00:00")),
        (json!({"remind_at": null}), None),
    ] {
        let arguments = json!({"id": made["id"], "patch": patch});
        let changed = context.call(CSR, "crm_update_followup", arguments).await.unwrap();
        let remind_at = changed["remind_at"].as_str().map(|time| &time[..19]);
        assert_eq!(remind_at, expected, "{patch}");
    }
    let wrong = json!({"id": made["id"], "patch": {"remind_at": "1700-01-01T00:00:00Z"}});
    let error = context.refused(CSR, "crm_update_followup", wrong, Code::InvalidArgument).await;
    assert_eq!(error.errors[0].path, "remind_at");
}
