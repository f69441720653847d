//! HTTP to other people's services: one request and its answer, bounded in time and size.
//!
//! What matters to who sends messages is whether a request that got no answer may have been received. Natively the
//! client knows. At the edge `fetch` says it in words, if at all ([`NoAnswer::Unsent`]); in doubt it was received.
//! Redirects are never followed: what is sent holds secrets, and where it goes was checked.

use std::pin::Pin;
use std::time::Duration;

use axum::body::Bytes;
use futures_util::{Stream, StreamExt};
use web_time::Instant;

use crate::clock::within;

#[cfg(target_arch = "wasm32")]
mod fetch;
#[cfg(not(target_arch = "wasm32"))]
mod native;
mod retry;

pub use retry::retry_after;

/// How long an exchange may take, its body included.
pub const TIMEOUT: Duration = Duration::from_secs(10);
/// What is read of an answer's body, unless more is asked for: enough for an id or an error.
const MAX_ANSWER: usize = 64 * 1024;

/// How a request is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Put,
    Delete,
}

impl Method {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// What is sent, by any method; an empty body is none. It can hold secrets and what people write: not to be logged.
#[derive(Clone)]
pub struct Post<B = String> {
    pub url: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: B,
}

/// What came back; of the body as much as was read in time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// Names of headers are in lower case.
    #[must_use]
    pub fn from_parts<'a>(
        status: u16,
        headers: impl IntoIterator<Item = (&'a str, &'a str)>,
        body: &str,
    ) -> Self {
        let headers =
            headers.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { status, headers, body: body.as_bytes().to_vec() }
    }

    /// The first header of that name, given in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON; null where it is none.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// The body of an answer as it comes. Letting go of it ends the exchange.
pub type Chunks<E = NoAnswer> = Pin<Box<dyn Stream<Item = Result<Bytes, E>> + Send>>;

/// An answer whose body is still on its way.
pub struct Opened {
    /// Without the body.
    pub head: Answer,
    pub chunks: Chunks,
}

impl Opened {
    /// The answer with so many bytes of its body, as far as they come in time. The status is the answer; a body that
    /// breaks off or is late changes nothing about it.
    pub(crate) async fn whole(self, most: usize, until: Instant) -> Answer {
        let Self { mut head, mut chunks } = self;
        while let Some(Some(Ok(chunk))) = within(left(until), chunks.next()).await {
            head.body.extend_from_slice(&chunk);
            if head.body.len() >= most {
                head.body.truncate(most);
                break;
            }
        }
        head
    }
}

/// The time until then.
pub(crate) fn left(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}

/// Why there was no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// No connection came about, or the request was none: the other side has nothing.
    Unsent,
    /// The other side may have it.
    TimedOut,
    /// The other side may have it.
    Dropped,
}

/// Makes the exchanges; cheap to clone.
#[derive(Clone)]
pub struct Client {
    timeout: Duration,
    max_answer: usize,
    #[cfg(not(target_arch = "wasm32"))]
    inner: reqwest::Client,
}

impl Client {
    /// With [`TIMEOUT`].
    #[must_use]
    pub fn new() -> Self {
        Self::with_timeout(TIMEOUT)
    }

    pub async fn post<B: AsRef<[u8]> + Send>(&self, post: Post<B>) -> Result<Answer, NoAnswer> {
        self.send(Method::Post, post).await
    }

    pub async fn send<B: AsRef<[u8]> + Send>(
        &self,
        method: Method,
        post: Post<B>,
    ) -> Result<Answer, NoAnswer> {
        let until = Instant::now() + self.timeout;
        let opened = within(self.timeout, self.open(method, post)).await;
        Ok(opened.ok_or(NoAnswer::TimedOut)??.whole(self.max_answer, until).await)
    }

    /// A [`Self::post`] of what may be sent again: where the server is busy, fails or drops the connection it is, as
    /// [`retry`] has it, and all of it takes no longer than one exchange may.
    pub async fn post_patiently(&self, post: Post<Bytes>) -> Result<Answer, NoAnswer> {
        let until = Instant::now() + self.timeout;
        Ok(self.open_patiently(post, until).await?.whole(self.max_answer, until).await)
    }

    /// One that reads so many bytes of an answer.
    #[must_use]
    pub fn with_max_answer(self, max_answer: usize) -> Self {
        Self { max_answer, ..self }
    }
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}
