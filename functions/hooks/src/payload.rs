//! Bodies as they come, leniently: what is signed was sent by the provider, however odd it is.

use axum::body::Bytes;
use futures_util::FutureExt as _;
use futures_util::stream;
use serde_json::Value;

/// The body is not of the form that it says it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

/// JSON, also with halves of surrogate pairs (a text cut in the middle of an emoji) and with bytes that
/// are not UTF-8: both become U+FFFD.
pub fn json(body: &[u8]) -> Result<Value, Unreadable> {
    if let Ok(value) = serde_json::from_slice(body) {
        return Ok(value);
    }
    serde_json::from_str(&without_lone_surrogates(&String::from_utf8_lossy(body)))
        .map_err(|_| Unreadable)
}

fn without_lone_surrogates(text: &str) -> String {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let mut clean = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(found) = text[at..].find('\\') {
        clean.push_str(&text[at..at + found]);
        at += found;
        let length = match (unit(at), unit(at + 6)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(0xd800..=0xdfff), _) => {
                clean.push_str("\\ufffd");
                at += 6;
                continue;
            }
            // The backslash and what it escapes.
            _ => 1 + text[at + 1..].chars().next().map_or(0, char::len_utf8),
        };
        clean.push_str(&text[at..at + length]);
        at += length;
    }
    clean + &text[at..]
}

/// Members of a JSON value, where they are what they should be.
pub trait Read {
    /// A text that is not empty, or a number as text.
    fn text(&self, key: &str) -> Option<String>;
    fn list(&self, key: &str) -> &[Value];
    /// A number, also one in a text.
    fn number(&self, key: &str) -> Option<f64>;
}

impl Read for Value {
    fn text(&self, key: &str) -> Option<String> {
        match &self[key] {
            Self::String(text) if !text.is_empty() => Some(text.clone()),
            Self::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    fn list(&self, key: &str) -> &[Value] {
        self[key].as_array().map_or(&[], Vec::as_slice)
    }

    fn number(&self, key: &str) -> Option<f64> {
        match &self[key] {
            Self::String(text) => text.parse().ok().filter(|number: &f64| number.is_finite()),
            other => other.as_f64(),
        }
    }
}

/// One field of a form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Field {
    pub name: String,
    pub value: Bytes,
    /// Of a file: its name and type.
    pub file: Option<(String, String)>,
}

impl Field {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.value).into_owned()
    }
}

/// The fields of a form, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form(pub Vec<Field>);

impl Form {
    /// Reads `application/x-www-form-urlencoded` or `multipart/form-data`, as `content_type` says.
    pub fn read(content_type: &str, body: &Bytes) -> Result<Self, Unreadable> {
        if is(content_type, "multipart/form-data") {
            return multipart(content_type, body);
        }
        Ok(Self(
            form_urlencoded::parse(body)
                .map(|(name, value)| Field {
                    name: name.into_owned(),
                    value: value.into_owned().into(),
                    file: None,
                })
                .collect(),
        ))
    }

    /// Names and values as they are signed; URL-encoded ones are always text.
    #[must_use]
    pub fn pairs(&self) -> Vec<(&str, &str)> {
        self.0
            .iter()
            .map(|field| {
                (field.name.as_str(), std::str::from_utf8(&field.value).unwrap_or_default())
            })
            .collect()
    }

    /// The first field of that name as text, unless it is empty.
    pub fn text(&self, name: &str) -> Option<String> {
        self.field(name).filter(|field| !field.value.is_empty()).map(Field::text)
    }

    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.0.iter().find(|field| field.name == name && field.file.is_none())
    }

    /// The files of a mail; one that has no name stands in a numbered field all the same.
    pub fn attachments(&self) -> impl Iterator<Item = (&Field, &str, &str)> {
        self.0.iter().filter_map(|field| match &field.file {
            Some((name, kind)) => Some((field, name.as_str(), kind.as_str())),
            None => is_numbered(&field.name).then_some((field, "", "")),
        })
    }

    pub fn files(&self) -> impl Iterator<Item = (&Field, &str, &str)> {
        self.0.iter().filter_map(|field| {
            field.file.as_ref().map(|(name, kind)| (field, name.as_str(), kind.as_str()))
        })
    }
}

/// `attachment1`, `attachment-1`
fn is_numbered(name: &str) -> bool {
    let number = name.strip_prefix("attachment").unwrap_or_default();
    let number = number.strip_prefix('-').unwrap_or(number);
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a content type is `kind`, whatever its parameters.
pub fn is(content_type: &str, kind: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case(kind)
}

fn multipart(content_type: &str, body: &Bytes) -> Result<Form, Unreadable> {
    let boundary = multer::parse_boundary(content_type).map_err(|_| Unreadable)?;
    let body = body.clone();
    let whole = stream::once(async { Ok::<_, std::convert::Infallible>(body) });
    let read = async {
        let mut parts = multer::Multipart::new(whole, boundary);
        let mut fields = Vec::new();
        while let Some(part) = parts.next_field().await? {
            let kind = part.content_type().map(ToString::to_string).unwrap_or_default();
            let file = part.file_name().map(|name| (name.to_owned(), kind));
            let name = part.name().unwrap_or_default().to_owned();
            fields.push(Field { name, value: part.bytes().await?, file });
        }
        Ok::<_, multer::Error>(Form(fields))
    };
    // The whole body is there: nothing to wait for.
    Box::pin(read).now_or_never().and_then(Result::ok).ok_or(Unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn halves_of_surrogate_pairs_and_foreign_bytes_are_replaced() {
        assert_eq!(json(br#"{"a":"\ud83d\ude00"}"#), Ok(json!({"a": "😀"})));
        assert_eq!(json(br#"{"a":"x\ud83d"}"#), Ok(json!({"a": "x\u{fffd}"})));
        assert_eq!(
            json(br#"{"a":"\ude00\ud83d\ud83d\ude00"}"#),
            Ok(json!({"a": "\u{fffd}\u{fffd}😀"}))
        );
        assert_eq!(json(br#"{"a":"\\ud83d \" \ud83d"}"#), Ok(json!({"a": "\\ud83d \" \u{fffd}"})));
        assert_eq!(json(b"{\"a\":\"\xff\"}"), Ok(json!({"a": "\u{fffd}"})));
        assert_eq!(json(b"{\"a\":\"\\"), Err(Unreadable));
        assert_eq!(json("{\"a\":\"\\ud8é".as_bytes()), Err(Unreadable));
        assert_eq!(json(b""), Err(Unreadable));
        assert_eq!(json("[".repeat(100_000).as_bytes()), Err(Unreadable));
    }

    #[test]
    fn a_multipart_form_keeps_texts_and_files_apart() {
        let body = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n\
                    --b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x.png\"\r\n\
                    Content-Type: image/png\r\n\r\n\u{0}\r\n--b--\r\n";
        let form = Form::read("multipart/form-data; boundary=b", &Bytes::from(body)).unwrap();
        assert_eq!(form.text("a").as_deref(), Some("1"));
        assert_eq!(form.text("f"), None);
        let files: Vec<_> =
            form.files().map(|(field, name, kind)| (field.value.len(), name, kind)).collect();
        assert_eq!(files, [(1, "x.png", "image/png")]);
        let cut = Bytes::from(&body.as_bytes()[..60]);
        assert_eq!(Form::read("multipart/form-data; boundary=b", &cut), Err(Unreadable));
        assert_eq!(Form::read("multipart/form-data", &cut), Err(Unreadable));
    }
}
