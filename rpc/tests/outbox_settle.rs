//! The outbox: what becomes of a message that was handed out, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;
mod outbox_sample;

use common::{As, Context, NORTHWIND, VOLT};
use fieldcrm_core::Code;
use fieldcrm_core::outbox::Status;
use outbox_sample::{
    CSR, JOB, claim, customer, field, handed_out, interactions, mail, send, set, status,
};
use serde_json::{Value, json};
use uuid::Uuid;

scenarios! {
    a_claim_takes_only_the_channels_it_has_providers_for_and_the_longest_due_first
    completing_logs_an_interaction_once
    an_old_or_foreign_lease_says_nothing
    what_failed_waits_longer_each_time_and_is_dead_at_last
    a_lease_that_ran_out_goes_back_only_where_the_provider_knows_the_message_again
    a_provider_does_not_know_what_another_one_may_have_sent
    what_is_unknown_waits_for_a_person_or_the_provider
    reports_of_the_provider_only_lead_forward
    what_waits_is_canceled_and_what_failed_is_tried_again_by_hand
    the_states_are_those_of_the_table
    jobs_are_for_back_end_sessions_only
    another_orgs_messages_are_not_found
}

async fn a_claim_takes_only_the_channels_it_has_providers_for_and_the_longest_due_first(
    context: &mut Context,
) {
    let customer = customer(context, CSR).await;
    let mut ids = Vec::new();
    for minutes in [1, 3, 2] {
        let sent = send(context, CSR, mail(customer)).await;
        let sql = format!(
            "update crm_outbox set available_at = now() - interval '{minutes} minutes' where id = $1"
        );
        set(context, &sql, &sent["id"]).await;
        ids.push(sent["id"].clone());
    }
    let mut text = mail(customer);
    text["channel"] = json!("sms");
    let text = send(context, CSR, text).await;
    let arguments = json!({"providers": {"email": "log"}, "batch_limit": 2});
    let claimed = context.call(JOB, "crm_claim_messages", arguments.clone()).await.unwrap();
    let order: Vec<_> =
        claimed["messages"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect();
    assert_eq!(order, [ids[1].clone(), ids[2].clone()]);
    let claimed = context.call(JOB, "crm_claim_messages", arguments).await.unwrap();
    assert_eq!(claimed["messages"].as_array().unwrap().len(), 1);
    assert_eq!(status(context, &text["id"]).await, "queued");
}

async fn completing_logs_an_interaction_once(context: &mut Context) {
    let customer = customer(context, CSR).await;
    let (id, lease) = handed_out(context, mail(customer)).await;
    assert!(interactions(context, customer).await.is_empty());
    let done = json!({"id": id, "lease_id": lease, "provider_message_id": "p-1"});
    let first = context.call(JOB, "crm_complete_message", done.clone()).await.unwrap();
    assert_eq!((&first["status"], &first["provider_message_id"]), (&json!("sent"), &json!("p-1")));
    assert!(first["sent_at"].is_string());
    let again = context.call(JOB, "crm_complete_message", done).await.unwrap();
    assert_eq!(again, first);
    let logged = interactions(context, customer).await;
    assert_eq!(logged.len(), 1);
    let shown =
        ["channel", "direction", "subject", "body", "metadata"].map(|key| logged[0][key].clone());
    assert_eq!(
        json!(shown),
        json!(["email_outbound", "outbound", "Your visit", "We come on Monday.", {"outbox_id": id}])
    );
    // What nobody sent by hand is the system's.
    let sent = send(context, JOB, json!({"customer_id": customer, "channel": "sms", "purpose": "transactional", "body": "Hi"})).await;
    let claimed = claim(context).await;
    let done =
        json!({"id": sent["id"], "lease_id": claimed[0]["lease_id"], "provider_message_id": "p-2"});
    context.call(JOB, "crm_complete_message", done).await.unwrap();
    let logged = interactions(context, customer).await;
    let text = logged.iter().find(|one| one["channel"] == "sms_outbound").unwrap();
    assert_eq!(text["direction"], "system_generated");
}

async fn an_old_or_foreign_lease_says_nothing(context: &mut Context) {
    let customer = customer(context, CSR).await;
    let (id, lease) = handed_out(context, mail(customer)).await;
    let with = |lease: &Value| {
        [
            ("crm_complete_message", json!({"id": id, "lease_id": lease})),
            ("crm_fail_message", json!({"id": id, "lease_id": lease, "retryable": true})),
            ("crm_mark_message_unknown", json!({"id": id, "lease_id": lease})),
        ]
    };
    for (name, arguments) in with(&json!(Uuid::from_u128(7))) {
        context.refused(JOB, name, arguments, Code::WrongState).await;
    }
    let failed = json!({"id": id, "lease_id": lease, "retryable": true});
    let first = context.call(JOB, "crm_fail_message", failed.clone()).await.unwrap();
    assert_eq!(first["status"], "queued");
    let again = context.call(JOB, "crm_fail_message", failed).await.unwrap();
    assert_eq!(again, first, "said twice");
    // Somebody else has it now.
    set(context, "update crm_outbox set available_at = now() where id = $1", &id).await;
    assert_eq!(claim(context).await.len(), 1);
    for (name, arguments) in with(&lease) {
        let error = context.refused(JOB, name, arguments, Code::WrongState).await;
        assert_eq!(error.data["status"], "sending");
    }
}

async fn what_failed_waits_longer_each_time_and_is_dead_at_last(context: &mut Context) {
    let customer = customer(context, CSR).await;
    let sent = send(context, CSR, mail(customer)).await;
    set(context, "update crm_outbox set max_attempts = 3 where id = $1", &sent["id"]).await;
    for attempt in 1..=3 {
        set(context, "update crm_outbox set available_at = now() where id = $1", &sent["id"]).await;
        let claimed = claim(context).await;
        assert_eq!(claimed[0]["attempts"], attempt);
        let failed = json!({"id": sent["id"], "lease_id": claimed[0]["lease_id"], "code": "http_503", "message": "down",
            "retryable": true, "retry_after_seconds": 500});
        let row = context.call(JOB, "crm_fail_message", failed).await.unwrap();
        assert_eq!(
            (&row["error_code"], &row["error_message"]),
            (&json!("http_503"), &json!("down"))
        );
        assert_eq!(row["status"], if attempt < 3 { "queued" } else { "failed" });
        if attempt < 3 {
            let waits = "available_at = now() + interval '500 seconds'";
            assert_eq!(field(context, &sent["id"], waits).await.unwrap(), "true");
        }
    }
    assert!(claim(context).await.is_empty());
    let (id, lease) = handed_out(context, mail(customer)).await;
    let failed =
        json!({"id": id, "lease_id": lease, "code": "invalid_address", "retryable": false});
    let row = context.call(JOB, "crm_fail_message", failed).await.unwrap();
    assert_eq!(row["status"], "failed", "what another try does not mend is dead at once");
    let (id, lease) = handed_out(context, mail(customer)).await;
    context
        .call(JOB, "crm_fail_message", json!({"id": id, "lease_id": lease, "retryable": true}))
        .await
        .unwrap();
    let waits =
        "available_at between now() + interval '1 second' and now() + interval '30 seconds'";
    assert_eq!(field(context, &id, waits).await.unwrap(), "true");
}

async fn a_lease_that_ran_out_goes_back_only_where_the_provider_knows_the_message_again(
    context: &mut Context,
) {
    let customer = customer(context, CSR).await;
    let (id, lease) = handed_out(context, mail(customer)).await;
    let mut text = mail(customer);
    text["channel"] = json!("sms");
    let (known, _) = handed_out(context, text).await;
    assert!(claim(context).await.is_empty(), "leases hold until they run out");
    for id in [&id, &known] {
        set(
            context,
            "update crm_outbox set leased_until = now() - interval '1 second' where id = $1",
            id,
        )
        .await;
    }
    let claimed = claim(context).await;
    assert_eq!(claimed.len(), 1);
    assert_eq!((&claimed[0]["id"], &claimed[0]["attempts"]), (&known, &json!(2)));
    assert_eq!(status(context, &id).await, "unknown");
    assert_eq!(field(context, &id, "error_code").await.unwrap(), "lease_expired");
    // Who had it says in the end that it went.
    let done = json!({"id": id, "lease_id": lease, "provider_message_id": "late"});
    assert_eq!(context.call(JOB, "crm_complete_message", done).await.unwrap()["status"], "sent");
    assert_eq!(interactions(context, customer).await.len(), 1);
}

async fn a_provider_does_not_know_what_another_one_may_have_sent(context: &mut Context) {
    let customer = customer(context, CSR).await;
    let (id, _) = handed_out(context, mail(customer)).await;
    let sql = "update crm_outbox set leased_until = now() - interval '1 second', provider = 'resend' where id = $1";
    set(context, sql, &id).await;
    assert!(claim(context).await.is_empty(), "the claim is for another provider");
    assert_eq!(status(context, &id).await, "unknown");
}

async fn what_is_unknown_waits_for_a_person_or_the_provider(context: &mut Context) {
    let customer = customer(context, CSR).await;
    let (id, lease) = handed_out(context, mail(customer)).await;
    let unknown = json!({"id": id, "lease_id": lease, "code": "connection_closed", "message": "after the request"});
    let row = context.call(JOB, "crm_mark_message_unknown", unknown.clone()).await.unwrap();
    assert_eq!(
        (&row["status"], &row["error_code"]),
        (&json!("unknown"), &json!("connection_closed"))
    );
    assert_eq!(context.call(JOB, "crm_mark_message_unknown", unknown).await.unwrap(), row);
    assert!(claim(context).await.is_empty());
    context.refused(CSR, "crm_cancel_message", json!({"id": id}), Code::WrongState).await;
    let row = context.call(CSR, "crm_retry_message", json!({"id": id})).await.unwrap();
    assert_eq!((&row["status"], &row["attempts"]), (&json!("queued"), &json!(0)));
    assert_eq!(claim(context).await.len(), 1);
    // The provider knows better.
    set(context, "update crm_outbox set status = 'unknown', leased_until = null, provider_message_id = 'p-9' where id = $1", &id).await;
    let report =
        json!({"provider": "postmark", "provider_message_id": "p-9", "status": "delivered"});
    let row = context.call(JOB, "crm_record_message_status", report).await.unwrap();
    assert_eq!(row["status"], "delivered");
    assert!(row["sent_at"].is_string() && row["delivered_at"].is_string());
    assert_eq!(interactions(context, customer).await.len(), 1);
}

async fn reports_of_the_provider_only_lead_forward(context: &mut Context) {
    let customer = customer(context, CSR).await;
    let (id, lease) = handed_out(context, mail(customer)).await;
    let report = |status: &str| json!({"provider": "postmark", "provider_message_id": "p-1", "status": status, "code": "x", "message": "y"});
    context.refused(JOB, "crm_record_message_status", report("delivered"), Code::NotFound).await;
    let done = json!({"id": id, "lease_id": lease, "provider_message_id": "p-1"});
    context.call(JOB, "crm_complete_message", done.clone()).await.unwrap();
    for (said, expect) in [
        ("sent", "sent"),
        ("delivered", "delivered"),
        ("sent", "delivered"),
        ("failed", "delivered"),
        ("read", "read"),
        ("delivered", "read"),
    ] {
        let row = context.call(JOB, "crm_record_message_status", report(said)).await.unwrap();
        assert_eq!(row["status"], expect, "{said}");
    }
    // The answer to the sending came later than the report.
    assert_eq!(context.call(JOB, "crm_complete_message", done).await.unwrap()["status"], "read");
    assert_eq!(interactions(context, customer).await.len(), 1);
    let (id, lease) = handed_out(context, mail(customer)).await;
    let done = json!({"id": id, "lease_id": lease, "provider_message_id": "p-2"});
    context.call(JOB, "crm_complete_message", done).await.unwrap();
    let bounced = json!({"provider": "postmark", "provider_message_id": "p-2", "status": "failed", "code": "bounce"});
    let row = context.call(JOB, "crm_record_message_status", bounced).await.unwrap();
    assert_eq!((&row["status"], &row["error_code"]), (&json!("failed"), &json!("bounce")));
    // It said the two in the wrong order.
    let arrived =
        json!({"provider": "postmark", "provider_message_id": "p-2", "status": "delivered"});
    let row = context.call(JOB, "crm_record_message_status", arrived).await.unwrap();
    assert_eq!((&row["status"], &row["error_code"]), (&json!("delivered"), &Value::Null));
    assert_eq!(interactions(context, customer).await.len(), 2, "logged when it was sent");
}

async fn what_waits_is_canceled_and_what_failed_is_tried_again_by_hand(context: &mut Context) {
    let customer = customer(context, CSR).await;
    let sent = send(context, CSR, mail(customer)).await;
    for _ in 0..2 {
        let row = context.call(CSR, "crm_cancel_message", json!({"id": sent["id"]})).await.unwrap();
        assert_eq!(row["status"], "canceled");
    }
    assert!(claim(context).await.is_empty());
    context.refused(CSR, "crm_retry_message", json!({"id": sent["id"]}), Code::WrongState).await;
    let (id, lease) = handed_out(context, mail(customer)).await;
    for name in ["crm_retry_message", "crm_cancel_message"] {
        context.refused(CSR, name, json!({"id": id}), Code::WrongState).await;
    }
    let failed = json!({"id": id, "lease_id": lease, "code": "x", "retryable": false});
    context.call(JOB, "crm_fail_message", failed).await.unwrap();
    for _ in 0..2 {
        let row = context.call(CSR, "crm_retry_message", json!({"id": id})).await.unwrap();
        assert_eq!(
            (&row["status"], &row["attempts"], &row["lease_id"]),
            (&json!("queued"), &json!(0), &Value::Null)
        );
    }
    assert_eq!(claim(context).await[0]["attempts"], 1);
}

async fn the_states_are_those_of_the_table(context: &mut Context) {
    let customer = customer(context, CSR).await;
    for from in Status::ALL {
        for to in Status::ALL.iter().filter(|to| *to != from) {
            context.client.batch_execute("savepoint pair").await.unwrap();
            let sql = "insert into crm_outbox (org_id, customer_id, channel, purpose, to_address, body, status, lease_id, leased_until)
                values ($1, $2, 'email', 'marketing', 'x', 'x', $3, gen_random_uuid(), case $3 when 'sending' then now() end) returning id";
            let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 3] =
                [&NORTHWIND, &customer, &from.as_str()];
            let id: Uuid = context.client.query_one(sql, &parameters).await.unwrap().get(0);
            let sql = "update crm_outbox set status = $2, leased_until = case $2 when 'sending' then now() end where id = $1";
            let done = context.client.execute(sql, &[&id, &to.as_str()]).await;
            assert_eq!(done.is_ok(), from.becomes(*to), "{} {}", from.as_str(), to.as_str());
            context.client.batch_execute("rollback to pair").await.unwrap();
        }
    }
}

