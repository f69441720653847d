//! Follow-ups that facts suggest, on both drivers: once for each fact, and for those who may write them.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use common::{As, Context, NORTHWIND, VOLT};
use fieldcrm_core::Code;
use serde_json::{Value, json};
use uuid::Uuid;

const CSR: As = As::Northwind("csr");

scenarios! {
    what_the_facts_say_becomes_follow_ups
    a_second_call_makes_nothing
    the_next_actions_are_the_same_and_nothing_is_made
    what_is_dismissed_or_done_does_not_come_back_for_the_same_fact
    every_kind_of_fact_is_found
    an_answer_ends_a_complaint
    it_is_the_owner_s_where_there_is_an_active_one
    it_is_due_in_the_morning_of_the_org
    a_member_gets_those_of_their_own_customers
    outsiders_and_readers_get_nothing
    a_customer_that_is_closed_gets_none
    an_erased_customer_s_evidence_is_gone
    two_orgs_with_the_same_facts_do_not_meet
    nobody_forges_evidence
}

async fn customer(context: &Context, org: Uuid) -> Uuid {
    let sql = "insert into customers (org_id, type, name, status, lifecycle_stage) values ($1, 'company', 'Quiet', 'active', 'customer') returning id";
    context.client.query_one(sql, &[&org]).await.unwrap().get(0)
}

/// Runs a statement about the customer ($1).
async fn add(context: &Context, customer: Uuid, sql: &str) {
    context.client.execute(sql, &[&customer]).await.unwrap();
}

/// At noon of the org's own day: days of other clocks may be 39 or 41.
const OVERDUE: &str =
    "insert into invoices (org_id, customer_id, number, status, total, amount_paid, issued_at, due_at)
    select c.org_id, c.id, 'R-' || c.id, 'sent', 200, 80, now() - interval '50 days',
      ((now() at time zone o.time_zone)::date - 40 + time '12:00') at time zone o.time_zone
    from customers c join orgs o on o.id = c.org_id where c.id = $1";
const QUOTE: &str = "insert into quotes (org_id, customer_id, number, status, total, sent_at)
    select org_id, id, 'Q-' || id, 'sent', 950, now() - interval '10 days' from customers where id = $1";
const COMPLAINT: &str =
    "insert into crm_interactions (org_id, customer_id, channel, body, sentiment, occurred_at)
    select org_id, id, 'email_inbound', 'Nobody came.', 'negative', now() - interval '1 day' from customers where id = $1";

async fn suggest(context: &mut Context, caller: As, customer: Uuid) -> Vec<Value> {
    let arguments = json!({"customer_id": customer});
    let mut answer = context.call(caller, "crm_suggest_followups", arguments).await.unwrap();
    assert_eq!(answer["provider"], "builtin");
    serde_json::from_value(answer["suggestions"].take()).unwrap()
}

fn rules(found: &[Value]) -> Vec<&str> {
    found.iter().map(|one| one["evidence"]["rule"].as_str().unwrap()).collect()
}

async fn count(context: &Context, customer: Uuid) -> i64 {
    let sql = "select count(*) from crm_followups where customer_id = $1 and origin = 'ai_recommendation'";
    context.client.query_one(sql, &[&customer]).await.unwrap().get(0)
}

async fn what_the_facts_say_becomes_follow_ups(context: &mut Context) {
    let ours = customer(context, NORTHWIND).await;
    for fact in [OVERDUE, QUOTE, COMPLAINT] {
        add(context, ours, fact).await;
    }
    let found = suggest(context, CSR, ours).await;
    assert_eq!(rules(&found), ["complaint", "invoice_overdue", "quote_open"]);
    let csr = json!(context.user("csr@northwind.example").await);
    for one in &found {
        assert_eq!((&one["created"], &one["status"]), (&json!(true), &json!("pending")));
        assert_eq!(one["origin"], "ai_recommendation");
        assert_eq!((&one["created_by_user_id"], &one["assigned_to_user_id"]), (&csr, &csr));
        assert!(!one["evidence"]["reason"].as_str().unwrap().is_empty());
    }
    // Each names the row that it comes from.
    let sql = "select jsonb_build_object('interaction', (select id from crm_interactions where customer_id = $1),
        'invoice', (select id from invoices where customer_id = $1), 'quote', (select id from quotes where customer_id = $1))";
    let rows: Value = context.client.query_one(sql, &[&ours]).await.unwrap().get(0);
    for (one, (table, row)) in found.iter().zip([
        ("crm_interactions", &rows["interaction"]),
        ("invoices", &rows["invoice"]),
        ("quotes", &rows["quote"]),
    ]) {
        let fact = &one["evidence"]["facts"][0];
        assert_eq!((&fact["table"], &fact["id"]), (&json!(table), row));
    }
    assert_eq!(found[0]["related_interaction_id"], rows["interaction"]);
    let reason = found[1]["evidence"]["reason"].as_str().unwrap();
    assert!(reason.contains("120.00 USD") && reason.contains("40 days overdue"), "{reason}");
    assert_eq!(count(context, ours).await, 3);
}

