use serde_json::json;

use super::*;
use crate::template::Template;

fn facts() -> Facts {
    let day = |text: &str| text.parse().unwrap();
    Facts {
        currency: "USD".to_owned(),
        quote: Some(Quote {
            number: "Q-7 {{user.email}} <b>".to_owned(),
            total: "950.00".to_owned(),
            sent_on: day("2026-11-03"),
            valid_until: Some(day("2026-12-01")),
        }),
        invoice: Some(Invoice {
            number: "R-1".to_owned(),
            open: "120.50".to_owned(),
            due_on: day("2026-10-12"),
        }),
        next_visit: Some(Visit { day: day("2026-11-30"), time: "10:30:00".parse().unwrap() }),
        last_visit_on: Some(day("2026-11-18")),
        membership: Some(Membership { name: "Comfort".to_owned(), ends_on: day("2026-12-31") }),
        message: Some(Message {
            day: day("2026-11-20"),
            text: "The boiler of 1999 leaks again!".to_owned(),
            sentiment: Some(Sentiment::Negative),
        }),
    }
}

fn known() -> template::Facts {
    serde_json::from_value(json!({
        "customer": {"name": "Ann Abel", "first_name": "Ann", "last_name": "Abel", "company_name": null, "city": " "},
        "org": {"name": "Northwind & Sons"}, "user": {"full_name": "Cleo <CSR>", "email": "c@northwind.example"},
    }))
    .unwrap()
}

fn nobody() -> template::Facts {
    serde_json::from_value(json!({"customer": {}, "org": {}, "user": {}})).unwrap()
}

fn wish(purpose: Purpose, channel: Channel) -> Wish {
    Wish { channel, purpose, instructions: None, language: None }
}

fn draft(purpose: Purpose, channel: Channel, known: &template::Facts) -> Draft {
    let offer = Offer::new(&facts(), known, purpose, ENGLISH);
    builtin(&wish(purpose, channel), &facts(), &offer).unwrap()
}

/// The draft as it would be stored.
fn template(draft: &Draft) -> Template {
    let channel = match draft.channel {
        Channel::Email => template::Channel::Email,
        Channel::Sms => template::Channel::Sms,
    };
    Template {
        channel,
        subject: draft.subject.clone(),
        body: draft.body.clone(),
        variables: Some(json!(draft.variables.keys().collect::<Vec<_>>())),
    }
}

fn rendered(draft: &Draft, known: template::Facts) -> template::Rendered {
    template(draft).render(known, Some(json!(draft.variables))).unwrap()
}

#[test]
fn each_purpose_has_a_text_that_a_template_can_be_made_of() {
    for purpose in Purpose::ALL {
        for channel in Channel::ALL {
            for known in [known(), nobody()] {
                let draft = draft(*purpose, *channel, &known);
                let text = rendered(&draft, known);
                assert!(!text.body.contains("  "), "{}", text.body);
                assert_eq!(text.subject.is_some(), *channel == Channel::Email);
                assert_eq!(text.body.starts_with("<p>Hello"), *channel == Channel::Email);
            }
        }
    }
}

#[test]
fn a_draft_says_what_the_facts_say() {
    let draft = draft(Purpose::QuoteFollowUp, Channel::Email, &known());
    assert_eq!(draft.subject.as_deref(), Some("Our quote {{quote_number}}"));
    assert!(draft.body.contains("{{customer.first_name}}") && !draft.body.contains("Ann"));
    assert_eq!(draft.variables["quote_total"], "950.00 USD");
    assert_eq!(draft.variables["quote_valid_until"], "1 December 2026");
    let body = rendered(&draft, known()).body;
    // What is in a number is no part of a template, and no HTML.
    assert!(body.contains("our quote Q-7 {{user.email}} &lt;b&gt; of 950.00 USD"), "{body}");
    assert!(body.contains("Cleo &lt;CSR&gt;<br>\nNorthwind &amp; Sons"), "{body}");
    let visit = tests::draft(Purpose::VisitReminder, Channel::Sms, &known());
    assert_eq!(
        rendered(&visit, known()).body,
        "Hello Ann, this is a reminder of our visit on 30 November 2026 at 10:30. Please see that we can get to where the work \
         is. If the time does not suit you any more, tell us as early as you can and we will find another one. Northwind & Sons"
    );
    let sorry = tests::draft(Purpose::Reply, Channel::Email, &known());
    assert!(sorry.body.contains("sorry") && !sorry.body.contains("1999"));
}

