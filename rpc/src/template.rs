//! Message templates: rendered for a customer, or only checked.

use fieldcrm_core::template::{Facts, Template};
use fieldcrm_core::{Capability, Error, Result, patch};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Db, call_as, session};

const FIND: &str = include_str!("../sql/template/find.sql");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Render {
    template_id: Uuid,
    customer_id: Uuid,
    variables: Option<Value>,
}

#[derive(Deserialize)]
struct Found {
    template: Option<Template>,
    facts: Option<Facts>,
}

/// `crm_render_template(template_id, customer_id, variables)`: {channel, subject, body}.
pub async fn render<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let render: Render = patch::read(arguments)?;
    let caller = session::current(db).await?;
    let org_id = caller.require(&[Capability::CustomersRead])?;
    let document = json!({
        "org_id": org_id, "template_id": render.template_id, "customer_id": render.customer_id,
        "profile_id": caller.profile_id,
    });
    let found: Found = call_as(db, FIND, &document).await?;
    let template = found.template.ok_or_else(|| Error::not_found("template"))?;
    let facts = found.facts.ok_or_else(|| Error::not_found("customer"))?;
    Ok(json!(template.render(facts, render.variables)?))
}

/// `crm_validate_template(channel, subject, body, variables)`: {ok, errors, `variables_used`}.
pub async fn validate<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let template: Template = patch::read(arguments)?;
    session::current(db).await?.require(&[Capability::CustomersRead])?;
    Ok(json!(template.validate()))
}
