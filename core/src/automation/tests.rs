use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::patch;
use crate::{Code, Result};

const ID: &str = "0d0e0f10-0000-4000-8000-000000000001";

fn with(mut base: Value, change: &Value) -> Value {
    if let (Some(base), Some(change)) = (base.as_object_mut(), change.as_object()) {
        base.extend(change.clone());
    }
    base
}

fn rule(change: &Value) -> Value {
    let base = json!({"name": "Thanks", "trigger_type": "event", "event_type": "quote_sent",
        "actions": [{"type": "tag_customer", "tag": "Quoted"}]});
    with(base, change)
}

fn prepare(change: &Value) -> Result<PreparedRule> {
    patch::read::<NewRule>(rule(change))?.prepare()
}

fn found<T>(outcome: Result<T>) -> Vec<(String, String)> {
    let errors = outcome.err().map(|error| error.errors).unwrap_or_default();
    errors.into_iter().map(|error| (error.path, error.code)).collect()
}

/// Path and code of everything that is refused.
fn refusals(change: &Value) -> Vec<(String, String)> {
    found(prepare(change))
}

fn one(path: &str, code: &str) -> Vec<(String, String)> {
    vec![(path.to_owned(), code.to_owned())]
}

fn actions(actions: &Value) -> Vec<(String, String)> {
    refusals(&json!({"actions": actions}))
}

#[test]
fn what_is_left_out_gets_its_default() {
    let prepared = prepare(&json!({})).unwrap();
    assert_eq!(
        json!(prepared.rule),
        json!({"name": "Thanks", "description": null, "is_enabled": true, "trigger_type": "event",
            "event_type": "quote_sent", "time_offset_minutes": null, "segment_id": null,
            "segment_change": "entered", "conditions": null,
            "actions": [{"type": "tag_customer", "tag": "Quoted"}], "reenrollment": "per_episode",
            "cooldown_minutes": null, "max_lateness_minutes": 1440})
    );
    assert_eq!(prepared.warnings(), []);
}

#[test]
fn each_trigger_needs_what_it_waits_for_and_takes_nothing_else() {
    let event = |change: Value| refusals(&with(json!({"trigger_type": "event"}), &change));
    assert_eq!(event(json!({"event_type": null})), one("event_type", "required"));
    assert_eq!(event(json!({"segment_id": ID})), one("segment_id", "not_allowed"));
    assert_eq!(event(json!({"time_offset_minutes": 10})), []);

    let timed = |change: Value| {
        let base = json!({"trigger_type": "time_based", "event_type": null});
        refusals(&with(base, &change))
    };
    assert_eq!(timed(json!({})), one("time_offset_minutes", "required"));
    for anchor in [json!({}), json!({"event_type": "quote_sent"}), json!({"segment_id": ID})] {
        assert_eq!(timed(with(json!({"time_offset_minutes": 0}), &anchor)), []);
    }
    let both = json!({"time_offset_minutes": 1, "event_type": "quote_sent", "segment_id": ID});
    assert_eq!(timed(both), one("segment_id", "not_allowed"));

    let member = |change: Value| {
        let base = json!({"trigger_type": "segment_membership", "event_type": null});
        refusals(&with(base, &change))
    };
    assert_eq!(member(json!({})), one("segment_id", "required"));
    assert_eq!(member(json!({"segment_id": ID, "segment_change": "left"})), []);
    let named = json!({"segment_id": ID, "event_type": "segment_entered"});
    assert_eq!(member(named), one("event_type", "not_allowed"));
    assert_eq!(event(json!({"segment_change": "left"})), one("segment_change", "not_allowed"));
}

