//! SendGrid's signed webhooks: ECDSA P-256 over the timestamp and the body, the line end after the
//! body included.

use p256::ecdsa::Signature;
pub use p256::ecdsa::VerifyingKey;
use p256::ecdsa::signature::Verifier;
use p256::pkcs8::DecodePublicKey;

use super::{Refusal, Verdict, any, base64, in_time, timestamp};

/// SendGrid tries for a day what was not answered, in seconds; a repeat is told by the ids of the events.
const WINDOW: i64 = 25 * 60 * 60;

/// Reads the verification key as the dashboard shows it: base64 of a `SubjectPublicKeyInfo`.
#[must_use]
pub fn key(text: &str) -> Option<VerifyingKey> {
    VerifyingKey::from_public_key_der(&base64(text).ok()?).ok()
}

/// `now` in seconds since 1970.
pub fn verify(
    keys: &[VerifyingKey],
    time: &str,
    signature: &str,
    body: &[u8],
    now: i64,
) -> Verdict {
    let signature = Signature::from_der(&base64(signature)?).map_err(|_| Refusal::Malformed)?;
    in_time(timestamp(time)?, now, WINDOW)?;
    let message = [time.as_bytes(), body].concat();
    any(keys, |key| key.verify(&message, &signature).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// sendgrid-python `test/unit/test_eventwebhook.py`.
    const KEY: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==";
    const OTHER_KEY: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqTxd43gyp8IOEto2LdIfjRQrIbsd4SXZkLW6jDutdhXSJCWHw8REntlo7aNDthvj+y7GjUuFDb/R1NGe1OPzpA==";
    const SIGNATURE: &str = "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM=";
    const OTHER_SIGNATURE: &str = "MEUCIQCtIHJeH93Y+qpYeWrySphQgpNGNr/U+UyUlBkU6n7RAwIgJTz2C+8a8xonZGi6BpSzoQsbVRamr2nlxFDWYNH3j/0=";
    const TIME: &str = "1600112502";
    const NOW: i64 = 1_600_112_502;
    const BODY: &str = "[{\"email\":\"hello@world.com\",\"event\":\"dropped\",\"reason\":\"Bounced Address\",\"sg_event_id\":\"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA\",\"sg_message_id\":\"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0\",\"smtp-id\":\"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>\",\"timestamp\":1600112492}]\r\n";

    fn check(text: &str, time: &str, signature: &str, body: &str, now: i64) -> Verdict {
        let keys: Vec<_> = key(text).into_iter().collect();
        verify(&keys, time, signature, body.as_bytes(), now)
    }

    #[test]
    fn the_published_vector_with_its_line_end() {
        assert_eq!(check(KEY, TIME, SIGNATURE, BODY, NOW), Ok(()));
        let trimmed = BODY.trim_end();
        assert_eq!(check(KEY, TIME, SIGNATURE, trimmed, NOW), Err(Refusal::Mismatch));
    }

    #[test]
    fn anything_else_is_refused() {
        assert_eq!(check(OTHER_KEY, TIME, SIGNATURE, BODY, NOW), Err(Refusal::Mismatch));
        assert_eq!(check("", TIME, SIGNATURE, BODY, NOW), Err(Refusal::Mismatch));
        assert_eq!(check(KEY, TIME, SIGNATURE, "payload", NOW), Err(Refusal::Mismatch));
        assert_eq!(check(KEY, TIME, OTHER_SIGNATURE, BODY, NOW), Err(Refusal::Mismatch));
        assert_eq!(check(KEY, "1600112503", SIGNATURE, BODY, NOW), Err(Refusal::Mismatch));
        let two = format!("{SIGNATURE}, {SIGNATURE}");
        for (time, signature) in
            [("timestamp", SIGNATURE), ("", SIGNATURE), (TIME, ""), (TIME, "AAAA"), (TIME, &two)]
        {
            assert_eq!(check(KEY, time, signature, BODY, NOW), Err(Refusal::Malformed));
        }
    }

    #[test]
    fn older_than_sendgrid_repeats_is_out_of_time() {
        assert_eq!(check(KEY, TIME, SIGNATURE, BODY, NOW + WINDOW), Ok(()));
        let late = check(KEY, TIME, SIGNATURE, BODY, NOW + WINDOW + 1);
        assert_eq!(late, Err(Refusal::OutOfTime));
        assert_eq!(check(KEY, TIME, SIGNATURE, BODY, NOW - 301), Err(Refusal::OutOfTime));
    }
}
