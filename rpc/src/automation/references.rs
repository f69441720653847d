//! What a rule names: segments, templates, members, and the segments of its conditions.

use fieldcrm_core::automation::{
    Action, Assignee, MessageChannel, PreparedRule, ReadRule, check_stored_template, within,
};
use fieldcrm_core::segment::SegmentType;
use fieldcrm_core::template::Template;
use fieldcrm_core::{Error, FieldError, Result};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::segment::evaluate::segments;
use crate::segment::unknown_tags;
use crate::{Db, call_as};

const REFERENCES: &str = include_str!("../../sql/automation/references.sql");

/// Everything in a rule that has to be there, each with its path.
#[derive(Default)]
struct Named<'a> {
    /// The one that the rule waits for.
    awaited: Option<Uuid>,
    segments: Vec<(String, Uuid)>,
    members: Vec<(String, Uuid)>,
    /// The path is the action's.
    templates: Vec<(String, Uuid, MessageChannel, &'a Map<String, Value>)>,
}

impl<'a> Named<'a> {
    fn of(awaited: Option<Uuid>, actions: &'a [Action]) -> Self {
        let mut named = Self { awaited, ..Self::default() };
        for (index, action) in actions.iter().enumerate() {
            let path = |field: &str| format!("actions[{index}].{field}");
            match action {
                Action::CreateFollowup { assign_to: Some(Assignee::Member(id)), .. } => {
                    named.members.push((path("assign_to"), *id));
                }
                Action::NotifyUser { to: Assignee::Member(id), .. } => {
                    named.members.push((path("to"), *id));
                }
                Action::SetField { field, value } if field == "owner_id" => {
                    let owner = value.as_str().and_then(|id| id.parse().ok());
                    named.members.extend(owner.map(|id| (path("value"), id)));
                }
                Action::AddToSegment { segment_id } => {
                    named.segments.push((path("segment_id"), *segment_id));
                }
                Action::SendMessage { channel, template_id: Some(id), variables, .. } => {
                    let action = format!("actions[{index}]");
                    named.templates.push((action, *id, *channel, variables));
                }
                _ => {}
            }
        }
        named
    }
}

#[derive(Deserialize)]
struct Found {
    segments: Vec<FoundSegment>,
    members: Vec<Uuid>,
    templates: Vec<FoundTemplate>,
}

#[derive(Deserialize)]
struct FoundSegment {
    id: Uuid,
    r#type: SegmentType,
}

#[derive(Deserialize)]
struct FoundTemplate {
    id: Uuid,
    template: Template,
}

/// Refuses what the org does not have; the answer is what the rule may have been meant otherwise.
pub(super) async fn check(
    db: &mut impl Db,
    org_id: Uuid,
    prepared: &PreparedRule,
) -> Result<Vec<FieldError>> {
    let mut warnings = prepared.warnings();
    let Some(ReadRule { conditions, actions }) = &prepared.read else { return Ok(warnings) };
    let mut errors = Vec::new();
    let in_conditions =
        |error: FieldError| FieldError { path: within("conditions", &error.path), ..error };
    if let Some(definition) = conditions {
        let (_, unknown) = segments(db, org_id, definition).await?;
        errors.extend(unknown.into_iter().map(in_conditions));
        let unknown = unknown_tags(db, org_id, definition).await?;
        warnings.extend(unknown.into_iter().map(in_conditions));
    }
    let named = Named::of(prepared.rule.segment_id, actions);
    let found = find(db, org_id, &named).await?;
    errors.extend(missing(&named, &found, prepared.rule.listens_to()));
    if errors.is_empty() { Ok(warnings) } else { Err(Error::invalid(errors)) }
}

async fn find(db: &mut impl Db, org_id: Uuid, named: &Named<'_>) -> Result<Found> {
    let segments: Vec<_> = named.segments.iter().map(|(_, id)| id).chain(&named.awaited).collect();
    let members: Vec<_> = named.members.iter().map(|(_, id)| id).collect();
    let templates: Vec<_> = named.templates.iter().map(|(_, id, ..)| id).collect();
    let document = json!({
        "org_id": org_id, "segments": segments, "members": members, "templates": templates,
    });
    call_as(db, REFERENCES, &document).await
}

fn missing(named: &Named<'_>, found: &Found, event_type: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let segment = |id: Uuid| found.segments.iter().find(|segment| segment.id == id);
    let unknown_segment = |path: &str| {
        FieldError::new(path, "unknown_segment", "is not a segment of your organisation")
    };
    if named.awaited.is_some_and(|id| segment(id).is_none()) {
        errors.push(unknown_segment("segment_id"));
    }
    for (path, id) in &named.segments {
        match segment(*id) {
            None => errors.push(unknown_segment(path)),
            Some(FoundSegment { r#type: SegmentType::RuleBased, .. }) => {
                let message = "has rules: who is in it is theirs to say";
                errors.push(FieldError::new(path, "rule_based_segment", message));
            }
            Some(_) => {}
        }
    }
    for (path, _) in named.members.iter().filter(|(_, id)| !found.members.contains(id)) {
        let message = "is not an active member of your organisation";
        errors.push(FieldError::new(path, "unknown_assignee", message));
    }
    for (path, id, channel, variables) in &named.templates {
        let Some(stored) = found.templates.iter().find(|template| template.id == *id) else {
            let message = "is not a template of your organisation";
            let path = format!("{path}.template_id");
            errors.push(FieldError::new(path, "unknown_template", message));
            continue;
        };
        let wrong = check_stored_template(event_type, *channel, &stored.template, variables);
        errors.extend(
            wrong
                .into_iter()
                .map(|error| FieldError { path: format!("{path}.{}", error.path), ..error }),
        );
    }
    errors
}
