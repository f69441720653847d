//! What the owners of portal accounts are told, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use common::household::{Household, household, manager, sign_in, visit};
use common::{As, Context, NORTHWIND, VOLT};
use fieldcrm_core::Code;
use serde_json::{Value, json};

const JOB: As = As::Dba(NORTHWIND);
const CSR: As = As::Northwind("csr");

scenarios! {
    a_visit_is_told_as_it_is_made_moved_begun_and_done
    of_what_happened_meanwhile_the_last_is_told
    what_was_told_is_not_told_again
    everybody_is_told_at_their_own_place
    who_does_not_want_to_be_told_is_not
    consent_has_the_last_word
    whoever_has_no_account_is_told_nothing
    the_office_writing_is_news_by_mail_only
    a_booking_is_told_and_what_is_typed_is_no_markup
    a_job_of_one_org_leaves_the_others
    only_jobs_send
}

/// Sends, and says what each new message says: channel, address, subject or text.
async fn send(context: &mut Context) -> Vec<(String, String, String)> {
    context
        .client
        .batch_execute("update crm_outbox set created_at = now() - interval '1 hour'")
        .await
        .unwrap();
    context.call(JOB, "crm_send_portal_notices", json!({})).await.unwrap();
    let sql = "select channel, coalesce(to_address, status), coalesce(subject, body) from crm_outbox
               where created_at = now() and dedupe_key like 'portal_notice:%' order by channel, to_address, 3";
    let rows = context.client.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
}

/// A household whose quiet hours do not get into the way, and nothing to be told yet.
async fn quiet_home(context: &mut Context, name: &str) -> Household {
    let home = household(context, name).await;
    context.client.batch_execute("delete from fieldcrm.portal_notices").await.unwrap();
    home
}

async fn a_visit_is_told_as_it_is_made_moved_begun_and_done(context: &mut Context) {
    let home = quiet_home(context, "ann").await;
    let visit = visit(context, home.customer, None, 48, &[]).await;
    let mut subjects = Vec::new();
    for change in [
        "title = title",
        "window_end = window_end + interval '1 hour'",
        "internal_notes = 'x'",
        "status = 'en_route', eta = now() + interval '1 hour'",
        "eta = now() + interval '2 hours'",
        "status = 'on_site', eta = null",
        "status = 'completed'",
    ] {
        let sql = format!("update work_orders set {change} where id = '{visit}'");
        context.client.batch_execute(&sql).await.unwrap();
        let mails = send(context).await.into_iter().filter(|(channel, ..)| channel == "email");
        subjects.extend(mails.map(|(_, to, subject)| {
            assert_eq!(to, "ann@home.example");
            subject.split(" - ").next().unwrap().to_owned()
        }));
    }
    assert_eq!(
        subjects,
        [
            "Your appointment",
            "Your appointment has moved",
            "Your technician is on the way",
            "New time of arrival",
            "Your technician is there",
            "Your visit is done"
        ]
    );
}

async fn of_what_happened_meanwhile_the_last_is_told(context: &mut Context) {
    let home = quiet_home(context, "ann").await;
    let visit = visit(context, home.customer, None, 48, &[]).await;
    let sql = "update work_orders set status = 'canceled' where id = $1";
    context.client.execute(sql, &[&visit]).await.unwrap();
    let told = send(context).await;
    let channels: Vec<_> = told.iter().map(|(channel, ..)| channel.as_str()).collect();
    assert_eq!(channels, ["email", "sms"]);
    assert!(told.iter().all(|(.., text)| text.contains("canceled")), "{told:?}");
}

async fn what_was_told_is_not_told_again(context: &mut Context) {
    let home = quiet_home(context, "ann").await;
    visit(context, home.customer, None, 48, &[]).await;
    let kept =
        "create temporary table kept on commit drop as select * from fieldcrm.portal_notices";
    context.client.batch_execute(kept).await.unwrap();
    assert_eq!(send(context).await.len(), 2);
    assert_eq!(send(context).await, []);
    context
        .client
        .batch_execute("insert into fieldcrm.portal_notices select * from kept")
        .await
        .unwrap();
    assert_eq!(send(context).await, [], "the key is the notice's");
}

