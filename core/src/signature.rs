//! Signatures of what comes in over HTTP: one module for each scheme.
//!
//! All are over the bytes as they came, before anything parses them. The time is an argument; secrets
//! are compared in constant time; every scheme takes several secrets, so that one can be replaced
//! while the other is still in use.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

pub mod basic;
pub mod mailgun;
pub mod meta;
pub mod sendgrid;
pub mod standard;
pub mod timestamped;
pub mod twilio;

/// How far the clock of who signs may be from ours, in seconds.
pub const TOLERANCE: i64 = 300;

/// Why something is not taken for signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The signature, or what else is signed, is not there or does not have the scheme's form.
    Malformed,
    /// It was signed too long ago, or in the future.
    OutOfTime,
    /// No secret of ours made it.
    Mismatch,
}

impl Refusal {
    /// For the log and the answer; it says nothing about the secret.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Malformed => "the signature is missing or malformed",
            Self::OutOfTime => "the signature is too old, or from the future",
            Self::Mismatch => "the signature does not match",
        }
    }
}

type Verdict = Result<(), Refusal>;

/// Whether two texts are equal, in a time that tells nothing of where they differ or how long they are.
#[must_use]
pub fn same(sent: &[u8], expected: &[u8]) -> bool {
    Sha256::digest(sent).ct_eq(&Sha256::digest(expected)).into()
}

/// Tries all secrets, so that the time does not tell which one it was.
fn any<S>(secrets: impl IntoIterator<Item = S>, matches: impl Fn(S) -> bool) -> Verdict {
    let found = secrets.into_iter().fold(false, |found, secret| found | matches(secret));
    if found { Ok(()) } else { Err(Refusal::Mismatch) }
}

/// HMAC-SHA256, with a key of any length.
#[must_use]
pub fn hmac_sha256(key: &[u8], text: &[u8]) -> Vec<u8> {
    Hmac::<Sha256>::new_from_slice(key)
        .map(|mac| mac.chain_update(text).finalize().into_bytes().to_vec())
        .unwrap_or_default()
}

/// Whether the HMAC-SHA256 of the parts is the one that was sent. An empty secret signs nothing.
fn is_hmac_sha256(secret: &[u8], parts: &[&[u8]], sent: &[u8]) -> bool {
    if secret.is_empty() {
        return false;
    }
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return false };
    for part in parts {
        mac.update(part);
    }
    mac.verify_slice(sent).is_ok()
}

/// Seconds since 1970 as they were sent: digits only.
fn timestamp(sent: &str) -> Result<i64, Refusal> {
    let plain = (1..=12).contains(&sent.len()) && sent.bytes().all(|byte| byte.is_ascii_digit());
    if plain { sent.parse().map_err(|_| Refusal::Malformed) } else { Err(Refusal::Malformed) }
}

fn in_time(signed_at: i64, now: i64, tolerance: i64) -> Verdict {
    if now - signed_at > tolerance || signed_at - now > TOLERANCE {
        return Err(Refusal::OutOfTime);
    }
    Ok(())
}

fn base64(text: &str) -> Result<Vec<u8>, Refusal> {
    STANDARD.decode(text).map_err(|_| Refusal::Malformed)
}

/// Exactly one SHA-256 in hexadecimal, either case.
fn hex(text: &str) -> Result<[u8; 32], Refusal> {
    let digits = text.as_bytes();
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(Refusal::Malformed);
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let pair = std::str::from_utf8(pair).map_err(|_| Refusal::Malformed)?;
        *byte = u8::from_str_radix(pair, 16).map_err(|_| Refusal::Malformed)?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_is_64_digits_and_nothing_else() {
        assert_eq!(hex(&"0f".repeat(32)), Ok([15; 32]));
        assert_eq!(hex(&"0F".repeat(32)), Ok([15; 32]));
        for bad in ["", "0f", &"0g".repeat(32), &"+f".repeat(32), &"0f".repeat(33), &"é".repeat(32)]
        {
            assert_eq!(hex(bad), Err(Refusal::Malformed), "{bad}");
        }
    }

    #[test]
    fn timestamps_are_digits() {
        assert_eq!(timestamp("1649367553"), Ok(1_649_367_553));
        for bad in ["", "-1", "+1", " 1", "1.5", "1e9", "٣", "1234567890123"] {
            assert_eq!(timestamp(bad), Err(Refusal::Malformed), "{bad:?}");
        }
    }

    #[test]
    fn an_empty_secret_signs_nothing() {
        let mac = Hmac::<Sha256>::new_from_slice(b"").unwrap().chain_update(b"x").finalize();
        assert!(!is_hmac_sha256(b"", &[b"x"], &mac.into_bytes()));
    }
}
