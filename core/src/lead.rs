//! Leads: what may be written, who gets them, and what becomes of them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::customer::{Checks, CustomerType, LifecycleStage, MAX_NOTES, PipelineStage, choices};
use crate::interaction::{check_json, required};
use crate::patch::{Field, given, present};
use crate::{Error, Result};

choices! {
    LeadStatus {
        New = "new", Contacted = "contacted", Qualified = "qualified", Proposal = "proposal",
        Converted = "converted", Lost = "lost",
    }
}
choices! {
    /// How a project hands out its leads: in turn, or to who has the fewest open ones.
    Strategy { RoundRobin = "round_robin", LeastLoaded = "least_loaded", }
}

const MAX_SOURCE: usize = 100;
const MAX_PHONE_RAW: usize = 100;
/// The most `custom_fields` can have as JSON text, in bytes.
pub const MAX_CUSTOM_FIELDS: usize = 64 * 1024;

/// The arguments of `crm_create_lead`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewLead {
    pub project_id: Option<Uuid>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub status: Option<LeadStatus>,
    pub source: Option<String>,
    pub notes: Option<String>,
    pub tags: Option<Vec<String>>,
    pub custom_fields: Option<Value>,
    /// Whom the project's own way of assignment picks, where it is absent.
    pub assigned_to: Option<Uuid>,
    pub idempotency_key: Option<String>,
}

/// The columns of `leads` that whoever makes one decides.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LeadRow {
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub phone_raw: Option<String>,
    pub status: Option<LeadStatus>,
    pub source: Option<String>,
    pub notes: Option<String>,
    pub tags: Vec<String>,
    pub custom_fields: Map<String, Value>,
    pub customer_id: Option<Uuid>,
    pub assigned_to: Option<Uuid>,
}

impl NewLead {
    /// The project and the row.
    pub fn prepare(self, country: &str) -> Result<(Uuid, LeadRow)> {
        let mut checks = Checks::default();
        let project_id = required(&mut checks, "project_id", self.project_id);
        let mut row = LeadRow {
            first_name: checks.name("first_name", self.first_name),
            last_name: checks.name("last_name", self.last_name),
            status: self.status,
            source: checks.text("source", self.source, MAX_SOURCE),
            notes: checks.notes("notes", self.notes),
            tags: checks.tags("tags", self.tags.unwrap_or_default()),
            assigned_to: self.assigned_to,
            ..LeadRow::default()
        };
        if let Some(raw) = checks.text("email", self.email, crate::email::MAX_LENGTH) {
            row.email = checks.email("email", &raw);
        }
        if let Some(raw) = checks.text("phone", self.phone, MAX_PHONE_RAW) {
            row.phone = checks.phone("phone", &raw, country).map(|phone| phone.e164);
            row.phone_raw = Some(raw);
        }
        row.custom_fields = custom_fields(&mut checks, self.custom_fields);
        if [&row.first_name, &row.last_name, &row.email, &row.phone_raw]
            .iter()
            .all(|text| text.is_none())
        {
            checks.fail("first_name", "required", "give a name, an e-mail address or a phone");
        }
        checks.finish()?;
        Ok((project_id.unwrap_or_default(), row))
    }
}

fn custom_fields(checks: &mut Checks, given: Option<Value>) -> Map<String, Value> {
    match given {
        None | Some(Value::Null) => Map::new(),
        Some(fields) => {
            check_json(checks, "custom_fields", &fields, MAX_CUSTOM_FIELDS);
            if let Value::Object(fields) = fields { fields } else { Map::new() }
        }
    }
}

/// The argument `patch` of `crm_update_lead`: an absent key leaves the field, null clears it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LeadPatch {
    #[serde(deserialize_with = "present")]
    pub first_name: Field<String>,
    #[serde(deserialize_with = "present")]
    pub last_name: Field<String>,
    #[serde(deserialize_with = "present")]
    pub email: Field<String>,
    #[serde(deserialize_with = "present")]
    pub phone: Field<String>,
    #[serde(deserialize_with = "given")]
    pub status: Option<LeadStatus>,
    #[serde(deserialize_with = "present")]
    pub source: Field<String>,
    #[serde(deserialize_with = "present")]
    pub notes: Field<String>,
    #[serde(deserialize_with = "given")]
    pub tags: Option<Vec<String>>,
    #[serde(deserialize_with = "given")]
    pub custom_fields: Option<Value>,
    #[serde(deserialize_with = "present")]
    pub assigned_to: Field<Uuid>,
}

