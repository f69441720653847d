//! The fields of an object, read one by one: each mistake is noted with its path, and reading goes on.

use std::ops::RangeInclusive;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::customer::Checks;

pub(super) struct Fields<'a> {
    path: String,
    object: &'a Map<String, Value>,
    checks: &'a mut Checks,
    known: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    pub fn new(path: String, object: &'a Map<String, Value>, checks: &'a mut Checks) -> Self {
        Self { path, object, checks, known: Vec::new() }
    }

    pub fn path(&self, key: &str) -> String {
        format!("{}.{key}", self.path)
    }

    pub fn fail(&mut self, key: &str, code: &str, message: impl Into<String>) {
        let path = self.path(key);
        self.checks.fail(path, code, message);
    }

    /// What is there, null included.
    pub fn given(&mut self, key: &'static str) -> Option<&'a Value> {
        self.known.push(key);
        self.object.get(key)
    }

    /// What is there; null is nothing.
    pub fn optional(&mut self, key: &'static str) -> Option<&'a Value> {
        self.given(key).filter(|value| !value.is_null())
    }

    pub fn required(&mut self, key: &'static str) -> Option<&'a Value> {
        let value = self.optional(key);
        if value.is_none() {
            self.fail(key, "required", "must be given");
        }
        value
    }

    /// Trimmed text, `None` when blank or wrong.
    pub fn text(&mut self, key: &'static str, most: usize) -> Option<String> {
        let value = self.optional(key)?;
        let Some(text) = value.as_str() else {
            self.fail(key, "invalid_value", "must be a text");
            return None;
        };
        let path = self.path(key);
        self.checks.text(&path, Some(text.to_owned()), most)
    }

    pub fn required_text(&mut self, key: &'static str, most: usize) -> Option<String> {
        let text = self.text(key, most);
        if text.is_none()
            && self.object.get(key).is_none_or(|value| value.is_null() || value.is_string())
        {
            self.fail(key, "required", "must not be empty");
        }
        text
    }

    pub fn minutes(&mut self, key: &'static str, range: RangeInclusive<i64>) -> Option<i64> {
        let value = self.optional(key)?;
        let minutes = value.as_i64().filter(|minutes| range.contains(minutes));
        if minutes.is_none() {
            let message =
                format!("must be whole minutes from {} to {}", range.start(), range.end());
            let code =
                if value.is_i64() || value.is_u64() { "out_of_range" } else { "invalid_value" };
            self.fail(key, code, message);
        }
        minutes
    }

    /// One of a few names, or an id: what `expected` says.
    pub fn choice<T: DeserializeOwned>(
        &mut self,
        key: &'static str,
        value: Option<&Value>,
        expected: &str,
    ) -> Option<T> {
        let read = T::deserialize(value?);
        if read.is_err() {
            self.fail(key, "invalid_value", format!("expected {expected}"));
        }
        read.ok()
    }

    pub fn uuid(&mut self, key: &'static str, value: Option<&Value>) -> Option<Uuid> {
        let id = value?.as_str().and_then(|text| Uuid::parse_str(text).ok());
        if id.is_none() {
            self.fail(key, "invalid_uuid", "expected a UUID");
        }
        id
    }

    /// Notes every key that was not asked for.
    pub fn finish(self) {
        for key in self.object.keys().filter(|key| !self.known.contains(&key.as_str())) {
            let path = format!("{}.{key}", self.path);
            let message =
                format!("is not a field of this action; there are {}", self.known.join(", "));
            self.checks.fail(path, "unknown_field", message);
        }
    }
}
