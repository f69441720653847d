//! The rules of a segment from what somebody wrote: as a model proposes them, else as the grammar of core reads it.

use std::collections::HashSet;

use chrono::NaiveDate;
use fieldcrm_core::ai::phrase::{self, Misunderstood, Person, Vocabulary};
use fieldcrm_core::ai::prompt::Boundary;
use fieldcrm_core::ai_usage::Feature;
use fieldcrm_core::customer::MAX_NOTES;
use fieldcrm_core::segment::{self, catalogue::Kind};
use fieldcrm_core::{Code, Error, Result};
use fieldcrm_edge::ai::chat::{Prompt, Turn};
use fieldcrm_edge::ai::models::Models;
use fieldcrm_edge::{Caller, Ports};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// Of a definition.
const MAX_TOKENS: u32 = 4_000;
/// Names of a sort that a model is told.
const MAX_NAMES: usize = 200;
const BUILTIN: &str = "builtin";

/// A segment whose rules nobody wrote.
#[derive(Deserialize)]
pub struct Prompted {
    pub id: Uuid,
    pub org_id: Uuid,
    pub name: String,
    pub ai_prompt: String,
    pub version: i64,
}

/// `crm_segment_vocabulary()`
#[derive(Deserialize)]
struct Names {
    today: NaiveDate,
    #[serde(flatten)]
    vocabulary: Vocabulary,
}

struct Proposal {
    definition: Value,
    provider: &'static str,
    model: Option<String>,
}

/// Finds rules, stores them with what they say in English, and computes the members.
pub async fn recompute(
    ports: &Ports,
    models: &Models,
    caller: &Caller,
    segment: &Prompted,
) -> Result<Value> {
    // Who may not write segments learns it here, before anything is paid for.
    let names = ports.database.rpc(caller, "crm_segment_vocabulary", Map::new()).await?;
    let mut names: Names = serde_json::from_value(names)
        .map_err(|_| Error::internal("crm_segment_vocabulary answered something else"))?;
    // A segment of who is in it is no rule.
    names.vocabulary.segments.retain(|name| *name != segment.name);
    let proposal = propose(ports, models, caller, segment, &names).await?;
    let Proposal { definition, provider, model } = &proposal;
    let read =
        segment::parse(definition).map_err(|errors| unusable(Error::invalid(errors), &proposal))?;
    let explanation: String = segment::sentence(&read).chars().take(MAX_NOTES).collect();
    let preview = json!({"definition": definition, "sample_size": 0});
    let call = async |name, arguments: Value| {
        let Value::Object(arguments) = arguments else {
            return Err(Error::internal("no arguments"));
        };
        let answer = ports.database.rpc(caller, name, arguments).await;
        answer.map_err(|error| unusable(error, &proposal))
    };
    // Says what costs too much before it is stored.
    call("crm_segment_preview", preview).await?;
    let patch = json!({"definition": definition, "ai_explanation": explanation, "version": segment.version});
    let mut changed = call("crm_update_segment", json!({"id": segment.id, "patch": patch})).await?;
    let mut answer = changed["computed"].take();
    answer["definition"] = definition.clone();
    answer["explanation"] = explanation.into();
    answer["provider"] = (*provider).into();
    if let Some(model) = model {
        answer["model"] = model.as_str().into();
    }
    Ok(answer)
}

async fn propose(
    ports: &Ports,
    models: &Models,
    caller: &Caller,
    segment: &Prompted,
    names: &Names,
) -> Result<Proposal> {
    if !models.is_builtin() {
        let figures = ports.database.rpc(caller, "crm_segment_aggregates", Map::new()).await?;
        let prompt = prompt(&segment.ai_prompt, names, &figures);
        let told = Told::new(&prompt, &names.vocabulary);
        let check = |definition: &Value| told.problems(definition);
        let answer =
            models.complete(caller, segment.org_id, Feature::Segment, prompt, check).await?;
        if let Some(answer) = answer {
            let (provider, model) = (answer.provider, Some(answer.model));
            return Ok(Proposal { definition: answer.value, provider, model });
        }
    }
    let understood = phrase::understand(&segment.ai_prompt, names.today, &names.vocabulary);
    let definition = understood.map_err(|words| not_understood(&words))?.definition;
    Ok(Proposal { definition, provider: BUILTIN, model: None })
}

fn not_understood(words: &[Misunderstood]) -> Error {
    let hint = "Say it in other words, or write the rules.";
    Error::new(Code::AiRefused, hint).with("not_understood", json!(words))
}

