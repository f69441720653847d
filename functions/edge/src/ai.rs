//! Models that functions ask.

use fieldcrm_core::kb::MAX_MODEL;
use fieldcrm_core::{Error, Result};

pub mod chat;
pub mod embed;
pub mod models;

/// A variable's value, trimmed; `None` where there is nothing in it.
type Given<'a> = dyn Fn(&str) -> Option<String> + 'a;

fn trimmed(variable: &dyn Fn(&str) -> Option<String>) -> impl Fn(&str) -> Option<String> + '_ {
    |name| variable(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

/// An HTTP URL to put paths after.
fn base_url(given: &Given<'_>, name: &str, usual: &str) -> Result<String> {
    let base = given(name).unwrap_or_else(|| usual.to_owned());
    if !(base.starts_with("https://") || base.starts_with("http://")) || base.contains(['?', '#']) {
        return Err(Error::internal(format!("{name} is not an HTTP URL")));
    }
    Ok(base.trim_end_matches('/').to_owned())
}

/// What can stand in a header.
fn key(given: &Given<'_>, name: &str) -> Result<Option<String>> {
    match given(name) {
        Some(key) if !key.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Err(Error::internal(format!("{name} is not in plain ASCII without spaces")))
        }
        key => Ok(key),
    }
}

fn required(value: Option<String>, name: &str) -> Result<String> {
    value.ok_or_else(|| Error::internal(format!("{name} is not set")))
}

fn model(model: String, name: &str) -> Result<String> {
    if model.chars().count() > MAX_MODEL || model.contains(char::is_control) {
        return Err(Error::internal(format!("{name} is not a model's name")));
    }
    Ok(model)
}
