//! What the owners of portal accounts are told: notices that triggers wrote down become messages of the outbox.

use std::collections::{BTreeMap, BTreeSet};

use fieldcrm_core::automation::Purpose;
use fieldcrm_core::batch::Batch;
use fieldcrm_core::portal_notice::{Notice, Text, Wishes};
use fieldcrm_core::{Code, Error, Result, patch};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::outbox::{NewMessage, OutboxChannel, Recipient, enqueue};
use crate::{Db, call_as, session};

const CLAIM: &str = include_str!("../sql/portal_notice/claim.sql");

#[derive(Deserialize)]
struct Claimed {
    taken: u64,
    notices: Vec<Told>,
}

#[derive(Deserialize)]
struct Told {
    org_id: Uuid,
    notice: Notice,
    accounts: Vec<Reader>,
}

#[derive(Deserialize)]
struct Reader {
    customer_id: Uuid,
    /// Absent: those of the table's defaults.
    wishes: Option<Wishes>,
    email_contact_id: Option<Uuid>,
    sms_contact_id: Option<Uuid>,
}

/// `crm_send_portal_notices(batch_limit)`: a job's. {notices, messages}; over all orgs unless one is selected.
pub async fn send<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let batch_limit = patch::read::<Batch>(arguments)?.prepare()?;
    let caller = session::current(db).await?;
    if !caller.service {
        return Err(Error::new(Code::Forbidden, "This is for back-end sessions only."));
    }
    let document = json!({"org_id": caller.org_id, "batch_limit": batch_limit});
    let claimed: Claimed = call_as(db, CLAIM, &document).await?;
    let mut messages: BTreeMap<Uuid, Vec<NewMessage>> = BTreeMap::new();
    for told in &claimed.notices {
        messages.entry(told.org_id).or_default().extend(told.messages());
    }
    let mut made = 0;
    for (org_id, messages) in messages {
        let done = enqueue(db, org_id, None, messages).await?;
        made += done.iter().filter(|message| message.created).count();
    }
    Ok(json!({"notices": claimed.taken, "messages": made}))
}

impl Told {
    fn messages(&self) -> Vec<NewMessage> {
        let Some(text) = self.notice.text() else { return Vec::new() };
        let by = |channel| {
            let readers = self.accounts.iter().filter_map(move |account| {
                let wishes = account.wishes.unwrap_or_default();
                let (email, sms) = self.notice.goes_by(wishes);
                match channel {
                    OutboxChannel::Email if email => {
                        Some((account.customer_id, account.email_contact_id))
                    }
                    OutboxChannel::Sms if sms => {
                        Some((account.customer_id, account.sms_contact_id))
                    }
                    _ => None,
                }
            });
            addresses(readers).into_iter().map(move |to| (channel, to))
        };
        by(OutboxChannel::Email)
            .chain(by(OutboxChannel::Sms))
            .map(|(channel, to)| self.message(channel, to, &text))
            .collect()
    }

    fn message(
        &self,
        channel: OutboxChannel,
        (customer_id, contact_id): Address,
        text: &Text,
    ) -> NewMessage {
        let is_email = channel == OutboxChannel::Email;
        let place = contact_id.map_or_else(|| "any".to_owned(), |id| id.to_string());
        NewMessage {
            recipient: Recipient::Customer(customer_id),
            channel,
            purpose: Purpose::Transactional,
            subject: is_email.then(|| text.subject.clone()),
            body: if is_email { text.html() } else { text.sms() },
            payload: None,
            template_id: None,
            automation_run_id: None,
            scheduled_at: None,
            expires_at: self.notice.expires_at(),
            dedupe_key: Some(format!(
                "portal_notice:{}:{customer_id}:{place}:{}",
                self.notice.id,
                if is_email { "email" } else { "sms" }
            )),
            contact_id,
        }
    }
}

type Address = (Uuid, Option<Uuid>);

/// Each place once. Who signs in with what is no contact of the customer is told where the customer is, unless somebody of theirs
/// is told at their own place: that may be the same one.
fn addresses(readers: impl Iterator<Item = Address>) -> BTreeSet<Address> {
    let all: BTreeSet<Address> = readers.collect();
    let known: BTreeSet<Uuid> = all
        .iter()
        .filter(|(_, contact)| contact.is_some())
        .map(|(customer, _)| *customer)
        .collect();
    all.into_iter()
        .filter(|(customer, contact)| contact.is_some() || !known.contains(customer))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_is_told_once_and_at_their_own_place() {
        let id = Uuid::from_u128;
        let told = addresses(
            [
                (id(1), Some(id(10))),
                (id(1), Some(id(11))),
                (id(1), None),
                (id(1), Some(id(10))),
                (id(2), None),
                (id(2), None),
            ]
            .into_iter(),
        );
        let expected = [(id(1), Some(id(10))), (id(1), Some(id(11))), (id(2), None)];
        assert_eq!(told.into_iter().collect::<Vec<_>>(), expected);
    }
}
