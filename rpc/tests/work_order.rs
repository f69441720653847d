//! Work orders and visits, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use common::{As, Context, NORTHWIND, VOLT};
use fieldcrm_core::Code;
use serde_json::{Value, json};
use uuid::Uuid;

const CSR: As = As::Northwind("csr");
const TECHNICIAN: As = As::Northwind("technician");
const SET: &str = "crm_set_work_order_status";

scenarios! {
    a_visit_goes_from_scheduled_to_completed_and_the_database_keeps_the_times
    a_return_visit_clears_what_the_step_back_undoes
    closed_work_orders_stay_closed
    a_step_that_is_left_out_is_refused_and_says_what_is_allowed
    the_same_status_again_changes_only_what_is_given
    an_arrival_is_expected_only_on_the_way
    mistakes_are_named_at_once
    technicians_move_only_their_own_visits
    each_role_sets_a_status_or_does_not
    a_technician_sees_only_what_the_visit_needs
    the_visits_of_a_range_are_those_that_meet_it
    who_opened_a_visit_is_kept
    a_dba_works_for_the_org_they_set
    another_org_is_unknown
}

/// A customer with notes that no technician may read, and a work order of the technician, at a time
/// of its own: tests that run side by side have one technician.
async fn visit(context: &Context, org: Uuid, technician: Option<&str>) -> (Uuid, Uuid) {
    let technician = match technician {
        Some(email) => Some(context.user(email).await),
        None => None,
    };
    let row = context
        .client
        .query_one(
            "with c as (
               insert into customers (org_id, type, name, email, phone, notes, status, owner)
               values ($1, 'company', 'Pump House', 'secret@pump.example', '+13125550100', 'SECRET notes', 'blacklisted', 'SECRET owner')
               returning id)
             insert into work_orders (org_id, customer_id, technician_id, title, service_type, window_start, window_end,
               customer_notes, internal_notes)
             select $1, c.id, $2, 'Boiler', 'hvac_repair', w.start, w.start + interval '2 hours',
               'Ring twice', 'Key under the mat'
             from c, (select now() + random() * interval '30000 days' as start) w returning id, customer_id",
            &[&org, &technician],
        )
        .await
        .unwrap();
    (row.get(0), row.get(1))
}

async fn own_visit(context: &Context) -> Uuid {
    visit(context, NORTHWIND, Some("technician@northwind.example")).await.0
}

async fn set(context: &mut Context, caller: As, id: Uuid, status: &str) -> Value {
    context.call(caller, SET, json!({"id": id, "status": status})).await.unwrap()
}

const TIMES: [&str; 4] = ["en_route_at", "started_at", "completed_at", "canceled_at"];

fn times(row: &Value) -> Vec<&str> {
    TIMES.into_iter().filter(|name| !row[*name].is_null()).collect()
}

async fn a_visit_goes_from_scheduled_to_completed_and_the_database_keeps_the_times(
    context: &mut Context,
) {
    let id = own_visit(context).await;
    for (caller, status, expected) in [
        (CSR, "en_route", &TIMES[..1]),
        (TECHNICIAN, "on_site", &TIMES[..2]),
        (TECHNICIAN, "completed", &TIMES[..3]),
    ] {
        let row = set(context, caller, id, status).await;
        assert_eq!(row["status"], status);
        assert_eq!(times(&row), expected);
    }
    let sql = "select en_route_at < started_at and started_at < completed_at from work_orders where id = $1";
    let ordered: bool = context.client.query_one(sql, &[&id]).await.unwrap().get(0);
    assert!(ordered, "the times are those of the clock, not of the transaction");
    let sql = "select string_agg(new_values ->> 'status', ',' order by case when type = 'created' then 0
        when new_values ->> 'status' = 'en_route' then 1 when new_values ->> 'status' = 'on_site' then 2 else 3 end)
        from work_order_events where work_order_id = $1 and new_values ? 'status'";
    let told: String = context.client.query_one(sql, &[&id]).await.unwrap().get(0);
    assert_eq!(told, "scheduled,en_route,on_site,completed");
}

async fn a_return_visit_clears_what_the_step_back_undoes(context: &mut Context) {
    let id = own_visit(context).await;
    set(context, CSR, id, "en_route").await;
    assert_eq!(times(&set(context, CSR, id, "scheduled").await), [""; 0]);
    set(context, CSR, id, "en_route").await;
    set(context, CSR, id, "on_site").await;
    assert_eq!(times(&set(context, CSR, id, "scheduled").await), [""; 0]);
    let done = set(context, CSR, id, "completed").await;
    assert_eq!(times(&done), ["completed_at"]);
}

