//! What a rule would do, without doing it.

use fieldcrm_core::segment::Statement;
use fieldcrm_core::{Capability, Error, Result, patch};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::run::Reenrollment;
use crate::segment::evaluate::Evaluation;
use crate::{Db, call_as, session};

const FIND_RULE: &str = include_str!("../../sql/automation/find_rule.sql");
const PREVIEW: &str = include_str!("../../sql/automation/preview.sql");

const SAMPLE_SIZE: i64 = 20;
const MAX_SAMPLE_SIZE: i64 = 100;

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
    actions: Option<Value>,
}

impl Draft {
    /// The segment whose members its event is about.
    fn about(&self) -> Option<Uuid> {
        let on_segment = self.trigger_type.as_deref() == Some("segment_membership")
            || self.event_type.is_none()
            || matches!(self.event_type.as_deref(), Some("segment_entered" | "segment_left"));
        self.segment_id.filter(|_| on_segment)
    }

    fn sends_messages(&self) -> bool {
        let actions = self.actions.as_ref().and_then(Value::as_array);
        actions.is_some_and(|actions| actions.iter().any(|action| action["type"] == "send_message"))
    }
}

#[derive(Deserialize)]
struct Found {
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
        (None, Some(rule)) => unsaved(rule)?,
        _ => {
            let message = "send either a rule_id or a rule";
            return Err(Error::invalid_field("rule_id", "invalid_value", message));
        }
    };
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
        ("with_ids", json!(draft.sends_messages())),
    ] {
        document[key] = value;
    }
    let found: Found = serde_json::from_value(db.run(&statement, &document).await?)
        .map_err(|error| Error::internal(format!("unexpected answer of a preview: {error}")))?;
    let mut sample = found.sample;
    if let Some(evaluation) = &evaluation {
        explain(db, evaluation, &mut sample).await?;
    }
    let messages = decide(db, org_id, &draft, found.ids.as_deref().unwrap_or_default()).await?;
    Ok(json!({
        "considered": found.considered, "would_enroll": found.would_enroll, "sample": sample,
        "skipped": found.skipped, "skipped_sample": found.skipped_sample, "messages": messages,
    }))
}

async fn stored(db: &mut impl Db, org_id: Uuid, id: Uuid) -> Result<Draft> {
    let rule: Option<Draft> = call_as(db, FIND_RULE, &json!({"org_id": org_id, "id": id})).await?;
    rule.ok_or_else(|| Error::not_found("automation rule"))
}

/// A rule that was not saved: what saving it would refuse is for whoever checks rules to say.
fn unsaved(rule: Value) -> Result<Draft> {
    let draft: Draft = patch::read(rule)?;
    Ok(Draft { id: None, ..draft })
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
#[allow(clippy::unused_async, reason = "asks the rules of consent once they are here")]
async fn decide(
    _db: &mut impl Db,
    _org_id: Uuid,
    _draft: &Draft,
    _customers: &[Uuid],
) -> Result<Value> {
    Ok(json!({}))
}
