//! The timeline of a customer, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use common::{As, Context};
use fieldcrm_core::Code;
use serde_json::{Value, json};
use uuid::Uuid;

const CSR: As = As::Northwind("csr");

scenarios! {
    everything_of_a_customer_comes_newest_first
    pages_neither_overlap_nor_miss_also_at_the_same_moment
    kinds_are_chosen
    a_wrong_query_is_refused_with_its_path
    who_may_not_see_customers_sees_no_timeline
}

async fn customer(context: &mut Context) -> Value {
    let input = json!({"type": "company", "name": "Acme"});
    context.call(CSR, "crm_create_customer", input).await.unwrap()
}

/// Six of each kind; the times of all are the same three.
async fn fill(context: &mut Context, customer: &Value) {
    let id = |key: &str| customer[key].as_str().unwrap().parse::<Uuid>().unwrap();
    for sql in [
        "insert into crm_interactions (org_id, customer_id, channel, occurred_at)
           select $1, $2, 'note', timestamptz '2026-01-01 00:00:00.000001+00' + n % 3 * interval '1 microsecond' from generate_series(1, 6) n",
        "insert into crm_followups (org_id, customer_id, title, due_at)
           select $1, $2, 'x', timestamptz '2026-01-01 00:00:00.000001+00' + n % 3 * interval '1 microsecond' from generate_series(1, 6) n",
        "insert into work_orders (org_id, customer_id, title, status, completed_at)
           select $1, $2, 'x', 'completed', timestamptz '2026-01-01 00:00:00.000001+00' + n % 3 * interval '1 microsecond' from generate_series(1, 6) n",
    ] {
        context.client.execute(sql, &[&id("org_id"), &id("id")]).await.unwrap();
    }
}

async fn page(context: &mut Context, arguments: Value) -> (Vec<Value>, Value) {
    let mut page = context.call(CSR, "crm_customer_timeline", arguments).await.unwrap();
    let Value::Array(items) = page["items"].take() else { panic!("no items in {page}") };
    (items, page["next_cursor"].take())
}

async fn everything_of_a_customer_comes_newest_first(context: &mut Context) {
    let customer = customer(context).await;
    let id = &customer["id"];
    let interaction = json!({"customer_id": id, "channel": "note", "body": "Hello", "occurred_at": "2026-01-02T00:00:00Z"});
    context.call(CSR, "crm_log_interaction", interaction).await.unwrap();
    let followup = json!({"customer_id": id, "title": "Call", "due_at": "2026-01-03T00:00:00Z"});
    context.call(CSR, "crm_create_followup", followup).await.unwrap();
    let key = |key: &str| customer[key].as_str().unwrap().parse::<Uuid>().unwrap();
    context
        .client
        .execute(
            "insert into work_orders (org_id, customer_id, title, status, completed_at, window_start, window_end) values
               ($1, $2, 'Done', 'completed', '2026-01-01 00:00+00', '2025-12-01 00:00+00', '2025-12-01 01:00+00'),
               ($1, $2, 'Planned', 'scheduled', null, '2026-01-04 00:00+00', '2026-01-04 01:00+00')",
            &[&key("org_id"), &key("id")],
        )
        .await
        .unwrap();
    let (items, next) = page(context, json!({"customer_id": id})).await;
    let found: Vec<_> = items
        .iter()
        .map(|item| (item["kind"].as_str().unwrap(), &item["at"].as_str().unwrap()[..10]))
        .collect();
    assert_eq!(
        found,
        [
            ("work_order", "2026-01-04"),
            ("followup", "2026-01-03"),
            ("interaction", "2026-01-02"),
            ("work_order", "2026-01-01"),
        ]
    );
    assert_eq!((&items[0]["title"], &items[2]["body"]), (&json!("Planned"), &json!("Hello")));
    assert_eq!(next, Value::Null);
}

async fn pages_neither_overlap_nor_miss_also_at_the_same_moment(context: &mut Context) {
    let customer = customer(context).await;
    fill(context, &customer).await;
    let (whole, none) =
        page(context, json!({"customer_id": customer["id"], "page_size": 18})).await;
    assert_eq!((whole.len(), none), (18, Value::Null));
    for limit in [1, 4, 5, 17] {
        let mut seen = Vec::new();
        let mut cursor = Value::Null;
        loop {
            let query =
                json!({"customer_id": customer["id"], "page_size": limit, "cursor": cursor});
            let (items, next) = page(context, query).await;
            seen.extend(items);
            if next.is_null() {
                break;
            }
            cursor = next;
        }
        assert_eq!(seen, whole, "by {limit}");
    }
}

async fn kinds_are_chosen(context: &mut Context) {
    let customer = customer(context).await;
    fill(context, &customer).await;
    let id = &customer["id"];
    for kinds in [vec!["interaction"], vec!["followup", "work_order"]] {
        let (items, _) = page(context, json!({"customer_id": id, "kinds": kinds})).await;
        assert_eq!(items.len(), 6 * kinds.len());
        assert!(items.iter().all(|item| kinds.contains(&item["kind"].as_str().unwrap())));
    }
}

async fn a_wrong_query_is_refused_with_its_path(context: &mut Context) {
    let customer = customer(context).await;
    for (path, value) in [
        ("cursor", json!("page 2")),
        ("page_size", json!(0)),
        ("page_size", json!(101)),
        ("kinds[0]", json!(["memo"])),
    ] {
        let mut query = json!({"customer_id": customer["id"]});
        query[path.split('[').next().unwrap()] = value;
        let error =
            context.refused(CSR, "crm_customer_timeline", query, Code::InvalidArgument).await;
        assert_eq!(error.errors[0].path, path);
    }
}

async fn who_may_not_see_customers_sees_no_timeline(context: &mut Context) {
    let query = json!({"customer_id": customer(context).await["id"]});
    for role in ["technician", "client_admin", "portal_customer", "portal_manager"] {
        let caller = As::Northwind(role);
        context.refused(caller, "crm_customer_timeline", query.clone(), Code::Forbidden).await;
    }
    for role in ["viewer", "member", "dispatcher", "owner"] {
        context.call(As::Northwind(role), "crm_customer_timeline", query.clone()).await.unwrap();
    }
    let absent = json!({"customer_id": Uuid::from_u128(7)});
    context.refused(CSR, "crm_customer_timeline", absent, Code::NotFound).await;
}
