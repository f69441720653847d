//! `/portal/signup`, `/portal/session`, `/portal/settings`

use schemars::JsonSchema;
use serde_json::json;
use uuid::Uuid;

use super::visit::{Named, NextAppointment};
use crate::choice::{AccountRole, ContactType, LocationType, TimeOfDay, schemas};
use crate::document::Operation;

schemas! {
    AccountStatus = json!({"type": "string", "enum": ["active", "invited", "suspended", "closed"]});
    /// A session of Supabase Auth, as it answers it.
    AuthSession = json!({"type": "object", "required": ["access_token"], "additionalProperties": true, "properties": {"access_token": {"type": "string"}}});
    Active = json!({"const": "active"});
    /// verification_required: open the link in the mail of Auth. verify: open the link of the invitation.
    Waits = json!({"type": "string", "enum": ["verification_required", "verify"]});
    /// What was done: enroll, verify or unenroll; of enroll with the secret, of verify with a new session.
    MfaAnswer = json!({"type": "object", "required": ["factor_id"], "additionalProperties": false, "properties": {
        "factor_id": {"type": "string"}, "totp": {"type": ["object", "null"]}, "session": {"type": "object"}}});
    MfaChange = json!({"oneOf": [
        {"type": "object", "required": ["action"], "additionalProperties": false, "properties": {
            "action": {"const": "enroll"}, "friendly_name": {"type": ["string", "null"]}}},
        {"type": "object", "required": ["action", "factor_id", "code"], "additionalProperties": false, "properties": {
            "action": {"const": "verify"}, "factor_id": {"type": "string", "format": "uuid"}, "code": {"type": "string"}}},
        {"type": "object", "required": ["action", "factor_id"], "additionalProperties": false, "properties": {
            "action": {"const": "unenroll"}, "factor_id": {"type": "string", "format": "uuid"}}},
    ]});
}

#[derive(JsonSchema)]
pub struct SignUp {
    /// Whose portal; needed without invite_token.
    pub slug: Option<String>,
    pub email: String,
    pub password: String,
    pub name: String,
    pub phone: Option<String>,
    /// The id of a visit, booking, quote or invoice, which tells customers apart that have the same address.
    pub booking_reference: Option<Uuid>,
    pub invite_token: Option<String>,
}

#[derive(JsonSchema)]
pub struct AcceptInvite {
    pub token: String,
    pub password: String,
    pub name: Option<String>,
}

#[derive(JsonSchema)]
pub struct LetIn {
    pub status: Active,
    pub session: AuthSession,
    pub account: Account,
}

#[derive(JsonSchema)]
pub struct Waiting {
    pub status: Waits,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub detail: Option<String>,
}

#[derive(JsonSchema)]
pub struct Account {
    pub id: Uuid,
    pub org_id: Uuid,
    pub user_id: Uuid,
    pub customer_id: Uuid,
    pub primary_location_id: Option<Uuid>,
    pub role: AccountRole,
    pub status: AccountStatus,
    /// Other customers, and places of theirs.
    pub access: Vec<Access>,
}

#[derive(JsonSchema)]
pub struct Access {
    pub customer_id: Uuid,
    /// Null: all of them.
    pub location_id: Option<Uuid>,
}

#[derive(JsonSchema)]
pub struct Session {
    pub status: Active,
    pub account: Account,
    pub org: Org,
    pub profile: SessionProfile,
    pub customers: Vec<Named>,
    pub permissions: Permissions,
}

#[derive(JsonSchema)]
pub struct Org {
    pub id: Uuid,
    pub name: String,
    pub time_zone: String,
    pub currency: Option<String>,
    pub slug: Option<String>,
}

#[derive(JsonSchema)]
pub struct SessionProfile {
    pub full_name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub avatar_url: Option<String>,
}

#[derive(JsonSchema)]
pub struct Permissions {
    pub book: bool,
    pub see_other_customers: bool,
}

#[derive(JsonSchema)]
pub struct Dashboard {
    pub next_appointment: Option<NextAppointment>,
    pub open_threads: i64,
    pub unread_messages: i64,
    pub invoices: OpenInvoices,
    pub open_bookings: i64,
    pub active_memberships: i64,
}

#[derive(JsonSchema)]
pub struct OpenInvoices {
    pub count: i64,
    pub amount_due: f64,
    pub currency: Option<String>,
}

#[derive(JsonSchema)]
pub struct Settings {
    pub account: Account,
    pub profile: Profile,
    pub security: Security,
    pub locations: Vec<SettingsLocation>,
    pub contacts: Vec<SettingsContact>,
    /// Null until they were changed.
    pub notifications: Option<Notifications>,
}

