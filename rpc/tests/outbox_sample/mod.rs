//! A customer, messages to them, and what the tests of the outbox look at.

#![allow(dead_code, reason = "each test binary uses a part")]

use serde_json::{Value, json};
use uuid::Uuid;

use crate::common::{As, Context, NORTHWIND};

pub const CSR: As = As::Northwind("csr");
pub const JOB: As = As::Dba(NORTHWIND);

/// Takes away what the demo data has in the outbox, for the length of the test.
pub async fn empty(context: &Context) {
    let sql = "delete from crm_outbox where created_at < now()";
    context.client.execute(sql, &[]).await.unwrap();
}

pub async fn customer(context: &mut Context, caller: As) -> Uuid {
    empty(context).await;
    let input = json!({"type": "individual", "first_name": "Jane", "last_name": "Doe", "contacts": [
        {"type": "email", "value": "jane.doe@example.com"}, {"type": "mobile", "value": "+12025550123"}]});
    let made = context.call(caller, "crm_create_customer", input).await.unwrap();
    let id = made["id"].as_str().unwrap().parse().unwrap();
    let sql = "update customer_contacts set is_verified = true where customer_id = $1";
    context.client.execute(sql, &[&id]).await.unwrap();
    id
}

pub fn mail(customer: Uuid) -> Value {
    json!({"customer_id": customer, "channel": "email", "purpose": "transactional",
        "subject": "Your visit", "body": "We come on Monday."})
}

pub async fn send(context: &mut Context, caller: As, message: Value) -> Value {
    context.call(caller, "crm_send_message", message).await.unwrap()
}

pub async fn claim(context: &mut Context) -> Vec<Value> {
    let arguments = json!({"providers": {"email": "postmark", "sms": "log", "whatsapp": "log"}});
    let claimed = context.call(JOB, "crm_claim_messages", arguments).await.unwrap();
    claimed["messages"].as_array().unwrap().clone()
}

/// A message that was handed out: (id, lease).
pub async fn handed_out(context: &mut Context, message: Value) -> (Value, Value) {
    let sent = send(context, CSR, message).await;
    let claimed = claim(context).await;
    let claimed = claimed.iter().find(|one| one["id"] == sent["id"]).unwrap();
    (sent["id"].clone(), claimed["lease_id"].clone())
}

pub async fn set(context: &Context, sql: &str, id: &Value) {
    let id: Uuid = id.as_str().unwrap().parse().unwrap();
    context.client.execute(sql, &[&id]).await.unwrap();
}

/// A column, or an expression over the row, as text.
pub async fn field(context: &Context, id: &Value, expression: &str) -> Option<String> {
    let id: Uuid = id.as_str().unwrap().parse().unwrap();
    let sql = format!("select ({expression})::text from crm_outbox where id = $1");
    context.client.query_one(&sql, &[&id]).await.unwrap().get(0)
}

pub async fn status(context: &Context, id: &Value) -> String {
    field(context, id, "status").await.unwrap()
}

pub async fn interactions(context: &Context, customer: Uuid) -> Vec<Value> {
    let sql = "select to_jsonb(i) from crm_interactions i where customer_id = $1";
    let rows = context.client.query(sql, &[&customer]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}
