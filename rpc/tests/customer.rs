//! Customers, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use std::collections::HashSet;

use common::{As, Context, NORTHWIND, VOLT};
use fieldcrm_core::Code;
use serde_json::{Value, json};
use uuid::Uuid;

const CSR: As = As::Northwind("csr");

scenarios! {
    a_customer_is_created_with_everything_nested
    what_is_created_is_what_is_read
    a_duplicate_external_ref_names_the_customer_that_has_it
    the_same_key_and_payload_returns_the_first_result
    the_same_key_with_another_payload_is_refused
    an_idempotency_key_of_another_user_is_another_key
    a_key_whose_call_left_no_result_counts_as_unused
    roles_without_the_capability_are_refused
    a_member_creates_and_changes_only_their_own
    a_dba_works_for_the_org_they_set
    another_org_sees_and_changes_nothing
    owners_are_active_staff_of_the_same_org
    a_product_is_one_of_the_same_org
    a_patch_changes_only_what_it_names
    a_patch_replaces_the_tags
    names_that_only_postgres_takes_for_one_tag_are_one
    children_are_added_changed_and_removed_together
    the_primary_child_moves_and_never_vanishes
    only_managers_change_the_owner
    a_patch_that_fails_changes_nothing
    a_contact_does_not_become_another_one
    a_stored_document_that_rust_cannot_read_is_an_error_of_ours
}

fn ada() -> Value {
    json!({
        "type": "individual", "first_name": "Ada", "last_name": "Lovelace", "email": "Ada@Example.com",
        "phone": "+1 (415) 555-2671", "status": "active", "source": "web", "preferred_language": "en",
        "locations": [
            {"address_line1": "12 St James's Square", "city": "London", "country": "gb", "label": "Home"},
            {"address_line1": "1 Main St", "city": "Reno", "is_primary": true, "type": "billing"},
        ],
        "contacts": [{"type": "telegram", "value": "@ada", "opt_in_marketing": false}],
        "tags": ["VIP", "brand new"],
        "preferences": {"do_not_call": true, "preferred_contact_window_start": "09:00"},
    })
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} is no text in {value}"))
}

async fn a_customer_is_created_with_everything_nested(context: &mut Context) {
    let made = context.call(CSR, "crm_create_customer", ada()).await.unwrap();
    assert_eq!(made["name"], "Ada Lovelace");
    assert_eq!(made["email"], "ada@example.com");
    assert_eq!(
        (&made["phone"], &made["phone_raw"]),
        (&json!("+14155552671"), &json!("+1 (415) 555-2671"))
    );
    assert_eq!(made["is_archived"], false);
    let contacts = made["contacts"].as_array().unwrap();
    assert_eq!(contacts.len(), 3);
    assert_eq!(contacts[0]["id"], made["primary_contact_id"]);
    assert_eq!(contacts[0]["is_primary"], true);
    let billing = &made["locations"][1];
    assert_eq!(billing["id"], made["primary_location_id"]);
    assert_eq!(billing["country"], "US");
    assert_eq!(made["locations"][0]["country"], "GB");
    assert_eq!(made["preferences"]["do_not_call"], true);
    assert_eq!(made["preferences"]["preferred_contact_window_start"], "09:00:00");
    let tags: Vec<_> =
        made["tags"].as_array().unwrap().iter().map(|tag| text(tag, "name")).collect();
    assert_eq!(tags, ["brand new", "VIP"]);
    for child in contacts.iter().chain(made["locations"].as_array().unwrap()) {
        assert_eq!((&child["customer_id"], &child["org_id"]), (&made["id"], &made["org_id"]));
    }
}

/// The children in the order that [`what_is_created_is_what_is_read`] can compare.
fn sorted(mut customer: Value) -> Value {
    for key in ["contacts", "locations"] {
        customer[key].as_array_mut().unwrap().sort_by_key(|row| row["id"].to_string());
    }
    customer
}

async fn what_is_created_is_what_is_read(context: &mut Context) {
    for (caller, input) in [
        (CSR, ada()),
        (As::Northwind("member"), {
            let mut input = ada();
            input["tags"] = json!(["VIP"]);
            input
        }),
    ] {
        let made = context.call(caller, "crm_create_customer", input).await.unwrap();
        let read = context.call(CSR, "crm_get_customer", json!({"id": made["id"]})).await.unwrap();
        // A member's customer is made in two steps, the second of which sets updated_at.
        assert_eq!(sorted(made), sorted(read));
    }
}

