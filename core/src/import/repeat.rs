//! The same rows again, against a model of the database.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::*;
use crate::customer::{ContactRow, ContactType, CustomerType};

#[derive(Clone, Debug, Default, PartialEq)]
struct Person {
    fields: Map<String, Value>,
    emails: BTreeSet<String>,
    phones: BTreeSet<String>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct People(Vec<Person>);

#[derive(Debug, Default, PartialEq)]
struct Outcome {
    created: usize,
    updated: usize,
    failed: BTreeSet<usize>,
    errors: Vec<(usize, String)>,
}

impl Person {
    fn external_ref(&self) -> Option<String> {
        self.fields["external_ref"].as_str().map(str::to_owned)
    }

    fn add(&mut self, contacts: &[ContactRow]) {
        for contact in contacts {
            let values = match contact.r#type {
                ContactType::Email => &mut self.emails,
                _ => &mut self.phones,
            };
            values.insert(contact.value.clone());
        }
    }
}

impl People {
    fn known(&self) -> Vec<Known> {
        let of = |(index, person): (usize, &Person)| {
            let known = |(key, value)| Known {
                key,
                value,
                id: Uuid::from_u128(index as u128),
                external_ref: person.external_ref(),
                r#type: CustomerType::Individual,
                retired: false,
            };
            let refs = person.external_ref().into_iter().map(|value| (Key::ExternalRef, value));
            let emails = person.emails.iter().map(|value| (Key::Email, value.clone()));
            let phones = person.phones.iter().map(|value| (Key::Phone, value.clone()));
            refs.chain(emails).chain(phones).map(known).collect::<Vec<_>>()
        };
        self.0.iter().enumerate().flat_map(of).collect()
    }

    fn import(&mut self, rows: &[Value], match_on: &[Key], mode: Mode) -> Outcome {
        let (good, mut errors) = read(rows.to_vec(), "US").unwrap();
        let plan = plan(good, &self.known(), match_on, mode, "US");
        errors.extend(plan.errors);
        let mut outcome = Outcome { created: plan.create.len(), ..Outcome::default() };
        for one in plan.create {
            let Value::Object(fields) = json!(one.prepared.customer) else { unreachable!() };
            let mut person = Person { fields, ..Person::default() };
            person.add(&one.prepared.contacts);
            self.0.push(person);
        }
        for change in plan.change {
            let person = &mut self.0[usize::try_from(change.id.as_u128()).unwrap()];
            let before = person.clone();
            person.fields.extend(change.set);
            person.add(&change.contacts);
            outcome.updated += usize::from(before != *person);
        }
        let refs: Vec<_> = self.0.iter().filter_map(Person::external_ref).collect();
        assert_eq!(refs.iter().collect::<BTreeSet<_>>().len(), refs.len(), "{refs:?}");
        outcome.failed = errors.iter().map(|error| error.row).collect();
        outcome.errors = errors.into_iter().map(|error| (error.row, error.field.code)).collect();
        outcome.errors.sort();
        outcome
    }
}

fn twice(rows: &Value) -> [Outcome; 2] {
    let rows = rows.as_array().unwrap();
    let mut people = People::default();
    [(); 2].map(|()| people.import(rows, &Key::ALL, Mode::Both))
}

#[test]
fn a_key_of_two_customers_is_ambiguous_wherever_they_are() {
    let [first, again] = twice(&json!([
        {"external_ref": "E1", "name": "A", "email": "e@x.example"},
        {"name": "A2", "email": "e@x.example"},
        {"external_ref": "E2", "name": "B", "email": "e@x.example"},
    ]));
    assert_eq!(first.errors, [(2, "ambiguous_match".to_owned())]);
    assert_eq!((first.created, again.created, again.updated), (2, 0, 0));
    assert_eq!(first.errors, again.errors);
}

