//! How customers come in over HTTP, with Auth as a server of its own.
#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]
#![allow(clippy::needless_pass_by_value, reason = "json!({}) reads better than &json!({})")]

mod common;

use common::gotrue::GoTrue;
use common::{ID, Lines, answering, with_auth};
use fieldcrm_core::{Code, Error};
use serde_json::{Value, json};

fn sign_up() -> Value {
    json!({"slug": "northwind", "email": "Ada@Portal.example", "password": "secret-1", "name": "Ada"})
}

fn active() -> Value {
    json!({"status": "active", "account": {"id": ID}})
}

fn portal() -> Value {
    json!({"org": {"name": "Northwind", "slug": "northwind"}})
}

fn no_secret(lines: &Lines) {
    for line in lines.all() {
        assert!(
            !line.contains("secret-") && !line.contains("ada@") && !line.contains("token-of"),
            "{line}"
        );
    }
}

#[tokio::test]
async fn who_sends_no_token_is_refused_before_the_database_is_asked() {
    let harness = answering(Vec::new());
    for (method, path) in [
        ("GET", "/portal/dashboard"),
        ("POST", "/portal/session"),
        ("GET", "/portal/settings"),
        ("PATCH", "/portal/settings/profile"),
        ("PATCH", "/portal/settings/notifications"),
        ("PATCH", "/portal/settings/security"),
    ] {
        let (response, problem) = harness.send_with(method, path, &json!({}), &[]).await;
        assert_eq!(
            (response.status().as_u16(), &problem["code"]),
            (401, &json!("unauthenticated")),
            "{path}"
        );
    }
    assert!(harness.asked().is_empty());
}

#[tokio::test]
async fn a_sign_up_waits_for_the_mail() {
    let auth = GoTrue::start(false).await;
    let harness =
        with_auth(&auth.url, Vec::new(), vec![Ok(portal()), Ok(json!({"registered": true}))]);
    let (response, answer) = harness.send_with("POST", "/portal/signup", &sign_up(), &[]).await;
    assert_eq!(
        (response.status().as_u16(), answer),
        (202, json!({"status": "verification_required"}))
    );
    assert_eq!(auth.asked(), ["POST /auth/v1/signup"]);
    let [("portal_find_signup", _), ("portal_register_signup", registered)] =
        &harness.back_end.asked()[..]
    else {
        panic!("{:?}", harness.back_end.asked())
    };
    assert_eq!(
        (&registered["slug"], &registered["full_name"]),
        (&json!("northwind"), &json!("Ada"))
    );
    assert_eq!(harness.back_end.callers(), vec![Some("Bearer service-key".to_owned()); 2]);
    assert!(harness.asked().is_empty());
    no_secret(&harness.lines);
}

#[tokio::test]
async fn where_addresses_need_no_mail_a_sign_up_is_an_account_and_twice_is_the_same() {
    let auth = GoTrue::start(true).await;
    for registered in [true, false] {
        let back_end = vec![Ok(portal()), Ok(json!({"registered": registered}))];
        let harness = with_auth(&auth.url, vec![Ok(active())], back_end);
        let (response, answer) = harness.send_with("POST", "/portal/signup", &sign_up(), &[]).await;
        assert_eq!(response.status(), 201);
        assert_eq!((&answer["status"], &answer["account"]["id"]), (&json!("active"), &json!(ID)));
        let token = answer["session"]["access_token"].as_str().unwrap();
        assert_eq!(harness.asked(), [("portal_complete_signup", json!({}))]);
        assert_eq!(harness.database.callers(), [Some(format!("Bearer {token}"))]);
        no_secret(&harness.lines);
    }
    assert_eq!(auth.users(), 1);
}

#[tokio::test]
async fn nobody_learns_from_a_sign_up_who_has_an_account() {
    for autoconfirm in [false, true] {
        let auth = GoTrue::start(autoconfirm).await;
        auth.user("ada@portal.example", "her own secret", true);
        let harness = with_auth(&auth.url, Vec::new(), vec![Ok(portal())]);
        let (response, answer) = harness.send_with("POST", "/portal/signup", &sign_up(), &[]).await;
        assert_eq!(
            (response.status().as_u16(), answer),
            (202, json!({"status": "verification_required"}))
        );
        assert_eq!(harness.back_end.asked().len(), 1);
    }
}

