//! Invitations that go out by mail: who gets their link, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;
mod outbox_sample;

use common::{Context, NORTHWIND};
use outbox_sample::{CSR, JOB, claim, customer, field, interactions, status};
use serde_json::{Value, json};
use uuid::Uuid;

const ADDRESS: &str = "jane.doe@example.com";

scenarios! {
    the_link_is_in_what_is_handed_out_and_in_nothing_that_staff_read
    a_link_that_has_gone_out_cannot_be_sent_again
    a_link_goes_to_the_address_that_was_invited_and_to_no_other
}

/// A customer, the message of their invitation, and the token in it.
async fn invited(context: &mut Context) -> (Uuid, Value, String) {
    let customer = customer(context, CSR).await;
    let sql = "update portal_settings set portal_url = 'https://portal.example' where org_id = $1";
    context.client.execute(sql, &[&NORTHWIND]).await.unwrap();
    let input = json!({"customer_id": customer, "email": ADDRESS, "send": true});
    let made = context.call(CSR, "crm_create_portal_invite", input).await.unwrap();
    (customer, made["message"]["id"].clone(), made["token"].as_str().unwrap().to_owned())
}

async fn secrets(context: &Context) -> i64 {
    let sql = "select count(*) from fieldcrm.outbox_secrets where to_address = $1";
    context.client.query_one(sql, &[&ADDRESS]).await.unwrap().get(0)
}

/// Claims the message and says that it went.
async fn send(context: &mut Context, id: &Value) -> Value {
    let claimed = claim(context).await;
    let out = claimed.into_iter().find(|one| one["id"] == *id).unwrap();
    let done = json!({"id": id, "lease_id": out["lease_id"], "provider_message_id": "x"});
    context.call(JOB, "crm_complete_message", done).await.unwrap();
    out
}

async fn the_link_is_in_what_is_handed_out_and_in_nothing_that_staff_read(context: &mut Context) {
    let (customer, id, token) = invited(context).await;
    let out = send(context, &id).await;
    assert!(out["body"].as_str().unwrap().contains(&format!("/invite/{token}\n")));
    let kept = field(context, &id, "body || coalesce(payload::text, '')").await.unwrap();
    assert!(kept.contains("/invite/[secret]\n") && !kept.contains(&token));
    let logged = json!(interactions(context, customer).await).to_string();
    assert!(logged.contains("You are invited") && !logged.contains(&token));
    assert_eq!(secrets(context).await, 0);
}

async fn a_link_that_has_gone_out_cannot_be_sent_again(context: &mut Context) {
    let (_, id, _) = invited(context).await;
    let claimed = claim(context).await;
    let out = claimed.iter().find(|one| one["id"] == id).unwrap();
    let failed =
        json!({"id": id, "lease_id": out["lease_id"], "code": "rejected", "retryable": false});
    context.call(JOB, "crm_fail_message", failed).await.unwrap();
    assert_eq!(status(context, &id).await, "failed");
    context.call(CSR, "crm_retry_message", json!({"id": id})).await.unwrap();
    assert!(claim(context).await.iter().all(|one| one["id"] != id));
    assert_eq!(status(context, &id).await, "canceled");
    assert_eq!(field(context, &id, "error_code").await.unwrap(), "secret_withheld");
}

async fn a_link_goes_to_the_address_that_was_invited_and_to_no_other(context: &mut Context) {
    let (customer, id, _) = invited(context).await;
    let sql = "update customer_contacts set value = 'else@example.com' where customer_id = $1 and type = 'email'";
    context.client.execute(sql, &[&customer]).await.unwrap();
    assert!(claim(context).await.iter().all(|one| one["id"] != id));
    assert_eq!(status(context, &id).await, "canceled");
    assert_eq!(secrets(context).await, 0);
}
