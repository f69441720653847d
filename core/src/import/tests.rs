use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::customer::CustomerType;
use crate::{Code, Error};

fn import(rows: &Value, known: &[Known], match_on: &[Key], mode: Mode) -> Result<Plan, Error> {
    let rows = rows.as_array().unwrap().clone();
    let (good, mut errors) = read(rows, "US")?;
    let mut plan = plan(good, known, match_on, mode, "US");
    errors.append(&mut plan.errors);
    Ok(Plan { errors, ..plan })
}

fn fresh(rows: &Value) -> Plan {
    import(rows, &[], &Key::ALL, Mode::Both).unwrap()
}

fn known(id: u128, key: Key, value: &str, external_ref: Option<&str>) -> Known {
    Known {
        key,
        value: value.to_owned(),
        id: Uuid::from_u128(id),
        external_ref: external_ref.map(str::to_owned),
        r#type: CustomerType::Individual,
        retired: false,
    }
}

fn mistakes(plan: &Plan) -> Vec<(usize, &str, &str)> {
    plan.errors
        .iter()
        .map(|error| (error.row, error.field.path.as_str(), error.field.code.as_str()))
        .collect()
}

#[test]
fn a_flat_row_becomes_a_customer_with_what_belongs_to_it() {
    let plan = fresh(&json!([{
        "first_name": " Ada ", "last_name": "Lovelace", "email": "Ada@Example.com", "phone": "(415) 555-2671",
        "mobile": "+49 171 1234567", "status": "Active", "address_line1": "1 Main St", "city": "Reno",
        "latitude": "39.5", "longitude": -119.8, "tags": "VIP; net 30;;vip", "do_not_call": "Yes", "notes": "",
        "source": null, "postal_code": 89501,
    }]));
    assert!(plan.errors.is_empty(), "{:?}", plan.errors);
    let made = json!(plan.create[0]);
    assert_eq!(made["n"], 1);
    assert_eq!(made["customer"]["name"], "Ada Lovelace");
    assert_eq!(made["customer"]["email"], "ada@example.com");
    assert_eq!(made["customer"]["phone"], "+14155552671");
    assert_eq!(made["customer"]["status"], "active");
    assert_eq!(made["customer"]["notes"], Value::Null);
    assert_eq!(made["locations"][0]["latitude"], 39.5);
    assert_eq!(made["locations"][0]["postal_code"], "89501");
    assert_eq!(made["locations"][0]["is_primary"], true);
    assert_eq!(made["contacts"].as_array().unwrap().len(), 3);
    // Which names are one tag is Postgres's to say.
    assert_eq!(made["tags"], json!(["VIP", "net 30", "vip"]));
    assert_eq!(made["preferences"], json!({"do_not_call": true}));
}

#[test]
fn a_phone_is_read_as_of_the_country_of_the_row_then_of_the_org() {
    let plan = fresh(&json!([
        {"name": "A", "phone": "020 7946 0958", "country": "gb"},
        {"name": "B", "phone": "(415) 555-2671", "country": "GB"},
        {"name": "C", "phone": "020 7946 0958"},
        {"external_ref": "1", "name": "D", "phone": "0171 1234567", "country": "DE"},
        {"external_ref": "1", "country": "US", "notes": "moved"},
    ]));
    assert_eq!(mistakes(&plan), [(3, "phone", "invalid_phone")]);
    let phones: Vec<_> =
        plan.create.iter().map(|one| one.prepared.customer.phone.as_deref()).collect();
    assert_eq!(phones, [Some("+442079460958"), Some("+14155552671"), Some("+491711234567")]);
}

#[test]
fn only_a_company_name_makes_a_company() {
    let plan = fresh(&json!([
        {"company_name": "Acme", "external_ref": "1"},
        {"company_name": "Acme", "name": "Ada", "external_ref": "2"},
    ]));
    assert_eq!(json!(plan.create[0])["customer"]["type"], "company");
    assert_eq!(json!(plan.create[1])["customer"]["type"], "individual");
}

