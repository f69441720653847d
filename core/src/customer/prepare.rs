//! From checked input to the documents that the SQL statements take.

use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::Result;
use crate::patch::Field;

use super::check::Checks;
use super::input::{
    ContactPatch, ContactType, CustomerPatch, CustomerType, LifecycleStage, LocationPatch,
    LocationType, NewContact, NewCustomer, NewLocation, PipelineStage, Preferences, Status,
};
use super::{MAX_NAME, MAX_NOTES};

/// What `customer/create.sql` takes, less the org.
#[derive(Debug, Serialize)]
pub struct PreparedCustomer {
    pub customer: CustomerRow,
    pub contacts: Vec<ContactRow>,
    pub locations: Vec<LocationRow>,
    pub preferences: Preferences,
    pub tags: Vec<String>,
}

#[derive(Debug, Serialize)]
pub struct CustomerRow {
    pub r#type: CustomerType,
    pub name: String,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub company_name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub phone_raw: Option<String>,
    pub status: Status,
    pub lifecycle_stage: LifecycleStage,
    pub pipeline_stage: PipelineStage,
    pub source: Option<String>,
    pub preferred_language: Option<String>,
    pub notes: Option<String>,
    pub external_ref: Option<String>,
    pub owner_id: Option<Uuid>,
}

