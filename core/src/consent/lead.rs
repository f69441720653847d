//! Leads: who wrote to us may be answered, where they wrote from.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use crate::customer::ContactType;

use super::{Channel, Customer, Decision, Endpoint, Facts, Org, Purpose, Reason, decide};

/// What is known of a lead.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Lead {
    /// Who the lead became.
    pub customer_id: Option<Uuid>,
    pub email: Option<String>,
    pub phone: Option<String>,
    /// The channels by which its addresses want nothing any more.
    pub stopped: Vec<Channel>,
}

impl Lead {
    fn address(&self, channel: Channel) -> Option<&str> {
        match channel {
            Channel::Email => self.email.as_deref(),
            Channel::Sms | Channel::Whatsapp | Channel::Call => self.phone.as_deref(),
        }
    }

    /// The customer, or whoever it is, with the lead's address as the only endpoint: the customer's own one, or
    /// one that nobody asked about.
    fn at(&self, address: &str, channel: Channel, customer: Option<&Customer>) -> Customer {
        let mut whole = customer.cloned().unwrap_or_default();
        whole.endpoints.retain(|endpoint| endpoint.value == address && endpoint.serves(channel));
        if whole.endpoints.is_empty() {
            let r#type = match channel {
                Channel::Email => ContactType::Email,
                Channel::Sms | Channel::Whatsapp | Channel::Call => ContactType::Mobile,
            };
            whole.endpoints.push(Endpoint {
                id: Uuid::nil(),
                r#type,
                value: address.to_owned(),
                created_at: DateTime::UNIX_EPOCH,
                preferred: false,
                primary: false,
                verified: false,
                opt_in_marketing: false,
                opt_in_transactional: true,
                stopped: self.stopped.clone(),
            });
        }
        whole
    }

    /// Whether the lead may be answered at that moment. `customer`: who the lead became, if it did; they have the
    /// say they always have.
    #[must_use]
    pub fn decide(
        &self,
        org: &Org,
        customer: Option<&Customer>,
        channel: Channel,
        purpose: Purpose,
        expires_at: Option<DateTime<Utc>>,
        at: DateTime<Utc>,
    ) -> Decision {
        if customer.is_some_and(|customer| customer.closed) {
            return Decision::refused(Reason::Closed);
        }
        let Some(address) = self.address(channel) else {
            return Decision::refused(Reason::NoAddress);
        };
        let customer = self.at(address, channel, customer);
        let facts = Facts { org, customer: &customer, earlier: &[], endpoint_id: None, expires_at };
        // The endpoint is the lead's, whatever contact has it too.
        Decision { endpoint_id: None, ..decide(&facts, channel, purpose, at) }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::super::{Preferences, Verdict};
    use super::*;

    fn lead() -> Lead {
        Lead { email: Some("ada@leads.example".to_owned()), ..Lead::default() }
    }

    fn ask(
        lead: &Lead,
        customer: Option<&Customer>,
        channel: Channel,
        purpose: Purpose,
    ) -> Decision {
        let org = Org { time_zone: "UTC".to_owned(), ..Org::default() };
        let at = Utc.with_ymd_and_hms(2026, 3, 2, 12, 0, 0).unwrap();
        lead.decide(&org, customer, channel, purpose, None, at)
    }

    #[test]
    fn who_wrote_may_be_answered_but_gets_no_marketing() {
        let decision = ask(&lead(), None, Channel::Email, Purpose::Transactional);
        assert_eq!(
            (decision.verdict, decision.to.as_deref()),
            (Verdict::Allowed, Some("ada@leads.example"))
        );
        assert_eq!(decision.endpoint_id, None);
        let decision = ask(&lead(), None, Channel::Email, Purpose::Marketing);
        assert_eq!(decision.code, Reason::OptedOut);
        let decision = ask(&lead(), None, Channel::Sms, Purpose::Transactional);
        assert_eq!(decision.code, Reason::NoAddress);
    }

    #[test]
    fn an_address_that_said_stop_gets_nothing() {
        let lead = Lead { stopped: vec![Channel::Email], ..lead() };
        assert_eq!(ask(&lead, None, Channel::Email, Purpose::Transactional).code, Reason::Stopped);
    }

    #[test]
    fn the_customer_that_a_lead_became_has_their_say() {
        let wishes = Preferences { do_not_email: true, ..Preferences::default() };
        let customer = Customer { preferences: Some(wishes), ..Customer::default() };
        let say = |customer: &Customer| {
            ask(&lead(), Some(customer), Channel::Email, Purpose::Transactional).code
        };
        assert_eq!(say(&customer), Reason::DoNotEmail);
        assert_eq!(say(&Customer { closed: true, ..Customer::default() }), Reason::Closed);
        let mut known = lead().at("ada@leads.example", Channel::Email, None);
        assert_eq!(say(&known), Reason::Allowed);
        known.endpoints[0].opt_in_transactional = false;
        assert_eq!(say(&known), Reason::OptedOut);
        known.endpoints[0].value = "other@leads.example".to_owned();
        assert_eq!(say(&known), Reason::Allowed);
    }
}
