use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Channel, Facts, Rendered, Template};
use crate::{Code, Error};

fn facts() -> Facts {
    serde_json::from_value(json!({
        "customer": {"id": "1", "name": "Ada Lovelace", "first_name": "Ada", "last_name": null,
            "company_name": null, "email": "ada@example.com", "phone": "+14155552671", "type": "individual",
            "status": "active", "preferred_language": null, "city": "London"},
        "org": {"name": "Northwind", "time_zone": "America/Chicago", "currency": "USD"},
        "user": {},
    }))
    .unwrap()
}

fn template(channel: Channel, subject: Option<&str>, body: &str, variables: Value) -> Template {
    Template {
        channel,
        subject: subject.map(str::to_owned),
        body: body.to_owned(),
        variables: Some(variables),
    }
}

fn sms(body: &str) -> Result<String, Error> {
    let rendered = template(Channel::Sms, None, body, Value::Null).render(facts(), None)?;
    Ok(rendered.body)
}

fn sms_with(body: &str, given: &Value) -> Result<String, Error> {
    let listed: Vec<_> = given.as_object().unwrap().keys().collect();
    let rendered =
        template(Channel::Sms, None, body, json!(listed)).render(facts(), Some(given.clone()))?;
    Ok(rendered.body)
}

fn messages(error: &Error) -> Vec<(&str, &str, &str)> {
    assert_eq!(error.code, Code::InvalidTemplate);
    error
        .errors
        .iter()
        .map(|one| (one.path.as_str(), one.code.as_str(), one.message.as_str()))
        .collect()
}

fn refusal(body: &str) -> (String, String) {
    let error = sms(body).unwrap_err();
    let (_, code, message) = messages(&error)[0];
    (code.to_owned(), message.to_owned())
}

#[test]
fn names_are_filled_in_with_and_without_spaces() {
    assert_eq!(sms("Hi {{customer.first_name}} of {{ org.name }}").unwrap(), "Hi Ada of Northwind");
    assert_eq!(sms("{{ customer['first_name']|upper }}").unwrap(), "ADA");
    assert_eq!(sms("{{ customer.name|lower|title }}").unwrap(), "Ada Lovelace");
}

#[test]
fn a_null_is_empty_and_default_steps_in_for_it() {
    assert_eq!(sms("[{{ customer.last_name }}]").unwrap(), "[]");
    assert_eq!(sms("[{{ user.full_name }}]").unwrap(), "[]");
    assert_eq!(sms("Dear {{ customer.last_name|default('customer') }}").unwrap(), "Dear customer");
    assert_eq!(sms("Dear {{ customer.first_name|default('customer') }}").unwrap(), "Dear Ada");
    assert_eq!(sms("{% if customer.last_name %}x{% else %}y{% endif %}").unwrap(), "y");
}

#[test]
fn all_unknown_names_are_found_at_once_each_with_the_nearest_known_one() {
    let body = "{{ customer.firstname }} {{ first_name }} {% if false %}{{ nonsense }}{% endif %} {{ customer.firstname }}";
    let error = template(Channel::Email, Some("{{ org.nme }}"), body, json!(["discount"]))
        .render(facts(), Some(json!({"discount": 1})))
        .unwrap_err();
    assert_eq!(
        messages(&error),
        [
            ("subject", "unknown_variable", "org.nme is unknown: did you mean org.name?"),
            (
                "body",
                "unknown_variable",
                "customer.firstname is unknown: did you mean customer.first_name?"
            ),
            (
                "body",
                "unknown_variable",
                "first_name is unknown: did you mean customer.first_name?"
            ),
            ("body", "unknown_variable", "nonsense is unknown"),
        ]
    );
}

#[test]
fn a_group_is_no_value_and_a_value_no_group() {
    assert_eq!(refusal("{{ customer }}").0, "unknown_variable");
    assert_eq!(refusal("{{ customer.name.first }}").0, "unknown_variable");
    assert_eq!(refusal("{% for x in customer %}{{ x }}{% endfor %}").0, "unknown_variable");
}

