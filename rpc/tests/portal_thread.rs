//! What customers and the office write to each other, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use common::household::{Household, household, id, manager, safe, sign_in, visit};
use common::{As, Context, NORTHWIND};
use fieldcrm_core::Code;
use serde_json::{Value, json};
use uuid::Uuid;

const CSR: As = As::Northwind("csr");
const TECHNICIAN: As = As::Northwind("technician");

scenarios! {
    a_thread_begins_with_a_message_and_its_copy_among_the_interactions
    the_same_key_again_writes_once
    who_writes_makes_it_the_turn_of_the_other
    what_is_closed_opens_when_the_customer_writes
    messages_are_read_page_by_page_and_once
    threads_are_listed_with_what_is_new
    a_thread_is_about_what_the_customer_has
    files_are_those_of_the_sender
    a_manager_is_in_the_threads_they_see
    another_customer_sees_nothing_and_writes_nothing
    the_office_opens_answers_and_hands_over
    a_technician_is_in_the_threads_of_their_visits
    who_may_not_send_messages_reads_none_of_it
    the_office_is_told_of_what_customers_write
    how_a_message_was_meant_is_not_shown_to_customers
}

fn opening() -> Value {
    json!({"subject": "Boiler", "initial_message": "It leaks."})
}

async fn open(context: &mut Context, home: &Household) -> Uuid {
    let made = context.call(home.user(), "portal_create_thread", opening()).await.unwrap();
    made["id"].as_str().unwrap().parse().unwrap()
}

async fn write(context: &mut Context, who: As, thread: Uuid, body: &str) -> Value {
    let name = if matches!(who, As::User(_)) {
        "portal_send_message"
    } else {
        "crm_reply_to_portal_thread"
    };
    context.call(who, name, json!({"thread_id": thread, "body": body})).await.unwrap()
}

async fn status(context: &Context, thread: Uuid) -> String {
    let sql = "select status::text from portal_threads where id = $1";
    context.client.query_one(sql, &[&thread]).await.unwrap().get(0)
}

async fn count(context: &Context, sql: &str) -> i64 {
    context.client.query_one(sql, &[]).await.unwrap().get(0)
}

async fn a_thread_begins_with_a_message_and_its_copy_among_the_interactions(context: &mut Context) {
    let home = household(context, "ann").await;
    let made = context.call(home.user(), "portal_create_thread", opening()).await.unwrap();
    safe(&made);
    assert_eq!(
        (&made["status"], &made["message"]["body"]),
        (&json!("pending_internal"), &json!("It leaks."))
    );
    let sql = "select to_jsonb(i) from portal_messages m join crm_interactions i on i.org_id = m.org_id and i.id = m.crm_interaction_id
               where m.id = $1";
    let message: Uuid = made["message"]["id"].as_str().unwrap().parse().unwrap();
    let copy: Value = context.client.query_one(sql, &[&message]).await.unwrap().get(0);
    assert_eq!(
        (&copy["channel"], &copy["direction"]),
        (&json!("portal_message"), &json!("inbound"))
    );
    assert_eq!((&copy["subject"], &copy["body"]), (&json!("Boiler"), &json!("It leaks.")));
    assert_eq!(copy["customer_id"], json!(home.customer));
    let sql = format!(
        "select count(*) from crm_events where event_type = 'message_received' and customer_id = '{}'",
        home.customer
    );
    assert_eq!(count(context, &sql).await, 1);
    let sql = format!(
        "select count(*) from portal_audit_events where portal_account_id = '{}' and event_type = 'thread_created'",
        home.account
    );
    assert_eq!(count(context, &sql).await, 1);
    let thread: Uuid = made["id"].as_str().unwrap().parse().unwrap();
    write(context, CSR, thread, "We come.").await;
    let sql = format!(
        "select count(*) from crm_interactions i join portal_messages m on m.crm_interaction_id = i.id
         where m.thread_id = '{thread}' and i.direction = 'outbound' and i.body = 'We come.'"
    );
    assert_eq!(count(context, &sql).await, 1);
}

