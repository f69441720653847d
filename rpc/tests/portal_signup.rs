//! How customers come in: signing up and accepting invitations, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use common::{As, Context, NORTHWIND, Target, VOLT, connect, rounds};
use fieldcrm_core::Code;
use serde_json::{Value, json};
use uuid::Uuid;

const CSR: As = As::Northwind("csr");
/// A session of the back end, whose org does not matter here.
const SERVICE: As = As::Dba(NORTHWIND);

scenarios! {
    who_signs_up_is_nobody_until_their_address_is_verified
    a_verified_address_that_nobody_has_is_a_new_prospect
    a_verified_address_that_a_customer_has_gets_an_invitation
    phone_and_reference_of_somebody_else_open_nothing
    of_several_customers_the_reference_chooses
    several_customers_are_for_staff_to_tell_apart
    closed_customers_are_not_found
    each_org_has_its_own_customers
    one_user_has_one_org
    nobody_signs_up_where_it_is_not_open
    an_invitation_lets_one_user_in_once
    an_invitation_is_for_its_address_and_can_end
    what_an_invitation_gives_follows_merges_and_leaves_out_the_erased
    only_the_back_end_admits
    what_was_said_first_at_a_sign_up_stays
    who_has_a_login_by_an_invitation_signs_up_nowhere_with_its_address
}

async fn confirm(context: &Context, user: Uuid) {
    let sql = "update auth.users set email_confirmed_at = now() where id = $1";
    context.client.execute(sql, &[&user]).await.unwrap();
}

async fn register(context: &mut Context, user: Uuid, slug: &str, more: Value) -> bool {
    let mut arguments = json!({"user_id": user, "slug": slug, "full_name": "Ada Lovelace"});
    arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let answer = context.call(SERVICE, "portal_register_signup", arguments).await.unwrap();
    answer["registered"] == true
}

/// A verified user who signed up, and what came of it.
async fn sign_up(context: &mut Context, email: &str, slug: &str, more: Value) -> (Uuid, Value) {
    let user = context.newcomer(email).await;
    confirm(context, user).await;
    assert!(register(context, user, slug, more).await);
    let done = context.call(As::User(user), "portal_complete_signup", json!({})).await.unwrap();
    (user, done)
}

/// The token of the invitation that goes to the address.
async fn mailed(context: &Context, email: &str) -> Option<String> {
    let sql = "select secret from fieldcrm.outbox_secrets where to_address = $1";
    let mut sent = context.client.query(sql, &[&email]).await.unwrap();
    assert!(sent.len() < 2);
    sent.pop().map(|row| row.get(0))
}

/// The account of who signs up with an address that a customer has, and accepts the invitation that goes to it.
async fn enter(context: &mut Context, email: &str, slug: &str, more: Value) -> Value {
    let (user, done) = sign_up(context, email, slug, more).await;
    assert_eq!(done, json!({"status": "verify", "account": null}));
    let accept = json!({"token": mailed(context, email).await, "user_id": user});
    context.call(SERVICE, "portal_accept_invite", accept).await.unwrap();
    let mut session = context.call(As::User(user), "portal_session", json!({})).await.unwrap();
    session["account"].take()
}

async fn customer(context: &mut Context, input: Value) -> Uuid {
    let made = context.call(CSR, "crm_create_customer", input).await.unwrap();
    made["id"].as_str().unwrap().parse().unwrap()
}

async fn invite(context: &mut Context, customer: Uuid, email: &str) -> Value {
    let arguments = json!({"customer_id": customer, "email": email});
    context.call(CSR, "crm_create_portal_invite", arguments).await.unwrap()
}

async fn who_signs_up_is_nobody_until_their_address_is_verified(context: &mut Context) {
    let user = context.newcomer("ada@portal.example").await;
    assert!(register(context, user, "northwind", json!({})).await);
    for rpc in ["portal_complete_signup", "portal_session"] {
        let waiting = context.call(As::User(user), rpc, json!({})).await.unwrap();
        assert_eq!(waiting, json!({"status": "verification_required", "account": null}));
    }
    context.refused(As::User(user), "portal_dashboard", json!({}), Code::NoMembership).await;
    confirm(context, user).await;
    let session = context.call(As::User(user), "portal_session", json!({})).await.unwrap();
    assert_eq!(session["status"], "active");
    assert_eq!(session["profile"]["full_name"], "Ada Lovelace");
}

