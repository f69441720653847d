//! Imports, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use std::time::{Duration, Instant};

use common::{As, Context, NORTHWIND};
use fieldcrm_core::Code;
use serde_json::{Value, json};

const CSR: As = As::Northwind("csr");
const RPC: &str = "crm_import_customers";

scenarios! {
    good_rows_go_in_and_bad_rows_are_listed
    the_same_rows_again_change_nothing
    an_update_writes_only_what_differs_and_removes_nothing
    a_known_customer_is_found_by_each_key
    the_mode_leaves_rows_out
    a_dry_run_counts_and_writes_nothing
    what_is_wrong_with_the_whole_call_is_refused
    only_writers_of_all_customers_import_and_only_into_their_org
    who_is_who_does_not_depend_on_which_rows_are_customers_already
    random_rows_again_change_nothing
    rows_without_a_key_are_errors_unless_no_key_is_asked_for
    a_file_goes_in_once
}

fn people() -> Value {
    json!([
        {"first_name": "Ada", "last_name": "Lovelace", "email": "Ada@Import.example", "phone": "+1 (415) 555-2671",
         "external_ref": "I-1", "address_line1": "1 Café Street", "city": "Reno", "postal_code": "89501",
         "tags": "Imported;VIP", "do_not_call": "yes", "latitude": "39.5", "longitude": "-119.8"},
        {"company_name": "Śląsk GmbH", "mobile": "+49 171 1234567", "status": "Active"},
        {"name": "Bad", "email": "nope", "phone": "12"},
        {"email": "nameless@import.example"},
        {"external_ref": "I-1", "notes": "later", "email": "ada.king@import.example",
         "address_line1": "1 CAFE street", "city": "reno", "postal_code": "89501", "tags": ["imported", "Second"]},
    ])
}

fn counts(outcome: &Value) -> [i64; 7] {
    ["rows", "created", "updated", "unchanged", "duplicates", "skipped", "failed"]
        .map(|key| outcome[key].as_i64().unwrap())
}

async fn one(context: &Context, sql: &str) -> Value {
    let sql = format!("select to_jsonb(x) from ({sql}) x");
    let rows = context.client.query(&sql, &[]).await.unwrap();
    assert_eq!(rows.len(), 1, "{sql}");
    rows[0].get(0)
}

/// Everything an import can write, less what says when.
async fn state(context: &Context) -> Value {
    one(
        context,
        "select (select jsonb_agg(to_jsonb(c) order by c.id) from customers c) as customers,
           (select jsonb_agg(to_jsonb(c) order by c.id) from customer_contacts c) as contacts,
           (select jsonb_agg(to_jsonb(c) order by c.id) from customer_locations c) as locations,
           (select jsonb_agg(to_jsonb(c) order by c.id) from crm_preferences c) as preferences,
           (select jsonb_agg(to_jsonb(c) order by c.id) from crm_customer_tags c) as tagged,
           (select jsonb_agg(to_jsonb(c) order by c.id) from crm_tags c) as tags,
           (select count(*) from audit_log) as audited",
    )
    .await
}

