//! `/crm/customers/{id}/next-action`

use axum::extract::State;
use axum::{Extension, Json};
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

const MAX_WHY: usize = 200;
const MAX_TOKENS: u32 = 300;

/// `crm_next_actions(customer_id)`
#[derive(Deserialize)]
struct Offered {
    org_id: Uuid,
    actions: Vec<Value>,
}

/// What a model chooses.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Choice {
    /// From 1.
    action: usize,
    why: String,
}

/// `POST /crm/customers/{id}/next-action`: the rules say what there is to do, and in which order; a model may put another of
/// them first. Nothing is stored.
pub async fn next_action(
    State(ports): State<Ports>,
    Extension(models): Extension<Models>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Json<Value>, Problem> {
    let arguments = Map::from_iter([("customer_id".to_owned(), json!(id))]);
    let offered = ports.database.rpc(&caller, "crm_next_actions", arguments).await?;
    let Offered { org_id, mut actions } = serde_json::from_value(offered)
        .map_err(|_| Error::internal("crm_next_actions answered something else"))?;
    let count = actions.len();
    let word = if models.is_builtin() || count < 2 {
        Word::builtin()
    } else {
        let check = |choice: &Choice| problems(choice, count);
        let feature = Feature::Suggestion;
        let question =
            Question { ports: &ports, models: &models, caller: &caller, org_id, feature };
        question.ask(prompt(&actions), check).await
    };
    let (choice, signature) = word.take();
    let action = match choice {
        Some(Choice { action, why }) => {
            let mut action = actions.remove(action - 1);
            action["why"] = why.into();
            action
        }
        None if actions.is_empty() => Value::Null,
        None => actions.remove(0),
    };
    Ok(Json(signature.sign(json!({"action": action, "alternatives": actions}))))
}

fn problems(choice: &Choice, count: usize) -> Vec<String> {
    let mut problems: Vec<_> = text_problem("why", &choice.why, MAX_WHY).into_iter().collect();
    if !(1..=count).contains(&choice.action) {
        problems.push(format!("action must be a number from 1 to {count}"));
    }
    problems
}

fn prompt(actions: &[Value]) -> Prompt {
    let boundary = Boundary::new(Uuid::new_v4());
    let system = format!(
        "Somebody of a trades company has time for one thing about a customer. Choose which of the actions below is to come first: what \
         cannot wait, then what is worth most to both. action: its number; why: one plain sentence of at most {MAX_WHY} characters, in \
         English, from what is said there and nothing else. {}",
        boundary.rules()
    );
    let parts = actions.iter().enumerate().map(|(at, action)| {
        // Not the ids; and of the time the day, or it would be redacted as a number.
        let due_on = action["due_at"].as_str().and_then(|at| at.get(..10));
        let told = json!({"subject": action["subject"], "reason": action["reason"], "priority": action["priority"],
            "due_on": due_on});
        format!("Action {}:\n{}", at + 1, boundary.block("action", &told.to_string()))
    });
    let schema = json!({"type": "object", "additionalProperties": false, "required": ["action", "why"],
        "properties": {"action": {"type": "integer"}, "why": {"type": "string"}}});
    Prompt {
        system,
        turns: vec![Turn::user(parts.collect::<Vec<_>>().join("\n\n"))],
        schema: Some(("choice", schema)),
        max_tokens: MAX_TOKENS,
    }
}
