//! Meta's `X-Hub-Signature-256`: HMAC-SHA256 with the app secret over the body as it came, escapes
//! kept. It has no time: a repeat is told by the ids of the events.

use super::{Refusal, Verdict, any, hex, is_hmac_sha256};

/// `header` is `sha256=` and 64 hexadecimal digits.
pub fn verify(secrets: &[String], header: &str, body: &[u8]) -> Verdict {
    let sent = hex(header.strip_prefix("sha256=").ok_or(Refusal::Malformed)?)?;
    any(secrets, |secret| is_hmac_sha256(secret.as_bytes(), &[body], &sent))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(secret: &str, body: &str, header: &str) -> Verdict {
        verify(&[secret.to_owned()], header, body.as_bytes())
    }

    /// GitHub's documentation (the same scheme), `whatsapp_sdk`, and escapes as Meta sends them.
    const VECTORS: [(&str, &str, &str); 3] = [
        (
            "It's a Secret to Everybody",
            "Hello, World!",
            "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
        ),
        (
            "secret",
            "test",
            "sha256=0329a06b62cd16b33eb6792be8c60b158d89a2ee3a876fce9a881ebb488c0914",
        ),
        (
            "app_secret",
            r#"{"t":"\u00e4\u00f6\u00e5"}"#,
            "sha256=babc2e7d2e280433f172439f1039aa1304bb810c040520c21dfd5ed1a9729b09",
        ),
    ];

    #[test]
    fn published_vectors() {
        for (secret, body, header) in VECTORS {
            assert_eq!(check(secret, body, header), Ok(()), "{body}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for (secret, body, header) in VECTORS {
            assert_eq!(check(secret, &format!("{body} "), header), Err(Refusal::Mismatch));
            assert_eq!(check("another", body, header), Err(Refusal::Mismatch));
            assert_eq!(check("", body, header), Err(Refusal::Mismatch));
            assert_eq!(verify(&[], header, body.as_bytes()), Err(Refusal::Mismatch));
            let digits = &header[7..];
            for bad in [
                "",
                "sha256=",
                digits,
                &format!("sha1={digits}"),
                &format!("{header}, {header}"),
                &header[..40],
            ] {
                assert_eq!(check(secret, body, bad), Err(Refusal::Malformed), "{bad}");
            }
        }
        let (_, decoded, header) = (0, "{\"t\":\"äöå\"}", VECTORS[2].2);
        assert_eq!(check("app_secret", decoded, header), Err(Refusal::Mismatch));
    }

    #[test]
    fn a_secret_can_be_replaced() {
        let (secret, body, header) = VECTORS[1];
        let secrets = ["new".to_owned(), secret.to_owned()];
        assert_eq!(verify(&secrets, header, body.as_bytes()), Ok(()));
    }
}
