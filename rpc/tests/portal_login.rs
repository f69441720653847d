//! Whose a login is: what opens it, when its tokens end, and keys of whoever comes in, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use common::{As, Context, NORTHWIND};
use fieldcrm_core::Code;
use serde_json::{Value, json};
use uuid::Uuid;

const SERVICE: As = As::Dba(NORTHWIND);
/// The sessions of the tokens below.
const MINE: &str = "aaaaaaaa-0000-4000-8000-000000000001";
const OTHERS: &str = "aaaaaaaa-0000-4000-8000-000000000002";
const FIRST: &str = r#"{"session_id": "aaaaaaaa-0000-4000-8000-000000000001"}"#;
const SECOND: &str = r#"{"session_id": "aaaaaaaa-0000-4000-8000-000000000002"}"#;

scenarios! {
    who_accepts_an_invitation_ends_every_session_of_the_login
    a_login_that_more_than_its_password_opens_accepts_nothing
    where_nothing_may_be_sent_staff_are_told
    a_token_of_a_session_that_ended_opens_nothing
    a_session_that_ended_completes_no_sign_up
    who_has_a_second_factor_comes_in_with_it
    who_accepts_an_invitation_has_shown_no_address
    a_key_of_whoever_comes_in_is_for_one_payload
    a_session_that_is_asked_for_again_is_the_same_answer
    an_erasure_names_what_was_uploaded_and_never_sent
}

async fn run(context: &Context, sql: &str) {
    context.client.batch_execute(sql).await.unwrap();
}

async fn one<T: for<'a> tokio_postgres::types::FromSql<'a>>(context: &Context, sql: &str) -> T {
    context.client.query_one(sql, &[]).await.unwrap().get(0)
}

async fn known(context: &mut Context, email: &str) -> Value {
    let input = json!({"type": "individual", "name": "Vic", "email": email});
    context.call(As::Northwind("csr"), "crm_create_customer", input).await.unwrap()["id"].take()
}

/// Somebody with a verified address, a password and two sessions, who signed up.
async fn waiting(context: &mut Context, email: &str) -> Uuid {
    let user = context.newcomer(email).await;
    run(context, &format!(
        "update auth.users set email_confirmed_at = now(), encrypted_password = 'of whoever was first' where id = '{user}';
         insert into auth.sessions (id, user_id) values ('{MINE}', '{user}'), ('{OTHERS}', '{user}')"
    ))
    .await;
    let arguments = json!({"user_id": user, "slug": "northwind", "full_name": "Vic"});
    context.call(SERVICE, "portal_register_signup", arguments).await.unwrap();
    user
}

/// An invitation to the address, and the login that somebody made with it.
async fn invited(context: &mut Context, email: &str) -> (Uuid, Value) {
    let customer = known(context, email).await;
    let invite = json!({"customer_id": customer, "email": email});
    let invite = context.call(As::Northwind("csr"), "crm_create_portal_invite", invite).await;
    let user = waiting(context, email).await;
    (user, json!({"token": invite.unwrap()["token"], "user_id": user}))
}

async fn who_accepts_an_invitation_ends_every_session_of_the_login(context: &mut Context) {
    let (user, accept) = invited(context, "vic@login.example").await;
    context.call(SERVICE, "portal_accept_invite", accept).await.unwrap();
    let sessions = format!("select count(*) from auth.sessions where user_id = '{user}'");
    assert_eq!(one::<i64>(context, &sessions).await, 0);
    // Whoever shared the login has tokens that are good for an hour: they open nothing.
    for token in [FIRST, SECOND] {
        let caller = As::Token(user, token);
        context.refused(caller, "portal_dashboard", json!({}), Code::Unauthenticated).await;
        context.refused(caller, "portal_session", json!({}), Code::Unauthenticated).await;
        assert_eq!(rows(context, caller).await, 0);
    }
}

async fn a_login_that_more_than_its_password_opens_accepts_nothing(context: &mut Context) {
    let (user, accept) = invited(context, "vic@login.example").await;
    for opened in [
        "update auth.users set phone = '13125550188' where id = $user",
        "update auth.users set phone_change_token = 't' where id = $user",
        "update auth.users set email_change_token_new = 't' where id = $user",
        "update auth.users set email_change_token_current = 't' where id = $user",
        "insert into auth.identities (user_id, provider, provider_id, identity_data) values ($user, 'google', 'g', '{}')",
        "insert into auth.mfa_factors (id, user_id, factor_type, status, created_at, updated_at)
         values ($user, $user, 'totp', 'unverified', now(), now())",
        "insert into auth.webauthn_credentials (id, user_id) values ($user, $user)",
    ] {
        run(context, "savepoint before").await;
        run(context, &opened.replace("$user", &format!("'{user}'"))).await;
        let error = context
            .refused(SERVICE, "portal_accept_invite", accept.clone(), Code::WrongState)
            .await;
        assert_eq!(error.data["reason"], "login_not_plain", "{opened}");
        run(context, "rollback to before").await;
    }
    context.call(SERVICE, "portal_accept_invite", accept).await.unwrap();
}

