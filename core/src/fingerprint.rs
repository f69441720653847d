//! The fingerprint of a payload, by which an idempotency key tells a repeat from a reuse.

use std::fmt::Write as _;

use serde_json::Value;
use sha2::{Digest, Sha256};

/// Lower-case hexadecimal SHA-256 of the value. Object keys are sorted (`serde_json` without
/// `preserve_order` keeps them in a tree), so their order does not matter.
#[must_use]
pub fn of(payload: &Value) -> String {
    let digest = Sha256::digest(payload.to_string().as_bytes());
    digest.iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn key_order_does_not_matter_and_values_do() {
        let one: Value = serde_json::from_str(r#"{"a":1,"b":[1,2]}"#).unwrap();
        let same: Value = serde_json::from_str(r#"{"b":[1,2],"a":1}"#).unwrap();
        assert_eq!(of(&one), of(&same));
        assert_ne!(of(&one), of(&json!({"a": 1, "b": [2, 1]})));
        assert_eq!(of(&json!({})).len(), 64);
    }
}
