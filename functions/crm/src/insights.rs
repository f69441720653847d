//! `/crm/customers/{id}/insights`

use axum::extract::State;
use axum::{Extension, Json};
use fieldcrm_core::ai::insight::{self, Insight, Kind, MAX, MAX_INSIGHT, Said};
use fieldcrm_core::ai::prompt::Boundary;
use fieldcrm_core::ai_usage::Feature;
use fieldcrm_core::{Error, Result};
use fieldcrm_edge::ai::chat::{Prompt, Turn};
use fieldcrm_edge::ai::models::Models;
use fieldcrm_edge::{Caller, PathId, Ports, Problem};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::word::{Question, Word, text_problem};

/// Of an interaction, a model is told so many characters.
const MAX_TOLD: usize = 2_000;
const MAX_SUMMARY: usize = 600;
const MAX_TOKENS: u32 = 2_500;

/// `crm_interaction_texts(customer_id)`
#[derive(Deserialize)]
struct Texts {
    org_id: Uuid,
    total: u64,
    interactions: Vec<Said>,
}

/// What a model finds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Findings {
    summary: String,
    insights: Vec<Finding>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Finding {
    kind: Kind,
    text: String,
    /// Numbers of interactions, from 1.
    evidence: Vec<usize>,
}

/// `POST /crm/customers/{id}/insights`: nothing is stored.
pub async fn insights(
    State(ports): State<Ports>,
    Extension(models): Extension<Models>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Json<Value>, Problem> {
    let arguments = Map::from_iter([("customer_id".to_owned(), json!(id))]);
    let texts = ports.database.rpc(&caller, "crm_interaction_texts", arguments).await?;
    let Texts { org_id, total, interactions } = serde_json::from_value(texts)
        .map_err(|_| Error::internal("crm_interaction_texts answered something else"))?;
    let told: Vec<_> = interactions.iter().filter(|one| one.text.is_some()).collect();
    let word = if models.is_builtin() || told.is_empty() {
        Word::builtin()
    } else {
        let check = |found: &Findings| problems(found, told.len());
        let feature = Feature::Insight;
        let question =
            Question { ports: &ports, models: &models, caller: &caller, org_id, feature };
        question.ask(prompt(&told), check).await
    };
    let (found, signature) = word.take();
    let answer = found.map_or_else(
        || {
            let summary = insight::summary(&interactions, total);
            json!({"summary": summary, "insights": insight::builtin(&interactions)})
        },
        |found| json!({"summary": found.summary, "insights": proven(found.insights, &told)}),
    );
    Ok(Json(signature.sign(answer)))
}

/// With ids for numbers; what has no evidence is left out.
fn proven(found: Vec<Finding>, told: &[&Said]) -> Vec<Insight> {
    let with_ids = found.into_iter().map(|Finding { kind, text, mut evidence }| {
        evidence.sort_unstable();
        evidence.dedup();
        let evidence = evidence.iter().filter_map(|number| told.get(number.checked_sub(1)?));
        Insight { kind, text, evidence: evidence.map(|one| one.id).collect() }
    });
    with_ids.filter(|one| !one.evidence.is_empty()).collect()
}

fn problems(found: &Findings, count: usize) -> Vec<String> {
    let mut problems = Vec::new();
    problems.extend(text_problem("summary", &found.summary, MAX_SUMMARY));
    for (at, one) in found.insights.iter().enumerate() {
        problems.extend(text_problem(&format!("insights[{at}].text"), &one.text, MAX_INSIGHT));
    }
    if found.insights.len() > MAX {
        problems.push(format!("insights must be at most {MAX}"));
    }
    for (at, one) in found.insights.iter().enumerate() {
        for number in one.evidence.iter().filter(|number| !(1..=count).contains(*number)) {
            problems.push(format!("insights[{at}].evidence: there is no interaction {number}"));
        }
    }
    problems
}

fn prompt(told: &[&Said]) -> Prompt {
    let boundary = Boundary::new(Uuid::new_v4());
    let system = format!(
        "You read what was said to and by a customer of a trades company, and notes of its staff, the latest first, and say what of it \
         matters to who speaks to the customer next. summary: how things stand, at most {MAX_SUMMARY} characters. insights: at most {MAX}, \
         the most important first; kind: complaint, praise, intent (they want a quote, a replacement, a booking), deadline, competitor, \
         equipment (what they have), price or preference; text: one sentence of at most {MAX_INSIGHT} characters, of what was said and \
         nothing else; evidence: the numbers of the interactions that say so. In English, plain text without links. {}",
        boundary.rules()
    );
    let parts = told.iter().enumerate().map(|(at, one)| {
        let text: String = one.text.iter().flat_map(|text| text.chars()).take(MAX_TOLD).collect();
        let from = one.direction.map_or("note", |direction| direction.as_str());
        // A number right before the date would be redacted as a phone.
        format!(
            "Interaction {} on {}, {}, {from}:\n{}",
            at + 1,
            one.day,
            one.channel.as_str(),
            boundary.block("interaction", &text)
        )
    });
    Prompt {
        system,
        turns: vec![Turn::user(parts.collect::<Vec<_>>().join("\n\n"))],
        schema: Some(("insights", schema())),
        max_tokens: MAX_TOKENS,
    }
}

fn schema() -> Value {
    let kinds: Vec<_> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
    json!({"type": "object", "additionalProperties": false, "required": ["summary", "insights"], "properties": {
        "summary": {"type": "string"},
        "insights": {"type": "array", "items": {"type": "object", "additionalProperties": false,
            "required": ["kind", "text", "evidence"], "properties": {"kind": {"enum": kinds}, "text": {"type": "string"},
                "evidence": {"type": "array", "items": {"type": "integer"}}}}}}})
}
