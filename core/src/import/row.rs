//! From the cells of a row to a customer.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::customer::{
    ContactType, CustomerType, LifecycleStage, NewContact, NewCustomer, NewLocation, PipelineStage,
    Preferences, PreparedCustomer, Status,
};
use crate::{Error, FieldError, Result, phone};

use super::{MAX_ROWS, RowError};

/// The columns a row may have.
pub const COLUMNS: &[&str] = &[
    "type",
    "name",
    "first_name",
    "last_name",
    "company_name",
    "email",
    "phone",
    "mobile",
    "status",
    "lifecycle_stage",
    "pipeline_stage",
    "source",
    "preferred_language",
    "notes",
    "external_ref",
    "label",
    "address_line1",
    "address_line2",
    "city",
    "state",
    "postal_code",
    "country",
    "latitude",
    "longitude",
    "tags",
    "do_not_contact",
    "do_not_email",
    "do_not_sms",
    "do_not_call",
];

/// The most unknown columns an error names.
const MAX_UNKNOWN: usize = 50;

/// What a row gives: cells that are not blank, by column.
#[derive(Clone, Debug, Default)]
pub(super) struct Cells {
    text: BTreeMap<&'static str, String>,
    tags: Vec<String>,
    /// The row's country, if it gives one beside a phone.
    phone_country: Option<String>,
}

/// A row that is right in itself.
#[derive(Debug)]
pub struct Row {
    /// Its place in the call, from 1.
    pub number: usize,
    pub(super) cells: Cells,
    /// With a name that stands in where the row has none.
    pub(super) prepared: PreparedCustomer,
}

/// The rows that are right and the errors of the others. A column that does not exist is an error of
/// the whole call.
pub fn read(rows: Vec<Value>, country: &str) -> Result<(Vec<Row>, Vec<RowError>)> {
    if rows.len() > MAX_ROWS {
        let message = format!("at most {MAX_ROWS} rows in one call");
        return Err(Error::invalid_field("rows", "too_many", message));
    }
    check_columns(&rows)?;
    let mut good = Vec::with_capacity(rows.len());
    let mut bad = Vec::new();
    for (index, row) in rows.into_iter().enumerate() {
        let number = index + 1;
        let outcome = Cells::read(row).and_then(|cells| {
            let prepared = cells.prepare(country)?;
            Ok(Row { number, cells, prepared })
        });
        match outcome {
            Ok(row) => good.push(row),
            Err(errors) => {
                bad.extend(errors.into_iter().map(|field| RowError { row: number, field }));
            }
        }
    }
    Ok((good, bad))
}

fn check_columns(rows: &[Value]) -> Result<()> {
    let mut unknown: BTreeMap<&str, usize> = BTreeMap::new();
    let mut errors = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let Some(cells) = row.as_object() else {
            errors.push(FieldError::new(
                format!("rows[{index}]"),
                "invalid_value",
                "must be an object",
            ));
            break;
        };
        for column in cells.keys().filter(|column| !COLUMNS.contains(&column.as_str())) {
            if unknown.len() < MAX_UNKNOWN {
                unknown.entry(column).or_insert(index);
            }
        }
    }
    errors.extend(unknown.into_iter().map(|(column, index)| {
        FieldError::new(format!("rows[{index}].{column}"), "unknown_column", "is no known column")
    }));
    if errors.is_empty() { Ok(()) } else { Err(Error::invalid(errors)) }
}

impl Cells {
    fn read(row: Value) -> Result<Self, Vec<FieldError>> {
        let Value::Object(row) = row else { return Ok(Self::default()) };
        let mut cells = Self::default();
        let mut errors = Vec::new();
        for (name, value) in row {
            let Some(column) = COLUMNS.iter().find(|column| **column == name) else { continue };
            let text = match value {
                Value::Null => continue,
                Value::String(text) => text.trim().to_owned(),
                Value::Number(number) => number.to_string(),
                Value::Bool(flag) => flag.to_string(),
                Value::Array(items) if name == "tags" => {
                    match items.into_iter().map(tag).collect() {
                        Some(tags) => cells.tags = tags,
                        None => errors.push(FieldError::new(
                            name,
                            "invalid_value",
                            "must be a list of names",
                        )),
                    }
                    continue;
                }
                Value::Array(_) | Value::Object(_) => {
                    errors.push(FieldError::new(name, "invalid_value", "must be text"));
                    continue;
                }
            };
            if *column == "tags" {
                cells.tags = text.split(';').map(str::to_owned).collect();
            } else if !text.is_empty() {
                cells.text.insert(column, text);
            }
        }
        if cells.has("phone") || cells.has("mobile") {
            let country = cells.text.get("country").map(|country| country.to_ascii_uppercase());
            cells.phone_country = country.filter(|country| phone::is_country(country));
        }
        if errors.is_empty() { Ok(cells) } else { Err(errors) }
    }

    /// The later row's cells win. Addresses and tags add up instead, see [`super::plan()`].
    pub fn merge(&mut self, later: &Self) {
        let cells = later.text.iter().map(|(column, text)| (*column, text.clone()));
        self.text.extend(cells.filter(|(column, _)| *column != "address_line1"));
        self.text.remove("address_line1");
        self.tags.clear();
        if later.has("phone") || later.has("mobile") {
            self.phone_country.clone_from(&later.phone_country);
        }
    }

    pub fn has(&self, column: &str) -> bool {
        self.text.contains_key(column)
    }

    fn get(&self, column: &str) -> Option<String> {
        self.text.get(column).cloned()
    }

