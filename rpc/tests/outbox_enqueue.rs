//! Many messages at once, to customers, members and webhooks, as automation makes them; and what consent would say. These
//! are functions of the crate, not RPCs: on the native driver only.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;
mod outbox_sample;

use chrono::{DateTime, Duration, Utc};
use common::{As, Context, NORTHWIND, Target, VOLT};
use fieldcrm_core::automation::Purpose;
use fieldcrm_core::consent::{Channel, Verdict};
use fieldcrm_core::{Code, Error};
use fieldcrm_rpc::consent::{Ask, decide_many};
use fieldcrm_rpc::outbox::{Enqueued, NewMessage, OutboxChannel, Recipient, enqueue};
use fieldcrm_rpc::tokio::{Prepared, TokioDb};
use outbox_sample::{CSR, JOB, customer, field};
use serde_json::json;
use uuid::Uuid;

macro_rules! natively {
    ($($name:ident)*) => {
        mod native {
            $(#[tokio::test] async fn $name() {
                super::$name(super::Context::start(super::Target::Native).await).await;
            })*
        }
    };
}

natively! {
    each_kind_of_recipient_is_asked_what_concerns_it
    a_member_who_left_gets_nothing_that_waits
    the_first_of_a_key_is_made_and_the_others_are_it
    a_cap_counts_what_is_put_in_at_once_and_a_preview_says_the_same
    strangers_are_not_found_and_nothing_is_put_in
}

fn message(recipient: Recipient) -> NewMessage {
    NewMessage {
        recipient,
        channel: OutboxChannel::Email,
        purpose: Purpose::Marketing,
        subject: Some("Hello".to_owned()),
        body: "Hello".to_owned(),
        payload: None,
        template_id: None,
        automation_run_id: None,
        scheduled_at: None,
        expires_at: None,
        dedupe_key: None,
        contact_id: None,
    }
}

fn webhook(customer_id: Option<Uuid>) -> NewMessage {
    let url = "https://example.com/hook".to_owned();
    NewMessage {
        channel: OutboxChannel::Webhook,
        subject: None,
        payload: Some(json!({"event_type": "customer_created"})),
        ..message(Recipient::Endpoint { customer_id, url })
    }
}

async fn put(context: &Context, messages: Vec<NewMessage>) -> Result<Vec<Enqueued>, Error> {
    let mut prepared = Prepared::default();
    let mut db = TokioDb { client: &context.client, prepared: &mut prepared };
    enqueue(&mut db, NORTHWIND, None, messages).await
}

fn said(made: &[Enqueued]) -> Vec<(&str, &str, bool)> {
    made.iter().map(|made| (made.status.as_str(), made.code.as_str(), made.created)).collect()
}

async fn each_kind_of_recipient_is_asked_what_concerns_it(mut context: Context) {
    let customer = customer(&mut context, CSR).await;
    let silent = self::customer(&mut context, CSR).await;
    let sql =
        "insert into crm_preferences (org_id, customer_id, do_not_contact) values ($1, $2, true)
        on conflict (org_id, customer_id) do update set do_not_contact = true";
    context.client.execute(sql, &[&NORTHWIND, &silent]).await.unwrap();
    let member = context.user("sales@northwind.example").await;
    let gone = context.user("viewer@northwind.example").await;
    let sql = "update profiles set status = 'inactive' where id = $1";
    context.client.execute(sql, &[&gone]).await.unwrap();
    let text = NewMessage {
        channel: OutboxChannel::Sms,
        subject: None,
        ..message(Recipient::Member(member))
    };
    let sql = "update profiles set phone = '555 1234' where id = $1";
    context.client.execute(sql, &[&member]).await.unwrap();
    let made = put(
        &context,
        vec![
            message(Recipient::Customer(customer)),
            message(Recipient::Customer(silent)),
            message(Recipient::Member(member)),
            message(Recipient::Member(gone)),
            text,
            webhook(Some(silent)),
            webhook(None),
        ],
    )
    .await
    .unwrap();
    assert_eq!(
        said(&made),
        [
            ("queued", "allowed", true),
            ("refused", "do_not_contact", true),
            ("queued", "allowed", true),
            ("refused", "inactive_member", true),
            ("refused", "no_address", true),
            ("queued", "allowed", true),
            ("queued", "allowed", true),
        ]
    );
    let to = field(&context, &json!(made[2].id), "to_address").await;
    assert_eq!(to.as_deref(), Some("sales@northwind.example"));
    let arguments = json!({"providers": {"email": "log", "sms": "log", "webhook": "webhook"}});
    let claimed = context.call(JOB, "crm_claim_messages", arguments).await.unwrap();
    let claimed = claimed["messages"].as_array().unwrap();
    assert_eq!(claimed.len(), 4);
    let hook = claimed.iter().find(|one| one["id"] == json!(made[5].id)).unwrap();
    assert_eq!(hook["to"], "https://example.com/hook");
    assert_eq!(hook["payload"], json!({"event_type": "customer_created"}));
    // What goes to members and webhooks is nothing that was said to a customer.
    for message in claimed {
        let done = json!({"id": message["id"], "lease_id": message["lease_id"]});
        context.call(JOB, "crm_complete_message", done).await.unwrap();
    }
    assert!(outbox_sample::interactions(&context, silent).await.is_empty());
    assert_eq!(outbox_sample::interactions(&context, customer).await.len(), 1);
}