async fn closed_work_orders_stay_closed(context: &mut Context) {
    for last in ["completed", "canceled"] {
        let id = own_visit(context).await;
        set(context, CSR, id, last).await;
        for next in ["scheduled", "en_route", "on_site", "completed", "canceled"] {
            let arguments = json!({"id": id, "status": next});
            if next == last {
                context.call(CSR, SET, arguments).await.unwrap();
            } else {
                let error = context.refused(CSR, SET, arguments, Code::WrongState).await;
                assert_eq!(
                    (&error.data["status"], &error.data["allowed"]),
                    (&json!(last), &json!([]))
                );
            }
        }
    }
}

async fn a_step_that_is_left_out_is_refused_and_says_what_is_allowed(context: &mut Context) {
    let id = own_visit(context).await;
    set(context, CSR, id, "on_site").await;
    let arguments = json!({"id": id, "status": "en_route"});
    let error = context.refused(TECHNICIAN, SET, arguments, Code::WrongState).await;
    assert_eq!(error.data["status"], "on_site");
    assert_eq!(error.data["allowed"], json!(["scheduled", "completed", "canceled"]));
}

async fn the_same_status_again_changes_only_what_is_given(context: &mut Context) {
    let id = own_visit(context).await;
    let given = json!({"id": id, "status": "cancelled", "cancel_reason": " Snow "});
    let first = context.call(CSR, SET, given.clone()).await.unwrap();
    assert_eq!((&first["status"], &first["cancel_reason"]), (&json!("canceled"), &json!("Snow")));
    let events = "select count(*) from work_order_events where work_order_id = $1";
    let before: i64 = context.client.query_one(events, &[&id]).await.unwrap().get(0);
    assert_eq!(context.call(CSR, SET, given).await.unwrap(), first);
    assert_eq!(
        context.call(CSR, SET, json!({"id": id, "status": "canceled"})).await.unwrap(),
        first
    );
    let noted = json!({"id": id, "status": "canceled", "internal_notes": "Call in spring", "customer_notes": ""});
    let noted = context.call(CSR, SET, noted).await.unwrap();
    assert_eq!(
        (&noted["internal_notes"], &noted["customer_notes"]),
        (&json!("Call in spring"), &Value::Null)
    );
    assert_eq!(noted["canceled_at"], first["canceled_at"]);
    let after: i64 = context.client.query_one(events, &[&id]).await.unwrap().get(0);
    assert_eq!(before, after);
}

async fn an_arrival_is_expected_only_on_the_way(context: &mut Context) {
    let id = own_visit(context).await;
    let eta = "2031-05-01T10:00:00+00:00";
    let arguments = json!({"id": id, "status": "en_route", "eta": eta});
    let moved = context.call(TECHNICIAN, SET, arguments).await.unwrap();
    assert_eq!(moved["eta"], eta);
    let later = "2031-05-01T10:30:00+00:00";
    let arguments = json!({"id": id, "status": "en_route", "eta": later});
    let again = context.call(TECHNICIAN, SET, arguments).await.unwrap();
    assert_eq!((&again["eta"], &again["en_route_at"]), (&json!(later), &moved["en_route_at"]));
    let noted = json!({"id": id, "status": "en_route", "internal_notes": "Traffic"});
    assert_eq!(context.call(TECHNICIAN, SET, noted).await.unwrap()["eta"], later);
    assert_eq!(set(context, TECHNICIAN, id, "on_site").await["eta"], Value::Null);
    let arguments = json!({"id": id, "status": "on_site", "eta": eta});
    let error = context.refused(TECHNICIAN, SET, arguments, Code::InvalidArgument).await;
    assert_eq!(error.errors[0].path, "eta");
}

async fn mistakes_are_named_at_once(context: &mut Context) {
    let id = own_visit(context).await;
    let arguments = json!({"id": id, "status": "completed", "cancel_reason": "x", "internal_notes": "x".repeat(20_001)});
    let error = context.refused(CSR, SET, arguments, Code::InvalidArgument).await;
    let paths: Vec<_> = error.errors.iter().map(|one| one.path.as_str()).collect();
    assert_eq!(paths, ["internal_notes", "cancel_reason"]);
    context.refused(CSR, SET, json!({"id": id, "status": "done"}), Code::InvalidArgument).await;
    context
        .refused(TECHNICIAN, "crm_my_visits", json!({"page_size": 101}), Code::InvalidArgument)
        .await;
}

