//! The texts of actions: templates that may also use the event that started the run.

use serde_json::{Map, Value, json};

use crate::Result;
use crate::template::{Channel, Facts, Rendered, Template};

/// The variable that holds the payload of the event.
pub const EVENT: &str = "event";

/// A text of an action as the template that it is.
pub(super) fn template(channel: Channel, subject: Option<&str>, body: &str) -> Template {
    Template {
        channel,
        subject: subject.map(str::to_owned),
        body: body.to_owned(),
        variables: Some(json!([EVENT])),
    }
}

/// Fills in a text that an action holds itself. A title is a `subject`: it becomes one line. What an
/// action with a title and no text has for a `body` is the empty text.
///
/// Strict: what the payload does not hold is an error, as are all names that were refused when the rule was saved.
pub fn render_action_text(
    channel: Channel,
    subject: Option<&str>,
    body: &str,
    facts: Facts,
    event_payload: &Value,
) -> Result<Rendered> {
    let variables = json!({EVENT: payload(event_payload)});
    template(channel, subject, body).render(facts, Some(variables))
}

/// Fills in a stored template that an action names. It gets the event if it lists that variable, unless the
/// action gives it another value.
pub fn render_action_template(
    template: &Template,
    facts: Facts,
    variables: &Map<String, Value>,
    event_payload: &Value,
) -> Result<Rendered> {
    let mut variables = variables.clone();
    if template.lists(EVENT) {
        variables.entry(EVENT).or_insert_with(|| payload(event_payload).into());
    }
    template.render(facts, Some(variables.into()))
}

fn payload(event_payload: &Value) -> Map<String, Value> {
    event_payload.as_object().cloned().unwrap_or_default()
}

/// A rendered text that fits into a column: cut where it is too long, and that is to be seen.
#[must_use]
pub fn shorten(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(most.saturating_sub(1)).collect();
    short.truncate(short.trim_end().len());
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;

    fn facts() -> Facts {
        let object = |value: Value| value.as_object().cloned().unwrap_or_default();
        Facts {
            customer: object(json!({"first_name": "Ann <3", "name": "Ann Lee"})),
            org: object(json!({"name": "Northwind"})),
            user: Map::new(),
        }
    }

    #[test]
    fn the_event_is_known_to_texts_and_escaped_in_an_email() {
        let payload = json!({"number": "Q-<7>", "total": 12.5});
        let subject = Some("Quote {{ event.number }}\nfor {{ customer.first_name }}");
        let body = "{{ event.number }}: {{ event.total }} {{ org.name }}";
        let email = render_action_text(Channel::Email, subject, body, facts(), &payload).unwrap();
        assert_eq!(email.subject.as_deref(), Some("Quote Q-<7> for Ann <3"));
        assert_eq!(email.body, "Q-&lt;7&gt;: 12.5 Northwind");
        let plain = render_action_text(Channel::Sms, None, body, facts(), &payload).unwrap();
        assert_eq!(plain.body, "Q-<7>: 12.5 Northwind");
    }

    #[test]
    fn a_title_alone_has_an_empty_text() {
        let rendered = render_action_text(
            Channel::Sms,
            Some("{{ customer.name }}"),
            "",
            facts(),
            &Value::Null,
        );
        let rendered = rendered.unwrap();
        assert_eq!((rendered.subject.as_deref(), rendered.body.as_str()), (Some("Ann Lee"), ""));
    }

    #[test]
    fn what_the_payload_does_not_hold_is_an_error() {
        for payload in [json!({}), json!(null), json!([1])] {
            let error =
                render_action_text(Channel::Sms, None, "{{ event.number }}", facts(), &payload);
            let error = error.unwrap_err();
            assert_eq!(
                (error.code, error.errors[0].path.as_str()),
                (Code::InvalidTemplate, "body")
            );
        }
    }

    #[test]
    fn a_stored_template_gets_the_event_where_it_lists_it() {
        let mut stored = template(Channel::Sms, None, "{{ event.number }} {{ discount }}");
        stored.variables = Some(json!(["event", "discount"]));
        let render = |stored: &Template, variables: Value| {
            let variables = variables.as_object().cloned().unwrap_or_default();
            render_action_template(stored, facts(), &variables, &json!({"number": "7"}))
        };
        assert_eq!(render(&stored, json!({"discount": 5})).unwrap().body, "7 5");
        let own = render(&stored, json!({"discount": 5, "event": {"number": "8"}})).unwrap();
        assert_eq!(own.body, "8 5");
        stored.body = "{{ discount }}".to_owned();
        stored.variables = Some(json!(["discount"]));
        assert_eq!(render(&stored, json!({"discount": 5})).unwrap().body, "5");
        assert!(render(&stored, json!({})).is_err());
    }

    #[test]
    fn a_text_that_is_too_long_ends_in_an_ellipsis() {
        assert_eq!(shorten("abc", 3), "abc");
        assert_eq!(shorten("ab cd", 4), "ab…");
        assert_eq!(shorten("äöü", 2), "ä…");
    }
}
