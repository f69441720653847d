//! The doors to the outside: which address belongs to whom, and where an org wants to be told.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::automation::event::is_type;
use crate::client::MAX_JSON;
use crate::customer::{Checks, choices};
use crate::form::FormSettings;
use crate::interaction::{check_json, required};
use crate::patch::{Field, given, present};
use crate::{Result, email, endpoint};

choices! {
    /// What comes in through it.
    ChannelKind { Whatsapp = "whatsapp", Sms = "sms", Email = "email", Form = "form", }
}

impl ChannelKind {
    /// The address as the database has it, or `None` if it is none: the id that Meta gives a number, a number in
    /// E.164, a mailbox, the key of a form.
    #[must_use]
    pub fn address(self, raw: &str) -> Option<String> {
        let raw = raw.trim();
        let all = |letters: fn(&u8) -> bool| raw.bytes().all(|letter| letters(&letter));
        match self {
            Self::Whatsapp => {
                ((1..=30).contains(&raw.len()) && all(u8::is_ascii_digit)).then(|| raw.to_owned())
            }
            Self::Sms => {
                let digits = raw.strip_prefix('+')?;
                let fits = (8..=15).contains(&digits.len())
                    && digits.bytes().all(|digit| digit.is_ascii_digit())
                    && !digits.starts_with('0');
                fits.then(|| raw.to_owned())
            }
            Self::Email => email::normalize(raw),
            Self::Form => ((16..=100).contains(&raw.len())
                && all(|letter| letter.is_ascii_alphanumeric() || b"_-".contains(letter)))
            .then(|| raw.to_owned()),
        }
    }
}

/// The arguments of `crm_create_channel`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewChannel {
    pub channel: Option<ChannelKind>,
    pub address: Option<String>,
    pub client_id: Option<Uuid>,
    pub project_id: Option<Uuid>,
    pub secret_name: Option<String>,
    pub settings: Option<Value>,
    pub is_enabled: Option<bool>,
}

/// The columns of `org_channels` that a caller decides.
#[derive(Debug, Serialize)]
pub struct ChannelRow {
    pub channel: ChannelKind,
    pub address: String,
    pub client_id: Option<Uuid>,
    pub project_id: Option<Uuid>,
    pub secret_name: Option<String>,
    pub settings: Value,
    pub is_enabled: bool,
}

impl NewChannel {
    pub fn prepare(self) -> Result<ChannelRow> {
        let mut checks = Checks::default();
        let channel = required(&mut checks, "channel", self.channel);
        let raw = checks.required("address", self.address);
        let address = channel.and_then(|channel| channel.address(&raw));
        if channel.is_some() && address.is_none() && !raw.is_empty() {
            checks.fail("address", "invalid_value", "is not an address of this channel");
        }
        if channel == Some(ChannelKind::Form) && self.project_id.is_none() {
            checks.fail("project_id", "required", "say which project the form's leads belong to");
        }
        let secret_name = self.secret_name.and_then(|name| secret_name(&mut checks, name));
        let settings = self.settings.unwrap_or_else(|| json!({}));
        check_settings(&mut checks, &settings);
        checks.finish()?;
        Ok(ChannelRow {
            channel: channel.unwrap_or(ChannelKind::Form),
            address: address.unwrap_or_default(),
            client_id: self.client_id,
            project_id: self.project_id,
            secret_name,
            settings,
            is_enabled: self.is_enabled.unwrap_or(true),
        })
    }
}

/// The name of a function secret of the operator's choice; those of the platform sign nothing that comes in.
fn secret_name(checks: &mut Checks, name: String) -> Option<String> {
    let name = checks.text("secret_name", Some(name), 100)?;
    let fits = name.starts_with(|letter: char| letter.is_ascii_uppercase())
        && name
            .bytes()
            .all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == b'_');
    if !fits || name.starts_with("SUPABASE_") || name.starts_with("SB_") {
        let message = "is not a name like FORM_SECRET; SUPABASE_ and SB_ are the platform's";
        checks.fail("secret_name", "invalid_value", message);
    }
    Some(name)
}

fn check_settings(checks: &mut Checks, settings: &Value) {
    check_json(checks, "settings", settings, MAX_JSON);
    if let Err(error) = FormSettings::read(settings) {
        for wrong in error.errors {
            checks.fail(format!("settings.{}", wrong.path), &wrong.code, wrong.message);
        }
    }
}

/// The argument `patch` of `crm_update_channel`. Channel and address stay: another one is another door.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChannelPatch {
    #[serde(deserialize_with = "present")]
    pub client_id: Field<Uuid>,
    #[serde(deserialize_with = "present")]
    pub project_id: Field<Uuid>,
    #[serde(deserialize_with = "present")]
    pub secret_name: Field<String>,
    #[serde(deserialize_with = "given")]
    pub settings: Option<Value>,
    #[serde(deserialize_with = "given")]
    pub is_enabled: Option<bool>,
}

impl ChannelPatch {
    /// The columns to set.
    pub fn prepare(self) -> Result<Map<String, Value>> {
        let mut checks = Checks::default();
        let mut set = Map::new();
        for (key, id) in [("client_id", self.client_id), ("project_id", self.project_id)] {
            if let Some(id) = id {
                set.insert(key.to_owned(), json!(id));
            }
        }
        if let Some(name) = self.secret_name {
            let name = name.and_then(|name| secret_name(&mut checks, name));
            set.insert("secret_name".to_owned(), json!(name));
        }
        if let Some(settings) = self.settings {
            check_settings(&mut checks, &settings);
            set.insert("settings".to_owned(), settings);
        }
        if let Some(is_enabled) = self.is_enabled {
            set.insert("is_enabled".to_owned(), json!(is_enabled));
        }
        checks.finish()?;
        Ok(set)
    }
}

