//! Replies to leads: through the outbox, with consent, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;
mod outbox_sample;

use common::agency::Agency;
use common::{As, Context, NORTHWIND};
use fieldcrm_core::Code;
use outbox_sample::{JOB, claim, empty, field, status};
use serde_json::{Value, json};
use uuid::Uuid;

const SALES: As = As::Northwind("sales");
const OWNER: As = As::Northwind("owner");

scenarios! {
    a_reply_goes_out_through_the_outbox_and_is_said_in_the_conversation
    who_said_stop_gets_no_reply
    the_customer_that_the_lead_became_has_their_say
    a_reply_to_a_customer_is_an_interaction
    a_reply_that_is_repeated_is_one
    what_a_reply_needs_is_named_by_its_path
    who_may_not_write_in_the_client_does_not_reply
    only_the_client_sees_its_replies_and_cancels_them
    an_erasure_empties_what_was_said_before_there_was_a_customer
    a_reply_that_is_sent_once_more_is_no_longer_failed
}

/// A lead with an address for each channel.
async fn lead(context: &Context) -> Uuid {
    empty(context).await;
    let members = [("sales", "member"), ("viewer", "viewer")];
    let agency = Agency::make(context, NORTHWIND, &members).await;
    let sql = "insert into leads (org_id, client_id, project_id, first_name, email, phone)
        values ($1, $2, $3, 'Ada', 'ada@leads.example', '+12025550177') returning id";
    let row = context
        .client
        .query_one(sql, &[&agency.org_id, &agency.client_id, &agency.project_id])
        .await;
    row.unwrap().get(0)
}

async fn open(context: &mut Context, lead: Uuid, channel: &str) -> Value {
    let arguments = json!({"lead_id": lead, "channel": channel});
    context.call(SALES, "create_conversation", arguments).await.unwrap()
}

async fn reply(context: &mut Context, conversation: &Value) -> Value {
    let arguments = json!({"conversation_id": conversation, "content": "Thursday at ten?"});
    context.call(SALES, "crm_reply_to_conversation", arguments).await.unwrap()
}

/// Makes a customer of the lead, with the lead's number as theirs.
async fn become_customer(context: &mut Context, lead: Uuid) -> Uuid {
    let input = json!({"type": "individual", "name": "Ada",
        "contacts": [{"type": "mobile", "value": "+12025550177"}]});
    let made = context.call(OWNER, "crm_create_customer", input).await.unwrap();
    let id: Uuid = made["id"].as_str().unwrap().parse().unwrap();
    let sql = "update leads set customer_id = $2 where id = $1";
    context.client.execute(sql, &[&lead, &id]).await.unwrap();
    id
}

async fn execute(context: &Context, sql: &str, id: Uuid) {
    context.client.execute(sql, &[&id]).await.unwrap();
}

async fn stop(context: &Context, lead: Uuid) {
    let sql = "insert into crm_opt_outs (org_id, channel, address) select org_id, 'sms', phone from leads where id = $1";
    execute(context, sql, lead).await;
}

/// The message of a reply, as its conversation has it.
async fn said(context: &Context, reply: &Value) -> Value {
    let id: Uuid = reply["message_id"].as_str().unwrap().parse().unwrap();
    let sql = "select to_jsonb(m) from messages m where id = $1";
    context.client.query_one(sql, &[&id]).await.unwrap().get(0)
}

async fn a_reply_goes_out_through_the_outbox_and_is_said_in_the_conversation(
    context: &mut Context,
) {
    let lead = lead(context).await;
    let conversation = open(context, lead, "email").await;
    let asked = json!({"conversation_id": conversation, "content": "Thursday at ten?", "subject": "Your visit"});
    let replied = context.call(SALES, "crm_reply_to_conversation", asked).await.unwrap();
    assert_eq!((&replied["status"], &replied["code"]), (&json!("queued"), &json!("allowed")));
    let message = said(context, &replied).await;
    let sales = context.user("sales@northwind.example").await;
    for (key, expect) in [
        ("conversation_id", conversation.clone()),
        ("lead_id", json!(lead)),
        ("sender_type", json!("user")),
        ("sender_id", json!(sales)),
        ("content", json!("Thursday at ten?")),
        ("message_type", json!("email")),
        ("direction", json!("outbound")),
        ("status", json!("sent")),
        ("outbox_id", replied["outbox_id"].clone()),
    ] {
        assert_eq!(message[key], expect, "{key}");
    }
    let out = claim(context).await;
    assert_eq!(out.len(), 1);
    assert_eq!(out[0]["id"], replied["outbox_id"]);
    assert_eq!(
        (&out[0]["to"], &out[0]["subject"], &out[0]["body"]),
        (&json!("ada@leads.example"), &json!("Your visit"), &json!("Thursday at ten?"))
    );
    let went =
        json!({"id": out[0]["id"], "lease_id": out[0]["lease_id"], "provider_message_id": "pm-1"});
    context.call(JOB, "crm_complete_message", went).await.unwrap();
    let message = said(context, &replied).await;
    assert_eq!(
        (&message["status"], &message["provider"], &message["provider_message_id"]),
        (&json!("sent"), &json!("postmark"), &json!("pm-1"))
    );
    let report =
        json!({"provider": "postmark", "provider_message_id": "pm-1", "status": "delivered"});
    context.call(JOB, "crm_record_message_status", report).await.unwrap();
    assert_eq!(said(context, &replied).await["status"], "delivered");
}