async fn a_duplicate_external_ref_names_the_customer_that_has_it(context: &mut Context) {
    let input = json!({"type": "company", "name": "Acme", "external_ref": "ERP-1"});
    let first = context.call(CSR, "crm_create_customer", input.clone()).await.unwrap();
    let error = context
        .refused(CSR, "crm_create_customer", input.clone(), Code::DuplicateExternalRef)
        .await;
    assert_eq!(error.data["id"], first["id"]);
    let other = json!({"type": "company", "name": "Other"});
    let other = context.call(CSR, "crm_create_customer", other).await.unwrap();
    let patch = json!({"id": other["id"], "patch": {"external_ref": "ERP-1"}});
    let error =
        context.refused(CSR, "crm_update_customer", patch, Code::DuplicateExternalRef).await;
    assert_eq!(error.data["id"], first["id"]);
    context.call(As::Volt("csr"), "crm_create_customer", input).await.unwrap();
}

async fn the_same_key_and_payload_returns_the_first_result(context: &mut Context) {
    let mut input = ada();
    input["idempotency_key"] = "k-1".into();
    let first = context.call(CSR, "crm_create_customer", input.clone()).await.unwrap();
    assert_eq!(context.call(CSR, "crm_create_customer", input).await.unwrap(), first);
}

async fn the_same_key_with_another_payload_is_refused(context: &mut Context) {
    let input = |name: &str| json!({"type": "company", "name": name, "idempotency_key": "k-2"});
    context.call(CSR, "crm_create_customer", input("One")).await.unwrap();
    context.refused(CSR, "crm_create_customer", input("Two"), Code::IdempotencyKeyReused).await;
    let long = json!({"type": "company", "name": "x", "idempotency_key": "k".repeat(256)});
    context.refused(CSR, "crm_create_customer", long, Code::InvalidArgument).await;
}

async fn an_idempotency_key_of_another_user_is_another_key(context: &mut Context) {
    let input = json!({"type": "company", "name": "One", "idempotency_key": "k-3"});
    let mut made = Vec::new();
    for caller in [CSR, As::Northwind("sales"), As::Volt("csr"), As::Dba(VOLT)] {
        made.push(
            context.call(caller, "crm_create_customer", input.clone()).await.unwrap()["id"]
                .to_string(),
        );
    }
    made.sort();
    made.dedup();
    assert_eq!(made.len(), 4);
}

async fn a_key_whose_call_left_no_result_counts_as_unused(context: &mut Context) {
    let csr = context.user("csr@northwind.example").await;
    let sql = "insert into fieldcrm.idempotency_keys (org_id, user_id, key, operation, fingerprint)
        values ($1, $2, 'k-5', 'crm_create_customer', 'of another payload')";
    context.client.execute(sql, &[&NORTHWIND, &csr]).await.unwrap();
    let input = json!({"type": "company", "name": "One", "idempotency_key": "k-5"});
    let made = context.call(CSR, "crm_create_customer", input.clone()).await.unwrap();
    assert_eq!(made["name"], "One");
    assert_eq!(context.call(CSR, "crm_create_customer", input).await.unwrap(), made);
}

async fn roles_without_the_capability_are_refused(context: &mut Context) {
    let input = json!({"type": "company", "name": "x"});
    for role in
        ["dispatcher", "technician", "viewer", "client_admin", "portal_customer", "portal_manager"]
    {
        context
            .refused(As::Northwind(role), "crm_create_customer", input.clone(), Code::Forbidden)
            .await;
    }
    for role in ["owner", "admin", "manager", "csr", "sales", "member"] {
        context.call(As::Northwind(role), "crm_create_customer", input.clone()).await.unwrap();
    }
    let outsider = context.newcomer("nobody@example.com").await;
    context.refused(As::User(outsider), "crm_create_customer", input, Code::NoMembership).await;
    let id = context.call(CSR, "crm_create_customer", ada()).await.unwrap()["id"].take();
    for role in ["dispatcher", "viewer"] {
        context.call(As::Northwind(role), "crm_get_customer", json!({"id": id})).await.unwrap();
    }
    for role in ["technician", "client_admin", "portal_customer"] {
        context
            .refused(As::Northwind(role), "crm_get_customer", json!({"id": id}), Code::Forbidden)
            .await;
    }
}

