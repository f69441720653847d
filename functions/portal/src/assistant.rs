//! `/portal/ai`: conversations with the assistant.
//!
//! A question is stored, then answered from what a search of the help articles finds for this customer: by the model, if one is set up,
//! else word for word. What a model says counts only with articles that it was shown; where it has nothing to say, or fails, the
//! builtin answer stands in.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use fieldcrm_core::ai::answer::{self, Citation, Source};
use fieldcrm_core::ai::prompt::Boundary;
use fieldcrm_core::ai_usage::Feature;
use fieldcrm_core::kb::MAX_QUERY;
use fieldcrm_core::portal_assistant::{
    ConversationStatus, FOUND, NOTHING_FOUND, Said, StoreAnswer,
};
use fieldcrm_core::{Error, Result};
use fieldcrm_edge::ai::chat::{Prompt, Turn};
use fieldcrm_edge::ai::models::Models;
use fieldcrm_edge::{Caller, Idempotency, JsonObject, PathId, Ports, Problem};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::arguments::{self, by_id, created};
use crate::identity::{Identity, map};
use crate::kb;

/// The arguments of `portal_start_ai_conversation` and `portal_add_ai_message` that come in a body.
const CONVERSATION: [&str; 2] = ["context_type", "related_work_order_id"];
const MESSAGE: [&str; 1] = ["content"];
/// Articles that an answer may be from.
const SOURCES: usize = 5;
/// What a model cites for the customer's own records; no article is called so.
const RECORDS: &str = "customer_records";
/// Of a model's answer, in characters, and in tokens with what is around it.
const MAX_SAID: usize = 2_000;
const MAX_TOKENS: u32 = 800;

/// What these routes need beside the ports.
#[derive(Clone)]
pub struct Settings {
    /// What stores answers, which no user may.
    pub identity: Arc<Identity>,
    pub search: kb::Settings,
    pub models: Models,
}

pub fn add(routes: Router<Ports>) -> Router<Ports> {
    routes
        .route("/portal/ai/conversations", get(list).post(start))
        .route("/portal/ai/conversations/{id}", get(show))
        .route("/portal/ai/conversations/{id}/messages", post(ask))
        .route("/portal/ai/conversations/{id}/escalate", post(escalate))
}

/// `POST /portal/ai/conversations`
async fn start(
    State(ports): State<Ports>,
    caller: Caller,
    Idempotency(key): Idempotency,
    body: Option<JsonObject>,
) -> Result<Response, Problem> {
    let body = body.map(|JsonObject(body)| body).unwrap_or_default();
    let arguments = fieldcrm_edge::arguments(body, key, &CONVERSATION, "a conversation")?;
    let made = ports.database.rpc(&caller, "portal_start_ai_conversation", arguments).await?;
    created(|id| format!("/portal/ai/conversations/{id}"), made)
}

/// `GET /portal/ai/conversations`
async fn list(
    State(ports): State<Ports>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let statuses = ConversationStatus::ALL.iter().map(|one| one.as_str());
    let arguments = arguments::by_status(query.as_deref(), &statuses)?;
    Ok(Json(ports.database.rpc(&caller, "portal_list_ai_conversations", arguments).await?))
}

/// `GET /portal/ai/conversations/{id}`
async fn show(
    State(ports): State<Ports>,
    caller: Caller,
    id: PathId,
) -> Result<Json<Value>, Problem> {
    let arguments = by_id(id, "conversation_id");
    Ok(Json(ports.database.rpc(&caller, "portal_get_ai_conversation", arguments).await?))
}

/// `POST /portal/ai/conversations/{id}/escalate`: as often as one likes, it is one thread.
async fn escalate(
    State(ports): State<Ports>,
    caller: Caller,
    id: PathId,
) -> Result<Json<Value>, Problem> {
    let arguments = by_id(id, "conversation_id");
    Ok(Json(ports.database.rpc(&caller, "portal_escalate_ai_conversation", arguments).await?))
}

/// What `portal_ai_context` says.
#[derive(Deserialize)]
struct Context {
    org_id: Uuid,
    question: String,
    answer: Value,
    history: Vec<Said>,
    visits: Vec<Value>,
    bookings: Vec<Value>,
    invoices: Vec<Value>,
}

