//! What customers ask for: the arguments of `portal_create_booking` and of what staff make of it.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveTime};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Result;
use crate::customer::{Checks, LocationRow, LocationType, NewLocation, choices, location_row};
use crate::portal::Account;
use crate::portal_thread::{Attachment, check_attachments};

/// The slots that one account can hold at a time.
pub const MAX_HOLDS: usize = 3;
/// The requests that are not decided and the visits still to come that one account can have booked.
pub const MAX_BOOKINGS: usize = 20;
/// The free times that one answer has.
pub const MAX_SLOTS: usize = 5_000;
/// The free times that somebody is offered who came too late.
pub const ALTERNATIVES: usize = 3;
const MAX_PROBLEM: usize = 5_000;
/// The longest note and reason, as the tables have them.
const MAX_NOTE: usize = 2_000;

choices! {
    BookingStatus {
        Submitted = "submitted", UnderReview = "under_review", Approved = "approved", Scheduled = "scheduled",
        Rejected = "rejected", CanceledByCustomer = "canceled_by_customer",
    }
}
choices! {
    Source { WebPortal = "web_portal", MobileApp = "mobile_app", AiAssistant = "ai_assistant", }
}
choices! {
    /// What staff make of a request.
    Review { Approve = "approve", Reject = "reject", UnderReview = "under_review", }
}

impl BookingStatus {
    /// Whether somebody still has to decide.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Submitted | Self::UnderReview | Self::Approved)
    }
}

impl Review {
    #[must_use]
    pub const fn status(self) -> BookingStatus {
        match self {
            Self::Approve => BookingStatus::Approved,
            Self::Reject => BookingStatus::Rejected,
            Self::UnderReview => BookingStatus::UnderReview,
        }
    }
}

/// A place that customers name. Where it is on the map decides who comes and how long the way is: staff say that.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Address {
    pub label: Option<String>,
    pub r#type: Option<LocationType>,
    pub address_line1: String,
    pub address_line2: Option<String>,
    pub city: String,
    pub state: Option<String>,
    pub postal_code: Option<String>,
    pub country: Option<String>,
}

impl From<Address> for NewLocation {
    fn from(address: Address) -> Self {
        Self {
            label: address.label,
            r#type: address.r#type,
            address_line1: address.address_line1,
            address_line2: address.address_line2,
            city: address.city,
            state: address.state,
            postal_code: address.postal_code,
            country: address.country,
            latitude: None,
            longitude: None,
            // Which of their addresses is the first one is not said in passing.
            is_primary: false,
        }
    }
}

/// The arguments of `portal_create_booking`, without the key.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewBooking {
    pub location_id: Option<Uuid>,
    pub location: Option<Address>,
    pub service_type: Option<String>,
    pub problem_description: Option<String>,
    pub preferred_service_date: Option<NaiveDate>,
    pub preferred_time_window_start: Option<NaiveTime>,
    pub preferred_time_window_end: Option<NaiveTime>,
    pub flexible_date: Option<bool>,
    pub hold_id: Option<Uuid>,
    pub starts_at: Option<DateTime<FixedOffset>>,
    pub attachments: Option<Vec<Attachment>>,
    pub source_channel: Option<Source>,
}

/// What was checked; a location that is new has no id yet.
#[derive(Debug, Serialize)]
pub struct BookingRow {
    pub service_type: Option<String>,
    pub problem_description: String,
    pub preferred_service_date: Option<NaiveDate>,
    pub preferred_time_window_start: Option<NaiveTime>,
    pub preferred_time_window_end: Option<NaiveTime>,
    pub flexible_date: bool,
    pub attachments: Option<Vec<Attachment>>,
    pub source_channel: Source,
    #[serde(skip)]
    pub location_id: Option<Uuid>,
    #[serde(skip)]
    pub location: Option<LocationRow>,
    #[serde(skip)]
    pub hold_id: Option<Uuid>,
    #[serde(skip)]
    pub starts_at: Option<DateTime<FixedOffset>>,
}

