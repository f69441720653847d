//! Requests to AWS, signed (`SigV4`) by AWS' own crate.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use chrono::{DateTime, Utc};

use crate::http::Post;

/// Who pays, and where.
pub struct Account {
    region: String,
    credentials: Credentials,
}

impl Account {
    /// `None` where the region cannot be one.
    #[must_use]
    pub fn new(region: &str, key: &str, secret: &str, session: Option<String>) -> Option<Self> {
        region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-').then(|| Self {
            region: region.to_owned(),
            credentials: Credentials::new(key, secret, session, None, "environment"),
        })
    }

    /// The headers that sign the POST; all that it has are signed.
    #[must_use]
    pub fn signature<B: AsRef<[u8]>>(
        &self,
        post: &Post<B>,
        service: &str,
        now: DateTime<Utc>,
    ) -> Option<Vec<(&'static str, String)>> {
        let identity = self.credentials.clone().into();
        // The clock of std does not run in WASM.
        let time =
            SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(now.timestamp()).ok()?);
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(service)
            .time(time)
            .settings(SigningSettings::default())
            .build()
            .ok()?
            .into();
        let headers = post.headers.iter().map(|(name, value)| (*name, value.as_str()));
        let body = SignableBody::Bytes(post.body.as_ref());
        let request = SignableRequest::new("POST", &post.url, headers, body).ok()?;
        let (instructions, _) = sign(request, &params).ok()?.into_parts();
        let (headers, _) = instructions.into_parts();
        Some(headers.iter().map(|header| (header.name(), header.value().to_owned())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `post-vanilla` and `post-x-www-form-urlencoded` of AWS' own test suite for `SigV4`.
    #[test]
    fn a_request_is_signed_as_aws_signs_it() {
        let account = Account::new(
            "us-east-1",
            "AKIDEXAMPLE",
            "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            None,
        );
        for (headers, body, signed, signature) in [
            (
                vec![],
                "",
                "host;x-amz-date",
                "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            ),
            (
                vec![("content-type", "application/x-www-form-urlencoded".to_owned())],
                "Param1=value1",
                "content-type;host;x-amz-date",
                "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
            ),
        ] {
            let post = Post { url: "https://example.amazonaws.com/".to_owned(), headers, body };
            let now = "2015-08-30T12:36:00Z".parse().unwrap();
            let expected = format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                 SignedHeaders={signed}, Signature={signature}"
            );
            assert_eq!(
                account.as_ref().unwrap().signature(&post, "service", now).unwrap(),
                [("x-amz-date", "20150830T123600Z".to_owned()), ("authorization", expected)]
            );
        }
    }

    #[test]
    fn a_region_is_no_part_of_another_address() {
        assert!(Account::new("x.evil.example/", "k", "s", None).is_none());
    }
}
