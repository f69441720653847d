//! Events: what the database writes of each fact, what it queues, and what others tell of, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use std::collections::BTreeMap;

use common::{As, Context, NORTHWIND, VOLT};
use fieldcrm_core::Code;
use fieldcrm_core::automation::event::{self, EVENT_TYPES, Writer};
use serde_json::{Value, json};
use tokio_postgres::types::Json;
use uuid::Uuid;

const CSR: As = As::Northwind("csr");
const EMIT: &str = "crm_emit_event";

scenarios! {
    each_fact_writes_its_event_with_the_payload_that_the_catalogue_says
    payloads_hold_no_names_and_no_addresses
    a_fact_that_changes_nothing_writes_nothing
    coming_to_a_status_again_is_another_event
    one_statement_about_many_writes_one_event_for_each
    an_event_goes_with_the_fact_that_is_taken_back
    only_what_an_enabled_rule_of_the_org_listens_to_is_queued
    an_event_that_automation_caused_says_which_rules
    an_event_is_emitted_once_for_its_key
    an_event_without_a_key_is_one_of_its_own
    nobody_emits_what_the_database_writes
    a_key_does_not_stand_in_the_way_of_the_databases_own_event
    who_may_log_interactions_may_emit_in_their_org
    a_back_end_session_says_the_org_or_leaves_it_to_the_customer
    what_is_wrong_with_an_event_is_said_with_its_path
    closed_customers_take_no_events
}

/// A customer with a name, an e-mail, a phone and an address that are nowhere else.
async fn customer(context: &mut Context) -> Uuid {
    let input = json!({"type": "individual", "first_name": "Zelda", "last_name": "Quixote", "name": "Zelda Quixote",
        "email": "zelda@private.example", "phone": "+12025550147", "notes": "Has a parrot",
        "locations": [{"address_line1": "77 Hidden Lane", "city": "Nowhereville"}]});
    let made = context.call(CSR, "crm_create_customer", input).await.unwrap();
    made["id"].as_str().unwrap().parse().unwrap()
}

