//! A person's data handed over and erased, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;
mod privacy_person;

use common::{As, Context, NORTHWIND, VOLT};
use fieldcrm_core::Code;
use privacy_person::person;
use serde_json::{Value, json};
use uuid::Uuid;

const OWNER: As = As::Northwind("owner");
const CSR: As = As::Northwind("csr");

scenarios! {
    an_erasure_leaves_no_trace_of_the_person_and_keeps_the_skeleton
    an_erased_customer_takes_nothing_new_and_can_be_erased_again
    a_deleted_customer_is_erased_from_the_trail
    what_moved_between_customers_is_erased_too
    a_duplicate_is_erased_with_the_customer_it_was_merged_into
    other_customers_stay_as_they_are
    an_export_has_everything_about_the_person_and_logs_itself
    only_who_may_exports_and_erases_and_only_in_their_org
    an_erasure_stops_what_was_still_to_come
    an_address_that_said_stop_is_still_known_after_an_erasure
    who_works_here_and_is_a_customer_keeps_their_profile
}

/// What says who the person is, wherever it is written.
const TRACES: [&str; 6] =
    ["zarathustra", "sils-maria", "4155552671", "555-2671", "philosophers lane", "ecce homo"];

/// The tables of the product, by the catalogue, that still have one of the texts in any column.
async fn traces(context: &Context) -> Vec<String> {
    let sql = "select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
               where n.nspname in ('public', 'fieldcrm') and c.relkind in ('r', 'p', 'm') order by 1";
    let pattern = TRACES.join("|");
    let mut found = Vec::new();
    for row in context.client.query(sql, &[]).await.unwrap() {
        let table: String = row.get(0);
        let sql = format!("select count(*) from {table} x where to_jsonb(x)::text ~* $1");
        let rows: i64 = context.client.query_one(&sql, &[&pattern]).await.unwrap().get(0);
        if rows > 0 {
            found.push(table);
        }
    }
    found
}

/// The tables of the product that say of which customer a row is, and have none of this one.
async fn untested(context: &Context, id: Uuid) -> Vec<String> {
    let sql = "select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
               join pg_attribute a on a.attrelid = c.oid and a.attname = 'customer_id' and not a.attisdropped
               where n.nspname in ('public', 'fieldcrm') and c.relkind in ('r', 'p') order by 1";
    let mut untested = Vec::new();
    for row in context.client.query(sql, &[]).await.unwrap() {
        let table: String = row.get(0);
        let sql = format!("select exists (select from {table} where customer_id = $1)");
        if !context.client.query_one(&sql, &[&id]).await.unwrap().get::<_, bool>(0) {
            untested.push(table);
        }
    }
    untested
}

async fn rows(context: &Context, sql: &str) -> Value {
    let sql = format!("select coalesce(jsonb_agg(to_jsonb(x)), '[]') from ({sql}) x");
    context.client.query_one(&sql, &[]).await.unwrap().get(0)
}

