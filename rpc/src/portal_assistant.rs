//! Conversations of customers with the portal's assistant. What it says comes from the edge function, which has the model; the
//! database keeps who may ask what, and what was said.

use fieldcrm_core::portal::Account;
use fieldcrm_core::portal_assistant::{
    ConversationStatus, ConversationsQuery, Counts, DISCLAIMER, MAX_TRIES, NewConversation,
    NewQuestion, OneConversation, OneQuestion, Said, StoreAnswer, Topic, hand_over,
};
use fieldcrm_core::portal_thread::{Message, Opening};
use fieldcrm_core::{Code, Error, Result, patch};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::channel::check_service;
use crate::idempotency::{self, Claim};
use crate::page::{below, finish};
use crate::portal::account;
use crate::portal_thread::{self as thread, Place};
use crate::{Db, call_as, session};

/// A statement over the account's own conversations.
macro_rules! own {
    ($name:literal) => {
        concat!(
            include_str!("../sql/appointment/scope.sql"),
            include_str!("../sql/portal_assistant/own.sql"),
            include_str!(concat!("../sql/portal_assistant/", $name, ".sql")),
        )
    };
}

const FIND: &str = own!("find");
const FIND_QUESTION: &str = own!("find_question");
const LIST: &str = own!("list");
const CONTEXT: &str = concat!(
    include_str!("../sql/appointment/scope.sql"),
    include_str!("../sql/portal_assistant/context.sql")
);
const LOCK_ACCOUNT: &str = include_str!("../sql/booking/lock_account.sql");
const LOCK: &str = include_str!("../sql/portal_assistant/lock.sql");
const START_COUNT: &str = include_str!("../sql/portal_assistant/start_count.sql");
const START: &str = include_str!("../sql/portal_assistant/start.sql");
const MESSAGES: &str = include_str!("../sql/portal_assistant/messages.sql");
const QUESTION_COUNT: &str = include_str!("../sql/portal_assistant/question_count.sql");
const ASK: &str = include_str!("../sql/portal_assistant/ask.sql");
const BEGIN_ANSWER: &str = include_str!("../sql/portal_assistant/begin_answer.sql");
const ANSWER: &str = include_str!("../sql/portal_assistant/answer.sql");
const ANSWERED: &str = include_str!("../sql/portal_assistant/answered.sql");
const ESCALATE: &str = include_str!("../sql/portal_assistant/escalate.sql");

/// A conversation as `find.sql` gives it, and what of it decides.
#[derive(Deserialize)]
struct Conversation {
    id: Uuid,
    customer_id: Uuid,
    location_id: Option<Uuid>,
    related_work_order_id: Option<Uuid>,
}

#[derive(Deserialize)]
struct State {
    status: ConversationStatus,
    thread_id: Option<Uuid>,
}

async fn find(db: &mut impl Db, account: &Account, id: Uuid) -> Result<Value> {
    let key = json!({"org_id": account.org_id, "scope": account.scope(),
        "portal_account_id": account.id, "id": id});
    let found = db.call(FIND, &key).await?;
    if found.is_null() { Err(Error::not_found("conversation")) } else { Ok(found) }
}

/// The conversation, locked as it is now.
async fn lock(db: &mut impl Db, org_id: Uuid, id: Uuid) -> Result<State> {
    let state: Option<State> = call_as(db, LOCK, &json!({"org_id": org_id, "id": id})).await?;
    state.ok_or_else(|| Error::not_found("conversation"))
}

fn require_active(state: &State) -> Result<()> {
    if state.status == ConversationStatus::Active {
        return Ok(());
    }
    let hint = "The conversation is over: begin another one.";
    Err(Error::new(Code::WrongState, hint).with("status", state.status.as_str()))
}

fn shown(mut conversation: Value) -> Value {
    if let Some(conversation) = conversation.as_object_mut() {
        conversation.remove("location_id");
    }
    conversation
}

/// `portal_start_ai_conversation(context_type, related_work_order_id)`: the conversation with its first message, what the
/// assistant is.
pub async fn start<D: Db>(db: &mut D, mut arguments: Value) -> Result<Value> {
    let account = account(db).await?;
    let caller = session::current(db).await?;
    let name = "portal_start_ai_conversation";
    let claim = match idempotency::claim(db, &caller, name, &mut arguments).await? {
        Claim::Repeat(first) => return Ok(first),
        Claim::First(claim) => claim,
    };
    let new: NewConversation = patch::read(arguments)?;
    let place = thread::place(db, &account, new.related_work_order_id, None).await?;
    // Calls of one account take turns, so that they count each other.
    let of_account = json!({"org_id": account.org_id, "portal_account_id": account.id});
    db.call(LOCK_ACCOUNT, &of_account).await?;
    call_as::<Counts>(db, START_COUNT, &of_account).await?.may_start()?;
    let document = json!({
        "org_id": account.org_id, "portal_account_id": account.id, "customer_id": place.customer_id,
        "context_type": new.context_type.unwrap_or(Topic::GeneralSupport),
        "related_work_order_id": new.related_work_order_id, "disclaimer": DISCLAIMER,
    });
    let id: Uuid = call_as(db, START, &document).await?;
    let conversation = whole(db, &account, id).await?;
    idempotency::store(db, claim, &conversation).await?;
    Ok(conversation)
}

async fn whole(db: &mut impl Db, account: &Account, id: Uuid) -> Result<Value> {
    let mut conversation = shown(find(db, account, id).await?);
    conversation["messages"] =
        db.call(MESSAGES, &json!({"org_id": account.org_id, "id": id})).await?;
    Ok(conversation)
}