/// Whoever writes past the RPCs is a DBA.
async fn run(context: &Context, sql: &str, customer: Uuid) -> u64 {
    context.client.execute(sql, &[&customer]).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// The events of a customer, counted by type.
async fn counts(context: &Context, customer: Uuid) -> BTreeMap<String, i64> {
    let sql = "select event_type, count(*) from crm_events where customer_id = $1 group by 1";
    let rows = context.client.query(sql, &[&customer]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

async fn payloads(context: &Context, customer: Uuid) -> Vec<(String, Value)> {
    let sql = "select event_type, payload from crm_events where customer_id = $1";
    let rows = context.client.query(sql, &[&customer]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get::<_, Json<Value>>(1).0)).collect()
}

/// One of every fact.
async fn happen(context: &mut Context, customer: Uuid) {
    for sql in [
        "update customers set status = 'active', notes = 'Parrot died' where id = $1",
        "insert into crm_interactions (org_id, customer_id, channel, direction, subject, body, sentiment)
           select org_id, id, 'email_inbound', 'inbound', 'From Zelda', 'zelda@private.example', 'negative' from customers where id = $1",
        "insert into work_orders (org_id, customer_id, title, service_type) select org_id, id, 'For Zelda', 'repair' from customers where id = $1",
        "update work_orders set status = 'en_route' where customer_id = $1",
        "update work_orders set status = 'on_site' where customer_id = $1",
        "update work_orders set status = 'completed' where customer_id = $1",
        "update work_orders set status = 'canceled' where customer_id = $1",
        "update work_orders set status = 'scheduled' where customer_id = $1",
        "insert into quotes (org_id, customer_id, number, total) select org_id, id, 'Q-' || id, 12.5 from customers where id = $1",
        "update quotes set status = 'sent' where customer_id = $1",
        "update quotes set status = 'accepted' where customer_id = $1",
        "update quotes set status = 'declined' where customer_id = $1",
        "update quotes set status = 'expired' where customer_id = $1",
        "insert into invoices (org_id, customer_id, number, total) select org_id, id, 'I-' || id, 12.5 from customers where id = $1",
        "update invoices set status = 'sent' where customer_id = $1",
        "update invoices set status = 'paid' where customer_id = $1",
        "update invoices set status = 'void' where customer_id = $1",
        "insert into crm_segment_members (org_id, segment_id, customer_id)
           select c.org_id, s.id, c.id from customers c join crm_segments s using (org_id) where c.id = $1 and s.type = 'static'",
        "delete from crm_segment_members where customer_id = $1",
    ] {
        assert_eq!(run(context, sql, customer).await, 1, "{sql}");
    }
}

/// The keys of an object and of those in it.
fn shape(value: &Value) -> Value {
    let Value::Object(fields) = value else { return Value::Null };
    fields
        .iter()
        .map(|(key, inner)| (key.clone(), shape(inner)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

async fn each_fact_writes_its_event_with_the_payload_that_the_catalogue_says(
    context: &mut Context,
) {
    let id = customer(context).await;
    happen(context, id).await;
    // The job that looks for overdue follow-ups tells of them, and has tests of its own.
    let expected: BTreeMap<_, _> = EVENT_TYPES
        .iter()
        .filter(|known| known.writer == Writer::Database && known.name != "followup_overdue")
        .map(|known| (known.name.to_owned(), 1))
        .collect();
    let found = counts(context, id).await;
    assert_eq!(
        found.get("customer_updated"),
        Some(&1),
        "the quote and the invoice change no customer"
    );
    assert_eq!(found, expected);
    for (name, payload) in payloads(context, id).await {
        let example = Value::Object(event::find(&name).unwrap().example());
        assert_eq!(shape(&payload), shape(&example), "{name}");
    }
    let sql =
        "select payload from crm_events where customer_id = $1 and event_type = 'customer_updated'";
    let Json(payload) =
        context.client.query_one(sql, &[&id]).await.unwrap().get::<_, Json<Value>>(0);
    assert_eq!(payload["changed"], json!(["notes", "status"]));
    assert_eq!(
        (&payload["from"]["status"], &payload["to"]["status"]),
        (&json!("prospect"), &json!("active"))
    );
    assert_eq!(payload["from"]["lifecycle_stage"], payload["to"]["lifecycle_stage"]);
}

async fn payloads_hold_no_names_and_no_addresses(context: &mut Context) {
    let id = customer(context).await;
    happen(context, id).await;
    let change = json!({"id": id, "patch": {"name": "Zelda Q", "email": "zq@private.example", "phone": "+12025550148"}});
    context.call(CSR, "crm_update_customer", change).await.unwrap();
    let all = payloads(context, id).await;
    assert!(all.len() > 20);
    for (name, payload) in all {
        let text = payload.to_string().to_lowercase();
        for private in
            ["zelda", "quixote", "zq", "private", "2025550", "hidden", "nowhereville", "parrot"]
        {
            assert!(!text.contains(private), "{name}: {text}");
        }
    }
}

async fn a_fact_that_changes_nothing_writes_nothing(context: &mut Context) {
    let id = customer(context).await;
    happen(context, id).await;
    let before = counts(context, id).await;
    for sql in [
        "update customers set status = status, updated_at = now() where id = $1",
        "update work_orders set title = 'Other', status = status where customer_id = $1",
        "update quotes set total = 99 where customer_id = $1",
        "update invoices set amount_paid = 1 where customer_id = $1",
        "update crm_interactions set sentiment = 'negative' where customer_id = $1",
        "insert into quotes (org_id, customer_id, number) select org_id, id, 'Draft-' || id from customers where id = $1",
        "insert into invoices (org_id, customer_id, number) select org_id, id, 'Draft-' || id from customers where id = $1",
    ] {
        run(context, sql, id).await;
    }
    assert_eq!(counts(context, id).await, before);
    for (sentiment, expected) in [("positive", 0), ("negative", 1), ("neutral", 1)] {
        let sql =
            format!("update crm_interactions set sentiment = '{sentiment}' where customer_id = $1");
        let other = customer(context).await;
        let log = "insert into crm_interactions (org_id, customer_id, channel) select org_id, id, 'note' from customers where id = $1";
        run(context, log, other).await;
        if sentiment == "neutral" {
            run(
                context,
                "update crm_interactions set sentiment = 'negative' where customer_id = $1",
                other,
            )
            .await;
        }
        run(context, &sql, other).await;
        let found = counts(context, other).await;
        assert_eq!(found.get("sentiment_negative").copied().unwrap_or(0), expected, "{sentiment}");
        assert_eq!(found.get("message_received"), None, "a note is no message");
    }
}

async fn coming_to_a_status_again_is_another_event(context: &mut Context) {
    let id = customer(context).await;
    run(context, "insert into work_orders (org_id, customer_id, title, status) select org_id, id, 'x', 'completed' from customers where id = $1", id).await;
    for status in ["scheduled", "completed", "scheduled", "completed"] {
        run(
            context,
            &format!("update work_orders set status = '{status}' where customer_id = $1"),
            id,
        )
        .await;
    }
    let found = counts(context, id).await;
    assert_eq!(
        (found["work_order_created"], found["work_order_completed"], found["work_order_scheduled"]),
        (1, 3, 2)
    );
    // A sentiment is found once: the event of an interaction is not repeated.
    run(context, "insert into crm_interactions (org_id, customer_id, channel) select org_id, id, 'note' from customers where id = $1", id).await;
    for sentiment in ["negative", "positive", "negative"] {
        run(
            context,
            &format!(
                "update crm_interactions set sentiment = '{sentiment}' where customer_id = $1"
            ),
            id,
        )
        .await;
    }
    assert_eq!(counts(context, id).await["sentiment_negative"], 1);
}

async fn one_statement_about_many_writes_one_event_for_each(context: &mut Context) {
    let made = context
        .client
        .query(
            "insert into customers (org_id, type, name) select $1, 'company', 'C' || n from generate_series(1, 5) n returning id",
            &[&NORTHWIND],
        )
        .await
        .unwrap();
    let ids: Vec<Uuid> = made.iter().map(|row| row.get(0)).collect();
    let sql = "update customers set status = 'active' where id = any ($1) and id <> $2";
    context.client.execute(sql, &[&ids, &ids[0]]).await.unwrap();
    for (index, id) in ids.iter().enumerate() {
        let found = counts(context, *id).await;
        assert_eq!(found.get("customer_created"), Some(&1));
        assert_eq!(found.get("customer_updated").copied().unwrap_or(0), i64::from(index > 0));
    }
}

async fn an_event_goes_with_the_fact_that_is_taken_back(context: &mut Context) {
    let id = customer(context).await;
    listen(context, NORTHWIND, "'quote_sent'", true).await;
    let before = counts(context, id).await;
    context.client.batch_execute("savepoint fact").await.unwrap();
    let sql = "insert into quotes (org_id, customer_id, number, status) select org_id, id, 'Q-' || id, 'sent' from customers where id = $1";
    run(context, sql, id).await;
    assert_eq!(counts(context, id).await["quote_sent"], 1);
    assert_eq!(queued(context, id).await, ["quote_sent"]);
    context.client.batch_execute("rollback to fact").await.unwrap();
    assert_eq!(counts(context, id).await, before);
    assert_eq!(queued(context, id).await, Vec::<String>::new());
}

/// A rule that listens.
async fn listen(context: &Context, org: Uuid, event_type: &str, enabled: bool) {
    let sql = format!(
        "insert into crm_automation_rules (org_id, name, trigger_type, event_type, time_offset_minutes, segment_id, is_enabled, actions)
         select $1, 'x', t.type::automation_trigger, t.event_type, 5,
           case when t.type = 'segment_membership' then (select id from crm_segments s where s.org_id = $1 and s.type = 'static') end,
           $2, '[{{\"type\": \"tag_customer\", \"tag\": \"x\"}}]'
         from (select {event_type}::text as event_type,
           case when {event_type}::text is null then 'segment_membership' else 'event' end as type) t"
    );
    context.client.execute(&sql, &[&org, &enabled]).await.unwrap();
}

/// What is queued of a customer, in its order.
async fn queued(context: &Context, customer: Uuid) -> Vec<String> {
    let sql = "select q.event_type from fieldcrm.event_queue q
        join crm_events e on e.org_id = q.org_id and e.id = q.event_id and e.event_type = q.event_type
        where e.customer_id = $1 order by q.id";
    let rows = context.client.query(sql, &[&customer]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

async fn only_what_an_enabled_rule_of_the_org_listens_to_is_queued(context: &mut Context) {
    context.client.execute("delete from crm_automation_rules", &[]).await.unwrap();
    let quiet = customer(context).await;
    happen(context, quiet).await;
    assert_eq!(queued(context, quiet).await, Vec::<String>::new());
    listen(context, VOLT, "'quote_sent'", true).await;
    listen(context, NORTHWIND, "'quote_sent'", false).await;
    listen(context, NORTHWIND, "'quote_accepted'", true).await;
    listen(context, NORTHWIND, "'quote_accepted'", true).await;
    listen(context, NORTHWIND, "'no_reply'", true).await;
    listen(context, NORTHWIND, "null", true).await;
    let heard = customer(context).await;
    happen(context, heard).await;
    assert_eq!(
        queued(context, heard).await,
        ["interaction_logged", "quote_accepted", "segment_entered"]
    );
    assert_eq!(
        queued(context, quiet).await,
        Vec::<String>::new(),
        "what was before is not made up for"
    );
}

async fn an_event_that_automation_caused_says_which_rules(context: &mut Context) {
    let id = customer(context).await;
    let chain = [Uuid::from_u128(1), Uuid::from_u128(2)];
    let set = format!("set local fieldcrm.rule_chain = '{{{},{}}}'", chain[0], chain[1]);
    context.client.batch_execute(&set).await.unwrap();
    run(context, "update customers set status = 'active' where id = $1", id).await;
    context.client.batch_execute("set local fieldcrm.rule_chain = ''").await.unwrap();
    run(context, "update customers set status = 'inactive' where id = $1", id).await;
    let sql = "select payload #>> '{to,status}', rule_chain from crm_events where customer_id = $1 and event_type = 'customer_updated'";
    let rows = context.client.query(sql, &[&id]).await.unwrap();
    let chains: BTreeMap<String, Vec<Uuid>> =
        rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!((&chains["active"][..], &chains["inactive"][..]), (&chain[..], &[][..]));
}

fn tested(customer: Uuid) -> Value {
    json!({"event_type": "boiler_tested", "customer_id": customer})
}

fn with(mut base: Value, change: &Value) -> Value {
    base.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    base
}

async fn an_event_is_emitted_once_for_its_key(context: &mut Context) {
    let id = customer(context).await;
    listen(context, NORTHWIND, "'boiler_tested'", true).await;
    let input = with(
        tested(id),
        &json!({"event_key": "7", "payload": {"pressure": 1.5}, "occurred_at": "2026-01-31T09:00:00Z"}),
    );
    let first = context.call(CSR, EMIT, input.clone()).await.unwrap();
    for (column, value) in [
        ("created", json!(true)),
        ("org_id", json!(NORTHWIND)),
        ("event_type", json!("boiler_tested")),
        ("customer_id", json!(id)),
        ("payload", json!({"pressure": 1.5})),
        ("event_key", json!("boiler_tested:7")),
        ("occurred_at", json!("2026-01-31T09:00:00+00:00")),
        ("rule_chain", json!([])),
    ] {
        assert_eq!(first[column], value, "{column}");
    }
    let again = with(input.clone(), &json!({"payload": {"pressure": 9}}));
    let second = context.call(As::Northwind("sales"), EMIT, again).await.unwrap();
    assert_eq!(second, with(first.clone(), &json!({"created": false})));
    assert_eq!(queued(context, id).await, ["boiler_tested"]);
    let other = with(input, &json!({"event_type": "boiler_replaced"}));
    let other = context.call(CSR, EMIT, other).await.unwrap();
    assert_eq!(other["created"], true, "a key belongs to a type");
}

async fn an_event_without_a_key_is_one_of_its_own(context: &mut Context) {
    let id = customer(context).await;
    for _ in 0..2 {
        let made = context.call(CSR, EMIT, tested(id)).await.unwrap();
        assert_eq!((&made["created"], &made["payload"]), (&json!(true), &json!({})));
    }
    assert_eq!(counts(context, id).await["boiler_tested"], 2);
}

async fn nobody_emits_what_the_database_writes(context: &mut Context) {
    let id = customer(context).await;
    for name in ["quote_sent", "followup_overdue", "no_reply", "segment"] {
        for caller in [CSR, As::Northwind("owner"), As::Dba(NORTHWIND)] {
            let input = with(tested(id), &json!({"event_type": name}));
            let error = context.refused(caller, EMIT, input, Code::InvalidArgument).await;
            assert_eq!(
                (error.errors[0].path.as_str(), error.errors[0].code.as_str()),
                ("event_type", "reserved")
            );
        }
    }
    let booked = with(tested(id), &json!({"event_type": "booking_submitted"}));
    context.call(CSR, EMIT, booked).await.unwrap();
}

async fn a_key_does_not_stand_in_the_way_of_the_databases_own_event(context: &mut Context) {
    let id = customer(context).await;
    let quote = Uuid::from_u128(77);
    for key in [format!("quote_sent:{quote}"), quote.to_string()] {
        let input = with(tested(id), &json!({"event_type": "quote_seen", "event_key": key}));
        context.call(CSR, EMIT, input).await.unwrap();
    }
    let sql = "insert into quotes (id, org_id, customer_id, number, status) values ($1, $2, $3, 'Q-77', 'sent')";
    context.client.execute(sql, &[&quote, &NORTHWIND, &id]).await.unwrap();
    assert_eq!(counts(context, id).await["quote_sent"], 1);
}

async fn who_may_log_interactions_may_emit_in_their_org(context: &mut Context) {
    let id = customer(context).await;
    for role in ["owner", "admin", "manager", "csr", "sales", "dispatcher"] {
        context.call(As::Northwind(role), EMIT, tested(id)).await.unwrap();
    }
    for role in
        ["member", "viewer", "technician", "client_admin", "portal_customer", "portal_manager"]
    {
        context.refused(As::Northwind(role), EMIT, tested(id), Code::Forbidden).await;
    }
    context.refused(As::Volt("owner"), EMIT, tested(id), Code::NotFound).await;
    context.refused(CSR, EMIT, tested(Uuid::nil()), Code::NotFound).await;
    let own = with(tested(id), &json!({"org_id": NORTHWIND}));
    context.call(CSR, EMIT, own).await.unwrap();
    for org in [VOLT, Uuid::nil()] {
        let input = with(tested(id), &json!({"org_id": org}));
        context.refused(CSR, EMIT, input.clone(), Code::NotFound).await;
        context.refused(As::Dba(NORTHWIND), EMIT, input, Code::NotFound).await;
    }
}

async fn a_back_end_session_says_the_org_or_leaves_it_to_the_customer(context: &mut Context) {
    let id = customer(context).await;
    // No org is selected: the empty setting is none.
    let nowhere = As::Dba(Uuid::nil());
    let made = context.call(nowhere, EMIT, tested(id)).await.unwrap();
    assert_eq!(made["org_id"], json!(NORTHWIND), "the customer's");
    let said = with(tested(id), &json!({"org_id": NORTHWIND}));
    let made = context.call(nowhere, EMIT, said).await.unwrap();
    assert_eq!(made["org_id"], json!(NORTHWIND));
    let other = with(tested(id), &json!({"org_id": VOLT}));
    context.refused(nowhere, EMIT, other, Code::NotFound).await;
    let made = context.call(As::Dba(NORTHWIND), EMIT, tested(id)).await.unwrap();
    assert_eq!(made["created"], true);
    context.refused(As::Dba(VOLT), EMIT, tested(id), Code::NotFound).await;
}

async fn what_is_wrong_with_an_event_is_said_with_its_path(context: &mut Context) {
    let id = customer(context).await;
    for (change, path, code) in [
        (json!({"event_type": "Boiler"}), "event_type", "invalid_name"),
        (json!({"payload": [1]}), "payload", "invalid_value"),
        (json!({"payload": {"a": "x".repeat(40_000)}}), "payload", "too_long"),
        (json!({"event_key": "k".repeat(191)}), "event_key", "too_long"),
        (json!({"occurred_at": "2999-01-01T00:00:00Z"}), "occurred_at", "in_future"),
    ] {
        let error =
            context.refused(CSR, EMIT, with(tested(id), &change), Code::InvalidArgument).await;
        let found = (error.errors[0].path.as_str(), error.errors[0].code.as_str());
        assert_eq!(found, (path, code));
    }
    // The deepest that core lets through is what the table takes.
    let deep = (1..event::MAX_PAYLOAD_DEPTH).fold(json!({"a": 1}), |inner, _| json!({"a": inner}));
    context.call(CSR, EMIT, with(tested(id), &json!({"payload": deep}))).await.unwrap();
}

async fn closed_customers_take_no_events(context: &mut Context) {
    let [kept, merged, erased] =
        [customer(context).await, customer(context).await, customer(context).await];
    let merge = json!({"id": kept, "duplicate_id": merged});
    context.call(As::Northwind("owner"), "crm_merge_customers", merge).await.unwrap();
    let error = context.refused(CSR, EMIT, tested(merged), Code::WrongState).await;
    assert_eq!(error.data["merged_into_id"], json!(kept));
    context
        .call(As::Northwind("owner"), "crm_erase_customer", json!({"id": erased}))
        .await
        .unwrap();
    context.refused(CSR, EMIT, tested(erased), Code::WrongState).await;
    context.call(CSR, EMIT, tested(kept)).await.unwrap();
}
