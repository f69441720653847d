//! Over reqwest, for tests and for hosts that are no browser's kin.

use std::time::Duration;

use reqwest::redirect::Policy;

use super::{Answer, Client, MAX_ANSWER, Method, NoAnswer, Post};

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

    pub async fn send<B: AsRef<[u8]> + Send>(
        &self,
        method: Method,
        post: Post<B>,
    ) -> Result<Answer, NoAnswer> {
        let method = method.as_str().parse().unwrap_or(reqwest::Method::POST);
        let mut request = self.inner.request(method, &post.url).timeout(self.timeout);
        let body = post.body.as_ref();
        if !body.is_empty() {
            request = request.body(body.to_vec());
        }
        for (name, value) in &post.headers {
            request = request.header(*name, value);
        }
        let mut response = request.send().await.map_err(|error| reason(&error))?;
        let status = response.status().as_u16();
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes())))
            .collect();
        let mut body = Vec::new();
        // The status is the answer; a body that breaks off changes nothing about it.
        while let Ok(Some(chunk)) = response.chunk().await {
            body.extend_from_slice(&chunk);
            if body.len() >= self.max_answer {
                body.truncate(self.max_answer);
                break;
            }
        }
        Ok(Answer { status, headers, body })
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