async fn an_erasure_leaves_no_trace_of_the_person_and_keeps_the_skeleton(context: &mut Context) {
    let id = person(context).await;
    context.call(OWNER, "crm_export_customer", json!({"id": id})).await.unwrap();
    assert_eq!(untested(context, id).await, Vec::<String>::new(), "give person() rows in these");
    let before = traces(context).await;
    for table in [
        "fieldcrm.customer_search",
        "fieldcrm.idempotency_keys",
        "public.attachments",
        "public.audit_log",
        "public.crm_automation_runs",
        "public.crm_events",
        "public.crm_followups",
        "public.crm_interactions",
        "public.crm_notifications",
        "public.crm_outbox",
        "public.crm_preferences",
        "public.crm_segment_members",
        "public.customer_contacts",
        "public.customer_locations",
        "public.customers",
        "public.documents",
        "public.invoices",
        "public.leads",
        "public.messages",
        "public.portal_ai_messages",
        "public.portal_booking_requests",
        "public.portal_messages",
        "public.portal_threads",
        "public.profiles",
        "public.quotes",
        "public.visit_plans",
        "public.warranties",
        "public.webhook_events",
        "public.work_orders",
    ] {
        assert!(before.iter().any(|found| found == table), "{table} is not in {before:?}");
    }
    let arguments = json!({"id": id, "reason": "asked for by letter"});
    let erased = context.call(OWNER, "crm_erase_customer", arguments).await.unwrap();
    assert_eq!(erased["id"], json!(id));
    let mut files: Vec<_> = erased["attachments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["object_name"].as_str().unwrap())
        .collect();
    files.sort_unstable_by_key(|name| name.contains("/portal/"));
    assert_eq!(files[0], format!("{NORTHWIND}/{id}/zarathustra.pdf"));
    let sent = files[1..].iter().all(|name| name.starts_with(&format!("{NORTHWIND}/portal/")));
    assert!(sent && files.len() == 3, "{files:?}");
    assert_eq!(traces(context).await, Vec::<String>::new());

    let customer = &rows(context, &format!("select * from customers where id = '{id}'")).await[0];
    assert_eq!(customer["name"], "Erased customer");
    assert_eq!((&customer["status"], &customer["is_archived"]), (&json!("inactive"), &json!(true)));
    assert_eq!(customer["erased_at"], erased["erased_at"]);
    let left = rows(
        context,
        &format!(
            "select (select jsonb_agg(status order by status) from crm_followups where customer_id = '{id}') as followups,
               (select count(*) from crm_interactions where customer_id = '{id}') as interactions,
               (select sum(total) from invoices where customer_id = '{id}' and number = 'I-P') as billed,
               (select sum(total) from quotes where customer_id = '{id}' and number = 'Q-P') as quoted,
               (select total_spend from customer_metrics where customer_id = '{id}') as spend,
               (select count(*) from work_order_events e join work_orders w on w.id = e.work_order_id
                 where w.customer_id = '{id}') as events,
               (select count(*) from crm_customer_tags where customer_id = '{id}') as tags,
               (select bool_and(do_not_contact and do_not_email and do_not_sms and do_not_call) from crm_preferences
                 where customer_id = '{id}') as silent,
               (select array_agg(operation order by operation desc) from crm_access_log where customer_id = '{id}') as access"
        ),
    )
    .await;
    assert_eq!(
        left[0],
        json!({
            "followups": ["completed", "canceled", "canceled"], "interactions": 1, "billed": 12.0, "quoted": 12.0,
            "spend": 10.0, "events": 1, "tags": 0, "silent": true,
            "access": ["crm_export_customer", "crm_erase_customer: asked for by letter"],
        }),
    );
    let owner = context.user("owner@northwind.example").await;
    let trail = rows(
        context,
        &format!(
            "select table_name, action, bool_and(old_values is null and new_values is null) as empty
             from audit_log where customer_id = '{id}' and user_id = '{owner}' group by 1, 2"
        ),
    )
    .await;
    let trail = trail.as_array().unwrap();
    assert!(trail.iter().all(|row| row["empty"] == true), "{trail:?}");
    for (table, action) in
        [("customers", "update"), ("customer_contacts", "delete"), ("attachments", "delete")]
    {
        let known = trail.iter().any(|row| row["table_name"] == table && row["action"] == action);
        assert!(known, "{table} {action} is not in {trail:?}");
    }
}

async fn an_erasure_stops_what_was_still_to_come(context: &mut Context) {
    let id = person(context).await;
    let erased = context.call(OWNER, "crm_erase_customer", json!({"id": id})).await.unwrap();
    let left = rows(
        context,
        &format!(
            "select (select jsonb_object_agg(status, n) from (select status, count(*) as n from crm_outbox where customer_id = '{id}'
                group by 1) x) as messages,
               (select jsonb_agg(distinct error_code) from crm_outbox where customer_id = '{id}') as codes,
               (select count(*) from crm_outbox where customer_id = '{id}' and (lease_id is not null or completed_at is null)) as open,
               (select jsonb_agg(status || coalesce(' ' || skip_code, '') order by status, skip_code) from crm_automation_runs
                 where customer_id = '{id}') as runs,
               (select count(*) from crm_events where customer_id = '{id}' and payload <> '{{}}') as events,
               (select count(*) from fieldcrm.event_queue q join crm_events e on e.id = q.event_id where e.customer_id = '{id}') as queued,
               (select jsonb_agg(status) from portal_accounts where customer_id = '{id}') as accounts,
               (select jsonb_agg(user_id) from portal_accounts where customer_id = '{id}') as logins,
               (select jsonb_agg(p.status) from profiles p join portal_accounts a on a.user_id = p.id where a.customer_id = '{id}') as profiles"
        ),
    )
    .await;
    assert_eq!(
        left[0],
        json!({
            "messages": {"canceled": 2, "unknown": 1, "sent": 1, "delivered": 1, "failed": 1, "refused": 1},
            "codes": ["erased", null], "open": 0,
            "runs": ["success", "failed", "skipped erased", "skipped late"], "events": 0, "queued": 0,
            "accounts": ["closed"], "logins": erased["logins"], "profiles": ["inactive"],
        }),
    );
    assert_eq!(erased["logins"].as_array().unwrap().len(), 1);
    // What failed is not tried again: there is nobody to send it to.
    let sql =
        "update crm_outbox set status = 'queued' where customer_id = $1 and status = 'failed'";
    assert!(context.client.execute(sql, &[&id]).await.is_err());
}

