//! `/crm/customers`

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use uuid::Uuid;

use super::activity::{Followup, Interaction};
use crate::choice::{
    ContactType, Count, Cursor, CustomerStatus, CustomerType, LifecycleStage, Limit, LocationType,
    Offset, PipelineStage, TimeOfDay, schemas,
};
use crate::document::Operation;
use serde_json::json;

schemas! {
    /// Archived ones too, or only they.
    Archived = json!({"type": "string", "enum": ["false", "true", "any"], "default": "false"});
    CustomerOrder = json!({"type": "string", "default": "created_at.desc",
        "enum": ["created_at.desc", "created_at.asc", "updated_at.desc", "name.asc", "name.desc"]});
    SearchText = json!({"type": "string", "maxLength": 200});
}

#[derive(JsonSchema)]
pub struct CustomerInList {
    pub id: Uuid,
    pub r#type: CustomerType,
    pub name: String,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub company_name: Option<String>,
    pub email: Option<String>,
    /// E.164.
    pub phone: Option<String>,
    pub status: CustomerStatus,
    pub lifecycle_stage: Option<LifecycleStage>,
    pub pipeline_stage: PipelineStage,
    pub source: Option<String>,
    pub owner_id: Option<Uuid>,
    pub product_id: Option<Uuid>,
    pub is_archived: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(JsonSchema)]
pub struct CustomerPage {
    pub data: Vec<CustomerInList>,
    pub limit: i64,
    /// Absent from what was found by q, tag, segment_id or cursor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<i64>,
    /// How many there are, where count=exact asked for it.
    pub total: Option<i64>,
    /// Of what was found by q, tag, segment_id or cursor; null on the last page.
    pub next_cursor: Option<String>,
}

/// A customer with what belongs to it.
#[derive(JsonSchema)]
pub struct Customer {
    pub id: Uuid,
    pub org_id: Uuid,
    pub external_ref: Option<String>,
    pub r#type: CustomerType,
    pub name: String,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub company_name: Option<String>,
    pub primary_location_id: Option<Uuid>,
    pub primary_contact_id: Option<Uuid>,
    pub email: Option<String>,
    /// E.164.
    pub phone: Option<String>,
    /// As it was written.
    pub phone_raw: Option<String>,
    pub status: CustomerStatus,
    pub lifecycle_stage: Option<LifecycleStage>,
    pub pipeline_stage: PipelineStage,
    pub source: Option<String>,
    pub preferred_language: Option<String>,
    pub notes: Option<String>,
    pub owner_id: Option<Uuid>,
    /// A name that older clients wrote.
    pub owner: Option<String>,
    pub is_archived: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub product_id: Option<Uuid>,
    pub archived_at: Option<DateTime<Utc>>,
    /// The customer that this duplicate went up in.
    pub merged_into_id: Option<Uuid>,
    pub erased_at: Option<DateTime<Utc>>,
    pub contacts: Vec<Contact>,
    pub locations: Vec<Location>,
    pub preferences: Option<CustomerPreferences>,
    pub tags: Vec<Tag>,
    pub product: Option<Product>,
    /// The newest ten.
    pub recent_interactions: Vec<Interaction>,
    /// The next ten that are pending.
    pub upcoming_followups: Vec<Followup>,
    pub metrics: CustomerMetrics,
}

#[derive(JsonSchema)]
pub struct Contact {
    pub id: Uuid,
    pub org_id: Uuid,
    pub customer_id: Uuid,
    pub r#type: ContactType,
    pub value: String,
    pub value_raw: Option<String>,
    pub is_primary: bool,
    pub is_verified: bool,
    pub opt_in_marketing: bool,
    pub opt_in_transactional: bool,
    pub preferred_channel: bool,
    pub notes: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(JsonSchema)]
