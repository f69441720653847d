//! Follow-ups that are made once, whoever asks and how often, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use common::{As, Context, NORTHWIND, VOLT};
use fieldcrm_core::Code;
use serde_json::{Value, json};
use uuid::Uuid;

const CSR: As = As::Northwind("csr");
const MEMBER: As = As::Northwind("member");

scenarios! {
    the_same_key_is_the_same_follow_up_for_everybody
    a_key_belongs_to_an_org
    without_a_key_the_occurrence_is_the_key
    a_key_that_is_there_writes_nothing
    what_is_given_is_what_is_made
    a_key_that_somebody_else_made_another_way_is_the_same
    only_the_back_end_speaks_for_a_system_rule
    references_and_assignees_are_those_of_the_org
    roles_without_the_capability_ensure_nothing
    all_mistakes_are_reported_at_once
}

async fn customer(context: &mut Context, caller: As) -> Value {
    let input = json!({"type": "company", "name": "Acme"});
    context.call(caller, "crm_create_customer", input).await.unwrap()["id"].take()
}

fn due(customer: &Value) -> Value {
    json!({"customer_id": customer, "title": "Renew the plan", "due_at": "2027-03-01T09:00:00Z"})
}

fn with(mut arguments: Value, key: &str, value: Value) -> Value {
    arguments[key] = value;
    arguments
}

async fn ensure(context: &mut Context, caller: As, arguments: Value) -> Value {
    context.call(caller, "crm_ensure_followup", arguments).await.unwrap()
}

async fn row(context: &Context, id: &Value) -> Value {
    let id: Uuid = id.as_str().unwrap().parse().unwrap();
    let sql = "select to_jsonb(f) from crm_followups f where f.id = $1";
    context.client.query_one(sql, &[&id]).await.unwrap().get(0)
}

async fn the_same_key_is_the_same_follow_up_for_everybody(context: &mut Context) {
    let [ours, other] = [customer(context, CSR).await, customer(context, CSR).await];
    let key = json!("renewal:2027");
    let first = ensure(context, CSR, with(due(&ours), "dedupe_key", key.clone())).await;
    assert_eq!(first["created"], true);
    let again = json!({"id": first["id"], "created": false});
    for caller in
        [CSR, As::Northwind("owner"), As::Northwind("dispatcher"), MEMBER, As::Dba(NORTHWIND)]
    {
        // Of another customer too, which is not the member's.
        let arguments = with(with(due(&other), "dedupe_key", key.clone()), "title", json!("X"));
        assert_eq!(ensure(context, caller, arguments).await, again, "{caller:?}");
    }
}

async fn a_key_belongs_to_an_org(context: &mut Context) {
    let ours = customer(context, CSR).await;
    let theirs = customer(context, As::Volt("csr")).await;
    let key = json!("renewal:2027");
    let first = ensure(context, CSR, with(due(&ours), "dedupe_key", key.clone())).await;
    let other =
        ensure(context, As::Volt("csr"), with(due(&theirs), "dedupe_key", key.clone())).await;
    assert_eq!(other["created"], true);
    assert_ne!(other["id"], first["id"]);
    // A customer of another org is nobody, and nothing tells whether the other org has the key.
    for key in ["renewal:2027", "renewal:2028"] {
        let arguments = with(due(&theirs), "dedupe_key", json!(key));
        let outcome = context.call(As::Dba(NORTHWIND), "crm_ensure_followup", arguments).await;
        match key {
            "renewal:2027" => assert_eq!(outcome.unwrap()["id"], first["id"]),
            _ => assert_eq!(outcome.unwrap_err().code, Code::NotFound),
        }
    }
}

async fn without_a_key_the_occurrence_is_the_key(context: &mut Context) {
    let [ours, other] = [customer(context, CSR).await, customer(context, CSR).await];
    let first = ensure(context, CSR, due(&ours)).await;
    let made = row(context, &first["id"]).await;
    let key: Uuid = made["dedupe_key"].as_str().unwrap().parse().unwrap();
    assert_eq!(key.get_version_num(), 5);
    for same in [
        due(&ours),
        with(due(&ours), "title", json!(" Renew the plan ")),
        with(due(&ours), "due_at", json!("2027-03-01T10:00:00+01:00")),
        with(due(&ours), "description", json!("It ends in March.")),
        with(due(&ours), "origin", json!("manual")),
    ] {
        let again = json!({"id": first["id"], "created": false});
        assert_eq!(ensure(context, As::Northwind("sales"), same).await, again);
    }
    for different in [
        due(&other),
        with(due(&ours), "title", json!("Renew the plan!")),
        with(due(&ours), "due_at", json!("2027-03-01T09:00:01Z")),
        with(due(&ours), "origin", json!("ai_recommendation")),
    ] {
        assert_eq!(ensure(context, CSR, different).await["created"], true);
    }
}

async fn a_key_that_is_there_writes_nothing(context: &mut Context) {
    let ours = customer(context, CSR).await;
    let arguments = with(due(&ours), "dedupe_key", json!("once"));
    let first = ensure(context, CSR, arguments.clone()).await;
    let before = row(context, &first["id"]).await;
    let sql = "select (select count(*) from audit_log), (select count(*) from crm_events),
      (select count(*) from crm_followups), pg_stat_get_xact_tuples_inserted('crm_followups'::regclass)";
    let counts = async |context: &Context| -> [i64; 4] {
        let row = context.client.query_one(sql, &[]).await.unwrap();
        [row.get(0), row.get(1), row.get(2), row.get(3)]
    };
    let known = counts(context).await;
    let changed = with(with(arguments, "title", json!("Other")), "priority", json!("high"));
    ensure(context, As::Northwind("owner"), changed).await;
    assert_eq!(row(context, &first["id"]).await, before);
    assert_eq!(counts(context).await, known, "not even a row that is taken back");
}