async fn who_said_stop_gets_no_reply(context: &mut Context) {
    let lead = lead(context).await;
    let conversation = open(context, lead, "sms").await;
    let before = reply(context, &conversation).await;
    assert_eq!(before["status"], "queued");
    stop(context, lead).await;
    let after = reply(context, &conversation).await;
    assert_eq!((&after["status"], &after["code"]), (&json!("refused"), &json!("stopped")));
    assert_eq!(said(context, &after).await["status"], "failed");
    assert!(claim(context).await.is_empty(), "what waits is asked about again");
    assert_eq!(status(context, &before["outbox_id"]).await, "refused");
    assert_eq!(said(context, &before).await["status"], "failed");
    // On another channel they said nothing of the kind.
    let mail = open(context, lead, "whatsapp").await;
    assert_eq!(reply(context, &mail).await["status"], "queued");
    execute(context, "update leads set phone = null where id = $1", lead).await;
    assert_eq!(reply(context, &mail).await["code"], "no_address");
}

async fn the_customer_that_the_lead_became_has_their_say(context: &mut Context) {
    let lead = lead(context).await;
    let conversation = open(context, lead, "sms").await;
    let before = reply(context, &conversation).await;
    let customer = become_customer(context, lead).await;
    let sql = "insert into crm_preferences (org_id, customer_id, do_not_sms) select org_id, id, true from customers where id = $1
        on conflict (org_id, customer_id) do update set do_not_sms = true";
    execute(context, sql, customer).await;
    assert_eq!(reply(context, &conversation).await["code"], "do_not_sms");
    assert!(claim(context).await.is_empty(), "what was said before they were a customer too");
    assert_eq!(field(context, &before["outbox_id"], "decision_code").await.unwrap(), "do_not_sms");
    let sql = "update crm_preferences set do_not_sms = false where customer_id = $1";
    execute(context, sql, customer).await;
    let sql = "update customer_contacts set opt_in_transactional = false where customer_id = $1";
    execute(context, sql, customer).await;
    assert_eq!(reply(context, &conversation).await["code"], "opted_out");
}

async fn a_reply_to_a_customer_is_an_interaction(context: &mut Context) {
    let lead = lead(context).await;
    let customer = become_customer(context, lead).await;
    let conversation = open(context, lead, "sms").await;
    let replied = reply(context, &conversation).await;
    let whose = field(context, &replied["outbox_id"], "customer_id").await;
    assert_eq!(whose, Some(customer.to_string()));
    let out = claim(context).await;
    assert_eq!((out.len(), &out[0]["to"]), (1, &json!("+12025550177")));
    let went = json!({"id": out[0]["id"], "lease_id": out[0]["lease_id"]});
    context.call(JOB, "crm_complete_message", went).await.unwrap();
    let logged = outbox_sample::interactions(context, customer).await;
    assert_eq!(logged.len(), 1);
    assert_eq!(
        (&logged[0]["channel"], &logged[0]["body"]),
        (&json!("sms_outbound"), &json!("Thursday at ten?"))
    );
}

async fn a_reply_that_is_repeated_is_one(context: &mut Context) {
    let lead = lead(context).await;
    let conversation = open(context, lead, "sms").await;
    let asked =
        json!({"conversation_id": conversation, "content": "Hello", "idempotency_key": "once"});
    let first = context.call(SALES, "crm_reply_to_conversation", asked.clone()).await.unwrap();
    let second = context.call(SALES, "crm_reply_to_conversation", asked.clone()).await.unwrap();
    assert_eq!(first, second);
    assert_eq!(claim(context).await.len(), 1);
    let mut other = asked;
    other["content"] = json!("Goodbye");
    context.refused(SALES, "crm_reply_to_conversation", other, Code::IdempotencyKeyReused).await;
}

