//! What staff do: invitations, and what becomes of the accounts.

use fieldcrm_core::automation::Purpose;
use fieldcrm_core::portal::{Access, AccountRole, AccountStatus};
use fieldcrm_core::portal_account::{AccountPatch, Invite, NewInvite, check_access};
use fieldcrm_core::{Capability, Code, Error, Result, patch};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::idempotency::{self, Claim};
use crate::outbox::{Enqueued, NewMessage, OutboxChannel, Recipient, enqueue};
use crate::{Db, Work, call_as, session};

const INVITE: &str = include_str!("../../sql/portal_account/invite.sql");
const REFERENCES: &str = include_str!("../../sql/portal_account/references.sql");
const SEAL: &str = include_str!("../../sql/portal_account/seal.sql");
const REVOKE: &str = include_str!("../../sql/portal_account/revoke_invite.sql");
const LOCK: &str = include_str!("../../sql/portal_account/lock.sql");
const UPDATE: &str = include_str!("../../sql/portal_account/update.sql");
const SET_ACCESS: &str = include_str!("../../sql/portal_account/set_access.sql");

/// What an invitation or a list names, as the org has it.
#[derive(Deserialize)]
struct References {
    customer: bool,
    closed: Option<bool>,
    contact_id: Option<Uuid>,
    access: bool,
    portal_url: Option<String>,
    org_name: String,
}

impl References {
    async fn find(
        db: &mut impl Db,
        org_id: Uuid,
        customer: Option<(Uuid, &str)>,
        access: &[Access],
    ) -> Result<Self> {
        let (id, email) = customer.unzip();
        let document =
            json!({"org_id": org_id, "customer_id": id, "email": email, "access": access});
        let found: Self = call_as(db, REFERENCES, &document).await?;
        if !found.access {
            return Err(Error::not_found("customer or location in access"));
        }
        Ok(found)
    }
}

/// `crm_create_portal_invite(customer_id, email, role, access, expires_in_hours, send, idempotency_key)`: the answer holds the
/// token, once. A repeat under the key has none: it is nowhere kept.
pub async fn create_invite<D: Db>(db: &mut D, mut arguments: Value) -> Result<Value> {
    let caller = session::current(db).await?;
    let org_id = caller.require(&[Capability::PortalManage])?;
    let claim =
        match idempotency::claim(db, &caller, "crm_create_portal_invite", &mut arguments).await? {
            Claim::Repeat(first) => return Ok(first),
            Claim::First(claim) => claim,
        };
    let given: NewInvite = patch::read(arguments)?;
    let send = given.send == Some(true);
    let invite = given.prepare()?;
    let customer = Some((invite.customer_id, invite.email.as_str()));
    let found = References::find(db, org_id, customer, &invite.access).await?;
    if !found.customer {
        return Err(Error::not_found("customer"));
    }
    if found.closed == Some(true) {
        return Err(closed());
    }
    let mut document = json!(invite);
    document["org_id"] = json!(org_id);
    document["user_id"] = json!(caller.user_id);
    let mut made = db.call(INVITE, &document).await?;
    if send {
        made["message"] = json!(mail(db, org_id, caller.profile_id, &invite, &found, &made).await?);
    }
    let token = made["token"].take();
    idempotency::store(db, claim, &made).await?;
    made["token"] = token;
    Ok(made)
}

/// An invitation of nobody's, by e-mail; none where nothing is sent.
pub(super) struct MailInvite {
    pub org_id: Uuid,
    pub invite: Invite,
}

impl<D: Db> Work<D> for MailInvite {
    type Output = ();

    async fn run(self, db: &mut D) -> Result<()> {
        let Self { org_id, invite } = self;
        let customer = Some((invite.customer_id, invite.email.as_str()));
        let found = References::find(db, org_id, customer, &invite.access).await?;
        let mut document = json!(invite);
        document["org_id"] = json!(org_id);
        let made = db.call(INVITE, &document).await?;
        let sent = json!(mail(db, org_id, None, &invite, &found, &made).await?);
        if sent["status"] != "queued" {
            return Err(Error::new(Code::RuleBroken, "Nothing may be sent to this address."));
        }
        Ok(())
    }
}