async fn a_second_call_makes_nothing(context: &mut Context) {
    let ours = customer(context, NORTHWIND).await;
    add(context, ours, OVERDUE).await;
    add(context, ours, QUOTE).await;
    let first = suggest(context, CSR, ours).await;
    for caller in [CSR, As::Northwind("owner"), As::Dba(NORTHWIND)] {
        let again = suggest(context, caller, ours).await;
        assert_eq!(again.len(), 2);
        for (one, again) in first.iter().zip(&again) {
            assert_eq!((&one["id"], &again["created"]), (&again["id"], &json!(false)));
        }
    }
    assert_eq!(count(context, ours).await, 2);
}

async fn the_next_actions_are_the_same_and_nothing_is_made(context: &mut Context) {
    let sql = "update orgs set time_zone = 'Asia/Kathmandu' where id = $1";
    context.client.execute(sql, &[&NORTHWIND]).await.unwrap();
    let ours = customer(context, NORTHWIND).await;
    for fact in [OVERDUE, QUOTE, COMPLAINT] {
        add(context, ours, fact).await;
    }
    let arguments = json!({"customer_id": ours});
    let next = context.call(CSR, "crm_next_actions", arguments.clone()).await.unwrap();
    assert_eq!((&next["provider"], &next["org_id"]), (&json!("builtin"), &json!(NORTHWIND)));
    assert_eq!(count(context, ours).await, 0);
    let made = suggest(context, CSR, ours).await;
    let actions = next["actions"].as_array().unwrap();
    assert_eq!(actions.len(), 3);
    for (action, made) in actions.iter().zip(&made) {
        for (field, same) in [
            ("subject", "title"),
            ("description", "description"),
            ("priority", "priority"),
            ("due_at", "due_at"),
        ] {
            assert_eq!(action[field], made[same]);
        }
        for field in ["rule", "reason", "facts"] {
            assert_eq!(action[field], made["evidence"][field]);
        }
    }
    // What waits already is still to be done; what is done is not.
    let first = json!({"id": made[0]["id"], "patch": {"status": "completed"}});
    context.call(CSR, "crm_update_followup", first).await.unwrap();
    let next = context.call(CSR, "crm_next_actions", arguments.clone()).await.unwrap();
    assert_eq!(next["actions"].as_array().unwrap()[..], actions[1..]);
    let member = As::Northwind("member");
    context.refused(member, "crm_next_actions", arguments.clone(), Code::Forbidden).await;
    context.refused(As::Volt("owner"), "crm_next_actions", arguments, Code::NotFound).await;
    let nothing = customer(context, NORTHWIND).await;
    let next =
        context.call(CSR, "crm_next_actions", json!({"customer_id": nothing})).await.unwrap();
    assert_eq!(next["actions"], json!([]));
}

async fn what_is_dismissed_or_done_does_not_come_back_for_the_same_fact(context: &mut Context) {
    let ours = customer(context, NORTHWIND).await;
    for fact in [OVERDUE, QUOTE] {
        add(context, ours, fact).await;
    }
    let first = suggest(context, CSR, ours).await;
    for (one, status) in first.iter().zip(["canceled", "completed"]) {
        let arguments = json!({"id": one["id"], "patch": {"status": status}});
        context.call(CSR, "crm_update_followup", arguments).await.unwrap();
    }
    assert_eq!(rules(&suggest(context, CSR, ours).await), [""; 0]);
    // The quote is sent once more: that is another fact.
    add(
        context,
        ours,
        "update quotes set sent_at = now() - interval '8 days' where customer_id = $1",
    )
    .await;
    let found = suggest(context, CSR, ours).await;
    assert_eq!((rules(&found), &found[0]["created"]), (vec!["quote_open"], &json!(true)));
    assert_eq!(count(context, ours).await, 3);
}

