//! Mailgun signs a time and a random token, not the body: only TLS says that the body is its own, so
//! the window is kept tight and repeats are told by the ids of the events.

use super::{Refusal, TOLERANCE, Verdict, any, hex, in_time, is_hmac_sha256, timestamp};

/// `now` in seconds since 1970.
pub fn verify(keys: &[String], time: &str, token: &str, signature: &str, now: i64) -> Verdict {
    if token.is_empty() || token.len() > 200 {
        return Err(Refusal::Malformed);
    }
    let sent = hex(signature)?;
    in_time(timestamp(time)?, now, TOLERANCE)?;
    any(keys, |key| is_hmac_sha256(key.as_bytes(), &[time.as_bytes(), token.as_bytes()], &sent))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// rails `actionmailbox`, its Mailgun ingress.
    const KEY: &str = "tbsy84uSV1Kt3ZJZELY2TmShPRs91E3yL4tzf96297vBCkDWgL";
    const TIME: &str = "1539112500";
    const TOKEN: &str = "7VwW7k6Ak7zcTwoSoNm7aTtbk1g67MKAnsYLfUB7PdszbgR5Xi";
    const SIGNATURE: &str = "ef24c5225322217bb065b80bb54eb4f9206d764e3e16abab07f0a64d1cf477cc";

    fn check(key: &str, time: &str, token: &str, signature: &str, now: i64) -> Verdict {
        verify(&[key.to_owned()], time, token, signature, now)
    }

    #[test]
    fn the_published_vector_is_taken_for_five_minutes() {
        assert_eq!(check(KEY, TIME, TOKEN, SIGNATURE, 1_539_112_500), Ok(()));
        assert_eq!(check(KEY, TIME, TOKEN, SIGNATURE, 1_539_112_800), Ok(()));
        assert_eq!(check(KEY, TIME, TOKEN, SIGNATURE, 1_539_112_801), Err(Refusal::OutOfTime));
        assert_eq!(check(KEY, TIME, TOKEN, SIGNATURE, 1_539_112_199), Err(Refusal::OutOfTime));
    }

    #[test]
    fn forged_ones_are_refused() {
        let now = 1_539_112_500;
        assert_eq!(check("other", TIME, TOKEN, SIGNATURE, now), Err(Refusal::Mismatch));
        assert_eq!(check("", TIME, TOKEN, SIGNATURE, now), Err(Refusal::Mismatch));
        assert_eq!(check(KEY, "1539112501", TOKEN, SIGNATURE, now), Err(Refusal::Mismatch));
        assert_eq!(check(KEY, TIME, "Zx8jJBGGuiiy", SIGNATURE, now), Err(Refusal::Mismatch));
        assert_eq!(check(KEY, TIME, TOKEN, &"0".repeat(64), now), Err(Refusal::Mismatch));
        for (time, token, signature) in [
            ("", TOKEN, SIGNATURE),
            (TIME, "", SIGNATURE),
            (TIME, TOKEN, ""),
            ("now", TOKEN, SIGNATURE),
        ] {
            assert_eq!(check(KEY, time, token, signature, now), Err(Refusal::Malformed));
        }
    }
}
