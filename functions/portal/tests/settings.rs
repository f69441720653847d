//! What people change about their login over HTTP, with Auth as a server of its own.
#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]
#![allow(clippy::needless_pass_by_value, reason = "json!({}) reads better than &json!({})")]

mod common;

use common::gotrue::GoTrue;
use common::{ID, OTHER, with_auth};
use fieldcrm_core::{Code, Error};
use serde_json::{Value, json};

fn own_settings() -> Value {
    json!({"profile": {"email": "ada@portal.example"}, "account": {"user_id": OTHER}})
}

#[tokio::test]
async fn health_needs_no_token() {
    let harness = common::answering(vec![]);
    let (_, told) = harness.send_with("GET", "/portal/healthz", &Value::Null, &[]).await;
    assert_eq!((&told["status"], harness.asked().len()), (&json!("ok"), 0));
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_the_old_one() {
    let auth = GoTrue::start(false).await;
    let id = auth.user("ada@portal.example", "secret-1", true);
    let token = format!("Bearer token-of-{id}");
    let headers = [("authorization", token.as_str())];
    let path = "/portal/settings/security";
    for (body, place) in [
        (json!({"password": "secret-2"}), "current_password"),
        (json!({"password": "secret-2", "current_password": "guess"}), "current_password"),
        (json!({"password": "secret-1", "current_password": "secret-1"}), "password"),
        (json!({}), "$"),
    ] {
        let harness = with_auth(&auth.url, vec![Ok(own_settings())], Vec::new());
        let (response, problem) = harness.send_with("PATCH", path, &body, &headers).await;
        assert_eq!(
            (response.status().as_u16(), &problem["errors"][0]["path"]),
            (400, &json!(place))
        );
    }
    let harness = with_auth(&auth.url, vec![Ok(own_settings())], vec![Ok(json!({}))]);
    let body = json!({"password": "secret-2", "current_password": "secret-1"});
    let (response, answer) = harness.send_with("PATCH", path, &body, &headers).await;
    assert_eq!((response.status().as_u16(), &answer["password_changed"]), (200, &json!(true)));
    let noted = json!({"event_type": "password_changed", "user_id": OTHER});
    assert_eq!(harness.back_end.asked(), [("portal_log_event", noted)]);
    // Of the sessions that only asked whether the password is right none is left.
    assert_eq!(auth.sessions_ended(), 2);
    assert!(harness.lines.all().iter().all(|line| !line.contains("secret-")));
}

#[tokio::test]
async fn who_has_no_password_yet_sets_one_without() {
    let auth = GoTrue::start(false).await;
    let id = auth.user("ada@portal.example", "of whoever was first", true);
    let token = format!("Bearer token-of-{id}");
    let mut settings = own_settings();
    settings["security"] = json!({"has_password": false});
    let harness = with_auth(&auth.url, vec![Ok(settings)], vec![Ok(json!({}))]);
    let headers = [("authorization", token.as_str())];
    let body = json!({"password": "secret-2"});
    let path = "/portal/settings/security";
    let (response, _) = harness.send_with("PATCH", path, &body, &headers).await;
    assert_eq!(response.status(), 200);
    assert_eq!(auth.asked(), ["PUT /auth/v1/user"]);
}

#[tokio::test]
async fn who_has_to_use_a_second_factor_can() {
    let auth = GoTrue::start(false).await;
    let refusal = || Error::new(Code::Forbidden, "").with("reason", "second_factor");
    let path = "/portal/settings/security";
    let verify = json!({"mfa": {"action": "verify", "factor_id": ID, "code": "123456"}});
    let harness = with_auth(&auth.url, vec![Err(refusal())], Vec::new());
    let (response, answer) = harness.send("PATCH", path, &verify).await;
    assert_eq!(response.status(), 200);
    assert_eq!(answer["mfa"]["session"]["access_token"], "aal2");
    for other in [
        json!({"mfa": {"action": "unenroll", "factor_id": ID}}),
        json!({"mfa": {"action": "verify", "factor_id": ID, "code": "123456"}, "password": "secret-2"}),
    ] {
        let harness = with_auth(&auth.url, vec![Err(refusal())], Vec::new());
        assert_eq!(harness.send("PATCH", path, &other).await.0.status(), 403);
    }
}

#[tokio::test]
async fn a_suspended_account_changes_nothing_about_its_login() {
    let auth = GoTrue::start(false).await;
    let suspended = Error::new(Code::PortalAccountInactive, "");
    let harness = with_auth(&auth.url, vec![Err(suspended)], Vec::new());
    let body = json!({"password": "secret-2", "current_password": "secret-1"});
    let (response, _) = harness.send("PATCH", "/portal/settings/security", &body).await;
    assert_eq!(response.status(), 403);
    assert!(auth.asked().is_empty());
}

#[tokio::test]
async fn a_second_factor_is_enrolled_verified_and_removed() {
    let auth = GoTrue::start(false).await;
    for (mfa, event, expected) in [
        (
            json!({"action": "enroll", "friendly_name": "Phone"}),
            "mfa_enrolled",
            json!({"factor_id": ID,
            "totp": {"qr_code": "<svg>", "secret": "S", "uri": "otpauth://x"}}),
        ),
        (
            json!({"action": "verify", "factor_id": ID, "code": "123456"}),
            "mfa_enabled",
            json!({"factor_id": ID, "session": {"access_token": "aal2"}}),
        ),
        (json!({"action": "unenroll", "factor_id": ID}), "mfa_disabled", json!({"factor_id": ID})),
    ] {
        let harness = with_auth(&auth.url, vec![Ok(own_settings())], vec![Ok(json!({}))]);
        let (response, answer) =
            harness.send("PATCH", "/portal/settings/security", &json!({"mfa": mfa})).await;
        assert_eq!((response.status().as_u16(), &answer["mfa"]), (200, &expected));
        let noted = json!({"event_type": event, "user_id": OTHER});
        assert_eq!(harness.back_end.asked(), [("portal_log_event", noted)]);
    }
    for (mfa, status) in [
        (json!({"action": "verify", "factor_id": ID, "code": "000000"}), 400),
        (json!({"action": "unenroll", "factor_id": OTHER}), 404),
        (json!({"action": "unenroll", "factor_id": "../users"}), 400),
    ] {
        let harness = with_auth(&auth.url, vec![Ok(own_settings())], Vec::new());
        let (response, _) =
            harness.send("PATCH", "/portal/settings/security", &json!({"mfa": mfa})).await;
        assert_eq!(response.status().as_u16(), status, "{mfa}");
    }
}