pub struct Location {
    pub id: Uuid,
    pub org_id: Uuid,
    pub customer_id: Uuid,
    pub label: Option<String>,
    pub r#type: LocationType,
    pub address_line1: String,
    pub address_line2: Option<String>,
    pub city: String,
    pub state: Option<String>,
    pub postal_code: Option<String>,
    pub country: Option<String>,
    pub latitude: Option<f64>,
    pub longitude: Option<f64>,
    pub is_primary: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// What the customer wants, and does not want, to be told.
#[derive(JsonSchema)]
pub struct CustomerPreferences {
    pub id: Uuid,
    pub org_id: Uuid,
    pub customer_id: Uuid,
    pub do_not_contact: bool,
    pub do_not_email: bool,
    pub do_not_sms: bool,
    pub do_not_call: bool,
    pub preferred_contact_window_start: Option<TimeOfDay>,
    pub preferred_contact_window_end: Option<TimeOfDay>,
    pub notes: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(JsonSchema)]
pub struct Tag {
    pub id: Uuid,
    pub name: String,
    pub color: Option<String>,
}

#[derive(JsonSchema)]
pub struct Product {
    pub id: Uuid,
    pub name: String,
}

#[derive(JsonSchema)]
pub struct CustomerMetrics {
    pub interactions_count: i64,
    pub positive_count: i64,
    pub neutral_count: i64,
    pub negative_count: i64,
    pub last_interaction_at: Option<DateTime<Utc>>,
    pub jobs_count: i64,
    pub open_jobs_count: i64,
    pub last_service_at: Option<DateTime<Utc>>,
    /// In the org's currency.
    pub total_spend: f64,
    pub balance_due: f64,
}

/// A name is needed: name, or first_name and last_name, or company_name.
#[derive(JsonSchema)]
pub struct NewCustomer {
    pub r#type: CustomerType,
    pub name: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub company_name: Option<String>,
    /// Becomes a contact too.
    pub email: Option<String>,
    /// Becomes a contact too; read as of the org's default_country.
    pub phone: Option<String>,
    /// prospect by default.
    pub status: Option<CustomerStatus>,
    /// lead by default.
    pub lifecycle_stage: Option<LifecycleStage>,
    /// lead by default.
    pub pipeline_stage: Option<PipelineStage>,
    pub source: Option<String>,
    /// Another name of source.
    #[schemars(extend("deprecated" = true))]
    pub acquisition_source: Option<String>,
    pub preferred_language: Option<String>,
    pub notes: Option<String>,
    /// Unique in the org.
    pub external_ref: Option<String>,
    pub owner_id: Option<Uuid>,
    pub product_id: Option<Uuid>,
    #[schemars(length(max = 50))]
    pub contacts: Option<Vec<NewContact>>,
    #[schemars(length(max = 50))]
    pub locations: Option<Vec<NewLocation>>,
    /// Names, made where unknown.
    #[schemars(length(max = 50))]
    pub tags: Option<Vec<String>>,
    pub preferences: Option<PreferencesPatch>,
}

#[derive(JsonSchema)]
pub struct NewContact {
    pub r#type: ContactType,
    pub value: String,
    #[schemars(default)]
    pub is_primary: bool,
    #[schemars(default)]
    pub is_verified: bool,
    pub opt_in_marketing: Option<bool>,
    pub opt_in_transactional: Option<bool>,
    #[schemars(default)]
    pub preferred_channel: bool,
    pub notes: Option<String>,
}

#[derive(JsonSchema)]
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
    #[schemars(default)]
    pub is_primary: bool,
}

/// What is absent stays as it is.
#[derive(JsonSchema)]
pub struct PreferencesPatch {
    pub do_not_contact: Option<bool>,
    pub do_not_email: Option<bool>,
    pub do_not_sms: Option<bool>,
    pub do_not_call: Option<bool>,
    pub preferred_contact_window_start: Option<TimeOfDay>,
    pub preferred_contact_window_end: Option<TimeOfDay>,
    pub notes: Option<String>,
}

/// What is absent stays as it is; null clears it, or is refused where a value must be.
#[derive(JsonSchema)]
pub struct CustomerPatch {
    pub r#type: Option<CustomerType>,
    pub name: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub company_name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub status: Option<CustomerStatus>,
    pub lifecycle_stage: Option<LifecycleStage>,
    pub pipeline_stage: Option<PipelineStage>,
    pub source: Option<String>,
    /// Another name of source.
    #[schemars(extend("deprecated" = true))]
    pub acquisition_source: Option<String>,
    pub preferred_language: Option<String>,
    pub notes: Option<String>,
    pub external_ref: Option<String>,
    /// Needs the right to assign customers.
    pub owner_id: Option<Uuid>,
    pub product_id: Option<Uuid>,
    /// With id: that one is changed, or with delete removed; without: added.
    pub contacts: Option<Vec<ContactPatch>>,
    pub locations: Option<Vec<LocationPatch>>,
    /// All that it is to have.
    pub tags: Option<Vec<String>>,
    pub preferences: Option<PreferencesPatch>,
}

