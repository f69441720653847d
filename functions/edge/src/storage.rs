//! Storage as edge functions see it: files put into its buckets, as the service.

use std::time::Duration;

use async_trait::async_trait;
use axum::body::Bytes;
use fieldcrm_core::{Code, Error, Result};

use crate::Config;
use crate::http::{Answer, Client, Post};

/// How often a file is tried.
const TRIES: usize = 4;
/// How long one file may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A file on its way. Its name is made of letters, digits and `/._-`: nothing in it has to be escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    pub bucket: &'static str,
    pub name: String,
    pub content_type: String,
    pub content: Bytes,
}

/// What became of an [`Object`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    Stored,
    /// The bucket takes no such file, now or later: too large for it, or of a type that it excludes.
    Refused,
}

#[async_trait]
pub trait Storage: Send + Sync {
    /// Puts the object there, or in the place of what has its name. An error: it may be tried again.
    async fn put(&self, object: Object) -> Result<Put>;
}

/// [`Storage`] over HTTP, with the service key.
pub struct StorageApi {
    client: Client,
    url: String,
    key: String,
}

impl StorageApi {
    #[must_use]
    pub fn new(config: &Config, service_key: &str) -> Self {
        let url = format!("{}/storage/v1/object", config.supabase_url);
        Self { client: Client::with_timeout(TIMEOUT), url, key: service_key.to_owned() }
    }
}

#[async_trait]
impl Storage for StorageApi {
    /// Several times: while another request puts the same object Storage may fail with a conflict, and then it is there to replace.
    async fn put(&self, object: Object) -> Result<Put> {
        for _ in 1..TRIES {
            match self.post(object.clone()).await? {
                409 | 500.. => {}
                status => return outcome(status),
            }
        }
        outcome(self.post(object).await?)
    }
}

impl StorageApi {
    async fn post(&self, object: Object) -> Result<u16> {
        let post = Post {
            url: format!("{}/{}/{}", self.url, object.bucket, object.name),
            headers: vec![
                ("apikey", self.key.clone()),
                ("authorization", format!("Bearer {}", self.key)),
                ("content-type", object.content_type),
                ("x-upsert", "true".to_owned()),
            ],
            body: object.content,
        };
        let answer = self.client.post(post).await;
        let answer = answer.map_err(|_| unavailable("Storage could not be reached"))?;
        Ok(status(&answer))
    }
}

fn outcome(status: u16) -> Result<Put> {
    match status {
        200..=299 => Ok(Put::Stored),
        413 | 415 => Ok(Put::Refused),
        status => Err(unavailable(&format!("Storage answered {status}"))),
    }
}

/// Storage answers most refusals with 400 and says in the body which it is.
fn status(answer: &Answer) -> u16 {
    let told = &answer.json()["statusCode"];
    let told =
        told.as_str().map_or_else(|| told.as_u64()?.try_into().ok(), |text| text.parse().ok());
    match (answer.status, told) {
        (400, Some(told)) if told >= 400 => told,
        (status, _) => status,
    }
}

fn unavailable(cause: &str) -> Error {
    Error::new(Code::Unavailable, cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_what_its_body_says() {
        for (sent, body, expected) in [
            (200, r#"{"Key":"attachments/x"}"#, 200),
            (400, r#"{"statusCode":"413","error":"Payload too large"}"#, 413),
            (400, r#"{"statusCode":415}"#, 415),
            (400, "no JSON", 400),
            (400, r#"{"statusCode":"200"}"#, 400),
            (503, r#"{"statusCode":"413"}"#, 503),
        ] {
            assert_eq!(status(&Answer::from_parts(sent, [], body)), expected, "{sent} {body}");
        }
    }
}
