//! The files of mails: into Storage first, then the database hears of the mail.
//!
//! Where Storage takes none the request fails and the provider sends it again: nothing is lost. An object is named by
//! what is in it: a repeat puts the same one where it is, and nobody's mail replaces a file of another's.

use axum::body::Bytes;
use fieldcrm_core::{Error, Result};
use fieldcrm_edge::storage::{Object, Put};
use fieldcrm_edge::{Caller, Ports, Storage, log};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::event::{Delivery, Event};
use crate::receive::{Rejected, call};
use crate::settings::Settings;

/// How many files of a mail are stored; of the others the message only says that they were there.
pub const MAX_FILES: usize = 50;
const BUCKET: &str = "attachments";
/// How many are on their way at the same time.
const AT_ONCE: usize = 4;
/// What a name of a file can have, in characters.
const MAX_NAME: usize = 255;
const UNKNOWN_TYPE: &str = "application/octet-stream";

/// Whose an address is.
#[derive(Deserialize)]
struct Channel {
    org_id: String,
    is_enabled: bool,
    /// The events that came before: nothing of theirs is stored again, also where it was erased meanwhile.
    known: Vec<String>,
}

/// Stores what the deliveries bring along, and says in their events where it is. What is nobody's stores nothing.
pub async fn store(
    ports: &Ports,
    settings: &Settings,
    storage: &dyn Storage,
    caller: &Caller,
    mut deliveries: Vec<Delivery>,
) -> Result<Vec<Delivery>, Rejected> {
    for delivery in &mut deliveries {
        if delivery.events.iter().all(|event| event.files.is_empty()) {
            continue;
        }
        let found = find(ports, settings, caller, delivery).await.map_err(Rejected::Ours)?;
        let Some((address, channel)) = found else { continue };
        delivery.addresses = vec![address];
        let provider = delivery.provider;
        for event in &mut delivery.events {
            if !channel.known.contains(&event.id) {
                let refused = put(storage, &channel.org_id, provider, event).await;
                tell(ports, caller, provider, refused.map_err(Rejected::Ours)?);
            }
        }
    }
    Ok(deliveries)
}

/// The first of the addresses that is somebody's.
async fn find(
    ports: &Ports,
    settings: &Settings,
    caller: &Caller,
    delivery: &Delivery,
) -> Result<Option<(String, Channel)>> {
    let ids: Vec<_> = delivery.events.iter().map(|event| event.id.as_str()).collect();
    for address in &delivery.addresses {
        let asked = Map::from_iter([
            ("channel".to_owned(), delivery.channel.into()),
            ("address".to_owned(), address.as_str().into()),
            ("provider".to_owned(), delivery.provider.into()),
            ("event_ids".to_owned(), json!(ids)),
        ]);
        let found = call(ports, settings, caller, "crm_find_channel", asked).await?;
        let channel: Option<Channel> = serde_json::from_value(found)
            .map_err(|_| Error::internal("crm_find_channel answers something else"))?;
        if let Some(channel) = channel.filter(|channel| channel.is_enabled) {
            return Ok(Some((address.clone(), channel)));
        }
    }
    Ok(None)
}

/// How many of the event's files the bucket does not take.
async fn put(
    storage: &dyn Storage,
    org_id: &str,
    provider: &str,
    event: &mut Event,
) -> Result<usize> {
    let Some(Value::Array(entries)) = event.metadata.get_mut("attachments") else { return Ok(0) };
    let mut on_their_way = Vec::new();
    for (index, (entry, content)) in entries.iter_mut().zip(&event.files).enumerate() {
        if index >= MAX_FILES {
            entry["not_stored"] = "too_many".into();
        } else if !content.is_empty() {
            let file_name = entry["file_name"].as_str().unwrap_or_default();
            let name = object_name(org_id, provider, &event.id, index, file_name, content);
            let kind = entry["content_type"].as_str().unwrap_or_default();
            let content_type = served_as(kind).to_owned();
            entry["object_name"] = name.as_str().into();
            let content = content.clone();
            let object = Object { bucket: BUCKET, name, content_type, content };
            on_their_way.push((index, storage.put(object)));
        }
    }
    let (indexes, puts): (Vec<_>, Vec<_>) = on_their_way.into_iter().unzip();
    let outcomes: Vec<Put> = stream::iter(puts).buffered(AT_ONCE).try_collect().await?;
    let mut refused = 0;
    for (index, _) in indexes.into_iter().zip(outcomes).filter(|(_, put)| *put == Put::Refused) {
        if let Some(entry) = entries[index].as_object_mut() {
            entry.remove("object_name");
            entry.insert("not_stored".to_owned(), "refused".into());
        }
        refused += 1;
    }
    Ok(refused)
}

