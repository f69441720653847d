//! E-mail addresses, after RFC 5321 and RFC 5322 by the `email_address` crate.

use email_address::{EmailAddress, Options};

/// The most an address can have, RFC 5321 4.5.3.1.3 less the angle brackets.
pub const MAX_LENGTH: usize = 254;

/// The address trimmed and in lower case, or `None` if it is not one that mail can be sent to.
#[must_use]
pub fn normalize(raw: &str) -> Option<String> {
    let address = raw.trim().to_lowercase();
    let options =
        Options::default().with_required_tld().without_display_text().without_domain_literal();
    (address.len() <= MAX_LENGTH && EmailAddress::parse_with_options(&address, options).is_ok())
        .then_some(address)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses() {
        let check = |raw: &str, expect: Option<&str>| {
            assert_eq!(normalize(raw).as_deref(), expect, "{raw:?}");
        };
        check(" Ada.Lovelace@Example.COM ", Some("ada.lovelace@example.com"));
        check("o'brien+crm@sub.example.co.uk", Some("o'brien+crm@sub.example.co.uk"));
        check("jürgen@müller.example", Some("jürgen@müller.example"));
        for bad in [
            "",
            "ada",
            "ada@",
            "@example.com",
            "ada@localhost",
            "a b@example.com",
            "Ada <ada@example.com>",
            "ada@[127.0.0.1]",
            "ada@example.com, b@example.com",
            "ada@@example.com",
            "ada@exa mple.com",
        ] {
            check(bad, None);
        }
        check(&format!("{}@example.com", "a".repeat(300)), None);
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(raw in "[ A-Za-z0-9.+@_'-]{0,40}") {
            if let Some(once) = normalize(&raw) {
                prop_assert_eq!(normalize(&once), Some(once));
            }
        }
    }
}
