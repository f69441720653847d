//! What customers and the office write to each other. The customer's side is here, the office's in [`staff`].

mod staff;

pub use staff::{create_thread, get_thread, list_threads, mark_read, reply, update};

use fieldcrm_core::portal::Account;
use fieldcrm_core::portal_thread::{
    MessageFile, MessagesQuery, NewMessage, NewThread, Opening, ThreadsQuery, account_folder,
    unknown_reference,
};
use fieldcrm_core::{Error, Result, patch};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::idempotency::{self, Claim};
use crate::page::{below, finish};
use crate::portal::{account, audit};
use crate::{Db, call_as, session};

const RESOLVE: &str = concat!(
    include_str!("../sql/appointment/scope.sql"),
    include_str!("../sql/portal_thread/resolve.sql")
);
const FIND: &str = concat!(
    include_str!("../sql/appointment/scope.sql"),
    include_str!("../sql/portal_thread/find.sql")
);
const LIST: &str = concat!(
    include_str!("../sql/appointment/scope.sql"),
    include_str!("../sql/portal_thread/list.sql")
);
const FILE: &str = concat!(
    include_str!("../sql/appointment/scope.sql"),
    include_str!("../sql/portal_thread/file.sql")
);
const OPEN: &str = include_str!("../sql/portal_thread/open.sql");
const SEND: &str = include_str!("../sql/portal_thread/send.sql");
const MESSAGES: &str = include_str!("../sql/portal_thread/messages.sql");
const MARK_READ: &str = include_str!("../sql/portal_thread/mark_read.sql");

/// Who writes a message, as `send.sql` takes it.
struct Sender {
    org_id: Uuid,
    kind: &'static str,
    portal_account_id: Option<Uuid>,
    user_id: Option<Uuid>,
}

/// The key of the call in the table's own column: it outlives the table of keys.
pub(crate) fn dedupe_key(
    operation: &str,
    user_id: Option<Uuid>,
    arguments: &Value,
) -> Option<String> {
    let key = arguments["idempotency_key"].as_str()?;
    Some(format!("{operation}:{}:{key}", user_id.unwrap_or_default()))
}

async fn send(
    db: &mut impl Db,
    sender: &Sender,
    thread_id: Uuid,
    message: &fieldcrm_core::portal_thread::Message,
    dedupe_key: Option<String>,
) -> Result<Value> {
    let document = json!({
        "org_id": sender.org_id, "thread_id": thread_id, "sender_type": sender.kind,
        "portal_account_id": sender.portal_account_id, "user_id": sender.user_id,
        "body": message.body, "attachments": message.attachments, "dedupe_key": dedupe_key,
    });
    let sent = db.call(SEND, &document).await?;
    if sent.is_null() { Err(Error::not_found("thread")) } else { Ok(sent) }
}

fn customer(account: &Account) -> Sender {
    Sender {
        org_id: account.org_id,
        kind: "portal_customer",
        portal_account_id: Some(account.id),
        user_id: None,
    }
}

#[derive(Deserialize)]
struct Resolved {
    work_order: Option<Place>,
    location: Option<Place>,
}

#[derive(Clone, Copy, Deserialize)]
pub(crate) struct Place {
    pub customer_id: Uuid,
    pub location_id: Option<Uuid>,
}

/// `portal_create_thread(subject, initial_message, …)`: the thread's id and status, with its first `message`.
pub async fn create<D: Db>(db: &mut D, mut arguments: Value) -> Result<Value> {
    const NAME: &str = "portal_create_thread";
    let account = account(db).await?;
    let caller = session::current(db).await?;
    let key = dedupe_key(NAME, caller.user_id, &arguments);
    let claim = match idempotency::claim(db, &caller, NAME, &mut arguments).await? {
        Claim::Repeat(first) => return Ok(first),
        Claim::First(claim) => claim,
    };
    let folder = account_folder(account.org_id, account.id);
    let opening = patch::read::<NewThread>(arguments)?.prepare(&folder)?;
    let (visit, location) = (opening.related_work_order_id, opening.location_id);
    let place = place(db, &account, visit, location).await?;
    let answer = open(db, &account, place, &opening, key).await?;
    idempotency::store(db, claim, &answer).await?;
    Ok(answer)
}

/// The thread with its first message, which is the customer's.
pub(crate) async fn open(
    db: &mut impl Db,
    account: &Account,
    place: Place,
    opening: &Opening,
    dedupe_key: Option<String>,
) -> Result<Value> {
    let document = json!({
        "org_id": account.org_id, "customer_id": place.customer_id, "location_id": place.location_id,
        "related_work_order_id": opening.related_work_order_id, "subject": opening.subject,
        "portal_account_id": account.id,
    });
    let opened = db.call(OPEN, &document).await?;
    let id = opened["id"].as_str().and_then(|id| id.parse().ok());
    let id = id.ok_or_else(|| Error::internal("a thread without an id"))?;
    let message = send(db, &customer(account), id, &opening.message, dedupe_key).await?;
    audit(db, account, "thread_created", json!({"thread_id": id})).await?;
    Ok(json!({"id": id, "subject": opening.subject, "status": message["status"],
        "customer_id": place.customer_id, "location_id": place.location_id,
        "related_work_order_id": opening.related_work_order_id, "message": message}))
}

