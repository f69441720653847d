//! Members: invitations, roles, deactivation.

use fieldcrm_core::{Capability, Code, Error, Result, Role, email, member, patch};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Db, session};

const INVITE: &str = include_str!("../sql/member/invite.sql");
const ACCEPT_INVITE: &str = include_str!("../sql/member/accept_invite.sql");
const LOCK: &str = include_str!("../sql/member/lock.sql");
const FIND: &str = include_str!("../sql/member/find.sql");
const CHANGE: &str = include_str!("../sql/member/change.sql");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Invitation {
    email: String,
    role: Role,
    expires_in_hours: Option<i64>,
}

/// `crm_invite_member(email, role, expires_in_hours)`: the answer holds the token, once.
pub async fn invite<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let invitation: Invitation = patch::read(arguments)?;
    let caller = session::current(db).await?;
    let org_id = member::check_grant(&caller, invitation.role)?;
    // Whoever takes the caller's rights withdraws their open invitations: this one comes before or not at all.
    db.call(LOCK, &json!({"org_id": org_id})).await?;
    let caller = session::current(db).await?;
    member::check_grant(&caller, invitation.role)?;
    let address = email::normalize(&invitation.email).ok_or_else(|| {
        Error::invalid_field("email", "invalid_email", "is not an e-mail address")
    })?;
    let hours = member::hours(invitation.expires_in_hours)?;
    db.call(
        INVITE,
        &json!({"org_id": org_id, "email": address, "role": invitation.role, "hours": hours,
                "user_id": caller.user_id}),
    )
    .await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Acceptance {
    token: String,
    full_name: Option<String>,
}

/// `crm_accept_invite(token, full_name)`: the signed-in caller becomes a member. Single use.
pub async fn accept_invite<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let acceptance: Acceptance = patch::read(arguments)?;
    let caller = session::current(db).await?;
    let user_id = caller.user_id.ok_or_else(|| {
        Error::new(Code::Unauthenticated, "Sign in with the e-mail address that was invited.")
    })?;
    let full_name = member::full_name(acceptance.full_name.as_deref())?;
    let document =
        json!({"token": acceptance.token.trim(), "user_id": user_id, "full_name": full_name});
    let outcome = db.call(ACCEPT_INVITE, &document).await?;
    match outcome["outcome"].as_str() {
        Some("accepted") => session::describe(db, json!({})).await,
        Some("already_member") => {
            Err(Error::new(Code::AlreadyMember, "A user belongs to one organisation."))
        }
        Some("email_mismatch") => Err(Error::new(
            Code::InviteEmailMismatch,
            "Sign in with the e-mail address that was invited.",
        )),
        // Whoever wrote the address down when they signed up need not be who reads its mail.
        Some("unconfirmed") => {
            let hint = "Confirm your e-mail address, then accept the invitation.";
            Err(Error::new(Code::WrongState, hint).with("reason", "email_unconfirmed"))
        }
        _ => Err(Error::new(Code::InviteNotFound, "Ask for a new invitation.")),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleChange {
    user_id: Uuid,
    role: Role,
}

/// `crm_set_member_role(user_id, role)`.
pub async fn set_role<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let change: RoleChange = patch::read(arguments)?;
    let (org_id, from) = find(db, change.user_id).await?;
    let caller = session::current(db).await?;
    member::check_change(&caller, change.user_id, from, change.role)?;
    alter(db, org_id, change.user_id, change.role, &"active".into()).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Deactivation {
    user_id: Uuid,
}

/// `crm_deactivate_member(user_id)`: the member is out at the next statement.
pub async fn deactivate<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Deactivation { user_id } = patch::read(arguments)?;
    let (org_id, role) = find(db, user_id).await?;
    let caller = session::current(db).await?;
    member::check_deactivation(&caller, role)?;
    if caller.profile_id == Some(user_id) && role != Role::Owner {
        return Err(Error::new(Code::RuleBroken, "Somebody else has to deactivate you."));
    }
    alter(db, org_id, user_id, role, &"inactive".into()).await
}

/// The member's org and role, read under the lock that [`alter`] relies on.
async fn find(db: &mut impl Db, user_id: Uuid) -> Result<(Uuid, Role)> {
    let org_id = session::current(db).await?.require(&[Capability::MembersManage])?;
    db.call(LOCK, &json!({"org_id": org_id})).await?;
    let found = db.call(FIND, &json!({"org_id": org_id, "user_id": user_id})).await?;
    match found["role"].as_str().and_then(Role::parse) {
        Some(role) => Ok((org_id, role)),
        None => Err(Error::not_found("member")),
    }
}

async fn alter(
    db: &mut impl Db,
    org_id: Uuid,
    user_id: Uuid,
    role: Role,
    status: &Value,
) -> Result<Value> {
    let changed = db
        .call(
            CHANGE,
            &json!({"org_id": org_id, "user_id": user_id, "role": role, "status": status}),
        )
        .await?;
    if changed.is_null() {
        return Err(Error::new(Code::LastOwner, "Make somebody else an owner first."));
    }
    Ok(changed)
}
