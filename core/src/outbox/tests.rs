use proptest::prelude::*;

use super::*;

const LEASE: Uuid = Uuid::from_u128(7);

fn held(status: Status, attempts: u32) -> Held {
    Held {
        status,
        lease_id: Some(LEASE),
        attempts,
        max_attempts: 3,
        now: "2026-01-05T12:00:00Z".parse().unwrap(),
        random: 0.5,
        to_endpoint: false,
    }
}

fn failure(retryable: bool, retry_after_seconds: Option<u64>) -> Fail {
    Fail {
        id: Uuid::nil(),
        lease_id: LEASE,
        code: Some("timeout".to_owned()),
        message: None,
        retryable,
        retry_after_seconds,
        untried: false,
        http_status: None,
        duration_ms: None,
    }
}

fn became(step: &Step) -> Option<&str> {
    step.as_ref().map(|set| set["status"].as_str().unwrap())
}

#[test]
fn only_the_holder_of_the_lease_says_how_it_went() {
    let other = Uuid::from_u128(8);
    let held = held(Status::Sending, 1);
    let refused = held.complete(other, None).unwrap_err();
    assert_eq!((refused.code, &refused.data["status"]), (Code::WrongState, &json!("sending")));
    let failure = Fail { lease_id: other, ..failure(true, None) };
    assert_eq!(held.fail(&failure).unwrap_err().code, Code::WrongState);
    let unknown = MarkUnknown { id: Uuid::nil(), lease_id: other, code: None, message: None };
    assert_eq!(held.mark_unknown(&unknown).unwrap_err().code, Code::WrongState);
}

#[test]
fn the_same_said_twice_changes_nothing_and_something_else_is_refused() {
    let complete = |status| held(status, 1).complete(LEASE, Some("x"));
    assert_eq!(became(&complete(Status::Sending).unwrap()), Some("sent"));
    assert_eq!(became(&complete(Status::Unknown).unwrap()), Some("sent"));
    for status in [Status::Sent, Status::Delivered, Status::Read] {
        assert_eq!(complete(status).unwrap(), None);
    }
    for status in [Status::Queued, Status::Failed] {
        assert_eq!(held(status, 1).fail(&failure(true, None)).unwrap(), None);
        assert_eq!(complete(status).unwrap_err().code, Code::WrongState);
    }
    let failed = held(Status::Sent, 1).fail(&failure(true, None));
    assert_eq!(failed.unwrap_err().code, Code::WrongState);
}

#[test]
fn what_fails_is_tried_again_until_its_attempts_are_used_up() {
    let fail = |attempts, failure: &Fail| held(Status::Sending, attempts).fail(failure).unwrap();
    let again = fail(2, &failure(true, None)).unwrap();
    assert_eq!((&again["status"], &again["error_code"]), (&json!("queued"), &json!("timeout")));
    // Half of a minute, the second wait.
    assert_eq!(again["available_at"], json!("2026-01-05T12:00:30Z"));
    let later = fail(2, &failure(true, Some(90))).unwrap();
    assert_eq!(later["available_at"], json!("2026-01-05T12:01:30Z"));
    let much_later = fail(2, &failure(true, Some(u64::MAX))).unwrap();
    assert_eq!(much_later["available_at"], json!("2026-01-06T12:00:00Z"));
    assert_eq!(became(&fail(3, &failure(true, None))), Some("failed"));
    assert_eq!(became(&fail(1, &failure(false, Some(1)))), Some("failed"));
}

#[test]
fn an_endpoint_is_waited_for_longer_and_longer_for_three_days() {
    let wait = |attempts| {
        let held = Held { to_endpoint: true, max_attempts: 10, ..held(Status::Sending, attempts) };
        let step = held.fail(&failure(true, None)).unwrap().unwrap();
        let at: Option<DateTime<Utc>> =
            step.get("available_at").map(|at| at.as_str().unwrap().parse().unwrap());
        at.map(|at| (at - held.now).num_seconds())
    };
    let waits: Vec<_> = (1..=10).map(wait).collect();
    let hour = 3_600;
    assert_eq!(
        waits,
        [5, 300, hour / 2, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour]
            .map(Some)
            .into_iter()
            .chain([None])
            .collect::<Vec<_>>()
    );
    assert!(endpoint_backoff(2, 0.0) < endpoint_backoff(2, 1.0));
    assert_eq!(endpoint_backoff(0, 0.5), endpoint_backoff(1, 0.5));
    assert_eq!(endpoint_backoff(u32::MAX, 0.5), Duration::from_hours(24));
}

#[test]
fn what_was_not_even_tried_has_used_no_attempt() {
    let untried = Fail { untried: true, ..failure(true, None) };
    let step = held(Status::Sending, 3).fail(&untried).unwrap().unwrap();
    assert_eq!((&step["status"], &step["attempts"]), (&json!("queued"), &json!(2)));
    assert_eq!(step["available_at"], json!("2026-01-05T12:00:00Z"));
    assert_eq!(step.get("error_code"), None);
}

