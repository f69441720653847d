//! The functions that events and clocks call, with a database that answers as it is told.
#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use common::ORG;
use common::database::{Harness, harness};
use fieldcrm_core::{Code, Error, Result};
use fieldcrm_jobs::BUDGET;
use fieldcrm_jobs::provider::Providers;
use serde_json::{Value, json};

const EVENT: &str = "/handle-event-trigger";
const TIME: &str = "/process-time-based-automations";
const SEGMENTS: &str = "/process-segment-automations";

fn with(answer: impl Fn(&'static str, &Value) -> Result<Value> + Send + Sync + 'static) -> Harness {
    harness(Providers::default(), BUDGET, answer)
}

/// Each queue has so many batches of two.
fn queues(
    batches: &[(&'static str, u64)],
) -> impl Fn(&'static str, &Value) -> Result<Value> + use<> {
    let left: Mutex<HashMap<_, _>> = Mutex::new(batches.iter().copied().collect());
    move |name, _| {
        let mut left = left.lock().unwrap();
        let left = left.entry(name).or_default();
        let count = if *left > 0 { 2 } else { 0 };
        *left = left.saturating_sub(1);
        Ok(json!({ "done": count }))
    }
}

#[tokio::test]
async fn each_slug_has_health_that_asks_nothing_and_metrics_that_ask_who_may_have_them() {
    let harness = with(|_, _| Err(Error::new(Code::Forbidden, "not the service role")));
    let slugs = [EVENT, TIME, SEGMENTS, "/dispatch-messages", "/embed-kb-articles"];
    for slug in slugs.iter().chain(&["/analyze-interaction-sentiment", "/score-segments"]) {
        assert_eq!(harness.get(&format!("{slug}/healthz")).await, 200);
        assert!(harness.names().is_empty());
    }
    assert_eq!(harness.get("/dispatch-messages/metrics").await, 403);
    assert_eq!(harness.names(), ["crm_health"]);
}

#[tokio::test]
async fn an_event_is_written_down_and_worked_off() {
    let harness = with(|name, _| match name {
        "crm_emit_event" => Ok(json!({"id": ORG, "created": true})),
        "crm_send_portal_notices" => Ok(json!({"notices": 1})),
        _ => Ok(json!({"runs": 1})),
    });
    let body = json!({
        "event_type": "booking_submitted", "customer_id": ORG, "payload": {"a": 1}, "event_key": "b-1",
        "occurred_at": "2026-11-22T09:00:00Z", "org_id": ORG,
    });
    let (status, answer) = harness.post(EVENT, &body.to_string(), &[]).await;
    assert_eq!(status, 201);
    assert_eq!(
        answer,
        json!({"event": {"id": ORG, "created": true}, "run": {"runs": 1}, "notices": {"notices": 1}})
    );
    let run = |arguments| ("crm_run_automations", arguments);
    assert_eq!(
        harness.asked(),
        [
            run(json!({"batch_limit": 1})),
            ("crm_emit_event", body),
            run(json!({})),
            ("crm_send_portal_notices", json!({}))
        ]
    );
}

#[tokio::test]
async fn the_header_is_the_event_key_where_the_body_has_none() {
    let key = [("idempotency-key", "k-1")];
    for (body, status, sent) in [
        (json!({"event_type": "x"}), 200, Some("k-1")),
        (json!({"event_type": "x", "event_key": null}), 200, Some("k-1")),
        (json!({"event_type": "x", "event_key": "k-1"}), 200, Some("k-1")),
        (json!({"event_type": "x", "event_key": "k-2"}), 400, None),
    ] {
        let harness = with(|_, _| Ok(json!({"created": false})));
        let (answered, problem) = harness.post(EVENT, &body.to_string(), &key).await;
        assert_eq!(answered, status, "{problem}");
        let asked = harness.asked();
        assert_eq!(asked.get(1).and_then(|(_, arguments)| arguments["event_key"].as_str()), sent);
    }
}

#[tokio::test]
async fn an_event_that_is_kept_is_not_asked_for_again_because_a_run_failed() {
    let harness = with(|name, _| match name {
        "crm_emit_event" => Ok(json!({"id": ORG, "created": true})),
        _ => Err(Error::new(Code::Unavailable, "busy")),
    });
    let (status, answer) = harness.post(EVENT, r#"{"event_type": "x"}"#, &[]).await;
    assert_eq!((status, &answer["run"]), (201, &json!({"error": "unavailable"})));
    assert_eq!(answer["notices"], json!({"error": "unavailable"}));
}

#[tokio::test]
async fn an_event_needs_a_body_of_known_keys() {
    let harness = with(|_, _| Ok(json!({})));
    let (status, problem) =
        harness.post(EVENT, r#"{"event_type": "x", "rule_chain": []}"#, &[]).await;
    assert_eq!((status, &problem["errors"][0]["path"]), (400, &json!("rule_chain")));
    assert_eq!(harness.post(EVENT, "", &[]).await.0, 400);
    assert!(harness.asked().is_empty());
}

#[tokio::test]
async fn what_is_due_is_worked_off_until_nothing_is_left() {
    let harness = with(queues(&[
        ("crm_run_automations", 2),
        ("crm_process_time_based", 0),
        ("crm_remind_followups", 1),
        ("crm_expire_followups", 3),
    ]));
    let (status, totals) = harness.post(TIME, r#"{"batch_limit": 2}"#, &[]).await;
    assert_eq!(status, 200);
    assert_eq!(
        totals,
        json!({"automations": {"done": 4}, "time_based": {"done": 0}, "reminders": {"done": 2},
            "bookings": {"done": 0}, "planned_visits": {"done": 0}, "notices": {"done": 0}, "expired": {"done": 6}, "pruned": {"done": 0}})
    );
    assert_eq!(harness.asked().len(), 3 + 1 + 2 + 1 + 1 + 1 + 4 + 1);
    assert!(harness.asked().iter().all(|(_, arguments)| *arguments == json!({"batch_limit": 2})));
}

#[tokio::test]
async fn segments_come_before_what_entering_them_sets_going() {
    let harness =
        with(queues(&[("crm_recompute_due_segments", 1), ("crm_process_segment_automations", 1)]));
    let (_, totals) = harness.post(SEGMENTS, "", &[]).await;
    assert_eq!(totals, json!({"segments": {"done": 2}, "automations": {"done": 2}}));
    assert_eq!(
        harness.names(),
        [
            "crm_recompute_due_segments",
            "crm_recompute_due_segments",
            "crm_process_segment_automations",
            "crm_process_segment_automations",
        ]
    );
    assert!(harness.asked().iter().all(|(_, arguments)| *arguments == json!({})));
}

#[tokio::test]
async fn when_the_time_is_over_every_queue_still_gets_a_turn() {
    let all = [
        ("crm_run_automations", 9),
        ("crm_process_time_based", 9),
        ("crm_remind_followups", 9),
        ("crm_process_bookings", 9),
        ("crm_make_planned_visits", 9),
        ("crm_send_portal_notices", 9),
        ("crm_expire_followups", 9),
        ("crm_prune", 9),
    ];
    let harness = harness(Providers::default(), Duration::ZERO, queues(&all));
    assert_eq!(harness.post(TIME, "{}", &[]).await.0, 200);
    assert_eq!(harness.names(), all.map(|(name, _)| name));
}

#[tokio::test]
async fn a_queue_that_fails_stops_none_of_the_others_but_shows() {
    let harness = with(|name, _| match name {
        "crm_run_automations" => Err(Error::new(Code::Unavailable, "busy")),
        _ => Ok(json!({ "done": 0 })),
    });
    let (status, problem) = harness.post(TIME, "", &[]).await;
    assert_eq!((status, &problem["code"]), (503, &json!("unavailable")));
    // It is asked for less and less first: too much at once may be all that is wrong.
    let limits: Vec<_> = harness
        .asked()
        .into_iter()
        .filter(|(name, _)| *name == "crm_run_automations")
        .map(|(_, arguments)| arguments["batch_limit"].as_u64())
        .collect();
    assert_eq!(limits, [None, Some(25), Some(6), Some(1)]);
    assert_eq!(harness.asked().len(), limits.len() + 7);
}

#[tokio::test]
async fn who_is_not_the_service_gets_nowhere() {
    for path in [EVENT, TIME, SEGMENTS] {
        let harness =
            with(|_, _| Err(Error::new(Code::Forbidden, "This is for back-end sessions only.")));
        let (status, problem) = harness.post(path, "{}", &[]).await;
        assert_eq!((status, &problem["code"]), (403, &json!("forbidden")), "{path}");
        assert_eq!(harness.asked().len(), 1, "{path}");
    }
}
