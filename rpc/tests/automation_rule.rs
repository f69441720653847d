//! Automation rules and their history, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use common::{As, Context, NORTHWIND, VOLT};
use fieldcrm_core::Code;
use fieldcrm_core::automation::Rule;
use serde_json::{Value, json};
use uuid::Uuid;

const MANAGER: As = As::Northwind("manager");
const CREATE: &str = "crm_create_automation_rule";
const UPDATE: &str = "crm_update_automation_rule";

scenarios! {
    a_rule_is_stored_as_it_was_meant
    the_database_and_core_agree_on_what_a_rule_listens_to
    the_same_key_makes_one_rule
    every_example_of_the_reference_is_stored
    roles_without_the_capability_write_no_rules
    another_org_sees_and_changes_nothing
    what_a_rule_names_is_the_orgs_own
    templates_fit_the_channel_and_get_all_they_need
    members_come_by_hand_into_segments_without_rules_only
    conditions_are_checked_with_the_orgs_segments_and_tags
    what_it_does_counts_the_version_and_nothing_else_does
    a_patch_that_changes_nothing_writes_nothing
    a_rule_whose_template_is_gone_can_be_disabled_only
    clients_write_no_rules_past_the_rpc
}

fn rule() -> Value {
    json!({"name": "Thanks", "trigger_type": "event", "event_type": "quote_sent",
        "actions": [{"type": "tag_customer", "tag": "Quoted"}]})
}

fn with(mut base: Value, change: &Value) -> Value {
    base.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    base
}

async fn create(context: &mut Context, change: Value) -> Value {
    context.call(MANAGER, CREATE, with(rule(), &change)).await.unwrap()
}

async fn update(context: &mut Context, id: &Value, patch: Value) -> Value {
    context.call(MANAGER, UPDATE, json!({"id": id, "patch": patch})).await.unwrap()
}

/// Path and code of each refusal.
async fn refusals(context: &mut Context, change: Value) -> Vec<(String, String)> {
    let arguments = with(rule(), &change);
    let error = context.refused(MANAGER, CREATE, arguments, Code::InvalidArgument).await;
    error.errors.into_iter().map(|error| (error.path, error.code)).collect()
}

fn one(path: &str, code: &str) -> Vec<(String, String)> {
    vec![(path.to_owned(), code.to_owned())]
}

fn id(value: &Value) -> Uuid {
    value["id"].as_str().unwrap().parse().unwrap()
}

async fn find(context: &Context, sql: &str, org: Uuid) -> Uuid {
    context.client.query_one(sql, &[&org]).await.unwrap().get(0)
}

async fn segment(context: &Context, kind: &str, org: Uuid) -> Uuid {
    let sql = format!("select id from crm_segments where org_id = $1 and type = '{kind}' limit 1");
    find(context, &sql, org).await
}

async fn template(context: &Context, name: &str, org: Uuid) -> Uuid {
    let sql = format!(
        "select id from crm_message_templates where org_id = $1 and name = '{name}' limit 1"
    );
    find(context, &sql, org).await
}

fn conditions(rules: &Value) -> Value {
    json!({"version": 1, "entity": "customer", "query": {"combinator": "and", "rules": rules}})
}

async fn a_rule_is_stored_as_it_was_meant(context: &mut Context) {
    let active = conditions(&json!([{"field": "status", "operator": "=", "value": "active"}]));
    let made = create(
        context,
        json!({"name": " Thanks ", "conditions": active, "time_offset_minutes": 30,
            "reenrollment": "cooldown", "cooldown_minutes": 60, "description": "After a quote",
            "actions": [{"type": "tag_customer", "tag": " Quoted "}]}),
    )
    .await;
    let manager = context.user("manager@northwind.example").await;
    for (column, value) in [
        ("org_id", json!(NORTHWIND)),
        ("name", json!("Thanks")),
        ("description", json!("After a quote")),
        ("is_enabled", json!(true)),
        ("trigger_type", json!("event")),
        ("event_type", json!("quote_sent")),
        ("time_offset_minutes", json!(30)),
        ("segment_change", json!("entered")),
        ("conditions", active),
        ("actions", json!([{"type": "tag_customer", "tag": "Quoted"}])),
        ("reenrollment", json!("cooldown")),
        ("cooldown_minutes", json!(60)),
        ("max_lateness_minutes", json!(1440)),
        ("version", json!(1)),
        ("created_by_user_id", json!(manager)),
        ("warnings", json!([])),
    ] {
        assert_eq!(made[column], value, "{column}");
    }
    let by_dba = context.call(As::Dba(NORTHWIND), CREATE, rule()).await.unwrap();
    assert_eq!(
        (&by_dba["conditions"], &by_dba["created_by_user_id"]),
        (&Value::Null, &Value::Null)
    );
    let unknown = create(context, json!({"event_type": "boiler_tested"})).await;
    assert_eq!(unknown["warnings"][0]["code"], "unknown_event_type");
}

