//! Conversations with leads, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use common::agency::Agency;
use common::{As, Context, NORTHWIND};
use fieldcrm_core::Code;
use serde_json::{Value, json};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

const SALES: As = As::Northwind("sales");

scenarios! {
    one_conversation_of_a_lead_is_open_on_a_channel
    a_message_is_in_the_open_conversation_and_counted
    what_a_customer_says_is_an_interaction_once
    a_conversation_is_counted_anew
    viewers_and_outsiders_write_nothing
    what_was_said_stays_and_how_far_it_came_goes_forward
}

async fn agency(context: &Context) -> (Agency, Uuid) {
    let members = [("sales", "member"), ("viewer", "viewer")];
    let agency = Agency::make(context, NORTHWIND, &members).await;
    let sql = "insert into leads (org_id, client_id, project_id, first_name) values ($1, $2, $3, 'Ada') returning id";
    let ids: [&(dyn ToSql + Sync); 3] = [&agency.org_id, &agency.client_id, &agency.project_id];
    let lead = context.client.query_one(sql, &ids).await.unwrap().get(0);
    (agency, lead)
}

async fn open(context: &mut Context, lead: Uuid, channel: &str) -> Uuid {
    let arguments = json!({"lead_id": lead, "channel": channel});
    let id = context.call(SALES, "create_conversation", arguments).await.unwrap();
    id.as_str().unwrap().parse().unwrap()
}

async fn say(context: &mut Context, lead: Uuid, said: &str) -> Uuid {
    let arguments = json!({"lead_id": lead, "content": said, "platform": "whatsapp"});
    let id = context.call(SALES, "process_incoming_message", arguments).await.unwrap();
    id.as_str().unwrap().parse().unwrap()
}

async fn row(context: &Context, sql: &str, id: Uuid) -> Value {
    let sql = format!("select to_jsonb(x) from ({sql}) x");
    context.client.query_one(&sql, &[&id]).await.unwrap().get(0)
}

async fn one_conversation_of_a_lead_is_open_on_a_channel(context: &mut Context) {
    let (_, lead) = agency(context).await;
    let first = open(context, lead, "whatsapp").await;
    assert_eq!(open(context, lead, "whatsapp").await, first);
    assert_ne!(open(context, lead, "email").await, first);
    let sql = "update conversations set status = 'closed' where id = $1";
    context.client.execute(sql, &[&first]).await.unwrap();
    let second = open(context, lead, "whatsapp").await;
    assert_ne!(second, first);
    let wrong = json!({"lead_id": lead, "channel": "pigeon"});
    context.refused(SALES, "create_conversation", wrong, Code::InvalidArgument).await;
}

async fn a_message_is_in_the_open_conversation_and_counted(context: &mut Context) {
    let (agency, lead) = agency(context).await;
    let message = say(context, lead, "Hello").await;
    say(context, lead, "Are you there?").await;
    let message = row(context, "select * from messages where id = $1", message).await;
    let conversation = open(context, lead, "whatsapp").await;
    assert_eq!(message["conversation_id"], json!(conversation));
    assert_eq!(
        (&message["sender_type"], &message["direction"], &message["content"]),
        (&json!("lead"), &json!("inbound"), &json!("Hello"))
    );
    assert_eq!(message["client_id"], json!(agency.client_id));
    let row = row(context, "select * from conversations where id = $1", conversation).await;
    assert_eq!((&row["message_count"], &row["status"]), (&json!(2), &json!("active")));
    assert!(row["last_message_at"].is_string());
}

async fn what_a_customer_says_is_an_interaction_once(context: &mut Context) {
    let (_, lead) = agency(context).await;
    say(context, lead, "Before").await;
    let input = json!({"type": "individual", "name": "Ada"});
    let customer = context.call(SALES, "crm_create_customer", input).await.unwrap();
    let customer: Uuid = customer["id"].as_str().unwrap().parse().unwrap();
    let sql = "update leads set customer_id = $2 where id = $1";
    context.client.execute(sql, &[&lead, &customer]).await.unwrap();
    let message = say(context, lead, "After").await;
    let sql = "select channel, direction, body, metadata ->> 'message_id' as message from crm_interactions where customer_id = $1";
    let found = row(context, sql, customer).await;
    let expect = json!({"channel": "whatsapp_inbound", "direction": "inbound", "body": "After", "message": message});
    assert_eq!(found, expect);
}

async fn a_conversation_is_counted_anew(context: &mut Context) {
    let (_, lead) = agency(context).await;
    say(context, lead, "Hello").await;
    let id = open(context, lead, "whatsapp").await;
    let sql = "update conversations set message_count = 99, last_message_at = null where id = $1";
    context.client.execute(sql, &[&id]).await.unwrap();
    let arguments = json!({"conversation_id": id});
    context.call(SALES, "update_conversation_stats", arguments.clone()).await.unwrap();
    let found = row(context, "select * from conversations where id = $1", id).await;
    assert_eq!(found["message_count"], 1);
    assert!(found["last_message_at"].is_string());
    for caller in [As::Northwind("dispatcher"), As::Volt("owner")] {
        context
            .refused(caller, "update_conversation_stats", arguments.clone(), Code::NotFound)
            .await;
    }
    let viewer = As::Northwind("viewer");
    context.refused(viewer, "update_conversation_stats", arguments, Code::Forbidden).await;
}

async fn viewers_and_outsiders_write_nothing(context: &mut Context) {
    let (_, lead) = agency(context).await;
    let calls = [
        ("create_conversation", json!({"lead_id": lead, "channel": "sms"})),
        ("process_incoming_message", json!({"lead_id": lead, "content": "x", "platform": "sms"})),
    ];
    for (name, arguments) in calls {
        let viewer = As::Northwind("viewer");
        context.refused(viewer, name, arguments.clone(), Code::Forbidden).await;
        for caller in [As::Northwind("dispatcher"), As::Volt("owner")] {
            context.refused(caller, name, arguments.clone(), Code::NotFound).await;
        }
    }
}

async fn what_was_said_stays_and_how_far_it_came_goes_forward(context: &mut Context) {
    let (agency, lead) = agency(context).await;
    let sql = "insert into messages (org_id, lead_id, client_id, sender_type, content, message_type, direction, status)
        values ($1, $2, null, 'user', 'Hi', 'sms', 'outbound', 'sent') returning id";
    let id: Uuid = context.client.query_one(sql, &[&agency.org_id, &lead]).await.unwrap().get(0);
    for (to, expect) in [
        ("failed", "failed"),
        ("delivered", "delivered"),
        ("sent", "delivered"),
        ("failed", "delivered"),
        ("read", "read"),
        ("delivered", "read"),
    ] {
        let sql = "update messages set status = $2 where id = $1 returning status";
        let status: String = context.client.query_one(sql, &[&id, &to]).await.unwrap().get(0);
        assert_eq!(status, expect, "{to}");
    }
    context.client.batch_execute("savepoint s").await.unwrap();
    let sql = "update messages set content = 'Bye' where id = $1";
    assert!(context.client.execute(sql, &[&id]).await.is_err());
    context.client.batch_execute("rollback to s").await.unwrap();
}
