//! What the events of one delivery mean, kind by kind: each kind is a few statements, however many events.

use std::collections::{BTreeMap, HashMap};

use fieldcrm_core::Result;
use fieldcrm_core::channel::ChannelKind;
use fieldcrm_core::form::FormSettings;
use fieldcrm_core::lead::{LeadRow, source, split_name};
use fieldcrm_core::webhook::{DeliveryStatus, Event, EventType, Sender};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Outcome, Route};
use crate::conversation::{Incoming, open, receive};
use crate::{Db, attachment, call_as};

mod consents;

const MATCH: &str = include_str!("../../sql/webhook/match.sql");
const STATUS: &str = include_str!("../../sql/webhook/status.sql");
const REACT: &str = include_str!("../../sql/webhook/react.sql");
const LOG: &str = include_str!("../../sql/webhook/log.sql");
const CONSENT: &str = include_str!("../../sql/webhook/consent.sql");

/// Events on their way in.
pub(super) struct Inbox<'a> {
    provider: &'a str,
    channel: ChannelKind,
    route: &'a Route,
    /// By the id of the event.
    pub outcomes: BTreeMap<String, Outcome>,
}

/// A message whose sender can be known.
struct Letter<'a> {
    event: &'a Event,
    sender: Sender,
    lead_id: Option<Uuid>,
    /// Of a sender who is no lead.
    customer_id: Option<Uuid>,
    is_new: bool,
}

/// A row of what `webhook/match.sql` answers.
#[derive(Deserialize)]
struct Match {
    n: usize,
    lead_id: Option<Uuid>,
    customer_id: Option<Uuid>,
    first_name: Option<String>,
    last_name: Option<String>,
}

/// A row of what `webhook/log.sql` answers.
#[derive(Deserialize)]
struct Logged {
    n: usize,
    interaction_id: Uuid,
    created: bool,
}

/// Which message of ours an event is about.
#[derive(Clone, Deserialize)]
struct About {
    #[serde(rename = "message_id")]
    message: Option<Uuid>,
    #[serde(rename = "lead_id")]
    lead: Option<Uuid>,
    #[serde(rename = "conversation_id")]
    conversation: Option<Uuid>,
}

/// A row of what `webhook/react.sql` answers.
#[derive(Deserialize)]
struct Reaction {
    n: usize,
    #[serde(flatten)]
    about: About,
}

impl<'a> Inbox<'a> {
    pub fn new(provider: &'a str, channel: ChannelKind, route: &'a Route) -> Self {
        Self { provider, channel, route, outcomes: BTreeMap::new() }
    }