#[tokio::test]
async fn a_sign_up_that_is_not_possible_makes_no_login() {
    let auth = GoTrue::start(true).await;
    let closed = with_auth(&auth.url, Vec::new(), vec![Err(Error::not_found("portal"))]);
    let (response, _) = closed.send_with("POST", "/portal/signup", &sign_up(), &[]).await;
    assert_eq!(response.status(), 404);
    for (change, path) in [
        (json!({"email": "nobody"}), "email"),
        (json!({"slug": null}), "slug"),
        (json!({"role": "admin"}), "role"),
        (json!({"booking_reference": "1"}), "booking_reference"),
    ] {
        let mut body = sign_up();
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let (response, problem) = closed.send_with("POST", "/portal/signup", &body, &[]).await;
        assert_eq!(
            (response.status().as_u16(), &problem["errors"][0]["path"]),
            (400, &json!(path))
        );
    }
    let harness = with_auth(&auth.url, Vec::new(), vec![Ok(portal())]);
    let mut weak = sign_up();
    weak["password"] = json!("short");
    let (_, problem) = harness.send_with("POST", "/portal/signup", &weak, &[]).await;
    assert_eq!(
        (&problem["errors"][0]["path"], &problem["errors"][0]["code"]),
        (&json!("password"), &json!("weak_password"))
    );
    assert_eq!(auth.users(), 0);
    let down = with_auth("http://127.0.0.1:9", Vec::new(), vec![Ok(portal())]);
    let (response, _) = down.send_with("POST", "/portal/signup", &sign_up(), &[]).await;
    assert_eq!(response.status(), 503);
}

#[tokio::test]
async fn a_wrong_name_is_said_before_auth_knows_of_the_address() {
    let auth = GoTrue::start(false).await;
    auth.user("ada@portal.example", "her own secret", true);
    let refusal = Error::invalid_field("full_name", "required", "");
    for address in ["ada@portal.example", "unknown@portal.example"] {
        let harness = with_auth(&auth.url, Vec::new(), vec![Err(refusal.clone())]);
        let mut body = sign_up();
        body["email"] = json!(address);
        body["name"] = json!(" ");
        let (response, _) = harness.send_with("POST", "/portal/signup", &body, &[]).await;
        assert_eq!(response.status(), 400);
        let said = json!({"slug": "northwind", "full_name": " ", "phone": null});
        assert_eq!(harness.back_end.asked(), [("portal_find_signup", said)]);
    }
    assert!(auth.asked().is_empty());
}

#[tokio::test]
async fn auth_hears_of_no_address_that_the_client_chose() {
    let auth = GoTrue::start(false).await;
    let chosen = ("x-forwarded-for", "198.51.100.1");
    for headers in [vec![chosen], vec![chosen, ("cf-connecting-ip", "203.0.113.9")]] {
        let back_end = vec![Ok(portal()), Ok(json!({"registered": true}))];
        let harness = with_auth(&auth.url, Vec::new(), back_end);
        harness.send_with("POST", "/portal/signup", &sign_up(), &headers).await;
    }
    assert_eq!(auth.addresses(), ["", "203.0.113.9"]);
}

#[tokio::test]
async fn who_has_to_wait_for_staff_is_told() {
    let auth = GoTrue::start(true).await;
    let review = json!({"status": "review", "account": null});
    let back_end = vec![Ok(portal()), Ok(json!({"registered": true}))];
    let harness = with_auth(&auth.url, vec![Ok(review.clone())], back_end);
    let (response, problem) = harness.send_with("POST", "/portal/signup", &sign_up(), &[]).await;
    assert_eq!(
        (response.status().as_u16(), &problem["code"], &problem["reason"]),
        (409, &json!("wrong_state"), &json!("review"))
    );
    let harness = answering(vec![Ok(review)]);
    let (response, problem) = harness.send("POST", "/portal/session", &json!({})).await;
    assert_eq!(response.status(), 409);
    assert!(problem["detail"].as_str().unwrap().contains("several customers"));
}

#[tokio::test]
async fn who_came_with_a_password_is_sent_to_their_mail_where_the_org_knows_the_address() {
    let auth = GoTrue::start(true).await;
    let verify = json!({"status": "verify", "account": null});
    let back_end = vec![Ok(portal()), Ok(json!({"registered": true}))];
    let harness = with_auth(&auth.url, vec![Ok(verify.clone())], back_end);
    let (response, answer) = harness.send_with("POST", "/portal/signup", &sign_up(), &[]).await;
    assert_eq!((response.status().as_u16(), &answer["status"]), (202, &json!("verify")));
    assert!(answer["session"].is_null());
    let harness = answering(vec![Ok(verify)]);
    let (response, answer) = harness.send("POST", "/portal/session", &json!({})).await;
    assert_eq!((response.status().as_u16(), &answer["status"]), (202, &json!("verify")));
}

fn invitation(user: Value, status: &str) -> Value {
    json!({"email": "ada@portal.example", "org": {"name": "Northwind"}, "role": "customer", "status": status, "user": user})
}

