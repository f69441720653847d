//! Forms of landing pages.

use chrono::{DateTime, Utc};
use fieldcrm_core::channel::ChannelKind;
use fieldcrm_core::form::{self, FormSettings, MAX_PER_MINUTE, Submission};
use fieldcrm_core::{Error, Result, fingerprint, patch, phone};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::channel::{check_service, route};
use crate::webhook::{Outcome, Route, Stored, find_event, lock, store_all};
use crate::{Db, call_as, session};

const COUNT: &str = include_str!("../sql/form/count.sql");
const MATCH: &str = include_str!("../sql/form/match.sql");
const UPDATE: &str = include_str!("../sql/form/update.sql");

/// What forms come from, among the providers.
const PROVIDER: &str = "form";
const MAX_ID: usize = 255;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Submit {
    form_key: String,
    fields: Map<String, Value>,
    /// What makes it the same submission; without it, the same fields on the same day are.
    submission_id: Option<String>,
    /// Who sends it, for the rate limit.
    source: Option<String>,
    received_at: Option<DateTime<Utc>>,
}

/// `crm_submit_form(form_key, fields, submission_id, source, received_at)`: the back end's. Makes the lead, or fills in what was
/// not known of it; a repeat changes nothing and answers what became of the first.
pub async fn submit<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let given: Submit = patch::read(arguments)?;
    let caller = session::current(db).await?;
    check_service(&caller)?;
    let found = route(db, &caller, ChannelKind::Form, &given.form_key).await?;
    let route = Route::read(found)?.ok_or_else(|| Error::not_found("form"))?;
    let id = submission_id(&given)?;
    let settings = FormSettings::read(&route.settings).unwrap_or_default();
    let submission = form::read(&given.fields, &settings, route.country());
    lock(db, &route, &keys(&submission, &id)).await?;
    if let Some(first) = find_event(db, &route, PROVIDER, &id).await? {
        return Ok(answer(&first, false));
    }
    if !may_send(db, &route, &settings, given.source.as_deref()).await? {
        return Ok(json!({"outcome": "rate_limited", "lead_id": null, "created": false}));
    }
    let (outcome, created) = take(db, &route, submission, &given.fields).await?;
    let row = Stored {
        id: &id,
        r#type: "form",
        outcome: &outcome.name,
        payload: &outcome.payload,
        lead_id: outcome.lead_id,
        message_id: None,
        interaction_id: None,
    };
    store_all(db, &route, PROVIDER, &[row]).await?;
    Ok(answer(&outcome, created))
}

fn answer(outcome: &Outcome, created: bool) -> Value {
    json!({"outcome": outcome.name, "lead_id": outcome.lead_id, "created": created})
}

fn submission_id(given: &Submit) -> Result<String> {
    match &given.submission_id {
        // Two forms of an org may count alike.
        Some(id) if (1..=MAX_ID - 101).contains(&id.chars().count()) && !id.contains('\0') => {
            Ok(format!("{}:{id}", given.form_key.trim()))
        }
        Some(_) => {
            let message = format!("must be 1 to {} characters", MAX_ID - 101);
            Err(Error::invalid_field("submission_id", "invalid_value", message))
        }
        None => {
            let day = given.received_at.map(|at| at.date_naive());
            let print = json!({"fields": given.fields, "day": day, "source": given.source});
            Ok(format!("{}:{}", given.form_key.trim(), fingerprint::of(&print)))
        }
    }
}

/// Whoever has one of the keys at the same moment is the same person, or sends the same form.
fn keys(submission: &Submission, id: &str) -> Vec<String> {
    let lead = &submission.lead;
    let mut keys = vec![format!("event:{PROVIDER}:{id}")];
    keys.extend(lead.email.iter().map(|address| format!("sender:{address}")));
    let first = |number: &String| phone::variants(number).into_iter().next();
    keys.extend(lead.phone.iter().filter_map(first).map(|number| format!("sender:{number}")));
    keys
}

async fn may_send(
    db: &mut impl Db,
    route: &Route,
    settings: &FormSettings,
    source: Option<&str>,
) -> Result<bool> {
    let document = json!({
        "org_id": route.org_id, "channel_id": route.id,
        "source": source.map_or_else(|| "unknown".to_owned(), |source| fingerprint::of(&json!(source))),
        "max_per_minute": settings.max_per_minute.unwrap_or(MAX_PER_MINUTE),
    });
    Ok(!db.call(COUNT, &document).await?.is_null())
}

/// Who sends a form, as the org knows them.
#[derive(Deserialize)]
struct Found {
    lead_id: Option<Uuid>,
    customer_id: Option<Uuid>,
}

/// What becomes of a form that is new, and whether it made a lead.
async fn take(
    db: &mut impl Db,
    route: &Route,
    submission: Submission,
    fields: &Map<String, Value>,
) -> Result<(Outcome, bool)> {
    if submission.robot {
        return Ok((Outcome::of("ignored"), false));
    }
    let usable = submission.is_usable();
    let Some(place) = route.place().filter(|_| usable) else {
        let mut payload = json!(fields);
        fieldcrm_core::webhook::without_nul(&mut payload);
        return Ok((Outcome { payload, ..Outcome::of("unknown") }, false));
    };
    let mut lead = submission.lead;
    let phones = lead.phone.as_deref().map(phone::variants).unwrap_or_default();
    let key = json!({
        "org_id": place.org_id, "project_id": place.project_id, "email": lead.email,
        "phones": phones,
    });
    let found: Found = call_as(db, MATCH, &key).await?;
    let lead_id = if let Some(id) = found.lead_id {
        let document = json!({"org_id": place.org_id, "id": id, "lead": lead});
        db.call(UPDATE, &document).await?;
        Some(id)
    } else {
        lead.customer_id = found.customer_id;
        lead.source = lead.source.or_else(|| Some("form".to_owned()));
        let made = place.add(db, None, vec![lead]).await?;
        made.first().and_then(|row| row["id"].as_str()?.parse().ok())
    };
    Ok((Outcome { lead_id, ..Outcome::of("lead") }, found.lead_id.is_none()))
}
