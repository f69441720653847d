//! Events to the endpoints of their org: who is told, what was tried, once more, and no more, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use std::collections::HashSet;

use common::{As, Context, NORTHWIND, VOLT};
use fieldcrm_core::Code;
use serde_json::{Value, json};
use uuid::Uuid;

scenarios! {
    an_event_goes_to_each_endpoint_that_listens_in_the_transaction_of_the_fact
    an_event_told_twice_is_one_message
    nobody_is_told_of_who_is_erased
    a_deleted_customer_takes_the_messages_along
    consent_is_not_asked_for_endpoints
    each_attempt_is_listed_with_its_answer
    a_page_of_deliveries_goes_on_where_it_ended
    deliveries_are_for_those_who_manage_the_org
    a_finished_delivery_goes_again_under_the_same_id
    what_an_endpoint_missed_goes_again
    who_is_gone_is_disabled_at_once_and_the_managers_learn_it
    who_fails_for_days_is_disabled_and_a_success_begins_anew
    a_disabled_or_deleted_endpoint_gets_nothing_that_waited
    what_waits_for_a_disabled_endpoint_is_canceled_by_the_claim
    a_dead_endpoint_holds_up_nobody
    an_endpoint_that_fails_gets_one_message_now_and_then
    webhooks_and_other_messages_do_not_wait_for_each_other
    a_turn_that_came_too_late_is_no_attempt
    old_deliveries_are_pruned
}

const MANAGER: As = As::Northwind("manager");
const CSR: As = As::Northwind("csr");
const JOB: As = As::Dba(NORTHWIND);
const EVERYWHERE: As = As::Dba(Uuid::nil());

/// An endpoint of the caller's org.
async fn endpoint(context: &mut Context, caller: As, types: &[&str]) -> Uuid {
    let empty = "delete from crm_outbox where created_at < now()";
    context.client.execute(empty, &[]).await.unwrap();
    let url = "select 'https://' || gen_random_uuid() || '.example.com/hook'";
    let url: String = context.client.query_one(url, &[]).await.unwrap().get(0);
    let input = json!({"url": url, "event_types": types});
    let made = context.call(caller, "crm_create_webhook_endpoint", input).await.unwrap();
    made["id"].as_str().unwrap().parse().unwrap()
}

async fn customer(context: &mut Context, caller: As) -> Uuid {
    let input = json!({"type": "individual", "first_name": "Jane", "last_name": "Doe",
        "contacts": [{"type": "email", "value": "jane.doe@example.com"}]});
    let made = context.call(caller, "crm_create_customer", input).await.unwrap();
    made["id"].as_str().unwrap().parse().unwrap()
}

async fn emit(context: &mut Context, customer: Uuid, key: &str) -> Value {
    let event = json!({"event_type": "meter_read", "customer_id": customer, "event_key": key, "payload": {"kwh": 3}});
    context.call(CSR, "crm_emit_event", event).await.unwrap()
}

/// So many events of the org at once.
async fn events(context: &Context, org: Uuid, count: i64) {
    let sql = "insert into crm_events (org_id, event_type, event_key) select $1, 'meter_read', 'bulk:' || gen_random_uuid()
        from generate_series(1, $2::bigint)";
    context.client.execute(sql, &[&org, &count]).await.unwrap();
}

