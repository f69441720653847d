//! What handlers take from a request.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{FromRequest, FromRequestParts, OptionalFromRequest, Path, Request};
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use fieldcrm_core::{Code, Error, FieldError, Result};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::Problem;

/// The largest body a function reads, in bytes.
pub const MAX_BODY: usize = 1024 * 1024;

/// The longest path with its query, in bytes, and the most that all headers may have.
pub const MAX_TARGET: usize = 8 * 1024;
pub const MAX_HEADERS: usize = 32 * 1024;

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// On whose behalf the database is asked. It checks the token, we only carry it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The `Authorization` header as it came; absent for anonymous callers.
    pub authorization: Option<String>,
    pub request_id: String,
    /// The client's address as the proxies in front tell it, for the audit trail; never an identity: the first part is the
    /// client's own text.
    pub forwarded_for: Option<String>,
    /// The client's address as Cloudflare saw it, which lets no client write that header; a gateway of one's own has to drop it.
    pub connecting_ip: Option<String>,
    /// For the audit trail.
    pub user_agent: Option<String>,
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let authorization = match parts.headers.get(AUTHORIZATION) {
            None => None,
            Some(value) => Some(value.to_str().map(str::to_owned).map_err(|_| {
                Error::new(Code::Unauthenticated, "The Authorization header is not plain text.")
            })?),
        };
        let request_id =
            parts.extensions.get::<RequestId>().cloned().unwrap_or_else(RequestId::new).0;
        Ok(Self {
            authorization,
            request_id,
            forwarded_for: forwarded_for(&parts.headers),
            connecting_ip: addresses(&parts.headers, "cf-connecting-ip"),
            user_agent: user_agent(&parts.headers),
        })
    }
}

/// The first of the headers that holds addresses and nothing else.
fn forwarded_for(headers: &HeaderMap) -> Option<String> {
    let names = ["x-forwarded-for", "cf-connecting-ip", "x-real-ip"];
    names.iter().find_map(|name| addresses(headers, name))
}

/// What a header holds, if it is addresses and nothing else.
fn addresses(headers: &HeaderMap, name: &str) -> Option<String> {
    const MAX: usize = 200;
    let addresses = headers.get(name)?.to_str().ok()?.trim();
    let allowed = |byte: u8| byte.is_ascii_hexdigit() || b".:, ".contains(&byte);
    let plain = !addresses.is_empty() && addresses.bytes().all(allowed);
    // The client's own address is the first.
    plain.then(|| addresses[..addresses.len().min(MAX)].trim_end().to_owned())
}

/// What of it can stand in a header again.
fn user_agent(headers: &HeaderMap) -> Option<String> {
    const MAX: usize = 500;
    let sent = String::from_utf8_lossy(headers.get(USER_AGENT)?.as_bytes()).into_owned();
    let visible = |letter: &char| letter.is_ascii_graphic() || *letter == ' ';
    let agent: String = sent.chars().filter(visible).take(MAX).collect();
    let agent = agent.trim();
    (!agent.is_empty()).then(|| agent.to_owned())
}

/// The id under which a request is found in every log it passes through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestId(pub String);

impl RequestId {
    fn new() -> Self {
        Self(Uuid::new_v4().to_string())
    }

    /// The id as it was sent if it can stand in a log line and a header as it is, else a new one.
    pub fn accept(sent: Option<&str>) -> Self {
        sent.filter(|id| (1..=128).contains(&id.len()))
            .filter(|id| {
                id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
            })
            .map_or_else(Self::new, |id| Self(id.to_owned()))
    }
}

/// The `Idempotency-Key` header of a request that creates something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency(pub Option<String>);

impl<S: Sync> FromRequestParts<S> for Idempotency {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut keys = parts.headers.get_all(IDEMPOTENCY_KEY).iter();
        let Some(key) = keys.next() else { return Ok(Self(None)) };
        let key = key.to_str().unwrap_or_default();
        let visible = key.bytes().all(|byte| byte.is_ascii_graphic());
        if keys.next().is_some() || !(1..=255).contains(&key.len()) || !visible {
            let message = "send one key of 1 to 255 visible ASCII characters";
            return Err(Error::invalid_field("Idempotency-Key", "invalid_value", message).into());
        }
        Ok(Self(Some(key.to_owned())))
    }
}

/// The `{id}` of the path, a UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathId(pub Uuid);

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let id = Path::<String>::from_request_parts(parts, state).await.ok();
        match id.and_then(|Path(id)| Uuid::parse_str(&id).ok()) {
            Some(id) => Ok(Self(id)),
            None => Err(Error::invalid_field("id", "invalid_uuid", "expected a UUID").into()),
        }
    }
}

/// A JSON object as the body, whatever the content type says: curl's default is not JSON's.
///
/// What is in it is checked once, by the RPC it becomes the arguments of.
#[derive(Clone, Debug)]
pub struct JsonObject(pub Map<String, Value>);

impl<S: Send + Sync> FromRequest<S> for JsonObject {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        Ok(parse(&read(request, state).await?)?)
    }
}