#[test]
fn an_earlier_key_decides_where_a_later_one_is_shared() {
    let [first, again] = twice(&json!([
        {"external_ref": "E1", "name": "A", "email": "a@x.example", "phone": "+14155550120"},
        {"external_ref": "E2", "name": "B", "email": "b@x.example", "phone": "+14155550120"},
        {"name": "A", "email": "a@x.example", "phone": "+14155550120"},
        {"name": "C", "phone": "+14155550120"},
    ]));
    assert_eq!(first.errors, [(4, "ambiguous_match".to_owned())]);
    assert_eq!((first.created, again.created, again.updated), (2, 0, 0));
    assert_eq!(first.errors, again.errors);
}

#[test]
fn rows_without_a_key_are_errors_unless_no_key_is_asked_for() {
    let rows = [json!({"name": "noid"}), json!({"name": "noid", "phone": "+14155550120"})];
    for mode in [Mode::Create, Mode::Update, Mode::Both] {
        let outcome = People::default().import(&rows, &[Key::Email, Key::ExternalRef], mode);
        let without = "no_match_key".to_owned();
        assert_eq!(outcome.errors, [(1, without.clone()), (2, without)]);
    }
    let mut people = People::default();
    assert_eq!(people.import(&rows, &[], Mode::Both).created, 2);
    assert_eq!(people.import(&rows, &[], Mode::Both).created, 2);
}

fn rows() -> impl Strategy<Value = Vec<Value>> {
    let row = (0_usize..6, 0_usize..7, 0_usize..7, 0_usize..12, 0_usize..4);
    prop::collection::vec(row, 0..9).prop_map(|rows| {
        let row = |(reference, email, phone, mobile, name)| {
            let mut row = json!({});
            for (column, value, text) in [
                ("external_ref", reference, format!("E{reference}")),
                ("email", email, format!("{email}@x.example")),
                ("phone", phone, format!("+1415555012{phone}")),
                ("mobile", mobile, format!("+1415555012{mobile}")),
                ("name", name, format!("N{name}")),
            ] {
                if (1..=4).contains(&value) {
                    row[column] = text.into();
                }
            }
            row
        };
        rows.into_iter().map(row).collect()
    })
}

fn keys() -> impl Strategy<Value = Vec<Key>> {
    prop::sample::subsequence(Key::ALL.to_vec(), 1..=3).prop_shuffle()
}

fn modes() -> impl Strategy<Value = Mode> {
    prop::sample::select(vec![Mode::Create, Mode::Update, Mode::Both])
}

/// Few files in a thousand have what is hard.
fn cases() -> ProptestConfig {
    let config = ProptestConfig::default();
    ProptestConfig { cases: config.cases.max(1_000), ..config }
}

proptest! {
    #![proptest_config(cases())]
    #[test]
    fn the_same_rows_again_change_nothing(
        strangers in rows(), earlier in rows(), earlier_keys in keys(), rows in rows(), match_on in keys(), mode in modes(),
    ) {
        let mut people = People::default();
        // Matched by nothing, so that several have the same keys.
        people.import(&strangers, &[], Mode::Both);
        people.import(&earlier, &earlier_keys, Mode::Both);
        let first = people.import(&rows, &match_on, mode);
        let before = people.clone();
        let again = people.import(&rows, &match_on, mode);
        prop_assert_eq!((again.created, again.updated), (0, 0));
        prop_assert_eq!(&again.failed, &first.failed);
        prop_assert_eq!(people, before);
    }

    #[test]
    fn which_rows_fail_does_not_depend_on_their_order(earlier in rows(), rows in rows(), match_on in keys()) {
        let mut people = People::default();
        people.import(&earlier, &[], Mode::Both);
        let mut reversed = rows.clone();
        reversed.reverse();
        let failed = people.clone().import(&rows, &match_on, Mode::Both).errors;
        let mirrored: BTreeSet<_> = people.import(&reversed, &match_on, Mode::Both).errors
            .into_iter().map(|(row, code)| (rows.len() + 1 - row, code)).collect();
        prop_assert_eq!(failed.into_iter().collect::<BTreeSet<_>>(), mirrored);
    }
}
