//! URLs under which a file of Storage can be read for a while, made with the service key.
//!
//! Whether somebody may read a file the database has said before: Storage only makes the URL.

use async_trait::async_trait;
use fieldcrm_core::{Code, Error, Result};
use serde_json::json;
use url::Url;

use crate::Config;
use crate::http::{Client, Post};

#[async_trait]
pub trait SignUrls: Send + Sync {
    /// A URL that is good for so many seconds, under which the file is saved by that name.
    async fn sign(
        &self,
        bucket: &str,
        object: &str,
        file_name: &str,
        seconds: u32,
    ) -> Result<String>;
}

/// [`SignUrls`] over HTTP.
pub struct StorageUrls {
    client: Client,
    /// Where we reach Storage, and where clients do.
    base: String,
    public: String,
    key: String,
}

impl StorageUrls {
    /// From `SUPABASE_SERVICE_ROLE_KEY`, and `SUPABASE_PUBLIC_URL` where clients reach the project under another address than
    /// functions do; none without the key.
    pub fn read(config: &Config, variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let set = |name: &str| {
            let value = variable(name)?.trim().trim_end_matches('/').to_owned();
            let plain = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic());
            plain.then_some(value)
        };
        let public = set("SUPABASE_PUBLIC_URL").unwrap_or_else(|| config.supabase_url.clone());
        Some(Self {
            client: Client::new(),
            base: format!("{}/storage/v1", config.supabase_url),
            public: format!("{public}/storage/v1"),
            key: set("SUPABASE_SERVICE_ROLE_KEY")?,
        })
    }
}

#[async_trait]
impl SignUrls for StorageUrls {
    async fn sign(
        &self,
        bucket: &str,
        object: &str,
        file_name: &str,
        seconds: u32,
    ) -> Result<String> {
        let post = Post {
            url: path(&self.base, bucket, object)?,
            headers: vec![
                ("apikey", self.key.clone()),
                ("authorization", format!("Bearer {}", self.key)),
                ("content-type", "application/json".to_owned()),
            ],
            body: json!({"expiresIn": seconds}).to_string(),
        };
        let answer = self.client.post(post).await;
        let answer = answer.map_err(|_| unavailable("Storage could not be reached"))?;
        let signed = answer.json();
        match (answer.status, signed["signedURL"].as_str()) {
            (200..=299, Some(signed)) => shown(&self.public, signed, file_name),
            // The row is there and the file is not, or it is being replaced.
            (400 | 404, _) => Err(Error::not_found("file")),
            (status, _) => Err(unavailable(&format!("Storage answered {status}"))),
        }
    }
}

/// The path that signs; names are what somebody called a file.
fn path(base: &str, bucket: &str, object: &str) -> Result<String> {
    let mut url = Url::parse(base).map_err(|_| unavailable("SUPABASE_URL is no URL"))?;
    let climbs = object.split('/').any(|part| matches!(part, "" | "." | ".."));
    match url.path_segments_mut() {
        Ok(mut segments) if !climbs => {
            segments.extend(["object", "sign", bucket]).extend(object.split('/'));
        }
        _ => return Err(Error::not_found("file")),
    }
    Ok(url.into())
}

fn shown(public: &str, signed: &str, file_name: &str) -> Result<String> {
    // Newer ones answer with the path from the root.
    let signed = signed.strip_prefix("/storage/v1").unwrap_or(signed);
    let mut url = Url::parse(&format!("{public}{signed}"))
        .map_err(|_| unavailable("Storage answered with no URL"))?;
    url.query_pairs_mut().append_pair("download", file_name);
    Ok(url.into())
}

fn unavailable(cause: &str) -> Error {
    Error::new(Code::Unavailable, cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "http://kong:8000/storage/v1";

    #[test]
    fn names_stay_names() {
        let url = path(BASE, "attachments", "org/customer/a b?c#d%.pdf").unwrap();
        assert_eq!(
            url,
            format!("{BASE}/object/sign/attachments/org/customer/a%20b%3Fc%23d%25.pdf")
        );
        for climbing in ["org/../other/x", "org//x", "../x", ""] {
            assert!(path(BASE, "attachments", climbing).is_err(), "{climbing}");
        }
    }

    #[test]
    fn clients_get_the_public_address_and_a_name() {
        for prefix in ["", "/storage/v1"] {
            let signed = format!("{prefix}/object/sign/attachments/x?token=t.t.t");
            let url = shown("https://x.example/storage/v1", &signed, "My report.pdf").unwrap();
            assert_eq!(
                url,
                "https://x.example/storage/v1/object/sign/attachments/x?token=t.t.t&download=My+report.pdf"
            );
        }
    }

    #[test]
    fn nobody_signs_without_the_key() {
        let config = Config {
            supabase_url: "http://kong:8000".to_owned(),
            publishable_key: "publishable".to_owned(),
            ..Config::default()
        };
        assert!(StorageUrls::read(&config, |_| None).is_none());
        let public = |name: &str| {
            Some(match name {
                "SUPABASE_PUBLIC_URL" => "https://x.example/".to_owned(),
                _ => "key".to_owned(),
            })
        };
        let urls = StorageUrls::read(&config, public).unwrap();
        assert_eq!(
            (urls.base.as_str(), urls.public.as_str()),
            (BASE, "https://x.example/storage/v1")
        );
    }
}
