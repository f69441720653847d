//! Follow-ups, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use common::{As, Context, NORTHWIND, VOLT};
use fieldcrm_core::Code;
use serde_json::{Value, json};
use uuid::Uuid;

const CSR: As = As::Northwind("csr");
const MEMBER: As = As::Northwind("member");

scenarios! {
    a_follow_up_is_created_for_the_caller_unless_it_is_said_for_whom
    a_dedupe_key_that_is_there_gives_the_row_that_has_it
    assignees_are_active_staff_of_the_same_org
    references_of_another_customer_are_named_by_their_path
    roles_without_the_capability_write_nothing
    another_org_sees_and_changes_nothing
    a_member_writes_what_is_theirs
    it_is_completed_once_and_opened_again
    what_is_closed_is_not_closed_otherwise
    it_is_rescheduled_and_handed_over
    a_patch_that_changes_nothing_writes_nothing
    only_back_end_sessions_expire
    what_is_overdue_for_longer_than_the_grace_expires
    expiring_takes_the_oldest_up_to_the_limit
}

async fn customer(context: &mut Context, caller: As) -> Value {
    let input = json!({"type": "company", "name": "Acme"});
    context.call(caller, "crm_create_customer", input).await.unwrap()["id"].take()
}

fn due(customer: &Value) -> Value {
    json!({"customer_id": customer, "title": "Call back", "due_at": "2027-01-05T15:00:00Z"})
}

async fn create(context: &mut Context, caller: As, customer: &Value) -> Value {
    context.call(caller, "crm_create_followup", due(customer)).await.unwrap()
}

async fn update(context: &mut Context, caller: As, id: &Value, patch: Value) -> Value {
    let arguments = json!({"id": id, "patch": patch});
    context.call(caller, "crm_update_followup", arguments).await.unwrap()
}

async fn a_follow_up_is_created_for_the_caller_unless_it_is_said_for_whom(context: &mut Context) {
    let customer = customer(context, CSR).await;
    let made = create(context, CSR, &customer).await;
    let csr = json!(context.user("csr@northwind.example").await);
    assert_eq!((&made["created"], &made["status"]), (&json!(true), &json!("pending")));
    assert_eq!((&made["priority"], &made["origin"]), (&json!("medium"), &json!("manual")));
    assert_eq!((&made["assigned_to_user_id"], &made["created_by_user_id"]), (&csr, &csr));
    let sales = context.user("sales@northwind.example").await;
    let mut input = due(&customer);
    input["assigned_to_user_id"] = json!(sales);
    input["priority"] = json!("high");
    input["description"] = json!("About the pump.");
    let made = context.call(CSR, "crm_create_followup", input).await.unwrap();
    assert_eq!(made["assigned_to_user_id"], json!(sales));
    assert_eq!(
        (&made["priority"], &made["description"]),
        (&json!("high"), &json!("About the pump."))
    );
    let made = create(context, As::Dba(NORTHWIND), &customer).await;
    assert_eq!(
        (&made["assigned_to_user_id"], &made["created_by_user_id"]),
        (&Value::Null, &Value::Null)
    );
}

async fn a_dedupe_key_that_is_there_gives_the_row_that_has_it(context: &mut Context) {
    let customers = [customer(context, CSR).await, customer(context, CSR).await];
    let mut input = due(&customers[0]);
    input["dedupe_key"] = json!("renewal-2027");
    let mut first = context.call(CSR, "crm_create_followup", input.clone()).await.unwrap();
    input["customer_id"] = customers[1].clone();
    let mut second =
        context.call(As::Northwind("sales"), "crm_create_followup", input).await.unwrap();
    assert_eq!((first["created"].take(), second["created"].take()), (json!(true), json!(false)));
    assert_eq!(first, second);
    let theirs = customer(context, As::Volt("csr")).await;
    let mut input = due(&theirs);
    input["dedupe_key"] = json!("renewal-2027");
    let other = context.call(As::Volt("csr"), "crm_create_followup", input).await.unwrap();
    assert_eq!(other["created"], true, "a key belongs to an org");
}

async fn assignees_are_active_staff_of_the_same_org(context: &mut Context) {
    let customer = customer(context, CSR).await;
    let made = create(context, CSR, &customer).await;
    context
        .client
        .execute(
            "update profiles set status = 'inactive' where email = 'sales@northwind.example'",
            &[],
        )
        .await
        .unwrap();
    for email in [
        "sales@volt.example",
        "sales@northwind.example",
        "portal_customer@northwind.example",
        "portal_manager@northwind.example",
    ] {
        let assignee = json!(context.user(email).await);
        let mut input = due(&customer);
        input["assigned_to_user_id"] = assignee.clone();
        let patch = json!({"id": made["id"], "patch": {"assigned_to_user_id": assignee}});
        for (name, arguments) in [("crm_create_followup", input), ("crm_update_followup", patch)] {
            let error = context.refused(CSR, name, arguments, Code::InvalidArgument).await;
            let error = &error.errors[0];
            assert_eq!(
                (error.path.as_str(), error.code.as_str()),
                ("assigned_to_user_id", "unknown_assignee"),
                "{email}"
            );
        }
    }
}