async fn technicians_move_only_their_own_visits(context: &mut Context) {
    let (nobodys, _) = visit(context, NORTHWIND, None).await;
    let (anothers, _) = visit(context, NORTHWIND, Some("manager@northwind.example")).await;
    for id in [nobodys, anothers, Uuid::from_u128(7)] {
        for (name, arguments) in
            [(SET, json!({"id": id, "status": "on_site"})), ("crm_get_visit", json!({"id": id}))]
        {
            context.refused(TECHNICIAN, name, arguments, Code::NotFound).await;
        }
    }
    // Not even whether it is closed.
    set(context, CSR, anothers, "completed").await;
    let arguments = json!({"id": anothers, "status": "en_route"});
    context.refused(TECHNICIAN, SET, arguments, Code::NotFound).await;
}

async fn each_role_sets_a_status_or_does_not(context: &mut Context) {
    for role in ["owner", "admin", "manager", "dispatcher", "csr"] {
        let id = own_visit(context).await;
        let row = set(context, As::Northwind(role), id, "on_site").await;
        assert!(row["org_id"].is_string(), "{role} gets the whole row");
        set(context, CSR, id, "canceled").await;
    }
    let id = own_visit(context).await;
    for role in ["sales", "member", "viewer", "client_admin", "portal_customer", "portal_manager"] {
        let caller = As::Northwind(role);
        for (name, arguments) in [
            (SET, json!({"id": id, "status": "on_site"})),
            ("crm_my_visits", json!({})),
            ("crm_get_visit", json!({"id": id})),
        ] {
            context.refused(caller, name, arguments, Code::Forbidden).await;
        }
    }
    for name in ["crm_my_visits", "crm_get_visit"] {
        let arguments = if name == "crm_get_visit" { json!({"id": id}) } else { json!({}) };
        context.refused(CSR, name, arguments, Code::Forbidden).await;
    }
}

const VISIT_KEYS: [&str; 17] = [
    "canceled_at",
    "completed_at",
    "customer",
    "customer_notes",
    "description",
    "en_route_at",
    "eta",
    "id",
    "internal_notes",
    "location",
    "service_type",
    "started_at",
    "status",
    "title",
    "window_end",
    "window_start",
    "",
];

async fn a_technician_sees_only_what_the_visit_needs(context: &mut Context) {
    let (id, customer) = visit(context, NORTHWIND, Some("technician@northwind.example")).await;
    context
        .client
        .batch_execute(&format!(
            "insert into customer_contacts (org_id, customer_id, type, value, is_primary) values
               ('{NORTHWIND}', '{customer}', 'email', 'secret@pump.example', true),
               ('{NORTHWIND}', '{customer}', 'phone', '+13125550101', false),
               ('{NORTHWIND}', '{customer}', 'mobile', '+13125550102', false);
             with l as (insert into customer_locations (org_id, customer_id, label, address_line1, city, latitude, longitude)
               values ('{NORTHWIND}', '{customer}', 'Plant', '1 Dock St', 'Reno', 39.5, -119.8) returning id)
             update work_orders set location_id = l.id from l where work_orders.id = '{id}'"
        ))
        .await
        .unwrap();
    let got = context.call(TECHNICIAN, "crm_get_visit", json!({"id": id})).await.unwrap();
    let keys: Vec<_> = got.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, VISIT_KEYS[..16]);
    assert_eq!(
        got["customer"],
        json!({"id": customer, "name": "Pump House", "phone": "+13125550102"})
    );
    assert_eq!(got["location"]["address_line1"], "1 Dock St");
    assert_eq!(
        (&got["location"]["latitude"], &got["location"]["label"]),
        (&json!(39.5), &json!("Plant"))
    );
    assert_eq!(
        (&got["customer_notes"], &got["internal_notes"]),
        (&json!("Ring twice"), &json!("Key under the mat"))
    );
    let moved = set(context, TECHNICIAN, id, "en_route").await;
    let keys: Vec<_> = moved.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, VISIT_KEYS[..16]);
    let range = json!({"from_at": moved["window_start"], "to_at": moved["window_end"]});
    let list = context.call(TECHNICIAN, "crm_my_visits", range).await.unwrap();
    assert_eq!(list["visits"], json!([moved.clone()]));
    for answer in [&got, &moved, &list] {
        let text = answer.to_string();
        for secret in ["SECRET", "secret@pump.example", "blacklisted"] {
            assert!(!text.contains(secret), "{secret} is in {text}");
        }
    }
    // The primary number is called first.
    let sql = "update customer_contacts set is_primary = (value = '+13125550101') where customer_id = $1 and value <> '+13125550102'";
    context
        .client
        .execute(&sql.replace("(value = '+13125550101')", "false"), &[&customer])
        .await
        .unwrap();
    context.client.execute(sql, &[&customer]).await.unwrap();
    let got = context.call(TECHNICIAN, "crm_get_visit", json!({"id": id})).await.unwrap();
    assert_eq!(got["customer"]["phone"], "+13125550101");
}

