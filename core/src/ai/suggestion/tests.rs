#![allow(clippy::needless_pass_by_value, reason = "literals are handed over")]

use super::*;

const ID: &str = "0d0e0f10-0000-4000-8000-000000000001";

/// A customer of last month, on a Wednesday, of whom nothing else is known.
fn facts(more: Value) -> Facts {
    let mut all = json!({
        "today": "2026-03-04", "currency": "EUR",
        "customer": {"id": ID, "lifecycle_stage": "customer", "status": "active", "is_archived": false, "since": "2026-02-04"},
        "last_interaction": null, "complaint": null, "last_visit": null, "has_open_visit": false,
        "has_visit_plan": false, "has_followup": false, "quotes": [], "invoices": [], "memberships": [],
        "visit_plans": [], "warranties": [], "suggested": {},
    });
    merge(&mut all, more);
    serde_json::from_value(all).unwrap()
}

fn merge(into: &mut Value, more: Value) {
    for (key, value) in more.as_object().unwrap() {
        if key == "customer" {
            merge(&mut into[key], value.clone());
        } else {
            into[key] = value.clone();
        }
    }
}

fn rules(facts: &Facts) -> Vec<&'static str> {
    suggest(facts).iter().map(|one| one.rule.as_str()).collect()
}

fn quote(sent_on: Value, valid_until: Value) -> Value {
    json!({"quotes": [{
        "id": ID, "number": "Q-7", "total": "950.00", "made_on": "2026-02-20", "sent_on": sent_on,
        "valid_until": valid_until,
    }]})
}

fn invoice(due_on: &str) -> Value {
    json!({"invoices": [{"id": ID, "number": "R-1", "open": "120.50", "due_on": due_on}]})
}

fn ending(what: &str, ends_on: &str) -> Value {
    json!({what: [{"id": ID, "title": "Comfort", "ends_on": ends_on}]})
}

fn event(what: &str, day: &str) -> Value {
    json!({what: {"id": ID, "day": day}})
}

#[test]
fn each_rule_begins_and_ends_on_its_day() {
    for (more, expected) in [
        (event("complaint", "2026-03-04"), "complaint"),
        (event("complaint", "2026-02-02"), "complaint"),
        (event("complaint", "2026-02-01"), ""),
        (invoice("2026-03-03"), "invoice_overdue"),
        (quote(json!("2026-02-25"), Value::Null), "quote_open"),
        (quote(json!("2026-02-26"), Value::Null), ""),
        (quote(json!("2025-12-04"), json!("2026-12-01")), "quote_open"),
        (quote(json!("2025-12-03"), json!("2026-12-01")), ""),
        (quote(json!("2026-03-03"), json!("2026-03-05")), "quote_expiring"),
        (quote(json!("2026-03-03"), json!("2026-03-11")), "quote_expiring"),
        (quote(json!("2026-03-03"), json!("2026-03-12")), ""),
        // What has expired is not asked for any more.
        (quote(json!("2026-02-10"), json!("2026-03-04")), ""),
        (quote(Value::Null, Value::Null), "quote_draft"),
        (ending("memberships", "2026-03-04"), "membership_ending"),
        (ending("memberships", "2026-04-18"), "membership_ending"),
        (ending("memberships", "2026-04-19"), ""),
        (ending("visit_plans", "2026-03-20"), "visit_plan_ending"),
        (ending("warranties", "2026-04-03"), "warranty_ending"),
        (ending("warranties", "2026-04-04"), ""),
        (event("last_visit", "2026-03-02"), "visit_done"),
        (event("last_visit", "2026-03-03"), ""),
        (event("last_visit", "2026-02-17"), ""),
        (event("last_visit", "2025-04-08"), "service_due"),
        (json!({"customer": {"since": "2025-09-05"}}), "quiet"),
        (json!({"customer": {"since": "2025-09-06"}}), ""),
        (json!({"customer": {"since": "2026-02-25", "lifecycle_stage": "lead"}}), "quiet"),
        (json!({"customer": {"since": "2026-02-26", "lifecycle_stage": "lead"}}), ""),
    ] {
        let found = rules(&facts(more.clone())).join(" ");
        assert_eq!(found, expected, "{more}");
    }
}

#[test]
fn what_somebody_has_in_hand_is_not_suggested() {
    let visit = json!({"last_visit": {"id": ID, "day": "2025-04-01"}});
    let silent = json!({"customer": {"since": "2024-01-01"}});
    let talked = json!({"last_visit": {"id": ID, "day": "2026-02-27"}, "last_interaction": {"id": ID, "day": "2026-02-27"}});
    assert_eq!(rules(&facts(visit.clone())), ["service_due"]);
    assert_eq!(rules(&facts(silent.clone())), ["quiet"]);
    assert_eq!(rules(&facts(talked)), [""; 0]);
    for (base, key) in
        [(&visit, "has_open_visit"), (&silent, "has_open_visit"), (&silent, "has_followup")]
    {
        let mut more = base.clone();
        more[key] = json!(true);
        assert_eq!(rules(&facts(more)), [""; 0], "{key}");
    }
    let mut planned = visit;
    planned["has_visit_plan"] = json!(true);
    // The plan will bring somebody; that nobody talked to them for long stays true.
    assert_eq!(rules(&facts(planned)), ["quiet"]);
}

