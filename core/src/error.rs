//! The one list of errors a client can act on.
//!
//! The SQLSTATE that PostgREST turns into a status (`PT` + status), the title, the HTTP status of
//! the edge functions and the problem type all derive from [`Code`], so no second list can drift.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

pub type Result<T, E = Error> = std::result::Result<T, E>;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:literal, $title:literal;)*) => {
        /// A stable, machine-readable error code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The `snake_case` code as clients see it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The HTTP status, and the digits of the SQLSTATE `PTxyz`.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// One sentence for people, the same for every occurrence (RFC 9457 `title`).
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

codes! {
    /// A value is missing, of the wrong type or not in the allowed form.
    InvalidArgument = "invalid_argument", 400, "An argument is not valid";
    /// A back-end session has not said which org it works for.
    OrgRequired = "org_required", 400, "No organisation is selected";
    /// No valid sign-in came with the request.
    Unauthenticated = "unauthenticated", 401, "Sign in first";
    /// The caller's role does not have the capability.
    Forbidden = "forbidden", 403, "Your role does not allow this";
    /// The caller is signed in but belongs to no org, or has been deactivated.
    NoMembership = "no_membership", 403, "You are not an active member of an organisation";
    /// Nobody can raise their own role, or give one above it.
    RoleNotGrantable = "role_not_grantable", 403, "You cannot give this role";
    /// The invitation was made out to another e-mail address.
    InviteEmailMismatch = "invite_email_mismatch", 403, "This invitation is for another e-mail address";
    /// Absent, or invisible to the caller: the two cannot be told apart.
    NotFound = "not_found", 404, "Not found";
    /// The portal account waits for its invitation, is suspended or closed.
    PortalAccountInactive = "portal_account_inactive", 403, "This portal account is not active";
    /// The invitation does not exist, has expired or was used.
    InviteNotFound = "invite_not_found", 404, "This invitation does not exist or is no longer valid";
    /// Another customer of the org has this external reference.
    DuplicateExternalRef = "duplicate_external_ref", 409, "This external reference is already in use";
    /// The idempotency key was used with another payload.
    IdempotencyKeyReused = "idempotency_key_reused", 409, "This idempotency key was used with another payload";
    /// The caller already belongs to an org.
    AlreadyMember = "already_member", 409, "You already belong to an organisation";
    /// The last owner of an org cannot leave or step down.
    LastOwner = "last_owner", 409, "An organisation needs at least one owner";
    /// Somebody else has the slot, or it is none; `alternatives` are the next that are free.
    SlotTaken = "slot_taken", 409, "This time is not available";
    /// The row is in a state from which this is not possible.
    WrongState = "wrong_state", 409, "This is not possible in the present state";
    /// Postgres found a duplicate, or a reference to nothing, that no rule of ours named first.
    Conflict = "conflict", 409, "This conflicts with what is already there";
    /// Well-formed, but a rule of the business forbids it.
    RuleBroken = "rule_broken", 422, "A rule forbids this";
    /// It is too late, or was done too often, for a customer to move or cancel a visit; the org's policy says so.
    BookingPolicy = "booking_policy", 422, "The company's policy does not allow this";
    /// The org has as many active products as it may have.
    ProductLimit = "product_limit", 422, "Too many products are active";
    /// A template cannot be rendered: its syntax, or a variable that nobody supplies.
    InvalidTemplate = "invalid_template", 422, "The template cannot be rendered";
    /// The planner expects a segment's rules to cost too much.
    SegmentTooCostly = "segment_too_costly", 422, "These rules would take too long to evaluate";
    /// The model, or who runs it, does not answer this.
    AiRefused = "ai_refused", 422, "The AI declined to answer this";
    /// The org has used up the month's budget for AI.
    AiBudgetSpent = "ai_budget_spent", 429, "This month's AI budget is used up";
    /// Too many requests of one sender in a short time.
    RateLimited = "rate_limited", 429, "Too many requests";
    /// The body is larger than the stated limit.
    PayloadTooLarge = "payload_too_large", 413, "The request body is too large";
    /// The path with its query is longer than the stated limit.
    UriTooLong = "uri_too_long", 414, "The address is too long";
    /// The headers are larger than the stated limit.
    HeadersTooLarge = "headers_too_large", 431, "The request headers are too large";
    /// The path exists, the method does not.
    MethodNotAllowed = "method_not_allowed", 405, "This method is not allowed here";
    /// Ours, not the caller's.
    Internal = "internal", 500, "Something went wrong on our side";
    /// The model answered with what cannot be used, and did not better it when told so.
    AiOutputInvalid = "ai_output_invalid", 502, "The AI did not give a usable answer";
    /// No model is set up, or it does not answer.
    AiUnavailable = "ai_unavailable", 503, "The AI is not available right now";
    /// The database or another service does not answer.
    Unavailable = "unavailable", 503, "The service is not available right now";
}

impl Code {
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.as_str() == code)
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(
        &self,
        serializer: S,
    ) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// What is wrong with one field; `path` is the JSON path from the arguments, `contacts[0].value`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    pub path: String,
    pub code: String,
    pub message: String,
}