async fn an_address_that_said_stop_is_still_known_after_an_erasure(context: &mut Context) {
    let id = person(context).await;
    let sql = format!(
        "insert into crm_opt_outs (org_id, channel, address) values ('{NORTHWIND}', 'email', 'zarathustra@privacy.example'),
           ('{VOLT}', 'email', 'zarathustra@privacy.example'), ('{NORTHWIND}', 'email', 'somebody@privacy.example')"
    );
    context.client.batch_execute(&sql).await.unwrap();
    let export = context.call(OWNER, "crm_export_customer", json!({"id": id})).await.unwrap();
    let stops = export["opt_outs"].as_array().unwrap();
    assert_eq!(stops.len(), 1, "{stops:?}");
    assert_eq!(stops[0]["address"], "zarathustra@privacy.example");
    context.call(OWNER, "crm_erase_customer", json!({"id": id})).await.unwrap();
    assert_eq!(traces(context).await, ["public.crm_opt_outs"]);
}

async fn who_works_here_and_is_a_customer_keeps_their_profile(context: &mut Context) {
    let id = person(context).await;
    let sql = "update portal_accounts set user_id = (select id from profiles where email = 'sales@northwind.example') where customer_id = $1";
    context.client.execute(sql, &[&id]).await.unwrap();
    let sql = "select * from profiles where email = 'sales@northwind.example'";
    let trail = "select * from audit_log a where a.table_name = 'profiles' and a.new_values ->> 'email' = 'sales@northwind.example'";
    let before = [rows(context, sql).await, rows(context, trail).await];
    let erased = context.call(OWNER, "crm_erase_customer", json!({"id": id})).await.unwrap();
    assert_eq!([rows(context, sql).await, rows(context, trail).await], before);
    assert_eq!(erased["logins"], json!([]));
}

async fn a_deleted_customer_is_erased_from_the_trail(context: &mut Context) {
    let id = person(context).await;
    // Whoever signs in to the portal keeps their customer: the login goes first, and who waits for one.
    let sql = "delete from auth.users where email like 'zarathustra@%'";
    context.client.execute(sql, &[]).await.unwrap();
    context.call(OWNER, "crm_delete_customer", json!({"id": id})).await.unwrap();
    assert!(!traces(context).await.is_empty(), "the trail knows who was deleted");
    context.call(OWNER, "crm_erase_customer", json!({"id": id})).await.unwrap();
    assert_eq!(traces(context).await, [""; 0]);
    let stranger = json!({"id": Uuid::nil()});
    context.refused(OWNER, "crm_erase_customer", stranger, Code::NotFound).await;
}

async fn what_moved_between_customers_is_erased_too(context: &mut Context) {
    let id = person(context).await;
    let other = json!({"type": "company", "name": "Other"});
    let other = context.call(OWNER, "crm_create_customer", other).await.unwrap();
    let due_at = "2040-01-01T09:00:00Z";
    let secret = json!({"customer_id": other["id"], "title": "call zarathustra@privacy.example", "due_at": due_at});
    let followup = context.call(OWNER, "crm_create_followup", secret).await.unwrap();
    let sql = "update crm_followups set customer_id = $1 where id = $2";
    let followup: Uuid = followup["id"].as_str().unwrap().parse().unwrap();
    context.client.execute(sql, &[&id, &followup]).await.unwrap();
    context.call(OWNER, "crm_erase_customer", json!({"id": id})).await.unwrap();
    assert_eq!(traces(context).await, [""; 0]);
}

