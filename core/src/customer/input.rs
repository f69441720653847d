//! The arguments as clients spell them. Unknown keys and wrong types are refused by serde.

use chrono::NaiveTime;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::patch::{Field, given, present};

macro_rules! choices {
    ($(#[$doc:meta])* $type:ident { $($name:ident = $text:literal $(| $alias:literal)*,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $type { $(#[serde(rename = $text $(, alias = $alias)*)] $name,)* }

        impl $type {
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}
pub(crate) use choices;

choices! { CustomerType { Individual = "individual", Company = "company", } }
choices! {
    /// Where the business relation stands.
    Status {
        Active = "active", Prospect = "prospect", Inactive = "inactive", Blacklisted = "blacklisted",
    }
}
choices! {
    LifecycleStage {
        Lead = "lead", Opportunity = "opportunity", Customer = "customer",
        FormerCustomer = "former_customer",
    }
}
choices! {
    /// The sales pipeline, apart from status and lifecycle.
    PipelineStage {
        Lead = "lead", Qualified = "qualified", Proposal = "proposal", Negotiation = "negotiation",
        ClosedWon = "closed_won", ClosedLost = "closed_lost",
    }
}
choices! { LocationType { Billing = "billing", Service = "service", Both = "both", } }
choices! {
    ContactType {
        Email = "email", Mobile = "mobile", Phone = "phone", Fax = "fax", Whatsapp = "whatsapp",
        Telegram = "telegram", Portal = "portal",
    }
}

impl ContactType {
    /// Whether the value is a phone number in E.164.
    #[must_use]
    pub const fn is_phone(self) -> bool {
        matches!(self, Self::Mobile | Self::Phone | Self::Fax | Self::Whatsapp)
    }
}

/// The arguments of `crm_create_customer`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewCustomer {
    #[serde(default)]
    pub r#type: Option<CustomerType>,
    pub name: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub company_name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub status: Option<Status>,
    pub lifecycle_stage: Option<LifecycleStage>,
    pub pipeline_stage: Option<PipelineStage>,
    pub source: Option<String>,
    pub preferred_language: Option<String>,
    pub notes: Option<String>,
    pub external_ref: Option<String>,
    pub owner_id: Option<Uuid>,
    /// A product of the same org.
    pub product_id: Option<Uuid>,
    pub contacts: Option<Vec<NewContact>>,
    pub locations: Option<Vec<NewLocation>>,
    pub tags: Option<Vec<String>>,
    pub preferences: Option<Preferences>,
    pub idempotency_key: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewContact {
    pub r#type: ContactType,
    pub value: String,
    #[serde(default)]
    pub is_primary: bool,
    #[serde(default)]
    pub is_verified: bool,
    pub opt_in_marketing: Option<bool>,
    pub opt_in_transactional: Option<bool>,
    #[serde(default)]
    pub preferred_channel: bool,
    pub notes: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewLocation {
    pub label: Option<String>,
    pub r#type: Option<LocationType>,
    pub address_line1: String,
    pub address_line2: Option<String>,
    pub city: String,
    pub state: Option<String>,
    pub postal_code: Option<String>,
    pub country: Option<String>,
    pub latitude: Option<f64>,
    pub longitude: Option<f64>,
    #[serde(default)]
    pub is_primary: bool,
}

/// Preferences to set; what is absent keeps its default or its value.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preferences {
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub do_not_contact: Field<bool>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub do_not_email: Field<bool>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub do_not_sms: Field<bool>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub do_not_call: Field<bool>,
    #[serde(default, deserialize_with = "present_time", skip_serializing_if = "Option::is_none")]
    pub preferred_contact_window_start: Field<NaiveTime>,
    #[serde(default, deserialize_with = "present_time", skip_serializing_if = "Option::is_none")]
    pub preferred_contact_window_end: Field<NaiveTime>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub notes: Field<String>,
}

/// `09:00` as people write it, besides `09:00:00` as Postgres prints it.
pub(crate) fn present_time<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Field<NaiveTime>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(Some(None)) };
    NaiveTime::parse_from_str(&text, "%H:%M:%S%.f")
        .or_else(|_| NaiveTime::parse_from_str(&text, "%H:%M"))
        .map(|time| Some(Some(time)))
        .map_err(|_| serde::de::Error::custom("expected a time of day such as 09:00"))
}

/// The argument `patch` of `crm_update_customer`: an absent key leaves the field, null clears
/// it, or is refused where there is nothing to clear.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CustomerPatch {
    #[serde(deserialize_with = "given")]
    pub r#type: Option<CustomerType>,
    #[serde(deserialize_with = "given")]
    pub name: Option<String>,
    #[serde(deserialize_with = "present")]
    pub first_name: Field<String>,
    #[serde(deserialize_with = "present")]
    pub last_name: Field<String>,
    #[serde(deserialize_with = "present")]
    pub company_name: Field<String>,
    #[serde(deserialize_with = "present")]
    pub email: Field<String>,
    #[serde(deserialize_with = "present")]
    pub phone: Field<String>,
    #[serde(deserialize_with = "given")]
    pub status: Option<Status>,
    #[serde(deserialize_with = "given")]
    pub lifecycle_stage: Option<LifecycleStage>,
    #[serde(deserialize_with = "given")]
    pub pipeline_stage: Option<PipelineStage>,
    #[serde(deserialize_with = "present")]
    pub source: Field<String>,
    #[serde(deserialize_with = "present")]
    pub preferred_language: Field<String>,
    #[serde(deserialize_with = "present")]
    pub notes: Field<String>,
    #[serde(deserialize_with = "present")]
    pub external_ref: Field<String>,
    #[serde(deserialize_with = "present")]
    pub owner_id: Field<Uuid>,
    #[serde(deserialize_with = "present")]
    pub product_id: Field<Uuid>,
    #[serde(deserialize_with = "given")]
    pub contacts: Option<Vec<ContactPatch>>,
    #[serde(deserialize_with = "given")]
    pub locations: Option<Vec<LocationPatch>>,
    /// The complete new set of tags, by name.
    #[serde(deserialize_with = "given")]
    pub tags: Option<Vec<String>>,
    #[serde(deserialize_with = "given")]
    pub preferences: Option<Preferences>,
}