impl NewBooking {
    /// `country` is that of addresses that name none.
    pub fn prepare(self, account: &Account, country: &str) -> Result<BookingRow> {
        let mut checks = Checks::default();
        match (self.hold_id, self.location_id, &self.location) {
            (_, Some(_), Some(_)) | (Some(_), _, Some(_)) => {
                let message = "goes with neither location_id nor hold_id";
                checks.fail("location", "not_applicable", message);
            }
            (None, None, None) => {
                checks.fail("location_id", "required", "say where: location_id, or a new location");
            }
            _ => {}
        }
        if self.hold_id.is_some() && self.starts_at.is_some() {
            checks.fail("starts_at", "not_applicable", "a hold has its time");
        }
        if self.hold_id.is_none() && self.service_type.is_none() {
            checks.fail("service_type", "required", "must not be empty");
        }
        let problem_description =
            checks.text("problem_description", self.problem_description, MAX_PROBLEM);
        if problem_description.is_none() {
            checks.fail("problem_description", "required", "must not be empty");
        }
        if let (Some(start), Some(end)) =
            (self.preferred_time_window_start, self.preferred_time_window_end)
            && start >= end
        {
            let message = "must be after preferred_time_window_start";
            checks.fail("preferred_time_window_end", "out_of_range", message);
        }
        let attachments = self.attachments.filter(|files| !files.is_empty());
        let folder = format!("{}/portal/{}/", account.org_id, account.id);
        check_attachments(&mut checks, attachments.as_deref().unwrap_or_default(), &folder);
        let location = self
            .location
            .map(|location| location_row(&mut checks, "location", location.into(), country));
        checks.finish()?;
        Ok(BookingRow {
            service_type: self.service_type,
            problem_description: problem_description.unwrap_or_default(),
            preferred_service_date: self.preferred_service_date,
            preferred_time_window_start: self.preferred_time_window_start,
            preferred_time_window_end: self.preferred_time_window_end,
            flexible_date: self.flexible_date.unwrap_or(false),
            attachments,
            source_channel: self.source_channel.unwrap_or(Source::WebPortal),
            location_id: self.location_id,
            location,
            hold_id: self.hold_id,
            starts_at: self.starts_at,
        })
    }
}

/// A note or a reason, trimmed; none where it is blank.
pub fn note(path: &str, text: Option<String>) -> Result<Option<String>> {
    let mut checks = Checks::default();
    let text = checks.text(path, text, MAX_NOTE);
    checks.finish()?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::patch;
    use crate::portal::{AccountRole, AccountStatus, SessionState};

    fn account() -> Account {
        Account {
            id: Uuid::from_u128(1),
            org_id: Uuid::from_u128(2),
            user_id: Uuid::from_u128(3),
            customer_id: Uuid::from_u128(4),
            primary_location_id: None,
            role: AccountRole::Customer,
            status: AccountStatus::Active,
            session: SessionState::Active,
            access: Vec::new(),
        }
    }

    fn wrong(given: Value) -> Vec<String> {
        let read = patch::read::<NewBooking>(given).and_then(|new| new.prepare(&account(), "US"));
        read.unwrap_err().errors.into_iter().map(|error| error.path).collect()
    }

    #[test]
    fn everything_wrong_is_said_at_once() {
        let given = json!({"problem_description": " ", "preferred_time_window_start": "10:00:00",
            "preferred_time_window_end": "10:00:00"});
        let paths =
            ["location_id", "service_type", "problem_description", "preferred_time_window_end"];
        assert_eq!(wrong(given), paths);
        let id = Uuid::nil();
        let given = json!({"problem_description": "Leak", "hold_id": id, "starts_at": "2026-12-01T10:00:00Z",
            "location": {"address_line1": "", "city": "Berlin"}});
        assert_eq!(wrong(given), ["location", "starts_at", "location.address_line1"]);
    }

    #[test]
    fn attachments_are_files_of_the_account_itself() {
        let account = account();
        let folder = format!("{}/portal/{}", account.org_id, account.id);
        let booking = |name: String| {
            json!({"location_id": Uuid::nil(), "service_type": "repair", "problem_description": "Leak",
                "attachments": [{"object_name": name, "file_name": "leak.jpg"}]})
        };
        let read = |given| patch::read::<NewBooking>(given).unwrap().prepare(&account, "US");
        assert!(read(booking(format!("{folder}/2026/leak.jpg"))).is_ok());
        for name in [
            format!("{folder}/../{}/x.jpg", Uuid::nil()),
            format!("{folder}/"),
            format!("{folder}x/y.jpg"),
            format!("{}/portal/{}/y.jpg", account.org_id, Uuid::nil()),
            "https://example.com/x.jpg".to_owned(),
        ] {
            assert_eq!(wrong(booking(name.clone())), ["attachments[0].object_name"], "{name}");
        }
    }
}