/// The invitation by e-mail, through the gate of consent like everything that is sent.
async fn mail<D: Db>(
    db: &mut D,
    org_id: Uuid,
    profile_id: Option<Uuid>,
    invite: &Invite,
    found: &References,
    made: &Value,
) -> Result<Option<Enqueued>> {
    let Some(url) = &found.portal_url else {
        let hint = "Say in portal_settings where the portal is (portal_url), or pass the token on yourself.";
        return Err(Error::new(Code::WrongState, hint));
    };
    let Some(contact_id) = found.contact_id else {
        let message = "is no contact of the customer: add it, or pass the token on yourself";
        return Err(Error::invalid_field("email", "unknown_contact", message));
    };
    let org = &found.org_name;
    // The token is filled in as the message goes out: nobody else reads it.
    let body = format!(
        "You are invited to the customer portal of {org}.\n\nOpen this link to set your password:\n{url}/invite/[secret]\n\n\
         It can be used once, within {} hours. If you did not expect it, you need not do anything.",
        invite.hours
    );
    let message = NewMessage {
        recipient: Recipient::Customer(invite.customer_id),
        channel: OutboxChannel::Email,
        purpose: Purpose::Transactional,
        subject: Some(format!("Your access to {org}")),
        body,
        payload: None,
        template_id: None,
        automation_run_id: None,
        scheduled_at: None,
        expires_at: made["expires_at"].as_str().and_then(|end| end.parse().ok()),
        dedupe_key: made["id"].as_str().map(|id| format!("portal_invite:{id}")),
        contact_id: Some(contact_id),
    };
    let sent = enqueue(db, org_id, profile_id, vec![message]).await?.into_iter().next();
    if let Some(sent) = sent.as_ref().filter(|sent| sent.status == "queued") {
        let secret =
            json!({"org_id": org_id, "id": sent.id, "secret": made["token"], "to": invite.email});
        db.call(SEAL, &secret).await?;
    }
    Ok(sent)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revoke {
    id: Uuid,
}

/// `crm_revoke_portal_invite(id)`: its token opens nothing any more.
pub async fn revoke_invite<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Revoke { id } = patch::read(arguments)?;
    let org_id = session::current(db).await?.require(&[Capability::PortalManage])?;
    let invite = db.call(REVOKE, &json!({"org_id": org_id, "id": id})).await?;
    if invite.is_null() {
        return Err(Error::not_found("invitation"));
    }
    if !invite["used_at"].is_null() {
        let hint = "The invitation was accepted: close the account instead.";
        return Err(Error::new(Code::WrongState, hint));
    }
    Ok(json!({"id": id, "revoked_at": invite["revoked_at"]}))
}

#[derive(Deserialize)]
struct Locked {
    role: AccountRole,
    closed: bool,
}

async fn lock(db: &mut impl Db, org_id: Uuid, id: Uuid) -> Result<Locked> {
    let found: Option<Locked> = call_as(db, LOCK, &json!({"org_id": org_id, "id": id})).await?;
    found.ok_or_else(|| Error::not_found("portal account"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Update {
    id: Uuid,
    patch: Value,
}

/// `crm_update_portal_account(id, patch)`: suspends, closes and opens an account, and says what its owner is to the customer.
pub async fn update<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Update { id, patch } = patch::read(arguments)?;
    let change: AccountPatch = patch::read(patch.clone())?;
    change.check()?;
    let org_id = session::current(db).await?.require(&[Capability::PortalManage])?;
    let account = lock(db, org_id, id).await?;
    let reopen = change.status == Some(AccountStatus::Active);
    if reopen && account.closed {
        return Err(closed());
    }
    let profile_role = change.role.map(|role| role.profile_role().as_str());
    let document = json!({"org_id": org_id, "id": id, "set": patch, "profile_role": profile_role, "reopen": reopen});
    let changed = db.call(UPDATE, &document).await?;
    if changed.is_null() {
        return Err(Error::not_found("location of the account's customer"));
    }
    Ok(changed)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetAccess {
    portal_account_id: Uuid,
    access: Vec<Access>,
}

/// `crm_set_portal_access(portal_account_id, access)`: the whole list of other customers and locations that the account sees.
pub async fn set_access<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let SetAccess { portal_account_id: id, access } = patch::read(arguments)?;
    let caller = session::current(db).await?;
    let org_id = caller.require(&[Capability::PortalManage])?;
    let account = lock(db, org_id, id).await?;
    check_access(account.role, &access)?;
    References::find(db, org_id, None, &access).await?;
    let document = json!({"org_id": org_id, "id": id, "access": access, "user_id": caller.user_id});
    db.call(SET_ACCESS, &document).await
}

fn closed() -> Error {
    let hint = "The customer was erased, or merged into another one: use the one that is left.";
    Error::new(Code::WrongState, hint)
}