#[test]
fn no_reply_needs_the_time_to_answer() {
    for trigger in ["event", "time_based"] {
        let base = json!({"trigger_type": trigger, "event_type": "no_reply"});
        let after = |minutes: Value| {
            refusals(&with(base.clone(), &json!({"time_offset_minutes": minutes})))
        };
        assert!(after(Value::Null).contains(&one("time_offset_minutes", "required")[0]));
        assert_eq!(after(json!(0)), one("time_offset_minutes", "required"));
        assert_eq!(after(json!(1)), []);
    }
}

#[test]
fn numbers_have_the_limits_of_the_table() {
    for (key, least) in
        [("time_offset_minutes", 0), ("cooldown_minutes", 1), ("max_lateness_minutes", 1)]
    {
        let cooldown = json!({"reenrollment": "cooldown", "cooldown_minutes": 60});
        let with_value = |value: i64| with(cooldown.clone(), &json!({key: value}));
        for value in [least, MAX_MINUTES] {
            assert_eq!(refusals(&with_value(value)), [], "{key} {value}");
        }
        for value in [least - 1, MAX_MINUTES + 1, i64::MAX] {
            assert_eq!(refusals(&with_value(value)), one(key, "out_of_range"), "{key} {value}");
        }
        assert_eq!(refusals(&json!({key: 1.5})), one(key, "invalid_value"));
    }
}

#[test]
fn a_cooldown_has_its_minutes_and_nothing_else_has() {
    assert_eq!(refusals(&json!({"reenrollment": "cooldown"})), one("cooldown_minutes", "required"));
    for other in ["once", "per_episode"] {
        assert_eq!(refusals(&json!({"reenrollment": other})), []);
        let both = json!({"reenrollment": other, "cooldown_minutes": 5});
        assert_eq!(refusals(&both), one("cooldown_minutes", "not_allowed"));
    }
    assert_eq!(refusals(&json!({"reenrollment": "often"})), one("reenrollment", "invalid_value"));
}

#[test]
fn conditions_are_checked_with_their_paths_and_their_doubts_are_warnings() {
    let definition = |rules: Value| json!({"version": 1, "entity": "customer", "query": {"combinator": "and", "rules": rules}});
    let wrong = definition(json!([{"field": "colour", "operator": "=", "value": "red"}]));
    let found = refusals(&json!({"conditions": wrong}));
    assert!(found[0].0.starts_with("conditions.query.rules[0]"), "{found:?}");
    assert_eq!(refusals(&json!({"conditions": []}))[0].0, "conditions");
    let never = definition(json!([
        {"field": "status", "operator": "=", "value": "active"},
        {"field": "status", "operator": "=", "value": "inactive"}]));
    let warnings = prepare(&json!({"conditions": never})).unwrap().warnings();
    assert!(warnings[0].path.starts_with("conditions.query"), "{warnings:?}");
}

#[test]
fn an_event_that_nothing_here_writes_is_a_warning() {
    let warnings = |name: &str| {
        prepare(&json!({"event_type": name, "time_offset_minutes": 1})).unwrap().warnings()
    };
    assert_eq!(warnings("boiler_tested")[0].code, "unknown_event_type");
    assert_eq!(warnings("invoice_paid"), []);
    assert_eq!(warnings("no_reply"), []);
    assert_eq!(refusals(&json!({"event_type": "Boiler!"})), one("event_type", "invalid_name"));
}

#[test]
fn everything_wrong_is_said_at_once() {
    let found = refusals(&json!({
        "name": " ", "event_type": null, "max_lateness_minutes": 0, "cooldown_minutes": 3,
        "conditions": {"version": 2},
        "actions": [{"type": "tag_customer"}, 7, {"type": "webhook", "url": "http://x.example"}],
    }));
    let paths: Vec<_> = found.iter().map(|(path, _)| path.as_str()).collect();
    for path in [
        "name",
        "event_type",
        "max_lateness_minutes",
        "cooldown_minutes",
        "actions[0].tag",
        "actions[1]",
        "actions[2].url",
    ] {
        assert!(paths.contains(&path), "{path} is not in {paths:?}");
    }
    assert!(paths.iter().any(|path| path.starts_with("conditions.")));
}