#[test]
fn variables_are_those_the_template_lists() {
    let source = template(
        Channel::Sms,
        None,
        "{{ discount }} {{ order.number }}",
        json!(["discount", "order"]),
    );
    let render = |given: Value| source.render(facts(), Some(given));
    let given = json!({"discount": 15, "order": {"number": "A-7"}});
    assert_eq!(render(given).unwrap().body, "15 A-7");
    let error = render(json!({"discount": 15, "order": {"nr": 1}, "secret": 1})).unwrap_err();
    assert_eq!(
        (error.code, error.errors[0].path.as_str()),
        (Code::InvalidArgument, "variables.secret")
    );
    let error = render(json!({"order": {"nr": 1}})).unwrap_err();
    assert_eq!(
        messages(&error),
        [
            (
                "body",
                "unknown_variable",
                "discount is listed by the template, and no value was given"
            ),
            ("body", "unknown_variable", "order.number is unknown"),
        ]
    );
    // Nobody gives the customer another name.
    let error = render(json!({"customer": {"name": "Eve"}})).unwrap_err();
    assert_eq!(error.code, Code::InvalidArgument);
    assert_eq!(render(json!([1])).unwrap_err().code, Code::InvalidArgument);
}

#[test]
fn a_list_of_names_is_names() {
    for (listed, path) in [
        (json!({"a": 1}), "variables"),
        (json!(["ok", "not ok"]), "variables[1]"),
        (json!([1]), "variables[0]"),
        (json!(["customer.nickname"]), "variables[0]"),
        (json!(["loop"]), "variables[0]"),
    ] {
        let validation = template(Channel::Sms, None, "x", listed).validate();
        assert_eq!(validation.errors[0].path, path);
    }
    assert!(template(Channel::Sms, None, "x", json!(["customer.name", "code"])).validate().ok);
}

#[test]
fn only_the_body_of_an_email_is_escaped_and_only_values() {
    let evil = json!({"x": "<script>alert('1')</script> & \"co\""});
    let escaped = "&lt;script&gt;alert(&#x27;1&#x27;)&lt;&#x2f;script&gt; &amp; &quot;co&quot;";
    for (channel, expected) in [
        (Channel::Email, escaped),
        (Channel::Sms, "<script>alert('1')</script> & \"co\""),
        (Channel::PhoneScript, "<script>alert('1')</script> & \"co\""),
        (Channel::PortalMessage, "<script>alert('1')</script> & \"co\""),
    ] {
        let rendered =
            template(channel, Some("{{ x }}"), "<b>{{ x }}</b>{{ '<i>' }}", json!(["x"]))
                .render(facts(), Some(evil.clone()))
                .unwrap();
        let constant = if channel == Channel::Email { "&lt;i&gt;" } else { "<i>" };
        assert_eq!(rendered.body, format!("<b>{expected}</b>{constant}"));
        assert_eq!(rendered.subject.unwrap(), "<script>alert('1')</script> & \"co\"");
    }
}

#[test]
fn nothing_gets_around_the_escaping() {
    for body in [
        "{{ customer.name|safe }}",
        "{{ customer.name|e }}",
        "{% autoescape false %}{{ customer.name }}{% endautoescape %}",
        "{% filter safe %}{{ customer.name }}{% endfilter %}",
    ] {
        assert_eq!(refusal(body).0, "not_allowed", "{body}");
    }
}

#[test]
fn a_subject_is_one_line() {
    let given = json!({"x": "a\r\nBcc: eve@example.com\u{2028}b\u{0b}c\u{85}d\te"});
    let rendered = template(Channel::Email, Some(" Re:\n{{ x }} "), "x", json!(["x"]))
        .render(facts(), Some(given))
        .unwrap();
    assert_eq!(rendered.subject.unwrap(), "Re: a Bcc: eve@example.com b c d e");
}

#[test]
fn loops_and_lists_of_constants_work() {
    let given = json!({"items": [{"name": "Filter", "n": 2}, {"name": "Visit", "n": 1}]});
    let body = "{% for item in items if item.n > 0 %}{{ loop.index }}. {{ item.name }}{% if not loop.last %}, {% endif %}{% else %}nothing{% endfor %}";
    assert_eq!(sms_with(body, &given).unwrap(), "1. Filter, 2. Visit");
    assert_eq!(sms("{% if customer.type in ['individual'] %}yes{% endif %}").unwrap(), "yes");
    assert_eq!(sms("{% for x in ['a', 'b'] %}{{ x }}{% endfor %}").unwrap(), "ab");
    // Outside of its loop the name is not known.
    assert_eq!(refusal("{% for x in ['a'] %}{% endfor %}{{ x }}").0, "unknown_variable");
}

