//! Archiving, deleting, tagging and merging customers, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;
mod customer_belongings;

use common::{As, Context};
use customer_belongings::{automate, furnish};
use fieldcrm_core::Code;
use serde_json::{Value, json};
use uuid::Uuid;

const CSR: As = As::Northwind("csr");
const ADMIN: As = As::Northwind("admin");
const MEMBER: As = As::Northwind("member");

scenarios! {
    archiving_and_restoring_can_be_repeated
    only_who_may_change_a_customer_archives_it
    only_admins_delete_and_nothing_remains
    another_org_reaches_nothing
    tags_are_put_on_and_taken_off_many_customers
    tagging_again_changes_nothing
    members_tag_only_their_own_and_make_no_tags
    a_wrong_tagging_is_refused_as_a_whole
    a_merge_loses_nothing
    a_merge_keeps_what_was_done_once
    who_signs_in_to_the_portal_keeps_their_customer
    after_a_merge_the_figures_are_those_of_both
    the_stricter_consent_wins
    what_the_survivor_lacks_comes_from_the_duplicate
    what_was_merged_is_not_merged_or_restored_again
    a_chain_of_merges_points_to_the_last_survivor
    only_who_may_write_customers_merges
}

async fn make(context: &mut Context, caller: As, mut input: Value) -> Value {
    input["type"] = "individual".into();
    context.call(caller, "crm_create_customer", input).await.unwrap()
}

fn id(customer: &Value) -> Uuid {
    customer["id"].as_str().unwrap().parse().unwrap()
}

async fn count(context: &Context, sql: &str, id: Uuid) -> i64 {
    context.client.query_one(sql, &[&id]).await.unwrap().get(0)
}

async fn archiving_and_restoring_can_be_repeated(context: &mut Context) {
    let made = make(context, CSR, json!({"name": "Ann Lee"})).await;
    let key = json!({"id": made["id"]});
    for (name, archived) in [
        ("crm_archive_customer", true),
        ("crm_archive_customer", true),
        ("crm_restore_customer", false),
        ("crm_restore_customer", false),
    ] {
        let customer = context.call(CSR, name, key.clone()).await.unwrap();
        assert_eq!(customer["is_archived"], archived);
        assert_eq!(customer["archived_at"].is_null(), !archived);
        assert_eq!(customer, context.call(CSR, "crm_get_customer", key.clone()).await.unwrap());
    }
}

async fn only_who_may_change_a_customer_archives_it(context: &mut Context) {
    let theirs = json!({"id": make(context, CSR, json!({"name": "Ann Lee"})).await["id"]});
    let own = json!({"id": make(context, MEMBER, json!({"name": "Bo Lee"})).await["id"]});
    for name in ["crm_archive_customer", "crm_restore_customer"] {
        for role in ["viewer", "dispatcher", "technician", "client_admin"] {
            context.refused(As::Northwind(role), name, theirs.clone(), Code::Forbidden).await;
        }
        context.refused(MEMBER, name, theirs.clone(), Code::Forbidden).await;
        context.call(MEMBER, name, own.clone()).await.unwrap();
    }
}

async fn only_admins_delete_and_nothing_remains(context: &mut Context) {
    let made = make(context, CSR, json!({"name": "Ann Lee", "email": "ann@example.com", "tags": ["VIP"],
        "preferences": {"do_not_call": true}, "locations": [{"address_line1": "1 Main St", "city": "Reno"}]})).await;
    let key = json!({"id": made["id"]});
    for role in ["manager", "csr", "sales", "member", "viewer"] {
        context
            .refused(As::Northwind(role), "crm_delete_customer", key.clone(), Code::Forbidden)
            .await;
    }
    furnish(context, &made).await;
    // Who signs in to the portal keeps their customer.
    context.refused(ADMIN, "crm_delete_customer", key.clone(), Code::WrongState).await;
    let sql = "delete from portal_accounts where customer_id = $1";
    context.client.execute(sql, &[&id(&made)]).await.unwrap();
    let gone = context.call(ADMIN, "crm_delete_customer", key.clone()).await.unwrap();
    assert_eq!(gone, json!({"deleted": true, "id": made["id"]}));
    assert!(owned(context, id(&made)).await.iter().all(|(_, rows)| *rows == 0));
    context.refused(ADMIN, "crm_delete_customer", key.clone(), Code::NotFound).await;
    context.refused(CSR, "crm_get_customer", key, Code::NotFound).await;
}

