//! What all four functions do with a request: read it whole, hand on what it tells, say what became of it.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use fieldcrm_core::mask::mask;
use fieldcrm_core::signature::Refusal;
use fieldcrm_core::{Code, Error, Result};
use fieldcrm_edge::{Caller, Ports, Problem, log};
use serde_json::{Map, Value, json};

use crate::event::Delivery;
use crate::payload::Unreadable;
use crate::settings::Settings;

/// When a provider should try again, in seconds.
const RETRY_SECONDS: &str = "30";

/// Why a request is not taken.
#[derive(Debug)]
pub enum Rejected {
    /// The sender's: it need not come again as it is.
    Sender(Error),
    /// Ours: it has to come again.
    Ours(Error),
}

impl IntoResponse for Rejected {
    fn into_response(self) -> Response {
        match self {
            Self::Sender(error) => Problem(error).into_response(),
            Self::Ours(error) => {
                let cause = match error.code {
                    Code::Unavailable => error,
                    _ => Error::new(Code::Unavailable, error.to_string()),
                };
                ([(RETRY_AFTER, RETRY_SECONDS)], Problem(cause)).into_response()
            }
        }
    }
}

impl From<Refusal> for Rejected {
    fn from(refusal: Refusal) -> Self {
        Self::Sender(Error::new(
            Code::Unauthenticated,
            format!("Not accepted: {}.", refusal.reason()),
        ))
    }
}

impl From<Unreadable> for Rejected {
    fn from(_: Unreadable) -> Self {
        let message = "the body cannot be read as what its Content-Type says";
        Self::Sender(Error::invalid_field("$", "invalid_body", message))
    }
}

/// A request with its whole body, as it came.
pub struct Received {
    pub caller: Caller,
    pub headers: HeaderMap,
    /// Path and query, as they came.
    pub target: String,
    pub body: Bytes,
}

impl<S: Send + Sync> FromRequest<S> for Received {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let mut caller = Caller::from_request_parts(&mut parts, state).await?;
        // What a provider authenticates itself with to us is nothing to the database.
        caller.authorization = None;
        let headers = parts.headers.clone();
        let target = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
        let request = Request::from_parts(parts, body);
        let body =
            Bytes::from_request(request, state).await.map_err(|rejection| match rejection {
                BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => {
                    Error::new(
                        Code::PayloadTooLarge,
                        "The body is larger than this function takes.",
                    )
                }
                _ => Error::invalid_field(
                    "$",
                    "incomplete_body",
                    "the body could not be read to its end",
                ),
            })?;
        Ok(Self { caller, headers, target, body })
    }
}

impl Received {
    /// A header that came exactly once. Platforms join what came twice with a comma and a space.
    pub fn header(&self, name: &str) -> Result<&str, Refusal> {
        let mut values = self.headers.get_all(name).iter();
        let value =
            values.next().and_then(|value| value.to_str().ok()).ok_or(Refusal::Malformed)?;
        if values.next().is_some() || value.contains(", ") {
            return Err(Refusal::Malformed);
        }
        Ok(value)
    }

    pub fn has(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }

    pub fn content_type(&self) -> &str {
        self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// A parameter of the query, the first of its name.
    pub fn query(&self, name: &str) -> Option<String> {
        let (_, query) = self.target.split_once('?')?;
        form_urlencoded::parse(query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
            .filter(|value| !value.is_empty())
    }
}

/// What became of all deliveries of a body.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Whether any of them is ours.
    pub routed: bool,
    /// How many events the database took; a repeat is one of them.
    pub events: usize,
}

/// Hands the deliveries to the database, one after the other. The first that it does not take ends it:
/// all come again, and those that were taken are repeats then.
pub async fn deliver(
    ports: &Ports,
    settings: &Settings,
    caller: &Caller,
    deliveries: Vec<Delivery>,
) -> Result<Outcome, Rejected> {
    let mut total = Outcome::default();
    for delivery in deliveries.iter().filter(|delivery| !delivery.events.is_empty()) {
        let (mut routed, mut homeless) = (false, 0);
        for address in &delivery.addresses {
            for arguments in delivery.calls(address) {
                let answer = call(ports, settings, caller, "crm_receive_webhook", arguments).await;
                let answer = answer.map_err(Rejected::Ours)?;
                routed = answer["routed"] == true;
                let became = answer["events"].as_array().into_iter().flatten();
                homeless += became.filter(|event| event["outcome"] == "no_project").count();
                if !routed {
                    break;
                }
            }
            if routed {
                total.events += delivery.events.len();
                break;
            }
        }
        total.routed |= routed;
        tell(ports, caller, delivery, routed, homeless);
    }
    Ok(total)
}

/// Calls an RPC as the service.
pub async fn call(
    ports: &Ports,
    settings: &Settings,
    caller: &Caller,
    function: &'static str,
    arguments: Map<String, Value>,
) -> Result<Value> {
    let authorization = Some(format!("Bearer {}", settings.service_key()?));
    let caller = Caller { authorization, ..caller.clone() };
    ports.database.rpc(&caller, function, arguments).await
}

/// A line for what is nobody's (an address that no channel has), for messages of strangers where no project takes them as
/// leads, and for what we have no meaning for.
fn tell(ports: &Ports, caller: &Caller, delivery: &Delivery, routed: bool, homeless: usize) {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for event in &delivery.events {
        let kind = serde_json::to_value(event.kind).unwrap_or_default();
        *counts.entry(kind.as_str().unwrap_or_default().to_owned()).or_default() += 1;
    }
    let (level, event) = match (routed, homeless) {
        (false, _) => ("warn", "unrouted"),
        (true, 1..) => ("warn", "no_project"),
        _ if counts.contains_key("unknown") => ("info", "unknown_events"),
        _ => return,
    };
    let address = delivery.addresses.first().map(|address| mask(address));
    let facts = json!({
        "slug": "hooks",
        "request_id": caller.request_id,
        "provider": delivery.provider,
        "channel": delivery.channel,
        "address": address,
        "events": counts,
    });
    log::event(ports.log.as_ref(), level, event, facts);
}
