//! Typed input: JSON in, structs or errors with JSON paths out.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Error, Result};

/// A field of a patch: absent (leave it), null (clear it) or a value (set it).
pub type Field<T> = Option<Option<T>>;

/// For `#[serde(deserialize_with)]` on a [`Field`]: tells null from absent.
pub fn present<'de, D, T>(deserializer: D) -> Result<Field<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

/// For `#[serde(deserialize_with)]` on what a patch can set but not clear: null is no value.
pub fn given<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// Reads arguments into their type; unknown keys and wrong types are refused with their path.
pub fn read<T: DeserializeOwned>(input: Value) -> Result<T> {
    // Serde takes an array for a struct, field by field in their order.
    require_object("$", &input)?;
    serde_path_to_error::deserialize(input).map_err(|error| {
        let path = match error.path().to_string() {
            root if root == "." => "$".to_owned(),
            path => path,
        };
        Error::invalid_field(path, "invalid_value", error.inner().to_string())
    })
}

/// Refuses whatever is no object.
pub fn require_object(path: &str, value: &Value) -> Result<()> {
    if value.is_object() {
        return Ok(());
    }
    Err(Error::invalid_field(path, "invalid_value", "must be an object"))
}