/// What the database refuses of a proposal, such as a circle of segments, is not the caller's mistake.
fn unusable(error: Error, proposal: &Proposal) -> Error {
    if error.code != Code::InvalidArgument {
        return error;
    }
    let code = if proposal.model.is_some() { Code::AiOutputInvalid } else { Code::AiRefused };
    Error { code, ..error }
}

fn prompt(sentence: &str, names: &Names, figures: &Value) -> Prompt {
    let boundary = Boundary::new(Uuid::new_v4());
    let schema = phrase::schema();
    let Names { today, vocabulary } = names;
    let me = vocabulary.me.map_or_else(String::new, |me| format!(" Who asks is the user {me}."));
    let currency = vocabulary.currency.as_deref().unwrap_or("the org's own currency");
    let system = format!(
        "You turn a request into the rules of a segment of a company's customers: one JSON object by the schema, \
         {{\"version\": 1, \"entity\": \"customer\", \"query\": …}}, with all that the request says about which customers, and \
         nothing else. Use the fields and operators below, and of tags, segments and ids only those you are told. Customers \
         match who fulfil the rules; archived ones are left out. Today is {today}, amounts are in {currency}.{me}\n\n{}\n\n{}",
        boundary.rules(),
        schema.fields,
    );
    let first = |all: &[String]| json!(all.iter().take(MAX_NAMES).collect::<Vec<_>>());
    let own = json!({
        "tags": first(&vocabulary.tags), "segments": first(&vocabulary.segments),
        "products": first(&vocabulary.products), "service_types": first(&vocabulary.service_types),
        "people": named(sentence, &vocabulary.people),
    });
    let turn = [
        boundary.block("request", sentence),
        boundary.block("names of the company", &own.to_string()),
        boundary.block("figures about its customers", &figures.to_string()),
    ];
    Prompt {
        system,
        turns: vec![Turn::user(turn.join("\n\n"))],
        schema: Some((schema.name, schema.json)),
        max_tokens: MAX_TOKENS,
    }
}

/// Of the company's people, those that the sentence has a name of.
fn named(sentence: &str, people: &[Person]) -> Value {
    let words = |text: &str| {
        let text = text.to_lowercase();
        let words = text.split(|letter: char| !letter.is_alphanumeric());
        words.filter(|word| word.chars().count() > 1).map(str::to_owned).collect::<HashSet<_>>()
    };
    let said = words(sentence);
    let named = people.iter().filter(|one| !words(&one.name).is_disjoint(&said));
    json!(
        named
            .take(MAX_NAMES)
            .map(|one| json!({"id": one.id, "name": one.name}))
            .collect::<Vec<_>>()
    )
}

/// What a model can know of.
struct Told<'a> {
    ids: HashSet<Uuid>,
    vocabulary: &'a Vocabulary,
}

impl<'a> Told<'a> {
    fn new(prompt: &Prompt, vocabulary: &'a Vocabulary) -> Self {
        let texts = prompt.turns.iter().map(|turn| &turn.text).chain([&prompt.system]);
        Self { ids: texts.flat_map(|text| ids(text)).collect(), vocabulary }
    }

    /// What is wrong with a definition, with a segment that nobody matches as well.
    fn problems(&self, definition: &Value) -> Vec<String> {
        let read = match segment::parse(definition) {
            Ok(read) => read,
            Err(errors) => {
                return errors.iter().map(|one| format!("{}: {}", one.path, one.message)).collect();
            }
        };
        let mut problems: Vec<_> = segment::warnings(&read)
            .into_iter()
            .map(|one| format!("{}: {}", one.path, one.message))
            .collect();
        let same = |one: &String, name: &str| one.to_lowercase() == name.to_lowercase();
        for (path, name) in read.names(Kind::Tags) {
            if !self.vocabulary.tags.iter().any(|tag| same(tag, name)) {
                problems.push(format!("{path}: no tag has this name"));
            }
        }
        for (path, name) in read.names(Kind::Segment) {
            if !self.vocabulary.segments.iter().any(|one| one == name) {
                problems.push(format!("{path}: no segment has this name"));
            }
        }
        if ids(&definition["query"].to_string()).any(|id| !self.ids.contains(&id)) {
            problems.push("query: names an id that you were not told".to_owned());
        }
        problems
    }
}

/// The UUIDs in a text.
fn ids(text: &str) -> impl Iterator<Item = Uuid> + '_ {
    text.split(|letter: char| !letter.is_ascii_hexdigit() && letter != '-')
        .filter_map(|word| word.parse().ok())
}
