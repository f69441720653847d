//! Contacts of a customer in a patch, on both drivers.

#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod common;

use common::{As, Context};
use fieldcrm_core::Code;
use serde_json::{Value, json};

const CSR: As = As::Northwind("csr");

scenarios! {
    a_contact_that_is_there_takes_over_what_is_said_of_it
    a_new_value_is_not_verified
    the_customers_email_and_phone_follow_their_contact
    an_email_that_the_patch_sets_wins
    a_patched_phone_is_one_contact
    a_value_comes_back_in_the_call_that_frees_it
    a_contact_is_not_changed_and_added_at_once
}

async fn make(context: &mut Context, contacts: Value) -> Value {
    let input = json!({"type": "individual", "name": "Ada", "contacts": contacts});
    context.call(CSR, "crm_create_customer", input).await.unwrap()
}

async fn patch(context: &mut Context, customer: &Value, patch: Value) -> Value {
    let arguments = json!({"id": customer["id"], "patch": patch});
    context.call(CSR, "crm_update_customer", arguments).await.unwrap()
}

fn contact(customer: &Value, value: &str) -> Value {
    let found: Vec<_> =
        customer["contacts"].as_array().unwrap().iter().filter(|c| c["value"] == value).collect();
    assert_eq!(found.len(), 1, "{value} in {customer}");
    found[0].clone()
}

async fn a_contact_that_is_there_takes_over_what_is_said_of_it(context: &mut Context) {
    let first = json!({"type": "email", "value": "ada@example.com", "is_verified": true,
        "preferred_channel": true, "notes": "work"});
    let made = make(context, json!([first])).await;
    let again = json!({"contacts": [{"type": "email", "value": "Ada@Example.com", "opt_in_marketing": false}]});
    let out = contact(&patch(context, &made, again).await, "ada@example.com");
    assert_eq!(out["id"], made["contacts"][0]["id"]);
    assert_eq!(out["opt_in_marketing"], false);
    for (key, kept) in [
        ("opt_in_transactional", json!(true)),
        ("is_verified", json!(true)),
        ("preferred_channel", json!(true)),
        ("notes", json!("work")),
    ] {
        assert_eq!(out[key], kept, "{key}");
    }
    let rest = json!({"contacts": [{"type": "email", "value": "ada@example.com", "notes": null,
        "preferred_channel": false, "opt_in_transactional": false, "is_primary": true}]});
    let out = contact(&patch(context, &made, rest).await, "ada@example.com");
    assert_eq!((&out["notes"], &out["preferred_channel"]), (&Value::Null, &json!(false)));
    assert_eq!(
        (&out["opt_in_marketing"], &out["opt_in_transactional"]),
        (&json!(false), &json!(false))
    );
    // The customer's own e-mail says nothing of consent.
    let own = patch(context, &made, json!({"email": "ada@example.com"})).await;
    assert_eq!(contact(&own, "ada@example.com")["opt_in_marketing"], false);
}

async fn a_new_value_is_not_verified(context: &mut Context) {
    let first = json!({"type": "email", "value": "ada@example.com", "is_verified": true});
    let made = make(context, json!([first])).await;
    let id = &made["contacts"][0]["id"];
    for (value, is_verified, expected) in [
        ("ADA@example.com", None, true),
        ("new@example.com", None, false),
        ("other@example.com", Some(true), true),
    ] {
        let mut change = json!({"id": id, "type": "email", "value": value});
        if let Some(flag) = is_verified {
            change["is_verified"] = flag.into();
        }
        let out = patch(context, &made, json!({"contacts": [change]})).await;
        assert_eq!(out["contacts"][0]["is_verified"], expected, "{value}");
    }
}