async fn everybody_is_told_at_their_own_place(context: &mut Context) {
    let home = quiet_home(context, "ann").await;
    let sql = "insert into customer_contacts (org_id, customer_id, type, value) values ($1, $2, 'email', 'second@home.example')";
    context.client.execute(sql, &[&NORTHWIND, &home.customer]).await.unwrap();
    sign_in(context, home.customer, "second@home.example", "customer").await;
    sign_in(context, home.customer, "stranger@home.example", "customer").await;
    manager(context, &[(home.customer, None)]).await;
    let outsider = household(context, "outsider").await;
    let sql = format!(
        "update portal_accounts set status = 'suspended' where id = '{}'",
        outsider.account
    );
    context.client.batch_execute(&sql).await.unwrap();
    visit(context, home.customer, None, 48, &[]).await;
    let mails: Vec<_> = send(context)
        .await
        .into_iter()
        .filter(|(channel, ..)| channel == "email")
        .map(|(_, to, _)| to)
        .collect();
    assert_eq!(mails, ["ann@home.example", "manager@home.example", "second@home.example"]);
}

async fn prefer(context: &Context, home: &Household, email: bool, sms: bool, en_route: bool) {
    let sql = "insert into portal_notification_preferences (org_id, portal_account_id, notify_booking_updates_email,
                 notify_booking_updates_sms, notify_technician_enroute) values ($1, $2, $3, $4, $5)
               on conflict (org_id, portal_account_id) do update set notify_booking_updates_email = $3,
                 notify_booking_updates_sms = $4, notify_technician_enroute = $5";
    let values: &[&(dyn tokio_postgres::types::ToSql + Sync)] =
        &[&NORTHWIND, &home.account, &email, &sms, &en_route];
    context.client.execute(sql, values).await.unwrap();
}

async fn who_does_not_want_to_be_told_is_not(context: &mut Context) {
    let home = quiet_home(context, "ann").await;
    for (email, sms, expected) in
        [(true, false, &["email"][..]), (false, true, &["sms"]), (false, false, &[])]
    {
        prefer(context, &home, email, sms, true).await;
        visit(context, home.customer, None, 48, &[]).await;
        let told = send(context).await;
        let channels: Vec<_> = told.iter().map(|(channel, ..)| channel.as_str()).collect();
        assert_eq!(channels, expected);
    }
    prefer(context, &home, true, true, false).await;
    let visit = visit(context, home.customer, None, 48, &[]).await;
    send(context).await;
    let sql = "update work_orders set status = 'en_route' where id = $1";
    context.client.execute(sql, &[&visit]).await.unwrap();
    assert_eq!(send(context).await, []);
}

async fn consent_has_the_last_word(context: &mut Context) {
    let home = quiet_home(context, "ann").await;
    let sql =
        "insert into crm_preferences (org_id, customer_id, do_not_email) values ($1, $2, true)
               on conflict (org_id, customer_id) do update set do_not_email = true";
    context.client.execute(sql, &[&NORTHWIND, &home.customer]).await.unwrap();
    visit(context, home.customer, None, 48, &[]).await;
    send(context).await;
    let sql =
        "select status, decision_code from crm_outbox where customer_id = $1 and channel = 'email'";
    let row = context.client.query_one(sql, &[&home.customer]).await.unwrap();
    assert_eq!((row.get(0), row.get(1)), ("refused", "do_not_email"));
    let sql = "update portal_notification_preferences set quiet_hours_start = (now() at time zone 'UTC' - interval '1 hour')::time,
                 quiet_hours_end = (now() at time zone 'UTC' + interval '1 hour')::time, timezone = 'UTC' where portal_account_id = $1";
    prefer(context, &home, true, true, true).await;
    context.client.execute(sql, &[&home.account]).await.unwrap();
    visit(context, home.customer, None, 480, &[]).await;
    send(context).await;
    let late = "select count(*) from crm_outbox where customer_id = $1 and channel = 'sms' and available_at > now()";
    let waits: i64 = context.client.query_one(late, &[&home.customer]).await.unwrap().get(0);
    assert_eq!(waits, 1, "quiet hours of the account");
}

