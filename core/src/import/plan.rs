//! Which rows are the same customer.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::customer::Preferences;
use crate::customer::{ContactRow, ContactType, CustomerType, LocationRow, PreparedCustomer};

use super::row::{Cells, Row};
use super::{Key, Mode, RowError};

/// A customer that has the value under the key.
#[derive(Clone, Debug, Deserialize)]
pub struct Known {
    pub key: Key,
    pub value: String,
    pub id: Uuid,
    pub external_ref: Option<String>,
    pub r#type: CustomerType,
    /// It is a duplicate that was merged into another one, or erased: its `external_ref`
    /// cannot be used again.
    pub retired: bool,
}

/// A customer to make; `n` is the number of its first row.
#[derive(Debug, Serialize)]
pub struct Creation {
    pub n: usize,
    #[serde(flatten)]
    pub prepared: PreparedCustomer,
    #[serde(skip)]
    rows: Vec<usize>,
    #[serde(skip)]
    cells: Cells,
}

/// What the rows give of a customer that is known: what is there already stays.
#[derive(Debug, Serialize)]
pub struct Change {
    pub n: usize,
    pub id: Uuid,
    pub set: Map<String, Value>,
    pub contacts: Vec<ContactRow>,
    pub locations: Vec<LocationRow>,
    pub preferences: Preferences,
    pub tags: Vec<String>,
}

#[derive(Debug, Default)]
pub struct Plan {
    pub create: Vec<Creation>,
    pub change: Vec<Change>,
    /// Rows that give more of a customer that an earlier row gave.
    pub duplicates: usize,
    /// Rows that the mode leaves out.
    pub skipped: usize,
    pub errors: Vec<RowError>,
}

/// Columns of `customers` that a row sets under their own name.
const SET: [&str; 13] = [
    "type",
    "name",
    "first_name",
    "last_name",
    "company_name",
    "email",
    "status",
    "lifecycle_stage",
    "pipeline_stage",
    "source",
    "preferred_language",
    "notes",
    "external_ref",
];

/// Finds the customer of every row: the known one or that of an earlier row which has the first of
/// its keys that anybody has. An `external_ref` that differs says that it is another customer, as long
/// as it is a key.
pub fn plan(rows: Vec<Row>, known: &[Known], match_on: &[Key], mode: Mode, country: &str) -> Plan {
    let mut groups = Groups::of(known, match_on);
    let mut plan = Plan::default();
    for (index, row) in rows.iter().enumerate() {
        if let Err((path, code, message)) = groups.place(index, row) {
            plan.errors.push(RowError::new(row.number, path, code, message));
        }
    }
    let mut rows: Vec<Option<Row>> = rows.into_iter().map(Some).collect();
    let mut groups = groups.all;
    for group in &mut groups {
        group.rows.sort_unstable();
    }
    groups.retain(|group| !group.rows.is_empty());
    groups.sort_unstable_by_key(|group| group.rows[0]);
    for Group { known, rows: members, .. } in groups {
        let count = members.len();
        let members: Vec<Row> = members.iter().filter_map(|index| rows[*index].take()).collect();
        match known {
            Some(_) if mode == Mode::Create => plan.skipped += count,
            None if mode == Mode::Update => plan.skipped += count,
            _ => {
                if plan.add(known, members, country) {
                    plan.duplicates += count - 1;
                }
            }
        }
    }
    plan.errors.sort_by_key(|error| error.row);
    plan
}

impl Plan {
    /// Whether the rows make or change a customer.
    fn add(
        &mut self,
        known: Option<(Uuid, CustomerType)>,
        members: Vec<Row>,
        country: &str,
    ) -> bool {
        let numbers: Vec<usize> = members.iter().map(|row| row.number).collect();
        let (cells, prepared) = match fold(members, country) {
            Ok(folded) => folded,
            Err(errors) => {
                self.errors.extend(errors);
                return false;
            }
        };
        if known.is_none() && !cells.has_name() {
            let message = "give name, or first_name and last_name, or company_name";
            let errors = numbers.iter().map(|n| RowError::new(*n, "name", "required", message));
            self.errors.extend(errors);
            return false;
        }
        let creation = Creation { n: numbers[0], prepared, rows: numbers, cells };
        match known {
            Some((id, kind)) => self.change.push(creation.into_change(id, kind)),
            None => self.create.push(creation),
        }
        true
    }
}

impl Creation {
    /// The rows behind it.
    #[must_use]
    pub fn rows(&self) -> &[usize] {
        &self.rows
    }

