//! A mail as all providers' forms of it become one event.

use std::borrow::Cow;

use axum::body::Bytes;
use chrono::DateTime;
use mail_parser::decoders::html::html_to_text;
use mail_parser::{Address, HeaderValue, Message, MessageParser};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::event::{Delivery, Event, Kind, said};
use crate::files::{clean_name, clean_type, hex};
use crate::reply;

/// What of the headers says something about the mail beyond its own members.
const HEADERS: [&str; 14] = [
    "reply-to",
    "auto-submitted",
    "precedence",
    "list-id",
    "list-unsubscribe",
    "return-path",
    "x-auto-response-suppress",
    "x-autoreply",
    "x-spam-status",
    "x-spam-score",
    "authentication-results",
    "received-spf",
    "x-forwarded-to",
    "x-mailer",
];

/// How many addresses of a mail can be one of ours.
const MAX_ADDRESSES: usize = 20;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mail {
    pub from: Option<String>,
    pub from_name: Option<String>,
    pub to: Vec<String>,
    pub cc: Vec<String>,
    pub subject: Option<String>,
    /// The Message-ID and those it answers, without angle brackets.
    pub message_id: Option<String>,
    pub in_reply_to: Option<String>,
    pub references: Vec<String>,
    pub occurred_at: Option<String>,
    pub headers: Vec<(String, String)>,
    pub text: Option<String>,
    pub html: Option<String>,
    pub attachments: Vec<Attachment>,
}

/// A file of a mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attachment {
    pub name: String,
    pub kind: String,
    pub content: Bytes,
    /// Where the HTML shows it: the Content-ID.
    pub content_id: Option<String>,
}

impl Mail {
    /// Reads what the headers tell. `header` is a block of them, as in a message.
    pub fn from_headers(header: &str) -> Self {
        let mut block = header.trim().to_owned();
        block.push_str("\r\n\r\n");
        MessageParser::new()
            .parse_headers(block.as_bytes())
            .map_or_else(Self::default, |message| Self::of(&message))
    }

