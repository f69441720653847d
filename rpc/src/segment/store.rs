//! Segments as rows: made, changed, checked for cycles.

use fieldcrm_core::patch::{Field, present};
use fieldcrm_core::segment::{self, SegmentType};
use fieldcrm_core::{Capability, Code, Error, FieldError, Result, patch};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::evaluate::{refusal, segments};
use super::membership;
use crate::idempotency::{self, Claim};
use crate::{Db, session};

const CREATE: &str = include_str!("../../sql/segment/create.sql");
const UPDATE: &str = include_str!("../../sql/segment/update.sql");
const LOCK: &str = include_str!("../../sql/segment/lock.sql");
const LOCK_ORG: &str = include_str!("../../sql/segment/lock_org.sql");
const FIND_NAMERS: &str = include_str!("../../sql/segment/find_namers.sql");
const FIND_CYCLE: &str = include_str!("../../sql/segment/find_cycle.sql");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    name: String,
    #[serde(rename = "type")]
    kind: SegmentType,
    description: Option<String>,
    definition: Option<Value>,
    ai_prompt: Option<String>,
}

/// `crm_create_segment(name, type, description, definition, ai_prompt)`: the segment, its members
/// computed if it has a definition.
pub async fn create<D: Db>(db: &mut D, mut arguments: Value) -> Result<Value> {
    let caller = session::current(db).await?;
    let org_id = caller.require(&[Capability::SegmentsWrite])?;
    let claim = match idempotency::claim(db, &caller, "crm_create_segment", &mut arguments).await? {
        Claim::Repeat(first) => return Ok(first),
        Claim::First(claim) => claim,
    };
    let new: New = patch::read(arguments)?;
    let shape = Shape {
        kind: new.kind,
        defined: new.definition.is_some(),
        prompted: new.ai_prompt.is_some(),
    };
    let texts = [("description", &new.description), ("ai_prompt", &new.ai_prompt)];
    let mut errors = shape.check();
    errors.extend(segment::check_texts(Some(&new.name), &texts));
    if !errors.is_empty() {
        return Err(Error::invalid(errors));
    }
    let depends_on = match &new.definition {
        Some(definition) => dependencies(db, org_id, definition).await?,
        None => Vec::new(),
    };
    let document = json!({
        "org_id": org_id, "name": new.name.trim(), "type": new.kind, "description": new.description,
        "definition": new.definition, "ai_prompt": new.ai_prompt, "depends_on": depends_on,
        "user_id": caller.user_id,
    });
    let mut made = db.call(CREATE, &document).await?;
    if made.is_null() {
        return Err(taken());
    }
    if new.definition.is_some() {
        made = membership::compute(db, org_id, &made).await?;
    }
    idempotency::store(db, claim, &made).await?;
    Ok(made)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Update {
    id: Uuid,
    patch: Value,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Patch {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<SegmentType>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    description: Field<String>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    definition: Field<Value>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    ai_prompt: Field<String>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    ai_explanation: Field<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_active: Option<bool>,
    /// Refuses the patch where the segment has another one by now.
    #[serde(skip_serializing)]
    version: Option<i64>,
}

/// `crm_update_segment(id, patch)`: changes what the patch names; a new definition is computed.
pub async fn update<D: Db>(db: &mut D, arguments: Value) -> Result<Value> {
    let Update { id, patch } = patch::read(arguments)?;
    let mut patch: Patch = patch::read(patch)?;
    let org_id = session::current(db).await?.require(&[Capability::SegmentsWrite])?;
    if patch.definition.is_some() {
        db.call(LOCK_ORG, &json!({"org_id": org_id})).await?;
    }
    let before = db.call(LOCK, &json!({"org_id": org_id, "segment_id": id})).await?;
    if before.is_null() {
        return Err(Error::not_found("segment"));
    }
    if patch.version.is_some_and(|version| before["version"] != version) {
        let hint = "Its rules or its prompt were changed meanwhile.";
        return Err(Error::new(Code::Conflict, hint).with("field", "version"));
    }
    let known: SegmentType = serde_json::from_value(before["type"].clone())
        .map_err(|_| Error::internal("a segment of an unknown type"))?;
    // What was said of other rules, and whom these shall find, is left behind.
    if patch.definition.is_some() {
        patch.ai_explanation.get_or_insert(None);
    }
    if patch.kind.is_some_and(|kind| kind != SegmentType::AiGenerated) {
        patch.ai_prompt.get_or_insert(None);
    }
    let shape = Shape {
        kind: patch.kind.unwrap_or(known),
        defined: patch.definition.as_ref().map_or(!before["definition"].is_null(), Option::is_some),
        prompted: patch.ai_prompt.as_ref().map_or(!before["ai_prompt"].is_null(), Option::is_some),
    };
    let texts = [
        ("description", patch.description.as_ref().unwrap_or(&None)),
        ("ai_prompt", patch.ai_prompt.as_ref().unwrap_or(&None)),
        ("ai_explanation", patch.ai_explanation.as_ref().unwrap_or(&None)),
    ];
    let mut errors = shape.check();
    errors.extend(segment::check_texts(patch.name.as_deref(), &texts));
    if !errors.is_empty() {
        return Err(Error::invalid(errors));
    }
    patch.name = patch.name.map(|name| name.trim().to_owned());
    if patch.name.as_deref().is_some_and(|name| before["name"] != name) {
        refuse_rename(db, org_id, id, &before["name"]).await?;
    }
    let redefined = patch.definition.is_some();
    let depends_on = match &patch.definition {
        Some(Some(definition)) => {
            let depends_on = dependencies(db, org_id, definition).await?;
            refuse_cycle(db, org_id, id, &before, &depends_on).await?;
            json!(depends_on)
        }
        Some(None) => json!([]),
        None => before["depends_on"].clone(),
    };
    let set = serde_json::to_value(&patch).map_err(|error| Error::internal(error.to_string()))?;
    let document = json!({"org_id": org_id, "segment_id": id, "set": set, "depends_on": depends_on,
        "recompute": redefined});
    let changed = db.call(UPDATE, &document).await?;
    if changed.is_null() {
        return Err(taken());
    }
    if redefined && shape.defined {
        return membership::compute(db, org_id, &changed).await;
    }
    Ok(changed)
}

/// What a segment of a type must and must not have.
struct Shape {
    kind: SegmentType,
    defined: bool,
    prompted: bool,
}

impl Shape {
    fn check(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        match self.kind {
            SegmentType::Static if self.defined => {
                let message = "a static segment has no definition";
                errors.push(FieldError::new("definition", "not_allowed", message));
            }
            SegmentType::RuleBased if !self.defined => {
                let message = "a rule_based segment needs a definition";
                errors.push(FieldError::new("definition", "missing", message));
            }
            SegmentType::AiGenerated if !self.prompted => {
                let message = "an ai_generated segment needs an ai_prompt";
                errors.push(FieldError::new("ai_prompt", "missing", message));
            }
            _ => {}
        }
        if self.prompted && self.kind != SegmentType::AiGenerated {
            let message = "only an ai_generated segment has an ai_prompt";
            errors.push(FieldError::new("ai_prompt", "not_allowed", message));
        }
        errors
    }
}

/// Checks a definition and says which segments it names.
async fn dependencies(db: &mut impl Db, org_id: Uuid, definition: &Value) -> Result<Vec<Uuid>> {
    let definition = segment::parse(definition).map_err(|errors| refusal("definition", errors))?;
    let (ids, unknown) = segments(db, org_id, &definition).await?;
    if unknown.is_empty() { Ok(ids) } else { Err(refusal("definition", unknown)) }
}

async fn refuse_cycle(
    db: &mut impl Db,
    org_id: Uuid,
    id: Uuid,
    before: &Value,
    depends_on: &[Uuid],
) -> Result<()> {
    if depends_on.is_empty() {
        return Ok(());
    }
    let document = json!({"org_id": org_id, "segment_id": id, "depends_on": depends_on});
    let cycle = db.call(FIND_CYCLE, &document).await?;
    let Some(names) = cycle.as_array() else { return Ok(()) };
    let path: Vec<_> =
        std::iter::once(&before["name"]).chain(names).filter_map(Value::as_str).collect();
    let message = format!("would make a cycle: {}", path.join(" > "));
    Err(Error::invalid_field("definition", "cycle", message).with("cycle", json!(path)))
}

/// A rule that names a segment by name would lose it.
async fn refuse_rename(db: &mut impl Db, org_id: Uuid, id: Uuid, name: &Value) -> Result<()> {
    let document = json!({"org_id": org_id, "segment_id": id, "name": name});
    let namers = db.call(FIND_NAMERS, &document).await?;
    if namers.as_array().is_none_or(Vec::is_empty) {
        return Ok(());
    }
    let hint = "Rules of other segments use this name: let them use the id, then rename.";
    Err(Error::new(Code::Conflict, hint).with("field", "name").with("segments", namers))
}

fn taken() -> Error {
    Error::new(Code::Conflict, "Another segment has this name.").with("field", "name")
}