/// None where there is no body: who calls by the clock has nothing to say.
impl<S: Send + Sync> OptionalFromRequest<S> for JsonObject {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Problem> {
        let body = read(request, state).await?;
        Ok(if body.is_empty() { None } else { Some(parse(&body)?) })
    }
}

fn parse(body: &[u8]) -> Result<JsonObject> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(JsonObject(object)),
        Ok(_) => Err(Error::invalid_field("$", "invalid_type", "the body must be a JSON object")),
        Err(error) => {
            // The parser's own message can quote the body.
            let place = format!("not JSON at line {} column {}", error.line(), error.column());
            Err(Error::invalid_field("$", "invalid_json", place))
        }
    }
}

/// The whole body, unless it says or turns out to be over [`MAX_BODY`].
async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes> {
    let stated = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    if stated.and_then(|length| length.parse().ok()).is_some_and(|length: usize| length > MAX_BODY)
    {
        return Err(too_large());
    }
    Bytes::from_request(request, state).await.map_err(|rejection| match rejection {
        BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => too_large(),
        _ => Error::invalid_field("$", "incomplete_body", "the body could not be read to its end"),
    })
}

fn too_large() -> Error {
    Error::new(Code::PayloadTooLarge, format!("A body can have {MAX_BODY} bytes."))
        .with("limit", MAX_BODY)
}

/// Refuses what is long before any of it is understood.
pub(crate) fn check_head(request: &Request) -> Result<()> {
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    if target > MAX_TARGET {
        return Err(too_long());
    }
    let headers = request.headers().iter();
    if headers.map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>() > MAX_HEADERS {
        let hint = format!("All headers together can have {MAX_HEADERS} bytes.");
        return Err(Error::new(Code::HeadersTooLarge, hint).with("limit", MAX_HEADERS));
    }
    Ok(())
}

pub(crate) fn too_long() -> Error {
    let hint = format!("A path with its query can have {MAX_TARGET} bytes.");
    Error::new(Code::UriTooLong, hint).with("limit", MAX_TARGET)
}

/// Refuses a body without the fields for which its RPC has no default: `PostgREST` finds an RPC by the names of its arguments.
pub fn require(body: &Map<String, Value>, fields: &[&str]) -> Result<()> {
    let missing: Vec<_> = fields
        .iter()
        .filter(|name| body.get(**name).is_none_or(Value::is_null))
        .map(|name| FieldError::new(*name, "required", "must be given"))
        .collect();
    if missing.is_empty() { Ok(()) } else { Err(Error::invalid(missing)) }
}

/// A body as the arguments of an RPC that creates `what`, with the key of the header.
pub fn arguments(
    mut body: Map<String, Value>,
    key: Option<String>,
    known: &[&str],
    what: &str,
) -> Result<Map<String, Value>> {
    let unknown: Vec<_> = body
        .keys()
        .filter(|name| !known.contains(&name.as_str()))
        .map(|name| {
            let message = match name.as_str() {
                "idempotency_key" => "send it as the header Idempotency-Key".to_owned(),
                _ => format!("is not a field of {what}"),
            };
            FieldError::new(name, "unknown_field", message)
        })
        .collect();
    if !unknown.is_empty() {
        return Err(Error::invalid(unknown));
    }
    if let Some(key) = key {
        body.insert("idempotency_key".to_owned(), key.into());
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn the_address_is_the_first_header_that_holds_addresses() {
        let long = "10.0.0.1, ".repeat(40);
        for (sent, expected) in [
            (
                vec![("x-forwarded-for", "203.0.113.9, 10.0.0.1"), ("x-real-ip", "10.0.0.1")],
                Some("203.0.113.9, 10.0.0.1"),
            ),
            (
                vec![("x-forwarded-for", "unknown"), ("cf-connecting-ip", "2001:db8::7")],
                Some("2001:db8::7"),
            ),
            (vec![("x-forwarded-for", " "), ("x-real-ip", "203.0.113.9")], Some("203.0.113.9")),
            (vec![("x-forwarded-for", "<script>")], None),
            (vec![("x-forwarded-for", long.as_str())], Some(long[..200].trim_end())),
            (vec![], None),
        ] {
            assert_eq!(forwarded_for(&headers(&sent)).as_deref(), expected, "{sent:?}");
        }
    }

    #[test]
    fn a_user_agent_is_cut_and_left_without_what_no_header_holds() {
        assert_eq!(
            user_agent(&headers(&[("user-agent", "curl/8.5.0")])).as_deref(),
            Some("curl/8.5.0")
        );
        assert_eq!(user_agent(&headers(&[("user-agent", &"x".repeat(600))])).unwrap().len(), 500);
        let mut odd = HeaderMap::new();
        odd.insert(USER_AGENT, axum::http::HeaderValue::from_bytes("Zoë/1".as_bytes()).unwrap());
        assert_eq!(user_agent(&odd).as_deref(), Some("Zo/1"));
        assert_eq!(user_agent(&HeaderMap::new()), None);
    }
}