async fn a_verified_address_that_nobody_has_is_a_new_prospect(context: &mut Context) {
    let more = json!({"phone": "(312) 555-0142"});
    let (user, done) = sign_up(context, "New@Portal.example", "northwind", more).await;
    let account = &done["account"];
    assert_eq!((&account["role"], &account["status"]), (&json!("customer"), &json!("active")));
    let get = json!({"id": account["customer_id"]});
    let customer = context.call(CSR, "crm_get_customer", get).await.unwrap();
    assert_eq!((&customer["status"], &customer["source"]), (&json!("prospect"), &json!("portal")));
    assert_eq!(customer["email"], "new@portal.example");
    let contacts = customer["contacts"].as_array().unwrap();
    let verified: Vec<_> = contacts.iter().map(|one| (&one["type"], &one["is_verified"])).collect();
    assert_eq!(verified, [(&json!("email"), &json!(true)), (&json!("mobile"), &json!(false))]);
    let sql = "select role from profiles where id = $1 and org_id = $2";
    let role: String = context.client.query_one(sql, &[&user, &NORTHWIND]).await.unwrap().get(0);
    assert_eq!(role, "portal_customer");
    // Again is the same account, and one customer.
    let again = context.call(As::User(user), "portal_complete_signup", json!({})).await.unwrap();
    assert_eq!(&again, &done);
}

async fn a_verified_address_that_a_customer_has_gets_an_invitation(context: &mut Context) {
    let input = json!({"type": "individual", "name": "Bo", "email": "bo@portal.example"});
    let known = customer(context, input).await;
    let (user, _) = sign_up(context, "bo@portal.example", "northwind", json!({})).await;
    let token = mailed(context, "bo@portal.example").await;
    // Whoever has the login, however they came by it, is nobody until somebody opens the mail.
    for rpc in ["portal_complete_signup", "portal_session"] {
        let waiting = context.call(As::User(user), rpc, json!({})).await.unwrap();
        assert_eq!(waiting, json!({"status": "verify", "account": null}));
    }
    context.refused(As::User(user), "portal_dashboard", json!({}), Code::NoMembership).await;
    // One an hour.
    assert_eq!(mailed(context, "bo@portal.example").await, token);
    let accept = json!({"token": token, "user_id": user});
    context.call(SERVICE, "portal_accept_invite", accept).await.unwrap();
    let session = context.call(As::User(user), "portal_session", json!({})).await.unwrap();
    assert_eq!(session["account"]["customer_id"], json!(known));
    let sql = "select count(*) from portal_accounts where customer_id = $1";
    assert_eq!(context.client.query_one(sql, &[&known]).await.unwrap().get::<_, i64>(0), 1);
}

async fn phone_and_reference_of_somebody_else_open_nothing(context: &mut Context) {
    let victim = customer(
        context,
        json!({"type": "individual", "name": "Vic", "email": "vic@portal.example",
        "phone": "(312) 555-0143"}),
    )
    .await;
    let sql = "insert into quotes (org_id, customer_id, number) values ($1, $2, 'Q-TAKEOVER') returning id";
    let quote: Uuid = context.client.query_one(sql, &[&NORTHWIND, &victim]).await.unwrap().get(0);
    let more = json!({"phone": "(312) 555-0143", "booking_reference": quote});
    let (_, done) = sign_up(context, "mallory@portal.example", "northwind", more).await;
    assert_eq!(done["status"], "active");
    assert_ne!(done["account"]["customer_id"], json!(victim));
    let sql = "select count(*) from portal_accounts where customer_id = $1";
    assert_eq!(context.client.query_one(sql, &[&victim]).await.unwrap().get::<_, i64>(0), 0);
    // And the address of the victim alone is not theirs.
    let user = context.newcomer("vic@portal.example").await;
    assert!(register(context, user, "northwind", json!({"booking_reference": quote})).await);
    let waiting = context.call(As::User(user), "portal_complete_signup", json!({})).await.unwrap();
    assert_eq!(waiting["status"], "verification_required");
}