#[test]
fn who_is_blacklisted_or_archived_is_only_asked_to_pay() {
    let mut more = invoice("2026-01-01");
    merge(&mut more, quote(json!("2026-02-25"), Value::Null));
    assert_eq!(rules(&facts(more.clone())), ["invoice_overdue", "quote_open"]);
    for customer in [json!({"status": "blacklisted"}), json!({"is_archived": true})] {
        more["customer"] = customer;
        assert_eq!(rules(&facts(more.clone())), ["invoice_overdue"]);
    }
}

#[test]
fn a_suggestion_says_what_until_when_and_why() {
    let found = suggest(&facts(quote(json!("2026-02-20"), Value::Null)));
    let [one] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(one.title, "Ask about quote Q-7");
    assert_eq!((one.due_on.to_string().as_str(), one.priority), ("2026-03-05", Priority::Medium));
    assert_eq!(one.dedupe_key, format!("suggestion:quote_open:{ID}:2026-02-20"));
    assert_eq!(
        one.evidence,
        json!({
            "provider": "builtin", "rule": "quote_open",
            "reason": "Quote Q-7 of 950.00 EUR was sent 12 days ago and is not decided.",
            "facts": [{"table": "quotes", "id": ID, "field": "sent_at", "value": "2026-02-20"}],
        })
    );
    let complaint = &suggest(&facts(event("complaint", "2026-03-03")))[0];
    assert_eq!(complaint.related_interaction_id, Some(ID.parse().unwrap()));
    assert_eq!(complaint.priority, Priority::High);
}

#[test]
fn it_is_due_on_a_working_day_and_a_quote_before_it_expires() {
    let due = |more: Value| suggest(&facts(more))[0].due_on.to_string();
    let on = |today: &str, mut more: Value| {
        more["today"] = json!(today);
        more
    };
    // A Friday.
    assert_eq!(due(on("2026-03-06", invoice("2026-03-01"))), "2026-03-09");
    assert_eq!(
        due(on("2026-03-06", quote(json!("2026-03-01"), json!("2026-03-07")))),
        "2026-03-07"
    );
    assert_eq!(due(ending("memberships", "2026-04-15")), "2026-03-16");
    assert_eq!(due(ending("memberships", "2026-03-10")), "2026-03-05");
}

#[test]
fn the_most_important_are_first_and_no_more_than_five() {
    let mut more = invoice("2026-03-01");
    for one in [
        quote(json!("2026-03-03"), json!("2026-03-08")),
        ending("memberships", "2026-03-20"),
        ending("warranties", "2026-03-20"),
        ending("visit_plans", "2026-03-20"),
        event("complaint", "2026-03-03"),
        event("last_visit", "2026-02-27"),
    ] {
        merge(&mut more, one);
    }
    let top = [
        "complaint",
        "quote_expiring",
        "invoice_overdue",
        "membership_ending",
        "visit_plan_ending",
    ];
    assert_eq!(rules(&facts(more.clone())), top);
    // One that waits keeps its place; one that was dismissed, done, or let expire leaves it to the next.
    let key = format!("suggestion:invoice_overdue:{ID}:2026-03-01");
    more["suggested"] = json!({&key: "pending"});
    assert_eq!(rules(&facts(more.clone())), top);
    for status in ["canceled", "completed", "expired"] {
        more["suggested"] = json!({&key: status});
        assert_eq!(
            rules(&facts(more.clone())),
            [
                "complaint",
                "quote_expiring",
                "membership_ending",
                "visit_plan_ending",
                "warranty_ending"
            ],
            "{status}"
        );
    }
}

#[test]
fn another_fact_is_another_suggestion() {
    let key = |more| suggest(&facts(more))[0].dedupe_key.clone();
    let first = key(ending("memberships", "2026-03-20"));
    assert_eq!(key(ending("memberships", "2026-03-20")), first);
    assert_ne!(key(ending("memberships", "2026-03-21")), first);
    assert_ne!(key(ending("warranties", "2026-03-20")), first);
}

#[test]
fn long_names_make_no_title_that_the_table_refuses() {
    let more =
        json!({"warranties": [{"id": ID, "title": "ü".repeat(200), "ends_on": "2026-03-20"}]});
    assert_eq!(suggest(&facts(more))[0].title.chars().count(), 200);
}
