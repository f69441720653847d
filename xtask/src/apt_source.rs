//! Derives a source-package line for a newer Debian from the sources this machine already uses.

use std::fs;
use std::path::Path;

/// A `deb822` entry for the source packages of `suite`, from the machine's own Debian mirror.
pub fn derive(suite: &str) -> Option<String> {
    let mut texts = Vec::new();
    for path in sources() {
        if let Ok(text) = fs::read_to_string(&path) {
            texts.push(text);
        }
    }
    derive_from(&texts, suite)
}

fn sources() -> Vec<std::path::PathBuf> {
    let mut paths = vec![Path::new("/etc/apt/sources.list").to_path_buf()];
    if let Ok(entries) = fs::read_dir("/etc/apt/sources.list.d") {
        let mut parts: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        parts.sort();
        paths.extend(parts);
    }
    paths
}

struct Mirror {
    uri: String,
    keyring: Option<String>,
}

fn derive_from(texts: &[String], suite: &str) -> Option<String> {
    let mirror = texts.iter().flat_map(|text| mirrors(text)).next()?;
    let mut entry =
        format!("Types: deb-src\nURIs: {}\nSuites: {suite}\nComponents: main\n", mirror.uri);
    if let Some(keyring) = mirror.keyring {
        entry.push_str("Signed-By: ");
        entry.push_str(&keyring);
        entry.push('\n');
    }
    Some(entry)
}

fn mirrors(text: &str) -> Vec<Mirror> {
    let is_stanza = text.lines().any(|line| line.to_ascii_lowercase().starts_with("uris:"));
    if is_stanza { stanzas(text) } else { text.lines().filter_map(one_line).collect() }
}

/// `deb [signed-by=/path] <uri> <suite> <components…>`
fn one_line(line: &str) -> Option<Mirror> {
    let rest = line.trim().strip_prefix("deb")?;
    let rest = rest.strip_prefix("-src").unwrap_or(rest);
    let mut rest = rest.strip_prefix([' ', '\t'])?.trim_start();
    let mut keyring = None;
    if let Some(after) = rest.strip_prefix('[') {
        let (options, remaining) = after.split_once(']')?;
        keyring = options
            .split_whitespace()
            .find_map(|option| option.strip_prefix("signed-by="))
            .map(str::to_owned);
        rest = remaining;
    }
    let mut words = rest.split_whitespace();
    let uri = words.next()?;
    let suite = words.next()?;
    accept(uri, suite, words.any(|component| component == "main"), keyring)
}

fn stanzas(text: &str) -> Vec<Mirror> {
    text.split("\n\n")
        .filter_map(|stanza| {
            let field = |name: &str| {
                stanza.lines().find_map(|line| {
                    let (key, value) = line.split_once(':')?;
                    key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
                })
            };
            if field("Enabled").is_some_and(|value| value == "no") {
                return None;
            }
            let uris = field("URIs")?;
            let suites = field("Suites")?;
            let main = field("Components")?.split_whitespace().any(|name| name == "main");
            accept(
                uris.split_whitespace().next()?,
                suites.split_whitespace().next()?,
                main,
                // A key written into the stanza itself spans lines; apt's own keyrings serve then.
                field("Signed-By").filter(|value| value.starts_with('/')),
            )
        })
        .collect()
}

/// Only a mirror of Debian's main archive has the newer suite: its path ends in `debian`, and
/// neither security updates nor backports nor other vendors' repositories look like that.
fn accept(uri: &str, suite: &str, main: bool, keyring: Option<String>) -> Option<Mirror> {
    let archive = uri.trim_end_matches('/').ends_with("/debian");
    let plain = !suite.contains("security") && !suite.contains('/');
    (archive && plain && main).then(|| Mirror { uri: uri.to_owned(), keyring })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn derived(texts: &[&str]) -> Option<String> {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        derive_from(&texts, "trixie")
    }

    #[test]
    fn from_a_deb822_file() {
        let other =
            "Types: deb\nURIs: https://vendor.example/apt\nSuites: stable\nComponents: main\n";
        let debian = "Types: deb\n# a comment: with a colon\nURIs: http://mirror.example/debian-security\nSuites: bookworm-security\nComponents: main\n\nTypes: deb\nURIs: http://mirror.example/debian\nSuites: bookworm bookworm-updates\nComponents: main\nSigned-By: /usr/share/keyrings/debian.gpg\n";
        assert_eq!(
            derived(&[other, debian]).as_deref(),
            Some(
                "Types: deb-src\nURIs: http://mirror.example/debian\nSuites: trixie\nComponents: main\nSigned-By: /usr/share/keyrings/debian.gpg\n"
            )
        );
    }

    #[test]
    fn from_the_one_line_format() {
        let text = "# deb http://off.example/debian bookworm main\ndeb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian/ bookworm contrib main\n";
        let entry = derived(&[text]).unwrap();
        assert!(entry.contains("URIs: http://mirror.example/debian/\n"), "{entry}");
        assert!(entry.contains("Signed-By: /k.gpg\n"), "{entry}");
    }

    #[test]
    fn no_debian_mirror_no_entry() {
        assert_eq!(derived(&["deb https://vendor.example/apt stable main\n", ""]), None);
        assert_eq!(
            derived(&["deb http://mirror.example/debian-security bookworm-security main\n"]),
            None
        );
    }
}