#[test]
fn a_purpose_without_its_fact_says_which() {
    let none = Facts::default();
    for purpose in Purpose::ALL {
        let offer = Offer::new(&none, &known(), *purpose, ENGLISH);
        let made = builtin(&wish(*purpose, Channel::Email), &none, &offer);
        if matches!(purpose, Purpose::WinBack | Purpose::Introduction) {
            assert!(made.is_ok());
            continue;
        }
        let error = made.unwrap_err();
        assert_eq!(error.code, Code::WrongState);
        assert!(error.data["missing"].as_str().is_some_and(|what| error.hint.contains(what)));
    }
}

#[test]
fn dates_are_written_for_the_language() {
    let day =
        |language| facts().variables(Purpose::InvoiceReminder, language)["invoice_due_on"].clone();
    assert_eq!(day("en"), "12 October 2026");
    assert_eq!(day("en-GB"), "12 October 2026");
    assert_eq!(day("de"), "2026-10-12");
}

#[test]
fn only_facts_that_the_purpose_is_about_are_offered() {
    let offered = |purpose| Offer::new(&facts(), &known(), purpose, ENGLISH);
    let names: Vec<_> = offered(Purpose::VisitThanks).variables.into_keys().collect();
    assert_eq!(names, ["last_visit_day"]);
    assert!(offered(Purpose::Introduction).variables.is_empty());
    let own = offered(Purpose::Reply).own;
    assert!(own.contains("customer.first_name") && !own.contains("customer.city"), "{own:?}");
}

fn found(subject: &str, body: &str, told: &str) -> Vec<String> {
    let offer = Offer::new(&facts(), &known(), Purpose::QuoteFollowUp, ENGLISH);
    let text = Text { subject: subject.to_owned(), body: body.to_owned() };
    problems(&text, Channel::Email, &offer, told)
}

#[test]
fn what_may_not_stand_in_a_draft_is_named() {
    let fine = "Hi {{ customer.first_name }},\n\nquote {{quote_number}}: e.g. on Monday, z.B. at noon. A < B & C, ok?";
    assert_eq!(found("Quote {{quote_number}}", fine, ""), [""; 0]);
    let offer = Offer::new(&facts(), &known(), Purpose::QuoteFollowUp, ENGLISH);
    let text = Text { subject: "Quote {{quote_number}}".to_owned(), body: fine.to_owned() };
    assert_eq!(template(&finish(&text, Channel::Email, &offer)).validate().errors, []);
    for wrong in [
        "{{customer.password}}",
        "{{customer.email}}",
        "{{invoice_number}}",
        "{{customer}}",
        "{{ 'http://evil.example' }}",
        "{{ 'htt' }}{{ 'p' }}",
        "{{ customer.name | upper }}",
        "{% if true %}x{% endif %}",
        "{# note #}",
        "{{customer.name",
        "}} x {{",
        "See https://evil.example/pay",
        "See evil.example.",
        "See (evil.com/pay?a).",
        "pay:evil.com",
        "mail me@evil.example",
        "[here](evil)",
        "pay at evil.xn--qxam",
        "See evil.exam\u{200b}ple",
        "Only 99 USD",
        "Only ٩٩ USD",
        "We come at 10:30.",
        "bell\u{7}",
        "   ",
        "",
    ] {
        assert!(!found("Fine", wrong, "").is_empty(), "{wrong}");
    }
    assert!(!found("", "Hi", "").is_empty());
    assert!(!found("a\nb", "Hi", "").is_empty());
    assert!(!found(&"x".repeat(151), "Hi", "").is_empty());
    assert!(!found("Fine", &"x".repeat(4_001), "").is_empty());
}

#[test]
fn numbers_are_those_that_were_told() {
    assert_eq!(
        found("Fine", "10% off until 5/12, at 10:30.", "offer 10 % until 5/12 10:30"),
        [""; 0]
    );
    assert_eq!(found("Fine", "100% off", "offer 10 %").len(), 1);
    assert_eq!(found("Fine", "1010", "10").len(), 1);
}
