//! The history of automation rules, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use common::{As, Context, NORTHWIND, VOLT};
use fieldcrm_core::Code;
use serde_json::{Value, json};
use tokio_postgres::types::Json;
use uuid::Uuid;

const MANAGER: As = As::Northwind("manager");

scenarios! {
    history_tells_of_every_run_with_the_name_of_its_rule
    pages_of_history_neither_overlap_nor_miss
    history_is_the_orgs_own_and_for_staff
}

fn with(mut base: Value, change: &Value) -> Value {
    base.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    base
}

async fn create(context: &mut Context, change: Value) -> Value {
    let rule = json!({"name": "Thanks", "trigger_type": "event", "event_type": "quote_sent",
        "actions": [{"type": "tag_customer", "tag": "Quoted"}]});
    context.call(MANAGER, "crm_create_automation_rule", with(rule, &change)).await.unwrap()
}

fn id(value: &Value) -> Uuid {
    value["id"].as_str().unwrap().parse().unwrap()
}

/// Runs of a rule for a customer, all of the same moment but for the last, which is a day older.
async fn fill(context: &Context, rule: &Value, customer: Uuid, count: i32) {
    let sql = "insert into crm_automation_runs (org_id, rule_id, rule_version, customer_id, occurrence_key, status,
            skip_code, completed_at, started_at)
        select r.org_id, r.id, r.version, $2::uuid, $2::uuid::text || ':' || n, case when n % 3 = 0 then 'skipped' else 'success' end::automation_run_status,
            case when n % 3 = 0 then 'late' end, now(), now() - case when n = $3 then interval '1 day' else '0' end
        from crm_automation_rules r, generate_series(1, $3) n where r.id = $1";
    context.client.execute(sql, &[&id(rule), &customer, &count]).await.unwrap();
}

async fn customers(context: &Context, org: Uuid) -> [Uuid; 2] {
    let sql = "select id from customers where org_id = $1 order by id limit 2";
    let rows = context.client.query(sql, &[&org]).await.unwrap();
    [rows[0].get(0), rows[1].get(0)]
}

async fn history(context: &mut Context, caller: As, arguments: Value) -> (Vec<Value>, Value) {
    let mut page = context.call(caller, "crm_automation_history", arguments).await.unwrap();
    let Value::Array(items) = page["items"].take() else { panic!("no items in {page}") };
    (items, page["next_cursor"].take())
}

/// The runs of the demo data would be counted too.
async fn forget_demo(context: &Context) {
    context.client.batch_execute("delete from public.crm_automation_runs").await.unwrap();
}

async fn history_tells_of_every_run_with_the_name_of_its_rule(context: &mut Context) {
    forget_demo(context).await;
    let rules = [create(context, json!({})).await, create(context, json!({"name": "Sorry"})).await];
    let [ann, bob] = customers(context, NORTHWIND).await;
    fill(context, &rules[0], ann, 3).await;
    fill(context, &rules[1], ann, 2).await;
    fill(context, &rules[1], bob, 4).await;
    let viewer = As::Northwind("viewer");
    for (filter, expected) in [
        (json!({"rule_id": rules[0]["id"]}), 3),
        (json!({"rule_id": rules[1]["id"]}), 6),
        (json!({"rule_id": rules[1]["id"], "customer_id": bob}), 4),
        (json!({"rule_id": rules[1]["id"], "customer_id": bob, "status": "skipped"}), 1),
        (json!({"customer_id": bob, "status": "success"}), 3),
        (json!({"customer_id": ann}), 5),
        (json!({"status": "skipped"}), 2),
        (json!({}), 9),
        (json!({"status": "failed"}), 0),
    ] {
        let (items, next) = history(context, viewer, filter.clone()).await;
        assert_eq!((items.len(), next), (expected, Value::Null), "{filter}");
        for item in &items {
            for (column, value) in filter.as_object().unwrap() {
                assert_eq!(&item[column], value, "{filter}");
            }
            let named = rules.iter().find(|rule| rule["id"] == item["rule_id"]).unwrap();
            assert_eq!(item["rule_name"], named["name"]);
        }
    }
}

async fn pages_of_history_neither_overlap_nor_miss(context: &mut Context) {
    forget_demo(context).await;
    let rule = create(context, json!({})).await;
    let [ann, _] = customers(context, NORTHWIND).await;
    fill(context, &rule, ann, 7).await;
    for filter in [json!({"rule_id": rule["id"]}), json!({"customer_id": ann}), json!({})] {
        let (all, _) = history(context, MANAGER, filter.clone()).await;
        let mut paged = Vec::new();
        let mut cursor = Value::Null;
        loop {
            let arguments = with(filter.clone(), &json!({"page_size": 3, "cursor": cursor}));
            let (items, next) = history(context, MANAGER, arguments).await;
            assert!(items.len() <= 3);
            paged.extend(items);
            if next.is_null() {
                break;
            }
            cursor = next;
        }
        assert_eq!(paged.len(), 7, "{filter}");
        assert_eq!(paged, all, "{filter}");
        assert!(all.is_sorted_by(|one, other| {
            (one["started_at"].as_str(), one["id"].as_str())
                >= (other["started_at"].as_str(), other["id"].as_str())
        }));
    }
    for (wrong, path) in [
        (json!({"page_size": 0}), "page_size"),
        (json!({"cursor": "x"}), "cursor"),
        (json!({"status": "done"}), "status"),
    ] {
        let error =
            context.refused(MANAGER, "crm_automation_history", wrong, Code::InvalidArgument).await;
        assert_eq!(error.errors[0].path, path);
    }
}

async fn history_is_the_orgs_own_and_for_staff(context: &mut Context) {
    forget_demo(context).await;
    let rule = create(context, json!({})).await;
    let [ann, _] = customers(context, NORTHWIND).await;
    fill(context, &rule, ann, 2).await;
    for filter in [json!({}), json!({"rule_id": rule["id"]}), json!({"customer_id": ann})] {
        let (items, _) = history(context, As::Volt("owner"), filter.clone()).await;
        assert_eq!(items, Vec::<Value>::new(), "{filter}");
        let (items, _) = history(context, As::Dba(VOLT), filter).await;
        assert_eq!(items, Vec::<Value>::new());
    }
    for role in ["technician", "client_admin", "portal_customer", "portal_manager"] {
        let caller = As::Northwind(role);
        context.refused(caller, "crm_automation_history", json!({}), Code::Forbidden).await;
    }
    let named = Json(json!({"context": "kept"}));
    let sql = "update crm_automation_runs set trigger_context = $2 where rule_id = $1";
    context.client.execute(sql, &[&id(&rule), &named]).await.unwrap();
    let (items, _) = history(context, As::Dba(NORTHWIND), json!({})).await;
    assert!(items.iter().all(|item| item["trigger_context"] == named.0));
}
