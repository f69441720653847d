//! Finding customers, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use std::collections::HashSet;

use common::{As, Context, NORTHWIND};
use fieldcrm_core::Code;
use serde_json::{Value, json};
use uuid::Uuid;

const CSR: As = As::Northwind("csr");
/// Volt is in the United Kingdom.
const VOLT_CSR: As = As::Volt("csr");

scenarios! {
    a_customer_is_found_by_all_that_belongs_to_it
    accents_and_case_make_no_difference
    a_phone_is_found_in_any_spelling
    what_looks_like_a_phone_may_be_a_reference
    a_reference_is_found_beside_the_phones_with_its_digits
    a_phone_is_found_beside_a_name
    a_final_sigma_is_a_sigma
    wildcards_are_letters_like_others
    every_term_has_to_match
    short_terms_find_too
    customers_of_other_orgs_are_never_found
    only_who_may_see_customers_searches
    changes_are_found_at_once
    filters_narrow_what_is_found
    archived_customers_are_found_when_asked_for
    pages_are_complete_and_disjoint_while_customers_come_in
    rows_of_one_moment_are_paged_too
    common_and_rare_terms_come_in_the_same_order
    a_wrong_argument_is_named
}

async fn make(context: &mut Context, caller: As, mut input: Value) -> String {
    if input["type"].is_null() {
        input["type"] = "individual".into();
    }
    let made = context.call(caller, "crm_create_customer", input).await.unwrap();
    made["id"].as_str().unwrap().to_owned()
}