#[test]
fn what_is_missing_altogether_is_required() {
    let nothing = patch::read::<NewRule>(json!({})).unwrap().prepare();
    let paths: Vec<_> = found(nothing).into_iter().map(|(path, _)| path).collect();
    assert_eq!(paths, ["name", "trigger_type", "actions"]);
    assert_eq!(refusals(&json!({"is_enabled": 1})), one("is_enabled", "invalid_value"));
    assert_eq!(refusals(&json!({"org_id": ID})), one("org_id", "invalid_value"));
}

#[test]
fn actions_are_one_to_twenty_objects_of_a_known_type() {
    let tag = json!({"type": "tag_customer", "tag": "x"});
    assert_eq!(actions(&json!([])), one("actions", "required"));
    assert_eq!(actions(&json!({})), one("actions", "invalid_value"));
    assert_eq!(actions(&json!(vec![&tag; MAX_ACTIONS])), []);
    assert_eq!(actions(&json!(vec![&tag; MAX_ACTIONS + 1])), one("actions", "too_many"));
    assert_eq!(actions(&json!([tag, {}])), one("actions[1].type", "required"));
    assert_eq!(actions(&json!([{"type": "explode"}])), one("actions[0].type", "invalid_value"));
    let large = json!({"type": "send_message", "channel": "sms", "purpose": "marketing",
        "body": "x".repeat(99_000)});
    assert_eq!(actions(&json!([large, large])), []);
    assert_eq!(actions(&json!([large, large, large])), one("actions", "too_long"));
}

/// A base action, a change to it, and where and why that is refused; no path: it is not.
type Case = (Value, Value, &'static str, &'static str);

fn cases() -> Vec<Case> {
    messages().into_iter().chain(others()).collect()
}

fn messages() -> Vec<Case> {
    let email = json!({"type": "send_message", "channel": "email", "purpose": "marketing",
        "subject": "Hello", "body": "Dear {{ customer.first_name }}"});
    let sms =
        json!({"type": "send_message", "channel": "sms", "purpose": "transactional", "body": "Hi"});
    let stored = json!({"type": "send_message", "channel": "whatsapp", "purpose": "marketing",
        "template_id": ID});
    vec![
        (email.clone(), json!({}), "", ""),
        (email.clone(), json!({"expires_in_minutes": 60}), "", ""),
        (email.clone(), json!({"channel": "fax"}), "channel", "invalid_value"),
        (email.clone(), json!({"channel": null}), "channel", "required"),
        (email.clone(), json!({"purpose": null}), "purpose", "required"),
        (email.clone(), json!({"purpose": "spam"}), "purpose", "invalid_value"),
        (email.clone(), json!({"subject": null}), "subject", "required"),
        (email.clone(), json!({"body": null}), "body", "required"),
        (email.clone(), json!({"body": "{{ total }}"}), "body", "unknown_variable"),
        (email.clone(), json!({"variables": {"a": 1}}), "variables", "not_allowed"),
        (email.clone(), json!({"variables": []}), "variables", "invalid_value"),
        (
            email.clone(),
            json!({"template_id": "x", "subject": null, "body": null}),
            "template_id",
            "invalid_uuid",
        ),
        (email, json!({"expires_in_minutes": 0}), "expires_in_minutes", "out_of_range"),
        (sms.clone(), json!({}), "", ""),
        (sms.clone(), json!({"subject": "x"}), "subject", "not_allowed"),
        (sms, json!({"to": "+1"}), "to", "unknown_field"),
        (stored.clone(), json!({"variables": {"discount": 5}}), "", ""),
        (stored.clone(), json!({"body": "x"}), "body", "not_allowed"),
        (stored, json!({"subject": "x"}), "subject", "not_allowed"),
    ]
}