const MAX_EVENT_TYPES: usize = 100;

/// The arguments of `crm_create_webhook_endpoint`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewEndpoint {
    pub url: Option<String>,
    pub event_types: Option<Vec<String>>,
    pub description: Option<String>,
    pub is_enabled: Option<bool>,
}

impl NewEndpoint {
    /// The columns of `webhook_endpoints`.
    pub fn prepare(self) -> Result<Map<String, Value>> {
        let mut checks = Checks::default();
        let url = required(&mut checks, "url", self.url).unwrap_or_default();
        let mut set = Map::new();
        match endpoint::check(&url) {
            Ok(url) => {
                set.insert("url".to_owned(), json!(url));
            }
            Err((code, message)) if !url.is_empty() => checks.fail("url", code, message),
            Err(_) => {}
        }
        let types = event_types(&mut checks, self.event_types.unwrap_or_default());
        set.insert("event_types".to_owned(), json!(types));
        let description = checks.text("description", self.description, 1000);
        set.insert("description".to_owned(), json!(description));
        set.insert("is_enabled".to_owned(), json!(self.is_enabled.unwrap_or(true)));
        checks.finish()?;
        Ok(set)
    }
}

/// The argument `patch` of `crm_update_webhook_endpoint`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EndpointPatch {
    #[serde(deserialize_with = "given")]
    pub event_types: Option<Vec<String>>,
    #[serde(deserialize_with = "present")]
    pub description: Field<String>,
    #[serde(deserialize_with = "given")]
    pub is_enabled: Option<bool>,
}

impl EndpointPatch {
    /// The columns to set.
    pub fn prepare(self) -> Result<Map<String, Value>> {
        let mut checks = Checks::default();
        let mut set = Map::new();
        if let Some(types) = self.event_types {
            set.insert("event_types".to_owned(), json!(event_types(&mut checks, types)));
        }
        if let Some(description) = self.description {
            let text = checks.text("description", description, 1000);
            set.insert("description".to_owned(), json!(text));
        }
        if let Some(is_enabled) = self.is_enabled {
            set.insert("is_enabled".to_owned(), json!(is_enabled));
        }
        checks.finish()?;
        Ok(set)
    }
}

fn event_types(checks: &mut Checks, mut types: Vec<String>) -> Vec<String> {
    if types.len() > MAX_EVENT_TYPES {
        checks.fail("event_types", "too_many", format!("at most {MAX_EVENT_TYPES}"));
        types.truncate(MAX_EVENT_TYPES);
    }
    types.sort();
    types.dedup();
    for (index, name) in types.iter().enumerate() {
        if !is_type(name) {
            checks.fail(format!("event_types[{index}]"), "invalid_value", "is no type of events");
        }
    }
    types
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patch;

    fn paths<T: std::fmt::Debug>(result: Result<T>) -> Vec<String> {
        result.unwrap_err().errors.into_iter().map(|error| error.path).collect()
    }

    #[test]
    fn an_address_has_the_form_of_its_channel() {
        let check = |kind: ChannelKind, raw: &str, expect: Option<&str>| {
            assert_eq!(kind.address(raw).as_deref(), expect, "{raw}");
        };
        check(ChannelKind::Whatsapp, "106540352242922", Some("106540352242922"));
        check(ChannelKind::Whatsapp, "+1555", None);
        check(ChannelKind::Sms, "+15005550006", Some("+15005550006"));
        check(ChannelKind::Sms, "5005550006", None);
        check(ChannelKind::Email, " Leads@Acme.Example ", Some("leads@acme.example"));
        check(ChannelKind::Email, "leads", None);
        check(ChannelKind::Form, "form_0123456789abcdef", Some("form_0123456789abcdef"));
        check(ChannelKind::Form, "short", None);
        check(ChannelKind::Form, "form 0123456789abcdef", None);
    }

    #[test]
    fn a_form_has_a_project_and_settings_that_mean_something() {
        let create = |input| patch::read::<NewChannel>(input)?.prepare();
        let form = json!({"channel": "form", "address": "form_0123456789abcdef"});
        assert_eq!(paths(create(form)), ["project_id"]);
        let wrong = json!({"channel": "sms", "address": "12", "secret_name": "SUPABASE_SERVICE_ROLE_KEY",
            "settings": {"max_per_minute": -1}});
        assert_eq!(paths(create(wrong)), ["address", "secret_name", "settings.max_per_minute"]);
        assert_eq!(paths(create(json!({}))), ["channel", "address"]);
    }

    #[test]
    fn a_patch_clears_what_is_null() {
        let patch = patch::read::<ChannelPatch>(json!({"secret_name": null, "is_enabled": false}));
        let set = patch.unwrap().prepare().unwrap();
        assert_eq!(Value::Object(set), json!({"secret_name": null, "is_enabled": false}));
        assert_eq!(paths(patch::read::<ChannelPatch>(json!({"address": "x"}))), ["address"]);
    }

    #[test]
    fn event_types_are_names_once_each() {
        let read = |input| patch::read::<NewEndpoint>(input)?.prepare();
        let url = "https://example.com";
        let made = read(json!({"url": url, "event_types": ["b", "a", "b"]})).unwrap();
        assert_eq!(made["event_types"], json!(["a", "b"]));
        assert_eq!(paths(read(json!({"url": url, "event_types": ["A"]}))), ["event_types[0]"]);
        assert_eq!(paths(read(json!({"url": "https://10.0.0.1"}))), ["url"]);
    }
}
