//! The outbox: what gets in and what is handed out, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;
mod outbox_sample;

use common::{As, Context, NORTHWIND};
use fieldcrm_core::Code;
use outbox_sample::{CSR, JOB, claim, customer, field, handed_out, mail, send, set, status};
use serde_json::{Value, json};
use uuid::Uuid;

scenarios! {
    a_message_goes_into_the_queue_and_out_under_a_lease
    what_has_no_consent_is_kept_with_the_reason_and_never_handed_out
    what_may_go_later_waits_until_then
    consent_that_is_withdrawn_in_the_queue_stops_the_message
    the_address_is_the_one_the_customer_has_when_it_goes_out
    a_dedupe_key_that_is_there_gives_the_message_that_has_it
    an_idempotency_key_gives_the_first_answer
    templates_are_rendered_for_the_customer
    wrong_arguments_are_named_by_their_path
    who_may_send_and_who_may_not
    a_closed_customer_takes_no_message
    a_cap_spreads_marketing_over_time
    what_expires_is_refused_when_its_time_is_over
}

async fn template(context: &Context, channel: &str, body: &str) -> Uuid {
    let sql = "insert into crm_message_templates (org_id, name, channel, subject, body, variables)
        values ($1, 'Outbox ' || $2, $2::text::template_channel, 'For {{customer.first_name}}', $3, '[\"day\"]') returning id";
    context.client.query_one(sql, &[&NORTHWIND, &channel, &body]).await.unwrap().get(0)
}

async fn a_message_goes_into_the_queue_and_out_under_a_lease(context: &mut Context) {
    let customer = customer(context, CSR).await;
    let settings = "insert into crm_messaging_settings (org_id, from_name, from_email) values ($1, 'Northwind', 'hello@northwind.example')
        on conflict (org_id) do update set from_name = excluded.from_name, from_email = excluded.from_email";
    context.client.execute(settings, &[&NORTHWIND]).await.unwrap();
    let sent = send(context, CSR, mail(customer)).await;
    assert_eq!((&sent["created"], &sent["status"]), (&json!(true), &json!("queued")));
    assert_eq!((&sent["code"], &sent["reason"]), (&json!("allowed"), &Value::Null));
    let csr = context.user("csr@northwind.example").await;
    let maker = field(context, &sent["id"], "created_by_user_id").await;
    assert_eq!(maker, Some(csr.to_string()));
    let arguments =
        json!({"providers": {"email": "resend"}, "lease_seconds": 60, "batch_limit": 10});
    let claimed = context.call(JOB, "crm_claim_messages", arguments).await.unwrap();
    let message = &claimed["messages"][0];
    let shown =
        ["id", "org_id", "channel", "purpose", "to", "subject", "body", "provider", "attempts"]
            .map(|key| message[key].clone());
    assert_eq!(
        json!(shown),
        json!([
            sent["id"],
            NORTHWIND,
            "email",
            "transactional",
            "jane.doe@example.com",
            "Your visit",
            "We come on Monday.",
            "resend",
            1
        ])
    );
    let org = "select name from orgs where id = $1";
    let org: String = context.client.query_one(org, &[&NORTHWIND]).await.unwrap().get(0);
    assert_eq!(message["org_name"], json!(org));
    assert_eq!(message["from"]["email"], "hello@northwind.example");
    assert_eq!(
        field(context, &sent["id"], "leased_until = now() + interval '60 seconds'").await.unwrap(),
        "true"
    );
    assert!(claim(context).await.is_empty(), "it is handed out once");
}

async fn what_has_no_consent_is_kept_with_the_reason_and_never_handed_out(context: &mut Context) {
    let customer = customer(context, CSR).await;
    let sql =
        "insert into crm_preferences (org_id, customer_id, do_not_email) values ($1, $2, true)
        on conflict (org_id, customer_id) do update set do_not_email = true";
    context.client.execute(sql, &[&NORTHWIND, &customer]).await.unwrap();
    let sent = send(context, CSR, mail(customer)).await;
    assert_eq!((&sent["status"], &sent["code"]), (&json!("refused"), &json!("do_not_email")));
    assert_eq!(sent["reason"], "The customer wants no e-mail.");
    assert_eq!(field(context, &sent["id"], "decision_code").await.unwrap(), "do_not_email");
    assert!(claim(context).await.is_empty());
    for name in ["crm_retry_message", "crm_cancel_message"] {
        context.refused(CSR, name, json!({"id": sent["id"]}), Code::WrongState).await;
    }
}

