//! Leads: made, changed, handed out, converted.

use fieldcrm_core::client::ClientRole;
use fieldcrm_core::lead::{
    AssignLead, Assignee, Conversion, ConvertLead, LeadPatch, LeadRow, NewLead, Strategy,
};
use fieldcrm_core::{Capability, Code, Error, Result, Session, patch, phone};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::{Inside, require};
use crate::customer::{self, country};
use crate::idempotency::{self, Claim};
use crate::{Db, call_as, session};

const FIND_PROJECT: &str = include_str!("../sql/lead/find_project.sql");
const LOCK_PROJECT: &str = include_str!("../sql/lead/lock_project.sql");
const PICK: &str = include_str!("../sql/lead/pick.sql");
const IS_ON_TEAM: &str = include_str!("../sql/lead/is_on_team.sql");
const CREATE: &str = include_str!("../sql/lead/create.sql");
const LOCK: &str = include_str!("../sql/lead/lock.sql");
const FIND: &str = include_str!("../sql/lead/find.sql");
const UPDATE: &str = include_str!("../sql/lead/update.sql");
const ASSIGN: &str = include_str!("../sql/lead/assign.sql");
const FIND_CUSTOMER: &str = include_str!("../sql/lead/find_customer.sql");
const PROMOTE_CUSTOMER: &str = include_str!("../sql/lead/promote_customer.sql");
const CONVERT: &str = include_str!("../sql/lead/convert.sql");

/// `crm_create_lead(project_id, …)`: the row, assigned as the project says.
pub async fn create<D: Db>(db: &mut D, mut arguments: Value) -> Result<Value> {
    let caller = session::current(db).await?;
    caller.org()?;
    let claim = match idempotency::claim(db, &caller, "crm_create_lead", &mut arguments).await? {
        Claim::Repeat(first) => return Ok(first),
        Claim::First(claim) => claim,
    };
    let (project_id, row) = patch::read::<NewLead>(arguments)?.prepare(country(&caller))?;
    let org_id = require(db, &caller, Inside::Project(project_id), ClientRole::Member).await?;
    if let Some(user_id) = row.assigned_to {
        check_team(db, org_id, project_id, user_id, "assigned_to").await?;
    }
    let place = Place::find(db, org_id, project_id).await?;
    let made = place.add(db, caller.profile_id, vec![row]).await?;
    let made = made.into_iter().next().ok_or_else(|| Error::internal("no lead was made"))?;
    idempotency::store(db, claim, &made).await?;
    Ok(made)
}

/// Where leads are made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub org_id: Uuid,
    pub client_id: Uuid,
    pub project_id: Uuid,
    pub strategy: Option<Strategy>,
}

impl Place {
    async fn find(db: &mut impl Db, org_id: Uuid, project_id: Uuid) -> Result<Self> {
        #[derive(Deserialize)]
        struct Project {
            client_id: Uuid,
            lead_assignment: Option<String>,
        }
        let key = json!({"org_id": org_id, "project_id": project_id});
        let project: Option<Project> = call_as(db, FIND_PROJECT, &key).await?;
        let project = project.ok_or_else(|| Error::not_found("project"))?;
        let strategy = Strategy::of_settings(project.lead_assignment.as_deref());
        Ok(Self { org_id, client_id: project.client_id, project_id, strategy })
    }

    /// Makes the leads and hands out those that are nobody's yet; the rows, in the same order.
    pub async fn add(
        self,
        db: &mut impl Db,
        user_id: Option<Uuid>,
        mut leads: Vec<LeadRow>,
    ) -> Result<Vec<Value>> {
        let free = leads.iter().filter(|lead| lead.assigned_to.is_none()).count();
        if let Some(strategy) = self.strategy.filter(|_| free > 0) {
            let picked = pick(db, self.org_id, self.project_id, strategy, free).await?;
            let nobodys = leads.iter_mut().filter(|lead| lead.assigned_to.is_none());
            for (lead, user_id) in nobodys.zip(picked) {
                lead.assigned_to = Some(user_id);
            }
        }
        let document = json!({
            "org_id": self.org_id, "client_id": self.client_id, "project_id": self.project_id,
            "user_id": user_id, "leads": leads,
        });
        call_as(db, CREATE, &document).await
    }
}

/// Whose turn it is, under the lock of the project.
async fn pick(
    db: &mut impl Db,
    org_id: Uuid,
    project_id: Uuid,
    strategy: Strategy,
    count: usize,
) -> Result<Vec<Uuid>> {
    let document = json!({
        "org_id": org_id, "project_id": project_id, "strategy": strategy, "count": count,
    });
    db.call(LOCK_PROJECT, &document).await?;
    call_as(db, PICK, &document).await
}

async fn check_team(
    db: &mut impl Db,
    org_id: Uuid,
    project_id: Uuid,
    user_id: Uuid,
    path: &str,
) -> Result<()> {
    let key = json!({"org_id": org_id, "project_id": project_id, "user_id": user_id});
    if db.call(IS_ON_TEAM, &key).await?["ok"] == true {
        return Ok(());
    }
    let message = "is not an active manager or member of the project";
    Err(Error::invalid_field(path, "unknown_assignee", message))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Update {
    id: Uuid,
    patch: Value,
}

/// `crm_update_lead(id, patch)`: the row as it is then.
pub async fn update<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Update { id, patch } = patch::read(arguments)?;
    let caller = session::current(db).await?;
    caller.org()?;
    let set = patch::read::<LeadPatch>(patch)?.prepare(country(&caller))?;
    let org_id = require(db, &caller, Inside::Lead(id), ClientRole::Member).await?;
    let lead = lock(db, org_id, id).await?;
    let assignee = set.get("assigned_to").filter(|id| **id != lead["assigned_to"]);
    if let Some(user_id) = assignee.and_then(|id| id.as_str()?.parse().ok()) {
        check_team(db, org_id, uuid(&lead["project_id"])?, user_id, "assigned_to").await?;
    }
    if set.iter().all(|(key, value)| lead[key] == *value) {
        return Ok(lead);
    }
    db.call(UPDATE, &json!({"org_id": org_id, "id": id, "set": set})).await
}

