//! Interactions, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use common::{As, Context, NORTHWIND, VOLT};
use fieldcrm_core::Code;
use serde_json::{Value, json};
use uuid::Uuid;

const CSR: As = As::Northwind("csr");

scenarios! {
    an_interaction_is_logged_with_everything
    a_follow_up_date_makes_one_follow_up
    the_same_key_and_payload_logs_once
    roles_without_the_capability_log_nothing
    a_member_logs_on_their_own_customers_only
    a_customer_of_another_org_is_not_found
    what_belongs_to_another_customer_is_named_by_its_path
    what_is_to_come_is_no_interaction
    a_dba_logs_for_nobody
    the_figures_of_the_customer_follow
    a_read_of_the_details_leaves_a_name_and_a_change_does_not
    the_details_have_the_newest_ten_interactions_and_the_next_ten_follow_ups
}

async fn customer(context: &mut Context, caller: As) -> Value {
    let input = json!({
        "type": "company", "name": "Acme", "locations": [{"address_line1": "1 Main St", "city": "Reno"}],
    });
    context.call(caller, "crm_create_customer", input).await.unwrap()
}

/// The id of a new row, made by the owner of the database.
async fn row(context: &Context, sql: &str, customer: &Value) -> Uuid {
    let id = |key: &str| customer[key].as_str().unwrap().parse::<Uuid>().unwrap();
    context.client.query_one(sql, &[&id("org_id"), &id("id")]).await.unwrap().get(0)
}

const WORK_ORDER: &str =
    "insert into work_orders (org_id, customer_id, title) values ($1, $2, 'Boiler') returning id";
const QUOTE: &str = "insert into quotes (org_id, customer_id, number) values ($1, $2, 'Q-' || gen_random_uuid()) returning id";

async fn an_interaction_is_logged_with_everything(context: &mut Context) {
    let customer = customer(context, CSR).await;
    let work_order = row(context, WORK_ORDER, &customer).await;
    let quote = row(context, QUOTE, &customer).await;
    let input = json!({
        "customer_id": customer["id"], "channel": "phone_inbound", "type": "Initial Call", "subject": " Leak ",
        "summary": "Kitchen", "body": "Water under the sink.", "metadata": {"seconds": 240, "provider": {"id": "CA1"}},
        "occurred_at": "2026-03-01T09:30:00.123456Z", "location_id": customer["locations"][0]["id"],
        "related_work_order_id": work_order, "related_quote_id": quote,
    });
    let logged = context.call(CSR, "crm_log_interaction", input.clone()).await.unwrap();
    for key in ["customer_id", "channel", "type", "summary", "body", "metadata", "location_id"] {
        assert_eq!(logged[key], input[key], "{key}");
    }
    assert_eq!(logged["related_work_order_id"], json!(work_order));
    assert_eq!(logged["related_quote_id"], json!(quote));
    assert_eq!((&logged["direction"], &logged["subject"]), (&json!("inbound"), &json!("Leak")));
    assert_eq!(logged["created_by_user_id"], json!(context.user("csr@northwind.example").await));
    assert_eq!((&logged["sentiment"], &logged["followup"]), (&Value::Null, &Value::Null));
    assert!(logged["occurred_at"].as_str().unwrap().starts_with("2026-03-01T09:30:00.123456"));
}

async fn a_follow_up_date_makes_one_follow_up(context: &mut Context) {
    let customer = customer(context, CSR).await;
    let input = json!({
        "customer_id": customer["id"], "channel": "note", "subject": "Price of a pump",
        "follow_up_date": "2027-01-05T15:00:00Z",
    });
    let logged = context.call(CSR, "crm_log_interaction", input).await.unwrap();
    let followup = &logged["followup"];
    assert_eq!(followup["title"], "Follow up: Price of a pump");
    assert_eq!(followup["due_at"], logged["follow_up_date"]);
    assert_eq!(followup["related_interaction_id"], logged["id"]);
    assert_eq!(followup["assigned_to_user_id"], logged["created_by_user_id"]);
    assert_eq!((&followup["status"], &followup["origin"]), (&json!("pending"), &json!("manual")));
    let sql = "select count(*) from crm_followups where org_id = $1 and customer_id = $2";
    let count: i64 = count(context, sql, &customer).await;
    assert_eq!(count, 1);
}

