//! The secrets of the providers, from the environment of the platform. None of them is ever logged.

use std::collections::HashMap;

use fieldcrm_core::signature::{sendgrid, standard};
use fieldcrm_core::{Code, Error, Result};

/// All variables: secrets of forms are found by the names that their channels say.
#[derive(Clone, Default)]
pub struct Settings {
    variables: HashMap<String, String>,
}

/// Names that no channel can make the secret of a form: they are the platform's, or of our providers.
const RESERVED: [&str; 13] = [
    "SUPABASE_",
    "SB_",
    "DENO_",
    "WHATSAPP_",
    "TWILIO_",
    "POSTMARK_",
    "SENDGRID_",
    "MAILGUN_",
    "RESEND_",
    "EMAIL_INBOUND_",
    "AWS_",
    "OPENAI_",
    "ANTHROPIC_",
];

impl Settings {
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { variables: variables.into_iter().collect() }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// A list with commas between, so that a secret can be replaced while the old one is in use.
    /// Without any the function cannot tell who writes, and takes nothing.
    pub fn secrets(&self, name: &str) -> Result<Vec<String>> {
        let list = self.get(name).unwrap_or_default().split(',').map(str::trim);
        let list: Vec<_> = list.filter(|one| !one.is_empty()).map(str::to_owned).collect();
        if list.is_empty() { Err(missing(name)) } else { Ok(list) }
    }

    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The secrets by which a form's channel is signed.
    pub fn form_secrets(&self, name: &str) -> Result<Vec<String>> {
        if RESERVED.iter().any(|prefix| name.starts_with(prefix)) {
            return Err(Error::new(Code::Unavailable, format!("{name} cannot sign a form")));
        }
        self.secrets(name)
    }

    /// Keys of Standard Webhooks.
    pub fn standard_keys(&self, name: &str) -> Result<Vec<standard::Key>> {
        self.secrets(name)?
            .iter()
            .map(|text| standard::Key::parse(text).ok_or_else(|| malformed(name)))
            .collect()
    }

    /// Verification keys as SendGrid shows them.
    pub fn sendgrid_keys(&self, name: &str) -> Result<Vec<sendgrid::VerifyingKey>> {
        self.secrets(name)?
            .iter()
            .map(|text| sendgrid::key(text).ok_or_else(|| malformed(name)))
            .collect()
    }

    /// The address under which providers call us, up to the slug.
    pub fn public_url(&self) -> Result<String> {
        if let Some(url) = self.get("PUBLIC_FUNCTIONS_URL") {
            return Ok(url.trim_end_matches('/').to_owned());
        }
        let url = self.get("SUPABASE_URL").ok_or_else(|| missing("SUPABASE_URL"))?;
        Ok(format!("{}/functions/v1", url.trim_end_matches('/')))
    }

    /// As whom the service RPCs are called.
    pub fn service_key(&self) -> Result<&str> {
        const NAME: &str = "SUPABASE_SERVICE_ROLE_KEY";
        let key = self.get(NAME).ok_or_else(|| missing(NAME))?;
        let plain = key.bytes().all(|byte| byte.is_ascii_graphic());
        if plain { Ok(key) } else { Err(malformed(NAME)) }
    }

    /// What is answered to HELP.
    #[must_use]
    pub fn help_text(&self) -> &str {
        const HELP: &str = "Reply STOP to get no more messages. Message and data rates may apply. Write to us here with any question.";
        self.get("SMS_HELP_TEXT").unwrap_or(HELP)
    }
}

/// 503: the provider sends it again until somebody has set it.
fn missing(name: &str) -> Error {
    Error::new(Code::Unavailable, format!("{name} is not set"))
}

fn malformed(name: &str) -> Error {
    Error::new(Code::Unavailable, format!("{name} does not have its form"))
}

#[cfg(target_arch = "wasm32")]
static REMEMBERED: std::sync::OnceLock<Settings> = std::sync::OnceLock::new();

/// Keeps the environment of the platform, at the first request.
#[cfg(target_arch = "wasm32")]
pub fn remember(env: &js_sys::Object) {
    REMEMBERED.get_or_init(|| {
        let entries = js_sys::Object::entries(env);
        Settings::new(entries.iter().filter_map(|entry| {
            let entry = js_sys::Array::from(&entry);
            Some((entry.get(0).as_string()?, entry.get(1).as_string()?))
        }))
    });
}

#[cfg(target_arch = "wasm32")]
impl Settings {
    pub fn remembered() -> Self {
        REMEMBERED.get().cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        Settings::new(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn a_secret_that_is_not_set_is_an_error() {
        let settings = settings(&[("A", " one, two,"), ("B", " , ")]);
        assert_eq!(settings.secrets("A").unwrap(), ["one", "two"]);
        assert_eq!(settings.secrets("B").unwrap_err().code, Code::Unavailable);
        assert_eq!(settings.secrets("C").unwrap_err().code, Code::Unavailable);
        assert!(settings.service_key().is_err());
    }

    #[test]
    fn a_form_cannot_name_a_secret_of_the_platform() {
        let settings = settings(&[
            ("SB_REGION", "local"),
            ("SUPABASE_SERVICE_ROLE_KEY", "x"),
            ("LANDING_PAGE", "whsec_x"),
        ]);
        assert!(settings.form_secrets("SB_REGION").is_err());
        assert!(settings.form_secrets("SUPABASE_SERVICE_ROLE_KEY").is_err());
        assert_eq!(settings.form_secrets("LANDING_PAGE").unwrap(), ["whsec_x"]);
    }

    #[test]
    fn the_public_url_is_supabases_unless_it_is_set() {
        let ours = settings(&[("SUPABASE_URL", "https://x.supabase.co/")]);
        assert_eq!(ours.public_url().unwrap(), "https://x.supabase.co/functions/v1");
        let own = settings(&[("PUBLIC_FUNCTIONS_URL", "https://hooks.example/")]);
        assert_eq!(own.public_url().unwrap(), "https://hooks.example");
    }
}