async fn the_same_key_again_writes_once(context: &mut Context) {
    let home = household(context, "ann").await;
    let mut new = opening();
    new["idempotency_key"] = json!("k1");
    let first = context.call(home.user(), "portal_create_thread", new.clone()).await.unwrap();
    let again = context.call(home.user(), "portal_create_thread", new.clone()).await.unwrap();
    assert_eq!(first, again);
    new["subject"] = json!("Other");
    context.refused(home.user(), "portal_create_thread", new, Code::IdempotencyKeyReused).await;
    let mut answers = Vec::new();
    for _ in 0..2 {
        let message = json!({"thread_id": first["id"], "body": "Still", "idempotency_key": "k2"});
        answers.push(context.call(home.user(), "portal_send_message", message).await.unwrap());
        let reply = json!({"thread_id": first["id"], "body": "Coming", "idempotency_key": "k2"});
        answers.push(context.call(CSR, "crm_reply_to_portal_thread", reply).await.unwrap());
    }
    assert_eq!((&answers[0], &answers[1]), (&answers[2], &answers[3]));
    let sql =
        format!("select count(*) from crm_interactions where customer_id = '{}'", home.customer);
    assert_eq!(count(context, &sql).await, 3);
    // Keys are kept for a day; the message itself knows its own for ever.
    context.client.batch_execute("delete from fieldcrm.idempotency_keys").await.unwrap();
    let message = json!({"thread_id": first["id"], "body": "Still", "idempotency_key": "k2"});
    context.refused(home.user(), "portal_send_message", message, Code::Conflict).await;
    let sql =
        format!("select count(*) from portal_messages where customer_id = '{}'", home.customer);
    assert_eq!(count(context, &sql).await, 3);
}

async fn who_writes_makes_it_the_turn_of_the_other(context: &mut Context) {
    let home = household(context, "ann").await;
    let thread = open(context, &home).await;
    assert_eq!(status(context, thread).await, "pending_internal");
    let reply = write(context, CSR, thread, "We come.").await;
    assert_eq!(reply["status"], "pending_customer");
    assert_eq!(status(context, thread).await, "pending_customer");
    assert_eq!(write(context, home.user(), thread, "Thanks.").await["status"], "pending_internal");
}

async fn what_is_closed_opens_when_the_customer_writes(context: &mut Context) {
    let home = household(context, "ann").await;
    let thread = open(context, &home).await;
    let close = json!({"id": thread, "patch": {"status": "closed"}});
    let closed = context.call(CSR, "crm_update_portal_thread", close).await.unwrap();
    assert_eq!(closed["status"], "closed");
    write(context, home.user(), thread, "It leaks again.").await;
    assert_eq!(status(context, thread).await, "pending_internal");
}