async fn a_member_creates_and_changes_only_their_own(context: &mut Context) {
    let member = As::Northwind("member");
    let own_id = json!(context.user("member@northwind.example").await);
    let mut input = ada();
    input["tags"] = json!(["vip"]);
    let made = context.call(member, "crm_create_customer", input).await.unwrap();
    assert_eq!(made["owner_id"], own_id);
    assert_eq!(made["contacts"].as_array().unwrap().len(), 3);
    assert_eq!(made["locations"][0]["id"], made["primary_location_id"]);
    let patch = |id: &Value| json!({"id": id, "patch": {"notes": "mine", "contacts": [{"type": "portal", "value": "a"}]}});
    context.call(member, "crm_update_customer", patch(&made["id"])).await.unwrap();
    let other = context.call(CSR, "crm_create_customer", ada()).await.unwrap();
    context.refused(member, "crm_update_customer", patch(&other["id"]), Code::Forbidden).await;
    let csr_id = context.user("csr@northwind.example").await;
    let foreign = json!({"type": "company", "name": "x", "owner_id": csr_id});
    context.refused(member, "crm_create_customer", foreign, Code::Forbidden).await;
    let tags = json!({"type": "company", "name": "x", "tags": ["VIP", "unheard of"]});
    let error = context.refused(member, "crm_create_customer", tags, Code::Forbidden).await;
    assert_eq!(error.data["unknown_tags"], json!(["unheard of"]));
}

async fn a_dba_works_for_the_org_they_set(context: &mut Context) {
    let made = context.call(
        As::Dba(VOLT),
        "crm_create_customer",
        json!({
        "type": "individual", "name": "Grace Hopper", "phone": "020 7946 0958"}),
    );
    let made = made.await.unwrap();
    assert_eq!(made["org_id"], json!(VOLT));
    assert_eq!(made["phone"], "+442079460958");
    let nowhere = As::Dba(Uuid::from_u128(7));
    context
        .refused(
            nowhere,
            "crm_create_customer",
            json!({"type": "company", "name": "x"}),
            Code::OrgRequired,
        )
        .await;
}

async fn another_org_sees_and_changes_nothing(context: &mut Context) {
    let made = context.call(CSR, "crm_create_customer", ada()).await.unwrap();
    for role in ["owner", "admin", "manager", "csr"] {
        let volt = As::Volt(role);
        context.refused(volt, "crm_get_customer", json!({"id": made["id"]}), Code::NotFound).await;
        let patch = json!({"id": made["id"], "patch": {"name": "Stolen"}});
        context.refused(volt, "crm_update_customer", patch, Code::NotFound).await;
    }
    // A child of another org's customer cannot be named either.
    let volts = context.call(As::Volt("csr"), "crm_create_customer", ada()).await.unwrap();
    let patch = json!({"id": volts["id"], "patch": {"contacts": [{"id": made["contacts"][0]["id"], "delete": true}]}});
    context.refused(As::Volt("csr"), "crm_update_customer", patch, Code::NotFound).await;
    context.call(CSR, "crm_get_customer", json!({"id": made["id"]})).await.unwrap();
}

async fn owners_are_active_staff_of_the_same_org(context: &mut Context) {
    let good = context.user("sales@northwind.example").await;
    let input = |owner| json!({"type": "company", "name": "x", "owner_id": owner});
    let made = context.call(CSR, "crm_create_customer", input(good)).await.unwrap();
    assert_eq!(made["owner_id"], json!(good));
    for email in ["sales@volt.example", "portal_customer@northwind.example"] {
        let owner = context.user(email).await;
        let error =
            context.refused(CSR, "crm_create_customer", input(owner), Code::InvalidArgument).await;
        assert_eq!(error.errors[0].path, "owner_id");
    }
}

async fn a_product_is_one_of_the_same_org(context: &mut Context) {
    let product = async |org: Uuid| -> Uuid {
        let sql = "insert into products (org_id, name, is_active) values ($1, 'Heat pump check', false) returning id";
        context.client.query_one(sql, &[&org]).await.unwrap().get(0)
    };
    let (ours, theirs) = (product(NORTHWIND).await, product(VOLT).await);
    let input = |id: Uuid| json!({"type": "company", "name": "Acme", "product_id": id});
    let error =
        context.refused(CSR, "crm_create_customer", input(theirs), Code::InvalidArgument).await;
    assert_eq!(error.errors[0].code, "unknown_product");
    let made = context.call(CSR, "crm_create_customer", input(ours)).await.unwrap();
    assert_eq!(made["product_id"], json!(ours));
    let read = context.call(CSR, "crm_get_customer", json!({"id": made["id"]})).await.unwrap();
    assert_eq!(made["product"], json!({"id": ours, "name": "Heat pump check"}));
    assert_eq!(sorted(made.clone()), sorted(read));
    let patch = |id: Option<Uuid>| json!({"id": made["id"], "patch": {"product_id": id}});
    context.refused(CSR, "crm_update_customer", patch(Some(theirs)), Code::InvalidArgument).await;
    let changed = context.call(CSR, "crm_update_customer", patch(None)).await.unwrap();
    assert_eq!(changed["product_id"], Value::Null);
}

