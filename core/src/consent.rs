//! Consent: whether a customer may be written to or called, by which channel, for which purpose, and when.
//!
//! Every layer has its say (the company's note of the customer, the customer's preferences, the endpoint,
//! the portal, the org), and the most restrictive wins: refused before deferred before allowed. Of several
//! refusals the first in the order of [`Reason`] is told; of several deferrals the one that lasts longest.
//! [`decide`] is the only place: the insert into the outbox, the claim of what goes out, and whoever asks call it.

mod clock;
mod endpoint;
mod lead;
#[cfg(test)]
mod tests;

pub use crate::automation::Purpose;
pub use endpoint::Endpoint;
pub use lead::Lead;

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::customer::choices;
use clock::{Daily, zone};

choices! {
    /// How a customer is reached. `WhatsApp` counts as SMS where a layer knows only that.
    Channel { Email = "email", Sms = "sms", Whatsapp = "whatsapp", Call = "call", }
}
choices! {
    Verdict { Allowed = "allowed", Deferred = "deferred", Refused = "refused", }
}
choices! {
    /// What was decided and why: stable codes. The refusals come in the order in which they are looked at.
    Reason {
        Allowed = "allowed",
        // The customer.
        Closed = "closed", DoNotContact = "do_not_contact", Blacklisted = "blacklisted", Archived = "archived",
        DoNotEmail = "do_not_email", DoNotSms = "do_not_sms", DoNotCall = "do_not_call", Suppressed = "suppressed",
        // The endpoint.
        NoAddress = "no_address", Stopped = "stopped", OptedOut = "opted_out", NotVerified = "not_verified",
        PortalOptedOut = "portal_opted_out",
        // The moment: FrequencyCap refuses where none is allowed at all, else it defers.
        FrequencyCap = "frequency_cap", OutsideWindow = "outside_window", QuietHours = "quiet_hours",
        NoTime = "no_time", Expired = "expired",
        // Messages to members of the org.
        InactiveMember = "inactive_member",
    }
}

/// How far beyond the last cap a moment is looked for that suits all layers: each of them repeats itself
/// daily, and clocks are changed no more than once in that time.
const HORIZON: Duration = Duration::days(15);

impl Reason {
    /// One sentence for people; nothing to say where it is allowed.
    #[must_use]
    pub const fn sentence(self) -> Option<&'static str> {
        Some(match self {
            Self::Allowed => return None,
            Self::Closed => "The customer was erased or merged into another one.",
            Self::DoNotContact => "The customer wants no contact.",
            Self::Blacklisted => "The customer is blacklisted.",
            Self::Archived => "The customer is archived, and archived customers get no marketing.",
            Self::DoNotEmail => "The customer wants no e-mail.",
            Self::DoNotSms => "The customer wants no text messages.",
            Self::DoNotCall => "The customer wants no calls.",
            Self::Suppressed => "The customer is in the suppression segment.",
            Self::NoAddress => "There is no address for this channel.",
            Self::Stopped => "This address said stop, bounced or complained.",
            Self::OptedOut => "The customer has not opted in to this at the address.",
            Self::NotVerified => "Nobody has verified the address, and marketing needs that.",
            Self::PortalOptedOut => {
                "The customer turned marketing by this channel off in the portal."
            }
            Self::FrequencyCap => "The customer had as much marketing as the cap allows.",
            Self::OutsideWindow => {
                "It is outside of the hours at which the customer wants to be contacted."
            }
            Self::QuietHours => "It is in quiet hours.",
            Self::NoTime => "Quiet hours and the contact window leave no time at all.",
            Self::Expired => "It would be too late by then.",
            Self::InactiveMember => "The member is not active any more.",
        })
    }
}

/// What is known of a customer. The statement that reads it gives arrays of the fields in their order, of this and of what
/// is in it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools, reason = "columns of a table")]
pub struct Customer {
    /// Erased, or merged into another one.
    pub closed: bool,
    pub archived: bool,
    pub blacklisted: bool,
    /// Member of the org's suppression segment.
    pub suppressed: bool,
    pub preferences: Option<Preferences>,
    pub endpoints: Vec<Endpoint>,
    /// The preferences of their active portal accounts.
    pub portal: Vec<Portal>,
}