#[derive(Debug, Serialize)]
pub struct ContactRow {
    pub r#type: ContactType,
    pub value: String,
    /// As the client wrote it; only where normalising changed it.
    pub value_raw: Option<String>,
    pub is_primary: bool,
    pub is_verified: bool,
    pub opt_in_marketing: bool,
    pub opt_in_transactional: bool,
    pub preferred_channel: bool,
    pub notes: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct LocationRow {
    pub label: Option<String>,
    pub r#type: LocationType,
    pub address_line1: String,
    pub address_line2: Option<String>,
    pub city: String,
    pub state: Option<String>,
    pub postal_code: Option<String>,
    pub country: String,
    pub latitude: Option<f64>,
    pub longitude: Option<f64>,
    pub is_primary: bool,
}

impl NewCustomer {
    /// Checks and normalises everything. `country` is the org's, for phones without a country code
    /// and for locations without a country.
    pub fn prepare(self, country: &str) -> Result<PreparedCustomer> {
        let mut checks = Checks::default();
        let first_name = checks.name("first_name", self.first_name);
        let last_name = checks.name("last_name", self.last_name);
        let company_name = checks.name("company_name", self.company_name);
        let r#type = self.r#type.unwrap_or_else(|| {
            checks.fail("type", "required", "must be individual or company");
            CustomerType::Individual
        });
        let name = checks.name("name", self.name).or_else(|| match r#type {
            CustomerType::Company => company_name.clone(),
            CustomerType::Individual => {
                let parts: Vec<&str> =
                    [&first_name, &last_name].into_iter().flatten().map(String::as_str).collect();
                (!parts.is_empty()).then(|| parts.join(" "))
            }
        });
        if name.is_none() {
            checks.fail(
                "name",
                "required",
                "give name, or first_name and last_name, or company_name",
            );
        }

        let mut contacts = contact_rows(&mut checks, self.contacts.unwrap_or_default(), country);
        let email = self.email.and_then(super::check::trimmed);
        if let Some(address) = email.and_then(|raw| checks.email("email", &raw)) {
            add_endpoint(&mut contacts, ContactType::Email, address, None);
        }
        let phone_raw = self.phone.and_then(super::check::trimmed);
        if let Some(raw) = phone_raw
            && let Some(number) = checks.phone("phone", &raw, country)
        {
            let r#type = if number.is_mobile { ContactType::Mobile } else { ContactType::Phone };
            add_endpoint(&mut contacts, r#type, number.e164, Some(raw));
        }
        choose_primary(&mut checks, "contacts", &mut contacts, |row| &mut row.is_primary);
        let mut locations = location_rows(&mut checks, self.locations.unwrap_or_default(), country);
        choose_primary(&mut checks, "locations", &mut locations, |row| &mut row.is_primary);

        // The customer's own e-mail and phone mirror the first endpoint of their kind.
        let first = |of: fn(ContactType) -> bool| contacts.iter().find(|row| of(row.r#type));
        let first_email = first(|kind| kind == ContactType::Email);
        let first_phone = first(|kind| matches!(kind, ContactType::Mobile | ContactType::Phone));
        let customer = CustomerRow {
            r#type,
            name: name.unwrap_or_default(),
            first_name,
            last_name,
            company_name,
            email: first_email.map(|row| row.value.clone()),
            phone: first_phone.map(|row| row.value.clone()),
            phone_raw: first_phone.and_then(|row| row.value_raw.clone()),
            status: self.status.unwrap_or(Status::Prospect),
            lifecycle_stage: self.lifecycle_stage.unwrap_or(LifecycleStage::Lead),
            pipeline_stage: self.pipeline_stage.unwrap_or(PipelineStage::Lead),
            source: checks.name("source", self.source),
            preferred_language: checks.language("preferred_language", self.preferred_language),
            notes: checks.notes("notes", self.notes),
            external_ref: checks.name("external_ref", self.external_ref),
            owner_id: self.owner_id,
        };
        let preferences = check_preferences(&mut checks, self.preferences.unwrap_or_default());
        let tags = checks.tags("tags", self.tags.unwrap_or_default());
        checks.finish()?;
        Ok(PreparedCustomer { customer, contacts, locations, preferences, tags })
    }
}

/// What `customer/update.sql` takes, less org and id.
#[derive(Debug, Default, Serialize)]
pub struct PreparedPatch {
    /// Columns of `customers` to set; null clears.
    pub set: Map<String, Value>,
    pub contacts: PreparedChildren,
    pub locations: PreparedChildren,
    /// Columns of `crm_preferences` to set.
    pub preferences: Option<Preferences>,
    /// The complete new set, or `None` to leave the tags alone.
    pub tags: Option<Vec<String>>,
}

#[derive(Debug, Default, Serialize)]
pub struct PreparedChildren {
    pub add: Vec<Value>,
    pub change: Vec<ChildChange>,
    pub delete: Vec<Uuid>,
    /// The existing child that becomes the primary one.
    pub primary: Option<Uuid>,
}

#[derive(Debug, Serialize)]
pub struct ChildChange {
    pub id: Uuid,
    pub set: Map<String, Value>,
}

impl PreparedPatch {
    #[must_use]
    pub fn changes_owner(&self) -> bool {
        self.set.contains_key("owner_id")
    }
}

impl CustomerPatch {
    /// Checks and normalises everything that is present.
    pub fn prepare(self, country: &str) -> Result<PreparedPatch> {
        let mut checks = Checks::default();
        let mut set = Map::new();
        put(&mut set, "type", self.r#type);
        if let Some(name) = self.name {
            set.insert("name".to_owned(), checks.required("name", Some(name)).into());
        }
        for (key, field) in [
            ("first_name", self.first_name),
            ("last_name", self.last_name),
            ("company_name", self.company_name),
            ("source", self.source),
            ("external_ref", self.external_ref),
        ] {
            put(&mut set, key, field.map(|raw| checks.text(key, raw, MAX_NAME)));
        }
        put(&mut set, "notes", self.notes.map(|raw| checks.text("notes", raw, MAX_NOTES)));
        put(
            &mut set,
            "preferred_language",
            self.preferred_language.map(|raw| checks.language("preferred_language", raw)),
        );
        put(&mut set, "status", self.status);
        put(&mut set, "lifecycle_stage", self.lifecycle_stage);
        put(&mut set, "pipeline_stage", self.pipeline_stage);
        put(&mut set, "owner_id", self.owner_id);
        // A new e-mail or phone of the customer is also one of its contacts.
        let mut endpoints = Vec::new();
        if let Some(raw) = self.email {
            let raw = raw.and_then(super::check::trimmed);
            let address = raw.and_then(|raw| checks.email("email", &raw));
            endpoints.extend(address.clone().map(|address| (ContactType::Email, address, None)));
            set.insert("email".to_owned(), json!(address));
        }
        if let Some(raw) = self.phone {
            let raw = raw.and_then(super::check::trimmed);
            let number = raw.as_deref().and_then(|raw| checks.phone("phone", raw, country));
            set.insert("phone".to_owned(), json!(number.as_ref().map(|number| &number.e164)));
            set.insert("phone_raw".to_owned(), json!(raw));
            endpoints.extend(number.map(|number| {
                let mobile = number.is_mobile;
                (if mobile { ContactType::Mobile } else { ContactType::Phone }, number.e164, raw)
            }));
        }
        let mut contacts = contact_changes(&mut checks, self.contacts.unwrap_or_default(), country);
        for (kind, value, raw) in endpoints {
            if !contacts.add.iter().any(|row| row["value"] == value.as_str()) {
                contacts.add.push(json!(plain_contact(kind, value, raw)));
            }
        }
        let locations = location_changes(&mut checks, self.locations.unwrap_or_default(), country);
        let preferences = self.preferences.map(|given| check_preferences(&mut checks, given));
        let tags = self.tags.map(|names| checks.tags("tags", names));
        checks.finish()?;
        Ok(PreparedPatch { set, contacts, locations, preferences, tags })
    }
}

fn put<T: Serialize>(set: &mut Map<String, Value>, key: &str, value: Option<T>) {
    if let Some(value) = value {
        set.insert(key.to_owned(), json!(value));
    }
}

fn contact_rows(checks: &mut Checks, given: Vec<NewContact>, country: &str) -> Vec<ContactRow> {
    checks.count("contacts", given.len());
    let mut rows: Vec<ContactRow> = Vec::with_capacity(given.len() + 2);
    for (index, contact) in given.into_iter().enumerate() {
        let path = format!("contacts[{index}]");
        let row = contact_row(checks, &path, contact, country);
        if rows.iter().any(|other| other.r#type == row.r#type && other.value == row.value) {
            checks.fail(format!("{path}.value"), "duplicate", "is given twice");
        }
        rows.push(row);
    }
    rows
}

fn contact_row(checks: &mut Checks, path: &str, given: NewContact, country: &str) -> ContactRow {
    let (value, value_raw) =
        endpoint(checks, &format!("{path}.value"), given.r#type, given.value, country);
    ContactRow {
        r#type: given.r#type,
        value,
        value_raw,
        is_primary: given.is_primary,
        is_verified: given.is_verified,
        opt_in_marketing: given.opt_in_marketing.unwrap_or(true),
        opt_in_transactional: given.opt_in_transactional.unwrap_or(true),
        preferred_channel: given.preferred_channel,
        notes: checks.notes(&format!("{path}.notes"), given.notes),
    }
}

/// The value as stored, and the raw one where the two differ.
fn endpoint(
    checks: &mut Checks,
    path: &str,
    kind: ContactType,
    raw: String,
    country: &str,
) -> (String, Option<String>) {
    let raw = checks.required(path, Some(raw));
    if raw.is_empty() {
        return (raw, None);
    }
    let value = if kind.is_phone() {
        checks.phone(path, &raw, country).map(|number| number.e164)
    } else if kind == ContactType::Email {
        checks.email(path, &raw)
    } else {
        return (raw, None);
    };
    let value = value.unwrap_or_default();
    let differs = value != raw;
    (value, differs.then_some(raw))
}

/// Makes the customer's own e-mail or phone a contact, unless it is one already.
fn add_endpoint(rows: &mut Vec<ContactRow>, kind: ContactType, value: String, raw: Option<String>) {
    let same = |row: &ContactRow| {
        row.value == value
            && (row.r#type == kind
                || (kind.is_phone()
                    && matches!(row.r#type, ContactType::Mobile | ContactType::Phone)))
    };
    // What a client states at the top level is what it wants mirrored: it goes first of its kind.
    if let Some(index) = rows.iter().position(same) {
        let row = rows.remove(index);
        rows.insert(0, row);
        return;
    }
    let after_email =
        kind.is_phone() && rows.first().is_some_and(|row| row.r#type == ContactType::Email);
    rows.insert(usize::from(after_email), plain_contact(kind, value, raw));
}

fn plain_contact(kind: ContactType, value: String, raw: Option<String>) -> ContactRow {
    let value_raw = raw.filter(|raw| *raw != value);
    ContactRow {
        r#type: kind,
        value,
        value_raw,
        is_primary: false,
        is_verified: false,
        opt_in_marketing: true,
        opt_in_transactional: true,
        preferred_channel: false,
        notes: None,
    }
}

/// Exactly one child is the primary one: the one that says so, else the first.
fn choose_primary<T>(
    checks: &mut Checks,
    path: &str,
    rows: &mut [T],
    flag: fn(&mut T) -> &mut bool,
) {
    match rows.iter_mut().filter_map(|row| flag(row).then_some(())).count() {
        0 => {
            if let Some(row) = rows.first_mut() {
                *flag(row) = true;
            }
        }
        1 => {}
        _ => checks.fail(path, "several_primary", "only one can be the primary one"),
    }
}

fn location_rows(checks: &mut Checks, given: Vec<NewLocation>, country: &str) -> Vec<LocationRow> {
    checks.count("locations", given.len());
    given
        .into_iter()
        .enumerate()
        .map(|(index, location)| {
            let path = |key: &str| format!("locations[{index}].{key}");
            checks.degrees(&path("latitude"), location.latitude, 90.0);
            checks.degrees(&path("longitude"), location.longitude, 180.0);
            LocationRow {
                label: checks.name(&path("label"), location.label),
                r#type: location.r#type.unwrap_or(LocationType::Both),
                address_line1: checks
                    .required(&path("address_line1"), Some(location.address_line1)),
                address_line2: checks.name(&path("address_line2"), location.address_line2),
                city: checks.required(&path("city"), Some(location.city)),
                state: checks.name(&path("state"), location.state),
                postal_code: checks.name(&path("postal_code"), location.postal_code),
                country: checks
                    .country(&path("country"), location.country)
                    .unwrap_or_else(|| country.to_owned()),
                latitude: location.latitude,
                longitude: location.longitude,
                is_primary: location.is_primary,
            }
        })
        .collect()
}

fn check_preferences(checks: &mut Checks, mut given: Preferences) -> Preferences {
    given.notes = given.notes.map(|raw| checks.notes("preferences.notes", raw));
    given
}

fn contact_changes(
    checks: &mut Checks,
    given: Vec<ContactPatch>,
    country: &str,
) -> PreparedChildren {
    checks.count("contacts", given.len());
    let mut changes = PreparedChildren::default();
    for (index, patch) in given.into_iter().enumerate() {
        let path = format!("contacts[{index}]");
        let Some(id) = patch.id else {
            if let Some(new) = new_contact(checks, &path, patch) {
                changes.add.push(json!(contact_row(checks, &path, new, country)));
            }
            continue;
        };
        if patch.delete {
            changes.delete.push(id);
            continue;
        }
        let mut set = Map::new();
        match (patch.r#type, patch.value) {
            (None, None) => {}
            (Some(kind), Some(raw)) => {
                let (value, raw) = endpoint(checks, &format!("{path}.value"), kind, raw, country);
                set.insert("type".to_owned(), json!(kind));
                set.insert("value".to_owned(), value.into());
                set.insert("value_raw".to_owned(), json!(raw));
            }
            _ => checks.fail(&path, "required", "give type and value together"),
        }
        put(&mut set, "is_verified", patch.is_verified);
        put(&mut set, "opt_in_marketing", patch.opt_in_marketing);
        put(&mut set, "opt_in_transactional", patch.opt_in_transactional);
        put(&mut set, "preferred_channel", patch.preferred_channel);
        put(&mut set, "notes", clean(checks, &format!("{path}.notes"), patch.notes, MAX_NOTES));
        changes.note_primary(checks, &path, id, patch.is_primary);
        changes.change.push(ChildChange { id, set });
    }
    changes.one_primary(checks, "contacts");
    changes
}

fn new_contact(checks: &mut Checks, path: &str, patch: ContactPatch) -> Option<NewContact> {
    let (Some(kind), Some(value)) = (patch.r#type, patch.value) else {
        checks.fail(path, "required", "a new contact needs type and value");
        return None;
    };
    Some(NewContact {
        r#type: kind,
        value,
        is_primary: patch.is_primary.unwrap_or(false),
        is_verified: patch.is_verified.unwrap_or(false),
        opt_in_marketing: patch.opt_in_marketing,
        opt_in_transactional: patch.opt_in_transactional,
        preferred_channel: patch.preferred_channel.unwrap_or(false),
        notes: patch.notes.flatten(),
    })
}

fn location_changes(
    checks: &mut Checks,
    given: Vec<LocationPatch>,
    country: &str,
) -> PreparedChildren {
    checks.count("locations", given.len());
    let mut changes = PreparedChildren::default();
    for (index, patch) in given.into_iter().enumerate() {
        let path = format!("locations[{index}]");
        let at = |key: &str| format!("{path}.{key}");
        checks.degrees(&at("latitude"), patch.latitude.flatten(), 90.0);
        checks.degrees(&at("longitude"), patch.longitude.flatten(), 180.0);
        if patch.id.is_some() && patch.delete {
            changes.delete.extend(patch.id);
            continue;
        }
        let mut set = Map::new();
        for (key, field) in [
            ("label", patch.label),
            ("address_line2", patch.address_line2),
            ("state", patch.state),
            ("postal_code", patch.postal_code),
        ] {
            put(&mut set, key, clean(checks, &at(key), field, MAX_NAME));
        }
        for (key, field) in [("address_line1", patch.address_line1), ("city", patch.city)] {
            if field.is_some() || patch.id.is_none() {
                set.insert(key.to_owned(), checks.required(&at(key), field).into());
            }
        }
        put(&mut set, "country", patch.country.map(|raw| checks.country(&at("country"), raw)));
        put(&mut set, "type", patch.r#type);
        put(&mut set, "latitude", patch.latitude);
        put(&mut set, "longitude", patch.longitude);
        if let Some(id) = patch.id {
            changes.note_primary(checks, &path, id, patch.is_primary);
            changes.change.push(ChildChange { id, set });
        } else {
            set.entry("type").or_insert_with(|| json!(LocationType::Both));
            set.entry("country").or_insert_with(|| country.into());
            set.insert("is_primary".to_owned(), patch.is_primary.unwrap_or(false).into());
            changes.add.push(Value::Object(set));
        }
    }
    changes.one_primary(checks, "locations");
    changes
}

fn clean(checks: &mut Checks, path: &str, field: Field<String>, max: usize) -> Field<String> {
    field.map(|raw| checks.text(path, raw, max))
}

impl PreparedChildren {
    fn note_primary(&mut self, checks: &mut Checks, path: &str, id: Uuid, flag: Option<bool>) {
        match flag {
            Some(true) if self.primary.is_none() => self.primary = Some(id),
            Some(true) => checks.fail(path, "several_primary", "only one can be the primary one"),
            // Being primary moves to another child, it is never just taken away.
            Some(false) => checks.fail(
                format!("{path}.is_primary"),
                "primary_required",
                "make another one the primary one instead",
            ),
            None => {}
        }
    }

    fn one_primary(&self, checks: &mut Checks, path: &str) {
        let added = self.add.iter().filter(|row| row["is_primary"] == true).count();
        if added + usize::from(self.primary.is_some()) > 1 {
            checks.fail(path, "several_primary", "only one can be the primary one");
        }
    }
}