async fn the_customers_email_and_phone_follow_their_contact(context: &mut Context) {
    let made = make(
        context,
        json!([
            {"type": "email", "value": "one@example.com"},
            {"type": "email", "value": "two@example.com", "is_primary": true},
            {"type": "phone", "value": "(415) 555-2671"},
            {"type": "telegram", "value": "@ada"},
        ]),
    )
    .await;
    assert_eq!(
        (&made["email"], &made["phone"]),
        (&json!("one@example.com"), &json!("+14155552671"))
    );
    let id = |value: &str| contact(&made, value)["id"].clone();
    let changed = patch(
        context,
        &made,
        json!({"contacts": [
            {"id": id("one@example.com"), "type": "email", "value": "uno@example.com"},
            {"id": id("+14155552671"), "type": "mobile", "value": "+1 415 555 2672"},
        ]}),
    )
    .await;
    assert_eq!(changed["email"], "uno@example.com");
    assert_eq!(
        (&changed["phone"], &changed["phone_raw"]),
        (&json!("+14155552672"), &json!("+1 415 555 2672"))
    );
    // Others may go and come without a trace.
    let added = patch(
        context,
        &made,
        json!({"contacts": [
            {"id": id("two@example.com"), "delete": true},
            {"type": "email", "value": "three@example.com"},
        ]}),
    )
    .await;
    assert_eq!(added["email"], "uno@example.com");
    let fallen_back = patch(
        context,
        &made,
        json!({"contacts": [{"id": id("one@example.com"), "delete": true}, {"id": id("+14155552671"), "delete": true}]}),
    )
    .await;
    assert_eq!(fallen_back["email"], "three@example.com");
    assert_eq!((&fallen_back["phone"], &fallen_back["phone_raw"]), (&Value::Null, &Value::Null));
    // To one that the same call adds.
    let three = contact(&fallen_back, "three@example.com");
    let last = patch(
        context,
        &made,
        json!({"contacts": [{"id": three["id"], "delete": true}, {"type": "email", "value": "four@example.com"}]}),
    )
    .await;
    assert_eq!(last["email"], "four@example.com");
    // What becomes something else is no e-mail of the customer's any more.
    let four = contact(&last, "four@example.com");
    let portal = json!({"contacts": [{"id": four["id"], "type": "portal", "value": "ada"}]});
    assert_eq!(patch(context, &made, portal).await["email"], Value::Null);
}

async fn an_email_that_the_patch_sets_wins(context: &mut Context) {
    let made = make(context, json!([{"type": "email", "value": "one@example.com"}])).await;
    let change =
        json!({"id": made["contacts"][0]["id"], "type": "email", "value": "uno@example.com"});
    let set = json!({"email": "top@example.com", "contacts": [change]});
    let changed = patch(context, &made, set).await;
    assert_eq!(changed["email"], "top@example.com");
    assert_eq!(changed["contacts"].as_array().unwrap().len(), 2);
    let set = json!({"email": null, "contacts": [{"id": contact(&changed, "top@example.com")["id"], "delete": true}]});
    assert_eq!(patch(context, &made, set).await["email"], Value::Null);
}

async fn a_patched_phone_is_one_contact(context: &mut Context) {
    // A number that its plan calls mobile, kept as phone, and the other way round.
    for (kind, number) in [("phone", "+49 171 1234567"), ("mobile", "+1 415 555 2671")] {
        let made = make(context, json!([{"type": kind, "value": number}])).await;
        let changed = patch(context, &made, json!({"phone": number, "notes": "x"})).await;
        assert_eq!(changed["contacts"].as_array().unwrap().len(), 1, "{changed}");
        let id = &changed["contacts"][0]["id"];
        // Nor where another becomes that number in the same call.
        let other = if kind == "phone" { "+49 171 7654321" } else { "+1 415 555 2672" };
        let both = json!({"phone": other, "contacts": [{"id": id, "type": kind, "value": other}]});
        let changed = patch(context, &made, both).await;
        assert_eq!(changed["contacts"].as_array().unwrap().len(), 1, "{changed}");
    }
}

async fn a_value_comes_back_in_the_call_that_frees_it(context: &mut Context) {
    let made = make(
        context,
        json!([{"type": "email", "value": "one@example.com"}, {"type": "email", "value": "two@example.com"}]),
    )
    .await;
    let id = |value: &str| contact(&made, value)["id"].clone();
    let moved = patch(
        context,
        &made,
        json!({"contacts": [
            {"id": id("one@example.com"), "delete": true},
            {"id": id("two@example.com"), "type": "email", "value": "one@example.com"},
            {"type": "email", "value": "two@example.com", "opt_in_marketing": false},
        ]}),
    )
    .await;
    assert_eq!(contact(&moved, "one@example.com")["id"], id("two@example.com"));
    assert_eq!(contact(&moved, "two@example.com")["opt_in_marketing"], false);
    assert_eq!(moved["email"], "one@example.com");
}

async fn a_contact_is_not_changed_and_added_at_once(context: &mut Context) {
    let made = make(context, json!([{"type": "email", "value": "one@example.com"}])).await;
    let id = &made["contacts"][0]["id"];
    let twice = json!({"id": made["id"], "patch": {"contacts": [
        {"id": id, "notes": "x"}, {"type": "email", "value": "one@example.com"}]}});
    let error = context.refused(CSR, "crm_update_customer", twice, Code::Conflict).await;
    assert_eq!(&error.data["id"], id);
    // The customer's own e-mail is no second contact.
    let own = json!({"email": "one@example.com", "contacts": [{"id": id, "notes": "x"}]});
    assert_eq!(patch(context, &made, own).await["contacts"][0]["notes"], "x");
}