async fn references_of_another_customer_are_named_by_their_path(context: &mut Context) {
    let [ours, other] = [customer(context, CSR).await, customer(context, CSR).await];
    let input = json!({"customer_id": other, "channel": "note"});
    let interaction = context.call(CSR, "crm_log_interaction", input).await.unwrap();
    let mut input = due(&ours);
    input["related_interaction_id"] = interaction["id"].clone();
    input["related_work_order_id"] = json!(Uuid::from_u128(7));
    let error = context.refused(CSR, "crm_create_followup", input, Code::InvalidArgument).await;
    let paths: Vec<_> = error.errors.iter().map(|error| error.path.as_str()).collect();
    assert_eq!(paths, ["related_interaction_id", "related_work_order_id"]);
    let mut input = due(&other);
    input["related_interaction_id"] = interaction["id"].clone();
    let made = context.call(CSR, "crm_create_followup", input).await.unwrap();
    assert_eq!(made["related_interaction_id"], interaction["id"]);
}

async fn roles_without_the_capability_write_nothing(context: &mut Context) {
    let customer = customer(context, CSR).await;
    let made = create(context, CSR, &customer).await;
    let patch = json!({"id": made["id"], "patch": {"status": "completed"}});
    for role in ["technician", "viewer", "client_admin", "portal_customer", "portal_manager"] {
        let caller = As::Northwind(role);
        context.refused(caller, "crm_create_followup", due(&customer), Code::Forbidden).await;
        context.refused(caller, "crm_update_followup", patch.clone(), Code::Forbidden).await;
    }
    for role in ["owner", "admin", "manager", "dispatcher", "csr", "sales"] {
        let caller = As::Northwind(role);
        let made = create(context, caller, &customer).await;
        update(context, caller, &made["id"], json!({"status": "completed"})).await;
    }
}

async fn another_org_sees_and_changes_nothing(context: &mut Context) {
    let customer = customer(context, CSR).await;
    let made = create(context, CSR, &customer).await;
    for caller in [As::Volt("owner"), As::Volt("csr"), As::Volt("member"), As::Dba(VOLT)] {
        context.refused(caller, "crm_create_followup", due(&customer), Code::NotFound).await;
        let patch = json!({"id": made["id"], "patch": {"status": "completed"}});
        context.refused(caller, "crm_update_followup", patch, Code::NotFound).await;
    }
}

async fn a_member_writes_what_is_theirs(context: &mut Context) {
    let member = json!(context.user("member@northwind.example").await);
    let own = customer(context, MEMBER).await;
    let made = create(context, MEMBER, &own).await;
    assert_eq!(made["assigned_to_user_id"], member);
    let others = customer(context, CSR).await;
    context.refused(MEMBER, "crm_create_followup", due(&others), Code::Forbidden).await;
    // Assigned to the member: theirs to do. Not assigned: visible, and not theirs.
    let mut input = due(&others);
    input["assigned_to_user_id"] = member;
    let assigned = context.call(CSR, "crm_create_followup", input).await.unwrap();
    update(context, MEMBER, &assigned["id"], json!({"status": "completed"})).await;
    let not_theirs = create(context, CSR, &others).await;
    let patch = |id: &Value| json!({"id": id, "patch": {"status": "completed"}});
    context.refused(MEMBER, "crm_update_followup", patch(&not_theirs["id"]), Code::Forbidden).await;
    let absent = json!(Uuid::from_u128(7));
    context.refused(MEMBER, "crm_update_followup", patch(&absent), Code::NotFound).await;
}

async fn it_is_completed_once_and_opened_again(context: &mut Context) {
    let customer = customer(context, CSR).await;
    let made = create(context, CSR, &customer).await;
    let close = json!({"status": "completed", "completion_notes": "Sold."});
    let done = update(context, CSR, &made["id"], close.clone()).await;
    assert_eq!(
        (&done["status"], &done["completion_notes"]),
        (&json!("completed"), &json!("Sold."))
    );
    assert!(done["completed_at"].is_string());
    let again = update(context, As::Northwind("sales"), &made["id"], close).await;
    assert_eq!(again["completed_at"], done["completed_at"]);
    let open = update(context, CSR, &made["id"], json!({"status": "pending"})).await;
    assert_eq!(
        (&open["status"], &open["completed_at"], &open["completion_notes"]),
        (&json!("pending"), &Value::Null, &Value::Null)
    );
    let canceled = update(context, CSR, &made["id"], json!({"status": "cancelled"})).await;
    assert_eq!(
        (&canceled["status"], &canceled["completed_at"]),
        (&json!("canceled"), &Value::Null)
    );
}