async fn good_rows_go_in_and_bad_rows_are_listed(context: &mut Context) {
    let outcome = context.call(CSR, RPC, json!({"rows": people()})).await.unwrap();
    assert_eq!(counts(&outcome), [5, 2, 0, 0, 1, 0, 2], "{outcome}");
    let errors: Vec<_> = outcome["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| {
            (
                error["row"].as_i64().unwrap(),
                error["path"].as_str().unwrap(),
                error["code"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        errors,
        [(3, "email", "invalid_email"), (3, "phone", "invalid_phone"), (4, "name", "required")]
    );
    assert_eq!(outcome["errors_truncated"], false);
    let ada = one(context, "select * from customers where external_ref = 'I-1'").await;
    let ada = context.call(CSR, "crm_get_customer", json!({"id": ada["id"]})).await.unwrap();
    assert_eq!(ada["name"], "Ada Lovelace");
    assert_eq!(ada["email"], "ada.king@import.example");
    assert_eq!(ada["phone"], "+14155552671");
    assert_eq!(ada["notes"], "later");
    assert_eq!(ada["contacts"].as_array().unwrap().len(), 3);
    assert_eq!(ada["contacts"][0]["id"], ada["primary_contact_id"]);
    assert_eq!(ada["locations"].as_array().unwrap().len(), 1, "{ada}");
    assert_eq!(ada["locations"][0]["id"], ada["primary_location_id"]);
    assert_eq!(ada["locations"][0]["address_line1"], "1 Café Street");
    assert_eq!(ada["preferences"]["do_not_call"], true);
    let tags: Vec<_> =
        ada["tags"].as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap()).collect();
    assert_eq!(tags, ["Imported", "Second", "VIP"]);
    let company = one(context, "select * from customers where name = 'Śląsk GmbH'").await;
    assert_eq!(company["type"], "company");
    assert_eq!(company["phone"], "+491711234567");
    assert_eq!(company["status"], "active");
    let found = "select search_text from fieldcrm.customer_search s join customers c on c.id = s.customer_id
                 where c.external_ref = 'I-1'";
    let found = one(context, found).await;
    assert!(found["search_text"].as_str().unwrap().contains("1 cafe street"), "{found}");
}

async fn the_same_rows_again_change_nothing(context: &mut Context) {
    context.call(CSR, RPC, json!({"rows": people()})).await.unwrap();
    let before = state(context).await;
    let again = context.call(CSR, RPC, json!({"rows": people()})).await.unwrap();
    assert_eq!(counts(&again), [5, 0, 0, 2, 1, 0, 2], "{again}");
    assert_eq!(state(context).await, before);
}

async fn an_update_writes_only_what_differs_and_removes_nothing(context: &mut Context) {
    let bare = json!({"type": "individual", "name": "Bare", "external_ref": "I-9"});
    let bare = context.call(CSR, "crm_create_customer", bare).await.unwrap();
    context.call(CSR, RPC, json!({"rows": people()})).await.unwrap();
    let rows = json!([
        {"external_ref": "I-1", "phone": "+1 415 555 2671", "status": "inactive", "do_not_call": "1",
         "do_not_sms": "true", "tags": "Third;VIP", "address_line1": "2 Main St", "city": "Reno"},
        {"external_ref": "I-9", "email": "bare@import.example", "address_line1": "1 Main St", "city": "Reno"},
    ]);
    let outcome = context.call(CSR, RPC, json!({"rows": rows.clone()})).await.unwrap();
    assert_eq!(counts(&outcome), [2, 0, 2, 0, 0, 0, 0], "{outcome}");
    let ada = one(context, "select * from customers where external_ref = 'I-1'").await;
    let ada = context.call(CSR, "crm_get_customer", json!({"id": ada["id"]})).await.unwrap();
    assert_eq!(ada["status"], "inactive");
    assert_eq!(ada["phone_raw"], "+1 (415) 555-2671");
    assert_eq!((&ada["notes"], &ada["name"]), (&json!("later"), &json!("Ada Lovelace")));
    assert_eq!(ada["contacts"].as_array().unwrap().len(), 3);
    assert_eq!(ada["locations"].as_array().unwrap().len(), 2);
    assert_eq!(ada["tags"].as_array().unwrap().len(), 4);
    assert_eq!(ada["preferences"]["do_not_call"], true);
    assert_eq!(ada["preferences"]["do_not_sms"], true);
    let bare = context.call(CSR, "crm_get_customer", json!({"id": bare["id"]})).await.unwrap();
    assert_eq!(bare["email"], "bare@import.example");
    assert_eq!(bare["contacts"][0]["id"], bare["primary_contact_id"]);
    assert_eq!(bare["locations"][0]["is_primary"], true);
    let audited = "select jsonb_object_agg(k, v) as changed from audit_log a, jsonb_each(a.new_values) as n (k, v)
        where a.table_name = 'customers' and a.action = 'update'
          and a.record_id = (select id from customers where external_ref = 'I-1')";
    assert_eq!(one(context, audited).await["changed"], json!({"status": "inactive"}));
    let again = context.call(CSR, RPC, json!({"rows": rows})).await.unwrap();
    assert_eq!(counts(&again), [2, 0, 0, 2, 0, 0, 0], "{again}");
}

async fn a_known_customer_is_found_by_each_key(context: &mut Context) {
    let made = json!({"type": "individual", "name": "Known", "email": "known@import.example",
        "contacts": [{"type": "email", "value": "second@import.example"}, {"type": "phone", "value": "+442079460958"},
            {"type": "fax", "value": "+442079460959"}]});
    let made = context.call(CSR, "crm_create_customer", made).await.unwrap();
    for (row, found) in [
        (json!({"name": "Known", "email": "KNOWN@import.example"}), true),
        (json!({"name": "Known", "email": "second@import.example"}), true),
        (json!({"name": "Known", "mobile": "020 7946 0958", "country": "GB"}), true),
        (json!({"name": "Known", "phone": "+442079460959"}), false),
        (json!({"name": "Known", "external_ref": "K-1"}), false),
    ] {
        let arguments = json!({"rows": [row], "dry_run": true, "mode": "update"});
        let outcome = context.call(CSR, RPC, arguments).await.unwrap();
        assert_eq!(outcome["skipped"], i64::from(!found), "{row} {outcome}");
    }
    let rows = json!([{"email": "known@import.example", "external_ref": "K-1"}]);
    context.call(CSR, RPC, json!({"rows": rows, "match_on": ["email"]})).await.unwrap();
    let rows = json!([{"external_ref": "K-1", "email": "other@import.example", "name": "Same"}]);
    context.call(CSR, RPC, json!({"rows": rows})).await.unwrap();
    let read = context.call(CSR, "crm_get_customer", json!({"id": made["id"]})).await.unwrap();
    assert_eq!(read["name"], "Same");
    assert_eq!(read["contacts"].as_array().unwrap().len(), 5);
    let twin = json!({"type": "individual", "name": "Twin", "email": "known@import.example"});
    context.call(CSR, "crm_create_customer", twin).await.unwrap();
    let rows = json!([{"name": "Who", "email": "known@import.example"}]);
    let outcome = context.call(CSR, RPC, json!({"rows": rows})).await.unwrap();
    assert_eq!(outcome["errors"][0]["code"], "ambiguous_match", "{outcome}");
    assert!(!outcome.to_string().contains("known@"), "{outcome}");
}

async fn the_mode_leaves_rows_out(context: &mut Context) {
    let rows = json!([{"name": "Old", "external_ref": "M-1"}]);
    context.call(CSR, RPC, json!({"rows": rows})).await.unwrap();
    let rows =
        json!([{"name": "Renamed", "external_ref": "M-1"}, {"name": "New", "external_ref": "M-2"}]);
    let arguments = json!({"rows": rows, "mode": "create"});
    let outcome = context.call(CSR, RPC, arguments).await.unwrap();
    assert_eq!(counts(&outcome), [2, 1, 0, 0, 0, 1, 0]);
    let rows =
        json!([{"name": "Renamed", "external_ref": "M-1"}, {"name": "New", "external_ref": "M-3"}]);
    let arguments = json!({"rows": rows, "mode": "update"});
    let outcome = context.call(CSR, RPC, arguments).await.unwrap();
    assert_eq!(counts(&outcome), [2, 0, 1, 0, 0, 1, 0]);
    let names = "select jsonb_agg(name order by name) as names from customers where external_ref like 'M-_'";
    assert_eq!(one(context, names).await["names"], json!(["New", "Renamed"]));
}

async fn a_dry_run_counts_and_writes_nothing(context: &mut Context) {
    context
        .call(CSR, RPC, json!({"rows": [{"name": "Old", "external_ref": "I-1"}]}))
        .await
        .unwrap();
    let before = state(context).await;
    let dry = context.call(CSR, RPC, json!({"rows": people(), "dry_run": true})).await.unwrap();
    assert_eq!(state(context).await, before);
    assert_eq!(dry["dry_run"], true);
    let done = context.call(CSR, RPC, json!({"rows": people()})).await.unwrap();
    assert_eq!(counts(&dry), counts(&done));
    assert_eq!(dry["errors"], done["errors"]);
}

async fn what_is_wrong_with_the_whole_call_is_refused(context: &mut Context) {
    for (arguments, path) in [
        (json!({"rows": [{"name": "A", "vip": 1}]}), "rows[0].vip"),
        (json!({"rows": ["A"]}), "rows[0]"),
        (json!({"rows": {"name": "A"}}), "rows"),
        (json!({"rows": vec![json!({"name": "A"}); 25_001]}), "rows"),
        (json!({"rows": [], "match_on": ["name"]}), "match_on[0]"),
        (json!({"rows": [], "mode": "replace"}), "mode"),
    ] {
        let error = context.refused(CSR, RPC, arguments, Code::InvalidArgument).await;
        assert_eq!(error.errors[0].path, path);
    }
    let outcome = context.call(CSR, RPC, json!({"rows": []})).await.unwrap();
    assert_eq!(counts(&outcome), [0; 7]);
}

async fn only_writers_of_all_customers_import_and_only_into_their_org(context: &mut Context) {
    for role in ["dispatcher", "technician", "member", "viewer", "client_admin", "portal_customer"]
    {
        let caller = As::Northwind(role);
        context.refused(caller, RPC, json!({"rows": people()}), Code::Forbidden).await;
    }
    context.call(CSR, RPC, json!({"rows": people()})).await.unwrap();
    // The same people are strangers to another org.
    let outcome = context.call(As::Volt("csr"), RPC, json!({"rows": people()})).await.unwrap();
    assert_eq!(outcome["created"], 2, "{outcome}");
    let orgs = "select count(distinct org_id) as orgs, count(*) as customers from customers where external_ref = 'I-1'";
    assert_eq!(one(context, orgs).await, json!({"orgs": 2, "customers": 2}));
    let dba = context.call(As::Dba(NORTHWIND), RPC, json!({"rows": people()})).await.unwrap();
    assert_eq!(dba["unchanged"], 2, "{dba}");
}

async fn who_is_who_does_not_depend_on_which_rows_are_customers_already(context: &mut Context) {
    let rows = json!([
        {"external_ref": "W-1", "name": "A", "email": "w@import.example"},
        {"name": "A2", "email": "w@import.example"},
        {"external_ref": "W-2", "name": "B", "email": "w@import.example"},
    ]);
    let first = context.call(CSR, RPC, json!({"rows": rows})).await.unwrap();
    assert_eq!(counts(&first), [3, 2, 0, 0, 0, 0, 1], "{first}");
    assert_eq!(first["errors"][0]["row"], 2);
    assert_eq!(first["errors"][0]["code"], "ambiguous_match");
    let before = state(context).await;
    let again = context.call(CSR, RPC, json!({"rows": rows})).await.unwrap();
    assert_eq!(counts(&again), [3, 0, 0, 2, 0, 0, 1], "{again}");
    assert_eq!(again["errors"], first["errors"]);
    assert_eq!(state(context).await, before);
}

async fn rows_without_a_key_are_errors_unless_no_key_is_asked_for(context: &mut Context) {
    let rows = json!([{"name": "noid"}, {"name": "noid"}]);
    for mode in ["create", "update", "both"] {
        let arguments = json!({"rows": rows, "mode": mode});
        let outcome = context.call(CSR, RPC, arguments).await.unwrap();
        assert_eq!(counts(&outcome), [2, 0, 0, 0, 0, 0, 2], "{outcome}");
        assert_eq!(outcome["errors"][0]["code"], "no_match_key");
    }
    for _ in 0..2 {
        let arguments = json!({"rows": rows, "match_on": []});
        let outcome = context.call(CSR, RPC, arguments).await.unwrap();
        assert_eq!(counts(&outcome), [2, 2, 0, 0, 0, 0, 0], "{outcome}");
    }
}

/// Few values, so that rows share many; the same numbers on every machine.
fn random_rows(seed: &mut u64) -> Value {
    let mut below = |limit: u64| {
        *seed =
            seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*seed >> 33) % limit
    };
    let rows = (0..2 + below(6)).map(|_| {
        let mut row = json!({"name": format!("N{}", below(3))});
        let columns =
            [("external_ref", "R-"), ("email", "r@import.example"), ("phone", "+1415555012")];
        for (column, text) in columns {
            let value = below(6);
            if value < 3 {
                let is_email = column == "email";
                row[column] =
                    if is_email { format!("{value}{text}") } else { format!("{text}{value}") }
                        .into();
            }
        }
        row
    });
    rows.collect()
}

