//! What providers say of messages that are there, and of who wants none: statuses, bounces, STOP and START, reactions. On
//! both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;
mod webhook_sample;

use common::agency::Agency;
use common::{Context, NORTHWIND};
use serde_json::{Value, json};
use uuid::Uuid;
use webhook_sample::{ADA, add_lead, agency, all, deliver, outgoing, status, status_of};

scenarios! {
    statuses_go_forward_in_whatever_order
    a_status_before_its_message_is_not_lost
    the_outbox_follows_and_is_followed
    stop_is_kept_and_start_takes_it_back
    a_start_that_is_late_takes_no_later_stop_back
    of_several_reasons_the_one_that_lasts_stays
    a_bounce_stops_the_address_and_fails_the_message
    a_bounce_before_its_message_is_not_lost
    what_failed_may_have_arrived_after_all
    a_reaction_is_kept_with_its_message
}

async fn statuses_go_forward_in_whatever_order(context: &mut Context) {
    let agency = agency(context).await;
    let sent = outgoing(context, &agency).await;
    let done = deliver(context, json!([status("1", "delivered"), status("2", "sent")])).await;
    assert_eq!((&done[1]["outcome"], &done[1]["message_id"]), (&json!("status"), &json!(sent)));
    assert_eq!(status_of(context, sent).await, "delivered");
    deliver(context, json!([status("3", "read")])).await;
    deliver(context, json!([status("4", "failed"), status("5", "sent")])).await;
    assert_eq!(status_of(context, sent).await, "read");
}

async fn a_status_before_its_message_is_not_lost(context: &mut Context) {
    let agency = agency(context).await;
    let done = deliver(context, json!([status("1", "read"), status("2", "delivered")])).await;
    assert_eq!((&done[0]["outcome"], &done[0]["message_id"]), (&json!("ignored"), &Value::Null));
    let sent = outgoing(context, &agency).await;
    assert_eq!(status_of(context, sent).await, "read");
}

/// A reply that is being sent; its message.
async fn reply_on_its_way(context: &Context, agency: &Agency) -> Uuid {
    let lead = add_lead(context, agency.project_id, json!({"phone": ADA})).await;
    let sql = "with o as (insert into crm_outbox (org_id, lead_id, channel, purpose, to_address, body, status, lease_id, leased_until)
            select l.org_id, l.id, 'sms', 'transactional', l.phone, 'Hi',
              'sending', gen_random_uuid(), now() from leads l where l.id = $1 returning id, org_id)
        insert into messages (org_id, client_id, lead_id, sender_type, content, message_type, direction, outbox_id)
        select o.org_id, null, $1, 'user', 'Hi', 'sms', 'outbound', o.id from o returning id";
    context.client.query_one(sql, &[&lead]).await.unwrap().get(0)
}

/// It went out: the provider knows it as `SMout`.
async fn sent(context: &Context, message: Uuid) {
    let sql = "update crm_outbox o set status = 'sent', provider = 'twilio', provider_message_id = 'SMout', lease_id = null, leased_until = null
        from messages m where m.id = $1 and o.id = m.outbox_id";
    context.client.execute(sql, &[&message]).await.unwrap();
}

async fn the_outbox_follows_and_is_followed(context: &mut Context) {
    let agency = agency(context).await;
    let message = reply_on_its_way(context, &agency).await;
    // Read before we even know its id.
    deliver(context, json!([status("1", "delivered")])).await;
    sent(context, message).await;
    let sql = "select m.status, m.provider_message_id, o.status as outbox from messages m join crm_outbox o on o.id = m.outbox_id where m.id = $1";
    let expect =
        |status| json!({"status": status, "provider_message_id": "SMout", "outbox": status});
    assert_eq!(all(context, sql, message).await, [expect("delivered")]);
    let done = deliver(context, json!([status("2", "read"), status("3", "sent")])).await;
    assert_eq!(done[0]["message_id"], json!(message));
    assert_eq!(all(context, sql, message).await, [expect("read")]);
}