/// `POST /portal/ai/conversations/{id}/messages`: the question and its answer. Who asks again with the same key gets the same answer, or
/// the one that was not made the first time.
async fn ask(
    State(ports): State<Ports>,
    Extension(settings): Extension<Settings>,
    caller: Caller,
    id: PathId,
    Idempotency(key): Idempotency,
    JsonObject(body): JsonObject,
) -> Result<Response, Problem> {
    let at = format!("/portal/ai/conversations/{}", id.0);
    let mut arguments = fieldcrm_edge::arguments(body, key, &MESSAGE, "a message")?;
    arguments.extend(by_id(id, "conversation_id"));
    let question = ports.database.rpc(&caller, "portal_add_ai_message", arguments).await?;
    let about = map(json!({"message_id": question["id"]}));
    let context = ports.database.rpc(&caller, "portal_ai_context", about).await?;
    let context: Context =
        serde_json::from_value(context).map_err(|error| Error::internal(error.to_string()))?;
    let answer = if context.answer.is_null() {
        let sources = retrieve(&ports, &settings.search, &caller, &context.question).await?;
        let said = answered(&ports, &settings.models, &caller, &context, &sources).await;
        let message_id = question["id"].as_str().and_then(|id| id.parse().ok());
        let message_id = message_id.ok_or_else(|| Error::internal("a question without an id"))?;
        let store =
            StoreAnswer { org_id: context.org_id, conversation_id: id.0, message_id, ..said };
        settings.identity.rpc(&caller, "portal_store_ai_answer", json!(store)).await?
    } else {
        context.answer
    };
    let made = json!({"id": answer["id"], "question": question, "answer": answer});
    created(|_| at, made)
}

/// The pieces of articles that say most about the question, of those that this customer reads.
async fn retrieve(
    ports: &Ports,
    settings: &kb::Settings,
    caller: &Caller,
    question: &str,
) -> Result<Vec<Source>> {
    let query: String = question.chars().take(MAX_QUERY).collect();
    let arguments = Map::from_iter([
        ("query".to_owned(), query.into()),
        ("page_size".to_owned(), SOURCES.into()),
    ]);
    let mut found = kb::find(ports, settings, caller, arguments).await?;
    serde_json::from_value(found["results"].take())
        .map_err(|error| Error::internal(error.to_string()))
}

/// What is said to the question; whose it is, the caller adds.
async fn answered(
    ports: &Ports,
    models: &Models,
    caller: &Caller,
    context: &Context,
    sources: &[Source],
) -> StoreAnswer {
    match outside(models, caller, context, sources).await {
        Ok(Some(said)) => return said,
        Ok(None) => {}
        Err(error) => {
            let line = json!({
                "level": "warn", "event": "assistant", "slug": "portal",
                "request_id": caller.request_id, "code": error.code,
            });
            ports.log.line(&line.to_string());
        }
    }
    let citations = answer::answer(&context.question, sources);
    let sentences: Vec<_> =
        citations.iter().filter_map(|citation| citation.sentence.as_deref()).collect();
    let text = match &sentences[..] {
        [] => String::new(),
        sentences => format!("{FOUND} {}", sentences.join(" ")),
    };
    said(text, citations, "builtin")
}

fn said(content: String, citations: Vec<Citation>, provider: &str) -> StoreAnswer {
    let refused = content.is_empty();
    StoreAnswer {
        org_id: Uuid::nil(),
        conversation_id: Uuid::nil(),
        message_id: Uuid::nil(),
        content: if refused { NOTHING_FOUND.to_owned() } else { content },
        refused,
        citations,
        provider: provider.to_owned(),
        model: None,
        input_tokens: None,
        output_tokens: None,
    }
}

/// What a model is to answer with.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reply {
    answer: String,
    citations: Vec<String>,
    refused: bool,
}