    /// The same from names and values.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut block = String::new();
        for (name, value) in pairs {
            let plain = |byte: u8| byte.is_ascii_graphic() && byte != b':';
            if !name.is_empty() && name.bytes().all(plain) {
                block.push_str(name);
                block.push_str(": ");
                block.push_str(&value.replace(['\r', '\n'], " "));
                block.push_str("\r\n");
            }
        }
        Self::from_headers(&block)
    }

    /// The headers of a parsed message.
    pub fn of(message: &Message<'_>) -> Self {
        let sender = message.from().and_then(Address::first);
        let headers = message.headers_raw();
        let headers = headers
            .filter(|(name, _)| HEADERS.contains(&name.to_ascii_lowercase().as_str()))
            .take(50)
            .map(|(name, value)| (name.to_ascii_lowercase(), unfold(value)))
            .collect();
        Self {
            from: sender.and_then(|one| one.address()).and_then(address),
            from_name: sender
                .and_then(|one| one.name())
                .map(str::to_owned)
                .filter(|name| !name.is_empty()),
            to: message.all_to().flat_map(addresses).collect(),
            cc: message.all_cc().flat_map(addresses).collect(),
            subject: message.subject().map(str::to_owned).filter(|subject| !subject.is_empty()),
            message_id: ids(message.header("Message-ID")).into_iter().next(),
            in_reply_to: ids(Some(message.in_reply_to())).into_iter().next(),
            references: ids(Some(message.references())),
            occurred_at: message
                .date()
                .and_then(|date| DateTime::from_timestamp(date.to_timestamp(), 0))
                .and_then(said),
            headers,
            ..Self::default()
        }
    }

    /// `id` is the provider's own; without it the Message-ID is, and without that the mail's hash.
    pub fn event(self, id: Option<String>) -> Event {
        let written = match (&self.text, &self.html) {
            (Some(text), _) if !text.trim().is_empty() => reply::trim(text),
            (_, Some(html)) => {
                let own = html_to_text(reply::trim_html(html));
                let own = if own.trim().is_empty() { html_to_text(html) } else { own };
                reply::trim(&own)
            }
            _ => String::new(),
        };
        let id = id.or_else(|| self.message_id.clone()).unwrap_or_else(|| self.hash());
        let mut event = Event::new(Kind::Message, id).content(written);
        event.provider_message_id =
            Some(self.message_id.clone().map_or_else(|| event.id.clone(), crate::event::bounded));
        if let Some(id) = &self.message_id {
            event.note("message_id", id.as_str());
        }
        // Who answers to itself, does: nobody.
        let automatic = self.headers.iter().any(|(name, value)| match name.as_str() {
            "auto-submitted" => !value.eq_ignore_ascii_case("no"),
            "precedence" => ["bulk", "auto_reply", "junk"].contains(&value.to_lowercase().as_str()),
            "x-autoreply" => true,
            _ => false,
        });
        if automatic {
            event.note("automatic", true);
        }
        event.from = self.from;
        event.from_name = self.from_name;
        event.subject = self.subject;
        event.in_reply_to = self.in_reply_to.or_else(|| self.references.last().cloned());
        event.references = self.references;
        event.occurred_at = self.occurred_at;
        for (key, value) in [("text", self.text), ("html", self.html)] {
            event.note(key, value.filter(|body| !body.is_empty()));
        }
        for (key, list) in [("to", self.to), ("cc", self.cc)] {
            if !list.is_empty() {
                event.note(key, list);
            }
        }
        if !self.headers.is_empty() {
            let pairs = self.headers.into_iter().map(|(name, value)| json!([name, value]));
            event.note("headers", pairs.collect::<Vec<Value>>());
        }
        if !self.attachments.is_empty() {
            let entries = self.attachments.iter().map(|file| {
                let mut one = json!({
                    "file_name": clean_name(&file.name), "content_type": clean_type(&file.kind),
                    "size_bytes": file.content.len(),
                });
                if let Some(id) = &file.content_id {
                    one["content_id"] = id.as_str().into();
                }
                one
            });
            event.note("attachments", entries.collect::<Vec<Value>>());
            event.files = self.attachments.into_iter().map(|file| file.content).collect();
        }
        event
    }

    fn hash(&self) -> String {
        let mut hasher = Sha256::new();
        for part in [&self.from, &self.subject, &self.occurred_at, &self.text, &self.html] {
            hasher.update(part.as_deref().unwrap_or_default());
            hasher.update([0]);
        }
        for file in &self.attachments {
            hasher.update(Sha256::digest(&file.content));
        }
        format!("sha256:{}", hex(&hasher.finalize()))
    }
}

/// An address as addresses are kept: in lower case, without what was put around it.
pub fn address(text: &str) -> Option<String> {
    fieldcrm_core::email::normalize(text.trim().trim_matches(['<', '>']))
}

/// Which addresses can be ours: as they are and without their `+tag`, each once.
pub fn candidates(addresses: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut candidates: Vec<String> = Vec::new();
    for address in addresses {
        let untagged = address.split_once('@').and_then(|(local, domain)| {
            local.split_once('+').map(|(local, _)| format!("{local}@{domain}"))
        });
        for one in [Some(address), untagged].into_iter().flatten() {
            if candidates.len() < MAX_ADDRESSES && !candidates.contains(&one) {
                candidates.push(one);
            }
        }
    }
    candidates
}

/// One mail for each recipient that the provider's server took it for; where that is none of ours, for
/// whom the mail names.
pub fn deliveries(
    provider: &'static str,
    envelope: Vec<String>,
    named: Vec<String>,
    event: &Event,
) -> Vec<Delivery> {
    let one =
        |addresses| Delivery { provider, channel: "email", addresses, events: vec![event.clone()] };
    if envelope.is_empty() {
        return vec![one(candidates(named))];
    }
    let first = envelope.into_iter().take(MAX_ADDRESSES);
    first.map(|to| one(candidates([to].into_iter().chain(named.iter().cloned())))).collect()
}

/// The addresses of a header's text.
pub fn parse_addresses(text: &str) -> Vec<String> {
    Mail::from_pairs([("To", text)]).to
}

