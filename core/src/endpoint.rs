//! Where a webhook may go: asked when somebody names the URL, and again when it is posted to, then with the addresses that its
//! name leads to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};
use url::{Host, ParseError, Url};

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
/// This is about names only. A public name can lead to a private address: who sends asks [`is_public`] about each.
pub fn check(raw: &str) -> Result<String, (&'static str, &'static str)> {
    let refuse = |message| Err(("invalid_url", message));
    let mut url = match Url::parse(raw.trim()) {
        Ok(url) => url,
        Err(ParseError::IdnaError) if !raw.is_ascii() => {
            return refuse(
                "must have its host in ASCII letters, as in https://xn--bcher-kva.example",
            );
        }
        Err(_) => return refuse("is not a URL such as https://example.com/hook"),
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

/// The host of a URL that passed [`check`].
#[must_use]
pub fn host(url: &str) -> Option<String> {
    Url::parse(url).ok()?.host_str().map(|host| host.trim_end_matches('.').to_owned())
}

/// IPv4 that is no machine on the public internet: the special-purpose registry of IANA, and multicast.
const SPECIAL_V4: &[Ipv4Net] = &[
    v4([0, 0, 0, 0], 8),
    v4([10, 0, 0, 0], 8),
    v4([100, 64, 0, 0], 10),
    v4([127, 0, 0, 0], 8),
    v4([169, 254, 0, 0], 16),
    v4([172, 16, 0, 0], 12),
    v4([192, 0, 0, 0], 24),
    v4([192, 0, 2, 0], 24),
    v4([192, 88, 99, 0], 24),
    v4([192, 168, 0, 0], 16),
    v4([198, 18, 0, 0], 15),
    v4([198, 51, 100, 0], 24),
    v4([203, 0, 113, 0], 24),
    v4([224, 0, 0, 0], 4),
    v4([240, 0, 0, 0], 4),
];
/// The only IPv6 that is handed out as public; loopback, local, mapped and translated addresses lie outside.
const GLOBAL_V6: Ipv6Net = v6([0x2000, 0, 0], 3);
/// What of it is special: protocols and tunnels (some lead to IPv4), documentation.
const SPECIAL_V6: &[Ipv6Net] = &[
    v6([0x2001, 0, 0], 23),
    v6([0x2001, 0x0db8, 0], 32),
    v6([0x2002, 0, 0], 16),
    v6([0x3fff, 0, 0], 20),
];

const fn v4(octets: [u8; 4], prefix: u8) -> Ipv4Net {
    let [a, b, c, d] = octets;
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6([a, b, c]: [u16; 3], prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), prefix)
}

/// Whether the address is one of the public internet.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => !SPECIAL_V4.iter().any(|net| net.contains(&address)),
        IpAddr::V6(address) => {
            GLOBAL_V6.contains(&address) && !SPECIAL_V6.iter().any(|net| net.contains(&address))
        }
    }
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
            ("https://xn--mller-kva.example/", "https://xn--mller-kva.example/"),
            ("https://notlocalhost.com", "https://notlocalhost.com/"),
            ("https://local.example.com", "https://local.example.com/"),
            ("https://example.com\\@evil.example/", "https://example.com/@evil.example/"),
        ] {
            assert_eq!(check(raw).as_deref(), Ok(normal), "{raw}");
        }
    }

    #[test]
    fn only_addresses_of_the_public_internet_are_public() {
        let public = |text: &str| is_public(text.parse().unwrap());
        for address in [
            "1.1.1.1",
            "93.184.216.34",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.255.255",
            "172.32.0.1",
            "192.0.1.1",
            "198.17.255.255",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450:4001::1",
            "2001:4860:4860::8888",
            "::ffff:1.1.1.1",
        ] {
            assert!(public(address), "{address}");
        }
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "239.255.255.250",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:a00:1::",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!public(address), "{address}");
        }
    }

    #[test]
    fn a_host_in_other_letters_is_asked_for_in_ascii() {
        for raw in ["https://bücher.example.com/hook", "https://１２７.0.0.1/"] {
            let (code, message) = check(raw).unwrap_err();
            assert_eq!(code, "invalid_url");
            assert!(message.contains("ASCII"), "{raw}: {message}");
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