fn others() -> Vec<Case> {
    let followup = json!({"type": "create_followup", "title": "Call", "due_in_minutes": 60});
    let set = |field: &str| json!({"type": "set_field", "field": field});
    let notify = json!({"type": "notify_user", "to": "owner", "title": "Look"});
    let segment = json!({"type": "add_to_segment", "segment_id": ID});
    let webhook = json!({"type": "webhook", "url": "https://example.com/hook"});
    let long = "x".repeat(201);
    vec![
        (followup.clone(), json!({}), "", ""),
        (
            followup.clone(),
            json!({"description": "About {{ event.number }}", "priority": "high",
            "assign_to": "owner", "remind_minutes_before": 60}),
            "",
            "",
        ),
        (followup.clone(), json!({"assign_to": ID}), "", ""),
        (followup.clone(), json!({"title": null}), "title", "required"),
        (followup.clone(), json!({"title": " "}), "title", "required"),
        (followup.clone(), json!({"title": 7}), "title", "invalid_value"),
        (followup.clone(), json!({"title": long}), "title", "too_long"),
        (followup.clone(), json!({"title": "{{ customer.nmae }}"}), "title", "unknown_variable"),
        (
            followup.clone(),
            json!({"description": "{{ event.nmber }}"}),
            "description",
            "unknown_variable",
        ),
        (followup.clone(), json!({"description": "{% if %}"}), "description", "syntax"),
        (followup.clone(), json!({"due_in_minutes": null}), "due_in_minutes", "required"),
        (followup.clone(), json!({"due_in_minutes": -1}), "due_in_minutes", "out_of_range"),
        (followup.clone(), json!({"due_in_minutes": "60"}), "due_in_minutes", "invalid_value"),
        (followup.clone(), json!({"due_in_minutes": 5_256_001}), "due_in_minutes", "out_of_range"),
        (followup.clone(), json!({"priority": "urgent"}), "priority", "invalid_value"),
        (followup.clone(), json!({"assign_to": "me"}), "assign_to", "invalid_value"),
        (
            followup.clone(),
            json!({"remind_minutes_before": 61}),
            "remind_minutes_before",
            "out_of_range",
        ),
        (followup, json!({"due_in_hours": 1}), "due_in_hours", "unknown_field"),
        (set("status"), json!({"value": "active"}), "", ""),
        (set("status"), json!({"value": "actve"}), "value", "invalid_value"),
        (set("status"), json!({"value": null}), "value", "invalid_value"),
        (set("status"), json!({}), "value", "required"),
        (set("lifecycle_stage"), json!({"value": "former_customer"}), "", ""),
        (set("lifecycle_stage"), json!({"value": 1}), "value", "invalid_value"),
        (set("pipeline_stage"), json!({"value": "closed_won"}), "", ""),
        (set("pipeline_stage"), json!({"value": "won"}), "value", "invalid_value"),
        (set("source"), json!({"value": "referral"}), "", ""),
        (set("source"), json!({"value": null}), "", ""),
        (set("source"), json!({"value": long}), "value", "too_long"),
        (set("preferred_language"), json!({"value": "es-MX"}), "", ""),
        (set("preferred_language"), json!({"value": "Spanish!"}), "value", "invalid_language"),
        (set("owner_id"), json!({"value": ID}), "", ""),
        (set("owner_id"), json!({"value": null}), "", ""),
        (set("owner_id"), json!({"value": "Ann"}), "value", "invalid_value"),
        (set("email"), json!({"value": "a@example.com"}), "field", "invalid_value"),
        (set("org_id"), json!({"value": ID}), "field", "invalid_value"),
        (notify.clone(), json!({"body": "{{ customer.name }}"}), "", ""),
        (notify.clone(), json!({"to": ID}), "", ""),
        (notify.clone(), json!({"to": null}), "to", "required"),
        (notify.clone(), json!({"to": "everybody"}), "to", "invalid_value"),
        (notify, json!({"title": null}), "title", "required"),
        (segment.clone(), json!({}), "", ""),
        (segment.clone(), json!({"segment_id": "VIP"}), "segment_id", "invalid_uuid"),
        (segment, json!({"segment_id": null}), "segment_id", "required"),
        (webhook.clone(), json!({}), "", ""),
        (webhook.clone(), json!({"url": null}), "url", "required"),
        (webhook.clone(), json!({"url": 7}), "url", "invalid_value"),
        (webhook, json!({"url": "https://10.0.0.1"}), "url", "invalid_url"),
        (json!({"type": "tag_customer", "tag": "VIP"}), json!({}), "", ""),
        (json!({"type": "tag_customer"}), json!({"tag": "x".repeat(101)}), "tag", "too_long"),
        (json!({"type": "untag_customer"}), json!({"tag": " "}), "tag", "required"),
        (json!({"type": "untag_customer"}), json!({"tag": ["a"]}), "tag", "invalid_value"),
    ]
}

