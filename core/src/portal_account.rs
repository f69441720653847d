//! What staff and owners may say about portal accounts: invitations, access, sign-ups, settings.

use std::str::FromStr;

use chrono::NaiveTime;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::customer::choices;
use crate::customer::present_time;
use crate::patch::{Field, given, present};
use crate::portal::{Access, AccountRole, AccountStatus};
use crate::{Error, FieldError, Result, Role, email, member, phone};

/// How many other customers and locations an account can see.
pub const MAX_ACCESS: usize = 500;
const MAX_LANGUAGE: usize = 20;

choices! {
    /// What the owner of an account did with their login: happens outside of the database, and is told to it.
    SecurityEvent {
        Logout = "logout", PasswordChanged = "password_changed", MfaEnrolled = "mfa_enrolled",
        MfaEnabled = "mfa_enabled", MfaDisabled = "mfa_disabled",
    }
}

impl AccountRole {
    /// The role of the profile that goes with the account: the only source of rights there is.
    #[must_use]
    pub const fn profile_role(self) -> Role {
        if self.manages() { Role::PortalManager } else { Role::PortalCustomer }
    }

    /// Whether the account sees other customers than its own.
    #[must_use]
    pub const fn manages(self) -> bool {
        matches!(self, Self::PropertyManager | Self::Admin)
    }
}

/// The arguments of `crm_create_portal_invite`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewInvite {
    pub customer_id: Uuid,
    pub email: String,
    pub role: Option<AccountRole>,
    pub access: Option<Vec<Access>>,
    pub expires_in_hours: Option<i64>,
    pub send: Option<bool>,
}

/// An invitation as it is kept.
#[derive(Clone, Debug, Serialize)]
pub struct Invite {
    pub customer_id: Uuid,
    pub email: String,
    pub role: AccountRole,
    pub access: Vec<Access>,
    pub hours: i64,
}

impl NewInvite {
    pub fn prepare(self) -> Result<Invite> {
        let mut errors = Vec::new();
        let address = email::normalize(&self.email);
        if address.is_none() {
            errors.push(FieldError::new("email", "invalid_email", "is not an e-mail address"));
        }
        let hours =
            member::hours(self.expires_in_hours).map_err(|error| errors.extend(error.errors));
        let role = self.role.unwrap_or(AccountRole::Customer);
        let access = self.access.unwrap_or_default();
        if let Err(error) = check_access(role, &access) {
            errors.extend(error.errors);
        }
        match (address, hours) {
            (Some(email), Ok(hours)) if errors.is_empty() => {
                Ok(Invite { customer_id: self.customer_id, email, role, access, hours })
            }
            _ => Err(Error::invalid(errors)),
        }
    }
}

/// Whether an account of that role can have this list.
pub fn check_access(role: AccountRole, access: &[Access]) -> Result<()> {
    if access.len() > MAX_ACCESS {
        let message = format!("at most {MAX_ACCESS} entries");
        return Err(Error::invalid_field("access", "too_many", message));
    }
    if !access.is_empty() && !role.manages() {
        let message = "only property_manager and admin see other customers";
        return Err(Error::invalid_field("access", "invalid_value", message));
    }
    Ok(())
}

/// The argument `patch` of `crm_update_portal_account`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccountPatch {
    #[serde(deserialize_with = "given")]
    pub status: Option<AccountStatus>,
    #[serde(deserialize_with = "given")]
    pub role: Option<AccountRole>,
    #[serde(deserialize_with = "present")]
    pub primary_location_id: Field<Uuid>,
}

impl AccountPatch {
    pub fn check(&self) -> Result<()> {
        if self.status == Some(AccountStatus::Invited) {
            let message = "is not given by hand: send an invitation";
            return Err(Error::invalid_field("status", "invalid_value", message));
        }
        Ok(())
    }
}

/// What somebody says about themselves who signs up. Nothing of it opens anything.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewSignup {
    pub user_id: Uuid,
    pub slug: String,
    pub full_name: String,
    pub phone: Option<String>,
    /// A booking, visit, quote or invoice: tells customers apart that have the same address.
    pub booking_reference: Option<Uuid>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Signup {
    pub user_id: Uuid,
    pub slug: String,
    pub full_name: String,
    pub phone: Option<String>,
    pub booking_reference: Option<Uuid>,
}

impl NewSignup {
    /// `country` reads a number that has no country code.
    pub fn prepare(self, country: &str) -> Result<Signup> {
        let Some(full_name) = member::full_name(Some(&self.full_name))?.map(str::to_owned) else {
            return Err(Error::invalid_field("full_name", "required", "say who you are"));
        };
        let phone = read_phone(self.phone.as_deref(), country)?;
        Ok(Signup {
            user_id: self.user_id,
            slug: self.slug,
            full_name,
            phone,
            booking_reference: self.booking_reference,
        })
    }
}

/// The number in E.164; blank is none.
fn read_phone(raw: Option<&str>, country: &str) -> Result<Option<String>> {
    let Some(raw) = raw.map(str::trim).filter(|raw| !raw.is_empty()) else { return Ok(None) };
    match phone::normalize(raw, country) {
        Some(phone) => Ok(Some(phone.e164)),
        None => Err(Error::invalid_field("phone", "invalid_phone", "is not a phone number")),
    }
}

/// The argument `patch` of `portal_update_profile`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProfilePatch {
    #[serde(deserialize_with = "given")]
    pub full_name: Option<String>,
    #[serde(deserialize_with = "present")]
    pub phone: Field<String>,
    #[serde(deserialize_with = "present")]
    pub preferred_language: Field<String>,
    #[serde(deserialize_with = "present")]
    pub primary_location_id: Field<Uuid>,
}