#[derive(JsonSchema)]
pub struct Profile {
    pub full_name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub avatar_url: Option<String>,
    pub preferred_language: Option<String>,
}

#[derive(JsonSchema)]
pub struct Security {
    pub has_password: bool,
}

#[derive(JsonSchema)]
pub struct SettingsLocation {
    pub id: Uuid,
    pub customer_id: Uuid,
    pub label: Option<String>,
    pub r#type: LocationType,
    pub address_line1: String,
    pub address_line2: Option<String>,
    pub city: String,
    pub state: Option<String>,
    pub postal_code: Option<String>,
    pub country: Option<String>,
    pub is_primary: bool,
}

#[derive(JsonSchema)]
pub struct SettingsContact {
    pub id: Uuid,
    pub r#type: ContactType,
    pub value: String,
    pub is_primary: bool,
    pub is_verified: bool,
    pub opt_in_marketing: bool,
    pub opt_in_transactional: bool,
}

#[derive(JsonSchema)]
pub struct Notifications {
    pub notify_booking_updates_email: bool,
    pub notify_booking_updates_sms: bool,
    pub notify_marketing_email: bool,
    pub notify_marketing_sms: bool,
    pub notify_technician_enroute: bool,
    pub quiet_hours_start: Option<TimeOfDay>,
    pub quiet_hours_end: Option<TimeOfDay>,
    /// Null: the org's.
    pub timezone: Option<String>,
}

/// What is absent stays as it is; null clears it.
#[derive(JsonSchema)]
pub struct ProfilePatch {
    pub full_name: Option<String>,
    pub phone: Option<String>,
    pub preferred_language: Option<String>,
    pub primary_location_id: Option<Uuid>,
}

/// What is absent stays as it is; quiet hours come together, null: none.
#[derive(JsonSchema)]
pub struct NotificationPatch {
    pub notify_booking_updates_email: Option<bool>,
    pub notify_booking_updates_sms: Option<bool>,
    pub notify_marketing_email: Option<bool>,
    pub notify_marketing_sms: Option<bool>,
    pub notify_technician_enroute: Option<bool>,
    pub quiet_hours_start: Option<TimeOfDay>,
    pub quiet_hours_end: Option<TimeOfDay>,
    /// An IANA name; null: the org's.
    pub timezone: Option<String>,
}

#[derive(JsonSchema)]
pub struct SecurityPatch {
    /// Needed with password, where there is one.
    pub current_password: Option<String>,
    pub password: Option<String>,
    pub mfa: Option<MfaChange>,
}

#[derive(JsonSchema)]
pub struct ChangedSecurity {
    pub password_changed: bool,
    pub mfa: Option<MfaAnswer>,
}

pub fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/portal/signup", "signUp", "Signs up to a company's portal")
            .secured_by(&[])
            .keyed()
            .body::<SignUp>()
            .example(json!({"slug": "northwind", "email": "ada@example.com", "password": "correct horse battery", "name": "Ada Lovelace"}))
            .answers::<LetIn>(201, "Signed in: the address needs no verification.")
            .answers::<Waiting>(
                202,
                "A mail is on its way; nothing here says whether the address was known.",
            )
            .fails(&[404]),
        Operation::post(
            "/portal/accept-invite",
            "acceptInvite",
            "Takes an invitation to the portal",
        )
        .about("Where the address has a login, its password is asked for.")
        .secured_by(&[])
        .keyed()
        .body::<AcceptInvite>()
        .answers::<LetIn>(201, "Signed in.")
        .fails(&[404]),
        Operation::post(
            "/portal/session",
            "beginSession",
            "Says that who has signed in is here, and completes a sign-up that waited for it",
        )
        .keyed()
        .ok::<Session>("Who they are, and what they may do.")
        .answers::<Waiting>(202, "An invitation went to the address."),
        Operation::get("/portal/dashboard", "getDashboard", "What the portal begins with")
            .ok::<Dashboard>("The figures."),
        Operation::get("/portal/settings", "getSettings", "Shows the settings")
            .ok::<Settings>("The settings."),
        Operation::patch("/portal/settings/profile", "updateProfile", "Changes the profile")
            .body::<ProfilePatch>()
            .ok::<Settings>("The settings.")
            .fails(&[404, 409]),
        Operation::patch(
            "/portal/settings/notifications",
            "updateNotifications",
            "Changes what one is told",
        )
        .body::<NotificationPatch>()
        .ok::<Notifications>("The preferences."),
        Operation::patch(
            "/portal/settings/security",
            "updateSecurity",
            "Changes the password, or a second factor",
        )
        .body::<SecurityPatch>()
        .ok::<ChangedSecurity>("What was done.")
        .fails(&[404]),
    ]
}
