//! Which endpoint of a customer a message goes to.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use crate::customer::ContactType;

use super::{Channel, Customer, Purpose, Reason};

/// A row of `customer_contacts`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools, reason = "columns of a table")]
pub struct Endpoint {
    pub id: Uuid,
    pub r#type: ContactType,
    pub value: String,
    pub created_at: DateTime<Utc>,
    pub preferred: bool,
    pub primary: bool,
    pub verified: bool,
    pub opt_in_marketing: bool,
    pub opt_in_transactional: bool,
    /// The channels by which its address wants nothing any more.
    pub stopped: Vec<Channel>,
}

impl Endpoint {
    pub(super) fn serves(&self, channel: Channel) -> bool {
        matches!(
            (channel, self.r#type),
            (Channel::Email, ContactType::Email)
                | (Channel::Sms, ContactType::Mobile)
                | (Channel::Whatsapp, ContactType::Whatsapp | ContactType::Mobile)
                | (Channel::Call, ContactType::Mobile | ContactType::Phone)
        )
    }

    /// Why nothing of the purpose may go to it.
    fn objection(
        &self,
        channel: Channel,
        purpose: Purpose,
        allow_unverified: bool,
    ) -> Option<Reason> {
        let marketing = purpose == Purpose::Marketing;
        let opted_in = if marketing { self.opt_in_marketing } else { self.opt_in_transactional };
        if self.stopped.contains(&channel) {
            Some(Reason::Stopped)
        } else if !opted_in {
            Some(Reason::OptedOut)
        } else if marketing && !self.verified && !allow_unverified {
            Some(Reason::NotVerified)
        } else {
            None
        }
    }
}

/// The endpoint, and what there is against it: the one that was asked for, or else of those without an
/// objection the preferred one, the primary one, the oldest one. A mobile number stands for `WhatsApp` only
/// where no number is given for that: who said no to the one did not mean the other.
pub(super) fn choose(
    customer: &Customer,
    asked: Option<Uuid>,
    channel: Channel,
    purpose: Purpose,
    allow_unverified: bool,
) -> Option<(&Endpoint, Option<Reason>)> {
    let of_its_own = channel == Channel::Whatsapp
        && asked.is_none()
        && customer.endpoints.iter().any(|endpoint| endpoint.r#type == ContactType::Whatsapp);
    customer
        .endpoints
        .iter()
        .filter(|endpoint| endpoint.serves(channel))
        .filter(|endpoint| asked.is_none_or(|asked| endpoint.id == asked))
        .filter(|endpoint| !of_its_own || endpoint.r#type == ContactType::Whatsapp)
        .map(|endpoint| (endpoint, endpoint.objection(channel, purpose, allow_unverified)))
        .min_by_key(|(endpoint, objection)| {
            let order = (endpoint.created_at, endpoint.id);
            (objection.is_some(), !endpoint.preferred, !endpoint.primary, order)
        })
}
