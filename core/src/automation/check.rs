//! The actions of a rule as they come in: read by hand, so that every mistake is told with its path.

use serde_json::{Map, Value, json};

use super::action::{Action, Assignee, MessageChannel, Purpose, SETTABLE};
use super::fields::Fields;
use super::{EVENT, MAX_ACTIONS, MAX_MINUTES, render};
use crate::customer::{Checks, CustomerPatch, MAX_NAME, MAX_NOTES, MAX_TAG};
use crate::endpoint;
use crate::followup::Priority;
use crate::template::{Channel, MAX_BODY, Template};
use crate::{FieldError, customer};

/// All actions of a rule, written as JSON: the runner reads them with every batch.
const MAX_BYTES: usize = 256 * 1024;
/// The longest subject of a message, as the outbox has it.
const MAX_SUBJECT: usize = 500;
/// The longest title of a follow-up and of a notice; longer ones that come of rendering are cut.
pub const MAX_TITLE: usize = MAX_NAME;

/// The types of actions, in the order of the documentation.
pub const ACTION_TYPES: &[&str] = &[
    "create_followup",
    "send_message",
    "tag_customer",
    "untag_customer",
    "set_field",
    "add_to_segment",
    "notify_user",
    "webhook",
];

/// What is known of the event that starts a rule.
pub(super) struct Started {
    /// An example of its payload; nothing where any payload may come.
    example: Option<Map<String, Value>>,
}

impl Started {
    /// By the type of the event.
    pub fn by(event_type: &str) -> Self {
        let example = super::event::find(event_type).map(super::event::EventType::example);
        Self { example: example.filter(|example| !example.is_empty()) }
    }

    /// What is wrong with a template, given what the action itself gives.
    pub fn refusals(&self, template: &Template, given: &Map<String, Value>) -> Vec<FieldError> {
        let mut given = given.clone();
        let mut open: &[&str] = &[];
        if template.lists(EVENT) && !given.contains_key(EVENT) {
            match &self.example {
                Some(example) => drop(given.insert(EVENT.to_owned(), example.clone().into())),
                None => open = &[EVENT],
            }
        }
        template.validate_with(given, open)
    }
}

/// Reads `actions`. What is returned is complete only where nothing was noted.
pub(super) fn read(checks: &mut Checks, raw: &Value, started: &Started) -> Vec<Action> {
    let Some(items) = raw.as_array() else {
        checks.fail("actions", "invalid_value", "must be an array");
        return Vec::new();
    };
    if items.is_empty() {
        checks.fail("actions", "required", "say what is to be done");
    }
    if items.len() > MAX_ACTIONS {
        checks.fail("actions", "too_many", format!("at most {MAX_ACTIONS} actions"));
        return Vec::new();
    }
    if raw.to_string().len() > MAX_BYTES {
        checks.fail("actions", "too_long", format!("at most {MAX_BYTES} bytes of JSON"));
        return Vec::new();
    }
    let mut actions = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let path = format!("actions[{index}]");
        match item {
            Value::Object(fields) => actions.extend(action(checks, path, fields, started)),
            _ => checks.fail(path, "invalid_value", "must be an object"),
        }
    }
    actions
}

fn action(
    checks: &mut Checks,
    path: String,
    object: &Map<String, Value>,
    started: &Started,
) -> Option<Action> {
    let mut fields = Fields::new(path, object, checks);
    let kind = fields.required("type")?;
    let action = match kind.as_str() {
        Some("create_followup") => create_followup(&mut fields, started),
        Some("send_message") => send_message(&mut fields, started),
        Some("tag_customer") => tag(&mut fields).map(|tag| Action::TagCustomer { tag }),
        Some("untag_customer") => tag(&mut fields).map(|tag| Action::UntagCustomer { tag }),
        Some("set_field") => set_field(&mut fields),
        Some("add_to_segment") => {
            let id = fields.required("segment_id");
            fields.uuid("segment_id", id).map(|segment_id| Action::AddToSegment { segment_id })
        }
        Some("notify_user") => notify_user(&mut fields, started),
        Some("webhook") => webhook(&mut fields),
        _ => {
            let message = format!("expected one of {}", ACTION_TYPES.join(", "));
            fields.fail("type", "invalid_value", message);
            return None;
        }
    };
    fields.finish();
    action
}

fn create_followup(fields: &mut Fields<'_>, started: &Started) -> Option<Action> {
    let title = fields.required_text("title", MAX_TITLE);
    let description = fields.text("description", MAX_NOTES);
    texts(fields, started, Channel::Sms, ("title", &title), ("description", &description));
    fields.required("due_in_minutes");
    let due_in_minutes = fields.minutes("due_in_minutes", 0..=MAX_MINUTES);
    let priority = fields.optional("priority");
    let priority = fields.choice::<Priority>("priority", priority, "low, medium or high");
    let assign_to = fields.optional("assign_to");
    let assign_to = assignee(fields, "assign_to", assign_to);
    let remind_minutes_before = fields.minutes("remind_minutes_before", 0..=MAX_MINUTES);
    if remind_minutes_before.zip(due_in_minutes).is_some_and(|(remind, due)| remind > due) {
        let message =
            "must not be more than due_in_minutes: the reminder would come before the follow-up";
        fields.fail("remind_minutes_before", "out_of_range", message);
    }
    Some(Action::CreateFollowup {
        title: title?,
        description,
        due_in_minutes: due_in_minutes?,
        priority,
        assign_to,
        remind_minutes_before,
    })
}

fn assignee(fields: &mut Fields<'_>, key: &'static str, value: Option<&Value>) -> Option<Assignee> {
    fields.choice(key, value, "owner or the id of a member")
}

