//! Supabase Auth, which keeps the logins, and the database as the back end asks it: what lets people in who are nobody yet.
//!
//! Passwords and tokens pass through here and are never logged.

use fieldcrm_core::signature::hmac_sha256;
use fieldcrm_core::{Code, Error, Result, fingerprint};
use fieldcrm_edge::database::BackEnd;
use fieldcrm_edge::http::{Answer, Client, Method, Post};
use fieldcrm_edge::{Caller, Config};
use serde_json::{Map, Value, json};
use uuid::Uuid;

pub struct Identity {
    /// Of Auth's paths.
    base: String,
    publishable_key: String,
    client: Client,
    back_end: BackEnd,
}

/// What came of a sign-up with Auth.
#[derive(Debug, PartialEq)]
pub enum SignedUp {
    /// Addresses need not be verified in this project.
    Session(Value),
    /// Auth has sent a mail.
    Waiting(Uuid),
    /// Somebody has the address. Nobody but them may learn it.
    Known,
}

/// As whom Auth is asked.
#[derive(Clone, Copy)]
enum Who<'a> {
    Anybody,
    /// The `Authorization` header of who is signed in.
    User(&'a str),
    Service,
}

impl Identity {
    /// Without a service key nobody is let in.
    #[must_use]
    pub fn new(config: &Config, client: Client, back_end: BackEnd) -> Self {
        Self {
            base: format!("{}/auth/v1", config.supabase_url),
            publishable_key: config.publishable_key.clone(),
            client,
            back_end,
        }
    }

    /// Calls an RPC of the back end on behalf of somebody who is nobody yet.
    pub async fn rpc(
        &self,
        caller: &Caller,
        name: &'static str,
        arguments: Value,
    ) -> Result<Value> {
        self.back_end.rpc(caller, name, arguments).await
    }

    /// A hash that whoever reads the database cannot try passwords by: its key is not there.
    pub fn keyed_hash(&self, sent: &Value) -> Result<String> {
        let mac = hmac_sha256(self.back_end.key()?.as_bytes(), sent.to_string().as_bytes());
        Ok(fingerprint::of(&json!(mac)))
    }

    pub async fn sign_up(
        &self,
        caller: &Caller,
        email: &str,
        password: &str,
        name: &str,
    ) -> Result<SignedUp> {
        let body = json!({"email": email, "password": password, "data": {"full_name": name}});
        let answer = self.ask(caller, Who::Anybody, Method::Post, "signup", &body).await?;
        if is_known(&answer) {
            return Ok(SignedUp::Known);
        }
        let made = accepted(&answer)?;
        if made["access_token"].is_string() {
            return Ok(SignedUp::Session(made));
        }
        // Of an address that is taken Auth makes up a user, who has no identity.
        let nobody = made["identities"].as_array().is_some_and(Vec::is_empty);
        Ok(if nobody { SignedUp::Known } else { SignedUp::Waiting(user_id(&made)?) })
    }

    /// A session, or none where the password is wrong or the address not verified.
    pub async fn sign_in(
        &self,
        caller: &Caller,
        email: &str,
        password: &str,
    ) -> Result<Option<Value>> {
        let body = json!({"email": email, "password": password});
        let path = "token?grant_type=password";
        let answer = self.ask(caller, Who::Anybody, Method::Post, path, &body).await?;
        if matches!(
            code(&answer).as_str(),
            "invalid_credentials" | "email_not_confirmed" | "invalid_grant"
        ) {
            return Ok(None);
        }
        accepted(&answer).map(Some)
    }

    /// A login for somebody with an invitation; none where somebody has the address by now.
    ///
    /// Staff see the token of an invitation too, so that who has it has not shown that the address is theirs: the mark, which
    /// users cannot change, keeps a sign-up from trusting the address.
    pub async fn create_user(
        &self,
        caller: &Caller,
        email: &str,
        password: &str,
        name: Option<&str>,
    ) -> Result<Option<Uuid>> {
        let body = json!({"email": email, "password": password, "email_confirm": true,
            "user_metadata": {"full_name": name}, "app_metadata": {"fieldcrm_invited": true}});
        let answer = self.ask(caller, Who::Service, Method::Post, "admin/users", &body).await?;
        if is_known(&answer) { Ok(None) } else { user_id(&accepted(&answer)?).map(Some) }
    }

