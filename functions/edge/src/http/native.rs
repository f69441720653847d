//! Over reqwest, for tests and for hosts that are no browser's kin.

use std::time::Duration;

use futures_util::stream::unfold;
use reqwest::redirect::Policy;

use super::{Answer, Client, MAX_ANSWER, Method, NoAnswer, Opened, Post};

/// A connection that takes longer is not coming; the request has not left then.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

impl Client {
    #[must_use]
    pub fn with_timeout(timeout: Duration) -> Self {
        let inner = reqwest::Client::builder()
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIMEOUT.min(timeout))
            .build()
            .unwrap_or_default();
        Self { timeout, max_answer: MAX_ANSWER, inner }
    }

    pub(super) async fn open<B: AsRef<[u8]> + Send>(
        &self,
        method: Method,
        post: Post<B>,
    ) -> Result<Opened, NoAnswer> {
        let method = method.as_str().parse().unwrap_or(reqwest::Method::POST);
        let mut request = self.inner.request(method, &post.url);
        let body = post.body.as_ref();
        if !body.is_empty() {
            request = request.body(body.to_vec());
        }
        for (name, value) in &post.headers {
            request = request.header(*name, value);
        }
        let response = request.send().await.map_err(|error| reason(&error))?;
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes())))
            .collect();
        let head = Answer { status: response.status().as_u16(), headers, body: Vec::new() };
        let chunks = unfold(response, async |mut response| {
            let chunk = response.chunk().await.map_err(|error| reason(&error)).transpose()?;
            Some((chunk, response))
        });
        Ok(Opened { head, chunks: Box::pin(chunks) })
    }
}

fn reason(error: &reqwest::Error) -> NoAnswer {
    if error.is_connect() || error.is_builder() {
        NoAnswer::Unsent
    } else if error.is_timeout() {
        NoAnswer::TimedOut
    } else {
        NoAnswer::Dropped
    }
}