#[test]
fn an_event_is_told_again_however_it_ended() {
    for status in Status::ALL {
        let replayed = became(&held(*status, 9).replay()).map(str::to_owned);
        let under_way = matches!(status, Status::Queued | Status::Sending);
        assert_eq!(replayed.as_deref(), (!under_way).then_some("queued"), "{}", status.as_str());
    }
}

#[test]
fn reports_only_lead_forward() {
    let report = |from, to| {
        let report = RecordStatus {
            provider: "log".to_owned(),
            provider_message_id: "x".to_owned(),
            status: to,
            code: None,
            message: None,
        };
        held(from, 1).report(&report).is_some()
    };
    for from in Status::ALL {
        for to in [Status::Sent, Status::Delivered, Status::Read, Status::Failed] {
            let expect = *from != Status::Queued && from.becomes(to);
            assert_eq!(report(*from, to), expect, "{} {}", from.as_str(), to.as_str());
        }
    }
    assert!(!report(Status::Delivered, Status::Sent));
    assert!(!report(Status::Read, Status::Delivered));
    assert!(!report(Status::Delivered, Status::Failed));
}

#[test]
fn by_hand_only_what_failed_goes_back_and_only_what_waits_is_canceled() {
    for status in Status::ALL {
        let name = status.as_str();
        let retried = held(*status, 3).retry();
        match status {
            Status::Failed | Status::Unknown => {
                let set = retried.unwrap().unwrap();
                assert_eq!((&set["status"], &set["attempts"]), (&json!("queued"), &json!(0)));
            }
            Status::Queued => assert_eq!(retried.unwrap(), None),
            _ => assert_eq!(retried.unwrap_err().code, Code::WrongState, "{name}"),
        }
        let canceled = held(*status, 0).cancel();
        match status {
            Status::Queued => assert_eq!(became(&canceled.unwrap()), Some("canceled")),
            Status::Canceled => assert_eq!(canceled.unwrap(), None),
            _ => assert_eq!(canceled.unwrap_err().code, Code::WrongState, "{name}"),
        }
    }
}

#[test]
fn providers_have_plain_names_and_only_some_keep_keys() {
    for name in ["", "Resend", "a b", "x".repeat(41).as_str()] {
        assert_eq!(Provider::parse(name), None);
    }
    for (name, keeps) in [("resend", true), ("log", true), ("twilio", false), ("ses", false)] {
        assert_eq!(Provider::parse(name).unwrap().keeps_idempotency_keys(), keeps, "{name}");
    }
}

#[test]
fn a_lost_message_goes_again_where_the_provider_knows_it_and_attempts_are_left() {
    assert!(goes_again(Some("resend"), 2, 3));
    assert!(!goes_again(Some("resend"), 3, 3));
    assert!(!goes_again(Some("twilio"), 1, 3));
    assert!(!goes_again(None, 1, 3));
}

#[test]
fn all_mistakes_of_a_message_are_reported_at_once() {
    let paths = |input: Value| -> Vec<String> {
        let message: SendMessage = crate::patch::read(input).unwrap();
        message.prepare().unwrap_err().errors.into_iter().map(|error| error.path).collect()
    };
    let none = json!({"channel": "email", "variables": {"a": 1},
        "scheduled_at": "2026-01-05T12:00:00Z", "expires_at": "2026-01-05T11:00:00Z"});
    assert_eq!(
        paths(none),
        ["customer_id", "purpose", "body", "subject", "variables", "expires_at"]
    );
    let both = json!({"customer_id": LEASE, "purpose": "marketing", "channel": "sms",
        "template_id": LEASE, "subject": "s", "body": "b"});
    assert_eq!(paths(both), ["subject", "body"]);
}

#[test]
fn a_claim_names_its_providers_within_limits() {
    let paths = |input: Value| -> Vec<String> {
        let claim: Claim = crate::patch::read(input).unwrap();
        claim.prepare().unwrap_err().errors.into_iter().map(|error| error.path).collect()
    };
    assert_eq!(paths(json!({})), ["providers"]);
    let wrong = json!({"batch_limit": 0, "lease_seconds": 3601, "providers": {"sms": "A"}});
    assert_eq!(paths(wrong), ["batch_limit", "lease_seconds", "providers.sms", "providers"]);
}

proptest! {
    #[test]
    fn the_wait_is_between_a_second_and_its_longest_and_follows_the_dice(
        attempts in 0_u32..100, low in 0.0..=1.0_f64, high in 0.0..=1.0_f64,
    ) {
        let longest = backoff(attempts, 1.0);
        prop_assert!(longest <= BACKOFF_LONGEST && longest >= BACKOFF_BASE);
        prop_assert!(longest <= backoff(attempts + 1, 1.0));
        let (low, high) = (low.min(high), low.max(high));
        prop_assert!(backoff(attempts, low) <= backoff(attempts, high));
        prop_assert!(backoff(attempts, low) >= BACKOFF_SHORTEST);
    }
}