#[test]
fn each_field_of_each_action_is_checked_at_its_path() {
    let good = json!({"type": "tag_customer", "tag": "x"});
    for (base, change, path, code) in cases() {
        let action = with(base, &change);
        let expected = match path {
            "" => Vec::new(),
            path => one(&format!("actions[1].{path}"), code),
        };
        assert_eq!(actions(&json!([good, action])), expected, "{action}");
    }
}

#[test]
fn what_is_stored_is_what_the_runner_reads() {
    for (base, change, path, _) in cases() {
        if path.is_empty() {
            let action = with(base, &change);
            let prepared = prepare(&json!({"actions": [action]})).unwrap();
            let stored: Vec<Action> = serde_json::from_value(prepared.rule.actions).unwrap();
            assert_eq!(stored, prepared.read.unwrap().actions, "{action}");
        }
    }
    let messy = json!([{"type": "tag_customer", "tag": "  VIP "},
        {"type": "create_followup", "title": " Call ", "due_in_minutes": 0, "description": ""}]);
    assert_eq!(
        prepare(&json!({"actions": messy})).unwrap().rule.actions,
        json!([{"type": "tag_customer", "tag": "VIP"},
            {"type": "create_followup", "title": "Call", "due_in_minutes": 0}])
    );
}

#[test]
fn texts_know_the_payload_of_the_event_that_the_rule_listens_to() {
    let uses = |field: &str| {
        json!([{"type": "notify_user", "to": "owner",
        "title": format!("{{{{ event.{field} }}}}")}])
    };
    let refused =
        |change: Value, field: &str| refusals(&with(json!({"actions": uses(field)}), &change));
    assert_eq!(refused(json!({}), "number"), []);
    assert_eq!(refused(json!({}), "segment_name"), one("actions[0].title", "unknown_variable"));
    let member =
        json!({"trigger_type": "segment_membership", "event_type": null, "segment_id": ID});
    assert_eq!(refused(member.clone(), "segment_name"), []);
    assert_eq!(refused(member, "number"), one("actions[0].title", "unknown_variable"));
    let changed = json!({"event_type": "customer_updated"});
    assert_eq!(refused(changed.clone(), "to.status"), []);
    assert_eq!(refused(changed, "to.email"), one("actions[0].title", "unknown_variable"));
    assert_eq!(refused(json!({"event_type": "boiler_tested"}), "result.pressure"), []);
    assert_eq!(refused(json!({"event_type": "booking_submitted"}), "wish"), []);
}

fn stored(change: &Value) -> Rule {
    prepare(change).unwrap().rule
}

fn change(stored: Rule, patch: Value) -> Result<PreparedRule> {
    patch::read::<RulePatch>(patch)?.prepare(stored)
}