async fn what_is_closed_is_not_closed_otherwise(context: &mut Context) {
    let customer = customer(context, CSR).await;
    let made = create(context, CSR, &customer).await;
    update(context, CSR, &made["id"], json!({"status": "completed"})).await;
    let patch = json!({"id": made["id"], "patch": {"status": "canceled", "title": "Half"}});
    let error = context.refused(CSR, "crm_update_followup", patch, Code::WrongState).await;
    assert_eq!(error.data["status"], "completed");
    let same = update(context, CSR, &made["id"], json!({})).await;
    assert_eq!(same["title"], "Call back");
    let patch = json!({"id": made["id"], "patch": {"status": "expired"}});
    context.refused(CSR, "crm_update_followup", patch, Code::InvalidArgument).await;
}

async fn it_is_rescheduled_and_handed_over(context: &mut Context) {
    let customer = customer(context, CSR).await;
    let made = create(context, CSR, &customer).await;
    let sales = context.user("sales@northwind.example").await;
    let patch = json!({
        "due_at": "2027-02-01T08:00:00+01:00", "assigned_to_user_id": sales, "priority": "low", "title": "Visit",
        "description": "Bring the catalogue.",
    });
    let changed = update(context, CSR, &made["id"], patch).await;
    assert!(changed["due_at"].as_str().unwrap().starts_with("2027-02-01T07:00:00"));
    assert_eq!(changed["assigned_to_user_id"], json!(sales));
    assert_eq!((&changed["title"], &changed["priority"]), (&json!("Visit"), &json!("low")));
    let cleared = json!({"assigned_to_user_id": null, "description": null});
    let changed = update(context, CSR, &made["id"], cleared).await;
    assert_eq!(
        (&changed["assigned_to_user_id"], &changed["description"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(changed["title"], "Visit");
}

async fn a_patch_that_changes_nothing_writes_nothing(context: &mut Context) {
    let customer = customer(context, CSR).await;
    let made = create(context, CSR, &customer).await;
    for patch in [json!({}), json!({"status": "pending"})] {
        update(context, CSR, &made["id"], patch).await;
    }
    let id: Uuid = made["id"].as_str().unwrap().parse().unwrap();
    let sql = "select count(*) from audit_log where record_id = $1 and action = 'update'";
    let changes: i64 = context.client.query_one(sql, &[&id]).await.unwrap().get(0);
    assert_eq!(changes, 0);
}

async fn only_back_end_sessions_expire(context: &mut Context) {
    for role in ["owner", "admin", "csr", "portal_customer"] {
        let caller = As::Northwind(role);
        context.refused(caller, "crm_expire_followups", json!({}), Code::Forbidden).await;
    }
    let wrong = json!({"grace_hours": -1, "batch_limit": 0});
    let dba = As::Dba(NORTHWIND);
    let error = context.refused(dba, "crm_expire_followups", wrong, Code::InvalidArgument).await;
    assert_eq!(error.errors.len(), 2);
}

async fn overdue(context: &mut Context, caller: As, days: i32) -> Uuid {
    let customer = customer(context, caller).await;
    let made = create(context, caller, &customer).await;
    let id: Uuid = made["id"].as_str().unwrap().parse().unwrap();
    context
        .client
        .execute(
            "update crm_followups set due_at = now() - make_interval(days => $2) where id = $1",
            &[&id, &days],
        )
        .await
        .unwrap();
    id
}

async fn status(context: &Context, id: Uuid) -> String {
    let sql = "select status::text from crm_followups where id = $1";
    context.client.query_one(sql, &[&id]).await.unwrap().get(0)
}

async fn what_is_overdue_for_longer_than_the_grace_expires(context: &mut Context) {
    let old = overdue(context, CSR, 31).await;
    let recent = overdue(context, CSR, 29).await;
    let foreign = overdue(context, As::Volt("csr"), 31).await;
    let done = overdue(context, CSR, 31).await;
    update(context, CSR, &json!(done), json!({"status": "completed"})).await;
    context.call(As::Dba(NORTHWIND), "crm_expire_followups", json!({})).await.unwrap();
    for (id, expected) in
        [(old, "expired"), (recent, "pending"), (foreign, "pending"), (done, "completed")]
    {
        assert_eq!(status(context, id).await, expected);
    }
    // No org is selected: all of them.
    let everywhere = As::Dba(Uuid::nil());
    context.call(everywhere, "crm_expire_followups", json!({"grace_hours": null})).await.unwrap();
    assert_eq!(status(context, foreign).await, "expired");
    update(context, CSR, &json!(old), json!({"status": "pending"})).await;
    assert_eq!(status(context, old).await, "pending");
}

async fn expiring_takes_the_oldest_up_to_the_limit(context: &mut Context) {
    // Older than what anybody else may have left in the database.
    let oldest = overdue(context, CSR, 40_000).await;
    let old = overdue(context, CSR, 39_999).await;
    let batch = json!({"batch_limit": 1, "grace_hours": 24});
    let done = context.call(As::Dba(NORTHWIND), "crm_expire_followups", batch).await.unwrap();
    assert_eq!(done, json!({"expired": 1}));
    assert_eq!(status(context, oldest).await, "expired");
    assert_eq!(status(context, old).await, "pending");
}
