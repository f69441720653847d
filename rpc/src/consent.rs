//! Consent: the facts that the decision needs, and who asks.
//!
//! Whoever sends asks the [`Gate`]: the insert into the outbox ([`crate::outbox::enqueue`]), the claim of what goes
//! out ([`crate::outbox::claim`]), the preview of a rule ([`decide_many`]) and `crm_can_contact`.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, SubsecRound, Utc};
use fieldcrm_core::automation::Purpose;
use fieldcrm_core::consent::{
    Channel, Customer, Decision, Facts, Lead, Org, Reason, Verdict, decide,
};
use fieldcrm_core::mask::mask;
use fieldcrm_core::outbox::ContactQuestion;
use fieldcrm_core::{Capability, Error, Result, patch};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Db, call_as, session};

const FACTS: &str =
    concat!(include_str!("../sql/consent/asked.sql"), include_str!("../sql/consent/facts.sql"));
const EARLIER: &str = include_str!("../sql/consent/earlier.sql");

/// Whom to reach, how and what for.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    pub customer_id: Uuid,
    pub channel: Channel,
    pub purpose: Purpose,
    /// The endpoint that is asked for.
    pub contact_id: Option<Uuid>,
    pub expires_at: Option<DateTime<Utc>>,
}

/// The lead to answer, how and what for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LeadAsk<'a> {
    pub org_id: Uuid,
    pub lead: &'a Lead,
    pub channel: Channel,
    pub purpose: Purpose,
    pub expires_at: Option<DateTime<Utc>>,
}

/// `crm_can_contact(customer_id, channel, purpose, at)`: {allowed, code, reason, `retry_at`, `contact_id`, to}.
pub async fn can_contact<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let question: ContactQuestion = patch::read(arguments)?;
    let org_id = session::current(db).await?.require(&[Capability::CustomersRead])?;
    let (customer_id, channel, purpose, at) = question.prepare()?;
    let mut gate = Gate::load(db, &Subjects::of(org_id, [customer_id])).await?;
    if !gate.knows(customer_id) {
        return Err(Error::not_found("customer"));
    }
    let at = at.unwrap_or(gate.now);
    let ask = Ask { customer_id, channel, purpose, contact_id: None, expires_at: None };
    gate.load_earlier(db, &[(org_id, ask)], at).await?;
    let decision = gate.decide(org_id, &ask, None, at);
    Ok(json!({
        "allowed": decision.verdict == Verdict::Allowed, "code": decision.code,
        "reason": decision.code.sentence(), "retry_at": decision.retry_at,
        "contact_id": decision.endpoint_id, "to": decision.to.as_deref().map(mask),
    }))
}

/// What would be decided about each, were they sent in this order; writes nothing. A customer whom the org does
/// not have is refused as closed.
pub async fn decide_many<D: Db>(
    db: &mut D,
    org_id: Uuid,
    asks: Vec<Ask>,
    at: DateTime<Utc>,
) -> Result<Vec<Decision>> {
    let subjects = Subjects::of(org_id, asks.iter().map(|ask| ask.customer_id));
    let mut gate = Gate::load(db, &subjects).await?;
    let asks: Vec<_> = asks.into_iter().map(|ask| (org_id, ask)).collect();
    gate.load_earlier(db, &asks, at).await?;
    Ok(asks.iter().map(|(org_id, ask)| gate.decide(*org_id, ask, None, at)).collect())
}

/// Whom facts are wanted of.
#[derive(Default, Serialize)]
pub(crate) struct Subjects {
    pub orgs: HashSet<Uuid>,
    pub customers: HashSet<Subject>,
    pub leads: HashSet<Subject>,
    pub members: HashSet<Subject>,
}

#[derive(PartialEq, Eq, Hash, Serialize)]
pub(crate) struct Subject {
    pub org_id: Uuid,
    pub id: Uuid,
}

impl Subjects {
    fn of(org_id: Uuid, customers: impl IntoIterator<Item = Uuid>) -> Self {
        let customers = customers.into_iter().map(|id| Subject { org_id, id }).collect();
        Self { orgs: HashSet::from([org_id]), customers, ..Self::default() }
    }
}

/// A message that is in the outbox already: what came before it counts towards a cap, what came after it does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub created_at: DateTime<Utc>,
    pub id: Uuid,
}

/// The facts, and what is decided while they hold.
pub(crate) struct Gate {
    pub now: DateTime<Utc>,
    orgs: HashMap<Uuid, KnownOrg>,
    /// By their id, or by that of the message that asks about them.
    customers: HashMap<Uuid, Customer>,
    leads: HashMap<Uuid, Lead>,
    members: HashMap<Uuid, Member>,
    earlier: HashMap<Uuid, Vec<Earlier>>,
}

/// What consent/facts.sql answers, with what its head adds.
#[derive(Deserialize)]
struct Loaded<T> {
    now: DateTime<Utc>,
    rest: Vec<T>,
    orgs: Vec<KnownOrg>,
    customers: Vec<(Uuid, Customer)>,
    members: Vec<Member>,
}

#[derive(Deserialize)]
pub(crate) struct KnownOrg {
    id: Uuid,
    pub name: String,
    /// Who the org's messages come from.
    pub from: Value,
    rules: Org,
}

#[derive(Deserialize)]
pub(crate) struct Member {
    id: Uuid,
    pub active: bool,
    pub email: Option<String>,
    pub phone: Option<String>,
}

/// Marketing that a customer got or is to get.
#[derive(Deserialize)]
struct Earlier {
    customer_id: Uuid,
    id: Option<Uuid>,
    created_at: DateTime<Utc>,
    at: DateTime<Utc>,
    /// In the queue, where those behind it do not count.
    waits: bool,
}

