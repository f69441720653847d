//! What a rule would do, without doing it.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use fieldcrm_core::automation::{Action, MessageChannel, NewRule};
use fieldcrm_core::consent::Channel;
use fieldcrm_core::segment::Statement;
use fieldcrm_core::{Capability, Error, FieldError, Result, patch};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::references;
use super::run::Reenrollment;
use crate::consent::{Ask, decide_many};
use crate::segment::evaluate::Evaluation;
use crate::{Db, call_as, session};

const FIND_RULE: &str = include_str!("../../sql/automation/find_rule.sql");
const PREVIEW: &str = include_str!("../../sql/automation/preview.sql");

const SAMPLE_SIZE: i64 = 20;
const MAX_SAMPLE_SIZE: i64 = 100;
/// Of how many customers the facts of consent are in memory at once.
const CONSENT_BATCH: usize = 5_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Preview {
    rule_id: Option<Uuid>,
    rule: Option<Value>,
    sample_size: Option<i64>,
}

/// A rule as far as it decides who is taken in.
#[derive(Deserialize)]
struct Draft {
    id: Option<Uuid>,
    event_type: Option<String>,
    trigger_type: Option<String>,
    segment_id: Option<Uuid>,
    conditions: Option<Value>,
    #[serde(default)]
    reenrollment: Reenrollment,
    cooldown_minutes: Option<i64>,
    time_offset_minutes: Option<i64>,
    actions: Value,
}

impl Draft {
    /// The segment whose members its event is about.
    fn about(&self) -> Option<Uuid> {
        let on_segment = self.trigger_type.as_deref() == Some("segment_membership")
            || self.event_type.is_none()
            || matches!(self.event_type.as_deref(), Some("segment_entered" | "segment_left"));
        self.segment_id.filter(|_| on_segment)
    }

    /// The actions that send messages.
    fn messages(&self) -> Result<Vec<Action>> {
        let mut actions: Vec<Action> = serde_json::from_value(self.actions.clone())
            .map_err(|error| Error::internal(format!("actions cannot be read: {error}")))?;
        actions.retain(|action| matches!(action, Action::SendMessage { .. }));
        Ok(actions)
    }
}

#[derive(Deserialize)]
struct Found {
    now: DateTime<Utc>,
    considered: i64,
    would_enroll: i64,
    sample: Vec<Map<String, Value>>,
    skipped: Value,
    skipped_sample: Value,
    ids: Option<Vec<Uuid>>,
}

/// `crm_preview_automation(rule_id, rule, sample_size)`: whom a rule would take in if its event happened now to every
/// customer of the org, or to every member of its segment.
pub async fn preview<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Preview { rule_id, rule, sample_size } = patch::read(arguments)?;
    let org_id = session::current(db).await?.require(&[Capability::AutomationWrite])?;
    let sample_size = sample_size.unwrap_or(SAMPLE_SIZE);
    if !(0..=MAX_SAMPLE_SIZE).contains(&sample_size) {
        let message = format!("must be from 0 to {MAX_SAMPLE_SIZE}");
        return Err(Error::invalid_field("sample_size", "out_of_range", message));
    }
    let draft = match (rule_id, rule) {
        (Some(id), None) => stored(db, org_id, id).await?,
        (None, Some(rule)) => unsaved(db, org_id, rule).await?,
        _ => {
            let message = "send either a rule_id or a rule";
            return Err(Error::invalid_field("rule_id", "invalid_value", message));
        }
    };
    let messages = draft.messages()?;
    let evaluation = match &draft.conditions {
        Some(conditions) => Some(Evaluation::prepare(db, org_id, conditions, None).await?),
        None => None,
    };
    let statement = evaluation.as_ref().map_or_else(
        || Statement::of_everybody(PREVIEW),
        |evaluation| evaluation.compiled.within_archived_too(PREVIEW),
    );
    let mut document = evaluation
        .as_ref()
        .map_or_else(|| json!({"org_id": org_id}), |evaluation| evaluation.document.clone());
    let takes_archived =
        evaluation.as_ref().is_some_and(|evaluation| evaluation.definition.names_archived());
    for (key, value) in [
        ("rule_id", json!(draft.id)),
        ("segment_id", json!(draft.about())),
        ("once", json!(draft.reenrollment == Reenrollment::Once)),
        ("cooldown_minutes", json!(draft.cooldown_minutes)),
        ("takes_archived", json!(takes_archived)),
        ("sample_size", json!(sample_size)),
        ("with_ids", json!(!messages.is_empty())),
    ] {
        document[key] = value;
    }
    let found: Found = serde_json::from_value(db.run(&statement, &document).await?)
        .map_err(|error| Error::internal(format!("unexpected answer of a preview: {error}")))?;
    let mut sample = found.sample;
    if let Some(evaluation) = &evaluation {
        explain(db, evaluation, &mut sample).await?;
    }
    let at = found.now + Duration::minutes(draft.time_offset_minutes.unwrap_or_default());
    let customers = found.ids.as_deref().unwrap_or_default();
    let messages = decide(db, org_id, &messages, customers, at).await?;
    Ok(json!({
        "considered": found.considered, "would_enroll": found.would_enroll, "sample": sample,
        "skipped": found.skipped, "skipped_sample": found.skipped_sample, "messages": messages,
    }))
}