async fn an_erased_customer_takes_nothing_new_and_can_be_erased_again(context: &mut Context) {
    let id = person(context).await;
    context.call(OWNER, "crm_erase_customer", json!({"id": id})).await.unwrap();
    // As if the erasure were of yesterday: the transaction that closes a customer still works on it.
    let sql = "update customers set erased_at = now() - interval '1 day' where id = $1";
    context.client.execute(sql, &[&id]).await.unwrap();
    let note = json!({"customer_id": id, "channel": "note", "body": "has a dog"});
    context.refused(OWNER, "crm_log_interaction", note, Code::WrongState).await;
    let patch = json!({"id": id, "patch": {"name": "Back again"}});
    context.refused(OWNER, "crm_update_customer", patch, Code::WrongState).await;
    context.call(OWNER, "crm_erase_customer", json!({"id": id})).await.unwrap();
    let long = json!({"id": id, "reason": "x".repeat(201)});
    context.refused(OWNER, "crm_erase_customer", long, Code::InvalidArgument).await;
    // Nor does an import bring it back: the same person is a new customer.
    let rows = json!([{"name": "Z", "external_ref": "zarathustra-1", "email": "zarathustra@privacy.example"}]);
    let outcome = context.call(CSR, "crm_import_customers", json!({"rows": rows})).await.unwrap();
    assert_eq!(outcome["created"], 1, "{outcome}");
}

async fn a_duplicate_is_erased_with_the_customer_it_was_merged_into(context: &mut Context) {
    let duplicate = person(context).await;
    let whole = json!({"type": "individual", "name": "Friedrich"});
    let whole = context.call(CSR, "crm_create_customer", whole).await.unwrap();
    let sql = format!(
        "update customers set merged_into_id = {}, is_archived = true where id = '{duplicate}'",
        whole["id"].to_string().replace('"', "'")
    );
    context.client.batch_execute(&sql).await.unwrap();
    let arguments = json!({"id": duplicate});
    let error = context.refused(OWNER, "crm_erase_customer", arguments, Code::WrongState).await;
    assert_eq!(error.data["id"], whole["id"]);
    let arguments = json!({"id": whole["id"]});
    let export = context.call(OWNER, "crm_export_customer", arguments.clone()).await.unwrap();
    assert_eq!(export["customer"]["name"], "Friedrich");
    assert_eq!(export["merged"][0]["id"], json!(duplicate));
    assert_eq!(export["contacts"].as_array().unwrap().len(), 3);
    let erased = context.call(OWNER, "crm_erase_customer", arguments).await.unwrap();
    assert_eq!(erased["attachments"].as_array().unwrap().len(), 3);
    assert_eq!(traces(context).await, Vec::<String>::new());
}

async fn other_customers_stay_as_they_are(context: &mut Context) {
    let id = person(context).await;
    let sql = format!(
        "select (select jsonb_agg(to_jsonb(c) order by c.id) from customers c where c.id <> '{id}') as customers,
           (select jsonb_agg(to_jsonb(c) order by c.id) from customer_contacts c where c.customer_id <> '{id}') as contacts,
           (select jsonb_agg(to_jsonb(c) order by c.id) from customer_locations c where c.customer_id <> '{id}') as locations,
           (select jsonb_agg(to_jsonb(c) order by c.id) from crm_preferences c where c.customer_id <> '{id}') as preferences,
           (select jsonb_agg(to_jsonb(c) order by c.id) from crm_customer_tags c where c.customer_id <> '{id}') as tags,
           (select jsonb_agg(to_jsonb(c) order by c.customer_id) from fieldcrm.customer_search c where c.customer_id <> '{id}') as search,
           (select jsonb_agg(to_jsonb(c) order by c.id) from audit_log c where c.customer_id is distinct from '{id}'
             and c.table_name <> 'profiles') as audit"
    );
    let before = rows(context, &sql).await;
    context.call(OWNER, "crm_erase_customer", json!({"id": id})).await.unwrap();
    assert_eq!(rows(context, &sql).await, before);
}