async fn a_patch_changes_only_what_it_names(context: &mut Context) {
    let made = context.call(CSR, "crm_create_customer", ada()).await.unwrap();
    let patch = json!({"id": made["id"], "patch": {"notes": "likes tea", "source": null, "preferences": {"do_not_sms": true}}});
    let changed = context.call(CSR, "crm_update_customer", patch).await.unwrap();
    assert_eq!((&changed["notes"], &changed["source"]), (&json!("likes tea"), &Value::Null));
    assert_eq!(changed["preferences"]["do_not_sms"], true);
    assert_eq!(changed["preferences"]["do_not_call"], true);
    let untouched = |customer: &Value| {
        let mut rest = sorted(customer.clone());
        for key in ["notes", "source", "preferences", "updated_at"] {
            rest.as_object_mut().unwrap().remove(key);
        }
        rest
    };
    assert_eq!(untouched(&made), untouched(&changed));
}

async fn a_patch_replaces_the_tags(context: &mut Context) {
    let made = context.call(CSR, "crm_create_customer", ada()).await.unwrap();
    let patch = json!({"id": made["id"], "patch": {"tags": ["vip", "Net 30", "Fresh"]}});
    let changed = context.call(CSR, "crm_update_customer", patch).await.unwrap();
    let names: Vec<_> =
        changed["tags"].as_array().unwrap().iter().map(|tag| text(tag, "name")).collect();
    assert_eq!(names, ["Fresh", "Net 30", "VIP"]);
    let patch = json!({"id": made["id"], "patch": {"tags": []}});
    assert_eq!(context.call(CSR, "crm_update_customer", patch).await.unwrap()["tags"], json!([]));
}

/// Postgres and Rust fold some letters differently: it depends on the database's locale which.
async fn names_that_only_postgres_takes_for_one_tag_are_one(context: &mut Context) {
    let tags = json!([
        "i",
        "\u{130}",
        "i\u{307}",
        "\u{3b1}\u{3a3}",
        "\u{3b1}\u{3c3}",
        "\u{1e9e}",
        "\u{df}",
        "VIP"
    ]);
    let folded: i64 = context
        .client
        .query_one(
            "select count(distinct lower(g)) from jsonb_array_elements_text($1::jsonb) g",
            &[&tokio_postgres::types::Json(&tags)],
        )
        .await
        .unwrap()
        .get(0);
    let input = json!({"type": "company", "name": "x", "tags": tags});
    // Unknown ones first, then known ones.
    let mut made = Value::Null;
    for _ in 0..2 {
        made = context.call(CSR, "crm_create_customer", input.clone()).await.unwrap();
        let ids: HashSet<_> =
            made["tags"].as_array().unwrap().iter().map(|tag| text(tag, "id")).collect();
        assert_eq!(i64::try_from(ids.len()).unwrap(), folded);
        assert_eq!(made["tags"].as_array().unwrap().len(), ids.len(), "{made}");
        let read = context.call(CSR, "crm_get_customer", json!({"id": made["id"]})).await.unwrap();
        assert_eq!(read["tags"], made["tags"]);
    }
    let patch = json!({"id": made["id"], "patch": {"tags": tags}});
    let patched = context.call(CSR, "crm_update_customer", patch).await.unwrap();
    assert_eq!(patched["tags"], made["tags"]);
}

async fn children_are_added_changed_and_removed_together(context: &mut Context) {
    let made = context.call(CSR, "crm_create_customer", ada()).await.unwrap();
    let patch = json!({"id": made["id"], "patch": {
        "email": "new@example.com",
        "contacts": [
            {"id": made["contacts"][2]["id"], "delete": true},
            {"id": made["contacts"][1]["id"], "notes": "office hours"},
            {"type": "whatsapp", "value": "+49 171 1234567"},
        ],
        "locations": [{"id": made["locations"][0]["id"], "city": "Bath", "state": null}],
    }});
    let changed = context.call(CSR, "crm_update_customer", patch).await.unwrap();
    let mut values: Vec<_> =
        changed["contacts"].as_array().unwrap().iter().map(|row| text(row, "value")).collect();
    values.sort_unstable();
    assert_eq!(values, ["+14155552671", "+491711234567", "ada@example.com", "new@example.com"]);
    assert!(
        changed["contacts"].as_array().unwrap().iter().any(|row| row["notes"] == "office hours")
    );
    assert!(changed["locations"].as_array().unwrap().iter().any(|row| row["city"] == "Bath"));
    assert_eq!(changed["email"], "new@example.com");
}