impl LeadPatch {
    /// The columns to set.
    pub fn prepare(self, country: &str) -> Result<Map<String, Value>> {
        let mut checks = Checks::default();
        let mut set = Map::new();
        for (key, field, max) in [
            ("first_name", self.first_name, crate::customer::MAX_NAME),
            ("last_name", self.last_name, crate::customer::MAX_NAME),
            ("source", self.source, MAX_SOURCE),
            ("notes", self.notes, MAX_NOTES),
        ] {
            if let Some(raw) = field {
                set.insert(key.to_owned(), json!(checks.text(key, raw, max)));
            }
        }
        if let Some(email) = self.email {
            let raw = checks.text("email", email, crate::email::MAX_LENGTH);
            let address = raw.and_then(|raw| checks.email("email", &raw));
            set.insert("email".to_owned(), json!(address));
        }
        if let Some(phone) = self.phone {
            let raw = checks.text("phone", phone, MAX_PHONE_RAW);
            let number = raw.as_ref().and_then(|raw| checks.phone("phone", raw, country));
            set.insert("phone".to_owned(), json!(number.map(|number| number.e164)));
            set.insert("phone_raw".to_owned(), json!(raw));
        }
        if let Some(status) = self.status {
            set.insert("status".to_owned(), json!(status));
        }
        if let Some(tags) = self.tags {
            set.insert("tags".to_owned(), json!(checks.tags("tags", tags)));
        }
        if let Some(fields) = self.custom_fields {
            check_json(&mut checks, "custom_fields", &fields, MAX_CUSTOM_FIELDS);
            set.insert("custom_fields".to_owned(), fields);
        }
        if let Some(assignee) = self.assigned_to {
            set.insert("assigned_to".to_owned(), json!(assignee));
        }
        checks.finish()?;
        Ok(set)
    }
}

/// The arguments of `crm_assign_lead`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssignLead {
    pub lead_id: Option<Uuid>,
    pub strategy: Option<Strategy>,
    pub user_id: Option<Uuid>,
}

/// Who is to have a lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assignee {
    User(Uuid),
    /// By that strategy; by the project's own where there is none.
    Picked(Option<Strategy>),
}

impl AssignLead {
    pub fn prepare(self) -> Result<(Uuid, Assignee)> {
        let mut checks = Checks::default();
        let lead_id = required(&mut checks, "lead_id", self.lead_id);
        if self.strategy.is_some() && self.user_id.is_some() {
            checks.fail("strategy", "invalid_value", "give a strategy or a user, not both");
        }
        checks.finish()?;
        let assignee = self.user_id.map_or(Assignee::Picked(self.strategy), Assignee::User);
        Ok((lead_id.unwrap_or_default(), assignee))
    }
}

/// The arguments of `crm_convert_lead`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConvertLead {
    pub lead_id: Option<Uuid>,
    pub customer_id: Option<Uuid>,
    pub r#type: Option<CustomerType>,
    pub name: Option<String>,
    pub company_name: Option<String>,
    pub lifecycle_stage: Option<LifecycleStage>,
    pub pipeline_stage: Option<PipelineStage>,
}

/// A checked [`ConvertLead`].
#[derive(Debug)]
pub struct Conversion {
    pub lead_id: Uuid,
    pub customer_id: Option<Uuid>,
    pub lifecycle_stage: LifecycleStage,
    pub pipeline_stage: PipelineStage,
    r#type: CustomerType,
    name: Option<String>,
    company_name: Option<String>,
}

