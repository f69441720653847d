//! Which provider serves which channel, from the environment alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use fieldcrm_core::automation::Purpose;
use fieldcrm_edge::Log;
use fieldcrm_edge::dns::Resolver;
use fieldcrm_edge::http::Client;
use serde_json::json;
use url::Url;

use super::address::mailbox;
use super::log::LogProvider;
use super::postmark::Postmark;
use super::resend::Resend;
use super::sendgrid::Sendgrid;
use super::ses::Ses;
use super::twilio::Twilio;
use super::webhook::Webhook;
use super::whatsapp::WhatsappCloud;
use super::{Channel, Outcome, Outgoing, Provider};

/// A variable that is missing or wrong; never its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misconfigured {
    pub variable: String,
    pub problem: &'static str,
}

impl Misconfigured {
    pub(super) fn new(variable: &str, problem: &'static str) -> Self {
        Self { variable: variable.to_owned(), problem }
    }
}

impl std::fmt::Display for Misconfigured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.variable, self.problem)
    }
}

/// The environment.
pub(super) struct Variables<'a>(pub &'a dyn Fn(&str) -> Option<String>);

impl Variables<'_> {
    pub fn optional(&self, name: &str) -> Option<String> {
        (self.0)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// One that ends up in a header or a signature: in plain ASCII.
    pub fn required(&self, name: &str) -> Result<String, Misconfigured> {
        let value = self.optional(name).ok_or_else(|| Misconfigured::new(name, "is not set"))?;
        if value.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(value)
        } else {
            Err(Misconfigured::new(name, "is not in plain ASCII without spaces"))
        }
    }

    pub fn base_url(&self, name: &str, usual: &str) -> Result<String, Misconfigured> {
        let value = self.optional(name).unwrap_or_else(|| usual.to_owned());
        match Url::parse(&value) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.query().is_none() => {
                Ok(value.trim_end_matches('/').to_owned())
            }
            _ => Err(Misconfigured::new(name, "is not an HTTP URL")),
        }
    }
}

/// Who serves the channels. A channel without an entry is not served: its messages wait.
#[derive(Clone, Default)]
pub struct Providers {
    serving: BTreeMap<Channel, Arc<dyn Provider>>,
    /// Channels whose provider was named but cannot work.
    pub misconfigured: BTreeMap<Channel, Misconfigured>,
}

impl Providers {
    #[must_use]
    pub fn new(serving: impl IntoIterator<Item = (Channel, Arc<dyn Provider>)>) -> Self {
        Self { serving: serving.into_iter().collect(), ..Self::default() }
    }

    /// `EMAIL_PROVIDER`, `SMS_PROVIDER`, `WHATSAPP_PROVIDER`, `WEBHOOK_PROVIDER`, and what each of them needs. A channel
    /// that names none is served by the log where `FIELDCRM_ENV` is `local`, and by nobody elsewhere.
    pub fn read(
        variable: &dyn Fn(&str) -> Option<String>,
        client: &Client,
        resolver: &Arc<dyn Resolver>,
        log: &Arc<dyn Log>,
    ) -> Self {
        let variables = Variables(variable);
        let local = variables.optional("FIELDCRM_ENV").as_deref() == Some("local");
        let mut providers = Self::default();
        for &channel in Channel::ALL {
            let name = format!("{}_PROVIDER", channel.as_str().to_ascii_uppercase());
            let chosen = match variables.optional(&name) {
                Some(chosen) => chosen,
                None if local => "log".to_owned(),
                None => continue,
            };
            let made = match (channel, chosen.as_str()) {
                (Channel::Webhook, "webhook") => Webhook::read(client, resolver, &variables)
                    .map(|webhook| Arc::new(webhook) as Arc<dyn Provider>),
                _ => provider(channel, &name, &chosen, &variables, client, log),
            };
            match made {
                Ok(provider) => {
                    providers.serving.insert(channel, provider);
                }
                Err(wrong) => {
                    let facts = json!({
                        "slug": "jobs", "channel": channel.as_str(), "cause": wrong.to_string(),
                    });
                    fieldcrm_edge::log::event(log.as_ref(), "error", "config", facts);
                    providers.misconfigured.insert(channel, wrong);
                }
            }
        }
        providers
    }