/// `crm_preferences`. Times of the day are in seconds since midnight, of the customer's zone.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools, reason = "columns of a table")]
pub struct Preferences {
    pub do_not_contact: bool,
    pub do_not_email: bool,
    pub do_not_sms: bool,
    pub do_not_call: bool,
    pub window_start: Option<u32>,
    pub window_end: Option<u32>,
}

/// `portal_notification_preferences`, as far as they are about consent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Portal {
    /// Of the account.
    pub created_at: DateTime<Utc>,
    pub marketing_email: bool,
    pub marketing_sms: bool,
    pub quiet_start: Option<u32>,
    pub quiet_end: Option<u32>,
    pub time_zone: Option<String>,
}

/// What an org decides for all its messages.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Org {
    pub time_zone: String,
    pub quiet_start: Option<u32>,
    pub quiet_end: Option<u32>,
    pub allow_unverified: bool,
    /// How many marketing messages a customer gets at most in `cap_hours`.
    pub cap_count: Option<u32>,
    pub cap_hours: Option<u32>,
}

/// Everything the decision depends on, but for channel, purpose and time.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub org: &'a Org,
    pub customer: &'a Customer,
    /// When the customer got the marketing that counts, or is to get it; in any order.
    pub earlier: &'a [DateTime<Utc>],
    /// The endpoint that was asked for.
    pub endpoint_id: Option<Uuid>,
    pub expires_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub verdict: Verdict,
    pub code: Reason,
    /// The first moment at which all layers agree, where it is deferred.
    pub retry_at: Option<DateTime<Utc>>,
    /// The endpoint it is about, where there is one.
    pub endpoint_id: Option<Uuid>,
    pub to: Option<String>,
}

impl Decision {
    /// Nobody's consent is needed.
    #[must_use]
    pub const fn allowed(to: Option<String>) -> Self {
        Self {
            verdict: Verdict::Allowed,
            code: Reason::Allowed,
            retry_at: None,
            endpoint_id: None,
            to,
        }
    }

    #[must_use]
    pub const fn refused(code: Reason) -> Self {
        Self { verdict: Verdict::Refused, code, retry_at: None, endpoint_id: None, to: None }
    }
}

/// Whether the customer may be reached at that moment.
#[must_use]
pub fn decide(
    facts: &Facts<'_>,
    channel: Channel,
    purpose: Purpose,
    at: DateTime<Utc>,
) -> Decision {
    let Facts { org, customer, .. } = facts;
    if let Some(code) = refuses(customer, channel, purpose) {
        return Decision::refused(code);
    }
    let chosen =
        endpoint::choose(customer, facts.endpoint_id, channel, purpose, org.allow_unverified);
    let Some((endpoint, objection)) = chosen else {
        return Decision::refused(Reason::NoAddress);
    };
    let decided = |verdict, code, retry_at| Decision {
        verdict,
        code,
        retry_at,
        endpoint_id: Some(endpoint.id),
        to: Some(endpoint.value.clone()),
    };
    let refused = |code| decided(Verdict::Refused, code, None);
    let marketing = purpose == Purpose::Marketing;
    if let Some(code) = objection {
        return refused(code);
    }
    if marketing && customer.portal.iter().any(|portal| !portal.wants_marketing(channel)) {
        return refused(Reason::PortalOptedOut);
    }
    if marketing && org.cap_count == Some(0) {
        return refused(Reason::FrequencyCap);
    }
    match first_moment(&moments(facts, marketing), at) {
        Err(code) => refused(code),
        Ok((when, _)) if facts.expires_at.is_some_and(|end| end < when) => refused(Reason::Expired),
        Ok((when, Some(code))) => decided(Verdict::Deferred, code, Some(when)),
        Ok((_, None)) => decided(Verdict::Allowed, Reason::Allowed, None),
    }
}

/// What says no whatever the endpoint and the moment.
fn refuses(customer: &Customer, channel: Channel, purpose: Purpose) -> Option<Reason> {
    let wishes = customer.preferences.as_ref();
    let wants_none = |flag: fn(&Preferences) -> bool| wishes.is_some_and(flag);
    let by_channel = match channel {
        Channel::Email => (wants_none(|wishes| wishes.do_not_email), Reason::DoNotEmail),
        Channel::Sms | Channel::Whatsapp => {
            (wants_none(|wishes| wishes.do_not_sms), Reason::DoNotSms)
        }
        Channel::Call => (wants_none(|wishes| wishes.do_not_call), Reason::DoNotCall),
    };
    let layers = [
        (customer.closed, Reason::Closed),
        (wants_none(|wishes| wishes.do_not_contact), Reason::DoNotContact),
        (customer.blacklisted, Reason::Blacklisted),
        (customer.archived && purpose == Purpose::Marketing, Reason::Archived),
        by_channel,
        (customer.suppressed, Reason::Suppressed),
    ];
    layers.into_iter().find_map(|(objects, code)| objects.then_some(code))
}

