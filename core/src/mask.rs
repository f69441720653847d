//! Addresses for eyes that need not read them, logs above all.

/// `j***@example.com`, `+1***1234`, `https://hooks.example.com/***`.
#[must_use]
pub fn mask(address: &str) -> String {
    if let Some((scheme, rest)) = address.split_once("://") {
        // Paths and queries of webhooks hold secrets, and so does a login.
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = host.rsplit('@').next().unwrap_or_default();
        return format!("{scheme}://{host}/***");
    }
    let first: String = address.chars().take(1).collect();
    if let Some((_, domain)) = address.rsplit_once('@') {
        return format!("{first}***@{domain}");
    }
    let start: String = address.chars().take(2).collect();
    let length = address.chars().count();
    // Of a short number the end would be most of it.
    let end: String = address.chars().skip(length.saturating_sub(4).max(6)).collect();
    format!("{start}***{end}")
}

#[cfg(test)]
mod tests {
    use super::mask;

    #[test]
    fn most_of_an_address_is_hidden() {
        for (address, masked) in [
            ("jane.doe@example.com", "j***@example.com"),
            ("j@example.com", "j***@example.com"),
            ("\"a@b\"@example.com", "\"***@example.com"),
            ("+12025551234", "+1***1234"),
            ("+4930123", "+4***23"),
            ("+49301", "+4***"),
            ("https://key@hooks.example/secret?token=1", "https://hooks.example/***"),
            ("", "***"),
        ] {
            assert_eq!(mask(address), masked);
        }
    }
}