#[test]
fn a_missing_field_of_a_loop_variable_fails_with_its_line() {
    let error =
        sms_with("\n{% for x in xs %}{{ x.nme }}{% endfor %}", &json!({"xs": [{"name": 1}]}))
            .unwrap_err();
    let (path, code, message) = messages(&error)[0];
    assert_eq!((path, code), ("body", "render_failed"));
    assert!(message.starts_with("line 2: "), "{message}");
}

#[test]
fn mistakes_of_the_syntax_are_told_with_their_line() {
    for body in
        ["a\nb {{ customer.name", "a\n{% if customer.name %}x", "a\n{{ 1 + }}", "a\n{% endfor %}"]
    {
        let (code, message) = refusal(body);
        assert_eq!(code, "syntax", "{body}");
        assert!(message.starts_with("line 2: "), "{body}: {message}");
    }
}

#[test]
fn files_macros_and_functions_do_not_exist() {
    for body in [
        "{% include 'etc/passwd' %}",
        "{% import 'x' as y %}",
        "{% extends 'x' %}",
        "{% macro x() %}{% endmacro %}",
        "{% block x %}{% endblock %}",
    ] {
        assert_eq!(refusal(body).0, "syntax", "{body}");
    }
    for body in [
        "{{ range(5) }}",
        "{{ customer.name.upper() }}",
        "{{ debug() }}",
        "{% do namespace() %}",
        "{{ customer|items }}",
        "{{ 'a'|replace('a', 'b') }}",
    ] {
        assert_eq!(refusal(body).0, "not_allowed", "{body}");
    }
}

/// Each of these takes gigabytes, or the stack, where it is allowed.
#[test]
fn nothing_grows() {
    let doubling = format!("{{% set a = 'x' %}}{}{{{{ a }}}}", "{% set a = a ~ a %}".repeat(60));
    let nested = (0..40).fold("{{ x40 }}".to_owned(), |inner, n| {
        let n = 40 - n;
        format!("{{% for x{n} in [[x{0}, x{0}]] %}}{inner}{{% endfor %}}", n - 1)
    });
    let repeated = "{{ 'x' * 1000000000 }}";
    let padded = "{{ '%1000000000d'|format(1) }}";
    let with = "{% with a = customer.name ~ customer.name %}{{ a }}{% endwith %}";
    let captured = "{% set a %}{{ customer.name }}{% endset %}{{ a }}";
    let recursive = "{% for x in ['a'] recursive %}{{ loop(['a']) }}{% endfor %}";
    let number = "{{ 10 ** 1000 }}";
    for body in [&doubling, &nested, repeated, padded, with, captured, recursive, number] {
        let (code, _) = refusal(body);
        assert!(["not_allowed", "unknown_variable"].contains(&code.as_str()), "{body}: {code}");
    }
}

#[test]
fn nothing_nests_deeper_than_the_stack() {
    for body in [
        format!("{{{{ customer{} }}}}", ".a".repeat(40_000)),
        format!("{{{{ {}true }}}}", "not ".repeat(20_000)),
        format!("{{{{ {}1 }}}}", "1 == ".repeat(15_000)),
        format!("{{{{ {}1{} }}}}", "(".repeat(40_000), ")".repeat(40_000)),
        format!("{{{{ 1{} }}}}", "|int".repeat(20_000)),
        format!("{{% if true %}}{}{{% endif %}}", "{% elif true %}".repeat(6_000)),
        "{% if true %}".repeat(7_000),
        "{% for x in ['a'] %}".repeat(4_000),
        "{{ [".repeat(20_000),
    ] {
        let (code, _) = refusal(&body);
        assert!(["not_allowed", "syntax"].contains(&code.as_str()), "{code}");
    }
}

