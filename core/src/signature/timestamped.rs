//! HMAC with a time, as Stripe made it known: `t=1492774577,v1=<hex>` over `1492774577.body`. For
//! systems that do not speak Standard Webhooks.

use super::{Refusal, TOLERANCE, Verdict, hex, in_time, is_hmac_sha256, timestamp};

/// `now` in seconds since 1970. Several `v1` are several secrets of the sender.
pub fn verify(secrets: &[String], header: &str, body: &[u8], now: i64) -> Verdict {
    let mut signed_at = None;
    let mut signatures = Vec::new();
    for part in header.split(',') {
        match part.split_once('=') {
            Some(("t", _)) if signed_at.is_some() => return Err(Refusal::Malformed),
            Some(("t", time)) => signed_at = Some(time),
            Some(("v1", signature)) => signatures.push(hex(signature)?),
            // Other versions are not ours to read; what is no pair is two headers joined.
            Some((name, _))
                if !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric()) => {}
            _ => return Err(Refusal::Malformed),
        }
    }
    let time = signed_at.ok_or(Refusal::Malformed)?;
    if signatures.is_empty() {
        return Err(Refusal::Malformed);
    }
    in_time(timestamp(time)?, now, TOLERANCE)?;
    let parts: [&[u8]; 3] = [time.as_bytes(), b".", body];
    let mut found = false;
    for secret in secrets {
        for signature in &signatures {
            found |= is_hmac_sha256(secret.as_bytes(), &parts, signature);
        }
    }
    if found { Ok(()) } else { Err(Refusal::Mismatch) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"email":"ann@example.com"}"#;
    const NOW: i64 = 1_700_000_000;
    /// `printf '1700000000.{"email":"ann@example.com"}' | openssl dgst -sha256 -hmac secret`
    const SIGNATURE: &str = "4efd2cc06c6e564b1afc593a17be301fd092628da0aa4109424d4696cbfdd363";

    fn check(header: &str, body: &[u8], now: i64) -> Verdict {
        verify(&["old".to_owned(), "secret".to_owned()], header, body, now)
    }

    #[test]
    fn what_openssl_signs_is_taken_for_five_minutes() {
        let header = format!("t={NOW},v0=x,v1={SIGNATURE}");
        assert_eq!(check(&header, BODY, NOW), Ok(()));
        assert_eq!(check(&header, BODY, NOW + 300), Ok(()));
        assert_eq!(check(&header, BODY, NOW + 301), Err(Refusal::OutOfTime));
        assert_eq!(check(&header, BODY, NOW - 301), Err(Refusal::OutOfTime));
    }

    #[test]
    fn anything_else_is_refused() {
        let header = format!("t={NOW},v1={SIGNATURE}");
        assert_eq!(check(&header, b"{}", NOW), Err(Refusal::Mismatch));
        assert_eq!(
            check(&format!("t={},v1={SIGNATURE}", NOW + 1), BODY, NOW),
            Err(Refusal::Mismatch)
        );
        assert_eq!(verify(&["other".to_owned()], &header, BODY, NOW), Err(Refusal::Mismatch));
        for bad in [
            "",
            "t=1700000000",
            &format!("v1={SIGNATURE}"),
            &format!("t={NOW},t={NOW},v1={SIGNATURE}"),
            &format!("{header}, {header}"),
            &format!("t={NOW},v1={}", &SIGNATURE[..8]),
            &format!("t=,v1={SIGNATURE}"),
        ] {
            assert_eq!(check(bad, BODY, NOW), Err(Refusal::Malformed), "{bad}");
        }
    }
}
