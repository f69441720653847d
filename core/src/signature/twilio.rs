//! Twilio's `X-Twilio-Signature`: HMAC-SHA1 with the account's token over the URL that Twilio called
//! and, of a form, its sorted parameters; of JSON, the URL holds the body's SHA-256 as `bodySHA256`.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{Refusal, Verdict, any, base64, hex};

/// What Twilio sent, as far as it is signed.
#[derive(Clone, Copy)]
pub enum Payload<'a> {
    /// Names and values of a form, decoded.
    Form(&'a [(&'a str, &'a str)]),
    /// Anything else: the body as it came, and the `bodySHA256` of the query.
    Body { body: &'a [u8], sha256: &'a str },
}

/// `url` is the one Twilio was told to call, with its query. Proxies change the port: it is tried with
/// and without the scheme's own.
pub fn verify(tokens: &[String], url: &str, payload: Payload<'_>, signature: &str) -> Verdict {
    let sent = base64(signature)?;
    if sent.len() != 20 {
        return Err(Refusal::Malformed);
    }
    let mut signed = String::new();
    match payload {
        Payload::Form(parameters) => {
            let mut sorted = parameters.to_vec();
            // A name that comes several times: its values, sorted, each once.
            sorted.sort_unstable();
            sorted.dedup();
            signed.reserve(sorted.iter().map(|(name, value)| name.len() + value.len()).sum());
            for (name, value) in sorted {
                signed.push_str(name);
                signed.push_str(value);
            }
        }
        Payload::Body { body, sha256 } => {
            let stated = hex(sha256)?;
            if !bool::from(Sha256::digest(body).ct_eq(&stated.into())) {
                return Err(Refusal::Mismatch);
            }
        }
    }
    let matches = |url: &str| any(tokens, |token| is_hmac_sha1(token, url, &signed, &sent)).is_ok();
    // Which spelling was signed is no secret; nearly always it is the first.
    if matches(url) || other_spellings(url).iter().any(|other| matches(other)) {
        return Ok(());
    }
    Err(Refusal::Mismatch)
}

fn is_hmac_sha1(token: &str, url: &str, signed: &str, sent: &[u8]) -> bool {
    if token.is_empty() {
        return false;
    }
    let Ok(mac) = Hmac::<Sha1>::new_from_slice(token.as_bytes()) else { return false };
    mac.chain_update(url).chain_update(signed).verify_slice(sent).is_ok()
}

/// The URL without its port, and with the scheme's own.
fn other_spellings(url: &str) -> Vec<String> {
    let Some((scheme, rest)) = url.split_once("://") else { return Vec::new() };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let standard = if scheme == "http" { 80 } else { 443 };
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    };
    let spellings =
        [format!("{scheme}://{host}{path}"), format!("{scheme}://{host}:{standard}{path}")];
    spellings.into_iter().filter(|other| other != url).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://mycompany.com/myapp.php?foo=1&bar=2";

    const CALL: [(&str, &str); 5] = [
        ("CallSid", "CA1234567890ABCDE"),
        ("Caller", "+14158675309"),
        ("Digits", "1234"),
        ("From", "+14158675309"),
        ("To", "+18005551212"),
    ];

    fn check(token: &str, url: &str, form: &[(&str, &str)], signature: &str) -> Verdict {
        verify(&[token.to_owned()], url, Payload::Form(form), signature)
    }

    /// twilio-python `test_request_validator.py`, twilio-node `validation.spec.js`.
    #[test]
    fn published_vectors_of_forms() {
        let signature = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
        assert_eq!(check("12345", URL, &CALL, signature), Ok(()));
        let mut reversed = CALL;
        reversed.reverse();
        assert_eq!(check("12345", URL, &reversed, signature), Ok(()));

        let with_port = URL.replace(".com", ".com:443");
        assert_eq!(check("12345", &with_port, &CALL, signature), Ok(()));
        assert_eq!(check("12345", URL, &CALL, "kvajT1Ptam85bY51eRf/AJRuM3w="), Ok(()));
        let http = URL.replace("https", "http");
        assert_eq!(check("12345", &http, &CALL, "0ZXoZLH/DfblKGATFgpif+LLRf4="), Ok(()));
        let odd = http.replace(".com", ".com:1234");
        assert_eq!(check("12345", &odd, &CALL, "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="), Ok(()));

        let amazing = format!("{URL}&Body=It's+amazing");
        assert_eq!(check("12345", &amazing, &CALL, "dsq4Ehbj6cs+KdTkpF5sSSplOWw="), Ok(()));
    }

    #[test]
    fn a_name_that_comes_several_times_is_signed_with_its_values_sorted_and_once() {
        let several = [
            ("Sid", "CA123"),
            ("SidAccount", "AC123"),
            ("Digits", "5678"),
            ("Digits", "1234"),
            ("Digits", "1234"),
        ];
        assert_eq!(check("12345", URL, &several, "IK+Dwps556ElfBT0I3Rgjkr1wJU="), Ok(()));
    }

    #[test]
    fn published_vectors_of_json() {
        let body = br#"{"property": "value", "boolean": true}"#;
        let sha256 = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620";
        let url = format!("{URL}&bodySHA256={sha256}");
        let tokens = ["12345".to_owned()];
        let signature = "a9nBmqA0ju/hNViExpshrM61xv4=";
        assert_eq!(verify(&tokens, &url, Payload::Body { body, sha256 }, signature), Ok(()));
        let changed = br#"{"property": "value", "boolean": trun}"#;
        let changed = Payload::Body { body: changed, sha256 };
        assert_eq!(verify(&tokens, &url, changed, signature), Err(Refusal::Mismatch));
        let missing = Payload::Body { body, sha256: "" };
        assert_eq!(verify(&tokens, &url, missing, signature), Err(Refusal::Malformed));

        let sha256 = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        let url = format!("{URL}&bodySHA256={sha256}");
        let payload = Payload::Body { body: b"{}", sha256 };
        assert_eq!(verify(&tokens, &url, payload, "Ldidvp12m26NI7eqEvxnEpkd9Hc="), Ok(()));
    }

    #[test]
    fn anything_else_is_refused() {
        let signature = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
        assert_eq!(check("54321", URL, &CALL, signature), Err(Refusal::Mismatch));
        assert_eq!(check("", URL, &CALL, signature), Err(Refusal::Mismatch));
        assert_eq!(check("12345", &format!("{URL}&a=b"), &CALL, signature), Err(Refusal::Mismatch));
        assert_eq!(check("12345", &URL[..30], &CALL, signature), Err(Refusal::Mismatch));
        for place in 0..CALL.len() {
            let mut changed = CALL.to_vec();
            changed[place].1 = "0";
            assert_eq!(check("12345", URL, &changed, signature), Err(Refusal::Mismatch));
            changed.remove(place);
            assert_eq!(check("12345", URL, &changed, signature), Err(Refusal::Mismatch));
        }
        let two = format!("{signature}, {signature}");
        for bad in ["", "AAAA", "RSOYDt4T1cUTdK1PDd93/VVr8B8", two.as_str()] {
            assert_eq!(check("12345", URL, &CALL, bad), Err(Refusal::Malformed), "{bad}");
        }
    }

    #[test]
    fn a_token_can_be_replaced() {
        let tokens = ["new".to_owned(), "12345".to_owned()];
        let verdict = verify(&tokens, URL, Payload::Form(&CALL), "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
        assert_eq!(verdict, Ok(()));
    }
}