async fn random_rows_again_change_nothing(context: &mut Context) {
    let mut seed = 2026;
    for round in 0..25 {
        context.client.batch_execute("savepoint round").await.unwrap();
        let strangers = json!({"rows": random_rows(&mut seed), "match_on": []});
        context.call(CSR, RPC, strangers).await.unwrap();
        let keys = [json!(["external_ref", "email", "phone"]), json!(["phone", "email"])];
        let arguments = json!({"rows": random_rows(&mut seed), "match_on": keys[round % 2]});
        let first = context.call(CSR, RPC, arguments.clone()).await.unwrap();
        let before = state(context).await;
        let again = context.call(CSR, RPC, arguments.clone()).await.unwrap();
        let [rows, created, updated, unchanged, duplicates, skipped, failed] = counts(&first);
        let unchanged = created + updated + unchanged;
        let expected = [rows, 0, 0, unchanged, duplicates, skipped, failed];
        assert_eq!(counts(&again), expected, "{arguments} {first} {again}");
        assert_eq!(again["errors"], first["errors"], "{arguments}");
        assert!(state(context).await == before, "{arguments}");
        context.client.batch_execute("rollback to round").await.unwrap();
    }
}

/// Phones of ten countries, in local and in international spellings.
const PHONES: [(&str, &str, &str); 10] = [
    ("US", "(212) 55x-xxxx", "+1 212 55x xxxx"),
    ("GB", "020 7946 xxxx", "+44 20 7946 xxxx"),
    ("DE", "0171 123xxxx", "+49 171 123xxxx"),
    ("FR", "06 12 34 xx xx", "+33 6 12 34 xx xx"),
    ("IN", "098326 1xxxx", "+91 98326 1xxxx"),
    ("JP", "090-1234-xxxx", "+81 90 1234 xxxx"),
    ("AE", "055 123 xxxx", "+971 55 123 xxxx"),
    ("BR", "(11) 96123-xxxx", "+55 11 96123 xxxx"),
    ("AU", "0412 34x xxx", "+61 412 34x xxx"),
    ("PL", "512 34x xxx", "+48 512 34x xxx"),
];
const NAMES: [&str; 8] = ["राहुल", "José", "Zoë", "Łukasz", "Мария", "花子", "عمر", "Ada"];