async fn the_primary_child_moves_and_never_vanishes(context: &mut Context) {
    let made = context.call(CSR, "crm_create_customer", ada()).await.unwrap();
    let second = &made["contacts"][1]["id"];
    let patch = json!({"id": made["id"], "patch": {
        "contacts": [{"id": second, "is_primary": true}],
        "locations": [{"address_line1": "9 New Road", "city": "York", "is_primary": true}],
    }});
    let moved = context.call(CSR, "crm_update_customer", patch).await.unwrap();
    assert_eq!(&moved["primary_contact_id"], second);
    assert_eq!(moved["locations"][0]["city"], "York");
    assert_eq!(moved["locations"][0]["id"], moved["primary_location_id"]);
    let patch = json!({"id": made["id"], "patch": {"contacts": [{"id": second, "delete": true}]}});
    let fallen_back = context.call(CSR, "crm_update_customer", patch).await.unwrap();
    for customer in [&moved, &fallen_back] {
        for (children, key) in
            [("contacts", "primary_contact_id"), ("locations", "primary_location_id")]
        {
            let primary: Vec<_> = customer[children]
                .as_array()
                .unwrap()
                .iter()
                .filter(|row| row["is_primary"] == true)
                .collect();
            assert_eq!(primary.len(), 1, "{children} of {customer}");
            assert_eq!(primary[0]["id"], customer[key]);
        }
    }
    assert_ne!(&fallen_back["primary_contact_id"], second);
}

async fn only_managers_change_the_owner(context: &mut Context) {
    let made = context.call(CSR, "crm_create_customer", ada()).await.unwrap();
    let sales = context.user("sales@northwind.example").await;
    let patch = json!({"id": made["id"], "patch": {"owner_id": sales}});
    context.refused(CSR, "crm_update_customer", patch.clone(), Code::Forbidden).await;
    let changed =
        context.call(As::Northwind("manager"), "crm_update_customer", patch).await.unwrap();
    assert_eq!(changed["owner_id"], json!(sales));
    // The table itself refuses too.
    context.enter(CSR, "authenticated").await;
    let id: Uuid = text(&made, "id").parse().unwrap();
    let direct =
        context.client.execute("update customers set owner_id = null where id = $1", &[&id]).await;
    assert_eq!(direct.unwrap_err().code().unwrap().code(), "42501");
}

async fn a_contact_does_not_become_another_one(context: &mut Context) {
    let made = context.call(CSR, "crm_create_customer", ada()).await.unwrap();
    let by = |kind: &str| {
        made["contacts"].as_array().unwrap().iter().find(|row| row["type"] == kind).unwrap().clone()
    };
    let change = json!({"id": by("telegram")["id"], "type": "email", "value": "ADA@example.com"});
    let patch = json!({"id": made["id"], "patch": {"contacts": [change]}});
    let error = context.refused(CSR, "crm_update_customer", patch, Code::Conflict).await;
    assert_eq!(error.data["id"], by("email")["id"]);
}

async fn a_patch_that_fails_changes_nothing(context: &mut Context) {
    let made = context.call(CSR, "crm_create_customer", ada()).await.unwrap();
    let stranger = "00000000-0000-4000-8000-000000000000";
    let patch = json!({"id": made["id"], "patch": {"name": "Half", "contacts": [{"id": stranger, "delete": true}]}});
    context.refused(CSR, "crm_update_customer", patch, Code::NotFound).await;
    let read = context.call(CSR, "crm_get_customer", json!({"id": made["id"]})).await.unwrap();
    assert_eq!(read["name"], "Ada Lovelace");
}

async fn a_stored_document_that_rust_cannot_read_is_an_error_of_ours(context: &mut Context) {
    let input = json!({"type": "company", "name": "One", "idempotency_key": "k-4"});
    context.call(CSR, "crm_create_customer", input.clone()).await.unwrap();
    for response in ["1e400", &format!("{}{}", "[".repeat(500), "]".repeat(500))] {
        let sql = format!(
            "update fieldcrm.idempotency_keys set response = '{response}' where key = 'k-4'"
        );
        assert_eq!(context.client.execute(&sql, &[]).await.unwrap(), 1);
        context.refused(CSR, "crm_create_customer", input.clone(), Code::Internal).await;
    }
}
