//! `/portal/ai`: conversations with the assistant.
//!
//! A question is stored, then answered from what a search of the help articles finds for this customer: by the model, if one is set up,
//! else word for word. There is one way to an answer: who wants it as JSON gets the last event of those that the others get.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use fieldcrm_core::Result;
use fieldcrm_core::ai::cited::Sentence;
use fieldcrm_core::portal_assistant::ConversationStatus;
use fieldcrm_edge::ai::models::Models;
use fieldcrm_edge::{Caller, Idempotency, JsonObject, PathId, Ports, Problem};
use futures_channel::mpsc;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use crate::arguments::{self, by_id, created};
use crate::identity::Identity;
use crate::kb;

mod answer;

use answer::Asked;

/// The arguments of `portal_start_ai_conversation` and `portal_add_ai_message` that come in a body.
const CONVERSATION: [&str; 2] = ["context_type", "related_work_order_id"];
const MESSAGE: [&str; 1] = ["content"];

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

/// What is told while a question is answered.
enum Told {
    Sentence(Sentence),
    /// What was told before does not count.
    Reset,
}

/// `POST /portal/ai/conversations/{id}/messages`: the question and its answer. Who asks again with the same key gets the same answer, or
/// the one that was not made the first time.
async fn ask(
    State(ports): State<Ports>,
    Extension(settings): Extension<Settings>,
    caller: Caller,
    id: PathId,
    Idempotency(key): Idempotency,
    headers: HeaderMap,
    JsonObject(body): JsonObject,
) -> Result<Response, Problem> {
    let at = format!("/portal/ai/conversations/{}", id.0);
    let conversation_id = id.0;
    let mut arguments = fieldcrm_edge::arguments(body, key, &MESSAGE, "a message")?;
    arguments.extend(by_id(id, "conversation_id"));
    let question = ports.database.rpc(&caller, "portal_add_ai_message", arguments).await?;
    let asked = Asked { ports, settings, caller, conversation_id, question };
    if wants_events(&headers) {
        return Ok(events(asked));
    }
    let answer = asked.answer(&|_| {}).await?;
    let made = json!({"id": answer["id"], "question": asked.question, "answer": answer});
    created(|_| at, made)
}

fn wants_events(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|one| {
        let kind = one.split(';').next().unwrap_or_default();
        kind.trim().eq_ignore_ascii_case("text/event-stream")
    })
}

/// The answer as server-sent events. It is worked on while they are read: who leaves ends it, and the question waits.
fn events(asked: Asked) -> Response {
    let (teller, told) = mpsc::unbounded();
    let tell = move |name: &str, data: &Value| {
        // The data has no line break: JSON writes it otherwise.
        let event = Event::default().event(name).data(data.to_string());
        // Nobody listens: then nobody works on it either.
        let _ = teller.unbounded_send(event);
    };
    let work = async move {
        tell("question", &asked.question);
        let tell_one = |one| match one {
            Told::Sentence(sentence) => tell("sentence", &json!(sentence)),
            Told::Reset => tell("reset", &json!({})),
        };
        match asked.answer(&tell_one).await {
            Ok(answer) => tell("answer", &answer),
            Err(error) => {
                let ours = error.code.status() >= 500;
                asked.log(&error, ours.then_some(&error.hint));
                tell("problem", &Problem(error).document(&asked.caller.request_id));
            }
        }
    };
    let work = stream::once(work).filter_map(async |()| None);
    Sse::new(stream::select(told, work).map(Ok::<_, Infallible>)).into_response()
}