async fn count(context: &Context, sql: &str, customer: &Value) -> i64 {
    let id = |key: &str| customer[key].as_str().unwrap().parse::<Uuid>().unwrap();
    context.client.query_one(sql, &[&id("org_id"), &id("id")]).await.unwrap().get(0)
}

async fn the_same_key_and_payload_logs_once(context: &mut Context) {
    let customer = customer(context, CSR).await;
    let input = |body: &str| {
        json!({
            "customer_id": customer["id"], "channel": "email_inbound", "body": body, "idempotency_key": "mail-1",
            "follow_up_date": "2027-01-05T15:00:00Z",
        })
    };
    let first = context.call(CSR, "crm_log_interaction", input("Hello")).await.unwrap();
    let again = context.call(CSR, "crm_log_interaction", input("Hello")).await.unwrap();
    assert_eq!(first, again);
    assert!(first["followup"].is_object());
    context.refused(CSR, "crm_log_interaction", input("Bye"), Code::IdempotencyKeyReused).await;
    let sql = "select count(*) from crm_interactions where org_id = $1 and customer_id = $2";
    assert_eq!(count(context, sql, &customer).await, 1);
}

async fn roles_without_the_capability_log_nothing(context: &mut Context) {
    let customer = customer(context, CSR).await;
    let input = json!({"customer_id": customer["id"], "channel": "note"});
    for role in ["technician", "viewer", "client_admin", "portal_customer", "portal_manager"] {
        let caller = As::Northwind(role);
        context.refused(caller, "crm_log_interaction", input.clone(), Code::Forbidden).await;
    }
    for role in ["owner", "admin", "manager", "dispatcher", "csr", "sales"] {
        let caller = As::Northwind(role);
        context.call(caller, "crm_log_interaction", input.clone()).await.unwrap();
    }
    let outsider = As::User(context.newcomer("nobody@example.com").await);
    context.refused(outsider, "crm_log_interaction", input, Code::NoMembership).await;
}

async fn a_member_logs_on_their_own_customers_only(context: &mut Context) {
    let member = As::Northwind("member");
    let own = customer(context, member).await;
    let input = |id: &Value| json!({"customer_id": id, "channel": "note", "follow_up_date": "2027-01-05T15:00:00Z"});
    let logged = context.call(member, "crm_log_interaction", input(&own["id"])).await.unwrap();
    assert!(logged["followup"].is_object());
    let other = customer(context, CSR).await;
    context.refused(member, "crm_log_interaction", input(&other["id"]), Code::Forbidden).await;
    let absent = json!(Uuid::from_u128(7));
    context.refused(member, "crm_log_interaction", input(&absent), Code::NotFound).await;
}

async fn a_customer_of_another_org_is_not_found(context: &mut Context) {
    let customer = customer(context, CSR).await;
    let input = json!({"customer_id": customer["id"], "channel": "note"});
    for caller in [As::Volt("owner"), As::Volt("csr"), As::Volt("member"), As::Dba(VOLT)] {
        context.refused(caller, "crm_log_interaction", input.clone(), Code::NotFound).await;
        let timeline = json!({"customer_id": customer["id"]});
        context.refused(caller, "crm_customer_timeline", timeline, Code::NotFound).await;
    }
}

async fn what_belongs_to_another_customer_is_named_by_its_path(context: &mut Context) {
    let ours = customer(context, CSR).await;
    let sibling = customer(context, CSR).await;
    let foreign = customer(context, As::Volt("csr")).await;
    for other in [&sibling, &foreign] {
        let input = json!({
            "customer_id": ours["id"], "channel": "note", "location_id": other["locations"][0]["id"],
            "related_work_order_id": row(context, WORK_ORDER, other).await,
            "related_quote_id": row(context, QUOTE, other).await,
        });
        let error = context.refused(CSR, "crm_log_interaction", input, Code::InvalidArgument).await;
        let found: Vec<_> =
            error.errors.iter().map(|one| (one.path.as_str(), one.code.as_str())).collect();
        assert_eq!(
            found,
            [
                ("location_id", "unknown_location"),
                ("related_work_order_id", "unknown_work_order"),
                ("related_quote_id", "unknown_quote"),
            ]
        );
    }
}

async fn what_is_to_come_is_no_interaction(context: &mut Context) {
    let customer = customer(context, CSR).await;
    let far = json!({
        "customer_id": customer["id"], "channel": "note", "occurred_at": "2999-01-01T00:00:00Z",
    });
    let error = context.refused(CSR, "crm_log_interaction", far, Code::InvalidArgument).await;
    assert_eq!(
        (error.errors[0].path.as_str(), error.errors[0].code.as_str()),
        ("occurred_at", "in_future")
    );
}