async fn where_nothing_may_be_sent_staff_are_told(context: &mut Context) {
    for obstacle in [
        "update portal_settings set portal_url = null",
        "insert into crm_preferences (org_id, customer_id, do_not_email) values ($org, $customer, true)
         on conflict (org_id, customer_id) do update set do_not_email = true",
    ] {
        run(context, "savepoint before").await;
        let customer = known(context, "vic@login.example").await;
        let sql = obstacle.replace("$org", &format!("'{NORTHWIND}'"));
        run(context, &sql.replace("$customer", &format!("'{}'", customer.as_str().unwrap()))).await;
        let user = waiting(context, "vic@login.example").await;
        let session = context.call(As::Token(user, FIRST), "portal_session", json!({})).await;
        assert_eq!(session.unwrap()["status"], "review", "{obstacle}");
        let told = "select count(*) from crm_notifications where type = 'portal_signup'";
        assert!(one::<i64>(context, told).await > 0);
        let kept = "select count(*) from portal_invites where email = 'vic@login.example'";
        assert_eq!(one::<i64>(context, kept).await, 0);
        run(context, "rollback to before").await;
    }
}

/// The owner of the demo account, with the sessions of the tokens above.
async fn owner(context: &Context) -> Uuid {
    let user = context.user("portal_customer@northwind.example").await;
    run(context, &format!(
        "insert into auth.sessions (id, user_id) values ('{MINE}', '{user}'), ('{OTHERS}', '{user}')"
    ))
    .await;
    user
}

/// How much of the tables that customers read the caller sees.
async fn rows(context: &Context, caller: As) -> i64 {
    context.enter(caller, "authenticated").await;
    let seen = one(
        context,
        "select (select count(id) from portal_booking_requests) + (select count(id) from portal_threads)
           + (select count(id) from portal_messages) + (select count(work_order_id) from portal_appointments)",
    )
    .await;
    context.leave().await;
    seen
}

async fn a_token_of_a_session_that_ended_opens_nothing(context: &mut Context) {
    let user = owner(context).await;
    let caller = As::Token(user, SECOND);
    context.call(caller, "portal_dashboard", json!({})).await.unwrap();
    assert!(rows(context, caller).await > 0);
    run(context, &format!("delete from auth.sessions where id = '{OTHERS}'")).await;
    context.refused(caller, "portal_dashboard", json!({}), Code::Unauthenticated).await;
    assert_eq!(rows(context, caller).await, 0);
    assert!(rows(context, As::Token(user, FIRST)).await > 0);
    // Of somebody else: it is not this user's.
    let other = context.user("portal_manager@northwind.example").await;
    context
        .refused(As::Token(other, FIRST), "portal_dashboard", json!({}), Code::Unauthenticated)
        .await;
}

async fn a_session_that_ended_completes_no_sign_up(context: &mut Context) {
    known(context, "vic@login.example").await;
    let user = waiting(context, "vic@login.example").await;
    run(context, &format!("delete from auth.sessions where id = '{MINE}'")).await;
    for rpc in ["portal_complete_signup", "portal_session"] {
        context.refused(As::Token(user, FIRST), rpc, json!({}), Code::Unauthenticated).await;
    }
}