/// The model's answer, or none: there is no model, or nothing to answer from.
async fn outside(
    models: &Models,
    caller: &Caller,
    context: &Context,
    sources: &[Source],
) -> Result<Option<StoreAnswer>> {
    let Context { visits, bookings, invoices, .. } = context;
    let has_records = !(visits.is_empty() && bookings.is_empty() && invoices.is_empty());
    if sources.is_empty() && !has_records {
        return Ok(None);
    }
    let mut known: BTreeSet<&str> = sources.iter().map(|source| source.slug.as_str()).collect();
    if has_records {
        known.insert(RECORDS);
    }
    let check = |reply: &Reply| problems(reply, &known);
    let prompt = prompt(context, sources, has_records);
    let feature = Feature::Assistant;
    let Some(reply) =
        models.complete::<Reply>(caller, context.org_id, feature, prompt, check).await?
    else {
        return Ok(None);
    };
    let Reply { answer, citations, refused } = reply.value;
    // In the order of the search, each once.
    let cited = sources.iter().filter(|source| !refused && citations.contains(&source.slug));
    let cited = cited.map(|source| source.citation(None)).collect();
    // A model that has nothing to say says it in our words.
    let text = if refused { String::new() } else { answer };
    let tokens = |count: u64| Some(i32::try_from(count).unwrap_or(i32::MAX));
    Ok(Some(StoreAnswer {
        model: Some(reply.model),
        input_tokens: tokens(reply.usage.input_tokens),
        output_tokens: tokens(reply.usage.output_tokens),
        ..said(text, cited, reply.provider)
    }))
}

/// What is wrong with a reply, for the model to repair.
fn problems(reply: &Reply, known: &BTreeSet<&str>) -> Vec<String> {
    let Reply { answer, citations, refused } = reply;
    let mut problems = Vec::new();
    if *refused {
        return problems;
    }
    let unreadable = |letter: char| letter.is_control() && letter != '\n' && letter != '\t';
    if answer.trim().is_empty() || answer.chars().count() > MAX_SAID || answer.contains(unreadable)
    {
        problems.push(format!("answer must be 1 to {MAX_SAID} characters of text"));
    }
    // Nobody checked where they lead.
    if answer.contains("://") || answer.contains("](") || answer.to_lowercase().contains("www.") {
        problems.push("answer must not have links".to_owned());
    }
    if citations.is_empty() {
        problems.push("citations must name what the answer is from, or refused be true".to_owned());
    }
    for unknown in citations.iter().filter(|slug| !known.contains(slug.as_str())) {
        problems.push(format!("citations: there is no {unknown}"));
    }
    problems
}

fn prompt(context: &Context, sources: &[Source], has_records: bool) -> Prompt {
    let boundary = Boundary::new(Uuid::new_v4());
    let system = format!(
        "You are the assistant in the portal where customers of a service company get help. Answer the customer's question from \
         the help articles and the customer's records that follow, and from nothing else. If they do not answer it, set refused to \
         true. You cannot book, change or promise anything, and you know no prices but those that are written there. Answer in the \
         language of the question, in plain text without links, in at most 120 words. citations: the slugs of the articles that the \
         answer is from, or {RECORDS} for the records. {}",
        boundary.rules()
    );
    let mut parts: Vec<String> = sources
        .iter()
        .map(|source| {
            let heading = source.heading.as_deref().unwrap_or_default();
            let Source { slug, title, content, .. } = source;
            let text = format!("slug: {slug}\ntitle: {title}\n{heading}\n{content}");
            boundary.block("help article", &text)
        })
        .collect();
    if has_records {
        let Context { visits, bookings, invoices, .. } = context;
        let records =
            json!({"visits": visits, "booking_requests": bookings, "open_invoices": invoices});
        parts.push(boundary.block(RECORDS, &records.to_string()));
    }
    if !context.history.is_empty() {
        let earlier: Vec<_> = context
            .history
            .iter()
            .map(|one| format!("{}: {}", one.role.as_str(), one.content))
            .collect();
        parts.push(boundary.block("conversation so far", &earlier.join("\n")));
    }
    parts.push(boundary.block("question", &context.question));
    parts.push("Answer the question with the JSON object that was asked for.".to_owned());
    let schema = json!({
        "type": "object", "additionalProperties": false, "required": ["answer", "citations", "refused"],
        "properties": {
            "answer": {"type": "string"},
            "citations": {"type": "array", "items": {"type": "string"}},
            "refused": {"type": "boolean"},
        },
    });
    Prompt {
        system,
        turns: vec![Turn::user(parts.join("\n\n"))],
        schema: Some(("answer", schema)),
        max_tokens: MAX_TOKENS,
    }
}