async fn what_failed_may_have_arrived_after_all(context: &mut Context) {
    let agency = agency(context).await;
    let message = reply_on_its_way(context, &agency).await;
    sent(context, message).await;
    deliver(context, json!([bounce()])).await;
    let expect = json!({"status": "failed", "outbox": "failed", "code": "30005", "arrived": false});
    assert_eq!(all(context, BOTH, message).await, [expect]);
    deliver(context, json!([status("1", "sent"), status("2", "delivered")])).await;
    let expect =
        json!({"status": "delivered", "outbox": "delivered", "code": null, "arrived": true});
    assert_eq!(all(context, BOTH, message).await, [expect]);
}

fn bounce() -> Value {
    json!({"id": "bounce", "type": "bounce", "address": ADA, "provider_message_id": "SMout", "error_code": "30005"})
}

const BOTH: &str = "select m.status, o.status as outbox, o.error_code as code, o.delivered_at is not null as arrived
    from messages m join crm_outbox o on o.id = m.outbox_id where m.id = $1";

async fn a_bounce_stops_the_address_and_fails_the_message(context: &mut Context) {
    let agency = agency(context).await;
    let sent = outgoing(context, &agency).await;
    let bounce = json!({"id": "1", "type": "bounce", "address": ADA, "provider_message_id": "SMout", "error_code": "30005"});
    let done = deliver(context, json!([bounce])).await;
    assert_eq!((&done[0]["outcome"], &done[0]["message_id"]), (&json!("bounce"), &json!(sent)));
    let sql = "select status, metadata ->> 'error_code' as code from messages where id = $1";
    assert_eq!(all(context, sql, sent).await, [json!({"status": "failed", "code": "30005"})]);
    let sql = "select reason from crm_opt_outs where org_id = $1 and address = '+14155552671'";
    assert_eq!(all(context, sql, NORTHWIND).await, [json!({"reason": "bounce"})]);
}

async fn a_bounce_before_its_message_is_not_lost(context: &mut Context) {
    let agency = agency(context).await;
    let message = reply_on_its_way(context, &agency).await;
    deliver(context, json!([bounce()])).await;
    let sql = "select outcome, payload from webhook_events where org_id = $1 and provider_event_id = 'bounce'";
    let kept = all(context, sql, NORTHWIND).await.remove(0);
    assert_eq!(kept["outcome"], "bounce");
    assert!(!kept["payload"].to_string().contains(ADA), "nothing to erase: {kept}");
    sent(context, message).await;
    let expect = json!({"status": "failed", "outbox": "failed", "code": "30005", "arrived": false});
    assert_eq!(all(context, BOTH, message).await, [expect]);
}

async fn reasons(context: &Context) -> Vec<Value> {
    let sql = "select reason from crm_opt_outs where org_id = $1 and address = '+14155552671'";
    all(context, sql, NORTHWIND).await.into_iter().map(|row| row["reason"].clone()).collect()
}

async fn stop_is_kept_and_start_takes_it_back(context: &mut Context) {
    agency(context).await;
    let sql = "select address, reason from crm_opt_outs where org_id = $1 and channel = 'sms' and address ~ '^\\+(1415|55)' order by 1";
    let said = |id: &str, kind: &str, from: &str| json!({"id": id, "type": kind, "from": from});
    deliver(context, json!([said("1", "opt_out", ADA), said("2", "opt_out", "+5511987654321")]))
        .await;
    let stops = all(context, sql, NORTHWIND).await;
    let addresses: Vec<_> = stops.iter().map(|stop| stop["address"].as_str().unwrap()).collect();
    assert_eq!(addresses, [ADA, "+551187654321", "+5511987654321"], "in every spelling");
    assert!(stops.iter().all(|stop| stop["reason"] == "stop"));
    let done =
        deliver(context, json!([said("3", "opt_in", ADA), said("4", "opt_in", "+551187654321")]))
            .await;
    assert_eq!(done[0]["outcome"], "opt_in");
    assert!(all(context, sql, NORTHWIND).await.is_empty());
    deliver(context, json!([said("5", "complaint", ADA)])).await;
    deliver(context, json!([said("6", "opt_in", ADA)])).await;
    assert_eq!(all(context, sql, NORTHWIND).await.len(), 1, "a complaint is not taken back so");
}

