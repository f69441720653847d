//! `/portal/appointments`, `/portal/jobs`, and the papers

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde_json::json;
use uuid::Uuid;

use crate::choice::{InvoiceStatus, VisitStatus, schemas};
use crate::document::Operation;
use crate::page::Items;

schemas! {
    /// Why not.
    PolicyReason = json!({"type": "string", "enum": ["wrong_state", "too_late", "too_often", "not_bookable"]});
    /// type and at, and what changed: status, schedule, eta.
    VisitEvent = json!({"type": "object", "required": ["type", "at"], "additionalProperties": true, "properties": {
        "type": {"type": "string"}, "at": {"type": "string", "format": "date-time"}}});
    /// In both spellings of canceled.
    VisitFilter = json!({"type": "string", "enum": ["scheduled", "en_route", "on_site", "completed", "canceled", "cancelled"]});
    DocumentType = json!({"type": "string", "enum": ["quote", "invoice", "contract", "warranty", "manual", "report", "photo", "proposal", "other"]});
    QuoteStatus = json!({"type": "string", "enum": ["sent", "accepted", "declined", "expired"]});
    MembershipStatus = json!({"type": "string", "enum": ["active", "paused", "canceled", "expired"]});
    BillingPeriod = json!({"type": "string", "enum": ["month", "quarter", "year"]});
}

#[derive(JsonSchema)]
pub struct Named {
    pub id: Uuid,
    pub name: String,
}

#[derive(JsonSchema)]
pub struct ServiceTypeName {
    pub code: String,
    pub name: String,
}

#[derive(JsonSchema)]
pub struct Technician {
    pub name: Option<String>,
    pub avatar_url: Option<String>,
}

#[derive(JsonSchema)]
pub struct Place {
    pub id: Uuid,
    pub label: Option<String>,
    pub address_line1: String,
    pub address_line2: Option<String>,
    pub city: String,
    pub state: Option<String>,
    pub postal_code: Option<String>,
    pub country: Option<String>,
}

/// Whether the customer may do it by themselves.
#[derive(JsonSchema)]
pub struct Decision {
    pub allowed: bool,
    pub reason: Option<PolicyReason>,
    /// The last moment for it.
    pub until: Option<DateTime<Utc>>,
    pub fee_note: Option<String>,
}

#[derive(JsonSchema)]
pub struct Visit {
    pub id: Uuid,
    pub title: String,
    pub status: VisitStatus,
    pub service_type: Option<ServiceTypeName>,
    pub window_start: Option<DateTime<Utc>>,
    pub window_end: Option<DateTime<Utc>>,
    pub eta: Option<DateTime<Utc>>,
    pub en_route_at: Option<DateTime<Utc>>,
    pub started_at: Option<DateTime<Utc>>,
    pub completed_at: Option<DateTime<Utc>>,
    pub canceled_at: Option<DateTime<Utc>>,
    pub technician: Option<Technician>,
    pub customer: Named,
    pub location: Option<Place>,
    pub may_reschedule: Decision,
    pub may_cancel: Decision,
}

#[derive(JsonSchema)]
pub struct VisitWithEvents {
    #[serde(flatten)]
    pub visit: Visit,
    /// The oldest first.
    pub events: Vec<VisitEvent>,
}

#[derive(JsonSchema)]
pub struct NextAppointment {
    pub id: Uuid,
    pub customer_id: Uuid,
    pub location_id: Option<Uuid>,
    pub service_type: Option<String>,
    pub status: VisitStatus,
    pub window_start: Option<DateTime<Utc>>,
    pub window_end: Option<DateTime<Utc>>,
    pub eta: Option<DateTime<Utc>>,
    pub technician: Option<Technician>,
}

#[derive(JsonSchema)]
pub struct Progress {
    pub status: VisitStatus,
    pub eta: Option<DateTime<Utc>>,
    pub updated_at: DateTime<Utc>,
}

/// A visit with the papers about it.
#[derive(JsonSchema)]
pub struct Job {
    #[serde(flatten)]
    pub visit: Visit,
    pub customer_notes: Option<String>,
    pub quotes: Vec<JobQuote>,
    pub invoices: Vec<JobInvoice>,
    pub documents: Vec<JobDocument>,
    pub warranties: Vec<JobWarranty>,
}

#[derive(JsonSchema)]
pub struct JobQuote {
    pub id: Uuid,
    pub number: String,
    pub status: QuoteStatus,
    pub total: f64,
    pub valid_until: Option<NaiveDate>,
    pub sent_at: Option<DateTime<Utc>>,
}