async fn what_a_reply_needs_is_named_by_its_path(context: &mut Context) {
    let lead = lead(context).await;
    let (mail, text) = (open(context, lead, "email").await, open(context, lead, "sms").await);
    for (conversation, content, subject, path) in [
        (&text, json!(" "), Value::Null, "content"),
        (&text, json!("x"), json!("Hello"), "subject"),
        (&mail, json!("x"), Value::Null, "subject"),
        (&mail, json!("x"), json!("x".repeat(501)), "subject"),
    ] {
        let asked =
            json!({"conversation_id": conversation, "content": content, "subject": subject});
        let error =
            context.refused(SALES, "crm_reply_to_conversation", asked, Code::InvalidArgument).await;
        assert_eq!(error.errors[0].path, path);
    }
    // What an e-mail answers gives it its subject.
    for (asked, answered) in
        [("Your offer", "Re: Your offer"), ("RE: Your offer", "RE: Your offer")]
    {
        let sql = "insert into messages (org_id, client_id, lead_id, conversation_id, sender_type, content, message_type, direction, metadata, created_at)
            select org_id, client_id, lead_id, id, 'lead', 'Hi', 'email', 'inbound', jsonb_build_object('subject', $2::text), clock_timestamp()
            from conversations where lead_id = $1 and channel = 'email'";
        context.client.execute(sql, &[&lead, &asked]).await.unwrap();
        let replied = reply(context, &mail).await;
        let subject = field(context, &replied["outbox_id"], "subject").await;
        assert_eq!(subject.as_deref(), Some(answered));
    }
    execute(context, "update conversations set status = 'closed' where lead_id = $1", lead).await;
    let asked = json!({"conversation_id": text, "content": "x"});
    context.refused(SALES, "crm_reply_to_conversation", asked, Code::WrongState).await;
}

async fn who_may_not_write_in_the_client_does_not_reply(context: &mut Context) {
    let lead = lead(context).await;
    let conversation = open(context, lead, "sms").await;
    let asked = json!({"conversation_id": conversation, "content": "x"});
    let name = "crm_reply_to_conversation";
    context.refused(As::Northwind("viewer"), name, asked.clone(), Code::Forbidden).await;
    for stranger in [As::Northwind("csr"), As::Northwind("dispatcher"), As::Volt("owner")] {
        context.refused(stranger, name, asked.clone(), Code::NotFound).await;
    }
    let none = json!({"conversation_id": Uuid::nil(), "content": "x"});
    context.refused(OWNER, name, none, Code::NotFound).await;
    let manager = As::Northwind("manager");
    context.call(manager, name, asked.clone()).await.unwrap();
    let replied = context.call(JOB, name, asked).await.unwrap();
    let message = said(context, &replied).await;
    assert_eq!((&message["sender_type"], &message["sender_id"]), (&json!("system"), &Value::Null));
}

async fn only_the_client_sees_its_replies_and_cancels_them(context: &mut Context) {
    let lead = lead(context).await;
    let conversation = open(context, lead, "sms").await;
    let replied = reply(context, &conversation).await;
    let id: Uuid = replied["outbox_id"].as_str().unwrap().parse().unwrap();
    for (role, sees) in [("sales", 1), ("viewer", 1), ("owner", 1), ("csr", 0), ("dispatcher", 0)] {
        context.enter(As::Northwind(role), "authenticated").await;
        let sql = "select count(*) from crm_outbox where id = $1";
        let found: i64 = context.client.query_one(sql, &[&id]).await.unwrap().get(0);
        context.leave().await;
        assert_eq!(found, sees, "{role}");
    }
    let one = json!({"id": id});
    let csr = As::Northwind("csr");
    for name in ["crm_cancel_message", "crm_retry_message"] {
        let error = context.refused(csr, name, one.clone(), Code::NotFound).await;
        let none = json!({"id": Uuid::nil()});
        assert_eq!(context.refused(csr, name, none, Code::NotFound).await, error);
    }
    context.call(SALES, "crm_cancel_message", one).await.unwrap();
    assert_eq!(said(context, &replied).await["status"], "failed");
}

async fn an_erasure_empties_what_was_said_before_there_was_a_customer(context: &mut Context) {
    let lead = lead(context).await;
    let conversation = open(context, lead, "sms").await;
    let before = reply(context, &conversation).await;
    let customer = become_customer(context, lead).await;
    let after = reply(context, &conversation).await;
    context.call(OWNER, "crm_erase_customer", json!({"id": customer})).await.unwrap();
    for replied in [&before, &after] {
        let left = "concat_ws('|', status, body, to_address, error_code)";
        let left = field(context, &replied["outbox_id"], left).await.unwrap();
        assert_eq!(left, "canceled||erased");
        assert_eq!(said(context, replied).await["content"], "");
    }
    assert!(claim(context).await.is_empty());
    let asked = json!({"conversation_id": conversation, "content": "x"});
    context.refused(SALES, "crm_reply_to_conversation", asked, Code::WrongState).await;
}

async fn a_reply_that_is_sent_once_more_is_no_longer_failed(context: &mut Context) {
    let lead = lead(context).await;
    let conversation = open(context, lead, "sms").await;
    let replied = reply(context, &conversation).await;
    let out = claim(context).await;
    let failed = json!({"id": out[0]["id"], "lease_id": out[0]["lease_id"], "code": "rejected", "retryable": false});
    context.call(JOB, "crm_fail_message", failed).await.unwrap();
    assert_eq!(said(context, &replied).await["status"], "failed");
    let one = json!({"id": replied["outbox_id"]});
    context.call(SALES, "crm_retry_message", one).await.unwrap();
    let out = claim(context).await;
    let went =
        json!({"id": out[0]["id"], "lease_id": out[0]["lease_id"], "provider_message_id": "SM-2"});
    context.call(JOB, "crm_complete_message", went).await.unwrap();
    assert_eq!(said(context, &replied).await["status"], "sent");
}
