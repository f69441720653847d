//! An agency with a number, and what comes in at it.

#![allow(dead_code, reason = "each test binary uses a part")]

use serde_json::{Value, json};
use tokio_postgres::types::Json;
use uuid::Uuid;

use crate::common::agency::Agency;
use crate::common::{As, Context, NORTHWIND};

pub const OURS: &str = "+15005550001";
pub const THEIRS: &str = "+15005550002";
pub const ADA: &str = "+14155552671";

pub async fn agency(context: &Context) -> Agency {
    let agency = Agency::make(context, NORTHWIND, &[("sales", "member"), ("csr", "member")]).await;
    agency.channel(context, "sms", OURS, json!({})).await;
    agency
}

pub fn message(id: &str, from: &str, content: &str) -> Value {
    json!({"id": id, "type": "message", "from": from, "content": content, "provider_message_id": format!("SM{id}")})
}

pub async fn deliver_to(
    context: &mut Context,
    channel: &str,
    address: &str,
    events: Value,
) -> Value {
    let provider = match channel {
        "email" => "postmark",
        "whatsapp" => "meta",
        _ => "twilio",
    };
    let arguments =
        json!({"provider": provider, "channel": channel, "address": address, "events": events});
    // A job of no org in particular.
    context.call(As::Dba(Uuid::nil()), "crm_receive_webhook", arguments).await.unwrap()
}

pub async fn deliver(context: &mut Context, events: Value) -> Vec<Value> {
    let answer = deliver_to(context, "sms", OURS, events).await;
    assert_eq!(answer["routed"], true);
    answer["events"].as_array().unwrap().clone()
}

pub async fn all(context: &Context, sql: &str, id: Uuid) -> Vec<Value> {
    let sql = format!("select to_jsonb(x) from ({sql}) x");
    let rows = context.client.query(&sql, &[&id]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

pub async fn add_lead(context: &Context, project: Uuid, columns: Value) -> Uuid {
    let sql = "insert into leads (org_id, client_id, project_id, email, phone, status, created_at)
        select p.org_id, p.client_id, p.id, $2::jsonb ->> 'email', $2 ->> 'phone', coalesce($2 ->> 'status', 'new'), clock_timestamp()
        from projects p where p.id = $1 returning id";
    context.client.query_one(sql, &[&project, &Json(columns)]).await.unwrap().get(0)
}

/// An outgoing message that the provider knows as `SMout`.
pub async fn outgoing(context: &Context, agency: &Agency) -> Uuid {
    let lead = add_lead(context, agency.project_id, json!({"phone": ADA})).await;
    let sql = "insert into messages (org_id, client_id, lead_id, sender_type, content, message_type, direction, provider, provider_message_id)
        select org_id, client_id, id, 'user', 'Hi', 'sms', 'outbound', 'twilio', 'SMout' from leads where id = $1 returning id";
    context.client.query_one(sql, &[&lead]).await.unwrap().get(0)
}

pub fn status(id: &str, status: &str) -> Value {
    json!({"id": id, "type": "status", "provider_message_id": "SMout", "status": status})
}

pub async fn status_of(context: &Context, message: Uuid) -> Value {
    all(context, "select status from messages where id = $1", message).await[0]["status"].clone()
}
