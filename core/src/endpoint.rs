//! Where a webhook may go: asked when somebody names the URL, and again when it is posted to.

use url::{Host, Url};

/// The longest URL, as the tables have it.
const MAX_URL: usize = 2_000;
const PORTS: [u16; 2] = [443, 8443];
/// Zones that lead to machines next to ours, or to none.
const PRIVATE: &[&str] = &[
    "localhost",
    "local",
    "internal",
    "intranet",
    "lan",
    "home",
    "corp",
    "arpa",
    "test",
    "invalid",
    "onion",
];

/// The URL in its normal form, or what is wrong with it: a code and a message.
///
/// This is about names only. A public name can lead to a private address, and can do so later: whoever
/// sends runs where no private network is in reach.
pub fn check(raw: &str) -> Result<String, (&'static str, &'static str)> {
    let refuse = |message| Err(("invalid_url", message));
    let Ok(mut url) = Url::parse(raw.trim()) else {
        return refuse("is not a URL such as https://example.com/hook");
    };
    if url.scheme() != "https" {
        return refuse("must begin with https://");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("must not hold a user name or a password");
    }
    if !url.port_or_known_default().is_some_and(|port| PORTS.contains(&port)) {
        return refuse("must use port 443 or 8443");
    }
    // Numbers are refused whole: who has a certificate has a name.
    let name = match url.host() {
        Some(Host::Domain(name)) => name.trim_end_matches('.'),
        _ => return refuse("must have the name of a host, not an address"),
    };
    match name.rsplit_once('.') {
        Some((_, zone)) if !PRIVATE.contains(&zone) => {}
        _ => return refuse("must be a host on the public internet"),
    }
    // It is never sent.
    url.set_fragment(None);
    let text = url.to_string();
    if text.chars().count() > MAX_URL {
        return Err(("too_long", "at most 2000 characters"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_names_over_https_pass_in_their_normal_form() {
        for (raw, normal) in [
            ("https://hooks.example.com/crm?key=1#x", "https://hooks.example.com/crm?key=1"),
            (" HTTPS://Hooks.Example.COM:443 ", "https://hooks.example.com/"),
            ("https://example.com:8443/a b", "https://example.com:8443/a%20b"),
            ("https://bücher.example.com", "https://xn--bcher-kva.example.com/"),
            ("https://xn--mller-kva.example/", "https://xn--mller-kva.example/"),
            ("https://notlocalhost.com", "https://notlocalhost.com/"),
            ("https://local.example.com", "https://local.example.com/"),
            ("https://example.com\\@evil.example/", "https://example.com/@evil.example/"),
        ] {
            assert_eq!(check(raw).as_deref(), Ok(normal), "{raw}");
        }
    }

    #[test]
    fn what_leads_inside_or_goes_unencrypted_is_refused() {
        for raw in [
            "",
            "example.com",
            "/hook",
            "http://example.com",
            "ftp://example.com",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "https://",
            "https://user@example.com",
            "https://user:secret@example.com",
            "https://:secret@example.com",
            "https://example.com@10.0.0.1/",
            "https://example.com:22/",
            "https://127.0.0.1/",
            "https://169.254.169.254/latest/meta-data",
            "https://93.184.216.34/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://127.1/",
            "https://127.0.0x1/",
            "https://0177.0.0.1/",
            "https://[::1]/",
            "https://[fd00::1]:443/",
            "https://[::ffff:169.254.169.254]/",
            "https://１２７.0.0.1/",
            "https://exa mple.com/",
            "https://localhost",
            "https://LOCALHOST./",
            "https://a.localhost/",
            "https://printer.local",
            "https://metadata.google.internal/",
            "https://metadata.google.internal./",
            "https://intranet",
            "https://router.home.arpa",
            "https://1.0.0.127.in-addr.arpa/",
            "https://a.test",
        ] {
            assert_eq!(check(raw).map_err(|(code, _)| code), Err("invalid_url"), "{raw}");
        }
        let long = format!("https://example.com/{}", "a".repeat(MAX_URL));
        assert_eq!(check(&long).map_err(|(code, _)| code), Err("too_long"));
    }
}
