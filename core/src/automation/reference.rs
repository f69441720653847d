//! docs/automation.md, generated: what it shows is what the code does.

use std::fmt::Write;

use super::event::{EVENT_TYPES, MAX_PAYLOAD, MAX_PAYLOAD_DEPTH, Writer};
use super::{MAX_ACTIONS, MAX_CHAIN, MAX_LATENESS_MINUTES, MAX_MINUTES, SETTABLE};

/// An example of each type of action, for a rule that listens to `quote_sent`; ids stand as `<segment>`,
/// `<template>` (an e-mail that lists `quote_number`) and `<member>`.
pub const EXAMPLES: &[(&str, &str)] = &[
    (
        "create_followup",
        r#"{"type": "create_followup", "title": "Ask about quote {{ event.number }}", "description": "{{ customer.name }} got it for {{ event.total }} {{ org.currency }}.", "due_in_minutes": 2880, "priority": "high", "assign_to": "owner", "remind_minutes_before": 60}"#,
    ),
    (
        "send_message",
        r#"{"type": "send_message", "channel": "email", "purpose": "transactional", "subject": "Your quote {{ event.number }}", "body": "<p>Dear {{ customer.first_name | default('customer') }}, do you have questions?</p>", "expires_in_minutes": 1440}"#,
    ),
    (
        "send_message by template",
        r#"{"type": "send_message", "channel": "email", "purpose": "marketing", "template_id": "<template>", "variables": {"quote_number": "1001"}}"#,
    ),
    ("tag_customer", r#"{"type": "tag_customer", "tag": "Quoted"}"#),
    ("untag_customer", r#"{"type": "untag_customer", "tag": "Cold"}"#),
    ("set_field", r#"{"type": "set_field", "field": "pipeline_stage", "value": "proposal"}"#),
    ("add_to_segment", r#"{"type": "add_to_segment", "segment_id": "<segment>"}"#),
    (
        "notify_user",
        r#"{"type": "notify_user", "to": "<member>", "title": "{{ customer.name }} has quote {{ event.number }}", "body": "Worth {{ event.total }}."}"#,
    ),
    ("webhook", r#"{"type": "webhook", "url": "https://hooks.example.com/crm"}"#),
];

/// What is said about each type of action.
const ACTIONS: &[(&str, &str)] = &[
    (
        "create_followup",
        "Makes a follow-up, due `due_in_minutes` after the run. `priority`: low, medium (default), high. `assign_to`: `\"owner\"` (the\n\
customer's; nobody where there is none) or the id of a member. `remind_minutes_before`: before it is due.",
    ),
    (
        "send_message",
        "Puts a message into the outbox; consent, quiet hours and suppression decide there. `channel`: email, sms, whatsapp. `purpose`:\n\
transactional, marketing. Either `body` (with `subject` for an e-mail, whose body is HTML) or `template_id` with the `variables` that\n\
the template lists; WhatsApp takes templates for SMS. Not sent later than `expires_in_minutes` after the run.",
    ),
    (
        "tag_customer",
        "Puts the tag on the customer, whatever its case; it is made where the org has none of the name.",
    ),
    ("untag_customer", "Takes the tag off."),
    (
        "set_field",
        "Sets a field of the customer, by the rules of `crm_update_customer`; null clears.",
    ),
    (
        "add_to_segment",
        "Puts the customer into a segment that has no rules: a static one, or one that a model proposed.",
    ),
    (
        "notify_user",
        "Leaves a notice for a member, `to`: `\"owner\"` (nobody where the customer has none) or the id of a member.",
    ),
    (
        "webhook",
        "Posts the event and the customer's id, signed by Standard Webhooks. `url`: https, the name of a public host; no address, no user name.",
    ),
];

/// The reference of automation, in Markdown.
#[must_use]
pub fn reference() -> String {
    let mut text = introduction();
    text.push_str("\n## Events\n\n| Type | Written when | Payload |\n|---|---|---|\n");
    for known in EVENT_TYPES {
        let fields: Vec<_> = known.example().keys().map(|key| format!("`{key}`")).collect();
        let fields = match known.writer {
            Writer::Database => fields.join(" "),
            Writer::Caller => "what the caller says".to_owned(),
        };
        let _ = writeln!(text, "| `{}` | {} | {fields} |", known.name, known.says);
    }
    let _ = write!(
        text,
        "\nThe database writes these in the transaction of the fact, whatever door it comes through; only `booking_submitted`\n\
and types of your own come from `crm_emit_event(event_type, customer_id, payload, event_key, occurred_at, org_id)`. A type is a\n\
name of at most 60 lower-case letters, digits and `_`; those that the database writes are refused, so that an event that says that a\n\
quote was sent is one of a quote that was sent. `event_key` makes it the same event: a second call with the type and the key returns\n\
the first event with `created` false. It is stored as `<event_type>:<event_key>`. A payload is an object of at most {MAX_PAYLOAD} bytes,\n\
nested at most {MAX_PAYLOAD_DEPTH} levels; keep names and addresses of people out of it. Payloads of the database hold ids, states\n\
and amounts only. An event is queued for automation only where an enabled rule listens to its type.\n"
    );
    text.push_str("\n## Actions\n");
    for (kind, says) in ACTIONS {
        let _ = write!(text, "\n### {kind}\n\n{says}\n");
        if *kind == "set_field" {
            let fields: Vec<_> = SETTABLE.iter().map(|field| format!("`{field}`")).collect();
            let _ = writeln!(text, "Fields: {}.", fields.join(", "));
        }
        for (_, example) in
            EXAMPLES.iter().filter(|(name, _)| name.split(' ').next() == Some(*kind))
        {
            let _ = write!(text, "\n```json\n{example}\n```\n");
        }
    }
    text.push_str(
        "\n## Texts\n\n\
Titles, subjects, descriptions and bodies are templates in the syntax of message templates, with `customer`, `org` and `user` as there,\n\
and `event`, the payload of the event. They are checked when the rule is saved: syntax, unknown names, and fields that the payload of a\n\
known event does not have. They are rendered strictly: what an event of your own leaves out fails the run, and the error says what. A\n\
stored template gets `event` if it lists that variable. Titles become one line, cut where they get too long.\n",
    );
    text
}

fn introduction() -> String {
    format!(
        "# Automation: rules\n\n\
<!-- Generated by fieldcrm_core::automation::reference. A test compares it with the code. -->\n\n\
A rule waits for something to happen to a customer, checks its conditions, and does its actions:\n\n\
```json\n{{\"name\": \"Quote without answer\", \"trigger_type\": \"time_based\", \"event_type\": \"quote_sent\", \"time_offset_minutes\": 4320,\n \
\"conditions\": {{\"version\": 1, \"entity\": \"customer\", \"query\": {{\"combinator\": \"and\", \"rules\": [\n  \
{{\"field\": \"pipeline_stage\", \"operator\": \"=\", \"value\": \"proposal\"}}]}}}},\n \
\"actions\": [{{\"type\": \"create_followup\", \"title\": \"Ask about quote {{{{ event.number }}}}\", \"due_in_minutes\": 1440}}]}}\n```\n\n\
It is made by `crm_create_automation_rule`, changed by `crm_update_automation_rule(id, patch)` (both need automation.write) and told of by\n\
`crm_automation_history(rule_id, customer_id, status, page_size, cursor)`. Over HTTP: `POST` and `GET /crm/automation/rules`, `GET` and\n\
`PATCH /crm/automation/rules/{{id}}`, `POST /crm/automation/rules/{{id}}/preview`, `GET /crm/automation/runs`,\n\
`POST /crm/automation/runs/{{id}}/retry`. A rule is not deleted over HTTP but disabled: its history stays. Every mistake is\n\
answered with its path, such as `actions[2].due_in_minutes`; `warnings` are what is no mistake for sure.\n\n\
## Triggers\n\n\
| `trigger_type` | Needs | Waits for |\n|---|---|---|\n\
| `event` | `event_type` | An event of the type; with `time_offset_minutes`, so long after it |\n\
| `time_based` | `time_offset_minutes` | So long after an event of `event_type`; or after entering (`segment_change`: leaving) `segment_id`; or, with neither, after the customer was created |\n\
| `segment_membership` | `segment_id` | The customer enters (`segment_change` left: leaves) the segment; with `time_offset_minutes`, so long after it |\n\n\
The `event_type` `no_reply` is no event but the lack of one: an outbound interaction that the customer did not answer within\n\
`time_offset_minutes`, which it needs.\n\n\
- **Conditions** are a segment definition (docs/segments.md), checked when the event is worked off and again when a delayed run falls due;\n  \
without them everybody matches.\n\
- **Re-enrolment** (`reenrollment`): `once` is one run a customer, ever; `per_episode` (default) one for each event; `cooldown` one a customer\n  \
in `cooldown_minutes`.\n\
- **Lateness**: a run that would act more than `max_lateness_minutes` (default {MAX_LATENESS_MINUTES}) after it fell due is skipped, and says so. What happened\n  \
while a rule was disabled is not made up for.\n\
- **Loop guard**: an event that automation caused carries the rules that led to it. A rule does not act on what it caused itself, and nobody\n  \
on an event that {MAX_CHAIN} rules led to; the skipped run says so.\n\
- **Exactly once**: a run is unique for rule and occurrence, and all it makes has a key of both: the same event again changes nothing.\n\
- **Versions**: a change of what a rule does counts `version`; each run keeps the one it ran.\n\n\
Limits: {MAX_ACTIONS} actions, {MAX_MINUTES} minutes (ten years).\n"
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::automation::{ACTION_TYPES, Action, NewRule};
    use crate::patch;

    const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/automation.md");

    #[test]
    fn every_type_of_action_has_an_example_that_is_valid_and_a_word_about_it() {
        let told: Vec<_> = ACTIONS.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(told, ACTION_TYPES);
        for kind in ACTION_TYPES {
            assert!(EXAMPLES.iter().any(|(name, _)| name == kind), "{kind}");
        }
        for (name, example) in EXAMPLES {
            let id = "0d0e0f10-0000-4000-8000-000000000001";
            let text = ["<segment>", "<template>", "<member>"]
                .iter()
                .fold((*example).to_owned(), |text, place| text.replace(place, id));
            let action: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(action["type"], name.split(' ').next().unwrap());
            let rule = json!({"name": name, "trigger_type": "event", "event_type": "quote_sent", "actions": [action]});
            let prepared = patch::read::<NewRule>(rule).unwrap().prepare();
            let prepared = prepared.unwrap_or_else(|error| panic!("{name}: {error}"));
            let stored: Vec<Action> =
                serde_json::from_value(prepared.rule.actions.clone()).unwrap();
            assert_eq!((stored.len(), prepared.rule.actions), (1, json!([action])), "{name}");
        }
    }

    #[test]
    fn the_rule_at_the_top_is_valid() {
        let text = reference();
        let json = text.split("```json\n").nth(1).and_then(|rest| rest.split("```").next());
        let rule: Value = serde_json::from_str(json.unwrap()).unwrap();
        let prepared = patch::read::<NewRule>(rule).unwrap().prepare().unwrap();
        assert_eq!(prepared.warnings(), []);
    }

    /// `BLESS=1 cargo test -p fieldcrm-core reference` writes the file.
    #[test]
    fn the_file_is_what_the_code_says() {
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(FILE, reference()).unwrap();
        }
        assert_eq!(std::fs::read_to_string(FILE).unwrap(), reference());
    }
}