async fn jobs_are_for_back_end_sessions_only(context: &mut Context) {
    let customer = customer(context, CSR).await;
    let (id, lease) = handed_out(context, mail(customer)).await;
    for (name, arguments) in [
        ("crm_claim_messages", json!({"providers": {"email": "log"}})),
        ("crm_complete_message", json!({"id": id, "lease_id": lease})),
        ("crm_fail_message", json!({"id": id, "lease_id": lease, "retryable": true})),
        ("crm_mark_message_unknown", json!({"id": id, "lease_id": lease})),
        (
            "crm_record_message_status",
            json!({"provider": "log", "provider_message_id": "x", "status": "sent"}),
        ),
    ] {
        for role in ["owner", "csr", "technician", "portal_customer"] {
            context.refused(As::Northwind(role), name, arguments.clone(), Code::Forbidden).await;
        }
    }
    assert_eq!(status(context, &id).await, "sending");
}

async fn another_orgs_messages_are_not_found(context: &mut Context) {
    let customer = customer(context, CSR).await;
    let (id, lease) = handed_out(context, mail(customer)).await;
    let other = As::Dba(VOLT);
    for caller in [As::Volt("owner"), As::Volt("csr"), other] {
        context.refused(caller, "crm_send_message", mail(customer), Code::NotFound).await;
        for name in ["crm_retry_message", "crm_cancel_message"] {
            context.refused(caller, name, json!({"id": id}), Code::NotFound).await;
        }
    }
    for (name, mut arguments) in [
        ("crm_complete_message", json!({"provider_message_id": "x"})),
        ("crm_fail_message", json!({"retryable": true})),
        ("crm_mark_message_unknown", json!({})),
    ] {
        (arguments["id"], arguments["lease_id"]) = (id.clone(), lease.clone());
        context.refused(other, name, arguments, Code::NotFound).await;
    }
    let done = json!({"id": id, "lease_id": lease, "provider_message_id": "x"});
    // No org is selected: all of them.
    context.call(As::Dba(Uuid::nil()), "crm_complete_message", done).await.unwrap();
    let report = json!({"provider": "postmark", "provider_message_id": "x", "status": "delivered"});
    context.refused(other, "crm_record_message_status", report, Code::NotFound).await;
    send(context, CSR, mail(customer)).await;
    let theirs =
        context.call(other, "crm_claim_messages", json!({"providers": {"email": "log"}})).await;
    assert!(theirs.unwrap()["messages"].as_array().unwrap().is_empty());
    assert_eq!(claim(context).await.len(), 1);
}