#[test]
fn a_patch_changes_what_it_names_and_the_whole_is_checked() {
    let before =
        stored(&json!({"description": "Old", "reenrollment": "cooldown", "cooldown_minutes": 9}));
    let after = change(before.clone(), json!({"name": " New ", "description": null})).unwrap();
    let mut expected = json!(before);
    expected["name"] = json!("New");
    expected["description"] = Value::Null;
    assert_eq!(json!(after.rule), expected);
    assert!(after.read.is_none());
    for (patch, path, code) in [
        (json!({"name": null}), "name", "invalid_value"),
        (json!({"name": ""}), "name", "required"),
        (json!({"actions": null}), "actions", "invalid_value"),
        (json!({"actions": [{"type": "tag_customer"}]}), "actions[0].tag", "required"),
        (json!({"event_type": null}), "event_type", "required"),
        (json!({"trigger_type": "time_based"}), "time_offset_minutes", "required"),
        (json!({"reenrollment": "once"}), "cooldown_minutes", "not_allowed"),
        (json!({"version": 7}), "version", "invalid_value"),
    ] {
        assert_eq!(found(change(before.clone(), patch.clone())), one(path, code), "{patch}");
    }
}

#[test]
fn a_new_event_puts_the_texts_to_the_test_again() {
    let before = stored(&json!({"actions": [
        {"type": "notify_user", "to": "owner", "title": "{{ event.number }}"}]}));
    let moved = change(before.clone(), json!({"event_type": "invoice_paid"})).unwrap();
    assert!(moved.read.is_some());
    let refused = change(before, json!({"event_type": "message_received"}));
    assert_eq!(found(refused), one("actions[0].title", "unknown_variable"));
}

#[test]
fn a_rule_with_broken_actions_can_be_disabled_and_not_enabled() {
    let mut broken = stored(&json!({}));
    broken.actions = json!([{"type": "retired"}]);
    let disabled = change(broken, json!({"is_enabled": false})).unwrap();
    assert!(disabled.read.is_none());
    let refused = change(disabled.rule, json!({"is_enabled": true}));
    assert_eq!(found(refused), one("actions[0].type", "invalid_value"));
}

#[test]
fn a_key_is_one_of_its_parts_only() {
    let org = Uuid::from_u128(1);
    let customer = Uuid::from_u128(2);
    let made = key(org, "rule", customer, "event");
    assert_eq!(made, key(org, "rule", customer, "event"));
    for other in [
        key(customer, "rule", org, "event"),
        key(org, "rule2", customer, "event"),
        key(org, "rule", customer, "event2"),
        key(org, "rule|5:event", customer, ""),
    ] {
        assert_ne!(made, other);
    }
}

proptest! {
    #[test]
    fn any_json_is_read_or_refused_with_paths(text in "[\\[\\]{}:,\"a-z0-9 _]{0,60}") {
        let actions = serde_json::from_str(&text).unwrap_or(Value::Null);
        if let Err(error) = prepare(&json!({"actions": actions})) {
            prop_assert_eq!(error.code, Code::InvalidArgument);
            prop_assert!(error.errors.iter().all(|error| error.path.starts_with("actions")));
        }
    }

    /// Fields of the right names with values of any kind.
    #[test]
    fn no_value_of_a_field_makes_it_panic(
        kind in 0..ACTION_TYPES.len(),
        values in prop::collection::vec((0..14_usize, 0..9_usize), 0..6),
    ) {
        let keys = ["title", "description", "due_in_minutes", "priority", "assign_to", "channel", "purpose",
            "template_id", "subject", "body", "variables", "field", "value", "url"];
        let kinds = [json!(null), json!(1.5), json!(-3), json!("{{"), json!("owner"), json!([]), json!({}),
            json!(true), json!("status")];
        let mut action = json!({"type": ACTION_TYPES[kind]});
        for (key, value) in values {
            action[keys[key]] = kinds[value].clone();
        }
        let outcome = prepare(&json!({"actions": [action]}));
        prop_assert!(found(outcome).iter().all(|(path, _)| path.starts_with("actions[0].")));
    }
}