    /// All events, none of which came before.
    pub async fn take(&mut self, db: &mut impl Db, events: &[&Event]) -> Result<()> {
        let of = |kinds: &[EventType]| -> Vec<&Event> {
            events.iter().copied().filter(|event| kinds.contains(&event.r#type)).collect()
        };
        self.messages(db, &of(&[EventType::Message])).await?;
        self.reactions(db, &of(&[EventType::Reaction])).await?;
        self.statuses(db, &of(&[EventType::Status, EventType::Bounce])).await?;
        let consents =
            [EventType::OptOut, EventType::OptIn, EventType::Bounce, EventType::Complaint];
        self.consents(db, &of(&consents)).await?;
        for event in of(&[EventType::Unknown]) {
            self.set(event, Outcome::kept("unknown", event));
        }
        Ok(())
    }

    fn set(&mut self, event: &Event, outcome: Outcome) {
        self.outcomes.insert(event.id.clone(), outcome);
    }

    async fn messages(&mut self, db: &mut impl Db, events: &[&Event]) -> Result<()> {
        let mut letters = Vec::new();
        for event in events {
            match event.sender(self.channel, self.route.country()) {
                Some(sender) => {
                    let (lead_id, customer_id) = (None, None);
                    letters.push(Letter { event, sender, lead_id, customer_id, is_new: false });
                }
                // Short codes, names, no sender at all: nobody to link it to.
                None => self.set(event, Outcome::kept("unknown", event)),
            }
        }
        if letters.is_empty() {
            return Ok(());
        }
        self.link(db, &mut letters).await?;
        let (linked, homeless): (Vec<_>, Vec<_>) =
            letters.into_iter().partition(|letter| letter.lead_id.is_some());
        // No project takes them as leads. Customers are known without one.
        let (customers, strangers): (Vec<_>, Vec<_>) =
            homeless.into_iter().partition(|letter| letter.customer_id.is_some());
        for letter in strangers {
            let mut outcome = Outcome::kept("no_project", letter.event);
            // As contacts have it: who turns out to be this sender can be forgotten.
            outcome.payload["from"] = letter.sender.address().into();
            self.set(letter.event, outcome);
        }
        self.log(db, customers).await?;
        self.write_down(db, linked).await
    }

    /// What customers say, without a lead and its conversation.
    async fn log(&mut self, db: &mut impl Db, letters: Vec<Letter<'_>>) -> Result<()> {
        if letters.is_empty() {
            return Ok(());
        }
        let messages: Vec<_> =
            letters.iter().map(|letter| self.message(letter, Uuid::nil(), None)).collect();
        let (distinct, of) = distinct(messages);
        let rows: Vec<_> = distinct
            .iter()
            .map(|message| {
                // The first of the letters that are this message.
                let place = of.iter().position(|n| *n == message.n).unwrap_or_default();
                let mut row = json!(message);
                row["customer_id"] = json!(letters[place].customer_id);
                row
            })
            .collect();
        let document = json!({
            "org_id": self.route.org_id, "channel": self.channel, "provider": self.provider, "messages": rows,
        });
        let logged: Vec<Logged> = call_as(db, LOG, &document).await?;
        let new = logged.iter().filter(|row| row.created);
        let new = new.map(|row| (row.interaction_id, &distinct[row.n].metadata));
        attachment::add(db, self.route.org_id, new).await?;
        let mut logged: HashMap<usize, Logged> =
            logged.into_iter().map(|row| (row.n, row)).collect();
        for (letter, n) in letters.iter().zip(of) {
            let Some(row) = logged.get_mut(&n) else { continue };
            let outcome = Outcome {
                created: row.created,
                interaction_id: Some(row.interaction_id),
                ..Outcome::of("interaction")
            };
            row.created = false;
            self.set(letter.event, outcome);
        }
        Ok(())
    }

    /// Finds the lead of each letter, and makes one of each sender that nobody knows.
    async fn link(&self, db: &mut impl Db, letters: &mut [Letter<'_>]) -> Result<()> {
        let place = self.route.place();
        let senders: Vec<_> = letters
            .iter()
            .enumerate()
            .map(|(n, letter)| {
                let answers = letter.event.answers();
                // Of what we sent, the Message-ID begins with our id.
                let answered: Vec<Uuid> =
                    answers.iter().filter_map(|id| id.split('@').next()?.parse().ok()).collect();
                json!({"n": n, "addresses": letter.sender.spellings(), "answers": answers,
                    "answered": answered})
            })
            .collect();
        let document = json!({
            "org_id": self.route.org_id, "channel": self.channel,
            "project_id": place.map(|place| place.project_id), "senders": senders,
        });
        let matches: Vec<Match> = call_as(db, MATCH, &document).await?;
        // By the sender's key, in the order in which they wrote.
        let mut unknown: Vec<(String, LeadRow)> = Vec::new();
        let mut matches: HashMap<usize, Match> =
            matches.into_iter().map(|found| (found.n, found)).collect();
        for (n, letter) in letters.iter_mut().enumerate() {
            let Some(found) = matches.remove(&n) else { continue };
            letter.lead_id = found.lead_id;
            letter.customer_id = found.customer_id;
            let key = letter.sender.key();
            if found.lead_id.is_none() && !unknown.iter().any(|(known, _)| known == key) {
                unknown.push((key.to_owned(), self.lead(letter, found)));
            }
        }
        let Some(place) = place.filter(|_| !unknown.is_empty()) else { return Ok(()) };
        let (keys, rows): (Vec<_>, Vec<_>) = unknown.into_iter().unzip();
        let made = place.add(db, None, rows).await?;
        let ids = made.iter().map(|row| row["id"].as_str().and_then(|id| id.parse().ok()));
        let made: HashMap<String, Option<Uuid>> = keys.into_iter().zip(ids).collect();
        for letter in letters.iter_mut().filter(|letter| letter.lead_id.is_none()) {
            letter.lead_id = made.get(letter.sender.key()).copied().flatten();
            letter.is_new = letter.lead_id.is_some();
        }
        Ok(())
    }

    /// The lead that an unknown sender becomes.
    fn lead(&self, letter: &Letter<'_>, found: Match) -> LeadRow {
        let (first_name, last_name) =
            split_name(letter.event.from_name.as_deref().unwrap_or_default());
        let (first_name, last_name) = match (first_name, last_name) {
            (None, None) => (found.first_name, found.last_name),
            names => names,
        };
        let settings = FormSettings::read(&self.route.settings).unwrap_or_default();
        let mut row = LeadRow {
            first_name,
            last_name,
            source: settings
                .source
                .as_deref()
                .and_then(source)
                .or_else(|| Some(self.channel.as_str().to_owned())),
            customer_id: found.customer_id,
            ..LeadRow::default()
        };
        match &letter.sender {
            Sender::Email(address) => row.email = Some(address.clone()),
            Sender::Phone { e164, .. } => row.phone = Some(e164.clone()),
        }
        row
    }

    async fn write_down(&mut self, db: &mut impl Db, letters: Vec<Letter<'_>>) -> Result<()> {
        let mut lead_ids: Vec<_> = letters.iter().filter_map(|letter| letter.lead_id).collect();
        lead_ids.sort();
        lead_ids.dedup();
        if lead_ids.is_empty() {
            return Ok(());
        }
        let channel = json!(self.channel);
        let open = open(db, self.route.org_id, &channel, &lead_ids).await?;
        let messages = letters.iter().map(|letter| {
            let lead_id = letter.lead_id.unwrap_or_default();
            self.message(letter, lead_id, open.get(&lead_id).copied())
        });
        let (messages, message_of) = distinct(messages.collect());
        let provider = Some(self.provider);
        let received = receive(db, self.route.org_id, &channel, provider, &messages).await?;
        let mut received: HashMap<usize, _> =
            received.into_iter().map(|row| (row.n, row)).collect();
        for (letter, n) in letters.iter().zip(message_of) {
            let Some(row) = received.get_mut(&n) else { continue };
            let outcome = Outcome {
                created: row.created,
                lead_created: letter.is_new,
                lead_id: Some(row.lead_id),
                conversation_id: row.conversation_id,
                message_id: Some(row.id),
                ..Outcome::of("message")
            };
            row.created = false;
            self.set(letter.event, outcome);
        }
        Ok(())
    }

    fn message(
        &self,
        letter: &Letter<'_>,
        lead_id: Uuid,
        conversation_id: Option<Uuid>,
    ) -> Incoming {
        let event = letter.event;
        let mut metadata: Map<String, Value> = event.metadata.clone().unwrap_or_default();
        let mut say = |key: &str, value: Option<&str>| {
            if let Some(value) = value {
                metadata.insert(key.to_owned(), value.into());
            }
        };
        say("from", Some(letter.sender.address()));
        say("from_name", event.from_name.as_deref());
        say("subject", event.subject.as_deref());
        if self.channel == ChannelKind::Email {
            say("message_id", event.message_id().as_deref());
            say("in_reply_to", event.answers().first().map(String::as_str));
        }
        Incoming {
            n: 0,
            lead_id,
            conversation_id: conversation_id.unwrap_or_default(),
            content: event.content.clone().unwrap_or_default(),
            subject: event.subject.clone(),
            metadata,
            // Without an id of the message, that of the event keeps it single.
            provider_message_id: event.provider_message_id.clone().or(Some(event.id.clone())),
            occurred_at: json!(event.occurred_at),
        }
    }

    async fn reactions(&mut self, db: &mut impl Db, events: &[&Event]) -> Result<()> {
        let mut asked = Vec::new();
        for (n, event) in events.iter().enumerate() {
            let sender = event.sender(self.channel, self.route.country());
            let target = event.in_reply_to.as_ref().or(event.provider_message_id.as_ref());
            let emoji = event.content.as_deref().map(str::trim).filter(|text| !text.is_empty());
            if let (Some(sender), Some(target)) = (sender, target) {
                asked.push(json!({
                    "n": n, "sender": sender.address(), "emoji": emoji,
                    "provider_message_id": target, "occurred_at": event.occurred_at,
                }));
            }
        }
        let reactions: Vec<Reaction> = if asked.is_empty() {
            Vec::new()
        } else {
            let document = json!({
                "org_id": self.route.org_id, "provider": self.provider, "reactions": asked,
            });
            call_as(db, REACT, &document).await?
        };
        let mut found: HashMap<usize, About> =
            reactions.into_iter().map(|reaction| (reaction.n, reaction.about)).collect();
        for (n, event) in events.iter().enumerate() {
            let outcome = match found.remove(&n) {
                Some(about) => about.outcome("message"),
                None => Outcome::kept("ignored", event),
            };
            self.set(event, outcome);
        }
        Ok(())
    }

    /// How far messages came; what bounced failed.
    async fn statuses(&mut self, db: &mut impl Db, events: &[&Event]) -> Result<()> {
        let mut furthest: BTreeMap<&str, (DeliveryStatus, &Event)> = BTreeMap::new();
        for event in events {
            if let (Some(id), Some(status)) = (&event.provider_message_id, status_of(event)) {
                let known = furthest.entry(id).or_insert((status, event));
                if rank(status) > rank(known.0) {
                    *known = (status, event);
                }
            }
        }
        let found: HashMap<String, About> = if furthest.is_empty() {
            HashMap::new()
        } else {
            let statuses: Vec<_> = furthest
                .iter()
                .map(|(id, (status, event))| {
                    json!({"provider_message_id": id, "status": status,
                        "error_code": event.error_code, "error_message": event.error_message})
                })
                .collect();
            let document = json!({
                "org_id": self.route.org_id, "provider": self.provider, "statuses": statuses,
            });
            call_as(db, STATUS, &document).await?
        };
        for event in events {
            let about = event.provider_message_id.as_ref().and_then(|id| found.get(id));
            let outcome = match (about, status_of(event)) {
                (Some(about), Some(_)) => about.clone().outcome("status"),
                // It may be here before we know its message.
                (None, Some(_)) if event.provider_message_id.is_some() => {
                    Outcome::kept("ignored", event)
                }
                _ => Outcome::kept("unknown", event),
            };
            self.set(event, outcome);
        }
        Ok(())
    }
}

/// The messages, each once, and which of them each is: one id of a provider's is one message, whatever the events.
fn distinct(all: Vec<Incoming>) -> (Vec<Incoming>, Vec<usize>) {
    let mut messages: Vec<Incoming> = Vec::new();
    let mut message_of = Vec::new();
    for message in all {
        let same = messages.iter().position(|other| {
            other.provider_message_id.is_some()
                && other.provider_message_id == message.provider_message_id
        });
        message_of.push(same.unwrap_or(messages.len()));
        if same.is_none() {
            messages.push(Incoming { n: messages.len(), ..message });
        }
    }
    (messages, message_of)
}

impl About {
    fn outcome(self, outcome: &str) -> Outcome {
        Outcome {
            lead_id: self.lead,
            conversation_id: self.conversation,
            message_id: self.message,
            ..Outcome::of(outcome)
        }
    }
}

fn status_of(event: &Event) -> Option<DeliveryStatus> {
    if event.r#type == EventType::Bounce { Some(DeliveryStatus::Failed) } else { event.status }
}

/// Of two statuses of a message the later one, in whatever order they come.
fn rank(status: DeliveryStatus) -> u8 {
    match status {
        DeliveryStatus::Sent => 0,
        DeliveryStatus::Failed => 1,
        DeliveryStatus::Delivered => 2,
        DeliveryStatus::Read => 3,
    }
}