async fn the_database_and_core_agree_on_what_a_rule_listens_to(context: &mut Context) {
    let segment = segment(context, "static", NORTHWIND).await;
    for (change, expected) in [
        (json!({}), "quote_sent"),
        (json!({"event_type": "no_reply", "time_offset_minutes": 60}), "interaction_logged"),
        (json!({"trigger_type": "time_based", "time_offset_minutes": 60}), "quote_sent"),
        (
            json!({"trigger_type": "time_based", "event_type": null, "time_offset_minutes": 60}),
            "customer_created",
        ),
        (
            json!({"trigger_type": "time_based", "event_type": null, "time_offset_minutes": 60,
                "segment_id": segment, "segment_change": "left"}),
            "segment_left",
        ),
        (
            json!({"trigger_type": "segment_membership", "event_type": null, "segment_id": segment}),
            "segment_entered",
        ),
        (
            json!({"trigger_type": "segment_membership", "event_type": null, "segment_id": segment,
                "segment_change": "left"}),
            "segment_left",
        ),
    ] {
        let made = create(context, change.clone()).await;
        assert_eq!(made["listens_to"], expected, "{change}");
        let read: Rule = serde_json::from_value(made).unwrap();
        assert_eq!(read.listens_to(), expected, "{change}");
    }
}

async fn the_same_key_makes_one_rule(context: &mut Context) {
    let keyed = with(rule(), &json!({"idempotency_key": "k-1"}));
    let first = context.call(MANAGER, CREATE, keyed.clone()).await.unwrap();
    assert_eq!(context.call(MANAGER, CREATE, keyed.clone()).await.unwrap(), first);
    let other = with(keyed, &json!({"name": "Other"}));
    context.refused(MANAGER, CREATE, other, Code::IdempotencyKeyReused).await;
}

async fn every_example_of_the_reference_is_stored(context: &mut Context) {
    let segment = segment(context, "static", NORTHWIND).await.to_string();
    let template = template(context, "Quote follow-up", NORTHWIND).await.to_string();
    let member = context.user("sales@northwind.example").await.to_string();
    for (name, action) in fieldcrm_core::automation::EXAMPLES {
        let action = action
            .replace("<segment>", &segment)
            .replace("<template>", &template)
            .replace("<member>", &member);
        let action: Value = serde_json::from_str(&action).unwrap();
        let made = create(context, json!({"name": name, "actions": [action]})).await;
        assert_eq!(made["actions"], json!([action]), "{name}");
    }
}

async fn roles_without_the_capability_write_no_rules(context: &mut Context) {
    let made = create(context, json!({})).await;
    let patch = json!({"id": made["id"], "patch": {"is_enabled": false}});
    for role in ["owner", "admin", "manager"] {
        context.call(As::Northwind(role), CREATE, rule()).await.unwrap();
        context.call(As::Northwind(role), UPDATE, patch.clone()).await.unwrap();
    }
    for role in [
        "csr",
        "sales",
        "dispatcher",
        "member",
        "viewer",
        "technician",
        "client_admin",
        "portal_customer",
        "portal_manager",
    ] {
        context.refused(As::Northwind(role), CREATE, rule(), Code::Forbidden).await;
        context.refused(As::Northwind(role), UPDATE, patch.clone(), Code::Forbidden).await;
    }
}

async fn another_org_sees_and_changes_nothing(context: &mut Context) {
    let made = create(context, json!({})).await;
    let patch = json!({"id": made["id"], "patch": {"name": "Mine"}});
    context.refused(As::Volt("owner"), UPDATE, patch.clone(), Code::NotFound).await;
    context.refused(As::Dba(VOLT), UPDATE, patch, Code::NotFound).await;
    let absent = json!({"id": Uuid::nil(), "patch": {}});
    context.refused(MANAGER, UPDATE, absent, Code::NotFound).await;
}

