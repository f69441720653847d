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
const MAIL: &str = r#"{"session_id": "aaaaaaaa-0000-4000-8000-000000000001", "amr": [{"method": "otp", "timestamp": 1}]}"#;
const PASSWORD: &str = r#"{"session_id": "aaaaaaaa-0000-4000-8000-000000000002", "amr": [{"method": "password", "timestamp": 1}]}"#;

scenarios! {
    a_mail_that_leads_to_a_customer_takes_the_password_and_ends_other_sessions
    a_new_customer_keeps_the_password
    a_login_that_more_than_a_mail_opens_is_for_staff
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

async fn a_mail_that_leads_to_a_customer_takes_the_password_and_ends_other_sessions(
    context: &mut Context,
) {
    let victim = known(context, "vic@login.example").await;
    let user = waiting(context, "vic@login.example").await;
    let refused = context.call(As::Token(user, PASSWORD), "portal_session", json!({})).await;
    assert_eq!(refused.unwrap()["status"], "verify");
    let session = context.call(As::Token(user, MAIL), "portal_session", json!({})).await.unwrap();
    assert_eq!(
        (&session["account"]["customer_id"], &session["set_password"]),
        (&victim, &json!(true))
    );
    let password = format!("select encrypted_password from auth.users where id = '{user}'");
    assert_eq!(one::<Option<String>>(context, &password).await, None);
    let sessions =
        format!("select string_agg(id::text, ',') from auth.sessions where user_id = '{user}'");
    assert_eq!(one::<String>(context, &sessions).await, MINE);
    // Whoever had the password has a token that is good for an hour: it opens nothing.
    let thief = As::Token(user, PASSWORD);
    context.refused(thief, "portal_dashboard", json!({}), Code::Unauthenticated).await;
    context.refused(thief, "portal_session", json!({}), Code::Unauthenticated).await;
    context.call(As::Token(user, MAIL), "portal_dashboard", json!({})).await.unwrap();
    let settings = context.call(As::Token(user, MAIL), "portal_get_settings", json!({})).await;
    assert_eq!(settings.unwrap()["security"], json!({"has_password": false}));
}

async fn a_new_customer_keeps_the_password(context: &mut Context) {
    let user = waiting(context, "new@login.example").await;
    let session =
        context.call(As::Token(user, PASSWORD), "portal_session", json!({})).await.unwrap();
    assert_eq!((&session["status"], &session["set_password"]), (&json!("active"), &json!(false)));
    let kept = format!("select encrypted_password is not null from auth.users where id = '{user}'");
    assert!(one::<bool>(context, &kept).await);
}

async fn a_login_that_more_than_a_mail_opens_is_for_staff(context: &mut Context) {
    known(context, "vic@login.example").await;
    let user = waiting(context, "vic@login.example").await;
    for opened in [
        "update auth.users set phone = '13125550188' where id = $user",
        "update auth.users set phone_change = '13125550188' where id = $user",
        "update auth.users set email_change = 'mallory@login.example' where id = $user",
        "insert into auth.identities (user_id, provider, provider_id, identity_data) values ($user, 'google', 'g', '{}')",
        "insert into auth.mfa_factors (user_id, factor_type, status, created_at, updated_at)
         values ($user, 'totp', 'unverified', now(), now())",
    ] {
        run(context, "savepoint before").await;
        run(context, &opened.replace("$user", &format!("'{user}'"))).await;
        let session =
            context.call(As::Token(user, MAIL), "portal_session", json!({})).await.unwrap();
        assert_eq!(session["status"], "review", "{opened}");
        run(context, "rollback to before").await;
    }
    let session = context.call(As::Token(user, MAIL), "portal_session", json!({})).await;
    assert_eq!(session.unwrap()["status"], "active");
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
    let caller = As::Token(user, PASSWORD);
    context.call(caller, "portal_dashboard", json!({})).await.unwrap();
    assert!(rows(context, caller).await > 0);
    run(context, &format!("delete from auth.sessions where id = '{OTHERS}'")).await;
    context.refused(caller, "portal_dashboard", json!({}), Code::Unauthenticated).await;
    assert_eq!(rows(context, caller).await, 0);
    assert!(rows(context, As::Token(user, MAIL)).await > 0);
    // Of somebody else: it is not this user's.
    let other = context.user("portal_manager@northwind.example").await;
    context
        .refused(As::Token(other, MAIL), "portal_dashboard", json!({}), Code::Unauthenticated)
        .await;
}

async fn a_session_that_ended_completes_no_sign_up(context: &mut Context) {
    known(context, "vic@login.example").await;
    let user = waiting(context, "vic@login.example").await;
    run(context, &format!("delete from auth.sessions where id = '{MINE}'")).await;
    for rpc in ["portal_complete_signup", "portal_session"] {
        context.refused(As::Token(user, MAIL), rpc, json!({}), Code::Unauthenticated).await;
    }
}

async fn who_has_a_second_factor_comes_in_with_it(context: &mut Context) {
    const FIRST: &str = r#"{"aal": "aal1"}"#;
    const BOTH: &str = r#"{"aal": "aal2"}"#;
    let user = owner(context).await;
    let factor = |status: &str| {
        format!("insert into auth.mfa_factors (id, user_id, factor_type, status, created_at, updated_at)
           values ('{MINE}', '{user}', 'totp', '{status}', now(), now())
           on conflict (id) do update set status = excluded.status")
    };
    // One that was begun and not confirmed locks nobody out.
    run(context, &factor("unverified")).await;
    context.call(As::Token(user, FIRST), "portal_dashboard", json!({})).await.unwrap();
    run(context, &factor("verified")).await;
    for more in [FIRST, "{}"] {
        let caller = As::Token(user, more);
        let error = context.refused(caller, "portal_dashboard", json!({}), Code::Forbidden).await;
        assert_eq!(error.data["reason"], "second_factor");
        assert_eq!(rows(context, caller).await, 0);
    }
    context.call(As::Token(user, BOTH), "portal_dashboard", json!({})).await.unwrap();
    assert!(rows(context, As::Token(user, BOTH)).await > 0);
    // Another's factor is not asked for.
    let other = context.user("portal_manager@northwind.example").await;
    context.call(As::Token(other, FIRST), "portal_dashboard", json!({})).await.unwrap();
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
    let customer = known(context, "vic@login.example").await;
    let invite = json!({"customer_id": customer, "email": "vic@login.example"});
    let invite = context.call(As::Northwind("csr"), "crm_create_portal_invite", invite).await;
    for (rpc, mut arguments) in [
        ("portal_find_signup", json!({"slug": "northwind"})),
        ("portal_find_invite", json!({"token": invite.unwrap()["token"]})),
    ] {
        arguments["idempotency_key"] = json!(format!("key of {rpc}"));
        arguments["fingerprint"] = json!("one");
        let first = context.call(SERVICE, rpc, arguments.clone()).await.unwrap();
        assert_eq!(context.call(SERVICE, rpc, arguments.clone()).await.unwrap(), first);
        arguments["fingerprint"] = json!("two");
        context.refused(SERVICE, rpc, arguments.clone(), Code::IdempotencyKeyReused).await;
        arguments["idempotency_key"] = json!("");
        context.refused(SERVICE, rpc, arguments, Code::InvalidArgument).await;
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
           ('attachments', '{NORTHWIND}/portal/{MINE}/of-somebody-else.jpg')"
        ),
    )
    .await;
    let erase = json!({"id": account.get::<_, Uuid>(1)});
    let erased = context.call(As::Northwind("owner"), "crm_erase_customer", erase).await.unwrap();
    let names: Vec<_> =
        erased["attachments"].as_array().unwrap().iter().map(|one| &one["object_name"]).collect();
    assert!(names.contains(&&json!(name)), "{names:?}");
    assert!(!names.iter().any(|name| name.as_str().unwrap().contains("of-somebody-else")));
}
