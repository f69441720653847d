//! The routes of booking, with a database that answers from a list.
#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use common::{ID, OTHER, answering};
use fieldcrm_core::{Code, Error};
use serde_json::{Value, json};

#[tokio::test]
async fn slots_are_asked_with_the_parameters_of_the_query() {
    let harness = answering(vec![Ok(json!({"slots": []}))]);
    let path =
        format!("/portal/slots?service_type=repair&location_id={OTHER}&from_date=2026-12-01");
    let (response, found) = harness.send("GET", &path, &Value::Null).await;
    assert_eq!((response.status().as_u16(), found), (200, json!({"slots": []})));
    let expected =
        json!({"service_type": "repair", "location_id": OTHER, "from_date": "2026-12-01"});
    assert_eq!(harness.asked(), [("portal_available_slots", expected)]);
    for (query, paths) in [
        ("", vec!["service_type"]),
        ("service_type=x&location_id=y&to_date=tomorrow&q=1", vec!["location_id", "to_date", "q"]),
    ] {
        let harness = answering(vec![]);
        let (response, problem) =
            harness.send("GET", &format!("/portal/slots?{query}"), &Value::Null).await;
        assert_eq!(response.status().as_u16(), 400);
        let found: Vec<_> =
            problem["errors"].as_array().unwrap().iter().map(|one| one["path"].clone()).collect();
        assert_eq!(found, paths);
        assert_eq!(harness.asked(), []);
    }
}

#[tokio::test]
async fn holds_and_requests_are_made_with_the_key_of_the_header() {
    for (path, name, mut body) in [
        (
            "/portal/holds",
            "portal_hold_slot",
            json!({"service_type": "repair", "location_id": OTHER, "starts_at": "2026-12-01T09:00:00Z"}),
        ),
        (
            "/portal/booking-requests",
            "portal_create_booking",
            json!({"hold_id": OTHER, "problem_description": "The tap drips."}),
        ),
    ] {
        let harness = answering(vec![Ok(json!({"id": ID}))]);
        let (response, made) = harness.send("POST", path, &body).await;
        assert_eq!((response.status().as_u16(), made), (201, json!({"id": ID})));
        assert_eq!(response.headers()["location"], format!("{path}/{ID}"));
        body["idempotency_key"] = json!("key-1");
        assert_eq!(harness.asked(), [(name, body)]);
        let harness = answering(vec![]);
        let (response, _) = harness.send("POST", path, &json!({"technician_id": ID})).await;
        assert_eq!(response.status().as_u16(), 400);
        assert_eq!(harness.asked(), []);
    }
}

#[tokio::test]
async fn what_an_rpc_has_no_default_for_has_to_be_there() {
    let reschedule = format!("/portal/appointments/{ID}/reschedule");
    for (path, body, missing) in [
        ("/portal/holds", json!({"location_id": OTHER}), vec!["service_type", "starts_at"]),
        (reschedule.as_str(), json!({"reason": "Ill", "starts_at": null}), vec!["starts_at"]),
    ] {
        let harness = answering(vec![]);
        let (response, problem) = harness.send("POST", path, &body).await;
        assert_eq!(response.status().as_u16(), 400, "{path}");
        let expected: Vec<_> = missing
            .iter()
            .map(|name| json!({"path": name, "code": "required", "message": "must be given"}))
            .collect();
        assert_eq!(problem["errors"], json!(expected));
        assert_eq!(harness.asked(), []);
    }
}

#[tokio::test]
async fn who_comes_too_late_is_offered_other_times() {
    let offered = json!([{"starts_at": "2026-12-01T10:00:00Z", "ends_at": "2026-12-01T11:00:00Z"}]);
    let error = Error::new(Code::SlotTaken, "Too late.").with("alternatives", offered.clone());
    let harness = answering(vec![Err(error)]);
    let body = json!({"service_type": "repair", "location_id": OTHER, "starts_at": "2026-12-01T09:00:00Z"});
    let (response, problem) = harness.send("POST", "/portal/holds", &body).await;
    assert_eq!((response.status().as_u16(), &problem["code"]), (409, &json!("slot_taken")));
    assert_eq!(problem["alternatives"], offered);
}

#[tokio::test]
async fn the_other_routes_are_one_call_each() {
    for (method, path, body, name, arguments, status) in [
        (
            "GET",
            "/portal/service-types".to_owned(),
            Value::Null,
            "portal_list_service_types",
            json!({}),
            200,
        ),
        (
            "DELETE",
            format!("/portal/holds/{ID}"),
            Value::Null,
            "portal_release_hold",
            json!({"id": ID}),
            204,
        ),
        (
            "GET",
            "/portal/booking-requests?status=scheduled&limit=5&cursor=c".to_owned(),
            Value::Null,
            "portal_list_bookings",
            json!({"status": "scheduled", "page_size": 5, "cursor": "c"}),
            200,
        ),
        (
            "GET",
            format!("/portal/booking-requests/{ID}"),
            Value::Null,
            "portal_get_booking",
            json!({"id": ID}),
            200,
        ),
        (
            "POST",
            format!("/portal/booking-requests/{ID}/cancel"),
            json!({"reason": "Solved"}),
            "portal_cancel_booking",
            json!({"id": ID, "reason": "Solved"}),
            200,
        ),
        (
            "POST",
            format!("/portal/appointments/{ID}/reschedule"),
            json!({"starts_at": "2026-12-01T09:00:00Z"}),
            "portal_reschedule_appointment",
            json!({"id": ID, "starts_at": "2026-12-01T09:00:00Z", "idempotency_key": "key-1"}),
            200,
        ),
        (
            "POST",
            format!("/portal/appointments/{ID}/cancel"),
            Value::Null,
            "portal_cancel_appointment",
            json!({"id": ID, "idempotency_key": "key-1"}),
            200,
        ),
    ] {
        let harness = answering(vec![Ok(json!({"id": ID}))]);
        let (response, _) = harness.send(method, &path, &body).await;
        assert_eq!(response.status().as_u16(), status, "{path}");
        assert_eq!(harness.asked(), [(name, arguments)], "{path}");
        let harness = answering(vec![]);
        let (response, _) = harness.send_with(method, &path, &body, &[]).await;
        assert_eq!(response.status().as_u16(), 401, "{path}");
    }
}