    #[must_use]
    pub fn get(&self, channel: Channel) -> Option<&dyn Provider> {
        self.serving.get(&channel).map(AsRef::as_ref)
    }

    /// The channels that are served, each with its provider's name.
    pub fn names(&self) -> impl Iterator<Item = (Channel, &'static str)> + '_ {
        self.serving.iter().map(|(channel, provider)| (*channel, provider.name()))
    }
}

fn provider(
    channel: Channel,
    variable: &str,
    chosen: &str,
    variables: &Variables<'_>,
    client: &Client,
    log: &Arc<dyn Log>,
) -> Result<Arc<dyn Provider>, Misconfigured> {
    Ok(match (channel, chosen) {
        (_, "log") => Arc::new(LogProvider { log: log.clone() }),
        (Channel::Email, "resend") => Arc::new(Resend::read(client, variables)?),
        (Channel::Email, "postmark") => Arc::new(Postmark::read(client, variables)?),
        (Channel::Email, "sendgrid") => Arc::new(Sendgrid::read(client, variables)?),
        (Channel::Email, "ses") => Arc::new(Ses::read(client, variables)?),
        (Channel::Sms, "twilio") => Arc::new(Twilio::read(client, variables)?),
        (Channel::Whatsapp, "whatsapp_cloud") => Arc::new(WhatsappCloud::read(client, variables)?),
        _ => return Err(Misconfigured::new(variable, "names no provider of this channel")),
    })
}

/// What all e-mail providers share.
pub(super) struct EmailSettings {
    /// For orgs that have none of their own.
    from: Option<String>,
    /// With `{message_id}` where the message's id goes.
    unsubscribe_url: Option<String>,
}

/// The head of an e-mail.
pub(super) struct Envelope {
    pub name: Option<String>,
    pub email: String,
    pub reply_to: Option<String>,
    pub subject: String,
    pub headers: Vec<(String, String)>,
}

impl Envelope {
    pub fn from(&self) -> String {
        mailbox(self.name.as_deref(), &self.email)
    }
}

impl EmailSettings {
    pub fn read(variables: &Variables<'_>) -> Result<Self, Misconfigured> {
        let from = variables.optional("EMAIL_FROM");
        if from.as_deref().is_some_and(|from| !from.contains('@') || from.contains(['<', '>', ' ']))
        {
            return Err(Misconfigured::new("EMAIL_FROM", "is not an e-mail address"));
        }
        let unsubscribe_url = variables.optional("EMAIL_UNSUBSCRIBE_URL");
        if let Some(url) = &unsubscribe_url
            && !(url.starts_with("https://") && url.contains("{message_id}"))
        {
            return Err(Misconfigured::new(
                "EMAIL_UNSUBSCRIBE_URL",
                "is not an https URL with {message_id} in it",
            ));
        }
        Ok(Self { from, unsubscribe_url })
    }

    pub fn envelope(&self, message: &Outgoing) -> Result<Envelope, Outcome> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        let Some(email) = given(&message.from.email).or_else(|| self.from.clone()) else {
            let message = "set crm_messaging_settings.from_email, or EMAIL_FROM";
            return Err(Outcome::rejected("sender_not_set", message));
        };
        // RFC 8058: who gets marketing leaves it with one click.
        let headers = match &self.unsubscribe_url {
            Some(url) if message.purpose == Purpose::Marketing => {
                let url = url.replace("{message_id}", &message.id.to_string());
                vec![
                    ("List-Unsubscribe".to_owned(), format!("<{url}>")),
                    ("List-Unsubscribe-Post".to_owned(), "List-Unsubscribe=One-Click".to_owned()),
                ]
            }
            _ => Vec::new(),
        };
        Ok(Envelope {
            name: given(&message.from.name).or_else(|| given(&message.org_name)),
            email,
            reply_to: given(&message.from.reply_to),
            subject: message.subject.clone().unwrap_or_default(),
            headers,
        })
    }
}
