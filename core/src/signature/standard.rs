//! Standard Webhooks: `webhook-id`, `webhook-timestamp` and `webhook-signature` over
//! `id.timestamp.body`, by HMAC-SHA256 (`v1`) or Ed25519 (`v1a`). Svix and Resend send the same under
//! `svix-` names.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};

use super::{Refusal, TOLERANCE, Verdict, base64, hmac_sha256, in_time, is_hmac_sha256, timestamp};

/// The longest id that is taken.
pub const MAX_ID: usize = 255;

/// What signs.
#[derive(Clone)]
pub enum Key {
    /// `whsec_` and base64: both sides have it.
    Symmetric(Vec<u8>),
    /// `whpk_` and base64: the sender keeps the other half.
    Public(Box<VerifyingKey>),
}

impl Key {
    /// Reads `whsec_…` or `whpk_…`; a secret without its prefix is base64 as well.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(key) = text.strip_prefix("whpk_") {
            let bytes: [u8; 32] = base64(key).ok()?.try_into().ok()?;
            return VerifyingKey::from_bytes(&bytes).ok().map(|key| Self::Public(Box::new(key)));
        }
        let secret = base64(text.strip_prefix("whsec_").unwrap_or(text)).ok()?;
        (!secret.is_empty()).then_some(Self::Symmetric(secret))
    }
}

/// The three headers, as they came.
#[derive(Clone, Copy)]
pub struct Signed<'a> {
    pub id: &'a str,
    pub timestamp: &'a str,
    /// A list with spaces between: one for each key the sender has.
    pub signatures: &'a str,
}

/// `now` in seconds since 1970.
pub fn verify(keys: &[Key], signed: Signed<'_>, body: &[u8], now: i64) -> Verdict {
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b',';
    if !(1..=MAX_ID).contains(&signed.id.len()) || !signed.id.bytes().all(plain) {
        return Err(Refusal::Malformed);
    }
    in_time(timestamp(signed.timestamp)?, now, TOLERANCE)?;
    let parts: [&[u8]; 5] = [signed.id.as_bytes(), b".", signed.timestamp.as_bytes(), b".", body];
    let mut found = false;
    for one in signed.signatures.split(' ') {
        // Versions we do not know are those of other keys; a list with a comma too many is two headers.
        let Some((version, signature)) = one.split_once(',') else {
            return Err(Refusal::Malformed);
        };
        if signature.contains(',') {
            return Err(Refusal::Malformed);
        }
        let Ok(signature) = base64(signature) else { continue };
        for key in keys {
            found |= match (version, key) {
                ("v1", Key::Symmetric(secret)) => is_hmac_sha256(secret, &parts, &signature),
                ("v1a", Key::Public(key)) => is_ed25519(key, &parts.concat(), &signature),
                _ => false,
            };
        }
    }
    if found { Ok(()) } else { Err(Refusal::Mismatch) }
}

/// The value of `webhook-signature` (`v1`) for what is sent.
#[must_use]
pub fn sign(secret: &[u8], id: &str, timestamp: i64, body: &str) -> String {
    let signed = format!("{id}.{timestamp}.{body}");
    format!("v1,{}", BASE64_STANDARD.encode(hmac_sha256(secret, signed.as_bytes())))
}

