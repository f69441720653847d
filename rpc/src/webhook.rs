//! What providers deliver: each event once, with what it means.

mod inbox;

use std::collections::{BTreeMap, HashMap, HashSet};

use fieldcrm_core::Result;
use fieldcrm_core::lead::Strategy;
use fieldcrm_core::webhook::{Delivery, Event, EventType};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::channel::{check_service, route};
use crate::lead::Place;
use crate::{Db, call_as, session};

use inbox::Inbox;

const LOCK: &str = include_str!("../sql/webhook/lock.sql");
const FIND_EVENTS: &str = include_str!("../sql/webhook/find_events.sql");
const STORE: &str = include_str!("../sql/webhook/store.sql");

/// More senders at once than this, and the delivery takes the whole org: locks are a table of a fixed size.
const MAX_KEYS: usize = 32;

/// Whose an address is.
#[derive(Debug, Deserialize)]
pub(crate) struct Route {
    pub id: Uuid,
    pub org_id: Uuid,
    client_id: Option<Uuid>,
    project_id: Option<Uuid>,
    pub settings: Value,
    is_enabled: bool,
    default_country: Option<String>,
    lead_assignment: Option<String>,
}

impl Route {
    pub fn country(&self) -> &str {
        self.default_country.as_deref().unwrap_or(crate::customer::FALLBACK_COUNTRY)
    }

    /// Where its leads are made.
    pub fn place(&self) -> Option<Place> {
        Some(Place {
            org_id: self.org_id,
            client_id: self.client_id?,
            project_id: self.project_id?,
            strategy: Strategy::of_settings(self.lead_assignment.as_deref()),
        })
    }

    /// `None` where the address is nobody's, or its channel is off.
    pub fn read(found: Value) -> Result<Option<Self>> {
        let route: Option<Self> = serde_json::from_value(found)
            .map_err(|error| fieldcrm_core::Error::internal(error.to_string()))?;
        Ok(route.filter(|route| route.is_enabled))
    }
}

/// What became of an event.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Outcome {
    #[serde(rename = "outcome")]
    pub name: String,
    #[serde(default)]
    pub created: bool,
    #[serde(default)]
    pub lead_created: bool,
    pub lead_id: Option<Uuid>,
    pub conversation_id: Option<Uuid>,
    pub message_id: Option<Uuid>,
    /// What a customer said where there is no project for leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interaction_id: Option<Uuid>,
    #[serde(skip)]
    pub payload: Value,
}

impl Outcome {
    pub fn of(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// Kept, for who can make something of it.
    pub fn kept(name: &str, event: &Event) -> Self {
        Self { payload: event.payload(), ..Self::of(name) }
    }
}

/// `crm_receive_webhook(provider, channel, address, events)`: the back end's. What an event means is written with the
/// event, in one transaction; a repeat changes nothing and answers what became of the first.
pub async fn receive<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let delivery = Delivery::read(arguments)?;
    let caller = session::current(db).await?;
    check_service(&caller)?;
    let found = route(db, &caller, delivery.channel, &delivery.address).await?;
    let Some(route) = Route::read(found)? else { return Ok(json!({"routed": false})) };
    lock(db, &route, &keys(&delivery, &route)).await?;

    let ids: Vec<_> = delivery.events.iter().map(|event| &event.id).collect();
    let key = json!({"org_id": route.org_id, "provider": delivery.provider, "ids": ids});
    let known: HashMap<String, Outcome> = call_as(db, FIND_EVENTS, &key).await?;
    let mut seen = HashSet::new();
    let fresh: Vec<&Event> = delivery
        .events
        .iter()
        .filter(|event| !known.contains_key(&event.id) && seen.insert(&event.id))
        .collect();
    let mut inbox = Inbox::new(&delivery.provider, delivery.channel, &route);
    inbox.take(db, &fresh).await?;
    let outcomes = inbox.outcomes;
    store(db, &route, &delivery.provider, &fresh, &outcomes).await?;

    let mut told = HashSet::new();
    let events: Vec<_> = delivery
        .events
        .iter()
        .map(|event| {
            let outcome = outcomes.get(&event.id).or_else(|| known.get(&event.id));
            let mut about = json!(outcome);
            about["id"] = json!(event.id);
            // The second of two in one delivery is a repeat too.
            if !told.insert(&event.id) {
                about["created"] = false.into();
                about["lead_created"] = false.into();
            }
            about
        })
        .collect();
    Ok(json!({"routed": true, "events": events}))
}