async fn messages_are_read_page_by_page_and_once(context: &mut Context) {
    let home = household(context, "ann").await;
    let thread = open(context, &home).await;
    for n in 1..5 {
        write(context, if n % 2 == 0 { home.user() } else { CSR }, thread, &n.to_string()).await;
    }
    let (mut bodies, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let page = json!({"thread_id": thread, "page_size": 2, "cursor": cursor});
        let page = context.call(home.user(), "portal_list_messages", page).await.unwrap();
        safe(&page);
        bodies.extend(page["items"].as_array().unwrap().iter().map(|one| one["body"].clone()));
        cursor = page["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(bodies, ["4", "3", "2", "1", "It leaks."]);
    let key = json!({"thread_id": thread});
    for read in [2, 0] {
        let answer =
            context.call(home.user(), "portal_mark_thread_read", key.clone()).await.unwrap();
        assert_eq!(answer, json!({"read": read}), "the office's, once");
    }
    for read in [3, 0] {
        let answer = context.call(CSR, "crm_mark_portal_thread_read", key.clone()).await.unwrap();
        assert_eq!(answer, json!({"read": read}), "the customer's, once");
    }
    let page = context.call(home.user(), "portal_list_messages", key).await.unwrap();
    let items = page["items"].as_array().unwrap();
    assert!(items.iter().all(|one| one["read_at"].is_string()));
    assert_eq!(items[0]["sender"]["is_own"], true);
    assert_eq!(
        (&items[1]["sender"]["type"], &items[1]["sender"]["is_own"]),
        (&json!("internal_user"), &json!(false))
    );
    assert_eq!(items[1]["sender"].as_object().unwrap().len(), 4, "a name and a picture");
}

async fn threads_are_listed_with_what_is_new(context: &mut Context) {
    let home = household(context, "ann").await;
    let first = open(context, &home).await;
    let second = open(context, &home).await;
    write(context, CSR, first, "We come.").await;
    let list = context.call(home.user(), "portal_list_threads", json!({})).await.unwrap();
    safe(&list);
    let items = list["items"].as_array().unwrap();
    assert_eq!((&items[0]["id"], &items[1]["id"]), (&json!(first), &json!(second)));
    assert_eq!((&items[0]["unread_count"], &items[1]["unread_count"]), (&json!(1), &json!(0)));
    assert_eq!(
        items[0]["last_message"],
        json!({"sender_type": "internal_user", "excerpt": "We come."})
    );
    let waiting = json!({"status": "pending_internal"});
    let list = context.call(home.user(), "portal_list_threads", waiting).await.unwrap();
    assert_eq!(list["items"][0]["id"], json!(second));
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    let page =
        context.call(home.user(), "portal_list_threads", json!({"page_size": 1})).await.unwrap();
    let next = json!({"page_size": 1, "cursor": page["next_cursor"]});
    let page = context.call(home.user(), "portal_list_threads", next).await.unwrap();
    assert_eq!(page["items"][0]["id"], json!(second));
    assert_eq!(page["next_cursor"], Value::Null);
}

async fn a_thread_is_about_what_the_customer_has(context: &mut Context) {
    let (home, other) = (household(context, "ann").await, household(context, "bob").await);
    let own = visit(context, home.customer, Some(home.places[1]), 5, &[]).await;
    let foreign = visit(context, other.customer, None, 5, &[]).await;
    let mut new = opening();
    new["related_work_order_id"] = json!(own);
    let made = context.call(home.user(), "portal_create_thread", new.clone()).await.unwrap();
    assert_eq!(made["location_id"], json!(home.places[1]), "the place is the visit's");
    for (field, value) in [("related_work_order_id", foreign), ("location_id", other.places[0])] {
        let mut new = opening();
        new[field] = json!(value);
        let error =
            context.refused(home.user(), "portal_create_thread", new, Code::InvalidArgument).await;
        assert_eq!(error.errors[0].path, field);
    }
}

async fn files_are_those_of_the_sender(context: &mut Context) {
    let home = household(context, "ann").await;
    let thread = open(context, &home).await;
    let file =
        |folder: String| json!([{"object_name": folder + "leak.jpg", "file_name": "leak.jpg"}]);
    let own = file(format!("{NORTHWIND}/portal/{}/", home.account));
    let of_staff = file(format!("{NORTHWIND}/{}/", home.customer));
    let with = |files: &Value| json!({"thread_id": thread, "attachments": files});
    let sent = context.call(home.user(), "portal_send_message", with(&own)).await.unwrap();
    assert_eq!(sent["attachments"][0]["file_name"], "leak.jpg");
    context
        .refused(home.user(), "portal_send_message", with(&of_staff), Code::InvalidArgument)
        .await;
    context.call(CSR, "crm_reply_to_portal_thread", with(&of_staff)).await.unwrap();
    context.refused(CSR, "crm_reply_to_portal_thread", with(&own), Code::InvalidArgument).await;
}

async fn a_manager_is_in_the_threads_they_see(context: &mut Context) {
    let (whole, part) = (household(context, "whole").await, household(context, "part").await);
    let manager =
        manager(context, &[(whole.customer, None), (part.customer, Some(part.places[1]))]).await;
    let seen = open(context, &whole).await;
    let unseen = open(context, &part).await;
    write(context, manager.user(), seen, "I manage this.").await;
    let message = json!({"thread_id": unseen, "body": "x"});
    context.refused(manager.user(), "portal_send_message", message, Code::NotFound).await;
    let mut new = opening();
    new["location_id"] = json!(part.places[1]);
    let made = context.call(manager.user(), "portal_create_thread", new.clone()).await.unwrap();
    assert_eq!(made["customer_id"], json!(part.customer));
    new["location_id"] = json!(part.places[0]);
    context.refused(manager.user(), "portal_create_thread", new, Code::InvalidArgument).await;
    let list = context.call(manager.user(), "portal_list_threads", json!({})).await.unwrap();
    let ids: Vec<_> = list["items"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert_eq!(ids, [&made["id"], &json!(seen)]);
    // The customer's own accounts are in it too.
    let (second, _) =
        sign_in(context, part.customer, "second@home.example", "billing_contact").await;
    let thread = made["id"].as_str().unwrap().parse().unwrap();
    write(context, As::User(second), thread, "Me too.").await;
}

async fn another_customer_sees_nothing_and_writes_nothing(context: &mut Context) {
    let (home, other) = (household(context, "ann").await, household(context, "bob").await);
    let thread = open(context, &home).await;
    for who in [other.user(), As::Volt("portal_customer")] {
        for (name, arguments) in [
            ("portal_list_messages", json!({"thread_id": thread})),
            ("portal_mark_thread_read", json!({"thread_id": thread})),
            ("portal_send_message", json!({"thread_id": thread, "body": "x"})),
        ] {
            context.refused(who, name, arguments, Code::NotFound).await;
        }
    }
    for (name, arguments) in [
        ("crm_get_portal_thread", json!({"thread_id": thread})),
        ("crm_mark_portal_thread_read", json!({"thread_id": thread})),
        ("crm_reply_to_portal_thread", json!({"thread_id": thread, "body": "x"})),
        ("crm_update_portal_thread", json!({"id": thread, "patch": {"status": "closed"}})),
        (
            "crm_create_portal_thread",
            json!({"customer_id": home.customer, "subject": "x", "body": "x"}),
        ),
    ] {
        context.refused(As::Volt("csr"), name, arguments, Code::NotFound).await;
    }
    let sql =
        format!("update portal_accounts set status = 'suspended' where id = '{}'", home.account);
    context.client.batch_execute(&sql).await.unwrap();
    let message = json!({"thread_id": thread, "body": "x"});
    context.refused(home.user(), "portal_send_message", message, Code::PortalAccountInactive).await;
}

async fn the_office_opens_answers_and_hands_over(context: &mut Context) {
    let home = household(context, "ann").await;
    let new = json!({"customer_id": home.customer, "subject": "Your boiler", "body": "It is old."});
    let made = context.call(CSR, "crm_create_portal_thread", new).await.unwrap();
    assert_eq!(
        (&made["status"], &made["customer"]["id"]),
        (&json!("pending_customer"), &json!(home.customer))
    );
    let dispatcher = context.user("dispatcher@northwind.example").await;
    let patch = json!({"id": made["id"], "patch": {"assigned_to_user_id": dispatcher, "subject": "Boiler"}});
    let changed = context.call(CSR, "crm_update_portal_thread", patch).await.unwrap();
    assert_eq!(
        (&changed["assigned_to_user_id"], &changed["subject"]),
        (&json!(dispatcher), &json!("Boiler"))
    );
    let list = json!({"assigned_to": dispatcher, "status": "pending_customer", "customer_id": home.customer});
    let list = context.call(CSR, "crm_list_portal_threads", list).await.unwrap();
    assert_eq!(list["items"][0]["id"], made["id"]);
    let found =
        context.call(CSR, "crm_get_portal_thread", json!({"thread_id": made["id"]})).await.unwrap();
    assert_eq!(found["messages"]["items"][0]["body"], "It is old.");
    for stranger in ["portal_customer@northwind.example", "csr@volt.example"] {
        let stranger = context.user(stranger).await;
        let patch = json!({"id": made["id"], "patch": {"assigned_to_user_id": stranger}});
        let error =
            context.refused(CSR, "crm_update_portal_thread", patch, Code::InvalidArgument).await;
        assert_eq!(error.errors[0].code, "unknown_assignee");
    }
    let system = json!({"customer_id": home.customer, "subject": "Notice", "body": "We moved."});
    let made = context.call(As::Dba(NORTHWIND), "crm_create_portal_thread", system).await.unwrap();
    assert_eq!(made["status"], "open", "nobody's turn");
}

async fn a_technician_is_in_the_threads_of_their_visits(context: &mut Context) {
    let home = household(context, "ann").await;
    let technician = context.user("technician@northwind.example").await;
    let own =
        visit(context, home.customer, None, 9000, &[("technician_id", &format!("'{technician}'"))])
            .await;
    let mut new = opening();
    new["related_work_order_id"] = json!(own);
    let made = context.call(home.user(), "portal_create_thread", new).await.unwrap();
    let thread = made["id"].as_str().unwrap().parse().unwrap();
    let other = open(context, &home).await;
    write(context, TECHNICIAN, thread, "I bring a pump.").await;
    let found = context
        .call(TECHNICIAN, "crm_get_portal_thread", json!({"thread_id": thread}))
        .await
        .unwrap();
    assert_eq!(found["customer"].as_object().unwrap().len(), 2, "of the customer a name");
    let list = context.call(TECHNICIAN, "crm_list_portal_threads", json!({})).await.unwrap();
    let ids: Vec<_> = list["items"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert_eq!(ids, [&json!(thread)]);
    for (name, arguments) in [
        ("crm_get_portal_thread", json!({"thread_id": other})),
        ("crm_reply_to_portal_thread", json!({"thread_id": other, "body": "x"})),
    ] {
        context.refused(TECHNICIAN, name, arguments, Code::NotFound).await;
    }
    let about = |visit: Value| json!({"customer_id": home.customer, "subject": "x", "body": "x", "related_work_order_id": visit});
    context.call(TECHNICIAN, "crm_create_portal_thread", about(json!(own))).await.unwrap();
    context
        .refused(TECHNICIAN, "crm_create_portal_thread", about(Value::Null), Code::InvalidArgument)
        .await;
    let patch = json!({"id": thread, "patch": {"status": "closed"}});
    context.refused(TECHNICIAN, "crm_update_portal_thread", patch, Code::Forbidden).await;
}

async fn who_may_not_send_messages_reads_none_of_it(context: &mut Context) {
    let home = household(context, "ann").await;
    let thread = open(context, &home).await;
    for role in ["viewer", "member", "client_admin", "portal_customer"] {
        let who = As::Northwind(role);
        context.refused(who, "crm_list_portal_threads", json!({}), Code::Forbidden).await;
        let reply = json!({"thread_id": thread, "body": "x"});
        context.refused(who, "crm_reply_to_portal_thread", reply, Code::Forbidden).await;
    }
    context.refused(CSR, "portal_list_threads", json!({}), Code::NoMembership).await;
}

/// Who was told of the last message, by what they are.
async fn told(context: &Context, thread: Uuid) -> Vec<String> {
    let sql = "select array_agg(split_part(p.email, '@', 1) order by p.email) from crm_notifications n join profiles p on p.id = n.user_id
               where n.type = 'portal_message' and n.data ->> 'thread_id' = $1::text";
    let row = context.client.query_one(sql, &[&thread.to_string()]).await.unwrap();
    row.get::<_, Option<Vec<String>>>(0).unwrap_or_default()
}

async fn the_office_is_told_of_what_customers_write(context: &mut Context) {
    let home = household(context, "ann").await;
    let thread = open(context, &home).await;
    assert_eq!(told(context, thread).await, ["csr", "dispatcher"]);
    let technician = context.user("technician@northwind.example").await;
    let sales = context.user("sales@northwind.example").await;
    let own =
        visit(context, home.customer, None, 9000, &[("technician_id", &format!("'{technician}'"))])
            .await;
    let mut new = opening();
    new["related_work_order_id"] = json!(own);
    let made = context.call(home.user(), "portal_create_thread", new).await.unwrap();
    let thread: Uuid = made["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(told(context, thread).await, ["technician"]);
    let patch = json!({"id": thread, "patch": {"assigned_to_user_id": sales}});
    context.call(CSR, "crm_update_portal_thread", patch).await.unwrap();
    write(context, home.user(), thread, "And?").await;
    assert_eq!(told(context, thread).await, ["sales", "technician", "technician"]);
    write(context, CSR, thread, "Soon.").await;
    assert_eq!(told(context, thread).await.len(), 3, "the office's own are no news to it");
    let sql = "update profiles set status = 'inactive' where email in ('csr@northwind.example', 'dispatcher@northwind.example')";
    context.client.batch_execute(sql).await.unwrap();
    let thread = open(context, &home).await;
    assert_eq!(told(context, thread).await, ["admin", "manager", "owner"]);
}

async fn how_a_message_was_meant_is_not_shown_to_customers(context: &mut Context) {
    let home = household(context, "ann").await;
    let thread = open(context, &home).await;
    let other = household(context, "bob").await;
    open(context, &other).await;
    context.enter(home.user(), "authenticated").await;
    let seen = id(context, "select id from portal_threads").await;
    assert_eq!(seen, thread, "their own, and no other");
    let bodies: i64 = count(context, "select count(body) from portal_messages").await;
    assert_eq!(bodies, 1);
    context.client.batch_execute("savepoint mood").await.unwrap();
    let refused = context.client.query_one("select sentiment from portal_messages", &[]).await;
    assert_eq!(refused.unwrap_err().code().unwrap().code(), "42501");
    context.client.batch_execute("rollback to mood").await.unwrap();
    context.leave().await;
}
