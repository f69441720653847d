//! From checked input to the documents that the SQL statements take.

use serde::Serialize;
use uuid::Uuid;

use crate::Result;

use super::check::{Checks, trimmed};
use super::input::{
    ContactType, CustomerType, LifecycleStage, LocationType, NewContact, NewCustomer, NewLocation,
    PipelineStage, Preferences, Status,
};

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
    pub product_id: Option<Uuid>,
}

#[derive(Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the columns of the table")]
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
        let email = self.email.and_then(trimmed);
        if let Some(address) = email.and_then(|raw| checks.email("email", &raw)) {
            add_endpoint(&mut contacts, ContactType::Email, address, None);
        }
        let phone_raw = self.phone.and_then(trimmed);
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
            product_id: self.product_id,
        };
        let preferences = check_preferences(&mut checks, self.preferences.unwrap_or_default());
        let tags = checks.tags("tags", self.tags.unwrap_or_default());
        checks.finish()?;
        Ok(PreparedCustomer { customer, contacts, locations, preferences, tags })
    }
}

fn contact_rows(checks: &mut Checks, mut given: Vec<NewContact>, country: &str) -> Vec<ContactRow> {
    checks.limit("contacts", &mut given);
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

pub(super) fn contact_row(
    checks: &mut Checks,
    path: &str,
    given: NewContact,
    country: &str,
) -> ContactRow {
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
pub(super) fn endpoint(
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

pub(super) fn plain_contact(kind: ContactType, value: String, raw: Option<String>) -> ContactRow {
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

fn location_rows(
    checks: &mut Checks,
    mut given: Vec<NewLocation>,
    country: &str,
) -> Vec<LocationRow> {
    checks.limit("locations", &mut given);
    given
        .into_iter()
        .enumerate()
        .map(|(index, location)| {
            location_row(checks, &format!("locations[{index}]"), location, country)
        })
        .collect()
}

pub(crate) fn location_row(
    checks: &mut Checks,
    path: &str,
    location: NewLocation,
    country: &str,
) -> LocationRow {
    let path = |key: &str| format!("{path}.{key}");
    checks.degrees(&path("latitude"), location.latitude, 90.0);
    checks.degrees(&path("longitude"), location.longitude, 180.0);
    LocationRow {
        label: checks.name(&path("label"), location.label),
        r#type: location.r#type.unwrap_or(LocationType::Both),
        address_line1: checks.required(&path("address_line1"), Some(location.address_line1)),
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
}

pub(super) fn check_preferences(checks: &mut Checks, mut given: Preferences) -> Preferences {
    given.notes = given.notes.map(|raw| checks.notes("preferences.notes", raw));
    given
}