#[test]
fn mistakes_are_listed_by_row_and_column_and_good_rows_go_in() {
    let plan = fresh(&json!([
        {"name": "A", "email": "nope", "phone": "12", "status": "robot"},
        {"name": "B", "external_ref": "2"},
        {"email": "c@x.example"},
        {"name": "D", "mobile": "1", "address_line1": "1 Main St", "do_not_sms": "perhaps", "latitude": "north"},
        {"name": "E", "tags": [["x"]], "notes": {}},
        {"name": "F", "city": "Reno", "external_ref": "6"},
        {"type": "company", "first_name": "G", "external_ref": "7"},
        {"name": "H", "city": "Reno"},
    ]));
    assert_eq!(
        mistakes(&plan),
        [
            (1, "status", "invalid_value"),
            (1, "email", "invalid_email"),
            (1, "phone", "invalid_phone"),
            (4, "latitude", "invalid_value"),
            (4, "do_not_sms", "invalid_value"),
            (4, "mobile", "invalid_phone"),
            (4, "city", "required"),
            (5, "notes", "invalid_value"),
            (5, "tags", "invalid_value"),
            (3, "name", "required"),
            (7, "name", "required"),
            (8, "external_ref", "no_match_key"),
        ]
    );
    let made: Vec<_> = plan.create.iter().map(|one| one.n).collect();
    assert_eq!(made, [2, 6]);
    assert!(plan.create[1].prepared.locations.is_empty());
}

#[test]
fn unknown_columns_are_one_error_of_the_whole_call() {
    let rows = json!([{"name": "A", "vip": 1}, {"vip": 2, "Colour": "red"}]);
    let error = import(&rows, &[], &Key::ALL, Mode::Both).unwrap_err();
    assert_eq!(error.code, Code::InvalidArgument);
    let paths: Vec<_> = error.errors.iter().map(|field| field.path.as_str()).collect();
    assert_eq!(paths, ["rows[1].Colour", "rows[0].vip"]);
    assert!(import(&json!(["A"]), &[], &Key::ALL, Mode::Both).is_err());
    assert!(read(vec![json!({}); MAX_ROWS + 1], "US").is_err());
}

#[test]
fn rows_that_share_a_key_are_one_customer_and_the_later_cells_win() {
    let plan = fresh(&json!([
        {"name": "Ada", "email": "a@x.example", "notes": "first", "tags": "one", "address_line1": "1 Main St", "city": "Reno"},
        {"name": "Bob", "external_ref": "7"},
        {"first_name": "Augusta", "last_name": "King", "name": "Augusta", "email": "A@x.example", "external_ref": "1", "tags": "ONE;two",
         "address_line1": "2 Main St", "city": "Reno"},
        {"external_ref": "1", "email": "b@x.example", "status": "active"},
        {"email": "b@x.example", "phone": "+14155552671"},
    ]));
    assert!(plan.errors.is_empty(), "{:?}", plan.errors);
    assert_eq!((plan.create.len(), plan.duplicates), (2, 3));
    let ada = json!(plan.create[0]);
    assert_eq!(ada["customer"]["name"], "Augusta");
    assert_eq!(ada["customer"]["notes"], "first");
    assert_eq!(ada["customer"]["email"], "b@x.example");
    assert_eq!(ada["customer"]["external_ref"], "1");
    assert_eq!(ada["tags"], json!(["one", "two"]));
    assert_eq!(ada["locations"].as_array().unwrap().len(), 2);
    assert_eq!(ada["locations"][0]["is_primary"], true);
    let contacts = ada["contacts"].as_array().unwrap();
    assert_eq!(contacts.len(), 3);
    assert_eq!(contacts.iter().filter(|row| row["is_primary"] == true).count(), 1);
}

#[test]
fn a_row_that_shares_keys_with_two_new_customers_makes_them_one() {
    let plan = fresh(&json!([
        {"name": "Ada", "email": "a@x.example"}, {"name": "Bob", "phone": "+14155552671"},
        {"name": "Cy", "email": "a@x.example", "phone": "+14155552671"},
    ]));
    assert_eq!((plan.create.len(), plan.duplicates), (1, 2));
    assert_eq!(plan.create[0].rows(), [1, 2, 3]);
}

#[test]
fn another_external_ref_is_another_customer_unless_it_is_no_key() {
    let rows = json!([
        {"name": "Ada", "external_ref": "1", "email": "home@x.example"},
        {"name": "Bob", "external_ref": "2", "email": "home@x.example"},
        {"name": "Cy", "email": "home@x.example"},
    ]);
    let plan = fresh(&rows);
    assert_eq!(plan.create.len(), 2);
    assert_eq!(mistakes(&plan), [(3, "email", "ambiguous_match")]);
    let plan = import(&rows, &[], &[Key::Email], Mode::Both).unwrap();
    assert_eq!((plan.create.len(), plan.duplicates), (1, 2));
}