/// An id without its angle brackets.
pub fn bare_id(text: &str) -> Option<String> {
    let id = text.trim().trim_start_matches('<').trim_end_matches('>').trim();
    (!id.is_empty()).then(|| id.to_owned())
}

fn addresses(list: &Address<'_>) -> Vec<String> {
    list.iter().filter_map(|one| address(one.address()?)).collect()
}

fn ids(value: Option<&HeaderValue<'_>>) -> Vec<String> {
    const MOST: usize = 50;
    let ids: Vec<Cow<'_, str>> = match value {
        Some(HeaderValue::Text(id)) => vec![id.clone()],
        Some(HeaderValue::TextList(ids)) => ids.clone(),
        _ => Vec::new(),
    };
    // The last ones are the nearest.
    let skip = ids.len().saturating_sub(MOST);
    ids.iter().skip(skip).filter_map(|id| bare_id(id)).map(crate::event::bounded).collect()
}

fn unfold(value: &str) -> String {
    let joined: String = value.split_whitespace().collect::<Vec<_>>().join(" ");
    joined.chars().take(2_000).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_a_block_are_read() {
        let mail = Mail::from_headers(
            "From: =?UTF-8?B?SsO8cmdlbg==?= <Juergen@Example.COM>\r\nTo: a@x.example,\r\n \"B, b\" <B@x.example>\r\n\
             Cc: c@x.example\r\nSubject: =?iso-8859-1?Q?Gr=FC=DFe?=\r\nMessage-ID: <1@x>\r\nIn-Reply-To: <0@x>\r\n\
             References: <a@x> <0@x>\r\nDate: Thu, 5 Apr 2012 16:59:01 +0200 (CEST)\r\nAuto-Submitted: auto-replied\r\n",
        );
        assert_eq!(mail.from.as_deref(), Some("juergen@example.com"));
        assert_eq!(mail.from_name.as_deref(), Some("Jürgen"));
        assert_eq!(mail.to, ["a@x.example", "b@x.example"]);
        assert_eq!(mail.cc, ["c@x.example"]);
        assert_eq!(mail.subject.as_deref(), Some("Grüße"));
        assert_eq!(mail.message_id.as_deref(), Some("1@x"));
        assert_eq!(mail.in_reply_to.as_deref(), Some("0@x"));
        assert_eq!(mail.references, ["a@x", "0@x"]);
        assert_eq!(mail.occurred_at.as_deref(), Some("2012-04-05T14:59:01Z"));
        assert_eq!(mail.event(None).metadata["automatic"], true);
    }

    #[test]
    fn a_mail_without_any_id_has_its_hash() {
        let mail = |text: &str| Mail { text: Some(text.to_owned()), ..Mail::default() };
        let (one, same, other) =
            (mail("a").event(None), mail("a").event(None), mail("b").event(None));
        assert_eq!(one.id, same.id);
        assert_ne!(one.id, other.id);
        assert_eq!(one.id.len(), 71);
        let with = |content: &'static str| {
            let file = Attachment { content: Bytes::from(content), ..Attachment::default() };
            Mail { attachments: vec![file], ..mail("a") }.event(None)
        };
        assert_ne!(with("plan 1").id, with("plan 2").id, "another file is another mail");
        assert_ne!(with("plan 1").id, one.id);
    }

    #[test]
    fn tags_of_addresses_are_tried_without_as_well() {
        let list = ["office+a@x.example", "b@x.example", "b@x.example"].map(str::to_owned);
        assert_eq!(candidates(list), ["office+a@x.example", "office@x.example", "b@x.example"]);
    }

    #[test]
    fn html_alone_becomes_text_without_its_quotation() {
        let html = "<p>Yes &amp; no</p><div class=\"gmail_quote\">On Monday</div>";
        let mail = Mail { html: Some(html.to_owned()), ..Mail::default() };
        let event = mail.event(None);
        assert_eq!(event.content.as_deref(), Some("Yes & no"));
        assert_eq!(event.metadata["html"], html);
    }
}
