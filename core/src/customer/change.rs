//! From a checked patch to the document that `customer/update.sql` takes.

use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::Result;
use crate::patch::Field;

use super::check::{Checks, trimmed};
use super::input::{
    ContactPatch, ContactType, CustomerPatch, LocationPatch, LocationType, NewContact, Preferences,
};
use super::prepare::{check_preferences, contact_row, endpoint, plain_contact};
use super::{MAX_NAME, MAX_NOTES};

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
        put(&mut set, "product_id", self.product_id);
        // A new e-mail or phone of the customer is also one of its contacts.
        let mut endpoints = Vec::new();
        if let Some(raw) = self.email {
            let raw = raw.and_then(trimmed);
            let address = raw.and_then(|raw| checks.email("email", &raw));
            endpoints.extend(address.clone().map(|address| (ContactType::Email, address, None)));
            set.insert("email".to_owned(), json!(address));
        }
        if let Some(raw) = self.phone {
            let raw = raw.and_then(trimmed);
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
            let same = |row: &Value| row["value"] == value.as_str() && mirrors(kind, &row["type"]);
            if !contacts.add.iter().any(same) {
                let mut row = json!(plain_contact(kind, value, raw));
                row["endpoint"] = true.into();
                contacts.add.push(row);
            }
        }
        let locations = location_changes(&mut checks, self.locations.unwrap_or_default(), country);
        let preferences = self.preferences.map(|given| {
            for (key, flag) in [
                ("do_not_contact", given.do_not_contact),
                ("do_not_email", given.do_not_email),
                ("do_not_sms", given.do_not_sms),
                ("do_not_call", given.do_not_call),
            ] {
                if flag == Some(None) {
                    checks.fail(format!("preferences.{key}"), "invalid_value", "is true or false");
                }
            }
            check_preferences(&mut checks, given)
        });
        let tags = self.tags.map(|names| checks.tags("tags", names));
        checks.finish()?;
        Ok(PreparedPatch { set, contacts, locations, preferences, tags })
    }
}

/// Whether a contact of that type is what the customer's own e-mail or phone stands for.
fn mirrors(kind: ContactType, r#type: &Value) -> bool {
    let phones = [ContactType::Mobile, ContactType::Phone];
    *r#type == json!(kind) || kind.is_phone() && phones.iter().any(|phone| *r#type == json!(phone))
}

fn put<T: Serialize>(set: &mut Map<String, Value>, key: &str, value: Option<T>) {
    if let Some(value) = value {
        set.insert(key.to_owned(), json!(value));
    }
}

fn contact_changes(
    checks: &mut Checks,
    mut given: Vec<ContactPatch>,
    country: &str,
) -> PreparedChildren {
    checks.limit("contacts", &mut given);
    let mut changes = PreparedChildren::default();
    for (index, patch) in given.into_iter().enumerate() {
        let path = format!("contacts[{index}]");
        let Some(id) = patch.id else {
            checks.no_delete(&path, patch.delete);
            let mut said = contact_settings(&patch);
            if let Some(new) = new_contact(checks, &path, patch) {
                let mut row = json!(contact_row(checks, &path, new, country));
                if said.contains_key("notes") {
                    said.insert("notes".to_owned(), row["notes"].clone());
                }
                row["given"] = Value::Object(said);
                changes.note_endpoint(checks, &path, &row["type"], &row["value"]);
                changes.add.push(row);
            }
            continue;
        };
        if patch.delete {
            changes.delete.push(id);
            continue;
        }
        let mut set = contact_settings(&patch);
        match (patch.r#type, patch.value) {
            (None, None) => {}
            (Some(kind), Some(raw)) => {
                let (value, raw) = endpoint(checks, &format!("{path}.value"), kind, raw, country);
                changes.note_endpoint(checks, &path, &json!(kind), &json!(value));
                set.insert("type".to_owned(), json!(kind));
                set.insert("value".to_owned(), value.into());
                set.insert("value_raw".to_owned(), json!(raw));
            }
            _ => checks.fail(&path, "required", "give type and value together"),
        }
        put(&mut set, "notes", clean(checks, &format!("{path}.notes"), patch.notes, MAX_NOTES));
        changes.note_primary(checks, &path, id, patch.is_primary);
        changes.change.push(ChildChange { id, set });
    }
    changes.check_whole(checks, "contacts");
    changes
}

/// The columns that the client set, other than type and value; notes not yet checked.
fn contact_settings(patch: &ContactPatch) -> Map<String, Value> {
    let mut set = Map::new();
    put(&mut set, "is_verified", patch.is_verified);
    put(&mut set, "opt_in_marketing", patch.opt_in_marketing);
    put(&mut set, "opt_in_transactional", patch.opt_in_transactional);
    put(&mut set, "preferred_channel", patch.preferred_channel);
    put(&mut set, "notes", patch.notes.as_ref());
    set
}

fn new_contact(checks: &mut Checks, path: &str, given: ContactPatch) -> Option<NewContact> {
    let (Some(kind), Some(value)) = (given.r#type, given.value) else {
        checks.fail(path, "required", "a new contact needs type and value");
        return None;
    };
    Some(NewContact {
        r#type: kind,
        value,
        is_primary: given.is_primary.unwrap_or(false),
        is_verified: given.is_verified.unwrap_or(false),
        opt_in_marketing: given.opt_in_marketing,
        opt_in_transactional: given.opt_in_transactional,
        preferred_channel: given.preferred_channel.unwrap_or(false),
        notes: given.notes.flatten(),
    })
}

fn location_changes(
    checks: &mut Checks,
    mut given: Vec<LocationPatch>,
    country: &str,
) -> PreparedChildren {
    checks.limit("locations", &mut given);
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
            checks.no_delete(&path, patch.delete);
            set.entry("type").or_insert_with(|| json!(LocationType::Both));
            set.entry("country").or_insert_with(|| country.into());
            set.insert("is_primary".to_owned(), patch.is_primary.unwrap_or(false).into());
            changes.add.push(Value::Object(set));
        }
    }
    changes.check_whole(checks, "locations");
    changes
}

fn clean(checks: &mut Checks, path: &str, field: Field<String>, max: usize) -> Field<String> {
    field.map(|raw| checks.text(path, raw, max))
}

impl PreparedChildren {
    /// Two contacts of one call do not become the same one.
    fn note_endpoint(&self, checks: &mut Checks, path: &str, kind: &Value, value: &Value) {
        let changed =
            self.change.iter().map(|change| (change.set.get("type"), change.set.get("value")));
        let mut all = self.add.iter().map(|row| (row.get("type"), row.get("value"))).chain(changed);
        if all.any(|other| other == (Some(kind), Some(value))) {
            checks.fail(format!("{path}.value"), "duplicate", "is given twice");
        }
    }

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

    fn check_whole(&self, checks: &mut Checks, path: &str) {
        let named = self.change.iter().map(|change| change.id).chain(self.delete.iter().copied());
        let mut seen = std::collections::HashSet::new();
        for id in named.filter(|id| !seen.insert(*id)) {
            checks.fail(path, "duplicate", format!("{id} is named twice"));
        }
        let added = self.add.iter().filter(|row| row["is_primary"] == true).count();
        if added + usize::from(self.primary.is_some()) > 1 {
            checks.fail(path, "several_primary", "only one can be the primary one");
        }
    }
}