    /// Takes back a login that was made for nothing. Without a profile it opens nothing, should this fail.
    pub async fn delete_user(&self, caller: &Caller, id: Uuid) {
        let path = format!("admin/users/{id}");
        let _ = self.ask(caller, Who::Service, Method::Delete, &path, &Value::Null).await;
    }

    /// What who is signed in does with their own login.
    pub async fn own(
        &self,
        caller: &Caller,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<Value> {
        let token = caller.authorization.as_deref().unwrap_or_default();
        accepted(&self.ask(caller, Who::User(token), method, path, body).await?)
    }

    /// Ends a session that was opened only to see whether a password is right. It runs out anyway.
    pub async fn forget(&self, caller: &Caller, session: &Value) {
        let caller = bearer(caller, session);
        let _ = self.own(&caller, Method::Post, "logout?scope=local", &Value::Null).await;
    }

    async fn ask(
        &self,
        caller: &Caller,
        who: Who<'_>,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<Answer> {
        let key = if let Who::Service = who { self.back_end.key()? } else { &self.publishable_key };
        let mut headers =
            vec![("apikey", key.to_owned()), ("content-type", "application/json".to_owned())];
        match who {
            Who::Anybody => {}
            Who::User(authorization) => headers.push(("authorization", authorization.to_owned())),
            Who::Service => headers.push(("authorization", format!("Bearer {key}"))),
        }
        // Auth counts how often an address tries: none that the client can choose.
        headers.extend(caller.connecting_ip.clone().map(|address| ("x-forwarded-for", address)));
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let post = Post { url: format!("{}/{path}", self.base), headers, body };
        let unreachable = |_| Error::new(Code::Unavailable, "Auth could not be reached");
        self.client.send(method, post).await.map_err(unreachable)
    }
}

/// The caller with the token of a session.
pub fn bearer(caller: &Caller, session: &Value) -> Caller {
    let token = session["access_token"].as_str().unwrap_or_default();
    Caller { authorization: Some(format!("Bearer {token}")), ..caller.clone() }
}

/// The id of a user, or of whose session it is.
pub fn user_id(made: &Value) -> Result<Uuid> {
    let id = made["user"]["id"].as_str().or_else(|| made["id"].as_str());
    id.and_then(|id| id.parse().ok()).ok_or_else(|| Error::internal("Auth answered without a user"))
}

/// Arguments of an RPC.
pub fn map(arguments: Value) -> Map<String, Value> {
    if let Value::Object(map) = arguments { map } else { Map::new() }
}

/// Auth's code of an error, in the form of today and in the older ones.
fn code(answer: &Answer) -> String {
    let body = answer.json();
    let code =
        [&body["error_code"], &body["code"], &body["error"]].into_iter().find_map(Value::as_str);
    code.unwrap_or_default().to_owned()
}

fn is_known(answer: &Answer) -> bool {
    matches!(code(answer).as_str(), "user_already_exists" | "email_exists")
}

fn accepted(answer: &Answer) -> Result<Value> {
    if (200..300).contains(&answer.status) {
        return Ok(answer.json());
    }
    let (code, body) = (code(answer), answer.json());
    let message = body["msg"]
        .as_str()
        .or_else(|| body["message"].as_str())
        .unwrap_or("is not accepted")
        .to_owned();
    Err(match (answer.status, code.as_str()) {
        (_, "weak_password" | "same_password") => Error::invalid_field("password", &code, message),
        (_, "mfa_verification_failed" | "mfa_challenge_expired") => {
            Error::invalid_field("mfa.code", &code, message)
        }
        (_, "insufficient_aal") => Error::new(Code::Forbidden, "Enter your second factor first."),
        (_, "signup_disabled" | "email_provider_disabled") => {
            Error::new(Code::Forbidden, "Nobody can sign up at present.")
        }
        (401 | 403, _) => Error::new(Code::Unauthenticated, "Sign in to the portal."),
        (404, _) => Error::not_found("factor"),
        (400 | 422, _) => Error::invalid_field("$", "invalid_value", message),
        (status, _) => Error::new(Code::Unavailable, format!("Auth answered {status}")),
    })
}