async fn of_several_customers_the_reference_chooses(context: &mut Context) {
    let input = json!({"type": "individual", "name": "Twin", "email": "twin@portal.example"});
    customer(context, input.clone()).await;
    let second = customer(context, input).await;
    let sql =
        "insert into quotes (org_id, customer_id, number) values ($1, $2, 'Q-TWIN') returning id";
    let quote: Uuid = context.client.query_one(sql, &[&NORTHWIND, &second]).await.unwrap().get(0);
    let more = json!({"booking_reference": quote});
    let account = enter(context, "twin@portal.example", "northwind", more).await;
    assert_eq!(account["customer_id"], json!(second));
}

async fn several_customers_are_for_staff_to_tell_apart(context: &mut Context) {
    let input = json!({"type": "individual", "name": "Twin", "email": "twins@portal.example"});
    let first = customer(context, input.clone()).await;
    let second = customer(context, input).await;
    let (user, done) = sign_up(context, "twins@portal.example", "northwind", json!({})).await;
    assert_eq!(done, json!({"status": "review", "account": null}));
    let again = context.call(As::User(user), "portal_session", json!({})).await.unwrap();
    assert_eq!(again["status"], "review");
    // Once for each of those who can help, without a word about the person.
    let sql = "select p.role, n.title || n.body from crm_notifications n join profiles p on p.id = n.user_id
               where n.type = 'portal_signup' and n.org_id = $1 order by p.role";
    let told = context.client.query(sql, &[&NORTHWIND]).await.unwrap();
    let roles: Vec<&str> = told.iter().map(|row| row.get(0)).collect();
    assert_eq!(roles, ["admin", "csr", "manager", "owner"]);
    assert!(told.iter().all(|row| !row.get::<_, &str>(1).contains("twins")));
    // Merged, it is clear.
    let merge = json!({"id": first, "duplicate_id": second});
    context.call(CSR, "crm_merge_customers", merge).await.unwrap();
    let session = context.call(As::User(user), "portal_session", json!({})).await.unwrap();
    assert_eq!(session["status"], "verify");
    let sql = "select customer_id from portal_invites where email = 'twins@portal.example'";
    assert_eq!(context.client.query_one(sql, &[]).await.unwrap().get::<_, Uuid>(0), first);
}

async fn closed_customers_are_not_found(context: &mut Context) {
    let input = json!({"type": "individual", "name": "Gone", "email": "gone@portal.example"});
    let gone = customer(context, input).await;
    context.call(As::Northwind("owner"), "crm_erase_customer", json!({"id": gone})).await.unwrap();
    let (_, done) = sign_up(context, "gone@portal.example", "northwind", json!({})).await;
    assert_ne!(done["account"]["customer_id"], json!(gone));
}

async fn each_org_has_its_own_customers(context: &mut Context) {
    let input = json!({"type": "individual", "name": "Both", "email": "both@portal.example"});
    let ours = customer(context, input.clone()).await;
    let theirs = context.call(As::Volt("csr"), "crm_create_customer", input).await.unwrap();
    let account = enter(context, "both@portal.example", "volt", json!({})).await;
    assert_eq!(account["customer_id"], theirs["id"]);
    assert_eq!(account["org_id"], json!(VOLT));
    let sql = "select count(*) from portal_accounts where customer_id = $1";
    assert_eq!(context.client.query_one(sql, &[&ours]).await.unwrap().get::<_, i64>(0), 0);
}

async fn one_user_has_one_org(context: &mut Context) {
    let (user, _) = sign_up(context, "one@portal.example", "northwind", json!({})).await;
    let csr = context.user("csr@northwind.example").await;
    // Neither the owner of an account nor staff wait for another one, and nobody is told.
    for user in [user, csr] {
        assert!(!register(context, user, "volt", json!({})).await);
    }
    let known = customer(context, json!({"type": "company", "name": "Acme"})).await;
    let token = invite(context, known, "csr@northwind.example").await["token"].clone();
    let accept = json!({"token": token, "user_id": csr});
    context.refused(SERVICE, "portal_accept_invite", accept, Code::AlreadyMember).await;
    // Somebody who became staff while they waited.
    let waiting = context.newcomer("waiting@portal.example").await;
    confirm(context, waiting).await;
    assert!(register(context, waiting, "northwind", json!({})).await);
    let sql = "insert into profiles (id, org_id, role) values ($1, $2, 'viewer')";
    context.client.execute(sql, &[&waiting, &VOLT]).await.unwrap();
    let complete = "portal_complete_signup";
    context.refused(As::User(waiting), complete, json!({}), Code::AlreadyMember).await;
}