/// `portal_list_ai_conversations(status, page_size, cursor)`: `{items, next_cursor}`, the newest first.
pub async fn list<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let query: ConversationsQuery = patch::read(arguments)?;
    let page = query.page()?;
    let account = account(db).await?;
    let (at, id) = below(&page);
    let document = json!({
        "org_id": account.org_id, "scope": account.scope(), "portal_account_id": account.id,
        "status": query.status, "at": at, "id": id, "limit": page.limit,
    });
    finish(db.call(LIST, &document).await?, page.limit)
}

/// `portal_get_ai_conversation(conversation_id)`: the conversation with its `messages`, the oldest first.
pub async fn get<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let OneConversation { conversation_id } = patch::read(arguments)?;
    let account = account(db).await?;
    whole(db, &account, conversation_id).await
}

/// `portal_add_ai_message(conversation_id, content)`: the question. The answer comes by [`store_answer`].
pub async fn ask<D: Db>(db: &mut D, mut arguments: Value) -> Result<Value> {
    let account = account(db).await?;
    let caller = session::current(db).await?;
    let name = "portal_add_ai_message";
    let claim = match idempotency::claim(db, &caller, name, &mut arguments).await? {
        Claim::Repeat(first) => return Ok(first),
        Claim::First(claim) => claim,
    };
    let new: NewQuestion = patch::read(arguments)?;
    let id = new.conversation_id;
    find(db, &account, id).await?;
    let content = new.prepare()?;
    let document = json!({
        "org_id": account.org_id, "portal_account_id": account.id, "id": id, "content": content,
    });
    db.call(LOCK_ACCOUNT, &document).await?;
    require_active(&lock(db, account.org_id, id).await?)?;
    call_as::<Counts>(db, QUESTION_COUNT, &document).await?.may_ask()?;
    let message = db.call(ASK, &document).await?;
    idempotency::store(db, claim, &message).await?;
    Ok(message)
}

/// `portal_ai_context(message_id)`: what the assistant may know to answer the question, and the `answer` if it has one; else this
/// begins one, by a model if `asks_model`.
pub async fn context<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let OneQuestion { message_id } = patch::read(arguments)?;
    let account = account(db).await?;
    let mut document = json!({"org_id": account.org_id, "scope": account.scope(),
        "portal_account_id": account.id, "message_id": message_id});
    let found = db.call(FIND_QUESTION, &document).await?;
    if found.is_null() {
        return Err(Error::not_found("question"));
    }
    document["conversation_id"] = found["id"].clone();
    document["customer_id"] = found["customer_id"].clone();
    document["related_work_order_id"] = found["related_work_order_id"].clone();
    let mut context = db.call(CONTEXT, &document).await?;
    context["answer"] = db.call(ANSWERED, &document).await?;
    let mut asks_model = false;
    if context["answer"].is_null() {
        document["most"] = MAX_TRIES.into();
        asks_model = db.call(BEGIN_ANSWER, &document).await? == true;
    }
    context["asks_model"] = asks_model.into();
    Ok(context)
}

/// `portal_store_ai_answer(org_id, conversation_id, message_id, content, …)`: the back end's. A question has one answer: who comes
/// second gets the first one.
pub async fn store_answer<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let answer = patch::read::<StoreAnswer>(arguments)?.prepare()?;
    check_service(&session::current(db).await?)?;
    let state = lock(db, answer.org_id, answer.conversation_id).await?;
    let key = json!({"org_id": answer.org_id, "conversation_id": answer.conversation_id,
        "message_id": answer.message_id});
    let first = db.call(ANSWERED, &key).await?;
    if !first.is_null() {
        return Ok(first);
    }
    // Who was erased meanwhile is told nothing more.
    require_active(&state)?;
    let tokens = match (answer.input_tokens, answer.output_tokens) {
        (None, None) => None,
        (input, output) => {
            Some(input.unwrap_or_default().saturating_add(output.unwrap_or_default()))
        }
    };
    let document = json!({
        "org_id": answer.org_id, "conversation_id": answer.conversation_id,
        "message_id": answer.message_id, "content": answer.content, "tokens": tokens,
        "metadata": {"provider": answer.provider, "model": answer.model, "refused": answer.refused,
            "citations": answer.citations, "input_tokens": answer.input_tokens,
            "output_tokens": answer.output_tokens},
    });
    if db.call(ANSWER, &document).await?.is_null() {
        return Err(Error::not_found("question"));
    }
    db.call(ANSWERED, &key).await
}

/// `portal_escalate_ai_conversation(conversation_id)`: staff go on, in a thread that begins with what was said. A second time it is
/// the same thread.
pub async fn escalate<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let OneConversation { conversation_id: id } = patch::read(arguments)?;
    let account = account(db).await?;
    let found = find(db, &account, id).await?;
    let state = lock(db, account.org_id, id).await?;
    if state.thread_id.is_some() {
        return find(db, &account, id).await.map(shown);
    }
    if state.status == ConversationStatus::Ended {
        require_active(&state)?;
    }
    let conversation: Conversation =
        serde_json::from_value(found).map_err(|error| Error::internal(error.to_string()))?;
    let said: Vec<Said> =
        call_as(db, MESSAGES, &json!({"org_id": account.org_id, "id": conversation.id})).await?;
    let handed = hand_over(&said);
    let opening = Opening {
        subject: handed.subject,
        related_work_order_id: conversation.related_work_order_id,
        location_id: conversation.location_id,
        message: Message { body: handed.body, attachments: None },
    };
    let place =
        Place { customer_id: conversation.customer_id, location_id: conversation.location_id };
    let opened = thread::open(db, &account, place, &opening, None).await?;
    let document =
        json!({"org_id": account.org_id, "id": conversation.id, "thread_id": opened["id"]});
    db.call(ESCALATE, &document).await?;
    find(db, &account, id).await.map(shown)
}
