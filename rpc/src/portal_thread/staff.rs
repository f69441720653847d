//! The office's side of threads: whoever may send messages, and technicians in the threads of their own visits.

use fieldcrm_core::portal_thread::{
    MessagesQuery, NewMessage, NewStaffThread, ThreadPatch, ThreadsQuery, staff_folder,
    unknown_reference,
};
use fieldcrm_core::{Capability, Error, Result, Session, patch};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{MARK_READ, OPEN, OneThread, Sender, dedupe_key, messages, send};
use crate::idempotency::{self, Claim};
use crate::page::{below, finish};
use crate::{Db, call_as, session};

const RESOLVE: &str = include_str!("../../sql/portal_thread/resolve_staff.sql");
const FIND: &str = include_str!("../../sql/portal_thread/find_staff.sql");
const LIST: &str = include_str!("../../sql/portal_thread/list_staff.sql");
const GET: &str = include_str!("../../sql/portal_thread/get_staff.sql");
const UPDATE: &str = include_str!("../../sql/portal_thread/update.sql");

/// Who of the org reads and writes here.
struct Member {
    caller: Session,
    org_id: Uuid,
    /// A technician, who is in the threads of their own visits only.
    technician_id: Option<Uuid>,
}

impl Member {
    async fn load(db: &mut impl Db) -> Result<Self> {
        let caller = session::current(db).await?;
        let org_id = caller.require(&[Capability::MessagesSend, Capability::WorkOrdersPerform])?;
        let everywhere = caller.has(Capability::MessagesSend);
        let technician_id = caller.profile_id.filter(|_| !everywhere);
        Ok(Self { caller, org_id, technician_id })
    }

    /// A back end writes for the org, and for nobody in it.
    const fn sender(&self) -> Sender {
        Sender {
            org_id: self.org_id,
            kind: if self.caller.profile_id.is_some() { "internal_user" } else { "system" },
            portal_account_id: None,
            user_id: self.caller.profile_id,
        }
    }

    async fn thread(&self, db: &mut impl Db, id: Uuid) -> Result<Found> {
        let key = json!({"org_id": self.org_id, "id": id, "technician_id": self.technician_id});
        let found: Option<Found> = call_as(db, FIND, &key).await?;
        found.ok_or_else(|| Error::not_found("thread"))
    }
}

#[derive(Deserialize)]
struct Found {
    customer_id: Uuid,
}

#[derive(Deserialize)]
struct Resolved {
    work_order: bool,
    location: bool,
}

/// `crm_create_portal_thread(customer_id, subject, body, …)`: the thread with its first `message`.
pub async fn create_thread<D: Db>(db: &mut D, mut arguments: Value) -> Result<Value> {
    const NAME: &str = "crm_create_portal_thread";
    let member = Member::load(db).await?;
    let key = dedupe_key(NAME, member.caller.profile_id, &arguments);
    let claim = match idempotency::claim(db, &member.caller, NAME, &mut arguments).await? {
        Claim::Repeat(first) => return Ok(first),
        Claim::First(claim) => claim,
    };
    let org_id = member.org_id;
    let (customer_id, opening) = patch::read::<NewStaffThread>(arguments)?.prepare(org_id)?;
    let document = json!({
        "org_id": org_id, "customer_id": customer_id, "technician_id": member.technician_id,
        "related_work_order_id": opening.related_work_order_id, "location_id": opening.location_id,
    });
    let found: Option<Resolved> = call_as(db, RESOLVE, &document).await?;
    let found = found.ok_or_else(|| Error::not_found("customer"))?;
    if opening.related_work_order_id.is_some() && !found.work_order {
        return Err(unknown_reference("related_work_order_id"));
    }
    if opening.location_id.is_some() && !found.location {
        return Err(unknown_reference("location_id"));
    }
    if member.technician_id.is_some() && opening.related_work_order_id.is_none() {
        let message = "technicians write about one of their visits";
        return Err(Error::invalid_field("related_work_order_id", "required", message));
    }
    let document = json!({
        "org_id": org_id, "customer_id": customer_id, "location_id": opening.location_id,
        "related_work_order_id": opening.related_work_order_id, "subject": opening.subject,
        "user_id": member.caller.profile_id,
    });
    let opened = db.call(OPEN, &document).await?;
    let id = opened["id"].as_str().and_then(|id| id.parse().ok());
    let id: Uuid = id.ok_or_else(|| Error::internal("a thread without an id"))?;
    let message = send(db, &member.sender(), id, &opening.message, key).await?;
    let mut answer = db.call(GET, &json!({"org_id": org_id, "id": id})).await?;
    answer["message"] = message;
    idempotency::store(db, claim, &answer).await?;
    Ok(answer)
}