async fn what_a_rule_names_is_the_orgs_own(context: &mut Context) {
    let theirs = [
        segment(context, "static", VOLT).await,
        template(context, "Welcome", VOLT).await,
        context.user("csr@volt.example").await,
    ];
    for [segment, template, member] in [theirs, [Uuid::nil(); 3]] {
        let found = refusals(
            context,
            json!({"actions": [
                {"type": "add_to_segment", "segment_id": segment},
                {"type": "send_message", "channel": "email", "purpose": "marketing", "template_id": template},
                {"type": "create_followup", "title": "x", "due_in_minutes": 1, "assign_to": member},
                {"type": "notify_user", "title": "x", "to": member},
                {"type": "set_field", "field": "owner_id", "value": member},
            ]}),
        )
        .await;
        let expected: Vec<_> = [
            ("actions[0].segment_id", "unknown_segment"),
            ("actions[2].assign_to", "unknown_assignee"),
            ("actions[3].to", "unknown_assignee"),
            ("actions[4].value", "unknown_assignee"),
            ("actions[1].template_id", "unknown_template"),
        ]
        .into_iter()
        .flat_map(|(path, code)| one(path, code))
        .collect();
        assert_eq!(found, expected);
        let awaited = json!({"trigger_type": "segment_membership", "event_type": null, "segment_id": segment});
        assert_eq!(refusals(context, awaited).await, one("segment_id", "unknown_segment"));
    }
    let portal = context.user("portal_customer@northwind.example").await;
    let to = json!({"actions": [{"type": "notify_user", "title": "x", "to": portal}]});
    assert_eq!(refusals(context, to).await, one("actions[0].to", "unknown_assignee"));
}

async fn templates_fit_the_channel_and_get_all_they_need(context: &mut Context) {
    let [email, sms, script] = [
        template(context, "Quote follow-up", NORTHWIND).await,
        template(context, "Visit reminder", NORTHWIND).await,
        template(context, "Missed call", NORTHWIND).await,
    ];
    let send = |channel: &str, template: Uuid, variables: Value| {
        json!({"actions": [{"type": "send_message", "channel": channel, "purpose": "marketing",
            "template_id": template, "variables": variables}]})
    };
    let day = json!({"visit_date": "Monday"});
    for (channel, template, variables) in [
        ("email", email, json!({"quote_number": 7})),
        ("sms", sms, day.clone()),
        ("whatsapp", sms, day.clone()),
    ] {
        create(context, send(channel, template, variables)).await;
    }
    for (channel, template) in [("sms", email), ("email", sms), ("email", script), ("sms", script)]
    {
        let found = refusals(context, send(channel, template, json!({}))).await;
        assert_eq!(found, one("actions[0].template_id", "wrong_channel"), "{channel}");
    }
    let found = refusals(context, send("sms", sms, json!({}))).await;
    assert_eq!(found, one("actions[0].template_id", "unknown_variable"), "visit_date is missing");
    let found = refusals(context, send("sms", sms, with(day, &json!({"other": 1})))).await;
    assert_eq!(found, one("actions[0].variables.other", "unknown_variable"));
}

async fn members_come_by_hand_into_segments_without_rules_only(context: &mut Context) {
    let ruled = segment(context, "rule_based", NORTHWIND).await;
    let add = json!({"actions": [{"type": "add_to_segment", "segment_id": ruled}]});
    assert_eq!(refusals(context, add).await, one("actions[0].segment_id", "rule_based_segment"));
    let awaited =
        json!({"trigger_type": "segment_membership", "event_type": null, "segment_id": ruled});
    create(context, awaited).await;
}

async fn conditions_are_checked_with_the_orgs_segments_and_tags(context: &mut Context) {
    let named = |name: &str| {
        json!({"conditions": conditions(&json!([
            {"field": "segment", "operator": "in", "value": [name]},
            {"field": "tags", "operator": "containsAny", "value": ["No such tag"]}]))})
    };
    let found = refusals(context, named("No such segment")).await;
    assert_eq!(found.len(), 1);
    assert!(found[0].0.starts_with("conditions.query.rules[0]"), "{found:?}");
    assert_eq!(found[0].1, "unknown_segment");
    let made = create(context, named("VIP customers")).await;
    assert_eq!(made["warnings"][0]["code"], "unknown_tag");
    let path = made["warnings"][0]["path"].as_str().unwrap();
    assert!(path.starts_with("conditions.query.rules[1]"), "{path}");
    let wrong = json!({"conditions": conditions(&json!([{"field": "colour", "operator": "=", "value": 1}]))});
    assert!(refusals(context, wrong).await[0].0.starts_with("conditions.query.rules[0]"));
}