fn digits(pattern: &str, n: usize) -> String {
    let mut rest = n;
    let mut text: Vec<char> = pattern.chars().collect();
    for place in text.iter_mut().rev().filter(|place| **place == 'x') {
        *place = char::from_digit(u32::try_from(rest % 10).unwrap(), 10).unwrap();
        rest /= 10;
    }
    text.into_iter().collect()
}

/// The rows of [`file`], a multiple of 400. The whole size goes through the door of the API in
/// `wasm-tests/import.test.mjs`.
fn file_rows() -> usize {
    std::env::var("FIELDCRM_IMPORT_ROWS").map_or(4_000, |rows| rows.parse().unwrap())
}

/// 2 % repeat an earlier row in another spelling, 1 % are broken.
fn file(rows: usize) -> Vec<Value> {
    (0..rows)
        .map(|n| {
            let repeats = n % 50 == 49;
            let of = if repeats { n - 20 } else { n };
            let (country, local, international) = PHONES[of % 10];
            let mut row = json!({
                "external_ref": format!("F-{of}"), "first_name": NAMES[of % 8], "last_name": format!("Nr. {of}"),
                "email": format!("person{of}@file.example"), "country": country, "source": "file",
                "phone": digits(if repeats || of % 2 == 0 { international } else { local }, of / 10),
                "address_line1": format!("{of} Główna"), "city": "Kraków", "postal_code": format!("{of}"),
                "tags": if of % 3 == 0 { "File;Third" } else { "File" },
                "do_not_email": if of % 7 == 0 { "yes" } else { "" },
            });
            if repeats {
                row["email"] = row["email"].as_str().unwrap().to_uppercase().into();
            }
            if n % 100 == 17 {
                match n / 100 % 4 {
                    0 => row["email"] = "broken".into(),
                    1 => row["phone"] = "12".into(),
                    2 => row["status"] = "unheard of".into(),
                    _ => {
                        row = json!({"external_ref": format!("F-{of}"), "notes": "no name"});
                    }
                }
            }
            row
        })
        .collect()
}

