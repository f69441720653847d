//! Orgs and their members, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use common::{As, Context, Target, connect};
use fieldcrm_core::Code;
use serde_json::{Value, json};
use uuid::Uuid;

const OWNER: As = As::Northwind("owner");
const ADMIN: As = As::Northwind("admin");

scenarios! {
    a_signed_in_user_founds_an_org_and_owns_it
    a_member_cannot_found_another_org
    an_unknown_time_zone_or_country_and_a_long_name_are_refused
    an_invitation_makes_a_member_once
    an_invitation_waits_until_the_address_is_confirmed
    an_invitation_is_for_one_address_and_expires
    only_managers_of_members_invite_and_nobody_above_themselves
    nobody_raises_their_own_role
    the_last_owner_cannot_leave
    a_deactivated_member_is_out_at_the_next_statement
    an_invitation_goes_with_its_makers_role
    an_invitation_stays_while_its_makers_rights_do
    a_portal_user_can_be_deactivated_and_a_member_made_active_again
    members_of_another_org_are_unknown
    a_session_describes_the_caller
    settings_that_other_readers_of_json_refuse_are_not_stored
    the_default_country_of_an_org_is_one_whose_phones_can_be_read
}

async fn a_signed_in_user_founds_an_org_and_owns_it(context: &mut Context) {
    let user = As::User(context.newcomer("founder@example.com").await);
    let before = context.call(user, "crm_session", json!({})).await.unwrap();
    assert_eq!((&before["org"], &before["capabilities"]), (&Value::Null, &json!([])));
    let arguments =
        json!({"name": " Fresh Air ", "time_zone": "Europe/Berlin", "default_country": "de"});
    let session = context.call(user, "crm_create_org", arguments).await.unwrap();
    assert_eq!(session["org"]["name"], "Fresh Air");
    assert_eq!(session["org"]["default_country"], "DE");
    assert_eq!(session["role"], "owner");
    let made = json!({"type": "individual", "name": "Jens", "phone": "030 123456"});
    let made = context.call(user, "crm_create_customer", made).await.unwrap();
    assert_eq!(made["phone"], "+4930123456");
    assert_eq!(made["org_id"], session["org"]["id"]);
}

async fn a_member_cannot_found_another_org(context: &mut Context) {
    context
        .refused(
            As::Northwind("viewer"),
            "crm_create_org",
            json!({"name": "Mine"}),
            Code::AlreadyMember,
        )
        .await;
}

async fn an_unknown_time_zone_or_country_and_a_long_name_are_refused(context: &mut Context) {
    let user = As::User(context.newcomer("founder@example.com").await);
    for arguments in [
        json!({"name": "x", "default_country": "XX"}),
        json!({"name": " "}),
        json!({"name": "x", "time_zone": "Mars/Olympus"}),
        json!({"name": "x", "full_name": "x".repeat(201)}),
    ] {
        context.refused(user, "crm_create_org", arguments, Code::InvalidArgument).await;
    }
}

/// Somebody new who has shown that the address is theirs.
async fn confirmed(context: &Context, email: &str) -> Uuid {
    let user = context.newcomer(email).await;
    let sql = "update auth.users set email_confirmed_at = now() where id = $1";
    context.client.execute(sql, &[&user]).await.unwrap();
    user
}

async fn an_invitation_waits_until_the_address_is_confirmed(context: &mut Context) {
    let invite = json!({"email": "hire@example.com", "role": "csr"});
    let invitation = context.call(ADMIN, "crm_invite_member", invite).await.unwrap();
    let token = json!({"token": invitation["token"]});
    let id = context.newcomer("hire@example.com").await;
    let user = As::User(id);
    let error = context.refused(user, "crm_accept_invite", token.clone(), Code::WrongState).await;
    assert_eq!(error.data["reason"], "email_unconfirmed");
    let sql = "update auth.users set email_confirmed_at = now() where id = $1";
    context.client.execute(sql, &[&id]).await.unwrap();
    context.call(user, "crm_accept_invite", token).await.unwrap();
}

async fn an_invitation_makes_a_member_once(context: &mut Context) {
    let arguments = json!({"email": "New.Hire@Example.com", "role": "csr"});
    let invitation = context.call(ADMIN, "crm_invite_member", arguments).await.unwrap();
    assert_eq!(invitation["email"], "new.hire@example.com");
    let mut token = json!({"token": invitation["token"], "full_name": "x".repeat(201)});
    let user = As::User(confirmed(context, "new.hire@example.com").await);
    context.refused(user, "crm_accept_invite", token.clone(), Code::InvalidArgument).await;
    token["full_name"] = "New Hire".into();
    let session = context.call(user, "crm_accept_invite", token.clone()).await.unwrap();
    assert_eq!(
        (&session["role"], &session["profile"]["full_name"]),
        (&json!("csr"), &json!("New Hire"))
    );
    context.refused(user, "crm_accept_invite", token, Code::InviteNotFound).await;
    context
        .call(user, "crm_create_customer", json!({"type": "company", "name": "x"}))
        .await
        .unwrap();
}

