//! Segments, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use common::{As, Context};
use common::{NORTHWIND, VOLT};
use fieldcrm_core::Code;
use serde_json::{Value, json};

const CSR: As = As::Northwind("csr");

scenarios! {
    every_example_of_the_reference_runs_and_explains
    a_segment_is_made_computed_and_changed_with_versions
    what_a_segment_must_have_depends_on_its_type
    what_a_model_proposed_can_be_edited_as_rules
    every_mistake_of_a_definition_is_said_with_its_path
    unknown_tags_and_contradictions_are_warnings
    recompute_touches_the_difference_only
    entering_and_leaving_are_events_once
    explain_says_why_and_agrees_with_the_preview
    a_cycle_is_refused_with_its_path
    due_segments_are_computed_after_those_they_depend_on
    members_of_static_segments_are_put_in_and_out_in_bulk
    roles_without_the_capability_are_refused
    another_org_sees_and_matches_nothing
    clients_write_no_definition_past_the_rpc
}

fn definition(rules: Value) -> Value {
    let query = json!({"combinator": "and", "rules": null});
    let mut whole = json!({"version": 1, "entity": "customer", "query": query});
    whole["query"]["rules"] = rules;
    whole
}

async fn every_example_of_the_reference_runs_and_explains(context: &mut Context) {
    let id = customer(context, json!({"name": "Example"})).await;
    for (name, rule) in fieldcrm_core::segment::EXAMPLES {
        let rule: Value = serde_json::from_str(rule).unwrap();
        let definition = definition(json!([rule]));
        let preview = json!({"definition": definition});
        context
            .call(CSR, "crm_segment_preview", preview)
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let explain = json!({"definition": definition, "customer_id": id});
        let explained = context.call(CSR, "crm_segment_explain", explain).await.unwrap();
        assert_eq!(
            explained["tree"]["rules"][0]["result"], explained["matches"],
            "{name} {explained}"
        );
        assert_eq!(explained["tree"]["result"], explained["matches"], "{name}");
    }
}

async fn customer(context: &mut Context, mut with: Value) -> Value {
    with["type"] = json!("company");
    context.call(CSR, "crm_create_customer", with).await.unwrap()["id"].take()
}

async fn make(context: &mut Context, name: &str, rules: Value) -> Value {
    let arguments = json!({"name": name, "type": "rule_based", "definition": definition(rules)});
    context.call(CSR, "crm_create_segment", arguments).await.unwrap()
}

async fn members(context: &Context, segment: &Value) -> i64 {
    let id: uuid::Uuid = segment["id"].as_str().unwrap().parse().unwrap();
    let sql = "select count(*) from crm_segment_members where segment_id = $1";
    context.client.query_one(sql, &[&id]).await.unwrap().get(0)
}

fn source(source: &str) -> Value {
    json!([{"field": "source", "operator": "=", "value": source}])
}

async fn a_segment_is_made_computed_and_changed_with_versions(context: &mut Context) {
    customer(context, json!({"name": "A", "source": "s-web"})).await;
    customer(context, json!({"name": "B", "source": "s-fair"})).await;
    customer(context, json!({"name": "C", "source": "s-fair"})).await;
    let made = make(context, "Web", source("s-web")).await;
    assert_eq!(made["computed"], json!({"added": 1, "removed": 0, "total": 1}));
    assert_eq!((&made["version"], &made["type"]), (&json!(1), &json!("rule_based")));
    assert!(made["last_computed_at"].is_string());
    let patch = json!({"id": made["id"], "patch": {"definition": definition(source("s-fair")), "name": "Fair"}});
    let changed = context.call(CSR, "crm_update_segment", patch).await.unwrap();
    assert_eq!(changed["computed"], json!({"added": 2, "removed": 1, "total": 2}));
    assert_eq!((&changed["version"], &changed["name"]), (&json!(2), &json!("Fair")));
    let patch =
        json!({"id": made["id"], "patch": {"description": "from the fair", "is_active": false}});
    let described = context.call(CSR, "crm_update_segment", patch).await.unwrap();
    assert_eq!((&described["version"], &described["is_active"]), (&json!(2), &json!(false)));
    let sql = "select count(*), max(changed_by_user_id::text) from crm_segment_versions where segment_id = $1";
    let id: uuid::Uuid = made["id"].as_str().unwrap().parse().unwrap();
    let row = context.client.query_one(sql, &[&id]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 2);
    assert_eq!(row.get::<_, String>(1), context.user("csr@northwind.example").await.to_string());
    let taken = json!({"name": "Fair", "type": "static"});
    context.refused(CSR, "crm_create_segment", taken, Code::Conflict).await;
}

