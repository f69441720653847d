use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{Code, Error};

fn create(input: Value) -> Result<Value, Error> {
    let prepared = read::<NewCustomer>(input)?.prepare("US")?;
    Ok(serde_json::to_value(prepared).unwrap())
}

fn update(input: Value) -> Result<Value, Error> {
    let prepared = read::<CustomerPatch>(input)?.prepare("US")?;
    Ok(serde_json::to_value(prepared).unwrap())
}

fn paths(result: Result<Value, Error>) -> Vec<String> {
    let error = result.unwrap_err();
    assert_eq!(error.code, Code::InvalidArgument);
    error.errors.into_iter().map(|field| field.path).collect()
}

#[test]
fn the_smallest_customer_has_defaults_and_no_children() {
    let made = create(json!({"type": "individual", "name": " Ada "})).unwrap();
    assert_eq!(made["customer"]["name"], "Ada");
    assert_eq!(made["customer"]["status"], "prospect");
    assert_eq!(made["customer"]["lifecycle_stage"], "lead");
    assert_eq!(made["customer"]["pipeline_stage"], "lead");
    assert_eq!(made["contacts"], json!([]));
}

#[test]
fn email_and_phone_become_contacts_and_the_first_is_primary() {
    let made = create(json!({
        "type": "individual", "first_name": "Ada", "last_name": "Lovelace",
        "email": "Ada@Example.com", "phone": "(415) 555-2671",
    }))
    .unwrap();
    assert_eq!(made["customer"]["name"], "Ada Lovelace");
    assert_eq!(made["customer"]["email"], "ada@example.com");
    assert_eq!(made["customer"]["phone"], "+14155552671");
    assert_eq!(made["customer"]["phone_raw"], "(415) 555-2671");
    let kinds: Vec<_> = made["contacts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["type"].as_str().unwrap(), row["is_primary"].as_bool().unwrap()))
        .collect();
    assert_eq!(kinds, [("email", true), ("phone", false)]);
}

#[test]
fn an_endpoint_given_twice_is_one_contact_and_an_explicit_primary_wins() {
    let made = create(json!({
        "type": "company", "company_name": "Acme", "phone": "415-555-2671",
        "contacts": [
            {"type": "email", "value": "office@acme.example"},
            {"type": "mobile", "value": "+1 415 555 2671", "is_primary": true},
        ],
    }))
    .unwrap();
    assert_eq!(made["customer"]["name"], "Acme");
    assert_eq!(made["contacts"].as_array().unwrap().len(), 2);
    assert_eq!(made["contacts"][0]["value"], "+14155552671");
    assert_eq!(made["contacts"][0]["is_primary"], true);
    assert_eq!(made["customer"]["email"], "office@acme.example");
}

#[test]
fn all_mistakes_are_reported_at_once_with_their_paths() {
    let found = paths(create(json!({
        "type": "individual", "name": "  ", "email": "nope", "phone": "12",
        "preferred_language": "english please", "tags": ["x".repeat(101)],
        "contacts": [
            {"type": "email", "value": "a@b"},
            {"type": "telegram", "value": "@ada", "is_primary": true},
            {"type": "portal", "value": "ada", "is_primary": true},
        ],
        "locations": [{"address_line1": "1 Main St", "city": " ", "latitude": 91, "country": "XX"}],
    })));
    for path in [
        "name",
        "email",
        "phone",
        "preferred_language",
        "tags[0]",
        "contacts[0].value",
        "contacts",
        "locations[0].city",
        "locations[0].latitude",
        "locations[0].country",
    ] {
        assert!(found.iter().any(|have| have == path), "{path} is not in {found:?}");
    }
}

#[test]
fn unknown_keys_and_wrong_types_are_refused_with_their_path() {
    assert_eq!(paths(create(json!({"type": "robot", "name": "x"}))), ["type"]);
    assert_eq!(
        paths(create(
            json!({"type": "company", "name": "x", "contacts": [{"type": "email", "value": "a@b.example", "vip": 1}]})
        )),
        ["contacts[0].vip"]
    );
    assert_eq!(paths(update(json!({"org_id": "1"}))), ["org_id"]);
    assert_eq!(
        paths(update(json!({"preferences": {"preferred_contact_window_start": "9 o'clock"}}))),
        ["preferences.preferred_contact_window_start"]
    );
}

#[test]
fn tags_are_trimmed_and_repeats_dropped() {
    let tags = [" VIP ", "VIP", "vip", "", "Net 30"];
    let made = create(json!({"type": "company", "name": "x", "tags": tags}));
    // That vip is VIP is for Postgres to say.
    assert_eq!(made.unwrap()["tags"], json!(["VIP", "vip", "Net 30"]));
}

#[test]
fn too_many_children_are_refused() {
    let tags: Vec<_> = (0..=MAX_CHILDREN).map(|n| format!("t{n}")).collect();
    assert_eq!(paths(create(json!({"type": "company", "name": "x", "tags": tags}))), ["tags"]);
}

#[test]
fn a_patch_tells_absent_null_and_value_apart() {
    let patch =
        update(json!({"notes": null, "source": "web", "email": "New@Example.com"})).unwrap();
    assert_eq!(patch["set"], json!({"notes": null, "source": "web", "email": "new@example.com"}));
    assert_eq!(patch["contacts"]["add"][0]["value"], "new@example.com");
    assert_eq!(update(json!({})).unwrap()["set"], json!({}));
    assert_eq!(paths(update(json!({"name": " "}))), ["name"]);
}

#[test]
fn a_patch_adds_changes_and_deletes_children() {
    let id = "00000000-0000-4000-8000-000000000001";
    let patch = update(json!({
        "contacts": [
            {"type": "mobile", "value": "+49 171 1234567", "is_primary": true},
            {"id": id, "opt_in_marketing": false},
        ],
        "locations": [{"id": id, "delete": true}, {"address_line1": "1 Main St", "city": "Reno"}],
    }))
    .unwrap();
    assert_eq!(patch["contacts"]["add"][0]["value"], "+491711234567");
    assert_eq!(
        patch["contacts"]["change"],
        json!([{"id": id, "set": {"opt_in_marketing": false}}])
    );
    assert_eq!(patch["locations"]["delete"], json!([id]));
    assert_eq!(patch["locations"]["add"][0]["country"], "US");
    assert_eq!(
        paths(update(json!({"contacts": [{"id": id, "is_primary": false}]}))),
        ["contacts[0].is_primary"]
    );
    assert_eq!(paths(update(json!({"contacts": [{"value": "x"}]}))), ["contacts[0]"]);
}

#[test]
fn deleting_without_an_id_adds_nothing() {
    let contact = json!({"contacts": [{"type": "portal", "value": "x", "delete": true}]});
    assert_eq!(paths(update(contact)), ["contacts[0].id"]);
    let location = json!({"locations": [{"address_line1": "x", "city": "y", "delete": true}]});
    assert_eq!(paths(update(location)), ["locations[0].id"]);
}

#[test]
fn an_array_is_no_object() {
    assert_eq!(paths(update(json!([]))), ["$"]);
    assert_eq!(paths(create(json!(["company", "Acme"]))), ["$"]);
    let positional =
        json!({"type": "company", "name": "x", "contacts": [["email", "a@b.example"]]});
    assert_eq!(paths(create(positional)), ["contacts[0]"]);
    assert_eq!(paths(update(json!({"preferences": [true]}))), ["preferences"]);
}

#[test]
fn a_child_is_changed_or_deleted_but_once() {
    let id = "00000000-0000-4000-8000-000000000001";
    let both = json!({"contacts": [{"id": id, "delete": true}, {"id": id, "is_primary": true}]});
    assert_eq!(paths(update(both)), ["contacts"]);
}

#[test]
fn a_patch_adds_a_contact_once() {
    let twice = json!({"contacts": [{"type": "email", "value": "q@x.example"}, {"type": "email", "value": "Q@x.example"}]});
    assert_eq!(paths(update(twice)), ["contacts[1].value"]);
}

#[test]
fn two_contacts_of_a_patch_do_not_become_one() {
    let id = "00000000-0000-4000-8000-000000000001";
    let both = json!({"contacts": [
        {"id": id, "type": "email", "value": "q@x.example"}, {"type": "email", "value": "Q@x.example"}]});
    assert_eq!(paths(update(both)), ["contacts[1].value"]);
}

#[test]
fn a_patched_phone_is_added_unless_the_patch_adds_it_as_a_mobile_or_phone() {
    let number = "+49 171 1234567";
    for (kind, contacts) in [("phone", 1), ("mobile", 1), ("whatsapp", 2)] {
        let patch = json!({"phone": number, "contacts": [{"type": kind, "value": number}]});
        let added = update(patch).unwrap()["contacts"]["add"].as_array().unwrap().len();
        assert_eq!(added, contacts, "{kind}");
    }
}

#[test]
fn an_added_contact_says_what_the_client_gave() {
    let contact =
        json!({"type": "email", "value": "a@b.example", "opt_in_marketing": false, "notes": " "});
    let patch = update(json!({"email": "c@d.example", "contacts": [contact]})).unwrap();
    let added = &patch["contacts"]["add"];
    assert_eq!(added[0]["given"], json!({"opt_in_marketing": false, "notes": null}));
    assert_eq!((&added[1]["given"], &added[1]["endpoint"]), (&Value::Null, &json!(true)));
}

#[test]
fn null_is_refused_where_there_is_nothing_to_clear() {
    for key in [
        "name",
        "type",
        "status",
        "lifecycle_stage",
        "pipeline_stage",
        "contacts",
        "locations",
        "tags",
        "preferences",
    ] {
        assert_eq!(paths(update(json!({key: null}))), [key]);
    }
    let id = "00000000-0000-4000-8000-000000000001";
    for (children, keys) in [
        ("contacts", &["type", "value", "is_primary", "is_verified", "opt_in_marketing"][..]),
        ("contacts", &["opt_in_transactional", "preferred_channel", "delete"]),
        ("locations", &["type", "address_line1", "city", "is_primary", "delete"]),
    ] {
        for key in keys {
            let child = json!({"id": id, *key: null});
            assert_eq!(paths(update(json!({children: [child]}))), [format!("{children}[0].{key}")]);
        }
    }
    for key in ["do_not_contact", "do_not_email", "do_not_sms", "do_not_call"] {
        let patch = json!({"preferences": {key: null}});
        assert_eq!(paths(update(patch)), [format!("preferences.{key}")]);
    }
    // What is made anew has defaults: there null is as good as absent.
    let made = create(json!({"type": "company", "name": "x", "status": null, "tags": null,
        "preferences": {"do_not_call": null}}));
    assert_eq!(made.unwrap()["customer"]["status"], "prospect");
}

proptest! {
    #[test]
    fn exactly_one_child_is_primary_whatever_comes(
        kinds in prop::collection::vec(0_usize..3, 0..6), primary in prop::option::of(0_usize..6),
        email in any::<bool>(), phone in any::<bool>(),
    ) {
        let contacts: Vec<Value> = kinds.iter().enumerate().map(|(n, kind)| {
            let (kind, value) = match kind {
                0 => ("email", format!("p{n}@example.com")),
                1 => ("mobile", format!("+1415555{:04}", 2000 + n)),
                _ => ("telegram", format!("@p{n}")),
            };
            json!({"type": kind, "value": value, "is_primary": Some(n) == primary})
        }).collect();
        let mut input = json!({"type": "individual", "name": "P", "contacts": contacts});
        if email { input["email"] = "top@example.com".into(); }
        if phone { input["phone"] = "(415) 555-2671".into(); }
        let made = create(input).unwrap();
        let rows = made["contacts"].as_array().unwrap();
        prop_assert_eq!(rows.len(), kinds.len() + usize::from(email) + usize::from(phone));
        let primaries = rows.iter().filter(|row| row["is_primary"] == true).count();
        prop_assert_eq!(primaries, usize::from(!rows.is_empty()));
        if email { prop_assert_eq!(&made["customer"]["email"], "top@example.com"); }
    }

    #[test]
    fn no_text_makes_the_reader_panic(name in ".{0,300}", email in ".{0,40}", phone in ".{0,70}") {
        let _ = create(json!({"type": "individual", "name": name, "email": email, "phone": phone}));
    }
}
