//! Clients of an agency, and who may enter them.

use fieldcrm_core::client::{ClientRole, NewClient};
use fieldcrm_core::{Capability, Code, Error, Result, Role, Session, patch};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::idempotency::{self, Claim};
use crate::{Db, session};

const CREATE: &str = include_str!("../sql/client/create.sql");
const FIND_ACCESS: &str = include_str!("../sql/client/find_access.sql");

/// `crm_create_client(name, …)`: the row; who makes it is its first admin.
pub async fn create<D: Db>(db: &mut D, mut arguments: Value) -> Result<Value> {
    let caller = session::current(db).await?;
    let org_id = caller.require(&[Capability::ClientsCreate, Capability::ClientsManage])?;
    let claim = match idempotency::claim(db, &caller, "crm_create_client", &mut arguments).await? {
        Claim::Repeat(first) => return Ok(first),
        Claim::First(claim) => claim,
    };
    let client = patch::read::<NewClient>(arguments)?.prepare()?;
    let document = json!({"org_id": org_id, "user_id": caller.profile_id, "client": client});
    let made = db.call(CREATE, &document).await?;
    idempotency::store(db, claim, &made).await?;
    Ok(made)
}

/// What of a client somebody wants to get at.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Inside {
    Project(Uuid),
    Lead(Uuid),
    Client(Uuid),
}

impl Inside {
    fn key(self, org_id: Uuid, user_id: Option<Uuid>) -> Value {
        let mut key = json!({
            "org_id": org_id, "user_id": user_id, "client_id": null, "project_id": null,
            "lead_id": null,
        });
        let (name, id) = match self {
            Self::Client(id) => ("client_id", id),
            Self::Project(id) => ("project_id", id),
            Self::Lead(id) => ("lead_id", id),
        };
        key[name] = json!(id);
        key
    }

    fn noun(self) -> &'static str {
        match self {
            Self::Client(_) => "client",
            Self::Project(_) => "project",
            Self::Lead(_) => "lead",
        }
    }
}

/// What a user is in the client of what they want to get at.
struct Access {
    manages: bool,
    role: Option<ClientRole>,
}

impl Access {
    /// `None` where the org has no such thing.
    async fn find(
        db: &mut impl Db,
        org_id: Uuid,
        user_id: Option<Uuid>,
        inside: Inside,
    ) -> Result<Option<Self>> {
        let found = db.call(FIND_ACCESS, &inside.key(org_id, user_id)).await?;
        if found.is_null() {
            return Ok(None);
        }
        // Whoever signs in to the portal has no part in this, whatever the list of members says.
        let profile = found["role"].as_str().and_then(Role::parse).filter(|role| role.is_staff());
        let role = profile.and_then(|_| serde_json::from_value(found["client_role"].clone()).ok());
        let manages = profile.is_some_and(|role| role.has(Capability::ClientsManage));
        Ok(Some(Self { manages, role }))
    }

    fn is_enough(&self, least: ClientRole) -> bool {
        self.manages || self.role.is_some_and(|role| role >= least)
    }
}

/// Refuses whoever is less than `least` in the client: outsiders learn nothing, viewers what is missing.
pub(crate) async fn require(
    db: &mut impl Db,
    caller: &Session,
    inside: Inside,
    least: ClientRole,
) -> Result<Uuid> {
    let org_id = caller.org()?;
    let unknown = || Error::not_found(inside.noun());
    let access = Access::find(db, org_id, caller.profile_id, inside).await?.ok_or_else(unknown)?;
    if caller.service || access.is_enough(least) {
        return Ok(org_id);
    }
    if access.role.is_none() {
        return Err(unknown());
    }
    Err(Error::new(Code::Forbidden, "You may only look at what belongs to this client."))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfClient {
    user_id: Uuid,
    client_id: Uuid,
}

/// `can_access_client(user_id, client_id)`: whether the user may enter the client. Of others only the back end asks.
pub async fn can_access_client<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let OfClient { user_id, client_id } = patch::read(arguments)?;
    ask(db, user_id, Inside::Client(client_id), ClientRole::Viewer).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfProject {
    user_id: Uuid,
    project_id: Uuid,
}

/// `can_access_project(user_id, project_id)`: whether the user may enter the project's client.
pub async fn can_access_project<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let OfProject { user_id, project_id } = patch::read(arguments)?;
    ask(db, user_id, Inside::Project(project_id), ClientRole::Viewer).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfLead {
    user_id: Uuid,
    lead_id: Uuid,
}

/// `can_manage_lead(user_id, lead_id)`: whether the user may change the lead.
pub async fn can_manage_lead<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let OfLead { user_id, lead_id } = patch::read(arguments)?;
    ask(db, user_id, Inside::Lead(lead_id), ClientRole::Member).await
}

async fn ask(db: &mut impl Db, user_id: Uuid, inside: Inside, least: ClientRole) -> Result<Value> {
    let caller = session::current(db).await?;
    let org_id = caller.org()?;
    if !caller.service && caller.profile_id != Some(user_id) {
        return Err(Error::new(Code::Forbidden, "You may ask only for yourself."));
    }
    let access = Access::find(db, org_id, Some(user_id), inside).await?;
    Ok(access.is_some_and(|access| access.is_enough(least)).into())
}
