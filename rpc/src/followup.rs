//! Follow-ups.

use fieldcrm_core::batch::Batch;
use fieldcrm_core::followup::{
    EnsureFollowup, ExpireFollowups, FollowupPatch, FollowupRow, FollowupStatus, NewFollowup,
    Origin,
};
use fieldcrm_core::{Capability, Code, Error, Result, Session, patch};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::idempotency::{self, Claim};
use crate::interaction::{check_customer, check_found};
use crate::{Db, call_as, session};

const CREATE: &str = include_str!("../sql/followup/create.sql");
const ENSURE_FIND: &str = include_str!("../sql/followup/ensure_find.sql");
const ENSURE_LOCK: &str = include_str!("../sql/followup/ensure_lock.sql");
const FIND_DEDUPE_KEY: &str = include_str!("../sql/followup/find_dedupe_key.sql");
const FIND: &str = include_str!("../sql/followup/find.sql");
const LOCK: &str = include_str!("../sql/followup/lock.sql");
const UPDATE: &str = include_str!("../sql/followup/update.sql");
const REMIND: &str = include_str!("../sql/followup/remind.sql");
const EXPIRE: &str = include_str!("../sql/followup/expire.sql");

/// `crm_create_followup(customer_id, title, due_at, …)`: the row and whether it was `created`; with
/// a `dedupe_key` that the org has already, the row that has it.
pub async fn create<D: Db>(db: &mut D, mut arguments: Value) -> Result<Value> {
    let caller = session::current(db).await?;
    let org_id = caller.require(&[Capability::FollowupsWrite, Capability::FollowupsWriteOwn])?;
    let claim = match idempotency::claim(db, &caller, "crm_create_followup", &mut arguments).await?
    {
        Claim::Repeat(first) => return Ok(first),
        Claim::First(claim) => claim,
    };
    let mut followup = patch::read::<NewFollowup>(arguments)?.prepare()?;
    followup.assigned_to_user_id = followup.assigned_to_user_id.or(caller.profile_id);
    let mut row = insert(db, &caller, org_id, &followup).await?;
    let created = !row.is_null();
    if !created {
        let key = json!({"org_id": org_id, "dedupe_key": followup.dedupe_key});
        row = db.call(FIND_DEDUPE_KEY, &key).await?;
        if row.is_null() {
            return Err(Error::new(
                Code::Conflict,
                "The follow-up with this key just went: try again.",
            ));
        }
    }
    row["created"] = created.into();
    idempotency::store(db, claim, &row).await?;
    Ok(row)
}

/// The new row; null where the org has its `dedupe_key` already.
async fn insert(
    db: &mut impl Db,
    caller: &Session,
    org_id: Uuid,
    followup: &FollowupRow,
) -> Result<Value> {
    let document = json!({
        "org_id": org_id, "user_id": caller.profile_id,
        "any_customer": caller.has(Capability::FollowupsWrite), "followup": followup,
    });
    let mut done = db.call(CREATE, &document).await?;
    check_customer(&done)?;
    check_found(
        &done,
        &[
            ("assignee", "assigned_to_user_id", "unknown_assignee"),
            ("interaction", "related_interaction_id", "unknown_interaction"),
            ("work_order", "related_work_order_id", "unknown_work_order"),
        ],
    )?;
    Ok(done["followup"].take())
}

#[derive(Deserialize)]
struct Locked {
    session: Session,
    first: bool,
}

/// How often one call looks for the key and inserts: again only where the row that was in the way went.
const TRIES: usize = 3;