/// What of a profile changes, each value as it is kept.
#[derive(Clone, Debug, Default, Serialize, PartialEq, Eq)]
pub struct ProfileChange {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Field<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_language: Field<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary_location_id: Field<Uuid>,
}

impl ProfilePatch {
    pub fn prepare(self, country: &str) -> Result<ProfileChange> {
        let full_name = match self.full_name {
            Some(name) => match member::full_name(Some(&name))? {
                Some(name) => Some(name.to_owned()),
                None => {
                    return Err(Error::invalid_field("full_name", "required", "cannot be empty"));
                }
            },
            None => None,
        };
        let language = |code: &String| {
            let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
            (2..=MAX_LANGUAGE).contains(&code.len()) && code.chars().all(plain)
        };
        if self.preferred_language.iter().flatten().any(|code| !language(code)) {
            let message = "expected a language tag such as de or en-GB";
            return Err(Error::invalid_field("preferred_language", "invalid_value", message));
        }
        let phone = match self.phone {
            Some(raw) => Some(read_phone(raw.as_deref(), country)?),
            None => None,
        };
        Ok(ProfileChange {
            full_name,
            phone,
            preferred_language: self.preferred_language,
            primary_location_id: self.primary_location_id,
        })
    }
}

/// The argument `patch` of `portal_update_notifications`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NotificationPatch {
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub notify_booking_updates_email: Option<bool>,
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub notify_booking_updates_sms: Option<bool>,
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub notify_marketing_email: Option<bool>,
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub notify_marketing_sms: Option<bool>,
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub notify_technician_enroute: Option<bool>,
    #[serde(deserialize_with = "present_time", skip_serializing_if = "Option::is_none")]
    pub quiet_hours_start: Field<NaiveTime>,
    #[serde(deserialize_with = "present_time", skip_serializing_if = "Option::is_none")]
    pub quiet_hours_end: Field<NaiveTime>,
    /// An IANA name; null for the org's zone.
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub timezone: Field<String>,
}

impl NotificationPatch {
    pub fn check(&self) -> Result<()> {
        let mut errors = Vec::new();
        let whole = match (&self.quiet_hours_start, &self.quiet_hours_end) {
            (None, None) => true,
            (Some(start), Some(end)) => start.is_some() == end.is_some(),
            _ => false,
        };
        if !whole {
            let message = "quiet_hours_start and quiet_hours_end are set or cleared together";
            errors.push(FieldError::new("quiet_hours_end", "invalid_value", message));
        }
        if self.timezone.iter().flatten().any(|name| Tz::from_str(name).is_err()) {
            let message = "expected an IANA time zone such as Europe/Zurich";
            errors.push(FieldError::new("timezone", "invalid_time_zone", message));
        }
        if errors.is_empty() { Ok(()) } else { Err(Error::invalid(errors)) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::patch;

    fn paths(error: Error) -> Vec<String> {
        error.errors.into_iter().map(|one| one.path).collect()
    }

    #[test]
    fn everything_wrong_with_an_invitation_is_said_at_once() {
        let invite = |extra: serde_json::Value| {
            let mut input = json!({"customer_id": Uuid::nil(), "email": " Ada@Example.COM "});
            input.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
            patch::read::<NewInvite>(input).unwrap().prepare()
        };
        let plain = invite(json!({})).unwrap();
        assert_eq!(
            (plain.email.as_str(), plain.role, plain.hours),
            ("ada@example.com", AccountRole::Customer, 168)
        );
        let access = json!([{"customer_id": Uuid::nil()}]);
        let wrong = invite(json!({"email": "x", "expires_in_hours": 0, "access": access.clone()}));
        assert_eq!(paths(wrong.unwrap_err()), ["email", "expires_in_hours", "access"]);
        assert_eq!(
            invite(json!({"role": "property_manager", "access": access})).unwrap().access.len(),
            1
        );
    }

    #[test]
    fn only_those_who_manage_are_portal_managers() {
        for role in AccountRole::ALL {
            let manager = role.profile_role() == Role::PortalManager;
            assert_eq!(manager, matches!(role, AccountRole::PropertyManager | AccountRole::Admin));
            assert!(!role.profile_role().is_staff());
        }
    }

    #[test]
    fn a_phone_is_read_with_the_orgs_country_or_refused() {
        let prepare = |phone| {
            ProfilePatch { phone: Some(Some(String::from(phone))), ..ProfilePatch::default() }
                .prepare("US")
        };
        assert_eq!(prepare("(415) 555-2671").unwrap().phone, Some(Some("+14155552671".to_owned())));
        assert_eq!(prepare(" ").unwrap().phone, Some(None));
        assert_eq!(paths(prepare("12").unwrap_err()), ["phone"]);
    }

    #[test]
    fn quiet_hours_are_whole_and_zones_are_known() {
        let read = |input| patch::read::<NotificationPatch>(input).unwrap().check();
        assert!(read(json!({"quiet_hours_start": "22:00", "quiet_hours_end": "07:00", "timezone": "Europe/Zurich"})).is_ok());
        assert!(
            read(json!({"quiet_hours_start": null, "quiet_hours_end": null, "timezone": null}))
                .is_ok()
        );
        let wrong = json!({"quiet_hours_start": "22:00", "timezone": "Middle/Earth"});
        assert_eq!(paths(read(wrong).unwrap_err()), ["quiet_hours_end", "timezone"]);
        assert!(patch::read::<NotificationPatch>(json!({"notify_marketing_email": null})).is_err());
    }
}
