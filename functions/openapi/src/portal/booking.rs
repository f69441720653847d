//! `/portal/slots`, `/portal/holds`, `/portal/booking-requests`, and what customers do with their visits

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use uuid::Uuid;

use super::thread::Attachment;
use crate::choice::{BookingSource, BookingStatus, LocationType, TimeOfDay, VisitStatus};
use crate::document::Operation;

#[derive(JsonSchema)]
pub struct ServiceTypes {
    pub service_types: Vec<ServiceType>,
}

#[derive(JsonSchema)]
pub struct ServiceType {
    pub code: String,
    pub name: String,
    pub description: Option<String>,
    pub duration_minutes: i64,
}

#[derive(JsonSchema)]
pub struct Slots {
    pub service_type: String,
    pub duration_minutes: i64,
    pub time_zone: String,
    pub from_date: NaiveDate,
    pub to_date: NaiveDate,
    pub slots: Vec<Slot>,
    /// There are more than 5,000.
    pub truncated: bool,
}

#[derive(JsonSchema)]
pub struct Slot {
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
}

#[derive(JsonSchema)]
pub struct NewHold {
    /// A code of the service types.
    pub service_type: String,
    pub location_id: Uuid,
    /// Of a slot.
    pub starts_at: DateTime<Utc>,
}

#[derive(JsonSchema)]
pub struct Hold {
    pub id: Uuid,
    pub service_type: String,
    pub location_id: Uuid,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// When: hold_id, which says where and what as well, or starts_at of a slot, or what is preferred.
#[derive(JsonSchema)]
pub struct NewBooking {
    pub location_id: Option<Uuid>,
    /// A new one, instead of location_id.
    pub location: Option<NewPlace>,
    pub service_type: Option<String>,
    #[schemars(length(min = 1, max = 5000))]
    pub problem_description: String,
    pub preferred_service_date: Option<NaiveDate>,
    pub preferred_time_window_start: Option<TimeOfDay>,
    pub preferred_time_window_end: Option<TimeOfDay>,
    pub flexible_date: Option<bool>,
    pub hold_id: Option<Uuid>,
    pub starts_at: Option<DateTime<Utc>>,
    #[schemars(length(max = 20))]
    pub attachments: Option<Vec<Attachment>>,
    /// web_portal by default.
    pub source_channel: Option<BookingSource>,
}

#[derive(JsonSchema)]
pub struct NewPlace {
    pub address_line1: String,
    pub city: String,
    pub label: Option<String>,
    pub address_line2: Option<String>,
    pub state: Option<String>,
    pub postal_code: Option<String>,
    pub country: Option<String>,
    pub r#type: Option<LocationType>,
}

#[derive(JsonSchema)]
pub struct Booking {
    pub id: Uuid,
    pub customer_id: Uuid,
    pub location_id: Option<Uuid>,
    pub status: BookingStatus,
    pub service_type: String,
    pub service_name: String,
    pub problem_description: String,
    pub preferred_service_date: Option<NaiveDate>,
    pub preferred_time_window_start: Option<TimeOfDay>,
    pub preferred_time_window_end: Option<TimeOfDay>,
    pub flexible_date: bool,
    pub attachments: Option<Vec<Attachment>>,
    pub source_channel: BookingSource,
    pub starts_at: Option<DateTime<Utc>>,
    pub ends_at: Option<DateTime<Utc>>,
    pub review_note: Option<String>,
    pub reviewed_at: Option<DateTime<Utc>>,
    pub canceled_at: Option<DateTime<Utc>>,
    pub cancel_reason: Option<String>,
    pub related_work_order_id: Option<Uuid>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(JsonSchema)]
pub struct Bookings {
    pub bookings: Vec<Booking>,
    /// Null on the last page.
    pub next_cursor: Option<String>,
}

#[derive(JsonSchema)]
pub struct Cancel {
    #[schemars(length(max = 2000))]
    pub reason: Option<String>,
}

#[derive(JsonSchema)]
pub struct Reschedule {
    /// Of a slot, or where it is already.
    pub starts_at: DateTime<Utc>,
    /// For the staff.
    #[schemars(length(max = 2000))]
    pub reason: Option<String>,
}

#[derive(JsonSchema)]
pub struct ChangedVisit {
    pub id: Uuid,
    pub status: VisitStatus,
    pub window_start: Option<DateTime<Utc>>,
    pub window_end: Option<DateTime<Utc>>,
    pub reschedule_count: i64,
    pub max_reschedules: i64,
    /// What the org says about the price.
    pub fee_note: Option<String>,
}

pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/portal/service-types", "listServiceTypes", "Lists what can be booked")
            .ok::<ServiceTypes>("By their names."),
        Operation::get("/portal/slots", "listSlots", "Says when a visit can be booked")
            .required_query::<String>("service_type", "A code of the service types.")
            .required_query::<Uuid>("location_id", "Where.")
            .query::<NaiveDate>("from_date", "The first day; today by default.")
            .query::<NaiveDate>(
                "to_date",
                "The last day; 13 days later by default, at most 62 days.",
            )
            .ok::<Slots>("The free slots.")
            .fails(&[404]),
        Operation::post("/portal/holds", "holdSlot", "Keeps a slot for some minutes")
            .keyed()
            .body::<NewHold>()
            .created::<Hold>("The hold.")
            .fails(&[404, 422]),
        Operation::delete("/portal/holds/{id}", "releaseHold", "Gives a slot back").empty(
            204,
            "It is free again.",
            &[],
        ),
        Operation::get(
            "/portal/booking-requests",
            "listBookings",
            "Lists requests, the newest first",
        )
        .by_cursor()
        .query::<BookingStatus>("status", "Only those.")
        .ok::<Bookings>("The page."),
        Operation::post("/portal/booking-requests", "createBooking", "Asks for a visit")
            .keyed()
            .body::<NewBooking>()
            .created::<Booking>("The request.")
            .fails(&[404, 422]),
        Operation::get("/portal/booking-requests/{id}", "getBooking", "Shows a request")
            .ok::<Booking>("The request."),
        Operation::post(
            "/portal/booking-requests/{id}/cancel",
            "cancelBooking",
            "Takes a request back",
        )
        .about("Again, it changes nothing.")
        .optional_body::<Cancel>()
        .ok::<Booking>("The request.")
        .fails(&[409]),
        Operation::post(
            "/portal/appointments/{id}/reschedule",
            "rescheduleAppointment",
            "Moves a visit to a free slot",
        )
        .keyed()
        .body::<Reschedule>()
        .ok::<ChangedVisit>("The visit.")
        .fails(&[409, 422]),
        Operation::post("/portal/appointments/{id}/cancel", "cancelAppointment", "Cancels a visit")
            .keyed()
            .optional_body::<Cancel>()
            .ok::<ChangedVisit>("The visit.")
            .fails(&[409, 422]),
    ]
}