async fn who_has_a_second_factor_comes_in_with_it(context: &mut Context) {
    const ONE: &str = r#"{"aal": "aal1"}"#;
    const BOTH: &str = r#"{"aal": "aal2"}"#;
    let user = owner(context).await;
    let factor = |status: &str| {
        format!("insert into auth.mfa_factors (id, user_id, factor_type, status, created_at, updated_at)
           values ('{MINE}', '{user}', 'totp', '{status}', now(), now())
           on conflict (id) do update set status = excluded.status")
    };
    // One that was begun and not confirmed locks nobody out.
    run(context, &factor("unverified")).await;
    context.call(As::Token(user, ONE), "portal_dashboard", json!({})).await.unwrap();
    run(context, &factor("verified")).await;
    for more in [ONE, "{}"] {
        let caller = As::Token(user, more);
        let error = context.refused(caller, "portal_dashboard", json!({}), Code::Forbidden).await;
        assert_eq!(error.data["reason"], "second_factor");
        assert_eq!(rows(context, caller).await, 0);
    }
    context.call(As::Token(user, BOTH), "portal_dashboard", json!({})).await.unwrap();
    assert!(rows(context, As::Token(user, BOTH)).await > 0);
    // Another's factor is not asked for.
    let other = context.user("portal_manager@northwind.example").await;
    context.call(As::Token(other, ONE), "portal_dashboard", json!({})).await.unwrap();
}

async fn who_accepts_an_invitation_has_shown_no_address(context: &mut Context) {
    let customer = known(context, "vic@login.example").await;
    let invite = json!({"customer_id": customer, "email": "vic@login.example"});
    let invite = context.call(As::Northwind("csr"), "crm_create_portal_invite", invite).await;
    let user = context.newcomer("vic@login.example").await;
    let accept = json!({"token": invite.unwrap()["token"], "user_id": user});
    context.call(SERVICE, "portal_accept_invite", accept).await.unwrap();
    let sql = format!(
        "select is_verified from customer_contacts where customer_id = '{}'",
        customer.as_str().unwrap()
    );
    assert!(!one::<bool>(context, &sql).await);
}

async fn a_key_of_whoever_comes_in_is_for_one_payload(context: &mut Context) {
    let (user, accept) = invited(context, "vic@login.example").await;
    let register = json!({"user_id": user, "slug": "northwind", "full_name": "Vic"});
    for (rpc, again, mut arguments) in [
        ("portal_register_signup", "portal_register_signup", register),
        ("portal_accept_invite", "portal_find_invite", accept),
    ] {
        arguments["idempotency_key"] = json!(format!("key of {rpc}"));
        // What fails takes no key.
        let mut wrong = arguments.clone();
        wrong["fingerprint"] = json!("another");
        wrong["full_name"] = json!("n".repeat(201));
        context.refused(SERVICE, rpc, wrong, Code::InvalidArgument).await;
        arguments["fingerprint"] = json!("one");
        context.call(SERVICE, rpc, arguments.clone()).await.unwrap();
        if again == "portal_find_invite" {
            let given = arguments.as_object_mut().unwrap();
            given.remove("user_id");
        }
        context.call(SERVICE, again, arguments.clone()).await.unwrap();
        arguments["fingerprint"] = json!("two");
        context.refused(SERVICE, again, arguments.clone(), Code::IdempotencyKeyReused).await;
        arguments["idempotency_key"] = json!("");
        context.refused(SERVICE, again, arguments, Code::InvalidArgument).await;
    }
}

async fn a_session_that_is_asked_for_again_is_the_same_answer(context: &mut Context) {
    let caller = As::Northwind("portal_customer");
    let keyed = json!({"idempotency_key": "s1"});
    let first = context.call(caller, "portal_session", keyed.clone()).await.unwrap();
    run(context, "update profiles set full_name = 'Another' where role = 'portal_customer'").await;
    assert_eq!(context.call(caller, "portal_session", keyed).await.unwrap(), first);
    let now = context.call(caller, "portal_session", json!({})).await.unwrap();
    assert_eq!(now["profile"]["full_name"], "Another");
}

async fn an_erasure_names_what_was_uploaded_and_never_sent(context: &mut Context) {
    let user = owner(context).await;
    let account = context
        .client
        .query_one("select id::text, customer_id from portal_accounts where user_id = $1", &[&user])
        .await
        .unwrap();
    let name = format!("{NORTHWIND}/portal/{}/never-sent.jpg", account.get::<_, String>(0));
    run(
        context,
        &format!(
            "insert into storage.objects (bucket_id, name) values ('attachments', '{name}'),
             ('attachments', '{NORTHWIND}/portal/{MINE}/of-somebody-else.jpg'), ('attachments', '{name}.of-b')"
        ),
    )
    .await;
    // A manager's, who sent it for another customer.
    let other = known(context, "b@login.example").await;
    let sent = format!(
        "with t as (insert into portal_threads (org_id, customer_id, subject) values ('{NORTHWIND}', '{}', 'B') returning id, customer_id)
         insert into portal_messages (org_id, customer_id, thread_id, sender_type, body, attachments)
         select '{NORTHWIND}', customer_id, id, 'system', 'B', '[{{\"object_name\": \"{name}.of-b\"}}]' from t",
        other.as_str().unwrap()
    );
    run(context, &sent).await;
    let erase = json!({"id": account.get::<_, Uuid>(1)});
    let erased = context.call(As::Northwind("owner"), "crm_erase_customer", erase).await.unwrap();
    let names: Vec<_> =
        erased["attachments"].as_array().unwrap().iter().map(|one| &one["object_name"]).collect();
    assert!(names.contains(&&json!(name)), "{names:?}");
    let others = |name: &str| name.contains("of-somebody-else") || name.contains("of-b");
    assert!(!names.iter().any(|name| others(name.as_str().unwrap())), "{names:?}");
}