impl FieldError {
    #[must_use]
    pub fn new(path: impl Into<String>, code: &str, message: impl Into<String>) -> Self {
        Self { path: path.into(), code: code.to_owned(), message: message.into() }
    }
}

/// A domain error: a value, never a panic.
#[derive(Clone, Debug, PartialEq)]
pub struct Error {
    pub code: Code,
    /// What to do about it.
    pub hint: String,
    pub errors: Vec<FieldError>,
    /// Further facts for the client, such as the id of the row that is in the way.
    pub data: Map<String, Value>,
}

impl Error {
    #[must_use]
    pub fn new(code: Code, hint: impl Into<String>) -> Self {
        Self { code, hint: hint.into(), errors: Vec::new(), data: Map::new() }
    }

    /// `invalid_argument` with every field that is wrong.
    #[must_use]
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let hint = errors
            .iter()
            .map(|error| format!("{}: {}", error.path, error.message))
            .collect::<Vec<_>>()
            .join("; ");
        Self { errors, ..Self::new(Code::InvalidArgument, hint) }
    }

    #[must_use]
    pub fn invalid_field(path: impl Into<String>, code: &str, message: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError::new(path, code, message)])
    }

    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("There is no such {what}, or you may not see it."))
    }

    /// An internal error; `what` is for the log, clients never see it.
    #[must_use]
    pub fn internal(what: impl Into<String>) -> Self {
        Self::new(Code::Internal, what)
    }

    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.data.insert(key.to_owned(), value.into());
        self
    }

    /// The DETAIL of the SQL error: `{"code", "errors"?, …data}`.
    #[must_use]
    pub fn detail(&self) -> Value {
        let mut detail = self.data.clone();
        detail.insert("code".to_owned(), self.code.as_str().into());
        if !self.errors.is_empty() {
            detail.insert("errors".to_owned(), json!(self.errors));
        }
        Value::Object(detail)
    }

    /// The error as the value that a Rust function of the extension returns and that
    /// `fieldcrm.unwrap(jsonb)` raises.
    #[must_use]
    pub fn to_value(&self) -> Value {
        json!({ ENVELOPE: {
            "sqlstate": format!("PT{}", self.code.status()),
            "message": self.code.title(),
            "detail": self.detail().to_string(),
            "hint": self.hint,
        }})
    }

    /// The inverse of [`Self::detail`], for clients that got it over PostgREST.
    #[must_use]
    pub fn from_detail(detail: &Value, hint: &str) -> Option<Self> {
        let mut data = detail.as_object()?.clone();
        let code = Code::parse(data.remove("code")?.as_str()?)?;
        let errors = match data.remove("errors") {
            Some(errors) => serde_json::from_value(errors).ok()?,
            None => Vec::new(),
        };
        Some(Self { code, hint: hint.to_owned(), errors, data })
    }
}

/// The key no result has at its top level.
pub const ENVELOPE: &str = "$error";

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.hint)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_unique_and_has_an_error_status() {
        let mut seen = std::collections::HashSet::new();
        for code in Code::ALL {
            assert!(seen.insert(code.as_str()), "{} is there twice", code.as_str());
            assert!((400..=599).contains(&code.status()));
            assert_eq!(Code::parse(code.as_str()), Some(*code));
        }
    }

    #[test]
    fn detail_round_trips() {
        let error = Error::invalid_field("contacts[1].value", "invalid_email", "not an address")
            .with("id", "42");
        assert_eq!(Error::from_detail(&error.detail(), &error.hint), Some(error));
    }

    #[test]
    fn foreign_details_are_not_taken_for_ours() {
        assert_eq!(Error::from_detail(&json!({"code": "23505"}), ""), None);
        assert_eq!(Error::from_detail(&json!("text"), ""), None);
    }
}