fn is_ed25519(key: &VerifyingKey, message: &[u8], signature: &[u8]) -> bool {
    Signature::from_slice(signature)
        .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Vector {
        key: &'static str,
        id: &'static str,
        timestamp: i64,
        body: &'static str,
        signature: &'static str,
    }

    /// standard-webhooks `libraries/rust` and `libraries/go`; svix-webhooks for v1a.
    const VECTORS: [Vector; 3] = [
        Vector {
            key: "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            id: "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
            timestamp: 1_649_367_553,
            body: r#"{"email":"test@example.com","username":"test_user"}"#,
            signature: "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
        },
        Vector {
            key: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
            timestamp: 1_614_265_330,
            body: r#"{"test": 2432232314}"#,
            signature: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        },
        Vector {
            key: "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=",
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
            timestamp: 1_614_265_330,
            body: r#"{"test": 2432232314}"#,
            signature: "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==",
        },
    ];

    #[test]
    fn what_is_sent_is_signed_as_the_vectors_are() {
        for vector in &VECTORS[..2] {
            let Some(Key::Symmetric(secret)) = Key::parse(vector.key) else { unreachable!() };
            let signed = sign(&secret, vector.id, vector.timestamp, vector.body);
            assert_eq!(signed, vector.signature);
        }
    }

    impl Vector {
        fn with(&self, key: &str, signatures: &str, body: &str, now: i64) -> Verdict {
            let timestamp = self.timestamp.to_string();
            let signed = Signed { id: self.id, timestamp: &timestamp, signatures };
            let keys: Vec<_> = Key::parse(key).into_iter().collect();
            verify(&keys, signed, body.as_bytes(), now)
        }

        fn check(&self) -> Verdict {
            self.with(self.key, self.signature, self.body, self.timestamp)
        }
    }

    #[test]
    fn published_vectors() {
        for vector in &VECTORS {
            assert_eq!(vector.check(), Ok(()), "{}", vector.signature);
        }
    }

    #[test]
    fn the_clock_may_be_five_minutes_off_and_no_more() {
        for vector in &VECTORS {
            let at = |now| vector.with(vector.key, vector.signature, vector.body, now);
            assert_eq!(at(vector.timestamp + 300), Ok(()));
            assert_eq!(at(vector.timestamp - 300), Ok(()));
            assert_eq!(at(vector.timestamp + 301), Err(Refusal::OutOfTime));
            assert_eq!(at(vector.timestamp - 301), Err(Refusal::OutOfTime));
        }
    }

    #[test]
    fn a_changed_byte_another_id_or_another_key_is_refused() {
        for vector in &VECTORS {
            let now = vector.timestamp;
            for place in 0..vector.body.len() {
                let mut body = vector.body.as_bytes().to_vec();
                body[place] ^= 1;
                let body = String::from_utf8(body).unwrap();
                let verdict = vector.with(vector.key, vector.signature, &body, now);
                assert_eq!(verdict, Err(Refusal::Mismatch));
            }
            let timestamp = now.to_string();
            let other = Signed { id: "msg_1", timestamp: &timestamp, signatures: vector.signature };
            let keys = [Key::parse(vector.key).unwrap()];
            assert_eq!(verify(&keys, other, vector.body.as_bytes(), now), Err(Refusal::Mismatch));
        }
        let [first, second, _] = &VECTORS;
        assert_eq!(
            first.with(second.key, first.signature, first.body, first.timestamp),
            Err(Refusal::Mismatch)
        );
        assert_eq!(
            first.with("", first.signature, first.body, first.timestamp),
            Err(Refusal::Mismatch)
        );
    }

    #[test]
    fn signatures_that_are_none_are_refused() {
        for vector in &VECTORS {
            let (version, signature) = vector.signature.split_once(',').unwrap();
            for bad in [
                String::new(),
                signature.to_owned(),
                format!("{version},"),
                format!("{version},{}", &signature[..8]),
                format!("v2,{signature}"),
                vector.signature.replace(',', ", "),
                // Twice the same header, as a platform joins them.
                format!("{0}, {0}", vector.signature),
            ] {
                let verdict = vector.with(vector.key, &bad, vector.body, vector.timestamp);
                assert!(verdict.is_err(), "{bad}");
            }
        }
    }

    #[test]
    fn headers_that_are_missing_or_sent_twice_are_refused() {
        let vector = &VECTORS[0];
        let keys = [Key::parse(vector.key).unwrap()];
        let timestamp = vector.timestamp.to_string();
        let good = Signed { id: vector.id, timestamp: &timestamp, signatures: vector.signature };
        let (two_ids, two_times) =
            (format!("{0}, {0}", vector.id), format!("{timestamp}, {timestamp}"));
        for bad in [
            Signed { id: "", ..good },
            Signed { id: &two_ids, ..good },
            Signed { timestamp: "", ..good },
            Signed { timestamp: "now", ..good },
            Signed { timestamp: &two_times, ..good },
            Signed { signatures: "", ..good },
        ] {
            let verdict = verify(&keys, bad, vector.body.as_bytes(), vector.timestamp);
            assert_eq!(verdict, Err(Refusal::Malformed));
        }
    }

    #[test]
    fn one_of_several_signatures_and_one_of_several_keys_is_enough() {
        let vector = &VECTORS[1];
        let foreign = VECTORS[0].signature;
        let several = format!("v1a,AAAA {foreign} {} v9,x", vector.signature);
        let keys: Vec<_> = VECTORS.iter().filter_map(|vector| Key::parse(vector.key)).collect();
        let timestamp = vector.timestamp.to_string();
        let signed = Signed { id: vector.id, timestamp: &timestamp, signatures: &several };
        assert_eq!(verify(&keys, signed, vector.body.as_bytes(), vector.timestamp), Ok(()));
    }

    #[test]
    fn keys_are_base64() {
        assert!(Key::parse("whsec_").is_none());
        assert!(Key::parse("whsec_not base64").is_none());
        assert!(Key::parse("whpk_AAAA").is_none());
    }
}
