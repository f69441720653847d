//! What the rows of each customer make of it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::customer::Preferences;
use crate::customer::{ContactRow, ContactType, CustomerType, LocationRow, PreparedCustomer};

use super::group::{Group, group};
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

/// Finds the customer of every row, see [`super::group`], and what the mode lets the rows do to it.
pub fn plan(rows: Vec<Row>, known: &[Known], match_on: &[Key], mode: Mode, country: &str) -> Plan {
    let (groups, errors) = group(&rows, known, match_on);
    let mut plan = Plan { errors, ..Plan::default() };
    let mut rows: Vec<Option<Row>> = rows.into_iter().map(Some).collect();
    for Group { known, rows: members } in groups {
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

impl Row {
    pub(super) fn external_ref(&self) -> Option<&str> {
        self.prepared.customer.external_ref.as_deref()
    }

    /// Everything it can be recognised by.
    #[must_use]
    pub fn keys(&self) -> Vec<(Key, &str)> {
        let customer = &self.prepared.customer;
        let mut keys = Vec::with_capacity(3);
        keys.extend(self.external_ref().map(|value| (Key::ExternalRef, value)));
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