/// Whose thread it is: of the visit's or the place's customer, if one is named. A manager who sees some places of a customer
/// writes about one of them.
pub(crate) async fn place(
    db: &mut impl Db,
    account: &Account,
    related_work_order_id: Option<Uuid>,
    location_id: Option<Uuid>,
) -> Result<Place> {
    let own = Place { customer_id: account.customer_id, location_id: None };
    if related_work_order_id.is_none() && location_id.is_none() {
        return Ok(own);
    }
    let document = json!({
        "org_id": account.org_id, "scope": account.scope(),
        "related_work_order_id": related_work_order_id, "location_id": location_id,
    });
    let found: Resolved = call_as(db, RESOLVE, &document).await?;
    if related_work_order_id.is_some() && found.work_order.is_none() {
        return Err(unknown_reference("related_work_order_id"));
    }
    let of_another = |location: &Place| {
        found.work_order.is_some_and(|visit| visit.customer_id != location.customer_id)
    };
    if location_id.is_some() && found.location.as_ref().is_none_or(of_another) {
        return Err(unknown_reference("location_id"));
    }
    Ok(found.location.or(found.work_order).unwrap_or(own))
}

/// `portal_send_message(thread_id, body, attachments)`: the message, and whose turn it is. A closed thread is open again.
pub async fn send_message<D: Db>(db: &mut D, mut arguments: Value) -> Result<Value> {
    const NAME: &str = "portal_send_message";
    let account = account(db).await?;
    let caller = session::current(db).await?;
    let key = dedupe_key(NAME, caller.user_id, &arguments);
    let claim = match idempotency::claim(db, &caller, NAME, &mut arguments).await? {
        Claim::Repeat(first) => return Ok(first),
        Claim::First(claim) => claim,
    };
    let new: NewMessage = patch::read(arguments)?;
    let thread_id = new.thread_id;
    require_thread(db, &account, thread_id).await?;
    let message = new.prepare(&account_folder(account.org_id, account.id))?;
    let sent = send(db, &customer(&account), thread_id, &message, key).await?;
    idempotency::store(db, claim, &sent).await?;
    Ok(sent)
}

/// `portal_list_threads(status, page_size, cursor)`: `{items, next_cursor}`, the latest word first.
pub async fn list<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let query: ThreadsQuery = patch::read(arguments)?;
    if query.customer_id.is_some() || query.assigned_to.is_some() {
        return Err(Error::invalid_field(
            "$",
            "unknown_field",
            "expected status, page_size, cursor",
        ));
    }
    let page = query.page()?;
    let account = account(db).await?;
    let (at, id) = below(&page);
    let document = json!({
        "org_id": account.org_id, "scope": account.scope(), "status": query.status, "at": at, "id": id,
        "limit": page.limit,
    });
    finish(db.call(LIST, &document).await?, page.limit)
}

/// `portal_list_messages(thread_id, page_size, cursor)`: `{items, next_cursor}`, the newest first.
pub async fn list_messages<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let query: MessagesQuery = patch::read(arguments)?;
    let account = account(db).await?;
    require_thread(db, &account, query.thread_id).await?;
    messages(db, account.org_id, Some(account.id), &query).await
}

/// `portal_get_message_file(message_id, index)`: where a file of a message is in Storage. That it was asked for is kept.
pub async fn get_message_file<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let MessageFile { message_id, index } = patch::read(arguments)?;
    let account = account(db).await?;
    let key = json!({
        "org_id": account.org_id, "scope": account.scope(), "message_id": message_id, "index": index,
    });
    let found = db.call(FILE, &key).await?;
    if found.is_null() {
        return Err(Error::not_found("file"));
    }
    let viewed = json!({"message_id": message_id, "index": index});
    audit(db, &account, "message_file_viewed", viewed).await?;
    Ok(found)
}

async fn messages(
    db: &mut impl Db,
    org_id: Uuid,
    account_id: Option<Uuid>,
    query: &MessagesQuery,
) -> Result<Value> {
    let page = query.page()?;
    let (at, id) = below(&page);
    let document = json!({
        "org_id": org_id, "thread_id": query.thread_id, "portal_account_id": account_id, "at": at,
        "id": id, "limit": page.limit,
    });
    finish(db.call(MESSAGES, &document).await?, page.limit)
}

/// The arguments of what is asked about a thread as a whole.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OneThread {
    thread_id: Uuid,
}

/// `portal_mark_thread_read(thread_id)`: {read}.
pub async fn mark_thread_read<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let OneThread { thread_id } = patch::read(arguments)?;
    let account = account(db).await?;
    require_thread(db, &account, thread_id).await?;
    let key = json!({
        "org_id": account.org_id, "thread_id": thread_id, "by": "portal_customer",
    });
    db.call(MARK_READ, &key).await
}

async fn require_thread(db: &mut impl Db, account: &Account, id: Uuid) -> Result<()> {
    let key = json!({"org_id": account.org_id, "scope": account.scope(), "id": id});
    if db.call(FIND, &key).await?.is_null() {
        return Err(Error::not_found("thread"));
    }
    Ok(())
}