/// `<org>/inbound/<hash>/<name>`: the same for the same file of the same mail.
fn object_name(
    org_id: &str,
    provider: &str,
    event_id: &str,
    index: usize,
    file_name: &str,
    content: &Bytes,
) -> String {
    let mut hasher = Sha256::new();
    for part in [provider.as_bytes(), event_id.as_bytes(), &index.to_be_bytes(), content] {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    let hash = hex(&hasher.finalize());
    format!("{org_id}/inbound/{hash}/{}", plain(file_name))
}

pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// What an object can be called: Storage takes no other letters than these in a name.
fn plain(file_name: &str) -> String {
    const LONGEST: usize = 100;
    let mut name = String::new();
    for letter in file_name.chars() {
        let letter =
            if letter.is_ascii_alphanumeric() || "-_.".contains(letter) { letter } else { '_' };
        if !(letter == '.' && (name.is_empty() || name.ends_with('.'))) {
            name.push(letter);
        }
    }
    // The end of a long name says what it is.
    let skip = name.len().saturating_sub(LONGEST);
    let name = name[skip..].trim_matches('.');
    if name.is_empty() { "file".to_owned() } else { name.to_owned() }
}

/// The name that people see: the last part of a path, without what moves the cursor or turns the direction of writing.
pub fn clean_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let hidden = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    let clean: String = last.chars().filter(|letter| !hidden(*letter)).collect();
    let clean = clean.trim();
    let skip = clean.chars().count().saturating_sub(MAX_NAME);
    let clean: String = clean.chars().skip(skip).collect();
    if clean.trim_matches(['.', ' ']).is_empty() { "file".to_owned() } else { clean }
}

/// A type without its parameters; what has not the form of one is bytes.
pub fn clean_type(kind: &str) -> String {
    const LONGEST: usize = 127;
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let token = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte))
    };
    let whole = essence.len() <= LONGEST
        && essence.split_once('/').is_some_and(|(kind, subtype)| token(kind) && token(subtype));
    if whole { essence } else { UNKNOWN_TYPE.to_owned() }
}

/// As what Storage hands it out: a stranger's page must not run in a browser under the project's address.
fn served_as(kind: &str) -> &str {
    let is_page = kind.ends_with("xml")
        || kind.starts_with("multipart/")
        || ["html", "script", "xsl"].iter().any(|word| kind.contains(word));
    if kind.is_empty() || is_page { UNKNOWN_TYPE } else { kind }
}

fn tell(ports: &Ports, caller: &Caller, provider: &str, refused: usize) {
    if refused == 0 {
        return;
    }
    let facts = json!({
        "slug": "hooks", "request_id": caller.request_id, "provider": provider, "files": refused,
    });
    log::event(ports.log.as_ref(), "warn", "files_refused", facts);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_nowhere_and_hide_nothing() {
        for (sent, seen, stored) in [
            ("Plan 3.pdf", "Plan 3.pdf", "Plan_3.pdf"),
            ("../../etc/passwd", "passwd", "passwd"),
            ("C:\\temp\\a.docx", "a.docx", "a.docx"),
            ("a\u{0}b\r\n.txt", "ab.txt", "ab.txt"),
            ("invoice\u{202e}fdp.exe", "invoicefdp.exe", "invoicefdp.exe"),
            ("Größe 🔥.png", "Größe 🔥.png", "Gr__e__.png"),
            ("a..b...c", "a..b...c", "a.b.c"),
            ("..", "file", "file"),
            (" / ", "file", "file"),
            ("", "file", "file"),
        ] {
            let name = clean_name(sent);
            assert_eq!(name, seen, "{sent:?}");
            assert_eq!(plain(&name), stored, "{sent:?}");
        }
        let long = format!("{}.pdf", "é".repeat(400));
        assert_eq!(clean_name(&long).chars().count(), 255);
        assert!(clean_name(&long).ends_with("é.pdf"));
        assert_eq!(plain(&long).len(), 100);
    }

    #[test]
    fn types_have_their_form_and_pages_are_not_served_as_pages() {
        for (sent, told, served) in [
            ("image/PNG; name=\"a.png\"", "image/png", "image/png"),
            ("application/pdf", "application/pdf", "application/pdf"),
            ("text/html; charset=utf-8", "text/html", UNKNOWN_TYPE),
            ("image/svg+xml", "image/svg+xml", UNKNOWN_TYPE),
            ("application/xhtml+xml", "application/xhtml+xml", UNKNOWN_TYPE),
            ("multipart/form-data", "multipart/form-data", UNKNOWN_TYPE),
            (
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            ),
            ("image/png\r\nx: y", UNKNOWN_TYPE, UNKNOWN_TYPE),
            ("pdf", UNKNOWN_TYPE, UNKNOWN_TYPE),
            ("", UNKNOWN_TYPE, UNKNOWN_TYPE),
        ] {
            let kind = clean_type(sent);
            assert_eq!((kind.as_str(), served_as(&kind)), (told, served), "{sent:?}");
        }
    }

    #[test]
    fn an_object_is_named_by_its_mail_its_place_and_what_is_in_it() {
        let name = |id, index, content: &'static str| {
            object_name("o", "raw", id, index, "a.txt", &Bytes::from(content))
        };
        let first = name("1", 0, "x");
        assert_eq!(first, name("1", 0, "x"));
        assert!(first.starts_with("o/inbound/") && first.ends_with("/a.txt") && first.len() == 80);
        for other in [name("2", 0, "x"), name("1", 1, "x"), name("1", 0, "y")] {
            assert_ne!(first, other);
        }
    }
}
