//! Each action, for all runs at once.

use chrono::Duration;
use fieldcrm_core::automation::{
    self, Action, Assignee, MessageChannel, Purpose, render_action_template, render_action_text,
    shorten,
};
use fieldcrm_core::followup::Priority;
use fieldcrm_core::template::{Channel, Facts};
use fieldcrm_core::{Error, Result};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::act::{Known, Task};
use super::run::{Rule, Run};
use crate::outbox::{self, NewMessage, OutboxChannel, Recipient};
use crate::{Db, call_as};

const CREATE_FOLLOWUPS: &str = include_str!("../../sql/automation/create_followups.sql");
const TAG: &str = include_str!("../../sql/automation/tag.sql");
const UNTAG: &str = include_str!("../../sql/automation/untag.sql");
const SET_FIELD: &str = include_str!("../../sql/automation/set_field.sql");
const ADD_TO_SEGMENT: &str = include_str!("../../sql/automation/add_to_segment.sql");
const NOTIFY: &str = include_str!("../../sql/automation/notify.sql");

/// The longest title of a follow-up or a notice; what comes out longer is cut.
const MAX_TITLE: usize = 200;
/// The longest text of a follow-up or a notice, as the tables have it.
const MAX_TEXT: usize = 20_000;
/// The longest subject of a message, as the outbox has it.
const MAX_SUBJECT: usize = 500;

/// A rendered text: of a message, or title and description.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub subject: Option<String>,
    pub body: String,
}

impl Text {
    fn title(&self) -> String {
        shorten(self.subject.as_deref().unwrap_or_default(), MAX_TITLE)
    }

    fn description(&self) -> Option<String> {
        Some(shorten(&self.body, MAX_TEXT)).filter(|text| !text.is_empty())
    }
}

/// Whether nothing in it is for the template engine to do.
fn is_plain(text: &str) -> bool {
    !text.contains('{') && !text.contains(['\n', '\r'])
}

/// Whether an action says something about the customer.
pub(super) fn uses_facts(action: &Action) -> bool {
    match action {
        Action::CreateFollowup { title, description: body, .. }
        | Action::NotifyUser { title, body, .. } => {
            !is_plain(title) || body.as_deref().is_some_and(|body| !is_plain(body))
        }
        Action::SendMessage { template_id, subject, body, .. } => {
            template_id.is_some()
                || [subject, body].into_iter().flatten().any(|text| !is_plain(text))
        }
        _ => false,
    }
}

/// The texts of the actions for the customer of a run.
pub(super) fn texts(actions: &[Action], run: &Run, known: &Known) -> Result<Vec<Option<Text>>> {
    actions.iter().map(|action| text(action, run, known)).collect()
}

fn text(action: &Action, run: &Run, known: &Known) -> Result<Option<Text>> {
    let (channel, subject, body) = match action {
        Action::CreateFollowup { title, description: body, .. }
        | Action::NotifyUser { title, body, .. } => (Channel::Sms, Some(title), body),
        Action::SendMessage { channel, subject, body, .. } => {
            (channel.template_channel(), subject.as_ref(), body)
        }
        _ => return Ok(None),
    };
    if !uses_facts(action) {
        let (subject, body) = (subject.cloned(), body.clone().unwrap_or_default());
        return Ok(Some(Text { subject, body }));
    }
    let facts = known.facts.get(&run.customer_id).cloned();
    let facts: Facts = facts.ok_or_else(|| Error::not_found("customer"))?;
    let payload = &run.event["payload"];
    let rendered = if let Action::SendMessage { template_id: Some(id), variables, .. } = action {
        let template = known.templates.get(id).ok_or_else(|| Error::not_found("template"))?;
        render_action_template(template, facts, variables, payload)?
    } else {
        let body = body.as_deref().unwrap_or_default();
        render_action_text(channel, subject.map(String::as_str), body, facts, payload)?
    };
    let title = matches!(action, Action::CreateFollowup { .. } | Action::NotifyUser { .. });
    if title && rendered.subject.as_deref().is_none_or(|title| title.trim().is_empty()) {
        return Err(Error::invalid_field("title", "required", "comes out empty for this customer"));
    }
    Ok(Some(Text { subject: rendered.subject, body: rendered.body }))
}