/// `crm_reply_to_portal_thread(thread_id, body, attachments)`: the message, and whose turn it is.
pub async fn reply<D: Db>(db: &mut D, mut arguments: Value) -> Result<Value> {
    const NAME: &str = "crm_reply_to_portal_thread";
    let member = Member::load(db).await?;
    let key = dedupe_key(NAME, member.caller.profile_id, &arguments);
    let claim = match idempotency::claim(db, &member.caller, NAME, &mut arguments).await? {
        Claim::Repeat(first) => return Ok(first),
        Claim::First(claim) => claim,
    };
    let new: NewMessage = patch::read(arguments)?;
    let thread_id = new.thread_id;
    let thread = member.thread(db, thread_id).await?;
    let message = new.prepare(&staff_folder(member.org_id, thread.customer_id))?;
    let sent = send(db, &member.sender(), thread_id, &message, key).await?;
    idempotency::store(db, claim, &sent).await?;
    Ok(sent)
}

/// `crm_list_portal_threads(status, customer_id, assigned_to, page_size, cursor)`: `{items, next_cursor}`, the latest word first.
pub async fn list_threads<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let query: ThreadsQuery = patch::read(arguments)?;
    let page = query.page()?;
    let member = Member::load(db).await?;
    let (at, id) = below(&page);
    let document = json!({
        "org_id": member.org_id, "technician_id": member.technician_id, "status": query.status,
        "customer_id": query.customer_id, "assigned_to": query.assigned_to, "at": at, "id": id,
        "limit": page.limit,
    });
    finish(db.call(LIST, &document).await?, page.limit)
}

/// `crm_get_portal_thread(thread_id, page_size, cursor)`: the thread with a page of its `messages`, the newest first.
pub async fn get_thread<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let query: MessagesQuery = patch::read(arguments)?;
    let member = Member::load(db).await?;
    member.thread(db, query.thread_id).await?;
    let key = json!({"org_id": member.org_id, "id": query.thread_id});
    let mut thread = db.call(GET, &key).await?;
    thread["messages"] = messages(db, member.org_id, None, &query).await?;
    Ok(thread)
}

/// `crm_mark_portal_thread_read(thread_id)`: {read}.
pub async fn mark_read<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let OneThread { thread_id } = patch::read(arguments)?;
    let member = Member::load(db).await?;
    member.thread(db, thread_id).await?;
    let key = json!({"org_id": member.org_id, "thread_id": thread_id, "by": "internal_user"});
    db.call(MARK_READ, &key).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Update {
    id: Uuid,
    patch: Value,
}

#[derive(Deserialize)]
struct Checked {
    thread: bool,
    assignee: bool,
}

/// `crm_update_portal_thread(id, patch)`: closes and opens, hands over, renames. The thread.
pub async fn update<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Update { id, patch } = patch::read(arguments)?;
    let set = patch::read::<ThreadPatch>(patch)?.prepare()?;
    let org_id = session::current(db).await?.require(&[Capability::MessagesSend])?;
    let checked: Checked =
        call_as(db, UPDATE, &json!({"org_id": org_id, "id": id, "set": set})).await?;
    if !checked.thread {
        return Err(Error::not_found("thread"));
    }
    if !checked.assignee {
        let message = "is not an active member of the company";
        return Err(Error::invalid_field("assigned_to_user_id", "unknown_assignee", message));
    }
    db.call(GET, &json!({"org_id": org_id, "id": id})).await
}