async fn a_dba_logs_for_nobody(context: &mut Context) {
    let dba = As::Dba(NORTHWIND);
    let customer = customer(context, dba).await;
    let input = json!({
        "customer_id": customer["id"], "channel": "sms_outbound", "follow_up_date": "2027-01-05T15:00:00Z",
    });
    let logged = context.call(dba, "crm_log_interaction", input).await.unwrap();
    assert_eq!(logged["created_by_user_id"], Value::Null);
    assert_eq!(logged["followup"]["assigned_to_user_id"], Value::Null);
    assert_eq!(logged["org_id"], json!(NORTHWIND));
}

async fn the_figures_of_the_customer_follow(context: &mut Context) {
    let customer = customer(context, CSR).await;
    assert_eq!(customer["metrics"]["interactions_count"], 0);
    let input = json!({"customer_id": customer["id"], "channel": "note", "occurred_at": "2026-02-03T04:05:06Z"});
    context.call(CSR, "crm_log_interaction", input).await.unwrap();
    let read = context.call(CSR, "crm_get_customer", json!({"id": customer["id"]})).await.unwrap();
    assert_eq!(read["metrics"]["interactions_count"], 1);
    assert_eq!(
        read["metrics"]["last_interaction_at"],
        read["recent_interactions"][0]["occurred_at"]
    );
}

async fn a_read_of_the_details_leaves_a_name_and_a_change_does_not(context: &mut Context) {
    let customer = customer(context, CSR).await;
    let id = json!({"id": customer["id"]});
    context
        .client
        .execute(
            "select set_config('request.headers', $1, true)",
            &[&json!({"x-request-id": "r-7", "user-agent": "tests", "x-forwarded-for": "203.0.113.9, 10.0.0.1"}).to_string()],
        )
        .await
        .unwrap();
    let viewer = As::Northwind("viewer");
    context.call(viewer, "crm_get_customer", id.clone()).await.unwrap();
    let page = json!({"customer_id": customer["id"]});
    context.call(As::Northwind("csr"), "crm_customer_timeline", page).await.unwrap();
    let patch = json!({"id": customer["id"], "patch": {"notes": "x"}});
    context.call(CSR, "crm_update_customer", patch).await.unwrap();
    context.refused(As::Volt("csr"), "crm_get_customer", id, Code::NotFound).await;
    let rows = context
        .client
        .query_one(
            "select jsonb_agg(jsonb_build_array(l.operation, p.role, l.request_id, host(l.ip), l.user_agent) order by l.operation)
             from crm_access_log l join profiles p on p.id = l.user_id
             where l.org_id = $1 and l.customer_id = $2",
            &[&NORTHWIND, &customer["id"].as_str().unwrap().parse::<Uuid>().unwrap()],
        )
        .await
        .unwrap();
    let found: Value = rows.get(0);
    assert_eq!(
        found,
        json!([
            ["crm_customer_timeline", "csr", "r-7", "203.0.113.9", "tests"],
            ["crm_get_customer", "viewer", "r-7", "203.0.113.9", "tests"],
        ])
    );
}

async fn the_details_have_the_newest_ten_interactions_and_the_next_ten_follow_ups(
    context: &mut Context,
) {
    let customer = customer(context, CSR).await;
    for day in 10..22 {
        let input = json!({
            "customer_id": customer["id"], "channel": "note", "occurred_at": format!("2026-01-{day}T00:00:00Z"),
            "follow_up_date": format!("2027-01-{day}T00:00:00Z"),
        });
        context.call(CSR, "crm_log_interaction", input).await.unwrap();
    }
    let read = context.call(CSR, "crm_get_customer", json!({"id": customer["id"]})).await.unwrap();
    let days = |key: &str, time: &str| -> Vec<String> {
        read[key]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row[time].as_str().unwrap()[8..10].to_owned())
            .collect()
    };
    let expected: Vec<String> = (10..22).map(|day| day.to_string()).collect();
    let newest: Vec<String> = expected.iter().rev().take(10).cloned().collect();
    assert_eq!(days("recent_interactions", "occurred_at"), newest);
    assert_eq!(days("upcoming_followups", "due_at"), expected[..10]);
}