impl ConvertLead {
    pub fn prepare(self) -> Result<Conversion> {
        let mut checks = Checks::default();
        let lead_id = required(&mut checks, "lead_id", self.lead_id);
        let name = checks.name("name", self.name);
        let company_name = checks.name("company_name", self.company_name);
        checks.finish()?;
        let company = company_name.is_some();
        let usual = if company { CustomerType::Company } else { CustomerType::Individual };
        Ok(Conversion {
            lead_id: lead_id.unwrap_or_default(),
            customer_id: self.customer_id,
            lifecycle_stage: self.lifecycle_stage.unwrap_or(LifecycleStage::Customer),
            pipeline_stage: self.pipeline_stage.unwrap_or(PipelineStage::ClosedWon),
            r#type: self.r#type.unwrap_or(usual),
            name,
            company_name,
        })
    }
}

impl Conversion {
    /// The arguments of `crm_create_customer` for the customer that the lead becomes.
    #[must_use]
    pub fn customer(&self, lead: &Value) -> Value {
        let text = |key: &str| lead[key].as_str().filter(|text| !text.trim().is_empty());
        let names: Vec<_> =
            ["first_name", "last_name"].iter().filter_map(|key| text(key)).collect();
        let called = self.name.clone().or_else(|| self.company_name.clone()).or_else(|| {
            let whole = names.join(" ").chars().take(crate::customer::MAX_NAME).collect::<String>();
            Some(whole.trim().to_owned()).filter(|name| !name.is_empty())
        });
        let name = called.or_else(|| text("email").or_else(|| text("phone")).map(str::to_owned));
        json!({
            "type": self.r#type, "name": name.unwrap_or_else(|| "Lead".to_owned()),
            "first_name": lead["first_name"], "last_name": lead["last_name"],
            "company_name": self.company_name, "email": lead["email"], "phone": lead["phone"],
            "status": "active", "lifecycle_stage": self.lifecycle_stage,
            "pipeline_stage": self.pipeline_stage, "source": lead["source"], "notes": lead["notes"],
        })
    }
}

/// A sender's name in two parts: the last word is the family name.
#[must_use]
pub fn split_name(name: &str) -> (Option<String>, Option<String>) {
    let cleaned: String = name.chars().filter(|letter| !letter.is_control()).collect();
    let words: Vec<_> = cleaned.split_whitespace().collect();
    let some = |words: &[&str]| {
        let text: String = words.join(" ").chars().take(crate::customer::MAX_NAME).collect();
        Some(text).filter(|text| !text.is_empty())
    };
    match words.split_last() {
        None => (None, None),
        Some((only, [])) => (some(&[only]), None),
        Some((last, firsts)) => (some(firsts), some(&[last])),
    }
}

/// The source as the column takes it.
#[must_use]
pub fn source(text: &str) -> Option<String> {
    let text: String =
        text.trim().chars().filter(|letter| !letter.is_control()).take(MAX_SOURCE).collect();
    Some(text).filter(|text| !text.is_empty())
}

impl Strategy {
    /// The project's own way; what is no way is none.
    #[must_use]
    pub fn of_settings(setting: Option<&str>) -> Option<Self> {
        Self::ALL.iter().copied().find(|strategy| setting == Some(strategy.as_str()))
    }
}