async fn an_invitation_is_for_one_address_and_expires(context: &mut Context) {
    let invite = json!({"email": "hire@example.com", "role": "csr", "expires_in_hours": 1});
    let invitation = context.call(ADMIN, "crm_invite_member", invite.clone()).await.unwrap();
    let token = json!({"token": invitation["token"]});
    let thief = As::User(context.newcomer("thief@example.com").await);
    context.refused(thief, "crm_accept_invite", token.clone(), Code::InviteEmailMismatch).await;
    context
        .refused(As::Volt("csr"), "crm_accept_invite", token.clone(), Code::InviteEmailMismatch)
        .await;
    let user = As::User(confirmed(context, "hire@example.com").await);
    context
        .refused(user, "crm_accept_invite", json!({"token": "guess"}), Code::InviteNotFound)
        .await;
    let id: Uuid = invitation["id"].as_str().unwrap().parse().unwrap();
    context
        .client
        .execute("update org_invites set expires_at = now() where id = $1", &[&id])
        .await
        .unwrap();
    context.refused(user, "crm_accept_invite", token, Code::InviteNotFound).await;
    let mut never = invite;
    never["expires_in_hours"] = 0.into();
    context.refused(ADMIN, "crm_invite_member", never, Code::InvalidArgument).await;
}

async fn only_managers_of_members_invite_and_nobody_above_themselves(context: &mut Context) {
    let invite = |role: &str| json!({"email": "hire@example.com", "role": role});
    for role in ["manager", "csr", "member", "viewer", "technician", "portal_customer"] {
        context
            .refused(As::Northwind(role), "crm_invite_member", invite("viewer"), Code::Forbidden)
            .await;
    }
    context.refused(ADMIN, "crm_invite_member", invite("owner"), Code::RoleNotGrantable).await;
    context
        .refused(OWNER, "crm_invite_member", invite("portal_customer"), Code::RoleNotGrantable)
        .await;
    context.refused(OWNER, "crm_invite_member", invite("root"), Code::InvalidArgument).await;
    context.call(OWNER, "crm_invite_member", invite("owner")).await.unwrap();
}

async fn nobody_raises_their_own_role(context: &mut Context) {
    let admin = context.user("admin@northwind.example").await;
    for role in ["owner", "admin", "manager"] {
        let change = json!({"user_id": admin, "role": role});
        context.refused(ADMIN, "crm_set_member_role", change, Code::RoleNotGrantable).await;
    }
    let csr = context.user("csr@northwind.example").await;
    let change = json!({"user_id": csr, "role": "manager"});
    context
        .refused(As::Northwind("csr"), "crm_set_member_role", change.clone(), Code::Forbidden)
        .await;
    assert_eq!(
        context.call(ADMIN, "crm_set_member_role", change).await.unwrap()["role"],
        "manager"
    );
    // Nor through the table: role, status and org_id are not theirs to update.
    for assignment in
        ["role = 'owner'", "status = 'active'", "org_id = '22222222-2222-4222-8222-222222222222'"]
    {
        context.client.batch_execute("savepoint direct").await.unwrap();
        context.enter(As::Northwind("csr"), "authenticated").await;
        let update = format!("update profiles set {assignment} where id = $1");
        let direct = context.client.execute(&update, &[&csr]).await;
        assert_eq!(direct.unwrap_err().code().unwrap().code(), "42501", "{assignment}");
        context.client.batch_execute("rollback to direct").await.unwrap();
    }
}

async fn the_last_owner_cannot_leave(context: &mut Context) {
    let owner = context.user("owner@northwind.example").await;
    let step_down = json!({"user_id": owner, "role": "admin"});
    context.refused(OWNER, "crm_set_member_role", step_down.clone(), Code::LastOwner).await;
    context
        .refused(OWNER, "crm_deactivate_member", json!({"user_id": owner}), Code::LastOwner)
        .await;
    context
        .refused(ADMIN, "crm_deactivate_member", json!({"user_id": owner}), Code::RoleNotGrantable)
        .await;
    let admin = context.user("admin@northwind.example").await;
    context
        .call(OWNER, "crm_set_member_role", json!({"user_id": admin, "role": "owner"}))
        .await
        .unwrap();
    assert_eq!(
        context.call(OWNER, "crm_set_member_role", step_down).await.unwrap()["role"],
        "admin"
    );
    context
        .refused(ADMIN, "crm_deactivate_member", json!({"user_id": admin}), Code::LastOwner)
        .await;
}