async fn a_start_that_is_late_takes_no_later_stop_back(context: &mut Context) {
    agency(context).await;
    let said = |id: &str, kind: &str, hour: u8| json!({"id": id, "type": kind, "from": ADA, "occurred_at": format!("2026-01-01T{hour:02}:00:00Z")});
    deliver(context, json!([said("1", "opt_out", 12)])).await;
    deliver(context, json!([said("2", "opt_in", 11)])).await;
    assert_eq!(reasons(context).await, ["stop"]);
    // A second STOP counts from when it was said.
    deliver(context, json!([said("3", "opt_out", 14)])).await;
    deliver(context, json!([said("4", "opt_in", 13)])).await;
    assert_eq!(reasons(context).await, ["stop"]);
    deliver(context, json!([said("5", "opt_in", 15), said("6", "opt_out", 14)])).await;
    assert!(reasons(context).await.is_empty(), "in one delivery too, the later one counts");
    deliver(context, json!([said("7", "opt_in", 16), said("8", "opt_out", 17)])).await;
    assert_eq!(reasons(context).await, ["stop"]);
}

async fn of_several_reasons_the_one_that_lasts_stays(context: &mut Context) {
    agency(context).await;
    let said = |id: &str, kind: &str| json!({"id": id, "type": kind, "from": ADA});
    deliver(context, json!([said("1", "complaint"), said("2", "opt_out")])).await;
    assert_eq!(reasons(context).await, ["complaint"]);
    let sql = "update crm_opt_outs set reason = 'stop' where org_id = $1 and address = $2";
    context.client.execute(sql, &[&NORTHWIND, &ADA]).await.unwrap();
    deliver(context, json!([said("3", "complaint"), said("4", "opt_in")])).await;
    assert_eq!(reasons(context).await, ["complaint"]);
    let sql = "update crm_opt_outs set reason = 'manual' where org_id = $1 and address = $2";
    context.client.execute(sql, &[&NORTHWIND, &ADA]).await.unwrap();
    deliver(context, json!([said("5", "complaint")])).await;
    deliver(context, json!([said("6", "opt_in")])).await;
    assert_eq!(reasons(context).await, ["manual"], "what the staff decided");
}

async fn a_reaction_is_kept_with_its_message(context: &mut Context) {
    let agency = agency(context).await;
    let sent = outgoing(context, &agency).await;
    let react = |id: &str, emoji: &str, at: &str| json!({"id": id, "type": "reaction", "from": ADA, "content": emoji, "in_reply_to": "SMout", "occurred_at": at});
    let done = deliver(context, json!([react("1", "👍", "2026-01-01T10:00:00Z")])).await;
    assert_eq!((&done[0]["outcome"], &done[0]["message_id"]), (&json!("message"), &json!(sent)));
    deliver(context, json!([react("2", "❤️", "2026-01-01T11:00:00Z")])).await;
    // It was there before, and comes after.
    deliver(context, json!([react("3", "😀", "2026-01-01T10:30:00Z")])).await;
    let sql = "select metadata -> 'reactions' -> '+14155552671' ->> 'emoji' as emoji from messages where id = $1";
    assert_eq!(all(context, sql, sent).await, [json!({"emoji": "❤️"})]);
    let lost = json!([{"id": "4", "type": "reaction", "from": ADA, "content": "x", "in_reply_to": "unknown"}]);
    assert_eq!(deliver(context, lost).await[0]["outcome"], "ignored");
}