#[test]
fn known_customers_are_found_by_the_first_key_that_anybody_has() {
    let people = [
        known(1, Key::ExternalRef, "1", Some("1")),
        known(2, Key::Email, "b@x.example", None),
        known(3, Key::Phone, "+14155552671", None),
        known(4, Key::Phone, "+14155552672", None),
        known(5, Key::Phone, "+14155552672", None),
    ];
    let rows = json!([
        {"external_ref": "1", "email": "b@x.example"},
        {"external_ref": "9", "email": "b@x.example", "phone": "+14155552671", "first_name": "B"},
        {"phone": "415-555-2671", "notes": "x"},
        {"phone": "415-555-2672", "notes": "x"},
        {"name": "New", "external_ref": "10"},
    ]);
    let plan = import(&rows, &people, &Key::ALL, Mode::Both).unwrap();
    let changed: Vec<_> = plan.change.iter().map(|one| (one.n, one.id.as_u128())).collect();
    assert_eq!(changed, [(1, 1), (2, 2)]);
    assert_eq!(mistakes(&plan), [(3, "phone", "ambiguous_match"), (4, "phone", "ambiguous_match")]);
    let set = |index: usize| Value::Object(plan.change[index].set.clone());
    assert_eq!(set(0), json!({"external_ref": "1", "email": "b@x.example"}));
    assert_eq!(set(1)["first_name"], "B");
    assert_eq!(set(1).get("name"), None);
    assert_eq!(plan.create.len(), 1);
    let plan = import(&rows, &people, &Key::ALL, Mode::Create).unwrap();
    assert_eq!((plan.create.len(), plan.change.len(), plan.skipped), (1, 0, 2));
    let plan = import(&rows, &people, &Key::ALL, Mode::Update).unwrap();
    assert_eq!((plan.create.len(), plan.change.len(), plan.skipped), (0, 2, 1));
}

#[test]
fn a_reference_that_another_customer_has_is_refused() {
    let mut retired = known(2, Key::ExternalRef, "2", Some("2"));
    retired.retired = true;
    let people = [
        known(1, Key::ExternalRef, "1", Some("1")),
        known(3, Key::Email, "c@x.example", None),
        retired,
    ];
    let rows = json!([{"name": "A", "email": "c@x.example", "external_ref": "1"}, {"name": "B", "external_ref": "2"}]);
    let plan = import(&rows, &people, &[Key::Email], Mode::Both).unwrap();
    let wrong = "duplicate_external_ref";
    assert_eq!(mistakes(&plan), [(1, "external_ref", wrong), (2, "external_ref", wrong)]);
}

#[test]
fn a_name_is_put_together_only_of_all_its_parts() {
    let people = [known(1, Key::ExternalRef, "1", Some("1"))];
    let name = |row: Value| {
        let plan = import(&json!([row]), &people, &Key::ALL, Mode::Both).unwrap();
        plan.change[0].set.get("name").cloned()
    };
    let both = json!({"external_ref": "1", "first_name": "Ada", "last_name": "King"});
    assert_eq!(name(both), Some(json!("Ada King")));
    assert_eq!(name(json!({"external_ref": "1", "first_name": "Ada"})), None);
    assert_eq!(name(json!({"external_ref": "1", "company_name": "Acme"})), None);
    let company = json!({"external_ref": "1", "type": "company", "company_name": "Acme"});
    assert_eq!(name(company), Some(json!("Acme")));
}

proptest! {
    #[test]
    fn every_row_is_counted_once_whatever_comes(
        rows in prop::collection::vec((0_usize..6, 0_usize..6, 0_usize..6, any::<bool>()), 0..30),
        mode in prop::sample::select(vec![Mode::Create, Mode::Update, Mode::Both]),
    ) {
        let rows: Vec<Value> = rows.into_iter().map(|(reference, email, phone, named)| {
            let mut row = json!({});
            if reference > 2 { row["external_ref"] = reference.into(); }
            if email > 1 { row["email"] = format!("{email}@x.example").into(); }
            if phone > 1 { row["phone"] = format!("+141555526{phone}0").into(); }
            if named { row["name"] = "N".into(); }
            row
        }).collect();
        let people = [known(1, Key::Email, "3@x.example", Some("3")), known(1, Key::ExternalRef, "3", Some("3"))];
        let plan = import(&json!(rows), &people, &Key::ALL, mode).unwrap();
        let failed: std::collections::HashSet<_> = plan.errors.iter().map(|error| error.row).collect();
        prop_assert_eq!(
            plan.create.len() + plan.change.len() + plan.duplicates + plan.skipped + failed.len(),
            rows.len()
        );
    }
}