impl Portal {
    fn wants_marketing(&self, channel: Channel) -> bool {
        match channel {
            Channel::Email => self.marketing_email,
            Channel::Sms | Channel::Whatsapp => self.marketing_sms,
            Channel::Call => true,
        }
    }
}

/// A layer that lets through at some moments only.
enum Moment {
    Daily(Daily),
    Cap { earlier: Vec<DateTime<Utc>>, count: usize, hours: Duration },
}

impl Moment {
    /// The first moment from this one on at which it lets through.
    fn next(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Daily(daily) => daily.next(at),
            Self::Cap { earlier, count, hours } => {
                let mut at = at;
                loop {
                    let passed = earlier.partition_point(|time| *time <= at);
                    let left = earlier.partition_point(|time| *time <= at - *hours);
                    if passed - left < *count {
                        return at;
                    }
                    at = earlier[passed - count] + *hours;
                }
            }
        }
    }

    /// When it stops being anything but a daily affair.
    fn settles(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Daily(_) => None,
            Self::Cap { earlier, hours, .. } => earlier.last().map(|last| *last + *hours),
        }
    }
}

/// The layers of time, in the order in which they are told of.
fn moments(facts: &Facts<'_>, marketing: bool) -> Vec<(Moment, Reason)> {
    let Facts { org, customer, .. } = facts;
    let mut moments = Vec::new();
    if let (true, Some(count), Some(hours)) = (marketing, org.cap_count, org.cap_hours)
        && !facts.earlier.is_empty()
    {
        let mut earlier = facts.earlier.to_vec();
        earlier.sort_unstable();
        let cap = Moment::Cap {
            earlier,
            count: usize::try_from(count).unwrap_or(usize::MAX).max(1),
            hours: Duration::hours(i64::from(hours)),
        };
        moments.push((cap, Reason::FrequencyCap));
    }
    let home = |named: Option<&str>| zone([named, Some(&org.time_zone)]);
    if let Some(wishes) = &customer.preferences
        && let Some(hours) = clock::window(wishes.window_start, wishes.window_end)
    {
        // The oldest account that has one.
        let zones = customer.portal.iter().filter(|portal| portal.time_zone.is_some());
        let oldest = zones.min_by_key(|portal| portal.created_at);
        let named = oldest.and_then(|portal| portal.time_zone.as_deref());
        moments.push((Moment::Daily(hours.at(home(named))), Reason::OutsideWindow));
    }
    for portal in &customer.portal {
        if let Some(hours) = clock::quiet(portal.quiet_start, portal.quiet_end) {
            let zone = home(portal.time_zone.as_deref());
            moments.push((Moment::Daily(hours.at(zone)), Reason::QuietHours));
        }
    }
    if marketing && let Some(hours) = clock::quiet(org.quiet_start, org.quiet_end) {
        moments.push((Moment::Daily(hours.at(home(None))), Reason::QuietHours));
    }
    moments
}

/// The first moment from `at` on at which all layers let through, and if that is not `at` which of them
/// held it up last.
fn first_moment(
    moments: &[(Moment, Reason)],
    at: DateTime<Utc>,
) -> Result<(DateTime<Utc>, Option<Reason>), Reason> {
    let settled = moments.iter().filter_map(|(moment, _)| moment.settles()).fold(at, DateTime::max);
    let mut when = at;
    loop {
        let next = moments.iter().map(|(moment, _)| moment.next(when)).fold(when, DateTime::max);
        if next == when {
            break;
        }
        if next > settled + HORIZON {
            return Err(Reason::NoTime);
        }
        when = next;
    }
    if when == at {
        return Ok((at, None));
    }
    let before = when - Duration::microseconds(1);
    let last = moments.iter().find(|(moment, _)| moment.next(before) != before);
    Ok((when, last.map(|(_, code)| *code)))
}