async fn what_may_go_later_waits_until_then(context: &mut Context) {
    let customer = customer(context, CSR).await;
    // In UTC, and never now.
    context
        .client
        .execute("update orgs set time_zone = 'UTC' where id = $1", &[&NORTHWIND])
        .await
        .unwrap();
    let sql = "insert into crm_preferences (org_id, customer_id, preferred_contact_window_start, preferred_contact_window_end)
        values ($1, $2, (now() at time zone 'UTC')::time + interval '2 hours', (now() at time zone 'UTC')::time + interval '3 hours')
        on conflict (org_id, customer_id) do update set preferred_contact_window_start = excluded.preferred_contact_window_start,
          preferred_contact_window_end = excluded.preferred_contact_window_end";
    context.client.execute(sql, &[&NORTHWIND, &customer]).await.unwrap();
    let sent = send(context, CSR, mail(customer)).await;
    assert_eq!((&sent["status"], &sent["code"]), (&json!("queued"), &json!("outside_window")));
    let waits =
        "available_at between now() + interval '119 minutes' and now() + interval '120 minutes'";
    assert_eq!(field(context, &sent["id"], waits).await.unwrap(), "true");
    assert!(claim(context).await.is_empty());
    // Were it due too early, it would be put off, not handed out.
    set(context, "update crm_outbox set available_at = now() where id = $1", &sent["id"]).await;
    let arguments = json!({"providers": {"email": "log"}});
    let claimed = context.call(JOB, "crm_claim_messages", arguments).await.unwrap();
    assert_eq!(claimed, json!({"messages": [], "deferred": 1, "refused": 0, "unknown": 0}));
    assert_eq!(field(context, &sent["id"], waits).await.unwrap(), "true");
    let sql = "update crm_preferences set preferred_contact_window_start = null, preferred_contact_window_end = null
        where customer_id = $1";
    context.client.execute(sql, &[&customer]).await.unwrap();
    let mut later = mail(customer);
    later["scheduled_at"] = json!("2999-01-01T00:00:00Z");
    let later = send(context, CSR, later).await;
    assert!(later["available_at"].as_str().unwrap().starts_with("2999-01-01T00:00:00"));
    set(context, "update crm_outbox set available_at = now() where id = $1", &sent["id"]).await;
    assert_eq!(claim(context).await.len(), 1);
    assert_eq!(status(context, &later["id"]).await, "queued");
}

