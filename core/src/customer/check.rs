//! Checks of single values. Every check notes what is wrong and goes on, so that a client learns
//! of all its mistakes at once.

use crate::phone::Phone;
use crate::{Error, FieldError, Result, email, phone};

use super::{MAX_CHILDREN, MAX_NAME, MAX_NOTES, MAX_TAG};

#[derive(Default)]
pub(crate) struct Checks {
    errors: Vec<FieldError>,
}

impl Checks {
    pub fn fail(&mut self, path: impl Into<String>, code: &str, message: impl Into<String>) {
        self.errors.push(FieldError::new(path, code, message));
    }

    pub fn finish(self) -> Result<()> {
        if self.errors.is_empty() { Ok(()) } else { Err(Error::invalid(self.errors)) }
    }

    /// Trimmed text, `None` when blank.
    pub fn text(&mut self, path: &str, raw: Option<String>, max: usize) -> Option<String> {
        let text = trimmed(raw?)?;
        if text.chars().count() > max {
            self.fail(path, "too_long", format!("at most {max} characters"));
        }
        if text.contains('\0') {
            self.fail(path, "invalid_value", "must not contain a NUL character");
        }
        Some(text)
    }

    pub fn name(&mut self, path: &str, raw: Option<String>) -> Option<String> {
        self.text(path, raw, MAX_NAME)
    }

    pub fn notes(&mut self, path: &str, raw: Option<String>) -> Option<String> {
        self.text(path, raw, MAX_NOTES)
    }

    pub fn required(&mut self, path: &str, raw: Option<String>) -> String {
        self.name(path, raw).unwrap_or_else(|| {
            self.fail(path, "required", "must not be empty");
            String::new()
        })
    }

    pub fn email(&mut self, path: &str, raw: &str) -> Option<String> {
        let address = email::normalize(raw);
        if address.is_none() {
            self.fail(path, "invalid_email", "is not an e-mail address");
        }
        address
    }

    pub fn phone(&mut self, path: &str, raw: &str, country: &str) -> Option<Phone> {
        let number = phone::normalize(raw, country);
        if number.is_none() {
            self.fail(
                path,
                "invalid_phone",
                format!("is not a phone number in {country}; give it with + and the country code"),
            );
        }
        number
    }

    /// BCP 47 language tag, as far as its form goes.
    pub fn language(&mut self, path: &str, raw: Option<String>) -> Option<String> {
        let tag = trimmed(raw?)?;
        let mut parts = tag.split('-');
        let alphabetic = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphabetic());
        let primary =
            parts.next().is_some_and(|part| (2..=3).contains(&part.len()) && alphabetic(part));
        let rest = parts.all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
        });
        if !(primary && rest && tag.len() <= 35) {
            self.fail(path, "invalid_language", "is not a language tag such as en or es-MX");
        }
        Some(tag)
    }

    pub fn country(&mut self, path: &str, raw: Option<String>) -> Option<String> {
        let code = trimmed(raw?)?.to_ascii_uppercase();
        if !phone::is_country(&code) {
            self.fail(path, "invalid_country", "is not an ISO 3166-1 alpha-2 code such as US");
        }
        Some(code)
    }

    pub fn degrees(&mut self, path: &str, value: Option<f64>, limit: f64) {
        if value.is_some_and(|degrees| degrees.abs() > limit) {
            self.fail(path, "out_of_range", format!("must be between -{limit} and {limit}"));
        }
    }

    /// Notes an excess and drops it unread: what is too much must not cost time either.
    pub fn limit<T>(&mut self, path: &str, given: &mut Vec<T>) {
        if given.len() > MAX_CHILDREN {
            self.fail(path, "too_many", format!("at most {MAX_CHILDREN} in one call"));
            given.truncate(MAX_CHILDREN);
        }
    }

    pub fn no_delete(&mut self, path: &str, delete: bool) {
        if delete {
            self.fail(format!("{path}.id"), "required", "say by id which one to delete");
        }
    }

    /// Tag names trimmed, without blanks and without repeats. Which names are one tag in spite of their
    /// case is Postgres' to say (`crm_tags.name_key`): it folds some letters unlike Rust.
    pub fn tags(&mut self, path: &str, mut raw: Vec<String>) -> Vec<String> {
        self.limit(path, &mut raw);
        let mut seen = std::collections::HashSet::new();
        let mut tags = Vec::with_capacity(raw.len());
        for (index, name) in raw.into_iter().enumerate() {
            match self.text(&format!("{path}[{index}]"), Some(name), MAX_TAG) {
                Some(name) if seen.insert(name.clone()) => tags.push(name),
                _ => {}
            }
        }
        tags
    }
}

pub(super) fn trimmed(raw: String) -> Option<String> {
    let text = raw.trim();
    if text.is_empty() {
        None
    } else if text.len() == raw.len() {
        Some(raw)
    } else {
        Some(text.to_owned())
    }
}