async fn what_a_segment_must_have_depends_on_its_type(context: &mut Context) {
    for (arguments, path) in [
        (json!({"name": "x", "type": "rule_based"}), "definition"),
        (
            json!({"name": "x", "type": "static", "definition": definition(source("a"))}),
            "definition",
        ),
        (json!({"name": "x", "type": "ai_generated"}), "ai_prompt"),
        (json!({"name": "x", "type": "static", "ai_prompt": "find them"}), "ai_prompt"),
        (json!({"name": " ", "type": "static"}), "name"),
    ] {
        let error =
            context.refused(CSR, "crm_create_segment", arguments, Code::InvalidArgument).await;
        assert_eq!(error.errors[0].path, path);
    }
    let ai = json!({"name": "AI", "type": "ai_generated", "ai_prompt": "likely to buy"});
    let ai = context.call(CSR, "crm_create_segment", ai).await.unwrap();
    context.refused(CSR, "crm_recompute_segment", json!({"id": ai["id"]}), Code::RuleBroken).await;
    let patch = json!({"id": ai["id"], "patch": {"definition": definition(source("s-ai"))}});
    let defined = context.call(CSR, "crm_update_segment", patch).await.unwrap();
    assert_eq!(defined["computed"]["total"], 0);
}

async fn what_a_model_proposed_can_be_edited_as_rules(context: &mut Context) {
    customer(context, json!({"name": "A", "source": "s-ai"})).await;
    let ai = json!({"name": "AI", "type": "ai_generated", "ai_prompt": "likely to buy"});
    let ai = context.call(CSR, "crm_create_segment", ai).await.unwrap();
    let update = |patch: Value| json!({"id": ai["id"], "patch": patch});
    let proposed = json!({"definition": definition(source("s-ai")), "ai_explanation": "source is s-ai",
        "version": ai["version"]});
    let stored = context.call(CSR, "crm_update_segment", update(proposed.clone())).await.unwrap();
    assert_eq!((&stored["version"], &stored["computed"]["total"]), (&json!(2), &json!(1)));
    assert_eq!(stored["ai_explanation"], "source is s-ai");
    let error = context.refused(CSR, "crm_update_segment", update(proposed), Code::Conflict).await;
    assert_eq!(error.data["field"], "version", "somebody else was quicker");
    let edited = json!({"type": "rule_based", "definition": definition(source("s-other"))});
    let edited = context.call(CSR, "crm_update_segment", update(edited)).await.unwrap();
    assert_eq!(
        (&edited["type"], &edited["computed"]["removed"]),
        (&json!("rule_based"), &json!(1))
    );
    assert_eq!((&edited["ai_prompt"], &edited["ai_explanation"]), (&Value::Null, &Value::Null));
}