/// With `id`: change (or with `delete`, remove) that contact; without: add one.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ContactPatch {
    pub id: Option<Uuid>,
    pub delete: bool,
    #[serde(deserialize_with = "given")]
    pub r#type: Option<ContactType>,
    #[serde(deserialize_with = "given")]
    pub value: Option<String>,
    #[serde(deserialize_with = "given")]
    pub is_primary: Option<bool>,
    #[serde(deserialize_with = "given")]
    pub is_verified: Option<bool>,
    #[serde(deserialize_with = "given")]
    pub opt_in_marketing: Option<bool>,
    #[serde(deserialize_with = "given")]
    pub opt_in_transactional: Option<bool>,
    #[serde(deserialize_with = "given")]
    pub preferred_channel: Option<bool>,
    #[serde(deserialize_with = "present")]
    pub notes: Field<String>,
}

/// With `id`: change (or with `delete`, remove) that location; without: add one.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LocationPatch {
    pub id: Option<Uuid>,
    pub delete: bool,
    #[serde(deserialize_with = "present")]
    pub label: Field<String>,
    #[serde(deserialize_with = "given")]
    pub r#type: Option<LocationType>,
    #[serde(deserialize_with = "given")]
    pub address_line1: Option<String>,
    #[serde(deserialize_with = "present")]
    pub address_line2: Field<String>,
    #[serde(deserialize_with = "given")]
    pub city: Option<String>,
    #[serde(deserialize_with = "present")]
    pub state: Field<String>,
    #[serde(deserialize_with = "present")]
    pub postal_code: Field<String>,
    #[serde(deserialize_with = "present")]
    pub country: Field<String>,
    #[serde(deserialize_with = "present")]
    pub latitude: Field<f64>,
    #[serde(deserialize_with = "present")]
    pub longitude: Field<f64>,
    #[serde(deserialize_with = "given")]
    pub is_primary: Option<bool>,
}
