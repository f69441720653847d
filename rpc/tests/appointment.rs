//! What customers see of their visits and papers, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use common::household::{Household, household, id, manager, safe, sign_in, visit};
use common::{As, Context, NORTHWIND};
use fieldcrm_core::Code;
use serde_json::{Value, json};
use uuid::Uuid;

scenarios! {
    visits_come_from_early_to_late_page_by_page
    what_was_long_ago_is_history
    a_visit_says_who_comes_where_and_what_for_and_nothing_of_ours
    what_happened_to_a_visit_is_told_without_names
    the_policy_of_the_org_says_what_may_still_be_changed
    the_status_is_that_of_the_mirror
    a_job_has_what_the_customer_may_read_and_is_logged
    papers_are_shown_when_somebody_shows_them
    a_file_is_found_by_who_may_see_it_and_that_is_logged
    bills_are_seen_once_they_are_sent
    memberships_and_warranties_are_listed
    a_manager_sees_what_they_were_given_and_no_more
    another_customer_and_who_is_suspended_see_nothing
    the_mirror_follows_the_visits
}

async fn list(context: &mut Context, who: As, name: &str, arguments: Value) -> Vec<Value> {
    let mut answer = context.call(who, name, arguments).await.unwrap();
    safe(&answer);
    answer["items"].take().as_array().unwrap().clone()
}

fn ids(items: &[Value]) -> Vec<Uuid> {
    items.iter().map(|item| item["id"].as_str().unwrap().parse().unwrap()).collect()
}

