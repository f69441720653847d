//! Errors as RFC 9457 `application/problem+json`.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use fieldcrm_core::{Code, Error};
use serde_json::{Map, Value, json};

use crate::request::REQUEST_ID;

/// A domain error on its way out of a handler.
///
/// Its body is written by [`crate::service`], which knows the request id and logs the error.
#[derive(Clone, Debug)]
pub struct Problem(pub Error);

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = status(&self.0).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl Problem {
    /// Replaces the body of `response` (its headers stay: CORS, `Allow`) with the problem.
    pub(crate) fn write(&self, response: Response, request_id: &str) -> Response {
        let (mut parts, _) = response.into_parts();
        parts.status = status(&self.0);
        parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Ok(id) = HeaderValue::from_str(request_id) {
            parts.headers.insert(REQUEST_ID, id);
        }
        if self.0.code == Code::Unauthenticated {
            parts.headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        Response::from_parts(parts, Body::from(self.document(request_id).to_string()))
    }

    /// The body, for who does not answer with it.
    #[must_use]
    pub fn document(&self, request_id: &str) -> Value {
        let Error { code, hint, errors, data } = &self.0;
        let told = code.status() < 500;
        let mut problem = if told { data.clone() } else { Map::new() };
        problem.insert("type".to_owned(), format!("/errors/{}", code.as_str()).into());
        problem.insert("title".to_owned(), code.title().into());
        problem.insert("status".to_owned(), code.status().into());
        problem.insert("code".to_owned(), code.as_str().into());
        problem.insert("instance".to_owned(), request_id.into());
        if told && !hint.is_empty() {
            problem.insert("detail".to_owned(), hint.as_str().into());
        }
        if told && !errors.is_empty() {
            problem.insert("errors".to_owned(), json!(errors));
        }
        Value::Object(problem)
    }
}

fn status(error: &Error) -> StatusCode {
    StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_has_the_members_of_rfc_9457_and_ours() {
        let error =
            Error::invalid_field("email", "invalid_email", "not an address").with("id", "7");
        assert_eq!(
            Problem(error).document("r-1"),
            json!({
                "type": "/errors/invalid_argument",
                "title": Code::InvalidArgument.title(),
                "status": 400,
                "detail": "email: not an address",
                "code": "invalid_argument",
                "errors": [{"path": "email", "code": "invalid_email", "message": "not an address"}],
                "id": "7",
                "instance": "r-1",
            })
        );
    }

    #[test]
    fn facts_cannot_overwrite_the_standard_members() {
        let error = Error::not_found("customer").with("status", 200).with("type", "x");
        let document = Problem(error).document("r-1");
        assert_eq!(
            (&document["status"], &document["type"]),
            (&json!(404), &json!("/errors/not_found"))
        );
    }

    #[test]
    fn our_own_faults_tell_nothing_of_the_inside() {
        for code in Code::ALL.iter().filter(|code| code.status() >= 500) {
            let error = Error::new(*code, "table customers is on fire").with("host", "10.0.0.7");
            let document = Problem(error).document("r-1");
            let members: Vec<_> = document.as_object().unwrap().keys().collect();
            assert_eq!(members, ["code", "instance", "status", "title", "type"]);
        }
    }
}