#[tokio::test]
async fn an_invitation_makes_a_login() {
    let auth = GoTrue::start(false).await;
    let back_end = vec![Ok(invitation(Value::Null, "open")), Ok(json!({"account_id": ID}))];
    let harness = with_auth(&auth.url, vec![Ok(active())], back_end);
    let body = json!({"token": "t0ken", "password": "secret-1", "name": "Ada"});
    let (response, answer) = harness.send_with("POST", "/portal/accept-invite", &body, &[]).await;
    assert_eq!((response.status().as_u16(), &answer["account"]["id"]), (201, &json!(ID)));
    assert_eq!(
        auth.asked(),
        [
            "POST /auth/v1/admin/users",
            "POST /auth/v1/token?grant_type=password",
            // After the sessions that there were have ended.
            "POST /auth/v1/token?grant_type=password"
        ]
    );
    let accepted = &harness.back_end.asked()[1];
    assert_eq!(
        (accepted.0, &accepted.1["token"], &accepted.1["full_name"]),
        ("portal_accept_invite", &json!("t0ken"), &json!("Ada"))
    );
    assert_eq!(accepted.1["user_id"], answer["session"]["user"]["id"]);
    no_secret(&harness.lines);
    // The same again is the same account, and so is the loser of two at the same moment.
    let user = json!({"id": accepted.1["user_id"], "is_confirmed": true});
    for back_end in [
        vec![Ok(invitation(user.clone(), "used"))],
        vec![Ok(invitation(user, "open")), Err(Error::new(Code::InviteNotFound, ""))],
    ] {
        let harness = with_auth(&auth.url, vec![Ok(active())], back_end);
        let (response, answer) =
            harness.send_with("POST", "/portal/accept-invite", &body, &[]).await;
        assert_eq!((response.status().as_u16(), &answer["account"]["id"]), (201, &json!(ID)));
    }
    assert_eq!(auth.users(), 1);
}

#[tokio::test]
async fn who_has_a_login_proves_it_with_its_password() {
    let auth = GoTrue::start(false).await;
    let id = auth.user("ada@portal.example", "her own secret", true);
    let body = json!({"token": "t0ken", "password": "secret-1"});
    let known = invitation(json!({"id": id, "is_confirmed": true}), "open");
    let harness = with_auth(&auth.url, Vec::new(), vec![Ok(known.clone())]);
    let (response, _) = harness.send_with("POST", "/portal/accept-invite", &body, &[]).await;
    assert_eq!(response.status(), 401);
    let staff = vec![Ok(known), Err(Error::new(Code::AlreadyMember, ""))];
    let harness = with_auth(&auth.url, Vec::new(), staff);
    let right = json!({"token": "t0ken", "password": "her own secret"});
    let (response, _) = harness.send_with("POST", "/portal/accept-invite", &right, &[]).await;
    assert_eq!(response.status(), 409);
}

#[tokio::test]
async fn an_invitation_never_takes_over_a_login_that_is_there() {
    let auth = GoTrue::start(false).await;
    let id = auth.user("ada@portal.example", "of somebody else", false);
    let known = invitation(json!({"id": id, "is_confirmed": false}), "open");
    let harness = with_auth(&auth.url, Vec::new(), vec![Ok(known)]);
    let body = json!({"token": "t0ken", "password": "secret-1"});
    let (response, problem) = harness.send_with("POST", "/portal/accept-invite", &body, &[]).await;
    assert_eq!(
        (response.status().as_u16(), &problem["reason"]),
        (409, &json!("verification_required"))
    );
    assert!(auth.asked().is_empty());
}

#[tokio::test]
async fn an_invitation_that_is_refused_leaves_no_login() {
    let auth = GoTrue::start(false).await;
    let body = json!({"token": "t0ken", "password": "secret-1", "name": "A".repeat(201)});
    let harness = with_auth(&auth.url, Vec::new(), Vec::new());
    let (response, _) = harness.send_with("POST", "/portal/accept-invite", &body, &[]).await;
    assert_eq!(response.status(), 400);
    assert!(auth.asked().is_empty());
    let body = json!({"token": "t0ken", "password": "secret-1"});
    let open = || Ok(invitation(Value::Null, "open"));
    for (refusal, database, status) in [
        (Code::AlreadyMember, Vec::new(), 409),
        // Withdrawn at the same moment.
        (Code::InviteNotFound, vec![Err(Error::new(Code::NoMembership, ""))], 403),
    ] {
        let back_end = vec![open(), Err(Error::new(refusal, ""))];
        let harness = with_auth(&auth.url, database, back_end);
        let (response, _) = harness.send_with("POST", "/portal/accept-invite", &body, &[]).await;
        assert_eq!((response.status().as_u16(), auth.users()), (status, 0));
    }
    // Where nobody knows whether it was accepted the login stays.
    let lost = vec![open(), Err(Error::new(Code::Unavailable, ""))];
    let harness = with_auth(&auth.url, Vec::new(), lost);
    let (response, _) = harness.send_with("POST", "/portal/accept-invite", &body, &[]).await;
    assert_eq!((response.status().as_u16(), auth.users()), (503, 1));
}