async fn visits_come_from_early_to_late_page_by_page(context: &mut Context) {
    let home = household(context, "ann").await;
    let mut made = Vec::new();
    for hours in [1, 30, 300, -20] {
        made.push(visit(context, home.customer, Some(home.places[0]), hours, &[]).await);
    }
    let expected = [made[3], made[0], made[1], made[2]];
    let all = list(context, home.user(), "portal_list_appointments", json!({})).await;
    assert_eq!(ids(&all), expected);
    let (mut seen, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let arguments = json!({"page_size": 3, "cursor": cursor});
        let page = context.call(home.user(), "portal_list_appointments", arguments).await.unwrap();
        seen.extend(ids(page["items"].as_array().unwrap()));
        cursor = page["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(seen, expected);
    let sql = "select to_char(now() at time zone 'UTC' + interval '2 days', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')";
    let soon: String = context.client.query_one(sql, &[]).await.unwrap().get(0);
    let range = json!({"to_at": soon, "status": "scheduled"});
    assert_eq!(
        ids(&list(context, home.user(), "portal_list_appointments", range).await),
        expected[..3]
    );
    let done = json!({"status": "completed"});
    assert_eq!(
        list(context, home.user(), "portal_list_appointments", done).await,
        Vec::<Value>::new()
    );
}

async fn what_was_long_ago_is_history(context: &mut Context) {
    let home = household(context, "ann").await;
    let done = [("status", "'completed'"), ("completed_at", "now() - interval '60 days'")];
    let old = visit(context, home.customer, None, -1500, &done).await;
    let gone = [("status", "'canceled'"), ("canceled_at", "now()")];
    let canceled = visit(context, home.customer, None, 5, &gone).await;
    visit(context, home.customer, None, 6, &[]).await;
    let history = list(context, home.user(), "portal_service_history", json!({})).await;
    assert_eq!(ids(&history), [canceled, old]);
    let page =
        context.call(home.user(), "portal_service_history", json!({"page_size": 1})).await.unwrap();
    let next = json!({"page_size": 1, "cursor": page["next_cursor"]});
    assert_eq!(ids(&list(context, home.user(), "portal_service_history", next).await), [old]);
}

async fn a_visit_says_who_comes_where_and_what_for_and_nothing_of_ours(context: &mut Context) {
    let home = household(context, "ann").await;
    let technician = context.user("technician@northwind.example").await;
    let sql = format!(
        "insert into service_types (org_id, code, name) values ('{NORTHWIND}', 'boiler_check', 'Boiler check-up');
         update profiles set avatar_url = 'https://pictures.example/t.png' where id = '{technician}'"
    );
    context.client.batch_execute(&sql).await.unwrap();
    let whom = format!("'{technician}'");
    let set = [("technician_id", whom.as_str()), ("service_type", "'boiler_check'")];
    let visit = visit(context, home.customer, Some(home.places[0]), 9000, &set).await;
    let found =
        context.call(home.user(), "portal_get_appointment", json!({"id": visit})).await.unwrap();
    safe(&found);
    assert_eq!(found["service_type"], json!({"code": "boiler_check", "name": "Boiler check-up"}));
    assert_eq!(found["technician"]["avatar_url"], "https://pictures.example/t.png");
    assert_eq!(found["technician"].as_object().unwrap().len(), 2, "a name and a picture");
    assert_eq!(found["location"]["label"], "Home");
    for ours in [
        "description",
        "internal_notes",
        "customer_notes",
        "cancel_reason",
        "visit",
        "technician_id",
    ] {
        assert_eq!(found.get(ours), None, "{ours}");
    }
}

async fn what_happened_to_a_visit_is_told_without_names(context: &mut Context) {
    let home = household(context, "ann").await;
    let visit = visit(context, home.customer, None, 9000, &[]).await;
    let technician = context.user("technician@northwind.example").await;
    let sql = format!(
        "update work_orders set technician_id = '{technician}' where id = '{visit}';
         update work_orders set status = 'en_route', en_route_at = now(), eta = now() + interval '20 minutes' where id = '{visit}'"
    );
    context.client.batch_execute(&sql).await.unwrap();
    let found =
        context.call(home.user(), "portal_get_appointment", json!({"id": visit})).await.unwrap();
    let events = found["events"].as_array().unwrap();
    let mut types: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    types.sort_unstable();
    assert_eq!(types, ["created", "eta", "status", "technician"]);
    let status = events.iter().find(|event| event["type"] == "status").unwrap();
    assert_eq!(status["status"], "en_route");
    assert!(!found.to_string().contains(&technician.to_string()));
}

async fn the_policy_of_the_org_says_what_may_still_be_changed(context: &mut Context) {
    let home = household(context, "ann").await;
    let sql = format!(
        "insert into portal_settings (org_id, reschedule_hours_before, max_reschedules, cancel_hours_before, cancel_fee_note)
         values ('{NORTHWIND}', 48, 1, 2, 'It costs 50.') on conflict (org_id) do update
         set (reschedule_hours_before, max_reschedules, cancel_hours_before, cancel_fee_note) = (48, 1, 2, 'It costs 50.')"
    );
    context.client.batch_execute(&sql).await.unwrap();
    let near = visit(context, home.customer, None, 24, &[]).await;
    let moved = visit(context, home.customer, None, 100, &[("reschedule_count", "1")]).await;
    let far = visit(context, home.customer, None, 101, &[]).await;
    let items = list(context, home.user(), "portal_list_appointments", json!({})).await;
    let said: Vec<_> = items
        .iter()
        .map(|item| (&item["may_reschedule"]["reason"], &item["may_cancel"]["allowed"]))
        .collect();
    assert_eq!(ids(&items), [near, moved, far]);
    let yes = json!(true);
    assert_eq!(
        said,
        [(&json!("too_late"), &yes), (&json!("too_often"), &yes), (&Value::Null, &yes)]
    );
    assert_eq!(items[0]["may_cancel"]["fee_note"], "It costs 50.");
    let (billing, _) =
        sign_in(context, home.customer, "bills@home.example", "billing_contact").await;
    let items = list(context, As::User(billing), "portal_list_appointments", json!({})).await;
    assert_eq!(items[2]["may_cancel"]["allowed"], false, "a billing contact reads");
}

async fn the_status_is_that_of_the_mirror(context: &mut Context) {
    let home = household(context, "ann").await;
    let visit = visit(context, home.customer, None, 1, &[]).await;
    let csr = As::Northwind("csr");
    let way = json!({"id": visit, "status": "en_route", "eta": "2030-01-01T10:00:00Z"});
    context.call(csr, "crm_set_work_order_status", way).await.unwrap();
    let key = json!({"id": visit});
    let status = context.call(home.user(), "portal_appointment_status", key.clone()).await.unwrap();
    assert_eq!(status["status"], "en_route");
    assert!(status["eta"].as_str().unwrap().starts_with("2030-01-01T10:00"));
    assert!(status["updated_at"].is_string());
    let other = household(context, "bob").await;
    context.refused(other.user(), "portal_appointment_status", key, Code::NotFound).await;
}

/// A document of the visit with a file; whether it is shown.
async fn paper(context: &Context, home: &Household, visit: Uuid, shown: bool) -> Uuid {
    id(
        context,
        &format!(
            "with file as (
               insert into attachments (org_id, customer_id, object_name, file_name, content_type)
               values ('{NORTHWIND}', '{0}', '{NORTHWIND}/{0}/' || gen_random_uuid(), 'report.pdf', 'application/pdf') returning id
             )
             insert into documents (org_id, customer_id, type, title, attachment_id, work_order_id, is_customer_visible)
             select '{NORTHWIND}', '{0}', 'report', 'Report', id, '{visit}', {shown} from file returning id",
            home.customer
        ),
    )
    .await
}

async fn bills(context: &Context, home: &Household, visit: Uuid) {
    let sql = format!(
        "insert into invoices (org_id, customer_id, work_order_id, number, status, total, notes)
         select '{NORTHWIND}', '{0}', '{visit}', 'B-' || s || '{0}', s, 10, 'canary-bill' from unnest(array['draft', 'sent', 'paid', 'void']) s;
         insert into quotes (org_id, customer_id, work_order_id, number, status, total, notes)
         select '{NORTHWIND}', '{0}', '{visit}', 'Q-' || s || '{0}', s, 10, 'canary-quote' from unnest(array['draft', 'sent', 'accepted']) s",
        home.customer
    );
    context.client.batch_execute(&sql).await.unwrap();
}

async fn a_job_has_what_the_customer_may_read_and_is_logged(context: &mut Context) {
    let home = household(context, "ann").await;
    let visit = visit(context, home.customer, Some(home.places[0]), -5, &[]).await;
    let shown = paper(context, &home, visit, true).await;
    paper(context, &home, visit, false).await;
    bills(context, &home, visit).await;
    let sql = format!(
        "insert into warranties (org_id, customer_id, work_order_id, title, starts_on) values ('{NORTHWIND}', '{}', '{visit}', 'Pump', current_date)",
        home.customer
    );
    context.client.batch_execute(&sql).await.unwrap();
    let job = context.call(home.user(), "portal_get_job", json!({"id": visit})).await.unwrap();
    safe(&job);
    assert_eq!(job["customer_notes"], "Filter changed");
    assert_eq!(ids(job["documents"].as_array().unwrap()), [shown]);
    let statuses = |key: &str| {
        let mut all: Vec<_> = job[key]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["status"].as_str().unwrap())
            .collect();
        all.sort_unstable();
        all
    };
    assert_eq!(statuses("invoices"), ["paid", "sent"]);
    assert_eq!(statuses("quotes"), ["accepted", "sent"]);
    assert_eq!(job["warranties"][0]["title"], "Pump");
    assert_eq!(logged(context, &home, "job_viewed").await, 1);
}