/// Does one action of a rule for all runs: what came of it, in their order.
pub(super) async fn perform<D: Db>(
    db: &mut D,
    rule: &Rule,
    place: usize,
    action: &Action,
    tasks: &[Task],
    known: &Known,
) -> Result<Vec<Value>> {
    let same = |task: &Task| json!({"customer_id": task.run.customer_id});
    let keyed = |task: &Task| {
        let text = task.texts[place].as_ref();
        json!({
            "run_id": task.run.id, "customer_id": task.run.customer_id,
            "title": text.map(Text::title), "body": text.and_then(Text::description),
            "description": text.and_then(Text::description), "dedupe_key": key(rule, place, &task.run),
        })
    };
    let (kind, done) = match action {
        Action::CreateFollowup {
            due_in_minutes,
            priority,
            assign_to,
            remind_minutes_before,
            ..
        } => {
            let (to_owner, member_id) = assignee(*assign_to);
            let about = json!({
                "due_in_minutes": due_in_minutes, "remind_minutes_before": remind_minutes_before,
                "priority": priority.unwrap_or(Priority::Medium), "to_owner": to_owner,
                "member_id": member_id,
            });
            ("create_followup", each(db, CREATE_FOLLOWUPS, rule, about, tasks, keyed).await?)
        }
        Action::NotifyUser { to, .. } => {
            let (to_owner, member_id) = assignee(Some(*to));
            let about = json!({"rule_id": rule.id, "to_owner": to_owner, "member_id": member_id});
            ("notify_user", each(db, NOTIFY, rule, about, tasks, keyed).await?)
        }
        Action::TagCustomer { tag } => {
            ("tag_customer", each(db, TAG, rule, json!({"tag": tag}), tasks, same).await?)
        }
        Action::UntagCustomer { tag } => {
            ("untag_customer", each(db, UNTAG, rule, json!({"tag": tag}), tasks, same).await?)
        }
        Action::SetField { field, value } => {
            let about = json!({"field": field, "value": value});
            ("set_field", each(db, SET_FIELD, rule, about, tasks, same).await?)
        }
        Action::AddToSegment { segment_id } => {
            let about = json!({"segment_id": segment_id});
            ("add_to_segment", each(db, ADD_TO_SEGMENT, rule, about, tasks, same).await?)
        }
        Action::SendMessage { channel, purpose, template_id, expires_in_minutes, .. } => {
            let expires_at = expires_in_minutes
                .and_then(Duration::try_minutes)
                .and_then(|minutes| known.now.checked_add_signed(minutes));
            let message = |task: &Task| {
                let text = task.texts[place].clone();
                let text = text.unwrap_or(Text { subject: None, body: String::new() });
                NewMessage {
                    subject: text.subject.map(|subject| shorten(&subject, MAX_SUBJECT)),
                    body: text.body,
                    template_id: *template_id,
                    expires_at,
                    ..blank(rule, place, &task.run, channel_of(*channel), *purpose)
                }
            };
            ("send_message", send(db, rule, tasks.iter().map(message).collect()).await?)
        }
        Action::Webhook { url } => {
            let message = |task: &Task| {
                let run = &task.run;
                let customer_id = Some(run.customer_id);
                NewMessage {
                    recipient: Recipient::Endpoint { customer_id, url: url.clone() },
                    payload: Some(json!({
                        "event": run.event, "customer_id": run.customer_id, "rule_id": rule.id,
                        "run_id": run.id,
                    })),
                    ..blank(rule, place, run, OutboxChannel::Webhook, Purpose::Transactional)
                }
            };
            ("webhook", send(db, rule, tasks.iter().map(message).collect()).await?)
        }
    };
    if done.len() != tasks.len() {
        return Err(Error::internal(format!("{kind}: {} of {} done", done.len(), tasks.len())));
    }
    Ok(done
        .into_iter()
        .map(|result| {
            let mut whole = Map::from_iter([("type".to_owned(), json!(kind))]);
            whole.extend(result);
            Value::Object(whole)
        })
        .collect())
}

/// One statement for all runs.
async fn each(
    db: &mut impl Db,
    statement: &'static str,
    rule: &Rule,
    mut about: Value,
    tasks: &[Task],
    row: impl Fn(&Task) -> Value,
) -> Result<Vec<Map<String, Value>>> {
    let rows = tasks.iter().enumerate().map(|(n, task)| {
        let mut row = row(task);
        row["n"] = json!(n);
        row
    });
    about["runs"] = rows.collect();
    about["org_id"] = json!(rule.org_id);
    call_as(db, statement, &about).await
}

async fn send(
    db: &mut impl Db,
    rule: &Rule,
    messages: Vec<NewMessage>,
) -> Result<Vec<Map<String, Value>>> {
    let sent = outbox::enqueue(db, rule.org_id, None, messages).await?;
    let result = |one: outbox::Enqueued| {
        Map::from_iter([
            ("id".to_owned(), json!(one.id)),
            ("created".to_owned(), json!(one.created)),
            ("status".to_owned(), json!(one.status)),
            ("code".to_owned(), json!(one.code)),
        ])
    };
    Ok(sent.into_iter().map(result).collect())
}

fn blank(
    rule: &Rule,
    place: usize,
    run: &Run,
    channel: OutboxChannel,
    purpose: Purpose,
) -> NewMessage {
    NewMessage {
        recipient: Recipient::Customer(run.customer_id),
        channel,
        purpose,
        subject: None,
        body: String::new(),
        payload: None,
        template_id: None,
        automation_run_id: Some(run.id),
        scheduled_at: None,
        expires_at: None,
        dedupe_key: Some(key(rule, place, run)),
        contact_id: None,
    }
}

fn channel_of(channel: MessageChannel) -> OutboxChannel {
    match channel {
        MessageChannel::Email => OutboxChannel::Email,
        MessageChannel::Sms => OutboxChannel::Sms,
        MessageChannel::Whatsapp => OutboxChannel::Whatsapp,
    }
}

/// Whether it is the customer's owner, or else which member.
fn assignee(to: Option<Assignee>) -> (bool, Option<Uuid>) {
    match to {
        Some(Assignee::Owner) => (true, None),
        Some(Assignee::Member(id)) => (false, Some(id)),
        None => (false, None),
    }
}

/// The key of what the action makes: the same however often the occurrence is worked off.
fn key(rule: &Rule, place: usize, run: &Run) -> String {
    let origin = format!("rule:{}:{place}", rule.id);
    automation::key(rule.org_id, &origin, run.customer_id, &run.occurrence).to_string()
}