/// What must not happen twice at the same moment: what a sender does, or the event where there is no sender. And a
/// status is looked for by whoever learns what its message is called (`fieldcrm.apply_early_status`).
fn keys(delivery: &Delivery, route: &Route) -> Vec<String> {
    let (provider, country) = (&delivery.provider, route.country());
    let mut keys = Vec::with_capacity(delivery.events.len());
    for event in &delivery.events {
        let sender = match event.r#type {
            EventType::Status | EventType::Unknown => None,
            EventType::Message | EventType::Reaction => event.sender(delivery.channel, country),
            _ => event.about(delivery.channel, country),
        };
        keys.push(match sender {
            Some(sender) => format!("sender:{}", sender.key()),
            None => format!("event:{provider}:{}", event.id),
        });
        if let (EventType::Status | EventType::Bounce, Some(id)) =
            (event.r#type, &event.provider_message_id)
        {
            keys.push(format!("message:{provider}:{id}"));
        }
    }
    keys.sort();
    keys.dedup();
    keys
}

/// Takes turns with who has one of the keys, until the transaction ends.
pub(crate) async fn lock(db: &mut impl Db, route: &Route, keys: &[String]) -> Result<()> {
    let keys = if keys.len() > MAX_KEYS { &[] } else { keys };
    db.call(LOCK, &json!({"org_id": route.org_id, "keys": keys})).await?;
    Ok(())
}

/// Writes the events down, last in the transaction. One that somebody else stored meanwhile, from another sender,
/// takes everything back: the provider tries again.
async fn store(
    db: &mut impl Db,
    route: &Route,
    provider: &str,
    events: &[&Event],
    outcomes: &BTreeMap<String, Outcome>,
) -> Result<()> {
    let rows: Vec<_> = events
        .iter()
        .filter_map(|event| {
            let outcome = outcomes.get(&event.id)?;
            Some(Stored {
                id: &event.id,
                r#type: event.r#type.as_str(),
                outcome: &outcome.name,
                payload: &outcome.payload,
                lead_id: outcome.lead_id,
                message_id: outcome.message_id,
                interaction_id: outcome.interaction_id,
            })
        })
        .collect();
    store_all(db, route, provider, &rows).await
}

/// A row of `webhook_events`.
#[derive(Serialize)]
pub(crate) struct Stored<'a> {
    pub id: &'a str,
    pub r#type: &'a str,
    pub outcome: &'a str,
    pub payload: &'a Value,
    pub lead_id: Option<Uuid>,
    pub message_id: Option<Uuid>,
    pub interaction_id: Option<Uuid>,
}

pub(crate) async fn store_all(
    db: &mut impl Db,
    route: &Route,
    provider: &str,
    rows: &[Stored<'_>],
) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let document = json!({
        "org_id": route.org_id, "channel_id": route.id, "provider": provider, "events": rows,
    });
    if db.call(STORE, &document).await?["stored"] == rows.len() {
        return Ok(());
    }
    let hint = "Another session stores the same event at this moment: try again.";
    Err(fieldcrm_core::Error::new(fieldcrm_core::Code::Unavailable, hint))
}

/// Which of the events came before.
pub(crate) async fn known_events(
    db: &mut impl Db,
    org_id: &Value,
    provider: Option<&str>,
    ids: &[String],
) -> Result<Vec<String>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let key = json!({"org_id": org_id, "provider": provider, "ids": ids});
    let known: BTreeMap<String, Outcome> = call_as(db, FIND_EVENTS, &key).await?;
    Ok(known.into_keys().collect())
}

/// What [`find_event`] answers for a form.
pub(crate) async fn find_event(
    db: &mut impl Db,
    route: &Route,
    provider: &str,
    id: &str,
) -> Result<Option<Outcome>> {
    let key = json!({"org_id": route.org_id, "provider": provider, "ids": [id]});
    let mut known: HashMap<String, Outcome> = call_as(db, FIND_EVENTS, &key).await?;
    Ok(known.remove(id))
}