/// `crm_ensure_followup(customer_id, title, due_at, …)`: the id of the follow-up that has the key, whoever made it,
/// and whether that was this call. A key that is there is one lookup, not even a session is read in Rust:
/// policies and capabilities are the statement's.
pub async fn ensure<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let mut followup = patch::read::<EnsureFollowup>(arguments)?.prepare()?;
    if followup.dedupe_key.is_none() {
        let org_id = writer(&session::current(db).await?, followup.origin)?;
        followup.dedupe_key = Some(followup.key(org_id));
    }
    let key = json!({"dedupe_key": followup.dedupe_key});
    // Whose word it is cannot be seen from the row.
    if followup.origin != Origin::SystemRule
        && let Some(id) = find_key(db, &key).await?
    {
        return Ok(found(id));
    }
    let Locked { session: caller, first } = call_as(db, ENSURE_LOCK, &key).await?;
    let org_id = writer(&caller, followup.origin)?;
    followup.assigned_to_user_id = followup.assigned_to_user_id.or(caller.profile_id);
    for attempt in 0..TRIES {
        // Who is first has just looked; if somebody came in between, the insert says so.
        if (attempt > 0 || !first || followup.origin == Origin::SystemRule)
            && let Some(id) = find_key(db, &key).await?
        {
            return Ok(found(id));
        }
        let row = insert(db, &caller, org_id, &followup).await?;
        if !row.is_null() {
            return Ok(json!({"id": row["id"], "created": true}));
        }
    }
    find_key(db, &key).await?.map(found).ok_or_else(|| {
        Error::new(Code::Conflict, "The follow-up with this key comes and goes: try again.")
    })
}

/// The org, for who may make follow-ups of that origin.
fn writer(caller: &Session, origin: Origin) -> Result<Uuid> {
    let org_id = caller.require(&[Capability::FollowupsWrite, Capability::FollowupsWriteOwn])?;
    if origin == Origin::SystemRule && !caller.service {
        let hint = "Only back-end sessions make the follow-ups of system rules.";
        return Err(Error::new(Code::Forbidden, hint));
    }
    Ok(org_id)
}

async fn find_key(db: &mut impl Db, key: &Value) -> Result<Option<Uuid>> {
    call_as(db, ENSURE_FIND, key).await
}

fn found(id: Uuid) -> Value {
    json!({"id": id, "created": false})
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Update {
    id: Uuid,
    patch: Value,
}

/// `crm_update_followup(id, patch)`: completes, cancels, opens again, reschedules, hands over.
pub async fn update<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Update { id, patch } = patch::read(arguments)?;
    let patch = patch::read::<FollowupPatch>(patch)?.prepare()?;
    let caller = session::current(db).await?;
    let org_id = caller.require(&[Capability::FollowupsWrite, Capability::FollowupsWriteOwn])?;
    let key = json!({
        "org_id": org_id, "id": id, "assigned_to_user_id": patch.assigned_to_user_id,
    });
    let mut locked = db.call(LOCK, &key).await?;
    if locked.is_null() {
        // Visible but not theirs to change is no secret; invisible is the same as absent.
        if db.call(FIND, &key).await?.is_null() {
            return Err(Error::not_found("follow-up"));
        }
        let hint = "You may change only the follow-ups you made or are assigned.";
        return Err(Error::new(Code::Forbidden, hint));
    }
    check_found(&locked, &[("assignee", "assigned_to_user_id", "unknown_assignee")])?;
    let row = locked["followup"].take();
    let from: FollowupStatus = serde_json::from_value(row["status"].clone())
        .map_err(|error| Error::internal(error.to_string()))?;
    let set = patch.changes(from)?;
    if set.is_empty() {
        return Ok(row);
    }
    db.call(UPDATE, &json!({"org_id": org_id, "id": id, "set": set})).await
}

/// `crm_expire_followups(grace_hours, batch_limit)`: a job's; over all orgs unless one is selected.
pub async fn expire<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let (grace_hours, batch_limit) = patch::read::<ExpireFollowups>(arguments)?.prepare()?;
    let caller = session::current(db).await?;
    if !caller.service {
        return Err(Error::new(Code::Forbidden, "This is for back-end sessions only."));
    }
    let document = json!({
        "org_id": caller.org_id, "grace_hours": grace_hours, "batch_limit": batch_limit,
    });
    db.call(EXPIRE, &document).await
}

/// `crm_remind_followups(batch_limit)`: a job's; tells assignees what they wanted to be reminded of, and
/// what is overdue. Over all orgs unless one is selected.
pub async fn remind<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let batch_limit = patch::read::<Batch>(arguments)?.prepare()?;
    let caller = session::current(db).await?;
    if !caller.service {
        return Err(Error::new(Code::Forbidden, "This is for back-end sessions only."));
    }
    db.call(REMIND, &json!({"org_id": caller.org_id, "batch_limit": batch_limit})).await
}