#[derive(JsonSchema)]
pub struct JobInvoice {
    pub id: Uuid,
    pub number: String,
    pub status: InvoiceStatus,
    pub total: f64,
    pub amount_paid: f64,
    pub issued_at: Option<DateTime<Utc>>,
    pub due_at: Option<DateTime<Utc>>,
    pub paid_at: Option<DateTime<Utc>>,
}

#[derive(JsonSchema)]
pub struct JobDocument {
    pub id: Uuid,
    pub r#type: DocumentType,
    pub title: String,
    pub has_file: bool,
    pub created_at: DateTime<Utc>,
}

#[derive(JsonSchema)]
pub struct JobWarranty {
    pub id: Uuid,
    pub title: String,
    pub provider: Option<String>,
    pub terms: Option<String>,
    pub starts_on: NaiveDate,
    pub ends_on: Option<NaiveDate>,
}

#[derive(JsonSchema)]
pub struct Document {
    pub id: Uuid,
    pub r#type: DocumentType,
    pub title: String,
    pub has_file: bool,
    pub customer_id: Uuid,
    pub job_id: Option<Uuid>,
    pub created_at: DateTime<Utc>,
}

/// Where to read a file, for five minutes.
#[derive(JsonSchema)]
pub struct SignedFile {
    pub file_name: String,
    pub content_type: Option<String>,
    pub url: String,
    pub expires_at: DateTime<Utc>,
}

#[derive(JsonSchema)]
pub struct Invoice {
    pub id: Uuid,
    pub number: String,
    pub status: InvoiceStatus,
    pub total: f64,
    pub amount_paid: f64,
    pub currency: Option<String>,
    pub issued_at: Option<DateTime<Utc>>,
    pub due_at: Option<DateTime<Utc>>,
    pub paid_at: Option<DateTime<Utc>>,
    pub customer_id: Uuid,
    pub job_id: Option<Uuid>,
    pub document_id: Option<Uuid>,
}

#[derive(JsonSchema)]
pub struct Memberships {
    pub memberships: Vec<Membership>,
    pub warranties: Vec<Warranty>,
}

#[derive(JsonSchema)]
pub struct Membership {
    pub id: Uuid,
    pub customer_id: Uuid,
    pub status: MembershipStatus,
    pub starts_on: NaiveDate,
    pub ends_on: Option<NaiveDate>,
    pub plan: Plan,
}

#[derive(JsonSchema)]
pub struct Plan {
    pub name: String,
    pub description: Option<String>,
    pub price: f64,
    pub currency: Option<String>,
    pub billing_period: BillingPeriod,
    pub visits_per_year: i64,
    pub discount_percent: f64,
}

#[derive(JsonSchema)]
pub struct Warranty {
    pub id: Uuid,
    pub customer_id: Uuid,
    pub location_id: Option<Uuid>,
    pub job_id: Option<Uuid>,
    pub title: String,
    pub provider: Option<String>,
    pub terms: Option<String>,
    pub starts_on: NaiveDate,
    pub ends_on: Option<NaiveDate>,
    pub document_id: Option<Uuid>,
}

pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get(
            "/portal/appointments",
            "listAppointments",
            "Lists visits, from early to late",
        )
        .by_cursor()
        .query::<DateTime<Utc>>("from", "From when; 30 days ago by default.")
        .query::<DateTime<Utc>>("to", "Before when.")
        .query::<VisitFilter>("status", "Only those.")
        .ok::<Items<Visit>>("The page."),
        Operation::get("/portal/appointments/{id}", "getAppointment", "Shows a visit")
            .ok::<VisitWithEvents>("The visit."),
        Operation::get(
            "/portal/appointments/{id}/status",
            "getAppointmentStatus",
            "Says how far a visit is",
        )
        .ok::<Progress>("How far."),
        Operation::get(
            "/portal/service-history",
            "listServiceHistory",
            "Lists what is over, the newest first",
        )
        .by_cursor()
        .ok::<Items<Visit>>("The page."),
        Operation::get("/portal/jobs/{id}", "getJob", "Shows a visit with the papers about it")
            .about("That it was read is noted.")
            .ok::<Job>("The visit."),
        Operation::get("/portal/documents", "listDocuments", "Lists documents, the newest first")
            .by_cursor()
            .ok::<Items<Document>>("The page."),
        Operation::get(
            "/portal/documents/{id}",
            "getDocument",
            "Gives a URL for a document's file",
        )
        .ok::<SignedFile>("The URL."),
        Operation::get("/portal/invoices", "listInvoices", "Lists invoices, the newest first")
            .by_cursor()
            .query::<InvoiceStatus>("status", "Only those.")
            .ok::<Items<Invoice>>("The page."),
        Operation::get(
            "/portal/memberships",
            "listMemberships",
            "Lists memberships and warranties",
        )
        .ok::<Memberships>("All of them."),
    ]
}