async fn nobody_signs_up_where_it_is_not_open(context: &mut Context) {
    let user = context.newcomer("late@portal.example").await;
    confirm(context, user).await;
    let found =
        context.call(SERVICE, "portal_find_signup", json!({"slug": "northwind"})).await.unwrap();
    assert_eq!(
        found,
        json!({"org": {"name": "Northwind Heating & Plumbing", "slug": "northwind"}})
    );
    for (mistake, path) in
        [(json!({"full_name": " "}), "full_name"), (json!({"phone": "1"}), "phone")]
    {
        let mut find = json!({"slug": "northwind", "full_name": "Ada"});
        find.as_object_mut().unwrap().extend(mistake.as_object().unwrap().clone());
        let error =
            context.refused(SERVICE, "portal_find_signup", find, Code::InvalidArgument).await;
        assert_eq!(error.errors[0].path, path);
    }
    assert!(register(context, user, "northwind", json!({})).await);
    let sql = "update portal_settings set is_signup_enabled = false where org_id = $1";
    context.client.execute(sql, &[&NORTHWIND]).await.unwrap();
    for slug in ["northwind", "nobody"] {
        context.refused(SERVICE, "portal_find_signup", json!({"slug": slug}), Code::NotFound).await;
        let arguments = json!({"user_id": user, "slug": slug, "full_name": "Ada"});
        context.refused(SERVICE, "portal_register_signup", arguments, Code::NotFound).await;
    }
    let complete = "portal_complete_signup";
    context.refused(As::User(user), complete, json!({}), Code::NoMembership).await;
    let mistakes = json!({"user_id": user, "slug": "volt", "full_name": " ", "phone": "1"});
    let error =
        context.refused(SERVICE, "portal_register_signup", mistakes, Code::InvalidArgument).await;
    assert_eq!(error.errors[0].path, "full_name");
}

async fn an_invitation_lets_one_user_in_once(context: &mut Context) {
    let known = customer(context, json!({"type": "company", "name": "Acme"})).await;
    let made = invite(context, known, "Boss@Acme.example").await;
    let token = made["token"].as_str().unwrap();
    assert_eq!(token.len(), 64);
    let sql =
        "select count(*) from portal_invites where token_hash = sha256(convert_to($1, 'UTF8'))";
    assert_eq!(context.client.query_one(sql, &[&token]).await.unwrap().get::<_, i64>(0), 1);
    let found = context.call(SERVICE, "portal_find_invite", json!({"token": token})).await.unwrap();
    assert_eq!((&found["email"], &found["user"]), (&json!("boss@acme.example"), &Value::Null));
    let user = context.newcomer("boss@acme.example").await;
    let accept = json!({"token": token, "user_id": user, "full_name": " Bo Ss "});
    context.call(SERVICE, "portal_accept_invite", accept.clone()).await.unwrap();
    let session = context.call(As::User(user), "portal_session", json!({})).await.unwrap();
    assert_eq!(session["account"]["customer_id"], json!(known));
    assert_eq!(session["profile"]["full_name"], "Bo Ss");
    context.refused(SERVICE, "portal_accept_invite", accept, Code::InviteNotFound).await;
    let find = json!({"token": token});
    let found = context.call(SERVICE, "portal_find_invite", find).await.unwrap();
    assert_eq!(found["status"], "used");
    // Who was let in cannot be left out by withdrawing the invitation.
    let revoke = json!({"id": made["id"]});
    context.refused(CSR, "crm_revoke_portal_invite", revoke, Code::WrongState).await;
}

