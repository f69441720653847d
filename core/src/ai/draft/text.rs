//! The builtin texts.

use super::{Channel, Facts, Offer, Purpose, Text};
use crate::interaction::Sentiment;

pub(super) fn write(purpose: Purpose, channel: Channel, facts: &Facts, offer: &Offer) -> Text {
    let (subject, paragraphs) = match purpose {
        Purpose::QuoteFollowUp => quote(facts),
        Purpose::InvoiceReminder => (
            "Invoice {{invoice_number}}",
            vec![
                "of our invoice {{invoice_number}}, {{invoice_open}} have been due since {{invoice_due_on}}. Perhaps it was \
                 overlooked: may we ask you to pay it in the next days?",
                "If the payment is on its way, or something about the invoice is not right, please tell us.",
            ],
        ),
        Purpose::VisitReminder => (
            "Your visit on {{visit_day}}",
            vec![
                "this is a reminder of our visit on {{visit_day}} at {{visit_time}}.",
                "Please see that we can get to where the work is. If the time does not suit you any more, tell us as early as you can \
                 and we will find another one.",
            ],
        ),
        Purpose::VisitThanks => (
            "Thank you for having us",
            vec![
                "thank you for your trust: we were with you on {{last_visit_day}}. We hope that everything works as it should.",
                "If anything is not right, or you have a question about what we did, just answer this message.",
            ],
        ),
        Purpose::MembershipRenewal => (
            "Your membership {{membership}}",
            vec![
                "your membership {{membership}} ends on {{membership_ends_on}}.",
                "We would like to go on looking after you. Tell us whether you want to renew it, and we will do the rest.",
            ],
        ),
        Purpose::WinBack => win_back(facts),
        Purpose::Introduction => (
            "Nice to meet you",
            vec![
                "thank you for your interest in {{org.name}}.",
                "We would like to know what you need. Tell us a few words about it and when we can reach you best, and we will come back \
                 to you.",
            ],
        ),
        Purpose::Reply => reply(facts),
    };
    let known = |name: &str| offer.own.contains(name);
    let greeting =
        if known("customer.first_name") { "Hello {{customer.first_name}}," } else { "Hello," };
    let mut sender: Vec<_> = ["user.full_name", "org.name"]
        .into_iter()
        .filter(|name| known(name))
        .map(|name| format!("{{{{{name}}}}}"))
        .collect();
    let without = |text: &str| {
        if known("org.name") { text.to_owned() } else { text.replace("{{org.name}}", "us") }
    };
    let paragraphs: Vec<_> = paragraphs.into_iter().map(without).collect();
    match channel {
        Channel::Email => {
            sender.insert(0, "Kind regards".to_owned());
            let parts = [vec![greeting.to_owned()], paragraphs, vec![sender.join("\n")]];
            Text { subject: subject.to_owned(), body: parts.concat().join("\n\n") }
        }
        Channel::Sms => {
            let parts = [vec![greeting.to_owned()], paragraphs, sender.pop().into_iter().collect()];
            Text { subject: String::new(), body: parts.concat().join(" ") }
        }
    }
}

type Said = (&'static str, Vec<&'static str>);

fn quote(facts: &Facts) -> Said {
    let until = facts.quote.as_ref().and_then(|quote| quote.valid_until).is_some();
    let mut said = vec![
        "on {{quote_sent_on}} we sent you our quote {{quote_number}} of {{quote_total}}. Is everything in it clear?",
    ];
    if until {
        said.push("It is valid until {{quote_valid_until}}.");
    }
    said.push(
        "If you have questions, or want something changed, just answer this message. If you would like to go ahead, tell us \
         which days suit you.",
    );
    ("Our quote {{quote_number}}", said)
}

fn win_back(facts: &Facts) -> Said {
    let began = if facts.last_visit_on.is_some() {
        "it has been a while: we were last with you on {{last_visit_day}}."
    } else {
        "it has been a while since we heard from each other."
    };
    let went_on = "Is there anything we can do for you, a check or a repair? Tell us, and we will find a date that suits you.";
    ("How are you doing?", vec![began, went_on])
}

fn reply(facts: &Facts) -> Said {
    let angry = facts
        .message
        .as_ref()
        .is_some_and(|message| message.sentiment == Some(Sentiment::Negative));
    let began = if angry {
        "thank you for telling us on {{message_day}}. We are sorry for the trouble that you have had."
    } else {
        "thank you for your message of {{message_day}}."
    };
    ("Your message", vec![began, "We are looking into it and will come back to you."])
}