async fn the_visits_of_a_range_are_those_that_meet_it(context: &mut Context) {
    let technician = context.user("technician@northwind.example").await;
    // The demo data has visits of today, too.
    let others = "delete from work_orders where technician_id = $1";
    context.client.execute(others, &[&technician]).await.unwrap();
    context
        .client
        .execute(
            "insert into work_orders (org_id, customer_id, technician_id, title, window_start, window_end)
             select $1, c.id, $2, v.title, v.window_start::timestamptz, v.window_end::timestamptz
             from (select id from customers where org_id = $1 limit 1) c, (values
               ('over the start', '2040-01-01 07:00Z', '2040-01-01 09:00Z'), ('inside', '2040-01-01 09:00Z', '2040-01-01 10:00Z'),
               ('before', '2040-01-01 06:00Z', '2040-01-01 07:00Z'), ('after', '2040-01-01 12:00Z', '2040-01-01 13:00Z'),
               ('no window', null, null)) v (title, window_start, window_end)",
            &[&NORTHWIND, &technician],
        )
        .await
        .unwrap();
    let range = json!({"from_at": "2040-01-01T08:00:00Z", "to_at": "2040-01-01T12:00:00Z"});
    let titles = |list: Value| -> Vec<String> {
        let visits = list["visits"].as_array().unwrap().iter();
        visits.map(|visit| visit["title"].as_str().unwrap().to_owned()).collect()
    };
    let list = context.call(TECHNICIAN, "crm_my_visits", range.clone()).await.unwrap();
    assert_eq!(titles(list), ["over the start", "inside"]);
    let mut first = range.clone();
    first["page_size"] = json!(1);
    assert_eq!(
        titles(context.call(TECHNICIAN, "crm_my_visits", first).await.unwrap()),
        ["over the start"]
    );
    // A manager may, and is the technician of none of these.
    let list = context.call(As::Northwind("manager"), "crm_my_visits", range).await.unwrap();
    assert_eq!(titles(list), [""; 0]);
    let soon = "update work_orders set window_start = now() + interval '1 hour', window_end = now() + interval '2 hours'
        where title = 'inside' and technician_id = $1";
    context.client.execute(soon, &[&technician]).await.unwrap();
    let list = context.call(TECHNICIAN, "crm_my_visits", json!({})).await.unwrap();
    let titles = titles(list);
    assert!(
        titles.contains(&"inside".to_owned()) && !titles.contains(&"after".to_owned()),
        "{titles:?}"
    );
}

async fn who_opened_a_visit_is_kept(context: &mut Context) {
    let (id, customer) = visit(context, NORTHWIND, Some("technician@northwind.example")).await;
    context.call(TECHNICIAN, "crm_get_visit", json!({"id": id})).await.unwrap();
    let technician = context.user("technician@northwind.example").await;
    let rows = context
        .client
        .query("select operation, user_id from crm_access_log where customer_id = $1", &[&customer])
        .await
        .unwrap();
    let kept: Vec<(String, Option<Uuid>)> =
        rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(kept, [("crm_get_visit".to_owned(), Some(technician))]);
}

async fn a_dba_works_for_the_org_they_set(context: &mut Context) {
    let id = own_visit(context).await;
    assert_eq!(set(context, As::Dba(NORTHWIND), id, "en_route").await["status"], "en_route");
    context
        .refused(As::Dba(VOLT), SET, json!({"id": id, "status": "on_site"}), Code::NotFound)
        .await;
    // A DBA is nobody's technician.
    let list = context.call(As::Dba(NORTHWIND), "crm_my_visits", json!({})).await.unwrap();
    assert_eq!(list, json!({"visits": []}));
    context.refused(As::Dba(NORTHWIND), "crm_get_visit", json!({"id": id}), Code::NotFound).await;
}

async fn another_org_is_unknown(context: &mut Context) {
    let id = own_visit(context).await;
    for role in ["owner", "csr", "technician"] {
        let arguments = json!({"id": id, "status": "on_site"});
        context.refused(As::Volt(role), SET, arguments, Code::NotFound).await;
    }
    context
        .refused(As::Volt("technician"), "crm_get_visit", json!({"id": id}), Code::NotFound)
        .await;
}
