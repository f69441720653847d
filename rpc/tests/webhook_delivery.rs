//! Events to the endpoints of their org: who is told, what was tried, and once more, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;
mod delivery_sample;

use std::collections::HashSet;

use common::{As, Context, NORTHWIND};
use delivery_sample::{
    CSR, JOB, MANAGER, claim, complete, customer, emit, endpoint, events, execute, fail, messages,
    one,
};
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
    old_deliveries_are_pruned
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