async fn a_deactivated_member_is_out_at_the_next_statement(context: &mut Context) {
    let csr = context.user("csr@northwind.example").await;
    let input = json!({"type": "company", "name": "x"});
    context.call(As::User(csr), "crm_create_customer", input.clone()).await.unwrap();
    context
        .refused(
            ADMIN,
            "crm_deactivate_member",
            json!({"user_id": context.user("admin@northwind.example").await}),
            Code::RuleBroken,
        )
        .await;
    let out = context.call(ADMIN, "crm_deactivate_member", json!({"user_id": csr})).await.unwrap();
    assert_eq!(out["status"], "inactive");
    context.refused(As::User(csr), "crm_create_customer", input, Code::NoMembership).await;
    context.enter(As::User(csr), "authenticated").await;
    let seen: i64 =
        context.client.query_one("select count(*) from customers", &[]).await.unwrap().get(0);
    assert_eq!(seen, 0);
    context.leave().await;
    // Back in, by an admin only, and not by founding an org of their own.
    context
        .refused(As::User(csr), "crm_create_org", json!({"name": "Mine"}), Code::AlreadyMember)
        .await;
    context
        .call(ADMIN, "crm_set_member_role", json!({"user_id": csr, "role": "viewer"}))
        .await
        .unwrap();
    assert_eq!(
        context.call(As::User(csr), "crm_session", json!({})).await.unwrap()["role"],
        "viewer"
    );
}

async fn an_invitation_goes_with_its_makers_role(context: &mut Context) {
    let invite = json!({"email": "alt@example.com", "role": "admin"});
    let admin = context.user("admin@northwind.example").await;
    let alt = As::User(context.newcomer("alt@example.com").await);
    for (rpc, change) in [
        ("crm_set_member_role", json!({"user_id": admin, "role": "viewer"})),
        ("crm_deactivate_member", json!({"user_id": admin})),
    ] {
        let back = json!({"user_id": admin, "role": "admin"});
        context.call(OWNER, "crm_set_member_role", back).await.unwrap();
        let invitation = context.call(ADMIN, "crm_invite_member", invite.clone()).await.unwrap();
        context.call(OWNER, rpc, change).await.unwrap();
        let token = json!({"token": invitation["token"]});
        context.refused(alt, "crm_accept_invite", token, Code::InviteNotFound).await;
    }
}

async fn an_invitation_stays_while_its_makers_rights_do(context: &mut Context) {
    let invite = json!({"email": "stay@example.com", "role": "csr"});
    let invitation = context.call(ADMIN, "crm_invite_member", invite).await.unwrap();
    let admin = context.user("admin@northwind.example").await;
    let same = json!({"user_id": admin, "role": "admin"});
    context.call(OWNER, "crm_set_member_role", same).await.unwrap();
    let alt = As::User(confirmed(context, "stay@example.com").await);
    let token = json!({"token": invitation["token"]});
    context.call(alt, "crm_accept_invite", token).await.unwrap();
}

async fn a_portal_user_can_be_deactivated_and_a_member_made_active_again(context: &mut Context) {
    for role in ["portal_customer", "csr"] {
        let id = context.user(&format!("{role}@northwind.example")).await;
        let out =
            context.call(ADMIN, "crm_deactivate_member", json!({"user_id": id})).await.unwrap();
        assert_eq!(out["status"], "inactive");
    }
    let csr = context.user("csr@northwind.example").await;
    let back = json!({"user_id": csr, "role": "csr"});
    assert_eq!(context.call(ADMIN, "crm_set_member_role", back).await.unwrap()["status"], "active");
}

async fn members_of_another_org_are_unknown(context: &mut Context) {
    let foreign = context.user("csr@volt.example").await;
    let change = json!({"user_id": foreign, "role": "viewer"});
    context.refused(OWNER, "crm_set_member_role", change, Code::NotFound).await;
    context
        .refused(OWNER, "crm_deactivate_member", json!({"user_id": foreign}), Code::NotFound)
        .await;
    context
        .refused(OWNER, "crm_deactivate_member", json!({"user_id": Uuid::nil()}), Code::NotFound)
        .await;
}