async fn rows(context: &Context, sql: &str, id: Uuid) -> Vec<Value> {
    let sql = format!("select to_jsonb(x) from ({sql}) x");
    let rows = context.client.query(&sql, &[&id]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// The messages to an endpoint, the oldest first.
async fn messages(context: &Context, endpoint: Uuid) -> Vec<Value> {
    let sql = "select * from crm_outbox where webhook_endpoint_id = $1 order by created_at, payload -> 'data' ->> 'event_id'";
    rows(context, sql, endpoint).await
}

async fn one(context: &Context, sql: &str, id: Uuid) -> Value {
    rows(context, sql, id).await.pop().unwrap()
}

async fn claim(context: &mut Context, caller: As, batch_limit: usize) -> Vec<Value> {
    let arguments = json!({"providers": {"webhook": "webhook"}, "batch_limit": batch_limit});
    let mut claimed = context.call(caller, "crm_claim_messages", arguments).await.unwrap();
    serde_json::from_value(claimed["messages"].take()).unwrap()
}

async fn fail(
    context: &mut Context,
    claimed: &Value,
    status: Option<u16>,
    retryable: bool,
) -> Value {
    let code = status.map_or("timeout".to_owned(), |status| format!("http_{status}"));
    let failed = json!({"id": claimed["id"], "lease_id": claimed["lease_id"], "code": code, "message": "no",
        "retryable": retryable, "http_status": status, "duration_ms": 12});
    context.call(JOB, "crm_fail_message", failed).await.unwrap()
}

async fn complete(context: &mut Context, claimed: &Value) -> Value {
    let done = json!({"id": claimed["id"], "lease_id": claimed["lease_id"], "http_status": 204, "duration_ms": 7});
    context.call(JOB, "crm_complete_message", done).await.unwrap()
}

async fn execute(context: &Context, sql: &str, id: Uuid) -> u64 {
    context.client.execute(sql, &[&id]).await.unwrap()
}

async fn an_event_goes_to_each_endpoint_that_listens_in_the_transaction_of_the_fact(
    context: &mut Context,
) {
    let all = endpoint(context, MANAGER, &[]).await;
    let listening = endpoint(context, MANAGER, &["other", "meter_read"]).await;
    let deaf = endpoint(context, MANAGER, &["quote_sent"]).await;
    let off = endpoint(context, MANAGER, &[]).await;
    let patch = json!({"id": off, "patch": {"is_enabled": false}});
    context.call(MANAGER, "crm_update_webhook_endpoint", patch).await.unwrap();
    let foreign = endpoint(context, As::Volt("owner"), &[]).await;
    let customer = customer(context, CSR).await;
    let event = emit(context, customer, "k1").await;
    let [created, read] = &messages(context, all).await[..] else { panic!("two messages") };
    let (created, read) =
        if created["event_id"] == event["id"] { (read, created) } else { (created, read) };
    assert_eq!(created["payload"]["type"], "customer_created");
    assert_eq!(
        read["payload"]["data"],
        json!({"event_id": event["id"], "org_id": NORTHWIND, "customer_id": customer, "payload": {"kwh": 3}})
    );
    assert_eq!(
        read["payload"].as_object().unwrap().keys().collect::<Vec<_>>(),
        ["data", "timestamp", "type"]
    );
    let at: chrono::DateTime<chrono::Utc> =
        read["payload"]["timestamp"].as_str().unwrap().parse().unwrap();
    assert_eq!(
        json!(at),
        json!(
            event["occurred_at"]
                .as_str()
                .unwrap()
                .parse::<chrono::DateTime<chrono::Utc>>()
                .unwrap()
        )
    );
    assert!(read["payload"]["timestamp"].as_str().unwrap().ends_with('Z'));
    let shown =
        ["channel", "purpose", "status", "customer_id", "event_id"].map(|key| read[key].clone());
    assert_eq!(json!(shown), json!(["webhook", "transactional", "queued", customer, event["id"]]));
    for text in ["Jane", "Doe", "jane.doe@example.com"] {
        assert!(!json!([created, read]).to_string().contains(text), "{text}");
    }
    let heard = messages(context, listening).await;
    assert_eq!((heard.len(), &heard[0]["event_id"]), (1, &event["id"]));
    for nobody in [deaf, off, foreign] {
        assert!(messages(context, nobody).await.is_empty());
    }
}

async fn an_event_told_twice_is_one_message(context: &mut Context) {
    let endpoint = endpoint(context, MANAGER, &["meter_read"]).await;
    let customer = customer(context, CSR).await;
    let first = emit(context, customer, "k1").await;
    let again = emit(context, customer, "k1").await;
    assert_eq!((&first["created"], &again["created"]), (&json!(true), &json!(false)));
    emit(context, customer, "k2").await;
    assert_eq!(messages(context, endpoint).await.len(), 2);
    let claimed = claim(context, JOB, 24).await;
    let ids: HashSet<_> = claimed.iter().map(|one| one["event_id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 2, "each event has an id of its own");
}

async fn nobody_is_told_of_who_is_erased(context: &mut Context) {
    let endpoint = endpoint(context, MANAGER, &[]).await;
    let customer = customer(context, CSR).await;
    emit(context, customer, "k1").await;
    // The erasure takes them out of their segments, which is an event.
    let member = "insert into crm_segment_members (org_id, segment_id, customer_id)
        select c.org_id, s.id, c.id from customers c join crm_segments s on s.org_id = c.org_id where c.id = $1 limit 1";
    assert_eq!(execute(context, member, customer).await, 1);
    let before = messages(context, endpoint).await.len();
    let owner = As::Northwind("owner");
    context.call(owner, "crm_erase_customer", json!({"id": customer})).await.unwrap();
    let left = messages(context, endpoint).await;
    assert_eq!(left.len(), before, "the erasure itself tells nobody");
    for message in left {
        let shown = ["status", "error_code", "payload", "to_address", "body"]
            .map(|key| message[key].clone());
        assert_eq!(json!(shown), json!(["canceled", "erased", null, null, ""]));
        let id = json!({"id": message["id"]});
        context.refused(MANAGER, "crm_replay_webhook_delivery", id, Code::WrongState).await;
    }
    let again = json!({"endpoint_id": endpoint, "since": "2020-01-01T00:00:00Z"});
    let done = context.call(MANAGER, "crm_replay_webhook_endpoint", again).await.unwrap();
    assert_eq!(done, json!({"replayed": 0, "more": false}));
}

async fn a_deleted_customer_takes_the_messages_along(context: &mut Context) {
    let endpoint = endpoint(context, MANAGER, &[]).await;
    let customer = customer(context, CSR).await;
    let claimed = claim(context, JOB, 24).await;
    fail(context, &claimed[0], Some(500), true).await;
    assert_eq!(execute(context, "delete from customers where id = $1", customer).await, 1);
    assert!(messages(context, endpoint).await.is_empty());
    let left = "select count(*) as count from webhook_attempts where message_id = $1";
    let id = claimed[0]["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(one(context, left, id).await["count"], 0);
}

async fn consent_is_not_asked_for_endpoints(context: &mut Context) {
    endpoint(context, MANAGER, &["meter_read"]).await;
    let customer = customer(context, CSR).await;
    let no = "insert into crm_preferences (org_id, customer_id, do_not_contact)
        select org_id, id, true from customers where id = $1
        on conflict (org_id, customer_id) do update set do_not_contact = true";
    execute(context, no, customer).await;
    emit(context, customer, "k1").await;
    let claimed = claim(context, JOB, 24).await;
    assert_eq!(claimed.len(), 1);
    complete(context, &claimed[0]).await;
    let said = "select count(*) as count from crm_interactions where customer_id = $1";
    assert_eq!(one(context, said, customer).await["count"], 0, "nothing was said to the customer");
}

async fn each_attempt_is_listed_with_its_answer(context: &mut Context) {
    let endpoint = endpoint(context, MANAGER, &["meter_read"]).await;
    events(context, NORTHWIND, 1).await;
    let claimed = claim(context, JOB, 24).await;
    fail(context, &claimed[0], Some(503), true).await;
    fail(context, &claimed[0], Some(503), true).await;
    let list = |status: Value| json!({"endpoint_id": endpoint, "status": status});
    let waiting =
        context.call(MANAGER, "crm_list_webhook_deliveries", list(json!("queued"))).await.unwrap();
    assert!(waiting["items"][0]["next_attempt_at"].is_string());
    execute(
        context,
        "update crm_outbox set available_at = now() where webhook_endpoint_id = $1",
        endpoint,
    )
    .await;
    let claimed = claim(context, JOB, 24).await;
    assert_eq!(claimed[0]["attempts"], 2);
    complete(context, &claimed[0]).await;
    let listed =
        context.call(MANAGER, "crm_list_webhook_deliveries", list(Value::Null)).await.unwrap();
    let [item] = &listed["items"].as_array().unwrap()[..] else { panic!("{listed}") };
    let shown =
        ["id", "event_id", "event_type", "status", "attempts", "error_code", "next_attempt_at"]
            .map(|key| item[key].clone());
    assert_eq!(
        json!(shown),
        json!([claimed[0]["id"], claimed[0]["event_id"], "meter_read", "sent", 2, null, null])
    );
    let log: Vec<_> = item["log"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            ["outcome", "http_status", "error_code", "duration_ms"].map(|key| one[key].clone())
        })
        .collect();
    assert_eq!(
        json!(log),
        json!([["failed", 503, "http_503", 12], ["sent", 204, null, 7]]),
        "said twice it is one attempt"
    );
    let none =
        context.call(MANAGER, "crm_list_webhook_deliveries", list(json!("failed"))).await.unwrap();
    assert_eq!(none, json!({"items": [], "next_cursor": null}));
}

async fn a_page_of_deliveries_goes_on_where_it_ended(context: &mut Context) {
    let endpoint = endpoint(context, MANAGER, &["meter_read"]).await;
    events(context, NORTHWIND, 7).await;
    let mut seen = HashSet::new();
    let mut cursor = Value::Null;
    for size in [3, 3, 1] {
        let query = json!({"endpoint_id": endpoint, "page_size": 3, "cursor": cursor});
        let page = context.call(MANAGER, "crm_list_webhook_deliveries", query).await.unwrap();
        let items = page["items"].as_array().unwrap();
        assert_eq!(items.len(), size);
        seen.extend(items.iter().map(|item| item["id"].to_string()));
        cursor = page["next_cursor"].clone();
    }
    assert_eq!((seen.len(), cursor), (7, Value::Null));
}

async fn deliveries_are_for_those_who_manage_the_org(context: &mut Context) {
    let endpoint = endpoint(context, MANAGER, &["meter_read"]).await;
    events(context, NORTHWIND, 1).await;
    let id = messages(context, endpoint).await[0]["id"].clone();
    for (name, arguments) in [
        ("crm_list_webhook_deliveries", json!({"endpoint_id": endpoint})),
        ("crm_replay_webhook_delivery", json!({"id": id})),
        (
            "crm_replay_webhook_endpoint",
            json!({"endpoint_id": endpoint, "since": "2026-01-01T00:00:00Z"}),
        ),
    ] {
        context.refused(CSR, name, arguments.clone(), Code::Forbidden).await;
        context.refused(As::Volt("owner"), name, arguments.clone(), Code::NotFound).await;
        context.call(As::Northwind("owner"), name, arguments).await.unwrap();
    }
    // A message to a customer is no delivery.
    let mail = "insert into crm_outbox (org_id, customer_id, channel, purpose, to_address, body)
        select org_id, id, 'email', 'transactional', 'x@example.com', 'x' from customers where org_id = $1 limit 1 returning id";
    let mail: Uuid = context.client.query_one(mail, &[&NORTHWIND]).await.unwrap().get(0);
    context
        .refused(MANAGER, "crm_replay_webhook_delivery", json!({"id": mail}), Code::NotFound)
        .await;
}

async fn a_finished_delivery_goes_again_under_the_same_id(context: &mut Context) {
    endpoint(context, MANAGER, &["meter_read"]).await;
    events(context, NORTHWIND, 1).await;
    let first = claim(context, JOB, 24).await.remove(0);
    complete(context, &first).await;
    let again = json!({"id": first["id"]});
    let row = context.call(MANAGER, "crm_replay_webhook_delivery", again.clone()).await.unwrap();
    assert_eq!(
        (&row["status"], &row["attempts"], &row["sent_at"]),
        (&json!("queued"), &json!(0), &Value::Null)
    );
    let unchanged = context.call(MANAGER, "crm_replay_webhook_delivery", again).await.unwrap();
    assert_eq!(unchanged, row, "it waits already");
    let second = claim(context, JOB, 24).await.remove(0);
    assert_eq!((&second["event_id"], &second["payload"]), (&first["event_id"], &first["payload"]));
    complete(context, &second).await;
}

async fn what_an_endpoint_missed_goes_again(context: &mut Context) {
    let endpoint = endpoint(context, MANAGER, &["meter_read"]).await;
    events(context, NORTHWIND, 4).await;
    let claimed = claim(context, JOB, 24).await;
    assert_eq!(claimed.len(), 4);
    complete(context, &claimed[0]).await;
    for one in &claimed[1..] {
        fail(context, one, Some(500), false).await;
    }
    let long_ago = "update crm_outbox set created_at = now() - interval '3 days' where id = $1";
    execute(context, long_ago, claimed[3]["id"].as_str().unwrap().parse().unwrap()).await;
    // Two that wait when it is disabled, and are canceled.
    events(context, NORTHWIND, 2).await;
    let set = |enabled: bool| json!({"id": endpoint, "patch": {"is_enabled": enabled}});
    context.call(MANAGER, "crm_update_webhook_endpoint", set(false)).await.unwrap();
    let since = one(
        context,
        "select now() - interval '1 day' as at from webhook_endpoints where id = $1",
        endpoint,
    )
    .await;
    let since = &since["at"];
    let again = json!({"endpoint_id": endpoint, "since": since});
    context.refused(MANAGER, "crm_replay_webhook_endpoint", again.clone(), Code::WrongState).await;
    context
        .refused(
            MANAGER,
            "crm_replay_webhook_delivery",
            json!({"id": claimed[1]["id"]}),
            Code::WrongState,
        )
        .await;
    context.call(MANAGER, "crm_update_webhook_endpoint", set(true)).await.unwrap();
    let done = context.call(MANAGER, "crm_replay_webhook_endpoint", again.clone()).await.unwrap();
    assert_eq!(done, json!({"replayed": 4, "more": false}));
    let done = context.call(MANAGER, "crm_replay_webhook_endpoint", again).await.unwrap();
    assert_eq!(done["replayed"], 0, "they wait already");
    let states: Vec<_> =
        messages(context, endpoint).await.into_iter().map(|one| one["status"].clone()).collect();
    assert_eq!(states.iter().filter(|state| *state == "queued").count(), 4);
}

async fn notices(context: &Context, endpoint: Uuid) -> Vec<Value> {
    let sql = "select p.role, n.data from crm_notifications n join profiles p on p.id = n.user_id
        where n.type = 'webhook_endpoint_disabled' and n.data ->> 'endpoint_id' = $1::uuid::text order by p.role::text";
    rows(context, sql, endpoint).await
}

async fn who_is_gone_is_disabled_at_once_and_the_managers_learn_it(context: &mut Context) {
    let endpoint = endpoint(context, MANAGER, &["meter_read"]).await;
    events(context, NORTHWIND, 7).await;
    let claimed = claim(context, JOB, 24).await;
    fail(context, &claimed[0], Some(410), false).await;
    let row = one(context, "select * from webhook_endpoints where id = $1", endpoint).await;
    assert_eq!((&row["is_enabled"], &row["disabled_reason"]), (&json!(false), &json!("gone")));
    let waiting: Vec<_> = messages(context, endpoint)
        .await
        .into_iter()
        .filter(|one| one["error_code"] == "endpoint_disabled")
        .collect();
    assert_eq!(waiting.len(), 2, "what waited; five were handed out");
    assert!(
        waiting.iter().all(|one| one["status"] == "canceled" && one["completed_at"].is_string())
    );
    fail(context, &claimed[1], Some(410), false).await;
    let told = notices(context, endpoint).await;
    let roles: Vec<_> = told.iter().map(|one| one["role"].clone()).collect();
    assert_eq!(json!(roles), json!(["admin", "manager", "owner"]), "once");
    assert_eq!(told[0]["data"]["reason"], "gone");
    events(context, NORTHWIND, 1).await;
    assert_eq!(messages(context, endpoint).await.len(), 7, "nothing new is queued");
    let patch = json!({"id": endpoint, "patch": {"is_enabled": true}});
    let row = context.call(MANAGER, "crm_update_webhook_endpoint", patch).await.unwrap();
    let shown = ["is_enabled", "disabled_reason", "failure_count", "failing_since", "resume_at"]
        .map(|key| row[key].clone());
    assert_eq!(json!(shown), json!([true, null, 0, null, null]));
}

async fn who_fails_for_days_is_disabled_and_a_success_begins_anew(context: &mut Context) {
    let endpoint = endpoint(context, MANAGER, &["meter_read"]).await;
    let state = "select is_enabled, failure_count, disabled_reason, failing_since from webhook_endpoints where id = $1";
    let ready = "update webhook_endpoints set resume_at = now(), failing_since = failing_since - interval '6 days' where id = $1";
    for (round, (failures, days_ago, enabled)) in
        [(9, true, true), (9, true, true), (10, false, true), (1, true, false)]
            .into_iter()
            .enumerate()
    {
        for number in 0..failures {
            events(context, NORTHWIND, 1).await;
            if number == 1 && days_ago {
                execute(context, ready, endpoint).await;
            }
            execute(context, "update webhook_endpoints set resume_at = now() where id = $1 and resume_at is not null", endpoint).await;
            if failures == 1 {
                execute(context, ready, endpoint).await;
            }
            let claimed = claim(context, JOB, 1).await;
            fail(context, &claimed[0], None, false).await;
        }
        let row = one(context, state, endpoint).await;
        assert_eq!(row["is_enabled"], enabled, "round {round}: {row}");
        if round == 0 || round == 1 {
            // Nine failures over six days, and then it was there.
            execute(
                context,
                "update webhook_endpoints set resume_at = now() where id = $1",
                endpoint,
            )
            .await;
            events(context, NORTHWIND, 1).await;
            let claimed = claim(context, JOB, 1).await;
            complete(context, &claimed[0]).await;
            let row = one(context, state, endpoint).await;
            assert_eq!((&row["failure_count"], &row["failing_since"]), (&json!(0), &Value::Null));
        }
    }
    let row = one(context, state, endpoint).await;
    assert_eq!(row["disabled_reason"], "failing");
    assert_eq!(notices(context, endpoint).await.len(), 3);
}

async fn a_disabled_or_deleted_endpoint_gets_nothing_that_waited(context: &mut Context) {
    for how in [
        "update webhook_endpoints set is_enabled = false where id = $1",
        "delete from webhook_endpoints where id = $1",
    ] {
        let endpoint = endpoint(context, MANAGER, &["meter_read"]).await;
        events(context, NORTHWIND, 2).await;
        let ids: Vec<Uuid> = messages(context, endpoint)
            .await
            .iter()
            .map(|one| one["id"].as_str().unwrap().parse().unwrap())
            .collect();
        execute(context, how, endpoint).await;
        assert!(claim(context, JOB, 24).await.is_empty());
        for id in ids {
            let row = one(context, "select * from crm_outbox where id = $1", id).await;
            assert_eq!(
                (&row["status"], &row["error_code"]),
                (&json!("canceled"), &json!("endpoint_disabled")),
                "{how}"
            );
        }
        assert!(notices(context, endpoint).await.is_empty(), "who did it knows");
    }
}

/// What is queued by a transaction that did not see the endpoint being disabled.
async fn what_waits_for_a_disabled_endpoint_is_canceled_by_the_claim(context: &mut Context) {
    let endpoint = endpoint(context, MANAGER, &["meter_read"]).await;
    execute(context, "update webhook_endpoints set is_enabled = false where id = $1", endpoint)
        .await;
    let sql = "insert into crm_outbox (org_id, channel, purpose, to_address, body, webhook_endpoint_id)
        select org_id, 'webhook', 'transactional', url, '', id from webhook_endpoints where id = $1";
    execute(context, sql, endpoint).await;
    assert!(claim(context, JOB, 24).await.is_empty());
    let [row] = &messages(context, endpoint).await[..] else { panic!("one") };
    assert_eq!(
        (&row["status"], &row["error_code"]),
        (&json!("canceled"), &json!("endpoint_disabled"))
    );
    assert!(row["completed_at"].is_string());
}

async fn a_dead_endpoint_holds_up_nobody(context: &mut Context) {
    let dead = endpoint(context, MANAGER, &["meter_read"]).await;
    let alive = endpoint(context, As::Volt("owner"), &["meter_read"]).await;
    endpoint(context, MANAGER, &["other"]).await;
    events(context, NORTHWIND, 1_000).await;
    execute(context, "update crm_outbox set available_at = now() - interval '1 hour' where webhook_endpoint_id = $1", dead).await;
    events(context, VOLT, 1).await;
    let other =
        "insert into crm_events (org_id, event_type, event_key) values ($1, 'other', 'other:1')";
    execute(context, other, NORTHWIND).await;
    let claimed = claim(context, EVERYWHERE, 24).await;
    let of = |org: Uuid| claimed.iter().filter(|one| one["org_id"] == json!(org)).count();
    assert_eq!((of(NORTHWIND), of(VOLT)), (6, 1), "a few of each endpoint");
    let of_two = claim(context, EVERYWHERE, 24).await;
    assert_eq!(of_two.len(), 5);
    // However small the claim is: the first of each comes before the second of any.
    events(context, VOLT, 1).await;
    let two = claim(context, EVERYWHERE, 2).await;
    let orgs: HashSet<_> = two.iter().map(|one| one["org_id"].to_string()).collect();
    assert_eq!(orgs.len(), 2, "{alive}");
}

async fn an_endpoint_that_fails_gets_one_message_now_and_then(context: &mut Context) {
    let endpoint = endpoint(context, MANAGER, &["meter_read"]).await;
    events(context, NORTHWIND, 20).await;
    for one in claim(context, JOB, 3).await {
        fail(context, &one, None, true).await;
    }
    assert!(claim(context, JOB, 24).await.is_empty(), "after three failures it is left alone");
    let wait = "select resume_at between now() + interval '7 seconds' and now() + interval '9 seconds' as soon from webhook_endpoints where id = $1";
    assert_eq!(one(context, wait, endpoint).await["soon"], true);
    execute(context, "update webhook_endpoints set resume_at = now() where id = $1", endpoint)
        .await;
    let probe = claim(context, JOB, 24).await;
    assert_eq!(probe.len(), 1);
    complete(context, &probe[0]).await;
    assert_eq!(claim(context, JOB, 24).await.len(), 5, "it is back");
}

async fn webhooks_and_other_messages_do_not_wait_for_each_other(context: &mut Context) {
    endpoint(context, MANAGER, &["meter_read"]).await;
    events(context, NORTHWIND, 3).await;
    let customer = customer(context, CSR).await;
    let mail = json!({"customer_id": customer, "channel": "email", "purpose": "transactional", "subject": "s", "body": "b"});
    context.call(CSR, "crm_send_message", mail).await.unwrap();
    let all = json!({"providers": {"email": "log", "webhook": "webhook"}, "batch_limit": 24});
    context.client.batch_execute("savepoint before").await.unwrap();
    let both = context.call(JOB, "crm_claim_messages", all).await.unwrap();
    assert_eq!(both["messages"].as_array().unwrap().len(), 4);
    context.client.batch_execute("rollback to before").await.unwrap();
    let only = json!({"providers": {"email": "log"}, "batch_limit": 1});
    let mails = context.call(JOB, "crm_claim_messages", only).await.unwrap();
    assert_eq!(mails["messages"][0]["channel"], "email");
    assert_eq!(claim(context, JOB, 24).await.len(), 3);
}

async fn a_turn_that_came_too_late_is_no_attempt(context: &mut Context) {
    let endpoint = endpoint(context, MANAGER, &["meter_read"]).await;
    events(context, NORTHWIND, 1).await;
    let claimed = claim(context, JOB, 24).await;
    let late = json!({"id": claimed[0]["id"], "lease_id": claimed[0]["lease_id"], "code": "late", "retryable": true, "untried": true});
    let row = context.call(JOB, "crm_fail_message", late).await.unwrap();
    assert_eq!(
        (&row["status"], &row["attempts"], &row["error_code"]),
        (&json!("queued"), &json!(0), &Value::Null)
    );
    let log = "select count(*) as count from webhook_attempts a join crm_outbox o on o.id = a.message_id where o.webhook_endpoint_id = $1";
    assert_eq!(one(context, log, endpoint).await["count"], 0);
    assert_eq!(claim(context, JOB, 24).await[0]["attempts"], 1, "at once");
}

async fn old_deliveries_are_pruned(context: &mut Context) {
    let endpoint = endpoint(context, MANAGER, &["meter_read"]).await;
    events(context, NORTHWIND, 3).await;
    let claimed = claim(context, JOB, 2).await;
    complete(context, &claimed[0]).await;
    complete(context, &claimed[1]).await;
    let age = "update crm_outbox set created_at = now() - interval '31 days' where id = $1";
    execute(context, age, claimed[0]["id"].as_str().unwrap().parse().unwrap()).await;
    let waiting = "update crm_outbox set created_at = now() - interval '31 days' where webhook_endpoint_id = $1 and status = 'queued'";
    execute(context, waiting, endpoint).await;
    let done = context.call(JOB, "crm_prune", json!({})).await.unwrap();
    assert_eq!(done["webhook_deliveries"], 1);
    assert_eq!(messages(context, endpoint).await.len(), 2, "what waits and what is young stays");
}