async fn whoever_has_no_account_is_told_nothing(context: &mut Context) {
    let home = quiet_home(context, "ann").await;
    for status in ["invited", "suspended", "closed"] {
        let sql =
            format!("update portal_accounts set status = '{status}' where id = '{}'", home.account);
        context.client.batch_execute(&sql).await.unwrap();
        visit(context, home.customer, None, 48, &[]).await;
    }
    let rows: i64 = context
        .client
        .query_one("select count(*) from fieldcrm.portal_notices", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(rows, 0);
}

async fn the_office_writing_is_news_by_mail_only(context: &mut Context) {
    let home = quiet_home(context, "ann").await;
    let new = json!({"customer_id": home.customer, "subject": "Your boiler", "body": "It is old."});
    let made = context.call(CSR, "crm_create_portal_thread", new).await.unwrap();
    let reply = json!({"thread_id": made["id"], "body": "Very old."});
    context.call(CSR, "crm_reply_to_portal_thread", reply).await.unwrap();
    let told = send(context).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((told[0].0.as_str(), told[0].1.as_str()), ("email", "ann@home.example"));
    let body: String = context
        .client
        .query_one("select body from crm_outbox where customer_id = $1", &[&home.customer])
        .await
        .unwrap()
        .get(0);
    assert!(
        body.contains("Your boiler") && !body.contains("old."),
        "what was written stays in the portal"
    );
    let answer = json!({"thread_id": made["id"], "body": "I know."});
    context.call(home.user(), "portal_send_message", answer).await.unwrap();
    assert_eq!(send(context).await, [], "customers know what they wrote");
}

async fn a_booking_is_told_and_what_is_typed_is_no_markup(context: &mut Context) {
    let home = quiet_home(context, "ann").await;
    let sql = format!(
        "insert into service_types (org_id, code, name) values ('{NORTHWIND}', 'odd', '<b>Odd</b>');
         insert into portal_booking_requests (org_id, portal_account_id, customer_id, location_id, service_type, problem_description)
         values ('{NORTHWIND}', '{}', '{}', '{}', 'odd', 'It leaks.')",
        home.account, home.customer, home.places[0]
    );
    context.client.batch_execute(&sql).await.unwrap();
    let mut said = Vec::new();
    for status in ["submitted", "approved", "scheduled"] {
        let sql = "update portal_booking_requests set status = $2::text::portal_booking_status where customer_id = $1";
        context.client.execute(sql, &[&home.customer, &status]).await.unwrap();
        said.extend(
            send(context)
                .await
                .into_iter()
                .filter(|(channel, ..)| channel == "email")
                .map(|(.., subject)| subject),
        );
    }
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(
        said[0].starts_with("We have your request")
            && said[1].starts_with("Your request is approved")
    );
    let row = context
        .client
        .query_one("select bool_and(body like '%&lt;b&gt;Odd%' and body not like '%<b>%') from crm_outbox where customer_id = $1 and channel = 'email'", &[&home.customer])
        .await
        .unwrap();
    assert!(row.get::<_, bool>(0));
    let told: i64 = context
        .client
        .query_one("select count(*) from crm_notifications where customer_id = $1 and type = 'portal_booking'", &[&home.customer])
        .await
        .unwrap()
        .get(0);
    assert_eq!(told, 2, "the csr and the dispatcher");
}

async fn a_job_of_one_org_leaves_the_others(context: &mut Context) {
    let home = quiet_home(context, "ann").await;
    visit(context, home.customer, None, 48, &[]).await;
    let done = context.call(As::Dba(VOLT), "crm_send_portal_notices", json!({})).await.unwrap();
    assert_eq!(done, json!({"notices": 0, "messages": 0}));
    let done =
        context.call(JOB, "crm_send_portal_notices", json!({"batch_limit": 1})).await.unwrap();
    assert_eq!(done, json!({"notices": 1, "messages": 2}));
}

async fn only_jobs_send(context: &mut Context) {
    for who in [CSR, As::Northwind("owner"), As::Northwind("portal_customer")] {
        context.refused(who, "crm_send_portal_notices", json!({}), Code::Forbidden).await;
    }
    let _: Value = context.call(JOB, "crm_send_portal_notices", json!({})).await.unwrap();
    context
        .refused(JOB, "crm_send_portal_notices", json!({"batch_limit": 0}), Code::InvalidArgument)
        .await;
}