async fn every_kind_of_fact_is_found(context: &mut Context) {
    for (rule, fact) in [
        (
            "quote_expiring",
            "insert into quotes (org_id, customer_id, number, status, total, sent_at, valid_until)
             select c.org_id, c.id, 'E-' || c.id, 'sent', 1, now(), (now() at time zone o.time_zone)::date + 3
             from customers c join orgs o on o.id = c.org_id where c.id = $1",
        ),
        (
            "quote_draft",
            "insert into quotes (org_id, customer_id, number, total, created_at)
             select org_id, id, 'D-' || id, 1, now() - interval '10 days' from customers where id = $1",
        ),
        (
            "membership_ending",
            "with p as (insert into membership_plans (org_id, name) select org_id, 'Comfort ' || id from customers where id = $1 returning *)
             insert into customer_memberships (org_id, customer_id, membership_plan_id, starts_on, ends_on)
             select org_id, $1, id, current_date - 300, current_date + 20 from p",
        ),
        (
            "warranty_ending",
            "insert into warranties (org_id, customer_id, title, starts_on, ends_on)
             select org_id, id, 'Boiler', current_date - 300, current_date + 20 from customers where id = $1",
        ),
        (
            "visit_plan_ending",
            "insert into visit_plans (org_id, customer_id, title, starts_on, start_time, rrule)
             select org_id, id, 'Filters', current_date - 20, '09:00', 'FREQ=WEEKLY;COUNT=6' from customers where id = $1",
        ),
        (
            "visit_done",
            "insert into work_orders (org_id, customer_id, title, status, completed_at)
             select org_id, id, 'Repair', 'completed', now() - interval '5 days' from customers where id = $1",
        ),
        (
            "service_due",
            "insert into work_orders (org_id, customer_id, title, status, completed_at)
             select org_id, id, 'Repair', 'completed', now() - interval '340 days' from customers where id = $1",
        ),
        ("quiet", "update customers set created_at = now() - interval '200 days' where id = $1"),
    ] {
        let ours = customer(context, NORTHWIND).await;
        add(context, ours, fact).await;
        assert_eq!(rules(&suggest(context, CSR, ours).await), [rule]);
    }
    // A plan that goes on, and one that nobody can read.
    for rrule in ["FREQ=WEEKLY", "FREQ=SOMETIMES"] {
        let ours = customer(context, NORTHWIND).await;
        let sql = format!(
            "insert into visit_plans (org_id, customer_id, title, starts_on, start_time, rrule)
             select org_id, id, 'Filters', current_date - 20, '09:00', '{rrule}' from customers where id = $1"
        );
        add(context, ours, &sql).await;
        assert_eq!(rules(&suggest(context, CSR, ours).await), [""; 0], "{rrule}");
    }
}

async fn an_answer_ends_a_complaint(context: &mut Context) {
    let ours = customer(context, NORTHWIND).await;
    add(context, ours, COMPLAINT).await;
    let answer = json!({"customer_id": ours, "channel": "phone_outbound", "summary": "Apologised"});
    context.call(CSR, "crm_log_interaction", answer).await.unwrap();
    assert_eq!(rules(&suggest(context, CSR, ours).await), [""; 0]);
}

async fn it_is_the_owner_s_where_there_is_an_active_one(context: &mut Context) {
    let sales = context.user("sales@northwind.example").await;
    let csr = context.user("csr@northwind.example").await;
    for (sql, expected) in [
        ("select 1 where $1::uuid is not null", sales),
        (
            "update profiles set status = 'inactive' where id = (select owner_id from customers where id = $1)",
            csr,
        ),
    ] {
        let ours = customer(context, NORTHWIND).await;
        let own = "update customers set owner_id = $2 where id = $1";
        context.client.execute(own, &[&ours, &sales]).await.unwrap();
        add(context, ours, sql).await;
        add(context, ours, QUOTE).await;
        let found = suggest(context, CSR, ours).await;
        assert_eq!(found[0]["assigned_to_user_id"], json!(expected));
    }
    // A job has nobody else to give it to.
    let ours = customer(context, NORTHWIND).await;
    add(context, ours, QUOTE).await;
    let found = suggest(context, As::Dba(NORTHWIND), ours).await;
    assert_eq!(found[0]["assigned_to_user_id"], Value::Null);
}

async fn it_is_due_in_the_morning_of_the_org(context: &mut Context) {
    let sql = "update orgs set time_zone = 'Asia/Kathmandu' where id = $1";
    context.client.execute(sql, &[&NORTHWIND]).await.unwrap();
    let ours = customer(context, NORTHWIND).await;
    add(context, ours, QUOTE).await;
    suggest(context, CSR, ours).await;
    let sql =
        "select bool_and((due_at at time zone 'Asia/Kathmandu')::time = '09:00' and due_at > now()
          and extract(isodow from due_at at time zone 'Asia/Kathmandu') <= 5)
        from crm_followups where customer_id = $1";
    let fine: bool = context.client.query_one(sql, &[&ours]).await.unwrap().get(0);
    assert!(fine);
}