fn ids(answer: &Value) -> Vec<String> {
    let customers = answer["customers"].as_array().unwrap();
    customers.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

async fn search(context: &mut Context, caller: As, arguments: Value) -> Vec<String> {
    ids(&context.call(caller, "crm_search_customers", arguments).await.unwrap())
}

async fn find(context: &mut Context, caller: As, q: &str) -> Vec<String> {
    search(context, caller, json!({"q": q})).await
}

fn zoe() -> Value {
    json!({
        "first_name": "Zoë", "last_name": "Müller-Łukasik", "email": "Zoe.M@Quirk.example",
        "phone": "+1 (415) 555-2671", "external_ref": "2024-0017",
        "contacts": [{"type": "telegram", "value": "@zoe_quirk"}],
        "locations": [{"address_line1": "77 Blackthorn Lane", "city": "Winnemucca", "postal_code": "89446"}],
    })
}

async fn a_customer_is_found_by_all_that_belongs_to_it(context: &mut Context) {
    let id = make(context, CSR, zoe()).await;
    for q in [
        "zoë",
        "müller",
        "quirk.example",
        "zoe.m@quirk.example",
        "@zoe_quirk",
        "blackthorn",
        "winnemucca",
        "77 Blackthorn",
        "89446",
        "Winnemucca Zoë",
    ] {
        assert_eq!(find(context, CSR, q).await, [id.as_str()], "{q}");
    }
    let found =
        context.call(CSR, "crm_search_customers", json!({"q": "winnemucca", "count": true})).await;
    let found = found.unwrap();
    assert_eq!((&found["total"], &found["next_cursor"]), (&json!(1), &Value::Null));
    let row = &found["customers"][0];
    assert_eq!(
        (&row["name"], &row["email"]),
        (&json!("Zoë Müller-Łukasik"), &json!("zoe.m@quirk.example"))
    );
    assert!(row.get("product_id").is_some() && row.get("notes").is_none());
}

async fn accents_and_case_make_no_difference(context: &mut Context) {
    let id = make(context, CSR, zoe()).await;
    for q in ["ZOE", "zoe", "Zoé", "muller", "MÜLLER-LUKASIK", "lukasik zoe"] {
        assert_eq!(find(context, CSR, q).await, [id.as_str()], "{q}");
    }
}

async fn a_phone_is_found_in_any_spelling(context: &mut Context) {
    let american = make(context, CSR, zoe()).await;
    for q in [
        "(415) 555-2671",
        "415.555.2671",
        "+1 415 555 2671",
        "4155552671",
        "1-415-555-2671",
        "415 555 26",
        "555-2671",
    ] {
        assert_eq!(find(context, CSR, q).await, [american.as_str()], "{q}");
    }
    let british = json!({"first_name": "Nigel", "last_name": "Thorn", "phone": "020 7946 0958"});
    let at_volt = make(context, VOLT_CSR, british).await;
    for q in [
        "020 7946 0958",
        "0044 20 7946 0958",
        "+44 20 7946 0958",
        "(020) 7946-0958",
        "7946 0958",
        "020 7946 09",
    ] {
        assert!(find(context, VOLT_CSR, q).await.contains(&at_volt), "{q}");
    }
    let abroad = json!({"first_name": "Nigel", "last_name": "Away", "phone": "+44 20 7946 0958"});
    let at_northwind = make(context, CSR, abroad).await;
    for q in ["0044 20 7946 0958", "011 44 20 7946 0958"] {
        assert_eq!(find(context, CSR, q).await, [at_northwind.as_str()], "{q}");
    }
}

async fn what_looks_like_a_phone_may_be_a_reference(context: &mut Context) {
    let id = make(context, CSR, zoe()).await;
    assert_eq!(find(context, CSR, "2024-0017").await, [id.as_str()]);
    assert_eq!(find(context, CSR, "zoe 2024-0017").await, [id]);
}

/// In the order of the list and over its pages, whichever reading finds them; each once.
async fn a_reference_is_found_beside_the_phones_with_its_digits(context: &mut Context) {
    let sql = "insert into customers (org_id, type, name, external_ref, phone, created_at)
        select $1, 'company', 'Both ' || n, case when n % 2 = 0 or n = 5 then '2024-0017-' || n end,
          case when n % 2 = 1 then '+1202400175' || n end, now() - make_interval(hours => n)
        from generate_series(1, 9) n returning id::text";
    let made = context.client.query(sql, &[&NORTHWIND]).await.unwrap();
    let made: Vec<String> = made.iter().map(|row| row.get(0)).collect();
    for page_size in [1, 2, 4, 9, 50] {
        let arguments = json!({"q": "2024-0017", "page_size": page_size});
        assert_eq!(pages(context, arguments, None).await, made, "pages of {page_size}");
    }
    let arguments = json!({"q": "2024-0017", "count": true, "page_size": 2});
    let found = context.call(CSR, "crm_search_customers", arguments).await.unwrap();
    assert_eq!(found["total"], 9);
}

async fn a_phone_is_found_beside_a_name(context: &mut Context) {
    let american = make(context, CSR, zoe()).await;
    let other = json!({"name": "Zoo", "phone": "+1 415 555 2671"});
    make(context, CSR, other).await;
    for q in [
        "zoe 415-555-2671",
        "zoe (415)555-2671",
        "(415) 555-2671 zoe",
        "zoe +14155552671 müller",
        "zoe 415 555 2671",
        "zoe 415-555",
    ] {
        assert_eq!(find(context, CSR, q).await, [american.as_str()], "{q}");
    }
}

/// σ at the end of a word is written ς.
async fn a_final_sigma_is_a_sigma(context: &mut Context) {
    let id = make(context, CSR, json!({"name": "Νίκος Σταύρος"})).await;
    for q in ["ΝΙΚΟΣ", "νικος", "νικοσ", "Νίκος", "ΣΤΑΎΡΟΣ"] {
        assert_eq!(find(context, CSR, q).await, [id.as_str()], "{q}");
    }
}

async fn wildcards_are_letters_like_others(context: &mut Context) {
    make(context, CSR, json!({"name": "Plain"})).await;
    let percent = make(context, CSR, json!({"name": r"Cut 50%_off\now"})).await;
    for q in ["50%", "%_off", r"off\now", "%", r"\", "50%_off", "50％"] {
        assert_eq!(find(context, CSR, q).await, [percent.as_str()], "{q}");
    }
    for q in ["Pl%n", "Pla_n", "5_%"] {
        assert!(find(context, CSR, q).await.is_empty(), "{q}");
    }
}

async fn every_term_has_to_match(context: &mut Context) {
    let id = make(context, CSR, zoe()).await;
    assert_eq!(find(context, CSR, "zoe winnemucca blackthorn 77 quirk").await, [id]);
    assert!(find(context, CSR, "zoe winnemucca elsewhere").await.is_empty());
}

async fn short_terms_find_too(context: &mut Context) {
    let id = make(context, CSR, json!({"name": "Xq"})).await;
    for q in ["xq", "Xq "] {
        assert_eq!(find(context, CSR, q).await, [id.as_str()], "{q}");
    }
    // Letters that are no words to the index.
    let id = make(context, CSR, json!({"name": "~=~"})).await;
    assert_eq!(find(context, CSR, "~=~").await, [id]);
}

async fn customers_of_other_orgs_are_never_found(context: &mut Context) {
    let ours = make(context, CSR, zoe()).await;
    for q in [
        "zoe",
        "quirk",
        "+1 415 555 2671",
        "2024-0017",
        "winnemucca",
        "@zoe_quirk",
        "xq",
        "89446",
        "%",
    ] {
        assert!(!find(context, VOLT_CSR, q).await.contains(&ours), "{q}");
    }
    let product: Uuid = context
        .client
        .query_one(
            "insert into products (org_id, name, is_active) values ($1, 'Theirs', false) returning id",
            &[&NORTHWIND],
        )
        .await
        .unwrap()
        .get(0);
    let segment: Uuid = context.client
        .query_one("insert into crm_segments (org_id, name, type) values ($1, 'Theirs', 'static') returning id", &[&NORTHWIND])
        .await.unwrap().get(0);
    let id: Uuid = ours.parse().unwrap();
    context
        .client
        .execute("update customers set product_id = $2 where id = $1", &[&id, &product])
        .await
        .unwrap();
    context
        .client
        .execute(
            "insert into crm_segment_members (org_id, segment_id, customer_id) values ($1, $2, $3)",
            &[&NORTHWIND, &segment, &id],
        )
        .await
        .unwrap();
    for filter in [json!({"product_id": product}), json!({"segment_id": segment})] {
        assert_eq!(search(context, CSR, filter.clone()).await, [ours.as_str()]);
        assert!(search(context, VOLT_CSR, filter).await.is_empty());
    }
    let all = json!({"archived": "any", "page_size": 100});
    let volts = search(context, VOLT_CSR, all).await;
    let foreign: i64 = context
        .client
        .query_one(
            "select count(*) from customers where id::text = any ($1) and org_id = $2",
            &[&volts, &NORTHWIND],
        )
        .await
        .unwrap()
        .get(0);
    assert_eq!((volts.is_empty(), foreign), (false, 0));
}

async fn only_who_may_see_customers_searches(context: &mut Context) {
    for role in ["technician", "client_admin", "portal_customer", "portal_manager"] {
        context
            .refused(As::Northwind(role), "crm_search_customers", json!({}), Code::Forbidden)
            .await;
    }
    for role in ["owner", "admin", "manager", "csr", "sales", "dispatcher", "member", "viewer"] {
        assert!(!search(context, As::Northwind(role), json!({})).await.is_empty(), "{role}");
    }
    let stranger = context.newcomer("nobody@example.com").await;
    context
        .refused(As::User(stranger), "crm_search_customers", json!({}), Code::NoMembership)
        .await;
}

async fn changes_are_found_at_once(context: &mut Context) {
    let id = make(context, CSR, zoe()).await;
    let read = context.call(CSR, "crm_get_customer", json!({"id": id})).await.unwrap();
    let telegram =
        read["contacts"].as_array().unwrap().iter().find(|row| row["type"] == "telegram");
    let patch = json!({"id": id, "patch": {
        "last_name": "Oyelaran", "name": "Zoë Oyelaran",
        "contacts": [{"id": telegram.unwrap()["id"], "delete": true}, {"type": "email", "value": "fresh@spruce.example"}],
        "locations": [{"id": read["locations"][0]["id"], "city": "Elko"}],
    }});
    context.call(CSR, "crm_update_customer", patch).await.unwrap();
    for (q, found) in [
        ("oyelaran", true),
        ("spruce.example", true),
        ("elko", true),
        ("lukasik", false),
        ("@zoe_quirk", false),
        ("winnemucca", false),
    ] {
        assert_eq!(find(context, CSR, q).await.contains(&id), found, "{q}");
    }
    let uuid: Uuid = id.parse().unwrap();
    context.client.execute("delete from customers where id = $1", &[&uuid]).await.unwrap();
    assert!(find(context, CSR, "oyelaran").await.is_empty());
}

async fn filters_narrow_what_is_found(context: &mut Context) {
    let owner = context.user("sales@northwind.example").await;
    let one = make(context, CSR, json!({"name": "Filtered One", "status": "blacklisted", "lifecycle_stage": "former_customer",
        "pipeline_stage": "negotiation", "tags": ["Rare"], "owner_id": owner})).await;
    let two = make(context, CSR, json!({"name": "Filtered Two", "tags": ["Rare"]})).await;
    for filter in [
        json!({"status": "blacklisted"}),
        json!({"lifecycle_stage": "former_customer"}),
        json!({"pipeline_stage": "negotiation"}),
        json!({"owner_id": owner}),
    ] {
        let with = |key: &str, value: Value| {
            let mut arguments = filter.clone();
            arguments[key] = value;
            arguments
        };
        for arguments in [
            filter.clone(),
            with("q", json!("filtered")),
            with("tag", json!("rare")),
            with("q", json!("f")),
        ] {
            let found = search(context, CSR, arguments.clone()).await;
            assert!(found.contains(&one) && !found.contains(&two), "{arguments}");
        }
    }
    // Made in one transaction, so of one moment.
    let tagged: HashSet<_> =
        search(context, CSR, json!({"tag": " rARE "})).await.into_iter().collect();
    assert_eq!(tagged, HashSet::from([one.clone(), two.clone()]));
    assert_eq!(search(context, CSR, json!({"tag": "rare", "q": "filtered two"})).await, [two]);
    assert!(search(context, CSR, json!({"tag": "nobody has it"})).await.is_empty());
    assert!(search(context, CSR, json!({"segment_id": Uuid::nil()})).await.is_empty());
    let counted = json!({"tag": "rare", "count": true, "page_size": 1});
    let counted = context.call(CSR, "crm_search_customers", counted).await.unwrap();
    assert_eq!((&counted["total"], ids(&counted).len()), (&json!(2), 1));
    for filter in
        [json!({"status": "blacklisted"}), json!({"owner_id": owner}), json!({"q": "filtered one"})]
    {
        let all = search(context, CSR, filter.clone()).await.len();
        let mut counted = filter;
        counted["count"] = true.into();
        let counted = context.call(CSR, "crm_search_customers", counted).await.unwrap();
        assert_eq!(counted["total"], json!(all));
    }
}

async fn archived_customers_are_found_when_asked_for(context: &mut Context) {
    let id = make(context, CSR, zoe()).await;
    let uuid: Uuid = id.parse().unwrap();
    context
        .client
        .execute("update customers set is_archived = true where id = $1", &[&uuid])
        .await
        .unwrap();
    for (archived, found) in
        [(json!(null), false), (json!("false"), false), (json!("true"), true), (json!("any"), true)]
    {
        for q in [json!(null), json!("winnemucca")] {
            let arguments = json!({"q": q, "archived": archived});
            assert_eq!(
                search(context, CSR, arguments).await.contains(&id),
                found,
                "{archived} {q}"
            );
        }
    }
}

/// All pages, with customers that come in between them.
async fn pages(
    context: &mut Context,
    mut arguments: Value,
    in_between: Option<&str>,
) -> Vec<String> {
    let mut found = Vec::new();
    for page in 0.. {
        let answer = context.call(CSR, "crm_search_customers", arguments.clone()).await.unwrap();
        found.extend(ids(&answer));
        if let Some(name) = in_between {
            make(context, CSR, json!({"name": format!("{name} late {page}")})).await;
        }
        if answer["next_cursor"].is_null() {
            break;
        }
        arguments["cursor"] = answer["next_cursor"].clone();
    }
    found
}

/// Customers in bulk, one a minute or all of one moment.
async fn fill(context: &Context, name: &str, count: i32, step: &str) {
    context.client
        .execute(
            &format!(
                "insert into customers (org_id, type, name, created_at)
                 select '{NORTHWIND}', 'individual', $1 || ' ' || n, timestamptz '2026-01-01 00:00:00.123456Z' + n * interval '{step}'
                 from generate_series(1, $2) n"
            ),
            &[&name, &count],
        )
        .await
        .unwrap();
}

async fn pages_are_complete_and_disjoint_while_customers_come_in(context: &mut Context) {
    fill(context, "Pagination", 25, "1 minute").await;
    for limit in [1, 7, 25] {
        let found =
            pages(context, json!({"q": "pagination", "page_size": limit}), Some("Pagination"))
                .await;
        let known: HashSet<_> = found.iter().collect();
        assert_eq!((found.len(), known.len()), (25, 25), "limit {limit}");
        context
            .client
            .execute("delete from customers where name like 'Pagination late %'", &[])
            .await
            .unwrap();
    }
}

async fn rows_of_one_moment_are_paged_too(context: &mut Context) {
    fill(context, "Simultaneous", 23, "0").await;
    for arguments in
        [json!({"q": "simultaneous", "page_size": 5}), json!({"q": "s", "page_size": 9})]
    {
        let found = pages(context, arguments, None).await;
        let known: HashSet<_> = found.iter().collect();
        assert_eq!(found.len(), known.len());
        assert!(found.len() >= 23);
    }
}

/// The walk, the index and the scan agree: with terms that are in every second row and in few.
async fn common_and_rare_terms_come_in_the_same_order(context: &mut Context) {
    fill(context, "Everywhere", 700, "1 minute").await;
    context
        .client
        .execute(
            "update customers set name = name || ' Seldom' where name like 'Everywhere %55'",
            &[],
        )
        .await
        .unwrap();
    for (q, expected) in [("everywhere", 700), ("seldom", 7), ("everywhere seldom", 7), ("se", 7)] {
        let found = pages(context, json!({"q": q, "page_size": 60}), None).await;
        let sorted: Vec<String> = context.client
            .query("select id::text from customers where name like 'Everywhere %' and id::text = any ($1) order by created_at desc, id desc", &[&found])
            .await.unwrap().iter().map(|row| row.get(0)).collect();
        let ours: Vec<_> = found.iter().filter(|id| sorted.contains(id)).cloned().collect();
        assert_eq!((ours.len(), &ours), (expected, &sorted), "{q}");
    }
}

async fn a_wrong_argument_is_named(context: &mut Context) {
    for (arguments, paths) in [
        (
            json!({"page_size": 0, "cursor": "x", "q": "a ".repeat(9)}),
            vec!["page_size", "q", "cursor"],
        ),
        (json!({"page_size": 101}), vec!["page_size"]),
        (json!({"status": "gone"}), vec!["status"]),
        (json!({"archived": "maybe"}), vec!["archived"]),
        (json!({"q": "x".repeat(201)}), vec!["q"]),
    ] {
        let error =
            context.refused(CSR, "crm_search_customers", arguments, Code::InvalidArgument).await;
        let found: Vec<_> = error.errors.iter().map(|error| error.path.as_str()).collect();
        assert_eq!(found, paths);
    }
}
