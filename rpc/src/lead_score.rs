//! How likely leads are to convert.

use fieldcrm_core::ai::lead_score::{Lead, MAX_OUTCOMES, Model, Score, ScoreLeads};
use fieldcrm_core::{Capability, Code, Error, Result, patch};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Db, call_as, session};

const LOAD: &str = include_str!("../sql/lead_score/load.sql");
const STORE: &str = include_str!("../sql/lead_score/store.sql");

#[derive(Deserialize)]
struct Loaded {
    missing: bool,
    forbidden: bool,
    leads: Vec<Lead>,
    outcomes: Vec<Outcome>,
}

#[derive(Deserialize)]
struct Outcome {
    lead: Lead,
    won: bool,
}

/// `crm_score_leads(lead_ids, page_size)`: {model, leads: [{id, score, reasons}]}. The outcomes that the caller may see are learned from at each
/// call, which is quick: so no model grows old.
pub async fn score<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let (lead_ids, page_size) = patch::read::<ScoreLeads>(arguments)?.prepare()?;
    let caller = session::current(db).await?;
    let org_id = caller.org()?;
    let manages = caller.service || (caller.is_staff() && caller.has(Capability::ClientsManage));
    let document = json!({
        "org_id": org_id, "user_id": caller.profile_id, "manages": manages, "lead_ids": lead_ids,
        "page_size": page_size, "outcomes": MAX_OUTCOMES,
    });
    let loaded: Loaded = call_as(db, LOAD, &document).await?;
    if loaded.missing {
        return Err(Error::not_found("lead"));
    }
    if loaded.forbidden {
        return Err(Error::new(
            Code::Forbidden,
            "You may only look at what belongs to this client.",
        ));
    }
    let outcomes: Vec<_> = loaded.outcomes.into_iter().map(|one| (one.lead, one.won)).collect();
    let model = Model::learn(&outcomes);
    let scores: Vec<Score> = loaded.leads.iter().map(|lead| model.score(lead)).collect();
    let stored = db.call(STORE, &json!({"org_id": org_id, "scores": scores})).await?;
    Ok(json!({"model": model, "leads": stored}))
}