async fn stored(db: &mut impl Db, org_id: Uuid, id: Uuid) -> Result<Draft> {
    let rule: Option<Draft> = call_as(db, FIND_RULE, &json!({"org_id": org_id, "id": id})).await?;
    rule.ok_or_else(|| Error::not_found("automation rule"))
}

/// A rule that was not saved, checked as if it were to be; it may still lack a name.
async fn unsaved(db: &mut impl Db, org_id: Uuid, mut rule: Value) -> Result<Draft> {
    if rule.is_object() && rule["name"].is_null() {
        rule["name"] = json!("Preview");
    }
    let checked = match patch::read::<NewRule>(rule).and_then(NewRule::prepare) {
        Ok(prepared) => references::check(db, org_id, &prepared).await.map(|_| prepared),
        Err(error) => Err(error),
    };
    let prepared = checked.map_err(|error| Error {
        errors: error
            .errors
            .iter()
            .map(|one| FieldError { path: format!("rule.{}", one.path), ..one.clone() })
            .collect(),
        ..error
    })?;
    let rule = serde_json::to_value(prepared.rule);
    rule.and_then(serde_json::from_value).map_err(|error| Error::internal(error.to_string()))
}

/// Says of each customer of the sample what the conditions see.
async fn explain(
    db: &mut impl Db,
    evaluation: &Evaluation,
    sample: &mut [Map<String, Value>],
) -> Result<()> {
    let customers =
        sample.iter().filter_map(|row| row.get("customer_id")?.as_str()?.parse().ok()).collect();
    let found = super::enroll::matching(db, evaluation, &customers).await?;
    for row in sample {
        let id = row.get("customer_id").and_then(Value::as_str).and_then(|id| id.parse().ok());
        let matched = id.and_then(|id: Uuid| found.get(&id)).cloned();
        row.insert("matched".to_owned(), matched.unwrap_or_default());
    }
    Ok(())
}

/// What consent would say of the messages to those who would be taken in: {channel: {code: n}}.
async fn decide<D: Db>(
    db: &mut D,
    org_id: Uuid,
    messages: &[Action],
    customers: &[Uuid],
    at: DateTime<Utc>,
) -> Result<Value> {
    let mut counts: BTreeMap<MessageChannel, BTreeMap<String, u64>> = BTreeMap::new();
    for customers in customers.chunks(CONSENT_BATCH) {
        let mut channels = Vec::new();
        let mut asks = Vec::new();
        for customer_id in customers {
            for message in messages {
                let Action::SendMessage { channel, purpose, expires_in_minutes, .. } = message
                else {
                    continue;
                };
                let lasts = expires_in_minutes.and_then(Duration::try_minutes);
                channels.push(*channel);
                asks.push(Ask {
                    customer_id: *customer_id,
                    channel: match channel {
                        MessageChannel::Email => Channel::Email,
                        MessageChannel::Sms => Channel::Sms,
                        MessageChannel::Whatsapp => Channel::Whatsapp,
                    },
                    purpose: *purpose,
                    contact_id: None,
                    expires_at: lasts.and_then(|lasts| at.checked_add_signed(lasts)),
                });
            }
        }
        let decisions = decide_many(db, org_id, asks, at).await?;
        for (channel, decision) in channels.into_iter().zip(decisions) {
            let code = json!(decision.code).as_str().unwrap_or_default().to_owned();
            *counts.entry(channel).or_default().entry(code).or_default() += 1;
        }
    }
    Ok(json!(counts))
}