async fn a_member_gets_those_of_their_own_customers(context: &mut Context) {
    let member = As::Northwind("member");
    let ours = customer(context, NORTHWIND).await;
    add(context, ours, QUOTE).await;
    let arguments = json!({"customer_id": ours});
    context.refused(member, "crm_suggest_followups", arguments, Code::Forbidden).await;
    let id = context.user("member@northwind.example").await;
    let sql = "update customers set owner_id = $2 where id = $1";
    context.client.execute(sql, &[&ours, &id]).await.unwrap();
    assert_eq!(rules(&suggest(context, member, ours).await), ["quote_open"]);
}

async fn outsiders_and_readers_get_nothing(context: &mut Context) {
    let ours = customer(context, NORTHWIND).await;
    add(context, ours, QUOTE).await;
    let arguments = json!({"customer_id": ours});
    for role in ["technician", "viewer", "client_admin", "portal_customer"] {
        let caller = As::Northwind(role);
        context.refused(caller, "crm_suggest_followups", arguments.clone(), Code::Forbidden).await;
    }
    for caller in [As::Volt("owner"), As::Dba(VOLT)] {
        context.refused(caller, "crm_suggest_followups", arguments.clone(), Code::NotFound).await;
    }
    let unknown = json!({"customer_id": Uuid::nil()});
    context.refused(CSR, "crm_suggest_followups", unknown, Code::NotFound).await;
    let missing = json!({"customer_id": null});
    context.refused(CSR, "crm_suggest_followups", missing, Code::InvalidArgument).await;
    assert_eq!(count(context, ours).await, 0);
}

async fn a_customer_that_is_closed_gets_none(context: &mut Context) {
    let [ours, other] = [customer(context, NORTHWIND).await, customer(context, NORTHWIND).await];
    add(context, other, QUOTE).await;
    let merge = json!({"id": ours, "duplicate_id": other});
    let merged = context.call(As::Northwind("owner"), "crm_merge_customers", merge).await;
    merged.unwrap();
    let arguments = json!({"customer_id": other});
    let error = context.refused(CSR, "crm_suggest_followups", arguments, Code::WrongState).await;
    assert_eq!(error.data["merged_into_id"], json!(ours));
    // What belonged to it speaks for the one that is left.
    assert_eq!(rules(&suggest(context, CSR, ours).await), ["quote_open"]);
}

async fn an_erased_customer_s_evidence_is_gone(context: &mut Context) {
    let ours = customer(context, NORTHWIND).await;
    add(context, ours, QUOTE).await;
    suggest(context, CSR, ours).await;
    let erase = json!({"id": ours, "reason": "asked"});
    context.call(As::Northwind("owner"), "crm_erase_customer", erase).await.unwrap();
    let sql = "select count(*) from crm_followups where customer_id = $1 and (evidence is not null or status = 'pending')";
    let left: i64 = context.client.query_one(sql, &[&ours]).await.unwrap().get(0);
    assert_eq!(left, 0);
}

async fn two_orgs_with_the_same_facts_do_not_meet(context: &mut Context) {
    let [ours, theirs] = [customer(context, NORTHWIND).await, customer(context, VOLT).await];
    for one in [ours, theirs] {
        add(context, one, QUOTE).await;
    }
    // A key of the other org is in nobody's way.
    let key = suggest(context, CSR, ours).await[0]["dedupe_key"].clone();
    let sql = "insert into crm_followups (org_id, customer_id, title, due_at, dedupe_key) values ($1, $2, 'x', now(), $3)";
    context.client.execute(sql, &[&VOLT, &theirs, &key.as_str()]).await.unwrap();
    let found = suggest(context, As::Volt("csr"), theirs).await;
    assert_eq!(rules(&found), ["quote_open"]);
    assert_eq!(found[0]["customer_id"], json!(theirs));
}

async fn nobody_forges_evidence(context: &mut Context) {
    let ours = customer(context, NORTHWIND).await;
    for (origin, evidence) in [
        ("manual", json!({"rule": "quiet"})),
        ("ai_recommendation", json!([1])),
        ("ai_recommendation", json!({"reason": "x".repeat(9000)})),
    ] {
        context.client.batch_execute("savepoint forge").await.unwrap();
        let sql = "insert into crm_followups (org_id, customer_id, title, due_at, origin, evidence)
            values ($1, $2, 'x', now(), $3::text::followup_origin, $4)";
        let error = context.client.execute(sql, &[&NORTHWIND, &ours, &origin, &evidence]).await;
        let error = error.unwrap_err();
        assert_eq!(error.as_db_error().unwrap().constraint(), Some("crm_followups_evidence_check"));
        context.client.batch_execute("rollback to forge").await.unwrap();
    }
}