async fn what_is_given_is_what_is_made(context: &mut Context) {
    let ours = customer(context, CSR).await;
    let note = json!({"customer_id": ours, "channel": "note"});
    let note = context.call(CSR, "crm_log_interaction", note).await.unwrap();
    let sales = json!(context.user("sales@northwind.example").await);
    let csr = json!(context.user("csr@northwind.example").await);
    let mut arguments = due(&ours);
    let given = json!({
        "dedupe_key": "everything", "description": "It ends in March.", "priority": "high",
        "assigned_to_user_id": sales, "origin": "ai_recommendation", "related_interaction_id": note["id"],
    });
    for (key, value) in given.as_object().unwrap() {
        arguments[key] = value.clone();
    }
    arguments["remind_at"] = json!("2027-02-28T09:00:00Z");
    let made = ensure(context, CSR, arguments).await;
    let made = row(context, &made["id"]).await;
    for (key, value) in given.as_object().unwrap() {
        assert_eq!(&made[key], value, "{key}");
    }
    assert_eq!(made["created_by_user_id"], csr);
    assert!(made["remind_at"].as_str().unwrap().starts_with("2027-02-28T09:00:00"));
    // By default: for the caller, manual.
    let made = ensure(context, CSR, due(&ours)).await;
    let made = row(context, &made["id"]).await;
    assert_eq!((&made["assigned_to_user_id"], &made["origin"]), (&csr, &json!("manual")));
    assert_eq!((&made["priority"], &made["remind_at"]), (&json!("medium"), &Value::Null));
}

async fn a_key_that_somebody_else_made_another_way_is_the_same(context: &mut Context) {
    let ours = customer(context, CSR).await;
    let arguments = with(due(&ours), "dedupe_key", json!("either way"));
    let made = context.call(CSR, "crm_create_followup", arguments.clone()).await.unwrap();
    let found = ensure(context, CSR, arguments.clone()).await;
    assert_eq!(found, json!({"id": made["id"], "created": false}));
    let other = with(arguments, "dedupe_key", json!("or this"));
    let made = ensure(context, CSR, other.clone()).await;
    let found = context.call(CSR, "crm_create_followup", other).await.unwrap();
    assert_eq!((&found["id"], &found["created"]), (&made["id"], &json!(false)));
}

async fn only_the_back_end_speaks_for_a_system_rule(context: &mut Context) {
    let ours = customer(context, CSR).await;
    let arguments = with(due(&ours), "origin", json!("system_rule"));
    for role in ["owner", "csr"] {
        let caller = As::Northwind(role);
        context.refused(caller, "crm_ensure_followup", arguments.clone(), Code::Forbidden).await;
    }
    let made = ensure(context, As::Dba(NORTHWIND), arguments).await;
    let made = row(context, &made["id"]).await;
    assert_eq!(made["origin"], "system_rule");
    assert_eq!(
        (&made["created_by_user_id"], &made["assigned_to_user_id"]),
        (&Value::Null, &Value::Null)
    );
}

async fn references_and_assignees_are_those_of_the_org(context: &mut Context) {
    let ours = customer(context, CSR).await;
    let theirs = customer(context, As::Volt("csr")).await;
    let stranger = json!(context.user("csr@volt.example").await);
    let mut arguments = due(&ours);
    for (key, value) in [
        ("assigned_to_user_id", &stranger),
        ("related_interaction_id", &theirs),
        ("related_work_order_id", &theirs),
    ] {
        arguments[key] = value.clone();
    }
    let error = context.refused(CSR, "crm_ensure_followup", arguments, Code::InvalidArgument).await;
    let paths: Vec<_> = error.errors.iter().map(|error| error.path.as_str()).collect();
    assert_eq!(paths, ["assigned_to_user_id", "related_interaction_id", "related_work_order_id"]);
    for caller in [CSR, As::Dba(NORTHWIND)] {
        context.refused(caller, "crm_ensure_followup", due(&theirs), Code::NotFound).await;
    }
    context.refused(As::Dba(VOLT), "crm_ensure_followup", due(&ours), Code::NotFound).await;
}

async fn roles_without_the_capability_ensure_nothing(context: &mut Context) {
    let ours = customer(context, CSR).await;
    let arguments = with(due(&ours), "dedupe_key", json!("there"));
    for round in ["absent", "there"] {
        for role in ["technician", "viewer", "client_admin", "portal_customer", "portal_manager"] {
            let caller = As::Northwind(role);
            let outcome = context.call(caller, "crm_ensure_followup", arguments.clone()).await;
            assert_eq!(outcome.unwrap_err().code, Code::Forbidden, "{role} {round}");
        }
        ensure(context, CSR, arguments.clone()).await;
    }
    // A member makes those of their own customers.
    context.refused(MEMBER, "crm_ensure_followup", due(&ours), Code::Forbidden).await;
    let own = customer(context, MEMBER).await;
    assert_eq!(ensure(context, MEMBER, due(&own)).await["created"], true);
}

async fn all_mistakes_are_reported_at_once(context: &mut Context) {
    let wrong = json!({
        "title": " ", "dedupe_key": "k".repeat(256), "remind_at": "1700-01-01T00:00:00Z",
    });
    let error = context.refused(CSR, "crm_ensure_followup", wrong, Code::InvalidArgument).await;
    let paths: Vec<_> = error.errors.iter().map(|error| error.path.as_str()).collect();
    assert_eq!(paths, ["customer_id", "title", "due_at", "remind_at", "dedupe_key"]);
}