async fn an_invitation_is_for_its_address_and_can_end(context: &mut Context) {
    let known = customer(context, json!({"type": "company", "name": "Acme"})).await;
    let other = context.newcomer("other@acme.example").await;
    let made = invite(context, known, "boss2@acme.example").await;
    let accept = |made: &Value, user: Uuid| json!({"token": made["token"], "user_id": user});
    let rpc = "portal_accept_invite";
    context.refused(SERVICE, rpc, accept(&made, other), Code::InviteEmailMismatch).await;
    let boss = context.newcomer("boss2@acme.example").await;
    let revoke = json!({"id": made["id"]});
    let first = context.call(CSR, "crm_revoke_portal_invite", revoke.clone()).await.unwrap();
    assert_eq!(context.call(CSR, "crm_revoke_portal_invite", revoke).await.unwrap(), first);
    context.refused(SERVICE, rpc, accept(&made, boss), Code::InviteNotFound).await;
    let made = invite(context, known, "boss2@acme.example").await;
    let sql = "update portal_invites set expires_at = now() where id = $1::text::uuid";
    context.client.execute(sql, &[&made["id"].as_str().unwrap()]).await.unwrap();
    context.refused(SERVICE, rpc, accept(&made, boss), Code::InviteNotFound).await;
    let guess = json!({"token": "0".repeat(64), "user_id": boss});
    context.refused(SERVICE, rpc, guess, Code::InviteNotFound).await;
}