    /// Whether a customer can be made of it.
    pub fn has_name(&self) -> bool {
        ["name", "first_name", "last_name", "company_name"].into_iter().any(|name| self.has(name))
            && match self.get("type").as_deref() {
                Some("company") => self.has("name") || self.has("company_name"),
                Some(_) => self.has("name") || self.has("first_name") || self.has("last_name"),
                None => true,
            }
    }

    /// A customer with only a company's name is a company.
    fn default_type(&self) -> CustomerType {
        let of_person = ["name", "first_name", "last_name"].into_iter().any(|name| self.has(name));
        if self.has("company_name") && !of_person {
            CustomerType::Company
        } else {
            CustomerType::Individual
        }
    }

    /// Checks and normalises everything but that there is a name: a row that changes a customer
    /// needs none. A phone without a country code is read as of the row's country, else the org's.
    pub fn prepare(&self, country: &str) -> Result<PreparedCustomer, Vec<FieldError>> {
        if let Some(own) = self.phone_country.as_deref().filter(|own| *own != country) {
            match self.prepare_in(own) {
                Err(errors) if errors.iter().any(|error| error.code == "invalid_phone") => {}
                outcome => return outcome,
            }
        }
        self.prepare_in(country)
    }

    fn prepare_in(&self, country: &str) -> Result<PreparedCustomer, Vec<FieldError>> {
        let mut reader = Reader { cells: self, errors: Vec::new() };
        let name = if self.has_name() { self.get("name") } else { Some("-".to_owned()) };
        let given = NewCustomer {
            r#type: reader
                .choice("type", CustomerType::ALL, |kind| kind.as_str())
                .or_else(|| Some(self.default_type())),
            name,
            first_name: self.get("first_name"),
            last_name: self.get("last_name"),
            company_name: self.get("company_name"),
            email: self.get("email"),
            phone: self.get("phone"),
            status: reader.choice("status", Status::ALL, |status| status.as_str()),
            lifecycle_stage: reader
                .choice("lifecycle_stage", LifecycleStage::ALL, |stage| stage.as_str()),
            pipeline_stage: reader
                .choice("pipeline_stage", PipelineStage::ALL, |stage| stage.as_str()),
            source: self.get("source"),
            preferred_language: self.get("preferred_language"),
            notes: self.get("notes"),
            external_ref: self.get("external_ref"),
            owner_id: None,
            product_id: None,
            contacts: self.get("mobile").map(|value| vec![mobile(value)]),
            locations: reader.location().map(|location| vec![location]),
            tags: Some(self.tags.clone()),
            preferences: Some(Preferences {
                do_not_contact: reader.flag("do_not_contact").map(Some),
                do_not_email: reader.flag("do_not_email").map(Some),
                do_not_sms: reader.flag("do_not_sms").map(Some),
                do_not_call: reader.flag("do_not_call").map(Some),
                ..Preferences::default()
            }),
            idempotency_key: None,
        };
        let mut errors = reader.errors;
        match given.prepare(country) {
            Ok(prepared) if errors.is_empty() => Ok(prepared),
            Ok(_) => Err(errors),
            Err(error) => {
                errors.extend(
                    error.errors.into_iter().map(|field| FieldError {
                        path: column_of(&field.path).to_owned(),
                        ..field
                    }),
                );
                Err(errors)
            }
        }
    }
}

fn tag(item: Value) -> Option<String> {
    match item {
        Value::String(name) => Some(name),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn mobile(value: String) -> NewContact {
    NewContact {
        r#type: ContactType::Mobile,
        value,
        is_primary: false,
        is_verified: false,
        opt_in_marketing: None,
        opt_in_transactional: None,
        preferred_channel: false,
        notes: None,
    }
}

/// The column behind a path of `crm_create_customer`.
fn column_of(path: &str) -> &str {
    if path.starts_with("contacts") {
        "mobile"
    } else if path.starts_with("tags") {
        "tags"
    } else {
        path.strip_prefix("locations[0].").unwrap_or(path)
    }
}

struct Reader<'a> {
    cells: &'a Cells,
    errors: Vec<FieldError>,
}

impl Reader<'_> {
    fn fail(&mut self, column: &str, message: String) {
        self.errors.push(FieldError::new(column, "invalid_value", message));
    }

    fn choice<T: Copy>(
        &mut self,
        column: &str,
        all: &[T],
        name: fn(&T) -> &'static str,
    ) -> Option<T> {
        let text = self.cells.text.get(column)?;
        let found = all.iter().copied().find(|one| name(one).eq_ignore_ascii_case(text));
        if found.is_none() {
            let names: Vec<_> = all.iter().map(name).collect();
            self.fail(column, format!("must be one of {}", names.join(", ")));
        }
        found
    }

    fn flag(&mut self, column: &str) -> Option<bool> {
        match self.cells.text.get(column)?.to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Some(true),
            "false" | "no" | "0" => Some(false),
            _ => {
                self.fail(column, "must be true, false, yes, no, 1 or 0".to_owned());
                None
            }
        }
    }

    fn degrees(&mut self, column: &str) -> Option<f64> {
        let text = self.cells.text.get(column)?;
        let degrees = text.parse().ok().filter(|degrees: &f64| degrees.is_finite());
        if degrees.is_none() {
            self.fail(column, "must be a number such as 41.88".to_owned());
        }
        degrees
    }

    fn location(&mut self) -> Option<NewLocation> {
        let address_line1 = self.cells.get("address_line1")?;
        Some(NewLocation {
            label: self.cells.get("label"),
            r#type: None,
            address_line1,
            address_line2: self.cells.get("address_line2"),
            city: self.cells.get("city").unwrap_or_default(),
            state: self.cells.get("state"),
            postal_code: self.cells.get("postal_code"),
            country: self.cells.get("country"),
            latitude: self.degrees("latitude"),
            longitude: self.degrees("longitude"),
            is_primary: false,
        })
    }
}
