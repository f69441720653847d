//! An answer as a type of the caller's, or none.

use fieldcrm_core::ai::prompt::Boundary;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use super::{Completion, Failed, Prompt, Turn, Usage, invalid};

/// How often a model is told what is wrong.
pub const MAX_REPAIRS: usize = 2;
/// Of the problems, so many are told.
const MAX_PROBLEMS: usize = 20;
const MAX_PROBLEM: usize = 300;
/// Of an answer that is no use, so much is shown again.
const MAX_SHOWN: usize = 20_000;

/// An answer that holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked<T> {
    pub value: T,
    /// Of all rounds.
    pub usage: Usage,
    pub provider: &'static str,
    pub model: String,
    /// How often the model was told what is wrong.
    pub repairs: usize,
}

/// Asks, by `ask`, for JSON by the schema of the prompt until it is a `T` of which `check` has nothing to say, at most
/// [`MAX_REPAIRS`] times more than once. A `T` that names all it takes refuses unknown members (`deny_unknown_fields`).
/// What `check` says goes to the model: no facts that the prompt does not have. `None` where `ask` asks nobody.
pub async fn complete_checked<T, F>(
    ask: impl Fn(Prompt) -> F + Send + Sync,
    mut prompt: Prompt,
    check: impl Fn(&T) -> Vec<String> + Send + Sync,
) -> Result<Option<Checked<T>>, Failed>
where
    T: DeserializeOwned + Send,
    F: Future<Output = Result<Option<Completion>, Failed>> + Send,
{
    let mut usage = Usage::default();
    let mut repairs = 0;
    loop {
        let answer = match ask(prompt.clone()).await {
            Ok(Some(answer)) => answer,
            Ok(None) => return Ok(None),
            Err(mut failed) => {
                failed.usage += usage;
                return Err(failed);
            }
        };
        usage += answer.usage;
        let Completion { text, json, provider, model, .. } = answer;
        let problems = match typed(json) {
            Ok(value) => match check(&value) {
                problems if problems.is_empty() => {
                    return Ok(Some(Checked { value, usage, provider, model, repairs }));
                }
                problems => problems,
            },
            Err(problem) => vec![problem],
        };
        if repairs == MAX_REPAIRS {
            let error = invalid("is not what was asked for").with("problems", problems.len());
            return Err(Failed { usage, ..error.into() });
        }
        repairs += 1;
        prompt.turns.push(Turn::assistant(text.chars().take(MAX_SHOWN).collect::<String>()));
        prompt.turns.push(Turn::user(complaint(&problems)));
    }
}

fn typed<T: DeserializeOwned>(json: Option<Value>) -> Result<T, String> {
    let json = json.ok_or("The answer is not JSON.")?;
    serde_path_to_error::deserialize(json).map_err(|error| error.to_string())
}

/// The problems quote what the model made of what customers wrote: they are data as well.
fn complaint(problems: &[String]) -> String {
    let boundary = Boundary::new(Uuid::new_v4());
    let told: Vec<String> = problems
        .iter()
        .take(MAX_PROBLEMS)
        .map(|problem| format!("- {}", problem.chars().take(MAX_PROBLEM).collect::<String>()))
        .collect();
    format!(
        "That answer cannot be used. {}\n\n{}\n\nAnswer again with the whole JSON, without these problems.",
        boundary.rules(),
        boundary.block("problems", &told.join("\n")),
    )
}
