//! Endpoints, events for them, and what becomes of their messages.

#![allow(dead_code, reason = "each test binary uses a part")]

use serde_json::{Value, json};
use uuid::Uuid;

use crate::common::{As, Context, NORTHWIND};

pub const MANAGER: As = As::Northwind("manager");

pub const CSR: As = As::Northwind("csr");

pub const JOB: As = As::Dba(NORTHWIND);

pub const EVERYWHERE: As = As::Dba(Uuid::nil());

/// An endpoint of the caller's org.
pub async fn endpoint(context: &mut Context, caller: As, types: &[&str]) -> Uuid {
    let empty = "delete from crm_outbox where created_at < now()";
    context.client.execute(empty, &[]).await.unwrap();
    let url = "select 'https://' || gen_random_uuid() || '.example.com/hook'";
    let url: String = context.client.query_one(url, &[]).await.unwrap().get(0);
    let input = json!({"url": url, "event_types": types});
    let made = context.call(caller, "crm_create_webhook_endpoint", input).await.unwrap();
    made["id"].as_str().unwrap().parse().unwrap()
}

pub async fn customer(context: &mut Context, caller: As) -> Uuid {
    let input = json!({"type": "individual", "first_name": "Jane", "last_name": "Doe",
        "contacts": [{"type": "email", "value": "jane.doe@example.com"}]});
    let made = context.call(caller, "crm_create_customer", input).await.unwrap();
    made["id"].as_str().unwrap().parse().unwrap()
}

pub async fn emit(context: &mut Context, customer: Uuid, key: &str) -> Value {
    let event = json!({"event_type": "meter_read", "customer_id": customer, "event_key": key, "payload": {"kwh": 3}});
    context.call(CSR, "crm_emit_event", event).await.unwrap()
}

/// So many events of the org at once.
pub async fn events(context: &Context, org: Uuid, count: i64) {
    let sql = "insert into crm_events (org_id, event_type, event_key) select $1, 'meter_read', 'bulk:' || gen_random_uuid()
        from generate_series(1, $2::bigint)";
    context.client.execute(sql, &[&org, &count]).await.unwrap();
}

pub async fn rows(context: &Context, sql: &str, id: Uuid) -> Vec<Value> {
    let sql = format!("select to_jsonb(x) from ({sql}) x");
    let rows = context.client.query(&sql, &[&id]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// The messages to an endpoint, the oldest first.
pub async fn messages(context: &Context, endpoint: Uuid) -> Vec<Value> {
    let sql = "select * from crm_outbox where webhook_endpoint_id = $1 order by created_at, payload -> 'data' ->> 'event_id'";
    rows(context, sql, endpoint).await
}

pub async fn one(context: &Context, sql: &str, id: Uuid) -> Value {
    rows(context, sql, id).await.pop().unwrap()
}

pub async fn claim(context: &mut Context, caller: As, batch_limit: usize) -> Vec<Value> {
    let arguments = json!({"providers": {"webhook": "webhook"}, "batch_limit": batch_limit});
    let mut claimed = context.call(caller, "crm_claim_messages", arguments).await.unwrap();
    serde_json::from_value(claimed["messages"].take()).unwrap()
}

pub async fn fail(
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

pub async fn complete(context: &mut Context, claimed: &Value) -> Value {
    let done = json!({"id": claimed["id"], "lease_id": claimed["lease_id"], "http_status": 204, "duration_ms": 7});
    context.call(JOB, "crm_complete_message", done).await.unwrap()
}

pub async fn execute(context: &Context, sql: &str, id: Uuid) -> u64 {
    context.client.execute(sql, &[&id]).await.unwrap()
}