async fn what_an_invitation_gives_follows_merges_and_leaves_out_the_erased(context: &mut Context) {
    let named = |name: &str| json!({"type": "company", "name": name});
    let own = customer(context, named("Own")).await;
    let kept = customer(context, named("Kept")).await;
    let duplicate = customer(context, named("Duplicate")).await;
    let erased = customer(context, named("Erased")).await;
    let made = context
        .call(CSR, "crm_create_portal_invite", json!({"customer_id": own, "email": "pm@acme.example", "role": "property_manager",
            "access": [{"customer_id": duplicate}, {"customer_id": kept}, {"customer_id": erased}]}))
        .await
        .unwrap();
    let merge = json!({"id": kept, "duplicate_id": duplicate});
    context.call(CSR, "crm_merge_customers", merge).await.unwrap();
    context
        .call(As::Northwind("owner"), "crm_erase_customer", json!({"id": erased}))
        .await
        .unwrap();
    let user = context.newcomer("pm@acme.example").await;
    let accept = json!({"token": made["token"], "user_id": user});
    context.call(SERVICE, "portal_accept_invite", accept).await.unwrap();
    let session = context.call(As::User(user), "portal_session", json!({})).await.unwrap();
    let seen: Vec<_> = session["customers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(seen, ["Kept", "Own"]);
    assert_eq!(session["permissions"], json!({"book": true, "see_other_customers": true}));
}

async fn only_the_back_end_admits(context: &mut Context) {
    let id = Uuid::nil();
    for caller in [As::Northwind("owner"), As::Northwind("portal_customer")] {
        for (rpc, arguments) in [
            ("portal_find_signup", json!({"slug": "northwind"})),
            (
                "portal_register_signup",
                json!({"user_id": id, "slug": "northwind", "full_name": "A"}),
            ),
            ("portal_find_invite", json!({"token": "x"})),
            ("portal_accept_invite", json!({"token": "x", "user_id": id})),
        ] {
            context.refused(caller, rpc, arguments, Code::Forbidden).await;
        }
    }
}

async fn what_was_said_first_at_a_sign_up_stays(context: &mut Context) {
    let user = context.newcomer("first@portal.example").await;
    confirm(context, user).await;
    assert!(register(context, user, "northwind", json!({"full_name": "Ada"})).await);
    let second = json!({"full_name": "Mallory", "phone": "+13125550143"});
    assert!(register(context, user, "volt", second).await);
    let session = context.call(As::User(user), "portal_session", json!({})).await.unwrap();
    assert_eq!(session["account"]["org_id"], json!(NORTHWIND));
    assert_eq!(
        (&session["profile"]["full_name"], &session["profile"]["phone"]),
        (&json!("Ada"), &Value::Null)
    );
}

async fn who_has_a_login_by_an_invitation_signs_up_nowhere_with_its_address(context: &mut Context) {
    let input = json!({"type": "individual", "name": "Vic", "email": "vic2@portal.example"});
    customer(context, input).await;
    let user = context.newcomer("vic2@portal.example").await;
    confirm(context, user).await;
    let sql =
        "update auth.users set raw_app_meta_data = '{\"fieldcrm_invited\": true}' where id = $1";
    context.client.execute(sql, &[&user]).await.unwrap();
    assert!(register(context, user, "northwind", json!({})).await);
    for rpc in ["portal_complete_signup", "portal_session"] {
        let waiting = context.call(As::User(user), rpc, json!({})).await.unwrap();
        assert_eq!(waiting["status"], "verification_required");
    }
}

/// Two sessions do the same at the same moment; the second is seen waiting before the first commits.
async fn race(
    target: Target,
    caller: As,
    rpc: &'static str,
    arguments: Value,
) -> [Result<Value, Code>; 2] {
    let mut first = Context::start(target).await;
    let mut second = Context::start(target).await;
    let pid: i32 = first.client.query_one("select pg_backend_pid()", &[]).await.unwrap().get(0);
    let one = first.call(caller, rpc, arguments.clone()).await.map_err(|error| error.code);
    let waiting = tokio::spawn(async move {
        let outcome = second.call(caller, rpc, arguments).await.map_err(|error| error.code);
        second.client.batch_execute("commit").await.unwrap();
        outcome
    });
    let client = connect(target).await;
    let started = std::time::Instant::now();
    loop {
        let sql =
            "select exists (select from pg_stat_activity where $1 = any (pg_blocking_pids(pid)))";
        if client.query_one(sql, &[&pid]).await.unwrap().get(0) {
            break;
        }
        assert!(!waiting.is_finished(), "the second did not wait for the first");
        assert!(started.elapsed().as_secs() < 60, "the second never came to the lock");
        tokio::task::yield_now().await;
    }
    first.client.batch_execute("commit").await.unwrap();
    [one, waiting.await.unwrap()]
}

/// A committed user, and their verified address.
async fn committed(target: Target) -> (tokio_postgres::Client, Uuid, String) {
    let client = connect(target).await;
    let sql = "insert into auth.users (id, email, email_confirmed_at)
               select x.id, 'race.' || x.id || '@portal.example', now() from (select gen_random_uuid() as id) x returning id, email";
    let row = client.query_one(sql, &[]).await.unwrap();
    let user = (row.get(0), row.get(1));
    (client, user.0, user.1)
}

async fn forget(client: &tokio_postgres::Client, user: Uuid) {
    let sql = "delete from auth.users where id = $1";
    client.execute(sql, &[&user]).await.unwrap();
}

async fn sign_ups_that_race_make_one_account(target: Target) {
    for _ in 0..rounds(1) {
        let (client, user, email) = committed(target).await;
        let mut context = Context::start(target).await;
        assert!(register(&mut context, user, "northwind", json!({})).await);
        context.client.batch_execute("commit").await.unwrap();
        let [one, other] = race(target, As::User(user), "portal_complete_signup", json!({})).await;
        assert_eq!(one.unwrap(), other.unwrap());
        let sql = "select count(*) from customers where email = $1";
        assert_eq!(client.query_one(sql, &[&email]).await.unwrap().get::<_, i64>(0), 1);
        forget(&client, user).await;
        client.execute("delete from customers where email = $1", &[&email]).await.unwrap();
    }
}

async fn acceptances_that_race_let_one_in(target: Target) {
    let (client, user, email) = committed(target).await;
    let mut context = Context::start(target).await;
    let known = customer(&mut context, json!({"type": "company", "name": "Race"})).await;
    let made = invite(&mut context, known, &email).await;
    context.client.batch_execute("commit").await.unwrap();
    let accept = json!({"token": made["token"], "user_id": user});
    let [one, other] = race(target, SERVICE, "portal_accept_invite", accept).await;
    assert!(one.is_ok());
    assert_eq!(other.unwrap_err(), Code::InviteNotFound);
    forget(&client, user).await;
    client.execute("delete from customers where id = $1", &[&known]).await.unwrap();
}

#[tokio::test]
async fn native_sign_ups_that_race_make_one_account() {
    sign_ups_that_race_make_one_account(Target::Native).await;
}

#[tokio::test]
async fn extension_sign_ups_that_race_make_one_account() {
    sign_ups_that_race_make_one_account(Target::Extension).await;
}

#[tokio::test]
async fn native_acceptances_that_race_let_one_in() {
    acceptances_that_race_let_one_in(Target::Native).await;
}

#[tokio::test]
async fn extension_acceptances_that_race_let_one_in() {
    acceptances_that_race_let_one_in(Target::Extension).await;
}