async fn logged(context: &Context, home: &Household, event: &str) -> i64 {
    let sql =
        "select count(*) from portal_audit_events where portal_account_id = $1 and event_type = $2";
    context.client.query_one(sql, &[&home.account, &event]).await.unwrap().get(0)
}

async fn papers_are_shown_when_somebody_shows_them(context: &mut Context) {
    let home = household(context, "ann").await;
    let visit = visit(context, home.customer, None, -5, &[]).await;
    let shown = paper(context, &home, visit, true).await;
    let hidden = paper(context, &home, visit, false).await;
    let items = list(context, home.user(), "portal_list_documents", json!({})).await;
    assert_eq!(ids(&items), [shown]);
    assert_eq!((&items[0]["has_file"], &items[0]["job_id"]), (&json!(true), &json!(visit)));
    context
        .refused(home.user(), "portal_get_document", json!({"id": hidden}), Code::NotFound)
        .await;
}

async fn a_file_is_found_by_who_may_see_it_and_that_is_logged(context: &mut Context) {
    let home = household(context, "ann").await;
    let visit = visit(context, home.customer, None, -5, &[]).await;
    let shown = paper(context, &home, visit, true).await;
    let key = json!({"id": shown});
    let file = context.call(home.user(), "portal_get_document", key.clone()).await.unwrap();
    assert_eq!(
        (&file["bucket_id"], &file["file_name"]),
        (&json!("attachments"), &json!("report.pdf"))
    );
    assert!(file["object_name"].as_str().unwrap().starts_with(&NORTHWIND.to_string()));
    assert_eq!(logged(context, &home, "document_viewed").await, 1);
    let other = household(context, "bob").await;
    context.refused(other.user(), "portal_get_document", key, Code::NotFound).await;
    assert_eq!(logged(context, &other, "document_viewed").await, 0);
}

