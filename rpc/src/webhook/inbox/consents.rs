//! What senders say about being written to.

use std::collections::HashSet;

use fieldcrm_core::Result;
use serde_json::json;

use fieldcrm_core::channel::ChannelKind;
use fieldcrm_core::webhook::{DeliveryStatus, Event, EventType};

use super::{CONSENT, Inbox, Outcome};
use crate::{Db, call_as};

impl Inbox<'_> {
    pub(super) async fn consents(&mut self, db: &mut impl Db, events: &[&Event]) -> Result<()> {
        let stop = if self.channel == ChannelKind::Email { "unsubscribe" } else { "stop" };
        let mut consents = Vec::new();
        let mut stopped: HashSet<String> = HashSet::new();
        // Ordinary answers, unless they take back a STOP.
        let mut answers: Vec<(&Event, Vec<String>)> = Vec::new();
        for (n, event) in events.iter().enumerate() {
            let reason = match event.r#type {
                EventType::OptIn => None,
                EventType::Bounce => Some("bounce"),
                EventType::Complaint => Some("complaint"),
                _ => Some(stop),
            };
            let Some(who) = event.about(self.channel, self.route.country()) else {
                self.set(event, Outcome::kept("unknown", event));
                continue;
            };
            // Whoever writes to another spelling of the number must not reach them either.
            let spellings = who.spellings();
            consents.extend(spellings.iter().map(
                |address| json!({"n": n, "address": address, "reason": reason, "at": event.occurred_at}),
            ));
            if reason == Some(stop) {
                stopped.extend(spellings);
            } else if reason.is_none()
                && event.is_only_after_stop()
                && !spellings.iter().any(|address| stopped.contains(address))
            {
                answers.push((event, spellings));
            }
            // What the bounce said of its message stays, or waits for it; without the address, so that there is nothing to erase.
            let known = self.outcomes.get(&event.id).filter(|outcome| outcome.name == "status");
            let early =
                event.provider_message_id.as_ref().filter(|_| event.r#type == EventType::Bounce);
            let about = match (known, early) {
                (Some(known), _) => known.clone(),
                (None, Some(id)) => Outcome {
                    payload: json!({"provider_message_id": id, "status": DeliveryStatus::Failed,
                        "error_code": event.error_code}),
                    ..Outcome::default()
                },
                (None, None) => Outcome::default(),
            };
            let name = event.r#type.as_str().to_owned();
            self.set(event, Outcome { name, ..about });
        }
        if consents.is_empty() {
            return Ok(());
        }
        let document = json!({
            "org_id": self.route.org_id, "channel": self.channel, "consents": consents,
        });
        let started: Vec<String> = call_as(db, CONSENT, &document).await?;
        for (event, spellings) in answers {
            if !spellings.iter().any(|address| started.contains(address)) {
                self.set(event, Outcome::of("ignored"));
            }
        }
        Ok(())
    }
}
