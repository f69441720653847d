//! What to come back to a customer for, as the facts say.

use chrono::{Days, NaiveDate};
use fieldcrm_core::ai::suggestion::{
    BUILTIN, Ending, Facts, PLAN_DAYS, SuggestFollowups, suggest as decide,
};
use fieldcrm_core::{Capability, Code, Error, Result, Session, patch};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::booking::plan;
use crate::interaction::check_customer;
use crate::{Db, session};

const FACTS: &str = include_str!("../sql/suggestion/facts.sql");
const STORE: &str = include_str!("../sql/suggestion/store.sql");
const ACTIONS: &str = include_str!("../sql/suggestion/actions.sql");
const LIST: &str = include_str!("../sql/suggestion/list.sql");

#[derive(Deserialize)]
struct VisitPlan {
    id: Uuid,
    title: String,
    rrule: String,
    starts_on: NaiveDate,
}

#[derive(Deserialize)]
struct Known {
    closed: bool,
    merged_into_id: Option<Uuid>,
    assignee: Option<Uuid>,
    visit_plans: Vec<VisitPlan>,
    facts: Facts,
}

/// What is known of a customer, and who is to come back to them. Of a member, their own customers only.
async fn load<D: Db>(db: &mut D, caller: &Session, customer_id: Uuid) -> Result<Loaded> {
    let org_id = caller.require(&[Capability::FollowupsWrite, Capability::FollowupsWriteOwn])?;
    let any_customer = caller.has(Capability::FollowupsWrite);
    let (facts, assignee) = facts(db, caller, customer_id, any_customer).await?;
    Ok(Loaded { org_id, assignee, facts })
}

struct Loaded {
    org_id: Uuid,
    assignee: Option<Uuid>,
    facts: Facts,
}

/// The facts, and the customer's owner or else the caller. Who was erased or merged has none.
pub(crate) async fn facts<D: Db>(
    db: &mut D,
    caller: &Session,
    customer_id: Uuid,
    any_customer: bool,
) -> Result<(Facts, Option<Uuid>)> {
    let key = json!({
        "org_id": caller.org()?, "customer_id": customer_id, "user_id": caller.profile_id,
        "any_customer": any_customer,
    });
    let found = db.call(FACTS, &key).await?;
    check_customer(&found)?;
    let Known { closed, merged_into_id, assignee, visit_plans, mut facts } =
        serde_json::from_value(found)
            .map_err(|error| Error::internal(format!("unexpected facts: {error}")))?;
    if closed {
        let hint = "The customer was erased, or merged into the one in the details.";
        return Err(
            Error::new(Code::WrongState, hint).with("merged_into_id", json!(merged_into_id))
        );
    }
    let last = facts.today + Days::new(PLAN_DAYS);
    facts.visit_plans = visit_plans
        .into_iter()
        .filter_map(|VisitPlan { id, title, rrule, starts_on }| {
            let ends_on = plan::last_day(&rrule, starts_on, facts.today, last)?;
            Some(Ending { id, title, ends_on })
        })
        .collect();
    Ok((facts, assignee))
}

/// `crm_suggest_followups(customer_id)`: {provider, suggestions: follow-ups, each with whether it was `created`}.
pub async fn suggest<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let customer_id = patch::read::<SuggestFollowups>(arguments)?.prepare()?;
    let caller = session::current(db).await?;
    let Loaded { org_id, assignee, facts } = load(db, &caller, customer_id).await?;
    let suggestions = decide(&facts);
    let keys: Vec<_> = suggestions.iter().map(|one| one.dedupe_key.as_str()).collect();
    let document = json!({
        "org_id": org_id, "customer_id": customer_id, "user_id": caller.profile_id,
        "assigned_to_user_id": assignee, "suggestions": suggestions,
    });
    let made = db.call(STORE, &document).await?;
    let named = json!({"org_id": org_id, "customer_id": customer_id, "keys": keys, "made": made});
    Ok(json!({"provider": BUILTIN, "suggestions": db.call(LIST, &named).await?}))
}

/// `crm_next_actions(customer_id)`: {`org_id`, provider, actions}: what [`suggest`] would make follow-ups of, and makes nothing.
pub async fn next_actions<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let customer_id = patch::read::<SuggestFollowups>(arguments)?.prepare()?;
    let caller = session::current(db).await?;
    let Loaded { org_id, facts, .. } = load(db, &caller, customer_id).await?;
    let document = json!({"org_id": org_id, "suggestions": decide(&facts)});
    let actions = db.call(ACTIONS, &document).await?;
    Ok(json!({"org_id": org_id, "provider": BUILTIN, "actions": actions}))
}