async fn every_mistake_of_a_definition_is_said_with_its_path(context: &mut Context) {
    let wrong = json!({"version": 2, "entity": "customer", "extra": 1, "query": {"combinator": "nor", "rules": [
        {"field": "statu", "operator": "=", "value": "active"},
        {"field": "status", "operator": "~", "value": "active"},
        {"field": "status", "operator": "in", "value": ["active", "gone"]},
        {"field": "name", "operator": "withinLast", "value": "P1D"},
        {"combinator": "and", "rules": []},
        {"field": "interactions", "operator": "=", "value": {"combinator": "and", "rules": [
            {"field": "quotes", "operator": "null"}]}},
        {"field": "created_at", "operator": "olderThan", "value": "-P1D"},
    ]}});
    let checked =
        context.call(CSR, "crm_segment_validate", json!({"definition": wrong})).await.unwrap();
    assert_eq!(checked["ok"], false);
    let mut found: Vec<_> = checked["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (error["path"].as_str().unwrap(), error["code"].as_str().unwrap()))
        .collect();
    found.sort_unstable();
    assert_eq!(
        found,
        [
            ("extra", "unknown_key"),
            ("query.combinator", "unknown_combinator"),
            ("query.rules[0].field", "unknown_field"),
            ("query.rules[1].operator", "unknown_operator"),
            ("query.rules[2].value[1]", "invalid_value"),
            ("query.rules[3].operator", "operator_not_allowed"),
            ("query.rules[4]", "empty_group"),
            ("query.rules[5].value.rules[0].field", "nested_related"),
            ("query.rules[6].value", "invalid_duration"),
            ("version", "unknown_version"),
        ]
    );
    let error = context
        .refused(CSR, "crm_segment_preview", json!({"definition": wrong}), Code::InvalidArgument)
        .await;
    assert!(error.errors.iter().all(|error| error.path.starts_with("definition.")));
    let unknown =
        definition(json!([{"field": "segment", "operator": "in", "value": ["Nobody's"]}]));
    let checked =
        context.call(CSR, "crm_segment_validate", json!({"definition": unknown})).await.unwrap();
    assert_eq!(checked["errors"][0]["path"], "query.rules[0].value[0]");
    assert_eq!(checked["errors"][0]["code"], "unknown_segment");
}

async fn unknown_tags_and_contradictions_are_warnings(context: &mut Context) {
    let rules = json!([
        {"field": "tags", "operator": "containsAny", "value": ["vip", "unheard of"]},
        {"field": "last_interaction_at", "operator": "olderThan", "value": "P180D"},
        {"field": "interactions", "operator": "=", "value": {"combinator": "and", "rules": [
            {"field": "occurred_at", "operator": "withinLast", "value": "P90D"}]}},
        {"field": "status", "operator": "=", "value": "active"},
        {"field": "status", "operator": "in", "value": ["inactive", "prospect"]},
    ]);
    let checked = context
        .call(CSR, "crm_segment_validate", json!({"definition": definition(rules)}))
        .await
        .unwrap();
    assert_eq!(checked["ok"], true);
    let mut found: Vec<_> = checked["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (error["path"].as_str().unwrap(), error["code"].as_str().unwrap()))
        .collect();
    found.sort_unstable();
    assert_eq!(
        found,
        [
            ("query.rules[0].value[1]", "unknown_tag"),
            ("query.rules[2]", "contradiction"),
            ("query.rules[4]", "contradiction"),
        ]
    );
}

async fn recompute_touches_the_difference_only(context: &mut Context) {
    let stays = customer(context, json!({"name": "A", "source": "s-1"})).await;
    let leaves = customer(context, json!({"name": "B", "source": "s-1"})).await;
    let segment = make(context, "Difference", source("s-1")).await;
    let row = async |context: &Context, id: &Value| -> Option<String> {
        let sql = "select xmin::text || id from crm_segment_members where customer_id = $1";
        let id: uuid::Uuid = id.as_str().unwrap().parse().unwrap();
        context.client.query_opt(sql, &[&id]).await.unwrap().map(|row| row.get(0))
    };
    let before = row(context, &stays).await;
    let patch = json!({"id": leaves, "patch": {"source": "s-2"}});
    context.call(CSR, "crm_update_customer", patch).await.unwrap();
    customer(context, json!({"name": "C", "source": "s-1"})).await;
    let again = json!({"id": segment["id"]});
    let outcome = context.call(CSR, "crm_recompute_segment", again.clone()).await.unwrap();
    assert_eq!(outcome, json!({"added": 1, "removed": 1, "total": 2}));
    let outcome = context.call(CSR, "crm_recompute_segment", again).await.unwrap();
    assert_eq!(outcome, json!({"added": 0, "removed": 0, "total": 2}));
    assert_eq!(row(context, &stays).await, before);
    assert_eq!(row(context, &leaves).await, None);
}

async fn entering_and_leaving_are_events_once(context: &mut Context) {
    let id = customer(context, json!({"name": "A", "source": "s-1"})).await;
    let segment = make(context, "Events", source("s-1")).await;
    let again = json!({"id": segment["id"]});
    for source in ["s-2", "s-2", "s-1"] {
        let patch = json!({"id": id, "patch": {"source": source}});
        context.call(CSR, "crm_update_customer", patch).await.unwrap();
        context.call(CSR, "crm_recompute_segment", again.clone()).await.unwrap();
    }
    let sql = "select array_agg(event_type order by event_type), bool_and(payload ->> 'segment_id' = $2 and org_id = $3)
        from crm_events where customer_id = $1 and event_type ~ '^segment_'";
    let key: uuid::Uuid = id.as_str().unwrap().parse().unwrap();
    let row = context
        .client
        .query_one(sql, &[&key, &segment["id"].as_str().unwrap(), &NORTHWIND])
        .await
        .unwrap();
    let types: Vec<String> = row.get(0);
    assert_eq!(types, ["segment_entered", "segment_entered", "segment_left"]);
    assert!(row.get::<_, bool>(1));
    // A customer and a segment that go take their events and members along, and make no new ones.
    context.client.execute("delete from customers where id = $1", &[&key]).await.unwrap();
    context
        .client
        .execute(
            "delete from crm_segments where id = $1::text::uuid",
            &[&segment["id"].as_str().unwrap()],
        )
        .await
        .unwrap();
}

async fn explain_says_why_and_agrees_with_the_preview(context: &mut Context) {
    let id = customer(
        context,
        json!({"name": "Ann's", "source": "s-1", "status": "prospect", "tags": ["VIP"]}),
    )
    .await;
    let rules = json!([
        {"id": "r1", "field": "status", "operator": "in", "value": ["active", "inactive"]},
        {"id": "m", "muted": true, "field": "nonsense"},
        {"combinator": "or", "not": true, "rules": [{"field": "source", "operator": "contains", "value": "zzz"}]},
        {"field": "tags", "operator": "containsAny", "value": "vip"},
        {"field": "invoices", "operator": ">", "value": 500, "meta": {"aggregate": {"fn": "sum", "column": "total"}}},
    ]);
    let arguments = json!({"definition": definition(rules), "customer_id": id});
    let explained = context.call(CSR, "crm_segment_explain", arguments).await.unwrap();
    assert_eq!(explained["matches"], false);
    assert_eq!(
        explained["sentence"],
        "status is active or inactive, and not (source contains \"zzz\"), and tags contain \"vip\", \
         and the sum of total of invoices is more than 500"
    );
    let tree = &explained["tree"]["rules"];
    assert_eq!(
        tree[0],
        json!({"id": "r1", "field": "status", "operator": "in", "value": ["active", "inactive"],
        "result": false, "actual": "prospect", "wanted": "is active or inactive"})
    );
    assert_eq!(tree[1], json!({"id": "m", "muted": true, "field": "nonsense"}));
    assert_eq!((&tree[2]["result"], &tree[2]["rules"][0]["result"]), (&json!(true), &json!(false)));
    assert_eq!((&tree[3]["result"], &tree[3]["actual"]), (&json!(true), &json!(["VIP"])));
    assert_eq!((&tree[4]["result"], &tree[4]["actual"]), (&json!(false), &json!(0)));
    let segment = make(context, "Explained", source("s-1")).await;
    let both = json!({"segment_id": segment["id"], "customer_id": id});
    assert_eq!(
        context.call(CSR, "crm_segment_explain", both.clone()).await.unwrap()["matches"],
        true
    );
    assert_eq!(
        context.call(CSR, "crm_segment_matches", both.clone()).await.unwrap(),
        json!({"matches": true})
    );
    let archive = json!({"id": id, "patch": {"is_archived": true}});
    if context.call(CSR, "crm_update_customer", archive).await.is_err() {
        let key: uuid::Uuid = id.as_str().unwrap().parse().unwrap();
        context
            .client
            .execute("update customers set is_archived = true where id = $1", &[&key])
            .await
            .unwrap();
    }
    assert_eq!(
        context.call(CSR, "crm_segment_explain", both.clone()).await.unwrap()["matches"],
        false
    );
    assert_eq!(
        context.call(CSR, "crm_segment_matches", both).await.unwrap(),
        json!({"matches": false})
    );
}

async fn a_cycle_is_refused_with_its_path(context: &mut Context) {
    let within = |name: &str| json!([{"field": "segment", "operator": "in", "value": [name]}]);
    let first = make(context, "First", source("a")).await;
    let second = make(context, "Second", within("First")).await;
    let third = make(context, "Third", within(second["id"].as_str().unwrap())).await;
    for (name, cycle) in [
        ("Third", json!(["First", "Third", "Second", "First"])),
        ("First", json!(["First", "First"])),
    ] {
        let patch = json!({"id": first["id"], "patch": {"definition": definition(within(name))}});
        let error = context.refused(CSR, "crm_update_segment", patch, Code::InvalidArgument).await;
        assert_eq!((error.errors[0].code.as_str(), &error.data["cycle"]), ("cycle", &cycle));
    }
    assert_eq!(third["depends_on"], json!([second["id"]]));
    // First is used by its name, Second by its id.
    let rename = |id: &Value| json!({"id": id, "patch": {"name": "Renamed"}});
    let error =
        context.refused(CSR, "crm_update_segment", rename(&first["id"]), Code::Conflict).await;
    assert_eq!(error.data["segments"], json!(["Second"]));
    context.call(CSR, "crm_update_segment", rename(&second["id"])).await.unwrap();
}

async fn due_segments_are_computed_after_those_they_depend_on(context: &mut Context) {
    let base = make(context, "Base", source("s-due")).await;
    let on_top = json!([{"field": "segment", "operator": "in", "value": ["Base"]}]);
    let top = make(context, "Atop", on_top).await;
    customer(context, json!({"name": "A", "source": "s-due"})).await;
    // The one that depends is due first.
    let sql = "update crm_segments set recompute_at = now() - case name when 'Atop' then interval '2 days'
        when 'Base' then '1 day' else interval '-1 day' end";
    context.client.batch_execute(sql).await.unwrap();
    let done =
        context.call(As::Dba(NORTHWIND), "crm_recompute_due_segments", json!({})).await.unwrap();
    let ids: Vec<_> =
        done["segments"].as_array().unwrap().iter().map(|one| &one["segment_id"]).collect();
    assert_eq!(ids, [&base["id"], &top["id"]]);
    assert_eq!(done["segments"][1]["total"], 1);
    let done =
        context.call(As::Dba(NORTHWIND), "crm_recompute_due_segments", json!({})).await.unwrap();
    assert_eq!(done["segments"], json!([]));
    context.refused(CSR, "crm_recompute_due_segments", json!({}), Code::Forbidden).await;
}

async fn members_of_static_segments_are_put_in_and_out_in_bulk(context: &mut Context) {
    let mut ids = Vec::new();
    for name in ["A", "B", "C"] {
        ids.push(customer(context, json!({"name": name})).await);
    }
    let segment = json!({"name": "Picked", "type": "static"});
    let segment = context.call(CSR, "crm_create_segment", segment).await.unwrap();
    let stranger = json!("00000000-0000-4000-8000-000000000000");
    let arguments = json!({"segment_id": segment["id"], "customer_ids": [ids[0], ids[1], stranger], "scores": [0.5, null, 1]});
    let outcome = context.call(CSR, "crm_segment_add_members", arguments.clone()).await.unwrap();
    assert_eq!(outcome, json!({"added": 2, "removed": 0, "not_found": [stranger]}));
    let outcome = context.call(CSR, "crm_segment_add_members", arguments).await.unwrap();
    assert_eq!(outcome["added"], 0);
    let arguments = json!({"segment_id": segment["id"], "customer_ids": [ids[0], ids[2]]});
    let outcome = context.call(CSR, "crm_segment_remove_members", arguments).await.unwrap();
    assert_eq!(outcome, json!({"added": 0, "removed": 1, "not_found": [ids[2]]}));
    assert_eq!(members(context, &segment).await, 1);
    let many = json!({"segment_id": segment["id"], "customer_ids": vec![stranger; 10_001]});
    context.refused(CSR, "crm_segment_add_members", many, Code::InvalidArgument).await;
    let ruled = make(context, "Ruled", source("a")).await;
    let arguments = json!({"segment_id": ruled["id"], "customer_ids": [ids[0]]});
    context.refused(CSR, "crm_segment_add_members", arguments, Code::WrongState).await;
}

async fn roles_without_the_capability_are_refused(context: &mut Context) {
    let segment = make(context, "Roles", source("a")).await;
    let id = customer(context, json!({"name": "A"})).await;
    let asked = definition(source("a"));
    for role in ["viewer", "dispatcher", "member", "technician", "client_admin", "portal_customer"]
    {
        let caller = As::Northwind(role);
        let new = json!({"name": "mine", "type": "static"});
        context.refused(caller, "crm_create_segment", new, Code::Forbidden).await;
        context
            .refused(caller, "crm_recompute_segment", json!({"id": segment["id"]}), Code::Forbidden)
            .await;
        context.refused(caller, "crm_segment_aggregates", json!({}), Code::Forbidden).await;
        context.refused(caller, "crm_segment_vocabulary", json!({}), Code::Forbidden).await;
        let reads = ["viewer", "dispatcher", "member"].contains(&role);
        for (name, arguments) in [
            ("crm_segment_validate", json!({"definition": asked})),
            ("crm_segment_sql", json!({"definition": asked})),
            ("crm_segment_preview", json!({"definition": asked})),
            ("crm_segment_explain", json!({"definition": asked, "customer_id": id})),
            ("crm_segment_matches", json!({"segment_id": segment["id"], "customer_id": id})),
            ("crm_segment_fields", json!({})),
        ] {
            if reads {
                context.call(caller, name, arguments).await.unwrap();
            } else {
                context.refused(caller, name, arguments, Code::Forbidden).await;
            }
        }
    }
}

async fn another_org_sees_and_matches_nothing(context: &mut Context) {
    let id = customer(context, json!({"name": "A", "source": "s-org"})).await;
    let segment = make(context, "Org", source("s-org")).await;
    let volt = As::Volt("owner");
    let preview = json!({"definition": definition(source("s-org"))});
    assert_eq!(context.call(volt, "crm_segment_preview", preview).await.unwrap()["count"], 0);
    let both = json!({"segment_id": segment["id"], "customer_id": id});
    context.refused(volt, "crm_segment_matches", both.clone(), Code::NotFound).await;
    context.refused(volt, "crm_segment_explain", both, Code::NotFound).await;
    context
        .refused(volt, "crm_recompute_segment", json!({"id": segment["id"]}), Code::NotFound)
        .await;
    let patch = json!({"id": segment["id"], "patch": {"name": "Stolen"}});
    context.refused(volt, "crm_update_segment", patch, Code::NotFound).await;
    let named = json!({"definition": definition(json!([{"field": "segment", "operator": "in", "value": [segment["id"]]}]))});
    let checked = context.call(volt, "crm_segment_validate", named).await.unwrap();
    assert_eq!(checked["errors"][0]["code"], "unknown_segment");
    let own = json!({"name": "Own", "type": "static"});
    let own = context.call(As::Dba(VOLT), "crm_create_segment", own).await.unwrap();
    assert_eq!(own["org_id"], json!(VOLT));
    let foreign = json!({"segment_id": own["id"], "customer_ids": [id]});
    let outcome = context.call(volt, "crm_segment_add_members", foreign).await.unwrap();
    assert_eq!(outcome["not_found"], json!([id]));
}

async fn clients_write_no_definition_past_the_rpc(context: &mut Context) {
    make(context, "Guarded", source("a")).await;
    for sql in [
        "update crm_segments set definition = '{}' where name = 'Guarded'",
        "insert into crm_segments (name, type) values ('Mine', 'static')",
        "insert into crm_events (org_id, event_type, event_key) select org_id, 'x', 'x' from crm_segments",
        "delete from crm_segment_versions",
    ] {
        context.client.batch_execute("savepoint direct").await.unwrap();
        context.enter(As::Northwind("owner"), "authenticated").await;
        let error = context.client.batch_execute(sql).await.unwrap_err();
        assert_eq!(error.code().unwrap().code(), "42501", "{sql}");
        context.client.batch_execute("rollback to direct").await.unwrap();
    }
}