fn send_message(fields: &mut Fields<'_>, started: &Started) -> Option<Action> {
    let channel = fields.required("channel");
    let channel: Option<MessageChannel> =
        fields.choice("channel", channel, "email, sms or whatsapp");
    let purpose = fields.required("purpose");
    let purpose: Option<Purpose> = fields.choice("purpose", purpose, "transactional or marketing");
    let stored = fields.optional("template_id");
    let template_id = fields.uuid("template_id", stored);
    let subject = fields.text("subject", MAX_SUBJECT);
    let body = fields.text("body", MAX_BODY);
    let variables = match fields.optional("variables") {
        None => Map::new(),
        Some(Value::Object(variables)) => variables.clone(),
        Some(_) => {
            fields.fail("variables", "invalid_value", "must be an object");
            Map::new()
        }
    };
    let expires_in_minutes = fields.minutes("expires_in_minutes", 1..=MAX_MINUTES);
    if stored.is_some() {
        for (key, given) in [("subject", subject.is_some()), ("body", body.is_some())] {
            if given {
                fields.fail(key, "not_allowed", "the template has its own: give one or the other");
            }
        }
    } else {
        if body.is_none() {
            fields.fail("body", "required", "give a template_id or a body");
        }
        if !variables.is_empty() {
            let message = "are those of a template: a body can hold the values itself";
            fields.fail("variables", "not_allowed", message);
        }
        match channel {
            Some(MessageChannel::Email) if subject.is_none() => {
                fields.fail("subject", "required", "an e-mail needs one");
            }
            Some(MessageChannel::Sms | MessageChannel::Whatsapp) if subject.is_some() => {
                fields.fail("subject", "not_allowed", "only an e-mail has one");
            }
            _ => {}
        }
        let kind = channel.map_or(Channel::Email, MessageChannel::template_channel);
        texts(fields, started, kind, ("subject", &subject), ("body", &body));
    }
    Some(Action::SendMessage {
        channel: channel?,
        purpose: purpose?,
        template_id,
        subject,
        body,
        variables,
        expires_in_minutes,
    })
}

fn tag(fields: &mut Fields<'_>) -> Option<String> {
    fields.required_text("tag", MAX_TAG)
}

/// By the rules of `crm_update_customer`: one list of what a field can be.
fn set_field(fields: &mut Fields<'_>) -> Option<Action> {
    let name = fields.required("field");
    let value = fields.given("value");
    let name = name?.as_str().filter(|name| SETTABLE.contains(name));
    let Some(name) = name else {
        fields.fail("field", "invalid_value", format!("expected one of {}", SETTABLE.join(", ")));
        return None;
    };
    let Some(value) = value else {
        fields.fail("value", "required", "must be given; null clears the field");
        return None;
    };
    let patch = customer::read::<CustomerPatch>(json!({name: value}));
    // The country is for phone numbers, and no field here is one.
    match patch.and_then(|patch| patch.prepare("US")) {
        Ok(mut patch) => {
            let value = patch.set.remove(name).unwrap_or_default();
            Some(Action::SetField { field: name.to_owned(), value })
        }
        Err(error) => {
            for error in error.errors {
                fields.fail("value", &error.code, error.message);
            }
            None
        }
    }
}

fn notify_user(fields: &mut Fields<'_>, started: &Started) -> Option<Action> {
    let to = fields.required("to");
    let to = assignee(fields, "to", to);
    let title = fields.required_text("title", MAX_TITLE);
    let body = fields.text("body", MAX_NOTES);
    texts(fields, started, Channel::Sms, ("title", &title), ("body", &body));
    Some(Action::NotifyUser { to: to?, title: title?, body })
}

fn webhook(fields: &mut Fields<'_>) -> Option<Action> {
    let url = fields.required("url")?;
    let checked = url.as_str().ok_or(("invalid_value", "must be a text")).and_then(endpoint::check);
    match checked {
        Ok(url) => Some(Action::Webhook { url }),
        Err((code, message)) => {
            fields.fail("url", code, message);
            None
        }
    }
}

/// Checks the texts of an action as the runner will render them.
fn texts(
    fields: &mut Fields<'_>,
    started: &Started,
    channel: Channel,
    (subject_key, subject): (&str, &Option<String>),
    (body_key, body): (&str, &Option<String>),
) {
    let body = body.as_deref().unwrap_or_default();
    let template = render::template(channel, subject.as_deref(), body);
    for error in started.refusals(&template, &Map::new()) {
        let key = if error.path == "subject" { subject_key } else { body_key };
        fields.fail(key, &error.code, error.message);
    }
}

/// What keeps an action from sending a stored template when an event of that type starts the rule; paths are
/// those of the action's fields.
#[must_use]
pub fn check_stored_template(
    event_type: &str,
    channel: MessageChannel,
    template: &Template,
    variables: &Map<String, Value>,
) -> Vec<FieldError> {
    let wanted = channel.template_channel();
    if template.channel != wanted {
        let message = format!("is not a template for {}", name_of(wanted));
        return vec![FieldError::new("template_id", "wrong_channel", message)];
    }
    let mut errors = Vec::new();
    if wanted == Channel::Email
        && template.subject.as_deref().is_none_or(|text| text.trim().is_empty())
    {
        let message = "the template has no subject, and an e-mail needs one";
        errors.push(FieldError::new("template_id", "required", message));
    }
    for error in Started::by(event_type).refusals(template, variables) {
        errors.push(if error.path.starts_with("variables") {
            error
        } else {
            let message = format!("{} of the template: {}", error.path, error.message);
            FieldError::new("template_id", &error.code, message)
        });
    }
    errors
}

const fn name_of(channel: Channel) -> &'static str {
    match channel {
        Channel::Email => "email",
        Channel::Sms => "sms",
        Channel::PhoneScript => "phone_script",
        Channel::PortalMessage => "portal_message",
    }
}