async fn bills_are_seen_once_they_are_sent(context: &mut Context) {
    let home = household(context, "ann").await;
    let visit = visit(context, home.customer, None, -5, &[]).await;
    bills(context, &home, visit).await;
    let items = list(context, home.user(), "portal_list_invoices", json!({})).await;
    assert_eq!(items.len(), 2);
    assert_eq!(items[0]["currency"].as_str().unwrap().len(), 3);
    let paid = list(context, home.user(), "portal_list_invoices", json!({"status": "paid"})).await;
    assert_eq!(paid.len(), 1);
    let draft = json!({"status": "draft"});
    context.refused(home.user(), "portal_list_invoices", draft, Code::InvalidArgument).await;
}

async fn memberships_and_warranties_are_listed(context: &mut Context) {
    let home = household(context, "ann").await;
    let sql = format!(
        "with plan as (
           insert into membership_plans (org_id, name, price, visits_per_year) values ('{NORTHWIND}', 'Gold', 99, 2) returning id
         ), member as (
           insert into customer_memberships (org_id, customer_id, membership_plan_id) select '{NORTHWIND}', '{0}', id from plan
         )
         insert into warranties (org_id, customer_id, location_id, title, starts_on) values
           ('{NORTHWIND}', '{0}', '{1}', 'Pump', current_date), ('{NORTHWIND}', '{0}', '{2}', 'Oven', current_date)",
        home.customer, home.places[0], home.places[1]
    );
    context.client.batch_execute(&sql).await.unwrap();
    let all = context.call(home.user(), "portal_list_memberships", json!({})).await.unwrap();
    assert_eq!(all["memberships"][0]["plan"]["name"], "Gold");
    assert_eq!(all["warranties"].as_array().unwrap().len(), 2);
    let manager = manager(context, &[(home.customer, Some(home.places[1]))]).await;
    let some = context.call(manager.user(), "portal_list_memberships", json!({})).await.unwrap();
    assert_eq!(some["memberships"], json!([]), "a plan is the customer's, not a place's");
    assert_eq!(some["warranties"][0]["title"], "Oven");
    assert_eq!(some["warranties"].as_array().unwrap().len(), 1);
}

async fn a_manager_sees_what_they_were_given_and_no_more(context: &mut Context) {
    let (whole, part, none) = (
        household(context, "whole").await,
        household(context, "part").await,
        household(context, "none").await,
    );
    let given = [(whole.customer, None), (part.customer, Some(part.places[1]))];
    let manager = manager(context, &given).await;
    let mut seen = Vec::new();
    for (home, place, is_seen) in [
        (&whole, None, true),
        (&whole, Some(0), true),
        (&part, Some(1), true),
        (&part, Some(0), false),
        (&part, None, false),
        (&none, Some(0), false),
        (&manager, None, true),
    ] {
        let place = place.map(|place: usize| home.places[place]);
        let visit = visit(context, home.customer, place, 10, &[]).await;
        paper(context, home, visit, true).await;
        bills(context, home, visit).await;
        let sql = "delete from invoices where work_order_id = $1 and status <> 'sent'";
        context.client.execute(sql, &[&visit]).await.unwrap();
        let sql = "update invoices set number = gen_random_uuid() where work_order_id = $1";
        context.client.execute(sql, &[&visit]).await.unwrap();
        let sql = "delete from quotes where work_order_id = $1";
        context.client.execute(sql, &[&visit]).await.unwrap();
        if is_seen {
            seen.push(visit);
        } else {
            for name in ["portal_get_appointment", "portal_get_job", "portal_appointment_status"] {
                context.refused(manager.user(), name, json!({"id": visit}), Code::NotFound).await;
            }
        }
    }
    let mut found =
        ids(&list(context, manager.user(), "portal_list_appointments", json!({})).await);
    found.sort_unstable();
    seen.sort_unstable();
    assert_eq!(found, seen);
    for name in ["portal_list_documents", "portal_list_invoices"] {
        let items = list(context, manager.user(), name, json!({})).await;
        let mut of: Vec<Uuid> =
            items.iter().map(|item| item["job_id"].as_str().unwrap().parse().unwrap()).collect();
        of.sort_unstable();
        assert_eq!(of, seen, "{name}");
    }
}