#[derive(JsonSchema)]
pub struct ContactPatch {
    pub id: Option<Uuid>,
    #[schemars(default)]
    pub delete: bool,
    pub r#type: Option<ContactType>,
    pub value: Option<String>,
    pub is_primary: Option<bool>,
    pub is_verified: Option<bool>,
    pub opt_in_marketing: Option<bool>,
    pub opt_in_transactional: Option<bool>,
    pub preferred_channel: Option<bool>,
    pub notes: Option<String>,
}

#[derive(JsonSchema)]
pub struct LocationPatch {
    pub id: Option<Uuid>,
    #[schemars(default)]
    pub delete: bool,
    pub label: Option<String>,
    pub r#type: Option<LocationType>,
    pub address_line1: Option<String>,
    pub address_line2: Option<String>,
    pub city: Option<String>,
    pub state: Option<String>,
    pub postal_code: Option<String>,
    pub country: Option<String>,
    pub latitude: Option<f64>,
    pub longitude: Option<f64>,
    pub is_primary: Option<bool>,
}

#[derive(JsonSchema)]
pub struct Merge {
    /// The customer that goes up in the one of the path.
    pub duplicate_id: Uuid,
}

#[derive(JsonSchema)]
pub struct BulkTag {
    #[schemars(length(max = 1000))]
    pub customer_ids: Vec<Uuid>,
    /// Names, made where unknown if the caller may.
    #[schemars(length(max = 50))]
    pub add: Option<Vec<String>>,
    #[schemars(length(max = 50))]
    pub remove: Option<Vec<String>>,
}

#[derive(JsonSchema)]
pub struct Tagged {
    pub tagged: i64,
    pub untagged: i64,
    /// Those that the caller may not change.
    pub not_found: Vec<Uuid>,
}

pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/crm/customers", "listCustomers", "Lists or finds customers")
            .about("With q, tag, segment_id or cursor it is a search: the newest first, paged by cursor, without offset and order.")
            .query::<SearchText>("q", "Words that all have to be in the names, e-mails, phones, contacts or addresses.")
            .query::<String>("tag", "The name of a tag.")
            .query::<Uuid>("segment_id", "A segment that they are in.")
            .query::<Cursor>("cursor", "The next_cursor of the page before.")
            .query::<CustomerStatus>("status", "Only those.")
            .query::<LifecycleStage>("lifecycle_stage", "Only those.")
            .query::<PipelineStage>("pipeline_stage", "Only those.")
            .query::<Uuid>("owner_id", "Only theirs.")
            .query::<Uuid>("product_id", "Only those.")
            .query::<Archived>("archived", "Archived ones too (any), or only they (true).")
            .query::<CustomerOrder>("order", "What comes first.")
            .query::<Limit>("limit", "How many at most.")
            .query::<Offset>("offset", "How many to leave out.")
            .query::<Count>("count", "exact: say in total how many there are.")
            .ok::<CustomerPage>("The page.")
            .fails(&[404]),
        Operation::post("/crm/customers", "createCustomer", "Creates a customer with all that belongs to it, or nothing")
            .keyed()
            .body::<NewCustomer>()
            .example(json!({"type": "individual", "name": "Ada Lovelace", "email": "ada@example.com", "phone": "+1 312 555 0142"}))
            .created::<Customer>("The customer."),
        Operation::get("/crm/customers/{id}", "getCustomer", "Shows a customer")
            .about("Who looked is noted.")
            .ok::<Customer>("The customer."),
        Operation::patch("/crm/customers/{id}", "updateCustomer", "Changes what the body names, all or nothing")
            .body::<CustomerPatch>()
            .example(json!({"status": "active", "notes": "Rings twice."}))
            .ok::<Customer>("The customer.")
            .fails(&[409]),
        Operation::delete("/crm/customers/{id}", "deleteCustomer", "Deletes a customer for good, with all that belongs to it")
            .empty(204, "It is gone.", &[])
            .fails(&[409]),
        Operation::post("/crm/customers/bulk-tag", "bulkTag", "Puts tags on many customers and takes others off")
            .body::<BulkTag>()
            .ok::<Tagged>("What changed.")
            .fails(&[409]),
        Operation::post("/crm/customers/{id}/archive", "archiveCustomer", "Takes a customer out of the lists")
            .ok::<Customer>("The customer.")
            .fails(&[409]),
        Operation::post("/crm/customers/{id}/restore", "restoreCustomer", "Brings an archived customer back")
            .ok::<Customer>("The customer.")
            .fails(&[409]),
        Operation::post("/crm/customers/{id}/merge", "mergeCustomers", "Makes one customer of two")
            .about("There is no way back.")
            .body::<Merge>()
            .ok::<Customer>("The customer that stays.")
            .fails(&[409]),
    ]
}
