//! Addresses for eyes that need not read them.

/// `j***@example.com`, `+1***1234`.
#[must_use]
pub fn mask(address: &str) -> String {
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
            ("+12025551234", "+1***1234"),
            ("+4930123", "+4***23"),
            ("+49301", "+4***"),
            ("", "***"),
        ] {
            assert_eq!(mask(address), masked);
        }
    }
}