async fn a_member_who_left_gets_nothing_that_waits(mut context: Context) {
    outbox_sample::empty(&context).await;
    let member = context.user("sales@northwind.example").await;
    let made = put(&context, vec![message(Recipient::Member(member))]).await.unwrap();
    let sql = "update profiles set status = 'inactive' where id = $1";
    context.client.execute(sql, &[&member]).await.unwrap();
    let arguments = json!({"providers": {"email": "log"}});
    let claimed = context.call(JOB, "crm_claim_messages", arguments).await.unwrap();
    assert_eq!((&claimed["messages"], &claimed["refused"]), (&json!([]), &json!(1)));
    let code = field(&context, &json!(made[0].id), "decision_code").await;
    assert_eq!(code.as_deref(), Some("inactive_member"));
}

async fn the_first_of_a_key_is_made_and_the_others_are_it(mut context: Context) {
    let customer = customer(&mut context, CSR).await;
    let keyed = |key: &str| NewMessage {
        dedupe_key: Some(key.to_owned()),
        ..message(Recipient::Customer(customer))
    };
    let first = put(&context, vec![keyed("a"), keyed("b"), keyed("a")]).await.unwrap();
    assert_eq!(first.iter().map(|made| made.created).collect::<Vec<_>>(), [true, true, false]);
    assert_eq!(first[0].id, first[2].id);
    let again = put(&context, vec![keyed("b"), keyed("c"), keyed("a")]).await.unwrap();
    assert_eq!(again.iter().map(|made| made.created).collect::<Vec<_>>(), [false, true, false]);
    assert_eq!((again[0].id, again[2].id), (first[1].id, first[0].id));
}

async fn a_cap_counts_what_is_put_in_at_once_and_a_preview_says_the_same(mut context: Context) {
    let sql = "insert into crm_messaging_settings (org_id, marketing_cap_count, marketing_cap_hours) values ($1, 1, 24)
        on conflict (org_id) do update set marketing_cap_count = 1, marketing_cap_hours = 24, quiet_hours_start = null,
          quiet_hours_end = null, suppression_segment_id = null";
    context.client.execute(sql, &[&NORTHWIND]).await.unwrap();
    let [one, other] = [customer(&mut context, CSR).await, customer(&mut context, CSR).await];
    let ask = |customer_id| Ask {
        customer_id,
        channel: Channel::Email,
        purpose: Purpose::Marketing,
        contact_id: None,
        expires_at: None,
    };
    let absent = Uuid::from_u128(7);
    let now = context.client.query_one("select to_jsonb(now())", &[]).await.unwrap().get(0);
    let now: DateTime<Utc> = serde_json::from_value(now).unwrap();
    let mut prepared = Prepared::default();
    let mut db = TokioDb { client: &context.client, prepared: &mut prepared };
    let asks = [one, one, other, one, absent].map(ask).into();
    let previewed = decide_many(&mut db, NORTHWIND, asks, now).await.unwrap();
    let codes: Vec<_> = previewed.iter().map(|decision| decision.code.as_str()).collect();
    assert_eq!(codes, ["allowed", "frequency_cap", "allowed", "frequency_cap", "closed"]);
    assert_eq!(previewed[4].verdict, Verdict::Refused);
    let messages = [one, one, other, one].map(|id| message(Recipient::Customer(id))).into();
    let made = put(&context, messages).await.unwrap();
    assert_eq!(made.iter().map(|made| made.code.as_str()).collect::<Vec<_>>(), codes[..4]);
    let days = |nth: usize| made[nth].available_at - made[0].available_at;
    assert_eq!((days(1), days(3)), (Duration::days(1), Duration::days(2)));
}

async fn strangers_are_not_found_and_nothing_is_put_in(mut context: Context) {
    let ours = customer(&mut context, CSR).await;
    let theirs = customer(&mut context, As::Volt("csr")).await;
    let member = context.user("sales@volt.example").await;
    for recipient in [Recipient::Customer(theirs), Recipient::Member(member)] {
        let messages = vec![message(Recipient::Customer(ours)), message(recipient)];
        assert_eq!(put(&context, messages).await.unwrap_err().code, Code::NotFound);
    }
    let sql = "select count(*) from crm_outbox where org_id in ($1, $2) and created_at = now()";
    let count: i64 = context.client.query_one(sql, &[&NORTHWIND, &VOLT]).await.unwrap().get(0);
    assert_eq!(count, 0);
}