async fn consent_that_is_withdrawn_in_the_queue_stops_the_message(context: &mut Context) {
    let withdrawals = [
        ("do_not_contact", "insert into crm_preferences (org_id, customer_id, do_not_contact) select org_id, id, true from customers
            where id = $1 on conflict (org_id, customer_id) do update set do_not_contact = true"),
        ("blacklisted", "update customers set status = 'blacklisted' where id = $1"),
        ("archived", "update customers set is_archived = true where id = $1"),
        ("stopped", "insert into crm_opt_outs (org_id, channel, address) select org_id, 'email', value from customer_contacts
            where customer_id = $1 and type = 'email'"),
        ("opted_out", "update customer_contacts set opt_in_marketing = false where customer_id = $1"),
        ("not_verified", "update customer_contacts set is_verified = false where customer_id = $1"),
        ("no_address", "delete from customer_contacts where customer_id = $1"),
    ];
    for (code, sql) in withdrawals {
        context.client.batch_execute("savepoint round").await.unwrap();
        let customer = customer(context, CSR).await;
        let mut message = mail(customer);
        message["purpose"] = json!("marketing");
        let sent = send(context, CSR, message).await;
        assert_eq!(sent["code"], "allowed");
        context.client.execute(sql, &[&customer]).await.unwrap();
        let arguments = json!({"providers": {"email": "log"}});
        let claimed = context.call(JOB, "crm_claim_messages", arguments).await.unwrap();
        assert_eq!(
            claimed,
            json!({"messages": [], "deferred": 0, "refused": 1, "unknown": 0}),
            "{code}"
        );
        assert_eq!(status(context, &sent["id"]).await, "refused");
        assert_eq!(field(context, &sent["id"], "decision_code").await.unwrap(), code);
        context.client.batch_execute("rollback to round").await.unwrap();
    }
}

async fn the_address_is_the_one_the_customer_has_when_it_goes_out(context: &mut Context) {
    let customer = customer(context, CSR).await;
    send(context, CSR, mail(customer)).await;
    let sql = "update customer_contacts set value = 'new@example.com' where customer_id = $1 and type = 'email'";
    context.client.execute(sql, &[&customer]).await.unwrap();
    assert_eq!(claim(context).await[0]["to"], "new@example.com");
}

async fn a_dedupe_key_that_is_there_gives_the_message_that_has_it(context: &mut Context) {
    let customer = customer(context, CSR).await;
    let mut message = mail(customer);
    message["dedupe_key"] = json!("visit-1");
    let first = send(context, CSR, message.clone()).await;
    message["body"] = json!("We come on Tuesday.");
    let mut second = send(context, As::Northwind("sales"), message.clone()).await;
    assert_eq!(second["created"].take(), json!(false));
    second["created"] = json!(true);
    assert_eq!(first, second);
    assert_eq!(field(context, &first["id"], "body").await.unwrap(), "We come on Monday.");
    let theirs = self::customer(context, As::Volt("csr")).await;
    message["customer_id"] = json!(theirs);
    let other = send(context, As::Volt("csr"), message).await;
    assert_eq!(other["created"], true, "a key belongs to an org");
}

async fn an_idempotency_key_gives_the_first_answer(context: &mut Context) {
    let customer = customer(context, CSR).await;
    let mut message = mail(customer);
    message["idempotency_key"] = json!("k1");
    let first = send(context, CSR, message.clone()).await;
    assert_eq!(send(context, CSR, message.clone()).await, first);
    message["body"] = json!("Something else.");
    context.refused(CSR, "crm_send_message", message, Code::IdempotencyKeyReused).await;
    assert_eq!(claim(context).await.len(), 1);
}

async fn templates_are_rendered_for_the_customer(context: &mut Context) {
    let customer = customer(context, CSR).await;
    let email = template(context, "email", "<p>{{customer.last_name}}, on {{day}}</p>").await;
    let sms = template(context, "sms", "{{customer.last_name}}, on {{day}}").await;
    let with = |channel: &str, template: Uuid, variables: Value| {
        json!({"customer_id": customer, "channel": channel, "purpose": "transactional", "template_id": template,
            "variables": variables})
    };
    let day = json!({"day": "<Monday>"});
    let sent = send(context, CSR, with("email", email, day.clone())).await;
    assert_eq!(field(context, &sent["id"], "subject").await.unwrap(), "For Jane");
    assert_eq!(field(context, &sent["id"], "body").await.unwrap(), "<p>Doe, on &lt;Monday&gt;</p>");
    for channel in ["sms", "whatsapp"] {
        let sent = send(context, CSR, with(channel, sms, day.clone())).await;
        assert_eq!(field(context, &sent["id"], "body").await.unwrap(), "Doe, on <Monday>");
        assert_eq!(field(context, &sent["id"], "subject").await, None);
        assert_eq!(field(context, &sent["id"], "to_address").await.unwrap(), "+12025550123");
    }
    let wrong = with("email", sms, day);
    let error = context.refused(CSR, "crm_send_message", wrong, Code::InvalidArgument).await;
    assert_eq!(
        (error.errors[0].path.as_str(), error.errors[0].code.as_str()),
        ("template_id", "wrong_channel")
    );
    let missing = with("sms", sms, json!({}));
    context.refused(CSR, "crm_send_message", missing, Code::InvalidTemplate).await;
    let absent = with("sms", Uuid::from_u128(7), json!({}));
    context.refused(CSR, "crm_send_message", absent, Code::NotFound).await;
}

async fn wrong_arguments_are_named_by_their_path(context: &mut Context) {
    let [ours, other] = [customer(context, CSR).await, customer(context, CSR).await];
    let paths =
        async |context: &mut Context, caller: As, name: &str, arguments: Value| -> Vec<String> {
            let error = context.refused(caller, name, arguments, Code::InvalidArgument).await;
            error.errors.into_iter().map(|error| error.path).collect()
        };
    let sql = "select id from customer_contacts where customer_id = $1 limit 1";
    let contact: Uuid = context.client.query_one(sql, &[&other]).await.unwrap().get(0);
    let mut message = mail(ours);
    message["contact_id"] = json!(contact);
    assert_eq!(paths(context, CSR, "crm_send_message", message).await, ["contact_id"]);
    let mut message = mail(ours);
    message["subject"] = json!(" ");
    assert_eq!(paths(context, CSR, "crm_send_message", message).await, ["subject"]);
    let claim = json!({"batch_limit": 0, "lease_seconds": 0, "providers": {}});
    let found = paths(context, JOB, "crm_claim_messages", claim).await;
    assert_eq!(found, ["batch_limit", "lease_seconds", "providers"]);
    let report = json!({"provider": "log", "provider_message_id": "x", "status": "queued"});
    assert_eq!(paths(context, JOB, "crm_record_message_status", report).await, ["status"]);
}

async fn who_may_send_and_who_may_not(context: &mut Context) {
    let customer = customer(context, CSR).await;
    let (id, lease) = handed_out(context, mail(customer)).await;
    let failed = json!({"id": id, "lease_id": lease, "code": "bounced", "retryable": false});
    context.call(JOB, "crm_fail_message", failed).await.unwrap();
    for role in
        ["technician", "member", "viewer", "client_admin", "portal_customer", "portal_manager"]
    {
        let caller = As::Northwind(role);
        context.refused(caller, "crm_send_message", mail(customer), Code::Forbidden).await;
        for name in ["crm_retry_message", "crm_cancel_message"] {
            context.refused(caller, name, json!({"id": id}), Code::Forbidden).await;
        }
    }
    for role in ["owner", "admin", "manager", "dispatcher", "csr", "sales"] {
        let sent = send(context, As::Northwind(role), mail(customer)).await;
        let canceled = context
            .call(As::Northwind(role), "crm_cancel_message", json!({"id": sent["id"]}))
            .await;
        assert_eq!(canceled.unwrap()["status"], "canceled");
    }
    let sent = send(context, JOB, mail(customer)).await;
    assert_eq!(field(context, &sent["id"], "created_by_user_id").await, None);
}

async fn a_closed_customer_takes_no_message(context: &mut Context) {
    let [kept, duplicate] = [customer(context, CSR).await, customer(context, CSR).await];
    let sql = "update customers set merged_into_id = $2, is_archived = true, updated_at = now() where id = $1";
    context.client.execute(sql, &[&duplicate, &kept]).await.unwrap();
    context.refused(CSR, "crm_send_message", mail(duplicate), Code::WrongState).await;
    let sql = "select count(*) from crm_outbox where customer_id = $1";
    let count: i64 = context.client.query_one(sql, &[&duplicate]).await.unwrap().get(0);
    assert_eq!(count, 0);
}

async fn a_cap_spreads_marketing_over_time(context: &mut Context) {
    let sql = "insert into crm_messaging_settings (org_id, marketing_cap_count, marketing_cap_hours) values ($1, 2, 24)
        on conflict (org_id) do update set marketing_cap_count = 2, marketing_cap_hours = 24, quiet_hours_start = null,
          quiet_hours_end = null, suppression_segment_id = null";
    context.client.execute(sql, &[&NORTHWIND]).await.unwrap();
    let customer = customer(context, CSR).await;
    let mut offer = mail(customer);
    offer["purpose"] = json!("marketing");
    let mut made = Vec::new();
    for days in [0, 0, 1, 1, 2] {
        let sent = send(context, CSR, offer.clone()).await;
        let when = format!("available_at = now() + interval '{days} days'");
        assert_eq!(field(context, &sent["id"], &when).await.unwrap(), "true", "{days}");
        assert_eq!(sent["code"], if days == 0 { "allowed" } else { "frequency_cap" });
        made.push(sent["id"].clone());
    }
    send(context, CSR, mail(customer)).await;
    // Were all due at once, no more would go than the cap allows; the other is no marketing.
    let sql =
        "update crm_outbox set available_at = now(), created_at = available_at - interval '10 days'
        where customer_id = $1 and purpose = 'marketing'";
    context.client.execute(sql, &[&customer]).await.unwrap();
    let arguments = json!({"providers": {"email": "log"}});
    let claimed = context.call(JOB, "crm_claim_messages", arguments).await.unwrap();
    assert_eq!(claimed["messages"].as_array().unwrap().len(), 3);
    assert_eq!((&claimed["deferred"], &claimed["refused"]), (&json!(3), &json!(0)));
    for (id, status_now, days) in
        [(0, "sending", 0), (1, "sending", 0), (2, "queued", 1), (3, "queued", 1), (4, "queued", 2)]
    {
        assert_eq!(status(context, &made[id]).await, status_now);
        let when = format!("available_at = now() + interval '{days} days'");
        assert_eq!(field(context, &made[id], &when).await.unwrap(), "true", "{id}");
    }
}

async fn what_expires_is_refused_when_its_time_is_over(context: &mut Context) {
    let customer = customer(context, CSR).await;
    let mut message = mail(customer);
    message["expires_at"] = json!("2001-01-01T00:00:00Z");
    let late = send(context, CSR, message.clone()).await;
    assert_eq!((&late["status"], &late["code"]), (&json!("refused"), &json!("expired")));
    message["expires_at"] = json!("2999-01-01T00:00:00Z");
    let sent = send(context, CSR, message).await;
    set(
        context,
        "update crm_outbox set expires_at = now() - interval '1 second' where id = $1",
        &sent["id"],
    )
    .await;
    assert!(claim(context).await.is_empty());
    assert_eq!(
        field(context, &sent["id"], "status || ' ' || decision_code").await.unwrap(),
        "refused expired"
    );
}