    /// The same rows for a customer that turned out to be known.
    #[must_use]
    pub fn into_change(self, id: Uuid, kind: CustomerType) -> Change {
        let PreparedCustomer { customer, contacts, locations, preferences, tags } = self.prepared;
        let mut row = json!(customer);
        let mut set = Map::new();
        for column in SET {
            if self.cells.has(column) {
                set.insert(column.to_owned(), row[column].take());
            }
        }
        if self.cells.has("phone") {
            set.insert("phone".to_owned(), row["phone"].take());
            set.insert("phone_raw".to_owned(), row["phone_raw"].take());
        }
        // A name that is put together changes with its parts, provided that all are there.
        let kind = if self.cells.has("type") { customer.r#type } else { kind };
        let parts = match kind {
            CustomerType::Individual => self.cells.has("first_name") && self.cells.has("last_name"),
            CustomerType::Company => self.cells.has("company_name"),
        };
        if parts && !self.cells.has("name") {
            let name = match kind {
                CustomerType::Company => customer.company_name,
                CustomerType::Individual => {
                    let parts = [customer.first_name, customer.last_name];
                    Some(parts.into_iter().flatten().collect::<Vec<_>>().join(" "))
                }
            };
            set.insert("name".to_owned(), json!(name));
        }
        Change { n: self.n, id, set, contacts, locations, preferences, tags }
    }
}

/// One customer of all its rows: cells of later rows win, contacts, locations and tags add up.
fn fold(members: Vec<Row>, country: &str) -> Result<(Cells, PreparedCustomer), Vec<RowError>> {
    let number = members.first().map_or(0, |row| row.number);
    let several = members.len() > 1;
    let mut members = members.into_iter();
    let Some(first) = members.next() else { return Err(Vec::new()) };
    if !several {
        return Ok((first.cells, first.prepared));
    }
    let mut cells = first.cells;
    let mut parts = vec![first.prepared];
    for row in members {
        cells.merge(&row.cells);
        parts.push(row.prepared);
    }
    let mut whole = cells.prepare(country).map_err(|errors| {
        errors.into_iter().map(|field| RowError { row: number, field }).collect::<Vec<_>>()
    })?;
    for part in parts {
        for mut contact in part.contacts {
            if !whole.contacts.iter().any(|have| is_same_endpoint(have, &contact)) {
                contact.is_primary = false;
                whole.contacts.push(contact);
            }
        }
        for mut location in part.locations {
            location.is_primary = whole.locations.is_empty();
            whole.locations.push(location);
        }
        for tag in part.tags {
            let key = tag.to_lowercase();
            if !whole.tags.iter().any(|have| have.to_lowercase() == key) {
                whole.tags.push(tag);
            }
        }
    }
    Ok((cells, whole))
}

fn is_same_endpoint(a: &ContactRow, b: &ContactRow) -> bool {
    let is_telephone = |kind| matches!(kind, ContactType::Mobile | ContactType::Phone);
    a.value == b.value && (a.r#type == b.r#type || is_telephone(a.r#type) && is_telephone(b.r#type))
}

#[derive(Default)]
struct Group {
    known: Option<(Uuid, CustomerType)>,
    external_ref: Option<String>,
    /// Indexes of the rows.
    rows: Vec<usize>,
    merged_into: Option<usize>,
}

struct Groups<'a> {
    all: Vec<Group>,
    by_ref: HashMap<String, usize>,
    by_email: HashMap<String, Vec<usize>>,
    by_phone: HashMap<String, Vec<usize>>,
    retired: std::collections::HashSet<&'a str>,
    match_on: &'a [Key],
}

type Refusal = (&'static str, &'static str, &'static str);

impl<'a> Groups<'a> {
    fn of(known: &'a [Known], match_on: &'a [Key]) -> Self {
        let mut groups = Self {
            all: Vec::new(),
            by_ref: HashMap::new(),
            by_email: HashMap::new(),
            by_phone: HashMap::new(),
            retired: std::collections::HashSet::new(),
            match_on,
        };
        let mut by_id: HashMap<Uuid, usize> = HashMap::new();
        for one in known {
            if one.retired {
                if one.key == Key::ExternalRef {
                    groups.retired.insert(&one.value);
                }
                continue;
            }
            let group = *by_id.entry(one.id).or_insert_with(|| {
                groups.all.push(Group {
                    known: Some((one.id, one.r#type)),
                    external_ref: one.external_ref.clone(),
                    ..Group::default()
                });
                groups.all.len() - 1
            });
            groups.register(one.key, &one.value, group);
        }
        groups
    }

    fn register(&mut self, key: Key, value: &str, group: usize) {
        let index = match key {
            Key::ExternalRef => {
                self.by_ref.insert(value.to_owned(), group);
                return;
            }
            Key::Email => &mut self.by_email,
            Key::Phone => &mut self.by_phone,
        };
        let groups = index.entry(value.to_owned()).or_default();
        if !groups.contains(&group) {
            groups.push(group);
        }
    }

    fn root(&self, mut group: usize) -> usize {
        while let Some(into) = self.all[group].merged_into {
            group = into;
        }
        group
    }

    /// An external reference tells customers apart only where it is asked for.
    fn compatible(&self, a: Option<&str>, b: Option<&str>) -> bool {
        !self.match_on.contains(&Key::ExternalRef)
            || match (a, b) {
                (Some(a), Some(b)) => a == b,
                _ => true,
            }
    }

    fn candidates(&self, key: Key, value: &str, external_ref: Option<&str>) -> Vec<usize> {
        let found = match key {
            Key::ExternalRef => self.by_ref.get(value).map(std::slice::from_ref),
            Key::Email => self.by_email.get(value).map(Vec::as_slice),
            Key::Phone => self.by_phone.get(value).map(Vec::as_slice),
        };
        let mut candidates: Vec<usize> =
            found.unwrap_or_default().iter().map(|group| self.root(*group)).collect();
        candidates.sort_unstable();
        candidates.dedup();
        candidates.retain(|group| {
            self.compatible(self.all[*group].external_ref.as_deref(), external_ref)
        });
        candidates
    }

    /// Puts the row into its group, or says why it has none.
    fn place(&mut self, index: usize, row: &Row) -> Result<(), Refusal> {
        let external_ref = row.prepared.customer.external_ref.as_deref();
        let keys = row.keys();
        let mut group = None;
        for key in self.match_on {
            for (_, value) in keys.iter().filter(|(kind, _)| kind == key) {
                let candidates = self.candidates(*key, value, external_ref);
                match (group, candidates.as_slice()) {
                    (None, [one]) => group = Some(*one),
                    (None, [_, _, ..]) => {
                        let path = match key {
                            Key::ExternalRef => "external_ref",
                            Key::Email => "email",
                            Key::Phone => "phone",
                        };
                        let message = "more than one customer has it; match on something else";
                        return Err((path, "ambiguous_match", message));
                    }
                    (Some(first), [other]) if first != *other => {
                        group = Some(self.join(first, *other));
                    }
                    _ => {}
                }
            }
        }
        if let Some(wanted) = external_ref {
            let owner = self.by_ref.get(wanted).map(|owner| self.root(*owner));
            if self.retired.contains(wanted) || owner.is_some_and(|owner| Some(owner) != group) {
                let message = "another customer has this external_ref";
                return Err(("external_ref", "duplicate_external_ref", message));
            }
        }
        let group = group.unwrap_or_else(|| {
            self.all.push(Group::default());
            self.all.len() - 1
        });
        for (key, value) in &keys {
            self.register(*key, value, group);
        }
        if let Some(external_ref) = external_ref {
            self.all[group].external_ref = Some(external_ref.to_owned());
        }
        self.all[group].rows.push(index);
        Ok(())
    }

    /// A row that shares keys with two customers of this call makes them one; customers that are
    /// known stay two.
    fn join(&mut self, first: usize, other: usize) -> usize {
        let refs = |group: usize| self.all[group].external_ref.as_deref();
        let both_known = self.all[first].known.is_some() && self.all[other].known.is_some();
        if both_known || !self.compatible(refs(first), refs(other)) {
            return first;
        }
        let (stays, goes) =
            if self.all[other].known.is_some() { (other, first) } else { (first, other) };
        let moved = std::mem::take(&mut self.all[goes].rows);
        let external_ref = self.all[goes].external_ref.take();
        self.all[goes].merged_into = Some(stays);
        let stays_ref = &mut self.all[stays].external_ref;
        if stays_ref.is_none() {
            *stays_ref = external_ref;
        }
        self.all[stays].rows.extend(moved);
        stays
    }
}

impl Row {
    /// Everything it can be recognised by.
    #[must_use]
    pub fn keys(&self) -> Vec<(Key, &str)> {
        let customer = &self.prepared.customer;
        let mut keys = Vec::with_capacity(3);
        keys.extend(customer.external_ref.as_deref().map(|value| (Key::ExternalRef, value)));
        keys.extend(customer.email.as_deref().map(|value| (Key::Email, value)));
        let is_phone =
            |row: &&ContactRow| matches!(row.r#type, ContactType::Mobile | ContactType::Phone);
        keys.extend(
            self.prepared
                .contacts
                .iter()
                .filter(is_phone)
                .map(|row| (Key::Phone, row.value.as_str())),
        );
        keys
    }
}