async fn lock(db: &mut impl Db, org_id: Uuid, id: Uuid) -> Result<Value> {
    let lead = db.call(LOCK, &json!({"org_id": org_id, "id": id})).await?;
    if lead.is_null() { Err(Error::not_found("lead")) } else { Ok(lead) }
}

fn uuid(value: &Value) -> Result<Uuid> {
    let id = value.as_str().and_then(|id| id.parse().ok());
    id.ok_or_else(|| Error::internal("a row without an id"))
}

/// `crm_assign_lead(lead_id, strategy, user_id)`: gives a lead to somebody of its project's team, or to whose turn it is.
pub async fn assign<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let (lead_id, assignee) = patch::read::<AssignLead>(arguments)?.prepare()?;
    let caller = session::current(db).await?;
    let org_id = require(db, &caller, Inside::Lead(lead_id), ClientRole::Member).await?;
    // A lead stays in its project: so the project can be locked first, as those do who make leads.
    let lead = db.call(FIND, &json!({"org_id": org_id, "id": lead_id})).await?;
    let project_id = uuid(&lead["project_id"])?;
    let user_id = match assignee {
        Assignee::User(user_id) => {
            check_team(db, org_id, project_id, user_id, "user_id").await?;
            user_id
        }
        Assignee::Picked(strategy) => {
            let own = Place::find(db, org_id, project_id).await?.strategy;
            let strategy = strategy.or(own).unwrap_or(Strategy::RoundRobin);
            let picked = pick(db, org_id, project_id, strategy, 1).await?;
            let hint = "The project has no active manager or member who could get it.";
            *picked.first().ok_or_else(|| Error::new(Code::RuleBroken, hint))?
        }
    };
    db.call(ASSIGN, &json!({"org_id": org_id, "id": lead_id, "user_id": user_id})).await
}

/// `crm_convert_lead(lead_id, …)`: the lead becomes a customer, or turns out to be one. Once: a repeat answers the same.
pub async fn convert<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let conversion = patch::read::<ConvertLead>(arguments)?.prepare()?;
    let caller = session::current(db).await?;
    caller.require(&[Capability::CustomersWrite, Capability::CustomersWriteOwn])?;
    let inside = Inside::Lead(conversion.lead_id);
    let org_id = require(db, &caller, inside, ClientRole::Member).await?;
    let lead = lock(db, org_id, conversion.lead_id).await?;
    let (customer_id, created) = match lead["customer_id"].as_str() {
        Some(own) => {
            let own: Uuid = own.parse().map_err(|_| Error::internal("no id"))?;
            if conversion.customer_id.is_some_and(|id| id != own) {
                let hint = "The lead is another customer already: its id is in the details.";
                let error = Error::new(Code::WrongState, hint);
                return Err(error.with("customer_id", own.to_string()));
            }
            (own, false)
        }
        None => become_customer(db, &caller, org_id, &conversion, &lead).await?,
    };
    let document = json!({"org_id": org_id, "id": conversion.lead_id, "customer_id": customer_id});
    let row = if lead["status"] == "converted" && !lead["customer_id"].is_null() {
        lead
    } else {
        db.call(CONVERT, &document).await?
    };
    Ok(json!({"lead": row, "customer_id": customer_id, "created": created}))
}

/// The customer, and whether it is new.
async fn become_customer(
    db: &mut impl Db,
    caller: &Session,
    org_id: Uuid,
    conversion: &Conversion,
    lead: &Value,
) -> Result<(Uuid, bool)> {
    let mut addresses: Vec<String> =
        lead["email"].as_str().map(str::to_owned).into_iter().collect();
    addresses.extend(lead["phone"].as_str().map(phone::variants).unwrap_or_default());
    let key = json!({
        "org_id": org_id, "customer_id": conversion.customer_id, "addresses": addresses,
    });
    let found = db.call(FIND_CUSTOMER, &key).await?;
    let found = found["customers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let customer = match found {
        [] if conversion.customer_id.is_some() => return Err(Error::not_found("customer")),
        [] => {
            let made = customer::create(db, conversion.customer(lead)).await?;
            return Ok((uuid(&made["id"])?, true));
        }
        [customer] => customer,
        [one, other, ..] => {
            let hint =
                "More than one customer is reached like this lead: say which by customer_id.";
            let ids = json!([one["id"], other["id"]]);
            return Err(Error::new(Code::Conflict, hint).with("customer_ids", ids));
        }
    };
    if !customer["erased_at"].is_null() || !customer["merged_into_id"].is_null() {
        let hint = "The customer was erased, or merged into the one in the details.";
        let error = Error::new(Code::WrongState, hint);
        return Err(error.with("merged_into_id", customer["merged_into_id"].clone()));
    }
    if !caller.has(Capability::CustomersWrite) && customer["owner_id"] != json!(caller.profile_id) {
        let hint =
            "The lead is reached like a customer of somebody else: you may change only yours.";
        return Err(Error::new(Code::Forbidden, hint));
    }
    let customer_id = uuid(&customer["id"])?;
    let document = json!({
        "org_id": org_id, "customer_id": customer_id,
        "lifecycle_stage": conversion.lifecycle_stage, "pipeline_stage": conversion.pipeline_stage,
    });
    db.call(PROMOTE_CUSTOMER, &document).await?;
    Ok((customer_id, false))
}