impl Gate {
    pub async fn load(db: &mut impl Db, subjects: &Subjects) -> Result<Self> {
        let (mut gate, leads) = Self::load_with(db, FACTS, subjects).await?;
        gate.leads.extend::<Vec<(Uuid, Lead)>>(leads);
        Ok(gate)
    }

    /// Asks by another statement, consent/facts.sql under a head of its own, for the facts and what that adds.
    pub async fn load_with<T: DeserializeOwned>(
        db: &mut impl Db,
        statement: &'static str,
        input: &(impl Serialize + Sync),
    ) -> Result<(Self, Vec<T>)> {
        let Loaded { now, rest, orgs, customers, members } = call_as(db, statement, input).await?;
        let gate = Self {
            now,
            orgs: orgs.into_iter().map(|org| (org.id, org)).collect(),
            customers: customers.into_iter().collect(),
            leads: HashMap::new(),
            members: members.into_iter().map(|member| (member.id, member)).collect(),
            earlier: HashMap::new(),
        };
        Ok((gate, rest))
    }

    pub fn knows(&self, customer_id: Uuid) -> bool {
        self.customers.contains_key(&customer_id)
    }

    pub fn lead(&self, lead_id: Uuid) -> Option<&Lead> {
        self.leads.get(&lead_id)
    }

    pub fn member(&self, user_id: Uuid) -> Option<&Member> {
        self.members.get(&user_id)
    }

    pub fn org(&self, org_id: Uuid) -> Option<&KnownOrg> {
        self.orgs.get(&org_id)
    }

    /// The hours of the cap that the ask is under.
    pub fn cap_hours(&self, org_id: Uuid, ask: &Ask) -> Option<u32> {
        let rules = &self.orgs.get(&org_id)?.rules;
        rules.cap_hours.filter(|_| ask.purpose == Purpose::Marketing)
    }

    /// Reads what counts towards the caps that the asks are under, from `at` on or now if that is earlier.
    pub async fn load_earlier(
        &mut self,
        db: &mut impl Db,
        asks: &[(Uuid, Ask)],
        at: DateTime<Utc>,
    ) -> Result<()> {
        let capped: HashMap<Uuid, Value> = asks
            .iter()
            .filter_map(|(org_id, ask)| {
                let hours = self.cap_hours(*org_id, ask)?;
                let id = ask.customer_id;
                Some((id, json!({"org_id": org_id, "id": id, "hours": hours})))
            })
            .collect();
        if capped.is_empty() {
            return Ok(());
        }
        let at = at.min(self.now);
        let document = json!({"at": at, "customers": capped.values().collect::<Vec<_>>()});
        for earlier in call_as::<Vec<Earlier>>(db, EARLIER, &document).await? {
            self.earlier.entry(earlier.customer_id).or_default().push(earlier);
        }
        Ok(())
    }

    /// What core decides; what it lets through counts for those that are asked about after it.
    pub fn decide(
        &mut self,
        org_id: Uuid,
        ask: &Ask,
        place: Option<Place>,
        at: DateTime<Utc>,
    ) -> Decision {
        let at = at.trunc_subsecs(6);
        let key = place.map_or(ask.customer_id, |place| place.id);
        let (Some(org), Some(customer)) = (self.orgs.get(&org_id), self.customers.get(&key)) else {
            return Decision::refused(Reason::Closed);
        };
        let entries = self.earlier.get(&ask.customer_id).map(Vec::as_slice).unwrap_or_default();
        let counts = |entry: &&Earlier| {
            let Some(place) = place else { return true };
            let Some(id) = entry.id else { return true };
            id != place.id && (!entry.waits || Place { created_at: entry.created_at, id } < place)
        };
        let earlier: Vec<_> = entries.iter().filter(counts).map(|entry| entry.at).collect();
        let facts = Facts {
            org: &org.rules,
            customer,
            earlier: &earlier,
            endpoint_id: ask.contact_id,
            expires_at: ask.expires_at,
        };
        let decision = decide(&facts, ask.channel, ask.purpose, at);
        if self.cap_hours(org_id, ask).is_some() {
            self.note(ask.customer_id, place, &decision, at);
        }
        decision
    }

    /// What core decides about an answer to a lead. `key`: under which the facts of its customer are known.
    pub fn decide_for_lead(
        &self,
        ask: &LeadAsk<'_>,
        key: Option<Uuid>,
        at: DateTime<Utc>,
    ) -> Decision {
        let Some(org) = self.orgs.get(&ask.org_id) else {
            return Decision::refused(Reason::Closed);
        };
        let customer = key.and_then(|key| self.customers.get(&key));
        let at = at.trunc_subsecs(6);
        ask.lead.decide(&org.rules, customer, ask.channel, ask.purpose, ask.expires_at, at)
    }

    fn note(
        &mut self,
        customer_id: Uuid,
        place: Option<Place>,
        decision: &Decision,
        at: DateTime<Utc>,
    ) {
        let entries = self.earlier.entry(customer_id).or_default();
        if let Some(place) = place {
            entries.retain(|entry| entry.id != Some(place.id));
        }
        if decision.verdict == Verdict::Refused {
            return;
        }
        entries.push(Earlier {
            customer_id,
            id: place.map(|place| place.id),
            created_at: place.map_or(self.now, |place| place.created_at),
            at: decision.retry_at.unwrap_or(at),
            waits: decision.verdict == Verdict::Deferred,
        });
    }
}