/// Refuses a project's settings whose `lead_assignment` nobody knows.
pub fn check_settings(settings: &Value) -> Result<()> {
    match &settings["lead_assignment"] {
        Value::Null => Ok(()),
        way if Strategy::of_settings(way.as_str()).is_some() => Ok(()),
        _ => Err(Error::invalid_field(
            "settings.lead_assignment",
            "invalid_value",
            "must be round_robin or least_loaded",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patch;

    fn prepare(input: Value) -> Result<Value> {
        let (_, row) = patch::read::<NewLead>(input)?.prepare("US")?;
        Ok(serde_json::to_value(row).unwrap())
    }

    fn paths<T: std::fmt::Debug>(result: Result<T>) -> Vec<String> {
        result.unwrap_err().errors.into_iter().map(|error| error.path).collect()
    }

    #[test]
    fn a_lead_is_normalised() {
        let row = prepare(json!({
            "project_id": Uuid::nil(), "first_name": " Ada ", "email": "Ada@Example.com",
            "phone": "(415) 555-2671", "tags": ["hot", "hot", " "], "custom_fields": {"utm": {"source": "x"}},
        }))
        .unwrap();
        assert_eq!((&row["first_name"], &row["email"]), (&json!("Ada"), &json!("ada@example.com")));
        assert_eq!(
            (&row["phone"], &row["phone_raw"]),
            (&json!("+14155552671"), &json!("(415) 555-2671"))
        );
        assert_eq!(row["tags"], json!(["hot"]));
        assert_eq!(row["custom_fields"], json!({"utm": {"source": "x"}}));
    }

    #[test]
    fn all_mistakes_are_reported_at_once() {
        let wrong = prepare(json!({
            "email": "nope", "phone": "12", "source": "x".repeat(101), "custom_fields": [1],
        }));
        assert_eq!(paths(wrong), ["project_id", "source", "email", "phone", "custom_fields"]);
        assert_eq!(
            paths(prepare(json!({"project_id": Uuid::nil(), "notes": "x"}))),
            ["first_name"]
        );
        assert_eq!(paths(prepare(json!({"converted_at": "2026-01-01"}))), ["converted_at"]);
    }

    #[test]
    fn a_patch_tells_absent_null_and_value_apart() {
        let set = patch::read::<LeadPatch>(json!({"notes": null, "phone": "415-555-2671"}));
        let set = set.unwrap().prepare("US").unwrap();
        let expect = json!({"notes": null, "phone": "+14155552671", "phone_raw": "415-555-2671"});
        assert_eq!(Value::Object(set), expect);
        for key in ["status", "tags", "custom_fields"] {
            let set = patch::read::<LeadPatch>(json!({key: null}));
            assert_eq!(paths(set.and_then(|patch| patch.prepare("US"))), [key]);
        }
        assert_eq!(paths(patch::read::<LeadPatch>(json!({"project_id": null}))), ["project_id"]);
    }

    #[test]
    fn a_lead_goes_to_somebody_or_to_whom_a_strategy_picks() {
        let read = |input| patch::read::<AssignLead>(input).unwrap().prepare();
        let user = Uuid::from_u128(7);
        let lead = Uuid::nil();
        let to = |input| read(input).unwrap().1;
        assert_eq!(to(json!({"lead_id": lead, "user_id": user})), Assignee::User(user));
        let picked = to(json!({"lead_id": lead, "strategy": "least_loaded"}));
        assert_eq!(picked, Assignee::Picked(Some(Strategy::LeastLoaded)));
        assert_eq!(to(json!({"lead_id": lead})), Assignee::Picked(None));
        let both = read(json!({"strategy": "round_robin", "user_id": user}));
        assert_eq!(paths(both), ["lead_id", "strategy"]);
    }

    #[test]
    fn the_customer_has_the_best_name_there_is() {
        let convert = |arguments: Value, lead: Value| {
            let mut input = json!({"lead_id": Uuid::nil()});
            input.as_object_mut().unwrap().extend(arguments.as_object().unwrap().clone());
            patch::read::<ConvertLead>(input).unwrap().prepare().unwrap().customer(&lead)
        };
        let ada = json!({"first_name": "Ada", "last_name": "Lovelace", "email": "a@b.example"});
        assert_eq!(convert(json!({}), ada.clone())["name"], "Ada Lovelace");
        assert_eq!(convert(json!({"name": "Countess"}), ada.clone())["name"], "Countess");
        let company = convert(json!({"company_name": "Engines"}), ada);
        assert_eq!((&company["type"], &company["name"]), (&json!("company"), &json!("Engines")));
        let unnamed = json!({"first_name": null, "phone": "+14155552671"});
        assert_eq!(convert(json!({}), unnamed)["name"], "+14155552671");
        assert_eq!(convert(json!({}), json!({}))["name"], "Lead");
    }

    #[test]
    fn names_are_split_at_the_last_word() {
        let check = |name, first: Option<&str>, last: Option<&str>| {
            let (found, family) = split_name(name);
            assert_eq!((found.as_deref(), family.as_deref()), (first, last), "{name}");
        };
        check("Ada Lovelace", Some("Ada"), Some("Lovelace"));
        check("  José  María García ", Some("José María"), Some("García"));
        check("Ada", Some("Ada"), None);
        check("\u{7}", None, None);
        check("", None, None);
    }
}