async fn a_session_describes_the_caller(context: &mut Context) {
    let session = context.call(As::Northwind("csr"), "crm_session", json!({})).await.unwrap();
    assert_eq!(session["org"]["name"], "Northwind Heating & Plumbing");
    assert_eq!(session["profile"]["email"], "csr@northwind.example");
    assert_eq!(session["user_id"], session["profile"]["id"]);
    assert!(session["capabilities"].as_array().unwrap().contains(&json!("customers.write")));
}

async fn the_default_country_of_an_org_is_one_whose_phones_can_be_read(context: &mut Context) {
    let letters = 'A'..='Z';
    let codes: Vec<String> =
        letters.clone().flat_map(|a| letters.clone().map(move |b| format!("{a}{b}"))).collect();
    let condition: String = context
        .client
        .query_one(
            "select pg_get_expr(conbin, conrelid) from pg_constraint where conname = 'orgs_default_country_known_check'",
            &[],
        )
        .await
        .unwrap()
        .get(0);
    let sql = format!(
        "select array_agg(default_country) from unnest($1::text[]) x (default_country) where {condition}"
    );
    let allowed: Vec<String> = context.client.query_one(&sql, &[&codes]).await.unwrap().get(0);
    let known: Vec<String> =
        codes.into_iter().filter(|code| fieldcrm_core::phone::is_country(code)).collect();
    assert_eq!(allowed, known);
}

async fn settings_that_other_readers_of_json_refuse_are_not_stored(context: &mut Context) {
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    for (value, allowed) in [
        ("1e400", false),
        (r#"[{"n": -1e309}]"#, false),
        (deep(500).as_str(), false),
        (deep(33).as_str(), false),
        (r#"[1e300, "1e400", null, true]"#, true),
        (deep(32).as_str(), true),
    ] {
        let sql = format!(r#"update orgs set settings = '{{"a": {value}}}'"#);
        context.client.batch_execute("savepoint settings").await.unwrap();
        context.enter(OWNER, "authenticated").await;
        let stored = context.client.execute(&sql, &[]).await;
        if allowed {
            stored.unwrap();
        } else {
            assert_eq!(stored.unwrap_err().code().unwrap().code(), "23514", "{value}");
            context.client.batch_execute("rollback to settings").await.unwrap();
        }
        context.leave().await;
        context.call(OWNER, "crm_session", json!({})).await.unwrap();
    }
}

/// Two owners remove each other at the same moment: one of them stays.
async fn owners_who_remove_each_other_leave_one(target: Target) {
    let client = connect(target).await;
    let org: Uuid = client
        .query_one("insert into orgs (name) values ('Two owners') returning id", &[])
        .await
        .unwrap()
        .get(0);
    let mut owners = Vec::new();
    for n in 0..2 {
        let email = format!("owner{n}.{org}@example.com");
        let id: Uuid = client
            .query_one(
                "insert into auth.users (id, email) values (gen_random_uuid(), $1) returning id",
                &[&email],
            )
            .await
            .unwrap()
            .get(0);
        client
            .execute(
                "insert into profiles (id, org_id, role, email) values ($1, $2, 'owner', $3)",
                &[&id, &org, &email],
            )
            .await
            .unwrap();
        owners.push(id);
    }
    let mut first = Context::start(target).await;
    let mut second = Context::start(target).await;
    let remove = |id: Uuid| json!({"user_id": id});
    let (owner, other) = (As::User(owners[0]), As::User(owners[1]));
    let pid: i32 = first.client.query_one("select pg_backend_pid()", &[]).await.unwrap().get(0);
    first.call(owner, "crm_deactivate_member", remove(owners[1])).await.unwrap();
    let first_owner = owners[0];
    let waiting = tokio::spawn(async move {
        let outcome =
            second.call(other, "crm_deactivate_member", remove(first_owner)).await.is_ok();
        second.client.batch_execute("commit").await.unwrap();
        outcome
    });
    // The second is seen waiting for the first one's lock before the first commits.
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
    assert!(!waiting.await.unwrap(), "both removed each other");
    let left: i64 = client
        .query_one("select count(*) from profiles where org_id = $1 and status = 'active'", &[&org])
        .await
        .unwrap()
        .get(0);
    assert_eq!(left, 1);
    client.execute("delete from auth.users where id = any($1)", &[&owners]).await.unwrap();
    client.execute("delete from orgs where id = $1", &[&org]).await.unwrap();
}

#[tokio::test]
async fn native_owners_who_remove_each_other_leave_one() {
    owners_who_remove_each_other_leave_one(Target::Native).await;
}

#[tokio::test]
async fn extension_owners_who_remove_each_other_leave_one() {
    owners_who_remove_each_other_leave_one(Target::Extension).await;
}