async fn a_file_goes_in_once(context: &mut Context) {
    let size = file_rows();
    let rows = file(size);
    let n = i64::try_from(size).unwrap();
    let (made, repeated, broken) = (n / 100 * 97, n / 50, n / 100);
    let start = Instant::now();
    let first = context.call(CSR, RPC, json!({"rows": rows})).await.unwrap();
    let took = start.elapsed();
    assert_eq!(counts(&first), [n, made, 0, 0, repeated, 0, broken], "{}", first["errors"]);
    let start = Instant::now();
    let again = context.call(CSR, RPC, json!({"rows": rows})).await.unwrap();
    eprintln!("{n} rows: {took:?}, again {:?}", start.elapsed());
    assert_eq!(counts(&again), [n, 0, 0, made, repeated, 0, broken]);
    assert!(took < Duration::from_mins(1), "{took:?}");
    let changed: Vec<Value> = rows
        .into_iter()
        .map(|mut row| {
            row["source"] = "second file".into();
            row["tags"] = "Second".into();
            row
        })
        .collect();
    let start = Instant::now();
    let outcome = context.call(CSR, RPC, json!({"rows": changed})).await.unwrap();
    eprintln!("{n} rows that all differ: {:?}", start.elapsed());
    assert_eq!(counts(&outcome), [n, 0, made, 0, repeated, 0, broken]);
    let whole = "select count(*) as customers, count(*) filter (where c.source = 'second file' and c.phone is not null
        and x.contacts = 2 and l.locations = 1 and t.tags between 2 and 3) as whole
      from customers c
      join (select customer_id, count(*) as contacts from customer_contacts group by 1) x on x.customer_id = c.id
      join (select customer_id, count(*) as locations from customer_locations group by 1) l on l.customer_id = c.id
      join (select customer_id, count(*) as tags from crm_customer_tags group by 1) t on t.customer_id = c.id
      where c.external_ref like 'F-%'";
    assert_eq!(one(context, whole).await, json!({"customers": made, "whole": made}));
}
