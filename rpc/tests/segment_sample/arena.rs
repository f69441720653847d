//! Random customers of an org in one of the zones, in a transaction that is rolled back.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::Dice;
use super::definition::Sampler;
use super::rows::{ZONES, at, fill, instant};
use crate::common::{Context, Target};
use crate::segment_reference::Reference;
use crate::segment_reference::rows::Org;

pub struct Arena {
    pub context: Context,
    pub org: Org,
    pub dice: Dice,
}

/// A number from the environment.
pub fn setting(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

impl Arena {
    pub async fn fill(target: Target, zone: usize, customers: usize) -> Self {
        Self::within(Context::start(target).await, zone, customers).await
    }

    pub async fn within(context: Context, zone: usize, customers: usize) -> Self {
        let seed = setting("FIELDCRM_PROPERTY_SEED", 1) * ZONES.len() + zone;
        let mut dice = Dice::new(seed as u64);
        let org = fill(&context.client, &mut dice, ZONES[zone].0, customers).await;
        let org = Org::read(&context.client, org).await;
        assert_eq!(org.customers.len(), customers);
        Self { context, org, dice }
    }

    /// Who matches by the reference.
    pub fn reference(&self, definition: &Value, now: DateTime<Utc>) -> BTreeSet<Uuid> {
        let reference = Reference::new(definition, now, &self.org);
        let matching = self.org.customers.iter().filter(|customer| reference.matches(customer));
        matching.map(|customer| customer.id).collect()
    }

    pub fn now(&mut self) -> DateTime<Utc> {
        instant(&mut self.dice, self.org.zone, at("2026-07-01T12:00:00Z"))
    }

    pub fn sampler(&mut self, now: DateTime<Utc>) -> Sampler<'_> {
        let dice = Dice::new(self.dice.below(usize::MAX) as u64);
        Sampler { org: &self.org, dice, now }
    }

    /// A definition with as many rules as one may have, or fewer.
    pub fn definition(&mut self, now: DateTime<Utc>) -> Value {
        loop {
            let definition = self.sampler(now).definition();
            if rules(&definition) <= 100 {
                return definition;
            }
        }
    }
}

fn rules(value: &Value) -> usize {
    let own = usize::from(value.get("operator").is_some());
    match value {
        Value::Object(object) => own + object.values().map(rules).sum::<usize>(),
        Value::Array(items) => items.iter().map(rules).sum(),
        _ => 0,
    }
}
