//! What `PostgREST`'s refusals mean in our one list of codes.

use fieldcrm_core::{Code, Error};
use serde::Deserialize;
use serde_json::Value;

/// `PostgREST`'s error body; `details` and `message` are text for people unless they are ours.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    code: Option<String>,
    message: Option<String>,
    details: Option<Value>,
    hint: Option<String>,
}

/// Our own errors as they were raised; everything else by its code, without its text, which can
/// quote what a row holds.
pub(super) fn refusal(status: u16, body: &[u8]) -> Error {
    let refusal: Refusal = serde_json::from_slice(body).unwrap_or_default();
    let sqlstate = refusal.code.as_deref().unwrap_or_default();
    if sqlstate.starts_with("PT")
        && let Some(Value::String(detail)) = &refusal.details
        && let Ok(detail) = serde_json::from_str(detail)
        && let Some(error) =
            Error::from_detail(&detail, refusal.hint.as_deref().unwrap_or_default())
    {
        return error;
    }
    match sqlstate {
        "PGRST301" | "PGRST302" | "PGRST303" => Error::new(
            Code::Unauthenticated,
            "The access token is not valid, or no longer: refresh it.",
        ),
        // PostgREST alone knows whether there was a user.
        "42501" if status == 401 => sign_in(),
        "42501" => Error::new(Code::Forbidden, "Ask an owner of your organisation for access."),
        "PGRST116" => Error::not_found("row"),
        "23001" | "23505" | "23503" | "23P01" => {
            Error::new(Code::Conflict, "It is there already, or what it refers to is not.")
        }
        "23502" | "23514" => {
            Error::new(Code::InvalidArgument, "A value is missing or not allowed.")
        }
        // PostgREST casts what a client sends. A gateway that hands values on with the types of JSON finds no RPC that takes them.
        "42846" => malformed(),
        "42883" if refusal.message.is_some_and(|text| text.starts_with("function public.")) => {
            malformed()
        }
        _ if sqlstate.starts_with("22") => malformed(),
        "57014" | "40001" | "40P01" => unavailable(status, sqlstate),
        _ if ["08", "53", "57", "PGRST00"].iter().any(|class| sqlstate.starts_with(class)) => {
            unavailable(status, sqlstate)
        }
        _ => match status {
            401 => sign_in(),
            429 | 502..=504 => unavailable(status, sqlstate),
            _ => Error::internal(cause(status, sqlstate)),
        },
    }
}

fn malformed() -> Error {
    Error::new(Code::InvalidArgument, "A value does not have the form its field needs.")
}

fn sign_in() -> Error {
    Error::new(Code::Unauthenticated, "Send the access token of a signed-in user.")
}

fn unavailable(status: u16, sqlstate: &str) -> Error {
    Error::new(Code::Unavailable, cause(status, sqlstate))
}

/// For the log: enough to find the line in the database's own.
fn cause(status: u16, sqlstate: &str) -> String {
    let plain = sqlstate.len() <= 8 && sqlstate.bytes().all(|byte| byte.is_ascii_alphanumeric());
    format!("the database answered {status} {}", if plain { sqlstate } else { "(foreign code)" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn our_errors_arrive_whole() {
        let error = Error::new(Code::DuplicateExternalRef, "Update it instead.")
            .with("id", "0190")
            .with("field", "external_ref");
        let body = json!({
            "code": "PT409",
            "message": error.code.title(),
            "details": error.detail().to_string(),
            "hint": error.hint,
        });
        assert_eq!(refusal(409, body.to_string().as_bytes()), error);
    }

    #[test]
    fn foreign_errors_get_a_code_of_ours() {
        for (status, sqlstate, expected) in [
            (401, "PGRST301", Code::Unauthenticated),
            (401, "PGRST302", Code::Unauthenticated),
            (401, "PGRST303", Code::Unauthenticated),
            (401, "42501", Code::Unauthenticated),
            (403, "42501", Code::Forbidden),
            (406, "PGRST116", Code::NotFound),
            (409, "23505", Code::Conflict),
            (409, "23503", Code::Conflict),
            (400, "23001", Code::Conflict),
            (400, "23514", Code::InvalidArgument),
            (400, "22P02", Code::InvalidArgument),
            (500, "57014", Code::Unavailable),
            (503, "PGRST002", Code::Unavailable),
            (503, "53300", Code::Unavailable),
            (404, "PGRST202", Code::Internal),
            (500, "XX000", Code::Internal),
            (400, "PT400", Code::Internal),
        ] {
            let body =
                json!({"code": sqlstate, "message": "customer 42", "details": "x@y.example"});
            let error = refusal(status, body.to_string().as_bytes());
            assert_eq!(error.code, expected, "{status} {sqlstate}");
            let told = error.to_string();
            assert!(!told.contains("42 ") && !told.contains("x@y"), "{told}");
        }
    }

    #[test]
    fn values_of_a_wrong_type_are_the_callers_and_a_missing_function_is_ours() {
        for (message, expected) in [
            (
                "function public.crm_create_segment(type => boolean) does not exist",
                Code::InvalidArgument,
            ),
            ("function fieldcrm.create_segment(text) does not exist", Code::Internal),
        ] {
            let body = json!({"code": "42883", "message": message});
            assert_eq!(refusal(404, body.to_string().as_bytes()).code, expected, "{message}");
        }
        let body = json!({"code": "42846", "message": "cannot cast type boolean to uuid[]"});
        assert_eq!(refusal(400, body.to_string().as_bytes()).code, Code::InvalidArgument);
    }

    #[test]
    fn an_answer_that_is_not_postgrests_is_judged_by_its_status() {
        assert_eq!(refusal(502, b"<html>bad gateway</html>").code, Code::Unavailable);
        assert_eq!(refusal(401, b"").code, Code::Unauthenticated);
        assert_eq!(refusal(500, br#"{"code": 7}"#).code, Code::Internal);
    }
}