async fn an_export_has_everything_about_the_person_and_logs_itself(context: &mut Context) {
    let id = person(context).await;
    let manager = As::Northwind("manager");
    let export = context.call(manager, "crm_export_customer", json!({"id": id})).await.unwrap();
    for (key, count) in [
        ("merged", 0),
        ("contacts", 3),
        ("locations", 1),
        ("preferences", 1),
        ("tags", 1),
        ("interactions", 1),
        ("followups", 3),
        ("work_orders", 1),
        ("quotes", 1),
        ("invoices", 1),
        ("documents", 1),
        ("attachments", 1),
        ("segments", 1),
        ("metrics", 1),
        ("messages", 7),
        ("opt_outs", 0),
        ("portal_accounts", 1),
        ("portal_access", 1),
        ("portal_invites", 1),
        ("portal_threads", 1),
        ("portal_ai_conversations", 1),
        ("warranties", 1),
        ("memberships", 1),
        ("automation_runs", 4),
        ("notifications", 5),
        ("booking_requests", 1),
        ("visit_plans", 1),
        ("access_log", 1),
        ("leads", 1),
    ] {
        assert_eq!(export[key].as_array().unwrap().len(), count, "{key} in {export}");
    }
    assert_eq!(export["customer"]["name"], "Zarathustra Sils-Maria");
    assert_eq!(export["work_orders"][0]["customer_notes"], "Zarathustra");
    assert_eq!(export["work_orders"][0].get("internal_notes"), None);
    assert_eq!(export["work_orders"][0]["events"][0]["type"], "created");
    assert_eq!(export["access_log"][0]["operation"], "crm_export_customer");
    assert_eq!(export["leads"][0]["messages"][0]["content"], "Ecce homo");
    let manager_id = context.user("manager@northwind.example").await;
    assert_eq!(export["access_log"][0]["user_id"], json!(manager_id));
    assert_eq!(export["messages"][0]["body"], "Ecce homo");
    assert_eq!(export["portal_threads"][0]["messages"][0]["body"], "Ecce homo");
    assert_eq!(export["portal_ai_conversations"][0]["messages"][0]["content"], "Ecce homo");
    assert_eq!(export["memberships"][0]["plan"], "Mountain air");
    assert_eq!(export["automation_runs"][0]["rule"], "Greet");
    assert_eq!(export["portal_accounts"][0]["preferences"]["timezone"], "Europe/Zurich");
    assert_eq!(export["portal_accounts"][0]["profile"]["full_name"], "Zarathustra");
    assert_eq!(export["portal_accounts"][0]["events"][0]["user_agent"], "zarathustra");
    let events = export["events"].as_array().unwrap();
    let said = |event: &&Value| event["payload"]["said"] == "Ecce homo";
    assert_eq!(events.iter().filter(said).count(), 1, "{events:?}");
    let audit = export["audit_log"].as_array().unwrap();
    assert!(audit.iter().any(|row| row["table_name"] == "customers" && row["action"] == "update"));
    assert!(audit.iter().all(|row| row.get("old_values").is_none()));
    // Nobody else's data is in it.
    let strangers = "select id from customers where id <> ";
    let strangers = rows(context, &format!("{strangers}'{id}'")).await;
    let text = export.to_string();
    for stranger in strangers.as_array().unwrap() {
        assert!(!text.contains(stranger["id"].as_str().unwrap()), "{stranger}");
    }
}

async fn only_who_may_exports_and_erases_and_only_in_their_org(context: &mut Context) {
    let id = person(context).await;
    let arguments = json!({"id": id});
    for (role, exports, erases) in [
        ("csr", false, false),
        ("viewer", false, false),
        ("member", false, false),
        ("dispatcher", false, false),
        ("technician", false, false),
        ("client_admin", false, false),
        ("portal_customer", false, false),
        ("manager", true, false),
        ("admin", true, true),
    ] {
        let caller = As::Northwind(role);
        for (rpc, may) in [("crm_export_customer", exports), ("crm_erase_customer", erases)] {
            if may {
                context.client.batch_execute("savepoint before").await.unwrap();
                context.call(caller, rpc, arguments.clone()).await.unwrap();
                context.client.batch_execute("rollback to before").await.unwrap();
            } else {
                context.refused(caller, rpc, arguments.clone(), Code::Forbidden).await;
            }
        }
    }
    for rpc in ["crm_export_customer", "crm_erase_customer"] {
        for caller in [As::Volt("owner"), As::Dba(VOLT)] {
            context.refused(caller, rpc, arguments.clone(), Code::NotFound).await;
        }
        context.refused(OWNER, rpc, json!({"id": Uuid::nil()}), Code::NotFound).await;
    }
    assert!(!traces(context).await.is_empty());
    context.call(As::Dba(NORTHWIND), "crm_erase_customer", arguments).await.unwrap();
}
