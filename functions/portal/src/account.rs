//! `/portal/signup`, `/portal/accept-invite`, `/portal/session`, `/portal/dashboard`

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use fieldcrm_core::{Code, Error, Result, email, member, patch};
use fieldcrm_edge::{Caller, Idempotency, JsonObject, Ports, Problem};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::identity::{Identity, SignedUp, bearer, map, user_id};

pub fn add(routes: Router<Ports>) -> Router<Ports> {
    routes
        .route("/portal/signup", post(sign_up))
        .route("/portal/accept-invite", post(accept_invite))
        .route("/portal/session", post(session))
        .route("/portal/dashboard", get(dashboard))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignUp {
    slug: Option<String>,
    email: String,
    password: String,
    name: String,
    phone: Option<String>,
    booking_reference: Option<Uuid>,
    invite_token: Option<String>,
}

/// `POST /portal/signup`: 201 with a session where the address needs no verification, else 202, whoever has the address.
async fn sign_up(
    State(ports): State<Ports>,
    Extension(identity): Extension<Arc<Identity>>,
    caller: Caller,
    Idempotency(key): Idempotency,
    JsonObject(body): JsonObject,
) -> Result<Response, Problem> {
    let given: SignUp = patch::read(Value::Object(body.clone()))?;
    let address = email::normalize(&given.email).ok_or_else(|| {
        Error::invalid_field("email", "invalid_email", "is not an e-mail address")
    })?;
    let sent = Sent::of(key, &identity, &address, &body)?;
    if let Some(token) = &given.invite_token {
        let admission = Admission {
            token,
            email: Some(&address),
            password: &given.password,
            name: Some(&given.name),
            sent: &sent,
        };
        return Ok(admission.admit(&ports, &identity, &caller).await?);
    }
    let Some(slug) = &given.slug else {
        return Err(
            Error::invalid_field("slug", "required", "say which company's portal it is").into()
        );
    };
    // Before anybody is made whom no org expects; what is wrong here is wrong whoever has the address.
    let find = json!({"slug": slug, "full_name": given.name, "phone": given.phone});
    identity.rpc(&caller, "portal_find_signup", find).await?;
    let made = identity.sign_up(&caller, &address, &given.password, &given.name).await?;
    let (id, session) = match made {
        SignedUp::Waiting(id) => (id, None),
        SignedUp::Session(session) => (user_id(&session)?, Some(session)),
        // Whoever knows the password may: they did this before, or have a login and no account.
        SignedUp::Known => match identity.sign_in(&caller, &address, &given.password).await? {
            Some(session) => (user_id(&session)?, Some(session)),
            None => return Ok(waiting()),
        },
    };
    let arguments = json!({
        "user_id": id, "slug": slug, "full_name": given.name, "phone": given.phone,
        "booking_reference": given.booking_reference, "idempotency_key": sent.key, "fingerprint": sent.fingerprint,
    });
    identity.rpc(&caller, "portal_register_signup", arguments).await?;
    let Some(session) = session else { return Ok(waiting()) };
    let user = bearer(&caller, &session);
    let done = ports.database.rpc(&user, "portal_complete_signup", Map::new()).await?;
    Ok(if done["status"] == "verify" { verify() } else { let_in(&session, open(done)?) })
}

/// The same for everybody: nothing in it says whether the address was known.
fn waiting() -> Response {
    (StatusCode::ACCEPTED, Json(json!({"status": "verification_required"}))).into_response()
}

/// The org knows the address, and a login does not show whose it is.
fn verify() -> Response {
    let hint =
        "The company knows this address: open the link of the invitation that was sent to it.";
    (StatusCode::ACCEPTED, Json(json!({"status": "verify", "detail": hint}))).into_response()
}

fn let_in(session: &Value, mut done: Value) -> Response {
    let body = json!({"status": "active", "session": session, "account": done["account"].take()});
    (StatusCode::CREATED, Json(body)).into_response()
}

/// What the database said of an account, unless there is none yet.
fn open(done: Value) -> Result<Value> {
    match done["status"].as_str() {
        Some("active") => Ok(done),
        Some("review") => Err(Error::new(
            Code::WrongState,
            "The company has this address for several customers. It was told, and will link you to the right one.",
        )
        .with("reason", "review")),
        _ => Err(unverified()),
    }
}

fn unverified() -> Error {
    let hint = "Verify your e-mail address first: open the link that was sent to you.";
    Error::new(Code::WrongState, hint).with("reason", "verification_required")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Accept {
    token: String,
    password: String,
    name: Option<String>,
}

/// `POST /portal/accept-invite`: 201 with a session. Where the address has a login, its password is asked for.
async fn accept_invite(
    State(ports): State<Ports>,
    Extension(identity): Extension<Arc<Identity>>,
    caller: Caller,
    Idempotency(key): Idempotency,
    JsonObject(body): JsonObject,
) -> Result<Response, Problem> {
    let given: Accept = patch::read(Value::Object(body.clone()))?;
    let sent = Sent::of(key, &identity, &given.token, &body)?;
    let admission = Admission {
        token: &given.token,
        email: None,
        password: &given.password,
        name: given.name.as_deref(),
        sent: &sent,
    };
    Ok(admission.admit(&ports, &identity, &caller).await?)
}

/// What the database tells a repeat of a request from another by. Who comes in has no id yet: the key is one of the address or the token that
/// it came with, so that no stranger's is in the way.
struct Sent {
    key: Option<String>,
    fingerprint: Option<String>,
}

impl Sent {
    fn of(
        key: Option<String>,
        identity: &Identity,
        whose: &str,
        body: &Map<String, Value>,
    ) -> Result<Self> {
        let Some(key) = key else { return Ok(Self { key: None, fingerprint: None }) };
        Ok(Self {
            key: Some(identity.keyed_hash(&json!([whose, key]))?),
            fingerprint: Some(identity.keyed_hash(&json!(body))?),
        })
    }
}

/// Somebody with an invitation.
struct Admission<'a> {
    token: &'a str,
    /// The address that they say is theirs.
    email: Option<&'a str>,
    password: &'a str,
    name: Option<&'a str>,
    sent: &'a Sent,
}

impl Admission<'_> {
    /// Whoever sends the same again gets in again: it is their password that says who they are.
    async fn admit(&self, ports: &Ports, identity: &Identity, caller: &Caller) -> Result<Response> {
        // Before Auth makes anybody whom the database refuses.
        let name = member::full_name(self.name)?;
        let find = json!({"token": self.token, "idempotency_key": self.sent.key,
            "fingerprint": self.sent.fingerprint});
        let invite = identity.rpc(caller, "portal_find_invite", find).await?;
        let address = invite["email"].as_str().unwrap_or_default();
        if self.email.is_some_and(|email| email != address) {
            let hint = "Sign up with the e-mail address that was invited.";
            return Err(Error::new(Code::InviteEmailMismatch, hint));
        }
        let is_open = invite["status"] == "open";
        // Whose password it is nobody knows yet.
        if is_open && invite["user"]["is_confirmed"] == false {
            return Err(unverified());
        }
        let made = if is_open && invite["user"].is_null() {
            identity.create_user(caller, address, self.password, name).await?
        } else {
            None
        };
        let entered = self.enter(ports, identity, caller, address, is_open).await;
        if let (Some(id), Err(error)) = (made, &entered)
            && error.code.status() < 500
        {
            identity.delete_user(caller, id).await;
        }
        let (session, done) = entered?;
        Ok(let_in(&session, open(done)?))
    }

    /// A session, and what the database says of the account, which an open invitation makes.
    async fn enter(
        &self,
        ports: &Ports,
        identity: &Identity,
        caller: &Caller,
        address: &str,
        is_open: bool,
    ) -> Result<(Value, Value)> {
        let mut session = self.sign_in(identity, caller, address).await?;
        if is_open {
            self.accept(identity, caller, user_id(&session)?).await?;
            // Every session of the login is over, this one too.
            session = self.sign_in(identity, caller, address).await?;
        }
        let user = bearer(caller, &session);
        let done = ports.database.rpc(&user, "portal_session", Map::new()).await?;
        Ok((session, done))
    }

    async fn sign_in(&self, identity: &Identity, caller: &Caller, address: &str) -> Result<Value> {
        let session = identity.sign_in(caller, address, self.password).await?;
        session.ok_or_else(|| {
            Error::new(Code::Unauthenticated, "This address has a login: send its password.")
        })
    }

    async fn accept(&self, identity: &Identity, caller: &Caller, user_id: Uuid) -> Result<()> {
        let accept = json!({"token": self.token, "user_id": user_id, "full_name": self.name,
            "idempotency_key": self.sent.key, "fingerprint": self.sent.fingerprint});
        match identity.rpc(caller, "portal_accept_invite", accept).await {
            // The same request, at the same moment, was first.
            Err(error) if error.code == Code::InviteNotFound => Ok(()),
            outcome => outcome.map(drop),
        }
    }
}

/// `POST /portal/session`: who has signed in is here.
async fn session(
    State(ports): State<Ports>,
    caller: Caller,
    Idempotency(key): Idempotency,
) -> Result<Response, Problem> {
    let arguments = map(json!({"idempotency_key": key}));
    let done = ports.database.rpc(&caller, "portal_session", arguments).await?;
    Ok(if done["status"] == "verify" { verify() } else { Json(open(done)?).into_response() })
}

/// `GET /portal/dashboard`
async fn dashboard(State(ports): State<Ports>, caller: Caller) -> Result<Json<Value>, Problem> {
    Ok(Json(ports.database.rpc(&caller, "portal_dashboard", Map::new()).await?))
}