/// Each step of a loop may go over a text in quotes again.
#[test]
fn a_text_in_quotes_is_short() {
    assert_eq!(refusal(&format!("{{{{ '{}'|upper }}}}", "x".repeat(1_001))).0, "not_allowed");
    assert_eq!(sms(&format!("{{{{ '{}' }}}}", "x".repeat(1_000))).unwrap().len(), 1_000);
}

#[test]
fn loops_end() {
    let xs: Vec<_> = (0..1_000).collect();
    let body =
        "{% for a in xs %}{% for b in xs %}{% for c in xs %}{% endfor %}{% endfor %}{% endfor %}";
    let error = sms_with(body, &json!({"xs": xs})).unwrap_err();
    assert_eq!(messages(&error)[0].1, "too_much_work");
}

#[test]
fn the_output_has_an_end() {
    let xs: Vec<_> = (0..1_000).collect();
    let body = format!("{{% for x in xs %}}{}{{% endfor %}}", "ü".repeat(500));
    let error = sms_with(&body, &json!({"xs": xs})).unwrap_err();
    assert_eq!(messages(&error), [("body", "too_long", "renders to more than 100000 characters")]);
    // Characters are counted, not bytes.
    let body = format!("{{% for x in xs %}}{}{{% endfor %}}", "ü".repeat(100));
    assert_eq!(sms_with(&body, &json!({"xs": xs})).unwrap().chars().count(), 100_000);
    let long = template(Channel::Email, Some("{{ x }}"), "x", json!(["x"]));
    let error = long.render(facts(), Some(json!({"x": "y".repeat(999)}))).unwrap_err();
    assert_eq!(messages(&error)[0].0, "subject");
}

#[test]
fn too_much_input_is_refused() {
    let error = sms(&"x".repeat(100_001)).unwrap_err();
    assert_eq!(messages(&error)[0].1, "too_long");
    for given in [json!({"x": "y".repeat(10_001)}), json!({"x": vec!["y".repeat(9_000); 20]})] {
        let error = sms_with("{{ x }}", &given).unwrap_err();
        assert_eq!(
            (error.code, error.errors[0].code.as_str()),
            (Code::InvalidArgument, "too_long")
        );
    }
}

#[test]
fn nul_does_not_come_out() {
    assert_eq!(refusal(r#"{{ "\u0000" }}"#).0, "invalid_value");
}

#[test]
fn validation_names_what_is_used_and_what_is_wrong() {
    let source = template(
        Channel::Email,
        Some("{{ offer }} for {{ customer.first_name }}"),
        "{{ offer }}{% for x in lines %}{{ x.price }}{% endfor %}",
        json!(["offer", "lines"]),
    );
    let validation = source.validate();
    assert!(validation.ok && validation.errors.is_empty());
    assert_eq!(validation.variables_used, ["customer.first_name", "lines", "offer"]);
    let validation = template(Channel::Sms, None, " ", Value::Null).validate();
    assert_eq!(validation.errors[0].code, "required");
    let validation = template(Channel::Sms, Some("{{ x }}"), "{% if %}", Value::Null).validate();
    let paths: Vec<_> = validation.errors.iter().map(|one| one.path.as_str()).collect();
    assert_eq!((validation.ok, paths), (false, vec!["subject", "body"]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_text_is_rendered_or_refused(body in r"([a-z {}%|.'~*()\[\],=]|\{\{ | \}\}|\{% | %\}|if |for |in |endif|endfor|customer|name|set |loop|default){0,60}") {
        if let Err(error) = sms(&body) {
            prop_assert_eq!(error.code, Code::InvalidTemplate);
        }
    }

    #[test]
    fn text_without_braces_stays_as_it_is(body in r"[^{}\x00\r\n]{1,200}") {
        prop_assert_eq!(sms(&body).unwrap(), body);
    }

    #[test]
    fn no_value_brings_a_tag_into_an_email(value in any::<String>().prop_map(|text| text.replace('\0', ""))) {
        let source = template(Channel::Email, Some("{{ x }}"), "{{ x }}", json!(["x"]));
        let Rendered { subject, body, .. } = source.render(facts(), Some(json!({"x": value}))).unwrap();
        prop_assert!(!body.contains(['<', '>', '"', '\'']), "{}", body);
        let broken = subject.unwrap().contains(|one: char| one.is_control() || one == '\u{2028}');
        prop_assert!(!broken);
    }
}