async fn another_customer_and_who_is_suspended_see_nothing(context: &mut Context) {
    let (home, other) = (household(context, "ann").await, household(context, "bob").await);
    let visit = visit(context, home.customer, None, 10, &[]).await;
    for who in [other.user(), As::Volt("portal_customer"), As::Volt("portal_manager")] {
        for name in ["portal_get_appointment", "portal_get_job", "portal_appointment_status"] {
            context.refused(who, name, json!({"id": visit}), Code::NotFound).await;
        }
    }
    assert_eq!(
        list(context, other.user(), "portal_list_appointments", json!({})).await,
        Vec::<Value>::new()
    );
    for status in ["suspended", "invited", "closed"] {
        let sql =
            format!("update portal_accounts set status = '{status}' where id = '{}'", home.account);
        context.client.batch_execute(&sql).await.unwrap();
        for name in [
            "portal_list_appointments",
            "portal_service_history",
            "portal_list_documents",
            "portal_list_invoices",
            "portal_list_memberships",
        ] {
            context.refused(home.user(), name, json!({}), Code::PortalAccountInactive).await;
        }
        context
            .refused(
                home.user(),
                "portal_get_job",
                json!({"id": visit}),
                Code::PortalAccountInactive,
            )
            .await;
    }
    for role in ["owner", "csr", "technician", "viewer"] {
        context
            .refused(As::Northwind(role), "portal_list_appointments", json!({}), Code::NoMembership)
            .await;
    }
}

async fn the_mirror_follows_the_visits(context: &mut Context) {
    let home = household(context, "ann").await;
    let visit = visit(context, home.customer, Some(home.places[0]), 10, &[]).await;
    let mirrored = "select to_jsonb(p) - 'updated_at' = to_jsonb(x) as same, p.updated_at
        from portal_appointments p join work_orders w on w.id = p.work_order_id
        cross join lateral (select w.id as work_order_id, w.org_id, w.customer_id, w.location_id, w.service_type, w.status, w.window_start,
          w.window_end, w.eta) x where w.id = $1";
    let row = context.client.query_one(mirrored, &[&visit]).await.unwrap();
    assert!(row.get::<_, bool>(0));
    let sql = "update work_orders set internal_notes = 'canary-more' where id = $1";
    context.client.execute(sql, &[&visit]).await.unwrap();
    let sql = "update work_orders set window_end = window_end + interval '1 hour', location_id = $2 where id = $1";
    context.client.execute(sql, &[&visit, &home.places[1]]).await.unwrap();
    let row = context.client.query_one(mirrored, &[&visit]).await.unwrap();
    assert!(row.get::<_, bool>(0));
    // The owner reads the mirror and nothing behind it.
    context.enter(home.user(), "authenticated").await;
    let seen: i64 = context
        .client
        .query_one("select count(*) from portal_appointments", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(seen, 1);
    for table in [
        "work_orders",
        "work_order_events",
        "documents",
        "invoices",
        "customers",
        "crm_interactions",
    ] {
        let rows: i64 = context
            .client
            .query_one(&format!("select count(*) from {table}"), &[])
            .await
            .unwrap()
            .get(0);
        assert_eq!(rows, 0, "{table}");
    }
    context.leave().await;
    context.client.execute("delete from work_orders where id = $1", &[&visit]).await.unwrap();
    assert!(context.client.query_opt(mirrored, &[&visit]).await.unwrap().is_none());
}
