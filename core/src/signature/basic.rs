//! Basic authentication and bearer tokens, for providers that do not sign (Postmark).

use super::{Refusal, Verdict, any, base64, same};

/// `accounts` are `user:password`; `header` is `Authorization` as it came.
pub fn verify(accounts: &[String], header: &str) -> Verdict {
    let sent = scheme(header, "basic").ok_or(Refusal::Malformed)?;
    let sent = base64(sent)?;
    any(accounts, |account| !account.is_empty() && same(&sent, account.as_bytes()))
}

/// The same for `Bearer <secret>`.
pub fn verify_bearer(secrets: &[String], header: &str) -> Verdict {
    let sent = scheme(header, "bearer").ok_or(Refusal::Malformed)?;
    any(secrets, |secret| !secret.is_empty() && same(sent.as_bytes(), secret.as_bytes()))
}

fn scheme<'a>(header: &'a str, expected: &str) -> Option<&'a str> {
    let (scheme, rest) = header.split_once(' ')?;
    let rest = rest.trim_start_matches(' ');
    (scheme.eq_ignore_ascii_case(expected) && !rest.is_empty()).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_compared_whole() {
        let accounts = ["old:x".to_owned(), "postmark:s3cret:with colon".to_owned()];
        // printf 'postmark:s3cret:with colon' | base64
        let good = "cG9zdG1hcms6czNjcmV0OndpdGggY29sb24=";
        assert_eq!(verify(&accounts, &format!("Basic {good}")), Ok(()));
        assert_eq!(verify(&accounts, &format!("basic  {good}")), Ok(()));
        assert_eq!(verify(&accounts, "Basic cG9zdG1hcms6czNjcmV0"), Err(Refusal::Mismatch));
        assert_eq!(verify(&[], &format!("Basic {good}")), Err(Refusal::Mismatch));
        assert_eq!(verify(&[String::new()], "Basic "), Err(Refusal::Malformed));
        let two = format!("Basic {good}, Basic {good}");
        for bad in ["", "Basic", "Bearer x", good, "Basic ?", two.as_str()] {
            assert_eq!(verify(&accounts, bad), Err(Refusal::Malformed), "{bad}");
        }
    }

    #[test]
    fn a_bearer_token_is_compared_whole() {
        let secrets = ["one".to_owned(), "two".to_owned()];
        assert_eq!(verify_bearer(&secrets, "Bearer two"), Ok(()));
        assert_eq!(verify_bearer(&secrets, "Bearer tw"), Err(Refusal::Mismatch));
        assert_eq!(verify_bearer(&secrets, "Bearer two, Bearer two"), Err(Refusal::Mismatch));
        assert_eq!(verify_bearer(&secrets, "Basic two"), Err(Refusal::Malformed));
        assert_eq!(verify_bearer(&[String::new()], "Bearer  "), Err(Refusal::Malformed));
    }
}