async fn another_org_reaches_nothing(context: &mut Context) {
    let ours = make(context, CSR, json!({"name": "Ann Lee"})).await;
    let theirs = make(context, As::Volt("csr"), json!({"name": "Bo Lee"})).await;
    let volt = As::Volt("admin");
    let key = json!({"id": ours["id"]});
    for name in ["crm_archive_customer", "crm_restore_customer", "crm_delete_customer"] {
        context.refused(volt, name, key.clone(), Code::NotFound).await;
    }
    for (id, duplicate_id) in [(&theirs["id"], &ours["id"]), (&ours["id"], &theirs["id"])] {
        let arguments = json!({"id": id, "duplicate_id": duplicate_id});
        let error = context.refused(volt, "crm_merge_customers", arguments, Code::NotFound).await;
        assert_eq!(error.data["id"], ours["id"]);
    }
    let arguments = json!({"customer_ids": [ours["id"], theirs["id"]], "add": ["Mine"]});
    let tagged = context.call(volt, "crm_bulk_tag", arguments).await.unwrap();
    assert_eq!(tagged, json!({"tagged": 1, "untagged": 0, "not_found": [ours["id"]]}));
}

async fn tags_of(context: &mut Context, customer: &Value) -> Vec<String> {
    let read = context.call(CSR, "crm_get_customer", json!({"id": customer["id"]})).await.unwrap();
    read["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| tag["name"].as_str().unwrap().to_owned())
        .collect()
}

async fn tags_are_put_on_and_taken_off_many_customers(context: &mut Context) {
    let one = make(context, CSR, json!({"name": "One", "tags": ["Old", "Both"]})).await;
    let two = make(context, CSR, json!({"name": "Two", "tags": ["Both"]})).await;
    let nobody = Uuid::from_u128(7);
    let arguments = json!({"customer_ids": [one["id"], two["id"], nobody, one["id"]], "add": ["Brand new", "both"],
        "remove": ["OLD", "never heard of"]});
    let answer = context.call(CSR, "crm_bulk_tag", arguments).await.unwrap();
    assert_eq!(answer, json!({"tagged": 2, "untagged": 1, "not_found": [nobody]}));
    for customer in [&one, &two] {
        assert_eq!(tags_of(context, customer).await, ["Both", "Brand new"]);
    }
}

async fn tagging_again_changes_nothing(context: &mut Context) {
    let one = make(context, CSR, json!({"name": "One", "tags": ["Old"]})).await;
    let arguments = json!({"customer_ids": [one["id"]], "add": ["New"], "remove": ["Old"]});
    let first = context.call(CSR, "crm_bulk_tag", arguments.clone()).await.unwrap();
    assert_eq!(first, json!({"tagged": 1, "untagged": 1, "not_found": []}));
    let again = context.call(CSR, "crm_bulk_tag", arguments).await.unwrap();
    assert_eq!(again, json!({"tagged": 0, "untagged": 0, "not_found": []}));
}

async fn members_tag_only_their_own_and_make_no_tags(context: &mut Context) {
    let own = make(context, MEMBER, json!({"name": "Mine"})).await;
    let other = make(context, CSR, json!({"name": "Not mine", "tags": ["VIP"]})).await;
    let ids = json!([own["id"], other["id"]]);
    let arguments = json!({"customer_ids": ids, "add": ["vip"]});
    let answer = context.call(MEMBER, "crm_bulk_tag", arguments).await.unwrap();
    assert_eq!(answer, json!({"tagged": 1, "untagged": 0, "not_found": [other["id"]]}));
    let arguments = json!({"customer_ids": ids, "remove": ["VIP"]});
    let answer = context.call(MEMBER, "crm_bulk_tag", arguments).await.unwrap();
    assert_eq!(answer, json!({"tagged": 0, "untagged": 1, "not_found": [other["id"]]}));
    assert_eq!(tags_of(context, &other).await, ["VIP"]);
    let arguments = json!({"customer_ids": ids, "add": ["Unheard of"]});
    let error = context.refused(MEMBER, "crm_bulk_tag", arguments.clone(), Code::Forbidden).await;
    assert_eq!(error.data["unknown_tags"], json!(["Unheard of"]));
    context.refused(As::Northwind("viewer"), "crm_bulk_tag", arguments, Code::Forbidden).await;
}

async fn a_wrong_tagging_is_refused_as_a_whole(context: &mut Context) {
    let ids: Vec<_> = (0..1_001).map(Uuid::from_u128).collect();
    let arguments = json!({"customer_ids": ids, "add": ["a"], "remove": ["A"]});
    let error = context.refused(CSR, "crm_bulk_tag", arguments, Code::InvalidArgument).await;
    let paths: Vec<_> = error.errors.iter().map(|error| error.path.as_str()).collect();
    assert_eq!(paths, ["customer_ids", "remove[0]"]);
    let arguments = json!({"customer_ids": []});
    context.refused(CSR, "crm_bulk_tag", arguments, Code::InvalidArgument).await;
}

/// How many rows of each table belong to the customer, whatever tables there are.
async fn owned(context: &Context, id: Uuid) -> Vec<(String, i64)> {
    let tables = context.client
        .query(
            "select conrelid::regclass::text from pg_constraint
             where contype = 'f' and confrelid = 'public.customers'::regclass and conrelid <> confrelid
               -- What happened stays with whom it happened to.
               and conrelid <> 'public.crm_events'::regclass order by 1",
            &[],
        )
        .await
        .unwrap();
    let mut owned = Vec::new();
    for row in tables {
        let table: String = row.get(0);
        let rows =
            count(context, &format!("select count(*) from {table} where customer_id = $1"), id)
                .await;
        owned.push((table, rows));
    }
    owned
}

/// Two customers that are one, both with everything.
async fn pair(context: &mut Context) -> (Value, Value) {
    let survivor = make(context, CSR, json!({"name": "Ann Lee", "email": "ann@example.com", "tags": ["VIP", "Old"],
        "locations": [{"address_line1": "1 Main St", "city": "Reno"}], "preferences": {"do_not_sms": true}})).await;
    let duplicate = make(
        context,
        CSR,
        json!({"name": "A. Lee", "email": "ann@example.com", "phone": "(415) 555-2671",
        "external_ref": "ERP-9", "notes": "Gate code", "tags": ["VIP", "New"],
        "locations": [{"address_line1": "2 Side St", "city": "Elko"}],
        "preferences": {"do_not_call": true, "preferred_contact_window_start": "09:00"}}),
    )
    .await;
    for customer in [&survivor, &duplicate] {
        furnish(context, customer).await;
    }
    (survivor, duplicate)
}

fn merging(survivor: &Value, duplicate: &Value) -> Value {
    json!({"id": survivor["id"], "duplicate_id": duplicate["id"]})
}

async fn a_merge_loses_nothing(context: &mut Context) {
    let (survivor, duplicate) = pair(context).await;
    let before = owned(context, id(&survivor)).await;
    let theirs = owned(context, id(&duplicate)).await;
    let merged =
        context.call(CSR, "crm_merge_customers", merging(&survivor, &duplicate)).await.unwrap();
    assert_eq!(
        merged,
        context.call(CSR, "crm_get_customer", json!({"id": survivor["id"]})).await.unwrap()
    );
    let after = owned(context, id(&survivor)).await;
    for ((table, after), ((_, before), (_, theirs))) in after.iter().zip(before.iter().zip(&theirs))
    {
        // One e-mail, one tag and one segment are the same on both sides.
        let shared = match table.as_str() {
            "customer_contacts"
            | "crm_customer_tags"
            | "crm_segment_members"
            | "crm_preferences"
            | "customer_metrics"
            | "portal_account_access"
            | "fieldcrm.ai_job_customers"
            | "fieldcrm.automation_enrollments"
            | "fieldcrm.customer_search" => 1,
            _ => 0,
        };
        assert!(*theirs > 0, "the test makes nothing in {table}");
        assert_eq!(*after, before + theirs - shared, "{table}");
    }
    let left = owned(context, id(&duplicate)).await;
    let left: Vec<_> =
        left.iter().filter(|(_, rows)| *rows > 0).map(|(table, _)| table.as_str()).collect();
    assert_eq!(left, ["customer_metrics", "fieldcrm.customer_search"]);
    let shell =
        context.call(CSR, "crm_get_customer", json!({"id": duplicate["id"]})).await.unwrap();
    assert_eq!((&shell["is_archived"], &shell["merged_into_id"]), (&json!(true), &survivor["id"]));
    assert_eq!((&shell["external_ref"], &shell["name"]), (&json!("ERP-9"), &json!("A. Lee")));
    assert_eq!(
        (&shell["primary_contact_id"], &shell["primary_location_id"]),
        (&Value::Null, &Value::Null)
    );
    let found =
        context.call(CSR, "crm_search_customers", json!({"q": "2 side st elko"})).await.unwrap();
    assert_eq!(found["customers"][0]["id"], survivor["id"]);
}

async fn a_merge_keeps_what_was_done_once(context: &mut Context) {
    let (survivor, duplicate) = pair(context).await;
    let enrolled = "select (extract(epoch from max(enrolled_at)) * 1000000)::bigint from fieldcrm.automation_enrollments e
      join crm_automation_rules r on r.id = e.rule_id where r.name = 'Only ' || ($1::uuid)::text";
    let latest = count(context, enrolled, id(&survivor)).await;
    context.call(CSR, "crm_merge_customers", merging(&survivor, &duplicate)).await.unwrap();
    // Of the rule that both had, the later enrolment is left.
    assert_eq!(count(context, enrolled, id(&survivor)).await, latest);
    let sql = "select r.name, array_agg(x.occurrence_key order by x.occurrence_key) from crm_automation_runs x
      join crm_automation_rules r on r.id = x.rule_id where x.customer_id = $1 group by 1";
    let runs = context.client.query(sql, &[&id(&survivor)]).await.unwrap();
    assert_eq!(runs.len(), 2);
    let once = |customer: &Value| format!("once:{}", id(customer));
    for row in runs {
        let (name, keys): (String, Vec<String>) = (row.get(0), row.get(1));
        if name.ends_with(&id(&duplicate).to_string()) {
            // What the rule did for the duplicate it does not do again.
            assert_eq!(keys, [once(&survivor)]);
        } else {
            let mut both = [once(&survivor), once(&duplicate)];
            both.sort();
            assert_eq!(keys, both);
        }
    }
    // A message to the e-mail address that both had goes to the one that is left.
    let sql = "select count(*) from crm_outbox o join customer_contacts c on c.id = o.contact_id and c.customer_id = o.customer_id
      where o.customer_id = $1 and c.type = 'email'";
    assert_eq!(count(context, sql, id(&survivor)).await, 2);
}

async fn who_signs_in_to_the_portal_keeps_their_customer(context: &mut Context) {
    let customer = make(context, CSR, json!({"name": "Ann Lee"})).await;
    automate(context, id(&customer)).await;
    let key = json!({"id": customer["id"]});
    let error = context.refused(ADMIN, "crm_delete_customer", key.clone(), Code::WrongState).await;
    assert_eq!(error.data["reference"], "portal_accounts");
    context.call(ADMIN, "crm_get_customer", key.clone()).await.unwrap();
    // Nor does anybody of another org learn of it by trying.
    context.refused(As::Volt("admin"), "crm_delete_customer", key.clone(), Code::NotFound).await;
}

async fn after_a_merge_the_figures_are_those_of_both(context: &mut Context) {
    let (survivor, duplicate) = pair(context).await;
    context.call(CSR, "crm_merge_customers", merging(&survivor, &duplicate)).await.unwrap();
    let odd = "select count(*) from customer_metrics m join customer_metrics_recomputed r using (customer_id)
        where customer_id = $1 and (m.interactions_count, m.negative_count, m.last_interaction_at, m.jobs_count, m.open_jobs_count,
          m.last_service_at, m.total_spend, m.balance_due) is distinct from (r.interactions_count, r.negative_count,
          r.last_interaction_at, r.jobs_count, r.open_jobs_count, r.last_service_at, r.total_spend, r.balance_due)";
    for customer in [&survivor, &duplicate] {
        assert_eq!(count(context, odd, id(customer)).await, 0);
    }
    let figures = "select interactions_count * 1000 + jobs_count * 100 + total_spend::bigint from customer_metrics where customer_id = $1";
    assert_eq!(count(context, figures, id(&survivor)).await, 2_280);
    assert_eq!(count(context, figures, id(&duplicate)).await, 0);
}

async fn the_stricter_consent_wins(context: &mut Context) {
    let contact = |marketing: bool, verified: bool| json!({"type": "email", "value": "ann@example.com", "opt_in_marketing": marketing, "is_verified": verified});
    let survivor = make(
        context,
        CSR,
        json!({"name": "Ann", "contacts": [contact(true, false)],
        "preferences": {"do_not_sms": true}}),
    )
    .await;
    let duplicate = make(
        context,
        CSR,
        json!({"name": "A.", "contacts": [contact(false, true)],
        "preferences": {"do_not_call": true, "preferred_contact_window_start": "09:00"}}),
    )
    .await;
    let merged =
        context.call(CSR, "crm_merge_customers", merging(&survivor, &duplicate)).await.unwrap();
    assert_eq!(merged["contacts"].as_array().unwrap().len(), 1);
    let kept = &merged["contacts"][0];
    assert_eq!(kept["id"], survivor["contacts"][0]["id"]);
    assert_eq!((&kept["opt_in_marketing"], &kept["is_verified"]), (&json!(false), &json!(true)));
    let preferences = &merged["preferences"];
    assert_eq!(
        (&preferences["do_not_sms"], &preferences["do_not_call"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(preferences["preferred_contact_window_start"], "09:00:00");
}

async fn what_the_survivor_lacks_comes_from_the_duplicate(context: &mut Context) {
    let survivor = make(context, CSR, json!({"name": "Ann Lee", "notes": "Ours"})).await;
    let duplicate = make(context, CSR, json!({"name": "A. Lee", "email": "ann@example.com", "phone": "(415) 555-2671",
        "notes": "Theirs", "source": "web", "locations": [{"address_line1": "2 Side St", "city": "Elko"}]})).await;
    let merged =
        context.call(CSR, "crm_merge_customers", merging(&survivor, &duplicate)).await.unwrap();
    assert_eq!((&merged["name"], &merged["notes"]), (&json!("Ann Lee"), &json!("Ours")));
    for column in
        ["email", "phone", "phone_raw", "source", "primary_contact_id", "primary_location_id"]
    {
        assert_eq!(merged[column], duplicate[column], "{column}");
    }
    for children in ["contacts", "locations"] {
        let primary =
            merged[children].as_array().unwrap().iter().filter(|row| row["is_primary"] == true);
        assert_eq!(primary.count(), 1, "{children}");
    }
}

async fn what_was_merged_is_not_merged_or_restored_again(context: &mut Context) {
    let one = make(context, CSR, json!({"name": "One"})).await;
    let two = make(context, CSR, json!({"name": "Two"})).await;
    let three = make(context, CSR, json!({"name": "Three"})).await;
    let same = merging(&one, &one);
    let error = context.refused(CSR, "crm_merge_customers", same, Code::InvalidArgument).await;
    assert_eq!(error.errors[0].path, "duplicate_id");
    context.call(CSR, "crm_merge_customers", merging(&one, &two)).await.unwrap();
    for again in
        [merging(&one, &two), merging(&two, &one), merging(&three, &two), merging(&two, &three)]
    {
        let error = context.refused(CSR, "crm_merge_customers", again, Code::WrongState).await;
        assert_eq!((&error.data["id"], &error.data["merged_into_id"]), (&two["id"], &one["id"]));
    }
    let key = json!({"id": two["id"]});
    context.refused(CSR, "crm_restore_customer", key.clone(), Code::WrongState).await;
    context.call(CSR, "crm_archive_customer", key).await.unwrap();
}

async fn a_chain_of_merges_points_to_the_last_survivor(context: &mut Context) {
    let one = make(context, CSR, json!({"name": "One"})).await;
    let two = make(context, CSR, json!({"name": "Two"})).await;
    let three = make(context, CSR, json!({"name": "Three"})).await;
    context.call(CSR, "crm_merge_customers", merging(&two, &one)).await.unwrap();
    context.call(CSR, "crm_merge_customers", merging(&three, &two)).await.unwrap();
    for gone in [&one, &two] {
        let read = context.call(CSR, "crm_get_customer", json!({"id": gone["id"]})).await.unwrap();
        assert_eq!(read["merged_into_id"], three["id"]);
    }
}

async fn only_who_may_write_customers_merges(context: &mut Context) {
    let one = make(context, MEMBER, json!({"name": "One"})).await;
    let two = make(context, MEMBER, json!({"name": "Two"})).await;
    for role in ["member", "viewer", "dispatcher", "technician"] {
        context
            .refused(
                As::Northwind(role),
                "crm_merge_customers",
                merging(&one, &two),
                Code::Forbidden,
            )
            .await;
    }
    context.call(As::Northwind("sales"), "crm_merge_customers", merging(&one, &two)).await.unwrap();
}