#[tokio::test]
async fn a_sign_up_with_an_invitation_is_for_its_address() {
    let auth = GoTrue::start(false).await;
    let mut body = sign_up();
    body["invite_token"] = json!("t0ken");
    let back_end = vec![Ok(invitation(Value::Null, "open")), Ok(json!({}))];
    let harness = with_auth(&auth.url, vec![Ok(active())], back_end);
    let (response, _) = harness.send_with("POST", "/portal/signup", &body, &[]).await;
    assert_eq!(response.status(), 201);
    body["email"] = json!("other@portal.example");
    let harness = with_auth(&auth.url, Vec::new(), vec![Ok(invitation(Value::Null, "open"))]);
    let (response, problem) = harness.send_with("POST", "/portal/signup", &body, &[]).await;
    assert_eq!(
        (response.status().as_u16(), &problem["code"]),
        (403, &json!("invite_email_mismatch"))
    );
    assert_eq!(auth.users(), 1);
}

#[tokio::test]
async fn session_dashboard_and_settings_are_one_call_each() {
    for (method, path, rpc, body, arguments) in [
        (
            "POST",
            "/portal/session",
            "portal_session",
            Value::Null,
            json!({"idempotency_key": "key-1"}),
        ),
        ("GET", "/portal/dashboard", "portal_dashboard", Value::Null, json!({})),
        ("GET", "/portal/settings", "portal_get_settings", Value::Null, json!({})),
        (
            "PATCH",
            "/portal/settings/profile",
            "portal_update_profile",
            json!({"phone": null}),
            json!({"patch": {"phone": null}}),
        ),
        (
            "PATCH",
            "/portal/settings/notifications",
            "portal_update_notifications",
            json!({"timezone": "UTC"}),
            json!({"patch": {"timezone": "UTC"}}),
        ),
    ] {
        let harness = answering(vec![Ok(active())]);
        let (response, answer) = harness.send(method, path, &body).await;
        assert_eq!((response.status().as_u16(), answer), (200, active()), "{path}");
        assert_eq!(harness.asked(), [(rpc, arguments)]);
        assert_eq!(harness.database.callers(), [Some("Bearer a.b.c".to_owned())]);
        assert!(harness.back_end.asked().is_empty());
    }
}

/// The key and the fingerprint that the back end was told, which had them with something else.
async fn claimed(path: &str, before: Value, body: &Value) -> [Value; 2] {
    let auth = GoTrue::start(false).await;
    let reused = Error::new(Code::IdempotencyKeyReused, "");
    let harness = with_auth(&auth.url, Vec::new(), vec![Ok(before), Err(reused)]);
    let headers = [("idempotency-key", "key-1")];
    let (response, problem) = harness.send_with("POST", path, body, &headers).await;
    assert_eq!(
        (response.status().as_u16(), &problem["code"]),
        (409, &json!("idempotency_key_reused"))
    );
    let told = &harness.back_end.asked()[1].1;
    ["idempotency_key", "fingerprint"].map(|name| told[name].clone())
}

#[tokio::test]
async fn a_key_is_of_the_address_or_the_token_that_it_came_with() {
    let sign_up_with = |name: &str, value: &str| {
        let mut body = sign_up();
        body[name] = json!(value);
        body
    };
    let signup = async |body: Value| claimed("/portal/signup", portal(), &body).await;
    let first = signup(sign_up()).await;
    assert_eq!(signup(sign_up()).await, first);
    let other = signup(sign_up_with("password", "secret-2")).await;
    assert_eq!((&other[0], other[1] == first[1]), (&first[0], false));
    // A stranger's key is another, whatever they call it.
    assert_ne!(signup(sign_up_with("email", "bo@portal.example")).await[0], first[0]);
    // Whoever reads the database cannot try passwords: the hash has a key.
    assert_ne!(first[1], json!(fieldcrm_core::fingerprint::of(&sign_up())));
    let invite = async |token: &str| {
        let body = json!({"token": token, "password": "secret-1"});
        claimed("/portal/accept-invite", invitation(Value::Null, "open"), &body).await
    };
    assert_ne!(invite("one").await[0], invite("two").await[0]);
}