async fn what_it_does_counts_the_version_and_nothing_else_does(context: &mut Context) {
    let made = create(context, json!({"is_enabled": false})).await;
    let id = &made["id"];
    let renamed = update(context, id, json!({"name": "Other", "description": "x"})).await;
    assert_eq!((&renamed["version"], &renamed["name"]), (&json!(1), &json!("Other")));
    let enabled = update(context, id, json!({"is_enabled": true})).await;
    assert_eq!((&enabled["version"], &enabled["is_enabled"]), (&json!(1), &json!(true)));
    let mut version = 1;
    for patch in [
        json!({"event_type": "quote_accepted"}),
        json!({"time_offset_minutes": 5}),
        json!({"conditions": conditions(&json!([{"field": "owner_id", "operator": "null"}]))}),
        json!({"actions": [{"type": "untag_customer", "tag": "Quoted"}]}),
        json!({"reenrollment": "cooldown", "cooldown_minutes": 9}),
        json!({"max_lateness_minutes": 5}),
        json!({"conditions": null}),
        json!({"reenrollment": "once", "cooldown_minutes": null}),
    ] {
        version += 1;
        let changed = update(context, id, patch.clone()).await;
        assert_eq!(changed["version"], version, "{patch}");
        for (column, value) in patch.as_object().unwrap() {
            assert_eq!(&changed[column], value, "{column}");
        }
    }
}

async fn a_patch_that_changes_nothing_writes_nothing(context: &mut Context) {
    let made = create(context, json!({})).await;
    let key = id(&made);
    let place = "select ctid::text from crm_automation_rules where id = $1";
    let before: String = context.client.query_one(place, &[&key]).await.unwrap().get(0);
    let same = json!({"name": " Thanks", "actions": [{"type": "tag_customer", "tag": "Quoted "}]});
    for patch in [json!({}), same] {
        let mut answer = update(context, &made["id"], patch).await;
        answer["warnings"] = made["warnings"].clone();
        assert_eq!(answer, made);
    }
    let after: String = context.client.query_one(place, &[&key]).await.unwrap().get(0);
    assert_eq!(before, after);
}

async fn a_rule_whose_template_is_gone_can_be_disabled_only(context: &mut Context) {
    let template = template(context, "Visit reminder", NORTHWIND).await;
    let send = json!({"type": "send_message", "channel": "sms", "purpose": "transactional",
        "template_id": template, "variables": {"visit_date": "Monday"}});
    let made = create(context, json!({"actions": [send]})).await;
    context
        .client
        .execute("delete from crm_message_templates where id = $1", &[&template])
        .await
        .unwrap();
    let off = update(context, &made["id"], json!({"is_enabled": false, "name": "Retired"})).await;
    assert_eq!((&off["is_enabled"], &off["name"]), (&json!(false), &json!("Retired")));
    let on = json!({"id": made["id"], "patch": {"is_enabled": true}});
    let error = context.refused(MANAGER, UPDATE, on, Code::InvalidArgument).await;
    assert_eq!(error.errors[0].path, "actions[0].template_id");
}

async fn clients_write_no_rules_past_the_rpc(context: &mut Context) {
    create(context, json!({})).await;
    for role in ["authenticated", "service_role"] {
        for sql in [
            "insert into crm_automation_rules (org_id, name, trigger_type, event_type, actions)
               select org_id, 'x', 'event', 'x', actions from crm_automation_rules",
            "update crm_automation_rules set is_enabled = false",
            "insert into crm_automation_runs (org_id, rule_id, rule_version, occurrence_key)
               select org_id, id, 1, 'x' from crm_automation_rules",
            "update crm_automation_runs set status = 'success'",
        ] {
            context.client.batch_execute("savepoint try").await.unwrap();
            context.enter(As::Northwind("owner"), role).await;
            let error = context.client.batch_execute(sql).await.unwrap_err();
            assert_eq!(error.code().unwrap().code(), "42501", "{role}: {sql}");
            context.client.batch_execute("rollback to try").await.unwrap();
            context.leave().await;
        }
    }
}
